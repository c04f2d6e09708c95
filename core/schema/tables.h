/* What the files of the tables share. */
#pragma once

#include "message.h"
#include "names.h"
#include "reader.h"

extern const struct table link_table, bridge_table, bridge_port_table, veth_table;
extern const struct table vxlan_table, bare_table, macvlan_table, macvtap_table, vlan_link_table;
extern const struct table vrf_table, vrf_port_table, ipvlan_table, ipvtap_table, geneve_table;
extern const struct table bond_table, bond_port_table;
extern const struct table gre_table, ip6gre_table, erspan_table, ip6erspan_table, ipip_table;
extern const struct table sit_table, ip6tnl_table, vti_table, vti6_table, tun_table;
extern const struct table route_metrics_table, nexthop_table, mdb_table;
extern const struct table wg_table, stats_table;
extern const struct verb nexthop_verbs[], mdb_verbs[], wg_verbs[];
extern const struct table addr_table, route_table, neigh_table, nsid_table, qdisc_table, vlan_table,
    fdb_table, rule_table, altname_table;
extern const struct table pfifo_table, bfifo_table, pfifo_fast_table, prio_table, sfq_table;
extern const struct table fq_table, fq_codel_table, tbf_table, netem_table, htb_table;
extern const struct table red_table, cake_table, class_table, filter_table;
extern const struct verb link_verbs[], addr_verbs[], route_verbs[], neigh_verbs[], nsid_verbs[];
extern const struct verb class_verbs[], filter_verbs[];
extern const struct verb qdisc_verbs[], vlan_verbs[], fdb_verbs[], rule_verbs[], altname_verbs[];
extern const struct word family_words[], linklayer_words[];
extern const struct word bridge_state_words[], vlan_protocol_words[];

/* Attributes of a qdisc's options from here on are our own: what only the command has to say. The
   kernel passes over numbers that it does not know (nla_parse_deprecated). */
enum { OWN_ATTRIBUTES = 112 };

#define ADD (NLM_F_CREATE | NLM_F_EXCL)
#define REPLACE (NLM_F_CREATE | NLM_F_REPLACE)

/* Whether the caller gave this key of the level's table. */
static inline bool is_given(const struct writer *w, const char *key) {
    return message_given(w->message, schema_field(w->table, key));
}

/* The kind that the attribute names; NULL. */
const struct kind *kind_named(const struct kind *kinds, const struct nlattr *attr);

/* Kinds that work some things out do so also for a caller who gave none of their options. */
int imply_options(struct writer *w, const struct kind *kind, struct error *err);

/* Says where in the tree: EINVAL for the key "parent". */
int refuse_place(const char *sentence, struct error *err);

bool filter_is_hidden(const struct reader *r);
void filter_prepare_dump(const void *filter, struct nlmsghdr *request);
void tc_prepare_dump(const void *filter, struct nlmsghdr *request);
int tun_make(struct message *m, const struct reader *data, const char *name, struct error *err);

bool nsid_is_absent(const struct reader *r);
bool neigh_is_hidden(const struct reader *r);
bool neigh_is_spared(const struct reader *r);
bool route_is_hidden(const struct reader *r);
void route_prepare_deletion(struct nlmsghdr *record);
void nexthop_prepare_deletion(struct nlmsghdr *record);
void neigh_prepare_dump(const void *filter, struct nlmsghdr *request);
void mdb_prepare_dump(const void *filter, struct nlmsghdr *request);
bool mdb_next(struct records *records);
void fdb_prepare_dump(const void *filter, struct nlmsghdr *request);
void vlan_prepare_dump(const void *filter, struct nlmsghdr *request);
void link_prepare_dump(const void *filter, struct nlmsghdr *request);
