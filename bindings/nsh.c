/* What all bindings share; also those of a module of its own (capture.c). */
#include "nsh.h"

int fail(lua_State *L, const struct error *err) {
    lua_pushnil(L);
    lua_createtable(L, 0, 8);
    lua_pushstring(L, error_name(err->code));
    lua_setfield(L, -2, "code");
    lua_pushinteger(L, err->code);
    lua_setfield(L, -2, "errno");
    lua_pushstring(L, err->message);
    lua_setfield(L, -2, "message");
    if (err->key[0]) {
        lua_pushstring(L, err->key);
        lua_setfield(L, -2, "key");
    }
    if (err->hint[0]) {
        lua_pushstring(L, err->hint);
        lua_setfield(L, -2, "hint");
    }
    return 2;
}

void new_type(lua_State *L, const char *name, const luaL_Reg *methods,
              const luaL_Reg *metamethods) {
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, metamethods, 0);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
