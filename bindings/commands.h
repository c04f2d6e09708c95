/* `nsh list`, `nsh down LAB`, `nsh enter NODE`: what can be done with labs from any terminal; and
   `nsh completion SHELL`. They need no Lua, and never enter a sandbox of their own. */
#pragma once

#include "../core/error.h"
#include "options.h"

/* Prints an error as everybody here does, with its hint; returns EXIT_FAILURE. */
int print_error(const struct error *err);

/* Runs the command of the settings with its arguments, which end with NULL. Returns the exit
   status of the program. */
int run_command(const struct settings *settings, char **arguments);

/* nsh enter [LAB/]NODE [COMMAND…]: runs it there. 127 if there is no such program, 128+n if signal
   n ended it. */
int enter_node(char **arguments);
