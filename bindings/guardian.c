/* core.guardian: what is put back when nsh has ended. */
#include "nsh.h"

#include "../core/guardian.h"

static int answer(lua_State *L, int result, const struct error *err) {
    if (result < 0)
        return fail(L, err);
    lua_pushboolean(L, true);
    return 1;
}

/* start() -> true | nil, err */
static int start(lua_State *L) {
    struct error err;
    return answer(L, guardian_start(&err), &err);
}

/* stop() -> whether it is gone */
static int stop(lua_State *L) {
    lua_pushboolean(L, guardian_stop() == 0);
    return 1;
}

/* undo_write(path, text) -> true | nil, err */
static int undo_write(lua_State *L) {
    struct error err;
    return answer(L, guardian_undo_write(luaL_checkstring(L, 1), luaL_checkstring(L, 2), &err),
                  &err);
}

/* undo_unlink(path) -> true | nil, err */
static int undo_unlink(lua_State *L) {
    struct error err;
    return answer(L, guardian_undo_unlink(luaL_checkstring(L, 1), &err), &err);
}

static const luaL_Reg functions[] = {
    { "start", start },
    { "stop", stop },
    { "undo_write", undo_write },
    { "undo_unlink", undo_unlink },
    { NULL, NULL },
};

int open_guardian(lua_State *L) {
    luaL_newlib(L, functions);
    return 1;
}
