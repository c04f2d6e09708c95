/* core.readline: lines from the terminal, a key at a time, so that tasks run while the user types.
   Part of the program only.

   Readline 8.2 in callback mode mishandles signals, so it gets none: rl_catch_signals is 0, SIGINT
   belongs to interrupt.c, and the others are taken by repl_terminal.c, only while a prompt stands.
   Its line handler does nothing but keep the line and remove itself; Lua runs with the terminal as
   we found it. */
#include "repl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/readline.h>

#include "../core/terminal.h"

static struct {
    lua_State *L; /* who feeds */
    char *line;   /* what the line handler got: ours to free; NULL at the end of the input */
    bool active;  /* a prompt stands */
    int wake;     /* of the terminal */
} reader = { .wake = -1 };

lua_State *repl_lua(void) {
    return reader.L;
}

bool repl_call(lua_CFunction fn, int arguments, int results) {
    lua_State *L = reader.L;
    if (!L)
        return false;
    if (!lua_checkstack(L, 8)) {
        lua_pop(L, arguments);
        return false;
    }
    lua_pushcfunction(L, fn);
    lua_insert(L, -1 - arguments);
    if (lua_pcall(L, arguments, results, 0) == LUA_OK)
        return true;
    lua_pop(L, 1);
    return false;
}

bool repl_is_active(void) {
    return reader.active;
}

static void leave_terminal_alone(void) {
}

static void end_line(void) {
    if (!reader.active)
        return;
    rl_deprep_term_function =
        terminal_in_foreground(STDIN_FILENO) ? rl_deprep_terminal : leave_terminal_alone;
    rl_callback_handler_remove();
    repl_give_terminal();
    reader.active = false;
}

static void on_line(char *line) {
    reader.line = line;
    end_line();
}

/* start(prompt): shows the prompt and takes the terminal until the line ends or stop(). */
static int readline_start(lua_State *L) {
    const char *prompt = luaL_checkstring(L, 1);
    end_line();
    free(reader.line);
    reader.line = NULL;
    rl_eof_found = 0; /* or every line after an end of the input ends with a blank one */
    rl_reset_screen_size();
    repl_take_terminal();
    reader.active = true;
    rl_callback_handler_install(prompt, on_line);
    return 0;
}

/* feed() -> nil while the line is not complete, the line, or false at the end of the input. To be
   called when standard input can be read: it takes one key. */
static int readline_feed(lua_State *L) {
    if (!reader.active)
        return luaL_error(L, "no prompt stands");
    repl_redraw();
    repl_hide_hint();
    reader.L = L;
    rl_callback_read_char();
    if (reader.active)
        lua_pushnil(L);
    else if (reader.line)
        lua_pushstring(L, reader.line);
    else
        lua_pushboolean(L, false);
    return 1;
}

/* clear_line() -> whether a prompt stood: gives up what was typed, the next start() begins on an
   empty line. */
static int readline_clear_line(lua_State *L) {
    lua_pushboolean(L, reader.active);
    if (!reader.active)
        return 1;
    repl_redraw();
    repl_hide_hint();
    rl_callback_sigcleanup(); /* an unfinished search or argument */
    rl_point = rl_end;
    rl_redisplay();
    rl_echo_signal_char(SIGINT);
    rl_crlf();
    rl_free_line_state();
    end_line();
    return 1;
}

/* stop(): takes the prompt away and gives the terminal back, if need be. */
static int readline_stop(lua_State *L) {
    (void)L;
    end_line();
    return 0;
}

/* wake_fd() -> a descriptor that can be read when update() has something to do. */
static int readline_wake_fd(lua_State *L) {
    lua_pushinteger(L, reader.wake);
    return 1;
}

static void come_back(void) {
    rl_deprep_terminal(); /* or it would keep its own settings as those to go back to */
    rl_prep_terminal(1);
    rl_on_new_line();
}

void repl_follow_terminal(void) {
    enum terminal_change change = reader.active ? repl_terminal_change() : TERMINAL_SAME;
    if (change == TERMINAL_SAME || !terminal_in_foreground(STDIN_FILENO))
        return; /* or, continued in the background: it is told again when it comes back */
    repl_hide_hint();
    if (change == TERMINAL_CONTINUED)
        come_back();
    rl_voidfunc_t *own = rl_redisplay_function;
    rl_redisplay_function = rl_redisplay; /* with another it would not clear what has folded */
    rl_resize_terminal();
    rl_redisplay_function = own;
}

/* update(): draws the line anew after the terminal's size changed or the program was stopped. */
static int readline_update(lua_State *L) {
    (void)L;
    repl_redraw();
    repl_follow_terminal();
    return 0;
}

/* is_terminal() -> whether somebody types: standard input is a terminal. */
static int readline_is_terminal(lua_State *L) {
    lua_pushboolean(L, isatty(STDIN_FILENO));
    return 1;
}

/* ---------------------------------------------------------------------------------------------- */

static const luaL_Reg functions[] = {
    { "start", readline_start },
    { "feed", readline_feed },
    { "clear_line", readline_clear_line },
    { "stop", readline_stop },
    { "wake_fd", readline_wake_fd },
    { "update", readline_update },
    { "is_terminal", readline_is_terminal },
    { NULL, NULL },
};

/* What each file adds. */
static void (*const parts[])(lua_State *L) = {
    repl_add_above, repl_add_completion, repl_add_help, repl_add_history, repl_add_keys,
};

static void set_up_readline(void) {
    rl_readline_name = "nsh";
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_change_environment = 0; /* LINES and COLUMNS would go stale in the programs we start */
    rl_initialize();
    rl_variable_bind("completion-query-items", "0"); /* a question would stop every task */
    rl_variable_bind("page-completions", "off");
}

int open_readline(lua_State *L) {
    if (reader.wake < 0) {
        reader.wake = repl_watch_terminal();
        if (reader.wake < 0)
            return luaL_error(L, "cannot make an eventfd: %s", strerror(errno));
        atexit(end_line); /* os.exit() in a task, while the user types */
    }
    luaL_newlib(L, functions);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        parts[i](L);
    set_up_readline();
    return 1;
}
