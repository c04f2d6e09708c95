/* core.readline: lines from the terminal, a key at a time, so that tasks run while the user types.
   Part of the program only.

   Readline 8.2 in callback mode mishandles signals, so it gets none: rl_catch_signals is 0, SIGINT
   belongs to interrupt.c, and the others are taken here, only while a prompt stands. Its line
   handler does nothing but keep the line and remove itself; Lua runs with the terminal as we found
   it. */
#include "nsh.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "../core/cleanup.h"

#define COMPLETER "nsh.readline.completer" /* its key in the registry */

enum { HISTORY_LIMIT = 2000 };

/* All that is no part of a Lua name; '.' and ':' too, so that lists show last names only. */
static const char word_breaks[] = " \t\n\r\"\\'`@$><=;:|&{}()[].,+-*/%^~#!?";

static struct {
    lua_State *L; /* who feeds, for the completer */
    char *line;   /* what the line handler got: ours to free; NULL at the end of the input */
    bool active;  /* a prompt stands */
    int wake;     /* eventfd: update() has something to do */
    struct termios before;
    bool has_terminal;
    char history[PATH_MAX]; /* "" for none */
} reader = { .wake = -1 };

/* --- signals ---------------------------------------------------------------------------------- */

static void on_wake(int signal);
static void on_leave(int signal);

static struct {
    int number;
    void (*handler)(int signal);
    struct sigaction before;
} signals[] = {
    { .number = SIGWINCH, .handler = on_wake }, { .number = SIGCONT, .handler = on_wake },
    { .number = SIGTSTP, .handler = on_leave }, { .number = SIGQUIT, .handler = on_leave },
    { .number = SIGTERM, .handler = on_leave }, { .number = SIGHUP, .handler = on_leave },
};

enum { SIGNAL_COUNT = sizeof signals / sizeof *signals };

static volatile sig_atomic_t continued;

static void wake_up(void) {
    const uint64_t one = 1;
    if (write(reader.wake, &one, sizeof one) < 0)
        return; /* it counts 2^64 wakes: it cannot be full */
}

static void on_wake(int signal) {
    int saved = errno;
    if (signal == SIGCONT)
        continued = 1;
    wake_up();
    errno = saved;
}

/* Gives the terminal back, then lets the signal do what it would have done without us. After a
   stop the program goes on behind the raise, and the prompt must come back. */
static void on_leave(int signal) {
    static const char paste_off[] = "\033[?2004l\r\n";
    int saved = errno;
    if (reader.has_terminal && tcsetattr(STDIN_FILENO, TCSANOW, &reader.before) == 0 &&
        write(STDOUT_FILENO, paste_off, sizeof paste_off - 1) < 0)
        errno = saved; /* nobody reads any more: nothing is left to tidy */
    for (int i = 0; i < SIGNAL_COUNT; i++)
        if (signals[i].number == signal)
            sigaction(signal, &signals[i].before, NULL);
    raise(signal);
    continued = 1;
    wake_up();
    errno = saved;
}

static void take_signals(void) {
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        struct sigaction action = { .sa_handler = signals[i].handler, .sa_flags = SA_RESTART };
        sigaction(signals[i].number, &action, &signals[i].before);
    }
}

static void give_signals_back(void) {
    for (int i = 0; i < SIGNAL_COUNT; i++)
        sigaction(signals[i].number, &signals[i].before, NULL);
}

/* --- the line --------------------------------------------------------------------------------- */

static void end_line(void) {
    if (!reader.active)
        return;
    rl_callback_handler_remove();
    give_signals_back();
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
    reader.has_terminal = tcgetattr(STDIN_FILENO, &reader.before) == 0;
    rl_eof_found = 0; /* or every line after an end of the input ends with a blank one */
    rl_reset_screen_size();
    take_signals();
    reader.active = true;
    rl_callback_handler_install(prompt, on_line);
    return 0;
}

/* feed() -> nil while the line is not complete, the line, or false at the end of the input. To be
   called when standard input can be read: it takes one key. */
static int readline_feed(lua_State *L) {
    if (!reader.active)
        return luaL_error(L, "no prompt stands");
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
    give_signals_back();
    take_signals();
    rl_deprep_terminal(); /* or it would keep its own settings as those to go back to */
    rl_prep_terminal(1);
    rl_on_new_line();
}

/* update(): draws the line anew after the terminal's size changed or the program was stopped. */
static int readline_update(lua_State *L) {
    uint64_t count;
    (void)L;
    if (read(reader.wake, &count, sizeof count) < 0 || !reader.active)
        return 0;
    if (continued)
        come_back();
    continued = 0;
    rl_resize_terminal();
    return 0;
}

/* is_terminal() -> whether somebody types: standard input is a terminal. */
static int readline_is_terminal(lua_State *L) {
    lua_pushboolean(L, isatty(STDIN_FILENO));
    return 1;
}

/* --- completion ------------------------------------------------------------------------------- */

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
    bool is_word = lua_rawgeti(reader.L, -1, index) == LUA_TSTRING;
    char *word = is_word ? strdup(lua_tostring(reader.L, -1)) : NULL;
    lua_pop(reader.L, 1);
    return word;
}

/* An error in the completer completes nothing: it must not jump through readline. */
static char **complete(const char *text, int start, int end) {
    (void)start;
    rl_attempted_completion_over = 1;
    rl_completion_append_character = '\0';
    lua_State *L = reader.L;
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

/* --- history ---------------------------------------------------------------------------------- */

static void make_parents(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700); /* what could not be made is seen when the file is opened */
        *slash = '/';
    }
}

/* Cut by entries: readline's own cut of a file goes by lines, through the middle of an entry. */
static void read_entries(const char *path) {
    read_history(path);
    bool too_long = history_length > HISTORY_LIMIT;
    stifle_history(HISTORY_LIMIT);
    if (too_long)
        write_history(path);
}

/* history_load(path): reads the file, made if it is not there (mode 0600, with its directories),
   and appends to it whatever history_add gets. -> true, or nil and an error. */
static int readline_history_load(lua_State *L) {
    struct error err;
    size_t length;
    const char *path = luaL_checklstring(L, 1, &length);
    luaL_argcheck(L, length < sizeof reader.history, 1, "too long");
    memcpy(reader.history, path, length + 1);
    make_parents(reader.history);
    cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        reader.history[0] = '\0';
        error_errno(&err, errno);
        return fail(L, &err);
    }
    read_entries(path);
    lua_pushboolean(L, true);
    return 1;
}

/* history_add(entry): newlines are kept; what repeats the last entry is not added. The file has it
   at once, whatever becomes of us, and other shells' entries stay in it. */
static int readline_history_add(lua_State *L) {
    const char *entry = luaL_checkstring(L, 1);
    const HIST_ENTRY *last = history_get(history_base + history_length - 1);
    if (last && !strcmp(last->line, entry))
        return 0;
    add_history(entry);
    if (reader.history[0])
        append_history(1, reader.history);
    return 0;
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
    { "set_completer", readline_set_completer },
    { "history_load", readline_history_load },
    { "history_add", readline_history_add },
    { NULL, NULL },
};

static void set_up_readline(void) {
    rl_readline_name = "nsh";
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_change_environment = 0; /* LINES and COLUMNS would go stale in the programs we start */
    rl_completer_word_break_characters = word_breaks;
    history_comment_char = '#'; /* "#TIME" before each entry tells where one ends */
    history_write_timestamps = 1;
    using_history();
    rl_initialize();
    rl_variable_bind("completion-query-items", "0"); /* a question would stop every task */
    rl_variable_bind("page-completions", "off");
}

int open_readline(lua_State *L) {
    if (reader.wake < 0) {
        reader.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (reader.wake < 0)
            return luaL_error(L, "cannot make an eventfd: %s", strerror(errno));
        set_up_readline();
        atexit(end_line); /* os.exit() in a task, while the user types */
    }
    luaL_newlib(L, functions);
    return 1;
}
