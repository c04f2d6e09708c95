/* Keys: a chunk of many lines in one buffer, and Up through what began the same way. They stand
   before the user's inputrc is read, which knows them by name and may bind others. */
#include "repl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <readline/history.h>
#include <readline/readline.h>

#define UNFINISHED "nsh.readline.unfinished" /* the key of a function in the registry */

/* --- Enter ------------------------------------------------------------------------------------ */

static int call_unfinished(lua_State *L) {
    lua_getfield(L, LUA_REGISTRYINDEX, UNFINISHED);
    lua_pushlstring(L, rl_line_buffer, (size_t)rl_end);
    lua_call(L, 1, 1);
    return 1;
}

static bool is_unfinished(void) {
    if (!repl_call(call_unfinished, 0, 1))
        return false;
    bool unfinished = lua_toboolean(repl_lua(), -1);
    lua_pop(repl_lua(), 1);
    return unfinished;
}

static int insert_line(int count, int key) {
    (void)key;
    while (count-- > 0)
        rl_insert_text("\n");
    return 0;
}

static bool is_at_end; /* of the input, where it is no terminal: readline makes an Enter of it */

static int get_key(FILE *stream) {
    int key = rl_getc(stream);
    is_at_end = key == EOF;
    return key;
}

/* What is not whole goes on in the next line. */
static int accept_chunk(int count, int key) {
    if (!is_at_end && is_unfinished())
        return insert_line(1, key);
    repl_finish_question();
    return rl_newline(count, key);
}

/* Ctrl-D on a last line that is empty: whatever is there is all. At the start of the buffer
   readline itself takes it for the end of the input. */
static int delete_or_end(int count, int key) {
    if (rl_point < rl_end || rl_end == 0 || rl_line_buffer[rl_end - 1] != '\n')
        return rl_delete(count, key);
    rl_delete_text(rl_end - 1, rl_end);
    rl_point = rl_end;
    return rl_newline(count, key);
}

/* --- lines of the buffer ---------------------------------------------------------------------- */

static int start_of_line(int at) {
    while (at > 0 && rl_line_buffer[at - 1] != '\n')
        at--;
    return at;
}

static int end_of_line(int at) {
    while (at < rl_end && rl_line_buffer[at] != '\n')
        at++;
    return at;
}

static bool begins_character(char byte) {
    return (byte & 0xC0) != 0x80;
}

/* The characters between the start of the line and `at`. */
static int column_of(int at) {
    int column = 0;
    for (int i = start_of_line(at); i < at; i++)
        column += begins_character(rl_line_buffer[i]);
    return column;
}

/* The place in the line that begins at `start`, or its end if it is shorter. */
static int place_at(int start, int column) {
    int at = start;
    while (at < end_of_line(start) && (column > 0 || !begins_character(rl_line_buffer[at])))
        column -= begins_character(rl_line_buffer[++at]) ? 1 : 0;
    return at;
}

/* To where the line begins or ends; from there, to where the whole chunk does. */
static int go_to_start(int count, int key) {
    int start = start_of_line(rl_point);
    if (start == rl_point)
        return rl_beg_of_line(count, key);
    rl_point = start;
    return 0;
}

static int go_to_end(int count, int key) {
    int end = end_of_line(rl_point);
    if (end == rl_point)
        return rl_end_of_line(count, key);
    rl_point = end;
    return 0;
}

/* --- Up and Down ------------------------------------------------------------------------------ */

static int go_up(int count, int key);
static int go_down(int count, int key);

static char *prefix; /* what entries must begin with; NULL: none is looked for yet */

/* One Up or Down after the other looks for the same; whatever comes in between ends that. */
static void end_search(void) {
    if (rl_last_func == go_up || rl_last_func == go_down)
        return;
    free(prefix);
    prefix = NULL;
}

static void begin_search(void) {
    if (!prefix)
        prefix = strndup(rl_line_buffer, (size_t)rl_point);
}

static bool is_wanted(const char *line) {
    return prefix && !strncmp(line, prefix, strlen(prefix)) && strcmp(line, rl_line_buffer) != 0;
}

/* How many entries away from the present one, in a direction, the next is that is wanted; 0: there
 * is none. */
static int find_entry(int direction) {
    HIST_ENTRY **entries = history_list();
    int here = where_history();
    for (int at = here + direction; entries && at >= 0 && at < history_length; at += direction)
        if (is_wanted(entries[at]->line))
            return abs(at - here);
    return 0;
}

static int go_up(int count, int key) {
    (void)count;
    end_search();
    int start = start_of_line(rl_point);
    if (start > 0) {
        rl_point = place_at(start_of_line(start - 1), column_of(rl_point));
        return 0;
    }
    begin_search();
    int distance = find_entry(-1);
    return distance ? rl_get_previous_history(distance, key) : rl_ding();
}

/* Behind the last entry stands what was typed before. */
static int go_down(int count, int key) {
    (void)count;
    end_search();
    int end = end_of_line(rl_point);
    if (end < rl_end) {
        rl_point = place_at(end + 1, column_of(rl_point));
        return 0;
    }
    begin_search();
    int distance = find_entry(1);
    return rl_get_next_history(distance ? distance : history_length - where_history(), key);
}

/* --- which key does what ---------------------------------------------------------------------- */

/* Names for an inputrc. Those that readline has as well mean these here: what Debian's /etc/inputrc
   says of Home is right for a chunk of many lines too. */
static const struct {
    const char *name;
    rl_command_func_t *function;
    const char *keys[4];
    bool in_vi_too;
} keys[] = {
    { "accept-line", accept_chunk, { "\\C-m", "\\C-j" }, true },
    { "beginning-of-line", go_to_start, { "\\C-a", "\\e[H", "\\eOH" } },
    { "end-of-line", go_to_end, { "\\C-e", "\\e[F", "\\eOF" } },
    { "nsh-new-line", insert_line, { "\\e\\C-m", "\\e\\C-j" } },
    { "nsh-delete-or-end", delete_or_end, { "\\C-d" } },
    { "nsh-up", go_up, { "\\e[A", "\\eOA" }, true },
    { "nsh-down", go_down, { "\\e[B", "\\eOB" }, true },
};

static void bind_keys(Keymap map, bool is_vi) {
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        for (const char *const *key = keys[i].keys; *key && (!is_vi || keys[i].in_vi_too); key++)
            rl_bind_keyseq_in_map(*key, keys[i].function, map);
}

/* set_unfinished(fn): fn(text) tells whether Enter shall begin a new line instead of ending the
 * text. */
static int readline_set_unfinished(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, UNFINISHED);
    return 0;
}

void repl_add_keys(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "set_unfinished", readline_set_unfinished },
        { NULL, NULL },
    };
    luaL_setfuncs(L, functions, 0);
    rl_getc_function = get_key;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        rl_add_defun(keys[i].name, keys[i].function, -1);
    bind_keys(rl_get_keymap_by_name("emacs-standard"), false);
    bind_keys(rl_get_keymap_by_name("vi-insert"), true);
    bind_keys(rl_get_keymap_by_name("vi-command"), true);
}
