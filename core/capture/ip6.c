/* IPv6, and the headers that may stand between it and what it carries. */
#include <netinet/in.h>
#include <stdio.h>

#include "../address.h"
#include "dissect.h"
#include "inet.h"

static const struct protocol *next(const struct layer *layer, struct layer *next) {
    uint32_t length = get16(layer->bytes + 4);
    if (length > 0) { /* 0: a jumbogram, or a segment that was longer than the field can say */
        next->length = length;
        if (next->caplen > length)
            next->caplen = length;
    }
    return inet_next(layer->bytes[6], AF_INET6);
}

static const char *protocol_word(const struct layer *layer, char *room, size_t size) {
    return inet_protocol_name(layer->bytes[6], room, size);
}

static const struct packet_field fields[] = {
    { "src", 8, 16, PACKET_ADDRESS },
    { "dst", 24, 16, PACKET_ADDRESS },
    { "proto", .kind = PACKET_TEXT, .text = protocol_word },
    { "hlim", 7, 1, PACKET_NUMBER },
    { "tclass", 0, 2, PACKET_NUMBER, .shift = 4, .mask = 0xff },
    { "flow", 0, 4, PACKET_NUMBER, .mask = 0xfffff },
    { "length", 4, 2, PACKET_NUMBER },
    { 0 },
};

static bool print(struct line *line, const struct layer *layer) {
    char source[ADDRESS_TEXT_MAX], target[ADDRESS_TEXT_MAX];
    uint32_t protocol = layer->bytes[6];
    line_add(line, "IP6 ");
    if (layer->length < layer->header + get16(layer->bytes + 4))
        line_add(line, "truncated-ip6 - %u bytes missing!",
                 layer->header + get16(layer->bytes + 4) - layer->length);
    if (inet_has_ports(protocol))
        return true;
    address_format(AF_INET6, layer->bytes + 8, source);
    address_format(AF_INET6, layer->bytes + 24, target);
    line_add(line, "%s > %s: ", source, target);
    return inet_next(protocol, AF_INET6) || inet_print_unknown(line, layer, protocol);
}

const struct protocol ip6_protocol = {
    .name = "ip6",
    .printed = "ip6",
    .min = 40,
    .next = next,
    .fields = fields,
    .print = print,
};

/* --- options -----------------------------------------------------------------------------------
 */

static uint32_t option_size(const struct layer *layer) {
    return (layer->bytes[1] + 1u) * 8;
}

static const struct protocol *after_option(const struct layer *layer, struct layer *next) {
    (void)next;
    return inet_next(layer->bytes[0], AF_INET6);
}

static bool print_next(struct line *line, const struct layer *layer) {
    uint32_t protocol = layer->bytes[0];
    return inet_next(protocol, AF_INET6) || inet_print_unknown(line, layer, protocol);
}

static bool print_hop_by_hop(struct line *line, const struct layer *layer) {
    line_add(line, "HBH ");
    return print_next(line, layer);
}

static bool print_destination(struct line *line, const struct layer *layer) {
    line_add(line, "DSTOPT ");
    return print_next(line, layer);
}

const struct protocol hop_by_hop_protocol = {
    .printed = "hbhopt",
    .min = 8,
    .header = option_size,
    .next = after_option,
    .print = print_hop_by_hop,
};

const struct protocol destination_protocol = {
    .printed = "dstopt",
    .min = 8,
    .header = option_size,
    .next = after_option,
    .print = print_destination,
};

/* --- fragments ---------------------------------------------------------------------------------
 */

static uint32_t offset_of(const struct layer *layer) {
    return get16(layer->bytes + 2) & ~7u;
}

static const struct protocol *after_fragment(const struct layer *layer, struct layer *next) {
    (void)next;
    return offset_of(layer) == 0 ? inet_next(layer->bytes[0], AF_INET6) : NULL;
}

static const struct packet_field fragment_fields[] = {
    { "offset", 2, 2, PACKET_NUMBER, .shift = 3 }, /* in units of eight bytes */
    { "mf", 2, 2, PACKET_BOOL, .mask = 1 },
    { "id", 4, 4, PACKET_NUMBER },
    { 0 },
};

static bool print_fragment(struct line *line, const struct layer *layer) {
    line_add(line, "frag (%u|%u)", offset_of(layer), layer->length - layer->header);
    if (offset_of(layer) > 0)
        return false;
    line_add(line, " ");
    return print_next(line, layer);
}

const struct protocol fragment_protocol = {
    .name = "frag",
    .printed = "frag",
    .min = 8,
    .next = after_fragment,
    .fields = fragment_fields,
    .print = print_fragment,
};
