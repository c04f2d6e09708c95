/* Where the program's modules come from. */
#pragma once

#include <lua.h>

/* Teaches require() those that are built in, and those that lie beside the program. */
void add_modules(lua_State *L);

/* The text of a module, or of another file that is built in ("completion.bash"); NULL. */
const char *embedded_text(const char *name);
