/* What the parts of the ping engine share: ping.c (targets, schedule, results), ping_socket.c,
   ping_send.c, ping_receive.c, ping_error.c, ping_neighbours.c. Times are nanoseconds of
   CLOCK_MONOTONIC. */
#pragma once

#include "endpoint.h"
#include "netlink.h"
#include "ping.h"

#define NANOSECONDS 1000000000LL

enum { ECHO_HEADER = 8, COOKIE = 8 };

/* What is left to say about a probe that was lost. */
struct failure {
    enum ping_reason reason;
    int code;              /* errno, if our own kernel refused */
    uint8_t type, subtype; /* of the ICMP error */
    uint32_t mtu;          /* that it names, 0 if none */
    union endpoint from;   /* its sender; family 0 if there was none */
};

struct target {
    union endpoint address;
    bool group;     /* any host may answer: broadcast, multicast, the unspecified address */
    bool broadcast; /* the kernel wants SO_BROADCAST for it */
    int ttl;        /* of the last reply, -1 */
    uint32_t transmitted, duplicates;
    int64_t due; /* when the next probe may go out */
    struct ping_stats times;
    struct failure failure;
};

enum probe_state { PROBE_NONE, PROBE_WAITING, PROBE_ANSWERED, PROBE_LOST };

struct probe {
    int64_t sent;
    uint32_t target;
    uint16_t sequence;
    uint8_t state; /* enum probe_state */
};

struct echo_socket {
    int fd;            /* -1 until the first target of its family */
    bool raw;          /* else a ping socket: the kernel fills in identifier and checksum */
    uint16_t id;       /* in network order */
    int64_t overflows; /* of the neighbour table to begin with; -1 if unknown */
    bool overflowed; /* there were more meanwhile; known, if something was lost, once all is done */
};

/* Entries of the neighbour tables, sorted once they are all there. */
struct neighbours {
    struct neighbour *entries;
    size_t count, room;
};

struct ping {
    int ns;                 /* -1: the one we are in */
    struct netlink netlink; /* opened when it is needed */
    struct neighbours kept; /* by ping_forget */
    struct echo_socket v4, v6;
    union endpoint source; /* family 0: none */
    uint32_t count, size;
    int ttl;
    int64_t interval, timeout;

    struct target *targets;
    size_t target_count, target_room;

    /* Probes are numbered in the order in which they are sent, over all targets; the low bits index
       the ring, the low sixteen are the sequence number. Before `head` none is waiting. */
    struct probe *ring;
    uint32_t ring_size; /* a power of two, at most 65536 */
    uint64_t head, tail;

    uint32_t round; /* how many probes every target has had; targets before `cursor` one more */
    size_t cursor;
    int64_t pace;    /* nothing is sent before */
    int64_t blocked; /* since when the kernel takes nothing more; 0: it does */
    unsigned burst;  /* probes to send before a pause */

    uint8_t *payload;     /* size bytes; begins with the cookie */
    uint32_t payload_sum; /* not folded yet */
};

int64_t ping_now(void);

static inline struct echo_socket *ping_socket(struct ping *ping, int family) {
    return family == AF_INET ? &ping->v4 : &ping->v6;
}

/* ping_socket.c: opens the socket of a family unless it is open. */
int ping_socket_open(struct ping *ping, int family, struct error *err);

/* ping_send.c: sends one probe, whose number is ping->tail. 0; EAGAIN if the kernel takes no more
   for now; else the errno that refused it, ENOBUFS only if the neighbour table is full. */
int ping_send(struct ping *ping, struct target *target);

/* ping_receive.c: takes all replies and ICMP errors that have come. */
void ping_receive(struct ping *ping);

/* ping_error.c: the next ICMP error on a socket's error queue, about an echo request that may be
   ours. `quote` gets the beginning of that request. False: there is none. */
struct icmp_error {
    union endpoint target; /* of the request */
    struct failure failure;
    uint8_t quote[ECHO_HEADER + COOKIE];
    size_t length;
};
bool ping_next_error(const struct echo_socket *socket, struct icmp_error *out);

/* What a send that was refused with an errno means. */
struct failure ping_refusal(int code);

/* Writes the failure of a target as a sentence. */
void ping_explain(const struct ping *ping, const struct target *target, char *text, size_t size);

/* Whether silence, or a neighbour that was not found, may come from a neighbour table without room:
   then nothing is known about the target. */
bool ping_overflow_hides(const struct ping *ping, const struct target *target);

/* Keeps the failure that tells most: a timeout never hides another. */
void ping_lose(struct target *target, const struct failure *failure);

/* ping_neighbours.c: ping_table.overflows; -1 if unknown. */
int64_t ping_overflows(struct ping *ping, int family);
