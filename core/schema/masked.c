#include "masked.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../address.h"
#include "write.h"

enum { MAC_SIZE = 6, LONGEST = 16, TEXT = 64 };

static size_t size_of(const struct field *f) {
    return f->bit ? address_size((int)f->bit) : MAC_SIZE;
}

static bool parse_bytes(const struct field *f, const char *text, uint8_t *bytes) {
    struct address address;
    if (!f->bit)
        return mac_parse(text, bytes, MAC_SIZE, NULL) == 0;
    if (address_parse(text, (int)f->bit, &address, NULL) < 0)
        return false;
    memcpy(bytes, address.bytes, size_of(f));
    return true;
}

static void fill(uint8_t *mask, size_t size, long bits) {
    memset(mask, 0, size);
    for (long i = 0; i < bits; i++)
        mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

/* A number of bits, or of a MAC, as tc has it, the mask itself. */
static bool parse_mask(const struct field *f, const char *text, uint8_t *mask) {
    char *end;
    size_t size = size_of(f);
    long bits = strtol(text, &end, 10);
    if (*end || !*text)
        return !f->bit && parse_bytes(f, text, mask);
    fill(mask, size, bits >= 0 && bits <= (long)size * 8 ? bits : 0);
    return bits >= 0 && bits <= (long)size * 8;
}

static bool parse_masked(const struct field *f, const char *text, uint8_t *bytes, uint8_t *mask) {
    char address[TEXT];
    const char *slash = strchr(text, '/');
    if (strlen(text) >= sizeof address)
        return false;
    snprintf(address, sizeof address, "%.*s", (int)(slash ? slash - text : TEXT), text);
    fill(mask, size_of(f), (long)size_of(f) * 8);
    return parse_bytes(f, address, bytes) && (!slash || parse_mask(f, slash + 1, mask));
}

int write_masked(struct writer *w, const struct field *f, const struct value *v,
                 struct error *err) {
    uint8_t bytes[LONGEST], mask[LONGEST];
    if (v->type != VALUE_TEXT || !parse_masked(f, v->text, bytes, mask))
        return refuse(v,
                      !f->bit ? "a MAC address such as \"02:00:00:00:00:01\", or \"…/24\""
                              : "an address such as \"10.0.0.0/8\"",
                      err);
    return write_attribute(w, f->attr, bytes, size_of(f), err) < 0
               ? -1
               : write_attribute(w, f->wide, mask, size_of(f), err);
}

static void format_bytes(const struct field *f, const uint8_t *bytes, char *text) {
    if (f->bit)
        address_format((int)f->bit, bytes, text);
    else
        mac_format(bytes, MAC_SIZE, text);
}

/* How many bits from the left on; -1 if there is a hole. */
static int bits_of(const uint8_t *mask, size_t size) {
    uint8_t whole[LONGEST];
    for (int bits = 0; bits <= (int)size * 8; bits++) {
        fill(whole, size, bits);
        if (!memcmp(mask, whole, size))
            return bits;
    }
    return -1;
}

bool read_masked(const struct reader *r, const struct field *f, struct value *v) {
    const struct nlattr *attr = r->tb[f->attr], *mask = r->tb[f->wide];
    size_t size = size_of(f);
    if (!attr || mnl_attr_get_payload_len(attr) < size)
        return false;
    format_bytes(f, mnl_attr_get_payload(attr), v->buffer);
    char *end = v->buffer + strlen(v->buffer);
    int bits = mask && mnl_attr_get_payload_len(mask) >= size
                   ? bits_of(mnl_attr_get_payload(mask), size)
                   : (int)size * 8;
    if (bits < 0) {
        *end++ = '/';
        format_bytes(f, mnl_attr_get_payload(mask), end);
    } else if (bits < (int)size * 8) {
        snprintf(end, 8, "/%d", bits);
    }
    return value_is_buffer(v);
}
