/* core.netlink.monitor: what the kernel tells of changes; and names, which it does not tell again.
 */
#include "../core/monitor.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "request.h"

#define TYPE "nsh.monitor.socket"
#define NAMES "nsh.interfaces"

/* --- messages --------------------------------------------------------------------------------- */

static const struct object *check_object(lua_State *L, int index) {
    const struct object *object = schema_object(luaL_checkstring(L, index));
    luaL_argcheck(L, object && object->groups[0], index, "nothing is told of it");
    return object;
}

/* The key of what a message is about, and the message: for Lua both are only bytes. */
static void push_message(lua_State *L, const struct object *object, const struct nlmsghdr *nlh) {
    char key[KEY_MAX];
    lua_pushlstring(L, key, schema_key(object, nlh, key));
    lua_pushlstring(L, (const char *)nlh, nlh->nlmsg_len);
}

/* --- the socket ------------------------------------------------------------------------------- */

static int monitor_new(lua_State *L, struct monitor **m) {
    *m = lua_newuserdatauv(L, sizeof **m, 0);
    **m = (struct monitor){ .fd = -1 };
    luaL_setmetatable(L, TYPE);
    return 1;
}

/* monitor(netns or nil, { object, … }, all, room) -> a socket that hears of these | nil, err */
static int nl_monitor(lua_State *L) {
    struct error err;
    struct monitor *m;
    int ns = to_netns(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    bool all = lua_toboolean(L, 3);
    int room = (int)luaL_checkinteger(L, 4);
    monitor_new(L, &m);
    if (monitor_open(m, ns, all, room, &err) < 0)
        return fail(L, &err);
    for (lua_Integer i = 1; lua_rawgeti(L, 2, i) != LUA_TNIL; i++) {
        if (monitor_join(m, check_object(L, lua_gettop(L)), &err) < 0)
            return fail(L, &err);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return 1;
}

/* next() -> "new" or "del", object, nsid or nil, key, message | nothing: there is none now
   | nil, err */
static int monitor_take(lua_State *L) {
    struct monitor *m = luaL_checkudata(L, 1, TYPE);
    struct error err;
    struct nlmsghdr *nlh;
    const struct object *object = NULL;
    bool gone = false;
    int result;
    do
        result = monitor_next(m, &nlh, &err);
    while (result > 0 && !(object = monitor_object(nlh, &gone)));
    if (result < 0)
        return fail(L, &err);
    if (result == 0)
        return 0;
    lua_pushstring(L, gone ? "del" : "new");
    lua_pushstring(L, object->name);
    if (m->nsid == MONITOR_HERE)
        lua_pushnil(L);
    else
        lua_pushinteger(L, m->nsid);
    push_message(L, object, nlh);
    return 5;
}

static int monitor_forget(lua_State *L) {
    monitor_drop(luaL_checkudata(L, 1, TYPE));
    return 0;
}

static int monitor_fileno(lua_State *L) {
    const struct monitor *m = luaL_checkudata(L, 1, TYPE);
    lua_pushinteger(L, m->fd);
    return 1;
}

static int monitor_free(lua_State *L) {
    monitor_close(luaL_checkudata(L, 1, TYPE));
    return 0;
}

/* --- what there is ---------------------------------------------------------------------------- */

/* Of all families. */
static int begin_dump(struct netlink *nl, const struct object *object, struct error *err) {
    union {
        struct nlmsghdr header;
        char bytes[MNL_NLMSG_HDRLEN + 64 + DUMP_ATTRIBUTES];
    } request;
    static const char filter[64];
    mnl_nlmsg_put_header(&request)->nlmsg_type = object->get;
    mnl_nlmsg_put_extra_header(&request.header, object->table->header);
    if (object->prepare_dump)
        object->prepare_dump(filter, &request.header);
    return netlink_dump(nl, &request.header, err);
}

/* Pushes a list of keys and messages in turn, all that there are if it returns 0. */
static int push_dump(lua_State *L, struct netlink *nl, const struct object *object,
                     struct error *err) {
    struct nlmsghdr *nlh;
    lua_Integer count = 0;
    bool gone;
    int more;
    lua_newtable(L);
    if (begin_dump(nl, object, err) < 0)
        return -1;
    while ((more = netlink_next(nl, &nlh, err)) > 0)
        if (monitor_object(nlh, &gone) == object) {
            push_message(L, object, nlh);
            lua_rawseti(L, -3, count + 2);
            lua_rawseti(L, -2, count + 1);
            count += 2;
        }
    return more;
}

struct dump {
    struct reading reading; /* the first member: it is what is passed on */
    const struct object *object;
};

static int push_all(lua_State *L) {
    struct dump *dump = lua_touserdata(L, 1);
    struct reading *reading = &dump->reading;
    int tries = NETLINK_TRIES;
    do {
        lua_settop(L, 1);
        reading->result = push_dump(L, reading->nl, dump->object, &reading->err);
    } while (reading->result < 0 && reading->err.code == EAGAIN && --tries);
    return 1;
}

/* dump(socket, object) -> { key, message, … } of all that there is | nil, err */
static int nl_dump(lua_State *L) {
    struct socket *s = luaL_checkudata(L, 1, NETLINK_TYPE);
    struct dump dump = { .reading.nl = &s->nl, .object = check_object(L, 2) };
    struct reading *reading = &dump.reading;
    if (s->nl.fd < 0) {
        error_set(&reading->err, EBADF, "the namespace is closed");
        return fail(L, &reading->err);
    }
    read_undisturbed(L, push_all, reading);
    return reading->result < 0 ? fail(L, &reading->err) : 1;
}

/* --- names, and records ----------------------------------------------------------------------- */

static int names_new(lua_State *L) {
    struct interfaces *known = lua_newuserdatauv(L, sizeof *known, 0);
    *known = (struct interfaces){ 0 };
    luaL_setmetatable(L, NAMES);
    return 1;
}

static const struct nlmsghdr *check_message(lua_State *L, int index) {
    size_t size;
    const struct nlmsghdr *nlh = (const void *)luaL_checklstring(L, index, &size);
    luaL_argcheck(L, size >= sizeof *nlh && nlh->nlmsg_len == size, index, "no message");
    return nlh;
}

/* learn(names, message of a link): its name from here on */
static int names_learn(lua_State *L) {
    struct interfaces *known = luaL_checkudata(L, 1, NAMES);
    static const struct field index = { "", NUMBER, S32, HEADER(ifinfomsg, ifi_index) };
    static const struct field name = { "", STRING, .attr = IFLA_IFNAME };
    const struct table *table = schema_object("link")->table;
    struct reader r;
    struct value v;
    char text[16];
    int64_t number;
    luaL_argcheck(L, reader_begin(&r, table, check_message(L, 2), NULL) == 0, 2, "no link");
    if (read_number(&r, &index, &number) && read_value(&r, &name, &v)) {
        snprintf(text, sizeof text, "%.*s", (int)v.length, v.text);
        interfaces_note(known, (int)number, text);
    }
    return 0;
}

/* record(names, object, message) -> the record, whose interfaces have the names that are known */
static int names_record(lua_State *L) {
    struct netlink nl = { .fd = -1, .known = luaL_checkudata(L, 1, NAMES) };
    const struct object *object = check_object(L, 2);
    const struct nlmsghdr *nlh = check_message(L, 3);
    struct reader r;
    luaL_argcheck(L, reader_begin(&r, object->table, nlh, &nl) == 0, 3, "no such object");
    push_record(L, object, &r);
    return 1;
}

static int names_free(lua_State *L) {
    interfaces_free(luaL_checkudata(L, 1, NAMES));
    return 0;
}

/* --- the userdata ----------------------------------------------------------------------------- */

static const luaL_Reg functions[] = {
    { "monitor", nl_monitor },
    { "names", names_new },
    { "dump", nl_dump },
    { NULL, NULL },
};

static const luaL_Reg methods[] = {
    { "next", monitor_take },
    { "drop", monitor_forget },
    { "fileno", monitor_fileno },
    { "close", monitor_free },
    { NULL, NULL },
};

static const luaL_Reg metamethods[] = {
    { "__gc", monitor_free },
    { "__close", monitor_free },
    { NULL, NULL },
};

static const luaL_Reg name_methods[] = {
    { "learn", names_learn },
    { "record", names_record },
    { NULL, NULL },
};

static const luaL_Reg name_metamethods[] = { { "__gc", names_free }, { NULL, NULL } };

void add_monitor(lua_State *L) {
    new_type(L, TYPE, methods, metamethods);
    new_type(L, NAMES, name_methods, name_metamethods);
    luaL_setfuncs(L, functions, 0);
}
