/* New user, network and mount namespaces for the whole program: its own root namespace plays the
   host, /run/netns is its own, and nothing that it does can reach the real host. */
#pragma once

#include <stdbool.h>

#include "error.h"

/* Moves the calling process into a sandbox; before any thread or guardian exists. Root keeps every
   id mapped, an ordinary user becomes root of a single-id user namespace. `lo` is up afterwards.
   Does nothing when already in one. Errors: EPERM, ENOSPC …, with a hint that names the blocker
   (sysctl, AppArmor, seccomp of a container) and its cure; EBUSY once there is a second thread or a
   guardian. After an error other than EBUSY the process may be half inside: it should end. */
int sandbox_enter(struct error *err);

/* The same in a network that reaches the real one, by pasta: for `nsh --internet`. Errors: as of
   sandbox_enter and internet_start; EPERM for root, who needs none. */
int sandbox_enter_internet(struct error *err);

/* Make /proc/sys, or /sys, read-only but for the part that belongs to the network namespace: the
   rest is the whole machine's, and root may write to it also as root of a sandbox. sandbox_enter
   does it; so must whoever mounts a fresh one in there. -1 and errno. */
int sandbox_protect_proc(void);
int sandbox_protect_sys(void);

/* Moves the calling process, which has one thread, to where another one is: its network and mount
   namespaces, and if it is in a sandbox, that, where we may be already. We are root there. The
   current directory stays, if there is one of that name. Errors: EPERM and others. */
int sandbox_join(int pidfd, bool sandboxed, struct error *err);

/* Whether sandbox_enter_internet has succeeded in this process. */
bool sandbox_internet(void);

/* Whether sandbox_enter, sandbox_enter_internet or sandbox_join into one has succeeded in this
 * process. */
bool sandbox_active(void);
