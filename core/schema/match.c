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
    if (in_a && f->meaning == ENUM && left.type == VALUE_TEXT && !strcmp(left.text, "all"))
        return true; /* table all */
    if (!in_a || !in_b)
        return in_a == in_b;
    if (left.type == VALUE_TEXT && right.type == VALUE_TEXT)
        return left.length == right.length && !memcmp(left.text, right.text, left.length);
    return left.type == right.type && left.number == right.number;
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

/* --- what the kernel refused ------------------------------------------------------------------ */

static bool append(char *key, size_t size, const struct field *f) {
    const char *word = f->word ? f->word : f->name;
    size_t used = strlen(key);
    if (word && !(f->flags & FLAT)) /* which callers need not write */
        snprintf(key + used, size - used, "%s%s", used ? " " : "", word);
    return true;
}

static bool locate(const struct message *m, const struct reader *r, const struct refusal *refusal,
                   char *key, size_t size) {
    for (const struct field *f = r->table->fields; f->meaning; f++) {
        const struct nlattr *attr = f->attr < READER_ATTRIBUTES ? r->tb[f->attr] : NULL;
        struct reader inner;
        if (!attr)
            continue;
        size_t start = (size_t)((const char *)attr - m->bytes), end = start + attr->nla_len;
        bool given = field_is_nest(f) || !m->given_count || message_given(m, f);
        if (start == refusal->offset && given)
            return append(key, size, f);
        if (start < refusal->offset && refusal->offset < end && reader_nest(r, f, &inner))
            return append(key, size, f) && locate(m, &inner, refusal, key, size);
    }
    return false;
}

static bool locate_missing(const struct reader *r, const struct refusal *refusal, char *key,
                           size_t size) {
    for (const struct field *f = r->table->fields; f->meaning; f++)
        if (f->attr && f->attr == refusal->missing && !(f->flags & READ_ONLY))
            return append(key, size, f);
    return false;
}

bool schema_locate(const struct message *m, const struct refusal *refusal, char *key, size_t size) {
    struct reader r;
    key[0] = 0;
    if (reader_begin(&r, m->object->table, &m->header, NULL) < 0)
        return false;
    if (refusal->offset)
        return locate(m, &r, refusal, key, size);
    return refusal->missing && !refusal->missing_nest && locate_missing(&r, refusal, key, size);
}
