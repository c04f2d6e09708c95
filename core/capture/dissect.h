/* What a packet's bytes mean: its layers, their fields, and the line that tcpdump prints of it.

   A protocol is a row: how long its header is, which one follows, its fields as a table, and how it
   stands in the line. Every read is within the bytes that are there. */
#pragma once

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>

enum { LAYERS_MAX = 24 };

struct protocol;

struct layer {
    const struct protocol *protocol;
    const uint8_t *bytes;
    uint32_t caplen; /* bytes that are here, of this layer and those within */
    uint32_t length; /* of them on the wire */
    uint32_t header; /* bytes of its own header */
    bool cut;        /* its header is not here as a whole: nothing of it is read */
    bool inside;     /* the first layer of a packet within the packet */
};

struct dissection {
    struct layer layers[LAYERS_MAX];
    size_t count;
};

/* A field for Lua: `size` bytes of the header from `at` on, or what `text` makes of it. */
struct packet_field {
    const char *name;
    uint8_t at;
    uint8_t size;
    enum { PACKET_NUMBER, PACKET_BOOL, PACKET_MAC, PACKET_ADDRESS, PACKET_TEXT } kind;
    uint8_t shift;                           /* of a number: bits that stand below it */
    uint32_t mask;                           /* and those that are its own; 0: all */
    bool (*when)(const struct layer *layer); /* NULL: always */
    const char *(*text)(const struct layer *layer, char *room, size_t size); /* NULL: not there */
};

/* What is not in the packet, and stands in its line. */
struct line_context {
    char dev[16];      /* of a capture on all interfaces; "": not known */
    uint32_t seq, ack; /* from which those of TCP are counted: see flow.h */
};

/* A line in the making; what has no room is cut. */
struct line {
    char *at, *end;
    const struct line_context *context;
    const struct dissection *packet;
};

void line_add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The layer below, or NULL. */
const struct layer *layer_below(const struct line *line, const struct layer *layer);

struct protocol {
    const char *name;    /* of the table with its fields; NULL: it has none */
    const char *printed; /* as the line calls what is cut: "[|icmp]" */
    void (*print_cut)(struct line *line, const struct layer *layer); /* adds what stands before */
    uint32_t min;                                  /* bytes of the shortest header */
    uint32_t (*header)(const struct layer *layer); /* bytes; NULL: min */
    /* The protocol of what follows the header, or NULL; it may shorten `next`, which is the rest.
     */
    const struct protocol *(*next)(const struct layer *layer, struct layer *next);
    const struct packet_field *fields; /* ends with one without a name */
    /* Adds its part of the line; false: the line is complete, what is inside is told by then. */
    bool (*print)(struct line *line, const struct layer *layer);
};

/* Where a dissection goes. */
struct packet_sink {
    void (*number)(void *arg, const char *name, int64_t value);
    void (*boolean)(void *arg, const char *name, bool value);
    void (*text)(void *arg, const char *name, const char *text, size_t size);
    void (*open)(void *arg); /* the fields of a layer follow */
    void (*close)(void *arg, const char *name);
};

/* Finds the layers; `link`: a DLT_ of libpcap. The bytes must live as long as the dissection. */
void dissect(int link, const uint8_t *bytes, uint32_t caplen, uint32_t length,
             struct dissection *out);

/* Gives the sink each layer's fields. */
void dissect_fields(const struct dissection *packet, const struct packet_sink *sink, void *arg);

/* Calls fn with the name of each field that a packet may have, and the protocol's, in whose table
 * it is. */
void dissect_names(void (*fn)(void *arg, const char *protocol, const char *field), void *arg);

/* What the innermost protocol carries: where, and how many bytes. */
const uint8_t *dissect_payload(const struct dissection *packet, uint32_t *size);

/* Writes the line without its time, at most size - 1 bytes. */
void dissect_line(const struct dissection *packet, const struct line_context *context, char *room,
                  size_t size);

/* --- the protocols -----------------------------------------------------------------------------
 */

extern const struct protocol ether_protocol, vlan_protocol, arp_protocol, ip_protocol, ip6_protocol,
    icmp_protocol, icmp6_protocol, udp_protocol, tcp_protocol, vxlan_protocol;

/* That of an Ethernet type, or NULL. */
const struct protocol *ether_next(uint32_t type);

/* --- bytes -------------------------------------------------------------------------------------
 */

static inline uint32_t get16(const uint8_t *at) {
    return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t get32(const uint8_t *at) {
    return get16(at) << 16 | get16(at + 2);
}
