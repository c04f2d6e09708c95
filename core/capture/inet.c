#include "inet.h"

#include <netinet/in.h>
#include <stdio.h>

#include "../address.h"

extern const struct protocol hop_by_hop_protocol, destination_protocol, fragment_protocol;

static const struct known {
    uint32_t number;
    const char *name; /* as pcap-filter(7) has it */
    const struct protocol *ip, *ip6;
    bool ports;
} protocols[] = {
    { IPPROTO_ICMP, "icmp", .ip = &icmp_protocol },
    { IPPROTO_IGMP, "igmp" },
    { IPPROTO_TCP, "tcp", &tcp_protocol, &tcp_protocol, true },
    { IPPROTO_UDP, "udp", &udp_protocol, &udp_protocol, true },
    { IPPROTO_ICMPV6, "icmp6", .ip6 = &icmp6_protocol },
    { IPPROTO_HOPOPTS, "hopopts", .ip6 = &hop_by_hop_protocol },
    { IPPROTO_DSTOPTS, "dstopts", .ip6 = &destination_protocol },
    { IPPROTO_FRAGMENT, "frag", .ip6 = &fragment_protocol },
};

static const struct known *find(uint32_t number) {
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (protocols[i].number == number)
            return &protocols[i];
    return NULL;
}

const struct protocol *inet_next(uint32_t number, int family) {
    const struct known *known = find(number);
    return !known ? NULL : family == AF_INET ? known->ip : known->ip6;
}

const char *inet_protocol_name(uint32_t number, char *room, size_t size) {
    const struct known *known = find(number);
    snprintf(room, size, "%u", number);
    return known ? known->name : room;
}

bool inet_has_ports(uint32_t number) {
    const struct known *known = find(number);
    return known && known->ports;
}

bool inet_print_unknown(struct line *line, const struct layer *layer, uint32_t number) {
    line_add(line, "ip-proto-%u %u", number,
             layer->length > layer->header ? layer->length - layer->header : 0);
    return false;
}

/* ".80", or nothing if the port is not here. */
static const char *port_text(const struct layer *layer, uint32_t at, char room[static 8]) {
    *room = '\0';
    if (layer->caplen >= 4)
        snprintf(room, 8, ".%u", get16(layer->bytes + at));
    return room;
}

/* Behind another header of IPv6 stand the addresses already. */
void inet_print_ports(struct line *line, const struct layer *layer) {
    char source[ADDRESS_TEXT_MAX], target[ADDRESS_TEXT_MAX], sport[8], dport[8];
    const struct layer *ip = layer_below(line, layer);
    bool four = ip && ip->protocol == &ip_protocol;
    port_text(layer, 0, sport);
    port_text(layer, 2, dport);
    if (!four && !(ip && ip->protocol == &ip6_protocol)) {
        if (*sport)
            line_add(line, "%s > %s: ", sport + 1, dport + 1);
        return;
    }
    int family = four ? AF_INET : AF_INET6;
    const uint8_t *addresses = ip->bytes + (four ? 12 : 8);
    address_format(family, addresses, source);
    address_format(family, addresses + address_size(family), target);
    line_add(line, "%s%s > %s%s: ", source, sport, target, dport);
}
