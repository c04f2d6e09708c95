#include "ping.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "cleanup.h"
#include "ping_engine.h"

enum {
    RING_MAX = 65536,        /* as many as there are sequence numbers */
    BURST_MAX = 32,          /* probes a millisecond, if they are small */
    BURST_BYTES = 64 * 1024, /* what a socket of an ordinary user can surely hold */
    SLOT_BYTES = 1024        /* what the kernel adds to each message */
};

#define TICK (NANOSECONDS / 1000)  /* between two bursts */
#define RETRY (NANOSECONDS / 100)  /* between two attempts while the queue is full */
#define PATIENCE (5 * NANOSECONDS) /* for a full queue: ARP gives up, and lets go, after three */

int64_t ping_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NANOSECONDS + now.tv_nsec;
}

/* --- life ------------------------------------------------------------------------------------- */

static int out_of_range(struct error *err, const char *key, const char *valid) {
    error_set(err, EINVAL, "%s is %s", key, valid);
    if (err)
        strncpy(err->key, key, sizeof err->key - 1);
    return -1;
}

static int check_timeout(double timeout, struct error *err) {
    if (timeout > 0 && timeout <= 3600)
        return 0;
    return out_of_range(err, "timeout", "more than 0 and up to 3600 seconds");
}

static int check_options(const struct ping_options *options, struct error *err) {
    if (options->count < 1 || options->count > PING_COUNT_MAX)
        return out_of_range(err, "count", "1 to 1000000");
    if (!(options->interval >= 0 && options->interval <= 3600))
        return out_of_range(err, "interval", "0 to 3600 seconds");
    if (check_timeout(options->timeout, err) < 0)
        return -1;
    if (options->size > PING_SIZE_MAX)
        return out_of_range(err, "size", "0 to 65507 bytes");
    if (options->ttl < 0 || options->ttl > PING_TTL_MAX)
        return out_of_range(err, "ttl", "1 to 255");
    return 0;
}

/* The payload: the cookie, then bytes that count up. */
static int fill_payload(struct ping *ping, struct error *err) {
    uint8_t *payload = ping->payload = calloc(ping->size + 1, 1); /* a whole number of words */
    uint16_t word;
    if (!payload)
        return error_errno(err, ENOMEM);
    for (uint32_t i = 0; i < ping->size; i++)
        payload[i] = (uint8_t)i;
    if (getrandom(payload, ping->size < COOKIE ? ping->size : COOKIE, GRND_NONBLOCK) < 0)
        return error_set(err, errno, "no random numbers: %s", strerror(errno));
    for (uint32_t i = 0; i < ping->size; i += 2) {
        memcpy(&word, payload + i, sizeof word);
        ping->payload_sum += word;
    }
    return 0;
}

static unsigned burst_for(const struct ping_options *options) {
    unsigned fit = BURST_BYTES / (options->size + SLOT_BYTES);
    unsigned most = fit < 1 ? 1 : fit > BURST_MAX ? BURST_MAX : fit;
    return options->burst && options->burst < most ? options->burst : most;
}

static int set_up(struct ping *ping, int ns, const struct ping_options *options,
                  struct error *err) {
    ping->count = options->count;
    ping->size = options->size;
    ping->ttl = options->ttl;
    ping->interval = llround(options->interval * NANOSECONDS);
    ping->timeout = llround(options->timeout * NANOSECONDS);
    ping->burst = burst_for(options);
    ping->tail = 1;
    ping->ns = ns < 0 ? -1 : fcntl(ns, F_DUPFD_CLOEXEC, 0);
    if (ns >= 0 && ping->ns < 0)
        return error_errno(err, errno);
    if (options->source && endpoint_parse(ping->ns, options->source, &ping->source, err) < 0)
        return -1;
    return fill_payload(ping, err);
}

struct ping *ping_open(int ns, const struct ping_options *options, struct error *err) {
    if (check_options(options, err) < 0)
        return NULL;
    struct ping *ping = calloc(1, sizeof *ping);
    if (!ping) {
        error_errno(err, ENOMEM);
        return NULL;
    }
    ping->ns = ping->netlink.fd = ping->v4.fd = ping->v6.fd = -1;
    if (set_up(ping, ns, options, err) == 0)
        return ping;
    ping_close(ping);
    return NULL;
}

void ping_close(struct ping *ping) {
    if (!ping)
        return;
    close_fd(&ping->ns);
    netlink_close(&ping->netlink);
    free(ping->kept.entries);
    close_fd(&ping->v4.fd);
    close_fd(&ping->v6.fd);
    free(ping->targets);
    free(ping->ring);
    free(ping->payload);
    free(ping);
}

/* --- targets ---------------------------------------------------------------------------------- */

static int make_room(struct ping *ping, struct error *err) {
    size_t room = ping->target_room ? ping->target_room * 2 : 8;
    if (ping->target_count < ping->target_room)
        return 0;
    void *targets = reallocarray(ping->targets, room, sizeof *ping->targets);
    if (!targets)
        return error_errno(err, ENOMEM);
    ping->targets = targets;
    ping->target_room = room;
    return 0;
}

static int check_source(const struct ping *ping, int family, const char *text, struct error *err) {
    int source = ping->source.any.sa_family;
    if (source == AF_UNSPEC || source == family)
        return 0;
    return error_set(err, EINVAL, "\"%s\" cannot be reached from an %s address", SHORT(text),
                     source == AF_INET ? "IPv4" : "IPv6");
}

static bool is_group(const union endpoint *address) {
    if (address->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_MULTICAST(&address->v6.sin6_addr) ||
               IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
    uint32_t number = ntohl(address->v4.sin_addr.s_addr);
    return IN_MULTICAST(number) || number == INADDR_ANY;
}

int ping_add(struct ping *ping, const char *text, struct error *err) {
    struct target target = { .ttl = -1 };
    if (ping->ring)
        return error_set(err, EBUSY, "a target cannot be added once the first probe was sent");
    if (endpoint_parse(ping->ns, text, &target.address, err) < 0 || make_room(ping, err) < 0)
        return -1;
    int family = target.address.any.sa_family;
    if (check_source(ping, family, text, err) < 0 || ping_socket_open(ping, family, err) < 0)
        return -1;
    target.group = is_group(&target.address);
    ping->targets[ping->target_count++] = target;
    return 0;
}

static void start_counting(struct ping *ping, int family) {
    struct echo_socket *socket = ping_socket(ping, family);
    socket->overflowed = false;
    if (socket->fd >= 0)
        socket->overflows = ping_overflows(ping, family);
}

/* Sequence numbers go on. */
int ping_again(struct ping *ping, double timeout, struct error *err) {
    if (check_timeout(timeout, err) < 0)
        return -1;
    ping->timeout = llround(timeout * NANOSECONDS);
    free(ping->ring);
    ping->ring = NULL;
    ping->head = ping->tail;
    ping->target_count = ping->cursor = 0;
    ping->round = 0;
    ping->blocked = 0;
    start_counting(ping, AF_INET);
    start_counting(ping, AF_INET6);
    return 0;
}

/* --- schedule --------------------------------------------------------------------------------- */

/* Rounds over the targets, always in the same order: so the next one due is the one at the cursor,
   and the probe that waits longest is the first one in the ring. */

static int start(struct ping *ping, struct error *err) {
    uint64_t total = (uint64_t)ping->target_count * ping->count;
    ping->ring_size = 1;
    while (ping->ring_size <= total && ping->ring_size < RING_MAX)
        ping->ring_size *= 2;
    ping->ring = calloc(ping->ring_size, sizeof *ping->ring);
    ping->head = ping->tail;
    return ping->ring ? 0 : error_errno(err, ENOMEM);
}

static struct probe *probe_at(const struct ping *ping, uint64_t number) {
    return &ping->ring[number & (ping->ring_size - 1)];
}

bool ping_all_sent(const struct ping *ping) {
    return ping->round == ping->count || ping->target_count == 0;
}

static bool ring_full(const struct ping *ping) {
    return ping->tail - ping->head >= ping->ring_size;
}

static int64_t next_due(const struct ping *ping) {
    int64_t due = ping->targets[ping->cursor].due;
    return due > ping->pace ? due : ping->pace;
}

static void give_up(struct ping *ping, int64_t now) {
    static const struct failure timeout = { .reason = PING_TIMEOUT };
    for (; ping->head != ping->tail; ping->head++) {
        struct probe *probe = probe_at(ping, ping->head);
        if (probe->state == PROBE_WAITING && now < probe->sent + ping->timeout)
            return;
        if (probe->state == PROBE_WAITING) {
            probe->state = PROBE_LOST;
            ping_lose(&ping->targets[probe->target], &timeout);
        }
    }
}

static void advance(struct ping *ping) {
    ping->tail++;
    if (++ping->cursor == ping->target_count) {
        ping->cursor = 0;
        ping->round++;
    }
}

/* Whether to try the same probe again a little later. */
static bool is_blocked(struct ping *ping, int code, int64_t now) {
    if (code != EAGAIN) {
        ping->blocked = 0;
        return false;
    }
    if (!ping->blocked)
        ping->blocked = now;
    ping->pace = now + RETRY;
    return now < ping->blocked + PATIENCE;
}

/* False if the probe has to wait. */
static bool send_next(struct ping *ping) {
    struct target *target = &ping->targets[ping->cursor];
    struct probe *probe = probe_at(ping, ping->tail);
    int64_t now = ping_now();
    *probe = (struct probe){ now, (uint32_t)ping->cursor, (uint16_t)ping->tail, PROBE_WAITING };
    int code = ping_send(ping, target);
    if (is_blocked(ping, code, now)) {
        probe->state = PROBE_NONE;
        return false;
    }
    if (code) {
        struct failure refused = ping_refusal(code);
        probe->state = PROBE_LOST;
        ping_lose(target, &refused);
    }
    target->transmitted++;
    target->due = now + ping->interval;
    advance(ping);
    return true;
}

/* What comes at once is taken at once: until the kernel has begun to stamp what it receives - it
   does so a moment after a socket asks - a reply is as old as we find it. */
static bool send_burst(struct ping *ping) {
    unsigned sent = 0;
    while (sent < ping->burst && !ping_all_sent(ping) && !ring_full(ping) &&
           next_due(ping) <= ping_now() && send_next(ping)) {
        ping_receive(ping);
        sent++;
    }
    if (sent == ping->burst)
        ping->pace = ping_now() + TICK;
    return sent > 0;
}

static bool lost_any(const struct ping *ping, int family) {
    for (size_t i = 0; i < ping->target_count; i++) {
        const struct target *target = &ping->targets[i];
        if (target->address.any.sa_family == family && target->times.count < target->transmitted)
            return true;
    }
    return false;
}

/* A neighbour table without room silences the far end too: it cannot answer our ARP request. */
static void note_overflow(struct ping *ping, int family) {
    struct echo_socket *socket = ping_socket(ping, family);
    if (socket->fd < 0 || socket->overflows < 0 || !lost_any(ping, family))
        return;
    socket->overflowed = ping_overflows(ping, family) > socket->overflows;
}

static int finish(struct ping *ping) {
    note_overflow(ping, AF_INET);
    note_overflow(ping, AF_INET6);
    return 1;
}

int ping_step(struct ping *ping, struct error *err) {
    if (!ping->ring && start(ping, err) < 0)
        return -1;
    ping_receive(ping);
    give_up(ping, ping_now());
    if (send_burst(ping)) {
        give_up(ping, ping_now());
        if (ping->head == ping->tail) /* all answered: the queues are empty */
            ping->pace = 0;
    }
    return ping_all_sent(ping) && ping->head == ping->tail ? finish(ping) : 0;
}

double ping_timeout(const struct ping *ping) {
    bool sent = ping_all_sent(ping), waits = ping->ring && ping->head != ping->tail;
    int64_t next = INT64_MAX;
    if (sent && !waits)
        return 0;
    if (!sent && !(waits && ring_full(ping)))
        next = next_due(ping);
    if (waits && probe_at(ping, ping->head)->sent + ping->timeout < next)
        next = probe_at(ping, ping->head)->sent + ping->timeout;
    int64_t left = next - ping_now();
    return left > 0 ? (double)left / NANOSECONDS : 0;
}

/* --- what the caller sees --------------------------------------------------------------------- */

size_t ping_fds(const struct ping *ping, int fds[2]) {
    size_t count = 0;
    if (ping->v4.fd >= 0)
        fds[count++] = ping->v4.fd;
    if (ping->v6.fd >= 0)
        fds[count++] = ping->v6.fd;
    return count;
}

static void explain(const struct ping *ping, const struct target *target, struct ping_result *out) {
    const struct failure *failure = &target->failure;
    out->reason = failure->reason;
    ping_explain(ping, target, out->message, sizeof out->message);
    if (failure->from.any.sa_family)
        address_format(failure->from.any.sa_family, endpoint_bytes(&failure->from), out->from);
    if (ping_overflow_hides(ping, target)) {
        size_t length = strlen(out->message);
        out->reason = PING_NEIGHBOURS_FULL;
        snprintf(out->message + length, sizeof out->message - length,
                 ", but the neighbour table of the machine overflowed meanwhile");
    }
}

int ping_result(const struct ping *ping, size_t index, struct ping_result *out, struct error *err) {
    if (index >= ping->target_count)
        return error_set(err, EINVAL, "there are %zu targets", ping->target_count);
    const struct target *target = &ping->targets[index];
    const struct ping_stats *times = &target->times;
    *out = (struct ping_result){ .transmitted = target->transmitted,
                                 .received = times->count,
                                 .duplicates = target->duplicates,
                                 .min = times->min,
                                 .avg = times->mean,
                                 .max = times->max,
                                 .mdev = ping_stats_mdev(times),
                                 .ttl = target->ttl };
    if (out->transmitted)
        out->loss = 100.0 * (out->transmitted - out->received) / out->transmitted;
    if (out->received < out->transmitted)
        explain(ping, target, out);
    return 0;
}
