/* Where C meets Lua. Every primitive below `nsh.core` returns its values, or nil and an error
   object (see fail); it never raises for what the kernel or a user did. Lua turns that into an
   error with the operation, the namespace and the script's line (lua/nsh/errors.lua). */
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

#include "../core/error.h"

/* Pushes nil and an error object { code = "EEXIST", errno = 17, message = …, key = …, hint = … };
   returns 2, for `return fail(L, &err);`. */
int fail(lua_State *L, const struct error *err);

/* Pushes the metatable that marks a table as a list, also an empty one. */
void push_list_metatable(lua_State *L);

/* Registers the metatable of a userdata type: methods in its __index, metamethods in itself. */
void new_type(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *metamethods);

/* A descriptor of a network namespace: userdata "nsh.netns". */
int check_netns(lua_State *L,
                int index); /* the descriptor; raises if it is closed or something else */
int to_netns(lua_State *L, int index); /* as above for an optional argument: -1 for nil or none */

/* Pushes new userdata "nsh.netns", closed; *slot is where the descriptor goes. */
int *new_netns(lua_State *L);

/* Pushes the metatable that marks a table as a list for JSON, also when it is empty. */
void push_list_metatable(lua_State *L);

/* Each pushes one table of functions, a field of `nsh.core`. */
int open_address(lua_State *L);
int open_fd(lua_State *L);
int open_file(lua_State *L);
int open_netns(lua_State *L);
int open_netlink(lua_State *L);
int open_sysctl(lua_State *L);
int open_ping(lua_State *L);
int open_guardian(lua_State *L);
int open_json(lua_State *L);
int open_poll(lua_State *L);
int open_interrupt(lua_State *L);
int open_process(lua_State *L);
int open_sandbox(lua_State *L);
int open_sockdiag(lua_State *L);
int open_socket(lua_State *L);
