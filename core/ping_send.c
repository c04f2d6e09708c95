/* One echo request, and what the kernel says to it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "ping_engine.h"

static uint16_t checksum(uint32_t sum) {
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* The checksum of an ICMPv6 message needs addresses that only the kernel knows: it fills it in. */
static void build_header(const struct ping *ping, int family, uint16_t id,
                         uint8_t header[ECHO_HEADER]) {
    uint16_t words[ECHO_HEADER / 2] = { 0 };
    words[0] = htons((family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST) << 8);
    words[2] = id;
    words[3] = htons((uint16_t)ping->tail);
    if (family == AF_INET)
        words[1] = checksum(ping->payload_sum + words[0] + words[2] + words[3]);
    memcpy(header, words, ECHO_HEADER);
}

static int send_once(const struct ping *ping, int fd, struct target *target,
                     uint8_t header[ECHO_HEADER]) {
    int on = target->broadcast, off = 0;
    struct iovec parts[] = { { header, ECHO_HEADER }, { ping->payload, ping->size } };
    struct msghdr message = { .msg_name = &target->address,
                              .msg_namelen = sizeof target->address,
                              .msg_iov = parts,
                              .msg_iovlen = 2 };
    if (target->address.any.sa_family == AF_INET)
        message.msg_namelen = sizeof target->address.v4;
    if (on)
        setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
    int code = sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? errno : 0;
    if (on)
        setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &off, sizeof off);
    return code;
}

/* An ICMP error that came in for one target makes the socket's next send fail with its errno,
   whatever its target. To fail takes it away, so what comes again is about this probe. */
static bool may_be_old(int code) {
    return code == EHOSTUNREACH || code == ENETUNREACH || code == ECONNREFUSED || code == EACCES ||
           code == EMSGSIZE || code == EPROTO || code == EOPNOTSUPP || code == ENOPROTOOPT ||
           code == EHOSTDOWN || code == ENONET;
}

static int send_fresh(const struct ping *ping, int fd, struct target *target,
                      uint8_t header[ECHO_HEADER]) {
    int code = send_once(ping, fd, target, header);
    for (int tries = 0; tries < 3 && (may_be_old(code) || code == EINTR); tries++)
        code = send_once(ping, fd, target, header);
    return code;
}

/* The kernel asks for SO_BROADCAST before it floods a network. The option stays off for the others,
   as it is how a broadcast is told from an address. A "prohibit" route says EACCES as well. */
static int send_broadcast(const struct ping *ping, int fd, struct target *target,
                          uint8_t header[ECHO_HEADER]) {
    target->broadcast = true;
    int code = send_fresh(ping, fd, target, header);
    target->broadcast = code != EACCES;
    target->group |= target->broadcast;
    return code;
}

/* A full neighbour table is ENOBUFS in IPv4, as is a full queue, and EINVAL in IPv6, as is a
   blackhole route: only the table's own count of refusals tells. */
static int tell_overflow(struct ping *ping, int fd, struct target *target,
                         uint8_t header[ECHO_HEADER]) {
    int family = target->address.any.sa_family;
    int64_t before = ping_overflows(ping, family);
    int code = send_fresh(ping, fd, target, header);
    if (code != ENOBUFS && code != EINVAL)
        return code;
    if (before >= 0 && ping_overflows(ping, family) != before)
        return ENOBUFS;
    return code == ENOBUFS ? EAGAIN : code;
}

int ping_send(struct ping *ping, struct target *target) {
    uint8_t header[ECHO_HEADER];
    int family = target->address.any.sa_family;
    const struct echo_socket *socket = ping_socket(ping, family);
    build_header(ping, family, socket->id, header);
    int code = send_fresh(ping, socket->fd, target, header);
    if (code == EACCES && family == AF_INET)
        code = send_broadcast(ping, socket->fd, target, header);
    if (code == ENOBUFS || (code == EINVAL && family == AF_INET6))
        code = tell_overflow(ping, socket->fd, target, header);
    return code;
}
