/* core.process: programs inside a namespace, and pipes to them. */
#include "nsh.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/cleanup.h"
#include "../core/process.h"
#include "../core/shell.h"
#include "fd.h"

#define PROCESS "nsh.process"

/* --- ends of pipes ---------------------------------------------------------------------------- */

/* pipe() -> its end to read from, its end to write to | nil, err */
static int make_pipe(lua_State *L) {
    int *reader = new_fd(L), *writer = new_fd(L), ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return fail_errno(L, errno);
    *reader = ends[0];
    *writer = ends[1];
    return 2;
}

/* null() -> /dev/null, for a program that shall read nothing | nil, err */
static int open_null(lua_State *L) {
    int *slot = new_fd(L);
    *slot = open("/dev/null", O_RDWR | O_CLOEXEC);
    return *slot < 0 ? fail_errno(L, errno) : 1;
}

/* --- start{…} --------------------------------------------------------------------------------- */

/* The string in a field of the table at index 1, NULL for nil. Stays alive with that table. */
static const char *get_string(lua_State *L, const char *name) {
    int type = lua_getfield(L, 1, name);
    if (type != LUA_TNIL && type != LUA_TSTRING)
        luaL_error(L, "%s must be a string", name);
    const char *text = lua_tostring(L, -1);
    lua_pop(L, 1);
    return text;
}

static int get_stdio(lua_State *L, const char *name) {
    lua_getfield(L, 1, name);
    int fd = (int)luaL_optinteger(L, -1, -1);
    lua_pop(L, 1);
    return fd;
}

static int get_netns(lua_State *L) {
    lua_getfield(L, 1, "netns");
    int fd = to_netns(L, -1);
    lua_pop(L, 1);
    return fd;
}

/* Room for pointers, on the stack as userdata. */
static char **push_vector(lua_State *L, lua_Integer count) {
    return lua_newuserdatauv(L, sizeof(char *) * ((size_t)count + 1), 0);
}

static char **get_argv(lua_State *L) {
    if (lua_getfield(L, 1, "argv") != LUA_TTABLE || lua_rawlen(L, -1) == 0)
        luaL_error(L, "argv must be a list of at least one word");
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    char **argv = push_vector(L, count);
    for (lua_Integer i = 0; i < count; i++) {
        if (lua_rawgeti(L, -2, i + 1) != LUA_TSTRING)
            luaL_error(L, "word %I of argv must be a string", i + 1);
        argv[i] = (char *)lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    argv[count] = NULL;
    return argv;
}

/* Whether the table at the top has a key for the NAME of "NAME=value". */
static bool is_replaced(lua_State *L, const char *variable) {
    const char *equals = strchrnul(variable, '=');
    lua_pushlstring(L, variable, (size_t)(equals - variable));
    bool found = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 1);
    return found;
}

/* Appends "NAME=value" for the pair at the top; the list below, at `kept`, keeps the text alive. */
static int add_variable(lua_State *L, char **env, int count, int kept) {
    if (lua_type(L, -2) != LUA_TSTRING || !*lua_tostring(L, -2) || strchr(lua_tostring(L, -2), '='))
        luaL_error(L, "the name of an environment variable must be a string without \"=\"");
    if (lua_isboolean(L, -1) && !lua_toboolean(L, -1))
        return count;
    if (!lua_isstring(L, -1))
        luaL_error(L, "environment variable %s must be a string, or false", lua_tostring(L, -2));
    lua_pushvalue(L, -1);
    env[count] = (char *)lua_pushfstring(L, "%s=%s", lua_tostring(L, -3), lua_tostring(L, -1));
    lua_rawseti(L, kept, count + 1);
    lua_pop(L, 1);
    return count + 1;
}

static lua_Integer count_pairs(lua_State *L, int table) {
    lua_Integer count = 0;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1))
        count++;
    return count;
}

/* Our environment with the changes of `env`; NULL without any. What it needs stays on the stack. */
static char **get_envp(lua_State *L) {
    int count = 0, total = 0;
    if (lua_getfield(L, 1, "env") == LUA_TNIL)
        return NULL;
    luaL_argexpected(L, lua_istable(L, -1), 1, "table env");
    int table = lua_gettop(L);
    while (environ && environ[total])
        total++;
    char **env = push_vector(L, total + count_pairs(L, table));
    lua_newtable(L);
    int kept = lua_gettop(L);
    lua_pushvalue(L, table);
    for (int i = 0; i < total; i++)
        if (!is_replaced(L, environ[i]))
            env[count++] = environ[i];
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1))
        count = add_variable(L, env, count, kept);
    env[count] = NULL;
    return env;
}

static bool get_switch(lua_State *L, const char *name) {
    lua_getfield(L, 1, name);
    bool on = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return on;
}

/* start{ argv =, env =, netns =, unshared =, hostname =, etc =, cwd =, stdin =, stdout =, stderr =,
   foreground = } -> process | nil, err. env: name -> value, or false to take it away; the three are
   descriptors. */
static int start(lua_State *L) {
    struct error err;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    struct process **slot = lua_newuserdatauv(L, sizeof(struct process *), 0);
    *slot = NULL;
    luaL_setmetatable(L, PROCESS);
    struct process_spec spec = {
        .argv = get_argv(L),
        .envp = get_envp(L),
        .netns = get_netns(L),
        .unshared = get_switch(L, "unshared"),
        .hostname = get_string(L, "hostname"),
        .etc = get_string(L, "etc"),
        .cwd = get_string(L, "cwd"),
        .stdio = { get_stdio(L, "stdin"), get_stdio(L, "stdout"), get_stdio(L, "stderr") },
        .foreground = get_switch(L, "foreground"),
    };
    fflush(stdout); /* what the script printed stands before what its program prints */
    *slot = process_start(&spec, &err);
    lua_settop(L, 2);
    return *slot ? 1 : fail(L, &err);
}

/* --- nsh.process ------------------------------------------------------------------------------ */

static struct process *check_process(lua_State *L) {
    struct process *process = *(struct process **)luaL_checkudata(L, 1, PROCESS);
    if (!process)
        luaL_error(L, "the process is closed");
    return process;
}

static int get_pid(lua_State *L) {
    lua_pushinteger(L, process_pid(check_process(L)));
    return 1;
}

static int get_pidfd(lua_State *L) {
    lua_pushinteger(L, process_pidfd(check_process(L)));
    return 1;
}

/* stops() -> a descriptor, readable when reap() should look whether it was stopped; nil: none */
static int get_stops(lua_State *L) {
    int fd = process_stops(check_process(L));
    if (fd < 0)
        return 0;
    lua_pushinteger(L, fd);
    return 1;
}

static int push_status(lua_State *L, int status) {
    lua_createtable(L, 0, 1);
    if (WIFEXITED(status)) {
        lua_pushinteger(L, WEXITSTATUS(status));
        lua_setfield(L, -2, "status");
    } else {
        const char *name = sigabbrev_np(WTERMSIG(status));
        if (name)
            lua_pushstring(L, name);
        else
            lua_pushfstring(L, "%d", WTERMSIG(status));
        lua_setfield(L, -2, "signal");
    }
    return 1;
}

/* reap() -> { status = n } or { signal = "KILL" } once it has ended, nil before | nil, err */
static int reap(lua_State *L) {
    struct error err;
    int status, result = process_reap(check_process(L), &status, &err);
    if (result < 0)
        return fail(L, &err);
    return result == 0 ? 0 : push_status(L, status);
}

/* "TERM", "SIGTERM" or 15; 0 for what is no signal. */
static int to_signal(lua_State *L, int index) {
    if (lua_isinteger(L, index)) {
        lua_Integer number = lua_tointeger(L, index);
        return number > 0 && number < NSIG ? (int)number : 0;
    }
    const char *name = luaL_checkstring(L, index);
    name += strncmp(name, "SIG", 3) == 0 ? 3 : 0;
    for (int i = 1; i < NSIG; i++) {
        const char *known = sigabbrev_np(i);
        if (known && !strcmp(known, name))
            return i;
    }
    return 0;
}

/* kill(signal) -> true | nil, err */
static int send_signal(lua_State *L) {
    struct error err;
    struct process *process = check_process(L);
    int number = to_signal(L, 2);
    if (!number)
        error_set(&err, EINVAL, "there is no signal \"%s\"", SHORT(luaL_tolstring(L, 2, NULL)));
    if (!number || process_kill(process, number, &err) < 0)
        return fail(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

/* finish(): kills it if need be, and waits for that (at most 1 s) */
static int finish(lua_State *L) {
    process_end(check_process(L));
    return 0;
}

/* close(): forgets it; without killing it, unless it is in the foreground */
static int process_close(lua_State *L) {
    struct process **slot = luaL_checkudata(L, 1, PROCESS);
    process_release(*slot);
    *slot = NULL;
    return 0;
}

/* interrupt(): sends SIGINT to ourselves, as the terminal would have without the program that it
   went to; nsh, lua5.4 and a program that embeds either do with it what they do with any. */
static int interrupt(lua_State *L) {
    (void)L;
    kill(getpid(), SIGINT);
    return 0;
}

/* shell(node) -> words, name -> value of the environment: the user's shell, as shell_choose */
static int choose_shell(lua_State *L) {
    struct shell shell;
    shell_choose(luaL_checkstring(L, 1), &shell);
    lua_newtable(L);
    for (int i = 0; shell.argv[i]; i++) {
        lua_pushstring(L, shell.argv[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_newtable(L);
    for (int i = 0; shell.env[i].name; i++) {
        lua_pushstring(L, shell.env[i].value);
        lua_setfield(L, -2, shell.env[i].name);
    }
    return 2;
}

/* --- the tables ------------------------------------------------------------------------------- */

static const luaL_Reg process_methods[] = {
    { "close", process_close }, { "finish", finish }, { "kill", send_signal }, { "pid", get_pid },
    { "pidfd", get_pidfd },     { "reap", reap },     { "stops", get_stops },  { NULL, NULL },
};

static const luaL_Reg process_metamethods[] = {
    { "__gc", process_close },
    { "__close", process_close },
    { NULL, NULL },
};

static const luaL_Reg functions[] = {
    { "interrupt", interrupt }, { "null", open_null }, { "pipe", make_pipe },
    { "shell", choose_shell },  { "start", start },    { NULL, NULL },
};

int open_process(lua_State *L) {
    new_type(L, PROCESS, process_methods, process_metamethods);
    luaL_newlib(L, functions);
    return 1;
}
