/* Descriptors in Lua: ends of pipes, and sockets. */
#pragma once

#include <lua.h>

/* Pushes new userdata "nsh.fd", closed; *slot is where the descriptor goes. */
int *new_fd(lua_State *L);

/* The descriptor at an index; raises if it is closed, or something else. */
int check_fd(lua_State *L, int index);

/* Pushes nil and the error object of an errno; returns 2. */
int fail_errno(lua_State *L, int code);
