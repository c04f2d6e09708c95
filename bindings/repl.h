/* core.readline, in files by what it does; part of the program only. Each add_… puts its functions
   into the table on top of the stack. */
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

/* The state that feeds the prompt: where readline's callbacks find Lua. Only valid within them. */
lua_State *repl_lua(void);

/* Calls fn with the arguments that are on the stack of that state, which it takes, for its results:
   false, without any, for an error (an interrupt, too), which must not jump through readline. */
bool repl_call(lua_CFunction fn, int arguments, int results);

/* Whether a prompt stands. */
bool repl_is_active(void);

/* Draws the line anew if the terminal has changed since it was drawn: what moves from its place
   must know where that is now. */
void repl_follow_terminal(void);

/* What Tab offers (repl_complete.c). */
void repl_add_completion(lua_State *L);

/* What was typed before (repl_history.c). */
void repl_add_history(lua_State *L);

/* What the keys do that readline has nothing for (repl_keys.c). */
void repl_add_keys(lua_State *L);

/* Help while somebody types (repl_help.c). repl_hide_hint takes the hint off the screen, to be
   called before anybody but readline's redisplay writes there; repl_finish_question, before a line
   ends, puts a question mark behind one that the key '?' has just been asked about. */
void repl_add_help(lua_State *L);
void repl_hide_hint(void);
void repl_finish_question(void);

/* What is printed while a prompt stands appears above it (repl_above.c). */
void repl_add_above(lua_State *L);

/* To be called before readline goes on: the prompt is there again, below what was printed. */
void repl_redraw(void);

/* The terminal and its signals (repl_terminal.c), only while a prompt stands: repl_take_terminal
   puts the terminal's modes right and catches what must not leave it as readline has made it,
   repl_give_terminal ends that. */
void repl_take_terminal(void);
void repl_give_terminal(void);

/* A descriptor that is readable when repl_terminal_change has something to tell; -1 with errno set
   if there is none left. */
int repl_watch_terminal(void);

enum terminal_change {
    TERMINAL_SAME,
    TERMINAL_RESIZED,
    TERMINAL_CONTINUED, /* after a stop: somebody else had it meanwhile, and it may have another
                           size */
};

/* What became of the terminal since the last call. */
enum terminal_change repl_terminal_change(void);
