/* Requests that change something, on their way to the kernel. */
#pragma once

#include "message.h"

/* Who is told of each message that is sent: before(arg, …) with the name of the namespace that it
   is sent to (NULL: the one we are in), after(arg, …) with the refusal or NULL. */
struct witness {
    void (*before)(void *arg, const struct message *m, const char *netns);
    void (*after)(void *arg, const struct error *err);
    void *arg;
};

/* Begins a request of that verb about the link of that index. Errors: EMSGSIZE. */
int schema_about(struct message *m, struct netlink *nl, const struct object *object,
                 const char *verb, int64_t index, struct error *err);

/* Sends a complete request, whose socket is in the namespace of that name. One that was made from a
   record only changes what is not so already. If it has a rest, that follows to the new link; if
   that is refused, the link is deleted again. Errors: what the kernel says, with the key that it
   points at; EINVAL if a rest has no link to go to. The message is still the caller's to end. */
int schema_change(struct message *m, const char *netns, const struct witness *witness,
                  struct error *err);
