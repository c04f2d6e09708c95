/* The way out of an ordinary user: a network namespace that pasta (package passt) joins to the real
   network. pasta runs a program in namespaces that it makes, a PID namespace among them, where the
   program would be init, without job control, and its guardian would die with it. So the program
   that pasta runs is a second nsh, the holder, which does nothing but live there; the first one
   joins its user and network namespaces. */
#pragma once

#include "error.h"

#define INTERNET_HOLDER "--internet-holder" /* the only argument of the second nsh */

/* Starts pasta and the holder, to be called before any namespace of our own is made. Returns a
   pidfd of the holder once its network is configured. Both end when no process has our end of the
   link any more, that is when we and our guardian have ended. Errors: ENOENT if pasta is not
   installed, with a hint; EIO with pasta's words. */
int internet_start(struct error *err);

/* Our end of the link, for the guardian to hold as well; -1 if internet_start has not succeeded. */
int internet_link(void);

/* All that the holder does, until the link ends. Returns its exit status. */
int internet_hold(void);

/* In a mount namespace of our own: if the machine's resolver listens at its loopback, which is not
   ours, shows in /etc/resolv.conf the servers that systemd-resolved itself asks. Best effort. */
void internet_find_resolver(void);
