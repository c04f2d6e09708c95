/* Names that iproute2 has for numbers: its own, and those of the files in /etc/iproute2. */
#pragma once

#include "schema.h"

struct names {
    const char *file;       /* of /etc/iproute2 or, where there is none, /usr/share/iproute2 */
    const struct word *own; /* what it has without a file */
    struct word *all;       /* own and file's; NULL until they are needed */
};

extern struct names table_names, protocol_names, scope_names, realm_names, group_names, tos_names,
    addr_protocol_names;

/* All of them, which end with a NULL name; the files are read by the first call. */
const struct word *load_names(struct names *names);

/* The words of a row: `.of`, or its names. NULL if it has none. */
const struct word *words_of(const struct field *field);
