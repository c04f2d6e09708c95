#include "guardian_main.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "guardian_wire.h"
#include "limits.h"
#include "packet.h"

/* Held descriptors start here: below are our own and those that are just being received. */
enum { FIRST_HELD = 512 };

/* --- what it is ------------------------------------------------------------------------------- */

/* Whatever a terminal or a user sends, only the end of nsh ends it. Ignoring SIGCHLD makes the
   kernel reap the orphans that come to it as to any init. */
static void be_deaf(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGCHLD, SIG_IGN);
}

/* Returns the socket, the only descriptor left above stderr. */
static int keep_only(int socket) {
    int moved = fcntl(socket, F_DUPFD, 3);
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    dup2(moved, 3);
    close_range(4, ~0U, 0);
    return 3;
}

/* --- the names that programs see -------------------------------------------------------------- */

/* The number of one that has just died is free a moment after its death is known. */
static long clone_as(struct clone_args *args) {
    enum { TRIES = 100 };
    long pid = -1;
    for (int i = 0; i < TRIES; i++) {
        pid = syscall(SYS_clone3, args, sizeof *args);
        if (pid >= 0 || errno != EEXIST)
            break;
        poll(NULL, 0, 1);
    }
    return pid;
}

/* Lab nodes are published as /proc/PID/fd/N, where PID is what nsh calls the guardian. A program's
   own /proc knows the guardian as 1. So somebody in our PID namespace must bear that number and
   have our descriptors: it sleeps for as long as we live. */
static void start_sleeper(struct guardian *guardian) {
    struct clone_args args = {
        .flags = CLONE_FILES | CLONE_PIDFD,
        .pidfd = (uintptr_t)&guardian->sleeper,
        .exit_signal = SIGCHLD,
        .set_tid = (uintptr_t)&guardian->pid,
        .set_tid_size = 1,
    };
    close_fd(&guardian->sleeper);
    if (clone_as(&args) != 0)
        return; /* if it is refused, the names serve nsh and those outside only */
    prctl(PR_SET_NAME, "nsh-names");
    for (;;)
        pause();
}

/* --- what nsh says; -1: it is to end ---------------------------------------------------------- */

static int reply(const struct guardian *guardian, int32_t value) {
    struct reply reply = { value };
    struct packet packet = { .head = &reply, .head_size = sizeof reply };
    return packet_send(guardian->nsh, &packet, 0);
}

static void close_all(const struct packet *packet) {
    for (size_t i = 0; i < packet->fd_count; i++)
        close(packet->fds[i]);
}

static int hear_hello(struct guardian *guardian, const struct message *message,
                      const struct packet *packet) {
    if (packet->fd_count >= 3) { /* a fourth one is only to be kept open */
        guardian->owner = packet->fds[0];
        guardian->bell = packet->fds[1];
        guardian->rope = packet->fds[2];
    }
    guardian->pid = message->value;
    start_sleeper(guardian);
    return 0;
}

/* Without memory for it: to undo early is better than never. */
static int hear_record(struct guardian *guardian, const struct message *message,
                       const struct packet *packet) {
    (void)message;
    return undo_append(&guardian->log, packet->body, packet->body_size);
}

/* The first of `count` free numbers in a row, or -EMFILE. */
static int find_gap(int count) {
    int limit = (int)sysconf(_SC_OPEN_MAX), free = 0;
    for (int fd = FIRST_HELD; fd < limit; fd++) {
        free = fcntl(fd, F_GETFD) < 0 ? free + 1 : 0;
        if (free == count)
            return fd - count + 1;
    }
    return -EMFILE;
}

static int hold(struct guardian *guardian, uint32_t lab, const char *name, const char *etc,
                int received, int fd) {
    struct {
        int32_t fd;
        char etc[REGISTRY_BODY_MAX];
    } held = { .fd = fd };
    size_t length = strlen(etc) + 1;
    if (length > sizeof held.etc)
        return -ENAMETOOLONG;
    memcpy(held.etc, etc, length);
    struct undo undo = { UNDO_HELD, lab, name, &held, strlen(name) + 1, sizeof held.fd + length };
    if (dup3(received, fd, O_CLOEXEC) < 0)
        return -errno;
    return undo_add(&guardian->log, &undo) < 0 ? -ENOMEM : 0;
}

/* Whether a string, with its zero byte, starts at `at`. */
static bool is_string(const struct packet *packet, const char *at) {
    const char *end = (const char *)packet->body + packet->body_size;
    return at < end && memchr(at, '\0', (size_t)(end - at));
}

/* Those behind the first one that fails are not held; neither are those for which there was no room
   when they came. */
static int hold_all(struct guardian *guardian, uint32_t lab, int first,
                    const struct packet *packet) {
    const char *etc = packet->body, *name = etc + strlen(etc) + 1;
    int result = 0;
    for (size_t i = 0; i < packet->fd_count && result == 0; i++) {
        if (!is_string(packet, name))
            return -EINVAL;
        result = hold(guardian, lab, name, etc, packet->fds[i], first + (int)i);
        name += strlen(name) + 1;
    }
    return result == 0 && is_string(packet, name) ? -EMFILE : result;
}

static int hear_hold(struct guardian *guardian, const struct message *message,
                     const struct packet *packet) {
    int first = message->value > 0 ? message->value : find_gap((int)message->count);
    int result = !is_string(packet, packet->body) ? -EINVAL
                 : packet->fd_count == 0          ? -EMFILE
                 : first < 0                      ? first
                                                  : hold_all(guardian, message->lab, first, packet);
    close_all(packet);
    return reply(guardian, result < 0 ? result : first);
}

static int hear_down(struct guardian *guardian, const struct message *message,
                     const struct packet *packet) {
    (void)packet;
    guardian_kill(&guardian->log, message->lab);
    undo_run_lab(&guardian->log, message->lab);
    return 0;
}

/* One node is taken down as a lab of its own. */
static int hear_drop(struct guardian *guardian, const struct message *message,
                     const struct packet *packet) {
    enum { DROPPED = UINT32_MAX };
    (void)packet;
    undo_move_held(&guardian->log, message->value, DROPPED);
    guardian_kill(&guardian->log, DROPPED);
    undo_run_lab(&guardian->log, DROPPED);
    return 0;
}

static int hear_sync(struct guardian *guardian, const struct message *message,
                     const struct packet *packet) {
    (void)message;
    (void)packet;
    return reply(guardian, 0);
}

static int hear_keep(struct guardian *guardian, const struct message *message,
                     const struct packet *packet) {
    (void)message;
    (void)packet;
    guardian->kept = true;
    return 0;
}

static int hear_lend(struct guardian *guardian, const struct message *message,
                     const struct packet *packet) {
    (void)message;
    if (packet->fd_count != 1)
        return 0;
    close_fd(&guardian->lent);
    guardian->lent = packet->fds[0];
    return 0;
}

static int hear_listen(struct guardian *guardian, const struct message *message,
                       const struct packet *packet) {
    (void)message;
    if (packet->fd_count > REGISTRY_PLACES)
        return 0;
    memcpy(guardian->listeners, packet->fds, sizeof *packet->fds * packet->fd_count);
    guardian->since = time(NULL);
    size_t length = strnlen(packet->body, packet->body_size);
    memcpy(guardian->script, packet->body, length < SCRIPT_NAME_MAX ? length : SCRIPT_NAME_MAX);
    return 0;
}

static int (*const hear[MESSAGE_KINDS])(struct guardian *, const struct message *,
                                        const struct packet *) = {
    [MESSAGE_HELLO] = hear_hello, [MESSAGE_RECORD] = hear_record, [MESSAGE_HOLD] = hear_hold,
    [MESSAGE_DOWN] = hear_down,   [MESSAGE_DROP] = hear_drop,     [MESSAGE_SYNC] = hear_sync,
    [MESSAGE_KEEP] = hear_keep,   [MESSAGE_LEND] = hear_lend,     [MESSAGE_LISTEN] = hear_listen,
};

/* Its end is ours, unless we are to be kept. */
static int hear_nsh(struct guardian *guardian) {
    char body[MESSAGE_BODY_MAX];
    int fds[PACKET_FDS_MAX];
    struct message message;
    struct packet packet = { &message, sizeof message, body, sizeof body, fds };
    if (packet_receive(guardian->nsh, &packet, 0) == 1)
        return message.kind < MESSAGE_KINDS ? hear[message.kind](guardian, &message, &packet) : 0;
    close_fd(&guardian->nsh);
    return guardian->kept ? 0 : -1;
}

/* --- until the end ---------------------------------------------------------------------------- */

enum { FROM_NSH, FROM_SLEEPER, FROM_LISTENERS, FROM_CLIENTS = FROM_LISTENERS + REGISTRY_PLACES };

/* One thing at a time: an answer may change who else there is to answer. */
static void turn_to_clients(struct guardian *guardian, const struct pollfd *sources) {
    for (size_t i = 0; i < guardian->client_count; i++)
        if (sources[FROM_CLIENTS + i].revents) {
            guardian_answer(guardian, i);
            return;
        }
    for (size_t i = 0; i < REGISTRY_PLACES; i++)
        if (sources[FROM_LISTENERS + i].revents)
            guardian_accept(guardian, guardian->listeners[i]);
}

/* What nsh says comes first, its end above all: a guardian that is to end answers nobody. */
static int turn(struct guardian *guardian) {
    struct pollfd sources[FROM_CLIENTS + CLIENTS_MAX] = {
        [FROM_NSH] = { .fd = guardian->nsh, .events = POLLIN },
        [FROM_SLEEPER] = { .fd = guardian->sleeper, .events = POLLIN },
    };
    for (size_t i = 0; i < REGISTRY_PLACES; i++)
        sources[FROM_LISTENERS + i] =
            (struct pollfd){ .fd = guardian->listeners[i], .events = POLLIN };
    for (size_t i = 0; i < guardian->client_count; i++)
        sources[FROM_CLIENTS + i] = (struct pollfd){ .fd = guardian->clients[i], .events = POLLIN };
    if (poll(sources, FROM_CLIENTS + guardian->client_count, -1) < 0)
        return errno == EINTR ? 0 : -1;
    if (sources[FROM_SLEEPER].revents) /* somebody has killed all that he could */
        start_sleeper(guardian);
    if (sources[FROM_NSH].revents)
        return hear_nsh(guardian);
    turn_to_clients(guardian, sources);
    return guardian->nsh >= 0 || guardian->kept ? 0 : -1;
}

_Noreturn void guardian_main(int nsh) {
    struct guardian guardian = {
        .owner = -1, .bell = -1, .rope = -1, .lent = -1, .sleeper = -1, .listeners = { -1, -1 }
    };
    be_deaf();
    setsid();
    prctl(PR_SET_NAME, "nsh-guardian");
    limits_raise();
    if (chdir("/") < 0)
        _exit(1);
    guardian.nsh = keep_only(nsh);
    limits_make_room();
    guardian.self = pidfd_open(getpid(), 0);
    while (turn(&guardian) == 0)
        ;
    kill(-1, SIGKILL);
    undo_run_all(&guardian.log);
    _exit(0);
}
