/* Programs inside a namespace. Each is in the guardian's PID namespace, so none outlives us. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "error.h"

struct process_spec {
    char *const *argv;    /* NULL-terminated; argv[0] is looked up in the PATH of envp */
    char *const *envp;    /* NULL: ours */
    int netns;            /* -1: the one we are in, unless */
    bool unshared;        /* … one that is new, and nobody else's */
    const char *hostname; /* a UTS namespace with that name; NULL: the host's */
    const char *etc;      /* a directory whose files cover those of /etc; NULL or missing: none */
    const char *cwd;      /* NULL: ours */
    int stdio[3];         /* descriptors that become 0, 1, 2 (they stay ours); -1: inherit */
    bool foreground;      /* give it our terminal, if we are in its foreground, until it ends */
};

struct process;

/* Forks, enters, executes. Returns once exec has happened, or NULL with why not: the words of exec,
   "No such file or directory", or the step before it, "cannot change to directory x: …". The
   program has its own process group, default signals, and no descriptor but its three. In a
   namespace (netns >= 0, unshared) it gets a mount namespace of its own with fresh /proc and /sys
   and an empty /run/netns, and its mounts are its own; in ours it gets a fresh /proc, and its
   mounts are those of everybody. Where the kernel refuses a fresh one, a warning says so once on
   stderr. What is returned is to be released. */
struct process *process_start(const struct process_spec *spec, struct error *err);

/* Its pid in our own PID namespace. */
pid_t process_pid(const struct process *process);

/* Readable when it has ended; stays ours, open until process_release. */
int process_pidfd(const struct process *process);

/* Readable when a foreground program may have been stopped, which process_reap then deals with; -1
   if it does not have the terminal. Closed once it has ended. */
int process_stops(const struct process *process);

/* Never blocks. 1: it has ended, *status as waitpid's, also when asked again; 0: it runs; -1:
   error. Takes the terminal back at the end. If the program was stopped from the terminal, stops
   this program as well, and goes on with both once it is continued. */
int process_reap(struct process *process, int *status, struct error *err);

/* Sends a signal to its process group. 0 also if it has ended already. Errors: EINVAL, EPERM. */
int process_kill(const struct process *process, int signal, struct error *err);

/* Kills its process group and reaps it, waiting at most 1 s. Nothing happens if it has ended. */
void process_end(struct process *process);

/* Forgets it: one in the background goes on, and its zombie is reaped by a later call; one in the
   foreground is ended, so that an interrupted caller gets the terminal back. NULL is allowed. */
void process_release(struct process *process);

/* Waits until all have ended, the released ones too, and reaps them; for guardian_stop. */
void process_reap_all(int timeout_ms);
