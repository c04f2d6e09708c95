#include "guardian.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "guardian_main.h"
#include "guardian_wire.h"
#include "heap.h"
#include "internet.h"
#include "netns.h"
#include "nft.h"
#include "packet.h"
#include "process.h"
#include "registry.h"
#include "sysctl_hold.h"
#include "undo.h"

enum { STOP_MS = 5000 };

static struct {
    int socket; /* to it */
    int pidfd;  /* -1: there is no guardian */
    pid_t pid;
    bool kept;
    char lab[LAB_NAME_MAX + 1]; /* the name it is registered under, "" for none */
} guardian = { -1, -1 };

/* --- what it is told -------------------------------------------------------------------------- */

static int tell(const struct message *message, const void *body, size_t size, const int *fds,
                size_t fd_count, struct error *err) {
    struct packet packet = { (void *)message, sizeof *message, (void *)body, size,
                             (int *)fds,      fd_count };
    if (packet_send(guardian.socket, &packet, 0) < 0)
        return error_set(err, errno, "cannot tell the guardian: %s", strerror(errno));
    return 0;
}

/* Its answer to a message that has one. */
static int await_reply(int32_t *value, struct error *err) {
    struct reply reply = { 0 };
    struct packet packet = { .head = &reply, .head_size = sizeof reply };
    if (packet_receive(guardian.socket, &packet, 0) != 1)
        return error_set(err, ESRCH, "the guardian has ended without an answer");
    *value = reply.value;
    return 0;
}

/* --- start and stop --------------------------------------------------------------------------- */

/* PID namespace and pidfd in one step, and no other child is ever put into the former. */
static pid_t clone_guardian(int *pidfd) {
    struct clone_args args = {
        .flags = CLONE_NEWPID | CLONE_PIDFD,
        .pidfd = (uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
    };
    return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

/* Our signal handlers must not run in the child. Returns its pid, or -1 and errno. */
static pid_t start_deaf(int theirs) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = clone_guardian(&guardian.pidfd);
    if (pid == 0)
        guardian_main(theirs);
    int saved = errno;
    heap_take_back();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return pid;
}

static int refused(struct error *err) {
    int code = errno;
    error_set(err, code, "cannot start the guardian: %s", strerror(code));
    if (code == EPERM)
        error_hint(err, "it needs CAP_SYS_ADMIN: run as root, or in a sandbox (nsh -S)");
    if (code == ENOSPC)
        error_hint(err, "raise the limit: sysctl -w user.max_pid_namespaces=N");
    return -1;
}

/* Whoever started us may have left SIGCHLD ignored; no child could then be waited for. */
static void hear_of_children(void) {
    struct sigaction now;
    if (sigaction(SIGCHLD, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
        signal(SIGCHLD, SIG_DFL);
}

/* Who we are, how to reach us, and the way out, if we have one: that stays open as long as it
   lives. And who it is. */
static int introduce(const int fds[4], struct error *err) {
    struct message hello = { .kind = MESSAGE_HELLO, .value = guardian.pid };
    return tell(&hello, NULL, 0, fds, fds[3] < 0 ? 3 : 4, err);
}

/* From its own PID namespace it cannot send us a signal, and nor can a program in there. The kernel
   does: SIGTERM, when something comes to `bell`. Datagrams, as they tell nothing of a close. */
static int hang_bell(int *bell, int *rope) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    *bell = ends[0];
    *rope = ends[1];
    return fcntl(*bell, F_SETOWN, getpid()) < 0 || fcntl(*bell, F_SETSIG, SIGTERM) < 0
               ? -1
               : fcntl(*bell, F_SETFL, O_ASYNC);
}

static int launch(struct error *err) {
    int ends[2];
    cleanup_fd int bell = -1, rope = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return refused(err);
    cleanup_fd int theirs = ends[0], ours = ends[1], self = pidfd_open(getpid(), 0);
    if (self < 0 || hang_bell(&bell, &rope) < 0)
        return refused(err);
    hear_of_children();
    pid_t pid = start_deaf(theirs);
    if (pid < 0)
        return refused(err);
    guardian.socket = take_fd(&ours);
    guardian.pid = pid;
    guardian.kept = false;
    guardian.lab[0] = '\0';
    return introduce((int[]){ self, bell, rope, internet_link() }, err);
}

static bool has_ended(int pidfd, int timeout_ms) {
    struct pollfd end = { .fd = pidfd, .events = POLLIN };
    return TEMP_FAILURE_RETRY(poll(&end, 1, timeout_ms)) == 1;
}

int guardian_start(struct error *err) {
    if (guardian.pidfd < 0)
        return launch(err);
    if (has_ended(guardian.pidfd, 0))
        return error_set(err, ESRCH, "somebody has killed the guardian, and the programs with it");
    return 0;
}

int guardian_pidfd(void) {
    return guardian.pidfd;
}

void guardian_adopt(int pidfd) {
    hear_of_children();
    guardian.pidfd = pidfd;
}

pid_t guardian_pid(void) {
    return guardian.pidfd < 0 ? 0 : guardian.pid;
}

void guardian_leave(void) {
    close_fd(&guardian.socket);
}

static bool wait_for_end(void) {
    siginfo_t info;
    bool gone = has_ended(guardian.pidfd, STOP_MS);
    if (gone)
        waitid(P_PIDFD, (id_t)guardian.pidfd, &info, WEXITED);
    return gone;
}

/* A zombie of ours would hold up the guardian: init of a PID namespace waits for all of it. */
int guardian_stop(void) {
    if (guardian.pidfd < 0)
        return 0;
    close_fd(&guardian.socket);
    if (!guardian.kept)
        process_reap_all(STOP_MS);
    bool gone = guardian.kept || wait_for_end();
    close_fd(&guardian.pidfd);
    return gone ? 0 : -1;
}

/* --- undo records ----------------------------------------------------------------------------- */

/* In pieces: a packet is no larger than the socket's buffer. */
static int send_bytes(const char *bytes, size_t size, struct error *err) {
    struct message message = { .kind = MESSAGE_RECORD };
    while (size > 0) {
        size_t piece = size < MESSAGE_BODY_MAX ? size : MESSAGE_BODY_MAX;
        if (tell(&message, bytes, piece, NULL, 0, err) < 0)
            return -1;
        bytes += piece;
        size -= piece;
    }
    return 0;
}

static int send_record(const struct undo *undo, struct error *err) {
    if (guardian_start(err) < 0)
        return -1;
    cleanup_free char *record = malloc(undo_size(undo));
    if (!record)
        return error_errno(err, ENOMEM);
    undo_encode(undo, record);
    return send_bytes(record, undo_size(undo), err);
}

int guardian_undo_write(uint32_t lab, const char *path, const char *text, struct error *err) {
    struct undo undo = { UNDO_WRITE, lab, path, text, strlen(path) + 1, strlen(text) };
    return send_record(&undo, err);
}

int guardian_undo_unlink(uint32_t lab, const char *path, struct error *err) {
    struct undo undo = { UNDO_UNLINK, lab, path, "", strlen(path) + 1, 0 };
    return send_record(&undo, err);
}

int guardian_undo_netlink(uint32_t lab, const void *message, size_t length, struct error *err) {
    struct undo undo = { UNDO_NETLINK, lab, message, "", length, 0 };
    return send_record(&undo, err);
}

int guardian_undo_nft(uint32_t lab, const char *family, const char *table, const char *chain,
                      const char *mark, struct error *err) {
    int number = nft_family(family);
    if (number < 0)
        return error_set(err, EINVAL, "%s is no family of nft", SHORT(family));
    cleanup_free char *first = NULL, *second = NULL;
    int first_size = asprintf(&first, "%c%s", number, table) + 1;
    int second_size = chain ? asprintf(&second, "%s%c%s", chain, 0, mark) + 1 : 0;
    if (first_size == 0 || (chain && second_size == 0))
        return error_errno(err, ENOMEM);
    struct undo undo = { UNDO_NFT,           lab, first, second ? second : "", (size_t)first_size,
                         (size_t)second_size };
    return send_record(&undo, err);
}

int guardian_undo_sysctl(uint32_t lab, const char *folder, const struct sysctl_token *token,
                         struct error *err) {
    struct undo undo = { UNDO_SYSCTL, lab, folder, token, strlen(folder) + 1, sizeof *token };
    return send_record(&undo, err);
}

int guardian_lend(int fd, struct error *err) {
    struct message message = { .kind = MESSAGE_LEND };
    return tell(&message, NULL, 0, &fd, 1, err);
}

/* --- labs ------------------------------------------------------------------------------------- */

static int refuse_hold(int code, struct error *err) {
    error_set(err, code, "the guardian cannot hold the namespaces: %s", strerror(code));
    if (code == EMFILE)
        error_hint(err, "raise the limit of open files: ulimit -Hn N");
    return -1;
}

/* "ETC\0NAME\0NAME\0"; how many of the names fit, *size: the bytes. */
static size_t write_names(const char *etc, const char *const *names, size_t count,
                          char body[MESSAGE_BODY_MAX], size_t *size) {
    size_t done = 0;
    *size = strlen(etc) + 1;
    memcpy(body, etc, *size);
    while (done < count && done < PACKET_FDS_MAX) {
        size_t length = strlen(names[done]) + 1;
        if (length > MESSAGE_BODY_MAX - *size)
            break;
        memcpy(body + *size, names[done++], length);
        *size += length;
    }
    return done;
}

/* A packet of nodes, those from `done` on. How many went; *first is set by the first packet. */
static int hold_some(uint32_t lab, const struct guardian_nodes *nodes, size_t done, int32_t *first,
                     struct error *err) {
    char body[MESSAGE_BODY_MAX];
    size_t size, some;
    int32_t answer, next = done > 0 ? *first + (int32_t)done : 0;
    struct message message = { MESSAGE_HOLD, lab, next, (uint32_t)nodes->count };
    some = write_names(nodes->etc, nodes->names + done, nodes->count - done, body, &size);
    if (some == 0)
        return refuse_hold(ENAMETOOLONG, err);
    if (tell(&message, body, size, nodes->fds + done, some, err) < 0 ||
        await_reply(&answer, err) < 0)
        return -1;
    if (answer < 0)
        return refuse_hold(-answer, err);
    if (done == 0)
        *first = answer;
    return (int)some;
}

int guardian_hold(uint32_t lab, const struct guardian_nodes *nodes, struct error *err) {
    int32_t first = 0;
    if (guardian_start(err) < 0)
        return -1;
    for (size_t done = 0; done < nodes->count;) {
        int some = hold_some(lab, nodes, done, &first, err);
        if (some < 0)
            return -1;
        done += (size_t)some;
    }
    return first;
}

/* /run/netns/NAME -> /proc/PID/fd/N */
struct symlink {
    char path[sizeof NETNS_RUN_DIR + NAME_MAX + 1], target[64];
};

static int name_symlink(struct symlink *link, const char *name, int number, struct error *err) {
    if (netns_check_name(name, err) < 0)
        return -1;
    snprintf(link->path, sizeof link->path, "%s/%s", NETNS_RUN_DIR, name);
    snprintf(link->target, sizeof link->target, "/proc/%d/fd/%d", (int)guardian.pid, number);
    return 0;
}

/* The records of some nodes in a packet, or in as many as that takes. */
static int tell_names(uint32_t lab, const struct guardian_nodes *nodes, int number, size_t *failed,
                      struct error *err) {
    struct undo_log records = { 0 };
    struct symlink link;
    int result = 0;
    for (size_t i = 0; i < nodes->count && result == 0; i++) {
        *failed = i;
        result = name_symlink(&link, nodes->names[i], number + (int)i, err);
        struct undo undo = {
            UNDO_SYMLINK,           lab, link.path, link.target, strlen(link.path) + 1,
            strlen(link.target) + 1
        };
        if (result == 0 && undo_add(&records, &undo) < 0)
            result = error_errno(err, ENOMEM);
    }
    if (result == 0)
        result = send_bytes(records.bytes, records.used, err);
    undo_free(&records);
    return result;
}

int guardian_publish(uint32_t lab, const struct guardian_nodes *nodes, int number, size_t *failed,
                     struct error *err) {
    struct symlink link;
    if (guardian_start(err) < 0 || tell_names(lab, nodes, number, failed, err) < 0)
        return -1;
    for (size_t i = 0; i < nodes->count; i++) {
        *failed = i;
        if (name_symlink(&link, nodes->names[i], number + (int)i, err) < 0 ||
            netns_publish(nodes->names[i], link.target, err) < 0)
            return -1;
    }
    return 0;
}

int guardian_register(const char *name, const char *script, struct error *err) {
    struct message message = { .kind = MESSAGE_LISTEN };
    if (guardian_start(err) < 0)
        return -1;
    if (guardian.lab[0])
        return 0;
    int listeners[REGISTRY_PLACES];
    int count = registry_bind(name, listeners, err);
    if (count < 0)
        return -1;
    int result =
        tell(&message, script, strnlen(script, SCRIPT_NAME_MAX), listeners, (size_t)count, err);
    for (int i = 0; i < count; i++)
        close(listeners[i]);
    if (result < 0)
        return -1;
    snprintf(guardian.lab, sizeof guardian.lab, "%s", name);
    return 0;
}

const char *guardian_lab(void) {
    return guardian.pidfd >= 0 && guardian.lab[0] ? guardian.lab : NULL;
}

/* A message that is nothing but its kind. Without a guardian there is nothing to tell. */
static int tell_kind(enum message_kind kind, uint32_t lab, struct error *err) {
    struct message message = { .kind = kind, .lab = lab };
    return guardian.socket < 0 ? 0 : tell(&message, NULL, 0, NULL, 0, err);
}

int guardian_down(uint32_t lab, struct error *err) {
    return tell_kind(MESSAGE_DOWN, lab, err);
}

int guardian_drop(int number, struct error *err) {
    struct message message = { .kind = MESSAGE_DROP, .value = number };
    return guardian.socket < 0 ? 0 : tell(&message, NULL, 0, NULL, 0, err);
}

int guardian_sync(struct error *err) {
    int32_t value;
    if (tell_kind(MESSAGE_SYNC, 0, err) < 0)
        return -1;
    return guardian.socket < 0 ? 0 : await_reply(&value, err);
}

int guardian_keep(struct error *err) {
    if (guardian_start(err) < 0 || tell_kind(MESSAGE_KEEP, 0, err) < 0)
        return -1;
    guardian.kept = true;
    return 0;
}
