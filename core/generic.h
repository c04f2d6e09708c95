/* Generic netlink: families of messages whose numbers the kernel gives out by name. */
#pragma once

#include "netlink.h"

/* As netlink_open, for requests of that family, whose number is nl->generic then. Errors: ENOENT:
   this kernel has no such family, or not its module. */
int netlink_open_generic(struct netlink *nl, int ns, const char *family,
                         struct netlink_buffer *buffer, struct error *err);
