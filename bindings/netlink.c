/* core.netlink: a socket in one namespace, and the verbs of every object. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../core/generic.h"
#include "../core/key.h"
#include "../core/schema/change.h"
#include "../core/schema/unit.h"
#include "codec.h"
#include "request.h"

#define TYPE NETLINK_TYPE

struct message message;
static struct message rest;          /* of `message` */
static struct netlink_buffer buffer; /* of all sockets */
static struct interfaces known;      /* while one answer is read */

/* --- -x: what the kernel accepted, as commands ------------------------------------------------ */

enum { MOST_COMMANDS = 3 }; /* of one call: a creation, what follows it, and what undoes it */

static bool traced;
static struct command {
    char text[8192];
    struct error refusal; /* its code is 0 if there is none */
} commands[MOST_COMMANDS];
static int command_count;

/* Interfaces are looked up by their index: before the message is sent. */
static void prepare_trace(void *arg, const struct message *m, const char *netns) {
    struct command *command = &commands[command_count];
    (void)arg;
    if (traced && !schema_command(m, netns, command->text, sizeof command->text))
        strcpy(command->text, "# a command too long to show");
}

static void note_trace(void *arg, const struct error *err) {
    (void)arg;
    commands[command_count].refusal = err ? *err : (struct error){ 0 };
    command_count += traced;
}

static const struct witness witness = { prepare_trace, note_trace, NULL };

/* What is called may speak to the kernel itself, and so use all that is static here. */
static void call_trace(lua_State *L) {
    int count = command_count, top = lua_gettop(L);
    luaL_checkstack(L, 2 * MOST_COMMANDS + 3, NULL);
    for (int i = 0; i < count; i++) {
        lua_pushstring(L, commands[i].text);
        lua_pushstring(L, commands[i].refusal.code ? commands[i].refusal.message : NULL);
    }
    for (int i = 0; i < count; i++)
        if (lua_getfield(L, LUA_REGISTRYINDEX, "nsh.trace") == LUA_TFUNCTION) {
            lua_pushvalue(L, top + 2 * i + 1);
            lua_pushvalue(L, top + 2 * i + 2);
            lua_call(L, 2, 0);
        }
    lua_settop(L, top);
}

/* trace(fn): fn(command, refusal or nil) is called for every change that was sent; nil ends it. */
static int nl_trace(lua_State *L) {
    if (!lua_isnoneornil(L, 1))
        luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    traced = !lua_isnil(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "nsh.trace");
    return 0;
}

/* --- requests --------------------------------------------------------------------------------- */

static const struct verb *begin_request(lua_State *L, int index, struct netlink *nl,
                                        struct writer *w) {
    const char *object_name = luaL_checkstring(L, index);
    const char *verb_name = luaL_checkstring(L, index + 1);
    const struct object *object = schema_object(object_name);
    const struct verb *verb = object ? schema_verb(object, verb_name) : NULL;
    if (!verb)
        luaL_error(L, "there is no \"%s %s\"", object_name, verb_name);
    message_end(&message); /* if an error cut off the last one */
    nl->seen = NULL;
    message_begin(&message, nl, object, verb, w);
    command_count = 0;
    return verb;
}

static int encode_request(lua_State *L, int index, struct writer *w, struct error *err) {
    const struct netlink *nl = message.nl;
    int result = nl->fd < 0 && !nl->names ? error_set(err, EBADF, "the namespace is closed")
                                          : encode(L, index, w, err);
    if (result < 0)
        message_end(&message);
    return result;
}

int request_write(lua_State *L, int index, struct netlink *nl, struct netlink_seen *seen,
                  struct error *err) {
    struct writer w;
    begin_request(L, index, nl, &w);
    nl->seen = seen;
    int result = encode_request(L, index + 2, &w, err);
    nl->seen = NULL;
    return result;
}

int request_finish(const struct refusal *refusal, int result, struct error *err) {
    if (result < 0)
        schema_locate(&message, refusal, err->key, sizeof err->key);
    message_end(&message);
    return result;
}

/* Of a socket's method: socket, object, verb, the caller's table. */
static int write_request(lua_State *L, struct socket *s, struct error *err) {
    return request_write(L, 2, &s->nl, NULL, err);
}

static const char *name_of(const struct socket *s) {
    return s->name[0] ? s->name : NULL;
}

/* What is new can have a second part where it can be set. */
static void begin_rest(void) {
    const struct verb *set = schema_verb(message.object, "set");
    struct writer unused;
    if (!set)
        return;
    message_begin(&rest, message.nl, message.object, set, &unused);
    message.rest = &rest;
}

/* change(socket, object, verb, args, whether these are a record) -> true | nil, err */
static int nl_change(lua_State *L) {
    struct socket *s = luaL_checkudata(L, 1, TYPE);
    struct writer w;
    struct error err;
    const struct verb *verb = begin_request(L, 2, &s->nl, &w);
    message.from_record = lua_toboolean(L, 5);
    if (verb->flags & NLM_F_CREATE)
        begin_rest();
    if (encode_request(L, 4, &w, &err) < 0)
        return fail(L, &err);
    int result = schema_change(&message, name_of(s), &witness, &err);
    message_end(&message);
    call_trace(L);
    if (result < 0)
        return fail(L, &err);
    lua_pushboolean(L, true);
    return 1;
}

static bool is_absent(const struct object *object, const struct nlmsghdr *reply,
                      const struct netlink *nl) {
    struct reader r;
    return object->absent && reader_begin(&r, object->table, reply, nl) == 0 && object->absent(&r);
}

/* --- answers ---------------------------------------------------------------------------------- */

void read_undisturbed(lua_State *L, lua_CFunction fn, struct reading *reading) {
    bool collecting = lua_gc(L, LUA_GCISRUNNING);
    lua_gc(L, LUA_GCSTOP);
    lua_pushcfunction(L, fn);
    lua_pushlightuserdata(L, reading);
    reading->nl->known = &known;
    int status = lua_pcall(L, 1, 1, 0);
    reading->nl->known = NULL;
    interfaces_free(&known);
    if (collecting)
        lua_gc(L, LUA_GCRESTART);
    if (status != LUA_OK)
        lua_error(L);
}

static int push_reply(lua_State *L) {
    const struct reading *reading = lua_touserdata(L, 1);
    const struct object *object = message.object;
    struct reader r;
    if (!message_tells(reading->reply, object, reading->nl) ||
        reader_begin(&r, object->table, reading->reply, reading->nl) < 0)
        return 0;
    push_record(L, object, &r);
    return 1;
}

static int nl_get(lua_State *L) {
    struct socket *s = luaL_checkudata(L, 1, TYPE);
    struct reading reading = { .nl = &s->nl };
    struct error *err = &reading.err;
    if (write_request(L, s, err) < 0)
        return fail(L, err);
    int result = netlink_get(&s->nl, &message.header, &reading.reply, err);
    if (result == 0 && is_absent(message.object, reading.reply, &s->nl))
        result = error_set(err, ENOENT, "there is none");
    if (request_finish(&s->nl.refusal, result, err) < 0)
        return fail(L, err);
    read_undisturbed(L, push_reply, &reading);
    return 1;
}

/* --- dumps ------------------------------------------------------------------------------------ */

union request {
    struct nlmsghdr header;
    char bytes[MNL_NLMSG_HDRLEN + 64 + DUMP_ATTRIBUTES];
};

/* Zeros but for the family (and what the object's dumps can filter by): NETLINK_GET_STRICT_CHK. */
int request_dump(struct netlink *nl, struct error *err) {
    const struct object *object = message.object;
    union request request;
    if (object->generic)
        return netlink_dump(nl, &message.header, err);
    mnl_nlmsg_put_header(&request)->nlmsg_type = object->get;
    uint8_t *family = mnl_nlmsg_put_extra_header(&request.header, object->table->header);
    *family = *message_family(&message);
    if (object->prepare_dump)
        object->prepare_dump(mnl_nlmsg_get_payload(&message.header), &request.header);
    return netlink_dump(nl, &request.header, err);
}

/* out: which records are left out unless the filter says otherwise; NULL: none. */
static bool is_wanted(const struct object *object, bool (*out)(const struct reader *),
                      const struct reader *r) {
    bool unhidden =
        object->unhide && message_given(&message, schema_field(object->table, object->unhide));
    if (out && !unhidden && out(r))
        return false;
    return schema_matches(&message, r);
}

bool request_lists(const struct reader *r) {
    return message.object->generic || is_wanted(message.object, message.object->hidden, r);
}

/* Adds the records of one message to the list on top of the stack. */
static void add_records(lua_State *L, const struct netlink *nl, const struct nlmsghdr *nlh,
                        lua_Integer *count) {
    struct records records = { message.object, nlh, nl };
    if (!message_tells(nlh, message.object, nl))
        return;
    while (records_next(&records))
        if (request_lists(&records.reader)) {
            push_record(L, message.object, &records.reader);
            lua_rawseti(L, -2, ++*count);
        }
}

/* Pushes a list of records, all that there are if it returns 0. */
static int push_dump(lua_State *L, struct netlink *nl, struct error *err) {
    struct nlmsghdr *nlh;
    lua_Integer count = 0;
    int more;
    lua_newtable(L);
    push_list_metatable(L);
    lua_setmetatable(L, -2);
    if (request_dump(nl, err) < 0)
        return -1;
    while ((more = netlink_next(nl, &nlh, err)) > 0)
        add_records(L, nl, nlh, &count);
    return more;
}

static int push_list(lua_State *L) {
    struct reading *reading = lua_touserdata(L, 1);
    int tries = NETLINK_TRIES;
    do {
        lua_settop(L, 1);
        reading->result = push_dump(L, reading->nl, &reading->err);
    } while (reading->result < 0 && reading->err.code == EAGAIN && --tries);
    return 1;
}

static int nl_list(lua_State *L) {
    struct socket *s = luaL_checkudata(L, 1, TYPE);
    struct reading reading = { .nl = &s->nl };
    if (write_request(L, s, &reading.err) < 0)
        return fail(L, &reading.err);
    read_undisturbed(L, push_list, &reading);
    message_end(&message);
    return reading.result < 0 ? fail(L, &reading.err) : 1;
}

/* --- flush: what there is, sent back as deletions --------------------------------------------- */

struct deletions {
    struct messages all;
    struct error first; /* that is more than "it has gone already" */
};

struct nlmsghdr *messages_add(struct messages *all, const struct nlmsghdr *nlh) {
    size_t size = MNL_ALIGN(nlh->nlmsg_len);
    if (all->used + size > all->room) {
        size_t room = (all->room + size) * 2;
        char *bytes = realloc(all->bytes, room);
        if (!bytes)
            return NULL;
        all->bytes = bytes;
        all->room = room;
    }
    struct nlmsghdr *copy = memcpy(all->bytes + all->used, nlh, nlh->nlmsg_len);
    all->used += size;
    all->count++;
    return copy;
}

static int add_deletion(struct deletions *d, const struct nlmsghdr *nlh, uint16_t type) {
    struct nlmsghdr *copy = messages_add(&d->all, nlh);
    if (!copy)
        return -1;
    copy->nlmsg_type = type;
    copy->nlmsg_flags = 0;
    if (message.object->prepare_deletion)
        message.object->prepare_deletion(copy);
    d->all.used -= MNL_ALIGN(nlh->nlmsg_len) - MNL_ALIGN(copy->nlmsg_len);
    return 0;
}

static void note_refusal(void *arg, size_t index, const struct error *err) {
    struct deletions *d = arg;
    (void)index;
    bool gone = err->code == ENOENT || err->code == ESRCH || err->code == EADDRNOTAVAIL;
    if (!gone && !d->first.code)
        d->first = *err;
}

/* Whether the message is of one record, and that is to be deleted. */
static bool is_doomed(const struct nlmsghdr *nlh, const struct netlink *nl) {
    const struct object *object = message.object;
    struct reader r;
    return nlh->nlmsg_type == object->reply && reader_begin(&r, object->table, nlh, nl) == 0 &&
           is_wanted(object, object->spared, &r);
}

static int collect_deletions(struct socket *s, struct deletions *d, struct error *err) {
    const struct object *object = message.object;
    struct nlmsghdr *nlh;
    int more;
    d->all.used = d->all.count = 0;
    if (request_dump(&s->nl, err) < 0)
        return -1;
    while ((more = netlink_next(&s->nl, &nlh, err)) > 0)
        if (is_doomed(nlh, &s->nl) && add_deletion(d, nlh, (uint16_t)(object->reply + 1)) < 0)
            return error_errno(err, ENOMEM);
    return more;
}

static int flush(struct socket *s, struct error *err) {
    struct deletions d = { 0 };
    int result, tries = NETLINK_TRIES;
    do
        result = collect_deletions(s, &d, err);
    while (result < 0 && err->code == EAGAIN && --tries);
    if (result == 0 && d.all.count)
        result = netlink_batch(&s->nl, d.all.bytes, d.all.count, note_refusal, &d, err);
    free(d.all.bytes);
    if (result >= 0 && d.first.code) {
        *err = d.first;
        return -1;
    }
    return result < 0 ? -1 : (int)d.all.count;
}

static int nl_flush(lua_State *L) {
    struct socket *s = luaL_checkudata(L, 1, TYPE);
    struct error err;
    if (write_request(L, s, &err) < 0)
        return fail(L, &err);
    prepare_trace(NULL, &message, name_of(s));
    int result = flush(s, &err);
    message_end(&message);
    note_trace(NULL, result < 0 ? &err : NULL);
    call_trace(L);
    if (result < 0)
        return fail(L, &err);
    lua_pushinteger(L, result);
    return 1;
}

/* --- the userdata ----------------------------------------------------------------------------- */

struct socket *new_socket(lua_State *L, const char *name) {
    struct socket *s = lua_newuserdatauv(L, sizeof *s, 0);
    s->nl.fd = -1;
    snprintf(s->name, sizeof s->name, "%s", name);
    luaL_setmetatable(L, TYPE);
    return s;
}

int adopt_socket(struct socket *s, int fd, struct error *err) {
    return netlink_adopt(&s->nl, fd, &buffer, err);
}

/* open(netns or nil, name or nil, family or nil): a socket in that namespace; of generic netlink,
   if there is a family. */
static int nl_open(lua_State *L) {
    struct error err;
    int ns = to_netns(L, 1);
    const char *family = luaL_optstring(L, 3, NULL);
    struct socket *s = new_socket(L, luaL_optstring(L, 2, ""));
    int result = family ? netlink_open_generic(&s->nl, ns, family, &buffer, &err)
                        : netlink_open(&s->nl, ns, &buffer, &err);
    return result < 0 ? fail(L, &err) : 1;
}

static int nl_close(lua_State *L) {
    struct socket *s = luaL_checkudata(L, 1, TYPE);
    netlink_close(&s->nl);
    return 0;
}

/* objects() -> { link = { "add", "set", … }, … }; beside the verbs `family`, of generic netlink */
static int nl_objects(lua_State *L) {
    lua_newtable(L);
    for (const struct object *object = objects; object->name; object++) {
        lua_newtable(L);
        for (const struct verb *verb = object->verbs; verb->name; verb++) {
            lua_pushstring(L, verb->name);
            lua_rawseti(L, -2, (lua_Integer)(verb - object->verbs) + 1);
        }
        lua_pushstring(L, object->generic);
        lua_setfield(L, -2, "family");
        lua_setfield(L, -2, object->name);
    }
    return 1;
}

/* key(whether it is to be a private one) -> a new one of WireGuard, as text | nil, err */
static int nl_key(lua_State *L) {
    uint8_t key[KEY_SIZE];
    char text[KEY_TEXT];
    struct error err;
    if (key_generate(lua_toboolean(L, 1), key, &err) < 0)
        return fail(L, &err);
    lua_pushstring(L, key_format(key, text));
    return 1;
}

/* quantity("rate" or "time", value) -> bytes a second, or seconds; nil if it is no such thing. */
static int nl_quantity(lua_State *L) {
    static const char *const names[] = { "rate", "time", NULL };
    static const struct unit *const units[] = { &unit_rate, &unit_seconds_ns };
    const struct unit *unit = units[luaL_checkoption(L, 1, NULL, names)];
    struct value v = { .type = VALUE_BOOL };
    double number;
    if (lua_type(L, 2) == LUA_TNUMBER) {
        v.type = VALUE_REAL;
        v.real = lua_tonumber(L, 2);
    } else if (lua_type(L, 2) == LUA_TSTRING) {
        v.type = VALUE_TEXT;
        v.text = lua_tostring(L, 2);
    }
    if (unit_parse(unit, &v, &number))
        lua_pushnumber(L, number * unit->step / unit->number);
    else
        lua_pushnil(L);
    return 1;
}

static const luaL_Reg functions[] = {
    { "open", nl_open }, { "quantity", nl_quantity }, { "objects", nl_objects },
    { "key", nl_key },   { "trace", nl_trace },       { NULL, NULL },
};

static const luaL_Reg methods[] = {
    { "change", nl_change }, { "get", nl_get },     { "list", nl_list },
    { "flush", nl_flush },   { "close", nl_close }, { NULL, NULL },
};

static const luaL_Reg metamethods[] = {
    { "__gc", nl_close },
    { "__close", nl_close },
    { NULL, NULL },
};

int open_netlink(lua_State *L) {
    new_type(L, TYPE, methods, metamethods);
    add_ready(L);
    luaL_newlib(L, functions);
    add_batch(L);
    add_monitor(L);
    add_print(L);
    add_schema(L);
    return 1;
}
