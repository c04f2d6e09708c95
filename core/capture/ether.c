/* What stands before the network protocol: Ethernet, VLAN tags, the cooked headers of "any". */
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../address.h"
#include "dissect.h"

enum { TYPE_MIN = 0x600 }; /* below, it is a length: IEEE 802.3 */

const struct protocol *ether_next(uint32_t type) {
    static const struct {
        uint32_t type;
        const struct protocol *protocol;
    } types[] = {
        { ETHERTYPE_IP, &ip_protocol },    { ETHERTYPE_ARP, &arp_protocol },
        { ETHERTYPE_IPV6, &ip6_protocol }, { ETHERTYPE_VLAN, &vlan_protocol },
        { 0x88a8, &vlan_protocol }, /* 802.1ad */
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type)
            return types[i].protocol;
    return NULL;
}

/* --- Ethernet ----------------------------------------------------------------------------------
 */

static const struct protocol *after_ether(const struct layer *layer, struct layer *next) {
    (void)next;
    return ether_next(get16(layer->bytes + 12));
}

/* tcpdump shows the addresses of what it does not know. */
static bool print_unknown(struct line *line, const struct layer *layer, uint32_t type) {
    char source[ADDRESS_TEXT_MAX], target[ADDRESS_TEXT_MAX];
    mac_format(layer->bytes + 6, 6, source);
    mac_format(layer->bytes, 6, target);
    if (type < TYPE_MIN)
        line_add(line, "%s > %s, 802.3, length %u", source, target, type);
    else
        line_add(line, "%s > %s, ethertype Unknown (0x%04x), length %u:", source, target, type,
                 layer->length);
    return false;
}

static bool print_ether(struct line *line, const struct layer *layer) {
    uint32_t type = get16(layer->bytes + 12);
    return ether_next(type) || print_unknown(line, layer, type);
}

static const struct packet_field ether_fields[] = {
    { "dst", 0, 6, PACKET_MAC },
    { "src", 6, 6, PACKET_MAC },
    { "type", 12, 2, PACKET_NUMBER },
    { 0 },
};

const struct protocol ether_protocol = {
    .name = "ether",
    .printed = "ether",
    .min = 14,
    .next = after_ether,
    .fields = ether_fields,
    .print = print_ether,
};

/* --- VLAN tags ---------------------------------------------------------------------------------
 */

static const struct protocol *after_vlan(const struct layer *layer, struct layer *next) {
    (void)next;
    return ether_next(get16(layer->bytes + 2));
}

/* tcpdump tells it with -e only. */
static bool print_vlan(struct line *line, const struct layer *layer) {
    uint32_t type = get16(layer->bytes + 2);
    const struct layer *ether = layer;
    while (ether && ether->protocol == &vlan_protocol)
        ether = layer_below(line, ether);
    line_add(line, "vlan %u, ", get16(layer->bytes) & 0xfff);
    return ether_next(type) || !ether || ether->protocol != &ether_protocol ||
           print_unknown(line, ether, type);
}

static const struct packet_field vlan_fields[] = {
    { "id", 0, 2, PACKET_NUMBER, .mask = 0xfff },
    { "dei", 0, 2, PACKET_BOOL, .shift = 12, .mask = 1 },
    { "prio", 0, 2, PACKET_NUMBER, .shift = 13 },
    { "type", 2, 2, PACKET_NUMBER },
    { 0 },
};

const struct protocol vlan_protocol = {
    .name = "vlan",
    .printed = "vlan",
    .min = 4,
    .next = after_vlan,
    .fields = vlan_fields,
    .print = print_vlan,
};

/* --- the cooked headers of "any" ---------------------------------------------------------------
 */

static const struct protocol *after_sll(const struct layer *layer, struct layer *next) {
    (void)next;
    return ether_next(get16(layer->bytes + 14));
}

static const struct protocol *after_sll2(const struct layer *layer, struct layer *next) {
    (void)next;
    return ether_next(get16(layer->bytes));
}

static const char *direction(uint32_t type) {
    static const char *const words[] = { "In", "B", "M", "P", "Out" };
    return type < sizeof words / sizeof *words ? words[type] : "?";
}

static bool print_sll2(struct line *line, const struct layer *layer) {
    const char *dev = line->context->dev;
    line_add(line, "%-5s %-3s ", *dev ? dev : "?", direction(layer->bytes[10]));
    return true;
}

static const char *sll_direction(const struct layer *layer, char *room, size_t size) {
    (void)room, (void)size;
    return direction(get16(layer->bytes));
}

static const char *sll2_direction(const struct layer *layer, char *room, size_t size) {
    (void)room, (void)size;
    return direction(layer->bytes[10]);
}

static bool has_mac(const struct layer *layer) {
    return get16(layer->bytes + 4) == 6;
}

static bool has_mac2(const struct layer *layer) {
    return layer->bytes[11] == 6;
}

static const struct packet_field sll_fields[] = {
    { "direction", .kind = PACKET_TEXT, .text = sll_direction },
    { "src", 6, 6, PACKET_MAC, .when = has_mac },
    { "type", 14, 2, PACKET_NUMBER },
    { 0 },
};

static const struct packet_field sll2_fields[] = {
    { "direction", .kind = PACKET_TEXT, .text = sll2_direction },
    { "ifindex", 4, 4, PACKET_NUMBER },
    { "src", 12, 6, PACKET_MAC, .when = has_mac2 },
    { "type", 0, 2, PACKET_NUMBER },
    { 0 },
};

const struct protocol sll_protocol = {
    .name = "sll",
    .printed = "sll",
    .min = 16,
    .next = after_sll,
    .fields = sll_fields,
};

const struct protocol sll2_protocol = {
    .name = "sll",
    .printed = "sll2",
    .min = 20,
    .next = after_sll2,
    .fields = sll2_fields,
    .print = print_sll2,
};

/* --- no header, or one of four bytes -----------------------------------------------------------
 */

static const struct protocol *of_version(const struct layer *next) {
    uint32_t version = next->caplen > 0 ? next->bytes[0] >> 4 : 0;
    return version == 4 ? &ip_protocol : version == 6 ? &ip6_protocol : NULL;
}

static const struct protocol *after_none(const struct layer *layer, struct layer *next) {
    (void)layer;
    return of_version(next);
}

const struct protocol raw_protocol = { .printed = "ip", .next = after_none };
const struct protocol null_protocol = { .printed = "null", .min = 4, .next = after_none };
