/* Completion: asks Lua. */
#include "repl.h"

#include <stdio.h>
#include <string.h>

#include <readline/readline.h>

#define COMPLETER "nsh.readline.completer" /* its key in the registry */

/* All that is no part of a Lua name; '.' and ':' too, so that lists show last names only. */
static const char word_breaks[] = " \t\n\r\"\\'`@$><=;:|&{}()[].,+-*/%^~#!?";

static int call_completer(lua_State *L) {
    lua_getfield(L, LUA_REGISTRYINDEX, COMPLETER);
    lua_pushlstring(L, rl_line_buffer, (size_t)lua_tointeger(L, 1));
    lua_call(L, 1, 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    return 1;
}

/* The words of the table on top of the stack, each in memory of its own; raises nothing. */
static char *next_word(const char *text, int state) {
    static lua_Integer index;
    (void)text;
    index = state ? index + 1 : 1;
    bool is_word = lua_rawgeti(repl_lua(), -1, index) == LUA_TSTRING;
    char *word = is_word ? strdup(lua_tostring(repl_lua(), -1)) : NULL;
    lua_pop(repl_lua(), 1);
    return word;
}

/* An error in the completer completes nothing: it must not jump through readline. */
static char **complete(const char *text, int start, int end) {
    (void)start;
    rl_attempted_completion_over = 1;
    rl_completion_append_character = '\0';
    lua_State *L = repl_lua();
    int top = lua_gettop(L);
    if (!lua_checkstack(L, 4))
        return NULL;
    lua_pushcfunction(L, call_completer);
    lua_pushinteger(L, end);
    char **words = lua_pcall(L, 1, 1, 0) == LUA_OK ? rl_completion_matches(text, next_word) : NULL;
    lua_settop(L, top);
    return words;
}

/* set_completer(fn): fn(text of the line before the cursor) returns what its last word could be. */
static int readline_set_completer(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, COMPLETER);
    rl_attempted_completion_function = complete;
    return 0;
}

void repl_add_completion(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "set_completer", readline_set_completer },
        { NULL, NULL },
    };
    luaL_setfuncs(L, functions, 0);
    rl_completer_word_break_characters = word_breaks;
}
