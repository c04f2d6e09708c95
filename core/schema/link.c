/* Links: struct ifinfomsg and IFLA_* (linux/if_link.h; net/core/rtnetlink.c). */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "tables.h"

enum {
    PEER_ELSEWHERE = READER_ATTRIBUTES - 1, /* not the kernel's: IFLA_LINK, in another namespace */
    HAS_OTHER_END = READER_ATTRIBUTES - 2,  /* IFLA_BROADCAST is the other end's address */
};

/* ip/ipaddress.c, print_link_flags: in its order */
static const struct word flag_words[] = {
    { IFF_UP, "NO-CARRIER", IFF_RUNNING },
    { IFF_LOOPBACK, "LOOPBACK" },
    { IFF_BROADCAST, "BROADCAST" },
    { IFF_POINTOPOINT, "POINTOPOINT" },
    { IFF_MULTICAST, "MULTICAST" },
    { IFF_NOARP, "NOARP" },
    { IFF_ALLMULTI, "ALLMULTI" },
    { IFF_PROMISC, "PROMISC" },
    { IFF_MASTER, "MASTER" },
    { IFF_SLAVE, "SLAVE" },
    { IFF_DEBUG, "DEBUG" },
    { IFF_DYNAMIC, "DYNAMIC" },
    { IFF_AUTOMEDIA, "AUTOMEDIA" },
    { IFF_PORTSEL, "PORTSEL" },
    { IFF_NOTRAILERS, "NOTRAILERS" },
    { IFF_UP, "UP" },
    { IFF_LOWER_UP, "LOWER_UP" },
    { IFF_DORMANT, "DORMANT" },
    { IFF_ECHO, "ECHO" },
    { 0 },
};

/* lib/ll_types.c, the types that namespaces have */
static const struct word type_words[] = {
    { ARPHRD_ETHER, "ether" },           { ARPHRD_LOOPBACK, "loopback" }, { ARPHRD_TUNNEL, "ipip" },
    { ARPHRD_TUNNEL6, "tunnel6" },       { ARPHRD_SIT, "sit" },           { ARPHRD_IPGRE, "gre" },
    { ARPHRD_IP6GRE, "gre6" },           { ARPHRD_NONE, "none" },         { ARPHRD_PPP, "ppp" },
    { ARPHRD_INFINIBAND, "infiniband" }, { ARPHRD_NETLINK, "netlink" },   { 0 },
};

/* RFC 2863 states, linux/if.h IF_OPER_* */
static const struct word operstate_words[] = {
    { IF_OPER_UNKNOWN, "UNKNOWN" }, { IF_OPER_NOTPRESENT, "NOTPRESENT" },
    { IF_OPER_DOWN, "DOWN" },       { IF_OPER_LOWERLAYERDOWN, "LOWERLAYERDOWN" },
    { IF_OPER_TESTING, "TESTING" }, { IF_OPER_DORMANT, "DORMANT" },
    { IF_OPER_UP, "UP" },           { 0 },
};

static const struct word linkmode_words[] = {
    { IF_LINK_MODE_DEFAULT, "DEFAULT" },
    { IF_LINK_MODE_DORMANT, "DORMANT" },
    { 0 },
};

static const struct word addr_gen_words[] = {
    { IN6_ADDR_GEN_MODE_EUI64, "eui64" },
    { IN6_ADDR_GEN_MODE_NONE, "none" },
    { IN6_ADDR_GEN_MODE_STABLE_PRIVACY, "stable_secret" },
    { IN6_ADDR_GEN_MODE_RANDOM, "random" },
    { 0 },
};

/* --- nests ------------------------------------------------------------------------------------ */

static const struct field inet6_fields[] = {
    { "inet6_addr_gen_mode", ENUM, U8, .attr = IFLA_INET6_ADDR_GEN_MODE, .word = "addrgenmode",
      .of = addr_gen_words, .help = "how the link-local address is made" },
    { 0 },
};

static const struct table inet6_table = { .name = "inet6", .fields = inet6_fields };

static const struct field af_spec_fields[] = {
    { NULL, NESTED, .attr = AF_INET6, .flags = FLAT, .of = &inet6_table },
    { 0 },
};

static const struct table af_spec_table = { .name = "af_spec", .fields = af_spec_fields };

static const struct field linkinfo_fields[] = {
    { "info_kind", KIND, .attr = IFLA_INFO_KIND, .word = "type", .bit = IFLA_INFO_SLAVE_KIND,
      .of = "a kind of link such as \"veth\"",
      .help = "the kind of link, or its master's kind and \"_slave\" to set a port's attributes" },
    { "info_data", KIND_DATA, .attr = IFLA_INFO_DATA, .flags = FLAT },
    { "info_slave_kind", KIND, .attr = IFLA_INFO_SLAVE_KIND, .flags = LATER | NOT_SAID,
      .of = "a kind of link such as \"bridge\"", .help = "the kind of its master" },
    { "info_slave_data", PORT_DATA, .attr = IFLA_INFO_SLAVE_DATA, .flags = FLAT | LATER },
    { 0 },
};

static void find_kinds(struct reader *r) {
    const struct nlattr *kind = r->tb[IFLA_INFO_KIND], *port = r->tb[IFLA_INFO_SLAVE_KIND];
    struct value v;
    static const struct field text = { "", STRING, .attr = IFLA_INFO_KIND };
    static const struct field port_text = { "", STRING, .attr = IFLA_INFO_SLAVE_KIND };
    r->kind = kind && read_value(r, &text, &v) ? schema_kind(link_kinds, v.text, v.length) : NULL;
    r->port =
        port && read_value(r, &port_text, &v) ? schema_kind(link_kinds, v.text, v.length) : NULL;
}

static const struct table linkinfo_table = { .name = "linkinfo",
                                             .fields = linkinfo_fields,
                                             .adapt = find_kinds };

static const struct field altname_field = { "altname", STRING, .attr = IFLA_ALT_IFNAME };

/* --- links ------------------------------------------------------------------------------------ */

static const struct field link_fields[] = {
    { "ifindex", NUMBER, S32, HEADER(ifinfomsg, ifi_index), .flags = READ_ONLY },
    { "dev", DEV, S32, HEADER(ifinfomsg, ifi_index), .flags = WRITE_ONLY | YIELDS,
      .help = "the link that is meant" },
    { "link_index", NUMBER, U32, .attr = PEER_ELSEWHERE, .flags = READ_ONLY,
      .help = "the lower link's or peer's index in its own namespace" },
    { "link", DEV, U32, .attr = IFLA_LINK, .flags = YIELDS,
      .help = "the lower link, or the veth peer" },
    { "ifname", STRING, .attr = IFLA_IFNAME, .word = "name", .min = 1, .max = IFNAMSIZ - 1,
      .help = "its name" },
    { "flags", BITS, U32, HEADER(ifinfomsg, ifi_flags), .flags = READ_ONLY, .of = flag_words },
    { "up", SWITCH, U32, HEADER(ifinfomsg, ifi_flags), .flags = WRITE_ONLY | MASKED, .bit = IFF_UP,
      .of = "down", .help = "set it up or down" },
    { "down", SWITCH, U32, HEADER(ifinfomsg, ifi_flags), .bit = IFF_UP,
      .flags = WRITE_ONLY | MASKED | INVERTED | NOT_SAID, .help = "set it down" },
    { "arp", SWITCH, U32, HEADER(ifinfomsg, ifi_flags), .bit = IFF_NOARP,
      .flags = WRITE_ONLY | MASKED | INVERTED, .help = "whether it uses ARP" },
    { "multicast", SWITCH, U32, HEADER(ifinfomsg, ifi_flags), .bit = IFF_MULTICAST,
      .flags = WRITE_ONLY | MASKED },
    { "allmulticast", SWITCH, U32, HEADER(ifinfomsg, ifi_flags), .bit = IFF_ALLMULTI,
      .flags = WRITE_ONLY | MASKED },
    { "promisc", SWITCH, U32, HEADER(ifinfomsg, ifi_flags), .bit = IFF_PROMISC,
      .flags = WRITE_ONLY | MASKED },
    { "dynamic", SWITCH, U32, HEADER(ifinfomsg, ifi_flags), .bit = IFF_DYNAMIC,
      .flags = WRITE_ONLY | MASKED },
    { "mtu", NUMBER, U32, .attr = IFLA_MTU, .help = "bytes" },
    { "qdisc", STRING, .attr = IFLA_QDISC, .flags = READ_ONLY },
    { "master", DEV, U32, .attr = IFLA_MASTER, .help = "the bridge, bond or VRF it belongs to" },
    { "nomaster", CONSTANT, U32, .attr = IFLA_MASTER, .flags = WRITE_ONLY, .bit = 0,
      .help = "take it out of its master" },
    { "operstate", ENUM, U8, .attr = IFLA_OPERSTATE, .flags = REPORTED, .word = "state",
      .of = operstate_words },
    { "linkmode", ENUM, U8, .attr = IFLA_LINKMODE, .flags = YIELDS, .word = "mode",
      .of = linkmode_words },
    { "group", NAMED, U32, .attr = IFLA_GROUP, .flags = YIELDS, .of = &group_names },
    { "txqlen", NUMBER, U32, .attr = IFLA_TXQLEN, .word = "txqueuelen",
      .help = "length of the transmit queue, packets" },
    { "link_type", ENUM, U16, HEADER(ifinfomsg, ifi_type), .flags = READ_ONLY, .of = type_words },
    { "address", MAC, .attr = IFLA_ADDRESS, .help = "MAC" },
    { "broadcast", MAC, .attr = IFLA_BROADCAST },
    { "link_pointtopoint", BOOL, U32, .attr = HAS_OTHER_END, .flags = READ_ONLY,
      .help = "broadcast is the address of the other end" },
    { "link_netnsid", NUMBER, S32, .attr = IFLA_LINK_NETNSID, .flags = READ_ONLY,
      .help = "the id of the namespace that its lower link or peer is in" },
    { "netns", NETNS, .attr = IFLA_NET_NS_FD, .flags = WRITE_ONLY | UNTOLD, .bit = IFLA_NET_NS_PID,
      .help = "the namespace to create it in, or to move it to" },
    { "promiscuity", NUMBER, U32, .attr = IFLA_PROMISCUITY, .flags = READ_ONLY },
    { "allmulti", NUMBER, U32, .attr = IFLA_ALLMULTI, .flags = READ_ONLY },
    { "min_mtu", NUMBER, U32, .attr = IFLA_MIN_MTU, .flags = READ_ONLY },
    { "max_mtu", NUMBER, U32, .attr = IFLA_MAX_MTU, .flags = READ_ONLY },
    { "proto_down", BOOL, U8, .attr = IFLA_PROTO_DOWN, .flags = ONLY_TRUE | LATER,
      .word = "protodown" },
    { "carrier", BOOL, U8, .attr = IFLA_CARRIER, .flags = WRITE_ONLY | LATER },
    { NULL, NESTED, .attr = IFLA_AF_SPEC, .flags = FLAT | LATER, .of = &af_spec_table },
    { "num_tx_queues", NUMBER, U32, .attr = IFLA_NUM_TX_QUEUES, .word = "numtxqueues" },
    { "num_rx_queues", NUMBER, U32, .attr = IFLA_NUM_RX_QUEUES, .word = "numrxqueues" },
    { "gso_max_size", NUMBER, U32, .attr = IFLA_GSO_MAX_SIZE },
    { "gso_max_segs", NUMBER, U32, .attr = IFLA_GSO_MAX_SEGS },
    { "tso_max_size", NUMBER, U32, .attr = IFLA_TSO_MAX_SIZE, .flags = READ_ONLY },
    { "tso_max_segs", NUMBER, U32, .attr = IFLA_TSO_MAX_SEGS, .flags = READ_ONLY },
    { "gro_max_size", NUMBER, U32, .attr = IFLA_GRO_MAX_SIZE },
    { "ifalias", STRING, .attr = IFLA_IFALIAS, .flags = LATER, .word = "alias",
      .max = IFALIASZ - 1 },
    { "permaddr", MAC, .attr = IFLA_PERM_ADDRESS, .flags = READ_ONLY },
    { "altnames", LIST, .attr = IFLA_PROP_LIST, .flags = READ_ONLY, .of = &altname_field },
    { "linkinfo", NESTED, .attr = IFLA_LINKINFO, .flags = FLAT, .of = &linkinfo_table },
    { "stats64", GROUP, .attr = IFLA_STATS64, .flags = READ_ONLY, .of = &stats_table },
    { "stats", SWITCH, U8, HEADER(ifinfomsg, __ifi_pad), .flags = WRITE_ONLY | NOT_SAID, .bit = 1,
      .help = "of get and list: also count what went through it" },
    { 0 },
};

static bool same_payload(const struct nlattr *a, const struct nlattr *b) {
    size_t size = a ? mnl_attr_get_payload_len(a) : 0;
    return a && b && size == mnl_attr_get_payload_len(b) &&
           !memcmp(mnl_attr_get_payload(a), mnl_attr_get_payload(b), size);
}

/* lib/ll_addr.c */
static int hardware_family(unsigned short type) {
    switch (type) {
    case ARPHRD_TUNNEL:
    case ARPHRD_SIT:
    case ARPHRD_IPGRE:
        return AF_INET;
    case ARPHRD_TUNNEL6:
    case ARPHRD_IP6GRE:
        return AF_INET6;
    default:
        return AF_UNSPEC;
    }
}

/* An index in another namespace is a number there, not a name here. */
static void adapt_link(struct reader *r) {
    if (r->tb[IFLA_LINK_NETNSID]) {
        r->tb[PEER_ELSEWHERE] = r->tb[IFLA_LINK];
        r->tb[IFLA_LINK] = NULL;
    }
    const struct ifinfomsg *link = (const struct ifinfomsg *)r->header;
    r->hardware = hardware_family(link->ifi_type);
    if (!r->nl || !r->nl->counts)
        r->tb[IFLA_STATS64] = NULL;
    if (r->tb[IFLA_BROADCAST] && link->ifi_flags & IFF_POINTOPOINT)
        reader_make(r, HAS_OTHER_END, true);
    if (!r->message && same_payload(r->tb[IFLA_PERM_ADDRESS], r->tb[IFLA_ADDRESS]))
        r->tb[IFLA_PERM_ADDRESS] = NULL; /* as iproute2: it tells of one that was changed */
}

/* As the kernel's eth_random_addr() (linux/etherdevice.h). Chosen here, so that the request says
   all of it, and udev finds an address that was set and leaves it alone. */
static int write_random_mac(struct writer *w, struct error *err) {
    uint8_t mac[6];
    if (getrandom(mac, sizeof mac, 0) != sizeof mac)
        return error_set(err, EIO, "no random numbers");
    mac[0] = (uint8_t)((mac[0] & 0xfe) | 0x02);
    return write_attribute(w, IFLA_ADDRESS, mac, sizeof mac, err);
}

/* Whether the counters are wanted was written where the kernel has a zero. It tells them anyway. */
static int finish_question(struct writer *w) {
    struct ifinfomsg *link = (struct ifinfomsg *)w->header;
    w->message->nl->counts = link->__ifi_pad;
    link->__ifi_pad = 0;
    message_forget(w->message, schema_field(&link_table, "stats"));
    return 0;
}

static int refuse_stats(struct error *err) {
    error_set(err, EINVAL, "only get and list tell them");
    strcpy(err->key, "stats");
    return -1;
}

static int finish_link(struct writer *w, struct error *err) {
    if (message_filters(w->message) && !w->nest)
        return finish_question(w);
    if (((struct ifinfomsg *)w->header)->__ifi_pad)
        return refuse_stats(err);
    if (message_makes_new(w->message) && !w->nest && !writer_find(w, IFLA_LINKINFO))
        return refuse_missing("type", err);
    if (!message_makes_new(w->message) || !w->kind || !w->kind->ether ||
        writer_find(w, IFLA_ADDRESS))
        return 0;
    return write_random_mac(w, err);
}

const struct table link_table = {
    .name = "link",
    .fields = link_fields,
    .header = sizeof(struct ifinfomsg),
    .first = "name",
    .kinds = link_kinds,
    .kind_word = "type",
    .kind_name = "info_kind",
    .finish = finish_link,
    .adapt = adapt_link,
};

/* Without a mask the kernel leaves out, in silence, a link whose names need more than its usual
   buffer, and all links behind it (rtnl_calcit). Nobody reads the statistics of virtual functions.
 */
void link_prepare_dump(const void *filter, struct nlmsghdr *request) {
    (void)filter;
    mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

/* --- veth (drivers/net/veth.c) ---------------------------------------------------------------- */

static const struct field veth_fields[] = {
    { "peer", NESTED, .attr = VETH_INFO_PEER, .flags = WRITE_ONLY | UNTOLD, .word = "peer",
      .of = &link_table, .help = "the other end: a name, or a table of a link's fields" },
    { 0 },
};

/* A peer that is not mentioned gets its MAC from us all the same. */
static int finish_veth(struct writer *w, struct error *err) {
    struct writer peer;
    if (!message_makes_new(w->message) || writer_find(w, VETH_INFO_PEER))
        return 0;
    return writer_nest(w, veth_fields, &link_table, &peer, err) < 0 ? -1 : writer_end(&peer, err);
}

const struct table veth_table = { .name = "veth", .fields = veth_fields, .finish = finish_veth };

/* --- verbs ------------------------------------------------------------------------------------ */

const struct verb link_verbs[] = {
    { "add", "ip link add", RTM_NEWLINK, ADD, "name", "ifname", "create a link" },
    { "set", "ip link set", RTM_NEWLINK, 0, "dev", "ifname", "change a link", { "dev" } },
    /* the kernel refuses NLM_F_REPLACE, and changes a link that is there without it */
    { "replace", "ip link replace", RTM_NEWLINK, NLM_F_CREATE, "name", "ifname",
      "create or change one" },
    { "del", "ip link del", RTM_DELLINK, 0, "dev", "ifname", "delete a link", { "dev" } },
    { "get", "ip link show", RTM_GETLINK, 0, "dev", "ifname", "one link's record", { "dev" } },
    { "list", "ip link show", RTM_GETLINK, NLM_F_DUMP, "dev", "ifname",
      "the records of all, or of some" },
    { 0 },
};
