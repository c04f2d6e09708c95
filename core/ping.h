/* ICMP and ICMPv6 echo requests to many targets at once, from inside a namespace.

   Nothing here waits. The caller opens an engine, adds targets, and then calls ping_step whenever
   one of ping_fds is readable (or in error) or ping_timeout has passed, until it returns 1.

   Probes are paced, so that thousands of targets overflow no queue. A reply counts if its
   identifier, sequence number, sender (unless a group was asked) and cookie - the first eight bytes
   of the payload, as far as it has them - are ours; several engines may work in one namespace. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "error.h"

enum { PING_COUNT_MAX = 1000000, PING_SIZE_MAX = 65507, PING_TTL_MAX = 255 };

struct ping_options {
    uint32_t count;  /* probes of each target: 1 to PING_COUNT_MAX */
    double interval; /* seconds between two probes of one target: 0 to 3600 */
    double timeout;  /* seconds to wait for each reply: more than 0, up to 3600 */
    uint32_t size;   /* bytes of payload: 0 to PING_SIZE_MAX */
    int ttl;         /* 1 to PING_TTL_MAX; 0: the namespace's default */
    uint32_t burst;  /* probes to send before a pause of a millisecond, unless all are answered by
                        then: at least 1; 0: as many as surely fit into a queue */
    const char *source; /* the address to send from; NULL: the kernel chooses */
};

/* Why a probe got no reply. */
enum ping_reason {
    PING_ANSWERED,
    PING_TIMEOUT,         /* nothing came back */
    PING_UNREACHABLE,     /* an ICMP error said so */
    PING_TTL_EXCEEDED,    /* an ICMP error said so */
    PING_TOO_LONG,        /* an ICMP error said so, or our own kernel */
    PING_NO_ROUTE,        /* our own kernel knows no way */
    PING_NOT_PERMITTED,   /* our own firewall, or a "prohibit" route */
    PING_NEIGHBOURS_FULL, /* the machine's neighbour table has no room (gc_thresh3); also instead of
                             a timeout or "host unreachable" while it overflowed */
    PING_QUEUE_FULL,      /* the queue on our side stayed full */
    PING_NOT_SENT,        /* anything else that kept our kernel from sending */
};

struct ping_result {
    uint32_t transmitted, received, duplicates;
    double loss;                 /* percent */
    double min, avg, max, mdev;  /* milliseconds; 0 if nothing was received */
    int ttl;                     /* of the last reply; -1 if unknown */
    enum ping_reason reason;     /* of the last loss, where "timeout" yields to any other */
    char message[200];           /* the same as a sentence; "" if all were answered */
    char from[ADDRESS_TEXT_MAX]; /* who sent the ICMP error; "" if nobody did */
};

struct ping;

/* NULL on error. `ns` (-1: the one we are in) stays the caller's and is needed no longer. Errors:
   EINVAL for an option out of its range, with its key. */
struct ping *ping_open(int ns, const struct ping_options *options, struct error *err);

/* Adds a target, before the first step: "10.0.0.1", "2001:db8::1", "fe80::1%veth0"; the same one
   may be added twice. The first of each family opens a socket. Errors: EINVAL (with what would be
   valid), ENODEV for the interface, EPERM with a hint, EADDRNOTAVAIL for the source. */
int ping_add(struct ping *ping, const char *target, struct error *err);

/* Takes what has come, gives up what is overdue, sends what is due. 1 once every probe is answered,
   refused or given up, else 0; -1 with ENOMEM. */
int ping_step(struct ping *ping, struct error *err);

/* Whether every probe has been sent. */
bool ping_all_sent(const struct ping *ping);

/* Seconds until the next step is due even if nothing comes; 0 once all is done. */
double ping_timeout(const struct ping *ping);

/* The descriptors to poll for input; returns how many. They stay the engine's. */
size_t ping_fds(const struct ping *ping, int fds[2]);

/* Fills the result of the target that was added as number index (from 0), complete or so far. */
int ping_result(const struct ping *ping, size_t index, struct ping_result *out, struct error *err);

/* Begins anew with the sockets that it has: without targets, and with another timeout (seconds,
   more than 0). Whatever still comes for the old ones counts for none of the new ones. */
int ping_again(struct ping *ping, double timeout, struct error *err);

/* The neighbour table of one family (AF_INET or AF_INET6): one for the whole machine. */
struct ping_table {
    int64_t overflows; /* how often it had no room for an entry */
    uint32_t entries;  /* that are in it, permanent ones included */
    uint32_t limit;    /* how many may be: gc_thresh3 of the initial namespace */
};
int ping_read_table(struct ping *ping, int family, struct ping_table *out, struct error *err);

/* The first notes which neighbours the namespace has; the second deletes those that came since then
   by themselves - not what was configured - and returns how many; all of them without the first. */
int ping_remember(struct ping *ping, struct error *err);
int ping_forget(struct ping *ping, struct error *err);

/* "no route" for PING_NO_ROUTE, …; NULL for PING_ANSWERED. */
const char *ping_reason_name(enum ping_reason reason);

/* Frees everything; NULL is fine. */
void ping_close(struct ping *ping);

/* Round-trip times without keeping each of them; zero to begin with. */
struct ping_stats {
    uint32_t count;
    double min, max, mean;
    double squares; /* sum of the squared distances from the mean */
};

void ping_stats_add(struct ping_stats *stats, double value);

/* The standard deviation of the whole series, as iputils calls mdev; 0 for an empty one. */
double ping_stats_mdev(const struct ping_stats *stats);
