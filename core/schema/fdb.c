/* Forwarding databases of bridges and tunnels: struct ndmsg and NDA_* of the family AF_BRIDGE
   (linux/neighbour.h; net/core/rtnetlink.c, net/bridge/br_fdb.c). */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "tables.h"

/* bridge/fdb.c, state_n2a: what was learnt has no word in JSON; "dynamic" is the command line's. */
static const struct word state_words[] = {
    { NUD_PERMANENT, "permanent" },
    { NUD_NOARP, "static" },
    { NUD_STALE, "stale" },
    { NUD_REACHABLE, "" },
    { NUD_PERMANENT, "local" },
    { NUD_REACHABLE, "dynamic" },
    { 0 },
};

static const struct word flag_words[] = {
    { NTF_SELF, "self" },
    { NTF_ROUTER, "router" },
    { NTF_EXT_LEARNED, "extern_learn" },
    { NTF_OFFLOADED, "offload" },
    { NTF_MASTER, "master" },
    { NTF_STICKY, "sticky" },
    { 0 },
};

#define FLAG(name_, bit_, help_) \
    { name_, SWITCH, U8, HEADER(ndmsg, ndm_flags), .flags = WRITE_ONLY, .bit = bit_, .help = help_ }
#define STATE(name_, bit_, help_)                                                       \
    {                                                                                   \
        name_, SWITCH, U16, HEADER(ndmsg, ndm_state), .flags = WRITE_ONLY, .bit = bit_, \
                                                      .help = help_                     \
    }

static const struct field fdb_fields[] = {
    { "mac", MAC, .attr = NDA_LLADDR, .flags = POSITIONAL, .help = "whose frames" },
    { "ifname", DEV, S32, HEADER(ndmsg, ndm_ifindex), .word = "dev",
      .help = "the port that they go to, or the tunnel" },
    { "dst", ADDRESS, .attr = NDA_DST, .help = "the tunnel's other end" },
    { "vlan", NUMBER, U16, .attr = NDA_VLAN },
    { "port", NUMBER, BE16, .attr = NDA_PORT, .help = "of UDP, at the other end" },
    { "vni", NUMBER, U32, .attr = NDA_VNI, .max = (1 << 24) - 1 },
    { "src_vni", NUMBER, U32, .attr = NDA_SRC_VNI, .max = (1 << 24) - 1 },
    { "viaIf", DEV, U32, .attr = NDA_IFINDEX, .word = "via" },
    { "nhid", NUMBER, U32, .attr = NDA_NH_ID, .help = "a nexthop instead of a dst" },
    { "flags", BITS, U8, HEADER(ndmsg, ndm_flags), .flags = NOT_SAID, .of = flag_words,
      .bit = NTF_SELF | NTF_ROUTER | NTF_EXT_LEARNED | NTF_STICKY },
    FLAG("self", NTF_SELF, "in the database of the interface itself"),
    { "master", DEV, U32, .attr = NDA_MASTER, .flags = OR_TRUE | NOT_SAID, .word = "br",
      .help = "in that of its bridge: true, or the bridge" },
    FLAG("master", NTF_MASTER, NULL),
    FLAG("use", NTF_USE, "as if it had just sent"),
    FLAG("router", NTF_ROUTER, NULL),
    FLAG("extern_learn", NTF_EXT_LEARNED, "learnt by someone else"),
    FLAG("sticky", NTF_STICKY, "it stays at its port"),
    { "state", ENUM, U16, HEADER(ndmsg, ndm_state), .flags = NOT_SAID | FIRST_BIT,
      .of = state_words },
    STATE("permanent", NUD_PERMANENT, "the interface's own: not forwarded"),
    STATE("static", NUD_NOARP, "it does not age"),
    STATE("dynamic", NUD_REACHABLE, "it ages"),
    { 0 },
};

/* --- what bridge/fdb.c adds ------------------------------------------------------------------- */

static int note(struct writer *w, uint16_t offset, uint32_t bit, struct error *err) {
    const struct field *f = fdb_fields;
    while (f->meaning != SWITCH || f->offset != offset || f->bit != bit)
        f++;
    return message_note(w->message, f, false, err);
}

/* The bridge that a record names is the interface's master, or the interface itself. */
static int imply_flags(struct writer *w, struct ndmsg *header, struct error *err) {
    struct nlattr *master = writer_find(w, NDA_MASTER);
    const uint8_t chosen = NTF_SELF | NTF_MASTER | NTF_USE;
    if (master) {
        bool itself = (int)mnl_attr_get_u32(master) == header->ndm_ifindex;
        header->ndm_flags |= itself ? NTF_SELF : NTF_MASTER;
        take_out(w, master);
    }
    if (!(header->ndm_flags & chosen))
        header->ndm_flags |= NTF_SELF;
    for (uint32_t bit = 1; bit <= NTF_ROUTER; bit <<= 1)
        if (header->ndm_flags & bit &
                (NTF_SELF | NTF_MASTER | NTF_ROUTER | NTF_EXT_LEARNED | NTF_STICKY) &&
            note(w, offsetof(struct ndmsg, ndm_flags), bit, err) < 0)
            return -1;
    return 0;
}

static int refuse_state(struct error *err) {
    error_set(err, EINVAL, "one of permanent, static, dynamic expected");
    strcpy(err->key, "state");
    return -1;
}

static int imply_state(struct writer *w, struct ndmsg *header, struct error *err) {
    static const char *const keys[] = { "state", "permanent", "static", "dynamic" };
    static const struct {
        uint16_t given, sent;
    } states[] = {
        { NUD_PERMANENT, NUD_PERMANENT | NUD_NOARP },
        { NUD_NOARP, NUD_NOARP | NUD_REACHABLE },
        { NUD_REACHABLE, NUD_REACHABLE },
    };
    int given = 0;
    for (size_t i = 0; i < 4; i++)
        given += is_given(w, keys[i]);
    if (given > 1)
        return refuse_state(err);
    if (!header->ndm_state)
        header->ndm_state = NUD_PERMANENT;
    for (size_t i = 0; i < 3; i++)
        if (header->ndm_state == states[i].given) {
            header->ndm_state = states[i].sent;
            return given ? note(w, offsetof(struct ndmsg, ndm_state), states[i].given, err) : 0;
        }
    return refuse_state(err);
}

static int finish_fdb(struct writer *w, struct error *err) {
    struct ndmsg *header = (struct ndmsg *)w->header;
    header->ndm_family = AF_BRIDGE;
    if (message_filters(w->message))
        return 0;
    if (imply_flags(w, header, err) < 0)
        return -1;
    return w->message->verb->type == RTM_GETNEIGH ? 0 : imply_state(w, header, err);
}

/* The header's family is the bridge's; that of an address follows from its length. */
static void adapt_fdb(struct reader *r) {
    const struct nlattr *dst = r->tb[NDA_DST];
    if (dst)
        r->family = mnl_attr_get_payload_len(dst) == 16 ? AF_INET6 : AF_INET;
}

const struct table fdb_table = {
    .name = "fdb",
    .fields = fdb_fields,
    .header = sizeof(struct ndmsg),
    .finish = finish_fdb,
    .adapt = adapt_fdb,
};

void fdb_prepare_dump(const void *filter, struct nlmsghdr *request) {
    (void)filter;
    ((struct ndmsg *)mnl_nlmsg_get_payload(request))->ndm_family = AF_BRIDGE;
}

const struct verb fdb_verbs[] = {
    { "add",
      "bridge fdb add",
      RTM_NEWNEIGH,
      ADD,
      "mac",
      NULL,
      "create an entry",
      { "mac", "dev" } },
    { "append",
      "bridge fdb append",
      RTM_NEWNEIGH,
      NLM_F_CREATE | NLM_F_APPEND,
      "mac",
      NULL,
      "add a destination",
      { "mac", "dev" } },
    { "replace",
      "bridge fdb replace",
      RTM_NEWNEIGH,
      REPLACE,
      "mac",
      NULL,
      "create or change one",
      { "mac", "dev" } },
    { "del", "bridge fdb del", RTM_DELNEIGH, 0, "mac", NULL, "delete one", { "mac", "dev" } },
    { "get", "bridge fdb get", RTM_GETNEIGH, 0, "mac", NULL, "one record", { "mac" } },
    { "list", "bridge fdb show", RTM_GETNEIGH, NLM_F_DUMP, "dev", NULL,
      "the records of all, or of some" },
    { 0 },
};
