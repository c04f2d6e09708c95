/* Whether what was made is ready for the first packet: an ACK says only that it was accepted. For
   single links and addresses whose names are known; settle.h looks at all that there is. */
#pragma once

#include <stdbool.h>

#include "netlink.h"

/* Whether the interface of that name (at most 15 bytes) is there and its operstate is "up": not
   "unknown", which it is before the kernel's link watch has looked at it for the first time. Since
   Linux 6.8 to ask settles it (rtnl_getlink, linkwatch_sync_dev). */
bool ready_link(struct netlink *nl, const char *name);

/* Whether neighbours can find an address of IPv6: its solicited-node group is joined, which the
   kernel leaves to a work queue (addrconf_dad_begin in net/ipv6/addrconf.c), also without duplicate
   address detection. */
bool ready_address(struct netlink *nl, const unsigned char address[16]);
