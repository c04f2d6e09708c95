/* Classes of traffic: struct tcmsg and TCA_* (linux/rtnetlink.h; net/sched/sch_api.c), and those of
   htb: struct tc_htb_opt and TCA_HTB_* (linux/pkt_sched.h; net/sched/sch_htb.c).

   The kernel has both bursts as times only (tick.h). Tables of rates (TCA_HTB_RTAB), which tc sends
   as well, are not looked at once a link layer is named. */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "tables.h"
#include "tick.h"
#include "unit.h"

enum { BURST = OWN_ATTRIBUTES, CBURST, MTU, USUAL_MTU = 1600, HZ = 1000000000 };

#define PARMS(member) .attr = TCA_HTB_PARMS, PART(tc_htb_opt, member)

static const struct field htb_class_fields[] = {
    { "rate", QUANTITY, U32, PARMS(rate.rate), .wide = TCA_HTB_RATE64, .of = &unit_rate,
      .help = "what it gets in any case" },
    { "ceil", QUANTITY, U32, PARMS(ceil.rate), .wide = TCA_HTB_CEIL64, .of = &unit_rate,
      .help = "what it gets at most, of what others leave; else the rate" },
    { "burst", QUANTITY, U32, .attr = BURST, .of = &unit_size,
      .help = "what may be sent at once beyond the rate" },
    { "cburst", QUANTITY, U32, .attr = CBURST, .of = &unit_size,
      .help = "what may be sent at once beyond the ceil" },
    { "prio", NUMBER, U32, PARMS(prio), .max = TC_HTB_NUMPRIO - 1,
      .help = "the lowest is served first with what others leave" },
    { "quantum", NUMBER, U32, PARMS(quantum), .help = "bytes that it sends in its turn" },
    { "mtu", NUMBER, U32, .attr = MTU, .flags = WRITE_ONLY | UNTOLD,
      .help = "bytes that a burst that is not given has room for" },
    { "mpu", NUMBER, U16, PARMS(rate.mpu), .help = "bytes that a packet counts at least" },
    { "overhead", NUMBER, U16, PARMS(rate.overhead), .flags = ONLY_TRUE,
      .help = "bytes that a packet has more" },
    { "linklayer", ENUM, U8, PARMS(rate.linklayer), .of = linklayer_words },
    { "level", NUMBER, U32, PARMS(level), .flags = READ_ONLY },
    { 0 },
};

static const struct field rate_row = { "", QUANTITY, U32, PARMS(rate.rate),
                                       .wide = TCA_HTB_RATE64 };
static const struct field ceil_row = { "", QUANTITY, U32, PARMS(ceil.rate),
                                       .wide = TCA_HTB_CEIL64 };

/* --- in --------------------------------------------------------------------------------------- */

static double wide_rate(const struct writer *w, uint32_t rate, uint16_t wide) {
    const struct nlattr *attr = writer_find(w, wide);
    return attr ? (double)mnl_attr_get_u64(attr) : rate;
}

static double attribute_or(const struct writer *w, uint16_t type, double otherwise) {
    const struct nlattr *attr = writer_find(w, type);
    return attr && mnl_attr_get_u32(attr) ? mnl_attr_get_u32(attr) : otherwise;
}

/* As tc: what is sent between two ticks of its clock, and a packet. */
static int to_ticks(const struct writer *w, uint16_t type, double rate, uint32_t *ticks,
                    struct error *err) {
    double least = floor(rate / HZ) + attribute_or(w, MTU, USUAL_MTU);
    double count = ticks_for(attribute_or(w, type, least), rate);
    if (count > UINT32_MAX) {
        error_set(err, ERANGE, "it would take %.0f s at that rate, at most %.0f are possible",
                  count / TICKS_A_SECOND, (double)UINT32_MAX / TICKS_A_SECOND);
        strcpy(err->key, type == BURST ? "burst" : "cburst");
        return -1;
    }
    *ticks = (uint32_t)count;
    return 0;
}

static int copy_rate(struct writer *w, struct tc_htb_opt *parms, struct error *err) {
    const struct nlattr *wide = writer_find(w, TCA_HTB_RATE64);
    parms->ceil.rate = parms->rate.rate;
    return !wide ? 0
                 : write_attribute(w, TCA_HTB_CEIL64, mnl_attr_get_payload(wide), sizeof(uint64_t),
                                   err);
}

static int finish_htb_class(struct writer *w, struct error *err) {
    struct nlattr *attr = writer_find(w, TCA_HTB_PARMS);
    struct tc_htb_opt *parms = attr ? mnl_attr_get_payload(attr) : NULL;
    if (w->message->verb->type != RTM_NEWTCLASS)
        return 0;
    if (!parms || !parms->rate.rate)
        return refuse_missing("rate", err);
    if (!parms->ceil.rate && copy_rate(w, parms, err) < 0)
        return -1;
    if (!is_given(w, "linklayer"))
        parms->rate.linklayer = TC_LINKLAYER_ETHERNET;
    parms->ceil.mpu = parms->rate.mpu;
    parms->ceil.overhead = parms->rate.overhead;
    parms->ceil.linklayer = parms->rate.linklayer;
    double rate = wide_rate(w, parms->rate.rate, TCA_HTB_RATE64);
    double most = wide_rate(w, parms->ceil.rate, TCA_HTB_CEIL64);
    return to_ticks(w, BURST, rate, &parms->buffer, err) < 0 ||
                   to_ticks(w, CBURST, most, &parms->cbuffer, err) < 0
               ? -1
               : 0;
}

/* --- out -------------------------------------------------------------------------------------- */

static void make_bytes(struct reader *r, uint16_t type, uint32_t ticks, const struct field *row) {
    int64_t rate;
    if (read_number(r, row, &rate) && rate > 0)
        reader_make(r, type, (uint32_t)fmin(bytes_in_ticks(ticks, (double)rate), UINT32_MAX));
}

static void adapt_htb_class(struct reader *r) {
    const struct nlattr *attr = r->tb[TCA_HTB_PARMS];
    struct tc_htb_opt parms;
    if (!attr || mnl_attr_get_payload_len(attr) < sizeof parms || r->message)
        return;
    memcpy(&parms, mnl_attr_get_payload(attr), sizeof parms);
    make_bytes(r, BURST, parms.buffer, &rate_row);
    make_bytes(r, CBURST, parms.cbuffer, &ceil_row);
}

static const struct table htb_class_table = {
    .name = "htb", .fields = htb_class_fields, .finish = finish_htb_class, .adapt = adapt_htb_class
};

/* --- classes ---------------------------------------------------------------------------------- */

static const struct field class_fields[] = {
    { "dev", DEV, S32, HEADER(tcmsg, tcm_ifindex), .help = "the interface" },
    { "root", CONSTANT, U32, HEADER(tcmsg, tcm_parent), .bit = TC_H_ROOT,
      .help = "it is directly below the qdisc" },
    { "parent", HANDLE, U32, HEADER(tcmsg, tcm_parent), .flags = ONLY_TRUE | UNLESS,
      .bit = TC_H_ROOT, .help = "the qdisc \"1:\", or the class \"1:1\", that it is in" },
    { "handle", HANDLE, U32, HEADER(tcmsg, tcm_handle), .word = "classid",
      .help = "its own name: \"1:10\"" },
    { "leaf", HANDLE, U32, HEADER(tcmsg, tcm_info), .flags = READ_ONLY | ONLY_TRUE,
      .help = "the qdisc in it" },
    { "kind", KIND, .attr = TCA_KIND, .flags = POSITIONAL, .of = "a kind of class such as \"htb\"",
      .help = "of the qdisc" },
    { "options", KIND_DATA, .attr = TCA_OPTIONS, .flags = FLAT | ALWAYS },
    { 0 },
};

static const struct kind class_kinds[] = {
    { "htb", &htb_class_table },
    { 0 },
};

static void find_kind(struct reader *r) {
    r->kind = kind_named(class_kinds, r->tb[TCA_KIND]);
}

static int finish_class(struct writer *w, struct error *err) {
    const struct tcmsg *header = (struct tcmsg *)w->header;
    if (is_given(w, "root") && is_given(w, "parent"))
        return refuse_place("it is either root or has a parent", err);
    if (w->message->verb->flags & NLM_F_CREATE && !header->tcm_parent)
        return refuse_place("say in what: \"1:\", or a class's \"1:1\"", err);
    struct nlattr *options = writer_find(w, TCA_OPTIONS);
    if (w->message->verb->type == RTM_DELTCLASS && options)
        take_out(w, options); /* of a record */
    return imply_options(w, kind_named(class_kinds, writer_find(w, TCA_KIND)), err);
}

const struct table class_table = {
    .name = "class",
    .fields = class_fields,
    .header = sizeof(struct tcmsg),
    .kinds = class_kinds,
    .kind_word = "kind",
    .finish = finish_class,
    .adapt = find_kind,
};

/* The kernel lists the classes and the filters of one interface only. */
void tc_prepare_dump(const void *filter, struct nlmsghdr *request) {
    const struct tcmsg *wanted = filter;
    struct tcmsg *header = mnl_nlmsg_get_payload(request);
    header->tcm_ifindex = wanted->tcm_ifindex;
}

const struct verb class_verbs[] = {
    { "add",
      "tc class add",
      RTM_NEWTCLASS,
      ADD,
      "kind",
      NULL,
      "create a class",
      { "kind", "dev" } },
    { "set",
      "tc class change",
      RTM_NEWTCLASS,
      0,
      "kind",
      NULL,
      "give one other options",
      { "dev", "classid" } },
    { "replace",
      "tc class replace",
      RTM_NEWTCLASS,
      NLM_F_CREATE,
      "kind",
      NULL,
      "create or change one",
      { "kind", "dev" } },
    { "del", "tc class del", RTM_DELTCLASS, 0, "kind", NULL, "delete one", { "dev", "classid" } },
    /* as of qdiscs */
    { "get",
      "tc class show",
      RTM_GETTCLASS,
      NLM_F_ECHO,
      "dev",
      NULL,
      "one record",
      { "dev", "classid" } },
    { "list", "tc class show", RTM_GETTCLASS, NLM_F_DUMP, "dev", NULL,
      "the records of all, or of some" },
    { 0 },
};
