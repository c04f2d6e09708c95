/* tbf: struct tc_tbf_qopt and TCA_TBF_* (linux/pkt_sched.h; net/sched/sch_tbf.c).

   The kernel takes burst and minburst in bytes (TCA_TBF_BURST, TCA_TBF_PBURST), but tells them as
   the time that they take at that rate (tick.h). A latency it does not know at all: only the limit
   in bytes. Tables of rates (TCA_TBF_RTAB), which tc sends as well, are not looked at once a link
   layer is named. */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <math.h>
#include <string.h>

#include "tables.h"
#include "tick.h"
#include "unit.h"

enum {
    /* numbers of our own, not the kernel's */
    LATENCY = READER_ATTRIBUTES - 1,
    LIMIT = READER_ATTRIBUTES - 2,
};

const struct word linklayer_words[] = {
    { TC_LINKLAYER_UNAWARE, "unspec" },
    { TC_LINKLAYER_ETHERNET, "ethernet" },
    { TC_LINKLAYER_ATM, "atm" },
    { 0 },
};

#define PARMS(member) .attr = TCA_TBF_PARMS, PART(tc_tbf_qopt, member)

static const struct field tbf_fields[] = {
    { "rate", QUANTITY, U32, PARMS(rate.rate), .wide = TCA_TBF_RATE64, .of = &unit_rate },
    { "burst", QUANTITY, U32, .attr = TCA_TBF_BURST, .of = &unit_size,
      .help = "what may be sent at once after a silence" },
    { "mpu", NUMBER, U16, PARMS(rate.mpu), .help = "bytes that a packet counts at least" },
    { "peakrate", QUANTITY, U32, PARMS(peakrate.rate), .wide = TCA_TBF_PRATE64, .flags = ONLY_TRUE,
      .of = &unit_rate, .help = "what a burst is sent at" },
    { "mtu", QUANTITY, U32, .attr = TCA_TBF_PBURST, .word = "minburst", .of = &unit_size,
      .help = "what may be sent at once beyond the peakrate" },
    { "lat", QUANTITY, U32, .attr = LATENCY, .flags = NOT_SAID, .word = "latency", .of = &unit_us,
      .help = "how long a packet waits at most; or say the limit" },
    { "limit", QUANTITY, U32, PARMS(limit), .flags = WRITE_ONLY, .of = &unit_size,
      .help = "what may wait" },
    { "limit", NUMBER, U32, .attr = LIMIT, .flags = READ_ONLY },
    { "overhead", NUMBER, U16, PARMS(rate.overhead), .flags = ONLY_TRUE,
      .help = "bytes that a packet has more" },
    { "linklayer", ENUM, U8, PARMS(rate.linklayer), .of = linklayer_words },
    { 0 },
};

static const struct field rate_row = { "", QUANTITY, U32, PARMS(rate.rate),
                                       .wide = TCA_TBF_RATE64 };
static const struct field peakrate_row = { "", QUANTITY, U32, PARMS(peakrate.rate),
                                           .wide = TCA_TBF_PRATE64 };

/* --- in --------------------------------------------------------------------------------------- */

static double attribute(const struct writer *w, uint16_t type) {
    const struct nlattr *attr = writer_find(w, type);
    return attr ? mnl_attr_get_u32(attr) : 0;
}

static double rate_of(const struct writer *w, const struct tc_ratespec *spec, uint16_t wide) {
    const struct nlattr *attr = writer_find(w, wide);
    return attr ? (double)mnl_attr_get_u64(attr) : spec->rate;
}

/* What arrives while a packet waits that long, and the burst before it; the same for the peak. */
static int limit_from_latency(struct writer *w, struct tc_tbf_qopt *parms, struct error *err) {
    double seconds = attribute(w, LATENCY) / 1e6;
    double limit = rate_of(w, &parms->rate, TCA_TBF_RATE64) * seconds + attribute(w, TCA_TBF_BURST);
    if (parms->peakrate.rate)
        limit = fmin(limit, rate_of(w, &parms->peakrate, TCA_TBF_PRATE64) * seconds +
                                attribute(w, TCA_TBF_PBURST));
    if (limit > UINT32_MAX) {
        error_set(err, ERANGE, "%.0f bytes would wait, at most %u can", limit, UINT32_MAX);
        strcpy(err->key, "latency");
        return -1;
    }
    parms->limit = (uint32_t)limit;
    take_out(w, writer_find(w, LATENCY));
    return message_note(w->message, schema_field(w->table, "limit"), false, err);
}

static int check_complete(const struct writer *w, const struct tc_tbf_qopt *parms,
                          struct error *err) {
    if (!parms || !parms->rate.rate)
        return refuse_missing("rate", err);
    if (!attribute(w, TCA_TBF_BURST))
        return refuse_missing("burst", err);
    if (!is_given(w, "limit") && !is_given(w, "latency"))
        return refuse_missing("latency", err);
    if (parms->peakrate.rate && !attribute(w, TCA_TBF_PBURST))
        return refuse_missing("minburst", err);
    if (!is_given(w, "limit") || !is_given(w, "latency"))
        return 0;
    error_set(err, EINVAL, "the limit says it already");
    strcpy(err->key, "latency");
    return -1;
}

static int finish_tbf(struct writer *w, struct error *err) {
    struct nlattr *attr = writer_find(w, TCA_TBF_PARMS);
    struct tc_tbf_qopt *parms = attr ? mnl_attr_get_payload(attr) : NULL;
    if (w->message->verb->type != RTM_NEWQDISC)
        return 0;
    if (check_complete(w, parms, err) < 0)
        return -1;
    if (!is_given(w, "linklayer"))
        parms->rate.linklayer = TC_LINKLAYER_ETHERNET;
    if (parms->peakrate.rate) {
        parms->peakrate.mpu = parms->rate.mpu;
        parms->peakrate.overhead = parms->rate.overhead;
        parms->peakrate.linklayer = parms->rate.linklayer;
    }
    return is_given(w, "latency") ? limit_from_latency(w, parms, err) : 0;
}

/* --- out -------------------------------------------------------------------------------------- */

/* psched_l2t_ns (include/net/sch_generic.h) backwards. */
static uint32_t bytes_in(uint32_t ticks, double rate, const struct tc_ratespec *spec) {
    double bytes = bytes_in_ticks(ticks, rate);
    if ((spec->linklayer & TC_LINKLAYER_MASK) == TC_LINKLAYER_ATM)
        bytes = floor(bytes / 53) * 48; /* cells, and what is in them */
    return (uint32_t)fmax(0, fmin(bytes - spec->overhead, UINT32_MAX));
}

/* Microseconds that the last of `limit` bytes waits; limit_from_latency cut off a part of a byte.
 */
static double latency_in(uint32_t limit, double rate, uint32_t burst) {
    return ((double)limit - burst) / rate * 1e6;
}

/* Unlike tc's, these are the numbers that were set, also with an overhead. */
static void make_derived(struct reader *r, const struct tc_tbf_qopt *parms, double rate,
                         double peak) {
    uint32_t burst = bytes_in(parms->buffer, rate, &parms->rate);
    double latency = latency_in(parms->limit, rate, burst);
    reader_make(r, TCA_TBF_BURST, burst);
    if (peak > 0) {
        uint32_t minburst = bytes_in(parms->mtu, peak, &parms->peakrate);
        latency = fmax(latency, latency_in(parms->limit, peak, minburst));
        reader_make(r, TCA_TBF_PBURST, minburst);
    }
    if (latency >= 0)
        reader_make(r, LATENCY, (uint32_t)fmin(ceil(latency - 1e-6), UINT32_MAX));
    else
        reader_make(r, LIMIT, parms->limit);
}

static void adapt_tbf(struct reader *r) {
    const struct nlattr *attr = r->tb[TCA_TBF_PARMS];
    struct tc_tbf_qopt parms;
    int64_t rate, peak;
    if (!attr || mnl_attr_get_payload_len(attr) < sizeof parms || r->tb[TCA_TBF_BURST] ||
        !read_number(r, &rate_row, &rate) || !read_number(r, &peakrate_row, &peak) || rate <= 0)
        return;
    memcpy(&parms, mnl_attr_get_payload(attr), sizeof parms);
    make_derived(r, &parms, (double)rate, (double)peak);
}

const struct table tbf_table = {
    .name = "tbf", .fields = tbf_fields, .finish = finish_tbf, .adapt = adapt_tbf
};
