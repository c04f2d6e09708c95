/* Neighbours: struct ndmsg and NDA_* (linux/neighbour.h; net/core/neighbour.c). */
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "tables.h"

static const struct word state_words[] = {
    { NUD_INCOMPLETE, "INCOMPLETE" },
    { NUD_REACHABLE, "REACHABLE" },
    { NUD_STALE, "STALE" },
    { NUD_DELAY, "DELAY" },
    { NUD_PROBE, "PROBE" },
    { NUD_FAILED, "FAILED" },
    { NUD_NOARP, "NOARP" },
    { NUD_PERMANENT, "PERMANENT" },
    { NUD_NONE, "NONE" },
    { 0 },
};

#define FLAG(name_, bit_, flags_) \
    { name_, SWITCH, U8, HEADER(ndmsg, ndm_flags), .bit = bit_, .flags = flags_ }

static const struct field neigh_fields[] = {
    FLAG("proxy", NTF_PROXY, 0),
    { "dst", ADDRESS, .attr = NDA_DST, .flags = POSITIONAL, .word = "to", .help = "its address" },
    { "family", FAMILY, U8, HEADER(ndmsg, ndm_family), .flags = NOT_SAID, .of = family_words },
    { "dev", DEV, S32, HEADER(ndmsg, ndm_ifindex), .help = "the interface it is behind" },
    { "lladdr", MAC, .attr = NDA_LLADDR, .help = "its MAC" },
    FLAG("router", NTF_ROUTER, 0),
    FLAG("extern_learn", NTF_EXT_LEARNED, 0),
    FLAG("offload", NTF_OFFLOADED, READ_ONLY),
    FLAG("use", NTF_USE, WRITE_ONLY),
    { "managed", SWITCH, U32, .attr = NDA_FLAGS_EXT, .bit = NTF_EXT_MANAGED,
      .help = "the kernel looks for its MAC, again and again" },
    { "state", BITS, U16, HEADER(ndmsg, ndm_state), .word = "nud", .of = state_words,
      .help = "one state, or a list of them" },
    { "protocol", NAMED, U8, .attr = NDA_PROTOCOL, .of = &protocol_names },
    { 0 },
};

/* ip/ipneigh.c, ipneigh_modify */
static int finish_neigh(struct writer *w, struct error *err) {
    (void)err;
    struct ndmsg *header = (struct ndmsg *)w->header;
    bool looks = header->ndm_flags & NTF_USE || writer_find(w, NDA_FLAGS_EXT);
    if (w->message->verb->type == RTM_NEWNEIGH && !is_given(w, "state"))
        header->ndm_state = looks ? NUD_NONE : NUD_PERMANENT;
    return 0;
}

const struct table neigh_table = {
    .name = "neigh",
    .fields = neigh_fields,
    .header = sizeof(struct ndmsg),
    .finish = finish_neigh,
};

/* ip/ipneigh.c, print_neigh: the state counts unless it is a proxy or came from outside. */
static bool has_no_state_but(const struct reader *r, uint16_t states) {
    const struct ndmsg *header = (const struct ndmsg *)r->header;
    return !(header->ndm_state & ~states) && !(header->ndm_flags & (NTF_PROXY | NTF_EXT_LEARNED));
}

/* As `ip neigh`: nothing without a state, nothing that never needs an address. */
bool neigh_is_hidden(const struct reader *r) {
    return has_no_state_but(r, NUD_NOARP);
}

/* As `ip neigh flush`: nor what somebody entered for good. */
bool neigh_is_spared(const struct reader *r) {
    return has_no_state_but(r, NUD_NOARP | NUD_PERMANENT);
}

/* Proxies are a table of their own. */
void neigh_prepare_dump(const void *filter, struct nlmsghdr *request) {
    struct ndmsg *header = mnl_nlmsg_get_payload(request);
    header->ndm_flags = ((const struct ndmsg *)filter)->ndm_flags & NTF_PROXY;
}

const struct verb neigh_verbs[] = {
    { "add",
      "ip neigh add",
      RTM_NEWNEIGH,
      ADD,
      "dst",
      NULL,
      "create a neighbour",
      { "to", "dev" } },
    { "set",
      "ip neigh change",
      RTM_NEWNEIGH,
      NLM_F_REPLACE,
      "dst",
      NULL,
      "change one",
      { "to", "dev" } },
    { "replace",
      "ip neigh replace",
      RTM_NEWNEIGH,
      REPLACE,
      "dst",
      NULL,
      "create or change one",
      { "to", "dev" } },
    { "del", "ip neigh del", RTM_DELNEIGH, 0, "dst", NULL, "delete one", { "to", "dev" } },
    { "get",
      "ip neigh get",
      RTM_GETNEIGH,
      0,
      "dst",
      NULL,
      "one neighbour's record",
      { "to", "dev" } },
    { "list", "ip neigh show", RTM_GETNEIGH, NLM_F_DUMP, "dst", NULL,
      "the records of all, or of some" },
    { "flush", "ip neigh flush", RTM_GETNEIGH, NLM_F_DUMP, "dst", NULL, "delete all of these" },
    { 0 },
};
