/* core.address: addresses as bytes, for those who count with them. */
#include <sys/socket.h>

#include "../core/address.h"
#include "nsh.h"

/* parse(text) -> bytes (4 or 16), prefix length | nil, err */
static int parse(lua_State *L) {
    struct address address;
    struct error err;
    if (prefix_parse(luaL_checkstring(L, 1), 0, &address, &err) < 0)
        return fail(L, &err);
    lua_pushlstring(L, (const char *)address.bytes, address_size(address.family));
    lua_pushinteger(L, address.prefixlen);
    return 2;
}

/* format(bytes) -> text */
static int format(lua_State *L) {
    size_t size;
    char text[ADDRESS_TEXT_MAX];
    const char *bytes = luaL_checklstring(L, 1, &size);
    int family = size == 4 ? AF_INET : AF_INET6;
    luaL_argcheck(L, size == address_size(family), 1, "4 or 16 bytes expected");
    lua_pushstring(L, address_format(family, bytes, text));
    return 1;
}

static const luaL_Reg functions[] = {
    { "parse", parse },
    { "format", format },
    { NULL, NULL },
};

int open_address(lua_State *L) {
    luaL_newlib(L, functions);
    return 1;
}
