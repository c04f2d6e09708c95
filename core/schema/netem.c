/* netem: struct tc_netem_qopt and TCA_NETEM_* (linux/pkt_sched.h; net/sched/sch_netem.c). A record
   has the tables of tc's JSON; their fields may also stand beside each other:
   `delay = { delay = "50ms", jitter = "5ms" }` is `delay = "50ms", jitter = "5ms"`. */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <string.h>

#include "tables.h"
#include "unit.h"

/* Each kind of trouble is correlated with the last packet's. */
#define CORRELATION(attribute, type, member)                                             \
    {                                                                                    \
        "correlation", QUANTITY, U32, .attr = attribute, PART(type, member),             \
                                      .flags = ALWAYS | INSIDE, .of = &unit_share,       \
                                      .help = "how much it depends on the packet before" \
    }

#define TABLE_OF(name_)                                            \
    {                                                              \
        .name = #name_, .fields = name_##_fields, .first = #name_, \
        .header = sizeof(struct tc_netem_qopt)                     \
    }

/* The attributes count nanoseconds, the struct that tc uses units of 64. */
static const struct field delay_fields[] = {
    { "delay", QUANTITY, U64, .attr = TCA_NETEM_LATENCY64, .of = &unit_seconds_ns },
    { "jitter", QUANTITY, U64, .attr = TCA_NETEM_JITTER64, .flags = ALWAYS, .of = &unit_seconds_ns,
      .help = "how much it varies" },
    CORRELATION(TCA_NETEM_CORR, tc_netem_corr, delay_corr),
    { 0 },
};

static const struct field loss_fields[] = {
    { "loss", QUANTITY, U32, HEADER(tc_netem_qopt, loss), .of = &unit_share },
    CORRELATION(TCA_NETEM_CORR, tc_netem_corr, loss_corr),
    { 0 },
};

static const struct field duplicate_fields[] = {
    { "duplicate", QUANTITY, U32, HEADER(tc_netem_qopt, duplicate), .of = &unit_share },
    CORRELATION(TCA_NETEM_CORR, tc_netem_corr, dup_corr),
    { 0 },
};

static const struct field reorder_fields[] = {
    { "reorder", QUANTITY, U32, .attr = TCA_NETEM_REORDER, PART(tc_netem_reorder, probability),
      .of = &unit_share },
    CORRELATION(TCA_NETEM_REORDER, tc_netem_reorder, correlation),
    { 0 },
};

static const struct field corrupt_fields[] = {
    { "corrupt", QUANTITY, U32, .attr = TCA_NETEM_CORRUPT, PART(tc_netem_corrupt, probability),
      .of = &unit_share },
    CORRELATION(TCA_NETEM_CORRUPT, tc_netem_corrupt, correlation),
    { 0 },
};

#define RATE(member) .attr = TCA_NETEM_RATE, PART(tc_netem_rate, member)

static const struct field rate_fields[] = {
    { "rate", QUANTITY, U32, RATE(rate), .wide = TCA_NETEM_RATE64, .of = &unit_rate },
    { "packetoverhead", NUMBER, S32, RATE(packet_overhead), .help = "bytes, may be negative" },
    { "cellsize", NUMBER, U32, RATE(cell_size), .help = "bytes" },
    { "celloverhead", NUMBER, S32, RATE(cell_overhead), .help = "bytes, may be negative" },
    { 0 },
};

static const struct table delay_table = TABLE_OF(delay), loss_table = TABLE_OF(loss),
                          duplicate_table = TABLE_OF(duplicate), reorder_table = TABLE_OF(reorder),
                          corrupt_table = TABLE_OF(corrupt), rate_table = TABLE_OF(rate);

static const struct field netem_fields[] = {
    { "limit", NUMBER, U32, HEADER(tc_netem_qopt, limit), .help = "packets" },
    { "delay", GROUP, .flags = FLAT, .of = &delay_table },
    { "loss-random", GROUP, .flags = FLAT, .word = "loss", .of = &loss_table },
    { "duplicate", GROUP, .flags = FLAT, .of = &duplicate_table },
    { "reorder", GROUP, .flags = FLAT, .of = &reorder_table },
    { "corrupt", GROUP, .flags = FLAT, .of = &corrupt_table },
    { "rate", GROUP, .flags = FLAT, .of = &rate_table },
    { "ecn", SWITCH, U32, .attr = TCA_NETEM_ECN, .flags = ALWAYS, .bit = 1,
      .help = "mark what would be lost" },
    { "gap", NUMBER, U32, HEADER(tc_netem_qopt, gap), .help = "every so many are reordered" },
    { 0 },
};

/* --- what tc adds or refuses (tc/q_netem.c) --------------------------------------------------- */

static int refuse(const char *key, const char *sentence, struct error *err) {
    error_set(err, EINVAL, "%s", sentence);
    strcpy(err->key, key);
    return -1;
}

static bool has_delay(const struct writer *w) {
    const struct nlattr *delay = writer_find(w, TCA_NETEM_LATENCY64);
    return delay && mnl_attr_get_u64(delay);
}

static bool has_reorder(const struct writer *w) {
    const struct nlattr *reorder = writer_find(w, TCA_NETEM_REORDER);
    return reorder && ((struct tc_netem_reorder *)mnl_attr_get_payload(reorder))->probability;
}

static bool has_ecn(const struct writer *w) {
    const struct nlattr *ecn = writer_find(w, TCA_NETEM_ECN);
    return ecn && mnl_attr_get_u32(ecn);
}

static int finish_netem(struct writer *w, struct error *err) {
    struct tc_netem_qopt *options = (struct tc_netem_qopt *)w->header;
    if (message_filters(w->message))
        return 0;
    if (!is_given(w, "limit"))
        options->limit = 1000;
    if (has_reorder(w) && !has_delay(w))
        return refuse("reorder", "only what is delayed can be overtaken: it needs a delay", err);
    if (options->gap && !has_reorder(w))
        return refuse("gap", "it needs reorder", err);
    if (has_ecn(w) && !options->loss)
        return refuse("ecn", "it needs loss", err);
    if (has_reorder(w) && !options->gap)
        options->gap = 1;
    return 0;
}

const struct table netem_table = { .name = "netem",
                                   .fields = netem_fields,
                                   .header = sizeof(struct tc_netem_qopt),
                                   .finish = finish_netem };
