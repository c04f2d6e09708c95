/* The child that outlives us by a moment and puts everything back.

   It is init of a PID namespace of its own (this program stays outside), in a session of its own,
   and holds nothing but the read end of a pipe. When the last write end is closed - we ended, also
   by SIGKILL - it kills every process of its PID namespace, runs its undo list backwards, exits.
   One a process; all functions belong to the main thread. */
#pragma once

#include <stddef.h>

#include "error.h"

/* Forks the guardian if there is none yet. Cheap to call again. Errors: EPERM with a hint. */
int guardian_start(struct error *err);

/* A pidfd of the guardian, to setns(CLONE_NEWPID) to; -1 while there is none. Stays ours. */
int guardian_pidfd(void);

/* Undo records: written before the change that they undo; each starts the guardian if need be and
   returns once the record is in the pipe. They run last in, first out; what is already undone
   (ENOENT, ENODEV, …) is passed over silently. */
int guardian_undo_write(const char *path, const char *text,
                        struct error *err);                    /* put text into an existing file */
int guardian_undo_unlink(const char *path, struct error *err); /* unmount, then remove a name */
int guardian_undo_netlink(const void *message, size_t length,
                          struct error *err); /* send to rtnetlink in our namespace */

/* Ends our programs and the guardian, as at exit: closes the pipe, reaps every child, waits (at
   most 5 s). 0 if it is gone. Idempotent; a later guardian_start makes a new one. */
int guardian_stop(void);
