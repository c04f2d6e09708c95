/* The program nsh: what must happen before Lua starts, what a script finds, and the way out. */
#include <errno.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../core/guardian.h"
#include "../core/heap.h"
#include "../core/internet.h"
#include "../core/limits.h"
#include "../core/sandbox.h"
#include "commands.h"
#include "interrupt.h"
#include "modules.h"
#include "nsh.h"
#include "run.h"

/* --- what stands ready for a script ----------------------------------------------------------- */

/* __index of the globals: nsh, host and show are loaded when a script first names one of them. */
static int load_global(lua_State *L) {
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    lua_settop(L, 2);
    if (!strcmp(name, "show"))
        push_module(L, "nsh.show");
    else if (!strcmp(name, "nsh") || !strcmp(name, "host"))
        push_module(L, "nsh");
    else
        return 0;
    if (!strcmp(name, "host"))
        lua_getfield(L, -1, "host");
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, 1);
    return 1;
}

static void add_globals(lua_State *L) {
    lua_pushglobaltable(L);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, load_global);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

/* The global `arg`, as lua(1) fills it: the script is 0, what stands before it is negative. */
static void add_arg(lua_State *L, int argc, char **argv, int script) {
    lua_createtable(L, argc - script, script + 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - script);
    }
    lua_setglobal(L, "arg");
}

/* --- the program ------------------------------------------------------------------------------ */

struct start {
    int argc;
    char **argv;
    struct settings settings;
    int status; /* of the program, and the signal that interrupted it */
    int signal;
};

static int protected_main(lua_State *L) {
    struct start *start = lua_touserdata(L, 1);
    luaL_checkversion(L);
    luaL_openlibs(L);
    if (interrupt_install(L) < 0)
        return luaL_error(L, "cannot start: %s", strerror(errno));
    add_modules(L);
    add_globals(L);
    limit_shells(L);
    add_arg(L, start->argc, start->argv, start->settings.script_index);
    lua_settop(L, 0);
    start->status = run_all(L, &start->settings);
    start->signal = interrupt_clear(L);
    return 0;
}

static int run_lua(struct start *start) {
    heap_prepare();
    lua_State *L = luaL_newstate();
    if (!L) {
        say_error("no memory");
        return EXIT_FAILURE;
    }
    lua_setallocf(L, heap_allocate, NULL);
    lua_pushcfunction(L, protected_main);
    lua_pushlightuserdata(L, start);
    start->status = EXIT_FAILURE;
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
        say_error(lua_tostring(L, -1));
    interrupt_leave();
    lua_close(L);
    return start->signal ? EXIT_SIGNAL + start->signal : check_output(start->status);
}

/* Before Lua and any thread. 0, or -1 after saying why not. */
static int enter_sandbox(const struct settings *settings) {
    struct error err = { 0 };
    bool wanted = settings->sandbox || settings->internet || geteuid() != 0;
    if (!wanted || (settings->internet ? sandbox_enter_internet : sandbox_enter)(&err) == 0)
        return 0;
    fprintf(stderr, "nsh: cannot enter a sandbox: %s\n", err.message);
    if (err.hint[0])
        fprintf(stderr, "  hint: %s\n", err.hint);
    return -1;
}

/* --keep: what was asked for must be there. */
static int check_kept(const struct settings *settings, int status) {
    if (!settings->keep || status != EXIT_SUCCESS)
        return status;
    if (guardian_lab())
        return status;
    say_error("there is no lab to keep");
    return EXIT_FAILURE;
}

static pid_t main_pid;

static void keep_lab(void) {
    const char *lab = guardian_lab();
    struct error err;
    if (guardian_keep(&err) < 0)
        fprintf(stderr, "nsh: cannot keep lab %s: %s\n", lab, err.message);
    else
        fprintf(stderr, "nsh: lab %s stays up: nsh enter NODE enters it, nsh down %s ends it\n",
                lab, lab);
}

/* At exit, so that os.exit takes this way as well; a forked child has nothing to stop. */
static void leave(int status, void *arg) {
    const struct settings *settings = arg;
    if (getpid() != main_pid)
        return;
    if (settings->keep && status == EXIT_SUCCESS && guardian_lab())
        keep_lab();
    guardian_stop();
}

static int run_program(struct start *start) {
    limits_raise();
    limits_make_room();
    main_pid = getpid();
    on_exit(leave, &start->settings);
    if (enter_sandbox(&start->settings) < 0)
        return EXIT_FAILURE;
    return check_kept(&start->settings, run_lua(start));
}

int main(int argc, char **argv) {
    char message[256];
    if (argc == 2 && !strcmp(argv[1], INTERNET_HOLDER))
        return internet_hold();
    static struct start start; /* it is needed at exit */
    start.argc = argc;
    start.argv = argv;
    int status = EXIT_SUCCESS;
    if (parse_options(argc, argv, &start.settings, message, sizeof message) < 0) {
        say_error(message);
        status = EXIT_USAGE;
    } else if (start.settings.help) {
        print_help();
        status = check_output(EXIT_SUCCESS);
    } else if (start.settings.version) {
        printf("nsh %s (%s)\n", NSH_VERSION, LUA_RELEASE);
        status = check_output(EXIT_SUCCESS);
    } else if (start.settings.command) {
        status = run_command(&start.settings, argv + start.settings.script_index + 1);
    } else {
        status = run_program(&start);
    }
    free(start.settings.steps);
    return status;
}
