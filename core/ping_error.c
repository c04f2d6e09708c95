/* Why a probe was lost: ICMP errors from the error queue, send_errors by our own kernel, and words.
 */
#include <time.h> /* before errqueue.h, which needs it */

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>

#include "ping_engine.h"

static const char *const reason_names[] = {
    [PING_TIMEOUT] = "timeout",
    [PING_UNREACHABLE] = "unreachable",
    [PING_TTL_EXCEEDED] = "ttl exceeded",
    [PING_TOO_LONG] = "message too long",
    [PING_NO_ROUTE] = "no route",
    [PING_NOT_PERMITTED] = "not permitted",
    [PING_NEIGHBOURS_FULL] = "neighbour table full",
    [PING_QUEUE_FULL] = "queue full",
    [PING_NOT_SENT] = "not sent",
};

const char *ping_reason_name(enum ping_reason reason) {
    return reason_names[reason];
}

/* The words for an ICMP error; a row with subtype ANY serves those that have none of their own. */
enum { ANY = 256 };

struct icmp_word {
    uint8_t origin, type;
    uint16_t subtype;
    enum ping_reason reason;
    const char *text;
};

#define V4 SO_EE_ORIGIN_ICMP
#define V6 SO_EE_ORIGIN_ICMP6

static const struct icmp_word icmp_words[] = {
    { V4, ICMP_DEST_UNREACH, ICMP_NET_UNREACH, PING_UNREACHABLE, "network unreachable" },
    { V4, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, PING_UNREACHABLE, "host unreachable" },
    { V4, ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, PING_UNREACHABLE, "protocol unreachable" },
    { V4, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, PING_UNREACHABLE, "port unreachable" },
    { V4, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, PING_TOO_LONG, "too long to go on" },
    { V4, ICMP_DEST_UNREACH, ICMP_SR_FAILED, PING_UNREACHABLE, "source route failed" },
    { V4, ICMP_DEST_UNREACH, ICMP_NET_UNKNOWN, PING_UNREACHABLE, "network unknown" },
    { V4, ICMP_DEST_UNREACH, ICMP_HOST_UNKNOWN, PING_UNREACHABLE, "host unknown" },
    { V4, ICMP_DEST_UNREACH, ICMP_NET_ANO, PING_UNREACHABLE, "network prohibited" },
    { V4, ICMP_DEST_UNREACH, ICMP_HOST_ANO, PING_UNREACHABLE, "host prohibited" },
    { V4, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED, PING_UNREACHABLE, "prohibited" },
    { V4, ICMP_DEST_UNREACH, ANY, PING_UNREACHABLE, "unreachable" },
    { V4, ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, PING_UNREACHABLE, "fragment lost" },
    { V4, ICMP_TIME_EXCEEDED, ANY, PING_TTL_EXCEEDED, "time to live exceeded" },
    { V4, ICMP_PARAMETERPROB, ANY, PING_UNREACHABLE, "parameter problem" },
    { V6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE, PING_UNREACHABLE, "no route" },
    { V6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADMIN, PING_UNREACHABLE, "prohibited" },
    { V6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_BEYONDSCOPE, PING_UNREACHABLE, "beyond the scope" },
    { V6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR, PING_UNREACHABLE, "address unreachable" },
    { V6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, PING_UNREACHABLE, "port unreachable" },
    { V6, ICMP6_DST_UNREACH, 5, PING_UNREACHABLE, "source refused" },
    { V6, ICMP6_DST_UNREACH, 6, PING_UNREACHABLE, "route rejected" },
    { V6, ICMP6_DST_UNREACH, ANY, PING_UNREACHABLE, "unreachable" },
    { V6, ICMP6_PACKET_TOO_BIG, ANY, PING_TOO_LONG, "too long to go on" },
    { V6, ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_REASSEMBLY, PING_UNREACHABLE, "fragment lost" },
    { V6, ICMP6_TIME_EXCEEDED, ANY, PING_TTL_EXCEEDED, "hop limit exceeded" },
    { V6, ICMP6_PARAM_PROB, ANY, PING_UNREACHABLE, "parameter problem" },
};

static const struct icmp_word *find_word(int origin, int type, int subtype) {
    static const struct icmp_word unknown = { .reason = PING_UNREACHABLE, .text = "an ICMP error" };
    for (size_t i = 0; i < sizeof icmp_words / sizeof *icmp_words; i++) {
        const struct icmp_word *word = &icmp_words[i];
        if (word->origin == origin && word->type == type &&
            (word->subtype == ANY || word->subtype == subtype))
            return word;
    }
    return &unknown;
}

/* --- the error queue -------------------------------------------------------------------------- */

static const struct sock_extended_err *find_extended(struct msghdr *message) {
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        bool v4 = part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR;
        bool v6 = part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR;
        if ((v4 || v6) && part->cmsg_len >= CMSG_LEN(sizeof(struct sock_extended_err) +
                                                     sizeof(struct sockaddr_in)))
            return (const void *)CMSG_DATA(part);
    }
    return NULL;
}

static struct failure describe(const struct sock_extended_err *extended) {
    const struct sockaddr *offender = SO_EE_OFFENDER(extended);
    struct failure failure = { .type = extended->ee_type, .subtype = extended->ee_code };
    failure.reason = find_word(extended->ee_origin, extended->ee_type, extended->ee_code)->reason;
    if (failure.reason == PING_TOO_LONG)
        failure.mtu = extended->ee_info;
    if (offender->sa_family == AF_INET)
        memcpy(&failure.from.v4, offender, sizeof failure.from.v4);
    if (offender->sa_family == AF_INET6)
        memcpy(&failure.from.v6, offender, sizeof failure.from.v6);
    return failure;
}

/* Errors of local origin are left out: the send that was refused has told already. */
bool ping_next_error(const struct echo_socket *socket, struct icmp_error *out) {
    char control[512] __attribute__((aligned(8)));
    for (;;) {
        struct iovec part = { out->quote, sizeof out->quote };
        struct msghdr message = { .msg_name = &out->target,
                                  .msg_namelen = sizeof out->target,
                                  .msg_iov = &part,
                                  .msg_iovlen = 1,
                                  .msg_control = control,
                                  .msg_controllen = sizeof control };
        out->target = (union endpoint){ 0 };
        ssize_t length = recvmsg(socket->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
        if (length < 0)
            return false;
        const struct sock_extended_err *extended = find_extended(&message);
        if (!extended || (extended->ee_origin != V4 && extended->ee_origin != V6))
            continue;
        out->failure = describe(extended);
        out->length = (size_t)length;
        return true;
    }
}

/* --- send_errors and words -----------------------------------------------------------------------
 */

struct send_error {
    int code;
    enum ping_reason reason;
    const char *text; /* NULL: the system's words */
};

static const struct send_error send_errors[] = {
    { ENETUNREACH, PING_NO_ROUTE, NULL },
    { EHOSTUNREACH, PING_NO_ROUTE, NULL },
    { EADDRNOTAVAIL, PING_NO_ROUTE, "there is no address to send from" },
    { ENETDOWN, PING_NO_ROUTE, NULL },
    { ENODEV, PING_NO_ROUTE, NULL },
    { ENXIO, PING_NO_ROUTE, NULL },
    { EINVAL, PING_NO_ROUTE, "Invalid argument, as from a blackhole route" },
    { EACCES, PING_NOT_PERMITTED, "Permission denied, as by a prohibit route" },
    { EPERM, PING_NOT_PERMITTED, "Operation not permitted, as by a firewall" },
    { EMSGSIZE, PING_TOO_LONG, NULL },
    { ENOBUFS, PING_NEIGHBOURS_FULL, NULL },
    { EAGAIN, PING_QUEUE_FULL, "the queue of what is to be sent stayed full" },
};

static const struct send_error *find_send_error(int code) {
    static const struct send_error unknown = { .reason = PING_NOT_SENT };
    for (size_t i = 0; i < sizeof send_errors / sizeof *send_errors; i++)
        if (send_errors[i].code == code)
            return &send_errors[i];
    return &unknown;
}

struct failure ping_refusal(int code) {
    return (struct failure){ .reason = find_send_error(code)->reason, .code = code };
}

void ping_lose(struct target *target, const struct failure *failure) {
    if (failure->reason != PING_TIMEOUT || target->failure.reason == PING_ANSWERED)
        target->failure = *failure;
}

bool ping_overflow_hides(const struct ping *ping, const struct target *target) {
    const struct failure *failure = &target->failure;
    int family = target->address.any.sa_family;
    bool v4 = family == AF_INET, overflowed = v4 ? ping->v4.overflowed : ping->v6.overflowed;
    bool not_found = failure->reason == PING_UNREACHABLE &&
                     failure->type == (v4 ? ICMP_DEST_UNREACH : ICMP6_DST_UNREACH) &&
                     failure->subtype == (v4 ? ICMP_HOST_UNREACH : ICMP6_DST_UNREACH_ADDR);
    return overflowed && (failure->reason == PING_TIMEOUT || not_found);
}

static void explain_icmp(const struct failure *failure, char *text, size_t size) {
    int family = failure->from.any.sa_family;
    const struct icmp_word *word =
        find_word(family == AF_INET ? V4 : V6, failure->type, failure->subtype);
    char from[ADDRESS_TEXT_MAX];
    address_format(family, endpoint_bytes(&failure->from), from);
    int length = snprintf(text, size, "%s says: %s", from, word->text);
    if (failure->mtu)
        snprintf(text + length, size - (size_t)length, " (MTU %u)", failure->mtu);
}

static void explain_overflow(int family, char *text, size_t size) {
    snprintf(text, size, "the neighbour table of the machine is full: raise %s.gc_thresh3",
             family == AF_INET ? "net.ipv4.neigh.default" : "net.ipv6.neigh.default");
}

void ping_explain(const struct ping *ping, const struct target *target, char *text, size_t size) {
    const struct failure *failure = &target->failure;
    const char *words = find_send_error(failure->code)->text;
    *text = '\0';
    if (failure->from.any.sa_family)
        explain_icmp(failure, text, size);
    else if (failure->reason == PING_TIMEOUT)
        snprintf(text, size, "no reply within %g s", (double)ping->timeout / NANOSECONDS);
    else if (failure->reason == PING_NEIGHBOURS_FULL)
        explain_overflow(target->address.any.sa_family, text, size);
    else if (failure->reason != PING_ANSWERED)
        snprintf(text, size, "%s", words ? words : strerror(failure->code));
}
