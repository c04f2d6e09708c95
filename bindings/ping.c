/* core.ping: echo requests to many targets; an engine that the caller polls. */
#include <sys/socket.h>

#include "nsh.h"

#include "../core/ping.h"

#define TYPE "nsh.ping"

static struct ping *check_ping(lua_State *L) {
    struct ping **slot = luaL_checkudata(L, 1, TYPE);
    if (!*slot)
        luaL_error(L, "the ping is closed");
    return *slot;
}

static struct ping **new_ping(lua_State *L) {
    struct ping **slot = lua_newuserdatauv(L, sizeof *slot, 0);
    *slot = NULL;
    luaL_setmetatable(L, TYPE);
    return slot;
}

/* Leaves the value on the stack, so that a string stays where it is. */
static lua_Number option(lua_State *L, const char *key) {
    lua_getfield(L, 2, key);
    if (!lua_isnumber(L, -1))
        luaL_error(L, "option \"%s\" is no number", key);
    return lua_tonumber(L, -1);
}

/* A number that no uint32_t holds is out of every option's range; so is UINT32_MAX. */
static uint32_t whole_option(lua_State *L, const char *key) {
    lua_Number value = option(L, key);
    return value >= 0 && value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

/* ping.open(netns, { count =, interval =, timeout =, size =, ttl =, burst =, source = }) -> engine.
   All but the last two must be there; ttl 0 is the namespace's default. */
static int ping_new(lua_State *L) {
    struct error err;
    struct ping_options options = { 0 };
    int ns = to_netns(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    options.count = whole_option(L, "count");
    options.interval = option(L, "interval");
    options.timeout = option(L, "timeout");
    options.size = whole_option(L, "size");
    options.ttl = (int)(whole_option(L, "ttl") & INT32_MAX);
    lua_getfield(L, 2, "burst");
    options.burst = (uint32_t)luaL_optinteger(L, -1, 0);
    lua_getfield(L, 2, "source");
    options.source = luaL_optstring(L, -1, NULL);
    struct ping **slot = new_ping(L);
    *slot = ping_open(ns, &options, &err);
    return *slot ? 1 : fail(L, &err);
}

/* engine:add(address) -> true */
static int ping_add_target(lua_State *L) {
    struct error err;
    if (ping_add(check_ping(L), luaL_checkstring(L, 2), &err) < 0)
        return fail(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

/* engine:step() -> "sending", then "waiting" for replies, then "done" */
static int ping_do_step(lua_State *L) {
    struct error err;
    struct ping *ping = check_ping(L);
    int done = ping_step(ping, &err);
    if (done < 0)
        return fail(L, &err);
    lua_pushstring(L, done ? "done" : ping_all_sent(ping) ? "waiting" : "sending");
    return 1;
}

/* engine:timeout() -> seconds until the next step is due */
static int ping_get_timeout(lua_State *L) {
    lua_pushnumber(L, ping_timeout(check_ping(L)));
    return 1;
}

/* engine:fds() -> { { fd, "r" }, … }, as loop.wait_any takes them */
static int ping_get_fds(lua_State *L) {
    int fds[2];
    size_t count = ping_fds(check_ping(L), fds);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        lua_createtable(L, 2, 0);
        lua_pushinteger(L, fds[i]);
        lua_rawseti(L, -2, 1);
        lua_pushliteral(L, "r");
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static void set_integer(lua_State *L, const char *key, lua_Integer value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, key);
}

static void set_number(lua_State *L, const char *key, lua_Number value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}

static void set_text(lua_State *L, const char *key, const char *value) {
    if (!value || !*value)
        return;
    lua_pushstring(L, value);
    lua_setfield(L, -2, key);
}

static void push_result(lua_State *L, const struct ping_result *result) {
    lua_createtable(L, 0, 16);
    set_integer(L, "transmitted", result->transmitted);
    set_integer(L, "received", result->received);
    set_integer(L, "duplicates", result->duplicates);
    set_number(L, "loss", result->loss);
    set_text(L, "reason", ping_reason_name(result->reason));
    set_text(L, "message", result->message);
    set_text(L, "from", result->from);
    if (result->received == 0)
        return;
    set_number(L, "min", result->min);
    set_number(L, "avg", result->avg);
    set_number(L, "max", result->max);
    set_number(L, "mdev", result->mdev);
    if (result->ttl >= 0)
        set_integer(L, "ttl", result->ttl);
}

/* engine:result(i) -> the result of the target that was added as the i-th; times in milliseconds,
   and only if there was a reply */
static int ping_get_result(lua_State *L) {
    struct error err;
    struct ping_result result;
    lua_Integer index = luaL_checkinteger(L, 2);
    if (ping_result(check_ping(L), (size_t)index - 1, &result, &err) < 0)
        return fail(L, &err);
    push_result(L, &result);
    return 1;
}

/* engine:rtt(i) -> the mean round-trip time of that target in milliseconds, nil without a reply */
static int ping_get_rtt(lua_State *L) {
    struct error err;
    struct ping_result result;
    lua_Integer index = luaL_checkinteger(L, 2);
    if (ping_result(check_ping(L), (size_t)index - 1, &result, &err) < 0)
        return fail(L, &err);
    if (result.received == 0)
        return 0;
    lua_pushnumber(L, result.avg);
    return 1;
}

/* engine:again(timeout) -> true: begins anew, without targets, with the sockets that it has */
static int ping_do_again(lua_State *L) {
    struct error err;
    if (ping_again(check_ping(L), luaL_checknumber(L, 2), &err) < 0)
        return fail(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

/* engine:table("inet" or "inet6") -> entries, limit, overflows of the machine's neighbour table */
static int ping_get_table(lua_State *L) {
    static const char *const names[] = { "inet", "inet6", NULL };
    struct error err;
    struct ping_table table;
    struct ping *ping = check_ping(L);
    int family = luaL_checkoption(L, 2, NULL, names) ? AF_INET6 : AF_INET;
    if (ping_read_table(ping, family, &table, &err) < 0)
        return fail(L, &err);
    lua_pushinteger(L, table.entries);
    lua_pushinteger(L, table.limit);
    lua_pushinteger(L, table.overflows);
    return 3;
}

/* engine:remember() -> true: the neighbours that the namespace has now stay */
static int ping_do_remember(lua_State *L) {
    struct error err;
    if (ping_remember(check_ping(L), &err) < 0)
        return fail(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

/* engine:forget() -> how many neighbours it deleted: those that came by themselves since then */
static int ping_do_forget(lua_State *L) {
    struct error err;
    int count = ping_forget(check_ping(L), &err);
    if (count < 0)
        return fail(L, &err);
    lua_pushinteger(L, count);
    return 1;
}

static int ping_release(lua_State *L) {
    struct ping **slot = luaL_checkudata(L, 1, TYPE);
    ping_close(*slot);
    *slot = NULL;
    return 0;
}

static const luaL_Reg functions[] = {
    { "open", ping_new },
    { NULL, NULL },
};

static const luaL_Reg methods[] = {
    { "add", ping_add_target },   { "step", ping_do_step },      { "timeout", ping_get_timeout },
    { "fds", ping_get_fds },      { "result", ping_get_result }, { "rtt", ping_get_rtt },
    { "again", ping_do_again },   { "table", ping_get_table },   { "remember", ping_do_remember },
    { "forget", ping_do_forget }, { "close", ping_release },     { NULL, NULL },
};

static const luaL_Reg metamethods[] = {
    { "__gc", ping_release },
    { "__close", ping_release },
    { NULL, NULL },
};

int open_ping(lua_State *L) {
    new_type(L, TYPE, methods, metamethods);
    luaL_newlib(L, functions);
    return 1;
}
