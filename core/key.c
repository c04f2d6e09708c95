#include "key.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_value(char c) {
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* 43 digits of 6 bits, of which the last two are none of the key's, and the mark that fills it up.
 */
int key_parse(const char *text, uint8_t key[KEY_SIZE], struct error *err) {
    enum { DIGITS = 43 };
    uint32_t bits = 0;
    bool valid = strlen(text) == DIGITS + 1 && text[DIGITS] == '=';
    for (int i = 0, have = 0, used = 0; valid && i < DIGITS; i++) {
        int value = digit_value(text[i]);
        valid = value >= 0;
        bits = bits << 6 | ((uint32_t)value & 63);
        have += 6;
        if (have >= 8 && used < KEY_SIZE)
            key[used++] = (uint8_t)(bits >> (have -= 8));
    }
    return valid && !(bits & 3)
               ? 0
               : error_set(err, EINVAL, "it is not a key: 44 characters of base64");
}

char *key_format(const uint8_t key[KEY_SIZE], char text[KEY_TEXT]) {
    char *at = text;
    uint32_t bits = 0;
    int have = 0;
    for (int i = 0; i < KEY_SIZE; i++) {
        bits = bits << 8 | key[i];
        for (have += 8; have >= 6; have -= 6)
            *at++ = digits[bits >> (have - 6) & 63];
    }
    *at++ = digits[bits << (6 - have) & 63];
    strcpy(at, "=");
    return text;
}

/* RFC 7748, 5: which bits of a private key are the same in all of them. */
static void clamp(uint8_t key[KEY_SIZE]) {
    key[0] &= 248;
    key[31] = (uint8_t)((key[31] & 127) | 64);
}

int key_generate(bool is_private, uint8_t key[KEY_SIZE], struct error *err) {
    if (getrandom(key, KEY_SIZE, 0) != KEY_SIZE)
        return error_set(err, EIO, "no random numbers");
    if (is_private)
        clamp(key);
    return 0;
}
