/* flower: TCA_FLOWER_* (linux/pkt_cls.h; net/sched/cls_flower.c). Ports and the like have an
   attribute for each protocol in the kernel, and one here (of our own), which is for the `ip_proto`
   of the filter. */
#include <endian.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "filter.h"

enum {
    DST_PORT = OWN_ATTRIBUTES,
    DST_PORT_MASK,
    SRC_PORT,
    SRC_PORT_MASK,
    ICMP_TYPE,
    ICMP_TYPE_MASK,
    ICMP_CODE,
    ICMP_CODE_MASK,
    TCP_FLAGS = 0xfff, /* all that there are */
};

static const struct word ip_proto_words[] = {
    { IPPROTO_TCP, "tcp" },   { IPPROTO_UDP, "udp" },       { IPPROTO_SCTP, "sctp" },
    { IPPROTO_ICMP, "icmp" }, { IPPROTO_ICMPV6, "icmpv6" }, { 0 },
};

static const struct word eth_type_words[] = {
    { ETH_P_IP, "ipv4" },
    { ETH_P_IPV6, "ipv6" },
    { ETH_P_ARP, "arp" },
    { 0 },
};

static const struct word arp_op_words[] = { { 1, "request" }, { 2, "reply" }, { 0 } };

#define KEY(name) .attr = TCA_FLOWER_KEY_##name
#define MASKED_BY(name) KEY(name), .wide = TCA_FLOWER_KEY_##name##_MASK

/* An address of either family: the second row is what the first leaves to it. */
#define ADDRESSES(name_, v4, v6, help_)                                \
    { name_, VEILED, MASKED_BY(v4), .bit = AF_INET, .help = help_ }, { \
        name_, VEILED, MASKED_BY(v6), .bit = AF_INET6                  \
    }

/* A number with a mask: "0x10/0xfc". */
#define WITH_MASK(name_, wire_, hex, word_, attribute, mask, all, help_)                \
    { name_,         PAIR,      wire_,      .attr = attribute, .wide = mask,            \
      .word = word_, .of = "/", .bit = hex, .help = help_ },                            \
    {                                                                                   \
        name_ "_mask", HEX, wire_, .attr = mask, .flags = UNLESS | NOT_SAID, .bit = all \
    }
#define NUMBER_KEY(name_, wire_, hex, key, all, help_)                                         \
    WITH_MASK(name_, wire_, hex, NULL, TCA_FLOWER_KEY_##key, TCA_FLOWER_KEY_##key##_MASK, all, \
              help_)

/* One port with a mask, or those from one to another. */
#define PORT(name_, own, range, help_)                                                             \
    WITH_MASK(name_, BE16, 0, NULL, own, own##_MASK, UINT16_MAX, help_), {                         \
        name_, PAIR, BE16, KEY(range##_MIN), .wide = TCA_FLOWER_KEY_##range##_MAX, .flags = WHOLE, \
                                             .of = "-"                                             \
    }

static const struct field key_fields[] = {
    { "vlan_id", NUMBER, U16, KEY(VLAN_ID), .max = 4095 },
    { "vlan_prio", NUMBER, U8, KEY(VLAN_PRIO), .max = 7 },
    { "vlan_ethtype", ENUM, BE16, KEY(VLAN_ETH_TYPE), .of = ethertype_words,
      .help = "what is in the VLAN: \"ip\"" },
    { "cvlan_id", NUMBER, U16, KEY(CVLAN_ID), .max = 4095, .help = "of the inner one" },
    { "cvlan_prio", NUMBER, U8, KEY(CVLAN_PRIO), .max = 7 },
    { "cvlan_ethtype", ENUM, BE16, KEY(CVLAN_ETH_TYPE), .of = ethertype_words },
    { "dst_mac", VEILED, KEY(ETH_DST), .wide = TCA_FLOWER_KEY_ETH_DST_MASK },
    { "src_mac", VEILED, KEY(ETH_SRC), .wide = TCA_FLOWER_KEY_ETH_SRC_MASK },
    { "eth_type", ENUM, BE16, KEY(ETH_TYPE), .flags = READ_ONLY, .of = eth_type_words, .bit = 16 },
    { "ip_proto", ENUM, U8, KEY(IP_PROTO), .of = ip_proto_words, .bit = 16,
      .help = "\"tcp\", \"udp\", …; a text of digits is hexadecimal" },
    NUMBER_KEY("ip_tos", U8, 10, IP_TOS, UINT8_MAX, "with a mask: \"0x10/0xfc\""),
    NUMBER_KEY("ip_ttl", U8, 10, IP_TTL, UINT8_MAX, NULL),
    ADDRESSES("dst_ip", IPV4_DST, IPV6_DST, "\"10.0.0.0/8\", \"fe80::/64\""),
    ADDRESSES("src_ip", IPV4_SRC, IPV6_SRC, NULL),
    PORT("dst_port", DST_PORT, PORT_DST, "80, \"80/0xfff0\", or \"1000-2000\""),
    PORT("src_port", SRC_PORT, PORT_SRC, NULL),
    WITH_MASK("tcp_flags", BE16, 16, NULL, TCA_FLOWER_KEY_TCP_FLAGS, TCA_FLOWER_KEY_TCP_FLAGS_MASK,
              TCP_FLAGS, "\"0x2/0x12\": SYN and no ACK"),
    WITH_MASK("icmp_type", U8, 0, "type", ICMP_TYPE, ICMP_TYPE_MASK, UINT8_MAX, "of ICMP"),
    WITH_MASK("icmp_code", U8, 0, "code", ICMP_CODE, ICMP_CODE_MASK, UINT8_MAX, "of ICMP"),
    { "arp_sip", VEILED, KEY(ARP_SIP), .wide = TCA_FLOWER_KEY_ARP_SIP_MASK, .bit = AF_INET,
      .help = "the sender's address" },
    { "arp_tip", VEILED, KEY(ARP_TIP), .wide = TCA_FLOWER_KEY_ARP_TIP_MASK, .bit = AF_INET,
      .help = "the address that is asked for" },
    { "arp_op", ENUM, U8, KEY(ARP_OP), .of = arp_op_words },
    { "arp_sha", VEILED, KEY(ARP_SHA), .wide = TCA_FLOWER_KEY_ARP_SHA_MASK },
    { "arp_tha", VEILED, KEY(ARP_THA), .wide = TCA_FLOWER_KEY_ARP_THA_MASK },
    ADDRESSES("enc_dst_ip", ENC_IPV4_DST, ENC_IPV6_DST, "of the tunnel that it came by"),
    ADDRESSES("enc_src_ip", ENC_IPV4_SRC, ENC_IPV6_SRC, NULL),
    { "enc_key_id", NUMBER, BE32, KEY(ENC_KEY_ID), .help = "VNI" },
    { "enc_dst_port", NUMBER, BE16, KEY(ENC_UDP_DST_PORT) },
    NUMBER_KEY("enc_tos", U8, 10, ENC_IP_TOS, UINT8_MAX, NULL),
    NUMBER_KEY("enc_ttl", U8, 10, ENC_IP_TTL, UINT8_MAX, NULL),
    NUMBER_KEY("ct_zone", U16, 0, CT_ZONE, UINT16_MAX, "of connection tracking"),
    NUMBER_KEY("ct_mark", U32, 0, CT_MARK, UINT32_MAX, "of connection tracking"),
    { 0 },
};

static const struct table keys_table = { .name = "keys", .fields = key_fields };

static const struct field flower_fields[] = {
    CLASS_ROW("classid", TCA_FLOWER_CLASSID),
    { "indev", STRING, .attr = TCA_FLOWER_INDEV, .max = 15,
      .help = "the interface that the packet came in by" },
    { "keys", GROUP, .flags = FLAT | ALWAYS | POSITIONAL, .of = &keys_table },
    HARDWARE_ROWS(TCA_FLOWER_FLAGS),
    ACTIONS_ROW(TCA_FLOWER_ACT),
    { 0 },
};

/* --- what depends on the protocol ------------------------------------------------------------- */

#define MOVE(protocol, own, real) \
    { IPPROTO_##protocol, own, own##_MASK, TCA_FLOWER_KEY_##real, TCA_FLOWER_KEY_##real##_MASK }

static const struct move {
    uint8_t protocol;
    uint16_t own, own_mask, real, real_mask;
} moves[] = {
    MOVE(TCP, DST_PORT, TCP_DST),         MOVE(TCP, SRC_PORT, TCP_SRC),
    MOVE(UDP, DST_PORT, UDP_DST),         MOVE(UDP, SRC_PORT, UDP_SRC),
    MOVE(SCTP, DST_PORT, SCTP_DST),       MOVE(SCTP, SRC_PORT, SCTP_SRC),
    MOVE(ICMP, ICMP_TYPE, ICMPV4_TYPE),   MOVE(ICMP, ICMP_CODE, ICMPV4_CODE),
    MOVE(ICMPV6, ICMP_TYPE, ICMPV6_TYPE), MOVE(ICMPV6, ICMP_CODE, ICMPV6_CODE),
};

enum { MOVES = sizeof moves / sizeof *moves };

static int copy_attribute(struct writer *w, uint16_t from, uint16_t to, struct error *err) {
    const struct nlattr *attr = writer_find(w, from);
    return !attr ? 0
                 : write_attribute(w, to, mnl_attr_get_payload(attr),
                                   mnl_attr_get_payload_len(attr), err);
}

static int refuse_own(uint16_t own, struct error *err) {
    bool port = own < ICMP_TYPE;
    error_set(err, EINVAL, "it needs ip_proto: %s", port ? "tcp, udp or sctp" : "icmp or icmpv6");
    strcpy(err->key, own == DST_PORT    ? "dst_port"
                     : own == SRC_PORT  ? "src_port"
                     : own == ICMP_TYPE ? "type"
                                        : "code");
    return -1;
}

static int move_own(struct writer *w, uint16_t own, uint8_t protocol, struct error *err) {
    for (int i = 0; i < MOVES; i++)
        if (moves[i].own == own && moves[i].protocol == protocol)
            return copy_attribute(w, own, moves[i].real, err) < 0
                       ? -1
                       : copy_attribute(w, moves[i].own_mask, moves[i].real_mask, err);
    return refuse_own(own, err);
}

static int finish_tcp_flags(struct writer *w, struct error *err) {
    const uint16_t all = htobe16(TCP_FLAGS);
    if (!writer_find(w, TCA_FLOWER_KEY_TCP_FLAGS) || writer_find(w, TCA_FLOWER_KEY_TCP_FLAGS_MASK))
        return 0;
    return write_attribute(w, TCA_FLOWER_KEY_TCP_FLAGS_MASK, &all, sizeof all, err);
}

static int finish_flower(struct writer *w, struct error *err) {
    const struct nlattr *attr = writer_find(w, TCA_FLOWER_KEY_IP_PROTO);
    uint8_t protocol = attr ? mnl_attr_get_u8(attr) : 0;
    if (w->message->verb->type != RTM_NEWTFILTER)
        return 0;
    for (uint16_t own = DST_PORT; own <= ICMP_CODE; own += 2)
        if (writer_find(w, own) && move_own(w, own, protocol, err) < 0)
            return -1;
    return finish_tcp_flags(w, err);
}

static void adapt_flower(struct reader *r) {
    for (int i = 0; i < MOVES; i++)
        if (r->tb[moves[i].real]) {
            r->tb[moves[i].own] = r->tb[moves[i].real];
            r->tb[moves[i].own_mask] = r->tb[moves[i].real_mask];
        }
}

const struct table flower_table = {
    .name = "flower", .fields = flower_fields, .finish = finish_flower, .adapt = adapt_flower
};
