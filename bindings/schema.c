/* core.netlink.schema: the tables of core/schema as Lua tables, for completion, help and documents.
 */
#include "../core/schema/names.h"
#include "../core/schema/unit.h"
#include "request.h"

/* What a caller may write there, in a word; those without one are read only. */
static const char *const value_words[MEANINGS] = {
    [NUMBER] = "number",
    [HEX] = "number",
    [BOOL] = "boolean",
    [SWITCH] = "boolean",
    [CONSTANT] = "boolean",
    [ENUM] = "word",
    [NAMED] = "word",
    [FAMILY] = "word",
    [BITS] = "words",
    [STRING] = "text",
    [MAC] = "mac",
    [ADDRESS] = "address",
    [PREFIX] = "prefix",
    [LENGTH] = "number",
    [DEV] = "interface",
    [NETNS] = "netns",
    [KIND] = "kind",
    [NESTED] = "table",
    [KIND_DATA] = "kind data",
    [PORT_DATA] = "port data",
    [GROUP] = "table",
    [LIST] = "list",
    [NUMBERS] = "list",
    [QUANTITY] = "quantity",
    [PAIR] = "pair",
    [POWER] = "number",
    [HANDLE] = "handle",
    [FLAG] = "boolean",
    [IP] = "address",
    [SUBNET] = "prefix",
    [QUAD] = "number",
    [PIECE] = "number",
    [ACCOUNT] = "account",
    [INSTEAD] = "boolean",
    [RECORDS] = "tables",
    [VIA] = "address",
    [MULTICAST_GROUP] = "group",
    [REALMS] = "text",
    [WEIGHT] = "number",
    [VEILED] = "address",
    [KNODE] = "handle",
    [MATCHES] = "list",
    [ACTIONS] = "tables",
    [KEY] = "text",
    [ENDPOINT] = "endpoint",
    [NETWORK] = "prefix",
};

static const struct {
    uint32_t flag;
    const char *key;
} flag_keys[] = {
    { READ_ONLY, "read_only" },   { FLAT, "flat" }, { INSIDE, "inside" }, { RESERVED, "reserved" },
    { WRITE_ONLY, "write_only" },
};

static void set_text(lua_State *L, const char *key, const char *text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

static void set_true(lua_State *L, const char *key) {
    lua_pushboolean(L, true);
    lua_setfield(L, -2, key);
}

/* What a number is between, if that is narrower than what the message has room for; what a quantity
   is counted in. */
static void push_limits(lua_State *L, const struct field *f) {
    if (f->meaning == QUANTITY && f->of)
        set_text(L, "unit", ((const struct unit *)f->of)->expected);
    if (f->meaning == STRING || !f->max)
        return;
    lua_pushinteger(L, f->min);
    lua_setfield(L, -2, "min");
    lua_pushinteger(L, f->max);
    lua_setfield(L, -2, "max");
}

static bool has_words(const struct field *f) {
    const enum meaning meaning = f->meaning;
    return f->of && (meaning == ENUM || meaning == NAMED || meaning == FAMILY || meaning == BITS ||
                     meaning == NUMBER || meaning == HEX);
}

static bool has_table(const struct field *f) {
    const enum meaning meaning = f->meaning;
    return f->of &&
           (meaning == NESTED || meaning == GROUP || meaning == RECORDS || meaning == ACTIONS);
}

static void push_words(lua_State *L, const struct word *words) {
    lua_newtable(L);
    for (lua_Integer i = 0; words[i].name; i++) {
        lua_pushstring(L, words[i].name);
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_table(lua_State *L, const struct table *table);

static void push_field(lua_State *L, const struct field *f) {
    lua_createtable(L, 0, 6);
    set_text(L, "name", f->name);
    set_text(L, "word", f->word);
    set_text(L, "value", value_words[f->meaning]);
    set_text(L, "help", f->help);
    for (size_t i = 0; i < sizeof flag_keys / sizeof *flag_keys; i++)
        if (f->flags & flag_keys[i].flag)
            set_true(L, flag_keys[i].key);
    push_limits(L, f);
    if (field_filters(f))
        set_true(L, "filters");
    if (has_words(f)) {
        push_words(L, words_of(f));
        lua_setfield(L, -2, "words");
    }
    if (has_table(f)) {
        push_table(L, f->of);
        lua_setfield(L, -2, "table");
    }
}

static void push_fields(lua_State *L, const struct field *fields) {
    lua_newtable(L);
    for (lua_Integer i = 0; fields[i].meaning; i++) {
        push_field(L, &fields[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_kinds(lua_State *L, const struct kind *kinds) {
    lua_newtable(L);
    for (lua_Integer i = 0; kinds[i].name; i++) {
        lua_createtable(L, 0, 3);
        set_text(L, "name", kinds[i].name);
        push_table(L, kinds[i].data);
        lua_setfield(L, -2, "data");
        push_table(L, kinds[i].port);
        lua_setfield(L, -2, "port");
        lua_rawseti(L, -2, i + 1);
    }
}

static void fill_table(lua_State *L, const struct table *table) {
    set_text(L, "name", table->name);
    set_text(L, "first", table->first);
    set_text(L, "kind_word", table->kind_word);
    set_text(L, "kind_name", table->kind_name);
    push_fields(L, table->fields);
    lua_setfield(L, -2, "fields");
    if (table->kinds) {
        push_kinds(L, table->kinds);
        lua_setfield(L, -2, "kinds");
    }
}

/* Each table once, as they lead to one another; those that there are already stand at index 1.
   NULL: nil. */
static void push_table(lua_State *L, const struct table *table) {
    luaL_checkstack(L, 12, NULL);
    if (!table) {
        lua_pushnil(L);
    } else if (lua_rawgetp(L, 1, table) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, 1, table);
        fill_table(L, table);
    }
}

/* What is on top of the stack becomes the last of the list below it, and stands there by name, too.
 */
static void append(lua_State *L, const char *name) {
    set_text(L, "name", name);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, name);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static void push_verbs(lua_State *L, const struct verb *verbs) {
    lua_newtable(L);
    for (const struct verb *verb = verbs; verb->name; verb++) {
        lua_createtable(L, 0, 5);
        set_text(L, "command", verb->command);
        set_text(L, "first", verb->first);
        set_text(L, "help", verb->help);
        if (verb->flags == NLM_F_DUMP)
            set_true(L, "lists");
        append(L, verb->name);
    }
}

/* schema() -> a list of the objects, which stand there by name as well: { name =, table =, verbs =
   { { name =, command =, first =, help =, lists = whether the arguments say which records are meant
   }, … } }, the verbs by name, too. A table is { name =, first = (the key of a
   value without one), kind_word =, kind_name =, fields = { … }, kinds = { { name =, data =, port =
   }, … } }; a field { name =, word =, value = ("number", …), help =, words =, table =, filters =,
   and some of its flags }. The same tables lead to one another: a veth's peer is a link. */
static int nl_schema(lua_State *L) {
    lua_settop(L, 0);
    lua_newtable(L);
    lua_newtable(L);
    for (const struct object *object = objects; object->name; object++) {
        lua_createtable(L, 0, 3);
        push_table(L, object->table);
        lua_setfield(L, -2, "table");
        push_verbs(L, object->verbs);
        lua_setfield(L, -2, "verbs");
        append(L, object->name);
    }
    return 1;
}

void add_schema(lua_State *L) {
    lua_pushcfunction(L, nl_schema);
    lua_setfield(L, -2, "schema");
}
