/* rtnetlink: requests, batches, dumps, and what the kernel says of them.

   One socket per namespace, opened inside it: so an interface's name or index always means the same
   namespace, and no request moves a device. Not for use by two threads at once. */
#pragma once

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "interfaces.h"

/* Where the kernel says a request was wrong (NETLINK_EXT_ACK); 0 where it says nothing. */
struct refusal {
    uint32_t offset;       /* of the bad attribute, from the start of the request */
    uint32_t missing;      /* type of a missing attribute (since 6.1) */
    uint32_t missing_nest; /* offset of the nest that misses it */
};

/* Where answers are received. A thousand sockets can share one: it holds those of the request that
   is under way, and what netlink_get or netlink_next returned last. */
struct netlink_buffer {
    char *bytes;
    size_t size;
    size_t position, filled; /* the part of it that is not read yet */
};

/* Interfaces by the order of their mention, for requests that are only written, never sent: their
   indices (1, 2, …) stand for names that need not exist. */
struct netlink_names {
    int count;
    char name[8][128];
};

/* The interface that was looked up last, while requests are written that are sent together: nothing
   of ours comes between them. */
struct netlink_seen {
    char name[16];
    int index; /* 0: none */
};

struct netlink {
    int fd;                      /* -1 while closed */
    struct netlink_names *names; /* NULL, or where names are looked up in place of the kernel */
    struct interfaces *known;    /* NULL, or names that the kernel need not be asked for */
    struct netlink_seen *seen;   /* NULL, or what netlink_index need not ask for again */
    uint32_t port, seq;
    uint16_t generic; /* of a family of generic netlink: its number */
    struct netlink_buffer *buffer;
    bool counts;            /* who asked last for links wants their counters as well */
    bool dumping;           /* the end of a dump was not read yet */
    bool inconsistent;      /* a part of this dump had NLM_F_DUMP_INTR */
    struct refusal refusal; /* of the last request that failed */
};

/* Opens a socket in namespace ns (-1: the caller's own). The buffer begins as { 0 }; its bytes are
   the caller's to free. */
int netlink_open(struct netlink *nl, int ns, struct netlink_buffer *buffer, struct error *err);

/* The same with a netlink socket that is open; it is closed if this fails. */
int netlink_adopt(struct netlink *nl, int fd, struct netlink_buffer *buffer, struct error *err);

/* The same for another family of netlink(7) than NETLINK_ROUTE. */
int netlink_open_family(struct netlink *nl, int ns, int family, struct netlink_buffer *buffer,
                        struct error *err);

/* Idempotent. */
void netlink_close(struct netlink *nl);

/* Sends one request and waits for its ACK. The request's sequence, port and NLM_F_ACK are set here.
   Errors: the kernel's errno with its own sentence if it gives one; nl->refusal says where. */
int netlink_change(struct netlink *nl, struct nlmsghdr *request, struct error *err);

/* Sends one request that is answered by one message, which is valid until the next call. */
int netlink_get(struct netlink *nl, struct nlmsghdr *request, struct nlmsghdr **reply,
                struct error *err);

/* Starts a dump. Read it with netlink_next: 1 and a message (valid until the next call), 0 at the
   end, -1 on failure. EAGAIN means that the kernel's table changed meanwhile, or that a message was
   larger than the buffer, which has grown now: discard what was read and start again, at most
   NETLINK_TRIES times. A dump may be abandoned: the next request throws away what is left of it. */
int netlink_dump(struct netlink *nl, struct nlmsghdr *request, struct error *err);
int netlink_next(struct netlink *nl, struct nlmsghdr **message, struct error *err);

enum { NETLINK_TRIES = 16 }; /* how often a dump is begun before EAGAIN is an error */

/* Sends count messages that stand one behind the other, in chunks that the socket's buffers hold,
   and waits for all of them. Each that fails is told to refused(arg, index, err), and the rest goes
   on: a batch is no transaction. Returns how many failed, or -1 if the socket itself did. */
int netlink_batch(struct netlink *nl, void *messages, size_t count,
                  void (*refused)(void *arg, size_t index, const struct error *err), void *arg,
                  struct error *err);

/* The index of an interface by name or alternative name in the socket's namespace.
   Errors: ENODEV `there is no interface "x"`. */
int netlink_index(struct netlink *nl, const char *name, struct error *err);

/* Its name, or NULL if the index is unknown there. */
const char *netlink_name(const struct netlink *nl, int index, char name[16]);

/* Whether it is a bridge; false if that cannot be told. */
bool netlink_is_bridge(const struct netlink *nl, int index);
