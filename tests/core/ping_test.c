/* The ping engine: its statistics, and what it believes. In a namespace of its own, where the test
   answers the requests to 127.0.0.1 instead of the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../core/netns.h"
#include "../../core/ping.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- statistics ------------------------------------------------------------------------------- */

static void check_series(const double *values, size_t count, double avg, double mdev) {
    struct ping_stats stats = { 0 };
    for (size_t i = 0; i < count; i++)
        ping_stats_add(&stats, values[i]);
    assert_int_equal(stats.count, count);
    assert_true(fabs(stats.mean - avg) < 1e-9);
    assert_true(fabs(ping_stats_mdev(&stats) - mdev) < 1e-9);
    for (size_t i = 0; i < count; i++)
        assert_true(stats.min <= values[i] && values[i] <= stats.max);
}

/* mdev of iputils is sqrt(mean of the squares - square of the mean). */
static void test_statistics(void **state) {
    (void)state;
    static const double one[] = { 0.25 };
    static const double same[] = { 3, 3, 3, 3 };
    static const double known[] = { 2, 4, 4, 4, 5, 5, 7, 9 };
    static const double far[] = { 1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16 };
    check_series(NULL, 0, 0, 0);
    check_series(one, COUNT(one), 0.25, 0);
    check_series(same, COUNT(same), 3, 0);
    check_series(known, COUNT(known), 5, 2);
    check_series(far, COUNT(far), 1e9 + 10, sqrt(22.5));
}

/* --- the other side --------------------------------------------------------------------------- */

enum { IP_BYTES = 20, ICMP_BYTES = 8, PACKET_MAX = 256 };

static struct { int ns, socket; /* a raw socket that hears the requests */ } fixture;

static void write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_true(write(fd, text, strlen(text)) > 0);
    close(fd);
}

static int enter_namespace(void **state) {
    (void)state;
    struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    if (unshare(getuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return -1;
    fixture.ns = netns_current(NULL);
    fixture.socket = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (fixture.ns < 0 || ioctl(fixture.socket, SIOCSIFFLAGS, &lo) < 0)
        return -1;
    write_file("/proc/sys/net/ipv4/icmp_echo_ignore_all", "1");
    return 0;
}

static int leave_namespace(void **state) {
    (void)state;
    close(fixture.ns);
    close(fixture.socket);
    return 0;
}

static uint16_t checksum(const uint8_t *bytes, size_t length) {
    uint32_t sum = 0;
    for (size_t i = 0; i < length; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

/* From 127.0.0.1 or another address of lo. */
static void send_icmp(const char *from, uint8_t *packet, size_t length) {
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(from) };
    struct sockaddr_in there = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr("127.0.0.1") };
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    if (length >= 4) {
        memset(packet + 2, 0, 2);
        uint16_t sum = checksum(packet, length);
        memcpy(packet + 2, &sum, 2);
    }
    assert_int_equal(bind(fd, (void *)&here, sizeof here), 0);
    assert_int_equal(sendto(fd, packet, length, 0, (void *)&there, sizeof there), length);
    close(fd);
}

/* The next echo request on the wire, with its IP header. */
static size_t next_request(uint8_t packet[PACKET_MAX]) {
    for (;;) {
        struct pollfd readable = { fixture.socket, POLLIN, 0 };
        assert_int_equal(poll(&readable, 1, 1000), 1);
        ssize_t length = recv(fixture.socket, packet, PACKET_MAX, 0);
        assert_true(length >= IP_BYTES + ICMP_BYTES);
        if (packet[IP_BYTES] == ICMP_ECHO)
            return (size_t)length;
    }
}

static struct ping *start(uint32_t size, double timeout) {
    struct error err = { 0 };
    struct ping_options options = { .count = 1, .timeout = timeout, .size = size };
    struct ping *ping = ping_open(fixture.ns, &options, &err);
    assert_non_null(ping);
    assert_int_equal(ping_add(ping, "127.0.0.1", &err), 0);
    assert_int_equal(ping_step(ping, &err), 0);
    return ping;
}

/* Steps for a moment: until all is done, or nothing more comes. */
static struct ping_result look(struct ping *ping) {
    struct ping_result result;
    int fds[2];
    assert_int_equal(ping_fds(ping, fds), 1);
    struct pollfd readable = { fds[0], POLLIN, 0 };
    while (poll(&readable, 1, 20) > 0 && ping_step(ping, NULL) == 0)
        ;
    assert_int_equal(ping_result(ping, 0, &result, NULL), 0);
    return result;
}

/* --- replies ---------------------------------------------------------------------------------- */

enum { TYPE = 0, ID = 4, SEQUENCE = 6, COOKIE = 8, LAST_OF_COOKIE = 15 };

static void make_reply(const uint8_t *request, uint8_t *reply, size_t length) {
    memcpy(reply, request + IP_BYTES, length);
    reply[TYPE] = ICMP_ECHOREPLY;
}

static void test_only_our_replies_count(void **state) {
    (void)state;
    uint8_t request[PACKET_MAX], reply[PACKET_MAX];
    static const int spoiled[] = { ID, ID + 1, SEQUENCE, SEQUENCE + 1, COOKIE, LAST_OF_COOKIE };
    struct ping *ping = start(56, 10);
    size_t length = next_request(request) - IP_BYTES;
    for (size_t i = 0; i < COUNT(spoiled); i++) {
        make_reply(request, reply, length);
        reply[spoiled[i]] ^= 0x40;
        send_icmp("127.0.0.1", reply, length);
    }
    for (uint8_t type = 1; type < 20; type++) {
        make_reply(request, reply, length);
        reply[TYPE] = type;
        if (type != ICMP_ECHO)
            send_icmp("127.0.0.1", reply, length);
    }
    make_reply(request, reply, length);
    send_icmp("127.0.0.2", reply, length);
    assert_int_equal(look(ping).received, 0);
    make_reply(request, reply, length);
    send_icmp("127.0.0.1", reply, length);
    send_icmp("127.0.0.1", reply, length);
    struct ping_result result = look(ping);
    assert_int_equal(result.received, 1);
    assert_int_equal(result.duplicates, 1);
    assert_int_equal(result.reason, PING_ANSWERED);
    ping_close(ping);
}

static void test_short_replies(void **state) {
    (void)state;
    uint8_t request[PACKET_MAX], reply[PACKET_MAX];
    struct ping *ping = start(56, 10);
    next_request(request);
    for (size_t length = 2; length < ICMP_BYTES + 8; length++) { /* the kernel sends no less */
        make_reply(request, reply, length);
        send_icmp("127.0.0.1", reply, length);
    }
    assert_int_equal(look(ping).received, 0);
    make_reply(request, reply, ICMP_BYTES + 8); /* the cookie is all that must come back */
    send_icmp("127.0.0.1", reply, ICMP_BYTES + 8);
    assert_int_equal(look(ping).received, 1);
    ping_close(ping);
}

static void test_small_payloads(void **state) {
    (void)state;
    for (uint32_t size = 0; size <= 9; size++) {
        uint8_t request[PACKET_MAX], reply[PACKET_MAX];
        struct ping *ping = start(size, 10);
        size_t length = next_request(request) - IP_BYTES;
        assert_int_equal(length, ICMP_BYTES + size);
        assert_int_equal(checksum(request + IP_BYTES, length), 0);
        make_reply(request, reply, length);
        if (size > 0) {
            send_icmp("127.0.0.1", reply,
                      length - 1 < ICMP_BYTES + 7 ? length - 1 : ICMP_BYTES + 7);
            reply[COOKIE] ^= 1;
            send_icmp("127.0.0.1", reply, length);
            reply[COOKIE] ^= 1;
        }
        assert_int_equal(look(ping).received, 0);
        send_icmp("127.0.0.1", reply, length);
        assert_int_equal(look(ping).received, 1);
        ping_close(ping);
    }
}

static void test_a_late_reply_is_a_lost_one(void **state) {
    (void)state;
    uint8_t request[PACKET_MAX], reply[PACKET_MAX];
    struct ping *ping = start(56, 0.01);
    size_t length = next_request(request) - IP_BYTES;
    usleep(15000);
    assert_int_equal(ping_step(ping, NULL), 1);
    make_reply(request, reply, length);
    send_icmp("127.0.0.1", reply, length);
    struct ping_result result = look(ping);
    assert_int_equal(result.received, 0);
    assert_int_equal(result.reason, PING_TIMEOUT);
    assert_string_equal(result.message, "no reply within 0.01 s");
    assert_true(result.loss == 100);
    ping_close(ping);
}

static void test_what_comes_late_counts_for_nothing_new(void **state) {
    (void)state;
    uint8_t old[PACKET_MAX], request[PACKET_MAX], reply[PACKET_MAX];
    struct error err;
    struct ping *ping = start(56, 0.01);
    size_t length = next_request(old) - IP_BYTES;
    usleep(15000);
    assert_int_equal(ping_step(ping, NULL), 1);
    assert_int_equal(ping_again(ping, 0, &err), -1);
    assert_string_equal(err.key, "timeout");
    assert_int_equal(ping_again(ping, 10, &err), 0);
    assert_int_equal(ping_result(ping, 0, &(struct ping_result){ 0 }, &err), -1);
    assert_int_equal(ping_add(ping, "127.0.0.1", &err), 0);
    assert_int_equal(ping_step(ping, &err), 0);
    make_reply(old, reply, length);
    send_icmp("127.0.0.1", reply, length);
    assert_int_equal(look(ping).received, 0);
    next_request(request);
    make_reply(request, reply, length);
    send_icmp("127.0.0.1", reply, length);
    assert_int_equal(look(ping).received, 1);
    assert_int_equal(look(ping).duplicates, 0);
    ping_close(ping);
}

/* --- errors ----------------------------------------------------------------------------------- */

/* An ICMP error from 127.0.0.3 that quotes `length` bytes of the request. */
static void send_error(const uint8_t *request, size_t length, uint8_t type, uint8_t code) {
    uint8_t packet[PACKET_MAX] = { type, code };
    memcpy(packet + ICMP_BYTES, request, length);
    send_icmp("127.0.0.3", packet, ICMP_BYTES + length);
}

static void test_only_errors_about_our_requests_count(void **state) {
    (void)state;
    uint8_t request[PACKET_MAX];
    static const int spoiled[] = { IP_BYTES + TYPE, IP_BYTES + ID, IP_BYTES + SEQUENCE + 1,
                                   IP_BYTES + COOKIE, IP_BYTES + LAST_OF_COOKIE };
    struct ping *ping = start(56, 10);
    size_t length = next_request(request);
    for (size_t i = 0; i < COUNT(spoiled); i++) {
        request[spoiled[i]] ^= 0x40;
        send_error(request, length, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH);
        request[spoiled[i]] ^= 0x40;
    }
    for (size_t cut = 0; cut < IP_BYTES + ICMP_BYTES; cut++)
        send_error(request, cut, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH);
    struct iphdr header;
    memcpy(&header, request, sizeof header);
    header.daddr = inet_addr("127.0.0.9");
    uint8_t other[PACKET_MAX];
    memcpy(other, request, length);
    memcpy(other, &header, sizeof header);
    send_error(other, length, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH);
    assert_int_equal(look(ping).reason, PING_ANSWERED); /* nothing is known so far */
    send_error(request, IP_BYTES + ICMP_BYTES, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH);
    struct ping_result result = look(ping);
    assert_int_equal(result.reason, PING_UNREACHABLE);
    assert_string_equal(result.message, "127.0.0.3 says: host unreachable");
    assert_string_equal(result.from, "127.0.0.3");
    assert_int_equal(ping_step(ping, NULL), 1);
    ping_close(ping);
}

static const struct {
    uint8_t type, code;
    enum ping_reason reason;
    const char *message;
} errors[] = {
    { ICMP_DEST_UNREACH, ICMP_NET_UNREACH, PING_UNREACHABLE, "network unreachable" },
    { ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, PING_UNREACHABLE, "port unreachable" },
    { ICMP_DEST_UNREACH, ICMP_PKT_FILTERED, PING_UNREACHABLE, "prohibited" },
    { ICMP_DEST_UNREACH, ICMP_PREC_CUTOFF, PING_UNREACHABLE, "unreachable" },
    { ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, PING_TTL_EXCEEDED, "time to live exceeded" },
    { ICMP_PARAMETERPROB, 0, PING_UNREACHABLE, "parameter problem" },
};

static void test_words_for_errors(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(errors); i++) {
        uint8_t request[PACKET_MAX];
        char message[64];
        struct ping *ping = start(0, 10);
        size_t length = next_request(request);
        send_error(request, length, errors[i].type, errors[i].code);
        struct ping_result result = look(ping);
        snprintf(message, sizeof message, "127.0.0.3 says: %s", errors[i].message);
        assert_int_equal(result.reason, errors[i].reason);
        assert_string_equal(result.message, message);
        ping_close(ping);
    }
}

/* --- use -------------------------------------------------------------------------------------- */

static void test_options_out_of_range(void **state) {
    (void)state;
    static const struct ping_options good = { .count = 1, .interval = 1, .timeout = 1 };
    struct ping_options bad[] = { good, good, good, good, good, good, good, good };
    static const char *const keys[] = { "count", "count",   "interval", "interval",
                                        "size",  "timeout", "timeout",  "ttl" };
    bad[0].count = 0;
    bad[1].count = PING_COUNT_MAX + 1;
    bad[2].interval = -1;
    bad[3].interval = NAN;
    bad[4].size = PING_SIZE_MAX + 1;
    bad[5].timeout = 0;
    bad[6].timeout = INFINITY;
    bad[7].ttl = 256;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct error err;
        assert_null(ping_open(fixture.ns, &bad[i], &err));
        assert_int_equal(err.code, EINVAL);
        assert_string_equal(err.key, keys[i]);
    }
}

static void test_order_of_calls(void **state) {
    (void)state;
    struct error err;
    struct ping_result result;
    int fds[2];
    struct ping_options options = { .count = 1, .timeout = 1 };
    struct ping *ping = ping_open(fixture.ns, &options, &err);
    assert_int_equal(ping_fds(ping, fds), 0);
    assert_int_equal(ping_step(ping, &err), 1); /* nobody to wait for */
    assert_true(ping_timeout(ping) == 0);
    assert_int_equal(ping_add(ping, "127.0.0.1", &err), -1);
    assert_int_equal(err.code, EBUSY);
    assert_int_equal(ping_result(ping, 0, &result, &err), -1);
    ping_close(ping);
    ping_close(NULL);
}

static void test_the_timeout_says_when_to_come_back(void **state) {
    (void)state;
    struct ping *ping = start(56, 2);
    assert_true(ping_timeout(ping) > 1 && ping_timeout(ping) <= 2);
    ping_close(ping);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statistics),
        cmocka_unit_test(test_only_our_replies_count),
        cmocka_unit_test(test_short_replies),
        cmocka_unit_test(test_small_payloads),
        cmocka_unit_test(test_a_late_reply_is_a_lost_one),
        cmocka_unit_test(test_what_comes_late_counts_for_nothing_new),
        cmocka_unit_test(test_only_errors_about_our_requests_count),
        cmocka_unit_test(test_words_for_errors),
        cmocka_unit_test(test_options_out_of_range),
        cmocka_unit_test(test_order_of_calls),
        cmocka_unit_test(test_the_timeout_says_when_to_come_back),
    };
    return cmocka_run_group_tests(tests, enter_namespace, leave_namespace);
}
