/* What a route puts around its packets: RTA_ENCAP, NHA_ENCAP and LWTUNNEL_IP_* (linux/lwtunnel.h;
   net/ipv4/ip_tunnel_core.c). What it is depends on the type, as with kinds of links. iproute2's
   JSON has it beside the route's own fields, of which it hides one: here it is a table. */
#include "encap.h"

#include <linux/lwtunnel.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "tables.h"

static const struct word type_words[] = {
    { LWTUNNEL_ENCAP_MPLS, "mpls" },
    { LWTUNNEL_ENCAP_IP, "ip" },
    { LWTUNNEL_ENCAP_ILA, "ila" },
    { LWTUNNEL_ENCAP_IP6, "ip6" },
    { LWTUNNEL_ENCAP_SEG6, "seg6" },
    { LWTUNNEL_ENCAP_BPF, "bpf" },
    { LWTUNNEL_ENCAP_SEG6_LOCAL, "seg6local" },
    { LWTUNNEL_ENCAP_RPL, "rpl" },
    { LWTUNNEL_ENCAP_IOAM6, "ioam6" },
    { 0 },
};

/* net/ip_tunnels.h, TUNNEL_* */
enum { CSUM = 1, KEYED = 4, SEQ = 8 };

#define FLAG_OF(attr_, name_, bit_) \
    { name_, SWITCH, BE16, .attr = attr_, .bit = bit_ }

static const struct field ip_fields[] = {
    { "id", NUMBER, BE64, .attr = LWTUNNEL_IP_ID, .help = "the number of the tunnel" },
    { "src", IP, .attr = LWTUNNEL_IP_SRC, .of = "0.0.0.0", .bit = AF_INET },
    { "dst", IP, .attr = LWTUNNEL_IP_DST, .bit = AF_INET, .help = "the other end" },
    { "ttl", NUMBER, U8, .attr = LWTUNNEL_IP_TTL },
    { "tos", NUMBER, U8, .attr = LWTUNNEL_IP_TOS },
    FLAG_OF(LWTUNNEL_IP_FLAGS, "key", KEYED),
    FLAG_OF(LWTUNNEL_IP_FLAGS, "csum", CSUM),
    FLAG_OF(LWTUNNEL_IP_FLAGS, "seq", SEQ),
    { 0 },
};

static const struct field ip6_fields[] = {
    { "id", NUMBER, BE64, .attr = LWTUNNEL_IP6_ID, .help = "the number of the tunnel" },
    { "src", IP, .attr = LWTUNNEL_IP6_SRC, .of = "::", .bit = AF_INET6 },
    { "dst", IP, .attr = LWTUNNEL_IP6_DST, .bit = AF_INET6, .help = "the other end" },
    { "hoplimit", NUMBER, U8, .attr = LWTUNNEL_IP6_HOPLIMIT },
    { "tc", NUMBER, U8, .attr = LWTUNNEL_IP6_TC },
    FLAG_OF(LWTUNNEL_IP6_FLAGS, "key", KEYED),
    FLAG_OF(LWTUNNEL_IP6_FLAGS, "csum", CSUM),
    FLAG_OF(LWTUNNEL_IP6_FLAGS, "seq", SEQ),
    { 0 },
};

static const struct table ip_table = { .name = "ip", .fields = ip_fields };
static const struct table ip6_table = { .name = "ip6", .fields = ip6_fields };

static const struct kind kinds[] = { { "ip", &ip_table }, { "ip6", &ip6_table }, { 0 } };

#define FIELDS(type_, data_)                                          \
    {                                                                 \
        { "type",                                                     \
          ENUM,                                                       \
          U16,                                                        \
          .attr = type_,                                              \
          .flags = POSITIONAL,                                        \
          .of = type_words,                                           \
          .help = "ip or ip6" },                                      \
            { NULL, KIND_DATA, .attr = data_, .flags = FLAT }, { 0 }, \
    }

/* The kernel passes over a type that nothing is said of. */
static int finish_encap(struct writer *w, struct error *err) {
    const struct field *type = w->table->fields, *data = type + 1;
    if (!writer_find(w, type->attr))
        return refuse_missing("type", err);
    return writer_find(w, data->attr) ? 0 : refuse_missing("dst", err);
}

static const struct field route_fields[] = FIELDS(RTA_ENCAP_TYPE, RTA_ENCAP);
static const struct field nexthop_fields[] = FIELDS(NHA_ENCAP_TYPE, NHA_ENCAP);

#define TABLE(fields_)                                                                            \
    {                                                                                             \
        .name = "encap", .fields = fields_, .first = "type", .kinds = kinds, .kind_word = "type", \
        .finish = finish_encap                                                                    \
    }

const struct table route_encap_table = TABLE(route_fields);
const struct table nexthop_encap_table = TABLE(nexthop_fields);

static void find_kind(struct reader *r, const struct nlattr *attr) {
    uint16_t type = attr && mnl_attr_get_payload_len(attr) >= 2 ? mnl_attr_get_u16(attr) : 0;
    r->kind = type == LWTUNNEL_ENCAP_IP ? &kinds[0] : type == LWTUNNEL_ENCAP_IP6 ? &kinds[1] : NULL;
}

void adapt_route_encap(struct reader *r) {
    find_kind(r, r->tb[RTA_ENCAP_TYPE]);
}

void adapt_nexthop_encap(struct reader *r) {
    find_kind(r, r->tb[NHA_ENCAP_TYPE]);
}
