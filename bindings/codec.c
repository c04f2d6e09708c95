#include "codec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../core/schema/action.h"
#include "level.h"
#include "nsh.h"

/* No Lua runs in here, neither a metamethod nor a finalizer: it could begin another request in the
   middle of this one. So tables are only read with what is raw and needs no memory. */

static int encode_level(struct level *level);
static void find_kinds(struct level *level);

static bool is_empty(lua_State *L, int index) {
    int top = lua_gettop(L);
    if (!lua_istable(L, index))
        return false;
    lua_pushnil(L);
    bool empty = !lua_next(L, index);
    lua_settop(L, top);
    return empty;
}

static bool is_begun(const struct writer *w, const struct field *f) {
    if (f->meaning == GROUP && !w->element)
        return message_given(w->message, f);
    return writer_find(w, f->attr ? f->attr : ((const struct table *)f->of)->fields->attr) != NULL;
}

static int begin_nest(struct level *outer, const struct field *f, const struct table *table,
                      struct writer *inner) {
    if (f->meaning == GROUP && message_note(outer->w->message, f, false, outer->err) < 0)
        return -1;
    return writer_nest(outer->w, f, table, inner, outer->err);
}

static int refuse_attributes(struct level *level, const struct field *f) {
    char what[80];
    snprintf(what, sizeof what,
             level->foreign ? "nsh does not know the attributes of this kind of %s yet"
                            : "this kind of %s has no such attributes",
             level->w->message->object->name);
    return refuse_key(level, what, key_of(f));
}

/* A nest that the caller wrote as a table of its own, or as the one value that says it all. */
static int encode_nest(struct level *outer, const struct field *f, int index) {
    lua_State *L = outer->L;
    find_kinds(outer);
    const struct table *table = schema_nested(f, outer->kind, outer->port);
    struct writer inner;
    if (f->flags & READ_ONLY)
        return 0;
    if (f->flags & UNTOLD && message_lists(outer->w->message)) {
        schema_unfit_filter(outer->w->table, outer->err);
        return prefix_key(outer->err, key_of(f));
    }
    if (!table)
        return is_empty(L, index) ? 0 : refuse_attributes(outer, f);
    if (is_begun(outer->w, f))
        return refuse_key(outer, "given twice", key_of(f));
    if (!lua_istable(L, index) && !table->first)
        return refuse_key(outer, "a table expected", key_of(f));
    uint32_t start = outer->w->message->header.nlmsg_len;
    if (begin_nest(outer, f, table, &inner) < 0)
        return -1;
    struct level level = { .L = L,
                           .index = index,
                           .w = &inner,
                           .kind = outer->kind,
                           .port = outer->port,
                           .foreign = outer->foreign,
                           .kinds_known = f->meaning != GROUP || !table->kinds,
                           .outermost = true,
                           .in_order = f->meaning == GROUP ? table->fields : NULL,
                           .err = outer->err };
    if (encode_level(&level) < 0 || writer_end(&inner, outer->err) < 0)
        return prefix_key(outer->err, key_of(f));
    return message_postpone(outer->w, f, start, outer->err);
}

/* One table of a list, or a value that stands for it. */
static int encode_element(struct level *outer, const struct field *f, struct nlattr *list) {
    struct writer inner;
    if (writer_element(outer->w, f, list, &inner, outer->err) < 0)
        return -1;
    struct level level = { .L = outer->L,
                           .index = lua_gettop(outer->L),
                           .w = &inner,
                           .kinds_known = true,
                           .outermost = true,
                           .err = outer->err };
    return encode_level(&level) < 0 ? -1 : writer_element_end(&inner, f, outer->err);
}

static int encode_elements(struct level *outer, const struct field *f, int index,
                           struct nlattr *list) {
    lua_State *L = outer->L;
    char key[24];
    for (lua_Integer i = 1; lua_rawgeti(L, index, i) != LUA_TNIL; i++) {
        if (encode_element(outer, f, list) < 0) {
            snprintf(key, sizeof key, "%s[%lld]", said_key(outer, f), (long long)i);
            return prefix_key(outer->err, key);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return 0;
}

static int encode_records(struct level *outer, const struct field *f, int index) {
    struct writer *w = outer->w;
    if (f->flags & READ_ONLY)
        return 0;
    if (message_lists(w->message)) {
        schema_unfit_filter(w->table, outer->err);
        return prefix_key(outer->err, said_key(outer, f));
    }
    if (writer_find(w, f->attr))
        return refuse_key(outer, "given twice", key_of(f));
    if (!lua_istable(outer->L, index) || !lua_rawlen(outer->L, index))
        return refuse_key(outer, "a list of tables expected", said_key(outer, f));
    struct nlattr *list = writer_list(w, f, outer->err);
    if (!list || encode_elements(outer, f, index, list) < 0)
        return -1;
    writer_list_end(w, list);
    return message_note(w->message, f, w->by_name, outer->err);
}

static int encode_action(struct level *outer, struct writer *list, const struct field *f,
                         int number, int index) {
    struct writer inner;
    if (action_begin(list, f, number, &inner, outer->err) < 0)
        return -1;
    struct level level = {
        .L = outer->L, .index = index, .w = &inner, .outermost = true, .err = outer->err
    };
    return encode_level(&level) < 0 ? -1 : writer_end(&inner, outer->err);
}

static int encode_each_action(struct level *level, struct writer *list, const struct field *f,
                              int index) {
    lua_State *L = level->L;
    int top = lua_gettop(L);
    bool several = lua_istable(L, index) &&
                   (lua_rawlen(L, index) > 1 || lua_rawgeti(L, index, 1) == LUA_TTABLE);
    int result = several ? 0 : encode_action(level, list, f, 1, index);
    for (int i = 1; several && result == 0 && lua_rawgeti(L, index, i) != LUA_TNIL; i++) {
        result = encode_action(level, list, f, i, lua_gettop(L));
        lua_settop(L, top);
    }
    lua_settop(L, top);
    return result;
}

/* "drop", { "mirred", … }, or a list of such. */
static int encode_actions(struct level *level, const struct field *f, int index) {
    struct writer list;
    if (message_lists(level->w->message)) {
        schema_unfit_filter(level->w->table, level->err);
        return prefix_key(level->err, key_of(f));
    }
    if (writer_find(level->w, f->attr))
        return refuse_key(level, "given twice", key_of(f));
    if (action_list(level->w, f, &list, level->err) < 0)
        return -1;
    if (encode_each_action(level, &list, f, index) < 0 ||
        message_note(level->w->message, f, false, level->err) < 0)
        return prefix_key(level->err, key_of(f));
    return writer_end(&list, level->err);
}

/* The name of the kind ("gretap") or of the port ("bridge_slave") that the table is of; NULL. */
static const char *kind_table_name(const struct level *level, const struct table *table) {
    if (level->kind && table == level->kind->data)
        return level->kind->name;
    return level->port && table == level->port->port ? table->name : NULL;
}

static bool is_kind_table(const struct level *level, const struct table *table, const char *key) {
    const char *name = kind_table_name(level, table);
    return name && !strcmp(name, key);
}

/* "local_" is a word that Lua reserves, "encap_sport" one that it would take for a difference. */
static const struct field *find_field(const struct table *table, const char *key) {
    char plain[32];
    const struct field *f = schema_field(table, key);
    size_t length = strlen(key);
    if (f || length < 2 || length >= sizeof plain || !strchr(key, '_'))
        return f;
    bool reserved = key[length - 1] == '_';
    memcpy(plain, key, length + 1);
    plain[reserved ? length - 1 : length] = 0;
    for (char *at = plain; !reserved && (at = strchr(at, '_'));)
        *at = '-';
    f = schema_field(table, plain);
    return f && (!reserved || f->flags & RESERVED) ? f : NULL;
}

/* The same for a value: where two rows have the key, a table is for the one that takes tables. */
static const struct field *find_field_for(const struct level *level, const char *key, int value) {
    const struct field *f = find_field(level->w->table, key), *other = f;
    if (!f || field_is_nest(f) || !lua_istable(level->L, value))
        return f;
    while (other->meaning && (!field_is_nest(other) || !other->name || strcmp(other->name, key)))
        other++;
    return other->meaning ? other : f;
}

static bool stands_beside(const struct table *table, const char *key) {
    const struct field *f = find_field(table, key);
    return f && !(f->flags & INSIDE && strcmp(key, f->name) == 0);
}

/* Which of the table's flat nests take the key, as bits by row; 0: none. */
static uint64_t nests_with(const struct level *level, const struct table *table, const char *key) {
    uint64_t nests = 0;
    for (int i = 0; table->fields[i].meaning; i++) {
        const struct field *f = &table->fields[i];
        const struct table *inner =
            f->flags & FLAT ? schema_nested(f, level->kind, level->port) : NULL;
        if (inner && (stands_beside(inner, key) || nests_with(level, inner, key) ||
                      is_kind_table(level, inner, key)))
            nests |= UINT64_C(1) << i;
    }
    return nests;
}

/* `dev = "eth0"` of a tunnel is what it stands on, as behind the kind in a command, once something
   else says which link is meant; in a record everything is in its place. */
static bool yields(const struct level *level, const struct field *f, const char *key, int value) {
    lua_State *L = level->L;
    const char *of_verb = level->w->message->verb->first;
    int top = lua_gettop(L);
    if (!key || !(f->flags & YIELDS))
        return false;
    const char *text = lua_type(L, value) == LUA_TSTRING ? lua_tostring(L, value) : NULL;
    bool is_name = of_verb && !strcmp(of_verb, f->name);
    bool named = !is_name || lua_rawgeti(L, level->index, 1) != LUA_TNIL;
    bool in_place = raw_field(L, level->index, "linkinfo") != LUA_TNIL ||
                    (level->kind && raw_field(L, level->index, level->kind->name) == LUA_TTABLE);
    lua_settop(L, top);
    return named && !in_place && schema_yields(f, level->kind, key, text);
}

/* A word that the link itself has is the link's, unless it yields; its kind's is in a table named
   after the kind. A flat nest may have the name of one of its own fields. */
static bool is_taken(const struct level *level, const char *key, const char *written, int value) {
    for (const struct level *outer = level->outer; outer; outer = outer->outer) {
        const struct field *f = find_field(outer->w->table, key);
        if (f && !(f->flags & FLAT))
            return !yields(outer, f, written, value);
    }
    return false;
}

static int encode_field(struct level *level, const struct field *f, const char *written,
                        int value) {
    if (field_is_nest(f))
        return encode_nest(level, f, value);
    level->w->by_name = written && !strcmp(written, f->name);
    if (f->meaning == RECORDS)
        return encode_records(level, f, value);
    if (f->meaning == ACTIONS)
        return encode_actions(level, f, value);
    return encode_words(level, f, value);
}

/* The value of a key; written: what the caller wrote for it, NULL if it stands without. */
static int encode_key(struct level *level, const char *key, const char *written, int value) {
    const struct table *table = level->w->table;
    bool is_table_of_kind =
        level->flat && lua_istable(level->L, value) && is_kind_table(level, table, key);
    if (is_table_of_kind || is_taken(level, key, written, value))
        return 0;
    const struct verb *verb = level->w->message->verb;
    if (level->outermost && !level->w->nest && verb->record && !strcmp(key, verb->record))
        key = verb->first;
    const struct field *f = find_field_for(level, key, value);
    if (f && f->flags & YIELDS)
        find_kinds(level);
    bool own = f && !(f->flags & FLAT && !lua_istable(level->L, value));
    if (own && !yields(level, f, written, value))
        return encode_field(level, f, written, value);
    find_kinds(level);
    uint64_t nests = nests_with(level, table, key);
    level->nests |= nests;
    if (level->flat || nests)
        return 0;
    if (f)
        return refuse_key(level, "a table expected", key_of(f));
    schema_unknown_key(table, level->kind, level->port, level->foreign, key, level->err);
    return -1;
}

/* The first value may belong to a flat nest of the message. */
static int encode_positional(struct level *level, int value) {
    const struct table *table = level->w->table;
    const char *of_verb = level->w->message->verb->first;
    bool is_nest = (level->w->nest || level->in_order) && !level->flat;
    const char *first = is_nest ? table->first : of_verb;
    if (level->flat)
        return first && !level->outer->in_order ? encode_key(level, first, NULL, value) : 0;
    if (!first || !level->outermost)
        return refuse_key(level, "a key is missing before this value", "[1]");
    return encode_key(level, first, NULL, value);
}

/* `srcport = { 100, 200 }`: as the command line has them. */
static int encode_in_order(struct level *level, lua_Integer number, int value) {
    const struct field *f = level->in_order;
    for (lua_Integer i = 1; i < number && f->meaning; i++)
        f++;
    return f->name && number > 0 ? encode_field(level, f, NULL, value)
                                 : refuse_key(level, "too many values", "");
}

static int encode_pair(struct level *level) {
    lua_State *L = level->L;
    int value = lua_gettop(L);
    if (level->in_order && lua_isinteger(L, -2))
        return encode_in_order(level, lua_tointeger(L, -2), value);
    if (lua_type(L, -2) == LUA_TSTRING)
        return encode_key(level, lua_tostring(L, -2), lua_tostring(L, -2), value);
    if (lua_isinteger(L, -2) && lua_tointeger(L, -2) == 1)
        return encode_positional(level, value);
    if (level->flat)
        return 0;
    if (!lua_isinteger(L, -2))
        return refuse_key(level, "a key must be a word", "?");
    char key[24];
    snprintf(key, sizeof key, "[%lld]", (long long)lua_tointeger(L, -2));
    return refuse_key(level, "only the first value may stand without a key", key);
}

/* A namespace is a table in Lua, but one value. */
static bool is_plain(lua_State *L, int index) {
    struct value v;
    if (!lua_istable(L, index))
        return true;
    if (!lua_getmetatable(L, index))
        return false;
    lua_pop(L, 1);
    return to_namespace(L, index, &v);
}

static int encode_keys(struct level *level) {
    lua_State *L = level->L;
    if (is_plain(L, level->index))
        return encode_positional(level, level->index);
    lua_pushnil(L);
    while (lua_next(L, level->index)) {
        if (encode_pair(level) < 0)
            return -1;
        lua_pop(L, 1);
    }
    return 0;
}

static int encode_flat_nest(struct level *outer, const struct field *f, const struct table *table) {
    struct writer inner;
    if (is_begun(outer->w, f))
        return refuse_key(outer, "given both as a table and beside it", key_of(f));
    uint32_t start = outer->w->message->header.nlmsg_len;
    if (begin_nest(outer, f, table, &inner) < 0)
        return -1;
    struct level level = { .L = outer->L,
                           .index = outer->index,
                           .w = &inner,
                           .kind = outer->kind,
                           .port = outer->port,
                           .kinds_known = true,
                           .flat = true,
                           .outer = outer,
                           .err = outer->err };
    if (encode_level(&level) < 0 || writer_end(&inner, outer->err) < 0)
        return -1;
    return message_postpone(outer->w, f, start, outer->err);
}

/* A new veth has a peer, also one that the caller does not mention. (For a tunnel of which nothing
   is said iproute2 leaves all to the kernel.) */
static bool is_implied(const struct level *level, const struct field *f) {
    return level->flat && f->meaning == KIND_DATA && level->kind && level->kind->data->finish &&
           !level->kind->whole && message_makes_new(level->w->message);
}

static int encode_flat_nests(struct level *level) {
    const struct field *fields = level->w->table->fields;
    if (!level->nests && !level->flat)
        return 0;
    for (int i = 0; fields[i].meaning; i++)
        if (level->nests >> i & 1 || is_implied(level, &fields[i])) {
            const struct table *inner = schema_nested(&fields[i], level->kind, level->port);
            if (encode_flat_nest(level, &fields[i], inner) < 0)
                return -1;
        }
    return 0;
}

/* `bridge = { priority = 1 }`, `bridge_slave = { state = 3 }`: attributes in a table named after
   the kind. */
static int encode_kind_table(struct level *level) {
    lua_State *L = level->L;
    const char *name = level->flat ? kind_table_name(level, level->w->table) : NULL;
    if (!name)
        return 0;
    if (raw_field(L, level->index, name) != LUA_TTABLE) {
        lua_pop(L, 1);
        return 0;
    }
    struct level inner = *level;
    inner.index = lua_gettop(L);
    inner.flat = false;
    inner.outer = NULL;
    int result = encode_keys(&inner);
    lua_settop(L, inner.index - 1);
    return result < 0 ? prefix_key(level->err, name) : 0;
}

/* The kind that a table names, by either word or, where that goes first, without one. */
static const char *kind_in(const struct level *level, int index) {
    lua_State *L = level->L;
    const struct table *table = level->w->table;
    const struct verb *verb = level->w->message->verb;
    const char *first = level->in_order ? table->first : verb->first;
    const char *kind = string_field(L, index, table->kind_word);
    if (!kind && table->kind_name)
        kind = string_field(L, index, table->kind_name);
    if (!kind && first && !strcmp(first, table->kind_word)) {
        kind = lua_rawgeti(L, index, 1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
        lua_pop(L, 1);
    }
    return kind;
}

static void find_kinds_in(struct level *level, int index) {
    static const char slave[] = "_slave";
    const struct kind *kinds = level->w->table->kinds;
    const char *kind = kind_in(level, index);
    const char *port = string_field(level->L, index, "info_slave_kind");
    size_t length = kind ? strlen(kind) : 0, tail = sizeof slave - 1;
    bool is_port = length > tail && !strcmp(kind + length - tail, slave);
    if (is_port) {
        level->port = schema_kind(kinds, kind, length - tail);
    } else {
        level->kind = kind ? schema_kind(kinds, kind, length) : NULL;
        level->port = port ? schema_kind(kinds, port, strlen(port)) : NULL;
    }
    level->foreign = (is_port ? level->port : level->kind) ? NULL : kind;
}

/* What kind of link or qdisc the caller speaks of, which decides what the other keys mean. Looked
   up when the first of them is met. */
static void find_kinds(struct level *level) {
    lua_State *L = level->L;
    if (level->kinds_known)
        return;
    level->kinds_known = true;
    if (!level->w->table->kinds || !lua_istable(L, level->index))
        return;
    int top = lua_gettop(L);
    find_kinds_in(level, level->index);
    if (!level->kind && !level->port && raw_field(L, level->index, "linkinfo") == LUA_TTABLE)
        find_kinds_in(level, lua_gettop(L));
    lua_settop(L, top);
}

static int encode_level(struct level *level) {
    luaL_checkstack(level->L, 8, "too many tables in each other");
    if (encode_keys(level) < 0 || encode_kind_table(level) < 0)
        return -1;
    level->w->kind = level->kind;
    return encode_flat_nests(level);
}

int encode(lua_State *L, int index, struct writer *w, struct error *err) {
    struct level level = {
        .L = L, .index = lua_absindex(L, index), .w = w, .outermost = true, .err = err
    };
    int top = lua_gettop(L);
    int result = lua_isnoneornil(L, index) ? 0 : encode_level(&level);
    lua_settop(L, top);
    if (result < 0 || message_check(w->message, err) < 0)
        return -1;
    return writer_end(w, err);
}
