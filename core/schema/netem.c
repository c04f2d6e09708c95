/* netem: struct tc_netem_qopt and TCA_NETEM_* (linux/pkt_sched.h; net/sched/sch_netem.c). A record
   has the tables of tc's JSON; their fields may also stand beside each other:
   `delay = { delay = "50ms", jitter = "5ms" }` is `delay = "50ms", jitter = "5ms"`. */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <string.h>

#include "distribution.h"
#include "tables.h"
#include "unit.h"

enum { DISTRIBUTION = OWN_ATTRIBUTES }; /* its name */

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

#define SLOT(member) .attr = TCA_NETEM_SLOT, PART(tc_netem_slot, member)

static const struct field slot_fields[] = {
    { "min-delay", QUANTITY, U64, SLOT(min_delay), .of = &unit_seconds_ns },
    { "max-delay", QUANTITY, U64, SLOT(max_delay), .of = &unit_seconds_ns },
    { "packets", NUMBER, S32, SLOT(max_packets), .word = "packets", .max = INT32_MAX },
    { "bytes", QUANTITY, S32, SLOT(max_bytes), .word = "bytes", .of = &unit_size },
    { 0 },
};

static int finish_slot(struct writer *w, struct error *err) {
    struct nlattr *attr = writer_find(w, TCA_NETEM_SLOT);
    struct tc_netem_slot *slot = attr ? mnl_attr_get_payload(attr) : NULL;
    if (!slot || !is_given(w, "min-delay"))
        return refuse_missing("min-delay", err);
    if (!is_given(w, "max-delay"))
        slot->max_delay = slot->min_delay;
    return 0;
}

static const struct table delay_table = TABLE_OF(delay), loss_table = TABLE_OF(loss),
                          duplicate_table = TABLE_OF(duplicate), reorder_table = TABLE_OF(reorder),
                          corrupt_table = TABLE_OF(corrupt), rate_table = TABLE_OF(rate);

static int refuse(const char *key, const char *sentence, struct error *err) {
    error_set(err, EINVAL, "%s", sentence);
    strcpy(err->key, key);
    return -1;
}

/* --- what is lost by a model ------------------------------------------------------------------ */

#define STATE(name_, of_)                                                            \
    {                                                                                \
#name_, QUANTITY, U32, .attr = NETEM_LOSS_GI, PART(tc_netem_gimodel, name_), \
                               .of = &unit_share, .help = of_                        \
    }

static const struct field state_fields[] = {
    STATE(p13, "that losses begin"),
    STATE(p31, "that they end"),
    STATE(p32, "that something arrives amid losses"),
    STATE(p23, "that losses go on behind that"),
    STATE(p14, "that one is lost alone"),
    { 0 },
};

#define GILBERT(member) \
    QUANTITY, U32, .attr = NETEM_LOSS_GE, PART(tc_netem_gemodel, member), .of = &unit_share

static const struct field gemodel_fields[] = {
    { "p", GILBERT(p), .help = "that it turns bad" },
    { "r", GILBERT(r), .help = "that it turns good" },
    { "1-h", GILBERT(h), .flags = INVERTED, .help = "what is lost while it is bad" },
    { "1-k", GILBERT(k1), .help = "what is lost while it is good" },
    { 0 },
};

/* As tc completes them: each loss alone. */
static int finish_state(struct writer *w, struct error *err) {
    struct nlattr *attr = writer_find(w, NETEM_LOSS_GI);
    struct tc_netem_gimodel *model = attr ? mnl_attr_get_payload(attr) : NULL;
    if (!model || !is_given(w, "p13"))
        return refuse_missing("p13", err);
    if (!is_given(w, "p31"))
        model->p31 = UINT32_MAX - model->p13;
    if (!is_given(w, "p23"))
        model->p23 = UINT32_MAX;
    return 0;
}

static int finish_gemodel(struct writer *w, struct error *err) {
    struct nlattr *attr = writer_find(w, NETEM_LOSS_GE);
    struct tc_netem_gemodel *model = attr ? mnl_attr_get_payload(attr) : NULL;
    if (!model || !is_given(w, "p"))
        return refuse_missing("p", err);
    if (!is_given(w, "r"))
        model->r = UINT32_MAX - model->p;
    return 0;
}

static const struct table slot_table = { .name = "slot",
                                         .fields = slot_fields,
                                         .first = "min-delay",
                                         .finish = finish_slot },
                          state_table = { .name = "loss-state",
                                          .fields = state_fields,
                                          .first = "p13",
                                          .finish = finish_state },
                          gemodel_table = { .name = "loss-gemodel",
                                            .fields = gemodel_fields,
                                            .first = "p",
                                            .finish = finish_gemodel };

static const struct field model_fields[] = {
    { "loss-state", GROUP, .word = "loss state", .of = &state_table,
      .help = "four states: { p13, p31, p32, p23, p14 }" },
    { "loss-gemodel", GROUP, .word = "loss gemodel", .of = &gemodel_table,
      .help = "Gilbert-Elliott: { p, r, 1-h, 1-k }" },
    { 0 },
};

static int refuse_losses(struct error *err) {
    return refuse("loss", "either at random, or by one model", err);
}

static int finish_model(struct writer *w, struct error *err) {
    return writer_find(w, NETEM_LOSS_GI) && writer_find(w, NETEM_LOSS_GE) ? refuse_losses(err) : 0;
}

static const struct table model_table = { .name = "loss model",
                                          .fields = model_fields,
                                          .finish = finish_model };

static const struct field netem_fields[] = {
    { "limit", NUMBER, U32, HEADER(tc_netem_qopt, limit), .help = "packets" },
    { "delay", GROUP, .flags = FLAT, .of = &delay_table },
    { "distribution", STRING, .attr = DISTRIBUTION, .flags = WRITE_ONLY | UNTOLD, .min = 1,
      .max = 63,
      .help = "of the delays: \"normal\", \"pareto\", \"paretonormal\", \"experimental\"" },
    { "loss-random", GROUP, .flags = FLAT, .word = "loss", .of = &loss_table },
    { NULL, NESTED, .attr = TCA_NETEM_LOSS, .flags = FLAT, .of = &model_table },
    { "duplicate", GROUP, .flags = FLAT, .of = &duplicate_table },
    { "reorder", GROUP, .flags = FLAT, .of = &reorder_table },
    { "corrupt", GROUP, .flags = FLAT, .of = &corrupt_table },
    { "rate", GROUP, .flags = FLAT, .of = &rate_table },
    { "slot", GROUP, .of = &slot_table,
      .help = "packets go in bunches, so far apart: { min-delay, max-delay, packets, bytes }" },
    { "ecn", SWITCH, U32, .attr = TCA_NETEM_ECN, .flags = ALWAYS, .bit = 1,
      .help = "mark what would be lost" },
    { "gap", NUMBER, U32, HEADER(tc_netem_qopt, gap), .help = "every so many are reordered" },
    { 0 },
};

/* --- what tc adds or refuses (tc/q_netem.c) --------------------------------------------------- */

static bool has(const struct writer *w, uint16_t type) {
    const struct nlattr *attr = writer_find(w, type);
    return attr && mnl_attr_get_u64(attr);
}

static bool has_delay(const struct writer *w) {
    return has(w, TCA_NETEM_LATENCY64);
}

static bool has_reorder(const struct writer *w) {
    const struct nlattr *reorder = writer_find(w, TCA_NETEM_REORDER);
    return reorder && ((struct tc_netem_reorder *)mnl_attr_get_payload(reorder))->probability;
}

static bool has_ecn(const struct writer *w) {
    const struct nlattr *ecn = writer_find(w, TCA_NETEM_ECN);
    return ecn && mnl_attr_get_u32(ecn);
}

static int check_loss(const struct writer *w, const struct tc_netem_qopt *options,
                      struct error *err) {
    bool model = writer_find(w, TCA_NETEM_LOSS);
    if (options->loss && model)
        return refuse_losses(err);
    return has_ecn(w) && !options->loss && !model ? refuse("ecn", "it needs loss", err) : 0;
}

/* The table of that name. What it is called stays in the message for the command. */
static int add_distribution(struct writer *w, struct error *err) {
    static int16_t numbers[NETEM_DIST_MAX];
    const struct nlattr *name = writer_find(w, DISTRIBUTION);
    if (!name)
        return 0;
    if (!has_delay(w) || !has(w, TCA_NETEM_JITTER64))
        return refuse("distribution", "it needs a delay and a jitter", err);
    int count = distribution_read(mnl_attr_get_str(name), numbers, NETEM_DIST_MAX, err);
    if (count < 0) {
        strcpy(err->key, "distribution");
        return -1;
    }
    return write_attribute(w, TCA_NETEM_DELAY_DIST, numbers, (size_t)count * sizeof *numbers, err);
}

static int finish_netem(struct writer *w, struct error *err) {
    struct tc_netem_qopt *options = (struct tc_netem_qopt *)w->header;
    if (message_filters(w->message))
        return 0;
    if (!is_given(w, "limit"))
        options->limit = 1000;
    if (check_loss(w, options, err) < 0 || add_distribution(w, err) < 0)
        return -1;
    if (has_reorder(w) && !has_delay(w))
        return refuse("reorder", "only what is delayed can be overtaken: it needs a delay", err);
    if (options->gap && !has_reorder(w))
        return refuse("gap", "it needs reorder", err);
    if (has_reorder(w) && !options->gap)
        options->gap = 1;
    return 0;
}

const struct table netem_table = { .name = "netem",
                                   .fields = netem_fields,
                                   .header = sizeof(struct tc_netem_qopt),
                                   .finish = finish_netem };
