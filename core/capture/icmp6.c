/* ICMPv6 with neighbour discovery. */
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdio.h>

#include "../address.h"
#include "dissect.h"
#include "inet.h"

enum { MLD2_REPORT = 143 };

static uint8_t type_of(const struct layer *layer) {
    return layer->bytes[0];
}

static bool is_echo(const struct layer *layer) {
    return type_of(layer) == ICMP6_ECHO_REQUEST || type_of(layer) == ICMP6_ECHO_REPLY;
}

static bool has_target(const struct layer *layer) {
    return type_of(layer) >= ND_NEIGHBOR_SOLICIT && type_of(layer) <= ND_REDIRECT;
}

static bool is_too_big(const struct layer *layer) {
    return type_of(layer) == ICMP6_PACKET_TOO_BIG;
}

static bool is_error(const struct layer *layer) {
    return type_of(layer) >= ICMP6_DST_UNREACH && type_of(layer) <= ICMP6_PARAM_PROB;
}

static const struct protocol *next(const struct layer *layer, struct layer *next) {
    next->inside = true;
    return is_error(layer) ? &ip6_protocol : NULL;
}

/* The link-layer address among the options of neighbour discovery: the sender's or the target's. */
static const char *find_mac(const struct layer *layer, char *room, size_t size) {
    uint32_t at = has_target(layer) ? 24 : type_of(layer) == ND_ROUTER_ADVERT ? 16 : 8;
    (void)size;
    if (type_of(layer) < ND_ROUTER_SOLICIT || type_of(layer) > ND_NEIGHBOR_ADVERT)
        return NULL;
    while (at + 8 <= layer->caplen && layer->bytes[at + 1] > 0) {
        uint8_t kind = layer->bytes[at];
        if (kind == ND_OPT_SOURCE_LINKADDR || kind == ND_OPT_TARGET_LINKADDR)
            return mac_format(layer->bytes + at + 2, 6, room);
        at += layer->bytes[at + 1] * 8u;
    }
    return NULL;
}

static const struct packet_field fields[] = {
    { "type", 0, 1, PACKET_NUMBER },
    { "code", 1, 1, PACKET_NUMBER },
    { "id", 4, 2, PACKET_NUMBER, .when = is_echo },
    { "seq", 6, 2, PACKET_NUMBER, .when = is_echo },
    { "mtu", 4, 4, PACKET_NUMBER, .when = is_too_big },
    { "target", 8, 16, PACKET_ADDRESS, .when = has_target },
    { "mac", .kind = PACKET_TEXT, .text = find_mac },
    { 0 },
};

/* --- the line ----------------------------------------------------------------------------------
 */

/* An address of the packet that an error quotes; NULL if that is not here. */
static const char *quoted(const struct line *line, const struct layer *layer, size_t at,
                          char *room) {
    const struct layer *end = line->packet->layers + line->packet->count;
    if (layer + 1 >= end || layer[1].cut)
        return NULL;
    return address_format(AF_INET6, layer[1].bytes + at, room);
}

static bool is_cut(struct line *line) {
    line_add(line, " [|icmp6]");
    return false;
}

static bool print_port(struct line *line, const struct layer *ip, const char *target) {
    uint32_t protocol = ip->bytes[6];
    if (ip->caplen < ip->header + 4)
        return is_cut(line);
    uint32_t port = get16(ip->bytes + ip->header + 2);
    if (inet_has_ports(protocol))
        line_add(line, ", %s %s port %u", target, protocol == IPPROTO_TCP ? "tcp" : "udp", port);
    else
        line_add(line, ", %s protocol %u port %u unreachable", target, protocol, port);
    return true;
}

static bool print_unreachable(struct line *line, const struct layer *layer) {
    static const char *const codes[] = { "unreachable route", "unreachable prohibited",
                                         "beyond scope", "unreachable address",
                                         "unreachable port" };
    char room[ADDRESS_TEXT_MAX];
    const char *target = quoted(line, layer, 24, room);
    uint32_t code = layer->bytes[1];
    if (code >= sizeof codes / sizeof *codes) {
        line_add(line, ", unknown unreach code (%u)", code);
        return false;
    }
    line_add(line, ", %s", codes[code]);
    if (!target)
        return is_cut(line);
    if (code == ICMP6_DST_UNREACH_NOPORT)
        return print_port(line, layer + 1, target);
    line_add(line, " %s", target);
    if (code == ICMP6_DST_UNREACH_BEYONDSCOPE)
        line_add(line, ", source address %s", quoted(line, layer, 8, room));
    return true;
}

static bool print_too_big(struct line *line, const struct layer *layer) {
    line_add(line, ", mtu %u", get32(layer->bytes + 4));
    return true;
}

static bool print_exceeded(struct line *line, const struct layer *layer) {
    char room[ADDRESS_TEXT_MAX];
    const char *target = quoted(line, layer, 24, room);
    uint32_t code = layer->bytes[1];
    if (code == ICMP6_TIME_EXCEED_TRANSIT && !target)
        return is_cut(line);
    if (code == ICMP6_TIME_EXCEED_TRANSIT)
        line_add(line, " for %s", target);
    else if (code == ICMP6_TIME_EXCEED_REASSEMBLY)
        line_add(line, " (reassembly)");
    else
        line_add(line, ", unknown code (%u)", code);
    return true;
}

static bool print_problem(struct line *line, const struct layer *layer) {
    static const char *const codes[] = { "erroneous", "next header", "option",
                                         "incomplete header chain" };
    uint32_t code = layer->bytes[1];
    if (code < sizeof codes / sizeof *codes)
        line_add(line, ", %s - octet %u", codes[code], get32(layer->bytes + 4));
    else
        line_add(line, ", code-#%u", code);
    return true;
}

static bool print_echo(struct line *line, const struct layer *layer) {
    line_add(line, ", id %u, seq %u", get16(layer->bytes + 4), get16(layer->bytes + 6));
    return true;
}

static bool print_target(struct line *line, const struct layer *layer) {
    char room[ADDRESS_TEXT_MAX];
    if (layer->caplen < 24)
        return is_cut(line);
    line_add(line, ", %s %s", type_of(layer) == ND_NEIGHBOR_SOLICIT ? "who has" : "tgt is",
             address_format(AF_INET6, layer->bytes + 8, room));
    return true;
}

static bool print_report(struct line *line, const struct layer *layer) {
    line_add(line, ", %u group record(s)", get16(layer->bytes + 6));
    return true;
}

/* Those that are printed tell whether the length follows. */
static const struct {
    uint8_t type;
    const char *name;
    bool (*print)(struct line *line, const struct layer *layer);
} types[] = {
    { ICMP6_DST_UNREACH, "destination unreachable", print_unreachable },
    { ICMP6_PACKET_TOO_BIG, "packet too big", print_too_big },
    { ICMP6_TIME_EXCEEDED, "time exceeded in-transit", print_exceeded },
    { ICMP6_PARAM_PROB, "parameter problem", print_problem },
    { ICMP6_ECHO_REQUEST, "echo request", print_echo },
    { ICMP6_ECHO_REPLY, "echo reply", print_echo },
    { ND_ROUTER_SOLICIT, "router solicitation", NULL },
    { ND_ROUTER_ADVERT, "router advertisement", NULL },
    { ND_NEIGHBOR_SOLICIT, "neighbor solicitation", print_target },
    { ND_NEIGHBOR_ADVERT, "neighbor advertisement", print_target },
    { MLD2_REPORT, "multicast listener report v2", print_report },
};

static bool print_type(struct line *line, const struct layer *layer) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type_of(layer)) {
            line_add(line, "%s", types[i].name);
            return !types[i].print || types[i].print(line, layer);
        }
    line_add(line, "unknown icmp6 type (%u)", type_of(layer));
    return true;
}

static bool print(struct line *line, const struct layer *layer) {
    line_add(line, "ICMP6, ");
    if (print_type(line, layer))
        line_add(line, ", length %u", layer->length);
    return false;
}

const struct protocol icmp6_protocol = {
    .name = "icmp6", .printed = "icmp6", .min = 8, .next = next, .fields = fields, .print = print
};
