#include "flow.h"

#include <netinet/tcp.h>
#include <stdlib.h>

enum { BUCKETS = 1024 };

/* One end first, by port and then by address, whoever sends. */
struct key {
    uint8_t addresses[2][16];
    uint16_t ports[2];
};

struct flow {
    struct flow *next;
    struct key key;
    uint32_t base[2]; /* the first number of each end */
};

struct flows {
    struct flow *buckets[BUCKETS];
};

struct flows *flows_new(void) {
    return calloc(1, sizeof(struct flows));
}

void flows_free(struct flows *flows) {
    for (size_t i = 0; flows && i < BUCKETS; i++)
        for (struct flow *flow = flows->buckets[i], *next; flow; flow = next) {
            next = flow->next;
            free(flow);
        }
    free(flows);
}

/* FNV-1a. */
static size_t bucket_of(const struct key *key) {
    const uint8_t *bytes = (const uint8_t *)key;
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < sizeof *key; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash % BUCKETS;
}

/* The innermost TCP above IP; NULL if there is none. */
static const struct layer *find_tcp(const struct dissection *packet) {
    for (size_t i = packet->count; i-- > 1;) {
        const struct layer *layer = &packet->layers[i];
        const struct protocol *below = layer[-1].protocol;
        if (layer->protocol == &tcp_protocol && !layer->cut &&
            (below == &ip_protocol || below == &ip6_protocol))
            return layer;
    }
    return NULL;
}

/* Returns which end has sent it. */
static int make_key(const struct layer *tcp, struct key *key) {
    bool four = tcp[-1].protocol == &ip_protocol;
    size_t size = four ? 4 : 16;
    const uint8_t *source = tcp[-1].bytes + (four ? 12 : 8);
    uint32_t sport = get16(tcp->bytes), dport = get16(tcp->bytes + 2);
    int sender = sport != dport ? sport > dport : memcmp(source, source + size, size) > 0;
    memset(key, 0, sizeof *key);
    memcpy(key->addresses[sender], source, size);
    memcpy(key->addresses[!sender], source + size, size);
    key->ports[sender] = (uint16_t)sport;
    key->ports[!sender] = (uint16_t)dport;
    return sender;
}

static struct flow *find(struct flows *flows, const struct key *key, bool *is_new) {
    struct flow **bucket = &flows->buckets[bucket_of(key)];
    struct flow *flow = *bucket;
    while (flow && memcmp(&flow->key, key, sizeof *key))
        flow = flow->next;
    *is_new = !flow;
    if (flow || !(flow = calloc(1, sizeof *flow)))
        return flow;
    flow->key = *key;
    flow->next = *bucket;
    return *bucket = flow;
}

void flows_follow(struct flows *flows, const struct dissection *packet,
                  struct line_context *context) {
    struct key key;
    bool is_new;
    const struct layer *tcp = find_tcp(packet);
    context->seq = context->ack = 0;
    if (!flows || !tcp || !(tcp->bytes[13] & TH_ACK))
        return;
    int sender = make_key(tcp, &key);
    struct flow *flow = find(flows, &key, &is_new);
    if (!flow)
        return;
    if (is_new || tcp->bytes[13] & TH_SYN) {
        flow->base[sender] = get32(tcp->bytes + 4);
        flow->base[!sender] = get32(tcp->bytes + 8) - 1;
    } else {
        context->seq = flow->base[sender];
        context->ack = flow->base[!sender];
    }
}
