/* core.poll: the one place where nsh's Lua waits. */
#include "nsh.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "interrupt.h"

static short check_mode(lua_State *L) {
    const char *mode = lua_tostring(L, -1);
    if (mode && !strcmp(mode, "r"))
        return POLLIN;
    if (mode && !strcmp(mode, "w"))
        return POLLOUT;
    return (short)luaL_error(L, "the mode of a wait is \"r\" or \"w\"");
}

/* The polled descriptors as Lua memory, the interrupt's behind them. */
static struct pollfd *make_set(lua_State *L, lua_Integer count) {
    struct pollfd *set = lua_newuserdatauv(L, sizeof *set * (size_t)(count + 1), 0);
    for (lua_Integer i = 0; i < count; i++) {
        lua_rawgeti(L, 1, i + 1);
        lua_rawgeti(L, 2, i + 1);
        set[i] = (struct pollfd){ .fd = (int)lua_tointeger(L, -2), .events = check_mode(L) };
        lua_pop(L, 2);
    }
    set[count] = (struct pollfd){ .fd = interrupt_fd(), .events = POLLIN };
    return set;
}

/* NULL waits for ever; what no clock can hold is for ever as well. */
static const struct timespec *to_timespec(lua_Number seconds, struct timespec *out) {
    if (!(seconds < 1e9))
        return NULL;
    if (seconds < 0)
        seconds = 0;
    out->tv_sec = (time_t)seconds;
    out->tv_nsec = (long)((seconds - floor(seconds)) * 1e9);
    return out;
}

/* Hangup, error and a closed descriptor count as ready: whoever reads or writes next will see. */
static int push_ready(lua_State *L, const struct pollfd *set, lua_Integer count) {
    lua_Integer found = 0;
    lua_newtable(L);
    for (lua_Integer i = 0; i < count; i++) {
        if (set[i].revents) {
            lua_pushinteger(L, i + 1);
            lua_rawseti(L, -2, ++found);
        }
    }
    return 1;
}

/* poll.wait(fds, modes, [seconds]) -> the indices of those that are ready. None after the time, and
   none after a signal: the caller knows its deadline and comes back. */
static int poll_wait(lua_State *L) {
    struct timespec time;
    struct error err;
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
    const struct timespec *limit = to_timespec(luaL_optnumber(L, 3, HUGE_VAL), &time);
    struct pollfd *set = make_set(L, count);
    int found = ppoll(set, (nfds_t)count + 1, limit, NULL);
    if (found < 0 && errno != EINTR) {
        error_errno(&err, errno);
        return fail(L, &err);
    }
    if (found < 0 || set[count].revents)
        interrupt_check(L);
    if (found < 0)
        count = 0;
    return push_ready(L, set, count);
}

/* poll.now() -> seconds on a clock that is never set. */
static int poll_now(lua_State *L) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
    return 1;
}

static const luaL_Reg functions[] = {
    { "wait", poll_wait },
    { "now", poll_now },
    { NULL, NULL },
};

int open_poll(lua_State *L) {
    luaL_newlib(L, functions);
    return 1;
}
