/* The child that outlives us by a moment and puts everything back.

   It is init of a PID namespace of its own (this program stays outside), in a session of its own,
   and listens at a socket whose other end we have. When that is closed - we ended, also by SIGKILL
   - it kills every process of its PID namespace, runs its undo list backwards, and exits. It stays
   in the mount and network namespaces that we were in when it started.
   It also holds the namespaces of labs by their descriptors, and can be told to undo one lab, or to
   outlive us for good.
   One a process; all functions belong to the main thread. A lab is a number of the caller's choice;
   0 is the process itself. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

struct sysctl_token;

/* Forks the guardian if there is none yet. Cheap to call again. Errors: EPERM and ENOSPC with a
   hint; ESRCH if somebody has killed the one we had (guardian_stop clears that). */
int guardian_start(struct error *err);

/* A pidfd of the guardian, to setns(CLONE_NEWPID) to; -1 while there is none. Stays ours. */
int guardian_pidfd(void);

/* From now on our programs go to the PID namespace of another nsh's guardian, whose pidfd becomes
   ours. That is all that may be done with it: it does not hear us, and our end is not its own. */
void guardian_adopt(int pidfd);

/* Its pid in our own PID namespace; 0 while there is none. A program in the guardian's PID
   namespace finds the guardian's descriptors under this number as well, as /proc/PID/fd. */
pid_t guardian_pid(void);

/* In a forked child that is to live on in the guardian's PID namespace: lets go of the socket, so
   that the child itself does not keep the guardian waiting. Safe after fork. */
void guardian_leave(void);

/* Undo records: sent before the change that they undo; each starts the guardian if need be and
   returns once the record cannot get lost. They run last in, first out, at guardian_down of the lab
   or at the end; what is already undone (ENOENT, ENODEV, …) is passed over silently. Paths should
   be absolute. */

/* Put text into an existing file. */
int guardian_undo_write(uint32_t lab, const char *path, const char *text, struct error *err);

/* Unmount what is mounted on a name, then remove the name; a symlink is not followed. */
int guardian_undo_unlink(uint32_t lab, const char *path, struct error *err);

/* Send a message to rtnetlink, in our namespace. */
int guardian_undo_netlink(uint32_t lab, const void *message, size_t length, struct error *err);

/* Delete a table of nft in our namespace; or only the rules of one of its chains that have a mark
   (nft_delete_marked): chain NULL: the table. Errors: EINVAL for an unknown family. */
int guardian_undo_nft(uint32_t lab, const char *family, const char *table, const char *chain,
                      const char *mark, struct error *err);

/* Release a parameter that is held. For sysctl_hold. */
int guardian_undo_sysctl(uint32_t lab, const char *folder, const struct sysctl_token *token,
                         struct error *err);

/* Gives it a descriptor to keep open until its end, in place of the one before. */
int guardian_lend(int fd, struct error *err);

/* Registers a lab under its name, for `nsh list` and its like: the guardian then listens there. One
   name a process: that of its first lab; later calls do nothing. The script is what `nsh list`
   shows, "" for none. Errors: as registry_bind. */
int guardian_register(const char *name, const char *script, struct error *err);

/* The name it was registered under; NULL if it was not. */
const char *guardian_lab(void);

/* Nodes of a lab: `nsh enter` finds them by name. */
struct guardian_nodes {
    const char *const *names;
    const int *fds; /* of their network namespaces; they stay ours */
    size_t count;
    const char *etc; /* the folder with a folder NAME for each, whose files cover its /etc */
};

/* Gives the guardian descriptors to hold until guardian_down of that lab, or the end. Returns the
   number of the first one there; the others follow: node i is /proc/PID/fd/(N+i), PID being
   guardian_pid(). Waits for it. Errors: EMFILE with a hint; some may then be held, until
   guardian_down. */
int guardian_hold(uint32_t lab, const struct guardian_nodes *nodes, struct error *err);

/* Publishes nodes that are held as /run/netns/NAME, `number` being that of the first one; undone
   with the lab. Errors: as netns_publish, of the node *failed; some may then be published. */
int guardian_publish(uint32_t lab, const struct guardian_nodes *nodes, int number, size_t *failed,
                     struct error *err);

/* Undoes a lab: kills the programs in its held namespaces (those of the guardian's PID namespace),
   runs its records backwards, forgets them, lets go of its descriptors. Does not wait for that. */
int guardian_down(uint32_t lab, struct error *err);

/* The same for one held descriptor, by its number; the records of its lab stay. */
int guardian_drop(int number, struct error *err);

/* Waits until all that was said so far is done. Errors: ESRCH if the guardian is gone. */
int guardian_sync(struct error *err);

/* It outlives us: at our end nothing is undone, and no program is ended. Only `nsh down` ends it.
 */
int guardian_keep(struct error *err);

/* Ends our programs and the guardian, as at exit: closes the socket, reaps every program, waits (at
   most 5 s). 0 if it is gone, or kept; -1 if it still works. Idempotent; a later guardian_start
   makes a new one. */
int guardian_stop(void);
