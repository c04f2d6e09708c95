#include "guardian.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "pipe.h"
#include "process.h"
#include "sysctl_hold.h"
#include "undo.h"

enum { STOP_MS = 5000 };

static struct {
    int pipe;  /* its write end */
    int pidfd; /* -1: there is no guardian */
} guardian = { -1, -1 };

/* --- the child -------------------------------------------------------------------------------- */

/* Whatever a terminal or a user sends, only the end of the pipe ends it. Ignoring SIGCHLD makes the
   kernel reap the orphans that come to it as to any init. */
static void be_deaf(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGCHLD, SIG_IGN);
}

/* Returns the read end, the only descriptor left above stderr. */
static int keep_only(int pipe) {
    int input = fcntl(pipe, F_DUPFD, 3);
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    dup2(input, 3);
    close_range(4, ~0U, 0);
    return 3;
}

/* What came through the pipe. Not from malloc: another thread may have held its lock when this
   process was cloned. */
struct log {
    char *bytes;
    size_t used, room;
};

static bool make_room(struct log *log) {
    enum { FIRST = 1 << 16 };
    if (log->used < log->room)
        return true;
    void *grown = log->bytes
                      ? mremap(log->bytes, log->room, log->room * 2, MREMAP_MAYMOVE)
                      : mmap(NULL, FIRST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (grown == MAP_FAILED)
        return false;
    log->room = log->bytes ? log->room * 2 : FIRST;
    log->bytes = grown;
    return true;
}

/* Until the end of the pipe - or of memory: to undo early is better than never. */
static void read_all(int pipe, struct log *log) {
    while (make_room(log)) {
        ssize_t got = read(pipe, log->bytes + log->used, log->room - log->used);
        if (got == 0 || (got < 0 && errno != EINTR))
            return;
        if (got > 0)
            log->used += (size_t)got;
    }
}

static _Noreturn void guardian_main(int pipe) {
    struct log log = { 0 };
    be_deaf();
    setsid();
    prctl(PR_SET_NAME, "nsh-guardian");
    if (chdir("/") < 0)
        _exit(1);
    read_all(keep_only(pipe), &log);
    kill(-1, SIGKILL);
    undo_run(log.bytes, log.used);
    _exit(0);
}

/* --- start and stop --------------------------------------------------------------------------- */

/* Not fork: PID namespace and pidfd in one step, and no other child is ever put into the former.
   Our signal handlers must not run in the child, hence the mask. */
static pid_t clone_guardian(int *pidfd) {
    struct clone_args args = {
        .flags = CLONE_NEWPID | CLONE_PIDFD,
        .pidfd = (uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
    };
    return (pid_t)syscall(SYS_clone3, &args, sizeof args);
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

static int launch(struct error *err) {
    int ends[2];
    sigset_t all, before;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return refused(err);
    cleanup_fd int reader = ends[0], writer = ends[1];
    hear_of_children();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = clone_guardian(&guardian.pidfd);
    if (pid == 0)
        guardian_main(reader);
    int saved = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    if (pid < 0)
        return refused(err);
    guardian.pipe = take_fd(&writer);
    return 0;
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

void guardian_leave(void) {
    close_fd(&guardian.pipe);
}

/* A zombie of ours would hold up the guardian: init of a PID namespace waits for all of it. */
int guardian_stop(void) {
    siginfo_t info;
    if (guardian.pidfd < 0)
        return 0;
    close_fd(&guardian.pipe);
    process_reap_all(STOP_MS);
    bool gone = has_ended(guardian.pidfd, STOP_MS);
    if (gone)
        waitid(P_PIDFD, (id_t)guardian.pidfd, &info, WEXITED);
    close_fd(&guardian.pidfd);
    return gone ? 0 : -1;
}

/* --- undo records ----------------------------------------------------------------------------- */

static int send_record(enum undo_kind kind, const void *first, size_t first_size,
                       const void *second, size_t second_size, struct error *err) {
    size_t length;
    if (guardian_start(err) < 0)
        return -1;
    cleanup_free void *record = undo_record(kind, first, first_size, second, second_size, &length);
    if (!record)
        return error_errno(err, ENOMEM);
    if (pipe_write_all(guardian.pipe, record, length) < 0)
        return error_set(err, errno, "cannot tell the guardian: %s", strerror(errno));
    return 0;
}

int guardian_undo_write(const char *path, const char *text, struct error *err) {
    return send_record(UNDO_WRITE, path, strlen(path) + 1, text, strlen(text), err);
}

int guardian_undo_unlink(const char *path, struct error *err) {
    return send_record(UNDO_UNLINK, path, strlen(path) + 1, "", 0, err);
}

int guardian_undo_netlink(const void *message, size_t length, struct error *err) {
    return send_record(UNDO_NETLINK, message, length, "", 0, err);
}

int guardian_undo_sysctl(const char *folder, const struct sysctl_token *token, struct error *err) {
    return send_record(UNDO_SYSCTL, folder, strlen(folder) + 1, token, sizeof *token, err);
}
