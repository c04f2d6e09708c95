/* VXLAN tunnels: IFLA_VXLAN_* (linux/if_link.h; drivers/net/vxlan/vxlan_core.c). iproute2 has no
   word for IFLA_VXLAN_REMCSUM_NOPARTIAL. */
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/socket.h>

#include "tables.h"

static const struct word df_words[] = {
    { VXLAN_DF_UNSET, "unset" },
    { VXLAN_DF_SET, "set" },
    { VXLAN_DF_INHERIT, "inherit" },
    { 0 },
};

static const struct word ttl_words[] = { { 0, "auto" }, { 0 } };
static const struct word tos_words[] = { { 1, "inherit" }, { 0 } };
static const struct word ageing_words[] = { { 0, "none" }, { 0 } };
static const struct word limit_words[] = { { 0, "unlimited" }, { 0 } };

#define PORTS(member) .attr = IFLA_VXLAN_PORT_RANGE, PART(ifla_vxlan_port_range, member)

static const struct field port_range_fields[] = {
    { "low", NUMBER, BE16, PORTS(low) },
    { "high", NUMBER, BE16, PORTS(high) },
    { 0 },
};

static const struct table port_range_table = { .name = "port_range", .fields = port_range_fields };

static const struct field vxlan_fields[] = {
    { "external", BOOL, U8, .attr = IFLA_VXLAN_COLLECT_METADATA, .flags = ONLY_TRUE,
      .of = "noexternal", .help = "routes and filters say where each packet goes" },
    { "vnifilter", BOOL, U8, .attr = IFLA_VXLAN_VNIFILTER, .flags = ONLY_TRUE, .of = "novnifilter",
      .help = "of an external one: only the VNIs that are listed come in" },
    { "id", NUMBER, U32, .attr = IFLA_VXLAN_ID, .max = (1 << 24) - 1,
      .help = "VNI: the number of the virtual network" },
    { "vni", NUMBER, U32, .attr = IFLA_VXLAN_ID, .flags = WRITE_ONLY | NOT_SAID,
      .max = (1 << 24) - 1, .help = "the same as id" },
    { "group", IP, .attr = IFLA_VXLAN_GROUP, .wide = IFLA_VXLAN_GROUP6, .flags = MULTICAST,
      .bit = AF_INET, .help = "the multicast group in which all its ends are" },
    { "remote", IP, .attr = IFLA_VXLAN_GROUP, .wide = IFLA_VXLAN_GROUP6, .flags = UNICAST,
      .bit = AF_INET, .help = "the other end" },
    { "group6", IP, .attr = IFLA_VXLAN_GROUP6, .word = "group", .flags = MULTICAST,
      .bit = AF_INET6 },
    { "remote6", IP, .attr = IFLA_VXLAN_GROUP6, .word = "remote", .flags = UNICAST,
      .bit = AF_INET6 },
    { "local", IP, .attr = IFLA_VXLAN_LOCAL, .wide = IFLA_VXLAN_LOCAL6, .flags = UNICAST | RESERVED,
      .bit = AF_INET, .help = "the address that it sends from" },
    { "local6", IP, .attr = IFLA_VXLAN_LOCAL6, .word = "local", .flags = UNICAST, .bit = AF_INET6 },
    { "link", DEV, U32, .attr = IFLA_VXLAN_LINK, .word = "dev",
      .help = "the link that it stands on" },
    { "port_range", GROUP, .flags = ALWAYS, .word = "srcport", .of = &port_range_table,
      .help = "the UDP ports that it sends from: { 32768, 61000 }" },
    { "port", NUMBER, BE16, .attr = IFLA_VXLAN_PORT, .word = "dstport",
      .help = "the UDP port of the other end: 4789 (IANA), or the kernel's 8472 without it" },
    { "learning", BOOL, U8, .attr = IFLA_VXLAN_LEARNING, .of = "nolearning",
      .help = "who sends what is learnt from what comes in" },
    { "proxy", BOOL, U8, .attr = IFLA_VXLAN_PROXY, .flags = ONLY_TRUE, .of = "noproxy",
      .help = "it answers ARP itself" },
    { "rsc", BOOL, U8, .attr = IFLA_VXLAN_RSC, .flags = ONLY_TRUE, .of = "norsc",
      .help = "route short circuit" },
    { "l2miss", BOOL, U8, .attr = IFLA_VXLAN_L2MISS, .flags = ONLY_TRUE, .of = "nol2miss",
      .help = "netlink tells of MACs that it does not know" },
    { "l3miss", BOOL, U8, .attr = IFLA_VXLAN_L3MISS, .flags = ONLY_TRUE, .of = "nol3miss",
      .help = "netlink tells of addresses that it does not know" },
    { "tos", HEX, U8, .attr = IFLA_VXLAN_TOS, .flags = ONLY_TRUE, .of = tos_words, .bit = 16 },
    { "ttl", NUMBER, U8, .attr = IFLA_VXLAN_TTL, .wide = IFLA_VXLAN_TTL_INHERIT, .of = ttl_words,
      .help = "a number, \"auto\" or \"inherit\"" },
    { "ttl", FLAG, .attr = IFLA_VXLAN_TTL_INHERIT, .of = "inherit" },
    { "df", ENUM, U8, .attr = IFLA_VXLAN_DF, .of = df_words, .help = "the bit: don't fragment" },
    { "label", HEX, BE32, .attr = IFLA_VXLAN_LABEL, .flags = ONLY_TRUE, .word = "flowlabel",
      .max = (1 << 20) - 1, .help = "of IPv6" },
    { "ageing", NUMBER, U32, .attr = IFLA_VXLAN_AGEING, .of = ageing_words,
      .help = "after how many seconds it forgets a MAC" },
    { "limit", NUMBER, U32, .attr = IFLA_VXLAN_LIMIT, .flags = ONLY_TRUE, .word = "maxaddress",
      .of = limit_words, .help = "how many MACs it learns" },
    { "udp_csum", BOOL, U8, .attr = IFLA_VXLAN_UDP_CSUM, .word = "udpcsum", .of = "noudpcsum" },
    { "udp_zero_csum6_tx", BOOL, U8, .attr = IFLA_VXLAN_UDP_ZERO_CSUM6_TX, .word = "udp6zerocsumtx",
      .of = "noudp6zerocsumtx" },
    { "udp_zero_csum6_rx", BOOL, U8, .attr = IFLA_VXLAN_UDP_ZERO_CSUM6_RX, .word = "udp6zerocsumrx",
      .of = "noudp6zerocsumrx" },
    { "remcsum_tx", BOOL, U8, .attr = IFLA_VXLAN_REMCSUM_TX, .flags = ONLY_TRUE,
      .word = "remcsumtx", .of = "noremcsumtx", .help = "remote checksum offload" },
    { "remcsum_rx", BOOL, U8, .attr = IFLA_VXLAN_REMCSUM_RX, .flags = ONLY_TRUE,
      .word = "remcsumrx", .of = "noremcsumrx" },
    { "gbp", FLAG, .attr = IFLA_VXLAN_GBP, .help = "group policy extension" },
    { "gpe", FLAG, .attr = IFLA_VXLAN_GPE, .help = "generic protocol extension" },
    { 0 },
};

static int refuse(const char *key, const char *sentence, struct error *err) {
    error_set(err, EINVAL, "%s", sentence);
    strcpy(err->key, key);
    return -1;
}

/* The number of the virtual network; an external one has none of its own (a record tells 0). */
static int finish_id(struct writer *w, uint16_t type, bool external, struct error *err) {
    struct nlattr *id = writer_find(w, type);
    if (!external)
        return id ? 0 : refuse_missing("id", err);
    if (id && mnl_attr_get_u32(id))
        return refuse("id", "an external one has none of its own", err);
    if (id)
        take_out(w, id);
    return 0;
}

static int refuse_two_families(struct writer *w, struct error *err) {
    if (writer_find(w, IFLA_VXLAN_GROUP) && writer_find(w, IFLA_VXLAN_GROUP6))
        return refuse("remote", "given twice", err);
    if (writer_find(w, IFLA_VXLAN_LOCAL) && writer_find(w, IFLA_VXLAN_LOCAL6))
        return refuse("local", "given twice", err);
    return 0;
}

/* As ip/iplink_vxlan.c: an external one learns only if told. */
static int finish_vxlan(struct writer *w, struct error *err) {
    static const uint8_t off = 0;
    bool external = attribute_is_true(writer_find(w, IFLA_VXLAN_COLLECT_METADATA));
    if (refuse_two_families(w, err) < 0)
        return -1;
    if (!message_makes_new(w->message))
        return 0;
    if ((is_given(w, "group") || is_given(w, "group6")) && !writer_find(w, IFLA_VXLAN_LINK))
        return refuse("dev", "a multicast group needs the link that it is on", err);
    if (finish_id(w, IFLA_VXLAN_ID, external, err) < 0)
        return -1;
    return !external || writer_find(w, IFLA_VXLAN_LEARNING)
               ? 0
               : write_attribute(w, IFLA_VXLAN_LEARNING, &off, sizeof off, err);
}

const struct table vxlan_table = {
    .name = "vxlan",
    .fields = vxlan_fields,
    .finish = finish_vxlan,
};

/* --- geneve ----------------------------------------------------------------------------------- */

static const struct field geneve_fields[] = {
    { "external", FLAG, .attr = IFLA_GENEVE_COLLECT_METADATA,
      .help = "routes and filters say where each packet goes" },
    { "id", NUMBER, U32, .attr = IFLA_GENEVE_ID, .max = (1 << 24) - 1,
      .help = "VNI: the number of the virtual network" },
    { "vni", NUMBER, U32, .attr = IFLA_GENEVE_ID, .flags = WRITE_ONLY | NOT_SAID,
      .max = (1 << 24) - 1, .help = "the same as id" },
    { "remote", IP, .attr = IFLA_GENEVE_REMOTE, .wide = IFLA_GENEVE_REMOTE6, .flags = UNICAST,
      .bit = AF_INET, .help = "the other end" },
    { "remote6", IP, .attr = IFLA_GENEVE_REMOTE6, .word = "remote", .flags = UNICAST,
      .bit = AF_INET6 },
    { "ttl", NUMBER, U8, .attr = IFLA_GENEVE_TTL, .wide = IFLA_GENEVE_TTL_INHERIT, .of = ttl_words,
      .help = "a number, \"auto\" or \"inherit\"" },
    { "ttl", FLAG, U8, .attr = IFLA_GENEVE_TTL_INHERIT, .of = "inherit" },
    { "tos", HEX, U8, .attr = IFLA_GENEVE_TOS, .flags = ONLY_TRUE, .of = tos_words, .bit = 16 },
    { "df", ENUM, U8, .attr = IFLA_GENEVE_DF, .of = df_words, .help = "the bit: don't fragment" },
    { "label", HEX, BE32, .attr = IFLA_GENEVE_LABEL, .flags = ONLY_TRUE, .word = "flowlabel",
      .max = (1 << 20) - 1, .help = "of IPv6" },
    { "port", NUMBER, BE16, .attr = IFLA_GENEVE_PORT, .word = "dstport",
      .help = "the UDP port of the other end" },
    { "udp_csum", BOOL, U8, .attr = IFLA_GENEVE_UDP_CSUM, .word = "udpcsum", .of = "noudpcsum" },
    { "udp_zero_csum6_tx", BOOL, U8, .attr = IFLA_GENEVE_UDP_ZERO_CSUM6_TX,
      .word = "udp6zerocsumtx", .of = "noudp6zerocsumtx" },
    { "udp_zero_csum6_rx", BOOL, U8, .attr = IFLA_GENEVE_UDP_ZERO_CSUM6_RX,
      .word = "udp6zerocsumrx", .of = "noudp6zerocsumrx" },
    { "inner_proto_inherit", FLAG, .attr = IFLA_GENEVE_INNER_PROTO_INHERIT,
      .word = "innerprotoinherit", .help = "packets of IP inside, without Ethernet" },
    { 0 },
};

static int finish_geneve(struct writer *w, struct error *err) {
    bool external = attribute_is_true(writer_find(w, IFLA_GENEVE_COLLECT_METADATA));
    if (writer_find(w, IFLA_GENEVE_REMOTE) && writer_find(w, IFLA_GENEVE_REMOTE6))
        return refuse("remote", "given twice", err);
    if (!message_makes_new(w->message))
        return 0;
    if (!external && !writer_find(w, IFLA_GENEVE_REMOTE) && !writer_find(w, IFLA_GENEVE_REMOTE6))
        return refuse_missing("remote", err);
    return finish_id(w, IFLA_GENEVE_ID, external, err);
}

const struct table geneve_table = {
    .name = "geneve",
    .fields = geneve_fields,
    .finish = finish_geneve,
};
