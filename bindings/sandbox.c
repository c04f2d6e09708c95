/* core.sandbox: namespaces for the whole program. */
#include "nsh.h"

#include "../core/sandbox.h"

/* enter() -> true | nil, err */
static int enter(lua_State *L) {
    struct error err;
    if (sandbox_enter(&err) < 0)
        return fail(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

/* active() -> boolean */
static int is_active(lua_State *L) {
    lua_pushboolean(L, sandbox_active());
    return 1;
}

/* internet() -> whether its network is a real one */
static int has_internet(lua_State *L) {
    lua_pushboolean(L, sandbox_internet());
    return 1;
}

static const luaL_Reg functions[] = {
    { "enter", enter },
    { "active", is_active },
    { "internet", has_internet },
    { NULL, NULL },
};

int open_sandbox(lua_State *L) {
    luaL_newlib(L, functions);
    return 1;
}
