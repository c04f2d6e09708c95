/* What tasks print while somebody types: it appears above the prompt, which is taken away for as
 * long. */
#include "repl.h"

#include <lualib.h>
#include <stdio.h>
#include <unistd.h>

#include <readline/readline.h>

#include "../core/pipe.h"

static bool is_hidden;      /* the prompt stands, but is not on the screen */
static bool is_broken_line; /* what was printed since did not end with a newline */

static void hide(void) {
    repl_follow_terminal();
    is_hidden = true;
    rl_clear_visible_line();
    fflush(rl_outstream);
}

void repl_redraw(void) {
    fflush(stdout);
    fflush(stderr);
    if (!is_hidden)
        return;
    is_hidden = false;
    if (is_broken_line)
        rl_crlf();
    rl_forced_update_display();
}

/* --- the streams ------------------------------------------------------------------------------ */

/* Readline rings by stderr, which moves nothing. */
static bool is_bell(const char *text, size_t size) {
    return size == 1 && *text == '\a';
}

static ssize_t write_above(void *fd, const char *text, size_t size) {
    bool moves = !is_bell(text, size);
    if (moves && repl_is_active() && !is_hidden)
        hide();
    if (pipe_write_all(*(const int *)fd, text, size) < 0)
        return 0; /* that is how a stream is told */
    if (moves && size > 0)
        is_broken_line = text[size - 1] != '\n';
    return (ssize_t)size;
}

/* Makes print, io.write and all else that writes to a standard stream of C's use another one;
   readline keeps the one that it has. Lua's file objects hold a stream of their own. */
static void replace(lua_State *L, const char *name, FILE **stream, const int *fd, int buffering) {
    static const cookie_io_functions_t functions = { .write = write_above };
    FILE *above = isatty(*fd) ? fopencookie((void *)fd, "w", functions) : NULL;
    if (!above)
        return;
    setvbuf(above, NULL, buffering, BUFSIZ);
    fflush(*stream);
    *stream = above;
    lua_getglobal(L, LUA_IOLIBNAME);
    lua_getfield(L, -1, name);
    luaL_Stream *file = luaL_testudata(L, -1, LUA_FILEHANDLE);
    if (file)
        file->f = above;
    lua_pop(L, 2);
}

/* print_above(): from now on the standard streams print above a prompt that stands, if they are
 * terminals. */
static int readline_print_above(lua_State *L) {
    static const int out = STDOUT_FILENO, err = STDERR_FILENO;
    static bool is_done;
    if (is_done)
        return 0;
    is_done = true;
    replace(L, "stdout", &stdout, &out, _IOLBF);
    replace(L, "stderr", &stderr, &err, _IONBF);
    return 0;
}

/* redraw(): shows what was printed, and the prompt below it; to be called before a wait. */
static int readline_redraw(lua_State *L) {
    (void)L;
    if (repl_is_active())
        repl_redraw();
    return 0;
}

void repl_add_above(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "print_above", readline_print_above },
        { "redraw", readline_redraw },
        { NULL, NULL },
    };
    luaL_setfuncs(L, functions, 0);
}
