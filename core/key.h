/* Keys of WireGuard: 32 bytes, in text base64. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

enum { KEY_SIZE = 32, KEY_TEXT = 45 }; /* bytes, and room for the text with its NUL */

/* Errors: EINVAL. */
int key_parse(const char *text, uint8_t key[KEY_SIZE], struct error *err);

/* Writes the text, and returns it. */
char *key_format(const uint8_t key[KEY_SIZE], char text[KEY_TEXT]);

/* A new one, by chance: for sharing, or a private one of Curve25519. Errors: EIO. */
int key_generate(bool is_private, uint8_t key[KEY_SIZE], struct error *err);
