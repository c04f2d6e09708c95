/* What TCP is told of a route: RTA_METRICS, RTAX_* (linux/rtnetlink.h; net/ipv4/metrics.c). */
#include <linux/rtnetlink.h>

#include "tables.h"
#include "unit.h"

/* Those that a lock keeps as they are; iproute2 tells it in its text only: "mtu lock 1400". */
static const struct word lock_words[] = {
    { 1 << RTAX_MTU, "mtu" },
    { 1 << RTAX_WINDOW, "window" },
    { 1 << RTAX_RTT, "rtt" },
    { 1 << RTAX_RTTVAR, "rttvar" },
    { 1 << RTAX_SSTHRESH, "ssthresh" },
    { 1 << RTAX_CWND, "cwnd" },
    { 1 << RTAX_ADVMSS, "advmss" },
    { 1 << RTAX_REORDERING, "reordering" },
    { 1 << RTAX_HOPLIMIT, "hoplimit" },
    { 1 << RTAX_INITCWND, "initcwnd" },
    { 1 << RTAX_RTO_MIN, "rto_min" },
    { 1 << RTAX_INITRWND, "initrwnd" },
    { 1 << RTAX_QUICKACK, "quickack" },
    { 1 << RTAX_CC_ALGO, "congestion" },
    { 0 },
};

static const struct word feature_words[] = { { RTAX_FEATURE_ECN, "ecn" }, { 0 } };

static const struct field fields[] = {
    { "mtu", NUMBER, U32, .attr = RTAX_MTU, .help = "bytes" },
    { "window", NUMBER, U32, .attr = RTAX_WINDOW },
    { "rtt", QUANTITY, U32, .attr = RTAX_RTT, .of = &unit_ms_8th },
    { "rttvar", QUANTITY, U32, .attr = RTAX_RTTVAR, .of = &unit_ms_4th },
    { "ssthresh", NUMBER, U32, .attr = RTAX_SSTHRESH },
    { "cwnd", NUMBER, U32, .attr = RTAX_CWND },
    { "advmss", NUMBER, U32, .attr = RTAX_ADVMSS },
    { "reordering", NUMBER, U32, .attr = RTAX_REORDERING },
    { "hoplimit", NUMBER, U32, .attr = RTAX_HOPLIMIT },
    { "initcwnd", NUMBER, U32, .attr = RTAX_INITCWND },
    { "ecn", SWITCH, U32, .attr = RTAX_FEATURES, .flags = NOT_SAID, .bit = RTAX_FEATURE_ECN },
    { "features", BITS, U32, .attr = RTAX_FEATURES, .flags = WRITE_ONLY, .of = feature_words },
    { "rto_min", QUANTITY, U32, .attr = RTAX_RTO_MIN, .of = &unit_ms, .bit = 1 },
    { "initrwnd", NUMBER, U32, .attr = RTAX_INITRWND },
    { "quickack", NUMBER, U32, .attr = RTAX_QUICKACK },
    { "congestion", STRING, .attr = RTAX_CC_ALGO, .word = "congctl", .max = 15,
      .help = "the congestion control of TCP, such as \"reno\"" },
    { "fastopen_no_cookie", NUMBER, U32, .attr = RTAX_FASTOPEN_NO_COOKIE, .max = 1 },
    { "lock", BITS, U32, .attr = RTAX_LOCK, .flags = NOT_SAID, .of = lock_words,
      .help = "which of them nothing lowers; or \"lock 1400\" for the value" },
    { 0 },
};

/* ip/iproute.c: a least timeout is always locked. */
static int finish_metrics(struct writer *w, struct error *err) {
    static const struct value rto_min = { .type = VALUE_NUMBER, .number = 1 << RTAX_RTO_MIN };
    return writer_find(w, RTAX_RTO_MIN)
               ? write_value(w, schema_field(w->table, "lock"), &rto_min, err)
               : 0;
}

const struct table route_metrics_table = {
    .name = "metrics", .fields = fields, .locks = RTAX_LOCK, .finish = finish_metrics
};
