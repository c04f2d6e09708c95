/* An interactive shell for people, whose prompt names where it is. */
#pragma once

enum { SHELL_WORDS = 6, SHELL_VARIABLES = 4 };

struct shell {
    char *argv[SHELL_WORDS]; /* ends with NULL */
    struct {
        const char *name, *value;
    } env[SHELL_VARIABLES]; /* to be added to the environment; ends with a name that is NULL */
};

/* Chooses the user's shell: $SHELL, else bash, else sh. It reads the user's own settings, and then
   says `node` before its prompt, unless that shows the hostname and it is the node's: bash and fish
   surely, others as far as those settings leave their prompt alone. The words point into the
   environment and to `node`. */
void shell_choose(const char *node, struct shell *out);
