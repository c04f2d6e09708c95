/* Programs inside a namespace. Each is in the guardian's PID namespace, so none outlives us. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "error.h"

struct process_spec {
    char *const *argv;    /* NULL-terminated; argv[0] is looked up in PATH */
    char *const *envp;    /* NULL: ours */
    int netns;            /* -1: the one we are in */
    const char *hostname; /* a UTS namespace with that name; NULL: the host's */
    const char *etc;      /* a directory whose files are bound over those of /etc; NULL: none */
    const char *cwd;      /* NULL: ours */
    int stdio[3];         /* descriptors that become 0, 1, 2 (they stay ours); -1: inherit */
    bool foreground;      /* give it the terminal (if stdin is one) until it ends or stops */
};

struct process {
    pid_t pid; /* in our own PID namespace; 0 once reaped */
    int pidfd; /* readable when it has ended; -1 once closed */
};

/* Forks, enters, executes. Returns once exec has happened, or -1 with the step that failed:
   "cannot run foo: No such file or directory". A program in a namespace (netns >= 0) gets its own
   mount namespace with fresh /proc and /sys and an empty /run/netns; one in ours gets a fresh
   /proc. */
int process_start(const struct process_spec *spec, struct process *out, struct error *err);

/* Never blocks. 1: it has ended, *status as waitpid's, the zombie is gone; 0: it runs; -1: error.
 */
int process_reap(struct process *process, int *status, struct error *err);

/* Sends a signal to its process group. 0 also if it has ended already. */
int process_kill(const struct process *process, int signal, struct error *err);
