/* Routes: struct rtmsg and RTA_* (linux/rtnetlink.h; net/ipv4/fib_frontend.c, net/ipv6/route.c). */
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "encap.h"
#include "tables.h"

static const struct word type_words[] = {
    { RTN_UNICAST, "unicast" },
    { RTN_LOCAL, "local" },
    { RTN_BROADCAST, "broadcast" },
    { RTN_ANYCAST, "anycast" },
    { RTN_MULTICAST, "multicast" },
    { RTN_BLACKHOLE, "blackhole" },
    { RTN_UNREACHABLE, "unreachable" },
    { RTN_PROHIBIT, "prohibit" },
    { RTN_THROW, "throw" },
    { 0 },
};

static const struct word flag_words[] = {
    { RTNH_F_DEAD, "dead" },
    { RTNH_F_ONLINK, "onlink" },
    { RTNH_F_PERVASIVE, "pervasive" },
    { RTNH_F_OFFLOAD, "offload" },
    { RTNH_F_TRAP, "trap" },
    { RTM_F_NOTIFY, "notify" },
    { RTNH_F_LINKDOWN, "linkdown" },
    { RTNH_F_UNRESOLVED, "unresolved" },
    { RTM_F_OFFLOAD, "rt_offload" },
    { RTM_F_TRAP, "rt_trap" },
    { 0 },
};

/* RFC 4191 */
static const struct word preference_words[] = {
    { 0, "medium" },
    { 1, "high" },
    { 3, "low" },
    { 0 },
};

/* --- where to --------------------------------------------------------------------------------- */

static const struct field via_fields[] = {
    { "family", ENUM, U16, .attr = RTA_VIA, .size = sizeof(uint16_t), .flags = READ_ONLY,
      .of = family_words },
    { "host", VIA, .attr = RTA_VIA },
    { 0 },
};

static const struct table via_table = { .name = "via", .fields = via_fields };

#define REALM(name_, offset_, flags_)                                                       \
    {                                                                                       \
        name_, NAMED, U16, .attr = RTA_FLOW, .offset = offset_, .size = 4, .flags = flags_, \
                           .of = &realm_names                                               \
    }

static const struct field flow_fields[] = {
    REALM("to", LOWER_HALF, 0),
    REALM("from", UPPER_HALF, ONLY_TRUE),
    { 0 },
};

static const struct table flow_table = { .name = "flow", .fields = flow_fields };

#define GATEWAY                                                                              \
    { "gateway",                                                                             \
      ADDRESS,                                                                               \
      .attr = RTA_GATEWAY,                                                                   \
      .wide = RTA_VIA,                                                                       \
      .word = "via",                                                                         \
      .help = "the next router; \"inet6 fe80::1\" if it is of IPv6 and the route of IPv4" }, \
        { "via", VIA, .attr = RTA_VIA, .flags = WRITE_ONLY }, {                              \
        "via", GROUP, .attr = RTA_VIA, .flags = NOT_SAID, .of = &via_table                   \
    }
#define FLOW                                                                              \
    { "flow", GROUP, .attr = RTA_FLOW, .flags = NOT_SAID, .of = &flow_table }, {          \
        "realms", REALMS, U32, .attr = RTA_FLOW, .flags = WRITE_ONLY, .of = &realm_names, \
                               .help = "for counting: \"to\", or \"from/to\""             \
    }

static const struct field hop_fields[] = {
    ENCAP(RTA_ENCAP, route_encap_table),
    GATEWAY,
    FLOW,
    { "dev", DEV, S32, HEADER(rtnexthop, rtnh_ifindex) },
    { "weight", WEIGHT, U8, HEADER(rtnexthop, rtnh_hops), .min = 1, .max = 256,
      .help = "its share of the traffic" },
    { "flags", BITS, U8, HEADER(rtnexthop, rtnh_flags), .flags = NOT_SAID, .of = flag_words,
      .bit = RTNH_F_ONLINK },
    { "onlink", SWITCH, U8, HEADER(rtnexthop, rtnh_flags), .flags = WRITE_ONLY,
      .bit = RTNH_F_ONLINK },
    { 0 },
};

/* By its own word or among the flags. */
static int note_onlink(struct writer *w, struct error *err) {
    return message_note(w->message, schema_field(w->table, "onlink"), false, err);
}

static int finish_hop(struct writer *w, struct error *err) {
    const struct rtnexthop *hop = (const struct rtnexthop *)w->header;
    return hop->rtnh_flags & RTNH_F_ONLINK ? note_onlink(w, err) : 0;
}

static const struct table hop_table = { .name = "nexthops",
                                        .fields = hop_fields,
                                        .header = sizeof(struct rtnexthop),
                                        .finish = finish_hop,
                                        .adapt = adapt_route_encap };

/* --- all of it -------------------------------------------------------------------------------- */

static const struct field route_fields[] = {
    { "type", ENUM, U8, HEADER(rtmsg, rtm_type), .flags = POSITIONAL, .of = type_words },
    { "dst", PREFIX, .attr = RTA_DST, .flags = ALWAYS | POSITIONAL, .word = "to",
      .length_at = offsetof(struct rtmsg, rtm_dst_len),
      .help = "where to: a prefix, an address or \"default\"" },
    { "from", PREFIX, .attr = RTA_SRC, .length_at = offsetof(struct rtmsg, rtm_src_len) },
    { "family", FAMILY, U8, HEADER(rtmsg, rtm_family), .flags = NOT_SAID, .of = family_words },
    { "tos", NAMED, U8, HEADER(rtmsg, rtm_tos), .flags = ONLY_TRUE, .of = &tos_names, .bit = 16 },
    ENCAP(RTA_ENCAP, route_encap_table),
    { "nhid", NUMBER, U32, .attr = RTA_NH_ID, .help = "a nexthop object that says where to" },
    GATEWAY,
    { "dev", DEV, U32, .attr = RTA_OIF, .help = "the interface it leaves through" },
    { "iif", DEV, U32, .attr = RTA_IIF },
    { "table", NAMED, U32, .attr = RTA_TABLE, .of = &table_names,
      .help = "a number or main, local, default; \"all\" to list every one" },
    { "protocol", NAMED, U8, HEADER(rtmsg, rtm_protocol), .word = "proto", .of = &protocol_names,
      .help = "who made it" },
    { "scope", NAMED, U8, HEADER(rtmsg, rtm_scope), .of = &scope_names },
    { "prefsrc", ADDRESS, .attr = RTA_PREFSRC, .word = "src",
      .help = "the source address of what is sent here" },
    { "metric", NUMBER, U32, .attr = RTA_PRIORITY, .help = "the lower wins" },
    { "flags", BITS, U32, HEADER(rtmsg, rtm_flags), .flags = NOT_SAID, .of = flag_words,
      .bit = RTNH_F_ONLINK },
    { "onlink", SWITCH, U32, HEADER(rtmsg, rtm_flags), .flags = WRITE_ONLY, .bit = RTNH_F_ONLINK,
      .help = "the router is on the link, whatever the addresses say" },
    { "expires", NUMBER, U32, .attr = RTA_EXPIRES, .flags = WRITE_ONLY | UNTOLD,
      .help = "seconds that an IPv6 route lives" },
    { "expires", TICKS, S32, .attr = RTA_CACHEINFO, PART(rta_cacheinfo, rta_expires),
      .flags = READ_ONLY | AS_NUMBER | ONLY_TRUE },
    { NULL, NESTED, .attr = RTA_METRICS, .flags = FLAT, .of = &route_metrics_table },
    FLOW,
    { "uid", NUMBER, U32, .attr = RTA_UID, .flags = READ_ONLY },
    { "pref", ENUM, U8, .attr = RTA_PREF, .of = preference_words },
    { "nexthops", RECORDS, .attr = RTA_MULTIPATH, .word = "nexthop", .of = &hop_table, .bit = HOPS,
      .help = "several ways: { { via = …, dev = …, weight = … }, … }" },
    { 0 },
};

/* ip/iproute.c, iproute_modify: what goes straight to a neighbour has the scope of the link. */
static uint8_t implied_scope(const struct writer *w, const struct rtmsg *header) {
    if (header->rtm_type == RTN_LOCAL)
        return RT_SCOPE_HOST;
    if (header->rtm_type == RTN_BROADCAST || header->rtm_type == RTN_ANYCAST ||
        header->rtm_type == RTN_MULTICAST)
        return RT_SCOPE_LINK;
    bool far = writer_find(w, RTA_GATEWAY) || writer_find(w, RTA_VIA) ||
               writer_find(w, RTA_MULTIPATH) || writer_find(w, RTA_NH_ID);
    return header->rtm_type == RTN_UNICAST && !far ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

static uint8_t implied_table(const struct rtmsg *header) {
    bool local = header->rtm_type == RTN_LOCAL || header->rtm_type == RTN_BROADCAST ||
                 header->rtm_type == RTN_ANYCAST;
    return local ? RT_TABLE_LOCAL : RT_TABLE_MAIN;
}

static int imply_new(struct writer *w, struct rtmsg *header, struct error *err) {
    if (!is_given(w, "protocol"))
        header->rtm_protocol = RTPROT_BOOT;
    if (!header->rtm_type)
        header->rtm_type = RTN_UNICAST;
    if (!is_given(w, "scope") && header->rtm_family != AF_INET6)
        header->rtm_scope = implied_scope(w, header);
    return header->rtm_flags & RTNH_F_ONLINK ? note_onlink(w, err) : 0;
}

static bool is_not_said_by_nexthop(uint16_t type) {
    return type != RTA_GATEWAY && type != RTA_VIA && type != RTA_OIF && type != RTA_MULTIPATH;
}

/* A record has beside a nexthop's id what that says, which the kernel does not take twice. */
void route_prepare_deletion(struct nlmsghdr *record) {
    struct rtmsg *header = mnl_nlmsg_get_payload(record);
    const struct nlattr *attr;
    bool by_nexthop = false;
    mnl_attr_for_each(attr, record, sizeof *header) by_nexthop =
        by_nexthop || mnl_attr_get_type(attr) == RTA_NH_ID;
    if (!by_nexthop)
        return;
    keep_attributes(record, sizeof *header, is_not_said_by_nexthop);
    if (header->rtm_type == RTN_BLACKHOLE)
        header->rtm_type = RTN_UNICAST;
}

/* What a caller names by its word is his. */
static void drop_what_nexthop_says(struct writer *w) {
    const char *key = message_key(w->message, schema_field(w->table, "gateway"));
    if (!writer_find(w, RTA_GATEWAY) || strcmp(key, "via"))
        route_prepare_deletion(&w->message->header);
}

/* `via inet6` of what is of IPv6 itself is a gateway like others. */
static int settle_via(struct writer *w, struct rtmsg *header, struct error *err) {
    struct nlattr *via = writer_find(w, RTA_VIA);
    char bytes[16];
    if (!via || header->rtm_family == AF_INET)
        return 0;
    memcpy(bytes, (char *)mnl_attr_get_payload(via) + sizeof(uint16_t), sizeof bytes);
    take_out(w, via);
    header->rtm_family = AF_INET6;
    return write_attribute(w, RTA_GATEWAY, bytes, sizeof bytes, err);
}

/* ip/iproute.c: `table all` alone is of both families. */
static bool wants_all(const struct writer *w) {
    const struct nlattr *table = writer_find(w, RTA_TABLE);
    return w->message->verb->type == RTM_GETROUTE && table &&
           mnl_attr_get_u32(table) == RT_TABLE_UNSPEC;
}

static int finish_route(struct writer *w, struct error *err) {
    struct rtmsg *header = (struct rtmsg *)w->header;
    uint16_t type = w->message->verb->type;
    if (settle_via(w, header, err) < 0)
        return -1;
    if (!header->rtm_family && !wants_all(w))
        header->rtm_family = AF_INET;
    if (type == RTM_GETROUTE)
        header->rtm_flags |= header->rtm_family == AF_INET ? RTM_F_LOOKUP_TABLE : 0;
    else if (!is_given(w, "table"))
        header->rtm_table = implied_table(header);
    if (type != RTM_GETROUTE)
        drop_what_nexthop_says(w);
    if (type == RTM_NEWROUTE)
        return imply_new(w, header, err);
    if (type == RTM_DELROUTE && !is_given(w, "scope"))
        header->rtm_scope = RT_SCOPE_NOWHERE;
    return 0;
}

const struct table route_table = {
    .name = "route",
    .fields = route_fields,
    .header = sizeof(struct rtmsg),
    .finish = finish_route,
    .adapt = adapt_route_encap,
};

/* As `ip route`: the main table, without cached clones. */
bool route_is_hidden(const struct reader *r) {
    static const struct field table = { "table", NUMBER, U32, .attr = RTA_TABLE };
    const struct rtmsg *header = (const struct rtmsg *)r->header;
    int64_t number = header->rtm_table;
    read_number(r, &table, &number);
    return number != RT_TABLE_MAIN || header->rtm_flags & RTM_F_CLONED;
}

const struct verb route_verbs[] = {
    { "add", "ip route add", RTM_NEWROUTE, ADD, "dst", NULL, "create a route" },
    { "set", "ip route change", RTM_NEWROUTE, NLM_F_REPLACE, "dst", NULL, "change one" },
    { "replace", "ip route replace", RTM_NEWROUTE, REPLACE, "dst", NULL, "create or change one" },
    { "append", "ip route append", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, "dst", NULL,
      "create one behind those to the same destination" },
    { "del", "ip route del", RTM_DELROUTE, 0, "dst", NULL, "delete one" },
    { "get",
      "ip route get",
      RTM_GETROUTE,
      0,
      "dst",
      NULL,
      "the route that an address takes",
      { "to" } },
    { "list", "ip route show", RTM_GETROUTE, NLM_F_DUMP, "dst", NULL,
      "the records of the main table" },
    { "flush", "ip route flush", RTM_GETROUTE, NLM_F_DUMP, "dst", NULL, "delete all of these" },
    { 0 },
};
