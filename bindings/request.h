/* A request as Lua writes it, on its way to a socket: shared by the verbs and by batches. */
#pragma once

#include "../core/netlink.h"
#include "../core/schema/message.h"
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

/* Fields of `nsh.core.netlink` that are made in batch.c and monitor.c, and methods of a socket in
   ready.c. */
void add_batch(lua_State *L);
void add_ready(lua_State *L);
void add_monitor(lua_State *L);
