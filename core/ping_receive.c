/* What comes back: echo replies, and ICMP errors about our requests. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <time.h>

#include "ping_engine.h"

enum {
    IP_HEADER_MAX = 60,
    BURST = 4096 /* messages a step: a flood must not keep us from everything else */
};

/* An ICMP echo message, or as much of it as there is. */
struct echo {
    uint8_t type;
    uint16_t id, sequence; /* the identifier in network order */
    const uint8_t *payload;
    size_t length;
};

struct reply {
    union endpoint from;
    int ttl;
    int64_t received;
    uint8_t data[IP_HEADER_MAX + ECHO_HEADER + COOKIE]; /* the rest is of no interest */
    size_t length;
};

static bool parse_echo(const uint8_t *data, size_t length, struct echo *out) {
    uint16_t words[ECHO_HEADER / 2];
    if (length < ECHO_HEADER)
        return false;
    memcpy(words, data, sizeof words);
    *out = (struct echo){ .type = data[0],
                          .id = words[2],
                          .sequence = ntohs(words[3]),
                          .payload = data + ECHO_HEADER,
                          .length = length - ECHO_HEADER };
    return true;
}

/* A raw IPv4 socket hands out the IP header too. */
static bool parse_reply(const struct echo_socket *socket, const struct reply *reply,
                        struct echo *out) {
    size_t skip = 0;
    bool v4 = reply->from.any.sa_family == AF_INET;
    if (v4 && socket->raw && reply->length > 0)
        skip = (size_t)(reply->data[0] & 0x0f) * 4;
    return skip <= reply->length && parse_echo(reply->data + skip, reply->length - skip, out) &&
           out->type == (v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY);
}

/* The probe that a message is about, NULL if it is not ours. `cookie`: how much of it must be
 * there. */
static struct probe *find_probe(struct ping *ping, const struct echo_socket *socket,
                                const struct echo *echo, size_t cookie) {
    struct probe *probe = &ping->ring[echo->sequence & (ping->ring_size - 1)];
    if (echo->id != socket->id || probe->state == PROBE_NONE || probe->sequence != echo->sequence)
        return NULL;
    if (echo->length < cookie || memcmp(echo->payload, ping->payload, cookie) != 0)
        return NULL;
    return probe;
}

static size_t cookie_size(const struct ping *ping) {
    return ping->size < COOKIE ? ping->size : COOKIE;
}

/* --- replies ---------------------------------------------------------------------------------- */

/* When the kernel took it in, on our clock: how long it lay there is the same on any clock. */
static int64_t arrival(const struct timespec *stamp) {
    struct timespec real;
    clock_gettime(CLOCK_REALTIME, &real);
    int64_t lay = (real.tv_sec - stamp->tv_sec) * NANOSECONDS + real.tv_nsec - stamp->tv_nsec;
    return ping_now() - (lay > 0 ? lay : 0);
}

static void read_control(struct msghdr *message, struct reply *reply) {
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        struct timespec stamp;
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_TIMESTAMPNS) {
            memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
            reply->received = arrival(&stamp);
        }
        if ((part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_TTL) ||
            (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_HOPLIMIT))
            memcpy(&reply->ttl, CMSG_DATA(part), sizeof reply->ttl);
    }
}

/* 1: a reply; 0: no more; -1: what was pending was an error, go on. */
static int next_reply(const struct echo_socket *socket, struct reply *out) {
    char control[256] __attribute__((aligned(8)));
    struct iovec part = { out->data, sizeof out->data };
    struct msghdr message = { .msg_name = &out->from,
                              .msg_namelen = sizeof out->from,
                              .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof control };
    ssize_t length = recvmsg(socket->fd, &message, MSG_DONTWAIT);
    if (length < 0)
        return errno == EAGAIN ? 0 : -1;
    out->length = (size_t)length;
    out->ttl = -1;
    out->received = ping_now();
    read_control(&message, out);
    return 1;
}

static void take_reply(struct ping *ping, const struct echo_socket *socket,
                       const struct reply *reply) {
    struct echo echo;
    if (!parse_reply(socket, reply, &echo))
        return;
    struct probe *probe = find_probe(ping, socket, &echo, cookie_size(ping));
    if (!probe)
        return;
    struct target *target = &ping->targets[probe->target];
    if (!target->group && !endpoint_same(&target->address, &reply->from))
        return;
    if (probe->state == PROBE_ANSWERED)
        target->duplicates++;
    if (probe->state != PROBE_WAITING)
        return;
    int64_t time = reply->received - probe->sent;
    probe->state = PROBE_ANSWERED;
    target->ttl = reply->ttl;
    ping_stats_add(&target->times, time > 0 ? (double)time / 1e6 : 0);
}

/* --- errors ----------------------------------------------------------------------------------- */

/* A raw socket hears the errors about everybody's requests. What comes after the timeout is too
   late to count but not to tell why. */
static void take_error(struct ping *ping, const struct echo_socket *socket,
                       const struct icmp_error *error) {
    struct echo echo;
    if (!parse_echo(error->quote, error->length, &echo))
        return;
    if (echo.type != (socket == &ping->v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST))
        return;
    size_t cookie = cookie_size(ping);
    struct probe *probe =
        find_probe(ping, socket, &echo, echo.length < cookie ? echo.length : cookie);
    if (!probe || probe->state == PROBE_ANSWERED)
        return;
    struct target *target = &ping->targets[probe->target];
    if (!endpoint_same(&target->address, &error->target))
        return;
    ping_lose(target, &error->failure);
    if (!target->group)
        probe->state = PROBE_LOST;
}

static void receive_from(struct ping *ping, const struct echo_socket *socket) {
    struct icmp_error error;
    struct reply reply;
    int found = 1;
    for (int i = 0; i < BURST && ping_next_error(socket, &error); i++)
        take_error(ping, socket, &error);
    for (int i = 0; i < BURST && found; i++) {
        found = next_reply(socket, &reply);
        if (found > 0)
            take_reply(ping, socket, &reply);
    }
}

void ping_receive(struct ping *ping) {
    if (ping->v4.fd >= 0)
        receive_from(ping, &ping->v4);
    if (ping->v6.fd >= 0)
        receive_from(ping, &ping->v6);
}
