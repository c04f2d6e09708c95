/* Ctrl-C and the signals that end a program, delivered as Lua errors. Only the program nsh installs
   anything; under a stock lua5.4 interrupt_fd is -1 and nothing here ever raises. */
#pragma once

#include <lua.h>

/* A descriptor that is readable while an interrupt is pending: every wait polls it; -1 for none. */
int interrupt_fd(void);

/* Raises the interrupt if one is pending. */
void interrupt_check(lua_State *L);
