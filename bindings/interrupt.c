/* Signals as Lua errors; core.interrupt. */
#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lualib.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "nsh.h"

#define ERROR "nsh.interrupt" /* the metatable's key in the registry */

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

static int wakeup[2] = { -1, -1 };
static volatile sig_atomic_t pending;     /* the signal; whatever follows SIGINT replaces it */
static volatile sig_atomic_t shielded;    /* > 0: nothing raises now */
static lua_State *volatile running;       /* the coroutine to set the hook on */
static lua_CFunction lua_resume_function; /* coroutine.resume and close, as Lua has them */
static lua_CFunction lua_close_function;

/* --- the error -------------------------------------------------------------------------------- */

/* Pushes "script.lua:7", the innermost place that is not nsh's own; false without pushing if there
   is none. */
static bool push_place(lua_State *L) {
    lua_Debug at;
    for (int level = 0; lua_getstack(L, level, &at); level++) {
        lua_getinfo(L, "Sl", &at);
        if (at.currentline > 0 && strncmp(at.source, "=[nsh", 5)) {
            lua_pushfstring(L, "%s:%d", at.short_src, at.currentline);
            return true;
        }
    }
    return false;
}

static int interrupt_text(lua_State *L) {
    bool has_place = lua_getfield(L, 1, "where") == LUA_TSTRING;
    lua_pushfstring(L, "%s%sinterrupted", has_place ? lua_tostring(L, -1) : "",
                    has_place ? ": " : "");
    return 1;
}

static int raise_interrupt(lua_State *L) {
    luaL_checkstack(L, 8, NULL);
    lua_createtable(L, 0, 5);
    lua_pushliteral(L, "EINTR");
    lua_setfield(L, -2, "code");
    lua_pushinteger(L, EINTR);
    lua_setfield(L, -2, "errno");
    lua_pushliteral(L, "interrupted");
    lua_setfield(L, -2, "message");
    lua_pushinteger(L, pending);
    lua_setfield(L, -2, "signal");
    if (push_place(L))
        lua_setfield(L, -2, "where");
    if (luaL_newmetatable(L, ERROR)) {
        lua_pushcfunction(L, interrupt_text);
        lua_setfield(L, -2, "__tostring");
    }
    lua_setmetatable(L, -2);
    return lua_error(L);
}

/* --- the signal ------------------------------------------------------------------------------- */

static void set_hook(lua_State *L);

/* A coroutine may keep the hook after the interrupt is over: it then takes it off itself. */
static void hook(lua_State *L, lua_Debug *unused) {
    (void)unused;
    lua_sethook(L, NULL, 0, 0); /* before the look: a signal in between sets it again */
    if (pending && !shielded) {
        set_hook(L);
        raise_interrupt(L);
    }
}

static void set_hook(lua_State *L) {
    lua_sethook(L, hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

static void on_signal(int number) {
    int saved = errno;
    if (!pending || number != SIGINT)
        pending = number;
    if (running && !shielded)
        set_hook(running);
    if (write(wakeup[1], "", 1) < 0)
        errno = saved; /* it is full: then it is readable, which is all that matters */
    errno = saved;
}

static void drain(void) {
    char bytes[64];
    while (read(wakeup[0], bytes, sizeof bytes) > 0)
        ;
}

int interrupt_fd(void) {
    return wakeup[0];
}

int interrupt_pending(void) {
    return pending;
}

void interrupt_check(lua_State *L) {
    if (pending && !shielded)
        raise_interrupt(L);
    drain();
}

int interrupt_clear(lua_State *L) {
    int signal = pending;
    lua_sethook(L, NULL, 0, 0);
    pending = 0;
    drain();
    return signal;
}

void interrupt_leave(void) {
    running = NULL;
    pending = 0;
    drain();
}

/* --- which coroutine runs --------------------------------------------------------------------- */

/* Calls one of Lua's own functions, during which `co` runs. It does not raise: what it could raise
   for is checked before. A pending interrupt goes on in whoever resumed the coroutine. */
static int tracked(lua_State *L, lua_State *co, lua_CFunction function) {
    lua_State *previous = running;
    running = co;
    int results = function(L);
    running = previous;
    if (pending)
        set_hook(L);
    return results;
}

static int co_resume(lua_State *L) {
    lua_State *co = lua_tothread(L, 1);
    return co ? tracked(L, co, lua_resume_function) : lua_resume_function(L);
}

/* A coroutine that runs or has resumed another cannot be closed: Lua raises. */
static bool can_close(lua_State *co) {
    lua_Debug at;
    return lua_status(co) != LUA_OK || !lua_getstack(co, 0, &at);
}

static int co_close(lua_State *L) {
    lua_State *co = lua_tothread(L, 1);
    return co && can_close(co) ? tracked(L, co, lua_close_function) : lua_close_function(L);
}

/* As in Lua: an error closes the coroutine's variables and, if it is a string, gains a position. */
static int propagate(lua_State *L, lua_State *co) {
    int status = lua_status(co);
    if (status != LUA_OK && status != LUA_YIELD)
        tracked(L, co, lua_close_function); /* the coroutine is at index 1, the error on top */
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int co_wrapped(lua_State *L) {
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    int results = tracked(L, co, lua_resume_function);
    return lua_toboolean(L, -results) ? results - 1 : propagate(L, co);
}

static int co_wrap(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, co_wrapped, 1);
    return 1;
}

static const luaL_Reg coroutine_functions[] = {
    { "resume", co_resume },
    { "close", co_close },
    { "wrap", co_wrap },
    { NULL, NULL },
};

static void track_coroutines(lua_State *L) {
    lua_getglobal(L, LUA_COLIBNAME);
    lua_getfield(L, -1, "resume");
    lua_getfield(L, -2, "close");
    lua_resume_function = lua_tocfunction(L, -2);
    lua_close_function = lua_tocfunction(L, -1);
    lua_pop(L, 2);
    luaL_setfuncs(L, coroutine_functions, 0);
    lua_pop(L, 1);
}

int interrupt_install(lua_State *L) {
    if (pipe2(wakeup, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    running = L;
    track_coroutines(L);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction action, before;
        memset(&action, 0, sizeof action);
        action.sa_handler = on_signal; /* no SA_RESTART: a read from Lua must end */
        sigaction(signals[i], NULL, &before);
        if (before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
    return 0;
}

/* --- for Lua ---------------------------------------------------------------------------------- */

/* interrupt.loop(round): calls round(err) until it returns true. `err` is what the call before it
   raised, nil if nothing: Ctrl-C ends a round, never the loop; a signal that ends nsh ends it. */
static int interrupt_loop(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_pushnil(L);
    for (;;) {
        lua_pushvalue(L, 1);
        lua_insert(L, 2);
        int status = lua_pcall(L, 1, 1, 0);
        if (pending && pending != SIGINT)
            return raise_interrupt(L);
        interrupt_clear(L);
        if (status == LUA_OK && lua_toboolean(L, 2))
            return 0;
        if (status == LUA_OK) {
            lua_pushnil(L);
            lua_replace(L, 2);
        }
    }
}

/* interrupt.finally(fn, cleanup): calls fn(). Whatever it raises, an interrupt included, is raised
   again once cleanup(error) has ended, which no interrupt cuts off: what waits in it ends early. */
static int interrupt_finally(lua_State *L) {
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 0, 0, 0) == LUA_OK)
        return 0;
    shielded++;
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    int status = lua_pcall(L, 1, 0, 0);
    shielded--;
    if (pending && running)
        set_hook(running);
    if (status == LUA_OK)
        lua_settop(L, 3); /* the first error is the one that matters */
    return lua_error(L);
}

static const luaL_Reg functions[] = {
    { "finally", interrupt_finally },
    { "loop", interrupt_loop },
    { NULL, NULL },
};

int open_interrupt(lua_State *L) {
    luaL_newlib(L, functions);
    return 1;
}
