/* TCP. */
#include <ctype.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "dissect.h"
#include "inet.h"

static uint32_t header_size(const struct layer *layer) {
    return (layer->bytes[12] >> 4) * 4u;
}

/* As tcpdump writes them: "S.", "P.". */
static const char *flags(const struct layer *layer, char *room, size_t size) {
    static const char letters[] = "FSRP.UEW";
    char *at = room;
    for (int i = 0; i < 8; i++)
        if (layer->bytes[13] >> i & 1)
            *at++ = letters[i];
    *at = '\0';
    (void)size;
    return at > room ? room : "none";
}

static const struct packet_field fields[] = {
    { "sport", 0, 2, PACKET_NUMBER },
    { "dport", 2, 2, PACKET_NUMBER },
    { "flags", .kind = PACKET_TEXT, .text = flags },
    { "seq", 4, 4, PACKET_NUMBER },
    { "ack", 8, 4, PACKET_NUMBER },
    { "window", 14, 2, PACKET_NUMBER },
    { 0 },
};

/* --- options -----------------------------------------------------------------------------------
 */

static void print_mss(struct line *line, const uint8_t *data, uint32_t size) {
    (void)size;
    line_add(line, " %u", get16(data));
}

static void print_scale(struct line *line, const uint8_t *data, uint32_t size) {
    (void)size;
    line_add(line, " %u", data[0]);
}

static void print_sack(struct line *line, const uint8_t *data, uint32_t size) {
    line_add(line, " %u ", size / 8);
    for (; size >= 8; size -= 8, data += 8)
        line_add(line, "{%u:%u}", get32(data) - line->context->ack,
                 get32(data + 4) - line->context->ack);
}

static void print_times(struct line *line, const uint8_t *data, uint32_t size) {
    (void)size;
    line_add(line, " val %u ecr %u", get32(data), get32(data + 4));
}

static const struct option {
    uint8_t kind, min; /* bytes of its data */
    const char *name;
    void (*print)(struct line *line, const uint8_t *data, uint32_t size);
} options[] = {
    { TCPOPT_EOL, 0, "eol", NULL },
    { TCPOPT_NOP, 0, "nop", NULL },
    { TCPOPT_MAXSEG, 2, "mss", print_mss },
    { TCPOPT_WINDOW, 1, "wscale", print_scale },
    { TCPOPT_SACK_PERMITTED, 0, "sackOK", NULL },
    { TCPOPT_SACK, 8, "sack", print_sack },
    { TCPOPT_TIMESTAMP, 8, "TS", print_times },
};

static void print_option(struct line *line, uint8_t kind, const uint8_t *data, uint32_t size) {
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].kind == kind && options[i].min <= size) {
            line_add(line, "%s", options[i].name);
            if (options[i].print)
                options[i].print(line, data, size);
            return;
        }
    line_add(line, "unknown-%u", kind);
}

static bool is_single(uint8_t kind) {
    return kind == TCPOPT_EOL || kind == TCPOPT_NOP;
}

/* An option that is longer than the header ends the list. */
static void print_options(struct line *line, const uint8_t *at, const uint8_t *end) {
    const char *separator = "";
    while (at < end) {
        uint8_t kind = at[0];
        uint32_t size = is_single(kind) ? 1 : at + 1 < end ? at[1] : 0;
        if (size < 1 || size > end - at || (size < 2 && !is_single(kind)))
            return;
        line_add(line, "%s", separator);
        print_option(line, kind, at + 2, size > 2 ? size - 2 : 0);
        separator = ",";
        at += size;
        if (kind == TCPOPT_EOL)
            return;
    }
}

/* --- what it carries ----------------------------------------------------------------------------
 */

static bool has_port(const struct layer *layer, uint32_t port) {
    return get16(layer->bytes) == port || get16(layer->bytes + 2) == port;
}

static bool begins(const char *text, size_t size, const char *word) {
    return size > strlen(word) && !memcmp(text, word, strlen(word));
}

static bool is_message(const char *text, size_t size) {
    static const char *const words[] = { "GET ",    "HEAD ",    "POST ",  "PUT ",
                                         "DELETE ", "OPTIONS ", "PATCH ", "HTTP/" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (begins(text, size, words[i]))
            return true;
    return false;
}

/* The first line of a request or an answer. */
static void print_http(struct line *line, const struct layer *layer) {
    const char *text = (const char *)layer->bytes + layer->header;
    size_t size = layer->caplen - layer->header, end = 0;
    line_add(line, ": HTTP");
    if (!is_message(text, size))
        return;
    while (end < size && isprint((unsigned char)text[end]))
        end++;
    line_add(line, ": %.*s", (int)end, text);
}

/* Sequence numbers where they say something. */
static void print_numbers(struct line *line, const struct layer *layer, uint32_t length) {
    uint8_t bits = layer->bytes[13];
    uint32_t seq = get32(layer->bytes + 4) - line->context->seq;
    if (length > 0 || bits & (TH_SYN | TH_FIN | TH_RST))
        line_add(line, ", seq %u", seq);
    if (length > 0)
        line_add(line, ":%u", seq + length);
    if (bits & TH_ACK)
        line_add(line, ", ack %u", get32(layer->bytes + 8) - line->context->ack);
    line_add(line, ", win %u", get16(layer->bytes + 14));
    if (bits & TH_URG)
        line_add(line, ", urg %u", get16(layer->bytes + 18));
}

static bool print(struct line *line, const struct layer *layer) {
    char letters[16];
    uint32_t length = layer->length > layer->header ? layer->length - layer->header : 0;
    inet_print_ports(line, layer);
    line_add(line, "Flags [%s]", flags(layer, letters, sizeof letters));
    print_numbers(line, layer, length);
    if (layer->header > 20) {
        line_add(line, ", options [");
        print_options(line, layer->bytes + 20, layer->bytes + layer->header);
        line_add(line, "]");
    }
    line_add(line, ", length %u", length);
    if (length > 0 && (has_port(layer, 80) || has_port(layer, 8080) || has_port(layer, 3128)))
        print_http(line, layer);
    return false;
}

const struct protocol tcp_protocol = {
    .name = "tcp",
    .printed = "tcp",
    .min = 20,
    .header = header_size,
    .fields = fields,
    .print = print,
    .print_cut = inet_print_ports,
};
