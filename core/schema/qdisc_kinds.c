/* The options of the simpler kinds of qdisc (linux/pkt_sched.h; net/sched/sch_NAME.c). */
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "red.h"
#include "unit.h"

/* --- pfifo, bfifo ----------------------------------------------------------------------------- */

static const struct field pfifo_fields[] = {
    { "limit", NUMBER, U32, HEADER(tc_fifo_qopt, limit), .help = "packets" },
    { 0 },
};

static const struct field bfifo_fields[] = {
    { "limit", QUANTITY, U32, HEADER(tc_fifo_qopt, limit), .of = &unit_size, .help = "bytes" },
    { 0 },
};

const struct table pfifo_table = { .name = "pfifo",
                                   .fields = pfifo_fields,
                                   .header = sizeof(struct tc_fifo_qopt) };
const struct table bfifo_table = { .name = "bfifo",
                                   .fields = bfifo_fields,
                                   .header = sizeof(struct tc_fifo_qopt) };

/* --- prio ------------------------------------------------------------------------------------- */

#define BANDS S32, HEADER(tc_prio_qopt, bands), .min = 2, .max = TCQ_PRIO_BANDS, .help = "how many"
#define PRIOMAP \
    U8, HEADER(tc_prio_qopt, priomap), .bit = TC_PRIO_MAX + 1, .help = "the band of each priority"

static const struct field prio_fields[] = {
    { "bands", NUMBER, BANDS },
    { "priomap", NUMBERS, PRIOMAP },
    { 0 },
};

static const struct field pfifo_fast_fields[] = {
    { "bands", NUMBER, BANDS, .flags = READ_ONLY },
    { "priomap", NUMBERS, PRIOMAP, .flags = READ_ONLY },
    { 0 },
};

/* The priomap of pfifo_fast (net/sched/sch_generic.c), which is also tc's. */
static int finish_prio(struct writer *w, struct error *err) {
    static const __u8 priomap[TC_PRIO_MAX + 1] = { 1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1 };
    struct tc_prio_qopt *options = (struct tc_prio_qopt *)w->header;
    (void)err;
    if (message_filters(w->message))
        return 0;
    if (!is_given(w, "bands"))
        options->bands = 3;
    if (!is_given(w, "priomap"))
        memcpy(options->priomap, priomap, sizeof priomap);
    return 0;
}

const struct table prio_table = { .name = "prio",
                                  .fields = prio_fields,
                                  .header = sizeof(struct tc_prio_qopt),
                                  .finish = finish_prio };
const struct table pfifo_fast_table = { .name = "pfifo_fast",
                                        .fields = pfifo_fast_fields,
                                        .header = sizeof(struct tc_prio_qopt) };

/* --- sfq -------------------------------------------------------------------------------------- */

#define RED_SWITCH(bit_) SWITCH, U8, HEADER(tc_sfq_qopt_v1, flags), .bit = bit_

static const struct field sfq_fields[] = {
    { "limit", NUMBER, U32, HEADER(tc_sfq_qopt_v1, v0.limit), .help = "packets" },
    { "quantum", QUANTITY, U32, HEADER(tc_sfq_qopt_v1, v0.quantum), .of = &unit_size,
      .help = "what a flow may send in its turn" },
    { "depth", NUMBER, U32, HEADER(tc_sfq_qopt_v1, depth), .flags = ONLY_TRUE,
      .help = "packets of one flow" },
    { "headdrop", SWITCH, U32, HEADER(tc_sfq_qopt_v1, headdrop), .bit = 1 },
    { "flows", NUMBER, U32, HEADER(tc_sfq_qopt_v1, v0.flows) },
    { "divisor", NUMBER, U32, HEADER(tc_sfq_qopt_v1, v0.divisor), .help = "hash buckets" },
    { "perturb", NUMBER, S32, HEADER(tc_sfq_qopt_v1, v0.perturb_period), .flags = ONLY_TRUE,
      .max = INT32_MAX, .help = "seconds until flows are hashed anew" },
    { "redflowlimit", NUMBER, U32, HEADER(tc_sfq_qopt_v1, limit), .flags = WRITE_ONLY | UNTOLD,
      .help = "RED in each flow: bytes of one" },
    { "ewma", NUMBER, U8, HEADER(tc_sfq_qopt_v1, Wlog), .flags = ONLY_TRUE | NOT_SAID, .min = 1,
      .max = 31, .help = "instead of avpkt and burst: the exponent of the average's weight" },
    { "min", NUMBER, U32, HEADER(tc_sfq_qopt_v1, qth_min), .flags = ONLY_TRUE,
      .help = "the average from which on packets are marked" },
    { "max", NUMBER, U32, HEADER(tc_sfq_qopt_v1, qth_max), .flags = ONLY_TRUE,
      .help = "the average at which the probability is reached" },
    { "avpkt", NUMBER, U32, .attr = RED_AVPKT, .flags = WRITE_ONLY | UNTOLD,
      .help = "bytes of an average packet" },
    { "burst", NUMBER, U32, .attr = RED_BURST, .flags = WRITE_ONLY | UNTOLD,
      .help = "packets that may come at once" },
    { "probability", QUANTITY, U32, HEADER(tc_sfq_qopt_v1, max_P), .flags = ONLY_TRUE,
      .of = &unit_probability },
    { "ecn", RED_SWITCH(TC_RED_ECN), .help = "mark what would be dropped" },
    { "harddrop", RED_SWITCH(TC_RED_HARDDROP), .help = "drop above max, also with ecn" },
    { 0 },
};

static bool wants_red(const struct writer *w) {
    static const char *const words[] = { "redflowlimit", "min",  "max", "avpkt",   "burst",
                                         "probability",  "ewma", "ecn", "harddrop" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_given(w, words[i]))
            return true;
    return false;
}

/* The kernel tells no limit, but tc wants one. */
static int limit_of_record(struct writer *w, struct tc_sfq_qopt_v1 *options, struct error *err) {
    if (!options->Wlog || options->limit)
        return 0;
    options->limit = options->qth_max;
    return message_note(w->message, schema_field(w->table, "redflowlimit"), false, err);
}

static int prepare_red(struct writer *w, struct tc_sfq_qopt_v1 *options, struct error *err) {
    static const uint32_t usual = 1000;
    if (!is_given(w, "probability"))
        options->max_P = RED_PROBABILITY;
    if (!options->Wlog && !is_given(w, "avpkt"))
        return write_attribute(w, RED_AVPKT, &usual, sizeof usual, err);
    return limit_of_record(w, options, err);
}

static int finish_sfq(struct writer *w, struct error *err) {
    struct tc_sfq_qopt_v1 *options = (struct tc_sfq_qopt_v1 *)w->header;
    if (w->message->verb->type != RTM_NEWQDISC || !wants_red(w))
        return 0;
    if (prepare_red(w, options, err) < 0)
        return -1;
    struct red red = { .limit = options->limit,
                       .min = options->qth_min,
                       .max = options->qth_max,
                       .probability = options->max_P / 0x1p32,
                       .ewma = options->Wlog };
    if (red_complete(w, &red, "redflowlimit", err) < 0)
        return -1;
    options->qth_min = red.min;
    options->qth_max = red.max;
    options->Wlog = red.ewma;
    options->Plog = red.plog;
    return 0;
}

const struct table sfq_table = { .name = "sfq",
                                 .fields = sfq_fields,
                                 .header = sizeof(struct tc_sfq_qopt_v1),
                                 .finish = finish_sfq };

/* --- fq --------------------------------------------------------------------------------------- */

static const struct field fq_fields[] = {
    { "limit", NUMBER, U32, .attr = TCA_FQ_PLIMIT, .help = "packets" },
    { "flow_limit", NUMBER, U32, .attr = TCA_FQ_FLOW_PLIMIT, .help = "packets of one flow" },
    { "buckets", POWER, U32, .attr = TCA_FQ_BUCKETS_LOG, .min = 1, .max = INT64_C(1) << 31 },
    { "orphan_mask", NUMBER, U32, .attr = TCA_FQ_ORPHAN_MASK },
    { "pacing", SWITCH, U32, .attr = TCA_FQ_RATE_ENABLE, .flags = ONLY_FALSE, .bit = 1,
      .of = "nopacing" },
    { "quantum", NUMBER, U32, .attr = TCA_FQ_QUANTUM, .help = "bytes" },
    { "initial_quantum", NUMBER, U32, .attr = TCA_FQ_INITIAL_QUANTUM, .help = "bytes" },
    { "maxrate", QUANTITY, U32, .attr = TCA_FQ_FLOW_MAX_RATE, .flags = UNLESS, .of = &unit_rate,
      .bit = UINT32_MAX, .help = "of one flow" },
    { "defrate", QUANTITY, U32, .attr = TCA_FQ_FLOW_DEFAULT_RATE, .flags = ONLY_TRUE,
      .of = &unit_rate },
    { "low_rate_threshold", QUANTITY, U32, .attr = TCA_FQ_LOW_RATE_THRESHOLD, .flags = ONLY_TRUE,
      .of = &unit_rate },
    { "refill_delay", QUANTITY, U32, .attr = TCA_FQ_FLOW_REFILL_DELAY, .of = &unit_us },
    { "ce_threshold", QUANTITY, U32, .attr = TCA_FQ_CE_THRESHOLD, .flags = UNLESS, .of = &unit_us,
      .bit = UINT32_MAX },
    { "timer_slack", QUANTITY, U32, .attr = TCA_FQ_TIMER_SLACK, .of = &unit_ns },
    { "horizon", QUANTITY, U32, .attr = TCA_FQ_HORIZON, .of = &unit_us },
    { "horizon_drop", SWITCH, U8, .attr = TCA_FQ_HORIZON_DROP, .bit = 1 },
    { "horizon_cap", SWITCH, U8, .attr = TCA_FQ_HORIZON_DROP, .flags = INVERTED, .bit = 1 },
    { 0 },
};

const struct table fq_table = { .name = "fq", .fields = fq_fields };

/* --- fq_codel --------------------------------------------------------------------------------- */

static const struct field fq_codel_fields[] = {
    { "limit", NUMBER, U32, .attr = TCA_FQ_CODEL_LIMIT, .help = "packets" },
    { "flows", NUMBER, U32, .attr = TCA_FQ_CODEL_FLOWS },
    { "quantum", NUMBER, U32, .attr = TCA_FQ_CODEL_QUANTUM, .help = "bytes" },
    { "target", QUANTITY, U32, .attr = TCA_FQ_CODEL_TARGET, .of = &unit_us,
      .help = "the delay that is acceptable" },
    { "ce_threshold", QUANTITY, U32, .attr = TCA_FQ_CODEL_CE_THRESHOLD, .of = &unit_us },
    { "ce_threshold_selector", PAIR, U8, .attr = TCA_FQ_CODEL_CE_THRESHOLD_SELECTOR,
      .wide = TCA_FQ_CODEL_CE_THRESHOLD_MASK, .flags = ONLY_TRUE, .of = "/",
      .help = "of the bits of DiffServ that it is for: \"value/mask\"" },
    { "ce_threshold_mask", NUMBER, U8, .attr = TCA_FQ_CODEL_CE_THRESHOLD_MASK,
      .flags = ONLY_TRUE | NOT_SAID },
    { "interval", QUANTITY, U32, .attr = TCA_FQ_CODEL_INTERVAL, .of = &unit_us,
      .help = "how long it may be exceeded" },
    { "memory_limit", QUANTITY, U32, .attr = TCA_FQ_CODEL_MEMORY_LIMIT, .of = &unit_size },
    { "ecn", SWITCH, U32, .attr = TCA_FQ_CODEL_ECN, .flags = ALWAYS, .bit = 1, .of = "noecn" },
    { "drop_batch", NUMBER, U32, .attr = TCA_FQ_CODEL_DROP_BATCH_SIZE, .help = "packets" },
    { 0 },
};

const struct table fq_codel_table = { .name = "fq_codel", .fields = fq_codel_fields };

/* --- htb, without its classes ----------------------------------------------------------------- */

#define GLOBAL(member) .attr = TCA_HTB_INIT, PART(tc_htb_glob, member)

static const struct field htb_fields[] = {
    { "r2q", NUMBER, U32, GLOBAL(rate2quantum), .help = "a class's quantum is its rate by this" },
    { "default", HEX, U32, GLOBAL(defcls), .bit = 16,
      .help = "the class of what no filter takes, in hexadecimal digits" },
    { "direct_packets_stat", NUMBER, U32, GLOBAL(direct_pkts), .flags = READ_ONLY },
    { "ver", VERSION, U32, GLOBAL(version), .flags = READ_ONLY },
    { "direct_qlen", NUMBER, U32, .attr = TCA_HTB_DIRECT_QLEN, .help = "packets" },
    { "offload", FLAG, .attr = TCA_HTB_OFFLOAD, .help = "the network card does it" },
    { 0 },
};

/* tc/q_htb.c: the version is part of the protocol, and so is 10. */
static int finish_htb(struct writer *w, struct error *err) {
    static const struct tc_htb_glob empty;
    if (message_filters(w->message))
        return 0;
    if (!writer_find(w, TCA_HTB_INIT) &&
        write_attribute(w, TCA_HTB_INIT, &empty, sizeof empty, err) < 0)
        return -1;
    struct tc_htb_glob *global = mnl_attr_get_payload(writer_find(w, TCA_HTB_INIT));
    global->version = TC_HTB_PROTOVER;
    if (!is_given(w, "r2q"))
        global->rate2quantum = 10;
    return 0;
}

const struct table htb_table = { .name = "htb", .fields = htb_fields, .finish = finish_htb };
