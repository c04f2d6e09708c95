#include "json_text.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_text(const struct json_out *out, const char *text) {
    out->add(out->arg, text, strlen(text));
}

/* --- strings ---------------------------------------------------------------------------------- */

/* Well-formed UTF-8 as in table 3-7 of the Unicode standard: by its first byte, the range of the
   second; those after it are 80 to bf. */
static const struct {
    unsigned char first, last, low, high, size;
} utf8[] = {
    { 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
    { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
    { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

/* How many bytes the character has that starts at `text`; 0 if it is not UTF-8. */
static size_t character_size(const char *text, size_t left) {
    const unsigned char *at = (const unsigned char *)text;
    size_t row = 0;
    while (row < sizeof utf8 / sizeof *utf8 && at[0] > utf8[row].last)
        row++;
    if (row == sizeof utf8 / sizeof *utf8 || at[0] < utf8[row].first || utf8[row].size > left)
        return 0;
    if (utf8[row].size > 1 && (at[1] < utf8[row].low || at[1] > utf8[row].high))
        return 0;
    for (size_t i = 2; i < utf8[row].size; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return utf8[row].size;
}

static void add_control(const struct json_out *out, char c) {
    static const char letters[] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'
    };
    char escape[8];
    size_t index = (unsigned char)c;
    if (index < sizeof letters && letters[index])
        snprintf(escape, sizeof escape, "\\%c", letters[index]);
    else
        snprintf(escape, sizeof escape, "\\u%04x", (unsigned)index);
    add_text(out, escape);
}

/* How many bytes at the beginning stand in JSON as they are, each a character: mostly all. */
static size_t plain_length(const char *string, size_t length) {
    size_t i = 0;
    while (i < length && string[i] >= 0x20 && string[i] != '"' && string[i] != '\\')
        i++;
    return i;
}

/* One character, or one byte that is none; returns how long it was. */
static size_t add_character(const struct json_out *out, const char *string, size_t left) {
    size_t size = character_size(string, left);
    if (size == 0) {
        add_text(out, "\xef\xbf\xbd");
        return 1;
    }
    if ((unsigned char)*string < 0x20) {
        add_control(out, *string);
        return 1;
    }
    if (*string == '"' || *string == '\\')
        add_text(out, "\\");
    out->add(out->arg, string, size);
    return size;
}

void json_string(const struct json_out *out, const char *string, size_t length) {
    out->add(out->arg, "\"", 1);
    for (size_t i = 0; i < length;) {
        size_t plain = plain_length(string + i, length - i);
        out->add(out->arg, string + i, plain);
        i += plain;
        if (i < length)
            i += add_character(out, string + i, length - i);
    }
    out->add(out->arg, "\"", 1);
}

/* --- numbers ---------------------------------------------------------------------------------- */

void json_real(const struct json_out *out, double number) {
    char text[32];
    locale_t plain = newlocale(LC_ALL_MASK, "C", NULL), before = uselocale(plain);
    if (fabs(number) < 1e15 && number == floor(number)) {
        snprintf(text, sizeof text, "%.1f", number);
    } else {
        int digits = 0;
        do
            snprintf(text, sizeof text, "%.*g", ++digits, number);
        while (digits < 17 && strtod(text, NULL) != number);
    }
    uselocale(before);
    freelocale(plain);
    add_text(out, text);
}

/* As snprintf would, which takes ten times as long. */
void json_integer(const struct json_out *out, int64_t number) {
    char digits[24], *end = digits + sizeof digits, *at = end;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (number < 0)
        *--at = '-';
    out->add(out->arg, at, (size_t)(end - at));
}
