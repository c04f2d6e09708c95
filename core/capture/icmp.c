/* ICMP. */
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>

#include "../address.h"
#include "dissect.h"
#include "inet.h"

enum { QUOTE = 8 }; /* where the packet begins that an error is about */

static bool is_echo(const struct layer *layer) {
    return layer->bytes[0] == ICMP_ECHO || layer->bytes[0] == ICMP_ECHOREPLY;
}

static bool is_error(const struct layer *layer) {
    switch (layer->bytes[0]) {
    case ICMP_DEST_UNREACH:
    case ICMP_SOURCE_QUENCH:
    case ICMP_REDIRECT:
    case ICMP_TIME_EXCEEDED:
    case ICMP_PARAMETERPROB:
        return true;
    }
    return false;
}

static bool is_redirect(const struct layer *layer) {
    return layer->bytes[0] == ICMP_REDIRECT;
}

static bool is_too_big(const struct layer *layer) {
    return layer->bytes[0] == ICMP_DEST_UNREACH && layer->bytes[1] == ICMP_FRAG_NEEDED;
}

static const struct protocol *next(const struct layer *layer, struct layer *next) {
    next->inside = true;
    return is_error(layer) ? &ip_protocol : NULL;
}

static const struct packet_field fields[] = {
    { "type", 0, 1, PACKET_NUMBER },
    { "code", 1, 1, PACKET_NUMBER },
    { "id", 4, 2, PACKET_NUMBER, .when = is_echo },
    { "seq", 6, 2, PACKET_NUMBER, .when = is_echo },
    { "gateway", 4, 4, PACKET_ADDRESS, .when = is_redirect },
    { "mtu", 6, 2, PACKET_NUMBER, .when = is_too_big },
    { 0 },
};

/* --- the line ----------------------------------------------------------------------------------
 */

/* By code; "%s" is the address that could not be reached. */
static const char *const unreachable[] = {
    [ICMP_NET_UNREACH] = "net %s unreachable",
    [ICMP_HOST_UNREACH] = "host %s unreachable",
    [ICMP_SR_FAILED] = "%s unreachable - source route failed",
    [ICMP_NET_UNKNOWN] = "net %s unreachable - unknown",
    [ICMP_HOST_UNKNOWN] = "host %s unreachable - unknown",
    [ICMP_HOST_ISOLATED] = "%s unreachable - source host isolated",
    [ICMP_NET_ANO] = "net %s unreachable - admin prohibited",
    [ICMP_HOST_ANO] = "host %s unreachable - admin prohibited",
    [ICMP_NET_UNR_TOS] = "net %s unreachable - tos prohibited",
    [ICMP_HOST_UNR_TOS] = "host %s unreachable - tos prohibited",
    [ICMP_PKT_FILTERED] = "host %s unreachable - admin prohibited filter",
    [ICMP_PREC_VIOLATION] = "host %s unreachable - host precedence violation",
    [ICMP_PREC_CUTOFF] = "host %s unreachable - precedence cutoff",
};

/* The layer of the packet that it quotes; NULL if that is not here. */
static const struct layer *quoted(const struct line *line, const struct layer *layer) {
    const struct layer *end = line->packet->layers + line->packet->count;
    return layer + 1 < end && !layer[1].cut ? layer + 1 : NULL;
}

static void print_port(struct line *line, const struct layer *ip, const char *target) {
    uint32_t protocol = ip->bytes[9];
    if (ip->caplen < ip->header + 4)
        return line_add(line, "[|icmp]");
    uint32_t port = get16(ip->bytes + ip->header + 2);
    if (inet_has_ports(protocol))
        line_add(line, "%s %s port %u unreachable", target, protocol == IPPROTO_TCP ? "tcp" : "udp",
                 port);
    else
        line_add(line, "%s protocol %u port %u unreachable", target, protocol, port);
}

static void print_unreachable(struct line *line, const struct layer *layer, const struct layer *ip,
                              const char *target) {
    uint32_t code = layer->bytes[1], mtu = get16(layer->bytes + 6);
    if (code == ICMP_PORT_UNREACH)
        print_port(line, ip, target);
    else if (code == ICMP_PROT_UNREACH)
        line_add(line, "%s protocol %u unreachable", target, ip->bytes[9]);
    else if (code == ICMP_FRAG_NEEDED && mtu)
        line_add(line, "%s unreachable - need to frag (mtu %u)", target, mtu);
    else if (code == ICMP_FRAG_NEEDED)
        line_add(line, "%s unreachable - need to frag", target);
    else if (code < sizeof unreachable / sizeof *unreachable && unreachable[code])
        line_add(line, unreachable[code], target);
    else
        line_add(line, "%s unreachable - #%u", target, code);
}

static void print_redirect(struct line *line, const struct layer *layer, const char *target) {
    static const char *const words[] = { "redirect %s to net %s", "redirect %s to host %s",
                                         "redirect-tos %s to net %s",
                                         "redirect-tos %s to host %s" };
    char gateway[ADDRESS_TEXT_MAX];
    uint32_t code = layer->bytes[1];
    address_format(AF_INET, layer->bytes + 4, gateway);
    if (code < sizeof words / sizeof *words)
        line_add(line, words[code], target, gateway);
    else
        line_add(line, "redirect-#%u %s to %s", code, target, gateway);
}

static void print_error(struct line *line, const struct layer *layer) {
    char target[ADDRESS_TEXT_MAX];
    const struct layer *ip = quoted(line, layer);
    uint32_t type = layer->bytes[0], code = layer->bytes[1];
    if (ip)
        address_format(AF_INET, ip->bytes + 16, target);
    if (type == ICMP_TIME_EXCEEDED && code <= 1)
        line_add(line, "%s", code ? "ip reassembly time exceeded" : "time exceeded in-transit");
    else if (type == ICMP_TIME_EXCEEDED)
        line_add(line, "time exceeded-#%u", code);
    else if (type == ICMP_PARAMETERPROB && code)
        line_add(line, "parameter problem - code %u", code);
    else if (type == ICMP_PARAMETERPROB)
        line_add(line, "parameter problem - octet %u", layer->bytes[4]);
    else if (type == ICMP_SOURCE_QUENCH)
        line_add(line, "source quench");
    else if (!ip)
        line_add(line, "[|icmp]");
    else if (type == ICMP_REDIRECT)
        print_redirect(line, layer, target);
    else
        print_unreachable(line, layer, ip, target);
}

static bool print(struct line *line, const struct layer *layer) {
    line_add(line, "ICMP ");
    if (is_echo(layer))
        line_add(line, "echo %s, id %u, seq %u", layer->bytes[0] == ICMP_ECHO ? "request" : "reply",
                 get16(layer->bytes + 4), get16(layer->bytes + 6));
    else if (is_error(layer))
        print_error(line, layer);
    else
        line_add(line, "type-#%u", layer->bytes[0]);
    line_add(line, ", length %u", layer->length);
    return false;
}

const struct protocol icmp_protocol = {
    .name = "icmp", .printed = "icmp", .min = QUOTE, .next = next, .fields = fields, .print = print
};
