/* red: struct tc_red_qopt and TCA_RED_* (linux/pkt_sched.h; net/sched/sch_red.c). The averages that
   it needs are worked out here as S. Floyd and V. Jacobson's paper of 1993 has them (tc-red(8)). */
#include "red.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <math.h>
#include <string.h>

#include "tick.h"
#include "unit.h"

enum {
    IDLE = 31, /* shifts that leave nothing of an average */
    EXPONENTS = 32,
    USUAL_PACKET = 1000,
    USUAL_BANDWIDTH = 1250000,
};

#define PARMS(member) .attr = TCA_RED_PARMS, PART(tc_red_qopt, member)
#define SWITCH_OF(bit_) \
    SWITCH, U32, .attr = TCA_RED_FLAGS, PART(nla_bitfield32, value), .flags = ALWAYS, .bit = bit_

static const struct field red_fields[] = {
    { "limit", QUANTITY, U32, PARMS(limit), .of = &unit_size, .help = "bytes, at most" },
    { "min", QUANTITY, U32, PARMS(qth_min), .of = &unit_size,
      .help = "the average from which on packets are marked" },
    { "max", QUANTITY, U32, PARMS(qth_max), .of = &unit_size,
      .help = "the average at which the probability is reached" },
    { "avpkt", QUANTITY, U32, .attr = RED_AVPKT, .flags = WRITE_ONLY | UNTOLD, .of = &unit_size,
      .help = "bytes of an average packet" },
    { "burst", NUMBER, U32, .attr = RED_BURST, .flags = WRITE_ONLY | UNTOLD,
      .help = "packets that may come at once" },
    { "bandwidth", QUANTITY, U32, .attr = RED_BANDWIDTH, .flags = WRITE_ONLY | UNTOLD,
      .of = &unit_rate, .help = "by which the average falls in idle times" },
    { "ecn", SWITCH_OF(TC_RED_ECN), .help = "mark what would be dropped" },
    { "harddrop", SWITCH_OF(TC_RED_HARDDROP), .help = "drop above max, also with ecn" },
    { "adaptive", SWITCH_OF(TC_RED_ADAPTATIVE), .help = "adapt the probability" },
    { "nodrop", SWITCH_OF(TC_RED_NODROP), .help = "queue what cannot be marked" },
    { "ewma", NUMBER, U8, PARMS(Wlog), .flags = NOT_SAID, .min = 1, .max = IDLE,
      .help = "instead of avpkt and burst: the exponent of the average's weight" },
    { "probability", QUANTITY, U32, .attr = TCA_RED_MAX_P, .of = &unit_probability },
    { "Scell_log", NUMBER, U8, PARMS(Scell_log), .flags = NOT_SAID, .max = IDLE,
      .help = "instead of bandwidth" },
    { 0 },
};

/* --- what follows ----------------------------------------------------------------------------- */

/* The smallest weight 2^-n that lets such a burst through; 0: none does. */
static uint8_t weight_for(double min_packets, double burst) {
    double rest = burst + 1 - min_packets, weight = 0.5;
    for (uint8_t n = 1; rest >= 1 && n < EXPONENTS; n++, weight /= 2)
        if (rest <= (1 - pow(1 - weight, burst)) / weight)
            return n;
    return 0;
}

/* How often the probability, by the distance of min and max, can be doubled until it is above 1. */
static uint8_t exponent_of(const struct red *red) {
    double share = red->max > red->min ? red->probability / (red->max - red->min) : 2;
    uint8_t n = 0;
    for (; share <= 1 && n < EXPONENTS; n++)
        share *= 2;
    return red->max > red->min ? n : 0;
}

/* The idle time, in ticks, after which nothing is left of the average. */
static double idle_ticks(const struct red *red) {
    return IDLE * ticks_for(red->avpkt, red->bandwidth) / -log(1 - ldexp(1, -red->ewma));
}

void red_damping(struct red *red, uint8_t table[256]) {
    double most = idle_ticks(red);
    red->scell_log = 0;
    while (red->scell_log < IDLE && ldexp(most, -red->scell_log) >= 512)
        red->scell_log++;
    table[0] = 0;
    for (int i = 1; i < 256; i++)
        table[i] = (uint8_t)fmin(IDLE, ldexp(i, red->scell_log) * IDLE / most);
    table[255] = IDLE;
}

/* --- the other way round ---------------------------------------------------------------------- */

/* The smallest burst, and the bandwidth in the middle of those, that lead to what a record has. */
static void undo(struct red *red) {
    const double middle = 384;
    red->avpkt = USUAL_PACKET;
    red->burst = 1 + red->min / red->avpkt;
    while (weight_for((double)red->min / red->avpkt, red->burst) < red->ewma &&
           red->burst < UINT16_MAX)
        red->burst++;
    double packet = ldexp(middle, red->scell_log) / IDLE * -log(1 - ldexp(1, -red->ewma));
    red->bandwidth =
        (uint32_t)fmax(1, fmin((double)red->avpkt * TICKS_A_SECOND / packet, UINT32_MAX));
}

/* --- in --------------------------------------------------------------------------------------- */

static int refuse(const char *key, const char *sentence, struct error *err) {
    error_set(err, EINVAL, "%s", sentence);
    strcpy(err->key, key);
    return -1;
}

static uint32_t number(const struct writer *w, uint16_t type) {
    const struct nlattr *attr = writer_find(w, type);
    return attr ? mnl_attr_get_u32(attr) : 0;
}

static void find_thresholds(struct red *red) {
    if (!red->max)
        red->max = red->min ? 3 * red->min : red->limit / 4;
    if (!red->min)
        red->min = red->max / 3;
}

/* So that the command says it. */
static int say_own(struct writer *w, uint16_t type, uint32_t value, struct error *err) {
    return writer_find(w, type) ? 0 : write_attribute(w, type, &value, sizeof value, err);
}

static int find_weight(struct writer *w, struct red *red, struct error *err) {
    red->bandwidth = number(w, RED_BANDWIDTH) ? number(w, RED_BANDWIDTH) : USUAL_BANDWIDTH;
    red->avpkt = number(w, RED_AVPKT);
    red->burst = number(w, RED_BURST);
    if (!red->avpkt && red->ewma)
        undo(red);
    else if (!red->avpkt)
        return refuse_missing("avpkt", err);
    if (!red->burst)
        red->burst = (2 * red->min + red->max) / (3 * red->avpkt);
    red->ewma = weight_for((double)red->min / red->avpkt, red->burst);
    if (!red->ewma)
        return refuse("burst", "too few packets for that min", err);
    return say_own(w, RED_AVPKT, red->avpkt, err) < 0 ? -1 : say_own(w, RED_BURST, red->burst, err);
}

int red_complete(struct writer *w, struct red *red, const char *limit, struct error *err) {
    if (!red->limit)
        return refuse_missing(limit, err);
    find_thresholds(red);
    if (red->max > red->limit)
        return refuse("max", "it is above the limit", err);
    if (red->max < red->min)
        return refuse("min", "it is above max", err);
    red->plog = exponent_of(red);
    if (red->plog == EXPONENTS)
        return refuse("probability", "too small", err);
    return find_weight(w, red, err);
}

/* --- red alone -------------------------------------------------------------------------------- */

static int add_flags(struct writer *w, struct error *err) {
    static const struct nla_bitfield32 none;
    if (!writer_find(w, TCA_RED_FLAGS) &&
        write_attribute(w, TCA_RED_FLAGS, &none, sizeof none, err) < 0)
        return -1;
    struct nla_bitfield32 *flags = mnl_attr_get_payload(writer_find(w, TCA_RED_FLAGS));
    flags->selector = TC_RED_HISTORIC_FLAGS | TC_RED_NODROP;
    return 0;
}

static int add_probability(struct writer *w, struct red *red, struct error *err) {
    const uint32_t usual = RED_PROBABILITY;
    if (!writer_find(w, TCA_RED_MAX_P) &&
        write_attribute(w, TCA_RED_MAX_P, &usual, sizeof usual, err) < 0)
        return -1;
    red->probability = number(w, TCA_RED_MAX_P) / 0x1p32;
    return 0;
}

static int add_damping(struct writer *w, struct red *red, struct error *err) {
    uint8_t table[256];
    red_damping(red, table);
    return say_own(w, RED_BANDWIDTH, red->bandwidth, err) < 0
               ? -1
               : write_attribute(w, TCA_RED_STAB, table, sizeof table, err);
}

static int finish_red(struct writer *w, struct error *err) {
    struct nlattr *attr = writer_find(w, TCA_RED_PARMS);
    if (w->message->verb->type != RTM_NEWQDISC)
        return 0;
    if (!attr)
        return refuse_missing("limit", err);
    struct tc_red_qopt *parms = mnl_attr_get_payload(attr);
    struct red red = { .limit = parms->limit,
                       .min = parms->qth_min,
                       .max = parms->qth_max,
                       .ewma = parms->Wlog,
                       .scell_log = parms->Scell_log };
    if (add_flags(w, err) < 0 || add_probability(w, &red, err) < 0 ||
        red_complete(w, &red, "limit", err) < 0 || add_damping(w, &red, err) < 0)
        return -1;
    *parms = (struct tc_red_qopt){ .limit = red.limit,
                                   .qth_min = red.min,
                                   .qth_max = red.max,
                                   .Wlog = red.ewma,
                                   .Plog = red.plog,
                                   .Scell_log = red.scell_log };
    return 0;
}

const struct table red_table = { .name = "red", .fields = red_fields, .finish = finish_red };
