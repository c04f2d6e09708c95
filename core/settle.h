/* An ACK is not readiness: links that are not yet what they have been told to be.

   When a link gets its carrier, netif_carrier_on only queues an event. Until the work for it has
   run, the link may drop what it shall send, and its bridge does not forward to it. That work
   (linkwatch_do_dev in net/core/link_watch.c) does three things under one RTNL lock: it sets
   IFLA_OPERSTATE (rfc2863_policy), starts the queue (dev_activate), and tells the bridge, whose own
   carrier follows. The kernel answers what it is asked under the same lock, so of a link that is up

   - a carrier, but an operstate of UNKNOWN, DOWN or LOWERLAYERDOWN: the work is to come. (Links
     that had their carrier from birth get no event, and stay UNKNOWN.)
   - a carrier, and UP: ready if it is the first carrier, else the word may be older than it.
   - no carrier, but UP or UNKNOWN: the work is to come, but no queue depends on it.

   The work runs at once if it is urgent (linkwatch_urgent_event): if IFLA_LINK is another index
   than the link's own, or there is a carrier and a queue that stands. What is not, and what exceeds
   200 urgent links, has its turn once a second, 100 links at a time. Since Linux 6.8 nobody has to
   wait: a link that is asked for alone, not in a dump, is settled first (linkwatch_sync_dev in
   rtnl_getlink). Before, an UP that is older than the carrier cannot be told: a pair of which both
   ends go down and up again before the work runs. */
#pragma once

#include <stddef.h>

#include "error.h"
#include "netlink.h"

/* How many links are not settled. */
struct unsettled {
    size_t pending;  /* urgent, and may drop everything */
    size_t doubtful; /* may drop everything, in which case they are urgent */
    size_t late;     /* work as they should; only their operstate is an older one */
};

/* Looks at the links of nl's namespace; at the peers of those that cross into another one, which
   the same change may have given a carrier; and at those peers' bridges. Has the kernel settle them
   where it can, and counts what is left. What is not there any more, or in a namespace that we may
   not ask, does not count. */
int settle_links(struct netlink *nl, struct unsettled *left, struct error *err);
