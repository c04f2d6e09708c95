/* The parts of the program nsh that run Lua. */
#pragma once

#include <lua.h>

#include "options.h"

#define NSH_VERSION "0.1.0"

enum { EXIT_USAGE = 2, EXIT_SIGNAL = 128 /* and the signal's number */ };

/* One line to standard error, behind what was printed before: "nsh: MESSAGE". */
void say_error(const char *message);

/* At the end: a status, which becomes EXIT_FAILURE if what was printed could not be written. */
int check_output(int status);

/* Gives the children of os.execute and io.popen the limits that nsh was started with. */
void limit_shells(lua_State *L);

/* Pushes what require returns; raises what it raises. */
void push_module(lua_State *L, const char *module);

/* Runs what the command line asks for: -x and -j, -l and -e, the script, the REPL, --draw's
   picture,
   --run's command.
   Errors are printed; they end it. Returns the exit status; what an interrupt ended counts as
   failed. Raises only for want of memory. */
int run_all(lua_State *L, const struct settings *settings);
