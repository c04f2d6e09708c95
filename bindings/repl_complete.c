/* Completion: asks Lua what could be written at the cursor, and shows it below the line. */
#include "repl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <readline/readline.h>

/* Keys in the registry. */
#define COMPLETER "nsh.readline.completer"
#define LISTER "nsh.readline.lister"
#define WORDS "nsh.readline.words" /* the answer of the completer */

static int word_start = -1; /* where its words begin in the line; -1: there are none */

static int call_completer(lua_State *L) {
    lua_getfield(L, LUA_REGISTRYINDEX, COMPLETER);
    lua_pushlstring(L, rl_line_buffer, (size_t)rl_point);
    lua_pushstring(L, rl_line_buffer + rl_point);
    lua_call(L, 2, 2);
    luaL_checktype(L, -2, LUA_TTABLE);
    word_start = (int)luaL_checkinteger(L, -1) - 1;
    lua_pop(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, WORDS);
    return 0;
}

/* Readline divides the line at certain characters; where a word begins is known to the completer
   alone. So it is asked now, and the only break is what stands before its words. */
static char *find_break(void) {
    static char before[2];
    before[0] = '\0';
    word_start = -1;
    if (repl_call(call_completer, 0, 0) && word_start > 0 && word_start <= rl_point)
        before[0] = rl_line_buffer[word_start - 1];
    return before;
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

static char **complete(const char *text, int start, int end) {
    rl_attempted_completion_over = 1;
    rl_completion_append_character = '\0';
    lua_State *L = repl_lua();
    if (end == 0)
        find_break(); /* where nothing can be divided, readline does not ask */
    if (start != word_start || !lua_checkstack(L, 2))
        return NULL;
    lua_getfield(L, LUA_REGISTRYINDEX, WORDS);
    char **words = rl_completion_matches(text, next_word);
    lua_pop(L, 1);
    word_start = -1;
    return words;
}

static int call_lister(lua_State *L) {
    int rows, columns;
    rl_get_screen_size(&rows, &columns);
    lua_getfield(L, LUA_REGISTRYINDEX, LISTER);
    lua_pushinteger(L, columns);
    lua_pushinteger(L, rows);
    lua_call(L, 2, 1);
    luaL_checkstring(L, -1);
    return 1;
}

/* Readline has moved to the last line of what is typed, and draws it anew below. */
static void show_matches(char **matches, int count, int longest) {
    lua_State *L = repl_lua();
    if (repl_call(call_lister, 0, 1)) {
        rl_crlf();
        fputs(lua_tostring(L, -1), rl_outstream);
        lua_pop(L, 1);
    } else {
        rl_display_match_list(matches, count, longest);
    }
    rl_forced_update_display();
}

/* set_completer(completer, lister): completer(text before the cursor, text behind it) returns a
   list of what could stand there, and from which byte on; lister(columns, rows) the lines that show
   it. Both are called while a prompt stands. */
static int readline_set_completer(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    lua_setfield(L, LUA_REGISTRYINDEX, LISTER);
    lua_setfield(L, LUA_REGISTRYINDEX, COMPLETER);
    rl_attempted_completion_function = complete;
    rl_completion_word_break_hook = find_break;
    rl_completion_display_matches_hook = show_matches;
    return 0;
}

/* Pushes a list of the file names that begin with a text. */
static int push_files(lua_State *L) {
    const char *text = luaL_checkstring(L, 1);
    lua_newtable(L);
    char *path = rl_filename_completion_function(text, 0);
    for (lua_Integer i = 1; path; i++, path = rl_filename_completion_function(text, 1)) {
        lua_pushstring(L, path);
        lua_rawseti(L, -2, i);
        free(path);
    }
    return 1;
}

void repl_add_completion(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "files", push_files },
        { "set_completer", readline_set_completer },
        { NULL, NULL },
    };
    luaL_setfuncs(L, functions, 0);
    rl_basic_quote_characters = ""; /* closing quotes are the completer's */
    rl_variable_bind("show-all-if-ambiguous", "on");
}
