/* Lua tables <-> netlink messages, by the rows of core/schema. */
#pragma once

#include <lua.h>

#include "../core/schema/reader.h"

/* Writes the caller's table (or single value) at index into the message; what the command line
   implies is added. -1 and err (its key is the caller's) if something in it cannot be sent. May
   raise for want of memory: the message must be one that is ended elsewhere. */
int encode(lua_State *L, int index, struct writer *w, struct error *err);

/* Pushes the record that the reader is at. */
void push_record(lua_State *L, const struct object *object, const struct reader *r);
