/* Bridges and their ports: IFLA_BR_*, IFLA_BRPORT_* (linux/if_link.h; net/bridge/br_netlink.c).
   Times are in hundredths of a second (clock_t), as iproute2 takes and prints them. */
#include <linux/if_bridge.h>
#include <linux/if_link.h>

#include "tables.h"

const struct word vlan_protocol_words[] = {
    { 0x8100, "802.1Q" },
    { 0x88a8, "802.1ad" },
    { 0 },
};

#define OPTION(n)                                                       \
    U32, .attr = IFLA_BR_MULTI_BOOLOPT, PART(br_boolopt_multi, optval), \
         .flags = AS_NUMBER | MASKED | STARTS_ZERO, .bit = 1u << (n)

static const struct field bridge_fields[] = {
    { "forward_delay", NUMBER, U32, .attr = IFLA_BR_FORWARD_DELAY },
    { "hello_time", NUMBER, U32, .attr = IFLA_BR_HELLO_TIME },
    { "max_age", NUMBER, U32, .attr = IFLA_BR_MAX_AGE },
    { "ageing_time", NUMBER, U32, .attr = IFLA_BR_AGEING_TIME },
    { "stp_state", NUMBER, U32, .attr = IFLA_BR_STP_STATE, .help = "spanning tree: 0 or 1" },
    { "priority", NUMBER, U16, .attr = IFLA_BR_PRIORITY },
    { "vlan_filtering", NUMBER, U8, .attr = IFLA_BR_VLAN_FILTERING, .flags = STARTS_ZERO,
      .help = "0 or 1" },
    { "vlan_protocol", ENUM, BE16, .attr = IFLA_BR_VLAN_PROTOCOL, .of = vlan_protocol_words },
    { "bridge_id", BRIDGE_ID, .attr = IFLA_BR_BRIDGE_ID, .flags = READ_ONLY },
    { "root_id", BRIDGE_ID, .attr = IFLA_BR_ROOT_ID, .flags = READ_ONLY },
    { "root_port", NUMBER, U16, .attr = IFLA_BR_ROOT_PORT, .flags = READ_ONLY },
    { "root_path_cost", NUMBER, U32, .attr = IFLA_BR_ROOT_PATH_COST, .flags = READ_ONLY },
    { "topology_change", NUMBER, U8, .attr = IFLA_BR_TOPOLOGY_CHANGE, .flags = READ_ONLY },
    { "topology_change_detected", NUMBER, U8, .attr = IFLA_BR_TOPOLOGY_CHANGE_DETECTED,
      .flags = READ_ONLY },
    { "hello_timer", TICKS, U64, .attr = IFLA_BR_HELLO_TIMER, .flags = READ_ONLY },
    { "tcn_timer", TICKS, U64, .attr = IFLA_BR_TCN_TIMER, .flags = READ_ONLY },
    { "topology_change_timer", TICKS, U64, .attr = IFLA_BR_TOPOLOGY_CHANGE_TIMER,
      .flags = READ_ONLY },
    { "gc_timer", TICKS, U64, .attr = IFLA_BR_GC_TIMER, .flags = READ_ONLY },
    { "vlan_default_pvid", NUMBER, U16, .attr = IFLA_BR_VLAN_DEFAULT_PVID },
    { "vlan_stats_enabled", NUMBER, U8, .attr = IFLA_BR_VLAN_STATS_ENABLED },
    { "vlan_stats_per_port", NUMBER, U8, .attr = IFLA_BR_VLAN_STATS_PER_PORT },
    { "group_fwd_mask", HEX, U16, .attr = IFLA_BR_GROUP_FWD_MASK },
    { "group_addr", MAC, .attr = IFLA_BR_GROUP_ADDR, .word = "group_address" },
    { "mcast_snooping", NUMBER, U8, .attr = IFLA_BR_MCAST_SNOOPING, .help = "0 or 1" },
    { "no_linklocal_learn", SWITCH, OPTION(BR_BOOLOPT_NO_LL_LEARN) },
    { "mcast_vlan_snooping", SWITCH, OPTION(BR_BOOLOPT_MCAST_VLAN_SNOOPING) },
    { "mcast_router", NUMBER, U8, .attr = IFLA_BR_MCAST_ROUTER },
    { "mcast_query_use_ifaddr", NUMBER, U8, .attr = IFLA_BR_MCAST_QUERY_USE_IFADDR },
    { "mcast_querier", NUMBER, U8, .attr = IFLA_BR_MCAST_QUERIER },
    { "mcast_hash_elasticity", NUMBER, U32, .attr = IFLA_BR_MCAST_HASH_ELASTICITY },
    { "mcast_hash_max", NUMBER, U32, .attr = IFLA_BR_MCAST_HASH_MAX },
    { "mcast_last_member_cnt", NUMBER, U32, .attr = IFLA_BR_MCAST_LAST_MEMBER_CNT,
      .word = "mcast_last_member_count" },
    { "mcast_startup_query_cnt", NUMBER, U32, .attr = IFLA_BR_MCAST_STARTUP_QUERY_CNT,
      .word = "mcast_startup_query_count" },
    { "mcast_last_member_intvl", NUMBER, U64, .attr = IFLA_BR_MCAST_LAST_MEMBER_INTVL,
      .word = "mcast_last_member_interval" },
    { "mcast_membership_intvl", NUMBER, U64, .attr = IFLA_BR_MCAST_MEMBERSHIP_INTVL,
      .word = "mcast_membership_interval" },
    { "mcast_querier_intvl", NUMBER, U64, .attr = IFLA_BR_MCAST_QUERIER_INTVL,
      .word = "mcast_querier_interval" },
    { "mcast_query_intvl", NUMBER, U64, .attr = IFLA_BR_MCAST_QUERY_INTVL,
      .word = "mcast_query_interval" },
    { "mcast_query_response_intvl", NUMBER, U64, .attr = IFLA_BR_MCAST_QUERY_RESPONSE_INTVL,
      .word = "mcast_query_response_interval" },
    { "mcast_startup_query_intvl", NUMBER, U64, .attr = IFLA_BR_MCAST_STARTUP_QUERY_INTVL,
      .word = "mcast_startup_query_interval" },
    { "mcast_stats_enabled", NUMBER, U8, .attr = IFLA_BR_MCAST_STATS_ENABLED },
    { "mcast_igmp_version", NUMBER, U8, .attr = IFLA_BR_MCAST_IGMP_VERSION },
    { "mcast_mld_version", NUMBER, U8, .attr = IFLA_BR_MCAST_MLD_VERSION },
    { "nf_call_iptables", NUMBER, U8, .attr = IFLA_BR_NF_CALL_IPTABLES },
    { "nf_call_ip6tables", NUMBER, U8, .attr = IFLA_BR_NF_CALL_IP6TABLES },
    { "nf_call_arptables", NUMBER, U8, .attr = IFLA_BR_NF_CALL_ARPTABLES },
    { 0 },
};

const struct table bridge_table = { .name = "bridge", .fields = bridge_fields };

const struct word bridge_state_words[] = {
    { BR_STATE_DISABLED, "disabled" }, { BR_STATE_LISTENING, "listening" },
    { BR_STATE_LEARNING, "learning" }, { BR_STATE_FORWARDING, "forwarding" },
    { BR_STATE_BLOCKING, "blocking" }, { 0 },
};

static const struct field bridge_port_fields[] = {
    { "state", ENUM, U8, .attr = IFLA_BRPORT_STATE, .flags = AS_NUMBER | REPORTED,
      .of = bridge_state_words },
    { "priority", NUMBER, U16, .attr = IFLA_BRPORT_PRIORITY },
    { "cost", NUMBER, U32, .attr = IFLA_BRPORT_COST },
    { "hairpin", BOOL, U8, .attr = IFLA_BRPORT_MODE },
    { "guard", BOOL, U8, .attr = IFLA_BRPORT_GUARD },
    { "root_block", BOOL, U8, .attr = IFLA_BRPORT_PROTECT },
    { "fastleave", BOOL, U8, .attr = IFLA_BRPORT_FAST_LEAVE },
    { "learning", BOOL, U8, .attr = IFLA_BRPORT_LEARNING },
    { "flood", BOOL, U8, .attr = IFLA_BRPORT_UNICAST_FLOOD },
    { "id", HEX, U16, .attr = IFLA_BRPORT_ID, .flags = READ_ONLY },
    { "no", HEX, U16, .attr = IFLA_BRPORT_NO, .flags = READ_ONLY },
    { "designated_port", NUMBER, U16, .attr = IFLA_BRPORT_DESIGNATED_PORT, .flags = READ_ONLY },
    { "designated_cost", NUMBER, U16, .attr = IFLA_BRPORT_DESIGNATED_COST, .flags = READ_ONLY },
    { "bridge_id", BRIDGE_ID, .attr = IFLA_BRPORT_BRIDGE_ID, .flags = READ_ONLY },
    { "root_id", BRIDGE_ID, .attr = IFLA_BRPORT_ROOT_ID, .flags = READ_ONLY },
    { "hold_timer", TICKS, U64, .attr = IFLA_BRPORT_HOLD_TIMER, .flags = READ_ONLY },
    { "message_age_timer", TICKS, U64, .attr = IFLA_BRPORT_MESSAGE_AGE_TIMER, .flags = READ_ONLY },
    { "forward_delay_timer", TICKS, U64, .attr = IFLA_BRPORT_FORWARD_DELAY_TIMER,
      .flags = READ_ONLY },
    { "topology_change_ack", NUMBER, U8, .attr = IFLA_BRPORT_TOPOLOGY_CHANGE_ACK,
      .flags = READ_ONLY },
    { "config_pending", NUMBER, U8, .attr = IFLA_BRPORT_CONFIG_PENDING, .flags = READ_ONLY },
    { "proxy_arp", BOOL, U8, .attr = IFLA_BRPORT_PROXYARP },
    { "proxy_arp_wifi", BOOL, U8, .attr = IFLA_BRPORT_PROXYARP_WIFI },
    { "multicast_router", NUMBER, U8, .attr = IFLA_BRPORT_MULTICAST_ROUTER,
      .word = "mcast_router" },
    { "mcast_flood", BOOL, U8, .attr = IFLA_BRPORT_MCAST_FLOOD },
    { "bcast_flood", BOOL, U8, .attr = IFLA_BRPORT_BCAST_FLOOD },
    { "mcast_to_unicast", BOOL, U8, .attr = IFLA_BRPORT_MCAST_TO_UCAST },
    { "neigh_suppress", BOOL, U8, .attr = IFLA_BRPORT_NEIGH_SUPPRESS },
    { "group_fwd_mask", HEX, U16, .attr = IFLA_BRPORT_GROUP_FWD_MASK },
    { "vlan_tunnel", BOOL, U8, .attr = IFLA_BRPORT_VLAN_TUNNEL },
    { "isolated", BOOL, U8, .attr = IFLA_BRPORT_ISOLATED },
    { "locked", BOOL, U8, .attr = IFLA_BRPORT_LOCKED },
    { "backup_port", DEV, U32, .attr = IFLA_BRPORT_BACKUP_PORT,
      .help = "the port that takes over while this one has no carrier" },
    { "nobackup_port", CONSTANT, U32, .attr = IFLA_BRPORT_BACKUP_PORT, .flags = WRITE_ONLY },
    { 0 },
};

const struct table bridge_port_table = { .name = "bridge_slave", .fields = bridge_port_fields };
