#include "dissect.h"

#include <pcap/dlt.h>

#include "../address.h"

/* --- layers ------------------------------------------------------------------------------------
 */

extern const struct protocol sll_protocol, sll2_protocol, raw_protocol, null_protocol;

static const struct protocol *first_protocol(int link) {
    static const struct {
        int link;
        const struct protocol *protocol;
    } links[] = {
        { DLT_EN10MB, &ether_protocol },    { DLT_LINUX_SLL, &sll_protocol },
        { DLT_LINUX_SLL2, &sll2_protocol }, { DLT_RAW, &raw_protocol },
        { DLT_IPV4, &raw_protocol },        { DLT_IPV6, &raw_protocol },
        { DLT_NULL, &null_protocol },       { DLT_LOOP, &null_protocol },
    };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (links[i].link == link)
            return links[i].protocol;
    return NULL;
}

/* Whether its header is there; then notes how long it is. */
static bool measure(struct layer *layer) {
    const struct protocol *protocol = layer->protocol;
    if (layer->caplen < protocol->min)
        return false;
    layer->header = protocol->header ? protocol->header(layer) : protocol->min;
    return layer->header >= protocol->min && layer->header <= layer->caplen;
}

static struct layer rest_of(const struct layer *layer) {
    return (struct layer){
        .bytes = layer->bytes + layer->header,
        .caplen = layer->caplen - layer->header,
        .length = layer->length > layer->header ? layer->length - layer->header : 0,
    };
}

void dissect(int link, const uint8_t *bytes, uint32_t caplen, uint32_t length,
             struct dissection *out) {
    struct layer next = {
        .protocol = first_protocol(link), .bytes = bytes, .caplen = caplen, .length = length
    };
    out->count = 0;
    while (next.protocol && out->count < LAYERS_MAX) {
        struct layer *layer = &out->layers[out->count++];
        *layer = next;
        layer->cut = !measure(layer);
        if (layer->cut || !layer->protocol->next)
            return;
        next = rest_of(layer);
        next.protocol = layer->protocol->next(layer, &next);
    }
}

const uint8_t *dissect_payload(const struct dissection *packet, uint32_t *size) {
    *size = 0;
    if (packet->count == 0)
        return NULL;
    const struct layer *last = &packet->layers[packet->count - 1];
    if (last->cut)
        return NULL;
    struct layer rest = rest_of(last);
    *size = rest.caplen < rest.length ? rest.caplen : rest.length;
    return rest.bytes;
}

/* --- fields ------------------------------------------------------------------------------------
 */

static int64_t number_of(const struct packet_field *f, const struct layer *layer) {
    const uint8_t *at = layer->bytes + f->at;
    uint32_t value = f->size == 1 ? at[0] : f->size == 2 ? get16(at) : get32(at);
    value >>= f->shift;
    return f->mask ? value & f->mask : value;
}

static void give_text(const struct packet_field *f, const struct layer *layer,
                      const struct packet_sink *sink, void *arg) {
    char room[ADDRESS_TEXT_MAX * 2];
    const char *text = NULL;
    if (f->kind == PACKET_TEXT)
        text = f->text(layer, room, sizeof room);
    else if (f->kind == PACKET_MAC)
        text = mac_format(layer->bytes + f->at, f->size, room);
    else
        text = address_format(f->size == 4 ? AF_INET : AF_INET6, layer->bytes + f->at, room);
    if (text)
        sink->text(arg, f->name, text, strlen(text));
}

static void give(const struct packet_field *f, const struct layer *layer,
                 const struct packet_sink *sink, void *arg) {
    if (f->at + (uint32_t)f->size > layer->caplen || (f->when && !f->when(layer)))
        return;
    if (f->kind == PACKET_NUMBER)
        sink->number(arg, f->name, number_of(f, layer));
    else if (f->kind == PACKET_BOOL)
        sink->boolean(arg, f->name, number_of(f, layer) != 0);
    else
        give_text(f, layer, sink, arg);
}

void dissect_names(void (*fn)(void *arg, const char *protocol, const char *field), void *arg) {
    static const struct protocol *const all[] = {
        &ether_protocol, &vlan_protocol,  &arp_protocol, &ip_protocol,  &ip6_protocol,
        &icmp_protocol,  &icmp6_protocol, &udp_protocol, &tcp_protocol, &vxlan_protocol,
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (const struct packet_field *f = all[i]->fields; f->name; f++)
            fn(arg, all[i]->name, f->name);
}

/* A packet within the packet goes into the table of the layer that carries it, and that remains
   open until its end: `inside` counts the open ones. */
void dissect_fields(const struct dissection *packet, const struct packet_sink *sink, void *arg) {
    const char *outer[LAYERS_MAX];
    size_t inside = 0;
    for (size_t i = 0; i < packet->count; i++) {
        const struct layer *layer = &packet->layers[i];
        if (!layer->protocol->name || layer->cut)
            continue;
        bool carries = i + 1 < packet->count && packet->layers[i + 1].inside;
        sink->open(arg);
        for (const struct packet_field *f = layer->protocol->fields; f->name; f++)
            give(f, layer, sink, arg);
        if (carries) {
            outer[inside++] = layer->protocol->name;
            sink->open(arg);
        } else {
            sink->close(arg, layer->protocol->name);
        }
    }
    while (inside > 0) {
        sink->close(arg, "inner");
        sink->close(arg, outer[--inside]);
    }
}
