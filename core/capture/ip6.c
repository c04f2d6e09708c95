/* IPv6. */
#include "dissect.h"

static const struct packet_field fields[] = {
    { "src", 8, 16, PACKET_ADDRESS },
    { "dst", 24, 16, PACKET_ADDRESS },
    { 0 },
};

const struct protocol ip6_protocol = {
    .name = "ip6", .printed = "ip6", .min = 40, .fields = fields
};
