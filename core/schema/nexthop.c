/* Nexthops, of which routes only name the id: struct nhmsg and NHA_* (linux/nexthop.h;
   net/ipv4/nexthop.c). */
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "encap.h"
#include "tables.h"
#include "unit.h"

static const struct word group_type_words[] = {
    { NEXTHOP_GRP_TYPE_MPATH, "mpath" },
    { NEXTHOP_GRP_TYPE_RES, "resilient" },
    { 0 },
};

static const struct word flag_words[] = {
    { RTNH_F_DEAD, "dead" },
    { RTNH_F_ONLINK, "onlink" },
    { RTNH_F_PERVASIVE, "pervasive" },
    { RTNH_F_OFFLOAD, "offload" },
    { RTNH_F_TRAP, "trap" },
    { RTNH_F_LINKDOWN, "linkdown" },
    { 0 },
};

static const struct field member_fields[] = {
    { "id", NUMBER, U32, HEADER(nexthop_grp, id), .min = 1, .max = UINT32_MAX },
    { "weight", WEIGHT, U8, HEADER(nexthop_grp, weight), .flags = ONLY_TRUE, .min = 1, .max = 256,
      .help = "its share of the traffic" },
    { 0 },
};

static int check_member(struct writer *w, struct error *err) {
    return ((const struct nexthop_grp *)w->header)->id ? 0 : refuse_missing("id", err);
}

static const struct table member_table = {
    .name = "group",
    .fields = member_fields,
    .header = sizeof(struct nexthop_grp),
    .first = "id",
    .finish = check_member,
};

static const struct field resilient_fields[] = {
    { "buckets", NUMBER, U16, .attr = NHA_RES_GROUP_BUCKETS, .help = "for the flows to fall into" },
    { "idle_timer", QUANTITY, U32, .attr = NHA_RES_GROUP_IDLE_TIMER, .of = &unit_ticks,
      .help = "how long a bucket without traffic keeps its nexthop: seconds" },
    { "unbalanced_timer", QUANTITY, U32, .attr = NHA_RES_GROUP_UNBALANCED_TIMER, .of = &unit_ticks,
      .help = "how long any does, if the weights do not hold" },
    { "unbalanced_time", TICKS, U64, .attr = NHA_RES_GROUP_UNBALANCED_TIME,
      .flags = READ_ONLY | AS_NUMBER },
    { 0 },
};

static const struct table resilient_table = { .name = "resilient_args",
                                              .fields = resilient_fields };

static const struct field nexthop_fields[] = {
    { "id", NUMBER, U32, .attr = NHA_ID, .min = 1, .max = UINT32_MAX,
      .help = "without one the kernel chooses it" },
    { "group", RECORDS, .attr = NHA_GROUP, .of = &member_table, .bit = STRUCTS,
      .help = "ids of nexthops, or { id = …, weight = … }" },
    { "type", ENUM, U16, .attr = NHA_GROUP_TYPE, .flags = ONLY_TRUE, .of = group_type_words,
      .help = "of a group" },
    { "resilient_args", NESTED, .attr = NHA_RES_GROUP, .flags = FLAT, .of = &resilient_table },
    { "family", FAMILY, U8, HEADER(nhmsg, nh_family), .flags = NOT_SAID | ONLY_TRUE,
      .of = family_words },
    ENCAP(NHA_ENCAP, nexthop_encap_table),
    { "gateway", ADDRESS, .attr = NHA_GATEWAY, .word = "via", .help = "the next router" },
    { "dev", DEV, U32, .attr = NHA_OIF, .help = "the interface it is behind" },
    { "scope", NAMED, U8, HEADER(nhmsg, nh_scope), .flags = READ_ONLY, .of = &scope_names },
    { "blackhole", FLAG, .attr = NHA_BLACKHOLE, .help = "what goes there is lost" },
    { "protocol", NAMED, U8, HEADER(nhmsg, nh_protocol), .word = "proto", .of = &protocol_names,
      .help = "who made it" },
    { "flags", BITS, U32, HEADER(nhmsg, nh_flags), .flags = NOT_SAID, .of = flag_words,
      .bit = RTNH_F_ONLINK },
    { "onlink", SWITCH, U32, HEADER(nhmsg, nh_flags), .flags = WRITE_ONLY, .bit = RTNH_F_ONLINK,
      .help = "the router is on the link, whatever the addresses say" },
    { "fdb", FLAG, .attr = NHA_FDB, .help = "for entries of a forwarding database" },
    { 0 },
};

static bool is_id(uint16_t type) {
    return type == NHA_ID;
}

/* The kernel takes nothing else. */
void nexthop_prepare_deletion(struct nlmsghdr *record) {
    memset(mnl_nlmsg_get_payload(record), 0, sizeof(struct nhmsg));
    keep_attributes(record, sizeof(struct nhmsg), is_id);
}

/* ip/ipnexthop.c, ipnh_modify */
static int finish_nexthop(struct writer *w, struct error *err) {
    struct nhmsg *header = (struct nhmsg *)w->header;
    struct message *m = w->message;
    if (message_lists(m))
        return 0;
    if (m->verb->type != RTM_NEWNEXTHOP) {
        nexthop_prepare_deletion(&m->header);
        return 0;
    }
    if (!header->nh_family && !writer_find(w, NHA_GROUP))
        header->nh_family = AF_INET;
    return header->nh_flags & RTNH_F_ONLINK
               ? message_note(m, schema_field(w->table, "onlink"), false, err)
               : 0;
}

const struct table nexthop_table = {
    .name = "nexthop",
    .fields = nexthop_fields,
    .header = sizeof(struct nhmsg),
    .finish = finish_nexthop,
    .adapt = adapt_nexthop_encap,
};

const struct verb nexthop_verbs[] = {
    { "add", "ip nexthop add", RTM_NEWNEXTHOP, ADD, "id", NULL, "create a nexthop" },
    { "replace",
      "ip nexthop replace",
      RTM_NEWNEXTHOP,
      REPLACE,
      "id",
      NULL,
      "create or change one",
      { "id" } },
    { "del", "ip nexthop del", RTM_DELNEXTHOP, 0, "id", NULL, "delete one", { "id" } },
    { "get", "ip nexthop get", RTM_GETNEXTHOP, 0, "id", NULL, "one record", { "id" } },
    { "list", "ip nexthop show", RTM_GETNEXTHOP, NLM_F_DUMP, "id", NULL,
      "the records of all, or of some" },
    { "flush", "ip nexthop flush", RTM_GETNEXTHOP, NLM_F_DUMP, "id", NULL, "delete all of these" },
    { 0 },
};
