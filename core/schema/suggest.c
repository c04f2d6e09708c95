/* What a caller may have meant. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "schema.h"

enum { NEAR = 3, LONGEST = 40 };

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
    struct {
        const char *name;
        int edits;
    } best[NEAR];
};

static void offer(struct nearest *nearest, const char *name) {
    int edits = distance(nearest->key, name), i = NEAR;
    while (i > 0 && (!nearest->best[i - 1].name || edits < nearest->best[i - 1].edits))
        i--;
    if (i == NEAR || edits > 2 + (int)strlen(name) / 4)
        return;
    for (int j = NEAR - 1; j > i; j--)
        nearest->best[j] = nearest->best[j - 1];
    nearest->best[i].name = name;
    nearest->best[i].edits = edits;
}

/* Calls each(arg, name) for the keys that a caller may write; also those of the flat nests. */
static void for_each_key(const struct table *table, const struct kind *kind,
                         const struct kind *port, void (*each)(void *arg, const char *name),
                         void *arg) {
    for (const struct field *f = table->fields; f->meaning; f++) {
        const struct table *inner = f->flags & FLAT ? schema_nested(f, kind, port) : NULL;
        if (inner)
            for_each_key(inner, kind, port, each, arg);
        else if (!(f->flags & READ_ONLY) && (f->word || f->name))
            each(arg, f->word ? f->word : f->name);
    }
}

static void offer_key(void *arg, const char *name) {
    offer(arg, name);
}

struct text {
    char bytes[160];
};

static void list_key(void *arg, const char *name) {
    struct text *text = arg;
    size_t used = strlen(text->bytes), room = sizeof text->bytes - used;
    if (room < strlen(name) + 8)
        return;
    snprintf(text->bytes + used, room, "%s%s", used ? ", " : "", name);
}

static const struct kind *kind_with(const char *key, bool *is_port) {
    for (const struct kind *kind = link_kinds; kind->name; kind++) {
        *is_port = !(kind->data && schema_field(kind->data, key));
        if (!*is_port || (kind->port && schema_field(kind->port, key)))
            return kind;
    }
    return NULL;
}

int schema_unknown_key(const struct table *table, const struct kind *kind, const struct kind *port,
                       const char *key, struct error *err) {
    struct nearest nearest = { .key = key };
    struct text keys = { "" };
    bool is_port;
    const struct kind *owner = strcmp(table->name, "link") ? NULL : kind_with(key, &is_port);
    for_each_key(table, kind, port, offer_key, &nearest);
    if (nearest.best[0].name)
        for (int i = 0; i < NEAR && nearest.best[i].name; i++)
            list_key(&keys, nearest.best[i].name);
    else
        for_each_key(table, kind, port, list_key, &keys);
    if (owner)
        error_set(err, EINVAL, "unknown key \"%.40s\": it belongs to type = \"%s%s\"", key,
                  owner->name, is_port ? "_slave" : "");
    else
        error_set(err, EINVAL, "unknown key \"%.40s\"; %s %s", key,
                  nearest.best[0].name ? "did you mean" : "valid are", keys.bytes);
    return -1;
}
