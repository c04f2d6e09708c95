/* Tunnels of IP: IFLA_GRE_*, IFLA_IPTUN_*, IFLA_VTI_* (linux/if_tunnel.h; net/ipv4/ip_gre.c and its
   like). What the kernel would set of a new one where iproute2 says otherwise is said here, too. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/in.h>
#include <linux/ip6_tunnel.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tables.h"

static const struct word ttl_words[] = { { 0, "inherit" }, { 0 } };
static const struct word tos_words[] = { { 1, "inherit" }, { 0 } };
static const struct word port_words[] = { { 0, "auto" }, { 0 } };
static const struct word encap_words[] = {
    { TUNNEL_ENCAP_NONE, "none" }, { TUNNEL_ENCAP_FOU, "fou" }, { TUNNEL_ENCAP_GUE, "gue" }, { 0 }
};
static const struct word direction_words[] = { { 0, "ingress" }, { 1, "egress" }, { 0 } };

/* --- rows that kinds share; p: the prefix of the attributes --------------------------------------
 */

#define ENDS(p, family_)                                                                        \
    { "remote",                                                                                 \
      IP,                                                                                       \
      .attr = p##_REMOTE,                                                                       \
      .flags = ALWAYS,                                                                          \
      .of = "any",                                                                              \
      .bit = family_,                                                                           \
      .help = "the other end" },                                                                \
        { "local",                                                                              \
          IP,                                                                                   \
          .attr = p##_LOCAL,                                                                    \
          .flags = ALWAYS | RESERVED,                                                           \
          .of = "any",                                                                          \
          .bit = family_,                                                                       \
          .help = "the address that it sends from" },                                           \
    {                                                                                           \
        "link", DEV, U32, .attr = p##_LINK, .word = "dev", .help = "the link that it stands on" \
    }

#define EXTERNAL(p)                                                               \
    {                                                                             \
        "external", FLAG, .attr = p##_COLLECT_METADATA,                           \
                          .help = "routes and filters say where each packet goes" \
    }

#define FWMARK(p) .attr = p##_FWMARK, .flags = ONLY_TRUE, .help = "the mark of what it sends"

/* Of the header in front, IPv4's. */
#define HEADER4(p)                                                                           \
    { "ttl", NUMBER, U8, .attr = p##_TTL, .flags = ALWAYS, .of = ttl_words },                \
        { "tos", HEX, U8, .attr = p##_TOS, .flags = ONLY_TRUE, .of = tos_words, .bit = 16 }, \
        { "pmtudisc",                                                                        \
          BOOL,                                                                              \
          U8,                                                                                \
          .attr = p##_PMTUDISC,                                                              \
          .of = "nopmtudisc",                                                                \
          .help = "path MTU discovery" },                                                    \
    {                                                                                        \
        "fwmark", HEX, U32, FWMARK(p)                                                        \
    }

#define IN_PLACE(p, name_, word_, of_, bit_) \
    { name_, INSTEAD, U32, .attr = p##_FLAGS, .word = word_, .of = of_, .bit = bit_ }

/* IPv6's; struct __ip6_tnl_parm, flowinfo. */
#define HEADER6(p)                                                                                 \
    { "ttl", NUMBER, U8, .attr = p##_TTL, .flags = ALWAYS, .word = "hoplimit", .of = ttl_words },  \
        { "encap_limit",                                                                           \
          NUMBER,                                                                                  \
          U8,                                                                                      \
          .attr = p##_ENCAP_LIMIT,                                                                 \
          .wide = p##_FLAGS,                                                                       \
          .word = "encaplimit",                                                                    \
          .help = "how often it may be in other tunnels, or \"none\"" },                           \
        IN_PLACE(p, "ip6_tnl_f_ign_encap_limit", "encaplimit", "none", IP6_TNL_F_IGN_ENCAP_LIMIT), \
        { "tclass",                                                                                \
          PIECE,                                                                                   \
          BE32,                                                                                    \
          .attr = p##_FLOWINFO,                                                                    \
          .wide = p##_FLAGS,                                                                       \
          .bit = 0x0ff00000,                                                                       \
          .help = "the traffic class, or \"inherit\"" },                                           \
        IN_PLACE(p, "ip6_tnl_f_use_orig_tclass", "tclass", "inherit", IP6_TNL_F_USE_ORIG_TCLASS),  \
        { "flowlabel", PIECE, BE32, .attr = p##_FLOWINFO, .wide = p##_FLAGS, .bit = 0x000fffff },  \
        IN_PLACE(p, "ip6_tnl_f_use_orig_flowlabel", "flowlabel", "inherit",                        \
                 IP6_TNL_F_USE_ORIG_FLOWLABEL),                                                    \
        IN_PLACE(p, "ip6_tnl_f_rcv_dscp_copy", "dscp", "inherit", IP6_TNL_F_RCV_DSCP_COPY),        \
        { "fwmark", HEX, U32, .wide = p##_FLAGS, FWMARK(p) },                                      \
        IN_PLACE(p, "ip6_tnl_f_use_orig_fwmark", "fwmark", "inherit", IP6_TNL_F_USE_ORIG_FWMARK)

/* Packets in UDP: `encap = { type = "gue", dport = 5555 }`, or the words beside. */
#define ENCAP_SWITCH(p, name_, word_, of_, bit_)                                              \
    {                                                                                         \
        name_, SWITCH, U16, .attr = p##_ENCAP_FLAGS, .flags = ALWAYS | INSIDE, .word = word_, \
                            .of = of_, .bit = bit_                                            \
    }

#define ENCAP_TABLE(p, table_)                                                                     \
    static const struct field table_##_fields[] = {                                                \
        { "type", ENUM, U16, .attr = p##_ENCAP_TYPE, .flags = INSIDE, .word = "encap",             \
          .of = encap_words },                                                                     \
        { "noencap", CONSTANT, U16, .attr = p##_ENCAP_TYPE, .flags = WRITE_ONLY | NOT_SAID },      \
        { "sport", NUMBER, BE16, .attr = p##_ENCAP_SPORT, .flags = INSIDE, .word = "encap-sport",  \
          .of = port_words },                                                                      \
        { "dport", NUMBER, BE16, .attr = p##_ENCAP_DPORT, .flags = INSIDE,                         \
          .word = "encap-dport" },                                                                 \
        ENCAP_SWITCH(p, "csum", "encap-csum", "noencap-csum", TUNNEL_ENCAP_FLAG_CSUM),             \
        ENCAP_SWITCH(p, "csum6", "encap-udp6-csum", "noencap-udp6-csum", TUNNEL_ENCAP_FLAG_CSUM6), \
        ENCAP_SWITCH(p, "remcsum", "encap-remcsum", "noencap-remcsum", TUNNEL_ENCAP_FLAG_REMCSUM), \
        { 0 },                                                                                     \
    };                                                                                             \
    static const struct table table_ = { .name = "encap",                                          \
                                         .fields = table_##_fields,                                \
                                         .first = "type" }

ENCAP_TABLE(IFLA_GRE, gre_encap);
ENCAP_TABLE(IFLA_IPTUN, ip_encap);

#define ENCAP(table_) \
    { "encap", GROUP, .flags = FLAT, .of = &table_, .help = "put it into UDP" }

/* --- GRE and what is made of it ------------------------------------------------------------------
 */

#define BOTH_WAYS(name_, bit_, help_)                                       \
    { name_,                                                                \
      SWITCH,                                                               \
      U16,                                                                  \
      .attr = IFLA_GRE_IFLAGS,                                              \
      .wide = IFLA_GRE_OFLAGS,                                              \
      .flags = WRITE_ONLY | NOT_SAID,                                       \
      .bit = bit_,                                                          \
      .help = help_ },                                                      \
        { "i" name_, SWITCH, U16, .attr = IFLA_GRE_IFLAGS, .bit = bit_ }, { \
        "o" name_, SWITCH, U16, .attr = IFLA_GRE_OFLAGS, .bit = bit_        \
    }

#define KEYS(p, flags_)                                                                          \
    { "key",                                                                                     \
      QUAD,                                                                                      \
      BE32,                                                                                      \
      .attr = p##_IKEY,                                                                          \
      .wide = p##_OKEY,                                                                          \
      .flags = WRITE_ONLY | NOT_SAID,                                                            \
      .help = "tells tunnels of the same ends apart: ikey and okey" },                           \
        { "ikey", QUAD, BE32, .attr = p##_IKEY, .flags = flags_, .help = "of what comes in" }, { \
        "okey", QUAD, BE32, .attr = p##_OKEY, .flags = flags_, .help = "of what goes out"        \
    }

#define GRE_OPTIONS                                                                 \
    KEYS(IFLA_GRE, 0), BOTH_WAYS("seq", GRE_SEQ, "packets are numbered"),           \
        BOTH_WAYS("csum", GRE_CSUM, "packets have a checksum"), EXTERNAL(IFLA_GRE), \
        ENCAP(gre_encap)

#define GRE4                                                            \
    ENDS(IFLA_GRE, AF_INET), HEADER4(IFLA_GRE),                         \
        { "ignore_df",                                                  \
          BOOL,                                                         \
          U8,                                                           \
          .attr = IFLA_GRE_IGNORE_DF,                                   \
          .flags = ONLY_TRUE,                                           \
          .word = "ignore-df",                                          \
          .of = "noignore-df",                                          \
          .help = "what may not be fragmented may be, in the tunnel" }, \
        GRE_OPTIONS

#define GRE6 ENDS(IFLA_GRE, AF_INET6), HEADER6(IFLA_GRE), GRE_OPTIONS

#define ERSPAN                                                                     \
    { "erspan_ver", NUMBER, U8, .attr = IFLA_GRE_ERSPAN_VER, .min = 0, .max = 2 }, \
        { "erspan_index",                                                          \
          NUMBER,                                                                  \
          U32,                                                                     \
          .attr = IFLA_GRE_ERSPAN_INDEX,                                           \
          .word = "erspan",                                                        \
          .min = 1,                                                                \
          .max = (1 << 20) - 1,                                                    \
          .help = "of version 1: which port it was" },                             \
        { "erspan_dir",                                                            \
          ENUM,                                                                    \
          U8,                                                                      \
          .attr = IFLA_GRE_ERSPAN_DIR,                                             \
          .of = direction_words,                                                   \
          .help = "of version 2: which way it went" },                             \
    {                                                                              \
        "erspan_hwid", HEX, U16, .attr = IFLA_GRE_ERSPAN_HWID,                     \
                                 .help = "of version 2: which machine it was"      \
    }

static const struct field gre_fields[] = { GRE4, { 0 } };
static const struct field ip6gre_fields[] = { GRE6, { 0 } };
static const struct field erspan_fields[] = { GRE4, ERSPAN, { 0 } };
static const struct field ip6erspan_fields[] = { GRE6, ERSPAN, { 0 } };

/* Sets bits of a number that the caller may have written parts of. */
static int add_bits(struct writer *w, uint16_t type, uint16_t bits, struct error *err) {
    struct nlattr *attr = writer_find(w, type);
    if (!attr)
        return write_attribute(w, type, &bits, sizeof bits, err);
    uint16_t *own = mnl_attr_get_payload(attr);
    *own |= bits;
    return 0;
}

/* A key counts only with its flag. */
static int flag_keys(struct writer *w, struct error *err) {
    if (writer_find(w, IFLA_GRE_IKEY) && add_bits(w, IFLA_GRE_IFLAGS, GRE_KEY, err) < 0)
        return -1;
    return writer_find(w, IFLA_GRE_OKEY) ? add_bits(w, IFLA_GRE_OFLAGS, GRE_KEY, err) : 0;
}

/* As ip/link_gre.c: the group's address is its key. */
static int key_of_group(struct writer *w, struct error *err) {
    static const uint16_t keys[] = { IFLA_GRE_IKEY, IFLA_GRE_OKEY };
    const struct nlattr *remote = writer_find(w, IFLA_GRE_REMOTE);
    const uint8_t *group = remote ? mnl_attr_get_payload(remote) : NULL;
    if (!group || (group[0] & 0xf0) != 0xe0)
        return 0;
    if (!writer_find(w, IFLA_GRE_LOCAL))
        return refuse_missing("local", err);
    uint8_t key[4] = { group[0], group[1], group[2], group[3] };
    for (size_t i = 0; i < 2; i++)
        if (!writer_find(w, keys[i]) && write_attribute(w, keys[i], key, sizeof key, err) < 0)
            return -1;
    return 0;
}

/* Without its flag a key is none. */
static void adapt_gre(struct reader *r) {
    static const uint16_t keys[][2] = { { IFLA_GRE_IFLAGS, IFLA_GRE_IKEY },
                                        { IFLA_GRE_OFLAGS, IFLA_GRE_OKEY } };
    for (size_t i = 0; i < 2; i++) {
        const struct nlattr *flags = r->tb[keys[i][0]];
        if (!flags || !(mnl_attr_get_u16(flags) & GRE_KEY))
            r->tb[keys[i][1]] = NULL;
    }
}

/* The kernel refuses zeros for the other end of some kinds; without it they have none. */
static void drop_no_remote(struct writer *w) {
    static const uint8_t zeros[16];
    struct nlattr *remote = writer_find(w, IFLA_GRE_REMOTE);
    if (remote && !memcmp(mnl_attr_get_payload(remote), zeros, mnl_attr_get_payload_len(remote)))
        take_out(w, remote);
}

static int finish_gre(struct writer *w, struct error *err) {
    if (message_creates(w->message))
        drop_no_remote(w);
    if (message_creates(w->message) && key_of_group(w, err) < 0)
        return -1;
    return flag_keys(w, err);
}

/* --- what a new one of IPv6 has ------------------------------------------------------------------
 */

enum { HOP_LIMIT = 64 };

static int write_unless_there(struct writer *w, uint16_t type, uint8_t number, struct error *err) {
    return writer_find(w, type) ? 0 : write_attribute(w, type, &number, sizeof number, err);
}

/* ip/link_ip6tnl.c, ip/link_gre6.c */
static int add_defaults(struct writer *w, uint16_t ttl, uint16_t limit, uint16_t encap_flags,
                        struct error *err) {
    const struct field *encap = schema_field(w->table, "encap");
    bool told = message_given(w->message, schema_field(encap->of, "csum6"));
    if (write_unless_there(w, ttl, HOP_LIMIT, err) < 0 ||
        write_unless_there(w, limit, IPV6_DEFAULT_TNL_ENCAP_LIMIT, err) < 0)
        return -1;
    return told ? 0 : add_bits(w, encap_flags, TUNNEL_ENCAP_FLAG_CSUM6, err);
}

static int finish_ip6gre(struct writer *w, struct error *err) {
    if (message_creates(w->message))
        drop_no_remote(w);
    bool is_new = message_creates(w->message) && !writer_find(w, IFLA_GRE_COLLECT_METADATA);
    if (is_new &&
        add_defaults(w, IFLA_GRE_TTL, IFLA_GRE_ENCAP_LIMIT, IFLA_GRE_ENCAP_FLAGS, err) < 0)
        return -1;
    return flag_keys(w, err);
}

#define GRE_TABLE(name_, fields_, finish_) \
    { .name = name_, .fields = fields_, .finish = finish_, .adapt = adapt_gre }

const struct table gre_table = GRE_TABLE("gre", gre_fields, finish_gre),
                   ip6gre_table = GRE_TABLE("ip6gre", ip6gre_fields, finish_ip6gre),
                   erspan_table = GRE_TABLE("erspan", erspan_fields, finish_gre),
                   ip6erspan_table = GRE_TABLE("ip6erspan", ip6erspan_fields, finish_ip6gre);

/* --- ipip, sit, ip6tnl ---------------------------------------------------------------------------
 */

#define MODE(words_)                                                               \
    {                                                                              \
        "proto", ENUM, U8, .attr = IFLA_IPTUN_PROTO, .word = "mode", .of = words_, \
                           .help = "what it carries"                               \
    }

/* The first name of a number is the one in records. */
static const struct word ipip_words[] = {
    { IPPROTO_IPIP, "ipip" },
    { IPPROTO_IPIP, "ip4ip4" },
    { IPPROTO_IPIP, "ipv4/ipv4" },
    { IPPROTO_MPLS, "mplsip" },
    { IPPROTO_MPLS, "mpls/ipv4" },
    { 0, "any" },
    { 0, "any/ipv4" },
    { 0 },
};
static const struct word sit_words[] = {
    { IPPROTO_IPV6, "ip6ip" },
    { IPPROTO_IPV6, "ipv6/ipv4" },
    { IPPROTO_IPIP, "ipip" },
    { IPPROTO_IPIP, "ip4ip4" },
    { IPPROTO_IPIP, "ipv4/ipv4" },
    { IPPROTO_MPLS, "mplsip" },
    { IPPROTO_MPLS, "mpls/ipv4" },
    { 0, "any" },
    { 0, "any/ipv4" },
    { 0 },
};
static const struct word ip6tnl_words[] = {
    { IPPROTO_IPV6, "ip6ip6" },
    { IPPROTO_IPV6, "ipv6/ipv6" },
    { IPPROTO_IPIP, "ipip6" },
    { IPPROTO_IPIP, "ip4ip6" },
    { IPPROTO_IPIP, "ipv4/ipv6" },
    { IPPROTO_IPIP, "ip/ipv6" },
    { 0, "any" },
    { 0, "any/ipv6" },
    { 0 },
};

static const struct field ipip_fields[] = {
    MODE(ipip_words),     ENDS(IFLA_IPTUN, AF_INET), HEADER4(IFLA_IPTUN),
    EXTERNAL(IFLA_IPTUN), ENCAP(ip_encap),           { 0 },
};

static const struct field sit_fields[] = {
    MODE(sit_words),
    ENDS(IFLA_IPTUN, AF_INET),
    HEADER4(IFLA_IPTUN),
    { "isatap", SWITCH, U16, .attr = IFLA_IPTUN_FLAGS, .bit = SIT_ISATAP },
    { "prefix", SUBNET, .attr = IFLA_IPTUN_6RD_PREFIX, .wide = IFLA_IPTUN_6RD_PREFIXLEN,
      .word = "6rd-prefix", .bit = AF_INET6, .help = "6rd: \"2001:db8::/32\"" },
    { "prefixlen", NUMBER, U16, .attr = IFLA_IPTUN_6RD_PREFIXLEN, .flags = ONLY_TRUE | NOT_SAID,
      .max = 128 },
    { "relay_prefix", SUBNET, .attr = IFLA_IPTUN_6RD_RELAY_PREFIX,
      .wide = IFLA_IPTUN_6RD_RELAY_PREFIXLEN, .word = "6rd-relay_prefix", .bit = AF_INET },
    { "relay_prefixlen", NUMBER, U16, .attr = IFLA_IPTUN_6RD_RELAY_PREFIXLEN,
      .flags = ONLY_TRUE | NOT_SAID, .max = 32 },
    EXTERNAL(IFLA_IPTUN),
    ENCAP(ip_encap),
    { 0 },
};

static const struct field ip6tnl_fields[] = {
    MODE(ip6tnl_words),
    ENDS(IFLA_IPTUN, AF_INET6),
    HEADER6(IFLA_IPTUN),
    { "ip6_tnl_f_allow_local_remote", SWITCH, U32, .attr = IFLA_IPTUN_FLAGS,
      .word = "allow-localremote", .of = "noallow-localremote", .bit = IP6_TNL_F_ALLOW_LOCAL_REMOTE,
      .help = "the other end may be this host itself" },
    EXTERNAL(IFLA_IPTUN),
    ENCAP(ip_encap),
    { 0 },
};

/* For iproute2 a new one carries anything, for the kernel only IP. */
static int finish_iptunnel(struct writer *w, struct error *err) {
    return message_creates(w->message) ? write_unless_there(w, IFLA_IPTUN_PROTO, 0, err) : 0;
}

static int check_length(const struct writer *w, const char *key, uint16_t prefix, uint16_t length,
                        struct error *err) {
    if (!writer_find(w, prefix) || writer_find(w, length))
        return 0;
    error_set(err, EINVAL, "its length is missing, as in \"/16\"");
    snprintf(err->key, sizeof err->key, "%s", key);
    return -1;
}

static int finish_sit(struct writer *w, struct error *err) {
    if (check_length(w, "6rd-prefix", IFLA_IPTUN_6RD_PREFIX, IFLA_IPTUN_6RD_PREFIXLEN, err) < 0 ||
        check_length(w, "6rd-relay_prefix", IFLA_IPTUN_6RD_RELAY_PREFIX,
                     IFLA_IPTUN_6RD_RELAY_PREFIXLEN, err) < 0)
        return -1;
    bool is_new = message_creates(w->message) && !writer_find(w, IFLA_IPTUN_COLLECT_METADATA);
    if (is_new && write_unless_there(w, IFLA_IPTUN_TTL, 0, err) < 0)
        return -1;
    return finish_iptunnel(w, err);
}

static int finish_ip6tnl(struct writer *w, struct error *err) {
    bool is_new = message_creates(w->message) && !writer_find(w, IFLA_IPTUN_COLLECT_METADATA);
    if (is_new &&
        add_defaults(w, IFLA_IPTUN_TTL, IFLA_IPTUN_ENCAP_LIMIT, IFLA_IPTUN_ENCAP_FLAGS, err) < 0)
        return -1;
    return finish_iptunnel(w, err);
}

const struct table ipip_table = { .name = "ipip",
                                  .fields = ipip_fields,
                                  .finish = finish_iptunnel };
const struct table sit_table = { .name = "sit", .fields = sit_fields, .finish = finish_sit };
const struct table ip6tnl_table = { .name = "ip6tnl",
                                    .fields = ip6tnl_fields,
                                    .finish = finish_ip6tnl };

/* --- vti, vti6 -----------------------------------------------------------------------------------
 */

#define VTI(family_)                                      \
    ENDS(IFLA_VTI, family_), KEYS(IFLA_VTI, ONLY_TRUE), { \
        "fwmark", HEX, U32, FWMARK(IFLA_VTI)              \
    }

static const struct field vti_fields[] = { VTI(AF_INET), { 0 } };
static const struct field vti6_fields[] = { VTI(AF_INET6), { 0 } };

const struct table vti_table = { .name = "vti", .fields = vti_fields };
const struct table vti6_table = { .name = "vti6", .fields = vti6_fields };
