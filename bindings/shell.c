/* os.execute and io.popen, whose children get the limits that nsh was started with. */
#include <lauxlib.h>

#include "../core/limits.h"
#include "run.h"

/* The shell lowers the limit for itself: neither function lets us in between fork and exec, and our
   own must stay, since io.popen needs two free descriptors. */
static int with_limit(lua_State *L) {
    if (!lua_isnoneornil(L, 1)) {
        lua_pushfstring(L, "ulimit -Sn %I; %s", (LUAI_UACINT)limits_original(),
                        luaL_checkstring(L, 1));
        lua_replace(L, 1);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static void wrap(lua_State *L, const char *library, const char *function) {
    lua_getglobal(L, library);
    lua_getfield(L, -1, function);
    lua_pushcclosure(L, with_limit, 1);
    lua_setfield(L, -2, function);
    lua_pop(L, 1);
}

void limit_shells(lua_State *L) {
    if (limits_original() < 0)
        return;
    wrap(L, "os", "execute");
    wrap(L, "io", "popen");
}
