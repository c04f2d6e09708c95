/* What nsh can speak of, and in which words. */
#include <linux/fib_rules.h>
#include <linux/if_bridge.h>
#include <linux/neighbour.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "tables.h"

#define BIT(attribute) (UINT64_C(1) << (attribute))

enum { /* bytes of a fixed struct */
       FIRST = 1,
       FIRST_TWO = 3,
       INDEX = 0xf0, /* of an interface */
       ROUTE = 0x9f, /* struct rtmsg and fib_rule_hdr: without protocol, scope and flags */
};

const struct object objects[] = {
    { .name = "link",
      .table = &link_table,
      .verbs = link_verbs,
      .reply = RTM_NEWLINK,
      .get = RTM_GETLINK,
      .prepare_dump = link_prepare_dump,
      .groups = { RTNLGRP_LINK },
      .key = { INDEX } },
    { .name = "addr",
      .table = &addr_table,
      .verbs = addr_verbs,
      .reply = RTM_NEWADDR,
      .get = RTM_GETADDR,
      .groups = { RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR },
      .key = { FIRST_TWO | INDEX, BIT(IFA_LOCAL) | BIT(IFA_ADDRESS) } },
    { .name = "route",
      .table = &route_table,
      .verbs = route_verbs,
      .reply = RTM_NEWROUTE,
      .get = RTM_GETROUTE,
      .family_option = true,
      .hidden = route_is_hidden,
      .spared = route_is_hidden,
      .unhide = "table",
      .groups = { RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE },
      .key = { ROUTE, BIT(RTA_DST) | BIT(RTA_SRC) | BIT(RTA_OIF) | BIT(RTA_GATEWAY) |
                          BIT(RTA_PRIORITY) | BIT(RTA_TABLE) | BIT(RTA_VIA) | BIT(RTA_NH_ID) } },
    { .name = "neigh",
      .table = &neigh_table,
      .verbs = neigh_verbs,
      .reply = RTM_NEWNEIGH,
      .get = RTM_GETNEIGH,
      .prepare_dump = neigh_prepare_dump,
      .hidden = neigh_is_hidden,
      .spared = neigh_is_spared,
      .unhide = "state",
      .groups = { RTNLGRP_NEIGH },
      .key = { FIRST | INDEX, BIT(NDA_DST) } },
    { .name = "nsid",
      .table = &nsid_table,
      .verbs = nsid_verbs,
      .reply = RTM_NEWNSID,
      .get = RTM_GETNSID,
      .absent = nsid_is_absent,
      .groups = { RTNLGRP_NSID },
      .key = { FIRST, BIT(NETNSA_NSID) } },
    { .name = "qdisc",
      .table = &qdisc_table,
      .verbs = qdisc_verbs,
      .reply = RTM_NEWQDISC,
      .get = RTM_GETQDISC },
    { .name = "vlan",
      .table = &vlan_table,
      .verbs = vlan_verbs,
      .reply = RTM_NEWVLAN,
      .get = RTM_GETVLAN,
      .each = BRIDGE_VLANDB_ENTRY,
      .prepare_dump = vlan_prepare_dump },
    { .name = "fdb",
      .table = &fdb_table,
      .verbs = fdb_verbs,
      .reply = RTM_NEWNEIGH,
      .get = RTM_GETNEIGH,
      .prepare_dump = fdb_prepare_dump },
    { .name = "rule",
      .table = &rule_table,
      .verbs = rule_verbs,
      .reply = RTM_NEWRULE,
      .get = RTM_GETRULE,
      .family_option = true,
      .groups = { RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE },
      .key = { ROUTE, UINT64_MAX & ~BIT(FRA_PAD) } },
    { 0 },
};

const struct kind link_kinds[] = {
    { "bond", &bond_table, &bond_port_table },
    { "bridge", &bridge_table, &bridge_port_table },
    { "dummy", &bare_table, .ether = true },
    { "geneve", &geneve_table },
    { "ifb", &bare_table, .ether = true },
    { "ipvlan", &ipvlan_table },
    { "ipvtap", &ipvtap_table },
    { "macvlan", &macvlan_table, .ether = true },
    { "macvtap", &macvtap_table, .ether = true },
    { "veth", &veth_table, .ether = true },
    { "vlan", &vlan_link_table },
    { "vrf", &vrf_table, &vrf_port_table, .ether = true },
    { "vxlan", &vxlan_table, .ether = true },
    { "wireguard", &bare_table },
    { 0 },
};

const struct word family_words[] = {
    { AF_INET, "inet" },
    { AF_INET6, "inet6" },
    { 0 },
};

/* /etc/iproute2/rt_scopes as iproute2 ships it */
const struct word scope_words[] = {
    { RT_SCOPE_UNIVERSE, "global" }, { RT_SCOPE_SITE, "site" },       { RT_SCOPE_LINK, "link" },
    { RT_SCOPE_HOST, "host" },       { RT_SCOPE_NOWHERE, "nowhere" }, { 0 },
};

/* /etc/iproute2/rt_protos as iproute2 ships it */
const struct word protocol_words[] = {
    { 0, "unspec" },    { 1, "redirect" }, { 2, "kernel" }, { 3, "boot" },   { 4, "static" },
    { 8, "gated" },     { 9, "ra" },       { 10, "mrt" },   { 11, "zebra" }, { 12, "bird" },
    { 13, "dnrouted" }, { 14, "xorp" },    { 15, "ntk" },   { 16, "dhcp" },  { 18, "keepalived" },
    { 42, "babel" },    { 99, "openr" },   { 186, "bgp" },  { 187, "isis" }, { 188, "ospf" },
    { 189, "rip" },     { 192, "eigrp" },  { 0 },
};
