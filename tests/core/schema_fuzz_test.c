/* Messages of the kernel, cut and garbled, read in every way there is: nothing may be read that is
   not theirs. The sanitizers see it; the numbers are the same in each run. */
#include "child.h"

#include <linux/rtnetlink.h>
#include <sanitizer/asan_interface.h>

#include "../../core/monitor.h"
#include "../../core/netlink.h"
#include "../../core/sandbox.h"
#include "../../core/schema/tables.h"

enum { ROUNDS = 50000, SAMPLES = 256 };

static const char setup[] =
    "{ set -e; ip link set lo up; ip link add br0 type bridge;"
    "ip link add veth0 up master br0 type veth peer name veth1;"
    "ip link property add dev veth1 altname another altname one-more-name-of-the-same-link;"
    "ip link set veth1 up alias 'it is mine'; ip link set br0 up;"
    "ip addr add 10.0.0.1/24 brd + dev veth1; ip addr add 10.1.0.1 peer 10.1.0.2/32 dev br0;"
    "ip addr add 2001:db8::1/64 dev veth1 nodad valid_lft 1000 preferred_lft 500;"
    "ip route add 10.9.0.0/16 via 10.0.0.9 mtu 1400 window 5 src 10.0.0.1 table 7;"
    "ip route add blackhole 10.8.0.0/16; ip -6 route add 2001:db8:9::/48 via 2001:db8::9;"
    "ip route add 10.7.0.0/16 nexthop via 10.0.0.8 weight 3 nexthop via inet6 2001:db8::8 dev "
    "veth1;"
    "ip route add 10.6.0.0/16 via 10.0.0.9 realms 7/9 mtu lock 1400 rtt 50ms congctl reno;"
    "ip nexthop add id 1 via 10.0.0.8 dev veth1; ip nexthop add id 2 group 1,7;"
    "ip nexthop add id 3 group 1 type resilient buckets 8; ip route add 10.5.0.0/16 nhid 2;"
    "ip rule add pref 9 tun_id 7 realms 7/9 sport 80-90;"
    "bridge mdb add dev br0 port veth0 grp 239.1.1.1 src 10.0.0.1 permanent;"
    "bridge mdb add dev br0 port veth0 grp ff0e::1 permanent;"
    "ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev veth1;"
    "ip neigh add proxy 10.0.0.8 dev veth1;"
    "tc qdisc add dev veth1 root handle 1: htb default 1;"
    "tc class add dev veth1 parent 1: classid 1:1 htb rate 1mbit;"
    "tc qdisc add dev veth1 parent 1:1 bfifo; tc qdisc add dev veth1 clsact;"
    "tc qdisc add dev br0 root tbf rate 1mbit burst 32k latency 50ms peakrate 2mbit minburst 2k;"
    "tc qdisc add dev lo root netem delay 50ms 5ms loss 1% 5% rate 10mbit || true; }"
    " >/dev/null 2>&1";

static struct sample {
    const struct object *object;
    struct nlmsghdr *nlh;
} samples[SAMPLES];
static size_t sample_count;

static struct message message;
static struct netlink nl;
static struct netlink_buffer buffer;
static struct error err;

/* --- samples ---------------------------------------------------------------------------------- */

static void keep(const struct object *object, const struct nlmsghdr *nlh) {
    if (sample_count == SAMPLES || nlh->nlmsg_len > MESSAGE_MAX)
        return;
    struct nlmsghdr *copy = malloc(nlh->nlmsg_len);
    assert_non_null(copy);
    samples[sample_count++] = (struct sample){ object, memcpy(copy, nlh, nlh->nlmsg_len) };
}

static int collect(const struct object *object) {
    union {
        struct nlmsghdr header;
        char bytes[128];
    } request;
    struct nlmsghdr *nlh;
    char filter[64] = { 0 };
    int more;
    mnl_nlmsg_put_header(&request)->nlmsg_type = object->get;
    mnl_nlmsg_put_extra_header(&request.header, object->table->header);
    if (object->prepare_dump)
        object->prepare_dump(filter, &request.header);
    if (netlink_dump(&nl, &request.header, &err) < 0)
        return -1;
    while ((more = netlink_next(&nl, &nlh, &err)) > 0)
        keep(object, nlh);
    return more;
}

static int collect_samples(void **state) {
    (void)state;
    if (sandbox_enter(&err) < 0 || system(setup) != 0 || netlink_open(&nl, -1, &buffer, &err) < 0)
        return -1;
    for (const struct object *object = objects; object->name; object++)
        if (!object->generic && collect(object) < 0 &&
            err.code != EOPNOTSUPP) /* bridges without VLANs */
            return -1;
    print_message("%zu messages of the kernel\n", sample_count);
    return 0;
}

static int free_samples(void **state) {
    (void)state;
    while (sample_count)
        free(samples[--sample_count].nlh);
    netlink_close(&nl);
    free(buffer.bytes);
    return 0;
}

/* --- garbling --------------------------------------------------------------------------------- */

static uint32_t random_state = 2463534242u;

/* Marsaglia's xorshift, from 0 to n - 1. */
static uint32_t pick(uint32_t n) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % n;
}

/* A length or type where there may be one; any byte anywhere. */
static void garble(char *bytes, uint32_t length) {
    static const uint16_t lengths[] = { 0, 1, 3, 4, 5, 8, 0x7fff, 0xfffc, 0xffff, 0x8001 };
    uint32_t at = pick(length);
    if (pick(2) && length >= 4)
        memcpy(bytes + (at & ~1u) % (length - 1), &lengths[pick(10)], 2);
    else
        bytes[at] = (char)pick(256);
}

/* In memory of exactly its size. */
static struct nlmsghdr *garbled(const struct nlmsghdr *nlh) {
    uint32_t length = nlh->nlmsg_len;
    if (pick(4) == 0)
        length = MNL_NLMSG_HDRLEN + pick(length - MNL_NLMSG_HDRLEN + 1);
    struct nlmsghdr *copy = malloc(length);
    assert_non_null(copy);
    memcpy(copy, nlh, length);
    copy->nlmsg_len = length;
    if (length > MNL_NLMSG_HDRLEN)
        for (uint32_t i = pick(9); i > 0; i--)
            garble((char *)copy + MNL_NLMSG_HDRLEN, length - MNL_NLMSG_HDRLEN);
    return copy;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct seen {
    int depth, values, bytes;
};

static void see_value(void *arg, const struct field *f, const struct value *v) {
    struct seen *seen = arg;
    assert_true(!f || f->name);
    for (size_t i = 0; v->type == VALUE_TEXT && i < v->length; i++)
        seen->bytes += v->text[i] != 0;
    seen->values++;
}

static void see_open(void *arg, const struct field *f, bool list) {
    struct seen *seen = arg;
    (void)f, (void)list;
    seen->depth++;
}

static void see_close(void *arg, const struct field *f, bool list) {
    struct seen *seen = arg;
    (void)f, (void)list;
    seen->depth--;
}

static void read_record(const struct object *object, const struct reader *r, struct seen *seen) {
    static const struct sink sink = { see_value, see_open, see_close };
    if (object->hidden)
        object->hidden(r);
    schema_read(r, &sink, seen);
    assert_int_equal(seen->depth, 0);
    schema_matches(&message, r);
}

static int read_all(const struct object *object, const struct nlmsghdr *nlh,
                    const struct netlink *names) {
    struct records records = { object, nlh, names };
    struct seen seen = { 0 };
    char key[KEY_MAX];
    bool gone;
    monitor_object(nlh, &gone);
    assert_in_range(schema_key(object, nlh, key), 0, sizeof key);
    while (records_next(&records))
        read_record(object, &records.reader, &seen);
    return seen.values;
}

/* The same bytes as a request of our own, in which a caller gave every key. */
static void give_all(const struct table *table, const struct kind *kind, int depth) {
    for (const struct field *f = table->fields; f->meaning; f++)
        if (field_is_nest(f) && depth < 3 && schema_nested(f, kind, kind))
            give_all(schema_nested(f, kind, kind), kind, depth + 1);
        else if (f->meaning == RECORDS && depth < 3)
            give_all(f->of, NULL, depth + 1);
        else if (message.given_count < MESSAGE_FIELDS)
            message.given[message.given_count++] = f;
}

static void begin_message(const struct object *object, const struct nlmsghdr *nlh) {
    struct writer w;
    message_begin(&message, &nl, object, object->verbs, &w);
    memcpy(message.bytes, nlh, nlh->nlmsg_len);
    give_all(object->table, object->table->kinds, 0);
    message.namespace_count = 1;
    ASAN_POISON_MEMORY_REGION(message.bytes + nlh->nlmsg_len, MESSAGE_MAX - nlh->nlmsg_len);
}

static void end_message(void) {
    ASAN_UNPOISON_MEMORY_REGION(message.bytes, MESSAGE_MAX);
    message.namespace_count = 0;
}

static void say(uint32_t size) {
    char *text = malloc(size), key[64];
    assert_non_null(text);
    struct refusal refusal = { .offset = pick(message.header.nlmsg_len + 4) };
    if (schema_command(&message, pick(2) ? "it's" : NULL, text, size))
        assert_in_range(strlen(text), 1, size - 1);
    schema_locate(&message, &refusal, key, sizeof key);
    assert_in_range(strlen(key), 0, sizeof key - 1);
    refusal = (struct refusal){ .missing = pick(64) };
    schema_locate(&message, &refusal, key, 1 + pick(sizeof key));
    free(text);
}

static void test_valid_messages(void **state) {
    (void)state;
    for (size_t i = 0; i < sample_count; i++) {
        begin_message(samples[i].object, samples[i].nlh);
        assert_in_range(read_all(samples[i].object, samples[i].nlh, &nl), 1, 200);
        say(4096);
        end_message();
    }
}

static void test_garbled_messages(void **state) {
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        const struct sample *sample = &samples[pick((uint32_t)sample_count)];
        struct nlmsghdr *nlh = garbled(sample->nlh);
        begin_message(sample->object, nlh);
        read_all(sample->object, nlh, i % 16 ? NULL : &nl);
        say(1 + pick(1000));
        end_message();
        free(nlh);
    }
}

/* Another object's rows, and so another header, attributes and nests. */
static void test_foreign_messages(void **state) {
    (void)state;
    for (size_t i = 0; i < sample_count; i++)
        for (const struct object *object = objects; object->name; object++) {
            begin_message(object, samples[i].nlh);
            read_all(object, samples[i].nlh, NULL);
            say(1000);
            end_message();
        }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_messages),
        cmocka_unit_test(test_garbled_messages),
        cmocka_unit_test(test_foreign_messages),
    };
    return cmocka_run_group_tests(tests, collect_samples, free_samples);
}
