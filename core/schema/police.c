/* police: struct tc_police and TCA_POLICE_* (linux/pkt_cls.h; net/sched/act_police.c).

   The kernel has the burst as a time (tick.h), and wants tables of rates, though it only looks at
   how large their cells are. tc names both verdicts in one word, "drop/pass": what goes too far,
   and the rest. */
#include "police.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tick.h"
#include "unit.h"

enum { BURST = OWN_ATTRIBUTES, PACKETS, VERDICTS, CELLS = 256, USUAL_MTU = 2047 };

#define PARMS(member) .attr = TCA_POLICE_TBF, PART(tc_police, member)

static const struct field police_fields[] = {
    { "rate", QUANTITY, U32, PARMS(rate.rate), .wide = TCA_POLICE_RATE64, .flags = ONLY_TRUE,
      .of = &unit_rate, .help = "what may pass" },
    { "burst", QUANTITY, U32, .attr = BURST, .flags = ONLY_TRUE, .of = &unit_size,
      .help = "what may pass at once beyond the rate" },
    { "mtu", QUANTITY, U32, PARMS(mtu), .flags = UNLESS, .bit = UINT32_MAX, .of = &unit_size,
      .help = "a larger packet goes too far in any case" },
    { "peakrate", QUANTITY, U32, PARMS(peakrate.rate), .wide = TCA_POLICE_PEAKRATE64,
      .flags = ONLY_TRUE, .of = &unit_rate, .help = "what a burst may pass at" },
    { "pkts_rate", NUMBER, U64, .attr = TCA_POLICE_PKTRATE64, .help = "packets a second" },
    { "pkts_burst", NUMBER, U32, .attr = PACKETS, .help = "packets that may pass at once" },
    { "mpu", NUMBER, U16, PARMS(rate.mpu), .flags = ONLY_TRUE,
      .help = "bytes that a packet counts at least" },
    { "overhead", NUMBER, U16, PARMS(rate.overhead), .help = "bytes that a packet has more" },
    { "linklayer", ENUM, U8, PARMS(rate.linklayer), .of = linklayer_words },
    { "conform-exceed", STRING, .attr = VERDICTS, .flags = WRITE_ONLY | UNTOLD, .min = 1, .max = 32,
      .help = "what happens to what goes too far, and to the rest: \"drop/pass\"" },
    { "control_action", ENUM, S32, PARMS(action), .flags = NOT_SAID, .of = control_words,
      .help = "what happens to what goes too far" },
    { "conform", ENUM, S32, .attr = TCA_POLICE_RESULT, .flags = NOT_SAID, .of = control_words,
      .help = "what happens to the rest" },
    { "index", NUMBER, U32, PARMS(index), .flags = READ_ONLY },
    { "ref", NUMBER, S32, PARMS(refcnt), .flags = READ_ONLY },
    { "bind", NUMBER, S32, PARMS(bindcnt), .flags = READ_ONLY },
    { 0 },
};

static const struct field rate_row = { "", QUANTITY, U32, PARMS(rate.rate),
                                       .wide = TCA_POLICE_RATE64 };

static int refuse(const char *key, const char *sentence, struct error *err) {
    error_set(err, EINVAL, "%s", sentence);
    strcpy(err->key, key);
    return -1;
}

/* --- verdicts --------------------------------------------------------------------------------- */

static const struct word *find_verdict(const char *name, size_t length) {
    const struct word *word = control_words;
    while (word->name && (strlen(word->name) != length || strncasecmp(word->name, name, length)))
        word++;
    return word->name ? word : NULL;
}

static const char *name_of(int verdict) {
    const struct word *word = control_words;
    while (word->name && (int)word->value != verdict)
        word++;
    return word->name ? word->name : "reclassify";
}

/* "drop/pass", or "drop": the rest passes, which is how it is without a word. */
static int parse_verdicts(struct writer *w, struct tc_police *parms, const char *text,
                          struct error *err) {
    const char *slash = strchr(text, '/');
    const struct word *exceed = find_verdict(text, slash ? (size_t)(slash - text) : strlen(text));
    const struct word *conform = slash ? find_verdict(slash + 1, strlen(slash + 1)) : NULL;
    if (!exceed || (slash && !conform))
        return refuse("conform-exceed", "two words such as \"drop/pass\" expected", err);
    if (is_given(w, "control_action") || is_given(w, "conform"))
        return refuse("conform-exceed", "given twice", err);
    parms->action = (int)exceed->value;
    return slash ? write_attribute(w, TCA_POLICE_RESULT, &conform->value, sizeof(uint32_t), err)
                 : 0;
}

static int say_verdicts(struct writer *w, const struct tc_police *parms, struct error *err) {
    char text[32];
    const struct nlattr *conform = writer_find(w, TCA_POLICE_RESULT);
    snprintf(text, sizeof text, "%s%s%s", name_of(parms->action), conform ? "/" : "",
             conform ? name_of((int)mnl_attr_get_u32(conform)) : "");
    return write_attribute(w, VERDICTS, text, strlen(text) + 1, err);
}

static int finish_verdicts(struct writer *w, struct tc_police *parms, struct error *err) {
    const struct nlattr *text = writer_find(w, VERDICTS);
    if (!is_given(w, "control_action"))
        parms->action = TC_ACT_RECLASSIFY;
    return text ? parse_verdicts(w, parms, mnl_attr_get_str(text), err)
                : say_verdicts(w, parms, err);
}

/* --- rates ------------------------------------------------------------------------------------ */

static double wide_rate(const struct writer *w, uint32_t rate, uint16_t wide) {
    const struct nlattr *attr = writer_find(w, wide);
    return attr ? (double)mnl_attr_get_u64(attr) : rate;
}

/* Packets are counted in time as well. */
static int finish_packets(struct writer *w, struct error *err) {
    const struct nlattr *rate = writer_find(w, TCA_POLICE_PKTRATE64);
    const struct nlattr *burst = writer_find(w, PACKETS);
    if (!rate && !burst)
        return 0;
    if (!rate || !mnl_attr_get_u64(rate))
        return refuse_missing("pkts_rate", err);
    if (!burst || !mnl_attr_get_u32(burst))
        return refuse_missing("pkts_burst", err);
    double ticks = ticks_for(mnl_attr_get_u32(burst), (double)mnl_attr_get_u64(rate));
    uint64_t number = (uint64_t)ticks;
    return write_attribute(w, TCA_POLICE_PKTBURST64, &number, sizeof number, err);
}

/* The ticks for packets of up to so many cells, all of which hold the largest packet. */
static int add_table(struct writer *w, uint16_t type, struct tc_ratespec *spec, double rate,
                     uint32_t mtu, struct error *err) {
    uint32_t table[CELLS];
    while (mtu >> spec->cell_log >= CELLS)
        spec->cell_log++;
    for (int i = 0; i < CELLS; i++)
        table[i] = (uint32_t)fmin(ticks_for(ldexp(i + 1, spec->cell_log), rate), UINT32_MAX);
    return write_attribute(w, type, table, sizeof table, err);
}

static int finish_rates(struct writer *w, struct tc_police *parms, struct error *err) {
    const struct nlattr *burst = writer_find(w, BURST);
    uint32_t mtu = parms->mtu ? parms->mtu : USUAL_MTU;
    double rate = wide_rate(w, parms->rate.rate, TCA_POLICE_RATE64);
    double peak = wide_rate(w, parms->peakrate.rate, TCA_POLICE_PEAKRATE64);
    if (rate > 0 && !(burst && mnl_attr_get_u32(burst)))
        return refuse_missing("burst", err);
    if (peak > 0 && !parms->mtu)
        return refuse_missing("mtu", err);
    if (peak > 0 && !(rate > 0))
        return refuse_missing("rate", err);
    if (!is_given(w, "linklayer") && rate > 0)
        parms->rate.linklayer = TC_LINKLAYER_ETHERNET;
    parms->peakrate.mpu = parms->rate.mpu;
    parms->peakrate.overhead = parms->rate.overhead;
    parms->peakrate.linklayer = parms->rate.linklayer;
    if (rate > 0)
        parms->burst = (uint32_t)fmin(ticks_for(mnl_attr_get_u32(burst), rate), UINT32_MAX);
    if (peak > 0 && add_table(w, TCA_POLICE_PEAKRATE, &parms->peakrate, peak, mtu, err) < 0)
        return -1;
    return rate > 0 ? add_table(w, TCA_POLICE_RATE, &parms->rate, rate, mtu, err) : 0;
}

static int finish_police(struct writer *w, struct error *err) {
    static const struct tc_police none;
    struct tc_police parms = none;
    struct nlattr *attr = writer_find(w, TCA_POLICE_TBF);
    if (attr)
        memcpy(&parms, mnl_attr_get_payload(attr), sizeof parms);
    if (!parms.rate.rate && !writer_find(w, TCA_POLICE_PKTRATE64))
        return refuse_missing("rate", err);
    if (finish_packets(w, err) < 0)
        return -1;
    if (finish_rates(w, &parms, err) < 0 || finish_verdicts(w, &parms, err) < 0)
        return -1;
    if (attr)
        take_out(w, attr);
    return write_attribute(w, TCA_POLICE_TBF, &parms, sizeof parms, err);
}

/* --- out -------------------------------------------------------------------------------------- */

static void make_packets(struct reader *r) {
    const struct nlattr *rate = r->tb[TCA_POLICE_PKTRATE64];
    const struct nlattr *burst = r->tb[TCA_POLICE_PKTBURST64];
    if (!rate || !burst || mnl_attr_get_payload_len(rate) < sizeof(uint64_t) ||
        mnl_attr_get_payload_len(burst) < sizeof(uint64_t))
        return;
    double packets =
        bytes_in_ticks((double)mnl_attr_get_u64(burst), (double)mnl_attr_get_u64(rate));
    reader_make(r, PACKETS, (uint32_t)fmin(packets, UINT32_MAX));
}

static void adapt_police(struct reader *r) {
    const struct nlattr *attr = r->tb[TCA_POLICE_TBF];
    struct tc_police parms;
    int64_t rate;
    if (!attr || mnl_attr_get_payload_len(attr) < sizeof parms || r->tb[VERDICTS])
        return;
    make_packets(r);
    memcpy(&parms, mnl_attr_get_payload(attr), sizeof parms);
    if (read_number(r, &rate_row, &rate) && rate > 0)
        reader_make(r, BURST,
                    (uint32_t)fmin(bytes_in_ticks(parms.burst, (double)rate), UINT32_MAX));
}

const struct table police_table = {
    .name = "police", .fields = police_fields, .finish = finish_police, .adapt = adapt_police
};
