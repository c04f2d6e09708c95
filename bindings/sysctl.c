/* core.sysctl: kernel parameters of a namespace. */
#include "../core/sysctl.h"

#include "../core/sysctl_hold.h"

#include "nsh.h"

/* read(netns or nil, key) -> text */
static int sc_read(lua_State *L) {
    char text[4096];
    struct error err;
    if (sysctl_read(to_netns(L, 1), luaL_checkstring(L, 2), text, sizeof text, &err) < 0)
        return fail(L, &err);
    lua_pushstring(L, text);
    return 1;
}

/* write(netns or nil, key, text) -> true */
static int sc_write(lua_State *L) {
    struct error err;
    if (sysctl_write(to_netns(L, 1), luaL_checkstring(L, 2), luaL_checkstring(L, 3), &err) < 0)
        return fail(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

/* hold(lab, key, text, name of the lab or nil) -> true: in the namespace that we are in, until the
   guardian undoes the lab; lab: its number there, 0 for the process */
static int sc_hold(lua_State *L) {
    struct error err;
    uint32_t lab = (uint32_t)luaL_checkinteger(L, 1);
    const char *key = luaL_checkstring(L, 2), *text = luaL_checkstring(L, 3);
    if (sysctl_hold(lab, luaL_optstring(L, 4, NULL), key, text, &err) < 0)
        return fail(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

static const luaL_Reg functions[] = {
    { "read", sc_read },
    { "write", sc_write },
    { "hold", sc_hold },
    { NULL, NULL },
};

int open_sysctl(lua_State *L) {
    luaL_newlib(L, functions);
    return 1;
}
