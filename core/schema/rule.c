/* Rules that choose a routing table: struct fib_rule_hdr and FRA_* (linux/fib_rules.h;
   net/core/fib_rules.c). */
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "tables.h"

static const struct word action_words[] = {
    { FR_ACT_BLACKHOLE, "blackhole" },
    { FR_ACT_UNREACHABLE, "unreachable" },
    { FR_ACT_PROHIBIT, "prohibit" },
    { 0 },
};

/* /etc/protocols, those that have ports or are much used */
static const struct word ipproto_words[] = {
    { 1, "icmp" },       { 6, "tcp" },    { 17, "udp" },      { 33, "dccp" }, { 47, "gre" },
    { 58, "ipv6-icmp" }, { 132, "sctp" }, { 136, "udplite" }, { 0 },
};

#define FLAG(name_, bit_, flags_) \
    { name_, SWITCH, U32, HEADER(fib_rule_hdr, flags), .flags = flags_, .bit = bit_ }
#define PREFIX_AT(attribute, length) \
    .attr = attribute, .flags = SPLIT | ALWAYS, .length_at = offsetof(struct fib_rule_hdr, length)
#define PORTS(name_, attribute, help_)                                                             \
    { name_,         PAIR,      U16,          .attr = attribute, PART(fib_rule_port_range, start), \
      .flags = SAME, .of = "-", .help = help_ },                                                   \
        { name_ "_start",                                                                          \
          NUMBER,                                                                                  \
          U16,                                                                                     \
          .attr = attribute,                                                                       \
          PART(fib_rule_port_range, start),                                                        \
          .flags = NOT_SAID | DIFFERENT },                                                         \
    {                                                                                              \
        name_ "_end", NUMBER, U16, .attr = attribute, PART(fib_rule_port_range, end),              \
                                   .flags = NOT_SAID | DIFFERENT                                   \
    }

#define REALM(offset_, flags_) .attr = FRA_FLOW, .offset = offset_, .size = 4, .flags = flags_

static const struct field rule_fields[] = {
    { "priority", NUMBER, U32, .attr = FRA_PRIORITY, .flags = ALWAYS,
      .help = "the lower is first" },
    FLAG("not", FIB_RULE_INVERT, RESERVED),
    { "src", PREFIX, PREFIX_AT(FRA_SRC, src_len), .word = "from", .of = "all",
      .help = "where from: a prefix, or \"all\"" },
    { "srclen", LENGTH, U8, HEADER(fib_rule_hdr, src_len), .flags = NOT_SAID | PARTIAL,
      .max = 128 },
    { "dst", PREFIX, .attr = FRA_DST, .flags = SPLIT, .word = "to", .of = "all",
      .length_at = offsetof(struct fib_rule_hdr, dst_len), .help = "where to" },
    { "dstlen", LENGTH, U8, HEADER(fib_rule_hdr, dst_len), .flags = NOT_SAID | PARTIAL,
      .max = 128 },
    { "family", FAMILY, U8, HEADER(fib_rule_hdr, family), .flags = NOT_SAID, .of = family_words },
    { "tos", NAMED, U8, HEADER(fib_rule_hdr, tos), .flags = ONLY_TRUE, .of = &tos_names,
      .bit = 16 },
    { "fwmark", PAIR, U32, .attr = FRA_FWMARK, .wide = FRA_FWMASK, .of = "/", .bit = 16,
      .help = "the firewall's mark: \"0x10\", with its mask \"0x10/0xf0\"" },
    { "fwmask", HEX, U32, .attr = FRA_FWMASK, .flags = NOT_SAID | UNLESS, .bit = UINT32_MAX },
    { "iif", STRING, .attr = FRA_IIFNAME, .min = 1, .max = 15,
      .help = "the interface it came in by; \"lo\" for what is sent from here" },
    FLAG("iif_detached", FIB_RULE_IIF_DETACHED, READ_ONLY),
    { "oif", STRING, .attr = FRA_OIFNAME, .min = 1, .max = 15 },
    FLAG("oif_detached", FIB_RULE_OIF_DETACHED, READ_ONLY),
    { "l3mdev", SWITCH, U8, .attr = FRA_L3MDEV, .bit = 1, .help = "the table of its VRF" },
    { "uidrange", PAIR, U32, .attr = FRA_UID_RANGE, PART(fib_rule_uid_range, start),
      .flags = WRITE_ONLY, .of = "-", .help = "whose sockets: \"1000-1999\"" },
    { "uid_start", NUMBER, U32, .attr = FRA_UID_RANGE, PART(fib_rule_uid_range, start),
      .flags = NOT_SAID },
    { "uid_end", NUMBER, U32, .attr = FRA_UID_RANGE, PART(fib_rule_uid_range, end),
      .flags = NOT_SAID },
    { "tun_id", NUMBER, BE64, .attr = FRA_TUN_ID, .help = "the id that a tunnel has taken it by" },
    { "ipproto", ENUM, U8, .attr = FRA_IP_PROTO, .of = ipproto_words },
    PORTS("sport", FRA_SPORT_RANGE, "a port, or \"80-90\""),
    PORTS("dport", FRA_DPORT_RANGE, NULL),
    { "table", NAMED, U32, .attr = FRA_TABLE, .flags = ONLY_TRUE, .word = "lookup",
      .of = &table_names, .help = "a number or main, local, default" },
    { "flow_to", NAMED, U16, REALM(LOWER_HALF, NOT_SAID), .of = &realm_names },
    { "flow_from", NAMED, U16, REALM(UPPER_HALF, NOT_SAID | ONLY_TRUE), .of = &realm_names },
    { "realms", REALMS, U32, .attr = FRA_FLOW, .flags = WRITE_ONLY, .of = &realm_names,
      .help = "for counting: \"to\", or \"from/to\"" },
    { "suppress_prefixlen", NUMBER, U32, .attr = FRA_SUPPRESS_PREFIXLEN, .flags = UNLESS,
      .word = "suppress_prefixlength", .bit = UINT32_MAX, .max = 128,
      .help = "routes of no more bits do not count" },
    { "suppress_ifgroup", NAMED, U32, .attr = FRA_SUPPRESS_IFGROUP, .flags = UNLESS,
      .of = &group_names, .bit = UINT32_MAX },
    { "goto", NUMBER, U32, .attr = FRA_GOTO, .flags = RESERVED, .help = "another's priority" },
    FLAG("unresolved", FIB_RULE_UNRESOLVED, READ_ONLY),
    { "nop", CONSTANT, U8, HEADER(fib_rule_hdr, action), .bit = FR_ACT_NOP },
    { "action", ENUM, U8, HEADER(fib_rule_hdr, action), .flags = ONLY_WORDS, .word = "type",
      .of = action_words },
    { "protocol", NAMED, U8, .attr = FRA_PROTOCOL, .of = &protocol_names, .help = "who made it" },
    { 0 },
};

/* A record has the ends of a range, or both realms; a command says them in one. */
static int note_ranges(struct writer *w, struct error *err) {
    static const char *const keys[] = { "uidrange", "sport", "dport", "realms" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct field *f = schema_field(w->table, keys[i]);
        if (writer_find(w, f->attr) && message_note(w->message, f, false, err) < 0)
            return -1;
    }
    return 0;
}

/* ip/iprule.c, iprule_modify */
static int finish_rule(struct writer *w, struct error *err) {
    struct fib_rule_hdr *header = (struct fib_rule_hdr *)w->header;
    if (!header->family)
        header->family = AF_INET;
    if (message_filters(w->message))
        return 0;
    if (writer_find(w, FRA_GOTO))
        header->action = FR_ACT_GOTO;
    if (w->message->verb->type == RTM_NEWRULE && !header->action)
        header->action = FR_ACT_TO_TBL;
    if (header->action == FR_ACT_TO_TBL && !writer_find(w, FRA_TABLE) &&
        !writer_find(w, FRA_L3MDEV))
        header->table = RT_TABLE_MAIN;
    return note_ranges(w, err);
}

const struct table rule_table = {
    .name = "rule",
    .fields = rule_fields,
    .header = sizeof(struct fib_rule_hdr),
    .finish = finish_rule,
};

const struct verb rule_verbs[] = {
    { "add", "ip rule add", RTM_NEWRULE, ADD, NULL, NULL, "create a rule" },
    { "del", "ip rule del", RTM_DELRULE, 0, NULL, NULL, "delete one" },
    { "list", "ip rule show", RTM_GETRULE, NLM_F_DUMP, NULL, NULL,
      "the records of all, or of some" },
    { "flush", "ip rule flush", RTM_GETRULE, NLM_F_DUMP, NULL, NULL, "delete all of these" },
    { 0 },
};
