/* Links that stand on another one (IFLA_LINK: `link`), and those that have no attributes of their
   own: IFLA_MACVLAN_*, IFLA_IPVLAN_*, IFLA_VLAN_*, IFLA_VRF_* (linux/if_link.h;
   drivers/net/macvlan.c, net/8021q).
 */
#include <linux/if_link.h>
#include <linux/if_vlan.h>

#include "tables.h"

static const struct field no_fields[] = { { 0 } };

const struct table bare_table = { .name = "", .fields = no_fields };

/* --- macvlan, macvtap ------------------------------------------------------------------------- */

static const struct word macvlan_mode_words[] = {
    { MACVLAN_MODE_PRIVATE, "private" }, { MACVLAN_MODE_VEPA, "vepa" },
    { MACVLAN_MODE_BRIDGE, "bridge" },   { MACVLAN_MODE_PASSTHRU, "passthru" },
    { MACVLAN_MODE_SOURCE, "source" },   { 0 },
};

static const struct field source_field = { "", MAC, .attr = IFLA_MACVLAN_MACADDR };

static const struct field macvlan_fields[] = {
    { "mode", ENUM, U32, .attr = IFLA_MACVLAN_MODE, .of = macvlan_mode_words,
      .help = "who of those on the same link hear each other" },
    { "nopromisc", SWITCH, U16, .attr = IFLA_MACVLAN_FLAGS, .bit = MACVLAN_FLAG_NOPROMISC,
      .help = "of passthru: the lower link hears only what is for it" },
    { "bcqueuelen", NUMBER, U32, .attr = IFLA_MACVLAN_BC_QUEUE_LEN,
      .help = "length of the queue of broadcasts" },
    { "usedbcqueuelen", NUMBER, U32, .attr = IFLA_MACVLAN_BC_QUEUE_LEN_USED, .flags = READ_ONLY },
    { "macaddr_count", NUMBER, U32, .attr = IFLA_MACVLAN_MACADDR_COUNT, .flags = READ_ONLY },
    { "macaddr_data", LIST, .attr = IFLA_MACVLAN_MACADDR_DATA, .wide = IFLA_MACVLAN_MACADDR_MODE,
      .word = "macaddr set", .of = &source_field, .help = "of mode source: from whom it hears" },
    { 0 },
};

/* The list is all that there are. */
static int finish_macvlan(struct writer *w, struct error *err) {
    const uint32_t mode = MACVLAN_MACADDR_SET;
    return writer_find(w, IFLA_MACVLAN_MACADDR_DATA)
               ? write_attribute(w, IFLA_MACVLAN_MACADDR_MODE, &mode, sizeof mode, err)
               : 0;
}

/* The kernel counts also where nobody asks for sources. */
static void adapt_macvlan(struct reader *r) {
    const struct nlattr *mode = r->tb[IFLA_MACVLAN_MODE];
    if (!r->message && mode && mnl_attr_get_u32(mode) != MACVLAN_MODE_SOURCE)
        r->tb[IFLA_MACVLAN_MACADDR_COUNT] = NULL;
}

const struct table macvlan_table = {
    .name = "macvlan", .fields = macvlan_fields, .finish = finish_macvlan, .adapt = adapt_macvlan
};
const struct table macvtap_table = {
    .name = "macvtap", .fields = macvlan_fields, .finish = finish_macvlan, .adapt = adapt_macvlan
};

/* --- ipvlan, ipvtap (drivers/net/ipvlan) ------------------------------------------------------ */

static const struct word ipvlan_mode_words[] = {
    { IPVLAN_MODE_L2, "l2" },
    { IPVLAN_MODE_L3, "l3" },
    { IPVLAN_MODE_L3S, "l3s" },
    { 0 },
};

static const struct field ipvlan_fields[] = {
    { "mode", ENUM, U16, .attr = IFLA_IPVLAN_MODE, .of = ipvlan_mode_words,
      .help = "whether frames are switched (l2) or packets routed (l3, l3s)" },
    { "bridge", CONSTANT, U16, .attr = IFLA_IPVLAN_FLAGS, .bit = 0,
      .help = "those on the same link hear each other" },
    { "private", SWITCH, U16, .attr = IFLA_IPVLAN_FLAGS, .bit = IPVLAN_F_PRIVATE,
      .help = "they do not" },
    { "vepa", SWITCH, U16, .attr = IFLA_IPVLAN_FLAGS, .bit = IPVLAN_F_VEPA,
      .help = "they do by a switch outside" },
    { 0 },
};

const struct table ipvlan_table = { .name = "ipvlan", .fields = ipvlan_fields };
const struct table ipvtap_table = { .name = "ipvtap", .fields = ipvlan_fields };

/* --- vlan ------------------------------------------------------------------------------------- */

static const struct word vlan_flag_words[] = {
    { VLAN_FLAG_REORDER_HDR, "REORDER_HDR" },
    { VLAN_FLAG_GVRP, "GVRP" },
    { VLAN_FLAG_MVRP, "MVRP" },
    { VLAN_FLAG_LOOSE_BINDING, "LOOSE_BINDING" },
    { VLAN_FLAG_BRIDGE_BINDING, "BRIDGE_BINDING" },
    { 0 },
};

#define VLAN_FLAGS .attr = IFLA_VLAN_FLAGS, PART(ifla_vlan_flags, flags)
#define VLAN_SWITCH(name_, bit_, help_) \
    { name_, SWITCH, U32, VLAN_FLAGS, .flags = WRITE_ONLY | MASKED, .bit = bit_, .help = help_ }

static const struct field vlan_link_fields[] = {
    { "protocol", ENUM, BE16, .attr = IFLA_VLAN_PROTOCOL, .of = vlan_protocol_words },
    { "id", NUMBER, U16, .attr = IFLA_VLAN_ID, .max = 4095, .help = "the number of the VLAN" },
    { "flags", BITS, U32, VLAN_FLAGS, .flags = MASKED | NOT_SAID | INSIDE | ALWAYS,
      .of = vlan_flag_words },
    VLAN_SWITCH("reorder_hdr", VLAN_FLAG_REORDER_HDR, "programs see frames without the tag"),
    VLAN_SWITCH("gvrp", VLAN_FLAG_GVRP, "it registers by GVRP"),
    VLAN_SWITCH("mvrp", VLAN_FLAG_MVRP, "it registers by MVRP"),
    VLAN_SWITCH("loose_binding", VLAN_FLAG_LOOSE_BINDING,
                "its state does not follow that of the lower link"),
    VLAN_SWITCH("bridge_binding", VLAN_FLAG_BRIDGE_BINDING,
                "its state follows that of the bridge's ports in the VLAN"),
    { 0 },
};

static int finish_vlan_link(struct writer *w, struct error *err) {
    return message_makes_new(w->message) && !writer_find(w, IFLA_VLAN_ID)
               ? refuse_missing("id", err)
               : 0;
}

const struct table vlan_link_table = { .name = "vlan",
                                       .fields = vlan_link_fields,
                                       .finish = finish_vlan_link };

/* --- vrf (drivers/net/vrf.c) ------------------------------------------------------------------ */

static const struct field vrf_fields[] = {
    { "table", NUMBER, U32, .attr = IFLA_VRF_TABLE, .min = 1, .max = UINT32_MAX,
      .help = "the routing table of its ports" },
    { 0 },
};

static int finish_vrf(struct writer *w, struct error *err) {
    return message_makes_new(w->message) && !writer_find(w, IFLA_VRF_TABLE)
               ? refuse_missing("table", err)
               : 0;
}

static const struct field vrf_port_fields[] = {
    { "table", NUMBER, U32, .attr = IFLA_VRF_PORT_TABLE, .flags = READ_ONLY },
    { 0 },
};

const struct table vrf_table = { .name = "vrf", .fields = vrf_fields, .finish = finish_vrf };
const struct table vrf_port_table = { .name = "vrf_slave", .fields = vrf_port_fields };
