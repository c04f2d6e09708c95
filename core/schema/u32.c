/* u32: struct tc_u32_sel and TCA_U32_* (linux/pkt_cls.h; net/sched/cls_u32.c). A match is a value
   and a mask of 32 bits and where they are looked for; tc's words for fields of IP are such
   (tc-u32(8)). */
#include "u32.h"

#include <endian.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../address.h"
#include "filter.h"
#include "write.h"

enum { MOST_KEYS = 128 };

struct selection {
    struct tc_u32_sel sel;
    struct tc_u32_key keys[MOST_KEYS];
};

/* --- the words of a match --------------------------------------------------------------------- */

/* A match in bytes: `size` of them at an offset, beyond the header of IP if `beyond`. */
struct match {
    uint8_t value[16], mask[16];
    size_t size;
    int at;
    bool beyond;
};

static const struct part {
    const char *protocol, *name;
    int at;
    size_t size; /* bytes; 0: an address */
} parts[] = {
    { "ip", "src", 12, 0 },        { "ip", "dst", 16, 0 },        { "ip", "tos", 1, 1 },
    { "ip", "dsfield", 1, 1 },     { "ip", "ihl", 0, 1 },         { "ip", "protocol", 9, 1 },
    { "ip", "sport", 20, 2 },      { "ip", "dport", 22, 2 },      { "ip", "icmp_type", 20, 1 },
    { "ip", "icmp_code", 21, 1 },  { "ip6", "src", 8, 0 },        { "ip6", "dst", 24, 0 },
    { "ip6", "protocol", 6, 1 },   { "ip6", "sport", 40, 2 },     { "ip6", "dport", 42, 2 },
    { "ip6", "icmp_type", 40, 1 }, { "ip6", "icmp_code", 41, 1 },
};

static const struct part *find_part(const char *protocol, const char *name) {
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strcmp(parts[i].protocol, protocol) && !strcmp(parts[i].name, name))
            return &parts[i];
    return NULL;
}

/* The number's last `size` bytes. */
static void put_bytes(uint8_t *bytes, int64_t number, size_t size) {
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(number >> 8 * (size - 1 - i));
}

static bool parse_number(const char *text, int base, size_t size, uint8_t *bytes) {
    char *end;
    unsigned long long number = strtoull(text, &end, base);
    if (!*text || *text == '-' || *end || number >> 8 * size)
        return false;
    put_bytes(bytes, (int64_t)number, size);
    return true;
}

static bool parse_prefix(const struct part *part, const char *text, struct match *match) {
    struct address address;
    int family = strcmp(part->protocol, "ip") ? AF_INET6 : AF_INET;
    if (prefix_parse(text, family, &address, NULL) < 0)
        return false;
    match->size = address_size(family);
    memcpy(match->value, address.bytes, match->size);
    for (int i = 0; i < address.prefixlen; i++)
        match->mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
    return true;
}

/* "at 12", "at nexthdr+4". */
static bool parse_place(const char *word, const char *place, struct match *match) {
    static const char beyond[] = "nexthdr+";
    char *end;
    match->beyond = !strncmp(place, beyond, sizeof beyond - 1);
    place += match->beyond ? sizeof beyond - 1 : 0;
    match->at = (int)strtol(place, &end, 0);
    return !strcmp(word, "at") && *place && !*end && abs(match->at) < 1 << 16;
}

/* "ip dport 80 0xffff"; without a mask all of it counts. */
static bool parse_field(char words[5][48], int count, struct match *match) {
    const struct part *part = count >= 3 ? find_part(words[0], words[1]) : NULL;
    if (!part || count > (part->size ? 4 : 3))
        return false;
    match->at = part->at;
    match->size = part->size;
    memset(match->mask, 0xff, part->size);
    if (!part->size)
        return parse_prefix(part, words[2], match);
    return parse_number(words[2], 0, part->size, match->value) &&
           (count == 3 || parse_number(words[3], 0, part->size, match->mask));
}

/* "u16 80 0xffff at 22" */
static bool parse_raw(char words[5][48], int count, struct match *match) {
    static const char *const names[] = { "u8", "u16", "u32" };
    for (int i = 0; i < 3; i++)
        if (!strcmp(words[0], names[i])) {
            match->size = 1u << i;
            return count == 5 && parse_number(words[1], 0, match->size, match->value) &&
                   parse_number(words[2], 0, match->size, match->mask) &&
                   parse_place(words[3], words[4], match);
        }
    return false;
}

/* "0a000000/ff000000 at 12": as in a record. */
static bool parse_listed(char words[5][48], int count, struct match *match) {
    char *slash = strchr(words[0], '/');
    if (count != 3 || !slash)
        return false;
    *slash = 0;
    match->size = 4;
    return parse_number(words[0], 16, 4, match->value) &&
           parse_number(slash + 1, 16, 4, match->mask) && parse_place(words[1], words[2], match);
}

static bool parse_match(const char *text, struct match *match) {
    char words[6][48] = { "" };
    int count = sscanf(text, "%47s %47s %47s %47s %47s %47s", words[0], words[1], words[2],
                       words[3], words[4], words[5]);
    *match = (struct match){ 0 };
    return count > 0 && count < 6 &&
           (parse_field(words, count, match) || parse_raw(words, count, match) ||
            parse_listed(words, count, match));
}

/* --- in --------------------------------------------------------------------------------------- */

/* tc looks once at each place: what two matches say of it is one key. */
static int add_key(struct selection *s, const struct tc_u32_key *key, struct error *err) {
    for (int i = 0; i < s->sel.nkeys; i++) {
        struct tc_u32_key *old = &s->keys[i];
        if (old->off != key->off || old->offmask != key->offmask)
            continue;
        if ((old->val ^ key->val) & old->mask & key->mask)
            return error_set(err, EINVAL, "it contradicts another match");
        old->val |= key->val;
        old->mask |= key->mask;
        return 0;
    }
    if (s->sel.nkeys == MOST_KEYS)
        return error_set(err, E2BIG, "more than %d places to look at", MOST_KEYS);
    s->keys[s->sel.nkeys++] = *key;
    return 0;
}

static int add_match(struct selection *s, const struct match *match, struct error *err) {
    for (size_t done = 0; done < match->size; done += 4) {
        struct tc_u32_key key = { .offmask = match->beyond ? -1 : 0 };
        size_t size = match->size < 4 ? match->size : 4, shift = (size_t)match->at & 3;
        key.off = (match->at & ~3) + (int)done;
        memcpy((char *)&key.val + shift, match->value + done, size);
        memcpy((char *)&key.mask + shift, match->mask + done, size);
        key.val &= key.mask;
        if ((key.mask || !done) && add_key(s, &key, err) < 0)
            return -1;
    }
    return 0;
}

int write_match(struct writer *w, const struct field *f, const struct value *v, struct error *err) {
    struct selection s = { 0 };
    struct nlattr *old = writer_find(w, f->attr);
    struct match match;
    if (v->type != VALUE_TEXT || !parse_match(v->text, &match) ||
        (match.at & 3) + match.size > (match.size > 4 ? match.size : 4))
        return refuse(v, "a match such as \"ip dst 10.0.0.0/8\" or \"u16 80 0xffff at 22\"", err);
    if (old)
        memcpy(&s, mnl_attr_get_payload(old), mnl_attr_get_payload_len(old));
    if (add_match(&s, &match, err) < 0)
        return -1;
    if (old)
        take_out(w, old);
    return write_attribute(w, f->attr, &s, sizeof s.sel + s.sel.nkeys * sizeof *s.keys, err);
}

/* --- out -------------------------------------------------------------------------------------- */

bool match_text(const struct reader *r, const struct field *f, int number, bool command,
                char text[MATCH_TEXT]) {
    const struct nlattr *attr = r->tb[f->attr];
    size_t length = attr ? mnl_attr_get_payload_len(attr) : 0;
    size_t at = sizeof(struct tc_u32_sel) + (size_t)number * sizeof(struct tc_u32_key);
    struct tc_u32_key key;
    if (length < at + sizeof key)
        return false;
    memcpy(&key, (const char *)mnl_attr_get_payload(attr) + at, sizeof key);
    snprintf(text, MATCH_TEXT, command ? "u32 0x%08x 0x%08x at %s%d" : "%08x/%08x at %s%d",
             be32toh(key.val), be32toh(key.mask), key.offmask ? "nexthdr+" : "", key.off);
    return true;
}

void walk_matches(const struct reader *r, const struct field *f, const struct sink *sink,
                  void *arg) {
    struct value v = { .type = VALUE_TEXT };
    sink->open(arg, f, true);
    for (int i = 0; match_text(r, f, i, false, v.buffer); i++) {
        v.text = v.buffer;
        v.length = strlen(v.buffer);
        sink->value(arg, NULL, &v);
    }
    sink->close(arg, f, true);
}

/* --- names of nodes --------------------------------------------------------------------------- */

bool node_parse(const char *text, uint32_t *handle) {
    unsigned table = 0, bucket = 0, node = 0;
    int end = 0;
    bool full = sscanf(text, "%3x:%2x:%3x%n", &table, &bucket, &node, &end) == 3 ||
                (bucket = 0, sscanf(text, "%3x::%3x%n", &table, &node, &end)) == 2;
    *handle = table << 20 | bucket << 12 | node;
    return full && end == (int)strlen(text);
}

void node_format(uint32_t handle, char *text, size_t size) {
    char bucket[8] = "";
    if (TC_U32_HASH(handle))
        snprintf(bucket, sizeof bucket, "%x", TC_U32_HASH(handle));
    snprintf(text, size, "%x:%s:%x", TC_U32_USERHTID(handle), bucket, TC_U32_NODE(handle));
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct field u32_fields[] = {
    { "match", MATCHES, .attr = TCA_U32_SEL, .flags = UNTOLD,
      .help = "words of the packet: \"ip src 10.0.0.0/8\", \"u16 80 0xffff at 22\"; a list: all of "
              "them" },
    CLASS_ROW("flowid", TCA_U32_CLASSID),
    HARDWARE_ROWS(TCA_U32_FLAGS),
    { "input_dev", STRING, .attr = TCA_U32_INDEV, .word = "indev", .max = 15,
      .help = "the interface that the packet came in by" },
    ACTIONS_ROW(TCA_U32_ACT),
    { 0 },
};

/* What has a class or an action needs no other filter behind it. */
static int finish_u32(struct writer *w, struct error *err) {
    struct nlattr *attr = writer_find(w, TCA_U32_SEL);
    if (w->message->verb->type != RTM_NEWTFILTER)
        return 0;
    if (!attr)
        return refuse_missing("match", err);
    struct tc_u32_sel *sel = mnl_attr_get_payload(attr);
    if (writer_find(w, TCA_U32_CLASSID) || writer_find(w, TCA_U32_ACT))
        sel->flags |= TC_U32_TERMINAL;
    return 0;
}

const struct table u32_table = { .name = "u32", .fields = u32_fields, .finish = finish_u32 };
