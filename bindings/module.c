/* `nsh.core`: the C half of nsh, as the program and a stock lua5.4 load it. */
#include "nsh.h"

static const luaL_Reg parts[] = {
    { "address", open_address },     { "fd", open_fd },
    { "file", open_file },           { "guardian", open_guardian },
    { "interrupt", open_interrupt }, { "json", open_json },
    { "netlink", open_netlink },     { "netns", open_netns },
    { "ping", open_ping },           { "poll", open_poll },
    { "process", open_process },     { "sandbox", open_sandbox },
    { "sockdiag", open_sockdiag },   { "socket", open_socket },
    { "sysctl", open_sysctl },       { NULL, NULL },
};

int luaopen_nsh_core(lua_State *L);

int luaopen_nsh_core(lua_State *L) {
    lua_newtable(L);
    for (const luaL_Reg *part = parts; part->name; part++) {
        part->func(L);
        lua_setfield(L, -2, part->name);
    }
    return 1;
}
