/* What the command line asks for, run in order; errors as the user sees them. */
#include "run.h"

#include <lauxlib.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interrupt.h"

void say_error(const char *message) {
    fflush(stdout);
    fprintf(stderr, "nsh: %s\n", message);
}

/* Whatever could not be written is a failure, if nothing else was. */
int check_output(int status) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    say_error("cannot write to standard output");
    return status ? status : EXIT_FAILURE;
}

void push_module(lua_State *L, const char *module) {
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
}

/* --- errors ----------------------------------------------------------------------------------- */

static bool starts_with(const char *line, const char *prefix) {
    return !strncmp(line, prefix, strlen(prefix));
}

/* Whether a frame belongs to nsh: its own Lua, and C that this or the host program called. */
static bool is_own_frame(const char *line) {
    while (line && starts_with(line, "\t[C]"))
        line = (line = strchr(line, '\n')) ? line + 1 : NULL;
    return !line || starts_with(line, "\t[nsh");
}

/* "(...tail calls...)" and the like go with the frame above them. */
static bool is_frame(const char *line) {
    return !starts_with(line, "\t(...") && !starts_with(line, "\t...");
}

/* Appends to the string on top the traceback of what the user wrote, unless that is one function,
   of which the message says as much. */
static void add_traceback(lua_State *L) {
    luaL_Buffer out;
    int functions = -1; /* the first line is the title */
    bool own = false;
    luaL_traceback(L, L, NULL, 1);
    const char *line = lua_tostring(L, -1);
    luaL_buffinit(L, &out);
    for (const char *end; line; line = end ? end + 1 : NULL) {
        end = strchr(line, '\n');
        if (is_frame(line))
            own = is_own_frame(line);
        if (own)
            continue;
        functions += is_frame(line) && !starts_with(line, "\t[C]");
        luaL_addchar(&out, '\n');
        luaL_addlstring(&out, line, end ? (size_t)(end - line) : strlen(line));
    }
    luaL_pushresult(&out);
    lua_remove(L, -2);
    if (functions > 1)
        lua_concat(L, 2);
    else
        lua_pop(L, 1);
}

static int script_excerpt(lua_State *L) {
    push_module(L, "nsh.excerpt");
    lua_getfield(L, -1, "of_script");
    lua_insert(L, 1);
    lua_pop(L, 1);
    lua_call(L, 2, 1);
    return 1;
}

/* Appends to the error's text on top the script's line that it is about, if there is one; `err`:
   index of the error itself. */
static void add_excerpt(lua_State *L, int err) {
    err = lua_absindex(L, err);
    lua_pushcfunction(L, script_excerpt);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, err);
    if (lua_pcall(L, 2, 1, 0) != LUA_OK || !lua_isstring(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    lua_pushliteral(L, "\n");
    lua_insert(L, -2);
    lua_concat(L, 3);
}

/* Message handler; its upvalue: whether error objects get a traceback as well. As in lua.c, what is
   neither a string nor has a __tostring is only named. */
static int explain(lua_State *L) {
    bool plain = lua_isstring(L, 1);
    lua_settop(L, 1);
    if (!plain && !luaL_callmeta(L, 1, "__tostring"))
        lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
    add_excerpt(L, 1);
    if (plain || lua_toboolean(L, lua_upvalueindex(1)))
        add_traceback(L);
    return 1;
}

/* Calls the function below `args` arguments; prints the error there may be. */
static int call(lua_State *L, const struct settings *settings, int args, int results) {
    int base = lua_gettop(L) - args;
    lua_pushboolean(L, settings->verbose);
    lua_pushcclosure(L, explain, 1);
    lua_insert(L, base);
    int status = lua_pcall(L, args, results, base);
    lua_remove(L, base);
    if (status != LUA_OK) {
        const char *message = lua_tostring(L, -1);
        say_error(message ? message : "error in an error handler");
        lua_pop(L, 1);
    }
    return status == LUA_OK ? 0 : -1;
}

/* --- running ---------------------------------------------------------------------------------- */

static int show_values(lua_State *L) {
    int count = lua_gettop(L);
    push_module(L, "nsh.show");
    lua_insert(L, 1);
    lua_call(L, count, 0);
    return 0;
}

/* Runs the loaded chunk on top of the stack, or prints why it could not be loaded. */
static int run_chunk(lua_State *L, const struct settings *settings, int loaded, int args,
                     int results) {
    if (loaded != LUA_OK) {
        add_excerpt(L, -1);
        say_error(lua_tostring(L, -1));
        lua_pop(L, 1);
        return -1;
    }
    lua_insert(L, -args - 1);
    return call(L, settings, args, results);
}

static int load_text(lua_State *L, const char *text) {
    return luaL_loadbufferx(L, text, strlen(text), "=(command line)", "t");
}

/* -e: an expression's values are shown, as in the REPL. The first value only keeps a call from
   becoming a tail call, whose errors would have no place. */
static int run_code(lua_State *L, const struct settings *settings, const char *code) {
    int base = lua_gettop(L);
    if (load_text(L, lua_pushfstring(L, "return nil, %s", code)) != LUA_OK) {
        lua_settop(L, base);
        return run_chunk(L, settings, load_text(L, code), 0, 0);
    }
    lua_remove(L, base + 1);
    if (call(L, settings, 0, LUA_MULTRET) < 0)
        return -1;
    int count = lua_gettop(L) - base - 1;
    if (count == 0)
        return 0;
    lua_pushcfunction(L, show_values);
    lua_replace(L, base + 1);
    return call(L, settings, count, 0);
}

static int run_module(lua_State *L, const struct settings *settings, const char *module) {
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    if (call(L, settings, 1, 1) < 0)
        return -1;
    lua_setglobal(L, module);
    return 0;
}

static int run_steps(lua_State *L, const struct settings *settings) {
    for (const struct step *step = settings->steps; step->letter; step++) {
        int (*run)(lua_State *, const struct settings *, const char *) =
            step->letter == 'e' ? run_code : run_module;
        if (run(L, settings, step->text) < 0)
            return -1;
    }
    return 0;
}

/* The script ("-" or NULL: standard input) with the words of the global arg as its arguments. */
static int run_script(lua_State *L, const struct settings *settings, const char *script) {
    const char *path = script && strcmp(script, "-") ? script : NULL;
    lua_getglobal(L, "arg");
    int count = lua_istable(L, -1) ? (int)luaL_len(L, -1) : 0;
    luaL_checkstack(L, count + 3, "too many arguments to script");
    for (int i = 1; i <= count; i++)
        lua_rawgeti(L, -i, i);
    lua_remove(L, -count - 1);
    return run_chunk(L, settings, luaL_loadfilex(L, path, "t"), count, 0);
}

/* Calls the function `field` of a module of nsh's own with true. */
static int switch_on(lua_State *L) {
    push_module(L, lua_tostring(L, 1));
    lua_getfield(L, -1, lua_tostring(L, 2));
    lua_pushboolean(L, true);
    lua_call(L, 1, 0);
    return 0;
}

static int run_switch(lua_State *L, const struct settings *settings, const char *module,
                      const char *field) {
    lua_pushcfunction(L, switch_on);
    lua_pushstring(L, module);
    lua_pushstring(L, field);
    return call(L, settings, 2, 0);
}

/* ~/.config/nsh/init.lua, if it is there. */
static int run_init(lua_State *L, const struct settings *settings) {
    char path[PATH_MAX];
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (config && config[0] == '/')
        snprintf(path, sizeof path, "%s/nsh/init.lua", config);
    else
        snprintf(path, sizeof path, "%s/.config/nsh/init.lua", home ? home : "");
    if (access(path, F_OK) < 0)
        return 0;
    return run_chunk(L, settings, luaL_loadfilex(L, path, "t"), 0, 0);
}

static int repl(lua_State *L) {
    push_module(L, "nsh.repl");
    lua_getfield(L, -1, "run");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 0);
    return 0;
}

/* What goes wrong in the init file is printed and ends nothing. */
static int run_repl(lua_State *L, const struct settings *settings) {
    if (!settings->no_init && run_init(L, settings) < 0 && interrupt_pending())
        return -1;
    lua_pushcfunction(L, repl);
    lua_newtable(L);
    if (!settings->quiet) {
        lua_pushliteral(L, "nsh " NSH_VERSION);
        lua_setfield(L, -2, "banner");
    }
    return call(L, settings, 1, 0);
}

static int signal_number(const char *name) {
    for (int number = 1; number < NSIG; number++) {
        const char *candidate = sigabbrev_np(number);
        if (candidate && !strcmp(candidate, name))
            return number;
    }
    return 0;
}

/* A command for the shell, in the host's namespace and in the foreground; pushes its exit status,
   as a shell would give it. */
static int exec_shell(lua_State *L) {
    push_module(L, "nsh.process");
    lua_getfield(L, -1, "exec");
    lua_newtable(L); /* no handle: the namespace we are in */
    lua_pushvalue(L, 1);
    lua_call(L, 2, 1);
    if (lua_getfield(L, -1, "signal") == LUA_TSTRING)
        lua_pushinteger(L, EXIT_SIGNAL + signal_number(lua_tostring(L, -1)));
    else
        lua_getfield(L, -2, "status");
    return 1;
}

static int run_shell(lua_State *L, const struct settings *settings) {
    lua_pushcfunction(L, exec_shell);
    lua_pushstring(L, settings->run);
    return call(L, settings, 1, 1) < 0 ? EXIT_FAILURE : (int)lua_tointeger(L, -1);
}

/* Takes note of --draw's file: what is wrong with its name, or nil. */
static int note_file(lua_State *L) {
    push_module(L, "nsh.lab.draw");
    lua_getfield(L, -1, "prepare");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

/* Before anything else runs: EXIT_SUCCESS, or how nsh is to end. */
static int prepare_draw(lua_State *L, const struct settings *settings) {
    lua_pushcfunction(L, note_file);
    lua_pushstring(L, settings->draw);
    if (call(L, settings, 1, 1) < 0)
        return EXIT_FAILURE;
    const char *wrong = lua_tostring(L, -1);
    if (wrong)
        say_error(wrong);
    lua_pop(L, 1);
    return wrong ? EXIT_USAGE : EXIT_SUCCESS;
}

int run_all(lua_State *L, const struct settings *settings) {
    int usage = settings->draw ? prepare_draw(L, settings) : EXIT_SUCCESS;
    if (usage != EXIT_SUCCESS)
        return usage;
    const char *script = settings->script;
    bool nothing_else = !script && !settings->has_code && !settings->run;
    bool starts_repl = settings->interactive || (nothing_else && isatty(STDIN_FILENO));
    if ((settings->plan && run_switch(L, settings, "nsh.dry", "run") < 0) ||
        (settings->trace && run_switch(L, settings, "nsh", "trace") < 0) ||
        (settings->json && run_switch(L, settings, "nsh.show", "json") < 0) ||
        run_steps(L, settings) < 0)
        return EXIT_FAILURE;
    if ((script || (nothing_else && !starts_repl)) && run_script(L, settings, script) < 0)
        return EXIT_FAILURE;
    if (starts_repl && run_repl(L, settings) < 0)
        return EXIT_FAILURE;
    lua_gc(L, LUA_GCSTOP); /* what was built stays, though the variables that held it are gone */
    if (settings->draw && run_switch(L, settings, "nsh.lab.draw", "draw") < 0)
        return EXIT_FAILURE;
    return settings->run ? run_shell(L, settings) : EXIT_SUCCESS;
}
