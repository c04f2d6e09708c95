#include "fill.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "change.h"
#include "reader.h"

/* The attributes of the kind in a request, and the nests that they are in. */
struct target {
    struct message *m;
    const struct table *table;
    struct nlattr *nests[2]; /* from the outer one */
    uint64_t own;            /* which the caller wrote, as bits by number */
};

static struct nlattr *find(const struct nlattr *nest, uint16_t type) {
    struct nlattr *attr;
    mnl_attr_for_each_nested(attr, nest) {
        if (mnl_attr_get_type(attr) == type)
            return attr;
    }
    return NULL;
}

/* What the row of the link's table that is the nest of the kind's data leads to. */
static const struct field *nest_with(const struct table *table, enum meaning inner) {
    for (const struct field *f = table->fields; f->meaning; f++)
        if (f->meaning == inner)
            return f;
    return NULL;
}

/* --- which bits of a number were meant ---------------------------------------------------------
 */

static bool has_bits(const struct field *f) {
    return f->meaning == SWITCH || f->meaning == PIECE || f->meaning == INSTEAD;
}

static bool is_of(const struct field *f, uint16_t type) {
    return has_bits(f) && (f->attr == type || (f->meaning == SWITCH && f->wide == type));
}

/* By whichever row of its word: "inherit" takes the place of a number, and the other way round.
   What was given of a record may have been the same already. */
static bool is_meant(const struct target *t, const struct field *f) {
    for (const struct field *other = t->table->fields; other->meaning; other++)
        if (t->own >> other->attr & 1 && message_given(t->m, other) &&
            !strcmp(field_word(other), field_word(f)))
            return true;
    return false;
}

/* The row of an attribute: of its bits, if it has several. Sets the target's table to the one that
   it is in, which may be a group's. */
static const struct field *find_row(struct target *t, const struct table *table, uint16_t type) {
    const struct field *found = NULL;
    for (const struct field *f = table->fields; f->meaning && !found; f++) {
        if (f->meaning == GROUP)
            found = find_row(t, f->of, type);
        else if (f->attr == type || is_of(f, type))
            t->table = table, found = f;
    }
    return found;
}

static uint32_t meant_bits(const struct target *t, uint16_t type) {
    uint32_t bits = 0;
    for (const struct field *f = t->table->fields; f->meaning; f++)
        if (is_of(f, type) && is_meant(t, f))
            bits |= f->bit;
    return bits;
}

static uint64_t types_in(const struct nlattr *nest) {
    const struct nlattr *attr;
    uint64_t types = 0;
    mnl_attr_for_each_nested(attr, nest) types |= UINT64_C(1) << (mnl_attr_get_type(attr) & 63);
    return types;
}

/* --- filling -----------------------------------------------------------------------------------
 */

/* Appends an attribute to the inner nest, behind which there may be more. */
static struct nlattr *insert(const struct target *t, const struct nlattr *attr, struct error *err) {
    struct nlmsghdr *nlh = &t->m->header;
    struct nlattr *data = t->nests[1];
    char *at = (char *)data + MNL_ALIGN(data->nla_len), *end = mnl_nlmsg_get_payload_tail(nlh);
    size_t size = MNL_ALIGN(attr->nla_len);
    if (nlh->nlmsg_len + size > MESSAGE_MAX) {
        error_set(err, EMSGSIZE, "the request would be longer than %d bytes", MESSAGE_MAX);
        return NULL;
    }
    memmove(at + size, at, (size_t)(end - at));
    memcpy(at, attr, attr->nla_len);
    memset(at + attr->nla_len, 0, size - attr->nla_len);
    for (int i = 0; i < 2; i++)
        t->nests[i]->nla_len += (uint16_t)size;
    nlh->nlmsg_len += (uint32_t)size;
    return (struct nlattr *)at;
}

/* An address that is none: some kinds refuse it, and without it have none. */
static bool is_no_address(const struct field *row, const struct nlattr *attr) {
    static const uint8_t zeros[16];
    size_t size = mnl_attr_get_payload_len(attr);
    return row && row->meaning == IP && size <= sizeof zeros &&
           !memcmp(mnl_attr_get_payload(attr), zeros, size);
}

static int fill_attribute(struct target t, const struct nlattr *now, struct error *err) {
    const uint16_t type = mnl_attr_get_type(now);
    const struct field *row = find_row(&t, t.table, type);
    struct nlattr *own = find(t.nests[1], type);
    bool shared = row && has_bits(row);
    int64_t number = own && shared ? wire_load(mnl_attr_get_payload(own), row->wire) : 0;
    if (!own && is_no_address(row, now))
        return 0;
    if (!own && !(own = insert(&t, now, err)))
        return -1;
    if (!shared || mnl_attr_get_payload_len(now) < wires[row->wire].size)
        return 0;
    number |= wire_load(mnl_attr_get_payload(now), row->wire) & ~(int64_t)meant_bits(&t, type);
    wire_store(mnl_attr_get_payload(own), row->wire, number);
    return 0;
}

/* Whether the request is a change of the data of such a kind. */
static bool find_target(struct target *t, struct message *m, struct reader *r) {
    struct reader link;
    const struct field *info, *data;
    if (m->header.nlmsg_type != RTM_NEWLINK || message_creates(m) ||
        reader_begin(&link, m->object->table, &m->header, m->nl) < 0 || !link.tb[IFLA_LINKINFO])
        return false;
    info = schema_field(m->object->table, "linkinfo");
    if (!reader_nest(&link, info, r) || !r->kind || !r->kind->whole)
        return false;
    data = nest_with(info->of, KIND_DATA);
    if (!r->tb[data->attr])
        return false;
    *t = (struct target){ m,
                          r->kind->data,
                          { (struct nlattr *)link.tb[info->attr],
                            (struct nlattr *)r->tb[data->attr] },
                          types_in(r->tb[data->attr]) };
    return true;
}

/* What the kernel says of the link. */
static int ask(const struct message *m, struct nlmsghdr **now, struct error *err) {
    static struct message question;
    struct reader r;
    int64_t index = 0;
    if (reader_begin(&r, m->object->table, &m->header, m->nl) == 0)
        read_number(&r, schema_field(m->object->table, "dev"), &index);
    if (schema_about(&question, m->nl, m->object, "get", index, err) < 0)
        return -1;
    return netlink_get(m->nl, &question.header, now, err);
}

int schema_fill(struct message *m, struct error *err) {
    struct target t;
    struct reader own, link, info;
    struct nlmsghdr *now;
    if (!find_target(&t, m, &own))
        return 0;
    if (ask(m, &now, err) < 0)
        return -1;
    if (reader_begin(&link, m->object->table, now, m->nl) < 0 ||
        !reader_nest(&link, schema_field(m->object->table, "linkinfo"), &info) ||
        info.kind != own.kind || !info.tb[IFLA_INFO_DATA])
        return 0; /* the kernel will refuse it */
    const struct nlattr *attr;
    mnl_attr_for_each_nested(attr, info.tb[IFLA_INFO_DATA]) {
        if (fill_attribute(t, attr, err) < 0)
            return -1;
    }
    return 0;
}
