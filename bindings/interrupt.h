/* Ctrl-C and the signals that end a program, delivered as Lua errors.

   The handler sets a hook on the running coroutine, which raises an error object (code "EINTR") at
   its next instruction, and again at every later one until interrupt_clear: a script that catches
   every error is interrupted all the same. Only the program nsh installs this; under a stock
   lua5.4 interrupt_fd is -1 and nothing here ever raises. */
#pragma once

#include <lua.h>

/* Takes over SIGINT, SIGTERM and SIGHUP (each unless it is ignored already) and replaces
   coroutine.resume, wrap and close of the main state L, whose libraries are open, by ones that
   track which coroutine runs. -1 with errno set if there are no descriptors left. */
int interrupt_install(lua_State *L);

/* A descriptor that is readable while an interrupt is pending: every wait polls it; -1 for none. */
int interrupt_fd(void);

/* Raises the interrupt if one is pending. For after a wait: also takes back a wake-up that a forked
   child caused before its exec. */
void interrupt_check(lua_State *L);

/* The signal that is pending, 0 for none. */
int interrupt_pending(void);

/* To be called when control is back at the top: nothing raises any more, until the next signal.
   Returns the signal that was pending, 0 for none. */
int interrupt_clear(lua_State *L);

/* To be called before lua_close: later signals only wake waits; none ends the process. */
void interrupt_leave(void);
