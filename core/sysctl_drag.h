/* What the kernel changes together with a parameter. Parameters go by their path below /proc/sys
   here: "net/ipv4/ip_forward". Allocates nothing: the guardian asks as well. */
#pragma once

#include <stdbool.h>

enum { SYSCTL_NAME_MAX = 96 };

enum drag_value {
    DRAG_SAME,    /* gets the same value */
    DRAG_INVERSE, /* gets 1 for 0, and 0 for anything else */
    DRAG_OWN,     /* gets a value in a unit of its own; or the same, unless it was set by hand */
};

/* The one name of a parameter that has two. Either the argument or a constant. */
const char *drag_canonical(const char *name);

/* Whether `name` changes together with `key`, and to what. */
bool drag_finds(const char *key, const char *name, enum drag_value *value);

/* The parameter whose value an interface that appears gets for `name`, where that changes together
   with `key` on all interfaces: "net/ipv4/conf/default/forwarding". False if there is none. */
bool drag_default(const char *key, const char *name, char source[SYSCTL_NAME_MAX]);

/* Calls each(name) for all that change together with `key`, in the order in which to put them back;
   names of interfaces are those that are there now. One may be called twice. */
void drag_each(const char *key, void (*each)(const char *name));
