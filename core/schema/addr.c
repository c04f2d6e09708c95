/* Addresses: struct ifaddrmsg and IFA_* (linux/if_addr.h; net/ipv4/devinet.c, net/ipv6/addrconf.c).
 */
#include <endian.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "../address.h"
#include "tables.h"

#define FLAG(name_, bit_, flags_) \
    { name_, SWITCH, U32, .attr = IFA_FLAGS, .bit = bit_, .flags = flags_ }

static const struct field addr_fields[] = {
    { "local", PREFIX, .attr = IFA_LOCAL, .flags = POSITIONAL | SPLIT | RESERVED,
      .length_at = offsetof(struct ifaddrmsg, ifa_prefixlen),
      .help = "the address, with its prefix length: \"10.0.0.1/24\"" },
    { "prefixlen", LENGTH, U8, HEADER(ifaddrmsg, ifa_prefixlen), .flags = NOT_SAID, .max = 128,
      .help = "bits, where the address was given without them" },
    { "scope", NAMED, U8, HEADER(ifaddrmsg, ifa_scope), .of = &scope_names },
    { "family", FAMILY, U8, HEADER(ifaddrmsg, ifa_family), .flags = NOT_SAID, .of = family_words },
    { "address", PREFIX, .attr = IFA_ADDRESS, .flags = SPLIT, .word = "peer",
      .length_at = offsetof(struct ifaddrmsg, ifa_prefixlen),
      .help = "the other end of a point-to-point link" },
    { "broadcast", ADDRESS, .attr = IFA_BROADCAST, .flags = PLUS, .word = "brd",
      .help = "\"+\" for the last address of the network" },
    { "anycast", ADDRESS, .attr = IFA_ANYCAST },
    { "ifindex", NUMBER, S32, HEADER(ifaddrmsg, ifa_index), .flags = READ_ONLY },
    { "ifname", DEV, S32, HEADER(ifaddrmsg, ifa_index), .word = "dev", .help = "the interface" },
    { "label", STRING, .attr = IFA_LABEL, .max = 15 },
    { "metric", NUMBER, U32, .attr = IFA_RT_PRIORITY, .help = "of the route it brings" },
    /* which iproute2 of Debian 12 has no word for */
    { "protocol", NAMED, U8, .attr = IFA_PROTO, .flags = NOT_SAID | ONLY_TRUE, .word = "proto",
      .of = &addr_protocol_names, .help = "who made it" },
    FLAG("secondary", IFA_F_SECONDARY, READ_ONLY), /* an IPv6 one is "temporary", below */
    FLAG("tentative", IFA_F_TENTATIVE, READ_ONLY),
    FLAG("deprecated", IFA_F_DEPRECATED, READ_ONLY),
    FLAG("dadfailed", IFA_F_DADFAILED, READ_ONLY),
    FLAG("dynamic", IFA_F_PERMANENT, READ_ONLY | INVERTED),
    FLAG("stable-privacy", IFA_F_STABLE_PRIVACY, READ_ONLY),
    FLAG("optimistic", IFA_F_OPTIMISTIC, 0),
    FLAG("home", IFA_F_HOMEADDRESS, 0),
    FLAG("mngtmpaddr", IFA_F_MANAGETEMPADDR, 0),
    FLAG("noprefixroute", IFA_F_NOPREFIXROUTE, 0),
    FLAG("autojoin", IFA_F_MCAUTOJOIN, 0),
    FLAG("nodad", IFA_F_NODAD, 0),
    { "valid_life_time", NUMBER, U32, .attr = IFA_CACHEINFO, PART(ifa_cacheinfo, ifa_valid),
      .flags = FOREVER, .word = "valid_lft", .help = "seconds, or \"forever\"" },
    { "preferred_life_time", NUMBER, U32, .attr = IFA_CACHEINFO, PART(ifa_cacheinfo, ifa_prefered),
      .flags = FOREVER, .word = "preferred_lft", .help = "seconds, or \"forever\"" },
    { 0 },
};

static bool same_payload(const struct nlattr *a, const struct nlattr *b) {
    return a->nla_len == b->nla_len &&
           !memcmp(mnl_attr_get_payload(a), mnl_attr_get_payload(b), mnl_attr_get_payload_len(a));
}

/* IPv6 has IFA_LOCAL only where there is a peer; IPv4 repeats it as IFA_ADDRESS where there is
 * none. */
static void adapt_addr(struct reader *r) {
    const struct nlattr **local = &r->tb[IFA_LOCAL], **peer = &r->tb[IFA_ADDRESS];
    if (!*local)
        *local = *peer;
    if (*peer && same_payload(*local, *peer))
        *peer = NULL;
}

/* "+" stands there as zeros. RFC 919: all ones behind the prefix (of the peer, if there is one);
   RFC 3021: but not if only two addresses are left. */
static void fill_broadcast(struct writer *w) {
    struct nlattr *broadcast = writer_find(w, IFA_BROADCAST);
    const struct nlattr *local = writer_find(w, IFA_LOCAL);
    const struct nlattr *peer = writer_find(w, IFA_ADDRESS);
    unsigned prefixlen = ((struct ifaddrmsg *)w->header)->ifa_prefixlen;
    if (!broadcast || mnl_attr_get_u32(broadcast))
        return;
    if (prefixlen > 30) {
        take_out(w, broadcast);
        return;
    }
    uint32_t address = mnl_attr_get_u32(peer ? peer : local) | htobe32(UINT32_MAX >> prefixlen);
    memcpy(mnl_attr_get_payload(broadcast), &address, sizeof address);
}

static int check_family(struct writer *w, const struct ifaddrmsg *header, struct error *err) {
    int bits = header->ifa_family == AF_INET6 ? 128 : 32;
    if (header->ifa_prefixlen > bits) {
        error_set(err, ERANGE, "%d is out of range: 0 to %d", header->ifa_prefixlen, bits);
        strcpy(err->key, "prefixlen");
        return -1;
    }
    if (header->ifa_family == AF_INET6 && writer_find(w, IFA_BROADCAST)) {
        error_set(err, EINVAL, "an IPv6 address has none");
        strcpy(err->key, "brd");
        return -1;
    }
    return 0;
}

/* What ip/ipaddress.c adds: the peer is the address itself, 127.0.0.0/8 has the host's scope. */
static int finish_addr(struct writer *w, struct error *err) {
    struct ifaddrmsg *header = (struct ifaddrmsg *)w->header;
    bool given = writer_find(w, IFA_LOCAL);
    if (w->message->verb->type == RTM_GETADDR) /* a peer alone is not the address itself */
        return given ? 0 : write_attribute(w, IFA_LOCAL, "", 0, err);
    if (!given)
        return 0;
    if (check_family(w, header, err) < 0)
        return -1;
    fill_broadcast(w);
    const struct nlattr *local = writer_find(w, IFA_LOCAL);
    const uint8_t *bytes = mnl_attr_get_payload(local);
    if (header->ifa_family == AF_INET && bytes[0] == 127 && !is_given(w, "scope"))
        header->ifa_scope = RT_SCOPE_HOST;
    if (writer_find(w, IFA_ADDRESS))
        return 0;
    return write_attribute(w, IFA_ADDRESS, bytes, mnl_attr_get_payload_len(local), err);
}

const struct table addr_table = {
    .name = "addr",
    .fields = addr_fields,
    .header = sizeof(struct ifaddrmsg),
    .finish = finish_addr,
    .adapt = adapt_addr,
};

const struct verb addr_verbs[] = {
    { "add",
      "ip addr add",
      RTM_NEWADDR,
      ADD,
      "local",
      NULL,
      "give an interface an address",
      { "local", "dev" } },
    { "set",
      "ip addr change",
      RTM_NEWADDR,
      NLM_F_REPLACE,
      "local",
      NULL,
      "change one",
      { "local", "dev" } },
    { "replace",
      "ip addr replace",
      RTM_NEWADDR,
      REPLACE,
      "local",
      NULL,
      "add or change one",
      { "local", "dev" } },
    { "del", "ip addr del", RTM_DELADDR, 0, "local", NULL, "take one away", { "local", "dev" } },
    { "list", "ip addr show", RTM_GETADDR, NLM_F_DUMP, "dev", NULL,
      "the records of all, or of some" },
    { "flush", "ip addr flush", RTM_GETADDR, NLM_F_DUMP, "dev", NULL, "take all of these away" },
    { 0 },
};
