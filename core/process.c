#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "guardian.h"
#include "process_child.h"

enum { END_MS = 1000 };

struct process {
    struct process *next;
    pid_t pid;
    int pidfd;
    int status;
    bool foreground, ended, released;
    struct terminal terminal; /* fd -1: it does not have it */
};

static struct process *all; /* also the released ones, until they have ended */

/* --- start ------------------------------------------------------------------------------------ */

/* Once a program of ours: a thousand nodes in a container should not say it a thousand times. */
static void warn(const struct error *err) {
    static bool warned;
    if (!warned)
        fprintf(stderr, "nsh: warning: %s\n", err->message);
    warned = true;
}

/* Ends when both children have closed their end: exec has happened, or it will not. */
static int read_reports(int fd, struct process *process, struct error *err) {
    struct report report;
    int result = 0;
    while (TEMP_FAILURE_RETRY(read(fd, &report, sizeof report)) == sizeof report) {
        if (report.kind == REPORT_PID)
            process->pid = report.pid;
        if (report.kind == REPORT_WARNING)
            warn(&report.err);
        if (report.kind == REPORT_ERROR) {
            *err = report.err;
            result = -1;
        }
    }
    return result;
}

/* With every signal blocked, so that none of our handlers runs in the child. */
static pid_t fork_child(const struct process_spec *spec, const struct terminal *terminal,
                        int reports) {
    sigset_t every, before;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    pid_t pid = fork();
    if (pid == 0)
        process_child(spec, terminal, reports);
    int saved = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return pid;
}

static int launch(const struct process_spec *spec, struct process *process, struct error *err) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, errno);
    cleanup_fd int reader = ends[0], writer = ends[1];
    pid_t between = fork_child(spec, &process->terminal, writer);
    if (between < 0)
        return error_set(err, errno, "cannot fork: %s", strerror(errno));
    close_fd(&writer);
    int result = read_reports(reader, process, err);
    TEMP_FAILURE_RETRY(waitpid(between, NULL, 0));
    if (result == 0 && process->pid == 0)
        return error_set(err, ECHILD, "the child that was to start the program has been killed");
    return result;
}

/* Not yet reaped, so the pid is still the program's. */
static int open_pidfd(struct process *process, struct error *err) {
    process->pidfd = pidfd_open(process->pid, 0);
    return process->pidfd < 0 ? error_errno(err, errno) : 0;
}

static struct process *discard(struct process *process) {
    if (process->pid > 0) {
        kill(process->pid, SIGKILL);
        TEMP_FAILURE_RETRY(waitpid(process->pid, NULL, 0));
    }
    terminal_take(&process->terminal);
    free(process);
    return NULL;
}

static void sweep(void);

struct process *process_start(const struct process_spec *spec, struct error *err) {
    sweep();
    struct process *process = calloc(1, sizeof *process);
    if (!process) {
        error_errno(err, ENOMEM);
        return NULL;
    }
    process->next = all;
    process->pidfd = -1;
    process->foreground = spec->foreground;
    process->terminal.fd = process->terminal.stops = -1;
    if (guardian_start(err) < 0)
        return discard(process);
    if (spec->foreground)
        terminal_lend(&process->terminal);
    if (launch(spec, process, err) < 0 || open_pidfd(process, err) < 0)
        return discard(process);
    return all = process;
}

pid_t process_pid(const struct process *process) {
    return process->pid;
}

int process_pidfd(const struct process *process) {
    return process->pidfd;
}

int process_stops(const struct process *process) {
    return process->terminal.stops;
}

/* --- end -------------------------------------------------------------------------------------- */

static void drain(int signalfd) {
    char events[1024];
    while (signalfd >= 0 && read(signalfd, events, sizeof events) > 0)
        ;
}

static int ended(struct process *process, int status) {
    process->ended = true;
    process->status = status;
    terminal_take(&process->terminal);
    return 1;
}

/* 1: it has ended; 0: it runs; -1 with errno. */
static int collect(struct process *process, int flags) {
    int status;
    if (process->ended)
        return 1;
    drain(process->terminal.stops);
    pid_t pid = TEMP_FAILURE_RETRY(waitpid(process->pid, &status, flags));
    if (pid <= 0)
        return pid;
    if (!WIFSTOPPED(status))
        return ended(process, status);
    terminal_suspend(&process->terminal, process->pid);
    return 0;
}

int process_reap(struct process *process, int *status, struct error *err) {
    int stops = process->terminal.fd >= 0 ? WUNTRACED : 0;
    int result = collect(process, WNOHANG | stops);
    *status = process->status;
    return result < 0 ? error_errno(err, errno) : result;
}

/* One that has moved to a group of its own has left none behind. */
int process_kill(const struct process *process, int signal, struct error *err) {
    if (process->ended)
        return 0;
    int result = kill(-process->pid, signal);
    if (result < 0 && errno == ESRCH)
        result = pidfd_send_signal(process->pidfd, signal, NULL, 0);
    return result < 0 && errno != ESRCH ? error_errno(err, errno) : 0;
}

/* Milliseconds on a clock that nobody sets. */
static long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void reap_until(struct process *process, long deadline) {
    long left = deadline - now_ms();
    struct pollfd end = { .fd = process->pidfd, .events = POLLIN };
    if (!process->ended && TEMP_FAILURE_RETRY(poll(&end, 1, left > 0 ? (int)left : 0)) == 1)
        collect(process, WNOHANG);
}

void process_end(struct process *process) {
    if (process->ended)
        return;
    process_kill(process, SIGKILL, NULL);
    reap_until(process, now_ms() + END_MS);
}

static void free_process(struct process *process) {
    terminal_take(&process->terminal);
    close_fd(&process->pidfd);
    free(process);
}

/* Frees those that are both released and gone. */
static void sweep(void) {
    for (struct process **link = &all; *link;) {
        struct process *process = *link;
        if (process->released && collect(process, WNOHANG) != 0) {
            *link = process->next;
            free_process(process);
        } else {
            link = &process->next;
        }
    }
}

void process_release(struct process *process) {
    if (!process)
        return;
    if (process->foreground)
        process_end(process);
    terminal_take(&process->terminal);
    process->released = true;
    sweep();
}

void process_reap_all(int timeout_ms) {
    long deadline = now_ms() + timeout_ms;
    for (struct process *process = all; process; process = process->next)
        reap_until(process, deadline);
    sweep();
}
