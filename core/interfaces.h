/* Names of interfaces by their index, as they were seen: for those that are gone when they are
   asked for, and for many that are asked for again and again. */
#pragma once

#include <stddef.h>

/* Begins as { 0 }. What was seen once stays: an index is used again only for a link that is new,
   and is noted then. */
struct interfaces {
    struct interface {
        int index; /* 0: free */
        char name[16];
    } * slots;
    size_t room, count; /* room: a power of two */
};

/* Notes a name. Without memory it does nothing: the kernel can be asked still. */
void interfaces_note(struct interfaces *known, int index, const char *name);

/* The name, valid until the next note; NULL if it was never seen. */
const char *interfaces_name(const struct interfaces *known, int index);

void interfaces_free(struct interfaces *known);
