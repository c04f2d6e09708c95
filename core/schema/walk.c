/* What a record shows, row by row. */
#include <string.h>

#include "action.h"
#include "reader.h"
#include "u32.h"

static void walk_bits(const struct reader *r, const struct field *f, const struct sink *sink,
                      void *arg) {
    int64_t bits = 0;
    if (!read_number(r, f, &bits) && !(f->flags & ALWAYS))
        return;
    sink->open(arg, f, true);
    for (const struct word *word = f->of; word->name; word++)
        if (bits & word->value && !(bits & word->without)) {
            struct value v = { .type = VALUE_TEXT, .text = word->name };
            v.length = strlen(word->name);
            sink->value(arg, NULL, &v);
        }
    sink->close(arg, f, true);
}

void read_list(const struct reader *r, const struct field *f,
               void (*each)(void *arg, const struct value *value), void *arg) {
    const struct nlattr *nest = find_attribute(r, f), *attr;
    const struct field *row = f->of;
    mnl_attr_for_each_nested(attr, nest) {
        struct reader inner = {
            .table = r->table, .header = r->header, .family = r->family, .nl = r->nl
        };
        const struct field element = list_element(f, 0);
        struct value v;
        inner.tb[element.attr] = attr;
        if ((!row->attr || mnl_attr_get_type(attr) == row->attr) &&
            read_value(&inner, &element, &v))
            each(arg, &v);
    }
}

struct listing {
    const struct sink *sink;
    void *arg;
};

static void walk_element(void *arg, const struct value *v) {
    const struct listing *listing = arg;
    listing->sink->value(listing->arg, NULL, v);
}

static void walk_list(const struct reader *r, const struct field *f, const struct sink *sink,
                      void *arg) {
    struct listing listing = { sink, arg };
    if (!find_attribute(r, f))
        return;
    sink->open(arg, f, true);
    read_list(r, f, walk_element, &listing);
    sink->close(arg, f, true);
}

static void walk_records(const struct reader *r, const struct field *f, const struct sink *sink,
                         void *arg) {
    struct reader inner;
    if (!r->tb[f->attr])
        return;
    sink->open(arg, f, true);
    for (const char *at = NULL; reader_element(r, f, &at, &inner);) {
        sink->open(arg, NULL, false);
        schema_read(&inner, sink, arg);
        sink->close(arg, NULL, false);
    }
    sink->close(arg, f, true);
}

static void walk_numbers(const struct reader *r, const struct field *f, const struct sink *sink,
                         void *arg) {
    struct field element = *f;
    struct value v = { .type = VALUE_NUMBER };
    sink->open(arg, f, true);
    for (uint32_t i = 0; i < f->bit; i++) {
        element.offset = (uint16_t)(f->offset + i * wires[f->wire].size);
        if (read_number(r, &element, &v.number))
            sink->value(arg, NULL, &v);
    }
    sink->close(arg, f, true);
}

/* A group that is no attribute says something if its first row does. */
static bool is_silent(const struct reader *group) {
    int64_t number;
    return !read_number(group, group->table->fields, &number) || !number;
}

static void walk_nest(const struct reader *r, const struct field *f, const struct sink *sink,
                      void *arg) {
    struct reader inner;
    bool there = reader_nest(r, f, &inner), says = there;
    if (f->meaning == GROUP)
        says = f->attr ? find_attribute(r, f) != NULL : !is_silent(&inner);
    if (!says && !(f->flags & ALWAYS))
        return;
    if (f->name)
        sink->open(arg, f, false);
    if (there)
        schema_read(&inner, sink, arg);
    if (f->name)
        sink->close(arg, f, false);
}

void schema_read(const struct reader *r, const struct sink *sink, void *arg) {
    for (const struct field *f = r->table->fields; f->meaning; f++) {
        struct value v;
        if (f->flags & WRITE_ONLY || (f->family && f->family != r->family))
            continue;
        if (field_is_nest(f))
            walk_nest(r, f, sink, arg);
        else if (f->meaning == BITS)
            walk_bits(r, f, sink, arg);
        else if (f->meaning == LIST)
            walk_list(r, f, sink, arg);
        else if (f->meaning == RECORDS)
            walk_records(r, f, sink, arg);
        else if (f->meaning == NUMBERS)
            walk_numbers(r, f, sink, arg);
        else if (f->meaning == MATCHES)
            walk_matches(r, f, sink, arg);
        else if (f->meaning == ACTIONS)
            walk_actions(r, f, sink, arg);
        else if (read_value(r, f, &v))
            sink->value(arg, f, &v);
    }
}
