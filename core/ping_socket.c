/* The sockets of a ping engine: raw where that is allowed, else the kernel's ping sockets. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "cleanup.h"
#include "netns.h"
#include "ping_engine.h"

enum { BUFFER_BYTES = 8 << 20 };

static int refused(int fd, struct error *err) {
    if (fd >= 0 || (err->code != EPERM && err->code != EACCES))
        return fd;
    error_set(err, EPERM, "neither a raw socket nor a ping socket is permitted");
    return error_hint(err,
                      "it needs CAP_NET_RAW (root, or a sandbox: nsh -S), or your group in the "
                      "sysctl net.ipv4.ping_group_range");
}

static int open_either(int ns, int family, bool *raw, struct error *err) {
    int protocol = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    int fd = netns_socket(ns, family, SOCK_RAW | SOCK_NONBLOCK, protocol, err);
    *raw = fd >= 0;
    if (fd < 0 && (err->code == EPERM || err->code == EACCES))
        fd = netns_socket(ns, family, SOCK_DGRAM | SOCK_NONBLOCK, protocol, err);
    return refused(fd, err);
}

/* --- options ---------------------------------------------------------------------------------- */

struct option {
    int level, name, value;
};

/* With RECVERR, ICMP errors come with the request that they are about, and a send tells what it
   hides otherwise: that the neighbour table or a queue was full. */
static const struct option options_v4[] = {
    { SOL_SOCKET, SO_TIMESTAMPNS, 1 },
    { IPPROTO_IP, IP_RECVERR, 1 },
    { IPPROTO_IP, IP_RECVTTL, 1 },
};

static const struct option options_v6[] = {
    { SOL_SOCKET, SO_TIMESTAMPNS, 1 },
    { IPPROTO_IPV6, IPV6_RECVERR, 1 },
    { IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1 },
};

static int set_option(int fd, struct option option, struct error *err) {
    if (setsockopt(fd, option.level, option.name, &option.value, sizeof option.value) == 0)
        return 0;
    return error_set(err, errno, "cannot set up the socket: %s", strerror(errno));
}

static int set_common(int fd, int family, struct error *err) {
    const struct option *options = family == AF_INET ? options_v4 : options_v6;
    for (size_t i = 0; i < sizeof options_v4 / sizeof *options_v4; i++)
        if (set_option(fd, options[i], err) < 0)
            return -1;
    return 0;
}

static int set_ttl(int fd, int family, int ttl, struct error *err) {
    bool v4 = family == AF_INET;
    int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
    struct option one = { level, v4 ? IP_TTL : IPV6_UNICAST_HOPS, ttl };
    struct option group = { level, v4 ? IP_MULTICAST_TTL : IPV6_MULTICAST_HOPS, ttl };
    if (ttl == 0)
        return 0;
    return set_option(fd, one, err) < 0 || set_option(fd, group, err) < 0 ? -1 : 0;
}

/* The forced sizes pass the limits of rmem_max and wmem_max, but need the real root. */
static void enlarge_buffers(int fd) {
    int bytes = BUFFER_BYTES;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) < 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

static int set_type_filter(int fd, int family, struct error *err) {
    struct icmp_filter v4 = { ~(1u << ICMP_ECHOREPLY) };
    struct icmp6_filter v6;
    memset(&v6, 0xff, sizeof v6);
    v6.data[ICMPV6_ECHO_REPLY >> 5] &= ~(1u << (ICMPV6_ECHO_REPLY & 31));
    int failed = family == AF_INET ? setsockopt(fd, SOL_RAW, ICMP_FILTER, &v4, sizeof v4)
                                   : setsockopt(fd, IPPROTO_ICMPV6, ICMPV6_FILTER, &v6, sizeof v6);
    return failed ? error_set(err, errno, "cannot set a filter: %s", strerror(errno)) : 0;
}

/* A raw socket sees the replies to everybody: only those with our identifier may take up room. */
static int set_id_filter(int fd, int family, uint16_t id, struct error *err) {
    static const struct sock_filter skip_ip = BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0);
    static const struct sock_filter skip_nothing = BPF_STMT(BPF_LDX | BPF_IMM, 0);
    struct sock_filter code[] = { family == AF_INET ? skip_ip : skip_nothing,
                                  BPF_STMT(BPF_LD | BPF_H | BPF_IND, 4),
                                  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohs(id), 0, 1),
                                  BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
                                  BPF_STMT(BPF_RET | BPF_K, 0) };
    struct sock_fprog program = { sizeof code / sizeof *code, code };
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0)
        return error_set(err, errno, "cannot set a filter: %s", strerror(errno));
    return 0;
}

/* --- identity --------------------------------------------------------------------------------- */

static socklen_t endpoint_size(int family) {
    return family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

/* Engines of one program count on from a random start, so that no two have the same identifier. */
static uint16_t next_id(void) {
    static uint16_t last;
    static pid_t owner;
    if (owner != getpid()) {
        owner = getpid();
        getrandom(&last, sizeof last, GRND_NONBLOCK);
    }
    return ++last;
}

static int bind_source(const struct ping *ping, int fd, int family, struct error *err) {
    union endpoint here = ping->source;
    char text[ADDRESS_TEXT_MAX];
    if (here.any.sa_family != family)
        here = (union endpoint){ .any.sa_family = (sa_family_t)family };
    if (bind(fd, &here.any, endpoint_size(family)) == 0)
        return 0;
    address_format(family, endpoint_bytes(&here), text);
    return error_set(err, errno, "cannot send from %s: %s", text, strerror(errno));
}

/* The kernel gives a ping socket its identifier when it is bound. */
static int identify(struct echo_socket *socket, int family, struct error *err) {
    union endpoint here;
    socklen_t size = sizeof here;
    socket->id = next_id();
    if (socket->raw)
        return set_type_filter(socket->fd, family, err) < 0
                   ? -1
                   : set_id_filter(socket->fd, family, socket->id, err);
    if (getsockname(socket->fd, &here.any, &size) < 0)
        return error_errno(err, errno);
    socket->id = family == AF_INET ? here.v4.sin_port : here.v6.sin6_port;
    return 0;
}

int ping_socket_open(struct ping *ping, int family, struct error *err) {
    struct echo_socket *socket = ping_socket(ping, family);
    if (socket->fd >= 0)
        return 0;
    struct echo_socket new = { 0 };
    cleanup_fd int fd = new.fd = open_either(ping->ns, family, &new.raw, err);
    if (fd < 0 || set_common(fd, family, err) < 0 || set_ttl(fd, family, ping->ttl, err) < 0)
        return -1;
    if (bind_source(ping, fd, family, err) < 0 || identify(&new, family, err) < 0)
        return -1;
    enlarge_buffers(fd);
    new.overflows = ping_overflows(ping, family);
    *socket = new;
    take_fd(&fd);
    return 0;
}
