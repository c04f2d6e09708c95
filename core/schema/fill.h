/* Changes of links whose kind the kernel takes as a whole. */
#pragma once

#include "message.h"

/* Adds to the request what the link has and the caller does not change, if it is one to a link of
   such a kind: the tunnels' changelink() resets what it is not told. Of a number that several rows
   share only their bits count as changed. To be called once, after the request was shown: iproute2
   does the same by itself. Errors: what the kernel says to the question; EMSGSIZE. */
int schema_fill(struct message *m, struct error *err);
