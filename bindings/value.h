/* Single values of a caller's table. Nothing here runs Lua or needs its memory (see codec.c). */
#pragma once

#include "../core/schema/message.h"
#include "nsh.h"

/* Pushes the value of a key and returns its type, as lua_getfield does. */
int raw_field(lua_State *L, int index, const char *key);

/* A text in one of the table's fields, which keeps it alive; NULL. */
const char *string_field(lua_State *L, int index, const char *key);

/* A namespace is the userdata itself, or an object that has it. */
bool to_namespace(lua_State *L, int index, struct value *v);

/* What stands at that index, for a row. false: nothing that is one value. */
bool to_value(lua_State *L, int index, const struct field *f, struct value *v);
