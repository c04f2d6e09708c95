/* Who holds which parameters of a network namespace, and what these were before: a file that all
   nsh of the namespace share, in a folder that is there only while somebody holds something. The
   folder's flock is for whoever reads or changes the file; a byte of it, locked through a
   descriptor that stays open, shows that a process is alive. Allocates nothing: the guardian uses
   it as well. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "sysctl_drag.h"

enum { SYSCTL_VALUE_MAX = 416, HOLDS_MAX = 1024, ORIGINS_MAX = 16384, LEDGER_PATH_MAX = 64 };

struct hold {
    uint64_t id;
    uint64_t process; /* the byte that it locks */
    char who[96];     /* "lab bridge (pid 4711)" */
    char name[SYSCTL_NAME_MAX], value[SYSCTL_VALUE_MAX];
};

struct origin {
    char name[SYSCTL_NAME_MAX], value[SYSCTL_VALUE_MAX];
};

struct ledger {
    uint32_t hold_count, origin_count;
    struct hold holds[HOLDS_MAX]; /* first come, first */
    struct origin origins[ORIGINS_MAX];
};

/* The folder of the network namespace that we are in: /run/nsh/sysctl-NUMBER, or in /tmp. */
void ledger_folder(char folder[LEDGER_PATH_MAX]);

/* Waits for the lock and reads. Returns the folder's descriptor; closing it unlocks. create: makes
   the folder if need be. Errors: ENOENT without it, EACCES …, EPROTO if another version of nsh has
   written. */
int ledger_open(struct ledger *ledger, const char *folder, bool create, struct error *err);

/* Writes, all or nothing, while the lock is held; without any hold it removes file and folder. */
int ledger_save(const struct ledger *ledger, int fd, const char *folder, struct error *err);

/* The byte of this process. */
uint64_t ledger_process(void);

/* Locks it in the folder, if that is not done yet. Returns the descriptor that must stay open for
   it, here or in another process; it stays ours. */
int ledger_sign(int fd, const char *folder, uint64_t process, struct error *err);

/* Whether a process (other than this one) that has signed is alive. */
bool ledger_is_alive(int fd, uint64_t process);
