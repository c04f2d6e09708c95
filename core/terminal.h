/* The terminal, while a program has it. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

struct terminal {
    int fd;               /* our controlling terminal; -1: there is nothing to lend */
    int stops;            /* a signalfd of SIGCHLD: readable when the program may have stopped */
    struct termios modes; /* as they were, to be put back */
    sigset_t mask;        /* the signal mask before SIGCHLD was blocked */
};

/* Whether that terminal is ours to change: whoever does so from the background is stopped. One that
   controls nobody has no background. */
bool terminal_in_foreground(int fd);

/* Before the fork: remembers the modes. fd stays -1 if we have no terminal or are not in its
   foreground; the other functions then do nothing. SIGCHLD is blocked until terminal_take. */
void terminal_lend(struct terminal *terminal);

/* In the child, every signal blocked: its own process group becomes the foreground one. */
void terminal_grab(const struct terminal *terminal);

/* The program has ended: the terminal is ours again, its modes as before. Idempotent. */
void terminal_take(struct terminal *terminal);

/* The program has been stopped (Ctrl-Z): takes the terminal, stops our own process group, so that
   the shell above us goes on; continued by `fg`, hands the terminal back and wakes the group. */
void terminal_suspend(const struct terminal *terminal, pid_t group);
