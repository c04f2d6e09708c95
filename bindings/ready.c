/* Methods of a netlink socket that ask whether its links are ready. */
#include <sys/socket.h>

#include "../core/address.h"
#include "../core/ready.h"
#include "../core/settle.h"
#include "request.h"

/* unsettled() -> how many links are pending, doubtful, late (core/settle.h) */
static int nl_unsettled(lua_State *L) {
    struct socket *s = luaL_checkudata(L, 1, NETLINK_TYPE);
    struct unsettled left;
    struct error err;
    if (settle_links(&s->nl, &left, &err) < 0)
        return fail(L, &err);
    lua_pushinteger(L, (lua_Integer)left.pending);
    lua_pushinteger(L, (lua_Integer)left.doubtful);
    lua_pushinteger(L, (lua_Integer)left.late);
    return 3;
}

/* has(socket, name) -> whether there is an interface of that name; one system call */
static int nl_has(lua_State *L) {
    struct socket *s = luaL_checkudata(L, 1, NETLINK_TYPE);
    s->nl.seen = NULL; /* if an error has left it there */
    lua_pushboolean(L, netlink_index(&s->nl, luaL_checkstring(L, 2), NULL) > 0);
    return 1;
}

/* link_ready(socket, name), address_ready(socket, text of IPv6): core/ready.h */
static int nl_link_ready(lua_State *L) {
    struct socket *s = luaL_checkudata(L, 1, NETLINK_TYPE);
    lua_pushboolean(L, ready_link(&s->nl, luaL_checkstring(L, 2)));
    return 1;
}

static int nl_address_ready(lua_State *L) {
    struct socket *s = luaL_checkudata(L, 1, NETLINK_TYPE);
    struct address address;
    struct error err;
    if (prefix_parse(luaL_checkstring(L, 2), AF_INET6, &address, &err) < 0)
        return fail(L, &err);
    lua_pushboolean(L, ready_address(&s->nl, address.bytes));
    return 1;
}

static const luaL_Reg methods[] = {
    { "has", nl_has },
    { "link_ready", nl_link_ready },
    { "address_ready", nl_address_ready },
    { "unsettled", nl_unsettled },
    { NULL, NULL },
};

void add_ready(lua_State *L) {
    luaL_getmetatable(L, NETLINK_TYPE);
    lua_getfield(L, -1, "__index");
    luaL_setfuncs(L, methods, 0);
    lua_pop(L, 2);
}
