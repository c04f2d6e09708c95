/* What nsh can speak of, and in which words. */
#include <linux/if_bridge.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "tables.h"

const struct object objects[] = {
    { .name = "link",
      .table = &link_table,
      .verbs = link_verbs,
      .reply = RTM_NEWLINK,
      .get = RTM_GETLINK,
      .prepare_dump = link_prepare_dump },
    { .name = "addr",
      .table = &addr_table,
      .verbs = addr_verbs,
      .reply = RTM_NEWADDR,
      .get = RTM_GETADDR },
    { .name = "route",
      .table = &route_table,
      .verbs = route_verbs,
      .reply = RTM_NEWROUTE,
      .get = RTM_GETROUTE,
      .family_option = true,
      .hidden = route_is_hidden,
      .spared = route_is_hidden,
      .unhide = "table" },
    { .name = "neigh",
      .table = &neigh_table,
      .verbs = neigh_verbs,
      .reply = RTM_NEWNEIGH,
      .get = RTM_GETNEIGH,
      .prepare_dump = neigh_prepare_dump,
      .hidden = neigh_is_hidden,
      .spared = neigh_is_spared,
      .unhide = "state" },
    { .name = "nsid",
      .table = &nsid_table,
      .verbs = nsid_verbs,
      .reply = RTM_NEWNSID,
      .get = RTM_GETNSID,
      .absent = nsid_is_absent },
    { .name = "qdisc",
      .table = &qdisc_table,
      .verbs = qdisc_verbs,
      .reply = RTM_NEWQDISC,
      .get = RTM_GETQDISC },
    { .name = "class",
      .table = &class_table,
      .verbs = class_verbs,
      .reply = RTM_NEWTCLASS,
      .get = RTM_GETTCLASS,
      .prepare_dump = tc_prepare_dump },
    { .name = "filter",
      .table = &filter_table,
      .verbs = filter_verbs,
      .reply = RTM_NEWTFILTER,
      .get = RTM_GETTFILTER,
      .prepare_dump = filter_prepare_dump,
      .hidden = filter_is_hidden,
      .spared = filter_is_hidden },
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
      .family_option = true },
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
