/* What a route, one of its ways, or a nexthop puts around packets. */
#pragma once

#include "reader.h"

extern const struct table route_encap_table, nexthop_encap_table;

/* Which type a message has: of routes and their ways, of nexthops. */
void adapt_route_encap(struct reader *r);
void adapt_nexthop_encap(struct reader *r);

#define ENCAP(attribute, table)                                                               \
    {                                                                                         \
        "encap", GROUP, .attr = attribute, .flags = POSITIONAL | UNTOLD, .word = "encap",     \
                        .of = &(table),                                                       \
                        .help = "what is put around packets: { \"ip\", id = …, dst = … }" \
    }
