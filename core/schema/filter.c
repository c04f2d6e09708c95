/* Filters of traffic: struct tcmsg and TCA_* (linux/rtnetlink.h; net/sched/cls_api.c), and the kind
   that takes all: TCA_MATCHALL_* (linux/pkt_cls.h; net/sched/cls_matchall.c). */
#include <endian.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "filter.h"

/* As tc has them; the first of a number is shown. */
const struct word ethertype_words[] = {
    { ETH_P_ALL, "all" },         { ETH_P_IP, "ip" },
    { ETH_P_IPV6, "ipv6" },       { ETH_P_ARP, "arp" },
    { ETH_P_8021Q, "802.1Q" },    { ETH_P_8021AD, "802.1ad" },
    { ETH_P_MPLS_UC, "mpls_uc" }, { ETH_P_MPLS_MC, "mpls_mc" },
    { ETH_P_IP, "ipv4" },         { 0 },
};

/* --- matchall --------------------------------------------------------------------------------- */

static const struct field matchall_fields[] = {
    CLASS_ROW("flowid", TCA_MATCHALL_CLASSID),
    HARDWARE_ROWS(TCA_MATCHALL_FLAGS),
    ACTIONS_ROW(TCA_MATCHALL_ACT),
    { 0 },
};

static const struct table matchall_table = { .name = "matchall", .fields = matchall_fields };

/* --- filters ---------------------------------------------------------------------------------- */

/* Two numbers in one of 32 bits. */
#define LOW (offsetof(struct tcmsg, tcm_info) + (__BYTE_ORDER == __BIG_ENDIAN ? 2 : 0))
#define HIGH (offsetof(struct tcmsg, tcm_info) + (__BYTE_ORDER == __BIG_ENDIAN ? 0 : 2))

#define PLACE CONSTANT, U32, HEADER(tcmsg, tcm_parent)

static const struct field filter_fields[] = {
    { "dev", DEV, S32, HEADER(tcmsg, tcm_ifindex), .help = "the interface" },
    { "ingress", PLACE, .bit = (uint32_t)INGRESS, .help = "it is for what comes in" },
    { "egress", PLACE, .bit = (uint32_t)EGRESS, .help = "it is for what goes out, by clsact" },
    { "parent", HANDLE, U32, HEADER(tcmsg, tcm_parent), .flags = ONLY_TRUE,
      .max = TC_H_MAJ(TC_H_CLSACT), .help = "the qdisc or class whose traffic it is for: \"1:\"" },
    { "protocol", ENUM, BE16, .offset = LOW, .of = ethertype_words,
      .help = "of the packets: \"ip\", \"ipv6\", \"arp\", …; or \"all\"" },
    { "pref", NUMBER, U16, .offset = HIGH, .help = "the lowest is asked first" },
    { "prio", NUMBER, U16, .offset = HIGH, .flags = WRITE_ONLY | NOT_SAID,
      .help = "the same as pref" },
    { "chain", NUMBER, U32, .attr = TCA_CHAIN, .help = "of filters" },
    { "handle", KNODE, U32, HEADER(tcmsg, tcm_handle),
      .help = "its own name: a number, or of u32 \"800::5\"" },
    { "kind", KIND, .attr = TCA_KIND, .flags = POSITIONAL,
      .of = "a kind of filter such as \"matchall\"", .help = "how packets are chosen" },
    { "options", KIND_DATA, .attr = TCA_OPTIONS, .flags = FLAT | ALWAYS },
    { 0 },
};

static const struct kind filter_kinds[] = {
    { "matchall", &matchall_table },
    { "u32", &u32_table },
    { "flower", &flower_table },
    { 0 },
};

static void find_kind(struct reader *r) {
    r->kind = kind_named(filter_kinds, r->tb[TCA_KIND]);
}

/* flower looks at the protocol as well, but for that all of its keys were known before. */
static int add_ethertype(struct writer *w, uint16_t protocol, struct error *err) {
    static char old[MESSAGE_MAX];
    static const struct field options = { "", KIND_DATA, .attr = TCA_OPTIONS };
    struct nlattr *attr = writer_find(w, TCA_OPTIONS);
    struct nlmsghdr *nlh = &w->message->header;
    struct writer inner;
    size_t size = attr ? mnl_attr_get_payload_len(attr) : 0;
    if (attr) {
        memcpy(old, mnl_attr_get_payload(attr), size);
        take_out(w, attr);
    }
    if (writer_nest(w, &options, &flower_table, &inner, err) < 0)
        return -1;
    memcpy(mnl_nlmsg_get_payload_tail(nlh), old, size);
    nlh->nlmsg_len += (uint32_t)size;
    if (write_attribute(&inner, TCA_FLOWER_KEY_ETH_TYPE, &protocol, sizeof protocol, err) < 0)
        return -1;
    mnl_attr_nest_end(nlh, inner.nest);
    return 0;
}

/* A deletion has no use for the options of a record. Without a pref the kernel would delete all. */
static int finish_deletion(struct writer *w, struct error *err) {
    if (!is_given(w, "pref") && !is_given(w, "prio"))
        return refuse_missing("pref", err);
    struct nlattr *options = writer_find(w, TCA_OPTIONS);
    if (options)
        take_out(w, options);
    return 0;
}

static int finish_options(struct writer *w, struct error *err) {
    const struct tcmsg *header = (struct tcmsg *)w->header;
    const struct kind *kind = kind_named(filter_kinds, writer_find(w, TCA_KIND));
    uint16_t protocol = (uint16_t)TC_H_MIN(header->tcm_info);
    if (kind && kind->data == &flower_table && protocol != htobe16(ETH_P_ALL))
        return add_ethertype(w, protocol, err);
    return imply_options(w, kind, err);
}

/* tc has two words for it. */
static int finish_pref(struct writer *w, struct error *err) {
    if (!is_given(w, "prio"))
        return 0;
    if (!is_given(w, "pref"))
        return message_note(w->message, schema_field(w->table, "pref"), false, err);
    error_set(err, EINVAL, "given twice: pref is the same");
    strcpy(err->key, "prio");
    return -1;
}

/* What is new is for all protocols unless it says which. */
static int finish_filter(struct writer *w, struct error *err) {
    struct tcmsg *header = (struct tcmsg *)w->header;
    int places = is_given(w, "ingress") + is_given(w, "egress") + is_given(w, "parent");
    if (places > 1)
        return refuse_place("it is either ingress or egress or has a parent", err);
    if (finish_pref(w, err) < 0)
        return -1;
    if (w->message->verb->type == RTM_DELTFILTER)
        return finish_deletion(w, err);
    if (w->message->verb->type != RTM_NEWTFILTER)
        return 0;
    if (w->message->verb->flags & NLM_F_CREATE && !is_given(w, "protocol"))
        header->tcm_info |= htobe16(ETH_P_ALL);
    return finish_options(w, err);
}

const struct table filter_table = {
    .name = "filter",
    .fields = filter_fields,
    .header = sizeof(struct tcmsg),
    .kinds = filter_kinds,
    .kind_word = "kind",
    .finish = finish_filter,
    .adapt = find_kind,
};

/* A dump is of one place. */
void filter_prepare_dump(const void *filter, struct nlmsghdr *request) {
    const struct tcmsg *wanted = filter;
    struct tcmsg *header = mnl_nlmsg_get_payload(request);
    tc_prepare_dump(filter, request);
    header->tcm_parent = wanted->tcm_parent;
}

/* What stands for all of a kind and a pref, and the tables that filters of u32 are in. */
bool filter_is_hidden(const struct reader *r) {
    const struct tcmsg *header = (const struct tcmsg *)r->header;
    bool u32 = r->kind && r->kind->data == &u32_table;
    return !header->tcm_handle || (u32 && !TC_U32_NODE(header->tcm_handle));
}

const struct verb filter_verbs[] = {
    { "add",
      "tc filter add",
      RTM_NEWTFILTER,
      ADD,
      "kind",
      NULL,
      "create a filter",
      { "kind", "dev" } },
    { "set",
      "tc filter change",
      RTM_NEWTFILTER,
      0,
      "kind",
      NULL,
      "give one other options",
      { "kind", "handle" } },
    { "replace",
      "tc filter replace",
      RTM_NEWTFILTER,
      NLM_F_CREATE,
      "kind",
      NULL,
      "create or change one",
      { "kind", "dev" } },
    { "del",
      "tc filter del",
      RTM_DELTFILTER,
      0,
      "kind",
      NULL,
      "delete one, or all of a pref",
      { "dev" } },
    { "get", "tc filter get", RTM_GETTFILTER, 0, "kind", NULL, "one record", { "kind", "handle" } },
    { "list", "tc filter show", RTM_GETTFILTER, NLM_F_DUMP, "dev", NULL,
      "the records of all, or of some" },
    { "flush", "tc filter del", RTM_GETTFILTER, NLM_F_DUMP, "dev", NULL, "delete all of these" },
    { 0 },
};
