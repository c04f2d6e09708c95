/* UDP, and what it carries: VXLAN. */
#include "dissect.h"
#include "inet.h"

enum { VXLAN_PORT = 4789, VXLAN_PORT_LINUX = 8472 }; /* of IANA, and Linux's own default */

static bool is_vxlan(const struct layer *layer) {
    uint32_t sport = get16(layer->bytes), dport = get16(layer->bytes + 2);
    return sport == VXLAN_PORT || dport == VXLAN_PORT || dport == VXLAN_PORT_LINUX;
}

static const struct protocol *next(const struct layer *layer, struct layer *next) {
    (void)next;
    return is_vxlan(layer) ? &vxlan_protocol : NULL;
}

static const struct packet_field fields[] = {
    { "sport", 0, 2, PACKET_NUMBER },
    { "dport", 2, 2, PACKET_NUMBER },
    { "length", 4, 2, PACKET_NUMBER },
    { 0 },
};

static bool print(struct line *line, const struct layer *layer) {
    uint32_t length = get16(layer->bytes + 4);
    inet_print_ports(line, layer);
    if (is_vxlan(layer))
        return true;
    if (length < layer->header)
        line_add(line, "truncated-udplength %u", length);
    else
        line_add(line, "UDP, length %u", length - layer->header);
    return false;
}

const struct protocol udp_protocol = { .name = "udp",
                                       .printed = "udp",
                                       .min = 8,
                                       .next = next,
                                       .fields = fields,
                                       .print = print,
                                       .print_cut = inet_print_ports };

/* --- VXLAN -------------------------------------------------------------------------------------
 */

static const struct protocol *carried(const struct layer *layer, struct layer *next) {
    (void)layer;
    next->inside = true;
    return &ether_protocol;
}

static const struct packet_field vxlan_fields[] = {
    { "vni", 4, 4, PACKET_NUMBER, .shift = 8 },
    { 0 },
};

/* tcpdump begins a line of its own for the packet that it carries. */
static bool print_vxlan(struct line *line, const struct layer *layer) {
    uint32_t flags = layer->bytes[0];
    line_add(line, "VXLAN, flags [%s] (0x%02x), vni %u: ", flags & 8 ? "I" : ".", flags,
             get32(layer->bytes + 4) >> 8);
    return true;
}

const struct protocol vxlan_protocol = {
    .name = "vxlan",
    .printed = "vxlan",
    .min = 8,
    .next = carried,
    .fields = vxlan_fields,
    .print = print_vxlan,
};
