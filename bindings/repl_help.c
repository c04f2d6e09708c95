/* Help while somebody types: the key '?', and the signature that stands dim behind the cursor. */
#include "repl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/readline.h>

/* The keys of functions in the registry. */
#define ANSWER "nsh.readline.answer"
#define HINT "nsh.readline.hint"

/* --- the key '?' ------------------------------------------------------------------------------ */

static int presses;      /* of the key, one after the other */
static bool is_answered; /* what it told was about the whole line */

/* (times) -> whether it told something, and whether that was about the whole line */
static int call_answer(lua_State *L) {
    lua_getfield(L, LUA_REGISTRYINDEX, ANSWER);
    lua_pushlstring(L, rl_line_buffer, (size_t)rl_point);
    lua_pushlstring(L, rl_line_buffer + rl_point, (size_t)(rl_end - rl_point));
    lua_pushvalue(L, 1);
    lua_call(L, 3, 2);
    return 2;
}

static bool answer(int times) {
    lua_State *L = repl_lua();
    lua_pushinteger(L, times);
    if (!repl_call(call_answer, 1, 2))
        return false;
    bool told = lua_toboolean(L, -2);
    is_answered = told && lua_toboolean(L, -1);
    lua_pop(L, 2);
    return told;
}

/* Tells about what stands at the cursor, and leaves the line as it is; in a text it is a character.
 */
static int question_mark(int count, int key) {
    presses = rl_last_func == question_mark ? presses + 1 : 1;
    is_answered = false;
    if (!answer(presses))
        return rl_insert(count, key);
    repl_redraw();
    return 0;
}

void repl_finish_question(void) {
    if (!is_answered || rl_last_func != question_mark)
        return;
    rl_point = rl_end;
    rl_insert_text(presses > 1 ? "??" : "?");
    rl_redisplay();
}

/* --- the hint --------------------------------------------------------------------------------- */

static struct {
    bool is_shown;
    char *line;  /* that the text was made for; NULL: none yet */
    char *text;  /* NULL: there is nothing to show */
    int columns; /* of the text */
    int screen;  /* columns of the terminal then */
} hint;

void repl_hide_hint(void) {
    if (!hint.is_shown)
        return;
    hint.is_shown = false;
    fputs("\033[J", rl_outstream); /* it may have folded; nothing is below it */
    fflush(rl_outstream);
}

/* What is between \001 and \002 takes no room. */
static int prompt_columns(void) {
    int columns = 0;
    bool is_hidden = false;
    for (const char *at = rl_display_prompt ? rl_display_prompt : ""; *at; at++) {
        if (*at == RL_PROMPT_START_IGNORE || *at == RL_PROMPT_END_IGNORE)
            is_hidden = *at == RL_PROMPT_START_IGNORE;
        else
            columns += !is_hidden;
    }
    return columns;
}

/* () -> the text and how many columns it takes, or nil */
static int call_hint(lua_State *L) {
    lua_getfield(L, LUA_REGISTRYINDEX, HINT);
    lua_pushlstring(L, rl_line_buffer, (size_t)rl_end);
    lua_pushinteger(L, prompt_columns());
    lua_pushinteger(L, hint.screen);
    lua_call(L, 3, 2);
    return 2;
}

static void ask_for_hint(void) {
    lua_State *L = repl_lua();
    if (!repl_call(call_hint, 0, 2))
        return;
    bool is_text = lua_type(L, -2) == LUA_TSTRING;
    hint.text = is_text ? strdup(lua_tostring(L, -2)) : NULL;
    hint.columns = (int)lua_tointeger(L, -1);
    lua_pop(L, 2);
}

/* It is asked for once for each line: what is printed above does not change it. */
static void update_hint(void) {
    int rows, screen;
    rl_get_screen_size(&rows, &screen);
    if (hint.line && !strcmp(hint.line, rl_line_buffer) && hint.screen == screen)
        return;
    free(hint.line);
    free(hint.text);
    hint.line = strdup(rl_line_buffer);
    hint.text = NULL;
    hint.screen = screen;
    ask_for_hint();
}

static bool has_room_for_hint(void) {
    const unsigned long busy = RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG |
                               RL_STATE_COMPLETING | RL_STATE_DONE;
    const char *scrolls = rl_variable_value("horizontal-scroll-mode");
    return rl_point == rl_end && rl_end > 0 && !RL_ISSTATE(busy) &&
           !(scrolls && !strcmp(scrolls, "on"));
}

/* Behind the end of the line, in the same row; the cursor goes back to where readline thinks it is.
 */
static void show_hint(void) {
    if (!has_room_for_hint())
        return;
    update_hint();
    if (!hint.text)
        return;
    fprintf(rl_outstream, "  \033[2m%s\033[0m\033[%dD", hint.text, hint.columns + 2);
    fflush(rl_outstream);
    hint.is_shown = true;
}

static void redisplay(void) {
    repl_hide_hint();
    rl_redisplay();
    show_hint();
}

/* --- for Lua ---------------------------------------------------------------------------------- */

/* set_help(answer[, hint]): answer(before the cursor, behind it, times) does what the key '?' does,
   pressed so many times one after the other, and returns whether it told something, else it is a
   character, and whether that was about the whole line, which Enter then ends as a question;
   hint(line, columns of the prompt, of the terminal) returns what is to be shown behind the line,
   and how many columns it takes, or nil. */
static int readline_set_help(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 2);
    rl_redisplay_function = lua_isnil(L, 2) ? rl_redisplay : redisplay;
    lua_setfield(L, LUA_REGISTRYINDEX, HINT);
    lua_setfield(L, LUA_REGISTRYINDEX, ANSWER);
    return 0;
}

void repl_add_help(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "set_help", readline_set_help },
        { NULL, NULL },
    };
    luaL_setfuncs(L, functions, 0);
    rl_add_defun("nsh-help", question_mark, -1);
    rl_bind_key_in_map('?', question_mark, rl_get_keymap_by_name("emacs-standard"));
    rl_bind_key_in_map('?', question_mark, rl_get_keymap_by_name("vi-insert"));
}
