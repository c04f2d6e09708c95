#include "inet.h"

#include <netinet/in.h>
#include <stdio.h>

#include "../address.h"

static const struct known {
    uint32_t number;
    const char *name;
    const struct protocol *ip, *ip6;
    bool ports;
} protocols[] = {
    { IPPROTO_ICMP, "icmp", &icmp_protocol, NULL },
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

bool inet_print_unknown(struct line *line, const struct layer *ip, uint32_t number) {
    line_add(line, "ip-proto-%u %u", number, ip->length > ip->header ? ip->length - ip->header : 0);
    return false;
}
