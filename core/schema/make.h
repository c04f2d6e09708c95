/* Links that the kernel does not make by netlink. */
#pragma once

#include "message.h"

struct reader;

/* If the request is to create such a link: makes it by other means, and leaves of the request what
   is to be changed of it then. Returns 1 if it made one, which is the caller's to delete if that is
   refused; 0 if there was nothing to make. Errors: EEXIST; what the kernel says. */
int schema_make(struct message *m, struct error *err);

/* Finds the data of such a kind, and the name, in a request; NULL if it is none. */
const struct kind *schema_made(const struct message *m, struct reader *data, char name[16]);
