#include "schema.h"

#include <endian.h>
#include <string.h>

const struct wire_type wires[] = {
    [U8] = { 1, 0, UINT8_MAX },          [U16] = { 2, 0, UINT16_MAX },
    [U32] = { 4, 0, UINT32_MAX },        [U64] = { 8, 0, INT64_MAX },
    [S32] = { 4, INT32_MIN, INT32_MAX }, [BE16] = { 2, 0, UINT16_MAX },
    [BE32] = { 4, 0, UINT32_MAX },
};

union number {
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
};

int64_t wire_load(const void *at, enum wire wire) {
    union number n;
    memcpy(&n, at, wires[wire].size);
    switch (wire) {
    case U8:
        return n.u8;
    case U16:
        return n.u16;
    case BE16:
        return be16toh(n.u16);
    case U32:
        return n.u32;
    case S32:
        return (int32_t)n.u32;
    case BE32:
        return be32toh(n.u32);
    case U64:
        return (int64_t)n.u64;
    default:
        return 0;
    }
}

void wire_store(void *at, enum wire wire, int64_t number) {
    union number n = { .u64 = 0 };
    size_t size = wires[wire].size;
    if (size == 1)
        n.u8 = (uint8_t)number;
    else if (size == 2)
        n.u16 = wire == BE16 ? htobe16((uint16_t)number) : (uint16_t)number;
    else if (size == 4)
        n.u32 = wire == BE32 ? htobe32((uint32_t)number) : (uint32_t)number;
    else
        n.u64 = (uint64_t)number;
    memcpy(at, &n, size);
}

const struct object *schema_object(const char *name) {
    for (const struct object *object = objects; object->name; object++)
        if (!strcmp(object->name, name))
            return object;
    return NULL;
}

const struct verb *schema_verb(const struct object *object, const char *name) {
    for (const struct verb *verb = object->verbs; verb->name; verb++)
        if (!strcmp(verb->name, name))
            return verb;
    return NULL;
}

const struct kind *schema_kind(const struct kind *kinds, const char *name, size_t length) {
    for (const struct kind *kind = kinds; kind->name; kind++)
        if (strlen(kind->name) == length && !memcmp(kind->name, name, length))
            return kind;
    return NULL;
}

/* Most names differ in their first letter: no call for those. */
static bool is_same(const char *name, const char *key) {
    return name && name[0] == key[0] && !strcmp(name, key);
}

const struct field *schema_field(const struct table *table, const char *key) {
    for (const struct field *f = table->fields; f->meaning; f++)
        if (is_same(f->name, key) || is_same(f->word, key))
            return f;
    return NULL;
}

bool schema_yields(const struct field *f, const struct kind *kind, const char *key,
                   const char *text) {
    const struct field *own =
        f->flags & YIELDS && kind && kind->data ? schema_field(kind->data, key) : NULL;
    return own && (own->meaning != IP || (text && strpbrk(text, ".:")));
}

const struct field *schema_instead(const struct table *table, const struct field *f) {
    const enum meaning meaning = f->meaning;
    if (!f->wide || (meaning != NUMBER && meaning != HEX && meaning != PIECE && meaning != IP))
        return NULL;
    for (const struct field *other = table->fields; other->meaning; other++)
        if (other->attr == f->wide && !strcmp(field_word(other), field_word(f)))
            return other;
    return NULL;
}

struct field pair_second(const struct field *first) {
    struct field second = { .meaning = NUMBER, .wire = first->wire, .attr = first->wide };
    if (!first->wide) {
        second.attr = first->attr;
        second.size = first->size;
        second.offset = (uint16_t)(first->offset + wires[first->wire].size);
    }
    return second;
}

struct field list_element(const struct field *list, size_t number) {
    struct field element = *(const struct field *)list->of;
    if (!element.attr)
        element.attr = (uint16_t)(number + 1);
    return element;
}

bool field_is_nest(const struct field *f) {
    return f->meaning == NESTED || f->meaning == GROUP || f->meaning == KIND_DATA ||
           f->meaning == PORT_DATA;
}

const struct table *schema_nested(const struct field *f, const struct kind *kind,
                                  const struct kind *port) {
    if (f->meaning == KIND_DATA)
        return kind ? kind->data : NULL;
    if (f->meaning == PORT_DATA)
        return port ? port->port : NULL;
    return f->meaning == NESTED || f->meaning == GROUP ? f->of : NULL;
}
