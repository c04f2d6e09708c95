/* IPv4. */
#include <netinet/in.h>
#include <stdio.h>

#include "../address.h"
#include "dissect.h"
#include "inet.h"

enum { OFFSET_MASK = 0x1fff };

static uint32_t header_size(const struct layer *layer) {
    return (layer->bytes[0] & 15u) * 4;
}

static uint32_t offset_of(const struct layer *layer) {
    return (get16(layer->bytes + 6) & OFFSET_MASK) * 8;
}

/* The link may have padded it; 0 stands for a segment that was longer than the field can say. */
static const struct protocol *next(const struct layer *layer, struct layer *next) {
    uint32_t total = get16(layer->bytes + 2);
    if (total >= layer->header) {
        next->length = total - layer->header;
        if (next->caplen > next->length)
            next->caplen = next->length;
    }
    return offset_of(layer) == 0 ? inet_next(layer->bytes[9], AF_INET) : NULL;
}

static const char *protocol_word(const struct layer *layer, char *room, size_t size) {
    return inet_protocol_name(layer->bytes[9], room, size);
}

static const struct packet_field fields[] = {
    { "src", 12, 4, PACKET_ADDRESS },
    { "dst", 16, 4, PACKET_ADDRESS },
    { "proto", .kind = PACKET_TEXT, .text = protocol_word },
    { "ttl", 8, 1, PACKET_NUMBER },
    { "id", 4, 2, PACKET_NUMBER },
    { "tos", 1, 1, PACKET_NUMBER },
    { "length", 2, 2, PACKET_NUMBER },
    { "df", 6, 2, PACKET_BOOL, .shift = 14, .mask = 1 },
    { "mf", 6, 2, PACKET_BOOL, .shift = 13, .mask = 1 },
    { "offset", 6, 2, PACKET_NUMBER, .mask = OFFSET_MASK }, /* in units of eight bytes */
    { 0 },
};

static void print_cut(struct line *line, const struct layer *layer) {
    (void)layer;
    line_add(line, "IP ");
}

static bool print(struct line *line, const struct layer *layer) {
    char source[ADDRESS_TEXT_MAX], target[ADDRESS_TEXT_MAX];
    uint32_t protocol = layer->bytes[9];
    line_add(line, "IP ");
    if (layer->length < get16(layer->bytes + 2))
        line_add(line, "truncated-ip - %u bytes missing! ",
                 get16(layer->bytes + 2) - layer->length);
    if (offset_of(layer) == 0 && inet_has_ports(protocol))
        return true;
    address_format(AF_INET, layer->bytes + 12, source);
    address_format(AF_INET, layer->bytes + 16, target);
    line_add(line, "%s > %s:", source, target);
    if (offset_of(layer) > 0) {
        line_add(line, " ip-proto-%u", protocol);
        return false;
    }
    line_add(line, " ");
    return inet_next(protocol, AF_INET) || inet_print_unknown(line, layer, protocol);
}

const struct protocol ip_protocol = {
    .name = "ip",
    .printed = "ip",
    .min = 20,
    .header = header_size,
    .next = next,
    .fields = fields,
    .print = print,
    .print_cut = print_cut,
};
