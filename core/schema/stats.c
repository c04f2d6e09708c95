/* What went through a link: struct rtnl_link_stats64 (linux/if_link.h), as `ip -j -s link` tells
 * it. */
#include <linux/if_link.h>

#include "tables.h"

#define COUNTER(name_, member)                                                       \
    {                                                                                \
        name_, NUMBER, U64, .attr = IFLA_STATS64, HEADER(rtnl_link_stats64, member), \
                            .flags = READ_ONLY                                       \
    }

static const struct field rx_fields[] = {
    COUNTER("bytes", rx_bytes),
    COUNTER("packets", rx_packets),
    COUNTER("errors", rx_errors),
    COUNTER("dropped", rx_dropped),
    COUNTER("over_errors", rx_over_errors),
    COUNTER("multicast", multicast),
    { 0 },
};

static const struct field tx_fields[] = {
    COUNTER("bytes", tx_bytes),
    COUNTER("packets", tx_packets),
    COUNTER("errors", tx_errors),
    COUNTER("dropped", tx_dropped),
    COUNTER("carrier_errors", tx_carrier_errors),
    COUNTER("collisions", collisions),
    { 0 },
};

static const struct table rx_table = { .name = "rx", .fields = rx_fields };
static const struct table tx_table = { .name = "tx", .fields = tx_fields };

static const struct field fields[] = {
    { "rx", GROUP, .attr = IFLA_STATS64, .flags = READ_ONLY, .of = &rx_table },
    { "tx", GROUP, .attr = IFLA_STATS64, .flags = READ_ONLY, .of = &tx_table },
    { 0 },
};

const struct table stats_table = { .name = "stats64", .fields = fields };
