/* Bonds and their ports: IFLA_BOND_*, IFLA_BOND_SLAVE_* (linux/if_link.h; drivers/net/bonding).
   Times are in milliseconds. */
#include <linux/if_bonding.h>
#include <linux/if_link.h>
#include <sys/socket.h>

#include "tables.h"

static const struct word mode_words[] = {
    { BOND_MODE_ROUNDROBIN, "balance-rr" }, { BOND_MODE_ACTIVEBACKUP, "active-backup" },
    { BOND_MODE_XOR, "balance-xor" },       { BOND_MODE_BROADCAST, "broadcast" },
    { BOND_MODE_8023AD, "802.3ad" },        { BOND_MODE_TLB, "balance-tlb" },
    { BOND_MODE_ALB, "balance-alb" },       { 0 },
};

/* ip/iplink_bond.c */
static const struct word validate_words[] = {
    { 0, "none" },   { 1, "active" },        { 2, "backup" },        { 3, "all" },
    { 4, "filter" }, { 5, "filter_active" }, { 6, "filter_backup" }, { 0 },
};
static const struct word targets_words[] = { { 0, "any" }, { 1, "all" }, { 0 } };
static const struct word reselect_words[] = {
    { 0, "always" }, { 1, "better" }, { 2, "failure" }, { 0 }
};
static const struct word fail_over_words[] = {
    { 0, "none" }, { 1, "active" }, { 2, "follow" }, { 0 }
};
static const struct word hash_words[] = {
    { 0, "layer2" },
    { 1, "layer3+4" },
    { 2, "layer2+3" },
    { 3, "encap2+3" },
    { 4, "encap3+4" },
    { 5, "vlan+srcmac" },
    { 0 },
};
static const struct word off_on_words[] = { { 0, "off" }, { 1, "on" }, { 0 } };
static const struct word rate_words[] = { { 0, "slow" }, { 1, "fast" }, { 0 } };
static const struct word select_words[] = {
    { 0, "stable" }, { 1, "bandwidth" }, { 2, "count" }, { 0 }
};

static const struct field ad_info_fields[] = {
    { "aggregator", NUMBER, U16, .attr = IFLA_BOND_AD_INFO_AGGREGATOR },
    { "num_ports", NUMBER, U16, .attr = IFLA_BOND_AD_INFO_NUM_PORTS },
    { "actor_key", NUMBER, U16, .attr = IFLA_BOND_AD_INFO_ACTOR_KEY },
    { "partner_key", NUMBER, U16, .attr = IFLA_BOND_AD_INFO_PARTNER_KEY },
    { "partner_mac", MAC, .attr = IFLA_BOND_AD_INFO_PARTNER_MAC },
    { 0 },
};

static const struct table ad_info_table = { .name = "ad_info", .fields = ad_info_fields };

static const struct field target4 = { "", IP, .flags = UNICAST, .bit = AF_INET };
static const struct field target6 = { "", IP, .flags = UNICAST, .bit = AF_INET6 };

static const struct field bond_fields[] = {
    { "mode", ENUM, U8, .attr = IFLA_BOND_MODE, .of = mode_words,
      .help = "how what is sent is spread over the ports" },
    { "active_slave", DEV, U32, .attr = IFLA_BOND_ACTIVE_SLAVE, .help = "the port that is used" },
    { "miimon", NUMBER, U32, .attr = IFLA_BOND_MIIMON, .help = "how often carriers are looked at" },
    { "updelay", NUMBER, U32, .attr = IFLA_BOND_UPDELAY, .flags = STARTS_ZERO },
    { "downdelay", NUMBER, U32, .attr = IFLA_BOND_DOWNDELAY, .flags = STARTS_ZERO },
    { "peer_notify_delay", NUMBER, U32, .attr = IFLA_BOND_PEER_NOTIF_DELAY, .flags = STARTS_ZERO },
    { "use_carrier", NUMBER, U8, .attr = IFLA_BOND_USE_CARRIER },
    { "arp_interval", NUMBER, U32, .attr = IFLA_BOND_ARP_INTERVAL, .flags = STARTS_ZERO },
    { "arp_missed_max", NUMBER, U8, .attr = IFLA_BOND_MISSED_MAX },
    { "arp_validate", ENUM, U32, .attr = IFLA_BOND_ARP_VALIDATE, .flags = STARTS_ZERO,
      .of = validate_words },
    { "arp_all_targets", ENUM, U32, .attr = IFLA_BOND_ARP_ALL_TARGETS, .of = targets_words },
    { "arp_ip_target", LIST, .attr = IFLA_BOND_ARP_IP_TARGET, .of = &target4, .bit = ',',
      .help = "whom ARP asks whether a port carries: { \"10.0.0.1\", … }" },
    { "ns_ip6_target", LIST, .attr = IFLA_BOND_NS_IP6_TARGET, .of = &target6, .bit = ',' },
    { "primary", DEV, U32, .attr = IFLA_BOND_PRIMARY, .help = "the port that is preferred" },
    { "primary_reselect", ENUM, U8, .attr = IFLA_BOND_PRIMARY_RESELECT, .of = reselect_words },
    { "fail_over_mac", ENUM, U8, .attr = IFLA_BOND_FAIL_OVER_MAC, .of = fail_over_words },
    { "xmit_hash_policy", ENUM, U8, .attr = IFLA_BOND_XMIT_HASH_POLICY, .of = hash_words },
    { "resend_igmp", NUMBER, U32, .attr = IFLA_BOND_RESEND_IGMP },
    { "num_peer_notif", NUMBER, U8, .attr = IFLA_BOND_NUM_PEER_NOTIF, .word = "num_grat_arp" },
    { "all_slaves_active", NUMBER, U8, .attr = IFLA_BOND_ALL_SLAVES_ACTIVE },
    { "min_links", NUMBER, U32, .attr = IFLA_BOND_MIN_LINKS },
    { "lp_interval", NUMBER, U32, .attr = IFLA_BOND_LP_INTERVAL },
    { "packets_per_slave", NUMBER, U32, .attr = IFLA_BOND_PACKETS_PER_SLAVE },
    { "ad_lacp_active", ENUM, U8, .attr = IFLA_BOND_AD_LACP_ACTIVE, .word = "lacp_active",
      .of = off_on_words },
    { "ad_lacp_rate", ENUM, U8, .attr = IFLA_BOND_AD_LACP_RATE, .word = "lacp_rate",
      .of = rate_words },
    { "ad_select", ENUM, U8, .attr = IFLA_BOND_AD_SELECT, .of = select_words },
    { "ad_info", NESTED, .attr = IFLA_BOND_AD_INFO, .flags = READ_ONLY, .of = &ad_info_table },
    { "ad_actor_sys_prio", NUMBER, U16, .attr = IFLA_BOND_AD_ACTOR_SYS_PRIO },
    { "ad_user_port_key", NUMBER, U16, .attr = IFLA_BOND_AD_USER_PORT_KEY },
    { "ad_actor_system", MAC, .attr = IFLA_BOND_AD_ACTOR_SYSTEM },
    { "tlb_dynamic_lb", NUMBER, U8, .attr = IFLA_BOND_TLB_DYNAMIC_LB },
    { 0 },
};

/* bond_options.c, bond_opts: what the kernel tells of every bond, but takes for these modes only.
 */
static const struct {
    uint16_t attr;
    uint8_t modes;
} only_in[] = {
    { IFLA_BOND_PACKETS_PER_SLAVE, 1 << BOND_MODE_ROUNDROBIN },
    { IFLA_BOND_AD_LACP_ACTIVE, 1 << BOND_MODE_8023AD },
    { IFLA_BOND_AD_LACP_RATE, 1 << BOND_MODE_8023AD },
    { IFLA_BOND_TLB_DYNAMIC_LB, 1 << BOND_MODE_TLB },
    { IFLA_BOND_MISSED_MAX, 1 << BOND_MODE_ROUNDROBIN | 1 << BOND_MODE_ACTIVEBACKUP |
                                1 << BOND_MODE_XOR | 1 << BOND_MODE_BROADCAST },
};

static int finish_bond(struct writer *w, struct error *err) {
    struct nlattr *mode = writer_find(w, IFLA_BOND_MODE);
    (void)err;
    if (!w->message->from_record || !message_makes_new(w->message) || !mode)
        return 0;
    for (size_t i = 0; i < sizeof only_in / sizeof *only_in; i++) {
        struct nlattr *attr = writer_find(w, only_in[i].attr);
        if (attr && !(only_in[i].modes >> mnl_attr_get_u8(mode) & 1))
            take_out(w, attr);
        mode = writer_find(w, IFLA_BOND_MODE);
    }
    return 0;
}

const struct table bond_table = { .name = "bond", .fields = bond_fields, .finish = finish_bond };

/* --- ports ------------------------------------------------------------------------------------ */

static const struct word state_words[] = { { BOND_STATE_ACTIVE, "ACTIVE" },
                                           { BOND_STATE_BACKUP, "BACKUP" },
                                           { 0 } };
static const struct word mii_words[] = {
    { BOND_LINK_UP, "UP" },
    { BOND_LINK_FAIL, "GOING_DOWN" },
    { BOND_LINK_DOWN, "DOWN" },
    { BOND_LINK_BACK, "GOING_BACK" },
    { 0 },
};

static const struct field bond_port_fields[] = {
    { "state", ENUM, U8, .attr = IFLA_BOND_SLAVE_STATE, .flags = READ_ONLY, .of = state_words },
    { "mii_status", ENUM, U8, .attr = IFLA_BOND_SLAVE_MII_STATUS, .flags = READ_ONLY,
      .of = mii_words },
    { "link_failure_count", NUMBER, U32, .attr = IFLA_BOND_SLAVE_LINK_FAILURE_COUNT,
      .flags = READ_ONLY },
    { "perm_hwaddr", MAC, .attr = IFLA_BOND_SLAVE_PERM_HWADDR, .flags = READ_ONLY },
    { "queue_id", NUMBER, U16, .attr = IFLA_BOND_SLAVE_QUEUE_ID },
    { "prio", NUMBER, S32, .attr = IFLA_BOND_SLAVE_PRIO, .help = "in the choice of the port" },
    { "ad_aggregator_id", NUMBER, U16, .attr = IFLA_BOND_SLAVE_AD_AGGREGATOR_ID,
      .flags = READ_ONLY },
    { "ad_actor_oper_port_state", NUMBER, U8, .attr = IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE,
      .flags = READ_ONLY },
    { "ad_partner_oper_port_state", NUMBER, U16, .attr = IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE,
      .flags = READ_ONLY },
    { 0 },
};

const struct table bond_port_table = { .name = "bond_slave", .fields = bond_port_fields };
