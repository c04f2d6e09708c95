#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The most bytes up to `most` that end between two characters of UTF-8. */
static size_t whole_characters(const char *text, size_t most) {
    while (most > 0 && (text[most] & 0xc0) == 0x80)
        most--;
    return most;
}

int error_set(struct error *err, int code, const char *format, ...) {
    if (!err)
        return -1;
    va_list args;
    va_start(args, format);
    *err = (struct error){ .code = code };
    char text[sizeof err->message + 1] = ""; /* its last byte tells whether a character is cut */
    if (vsnprintf(text, sizeof text, format, args) >= (int)sizeof err->message)
        text[whole_characters(text, sizeof err->message - 1)] = 0;
    memcpy(err->message, text, sizeof err->message);
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

const char *error_word(struct short_word *room, const char *word) {
    static const char more[] = "…";
    if (strnlen(word, sizeof room->bytes) < sizeof room->bytes)
        return word;
    size_t most = whole_characters(word, sizeof room->bytes - sizeof more);
    memcpy(room->bytes, word, most);
    memcpy(room->bytes + most, more, sizeof more);
    return room->bytes;
}

const char *error_name(int code) {
    const char *name = strerrorname_np(code);
    return name ? name : "E?";
}
