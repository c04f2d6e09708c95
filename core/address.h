/* Text <-> bytes for what stands in netlink attributes. Nothing here asks a name server. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum { ADDRESS_TEXT_MAX = 64 }; /* room for the text of any address or prefix, with its NUL */

struct address {
    uint8_t family;    /* AF_INET or AF_INET6 */
    uint8_t prefixlen; /* bits; the whole address (32, 128) where none was written */
    uint8_t bytes[16]; /* network order; 4 or 16 of them */
};

/* Bytes of an address of that family: 4, 16, or 0 for any other. */
size_t address_size(int family);

/* "10.0.0.1", "2001:db8::1"; family AF_UNSPEC takes either. No prefix length is allowed.
   Errors: EINVAL with the text and what would be valid. */
int address_parse(const char *text, int family, struct address *out, struct error *err);

/* As address_parse, "/LEN" allowed. Also "default" and "any": the zero address of
   the family (AF_INET if unspecified) with length 0. */
int prefix_parse(const char *text, int family, struct address *out, struct error *err);

/* Writes the text of size(family) bytes (without prefix length); "?" for another family. Returns
 * text. */
char *address_format(int family, const void *bytes, char text[ADDRESS_TEXT_MAX]);

/* "10.0.0.0/8"; without the length when it is the whole address, as iproute2 prints routes. */
char *prefix_format(int family, const void *bytes, unsigned prefixlen, char text[ADDRESS_TEXT_MAX]);

/* "02:00:00:00:00:01" (':' or '-' between one- or two-digit hexadecimal bytes) into exactly size
 * bytes. */
int mac_parse(const char *text, uint8_t *bytes, size_t size, struct error *err);

/* size bytes as lower-case hexadecimal with ':'; size at most 20 (an Infiniband address). */
char *mac_format(const void *bytes, size_t size, char text[ADDRESS_TEXT_MAX]);
