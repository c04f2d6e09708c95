/* `nsh.core`: the C half of nsh, as the program and a stock lua5.4 load it. */
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

static const luaL_Reg parts[] = {
    { "address", open_address },     { "fd", open_fd },
    { "file", open_file },           { "guardian", open_guardian },
    { "interrupt", open_interrupt }, { "json", open_json },
    { "netlink", open_netlink },     { "netns", open_netns },
    { "ping", open_ping },           { "poll", open_poll },
    { "process", open_process },     { "sandbox", open_sandbox },
    { "sockdiag", open_sockdiag },   { "socket", open_socket },
    { "sysctl", open_sysctl },       { NULL, NULL },
};

int luaopen_nsh_core(lua_State *L);

int luaopen_nsh_core(lua_State *L) {
    lua_newtable(L);
    for (const luaL_Reg *part = parts; part->name; part++) {
        part->func(L);
        lua_setfield(L, -2, part->name);
    }
    return 1;
}
