/* The Lua modules that are built in, and other files; made by embed.lua. */
#pragma once

#include <stddef.h>

struct embedded {
    const char *name;          /* as for require: "nsh", "nsh.namespace"; NULL ends the list */
    const unsigned char *code; /* bytecode, its chunk name "=[nsh.namespace]" */
    size_t size;               /* 0: it is no module, and its name that of a file */
    const char *source;
};

extern const struct embedded embedded[];
