/* core.netlink.batch: many changes of one namespace, sent together; and requests that are written
   but not sent, for plans and for what is undone later. */
#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "../core/schema/fill.h"
#include "../core/schema/make.h"
#include "../core/schema/reader.h"
#include "request.h"

#define TYPE "nsh.batch"

struct entry {
    size_t offset;
    const struct object *object;
    const struct verb *verb;
    bool refused;
};

struct batch {
    char *bytes;
    size_t used, room;
    struct entry *entries;
    size_t count, entry_room;
    struct netlink_seen seen; /* in the namespace of those that wait */
};

/* What went wrong first, since later ones may only follow from it; and the list of all. */
struct failure {
    size_t first;
    struct error err;
    struct refusal refusal;
    const struct netlink *nl;
    struct entry *entries;
};

/* --- filling ---------------------------------------------------------------------------------- */

static int make_room(void **memory, size_t *room, size_t needed, size_t size) {
    if (needed <= *room)
        return 0;
    size_t more = needed * 2;
    void *grown = realloc(*memory, more * size);
    if (!grown)
        return -1;
    *memory = grown;
    *room = more;
    return 0;
}

static int append(struct batch *b, const struct message *m, struct error *err) {
    size_t size = MNL_ALIGN(m->header.nlmsg_len);
    if (make_room((void **)&b->bytes, &b->room, b->used + size, 1) < 0 ||
        make_room((void **)&b->entries, &b->entry_room, b->count + 1, sizeof *b->entries) < 0)
        return error_errno(err, ENOMEM);
    memcpy(b->bytes + b->used, m->bytes, m->header.nlmsg_len);
    b->entries[b->count++] = (struct entry){ b->used, m->object, m->verb, false };
    b->used += size;
    return 0;
}

/* What the message refers to must still be open when the batch is sent. */
static int check_namespaces(const struct message *m, struct error *err) {
    for (int i = 0; i < m->namespace_count; i++)
        if (m->namespaces[i].opened)
            return error_set(err, EINVAL, "in a batch a namespace is a handle, not a name");
    return 0;
}

/* The command that does what a message says; valid until the next one. */
static const char *command_of(const struct message *m, const char *netns) {
    static char text[8192];
    return schema_command(m, netns, text, sizeof text) ? text : "# a command too long to show";
}

/* From the arguments of add to a message that waits; told: whether its command is wanted, else that
   is NULL. */
static int write_entry(lua_State *L, struct batch *b, struct socket *s, bool told,
                       const char **command, struct error *err) {
    int result = request_write(L, 3, &s->nl, &b->seen, err);
    if (result == 0 && check_namespaces(&message, err) == 0 && schema_make(&message, err) >= 0 &&
        schema_fill(&message, err) == 0)
        result = append(b, &message, err);
    else
        result = -1;
    *command = result == 0 && told ? command_of(&message, s->name[0] ? s->name : NULL) : NULL;
    request_finish(NULL, 0, NULL);
    return result;
}

/* add(batch, socket, object, verb, args, told) -> true, or, if told, its command | nil, err */
static int batch_add(lua_State *L) {
    struct batch *b = luaL_checkudata(L, 1, TYPE);
    struct socket *s = luaL_checkudata(L, 2, NETLINK_TYPE);
    const char *command;
    struct error err;
    if (write_entry(L, b, s, lua_toboolean(L, 6), &command, &err) < 0)
        return fail(L, &err);
    if (command)
        lua_pushstring(L, command);
    else
        lua_pushboolean(L, true);
    return 1;
}

/* --- sending ---------------------------------------------------------------------------------- */

static void note(void *arg, size_t index, const struct error *err) {
    struct failure *failure = arg;
    failure->entries[index].refused = true;
    if (failure->err.code)
        return;
    failure->first = index;
    failure->err = *err;
    failure->refusal = failure->nl->refusal;
}

/* The message that was refused, looked at once more: which key was it? */
static void locate(const struct batch *b, struct failure *failure) {
    const struct entry *entry = &b->entries[failure->first];
    const struct nlmsghdr *sent = (const struct nlmsghdr *)(b->bytes + entry->offset);
    memcpy(message.bytes, sent, sent->nlmsg_len);
    message.object = entry->object;
    message.verb = entry->verb;
    message.given_count = 0;
    schema_locate(&message, &failure->refusal, failure->err.key, sizeof failure->err.key);
}

static void push_refused(lua_State *L, const struct batch *b) {
    lua_newtable(L);
    for (size_t i = 0; i < b->count; i++)
        if (b->entries[i].refused) {
            lua_pushboolean(L, true);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
}

/* send(batch, socket) -> true | nil, err, first, refused: sends all, and empties the batch. `first`
   is the number of the message that the error is about, `refused` has a true at the number of each
   that failed; the others have been done all the same. Without both the socket itself failed. */
static int batch_send(lua_State *L) {
    struct batch *b = luaL_checkudata(L, 1, TYPE);
    struct socket *s = luaL_checkudata(L, 2, NETLINK_TYPE);
    struct failure failure = { .nl = &s->nl, .entries = b->entries };
    struct error err = { 0 };
    int refused = netlink_batch(&s->nl, b->bytes, b->count, note, &failure, &err);
    if (refused > 0) {
        locate(b, &failure);
        fail(L, &failure.err);
        lua_pushinteger(L, (lua_Integer)failure.first + 1);
        push_refused(L, b);
    }
    b->used = b->count = 0;
    b->seen.index = 0;
    if (refused < 0)
        return fail(L, &err);
    if (refused > 0)
        return 4;
    lua_pushboolean(L, true);
    return 1;
}

/* --- written, not sent ------------------------------------------------------------------------ */

/* command(name or nil, object, verb, args) -> the command that does the same | nil, err. Interfaces
   need not exist. */
static int plan_command(lua_State *L) {
    static struct netlink_names names;
    struct netlink nl = { .fd = -1, .names = &names };
    struct error err;
    const char *netns = luaL_optstring(L, 1, NULL);
    names.count = 0;
    if (request_write(L, 2, &nl, NULL, &err) < 0)
        return fail(L, &err);
    const char *command = command_of(&message, netns);
    request_finish(NULL, 0, NULL);
    lua_pushstring(L, command);
    return 1;
}

/* message(socket, object, verb, args) -> its bytes | nil, err */
static int plan_message(lua_State *L) {
    struct socket *s = luaL_checkudata(L, 1, NETLINK_TYPE);
    struct error err;
    if (request_write(L, 2, &s->nl, NULL, &err) < 0)
        return fail(L, &err);
    message.header.nlmsg_flags |= NLM_F_REQUEST;
    lua_pushlstring(L, message.bytes, message.header.nlmsg_len);
    request_finish(NULL, 0, NULL);
    return 1;
}

static struct nlmsghdr *put_link(char *at, uint16_t type, const char *name, unsigned change) {
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(at);
    nlh->nlmsg_type = type;
    nlh->nlmsg_flags = NLM_F_REQUEST;
    struct ifinfomsg *link = mnl_nlmsg_put_extra_header(nlh, sizeof *link);
    link->ifi_change = change;
    mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
    return nlh;
}

/* deletion(name) -> the bytes of messages that set down and delete the link of that name, which
   need not exist yet. Down first: a bridge whose ports are forwarding goes slowly. */
static int plan_deletion(lua_State *L) {
    enum { ROOM = MNL_NLMSG_HDRLEN + sizeof(struct ifinfomsg) + MNL_ATTR_HDRLEN + 16 };
    size_t length;
    const char *name = luaL_checklstring(L, 1, &length);
    _Alignas(struct nlmsghdr) char bytes[2 * ROOM];
    luaL_argcheck(L, length < 16, 1, "too long");
    size_t used = put_link(bytes, RTM_NEWLINK, name, IFF_UP)->nlmsg_len;
    used += put_link(bytes + used, RTM_DELLINK, name, 0)->nlmsg_len;
    lua_pushlstring(L, bytes, used);
    return 1;
}

/* --- the userdata ----------------------------------------------------------------------------- */

static int batch_new(lua_State *L) {
    struct batch *b = lua_newuserdatauv(L, sizeof *b, 0);
    *b = (struct batch){ 0 };
    luaL_setmetatable(L, TYPE);
    return 1;
}

static int batch_length(lua_State *L) {
    const struct batch *b = luaL_checkudata(L, 1, TYPE);
    lua_pushinteger(L, (lua_Integer)b->count);
    return 1;
}

static int batch_free(lua_State *L) {
    struct batch *b = luaL_checkudata(L, 1, TYPE);
    free(b->bytes);
    free(b->entries);
    *b = (struct batch){ 0 };
    return 0;
}

static const luaL_Reg functions[] = {
    { "batch", batch_new },
    { "command", plan_command },
    { "message", plan_message },
    { "deletion", plan_deletion },
    { NULL, NULL },
};

static const luaL_Reg methods[] = {
    { "add", batch_add },
    { "send", batch_send },
    { NULL, NULL },
};

static const luaL_Reg metamethods[] = {
    { "__len", batch_length },
    { "__gc", batch_free },
    { "__close", batch_free },
    { NULL, NULL },
};

void add_batch(lua_State *L) {
    new_type(L, TYPE, methods, metamethods);
    luaL_setfuncs(L, functions, 0);
}
