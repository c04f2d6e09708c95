/* Messages of qdiscs, taken apart and put together with the kernel's own structs: also of kinds
   that this kernel lacks. tests/lua/qdisc_test.lua compares with tc what the kernel makes of them.
 */
#include "child.h"

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "../../core/schema/tables.h"

static struct message m;
static struct netlink nl = { .fd = -1 };
static struct error err;

/* --- help ------------------------------------------------------------------------------------- */

static struct value text(const char *t) {
    return (struct value){ .type = VALUE_TEXT, .text = t, .length = strlen(t) };
}

static void put(struct writer *w, const char *key, const char *t) {
    struct value v = text(t);
    if (write_value(w, schema_field(w->table, key), &v, &err) < 0)
        fail_msg("%s: %s", key, err.message);
}

/* Opens the options of a new qdisc. */
static void begin(struct writer *w, struct writer *options, const char *kind) {
    const struct object *qdisc = schema_object("qdisc");
    struct value yes = { .type = VALUE_BOOL, .number = 1 };
    message_begin(&m, &nl, qdisc, schema_verb(qdisc, "add"), w);
    put(w, "kind", kind);
    assert_int_equal(write_value(w, schema_field(w->table, "root"), &yes, &err), 0);
    w->kind = schema_kind(qdisc_kinds, kind, strlen(kind));
    assert_int_equal(
        writer_nest(w, schema_field(w->table, "options"), w->kind->data, options, &err), 0);
}

static void end(struct writer *w, struct writer *options) {
    assert_int_equal(writer_end(options, &err), 0);
    assert_int_equal(writer_end(w, &err), 0);
}

/* A table of netem's options, such as delay = { delay = …, jitter = … }. */
static void put_group(struct writer *options, const char *name, const char *const (*pairs)[2]) {
    const struct field *f = schema_field(options->table, name);
    struct writer group;
    assert_int_equal(message_note(&m, f, false, &err), 0);
    assert_int_equal(writer_nest(options, f, f->of, &group, &err), 0);
    for (; (*pairs)[0]; pairs++)
        put(&group, (*pairs)[0], (*pairs)[1]);
    assert_int_equal(writer_end(&group, &err), 0);
}

static const struct nlattr *find(const void *at, size_t length, uint16_t type) {
    const struct nlattr *attr = at;
    int left = (int)length;
    for (; mnl_attr_ok(attr, left); attr = mnl_attr_next(attr)) {
        if (mnl_attr_get_type(attr) == type)
            return attr;
        left -= (int)MNL_ALIGN(attr->nla_len);
    }
    return NULL;
}

/* The payload of TCA_OPTIONS. */
static const char *sent_options(size_t *length) {
    const char *attributes =
        (const char *)mnl_nlmsg_get_payload(&m.header) + MNL_ALIGN(sizeof(struct tcmsg));
    const struct nlattr *options =
        find(attributes, (size_t)((char *)mnl_nlmsg_get_payload_tail(&m.header) - attributes),
             TCA_OPTIONS);
    assert_non_null(options);
    *length = mnl_attr_get_payload_len(options);
    return mnl_attr_get_payload(options);
}

static const void *sent(uint16_t type, size_t header, size_t size) {
    size_t length;
    const char *options = sent_options(&length);
    const struct nlattr *attr = find(options + header, length - header, type);
    assert_non_null(attr);
    assert_int_equal(mnl_attr_get_payload_len(attr), size);
    return mnl_attr_get_payload(attr);
}

static uint64_t sent_number(uint16_t type, size_t header, size_t size) {
    uint64_t number = 0;
    memcpy(&number, sent(type, header, size), size); /* which need not be aligned */
    return number;
}

static bool is_sent(uint16_t type, size_t header) {
    size_t length;
    const char *options = sent_options(&length);
    return find(options + header, length - header, type) != NULL;
}

/* --- what is sent ----------------------------------------------------------------------------- */

enum { NETEM = sizeof(struct tc_netem_qopt) };

static void test_netem(void **state) {
    static const char *const delay[][2] = {
        { "delay", "50ms" }, { "jitter", "0.5ms" }, { "correlation", "25%" }, { 0 }
    };
    static const char *const loss[][2] = { { "loss", "1%" }, { "correlation", "100%" }, { 0 } };
    static const char *const rate[][2] = { { "rate", "100gbit" }, { "celloverhead", "-5" }, { 0 } };
    static const char *const reorder[][2] = { { "reorder", "50%" }, { 0 } };
    struct writer w, options;
    size_t length;
    (void)state;
    begin(&w, &options, "netem");
    put_group(&options, "delay", delay);
    put_group(&options, "loss", loss);
    put_group(&options, "rate", rate);
    put_group(&options, "reorder", reorder);
    end(&w, &options);

    const struct tcmsg *header = mnl_nlmsg_get_payload(&m.header);
    assert_int_equal(header->tcm_parent, TC_H_ROOT);
    const struct tc_netem_qopt *qopt = (const void *)sent_options(&length);
    assert_int_equal(qopt->limit, 1000);
    assert_int_equal(qopt->loss, 42949673); /* of 2^32-1 */
    assert_int_equal(qopt->gap, 1);         /* since it reorders */
    assert_int_equal(qopt->latency, 0);
    assert_int_equal(sent_number(TCA_NETEM_LATENCY64, NETEM, 8), 50000000);
    assert_int_equal(sent_number(TCA_NETEM_JITTER64, NETEM, 8), 500000);
    const struct tc_netem_corr *corr = sent(TCA_NETEM_CORR, NETEM, sizeof *corr);
    assert_int_equal(corr->delay_corr, 1073741824);
    assert_int_equal(corr->loss_corr, UINT32_MAX);
    assert_int_equal(corr->dup_corr, 0);
    const struct tc_netem_rate *spec = sent(TCA_NETEM_RATE, NETEM, sizeof *spec);
    assert_int_equal(spec->rate, UINT32_MAX);
    assert_int_equal(spec->cell_overhead, -5);
    assert_int_equal(sent_number(TCA_NETEM_RATE64, NETEM, 8), 12500000000);
    const struct tc_netem_reorder *sent_reorder = sent(TCA_NETEM_REORDER, NETEM, 8);
    assert_int_equal(sent_reorder->probability, 2147483648);
    assert_false(is_sent(TCA_NETEM_CORRUPT, NETEM));
}

static void test_tbf(void **state) {
    struct writer w, options;
    (void)state;
    begin(&w, &options, "tbf");
    put(&options, "latency", "50ms"); /* before what it is worked out from */
    put(&options, "rate", "3mbit");
    put(&options, "burst", "10k");
    put(&options, "mpu", "64");
    put(&options, "peakrate", "40gbit");
    put(&options, "minburst", "2000");
    end(&w, &options);

    const struct tc_tbf_qopt *parms = sent(TCA_TBF_PARMS, 0, sizeof *parms);
    assert_int_equal(parms->rate.rate, 375000);
    assert_int_equal(parms->rate.mpu, 64);
    assert_int_equal(parms->rate.linklayer, TC_LINKLAYER_ETHERNET);
    assert_int_equal(parms->peakrate.rate, UINT32_MAX);
    assert_int_equal(parms->peakrate.mpu, 64);
    assert_int_equal(parms->peakrate.linklayer, TC_LINKLAYER_ETHERNET);
    assert_int_equal(parms->limit, 375000 / 20 + 10240);
    assert_int_equal(sent_number(TCA_TBF_BURST, 0, 4), 10240);
    assert_int_equal(sent_number(TCA_TBF_PBURST, 0, 4), 2000);
    assert_int_equal(sent_number(TCA_TBF_PRATE64, 0, 8), 5000000000);
    assert_false(is_sent(TCA_TBF_RATE64, 0));
    for (uint16_t type = TCA_TBF_MAX + 1; type < READER_ATTRIBUTES; type++)
        assert_false(is_sent(type, 0));
}

static void test_fq_codel(void **state) {
    struct writer w, options;
    (void)state;
    begin(&w, &options, "fq_codel");
    put(&options, "target", "7ms");
    put(&options, "ecn", "off");
    put(&options, "ce_threshold_selector", "1/3");
    end(&w, &options);
    assert_int_equal(sent_number(TCA_FQ_CODEL_TARGET, 0, 4), 7000);
    assert_int_equal(sent_number(TCA_FQ_CODEL_ECN, 0, 4), 0);
    assert_int_equal(sent_number(TCA_FQ_CODEL_CE_THRESHOLD_SELECTOR, 0, 1), 1);
    assert_int_equal(sent_number(TCA_FQ_CODEL_CE_THRESHOLD_MASK, 0, 1), 3);
}

static void test_fq(void **state) {
    struct writer w, options;
    (void)state;
    begin(&w, &options, "fq");
    put(&options, "buckets", "1000");
    put(&options, "pacing", "no");
    put(&options, "horizon_cap", "yes");
    put(&options, "timer_slack", "20us");
    end(&w, &options);
    assert_int_equal(sent_number(TCA_FQ_BUCKETS_LOG, 0, 4), 10);
    assert_int_equal(sent_number(TCA_FQ_RATE_ENABLE, 0, 4), 0);
    assert_int_equal(sent_number(TCA_FQ_HORIZON_DROP, 0, 1), 0);
    assert_int_equal(sent_number(TCA_FQ_TIMER_SLACK, 0, 4), 20000);
}

static void test_prio(void **state) {
    struct writer w, options;
    size_t length;
    (void)state;
    begin(&w, &options, "prio");
    put(&options, "bands", "4");
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(
            write_element(&options, schema_field(options.table, "priomap"), i,
                          &(struct value){ .type = VALUE_NUMBER, .number = (int64_t)i % 4 }, &err),
            0);
    end(&w, &options);
    const struct tc_prio_qopt *qopt = (const void *)sent_options(&length);
    assert_int_equal(length, sizeof *qopt);
    assert_int_equal(qopt->bands, 4);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(qopt->priomap[i], i % 4);
}

/* --- what is read ----------------------------------------------------------------------------- */

static char seen[1024];

static void see(const char *format, ...) {
    va_list arguments;
    size_t used = strlen(seen);
    va_start(arguments, format);
    vsnprintf(seen + used, sizeof seen - used, format, arguments);
    va_end(arguments);
}

static void see_value(void *arg, const struct field *f, const struct value *v) {
    (void)arg;
    see(" %s", f ? f->name : "");
    if (v->type == VALUE_TEXT)
        see("=%.*s", (int)v->length, v->text);
    else if (v->type == VALUE_REAL)
        see("=%.12g", v->real);
    else
        see("=%lld", (long long)v->number);
}

static void see_open(void *arg, const struct field *f, bool list) {
    (void)arg;
    see(" %s%s", f->name, list ? "[" : "{");
}

static void see_close(void *arg, const struct field *f, bool list) {
    (void)arg, (void)f;
    see(list ? " ]" : " }");
}

static struct nlmsghdr *reply(const char *kind) {
    static char bytes[1024];
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(bytes);
    nlh->nlmsg_type = RTM_NEWQDISC;
    struct tcmsg *header = mnl_nlmsg_put_extra_header(nlh, sizeof *header);
    header->tcm_handle = 0x00100000;
    header->tcm_parent = 0x0001000a;
    header->tcm_info = 1;
    mnl_attr_put_strz(nlh, TCA_KIND, kind);
    return nlh;
}

static void assert_seen(const struct nlmsghdr *nlh, const char *expected) {
    static const struct sink sink = { see_value, see_open, see_close };
    struct reader r;
    seen[0] = 0;
    assert_int_equal(reader_begin(&r, &qdisc_table, nlh, NULL), 0);
    schema_read(&r, &sink, NULL);
    assert_string_equal(seen, expected);
}

/* As netem_dump fills them in (net/sched/sch_netem.c). */
static void test_reading_netem(void **state) {
    struct tc_netem_qopt qopt = { .limit = 77, .loss = 42949673, .latency = 4687 };
    struct tc_netem_corr corr = { .loss_corr = UINT32_MAX };
    struct tc_netem_rate rate = { .rate = UINT32_MAX, .cell_overhead = -5 };
    struct tc_netem_corrupt corrupt = { 0 };
    struct nlmsghdr *nlh = reply("netem");
    (void)state;
    struct nlattr *options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
    memcpy(mnl_nlmsg_get_payload_tail(nlh), &qopt, sizeof qopt);
    nlh->nlmsg_len += sizeof qopt;
    mnl_attr_put_u64(nlh, TCA_NETEM_LATENCY64, 300000);
    mnl_attr_put_u64(nlh, TCA_NETEM_JITTER64, 0);
    mnl_attr_put(nlh, TCA_NETEM_CORR, sizeof corr, &corr);
    mnl_attr_put(nlh, TCA_NETEM_CORRUPT, sizeof corrupt, &corrupt);
    mnl_attr_put_u64(nlh, TCA_NETEM_RATE64, 12500000000);
    mnl_attr_put(nlh, TCA_NETEM_RATE, sizeof rate, &rate);
    mnl_attr_nest_end(nlh, options);
    assert_seen(nlh, " parent=1:a handle=10: kind=netem options{ limit=77"
                     " delay{ delay=0.0003 jitter=0 correlation=0 }"
                     " loss-random{ loss=0.01 correlation=1 }"
                     " rate{ rate=12500000000 packetoverhead=0 cellsize=0 celloverhead=-5 }"
                     " ecn=0 gap=0 }");
}

/* As tbf_dump does: the burst in ticks, the latency not at all. */
static void test_reading_tbf(void **state) {
    struct tc_tbf_qopt parms = { .rate = { .rate = 375000, .linklayer = TC_LINKLAYER_ETHERNET },
                                 .limit = 375000 / 20 + 1000,
                                 .buffer = 41666 /* of 41666.7 */ };
    struct nlmsghdr *nlh = reply("tbf");
    (void)state;
    struct nlattr *options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
    mnl_attr_put(nlh, TCA_TBF_PARMS, sizeof parms, &parms);
    mnl_attr_nest_end(nlh, options);
    assert_seen(nlh, " parent=1:a handle=10: kind=tbf options{ rate=375000 burst=1000 mpu=0"
                     " lat=50000 linklayer=ethernet }");
}

/* A limit below the burst: there is no latency. A struct that is cut short: there are no options.
 */
static void test_reading_odd_tbf(void **state) {
    struct tc_tbf_qopt parms = { .rate.rate = 1000, .limit = 10, .buffer = 15625000 };
    struct nlmsghdr *nlh = reply("tbf");
    (void)state;
    struct nlattr *options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
    mnl_attr_put(nlh, TCA_TBF_PARMS, sizeof parms, &parms);
    mnl_attr_nest_end(nlh, options);
    assert_seen(nlh, " parent=1:a handle=10: kind=tbf options{ rate=1000 burst=1000 mpu=0"
                     " limit=10 linklayer=unspec }");
    nlh = reply("tbf");
    options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
    mnl_attr_put(nlh, TCA_TBF_PARMS, 12, &parms);
    mnl_attr_nest_end(nlh, options);
    assert_seen(nlh, " parent=1:a handle=10: kind=tbf options{ rate=1000 mpu=0"
                     " linklayer=unspec }");
}

static void test_reading_others(void **state) {
    struct nlmsghdr *nlh = reply("noqueue");
    (void)state;
    assert_seen(nlh, " parent=1:a handle=10: kind=noqueue options{ }");
    nlh = reply("fq");
    struct nlattr *options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
    mnl_attr_put_u32(nlh, TCA_FQ_BUCKETS_LOG, 10);
    mnl_attr_put_u32(nlh, TCA_FQ_RATE_ENABLE, 1);
    mnl_attr_put_u32(nlh, TCA_FQ_FLOW_MAX_RATE, UINT32_MAX);
    mnl_attr_put_u32(nlh, TCA_FQ_LOW_RATE_THRESHOLD, 68750);
    mnl_attr_put_u8(nlh, TCA_FQ_HORIZON_DROP, 1);
    mnl_attr_nest_end(nlh, options);
    assert_seen(nlh, " parent=1:a handle=10: kind=fq options{ buckets=1024"
                     " low_rate_threshold=68750 horizon_drop=1 }");
    nlh = reply("htb");
    struct tc_htb_glob global = { .version = 0x30011, .rate2quantum = 10, .defcls = 0x1f };
    options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
    mnl_attr_put(nlh, TCA_HTB_INIT, sizeof global, &global);
    mnl_attr_nest_end(nlh, options);
    assert_seen(nlh, " parent=1:a handle=10: kind=htb options{ r2q=10 default=0x1f"
                     " direct_packets_stat=0 ver=3.17 }");
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_netem),          cmocka_unit_test(test_tbf),
        cmocka_unit_test(test_fq_codel),       cmocka_unit_test(test_fq),
        cmocka_unit_test(test_prio),           cmocka_unit_test(test_reading_netem),
        cmocka_unit_test(test_reading_tbf),    cmocka_unit_test(test_reading_odd_tbf),
        cmocka_unit_test(test_reading_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
