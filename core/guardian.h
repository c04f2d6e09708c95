/* The child that outlives us by a moment and puts everything back.

   It is init of a PID namespace of its own (this program stays outside), in a session of its own,
   and holds nothing but the read end of a pipe. When the last write end is closed - we ended, also
   by SIGKILL - it kills every process of its PID namespace, runs its undo list backwards, exits.
   It stays in the mount and network namespaces that we were in when it started.
   One a process; all functions belong to the main thread. */
#pragma once

#include <stddef.h>

#include "error.h"

struct sysctl_token;

/* Forks the guardian if there is none yet. Cheap to call again. Errors: EPERM and ENOSPC with a
   hint; ESRCH if somebody has killed the one we had (guardian_stop clears that). */
int guardian_start(struct error *err);

/* A pidfd of the guardian, to setns(CLONE_NEWPID) to; -1 while there is none. Stays ours. */
int guardian_pidfd(void);

/* In a forked child that is to live on in the guardian's PID namespace: lets go of the pipe, so
   that the child itself does not keep the guardian waiting. Safe after fork. */
void guardian_leave(void);

/* Undo records: written before the change that they undo; each starts the guardian if need be and
   returns once the record is in the pipe. They run last in, first out; what is already undone
   (ENOENT, ENODEV, …) is passed over silently. Paths should be absolute. */

/* Put text into an existing file. */
int guardian_undo_write(const char *path, const char *text, struct error *err);

/* Unmount what is mounted on a name, then remove the name; a symlink is not followed. */
int guardian_undo_unlink(const char *path, struct error *err);

/* Send a message to rtnetlink, in our namespace. */
int guardian_undo_netlink(const void *message, size_t length, struct error *err);

/* Release a parameter that is held. For sysctl_hold. */
int guardian_undo_sysctl(const char *folder, const struct sysctl_token *token, struct error *err);

/* Ends our programs and the guardian, as at exit: closes the pipe, reaps every program, waits (at
   most 5 s). 0 if it is gone, -1 if it still works. Idempotent; a later guardian_start makes a new
   one. */
int guardian_stop(void);
