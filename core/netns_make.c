/* New network namespaces. Each costs the kernel 0.2 ms, in which the program that asks for it can
   do something else: so many of them can be begun before they are needed. */
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "netns.h"

/* A namespace and a socket in it. */
struct made {
    int fd, socket;
};

static int refuse_new(int code, struct error *err) {
    error_errno(err, code);
    if (code == ENOSPC)
        error_hint(err, "raise the limit: sysctl -w user.max_net_namespaces=N");
    return -1;
}

static void discard(struct made *made) {
    close_fd(&made->fd);
    close_fd(&made->socket);
}

/* The thread is in the new one afterwards. The socket says which namespace it is in: cheaper than
   to open it by its path in /proc. */
static int make_one(struct made *made, struct error *err) {
    *made = (struct made){ -1, -1 };
    if (unshare(CLONE_NEWNET) < 0)
        return refuse_new(errno, err);
    made->socket = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (made->socket >= 0)
        made->fd = ioctl(made->socket, SIOCGSKNS);
    if (made->fd >= 0)
        return 0;
    int code = errno;
    discard(made);
    return error_errno(err, code);
}

/* --- ahead ------------------------------------------------------------------------------------ */

/* What a thread of its own makes, and what has been taken of it. */
static struct {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t progress;
    struct made *list;
    size_t wanted, ready, taken;
    bool working, unwanted;
    pid_t owner; /* a forked child has the list but not the thread */
} ahead = { .lock = PTHREAD_MUTEX_INITIALIZER, .progress = PTHREAD_COND_INITIALIZER };

/* Publishes one, or the end if there is none. Returns whether to go on. */
static bool deliver(const struct made *made) {
    pthread_mutex_lock(&ahead.lock);
    if (made)
        ahead.list[ahead.ready++] = *made;
    ahead.working = made && ahead.ready < ahead.wanted && !ahead.unwanted;
    bool more = ahead.working;
    pthread_cond_signal(&ahead.progress);
    pthread_mutex_unlock(&ahead.lock);
    return more;
}

/* What is refused is asked for again, and explained, when it is needed. */
static void *make_ahead(void *unused) {
    (void)unused;
    struct made made;
    while (deliver(make_one(&made, NULL) == 0 ? &made : NULL))
        ;
    return NULL;
}

/* Its signals are for the other threads. */
static int start_thread(void) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&ahead.thread, NULL, make_ahead, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

void netns_begin(size_t count) {
    if (ahead.list || count == 0)
        return;
    ahead.list = calloc(count, sizeof *ahead.list);
    ahead.wanted = count;
    ahead.ready = ahead.taken = 0;
    ahead.working = true;
    ahead.unwanted = false;
    ahead.owner = getpid();
    if (ahead.list && start_thread() == 0)
        return;
    free(ahead.list);
    ahead.list = NULL;
}

void netns_end(void) {
    if (!ahead.list)
        return;
    pthread_mutex_lock(&ahead.lock);
    ahead.unwanted = true;
    pthread_mutex_unlock(&ahead.lock);
    pthread_join(ahead.thread, NULL);
    while (ahead.taken < ahead.ready)
        discard(&ahead.list[ahead.taken++]);
    free(ahead.list);
    ahead.list = NULL;
}

/* Waits for one that is under way. False if there is none. */
static bool take_one(struct made *made) {
    if (!ahead.list || ahead.owner != getpid())
        return false;
    pthread_mutex_lock(&ahead.lock);
    while (ahead.taken == ahead.ready && ahead.working)
        pthread_cond_wait(&ahead.progress, &ahead.lock);
    bool found = ahead.taken < ahead.ready;
    if (found)
        *made = ahead.list[ahead.taken++];
    pthread_mutex_unlock(&ahead.lock);
    return found;
}

/* --- now -------------------------------------------------------------------------------------- */

/* What is made in one visit to the helper thread. */
struct making {
    size_t count;
    int *fds, *sockets;
    struct error *err;
};

static void put(struct making *making, size_t i, const struct made *made) {
    making->fds[i] = made->fd;
    making->sockets[i] = made->socket;
}

static int make_all(void *arg) {
    struct making *making = arg;
    struct made made;
    for (size_t i = 0; i < making->count; i++) {
        if (make_one(&made, making->err) < 0)
            return -1;
        put(making, i, &made);
    }
    return 0;
}

/* Those that were begun come first. */
static int make_rest(struct making *making) {
    struct made made;
    while (making->count > 0 && take_one(&made)) {
        put(making, 0, &made);
        making->count--, making->fds++, making->sockets++;
    }
    if (making->count == 0)
        return 0;
    cleanup_fd int home = netns_current(making->err);
    return home < 0 ? -1 : netns_run(home, make_all, making, making->err);
}

static void close_all(const int *fds, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

int netns_new_many(size_t count, int *fds, int *sockets, struct error *err) {
    struct making making = { count, fds, sockets, err };
    for (size_t i = 0; i < count; i++)
        fds[i] = sockets[i] = -1;
    if (make_rest(&making) == 0)
        return 0;
    close_all(fds, count);
    close_all(sockets, count);
    if (err && err->code == EPERM) { /* already to enter the one where the helper is needs power */
        error_errno(err, EPERM);
        error_hint(err, "it needs CAP_SYS_ADMIN: run as root, or in a sandbox (nsh -S)");
    }
    return -1;
}

int netns_new(struct error *err) {
    int fd, inside;
    if (netns_new_many(1, &fd, &inside, err) < 0)
        return -1;
    close(inside);
    return fd;
}
