/* One value on its way between a caller and a message. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct value {
    enum { VALUE_BOOL, VALUE_NUMBER, VALUE_REAL, VALUE_TEXT, VALUE_NETNS } type;
    int64_t number; /* VALUE_BOOL: 0 or 1; VALUE_NETNS: a descriptor */
    double real;
    const char *text; /* NUL-terminated for a writer; VALUE_NETNS: a name, or NULL */
    size_t length;
    char buffer[256]; /* where a reader makes its text */
};

/* Makes it the text that the buffer holds. Returns true: there is a value. */
static inline bool value_is_buffer(struct value *v) {
    v->type = VALUE_TEXT;
    v->text = v->buffer;
    v->length = strlen(v->buffer);
    return true;
}
