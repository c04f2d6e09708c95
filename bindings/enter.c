/* nsh enter: a program in a node of a lab that another nsh runs, or has left behind. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/cleanup.h"
#include "../core/guardian.h"
#include "../core/labs.h"
#include "../core/process.h"
#include "../core/sandbox.h"
#include "../core/shell.h"
#include "commands.h"
#include "run.h"

enum { CANNOT_EXECUTE = 126, NOT_FOUND = 127 };

/* Where we are bound for. */
struct target {
    struct lab lab; /* its socket is ours */
    const char *node;
    struct entrance entrance;
};

/* --- which node ------------------------------------------------------------------------------- */

/* Takes the lab's socket over if it has such a node. */
static int try_lab(struct lab *lab, struct target *target, struct error *err) {
    if (lab_enter(lab, target->node, &target->entrance, err) < 0)
        return -1;
    target->lab = *lab;
    lab->socket = -1;
    return 0;
}

/* LAB/NODE */
static int find_in_lab(const char *path, struct target *target, struct error *err) {
    cleanup_free char *name = strndup(path, (size_t)(target->node - path - 1));
    if (!name)
        return error_errno(err, ENOMEM);
    if (lab_open(&target->lab, name, err) < 0)
        return -1;
    return lab_enter(&target->lab, target->node, &target->entrance, err);
}

static int refuse(const struct labs *labs, int found, const char *node, struct error *err) {
    if (found > 1)
        return error_set(err, EINVAL, "%d labs have a node %.60s: say LAB/%.60s (nsh list)", found,
                         node, node);
    if (labs->count > 1)
        return error_set(err, ENOENT, "no lab has a node %.60s (nsh list)", node);
    return -1; /* the one that there is has said why not */
}

/* The descriptors of one too many go with us, which is at once. */
static int find_in_any(struct target *target, struct error *err) {
    struct labs labs;
    int found = 0;
    if (labs_open(&labs, err) < 0)
        return -1;
    error_set(err, ENOENT, "there is no lab");
    for (size_t i = 0; i < labs.count; i++)
        if (labs.list[i].answered)
            found += try_lab(&labs.list[i], target, err) == 0;
        else
            error_set(err, ETIMEDOUT, "lab %s is ending", labs.list[i].name);
    int result = found == 1 ? 0 : refuse(&labs, found, target->node, err);
    labs_free(&labs);
    return result;
}

static int find(const char *path, struct target *target, struct error *err) {
    const char *slash = strrchr(path, '/');
    target->node = slash ? slash + 1 : path;
    return slash ? find_in_lab(path, target, err) : find_in_any(target, err);
}

/* --- the program ------------------------------------------------------------------------------ */

/* Without a command: the user's shell. */
static char **choose_program(char **words, const struct target *target) {
    static struct shell shell;
    setenv("NSH_LAB", target->lab.name, 1);
    setenv("NSH_NODE", target->node, 1);
    words += words[0] && !strcmp(words[0], "--");
    if (words[0])
        return words;
    shell_choose(target->node, &shell);
    for (int i = 0; shell.env[i].name; i++)
        setenv(shell.env[i].name, shell.env[i].value, 1);
    return shell.argv;
}

static struct process *start(char *const *argv, const struct target *target, struct error *err) {
    char etc[REGISTRY_BODY_MAX + NODE_NAME_MAX + 2], hostname[HOST_NAME_MAX + 1];
    bool is_host = target->entrance.netns < 0;
    snprintf(etc, sizeof etc, "%s/%s", target->entrance.etc, target->node);
    snprintf(hostname, sizeof hostname, "%s", target->node);
    struct process_spec spec = {
        .argv = argv,
        .netns = target->entrance.netns,
        .hostname = is_host ? NULL : hostname,
        .etc = is_host ? NULL : etc,
        .stdio = { -1, -1, -1 },
        .foreground = true,
    };
    return process_start(&spec, err);
}

/* What is sent to us is meant for it. */
static int watch_signals(void) {
    static const int wanted[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        sigaddset(&set, wanted[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int wait_for(struct process *process, int signals) {
    int status, result;
    struct error err;
    do {
        struct signalfd_siginfo signal;
        struct pollfd events[] = {
            { .fd = process_pidfd(process), .events = POLLIN },
            { .fd = process_stops(process), .events = POLLIN },
            { .fd = signals, .events = POLLIN },
        };
        poll(events, 3, -1);
        if (read(signals, &signal, sizeof signal) == sizeof signal)
            process_kill(process, (int)signal.ssi_signo, NULL);
        result = process_reap(process, &status, &err);
    } while (result == 0);
    process_release(process);
    return result < 0 ? SIGKILL : status; /* lost, which never happens */
}

/* Whether a shell vanishes by itself or together with its node is worth a word. */
static void explain_end(struct target *target, int status) {
    struct error err;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL &&
        lab_enter(&target->lab, target->node, &target->entrance, &err) < 0)
        say_error(err.message);
}

static int run(char *const *argv, struct target *target, struct error *err) {
    int signals = watch_signals();
    struct process *process = start(argv, target, err);
    if (!process) {
        fprintf(stderr, "nsh: cannot run %s in %s: %s\n", argv[0], target->node, err->message);
        return err->code == ENOENT ? NOT_FOUND : CANNOT_EXECUTE;
    }
    int status = wait_for(process, signals);
    explain_end(target, status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SIGNAL + WTERMSIG(status);
}

int enter_node(char **arguments) {
    struct target target = { 0 };
    struct error err;
    if (find(arguments[0], &target, &err) < 0 ||
        sandbox_join(target.entrance.guardian, target.entrance.sandbox, &err) < 0)
        return print_error(&err);
    guardian_adopt(target.entrance.guardian);
    return run(choose_program(arguments + 1, &target), &target, &err);
}
