#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { MAC_MAX = 20 };

static const char *family_name(int family) {
    return family == AF_INET    ? "an IPv4 address"
           : family == AF_INET6 ? "an IPv6 address"
                                : "an IPv4 or IPv6 address";
}

size_t address_size(int family) {
    return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

static uint8_t address_bits(int family) {
    return (uint8_t)(address_size(family) * 8);
}

/* --- parsing ---------------------------------------------------------------------------------- */

/* inet_pton is as strict as wanted: four decimal numbers without leading zeros, no zone, no blanks
   and nothing after the end. */
static bool parse_as(const char *text, int family, struct address *out) {
    struct address parsed = { .family = (uint8_t)family, .prefixlen = address_bits(family) };
    if (!address_size(family) || inet_pton(family, text, parsed.bytes) != 1)
        return false;
    *out = parsed;
    return true;
}

static bool parse_any(const char *text, int family, struct address *out) {
    if (family == AF_UNSPEC)
        return parse_as(text, AF_INET, out) || parse_as(text, AF_INET6, out);
    return parse_as(text, family, out);
}

int address_parse(const char *text, int family, struct address *out, struct error *err) {
    struct address prefix;
    if (parse_any(text, family, out))
        return 0;
    if (strchr(text, '/') && prefix_parse(text, family, &prefix, NULL) == 0)
        return error_set(err, EINVAL, "\"%s\": the address is wanted without a prefix length",
                         SHORT(text));
    return error_set(err, EINVAL, "\"%s\" is not %s", SHORT(text), family_name(family));
}

/* One to three digits without a leading zero: iproute2 would read "010" as eight. */
static bool parse_length(const char *text, unsigned max, uint8_t *out) {
    size_t digits = strspn(text, "0123456789");
    unsigned length = 0;
    if (digits == 0 || digits > 3 || text[digits] || (digits > 1 && text[0] == '0'))
        return false;
    for (size_t i = 0; i < digits; i++)
        length = length * 10 + (unsigned)(text[i] - '0');
    *out = (uint8_t)length;
    return length <= max;
}

static bool is_default(const char *text) {
    return !strcmp(text, "default") || !strcmp(text, "any");
}

static int not_a_prefix(const char *text, int family, struct error *err) {
    return error_set(err, EINVAL, "\"%s\" is not %s, with or without a prefix length", SHORT(text),
                     family_name(family));
}

int prefix_parse(const char *text, int family, struct address *out, struct error *err) {
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    char before[ADDRESS_TEXT_MAX];
    if (is_default(text) && (family == AF_UNSPEC || address_size(family))) {
        *out = (struct address){ .family = family == AF_INET6 ? AF_INET6 : AF_INET };
        return 0;
    }
    if (length >= sizeof before)
        return not_a_prefix(text, family, err);
    memcpy(before, text, length);
    before[length] = '\0';
    struct address parsed;
    if (!parse_any(before, family, &parsed))
        return not_a_prefix(text, family, err);
    if (slash && !parse_length(slash + 1, address_bits(parsed.family), &parsed.prefixlen))
        return error_set(err, EINVAL, "\"%s\": the prefix length of %s is 0 to %u", SHORT(text),
                         family_name(parsed.family), address_bits(parsed.family));
    *out = parsed;
    return 0;
}

/* --- formatting ------------------------------------------------------------------------------- */

char *address_format(int family, const void *bytes, char text[ADDRESS_TEXT_MAX]) {
    if (!address_size(family) || !inet_ntop(family, bytes, text, ADDRESS_TEXT_MAX))
        strcpy(text, "?");
    return text;
}

char *prefix_format(int family, const void *bytes, unsigned prefixlen,
                    char text[ADDRESS_TEXT_MAX]) {
    size_t length = strlen(address_format(family, bytes, text));
    if (address_size(family) && prefixlen != address_bits(family))
        snprintf(text + length, ADDRESS_TEXT_MAX - length, "/%u", prefixlen);
    return text;
}

/* --- link-layer addresses --------------------------------------------------------------------- */

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static const char *parse_byte(const char *text, uint8_t *out) {
    int high = hex_digit(text[0]);
    int low = high < 0 ? -1 : hex_digit(text[1]);
    if (high < 0)
        return NULL;
    *out = (uint8_t)(low < 0 ? high : high << 4 | low);
    return text + (low < 0 ? 1 : 2);
}

static bool parse_bytes(const char *text, uint8_t *bytes, size_t size) {
    char separator = '\0';
    for (size_t i = 0; i < size; i++) {
        if (i > 0) {
            if ((*text != ':' && *text != '-') || (separator && *text != separator))
                return false;
            separator = *text++;
        }
        text = parse_byte(text, &bytes[i]);
        if (!text)
            return false;
    }
    return *text == '\0';
}

int mac_parse(const char *text, uint8_t *bytes, size_t size, struct error *err) {
    uint8_t parsed[MAC_MAX], example[MAC_MAX] = { 0x02 };
    char shown[ADDRESS_TEXT_MAX];
    if (size == 0 || size > MAC_MAX)
        return error_set(err, EINVAL, "a link-layer address has 1 to %d bytes, not %zu", MAC_MAX,
                         size);
    if (parse_bytes(text, parsed, size)) {
        memcpy(bytes, parsed, size);
        return 0;
    }
    example[size - 1] |= 0x01;
    mac_format(example, size, shown);
    if (size == 6)
        return error_set(err, EINVAL, "\"%s\" is not a MAC address such as %s", SHORT(text), shown);
    return error_set(err, EINVAL, "\"%s\" is not a link-layer address of %zu bytes such as %s",
                     SHORT(text), size, shown);
}

char *mac_format(const void *bytes, size_t size, char text[ADDRESS_TEXT_MAX]) {
    static const char digits[] = "0123456789abcdef";
    const uint8_t *byte = bytes;
    char *end = text;
    for (size_t i = 0; i < size && i < MAC_MAX; i++) {
        if (i)
            *end++ = ':';
        *end++ = digits[byte[i] >> 4];
        *end++ = digits[byte[i] & 15];
    }
    *end = '\0';
    return text;
}
