#include "codec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nsh.h"

/* No Lua runs in here, neither a metamethod nor a finalizer: it could begin another request in the
   middle of this one. So tables are only read with what is raw and needs no memory. */

/* One level of the caller's table on its way into one level of the message. */
struct level {
    lua_State *L;
    int index;
    struct writer *w;
    const struct kind *kind, *port; /* of the link, as the caller named them */
    const char *foreign;            /* the kind that they named, if it is not ours to know */
    bool kinds_known;
    bool outermost;            /* values without a key and a record's name are allowed */
    bool flat;                 /* keys that are not ours belong to someone else */
    const struct level *outer; /* of a flat nest: where its keys come from */
    uint64_t nests; /* the rows, by number, of the flat nests that the caller has keys for */
    struct error *err;
};

static int encode_level(struct level *level);
static void find_kinds(struct level *level);

static int refuse_key(struct level *level, const char *what, const char *key) {
    error_set(level->err, EINVAL, "%s", what);
    snprintf(level->err->key, sizeof level->err->key, "%s", key);
    return -1;
}

/* "peer" before "mtu": which nest a refused key is in. */
static int prefix_key(struct error *err, const char *nest) {
    char key[sizeof err->key];
    snprintf(key, sizeof key, "%s%s%.40s", nest, err->key[0] ? " " : "", err->key);
    memcpy(err->key, key, sizeof key);
    return -1;
}

/* Pushes the value of a key and returns its type, as lua_getfield does. */
static int raw_field(lua_State *L, int index, const char *key) {
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        if (lua_type(L, -2) == LUA_TSTRING && !strcmp(lua_tostring(L, -2), key)) {
            lua_remove(L, -2);
            return lua_type(L, -1);
        }
    lua_pushnil(L);
    return LUA_TNIL;
}

static const char *string_field(lua_State *L, int index, const char *key) {
    const char *text = raw_field(L, index, key) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    lua_pop(L, 1); /* the table keeps it alive */
    return text;
}

/* The userdata in one of the object's fields (-1 in it: closed), and the name in another. */
static bool namespace_in(lua_State *L, int index, const char *handle, const char *label,
                         struct value *v) {
    raw_field(L, index, handle);
    int *fd = luaL_testudata(L, -1, "nsh.netns");
    v->text = string_field(L, index, label);
    v->number = fd ? *fd : -1;
    lua_pop(L, 1);
    return fd != NULL;
}

/* A namespace is the userdata itself, or an object that has it. */
static bool to_namespace(lua_State *L, int index, struct value *v) {
    int *fd = luaL_testudata(L, index, "nsh.netns");
    v->type = VALUE_NETNS;
    v->text = NULL;
    v->number = fd ? *fd : -1;
    return fd || (lua_istable(L, index) && (namespace_in(L, index, "handle", "label", v) ||
                                            namespace_in(L, index, "here", "here_label", v)));
}

static bool to_value(lua_State *L, int index, const struct field *f, struct value *v) {
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        v->type = VALUE_BOOL;
        v->number = lua_toboolean(L, index);
        return true;
    case LUA_TNUMBER: {
        int exact;
        v->number = lua_tointegerx(L, index, &exact);
        v->real = lua_tonumber(L, index);
        v->type = exact ? VALUE_NUMBER : VALUE_REAL;
        return true;
    }
    case LUA_TSTRING:
        v->type = VALUE_TEXT;
        v->number = 0;
        v->text = lua_tolstring(L, index, &v->length);
        return true;
    default:
        return f->meaning == NETNS && to_namespace(L, index, v);
    }
}

static const char *key_of(const struct field *f) {
    return f->word ? f->word : f->name;
}

static int encode_scalar(struct level *level, const struct field *f, int index) {
    struct value v;
    if (to_value(level->L, index, f, &v))
        return write_value(level->w, f, &v, level->err);
    if (f->flags & READ_ONLY && !message_lists(level->w->message))
        return 0;
    char what[80];
    snprintf(what, sizeof what, "a %s given, a plain value expected",
             luaL_typename(level->L, index));
    return refuse_key(level, what, level->w->by_name ? f->name : key_of(f));
}

static int encode_numbers(struct level *level, const struct field *f, int index) {
    lua_State *L = level->L;
    struct value v;
    int result = 0;
    if (lua_rawlen(L, index) != f->bit) {
        char what[80];
        snprintf(what, sizeof what, "%llu numbers given, %u expected",
                 (unsigned long long)lua_rawlen(L, index), f->bit);
        return refuse_key(level, what, key_of(f));
    }
    for (uint32_t i = 0; result == 0 && i < f->bit; i++) {
        lua_rawgeti(L, index, i + 1);
        result = to_value(L, lua_gettop(L), f, &v)
                     ? write_element(level->w, f, i, &v, level->err)
                     : refuse_key(level, "a list of numbers expected", key_of(f));
        lua_pop(L, 1);
    }
    return result;
}

/* BITS take a word or a list of them, NUMBERS a list. */
static int encode_words(struct level *level, const struct field *f, int index) {
    lua_State *L = level->L;
    if (f->meaning == NUMBERS && lua_istable(L, index) && !(f->flags & READ_ONLY))
        return encode_numbers(level, f, index);
    if (!lua_istable(L, index) || f->meaning != BITS)
        return encode_scalar(level, f, index);
    int result = 0;
    for (lua_Integer i = 1; result == 0 && lua_rawgeti(L, index, i) != LUA_TNIL; i++) {
        result = encode_scalar(level, f, lua_gettop(L));
        lua_pop(L, 1);
    }
    if (result == 0)
        lua_pop(L, 1);
    return result;
}

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
    return f->meaning == GROUP ? message_given(w->message, f) : writer_find(w, f->attr) != NULL;
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
                           .kinds_known = true,
                           .outermost = true,
                           .err = outer->err };
    if (encode_level(&level) < 0 || writer_end(&inner, outer->err) < 0)
        return prefix_key(outer->err, key_of(f));
    return message_postpone(outer->w, f, start, outer->err);
}

/* Whether the key is the name of the kind (or the port) that the table is of. */
static bool is_kind_table(const struct level *level, const struct table *table, const char *key) {
    bool of_kind =
        (level->kind && table == level->kind->data) || (level->port && table == level->port->port);
    return of_kind && !strcmp(table->name, key);
}

static bool stands_beside(const struct table *table, const char *key) {
    const struct field *f = schema_field(table, key);
    return f && !(f->flags & INSIDE);
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

static const struct field *find_field(const struct table *table, const char *key) {
    char plain[32];
    const struct field *f = schema_field(table, key);
    size_t length = strlen(key);
    if (f || length < 2 || key[length - 1] != '_' || length > sizeof plain)
        return f;
    memcpy(plain, key, length - 1);
    plain[length - 1] = 0;
    f = schema_field(table, plain);
    return f && f->flags & RESERVED ? f : NULL;
}

/* A word that the link itself has is the link's; its kind's is in a table named after the kind. A
   flat nest may have the name of one of its own fields. */
static bool is_taken(const struct level *level, const char *key) {
    for (const struct level *outer = level->outer; outer; outer = outer->outer) {
        const struct field *f = find_field(outer->w->table, key);
        if (f && !(f->flags & FLAT))
            return true;
    }
    return false;
}

static int encode_field(struct level *level, const struct field *f, const char *written,
                        int value) {
    if (field_is_nest(f))
        return encode_nest(level, f, value);
    level->w->by_name = written && !strcmp(written, f->name);
    return encode_words(level, f, value);
}

/* The value of a key; written: what the caller wrote for it, NULL if it stands without. */
static int encode_key(struct level *level, const char *key, const char *written, int value) {
    if (is_taken(level, key))
        return 0;
    const struct table *table = level->w->table;
    const struct verb *verb = level->w->message->verb;
    if (level->outermost && !level->w->nest && verb->record && !strcmp(key, verb->record))
        key = verb->first;
    const struct field *f = find_field(table, key);
    if (f && !(f->flags & FLAT && !lua_istable(level->L, value)))
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
    const char *first = level->w->nest && !level->flat ? table->first : of_verb;
    if (level->flat)
        return first ? encode_key(level, first, NULL, value) : 0;
    if (!first || !level->outermost)
        return refuse_key(level, "a key is missing before this value", "[1]");
    return encode_key(level, first, NULL, value);
}

static int encode_pair(struct level *level) {
    lua_State *L = level->L;
    int value = lua_gettop(L);
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

/* A new veth has a peer, also one that the caller does not mention. */
static bool is_implied(const struct level *level, const struct field *f) {
    return level->flat && f->meaning == KIND_DATA && level->kind && level->kind->data->finish &&
           message_makes_new(level->w->message);
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
    const char *name = level->flat ? level->w->table->name : NULL;
    if (!name || !is_kind_table(level, level->w->table, name))
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
    const char *kind = string_field(L, index, table->kind_word);
    if (!kind && table->kind_name)
        kind = string_field(L, index, table->kind_name);
    if (!kind && verb->first && !strcmp(verb->first, table->kind_word)) {
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
