/* core.sockdiag: the sockets of a namespace that wait for somebody, and who has them open. */
#include <errno.h>
#include <stdlib.h>

#include "../core/sockdiag.h"
#include "nsh.h"

#define TYPE "nsh.sockdiag"

struct diag {
    struct netlink nl;
    struct netlink_buffer buffer;
};

static int diag_close(lua_State *L) {
    struct diag *diag = luaL_checkudata(L, 1, TYPE);
    netlink_close(&diag->nl);
    free(diag->buffer.bytes);
    diag->buffer = (struct netlink_buffer){ 0 };
    return 0;
}

/* open([netns]) -> diag | nil, err */
static int diag_open(lua_State *L) {
    struct error err;
    int ns = to_netns(L, 1);
    struct diag *diag = lua_newuserdatauv(L, sizeof *diag, 0);
    *diag = (struct diag){ .nl.fd = -1 };
    luaL_setmetatable(L, TYPE);
    return sockdiag_open(&diag->nl, ns, &diag->buffer, &err) < 0 ? fail(L, &err) : 1;
}

/* --- list ------------------------------------------------------------------------------------- */

static void set_integer(lua_State *L, const char *key, lua_Integer value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static void set_string(lua_State *L, const char *key, const char *value) {
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

static void push_listener(lua_State *L, const struct listener *listener) {
    lua_createtable(L, 0, 12);
    set_string(L, "netid", listener->netid);
    set_string(L, "state", listener->state);
    set_string(L, "family", listener->family);
    lua_pushlstring(L, listener->address, listener->address_size);
    lua_setfield(L, -2, "address");
    if (listener->family)
        set_integer(L, "port", listener->port);
    if (listener->v6only) {
        lua_pushboolean(L, true);
        lua_setfield(L, -2, "v6only");
    }
    set_integer(L, "uid", listener->uid);
    set_integer(L, "ino", listener->inode);
    set_integer(L, "recv_q", listener->recv_q);
    set_integer(L, "send_q", listener->send_q);
}

/* Replaces what is at index 3. */
static int read_dump(lua_State *L, struct netlink *nl, enum sockdiag_kind kind, struct error *err) {
    struct listener listener;
    int more;
    lua_settop(L, 2);
    lua_newtable(L);
    if (sockdiag_dump(nl, kind, err) < 0)
        return -1;
    for (lua_Integer i = 1; (more = sockdiag_next(nl, kind, &listener, err)) > 0; i++) {
        push_listener(L, &listener);
        lua_rawseti(L, 3, i);
    }
    return more;
}

/* list("tcp") -> its listeners; "tcp", "tcp6", "udp", "udp6", "unix" | nil, err */
static int diag_list(lua_State *L) {
    static const char *const names[] = { "tcp", "tcp6", "udp", "udp6", "unix", NULL };
    struct diag *diag = luaL_checkudata(L, 1, TYPE);
    enum sockdiag_kind kind = (enum sockdiag_kind)luaL_checkoption(L, 2, NULL, names);
    struct error err = { 0 };
    int result, tries = NETLINK_TRIES;
    if (diag->nl.fd < 0)
        return luaL_error(L, "it is closed");
    do
        result = read_dump(L, &diag->nl, kind, &err);
    while (result < 0 && err.code == EAGAIN && --tries);
    return result < 0 ? fail(L, &err) : 1;
}

/* --- owners ----------------------------------------------------------------------------------- */

static void push_owner(lua_State *L, const struct socket_owner *owner) {
    lua_createtable(L, 0, 2);
    set_integer(L, "pid", owner->pid);
    set_string(L, "name", owner->name);
}

/* owners{ ino, … } -> { [ino] = { pid =, name = } } of those that are known */
static int owners(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t count = lua_rawlen(L, 1);
    struct socket_owner *list = lua_newuserdatauv(L, (count + 1) * sizeof *list, 0);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        list[i] = (struct socket_owner){ .inode = (uint32_t)lua_tointeger(L, -1) };
        lua_pop(L, 1);
    }
    sockdiag_owners(list, count);
    lua_newtable(L);
    for (size_t i = 0; i < count; i++) {
        if (!list[i].pid)
            continue;
        push_owner(L, &list[i]);
        lua_rawseti(L, -2, list[i].inode);
    }
    return 1;
}

static const luaL_Reg functions[] = {
    { "open", diag_open },
    { "owners", owners },
    { NULL, NULL },
};

static const luaL_Reg methods[] = {
    { "close", diag_close },
    { "list", diag_list },
    { NULL, NULL },
};

static const luaL_Reg metamethods[] = {
    { "__gc", diag_close },
    { "__close", diag_close },
    { NULL, NULL },
};

int open_sockdiag(lua_State *L) {
    new_type(L, TYPE, methods, metamethods);
    luaL_newlib(L, functions);
    return 1;
}
