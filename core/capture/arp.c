/* ARP for IPv4 over Ethernet. */
#include <stdio.h>

#include "../address.h"
#include "dissect.h"

enum { REQUEST = 1, REPLY = 2 };

/* Of other addresses than 6 and 4 bytes long nothing is told. */
static bool is_usual(const struct layer *layer) {
    return layer->bytes[4] == 6 && layer->bytes[5] == 4 && get16(layer->bytes + 2) == 0x800;
}

static const char *operation(const struct layer *layer, char *room, size_t size) {
    uint32_t code = get16(layer->bytes + 6);
    snprintf(room, size, "%u", code);
    return code == REQUEST ? "request" : code == REPLY ? "reply" : room;
}

static const struct packet_field fields[] = {
    { "op", .kind = PACKET_TEXT, .text = operation },
    { "sender_mac", 8, 6, PACKET_MAC, .when = is_usual },
    { "sender", 14, 4, PACKET_ADDRESS, .when = is_usual },
    { "target_mac", 18, 6, PACKET_MAC, .when = is_usual },
    { "target", 24, 4, PACKET_ADDRESS, .when = is_usual },
    { 0 },
};

static void print_request(struct line *line, const uint8_t *arp) {
    static const uint8_t unknown[6];
    char sender[ADDRESS_TEXT_MAX], target[ADDRESS_TEXT_MAX], mac[ADDRESS_TEXT_MAX];
    line_add(line, "Request who-has %s", address_format(AF_INET, arp + 24, target));
    if (memcmp(arp + 18, unknown, 6))
        line_add(line, " (%s)", mac_format(arp + 18, 6, mac));
    line_add(line, " tell %s", address_format(AF_INET, arp + 14, sender));
}

static void print_reply(struct line *line, const uint8_t *arp) {
    char sender[ADDRESS_TEXT_MAX], mac[ADDRESS_TEXT_MAX];
    line_add(line, "Reply %s is-at %s", address_format(AF_INET, arp + 14, sender),
             mac_format(arp + 8, 6, mac));
}

static void print_cut(struct line *line, const struct layer *layer) {
    (void)layer;
    line_add(line, "ARP, ");
}

static bool print(struct line *line, const struct layer *layer) {
    uint32_t code = get16(layer->bytes + 6);
    line_add(line, "ARP, ");
    if (!is_usual(layer) || (code != REQUEST && code != REPLY))
        line_add(line, "Unknown (%u)", code);
    else if (code == REQUEST)
        print_request(line, layer->bytes);
    else
        print_reply(line, layer->bytes);
    line_add(line, ", length %u", layer->length);
    return false;
}

const struct protocol arp_protocol = { .name = "arp",
                                       .printed = "arp",
                                       .min = 28,
                                       .fields = fields,
                                       .print = print,
                                       .print_cut = print_cut };
