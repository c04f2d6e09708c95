/* VLANs of bridges and their ports: struct br_vlan_msg and BRIDGE_VLANDB_* (linux/if_bridge.h;
   net/bridge/br_vlan.c). One message has all of a port's; a record is one of them, or a range. */
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "tables.h"

enum { FIRST = 1, LAST = 4094 }; /* IEEE 802.1Q: 0 and 4095 are reserved */

static const struct word flag_words[] = {
    { BRIDGE_VLAN_INFO_PVID, "PVID" },
    { BRIDGE_VLAN_INFO_UNTAGGED, "Egress Untagged" },
    { 0 },
};

#define INFO(member) .attr = BRIDGE_VLANDB_ENTRY_INFO, PART(bridge_vlan_info, member)

static const struct field entry_fields[] = {
    { "vlan", PAIR, U16, INFO(vid), .wide = BRIDGE_VLANDB_ENTRY_RANGE, .word = "vid", .of = "-",
      .min = FIRST, .max = LAST, .help = "its number, or a range: \"10-20\"" },
    { "vlanEnd", NUMBER, U16, .attr = BRIDGE_VLANDB_ENTRY_RANGE, .flags = NOT_SAID, .min = FIRST,
      .max = LAST },
    { "flags", BITS, U16, INFO(flags), .flags = NOT_SAID, .of = flag_words,
      .bit = BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED },
    { "pvid", SWITCH, U16, INFO(flags), .flags = WRITE_ONLY, .bit = BRIDGE_VLAN_INFO_PVID,
      .help = "what comes in without a tag belongs to it" },
    { "untagged", SWITCH, U16, INFO(flags), .flags = WRITE_ONLY, .bit = BRIDGE_VLAN_INFO_UNTAGGED,
      .help = "it goes out without a tag" },
    { "state", ENUM, U8, .attr = BRIDGE_VLANDB_ENTRY_STATE, .of = bridge_state_words },
    { "mcast_router", NUMBER, U8, .attr = BRIDGE_VLANDB_ENTRY_MCAST_ROUTER, .max = 3 },
    { 0 },
};

static int refuse(const char *key, const char *sentence, struct error *err) {
    error_set(err, EINVAL, "%s", sentence);
    strcpy(err->key, key);
    return -1;
}

/* A command says the flags by their words, also those that a record had in a list. */
static int note_flags(struct writer *w, uint16_t flags, struct error *err) {
    static const char *const words[] = { "pvid", "untagged" };
    for (size_t i = 0; i < 2; i++) {
        const struct field *f = schema_field(w->table, words[i]);
        if (flags & f->bit && message_note(w->message, f, false, err) < 0)
            return -1;
    }
    return 0;
}

/* `bridge vlan add` has no words for these: what is new has the usual ones. */
static int drop_option(struct writer *w, const char *key, uint16_t type, uint8_t usual,
                       struct error *err) {
    struct nlattr *attr = writer_find(w, type);
    if (!attr)
        return 0;
    if (mnl_attr_get_u8(attr) != usual)
        return refuse(key, "only one that is there can have another: set it", err);
    take_out(w, attr);
    return 0;
}

static int finish_add(struct writer *w, const struct bridge_vlan_info *info, struct error *err) {
    uint16_t flags = info->flags;
    if (drop_option(w, "state", BRIDGE_VLANDB_ENTRY_STATE, BR_STATE_FORWARDING, err) < 0 ||
        drop_option(w, "mcast_router", BRIDGE_VLANDB_ENTRY_MCAST_ROUTER, 1, err) < 0)
        return -1;
    return note_flags(w, flags, err);
}

static int finish_entry(struct writer *w, struct error *err) {
    const struct message *m = w->message;
    struct nlattr *attr = writer_find(w, BRIDGE_VLANDB_ENTRY_INFO);
    if (!attr || message_filters(m))
        return 0;
    struct bridge_vlan_info *info = mnl_attr_get_payload(attr);
    if (m->header.nlmsg_flags & NLM_F_CREATE)
        return finish_add(w, info, err);
    if (is_given(w, "pvid") || is_given(w, "untagged"))
        return refuse(is_given(w, "pvid") ? "pvid" : "untagged", "add it anew to change that", err);
    info->flags = m->verb->type == RTM_NEWVLAN ? BRIDGE_VLAN_INFO_ONLY_OPTS : 0;
    return 0;
}

static const struct table entry_table = { .name = "entry",
                                          .fields = entry_fields,
                                          .finish = finish_entry };

/* --- the bridge or port ----------------------------------------------------------------------- */

/* Which of them is meant follows from the interface; the words are for the command. */
#define WORD(name_, help_)                                                                 \
    {                                                                                      \
        name_, CONSTANT, U8, HEADER(br_vlan_msg, reserved1), .flags = WRITE_ONLY | UNTOLD, \
                                                             .help = help_                 \
    }

static const struct field vlan_fields[] = {
    { "ifname", DEV, U32, HEADER(br_vlan_msg, ifindex), .word = "dev",
      .help = "the port, or the bridge itself" },
    { NULL, NESTED, .attr = BRIDGE_VLANDB_ENTRY, .flags = FLAT, .of = &entry_table },
    WORD("self", "the interface is the bridge"),
    WORD("master", "the interface is a port"),
    { 0 },
};

static int finish_vlan(struct writer *w, struct error *err) {
    struct br_vlan_msg *header = (struct br_vlan_msg *)w->header;
    struct message *m = w->message;
    header->family = AF_BRIDGE;
    if (message_filters(m))
        return 0;
    if (!message_given(m, schema_field(&entry_table, "vid")))
        return refuse_missing("vid", err);
    if (m->verb->type == RTM_NEWVLAN && !(m->header.nlmsg_flags & NLM_F_CREATE))
        return 0; /* `bridge vlan set` has no such words */
    bool is_bridge = netlink_is_bridge(m->nl, (int)header->ifindex);
    if (is_given(w, "self") && !is_bridge)
        return refuse("self", "it is no bridge", err);
    if (is_given(w, "master") && is_bridge)
        return refuse("master", "it is the bridge itself", err);
    return is_bridge ? message_note(m, schema_field(w->table, "self"), false, err) : 0;
}

const struct table vlan_table = {
    .name = "vlan",
    .fields = vlan_fields,
    .header = sizeof(struct br_vlan_msg),
    .finish = finish_vlan,
};

void vlan_prepare_dump(const void *filter, struct nlmsghdr *request) {
    (void)filter;
    ((struct br_vlan_msg *)mnl_nlmsg_get_payload(request))->family = AF_BRIDGE;
}

const struct verb vlan_verbs[] = {
    { "add",
      "bridge vlan add",
      RTM_NEWVLAN,
      NLM_F_CREATE,
      "vid",
      NULL,
      "let a port have a VLAN, or change how",
      { "dev" } },
    { "set",
      "bridge vlan set",
      RTM_NEWVLAN,
      0,
      "vid",
      NULL,
      "change its state or mcast_router",
      { "dev" } },
    { "del", "bridge vlan del", RTM_DELVLAN, 0, "vid", NULL, "take it away", { "dev" } },
    { "list", "bridge vlan show", RTM_GETVLAN, NLM_F_DUMP, "dev", NULL,
      "the records of all, or of some" },
    { 0 },
};
