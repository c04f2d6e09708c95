/* Network namespaces as descriptors (all O_CLOEXEC). The calling thread never changes its own
   namespace: whatever must happen inside another one happens on a helper thread. */
#pragma once

#include <sys/types.h>

#include "error.h"

#define NETNS_RUN_DIR "/run/netns"

/* The namespace this program was started in (or entered with sandbox_enter). */
int netns_current(struct error *err);

/* A new namespace without a name: it lives as long as descriptors, sockets or processes hold it. */
int netns_new(struct error *err);

/* Many of them in one go, and in each an open socket of NETLINK_ROUTE: fds[i] and sockets[i]. All
   of them are made, or none. */
int netns_new_many(size_t count, int *fds, int *sockets, struct error *err);

/* Begins to make so many in a thread of its own, for the calls of netns_new_many that follow: they
   wait for what is not ready yet. What fails is left to them. */
void netns_begin(size_t count);

/* Ends it, when the last was taken or will not be: what is left over is closed. */
void netns_end(void);

/* A new namespace published as /run/netns/NAME by iproute2's protocol (ip-netns(8)): it lives until
   netns_del. Errors: EINVAL for a name that is none, EEXIST. */
int netns_add(const char *name, struct error *err);

/* Publishes a namespace that somebody holds: /run/netns/NAME as a symlink, to /proc/PID/fd/N.
   Errors: as netns_add. */
int netns_publish(const char *name, const char *target, struct error *err);

/* Takes the name away; the namespace itself lives on while something else holds it. */
int netns_del(const char *name, struct error *err);

/* Open an existing one. Errors: ENOENT, ESRCH (pid), EINVAL (not a network namespace). */
int netns_open_name(const char *name, struct error *err);
int netns_open_path(const char *path, struct error *err);
int netns_open_pid(pid_t pid, struct error *err);

/* 0 if the name can be one of a namespace, else -1 and EINVAL: not empty, no '/', not "." or "..",
   at most NAME_MAX bytes. */
int netns_check_name(const char *name, struct error *err);

/* Calls each(name, arg) for the names in /run/netns, sorted; stops when it returns non-zero. */
int netns_list(int (*each)(const char *name, void *arg), void *arg, struct error *err);

/* In these, ns -1 is the namespace that we are in. */

/* Runs fn(arg) on the helper thread inside ns and waits for it; returns what it returned. fn fills
   an error of its own through arg. -1 with err if the namespace could not be entered. */
int netns_run(int ns, int (*fn)(void *arg), void *arg, struct error *err);

/* A socket, or a file such as one below /proc/sys/net, opened inside ns. */
int netns_socket(int ns, int domain, int type, int protocol, struct error *err);
int netns_open_file(int ns, const char *path, int flags, struct error *err);
