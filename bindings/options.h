/* The command line: one table for parsing and --help. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What -e and -l ask for, in their order. */
struct step {
    char letter;
    const char *text;
};

/* What stands in the place of a script. */
enum command { COMMAND_NONE, COMMAND_LIST, COMMAND_DOWN, COMMAND_ENTER, COMMAND_COMPLETION };

struct settings {
    enum command command;
    bool interactive, sandbox, internet, plan, trace, json, no_init, quiet, verbose, keep, help,
        version;
    const char *run;    /* --run's command, NULL for none */
    const char *draw;   /* --draw's file, "-" for standard output, NULL for none */
    struct step *steps; /* ends with letter 0; the caller frees it */
    bool has_code;      /* an -e is among them */
    const char *script; /* or the command's name; "-" for standard input, NULL for none */
    int script_index;   /* its place in argv, 0 for none */
};

/* Fills *out, whose strings stay argv's. 0; or -1 with one line for the user in `message`. */
int parse_options(int argc, char **argv, struct settings *out, char *message, size_t size);

void print_help(void);

/* For completion, a line each: "LETTER NAME ARGUMENT HELP", with tabs between and "." for what an
   option lacks; the names of the commands. */
void print_options(void);
void print_command_names(void);
