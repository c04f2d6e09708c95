/* cake: TCA_CAKE_* (linux/pkt_sched.h; net/sched/sch_cake.c). Many of its words stand alone: what
   is `besteffort` in a command is `besteffort = true` here, or `diffserv = "besteffort"` as in
   records. */
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "tables.h"
#include "unit.h"

static const struct word diffserv_words[] = {
    { CAKE_DIFFSERV_DIFFSERV3, "diffserv3" },   { CAKE_DIFFSERV_DIFFSERV4, "diffserv4" },
    { CAKE_DIFFSERV_DIFFSERV8, "diffserv8" },   { CAKE_DIFFSERV_BESTEFFORT, "besteffort" },
    { CAKE_DIFFSERV_PRECEDENCE, "precedence" }, { 0 },
};

static const struct word flowmode_words[] = {
    { CAKE_FLOW_NONE, "flowblind" },
    { CAKE_FLOW_SRC_IP, "srchost" },
    { CAKE_FLOW_DST_IP, "dsthost" },
    { CAKE_FLOW_HOSTS, "hosts" },
    { CAKE_FLOW_FLOWS, "flows" },
    { CAKE_FLOW_DUAL_SRC, "dual-srchost" },
    { CAKE_FLOW_DUAL_DST, "dual-dsthost" },
    { CAKE_FLOW_TRIPLE, "triple-isolate" },
    { 0 },
};

static const struct word autorate_words[] = { { 1, "autorate-ingress" }, { 0 } };

static const struct word atm_words[] = {
    { CAKE_ATM_NONE, "noatm" },
    { CAKE_ATM_ATM, "atm" },
    { CAKE_ATM_PTM, "ptm" },
    { 0 },
};

/* In records, and in commands. */
static const struct word ack_words[] = {
    { CAKE_ACK_NONE, "disabled" },
    { CAKE_ACK_FILTER, "enabled" },
    { CAKE_ACK_AGGRESSIVE, "aggressive" },
    { 0 },
};
static const struct word ack_filter_words[] = {
    { CAKE_ACK_NONE, "no-ack-filter" },
    { CAKE_ACK_FILTER, "ack-filter" },
    { CAKE_ACK_AGGRESSIVE, "ack-filter-aggressive" },
    { 0 },
};

/* A word of the command that is the value of another row. */
#define ALONE(word_, type, number) \
    { word_, CONSTANT, U32, .attr = type, .flags = WRITE_ONLY | NOT_SAID, .bit = number }

static const struct field cake_fields[] = {
    { "bandwidth", QUANTITY, U64, .attr = TCA_CAKE_BASE_RATE64, .of = &unit_bandwidth,
      .help = "of the link behind it; or \"unlimited\"" },
    { "unlimited", CONSTANT, U64, .attr = TCA_CAKE_BASE_RATE64, .flags = WRITE_ONLY | NOT_SAID },
    { "autorate", ENUM, U32, .attr = TCA_CAKE_AUTORATE, .flags = ONLY_WORDS | POSITIONAL,
      .of = autorate_words, .help = "estimate the bandwidth from what comes in" },
    ALONE("autorate-ingress", TCA_CAKE_AUTORATE, 1),
    { "diffserv", ENUM, U32, .attr = TCA_CAKE_DIFFSERV_MODE, .flags = POSITIONAL,
      .of = diffserv_words, .help = "into how many priorities DiffServ's are sorted" },
    ALONE("diffserv3", TCA_CAKE_DIFFSERV_MODE, CAKE_DIFFSERV_DIFFSERV3),
    ALONE("diffserv4", TCA_CAKE_DIFFSERV_MODE, CAKE_DIFFSERV_DIFFSERV4),
    ALONE("diffserv8", TCA_CAKE_DIFFSERV_MODE, CAKE_DIFFSERV_DIFFSERV8),
    ALONE("besteffort", TCA_CAKE_DIFFSERV_MODE, CAKE_DIFFSERV_BESTEFFORT),
    ALONE("precedence", TCA_CAKE_DIFFSERV_MODE, CAKE_DIFFSERV_PRECEDENCE),
    { "flowmode", ENUM, U32, .attr = TCA_CAKE_FLOW_MODE, .flags = POSITIONAL, .of = flowmode_words,
      .help = "among whom it is fair" },
    ALONE("flowblind", TCA_CAKE_FLOW_MODE, CAKE_FLOW_NONE),
    ALONE("srchost", TCA_CAKE_FLOW_MODE, CAKE_FLOW_SRC_IP),
    ALONE("dsthost", TCA_CAKE_FLOW_MODE, CAKE_FLOW_DST_IP),
    ALONE("hosts", TCA_CAKE_FLOW_MODE, CAKE_FLOW_HOSTS),
    ALONE("flows", TCA_CAKE_FLOW_MODE, CAKE_FLOW_FLOWS),
    ALONE("dual-srchost", TCA_CAKE_FLOW_MODE, CAKE_FLOW_DUAL_SRC),
    ALONE("dual-dsthost", TCA_CAKE_FLOW_MODE, CAKE_FLOW_DUAL_DST),
    ALONE("triple-isolate", TCA_CAKE_FLOW_MODE, CAKE_FLOW_TRIPLE),
    { "nat", BOOL, U32, .attr = TCA_CAKE_NAT, .of = "nonat", .help = "look behind NAT for hosts" },
    { "wash", BOOL, U32, .attr = TCA_CAKE_WASH, .of = "nowash", .help = "clear DiffServ's bits" },
    { "ingress", BOOL, U32, .attr = TCA_CAKE_INGRESS, .of = "egress",
      .help = "it is behind the narrow link: count what is dropped" },
    { "ack-filter", ENUM, U32, .attr = TCA_CAKE_ACK_FILTER, .flags = NOT_SAID, .of = ack_words,
      .help = "drop ACKs that say nothing new" },
    { "ack-filter", ENUM, U32, .attr = TCA_CAKE_ACK_FILTER, .flags = WRITE_ONLY | POSITIONAL,
      .of = ack_filter_words },
    ALONE("no-ack-filter", TCA_CAKE_ACK_FILTER, CAKE_ACK_NONE),
    ALONE("ack-filter-aggressive", TCA_CAKE_ACK_FILTER, CAKE_ACK_AGGRESSIVE),
    { "split_gso", BOOL, U32, .attr = TCA_CAKE_SPLIT_GSO, .word = "split-gso",
      .of = "no-split-gso" },
    { "rtt", QUANTITY, U32, .attr = TCA_CAKE_RTT, .of = &unit_us, .help = "as between most hosts" },
    ALONE("datacentre", TCA_CAKE_RTT, 100),
    ALONE("lan", TCA_CAKE_RTT, 1000),
    ALONE("metro", TCA_CAKE_RTT, 10000),
    ALONE("regional", TCA_CAKE_RTT, 30000),
    ALONE("internet", TCA_CAKE_RTT, 100000),
    ALONE("oceanic", TCA_CAKE_RTT, 300000),
    ALONE("satellite", TCA_CAKE_RTT, 1000000),
    ALONE("interplanetary", TCA_CAKE_RTT, 1000000000),
    { "raw", CONSTANT, U32, .attr = TCA_CAKE_RAW, .help = "packets count as they are" },
    { "atm", ENUM, U32, .attr = TCA_CAKE_ATM, .flags = POSITIONAL, .of = atm_words,
      .help = "they go in cells" },
    ALONE("noatm", TCA_CAKE_ATM, CAKE_ATM_NONE),
    ALONE("ptm", TCA_CAKE_ATM, CAKE_ATM_PTM),
    { "overhead", NUMBER, S32, .attr = TCA_CAKE_OVERHEAD, .min = -64, .max = 256,
      .help = "bytes that a packet has more" },
    { "mpu", NUMBER, U32, .attr = TCA_CAKE_MPU, .flags = ONLY_TRUE, .max = 256,
      .help = "bytes that a packet counts at least" },
    { "memlimit", QUANTITY, U32, .attr = TCA_CAKE_MEMORY, .flags = ONLY_TRUE, .of = &unit_size },
    { "fwmark", HEX, U32, .attr = TCA_CAKE_FWMARK,
      .help = "the bits of the firewall's mark that choose the priority" },
    { 0 },
};

/* As tc: a delay is acceptable up to a twentieth of the time that it takes to notice. */
static int finish_cake(struct writer *w, struct error *err) {
    const struct nlattr *rtt = writer_find(w, TCA_CAKE_RTT);
    if (w->message->verb->type != RTM_NEWQDISC || !rtt)
        return 0;
    uint32_t target = mnl_attr_get_u32(rtt) / 20;
    target = target ? target : 1;
    return write_attribute(w, TCA_CAKE_TARGET, &target, sizeof target, err);
}

/* What counts packets as they are says so even of cells. */
static void adapt_cake(struct reader *r) {
    const struct nlattr *atm = r->tb[TCA_CAKE_ATM];
    bool no_cells = atm && mnl_attr_get_payload_len(atm) >= sizeof(uint32_t) &&
                    mnl_attr_get_u32(atm) == CAKE_ATM_NONE;
    if (r->tb[TCA_CAKE_RAW] && no_cells)
        r->tb[TCA_CAKE_ATM] = NULL;
}

const struct table cake_table = {
    .name = "cake", .fields = cake_fields, .finish = finish_cake, .adapt = adapt_cake
};
