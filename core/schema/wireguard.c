/* Devices of WireGuard and their peers: WGDEVICE_A_*, WGPEER_A_* of generic netlink
   (linux/wireguard.h; drivers/net/wireguard/netlink.c). The words are those of wg(8), the names
   those of `wg show dump`. */
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <string.h>

#include "tables.h"

static const struct word off_words[] = { { 0, "off" }, { 0 } };

/* --- a peer ----------------------------------------------------------------------------------- */

static const struct field network_field = { "", NETWORK };

/* struct __kernel_timespec */
enum { TIMESPEC = 16 };

static const struct field peer_fields[] = {
    { "public_key", KEY, .attr = WGPEER_A_PUBLIC_KEY, .flags = POSITIONAL,
      .help = "which peer it is: 44 characters of base64" },
    { "remove", SWITCH, U32, .attr = WGPEER_A_FLAGS, .flags = WRITE_ONLY, .bit = WGPEER_F_REMOVE_ME,
      .help = "take the peer away" },
    { "preshared_key", KEY, .attr = WGPEER_A_PRESHARED_KEY, .word = "preshared-key",
      .bit = SECRET_KEY, .help = "a second secret, which both sides have; \"\": none" },
    { "endpoint", ENDPOINT, .attr = WGPEER_A_ENDPOINT,
      .help = "where it is: \"10.0.0.1:51820\", \"[fd00::1]:51820\"" },
    { "persistent_keepalive", NUMBER, U16, .attr = WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL,
      .flags = ONLY_TRUE, .word = "persistent-keepalive", .of = off_words,
      .help = "seconds after which something is sent to it; 0 or \"off\": never" },
    { "allowed_ips", LIST, .attr = WGPEER_A_ALLOWEDIPS, .word = "allowed-ips", .of = &network_field,
      .bit = ',', .help = "which addresses are behind it: all of them, in place of those before" },
    { "latest_handshake", NUMBER, U64, .attr = WGPEER_A_LAST_HANDSHAKE_TIME, .size = TIMESPEC,
      .flags = READ_ONLY | ONLY_TRUE, .help = "seconds since 1970" },
    { "transfer_rx", NUMBER, U64, .attr = WGPEER_A_RX_BYTES, .flags = READ_ONLY, .help = "bytes" },
    { "transfer_tx", NUMBER, U64, .attr = WGPEER_A_TX_BYTES, .flags = READ_ONLY, .help = "bytes" },
    { 0 },
};

/* As `wg set`: what is allowed is said anew, not added. */
static int finish_peer(struct writer *w, struct error *err) {
    const uint32_t replace = WGPEER_F_REPLACE_ALLOWEDIPS;
    struct nlattr *flags = writer_find(w, WGPEER_A_FLAGS);
    if (!writer_find(w, WGPEER_A_PUBLIC_KEY))
        return refuse_missing("public_key", err);
    if (!writer_find(w, WGPEER_A_ALLOWEDIPS))
        return 0;
    if (!flags)
        return write_attribute(w, WGPEER_A_FLAGS, &replace, sizeof replace, err);
    *(uint32_t *)mnl_attr_get_payload(flags) |= replace;
    return 0;
}

static const struct table peer_table = {
    .name = "peers", .fields = peer_fields, .first = "public_key", .finish = finish_peer
};

/* --- a device --------------------------------------------------------------------------------- */

static const struct field device_fields[] = {
    { "ifname", DEV, U32, .attr = WGDEVICE_A_IFINDEX, .flags = POSITIONAL, .word = "dev",
      .help = "a link of kind wireguard" },
    { "private_key", KEY, .attr = WGDEVICE_A_PRIVATE_KEY, .flags = UNTOLD, .word = "private-key",
      .bit = SECRET_KEY, .help = "its own, as of genkey(); \"\": none" },
    { "public_key", KEY, .attr = WGDEVICE_A_PUBLIC_KEY, .flags = READ_ONLY | UNTOLD,
      .help = "what its peers know it by: follows from the private one" },
    { "listen_port", NUMBER, U16, .attr = WGDEVICE_A_LISTEN_PORT, .flags = UNTOLD,
      .word = "listen-port", .help = "of UDP; 0: any" },
    { "fwmark", HEX, U32, .attr = WGDEVICE_A_FWMARK, .flags = UNTOLD | ONLY_TRUE, .of = off_words,
      .help = "of the packets that it sends; 0 or \"off\": none" },
    { "peers", RECORDS, .attr = WGDEVICE_A_PEERS, .word = "peer", .of = &peer_table, .bit = NESTS,
      .help = "{ { public key, endpoint = …, allowed_ips = { … } }, … }" },
    { 0 },
};

static int finish_device(struct writer *w, struct error *err) {
    struct genlmsghdr *genl = (struct genlmsghdr *)w->header;
    struct message *m = w->message;
    (void)err;
    m->header.nlmsg_type = m->nl->generic;
    genl->cmd = (uint8_t)m->verb->type;
    genl->version = WG_GENL_VERSION;
    return 0;
}

const struct table wg_table = {
    .name = "wg",
    .fields = device_fields,
    .header = sizeof(struct genlmsghdr),
    .finish = finish_device,
};

const struct verb wg_verbs[] = {
    { "set",
      "wg set",
      WG_CMD_SET_DEVICE,
      0,
      "dev",
      "ifname",
      "change a device, and add or change peers",
      { "dev" } },
    { "replace",
      "wg set",
      WG_CMD_SET_DEVICE,
      0,
      "dev",
      "ifname",
      "the same, and remove all other peers",
      { "dev" } },
    { "get",
      "wg show",
      WG_CMD_GET_DEVICE,
      NLM_F_DUMP,
      "dev",
      "ifname",
      "one device's record",
      { "dev" } },
    { "list", "wg show", WG_CMD_GET_DEVICE, NLM_F_DUMP, "dev", "ifname",
      "the records of all, or of one" },
    { 0 },
};
