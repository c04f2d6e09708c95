/* core.netlink.vocabulary: what the tables of core/schema know, for documents and tests. */
#include "../core/schema/schema.h"
#include "request.h"

static void set_text(lua_State *L, const char *key, const char *text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

/* The word of a key, as a caller's table has it. */
static void push_word(lua_State *L, const struct table *table, const char *key) {
    const struct field *f = key ? schema_field(table, key) : NULL;
    const char *word = f && f->word ? f->word : key;
    lua_pushfstring(L, f && f->flags & RESERVED && !f->word ? "%s_" : "%s", word ? word : "");
}

static void push_verb(lua_State *L, const struct object *object, const struct verb *verb) {
    lua_createtable(L, 0, 3);
    set_text(L, "name", verb->name);
    set_text(L, "command", verb->command);
    push_word(L, object->table, verb->first);
    lua_setfield(L, -2, "first");
}

static void push_object(lua_State *L, const struct object *object) {
    lua_createtable(L, 0, 3);
    set_text(L, "name", object->name);
    lua_pushboolean(L, object->groups[0]);
    lua_setfield(L, -2, "monitored");
    lua_newtable(L);
    for (const struct verb *verb = object->verbs; verb->name; verb++) {
        push_verb(L, object, verb);
        lua_rawseti(L, -2, (lua_Integer)(verb - object->verbs) + 1);
    }
    lua_setfield(L, -2, "verbs");
}

/* How many keys a kind has of its own; `table` may be NULL. */
static lua_Integer count_keys(const struct table *table) {
    lua_Integer count = 0;
    for (const struct field *f = table ? table->fields : NULL; f && f->meaning; f++)
        count += f->name && !(f->flags & READ_ONLY);
    return count;
}

static void push_kinds(lua_State *L, const struct kind *kinds) {
    lua_newtable(L);
    for (const struct kind *kind = kinds; kind->name; kind++) {
        lua_createtable(L, 0, 3);
        set_text(L, "name", kind->name);
        lua_pushinteger(L, count_keys(kind->data));
        lua_setfield(L, -2, "keys");
        lua_pushinteger(L, count_keys(kind->port));
        lua_setfield(L, -2, "port_keys");
        lua_rawseti(L, -2, (lua_Integer)(kind - kinds) + 1);
    }
}

/* vocabulary() -> { objects = { { name =, monitored =, verbs = { { name =, command =, first = }, …
   } }, … }, link = { { name =, keys =, port_keys = }, … }, qdisc = { … } }: in the order of the
   tables; first: the key of a value without one, or "". */
static int nl_vocabulary(lua_State *L) {
    lua_createtable(L, 0, 3);
    lua_newtable(L);
    for (const struct object *object = objects; object->name; object++) {
        push_object(L, object);
        lua_rawseti(L, -2, (lua_Integer)(object - objects) + 1);
    }
    lua_setfield(L, -2, "objects");
    push_kinds(L, link_kinds);
    lua_setfield(L, -2, "link");
    push_kinds(L, qdisc_kinds);
    lua_setfield(L, -2, "qdisc");
    return 1;
}

void add_vocabulary(lua_State *L) {
    lua_pushcfunction(L, nl_vocabulary);
    lua_setfield(L, -2, "vocabulary");
}
