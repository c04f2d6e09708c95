/* A request as Lua writes it, on its way to a socket: shared by the verbs and by batches. */
#pragma once

#include "../core/netlink.h"
#include "../core/schema/reader.h"
#include "nsh.h"

#define NETLINK_TYPE "nsh.netlink"

struct socket {
    struct netlink nl;
    char name[256]; /* of its namespace, for commands; "" for the one we are in */
};

/* Pushes one that is still closed; `name`: of its namespace. */
struct socket *new_socket(lua_State *L, const char *name);

/* Opens it with a descriptor, which is closed if that fails. */
int adopt_socket(struct socket *s, int fd, struct error *err);

/* Requests do not overlap: one message, whatever the number of namespaces. */
extern struct message message;

/* Begins `message` and writes it from the arguments at `index` and behind: object, verb, the
   caller's table. Until request_finish it is what is to be sent. seen: of a batch, or NULL. */
int request_write(lua_State *L, int index, struct netlink *nl, struct netlink_seen *seen,
                  struct error *err);

/* Ends the request, whose result (0 or -1) is returned. A refusal by the kernel gets the name of
   the key. */
int request_finish(const struct refusal *refusal, int result, struct error *err);

/* Begins the dump that `message` asks for: read it with netlink_next. */
int request_dump(struct netlink *nl, struct error *err);

/* Whether a record of that dump is one that `message` asks for. */
bool request_lists(const struct reader *r);

/* Messages that stand one behind the other: begin with { 0 }, free the bytes. */
struct messages {
    char *bytes;
    size_t used, room, count;
};

/* Adds a copy, which is valid until the next one. NULL: there is no memory. */
struct nlmsghdr *messages_add(struct messages *all, const struct nlmsghdr *nlh);

/* What is read in one call from Lua. */
struct reading {
    struct netlink *nl;
    struct nlmsghdr *reply;
    struct error err;
    int result;
};

/* Calls fn with the reading, for one result. No finalizer runs meanwhile: one that spoke to the
   kernel would overwrite what is being read. */
void read_undisturbed(lua_State *L, lua_CFunction fn, struct reading *reading);

/* Fields of `nsh.core.netlink` that are made in batch.c, monitor.c and schema.c, and methods of a
   socket in ready.c and print.c. */
void add_batch(lua_State *L);
void add_ready(lua_State *L);
void add_monitor(lua_State *L);
void add_print(lua_State *L);
void add_schema(lua_State *L);
