/* Messages of the kernel into Lua tables. */
#include "codec.h"
#include "nsh.h"

static void push_value(lua_State *L, const struct value *v) {
    if (v->type == VALUE_TEXT)
        lua_pushlstring(L, v->text, v->length);
    else if (v->type == VALUE_BOOL)
        lua_pushboolean(L, v->number != 0);
    else if (v->type == VALUE_REAL)
        lua_pushnumber(L, v->real);
    else
        lua_pushinteger(L, v->number);
}

/* Puts the value on top of the stack into the table below it: under the row's name, or at its end.
 */
static void store(lua_State *L, const struct field *f) {
    if (!f) {
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    } else if (f->flags & RESERVED) {
        lua_pushfstring(L, "%s_", f->name);
        lua_insert(L, -2);
        lua_rawset(L, -3);
    } else {
        lua_setfield(L, -2, f->name);
    }
}

static void record_value(void *arg, const struct field *f, const struct value *v) {
    push_value(arg, v);
    store(arg, f);
}

static void record_open(void *arg, const struct field *f, bool list) {
    lua_State *L = arg;
    (void)f;
    luaL_checkstack(L, 4, "record");
    lua_newtable(L);
    if (list) {
        push_list_metatable(L);
        lua_setmetatable(L, -2);
    }
}

static void record_close(void *arg, const struct field *f, bool list) {
    (void)list;
    store(arg, f);
}

void push_record(lua_State *L, const struct object *object, const struct reader *r) {
    static const struct sink sink = { record_value, record_open, record_close };
    lua_createtable(L, 0, 24);
    schema_read(r, &sink, L);
    if (luaL_newmetatable(L, object->name)) {
        lua_pushstring(L, object->name);
        lua_setfield(L, -2, "__record");
    }
    lua_setmetatable(L, -2);
}
