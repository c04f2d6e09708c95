/* core.socket: connections, and what waits for them. All are "nsh.fd", non-blocking. */
#include "../core/socket.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "../core/address.h"
#include "fd.h"
#include "nsh.h"

static int opened(lua_State *L, int *slot, int fd, const struct error *err) {
    *slot = fd;
    return fd < 0 ? fail(L, err) : 1;
}

static int check_type(lua_State *L, int index) {
    static const char *const names[] = { "tcp", "udp", NULL };
    return luaL_checkoption(L, index, "tcp", names) ? SOCK_DGRAM : SOCK_STREAM;
}

/* At 2 and 3: an address and its port; or the name of a unix socket, and nil. */
static int get_name(lua_State *L, int ns, struct socket_name *name, struct error *err) {
    size_t size;
    const char *text = luaL_checklstring(L, 2, &size);
    if (lua_isnoneornil(L, 3))
        return socket_name_unix(text, size, name, err);
    lua_Integer port = luaL_checkinteger(L, 3);
    luaL_argcheck(L, port >= 0 && port <= UINT16_MAX, 3, "0 to 65535 expected");
    return socket_name_ip(ns, text, (uint16_t)port, name, err);
}

/* connect(netns, address or name, port, type) -> fd, whether it is connected already | nil, err */
static int connect_to(lua_State *L) {
    struct error err;
    struct socket_name name;
    bool connected;
    int ns = to_netns(L, 1), type = check_type(L, 4);
    if (get_name(L, ns, &name, &err) < 0)
        return fail(L, &err);
    int *slot = new_fd(L);
    *slot = socket_connect(ns, &name, type, &connected, &err);
    if (*slot < 0)
        return fail(L, &err);
    lua_pushboolean(L, connected);
    return 2;
}

/* listen(netns, address or name, port, type) -> fd | nil, err */
static int listen_at(lua_State *L) {
    struct error err;
    struct socket_name name;
    int ns = to_netns(L, 1), type = check_type(L, 4);
    if (get_name(L, ns, &name, &err) < 0)
        return fail(L, &err);
    int *slot = new_fd(L);
    return opened(L, slot, socket_listen(ns, &name, type, &err), &err);
}

/* accept(fd) -> fd | nil, err (EAGAIN: nobody is there) */
static int accept_one(lua_State *L) {
    struct error err;
    int fd = check_fd(L, 1);
    int *slot = new_fd(L);
    return opened(L, slot, socket_accept(fd, &err), &err);
}

/* check(fd) -> true | nil, what went wrong meanwhile */
static int check(lua_State *L) {
    struct error err;
    if (socket_error(check_fd(L, 1), &err) < 0)
        return fail(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

/* An address and its port; "/path" or "@name"; nothing for what has no name. Returns how many. */
static int push_name(lua_State *L, const struct socket_name *name) {
    char text[ADDRESS_TEXT_MAX];
    if (name->any.sa_family != AF_UNIX) {
        bool v4 = name->any.sa_family == AF_INET;
        lua_pushstring(L, address_format(name->any.sa_family, endpoint_bytes(&name->ip), text));
        lua_pushinteger(L, ntohs(v4 ? name->ip.v4.sin_port : name->ip.v6.sin6_port));
        return 2;
    }
    const char *path = name->un.sun_path;
    size_t size = name->size - offsetof(struct sockaddr_un, sun_path);
    if (name->size <= offsetof(struct sockaddr_un, sun_path))
        return 0;
    lua_pushstring(L, path[0] ? path : "@");
    lua_pushlstring(L, path + 1, path[0] ? 0 : size - 1);
    lua_concat(L, 2);
    return 1;
}

/* name(fd), peer(fd) -> address, port; or the name of a unix socket; or nothing */
static int get_own_name(lua_State *L) {
    struct socket_name name;
    return socket_own_name(check_fd(L, 1), &name) < 0 ? 0 : push_name(L, &name);
}

static int get_peer_name(lua_State *L) {
    struct socket_name name;
    return socket_peer_name(check_fd(L, 1), &name) < 0 ? 0 : push_name(L, &name);
}

static const luaL_Reg functions[] = {
    { "accept", accept_one }, { "check", check },       { "connect", connect_to },
    { "listen", listen_at },  { "name", get_own_name }, { "peer", get_peer_name },
    { NULL, NULL },
};

int open_socket(lua_State *L) {
    luaL_newlib(L, functions);
    return 1;
}
