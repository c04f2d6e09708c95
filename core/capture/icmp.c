/* ICMP. */
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>

#include "../address.h"
#include "dissect.h"

static bool is_echo(const struct layer *layer) {
    return layer->bytes[0] == ICMP_ECHO || layer->bytes[0] == ICMP_ECHOREPLY;
}

static const struct packet_field fields[] = {
    { "type", 0, 1, PACKET_NUMBER },
    { "code", 1, 1, PACKET_NUMBER },
    { "id", 4, 2, PACKET_NUMBER, .when = is_echo },
    { "seq", 6, 2, PACKET_NUMBER, .when = is_echo },
    { 0 },
};

static bool print(struct line *line, const struct layer *layer) {
    if (is_echo(layer))
        line_add(line, "ICMP echo %s, id %u, seq %u, length %u",
                 layer->bytes[0] == ICMP_ECHO ? "request" : "reply", get16(layer->bytes + 4),
                 get16(layer->bytes + 6), layer->length);
    else
        line_add(line, "ICMP type-#%u, length %u", layer->bytes[0], layer->length);
    return false;
}

const struct protocol icmp_protocol = {
    .name = "icmp", .printed = "icmp", .min = 8, .fields = fields, .print = print
};
