#include "value.h"

#include <string.h>

int raw_field(lua_State *L, int index, const char *key) {
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        if (lua_type(L, -2) == LUA_TSTRING && !strcmp(lua_tostring(L, -2), key)) {
            lua_remove(L, -2);
            return lua_type(L, -1);
        }
    lua_pushnil(L);
    return LUA_TNIL;
}

const char *string_field(lua_State *L, int index, const char *key) {
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

bool to_namespace(lua_State *L, int index, struct value *v) {
    int *fd = luaL_testudata(L, index, "nsh.netns");
    v->type = VALUE_NETNS;
    v->text = NULL;
    v->number = fd ? *fd : -1;
    return fd || (lua_istable(L, index) && (namespace_in(L, index, "handle", "label", v) ||
                                            namespace_in(L, index, "here", "here_label", v)));
}

bool to_value(lua_State *L, int index, const struct field *f, struct value *v) {
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
