/* Routes: struct rtmsg and RTA_* (linux/rtnetlink.h; net/ipv4/fib_frontend.c, net/ipv6/route.c). */
#include <linux/rtnetlink.h>
#include <sys/socket.h>

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

/* /etc/iproute2/rt_tables as iproute2 ships it */
const struct word table_words[] = {
    { RT_TABLE_MAIN, "main" },
    { RT_TABLE_LOCAL, "local" },
    { RT_TABLE_DEFAULT, "default" },
    { RT_TABLE_UNSPEC, "all" },
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

static const struct field metrics_fields[] = {
    { "mtu", NUMBER, U32, .attr = RTAX_MTU, .help = "bytes" },
    { "window", NUMBER, U32, .attr = RTAX_WINDOW },
    { "rtt", NUMBER, U32, .attr = RTAX_RTT },
    { "rttvar", NUMBER, U32, .attr = RTAX_RTTVAR },
    { "ssthresh", NUMBER, U32, .attr = RTAX_SSTHRESH },
    { "cwnd", NUMBER, U32, .attr = RTAX_CWND },
    { "advmss", NUMBER, U32, .attr = RTAX_ADVMSS },
    { "reordering", NUMBER, U32, .attr = RTAX_REORDERING },
    { "hoplimit", NUMBER, U32, .attr = RTAX_HOPLIMIT },
    { "initcwnd", NUMBER, U32, .attr = RTAX_INITCWND },
    { "initrwnd", NUMBER, U32, .attr = RTAX_INITRWND },
    { "quickack", NUMBER, U32, .attr = RTAX_QUICKACK },
    { "congestion", STRING, .attr = RTAX_CC_ALGO, .word = "congctl", .max = 15,
      .help = "the congestion control of TCP, such as \"reno\"" },
    { 0 },
};

static const struct table metrics_table = { .name = "metrics", .fields = metrics_fields };

static const struct field route_fields[] = {
    { "type", ENUM, U8, HEADER(rtmsg, rtm_type), .flags = POSITIONAL, .of = type_words },
    { "dst", PREFIX, .attr = RTA_DST, .flags = ALWAYS | POSITIONAL, .word = "to",
      .length_at = offsetof(struct rtmsg, rtm_dst_len),
      .help = "where to: a prefix, an address or \"default\"" },
    { "from", PREFIX, .attr = RTA_SRC, .length_at = offsetof(struct rtmsg, rtm_src_len) },
    { "family", FAMILY, U8, HEADER(rtmsg, rtm_family), .flags = NOT_SAID, .of = family_words },
    { "tos", HEX, U8, HEADER(rtmsg, rtm_tos), .flags = ONLY_TRUE },
    { "gateway", ADDRESS, .attr = RTA_GATEWAY, .word = "via", .help = "the next router" },
    { "dev", DEV, U32, .attr = RTA_OIF, .help = "the interface it leaves through" },
    { "iif", DEV, U32, .attr = RTA_IIF },
    { "table", ENUM, U32, .attr = RTA_TABLE, .of = table_words,
      .help = "a number or main, local, default; \"all\" to list every one" },
    { "protocol", ENUM, U8, HEADER(rtmsg, rtm_protocol), .word = "proto", .of = protocol_words,
      .help = "who made it" },
    { "scope", ENUM, U8, HEADER(rtmsg, rtm_scope), .of = scope_words },
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
    { NULL, NESTED, .attr = RTA_METRICS, .flags = FLAT, .of = &metrics_table },
    { "uid", NUMBER, U32, .attr = RTA_UID, .flags = READ_ONLY },
    { "pref", ENUM, U8, .attr = RTA_PREF, .of = preference_words },
    { 0 },
};

/* ip/iproute.c, iproute_modify: what goes straight to a neighbour has the scope of the link. */
static uint8_t implied_scope(const struct writer *w, const struct rtmsg *header) {
    if (header->rtm_type == RTN_LOCAL)
        return RT_SCOPE_HOST;
    if (header->rtm_type == RTN_BROADCAST || header->rtm_type == RTN_ANYCAST ||
        header->rtm_type == RTN_MULTICAST)
        return RT_SCOPE_LINK;
    return header->rtm_type == RTN_UNICAST && !writer_find(w, RTA_GATEWAY) ? RT_SCOPE_LINK
                                                                           : RT_SCOPE_UNIVERSE;
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
    return header->rtm_flags & RTNH_F_ONLINK /* by its own word or among the flags */
               ? message_note(w->message, schema_field(w->table, "onlink"), false, err)
               : 0;
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
    if (!header->rtm_family && !wants_all(w))
        header->rtm_family = AF_INET;
    if (type == RTM_GETROUTE)
        header->rtm_flags |= header->rtm_family == AF_INET ? RTM_F_LOOKUP_TABLE : 0;
    else if (!is_given(w, "table"))
        header->rtm_table = implied_table(header);
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
