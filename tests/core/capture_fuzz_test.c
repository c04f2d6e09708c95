/* Packets, cut and garbled and of random bytes, told in every way there is: nothing may be read
   that is not theirs, and no line be longer than its room. The sanitizers see it; the numbers are
   the same in each run. */
#include "child.h"

#include <pcap/dlt.h>

#include "../../core/capture/dissect.h"
#include "../../core/capture/flow.h"

enum { ROUNDS = 100000, SIZE_MAX_HERE = 256 };

static const int links[] = { DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW, DLT_NULL, 12345 };

/* An Ethernet frame of each kind, as text in hexadecimal, so that what garbles them goes deep. */
static const char *const samples[] = {
    "020000000002 020000000001 0806 0001080006040001 020000000001 0a000001 000000000000 0a000002",
    "020000000002 020000000001 0800 4500005400014000 40010000 0a000001 0a000002 0800f7ff00010001"
    "6161616161616161",
    "020000000002 020000000001 0800 4500005400014000 40010000 0a000001 0a000002 0303f7ff00000000"
    "4500001c00014000 40110000 0a000002 0a000001 0001000200080000",
    "020000000002 020000000001 8100 6007 0800 4500004000014000 40060000 0a000001 0a000002"
    "9c40005a000003e8000007d0a01801f400000000 020405b40402080a0000000100000000 01030307 0101050a"
    "00000401000004094745542f",
    "020000000002 020000000001 86dd 6000000000283aff fe800000000000000000000000000001"
    "ff0200000000000000000001ff000002 8700000000000000fe800000000000000000000000000002"
    "0101020000000001",
    "020000000002 020000000001 86dd 6000000000202c40 fe800000000000000000000000000001"
    "fe800000000000000000000000000002 3a00000100000009 0104000000000000 6000000000083a40"
    "fe800000000000000000000000000001",
    "020000000002 020000000001 0800 4500008000014000 40110000 0a000001 0a000002 c35012b5006c0000"
    "0800000000002a00 020000000002 020000000001 0800 4500005400014000 40060000 0a000001 0a000002"
    "9c4000500000000100000002501001f400000003 48545450",
};

static uint32_t random_state = 2463534242u;

/* Marsaglia's xorshift, from 0 to n - 1. */
static uint32_t pick(uint32_t n) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % n;
}

static uint32_t read_hex(const char *text, uint8_t *out) {
    uint32_t size = 0;
    unsigned byte;
    for (int used; sscanf(text, " %2x%n", &byte, &used) == 1; text += used)
        out[size++] = (uint8_t)byte;
    return size;
}

/* --- sinks -------------------------------------------------------------------------------------
 */

/* How deep the open tables are, and how many fields there were. */
struct count {
    int depth, fields;
};

static void count_number(void *arg, const char *name, int64_t value) {
    assert_non_null(name);
    (void)value;
    ((struct count *)arg)->fields++;
}

static void count_boolean(void *arg, const char *name, bool value) {
    assert_non_null(name);
    (void)value;
    ((struct count *)arg)->fields++;
}

static void count_text(void *arg, const char *name, const char *text, size_t size) {
    assert_non_null(name);
    assert_int_equal(strlen(text), size);
    ((struct count *)arg)->fields++;
}

static void count_open(void *arg) {
    ((struct count *)arg)->depth++;
}

static void count_close(void *arg, const char *name) {
    assert_non_null(name);
    ((struct count *)arg)->depth--;
}

static int count_fields(const struct dissection *packet) {
    static const struct packet_sink sink = { count_number, count_boolean, count_text, count_open,
                                             count_close };
    struct count count = { 0 };
    dissect_fields(packet, &sink, &count);
    assert_int_equal(count.depth, 0);
    return count.fields;
}

/* --- all that can be done with a packet ---------------------------------------------------------
 */

static struct flows *flows;

static void check_payload(const struct dissection *packet, const uint8_t *bytes, uint32_t size) {
    uint32_t length;
    const uint8_t *payload = dissect_payload(packet, &length);
    if (payload) {
        assert_true(payload >= bytes && payload + length <= bytes + size);
    } else {
        assert_int_equal(length, 0);
    }
}

static void check_lines(const struct dissection *packet) {
    struct line_context context = { .dev = "veth0" };
    char full[1024], *cut = malloc(20);
    assert_non_null(cut);
    flows_follow(flows, packet, &context);
    dissect_line(packet, &context, full, sizeof full);
    dissect_line(packet, &context, cut, 20);
    assert_int_equal(strncmp(full, cut, strlen(cut)), 0);
    assert_int_equal(strlen(cut), strlen(full) < 20 ? strlen(full) : 19);
    free(cut);
}

/* In memory of exactly its size. Returns how many fields it has. */
static int tell(int link, const uint8_t *bytes, uint32_t size, uint32_t length) {
    struct dissection packet;
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    if (!size)
        free(copy), copy = NULL;
    dissect(link, copy, size, length, &packet);
    int fields = count_fields(&packet);
    check_payload(&packet, copy, size);
    check_lines(&packet);
    free(copy);
    return fields;
}

/* --- tests -------------------------------------------------------------------------------------
 */

static void test_random_bytes(void **state) {
    (void)state;
    uint8_t bytes[SIZE_MAX_HERE];
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t size = pick(sizeof bytes);
        for (uint32_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)pick(256);
        tell(links[pick(sizeof links / sizeof *links)], bytes, size, size + pick(2) * pick(2000));
    }
}

static void test_every_cut(void **state) {
    (void)state;
    uint8_t bytes[SIZE_MAX_HERE];
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        uint32_t size = read_hex(samples[i], bytes);
        int before = 0;
        for (uint32_t cut = 0; cut <= size; cut++) {
            int fields = tell(DLT_EN10MB, bytes, cut, size);
            assert_true(fields >= before);
            before = fields;
        }
        assert_true(before >= 8);
    }
}

static void test_garbled(void **state) {
    (void)state;
    uint8_t bytes[SIZE_MAX_HERE];
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t size =
            read_hex(samples[(size_t)round % (sizeof samples / sizeof *samples)], bytes);
        for (uint32_t changes = pick(6); changes > 0; changes--)
            bytes[12 + pick(size - 12)] = (uint8_t)(pick(2) ? pick(256) : pick(20));
        uint32_t cut = pick(3) ? size : pick(size + 1);
        tell(DLT_EN10MB, bytes, cut, size);
    }
}

static int set_up(void **state) {
    (void)state;
    flows = flows_new();
    return flows ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    flows_free(flows);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_garbled),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
