#include "reader.h"

#include <grp.h>
#include <linux/if_ether.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../address.h"
#include "masked.h"
#include "names.h"
#include "peer.h"
#include "u32.h"
#include "unit.h"

bool attribute_is_true(const struct nlattr *attr) {
    return attr && (!mnl_attr_get_payload_len(attr) || mnl_attr_get_u8(attr));
}

/* --- where a value stands --------------------------------------------------------------------- */

struct place {
    const char *at;
    size_t length;
};

static bool find(const struct reader *r, const struct field *f, struct place *place) {
    if (!f->attr) {
        *place = (struct place){ r->header + f->offset, r->table->header - f->offset };
        return true;
    }
    const struct nlattr *attr = find_attribute(r, f);
    if (!attr || mnl_attr_get_payload_len(attr) < f->offset)
        return false;
    *place = (struct place){ (const char *)mnl_attr_get_payload(attr) + f->offset,
                             (size_t)mnl_attr_get_payload_len(attr) - f->offset };
    return true;
}

static bool read_wide(const struct reader *r, const struct field *f, int64_t *number) {
    const struct nlattr *attr = f->wide ? r->tb[f->wide] : NULL;
    if (!attr || mnl_attr_get_payload_len(attr) < wires[U64].size)
        return false;
    *number = wire_load(mnl_attr_get_payload(attr), U64);
    return true;
}

bool read_number(const struct reader *r, const struct field *f, int64_t *number) {
    struct place place;
    if (f->meaning == QUANTITY && read_wide(r, f, number))
        return true;
    if (!f->wire || !find(r, f, &place) || place.length < wires[f->wire].size)
        return false;
    *number = wire_load(place.at, f->wire);
    if (f->meaning == QUANTITY && f->flags & INVERTED)
        *number = UINT32_MAX - *number;
    return true;
}

/* --- values ----------------------------------------------------------------------------------- */

static bool as_text(struct value *v, const char *text, size_t length) {
    v->type = VALUE_TEXT;
    v->text = text;
    v->length = length;
    return true;
}

static bool as_number(struct value *v, int64_t number) {
    v->type = VALUE_NUMBER;
    v->number = number;
    return true;
}

static bool as_bool(struct value *v, bool on) {
    v->type = VALUE_BOOL;
    v->number = on;
    return true;
}

static const char *find_name(const struct field *f, int64_t number) {
    if (f->wire == S32)
        number = (uint32_t)number; /* as words have it */
    for (const struct word *word = words_of(f); word && word->name; word++)
        if (f->flags & FIRST_BIT ? word->value & number : word->value == number)
            return word->name;
    return NULL;
}

/* Whether the two numbers of the struct that is the attribute are the same. */
static bool is_same_pair(const struct reader *r, const struct field *f) {
    struct field first = *f;
    first.flags = 0;
    first.meaning = NUMBER;
    first.offset = first.wide = 0;
    const struct field second = pair_second(&first);
    int64_t a, b;
    return read_number(r, &first, &a) && read_number(r, &second, &b) && a == b;
}

static bool is_unshown(const struct reader *r, const struct field *f, int64_t number) {
    enum { CHOOSY = ONLY_TRUE | UNLESS | PARTIAL | ONLY_WORDS | SAME | DIFFERENT };
    if (!(f->flags & CHOOSY))
        return false; /* most */
    size_t bits = 8 * address_size(r->family);
    bool is_written = r->message && f->attr; /* by us: a command says also what is off */
    return (f->flags & ONLY_TRUE && !number && !is_written) ||
           (f->flags & UNLESS && number == f->bit) ||
           (f->meaning == HANDLE && f->max && number > f->max) ||
           (f->flags & PARTIAL && (!number || number == (int64_t)bits)) ||
           (f->flags & ONLY_WORDS && !find_name(f, number)) ||
           (f->flags & SAME && !is_same_pair(r, f)) || (f->flags & DIFFERENT && is_same_pair(r, f));
}

/* tc/tc_util.c, print_tc_classid */
static bool as_handle(struct value *v, uint32_t handle) {
    unsigned major = handle >> 16, minor = handle & 0xffff;
    if (handle == TC_H_ROOT)
        return as_text(v, "root", 4);
    if (!minor)
        snprintf(v->buffer, sizeof v->buffer, "%x:", major);
    else if (!major)
        snprintf(v->buffer, sizeof v->buffer, ":%x", minor);
    else
        snprintf(v->buffer, sizeof v->buffer, "%x:%x", major, minor);
    return value_is_buffer(v);
}

static bool as_node(const struct reader *r, struct value *v, uint32_t handle) {
    if (!r->kind || strcmp(r->kind->name, "u32"))
        return as_number(v, handle);
    node_format(handle, v->buffer, sizeof v->buffer);
    return value_is_buffer(v);
}

static bool as_hex(struct value *v, int64_t number) {
    snprintf(v->buffer, sizeof v->buffer, "%#llx", (long long)number);
    return value_is_buffer(v);
}

static bool as_piece(struct value *v, const struct field *f, int64_t number) {
    int digits = (__builtin_popcount(f->bit) + 3) / 4;
    snprintf(v->buffer, sizeof v->buffer, "0x%0*llx", digits,
             (long long)((number & f->bit) >> field_shift(f)));
    return value_is_buffer(v);
}

/* The number, if nobody has it. */
static bool as_account(struct value *v, bool is_group, uint32_t id) {
    const struct group *group = is_group ? getgrgid(id) : NULL;
    const struct passwd *user = is_group ? NULL : getpwuid(id);
    if (!group && !user)
        return as_number(v, id);
    snprintf(v->buffer, sizeof v->buffer, "%s", group ? group->gr_name : user->pw_name);
    return value_is_buffer(v);
}

static bool as_quad(struct value *v, uint32_t number) {
    uint8_t bytes[4];
    wire_store(bytes, BE32, number);
    address_format(AF_INET, bytes, v->buffer);
    return value_is_buffer(v);
}

static bool as_realms(struct value *v, int64_t number) {
    long long from = number >> 16, to = number & 0xffff;
    if (from)
        snprintf(v->buffer, sizeof v->buffer, "%lld/%lld", from, to);
    else
        snprintf(v->buffer, sizeof v->buffer, "%lld", to);
    return value_is_buffer(v);
}

static bool as_version(struct value *v, uint32_t halves) {
    snprintf(v->buffer, sizeof v->buffer, "%u.%u", halves >> 16, halves & 0xffff);
    return value_is_buffer(v);
}

static bool as_word(struct value *v, const struct field *f, int64_t number) {
    const char *word = find_name(f, number);
    if (word)
        return as_text(v, word, strlen(word));
    const char *format = f->bit != 16 ? "%lld" : f->meaning == NAMED ? "0x%02llx" : "%02llx";
    snprintf(v->buffer, sizeof v->buffer, format, (long long)number);
    return value_is_buffer(v);
}

static bool as_range(const struct reader *r, const struct field *f, struct value *v, int64_t from) {
    const struct field second = pair_second(f);
    int64_t to = from;
    read_number(r, &second, &to);
    snprintf(v->buffer, sizeof v->buffer, "%lld%s%lld", (long long)from, (const char *)f->of,
             (long long)to);
    return value_is_buffer(v);
}

static bool as_seconds(struct value *v, const struct field *f, int64_t ticks) {
    if (f->flags & AS_NUMBER)
        return as_number(v, ticks / 100);
    v->type = VALUE_REAL;
    v->real = (double)ticks / 100;
    return true;
}

static bool as_interface(struct value *v, const struct netlink *nl, int64_t index) {
    char buffer[16];
    if (index == 0)
        return false;
    const char *name = nl ? netlink_name(nl, (int)index, buffer) : NULL;
    if (!name)
        return as_number(v, index);
    snprintf(v->buffer, sizeof v->buffer, "%s", name);
    return value_is_buffer(v);
}

/* Whether another row has a word that counts in place of the number. */
static bool is_replaced(const struct reader *r, const struct field *f) {
    const struct field *other = f->wide ? schema_instead(r->table, f) : NULL;
    int64_t bits = 0;
    if (!other)
        return false;
    return other->meaning == FLAG ? attribute_is_true(find_attribute(r, other))
                                  : read_number(r, other, &bits) && bits & other->bit;
}

static bool from_number(const struct reader *r, const struct field *f, struct value *v) {
    int64_t number = 0;
    if ((!read_number(r, f, &number) && !(f->flags & ALWAYS)) || is_unshown(r, f, number) ||
        is_replaced(r, f))
        return false;
    switch (f->meaning) {
    case HEX:
        return as_hex(v, number);
    case PAIR:
        if (f->flags & WHOLE)
            return as_range(r, f, v, number);
        return f->bit == 16 ? as_hex(v, number) : as_number(v, number);
    case ENUM:
    case NAMED:
    case FAMILY:
        return as_word(v, f, number);
    case TICKS:
        return as_seconds(v, f, number);
    case BOOL:
        return as_bool(v, number != 0);
    case CONSTANT:
        return number == f->bit && as_bool(v, true);
    case DEV:
        return as_interface(v, r->nl, number);
    case QUANTITY:
        unit_show(f->of, number, v);
        return true;
    case POWER:
        return as_number(v, INT64_C(1) << (number & 31));
    case WEIGHT:
        return as_number(v, number + 1);
    case REALMS:
        return as_realms(v, number);
    case VERSION:
        return as_version(v, (uint32_t)number);
    case HANDLE:
        return as_handle(v, (uint32_t)number);
    case KNODE:
        return number && as_node(r, v, (uint32_t)number);
    case ACCOUNT:
        return as_account(v, f->bit == ACCOUNT_GROUP, (uint32_t)number);
    case QUAD:
        return as_quad(v, (uint32_t)number);
    case PIECE:
        return as_piece(v, f, number);
    default:
        return as_number(v, number);
    }
}

static bool from_switch(const struct reader *r, const struct field *f, struct value *v) {
    int64_t bits = 0;
    if (!read_number(r, f, &bits) && !(f->flags & ALWAYS))
        return false;
    bool on = ((bits & f->bit) != 0) != ((f->flags & INVERTED) != 0);
    if (f->flags & AS_NUMBER)
        return as_number(v, on);
    if (f->flags & ONLY_FALSE && on)
        return false;
    return (on || f->flags & (MASKED | ALWAYS | ONLY_FALSE)) && as_bool(v, on);
}

static bool from_string(const struct reader *r, const struct field *f, struct value *v) {
    struct place place;
    return find(r, f, &place) && as_text(v, place.at, strnlen(place.at, place.length));
}

static bool from_mac(const struct reader *r, const struct field *f, struct value *v) {
    struct place place;
    if (!find(r, f, &place) || place.length == 0 || place.length > 20)
        return false;
    if (r->hardware && place.length == address_size(r->hardware))
        address_format(r->hardware, place.at, v->buffer);
    else
        mac_format(place.at, place.length, v->buffer);
    return value_is_buffer(v);
}

static bool from_address(const struct reader *r, const struct field *f, struct value *v) {
    static const uint8_t zeros[16];
    struct place place = { (const char *)zeros, sizeof zeros };
    bool there = find(r, f, &place), split = f->flags & SPLIT;
    size_t size = address_size(r->family);
    unsigned prefixlen = f->meaning == PREFIX ? (uint8_t)r->header[f->length_at] : 0;
    if (!size || place.length < size || (!there && !(f->flags & ALWAYS)))
        return false;
    if (f->meaning == PREFIX && !there && prefixlen == 0) {
        const char *none = f->of ? f->of : "default";
        return as_text(v, none, strlen(none));
    }
    if (f->meaning == PREFIX && (!split || r->message))
        prefix_format(r->family, place.at, prefixlen, v->buffer);
    else
        address_format(r->family, place.at, v->buffer);
    return value_is_buffer(v);
}

static bool is_multicast(const uint8_t *ip, size_t size) {
    return size == 4 ? (ip[0] & 0xf0) == 0xe0 : ip[0] == 0xff;
}

static bool is_zero(const uint8_t *bytes, size_t size) {
    static const uint8_t zeros[16];
    return !memcmp(bytes, zeros, size);
}

static bool from_ip(const struct reader *r, const struct field *f, struct value *v) {
    struct place place;
    size_t size = address_size((int)f->bit);
    bool there = find(r, f, &place) && place.length >= size;
    const uint8_t *ip = (const uint8_t *)place.at;
    if (!there || is_zero(ip, size)) {
        const char *none = f->of;
        return none && (there || f->flags & ALWAYS) && as_text(v, none, strlen(none));
    }
    if (f->flags & (MULTICAST | UNICAST) && is_multicast(ip, size) != ((f->flags & MULTICAST) != 0))
        return false;
    address_format((int)f->bit, ip, v->buffer);
    return value_is_buffer(v);
}

/* A length of 0: there is none. */
static bool from_subnet(const struct reader *r, const struct field *f, struct value *v) {
    struct field length = { .wire = U16, .attr = f->wide };
    struct place place;
    int64_t bits = 0;
    bool there = find(r, f, &place) && place.length >= address_size((int)f->bit);
    if (!there || (!read_number(r, &length, &bits) && !r->message) || (!bits && !r->message))
        return false;
    if (r->message)
        prefix_format((int)f->bit, place.at, (unsigned)bits, v->buffer);
    else
        address_format((int)f->bit, place.at, v->buffer);
    return value_is_buffer(v);
}

static bool from_via(const struct reader *r, const struct field *f, struct value *v) {
    struct place place;
    const size_t family = sizeof(uint16_t);
    if (!find(r, f, &place) || place.length < family + address_size(AF_INET6) ||
        wire_load(place.at, U16) != AF_INET6)
        return false;
    address_format(AF_INET6, place.at + family, v->buffer);
    return value_is_buffer(v);
}

static bool from_group(const struct reader *r, const struct field *f, struct value *v) {
    struct place place;
    const size_t proto = 16;
    if (!find(r, f, &place) || place.length < proto + sizeof(uint16_t))
        return false;
    int64_t type = wire_load(place.at + proto, BE16);
    if (type == ETH_P_IP || type == ETH_P_IPV6)
        address_format(type == ETH_P_IP ? AF_INET : AF_INET6, place.at, v->buffer);
    else
        mac_format(place.at, ETH_ALEN, v->buffer);
    return value_is_buffer(v);
}

static bool from_flag(const struct reader *r, const struct field *f, struct value *v) {
    if (!attribute_is_true(find_attribute(r, f)))
        return false;
    return f->of ? as_text(v, f->of, strlen(f->of)) : as_bool(v, true);
}

static bool from_bridge_id(const struct reader *r, const struct field *f, struct value *v) {
    struct place place;
    if (!find(r, f, &place) || place.length < 8)
        return false;
    const uint8_t *id = (const uint8_t *)place.at;
    int used = snprintf(v->buffer, sizeof v->buffer, "%02x%02x.", id[0], id[1]);
    mac_format(id + 2, 6, v->buffer + used);
    return value_is_buffer(v);
}

/* Only our own requests have namespaces in them: descriptors whose names the message knows. */
static bool from_netns(const struct reader *r, const struct field *f, struct value *v) {
    const struct nlattr *fd = find_attribute(r, f);
    const struct nlattr *pid = f->bit < READER_ATTRIBUTES ? r->tb[f->bit] : NULL;
    if (pid && mnl_attr_get_payload_len(pid) >= sizeof(uint32_t))
        return as_number(v, mnl_attr_get_u32(pid));
    if (!fd || mnl_attr_get_payload_len(fd) < sizeof(uint32_t))
        return false;
    for (int i = 0; r->message && i < r->message->namespace_count; i++)
        if ((uint32_t)r->message->namespaces[i].fd == mnl_attr_get_u32(fd)) {
            const char *name = r->message->namespaces[i].name;
            return as_text(v, name, strlen(name));
        }
    return false;
}

bool read_value(const struct reader *r, const struct field *f, struct value *v) {
    switch (f->meaning) {
    case SWITCH:
    case INSTEAD:
        return from_switch(r, f, v);
    case STRING:
    case KIND:
        return from_string(r, f, v);
    case MAC:
        return from_mac(r, f, v);
    case ADDRESS:
    case PREFIX:
        return from_address(r, f, v);
    case IP:
        return from_ip(r, f, v);
    case SUBNET:
        return from_subnet(r, f, v);
    case VIA:
        return from_via(r, f, v);
    case MULTICAST_GROUP:
        return from_group(r, f, v);
    case FLAG:
        return from_flag(r, f, v);
    case VEILED:
        return read_masked(r, f, v);
    case BRIDGE_ID:
        return from_bridge_id(r, f, v);
    case NETNS:
        return from_netns(r, f, v);
    case KEY:
        return read_key(r, f, v);
    case ENDPOINT:
        return read_endpoint(r, f, v);
    case NETWORK:
        return read_network(r, f, v);
    default:
        return from_number(r, f, v);
    }
}
