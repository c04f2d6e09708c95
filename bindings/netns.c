/* core.netns: descriptors of network namespaces. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "../core/cleanup.h"
#include "../core/netns.h"
#include "request.h"

#define TYPE "nsh.netns"

int *new_netns(lua_State *L) {
    int *slot = lua_newuserdatauv(L, sizeof *slot, 0);
    *slot = -1;
    luaL_setmetatable(L, TYPE);
    return slot;
}

int check_netns(lua_State *L, int index) {
    int *slot = luaL_checkudata(L, index, TYPE);
    if (*slot < 0)
        luaL_error(L, "the namespace is closed");
    return *slot;
}

int to_netns(lua_State *L, int index) {
    return lua_isnoneornil(L, index) ? -1 : check_netns(L, index);
}

static int opened(lua_State *L, int *slot, int fd, const struct error *err) {
    *slot = fd;
    return fd < 0 ? fail(L, err) : 1;
}

static int ns_current(lua_State *L) {
    struct error err;
    int *slot = new_netns(L);
    return opened(L, slot, netns_current(&err), &err);
}

static int ns_new(lua_State *L) {
    struct error err;
    int *slot = new_netns(L);
    return opened(L, slot, netns_new(&err), &err);
}

/* Closed handles and sockets in the lists at 2 and 3, one for each name of the list at 1. */
static void push_closed(lua_State *L, size_t count) {
    lua_createtable(L, (int)count, 0);
    lua_createtable(L, (int)count, 0);
    for (lua_Integer i = 1; i <= (lua_Integer)count; i++) {
        new_netns(L);
        lua_rawseti(L, 2, i);
        luaL_argexpected(L, lua_rawgeti(L, 1, i) == LUA_TSTRING, 1, "list of strings");
        new_socket(L, lua_tostring(L, -1));
        lua_rawseti(L, 3, i);
        lua_pop(L, 1);
    }
}

/* All descriptors get an owner, whatever fails. */
static int open_many(lua_State *L, size_t count, const int *fds, const int *sockets,
                     struct error *err) {
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 2, (lua_Integer)i + 1);
        lua_rawgeti(L, 3, (lua_Integer)i + 1);
        *(int *)lua_touserdata(L, -2) = fds[i];
        if (adopt_socket(lua_touserdata(L, -1), sockets[i], result < 0 ? NULL : err) < 0)
            result = -1;
        lua_pop(L, 2);
    }
    return result;
}

/* new_many({ name, … }) -> { handle, … }, { socket, … } | nil, err. A netlink socket is in each;
   the names are for what commands call it. */
static int ns_new_many(lua_State *L) {
    struct error err;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    size_t count = lua_rawlen(L, 1);
    push_closed(L, count);
    int *fds = lua_newuserdatauv(L, 2 * sizeof *fds * (count + 1), 0), *sockets = fds + count;
    if (netns_new_many(count, fds, sockets, &err) < 0 ||
        open_many(L, count, fds, sockets, &err) < 0)
        return fail(L, &err);
    lua_settop(L, 3);
    return 2;
}

/* begin(count): that many will be asked for by new_many. finish(): no more of them. */
static int ns_begin(lua_State *L) {
    lua_Integer count = luaL_checkinteger(L, 1);
    luaL_argcheck(L, count >= 0, 1, "a number of namespaces");
    netns_begin((size_t)count);
    return 0;
}

static int ns_finish(lua_State *L) {
    (void)L;
    netns_end();
    return 0;
}

static int ns_add(lua_State *L) {
    struct error err;
    const char *name = luaL_checkstring(L, 1);
    int *slot = new_netns(L);
    return opened(L, slot, netns_add(name, &err), &err);
}

static int ns_open_name(lua_State *L) {
    struct error err;
    const char *name = luaL_checkstring(L, 1);
    int *slot = new_netns(L);
    return opened(L, slot, netns_open_name(name, &err), &err);
}

static int ns_open_path(lua_State *L) {
    struct error err;
    const char *path = luaL_checkstring(L, 1);
    int *slot = new_netns(L);
    return opened(L, slot, netns_open_path(path, &err), &err);
}

static int ns_open_pid(lua_State *L) {
    struct error err;
    lua_Integer number = luaL_checkinteger(L, 1);
    pid_t pid = number > 0 && number <= INT_MAX ? (pid_t)number : 0; /* which no process has */
    int *slot = new_netns(L);
    return opened(L, slot, netns_open_pid(pid, &err), &err);
}

static int ns_del(lua_State *L) {
    struct error err;
    if (netns_del(luaL_checkstring(L, 1), &err) < 0)
        return fail(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

/* The names go through a C array: a Lua call must not jump through scandir's memory. */
struct names {
    char (*list)[256];
    size_t count, room;
    bool incomplete;
};

static int collect_name(const char *name, void *arg) {
    struct names *names = arg;
    if (names->count == names->room) {
        size_t room = names->room ? names->room * 2 : 16;
        void *list = realloc(names->list, room * sizeof *names->list);
        names->incomplete = !list;
        if (!list)
            return 1;
        names->list = list;
        names->room = room;
    }
    snprintf(names->list[names->count++], sizeof *names->list, "%s", name);
    return 0;
}

static int push_names(lua_State *L) {
    const struct names *names = lua_touserdata(L, 1);
    lua_createtable(L, (int)names->count, 0);
    for (size_t i = 0; i < names->count; i++) {
        lua_pushstring(L, names->list[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int ns_list(lua_State *L) {
    struct error err;
    struct names names = { 0 };
    if (netns_list(collect_name, &names, &err) < 0)
        return fail(L, &err);
    if (names.incomplete) {
        free(names.list);
        return luaL_error(L, "not enough memory");
    }
    lua_pushcfunction(L, push_names);
    lua_pushlightuserdata(L, &names);
    int status = lua_pcall(L, 1, 1, 0);
    free(names.list);
    return status == LUA_OK ? 1 : lua_error(L);
}

static int ns_close(lua_State *L) {
    close_fd(luaL_checkudata(L, 1, TYPE));
    return 0;
}

static int ns_fileno(lua_State *L) {
    lua_pushinteger(L, check_netns(L, 1));
    return 1;
}

static const luaL_Reg functions[] = {
    { "current", ns_current },     { "new", ns_new },
    { "begin", ns_begin },         { "finish", ns_finish },
    { "new_many", ns_new_many },   { "add", ns_add },
    { "open_name", ns_open_name }, { "open_path", ns_open_path },
    { "open_pid", ns_open_pid },   { "del", ns_del },
    { "list", ns_list },           { NULL, NULL },
};

static const luaL_Reg methods[] = {
    { "close", ns_close },
    { "fileno", ns_fileno },
    { NULL, NULL },
};

static const luaL_Reg metamethods[] = {
    { "__gc", ns_close },
    { "__close", ns_close },
    { NULL, NULL },
};

int open_netns(lua_State *L) {
    new_type(L, TYPE, methods, metamethods);
    luaL_newlib(L, functions);
    return 1;
}
