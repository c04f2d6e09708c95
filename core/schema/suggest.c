/* What a caller may have meant. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "schema.h"

enum { NEAR = 3, LONGEST = 40, FAR = 100 };

/* Edits between two words (Levenshtein), in one row of memory. */
static int distance(const char *a, const char *b) {
    int row[LONGEST + 1], length = (int)strnlen(b, LONGEST);
    for (int j = 0; j <= length; j++)
        row[j] = j;
    for (int i = 1; *a && i <= 2 * LONGEST; i++, a++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= length; j++) {
            int change = diagonal + (*a != b[j - 1]), above = row[j] + 1, left = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = change < above ? change : above;
            row[j] = row[j] < left ? row[j] : left;
        }
    }
    return row[length];
}

struct nearest {
    const char *key;
    const char *best[NEAR];
    int count, edits;
};

/* Edits, or a large number if it is too much for words of that length. */
static int edits_between(const char *key, const char *name) {
    int a = (int)strlen(key), b = (int)strlen(name), shorter = a < b ? a : b;
    if (shorter >= 3 && !strncmp(key, name, (size_t)shorter))
        return 1; /* one is the beginning of the other: "dev" of "device" */
    int edits = distance(key, name);
    return edits <= 1 + shorter / 3 ? edits : FAR;
}

/* Keeps the nearest, all of them if there are some. */
static void offer(void *arg, const char *name) {
    struct nearest *nearest = arg;
    int edits = edits_between(nearest->key, name);
    if (edits < nearest->edits) {
        nearest->edits = edits;
        nearest->count = 0;
    }
    for (int i = 0; i < nearest->count; i++)
        if (!strcmp(nearest->best[i], name))
            return; /* a row may go by the word of another */
    if (edits < FAR && edits == nearest->edits && nearest->count < NEAR)
        nearest->best[nearest->count++] = name;
}

struct keys {
    const struct kind *kind, *port;
    bool both; /* also the names of what has a word */
    void (*each)(void *arg, const char *name);
    void *arg;
};

/* Calls each(arg, name) for the keys that a caller may write, by their words (or by both names);
   also those of the flat nests. */
static void for_each_key(const struct keys *keys, const struct table *table, bool beside) {
    for (const struct field *f = table->fields; f->meaning; f++) {
        const struct table *inner =
            f->flags & FLAT ? schema_nested(f, keys->kind, keys->port) : NULL;
        if (inner)
            for_each_key(keys, inner, true);
        if (inner || f->flags & READ_ONLY)
            continue;
        bool inside = f->flags & INSIDE;
        if (f->name && (inside ? !beside : keys->both || !f->word))
            keys->each(keys->arg, f->name);
        if (f->word && (keys->both || !inside || beside))
            keys->each(keys->arg, f->word);
    }
}

struct text {
    char bytes[136];
    bool full;
};

static void list_key(void *arg, const char *name) {
    struct text *text = arg;
    size_t used = strlen(text->bytes), room = sizeof text->bytes - used;
    if (text->full || room < strlen(name) + 8) {
        snprintf(text->bytes + used, room, "%s", text->full ? "" : ", …");
        text->full = true;
        return;
    }
    snprintf(text->bytes + used, room, "%s%s", used ? ", " : "", name);
}

int schema_unfit_filter(const struct table *table, struct error *err) {
    struct text keys = { "", false };
    for (const struct field *f = table->fields; f->meaning; f++)
        if (field_filters(f))
            list_key(&keys, f->word ? f->word : f->name);
    return error_set(err, EINVAL, "nothing can be chosen by it%s%s",
                     keys.bytes[0] ? ", but by " : "", keys.bytes);
}

static const struct kind *kind_with(const struct kind *kinds, const char *key, bool *is_port) {
    for (const struct kind *kind = kinds; kind && kind->name; kind++) {
        *is_port = !(kind->data && schema_field(kind->data, key));
        if (!*is_port || (kind->port && schema_field(kind->port, key)))
            return kind;
    }
    return NULL;
}

/* The flat nest that takes the key, though not beside itself. */
static const struct field *nest_around(const struct table *table, const struct kind *kind,
                                       const struct kind *port, const char *key) {
    for (const struct field *f = table->fields; f->meaning; f++) {
        const struct table *inner = f->flags & FLAT ? schema_nested(f, kind, port) : NULL;
        const struct field *own = inner ? schema_field(inner, key) : NULL;
        if (own && own->flags & INSIDE)
            return f;
        own = inner ? nest_around(inner, kind, port, key) : NULL;
        if (own)
            return own;
    }
    return NULL;
}

int schema_unknown_key(const struct table *table, const struct kind *kind, const struct kind *port,
                       const char *foreign, const char *key, struct error *err) {
    struct nearest nearest = { .key = key, .edits = FAR };
    struct text keys = { "", false };
    bool is_port;
    const struct field *nest = nest_around(table, kind, port, key);
    const struct kind *owner = kind_with(table->kinds, key, &is_port);
    const struct keys all = { kind, port, true, offer, &nearest };
    const struct keys by_word = { kind, port, false, list_key, &keys };
    for_each_key(&all, table, false);
    for (int i = 0; i < nearest.count; i++)
        list_key(&keys, nearest.best[i]);
    if (!nearest.count)
        for_each_key(&by_word, table, false);
    if (nest)
        error_set(err, EINVAL, "of what? Write it as in %s = { …, %s = … }",
                  nest->word ? nest->word : nest->name, key);
    else if (foreign && nearest.edits > 1)
        error_set(err, EINVAL, "unknown key \"%s\": nsh does not know the attributes of %s yet",
                  SHORT(key), SHORT(foreign));
    else if (owner && !foreign)
        error_set(err, EINVAL, "unknown key \"%s\": it belongs to %s = \"%s%s\"", SHORT(key),
                  table->kind_word, owner->name, is_port ? "_slave" : "");
    else
        error_set(err, EINVAL, "unknown key \"%s\"; %s %s", SHORT(key),
                  nearest.count ? "did you mean" : "valid are", keys.bytes);
    return -1;
}
