/* The texts of JSON: strings and numbers, written piece by piece to wherever a caller wants them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct json_out {
    void (*add)(void *arg, const char *bytes, size_t size);
    void *arg;
};

/* In quotes. Bytes that are not UTF-8 become U+FFFD. */
void json_string(const struct json_out *out, const char *string, size_t length);

void json_integer(const struct json_out *out, int64_t number);

/* The fewest digits that read back as the same number, which must be finite; whole ones keep a
   ".0", as Lua prints them. */
void json_real(const struct json_out *out, double number);
