/* core.guardian: what is put back when nsh has ended, and the namespaces of labs. A lab is a number
   of the caller's choice; 0 is the process itself. */
#include "nsh.h"

#include <string.h>

#include "../core/guardian.h"

static int answer(lua_State *L, int result, const struct error *err) {
    if (result < 0)
        return fail(L, err);
    lua_pushboolean(L, true);
    return 1;
}

static uint32_t check_lab(lua_State *L) {
    lua_Integer lab = luaL_checkinteger(L, 1);
    luaL_argcheck(L, lab >= 0 && lab <= UINT32_MAX, 1, "not the number of a lab");
    return (uint32_t)lab;
}

/* start() -> true | nil, err */
static int start(lua_State *L) {
    struct error err;
    return answer(L, guardian_start(&err), &err);
}

/* stop() -> whether it is gone, or kept */
static int stop(lua_State *L) {
    lua_pushboolean(L, guardian_stop() == 0);
    return 1;
}

/* pid() -> its pid as we see it, nil while there is none */
static int get_pid(lua_State *L) {
    if (guardian_pid() == 0)
        return 0;
    lua_pushinteger(L, guardian_pid());
    return 1;
}

/* --- undo records ----------------------------------------------------------------------------- */

/* undo_write(lab, path, text) -> true | nil, err */
static int undo_write(lua_State *L) {
    struct error err;
    uint32_t lab = check_lab(L);
    const char *path = luaL_checkstring(L, 2), *text = luaL_checkstring(L, 3);
    return answer(L, guardian_undo_write(lab, path, text, &err), &err);
}

/* undo_unlink(lab, path) -> true | nil, err */
static int undo_unlink(lua_State *L) {
    struct error err;
    uint32_t lab = check_lab(L);
    return answer(L, guardian_undo_unlink(lab, luaL_checkstring(L, 2), &err), &err);
}

/* undo_netlink(lab, message) -> true | nil, err. The message is one of rtnetlink's, as bytes. */
static int undo_netlink(lua_State *L) {
    struct error err;
    size_t length;
    uint32_t lab = check_lab(L);
    const char *message = luaL_checklstring(L, 2, &length);
    return answer(L, guardian_undo_netlink(lab, message, length, &err), &err);
}

/* undo_nft(lab, family, table[, chain, mark]) -> true | nil, err. Without a chain the table goes,
   else the rules there with that mark. */
static int undo_nft(lua_State *L) {
    struct error err;
    uint32_t lab = check_lab(L);
    const char *family = luaL_checkstring(L, 2), *table = luaL_checkstring(L, 3);
    const char *chain = luaL_optstring(L, 4, NULL);
    const char *mark = chain ? luaL_checkstring(L, 5) : NULL;
    return answer(L, guardian_undo_nft(lab, family, table, chain, mark, &err), &err);
}

/* --- labs ------------------------------------------------------------------------------------- */

/* The script that runs, as lua(1) and nsh fill `arg`; "" at a prompt, where nothing stands before
   the program. */
static const char *push_script(lua_State *L) {
    if (lua_getglobal(L, "arg") != LUA_TTABLE || lua_rawgeti(L, -1, -1) == LUA_TNIL)
        return "";
    lua_rawgeti(L, -2, 0);
    const char *script = lua_tostring(L, -1);
    return script ? script : "";
}

/* register(name) -> true | nil, err. One name a process: the first. */
static int register_lab(lua_State *L) {
    struct error err;
    const char *name = luaL_checkstring(L, 1);
    return answer(L, guardian_register(name, push_script(L), &err), &err);
}

/* The strings of the table at `index`, which it keeps alive; the list is pushed. */
static const char **push_strings(lua_State *L, int index, size_t count) {
    const char **strings = lua_newuserdatauv(L, sizeof *strings * (count + 1), 0);
    for (size_t i = 0; i < count; i++) {
        luaL_argexpected(L, lua_rawgeti(L, index, (lua_Integer)i + 1) == LUA_TSTRING, index,
                         "list of strings");
        strings[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    return strings;
}

static int *push_handles(lua_State *L, int index, size_t count) {
    int *fds = lua_newuserdatauv(L, sizeof *fds * (count + 1), 0);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        fds[i] = check_netns(L, -1);
        lua_pop(L, 1);
    }
    return fds;
}

/* hold(lab, { name, … }, { handle, … }, etc or nil) -> the number of the first one there | nil, err
   Node i is then /proc/PID/fd/(N+i-1). What covers the /etc of a node that `nsh enter` enters is in
   ETC/NAME, default /etc/netns. */
static int hold(lua_State *L) {
    struct error err;
    uint32_t lab = check_lab(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checktype(L, 3, LUA_TTABLE);
    struct guardian_nodes nodes = { .count = lua_rawlen(L, 2),
                                    .etc = luaL_optstring(L, 4, "/etc/netns") };
    luaL_argcheck(L, nodes.count > 0 && lua_rawlen(L, 3) == nodes.count, 3,
                  "as many handles as names expected, and at least one");
    nodes.names = push_strings(L, 2, nodes.count);
    nodes.fds = push_handles(L, 3, nodes.count);
    int first = guardian_hold(lab, &nodes, &err);
    if (first < 0)
        return fail(L, &err);
    lua_pushinteger(L, first);
    return 1;
}

/* publish(lab, { name, … }, number) -> true | nil, err, which name; `number`: hold's */
static int publish(lua_State *L) {
    struct error err;
    size_t failed = 0;
    uint32_t lab = check_lab(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    int number = (int)luaL_checkinteger(L, 3);
    struct guardian_nodes nodes = { .count = lua_rawlen(L, 2) };
    nodes.names = push_strings(L, 2, nodes.count);
    if (guardian_publish(lab, &nodes, number, &failed, &err) < 0) {
        fail(L, &err);
        lua_pushinteger(L, (lua_Integer)failed + 1);
        return 3;
    }
    lua_pushboolean(L, true);
    return 1;
}

/* down(lab) -> true | nil, err */
static int down(lua_State *L) {
    struct error err;
    return answer(L, guardian_down(check_lab(L), &err), &err);
}

/* drop(number) -> true | nil, err */
static int drop(lua_State *L) {
    struct error err;
    return answer(L, guardian_drop((int)luaL_checkinteger(L, 1), &err), &err);
}

/* sync() -> true | nil, err */
static int sync_all(lua_State *L) {
    struct error err;
    return answer(L, guardian_sync(&err), &err);
}

/* keep() -> true | nil, err */
static int keep(lua_State *L) {
    struct error err;
    return answer(L, guardian_keep(&err), &err);
}

static const luaL_Reg functions[] = {
    { "down", down },
    { "drop", drop },
    { "hold", hold },
    { "keep", keep },
    { "pid", get_pid },
    { "publish", publish },
    { "register", register_lab },
    { "start", start },
    { "stop", stop },
    { "sync", sync_all },
    { "undo_netlink", undo_netlink },
    { "undo_nft", undo_nft },
    { "undo_unlink", undo_unlink },
    { "undo_write", undo_write },
    { NULL, NULL },
};

int open_guardian(lua_State *L) {
    luaL_newlib(L, functions);
    return 1;
}
