/* History: in readline's memory, and in a file. */
#include "repl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <readline/history.h>

#include "../core/cleanup.h"
#include "nsh.h"

enum { HISTORY_LIMIT = 2000 };

static char history[PATH_MAX]; /* "" for none */

static void make_parents(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700); /* what could not be made is seen when the file is opened */
        *slash = '/';
    }
}

/* In the file a newline within an entry is a carriage return, which no entry has: readline drops
   empty lines there, and takes "#1" at the beginning of one for a time. */
static void replace(char *text, char from, char to) {
    for (; *text; text++)
        if (*text == from)
            *text = to;
}

/* Cut by entries: readline's own cut of a file goes by lines, through the middle of an entry. */
static void read_entries(const char *path) {
    read_history(path);
    bool too_long = history_length > HISTORY_LIMIT;
    stifle_history(HISTORY_LIMIT);
    if (too_long)
        write_history(path);
    for (HIST_ENTRY **entry = history_list(); entry && *entry; entry++)
        replace((*entry)->line, '\r', '\n');
}

/* history_load(path): reads the file, made if it is not there (mode 0600, with its directories),
   and appends to it whatever history_add gets. -> true, or nil and an error. */
static int readline_history_load(lua_State *L) {
    struct error err;
    size_t length;
    const char *path = luaL_checklstring(L, 1, &length);
    luaL_argcheck(L, length < sizeof history, 1, "too long");
    memcpy(history, path, length + 1);
    make_parents(history);
    cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        history[0] = '\0';
        error_errno(&err, errno);
        return fail(L, &err);
    }
    read_entries(path);
    using_history(); /* a prompt that stands already is below all of them */
    lua_pushboolean(L, true);
    return 1;
}

static void append_last(HIST_ENTRY *last) {
    replace(last->line, '\n', '\r');
    append_history(1, history);
    replace(last->line, '\r', '\n');
}

/* history_add(entry): newlines are kept; what repeats the last entry is not added. The file has it
   at once, whatever becomes of us, and other shells' entries stay in it. */
static int readline_history_add(lua_State *L) {
    const char *entry = luaL_checkstring(L, 1);
    const HIST_ENTRY *last = history_get(history_base + history_length - 1);
    if (last && !strcmp(last->line, entry))
        return 0;
    add_history(entry);
    if (history[0])
        append_last(history_get(history_base + history_length - 1));
    return 0;
}

void repl_add_history(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "history_load", readline_history_load },
        { "history_add", readline_history_add },
        { NULL, NULL },
    };
    luaL_setfuncs(L, functions, 0);
    history_comment_char = '#'; /* "#TIME" before each entry tells where one ends */
    history_write_timestamps = 1;
    using_history();
}
