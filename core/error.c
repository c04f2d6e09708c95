#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, int code, const char *format, ...) {
    if (!err)
        return -1;
    va_list args;
    va_start(args, format);
    *err = (struct error){ .code = code };
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return -1;
}

int error_errno(struct error *err, int code) {
    return error_set(err, code, "%s", strerror(code));
}

int error_hint(struct error *err, const char *format, ...) {
    if (!err)
        return -1;
    va_list args;
    va_start(args, format);
    vsnprintf(err->hint, sizeof err->hint, format, args);
    va_end(args);
    return -1;
}

const char *error_name(int code) {
    const char *name = strerrorname_np(code);
    return name ? name : "E?";
}
