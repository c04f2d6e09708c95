/* Requests compared with records (filters), and with what the kernel says of them. */
#include <stdio.h>
#include <string.h>

#include "reader.h"

/* A port's kind is its master's, in an attribute of its own. */
static bool same_port_kind(const struct reader *a, const struct reader *b, const struct field *f) {
    struct field port = *f;
    struct value left, right;
    port.attr = (uint16_t)f->bit;
    return read_value(a, &port, &left) && read_value(b, &port, &right) &&
           left.length == right.length && !memcmp(left.text, right.text, left.length);
}

static bool same_value(const struct reader *a, const struct reader *b, const struct field *f) {
    struct value left, right;
    bool in_a = read_value(a, f, &left), in_b = read_value(b, f, &right);
    if (in_a && f->meaning == NAMED && left.type == VALUE_TEXT && !strcmp(left.text, "all"))
        return true;                                          /* table all */
    if (!in_a && f->meaning == PREFIX && !(f->flags & SPLIT)) /* "default", of whatever family */
        return in_b && !strcmp(right.text, "default");
    if (!in_a || !in_b)
        return in_a == in_b;
    if (left.type == VALUE_TEXT && right.type == VALUE_TEXT)
        return left.length == right.length && !memcmp(left.text, right.text, left.length);
    return left.type == right.type && left.number == right.number;
}

static bool same_numbers(const struct reader *a, const struct reader *b, const struct field *f) {
    struct field element = *f;
    int64_t left, right;
    for (uint32_t i = 0; i < f->bit; i++) {
        element.offset = (uint16_t)(f->offset + i * wires[f->wire].size);
        if (!read_number(a, &element, &left) || !read_number(b, &element, &right) || left != right)
            return false;
    }
    return true;
}

/* One number, or all of a range, in the record's number or range. */
static bool is_inside(const struct reader *a, const struct reader *b, const struct field *f) {
    const struct field second = pair_second(f);
    int64_t wanted, first, last, to;
    if (!read_number(a, f, &wanted) || !read_number(b, f, &first))
        return false;
    if (!read_number(a, &second, &to))
        to = wanted;
    if (!read_number(b, &second, &last))
        last = first;
    return first <= wanted && to <= last;
}

static int64_t number_or_zero(const struct reader *r, const struct field *f) {
    int64_t number;
    return read_number(r, f, &number) ? number : 0;
}

static bool same_field(const struct reader *a, const struct reader *b, const struct field *f) {
    int64_t left = number_or_zero(a, f), right = number_or_zero(b, f);
    struct value kind;
    switch (f->meaning) {
    case SWITCH:
        return (left & f->bit) == (right & f->bit);
    case BITS:
        return (left & right) != 0;
    case CONSTANT:
        return right == f->bit;
    case QUANTITY:
    case HANDLE:
        return left == right;
    case NUMBERS:
        return same_numbers(a, b, f);
    case PAIR:
        return is_inside(a, b, f);
    case KIND:
        return read_value(a, f, &kind) ? same_value(a, b, f) : same_port_kind(a, b, f);
    default:
        return same_value(a, b, f);
    }
}

static bool matches(const struct message *m, const struct reader *filter, const struct reader *r) {
    for (const struct field *f = filter->table->fields; f->meaning; f++) {
        struct reader inner_filter, inner;
        if (field_is_nest(f)) {
            if (reader_nest(filter, f, &inner_filter) &&
                (!reader_nest(r, f, &inner) || !matches(m, &inner_filter, &inner)))
                return false;
        } else if (message_given(m, f) && !same_field(filter, r, f)) {
            return false;
        }
    }
    return true;
}

bool schema_matches(const struct message *filter, const struct reader *r) {
    struct reader own;
    if (!filter->given_count)
        return true;
    return reader_begin(&own, filter->object->table, &filter->header, r->nl) == 0 &&
           matches(filter, &own, r);
}

/* --- what is the same already ----------------------------------------------------------------- */

static bool has_row(const struct table *table, uint16_t type) {
    const struct field *f = table->fields;
    while (f->meaning && f->attr != type)
        f++;
    return f->meaning;
}

static bool same_payload(const struct nlattr *a, const struct nlattr *b) {
    return a && b && a->nla_len == b->nla_len &&
           !memcmp(mnl_attr_get_payload(a), mnl_attr_get_payload(b), mnl_attr_get_payload_len(a));
}

/* Whether all that is in the first list, which may be none, is in the second. */
static bool is_in(const struct nlattr *a, const struct nlattr *b) {
    const struct nlattr *one, *other;
    if (!a)
        return true;
    mnl_attr_for_each_nested(one, a) {
        bool found = false;
        if (b)
            mnl_attr_for_each_nested(other, b) found = found || same_payload(one, other);
        if (!found)
            return false;
    }
    return true;
}

/* As same_field, where a list of words is all of them, and bits that go with others count. */
static bool is_unchanged(const struct reader *own, const struct reader *now,
                         const struct field *f) {
    int64_t left = number_or_zero(own, f), right = number_or_zero(now, f);
    if (f->meaning == BITS)
        return left == right;
    if (f->meaning == LIST)
        return is_in(own->tb[f->attr], now->tb[f->attr]) &&
               is_in(now->tb[f->attr], own->tb[f->attr]);
    return same_field(own, now, f) && !(f->meaning == SWITCH && left & ~right);
}

/* Whether the record has all that was given for the rows of this attribute, or what it was given by
   its table alone. */
static bool is_same(const struct message *m, const struct reader *own, const struct reader *now,
                    uint16_t type) {
    bool same = same_payload(own->tb[type], now->tb[type]);
    for (const struct field *f = own->table->fields; f->meaning; f++) {
        struct reader own_group, now_group;
        bool is_group = f->meaning == GROUP && message_given(m, f);
        bool is_of = f->attr == type || (f->meaning == LIST && f->wide == type);
        if (is_group ? !has_row(f->of, type) : !is_of || !message_given(m, f))
            continue;
        same = is_group ? reader_nest(own, f, &own_group) && reader_nest(now, f, &now_group) &&
                              is_same(m, &own_group, &now_group, type)
                        : f->meaning != NETNS && is_unchanged(own, now, f);
        if (!same)
            break;
    }
    return same;
}

static const struct field *nest_of(const struct table *table, uint16_t type) {
    for (const struct field *f = table->fields; f->meaning; f++)
        if (f->attr == type && field_is_nest(f) && f->meaning != GROUP)
            return f;
    return NULL;
}

static void copy_attribute(struct writer *out, const struct nlattr *attr) {
    write_attribute(out, mnl_attr_get_type(attr), mnl_attr_get_payload(attr),
                    mnl_attr_get_payload_len(attr), NULL);
}

/* The kinds say what the other attributes mean. */
static void copy_kinds(struct writer *out, const struct reader *own) {
    for (const struct field *f = own->table->fields; f->meaning; f++)
        if (f->meaning == KIND && own->tb[f->attr] && !writer_find(out, f->attr))
            copy_attribute(out, own->tb[f->attr]);
}

static bool copy_changes(struct writer *out, const struct message *m, const struct reader *own,
                         const struct reader *now);

static void copy_nest(struct writer *out, const struct message *m, const struct reader *own,
                      const struct reader *now, const struct field *f) {
    struct nlmsghdr *nlh = &out->message->header;
    uint32_t start = nlh->nlmsg_len;
    struct writer inner;
    if (writer_nest(out, f, own->table, &inner, NULL) == 0 && copy_changes(&inner, m, own, now))
        mnl_attr_nest_end(nlh, inner.nest);
    else
        nlh->nlmsg_len = start;
}

static bool copy_changes(struct writer *out, const struct message *m, const struct reader *own,
                         const struct reader *now) {
    const struct nlmsghdr *nlh = &out->message->header;
    uint32_t start = nlh->nlmsg_len;
    for (uint16_t type = 1; type < READER_ATTRIBUTES; type++) {
        const struct field *f = nest_of(own->table, type);
        struct reader inner_own, inner_now;
        if (f && reader_nest(own, f, &inner_own) && reader_nest(now, f, &inner_now))
            copy_nest(out, m, &inner_own, &inner_now, f);
        else if (own->tb[type] && !is_same(m, own, now, type))
            copy_attribute(out, own->tb[type]);
    }
    if (nlh->nlmsg_len > start)
        copy_kinds(out, own);
    return nlh->nlmsg_len > start;
}

void schema_reduce(struct message *m, struct message *scratch, const struct nlmsghdr *record) {
    struct reader own, now;
    struct writer w;
    if (reader_begin(&own, m->object->table, &m->header, m->nl) < 0 ||
        reader_begin(&now, m->object->table, record, m->nl) < 0)
        return;
    message_begin(scratch, m->nl, m->object, m->verb, &w);
    memcpy(w.header, own.header, m->object->table->header);
    copy_changes(&w, m, &own, &now);
    memcpy(m->bytes, scratch->bytes, scratch->header.nlmsg_len);
}

/* --- what the kernel refused ------------------------------------------------------------------ */

static bool append(char *key, size_t size, const struct message *m, const struct field *f) {
    const char *word = message_key(m, f);
    size_t used = strlen(key);
    if (word && !(f->flags & FLAT)) /* which callers need not write */
        snprintf(key + used, size - used, "%s%s", used ? " " : "", word);
    return true;
}

static bool locate(const struct message *m, const struct reader *r, const struct refusal *refusal,
                   char *key, size_t size);

/* "nexthops[2] via" */
static bool locate_element(const struct message *m, const struct reader *r, const struct field *f,
                           const struct refusal *refusal, char *key, size_t size) {
    struct reader inner;
    int number = 0;
    for (const char *at = NULL; reader_element(r, f, &at, &inner);) {
        snprintf(key, size, "%s[%d]", message_key(m, f), ++number);
        if (locate(m, &inner, refusal, key, size))
            return true;
    }
    key[0] = 0;
    return append(key, size, m, f);
}

static bool locate(const struct message *m, const struct reader *r, const struct refusal *refusal,
                   char *key, size_t size) {
    for (const struct field *f = r->table->fields; f->meaning; f++) {
        const struct nlattr *attr = f->attr < READER_ATTRIBUTES ? r->tb[f->attr] : NULL;
        struct reader inner;
        if (f->meaning == GROUP && reader_nest(r, f, &inner) &&
            locate(m, &inner, refusal, key, size))
            return true;
        if (!attr)
            continue;
        size_t start = (size_t)((const char *)attr - m->bytes), end = start + attr->nla_len;
        bool given = field_is_nest(f) || !m->given_count || message_given(m, f);
        if (start == refusal->offset && given)
            return append(key, size, m, f);
        if (start < refusal->offset && refusal->offset < end && f->meaning == RECORDS)
            return locate_element(m, r, f, refusal, key, size);
        if (start < refusal->offset && refusal->offset < end && reader_nest(r, f, &inner))
            return append(key, size, m, f) && locate(m, &inner, refusal, key, size);
    }
    return false;
}

static bool locate_missing(const struct message *m, const struct reader *r,
                           const struct refusal *refusal, char *key, size_t size) {
    for (const struct field *f = r->table->fields; f->meaning; f++)
        if (f->attr && f->attr == refusal->missing && !(f->flags & READ_ONLY))
            return append(key, size, m, f);
    return false;
}

bool schema_locate(const struct message *m, const struct refusal *refusal, char *key, size_t size) {
    struct reader r;
    key[0] = 0;
    if (reader_begin(&r, m->object->table, &m->header, NULL) < 0)
        return false;
    if (refusal->offset)
        return locate(m, &r, refusal, key, size);
    return refusal->missing && !refusal->missing_nest && locate_missing(m, &r, refusal, key, size);
}

static int find_keys(const struct message *m, const struct reader *r, const struct field **last) {
    int count = 0;
    for (const struct field *f = r->table->fields; f->meaning; f++) {
        struct reader inner;
        if (reader_nest(r, f, &inner))
            count += find_keys(m, &inner, last);
        else if (f->attr && r->tb[f->attr] && f->meaning != KIND && message_given(m, f)) {
            *last = f;
            count++;
        }
    }
    return count;
}

bool schema_only_key(const struct message *m, char *key, size_t size) {
    struct reader r;
    const struct field *f = NULL;
    key[0] = 0;
    return reader_begin(&r, m->object->table, &m->header, NULL) == 0 && find_keys(m, &r, &f) == 1 &&
           append(key, size, m, f);
}
