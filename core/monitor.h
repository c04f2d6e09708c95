/* Events: what the kernel tells of changes in a namespace, or in all that have an id there. Nothing
   here waits. */
#pragma once

#include <libmnl/libmnl.h>
#include <stdbool.h>

#include "error.h"
#include "netlink.h"
#include "schema/schema.h"

enum { MONITOR_HERE = -1 }; /* in place of an id: the socket's own namespace */

struct monitor {
    int fd; /* -1 while closed */
    struct netlink_buffer buffer;
    int nsid; /* of the namespace that the message is about, or MONITOR_HERE */
};

/* Opens a socket in namespace ns (-1: the caller's own), which hears nothing yet. all: also what
   happens in the namespaces that have an id there, which needs CAP_NET_BROADCAST. room: bytes that
   the kernel holds until they are read, more or less; an ordinary user gets no more than
   net.core.rmem_max. */
int monitor_open(struct monitor *m, int ns, bool all, int room, struct error *err);

/* Hears what happens to an object from now on. Errors: EINVAL if this kernel tells nothing of it.
 */
int monitor_join(struct monitor *m, const struct object *object, struct error *err);

/* The next message that is there: 1, and it is valid until the next call; 0 if there is none now;
   -1 on failure. ENOBUFS: more came than there was room for, and some of it is lost. */
int monitor_next(struct monitor *m, struct nlmsghdr **message, struct error *err);

/* Throws away all that is there: what a dump tells anew. */
void monitor_drop(struct monitor *m);

/* Idempotent. */
void monitor_close(struct monitor *m);

/* The object that a message tells of, and whether it is one that is gone; NULL if it is none of
   those that can be heard of. */
const struct object *monitor_object(const struct nlmsghdr *nlh, bool *gone);
