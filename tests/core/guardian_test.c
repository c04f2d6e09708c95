/* The guardian, its undo list, and the programs that must not outlive us. */
#include "child.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <time.h>

#include "../../core/guardian.h"
#include "../../core/netns.h"
#include "../../core/process.h"
#include "../../core/sandbox.h"
#include "../../core/undo.h"

enum { ROUNDS = 150, ROUND_MAX_US = 60000 };

static char folder[] = "/tmp/nsh-guardian-XXXXXX"; /* the current directory of the tests */

/* --- helpers ---------------------------------------------------------------------------------- */

static void enter(void) {
    must_work(sandbox_enter(&err));
}

static void path_to(const char *name, char path[128]) {
    snprintf(path, 128, "%s/%s", folder, name);
}

static void put(const char *name, const char *text) {
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static bool holds(const char *name, const char *text) {
    char found[256];
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    must(fd >= 0);
    ssize_t size = read(fd, found, sizeof found);
    close(fd);
    return size == (ssize_t)strlen(text) && !memcmp(found, text, (size_t)size);
}

static bool exists(const char *name) {
    struct stat status;
    return lstat(name, &status) == 0;
}

static bool is_gone(int pidfd) {
    struct pollfd end = { .fd = pidfd, .events = POLLIN };
    return poll(&end, 1, 0) == 1;
}

static pid_t pid_of(int pidfd) {
    char path[64], line[128];
    int pid = 0;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    FILE *file = fopen(path, "re");
    while (file && pid == 0 && fgets(line, sizeof line, file))
        sscanf(line, "Pid: %d", &pid);
    must(pid > 0);
    fclose(file);
    return pid;
}

static int count_fds(pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    must(dir);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static struct process *try_shell(const char *line, int netns, struct error *err) {
    char *argv[] = { "sh", "-c", (char *)line, NULL };
    struct process_spec spec = { .argv = argv, .netns = netns, .stdio = { -1, -1, -1 } };
    spec.hostname = netns < 0 ? NULL : "node";
    return process_start(&spec, err);
}

static struct process *shell(const char *line) {
    struct error err;
    struct process *process = try_shell(line, -1, &err);
    if (!process)
        fprintf(stderr, "%s\n", err.message);
    must(process);
    return process;
}

static int wait_for(struct process *process) {
    int status;
    struct error err;
    struct pollfd end = { .fd = process_pidfd(process), .events = POLLIN };
    must(poll(&end, 1, 5000) == 1);
    must(process_reap(process, &status, &err) == 1);
    return status;
}

static const char daemons[] =
    "for i in 1 2 3; do setsid setsid sleep 1000 & done; "
    "(setsid sh -c 'trap \"\" TERM HUP INT; sleep 1000 & wait' &) ; exec sleep 1000";

/* --- the guardian ----------------------------------------------------------------------------- */

static void one_at_a_time(void) {
    enter();
    must(guardian_pidfd() < 0 && guardian_stop() == 0);
    must_work(guardian_start(&err));
    pid_t pid = pid_of(guardian_pidfd());
    must_work(guardian_start(&err));
    must(pid_of(guardian_pidfd()) == pid);
    must(guardian_stop() == 0 && guardian_stop() == 0 && guardian_pidfd() < 0);
    must_work(guardian_start(&err));
    must(guardian_stop() == 0);
}

static void holds_nothing(void) {
    enter();
    must(dup(open("/", O_RDONLY)) > 0); /* without O_CLOEXEC */
    must_work(guardian_start(&err));
    pid_t pid = pid_of(guardian_pidfd());
    poll(NULL, 0, 50);
    /* 0 to 2, the socket; pidfds of itself, of us, of the sleeper; bell and rope */
    must(count_fds(pid) == 9);
    must(getsid(pid) == pid);
}

static void deaf(void) {
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT, SIGUSR1 };
    enter();
    must_work(guardian_start(&err));
    pid_t pid = pid_of(guardian_pidfd());
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        must(kill(pid, signals[i]) == 0);
    poll(NULL, 0, 50);
    must(!is_gone(guardian_pidfd()));
    must(guardian_stop() == 0);
}

static void killed_is_noticed(void) {
    struct error err;
    enter();
    struct process *process = shell("sleep 1000");
    must(kill(pid_of(guardian_pidfd()), SIGKILL) == 0);
    must(WTERMSIG(wait_for(process)) == SIGKILL);
    struct pollfd end = { .fd = guardian_pidfd(), .events = POLLIN };
    must(poll(&end, 1, 5000) == 1);
    must(guardian_start(&err) < 0 && err.code == ESRCH);
    must(guardian_undo_unlink(0, "/nonesuch", &err) < 0 && err.code == ESRCH);
    must(!try_shell("true", -1, &err) && err.code == ESRCH);
    must(guardian_stop() == 0);
    must_work(guardian_start(&err));
    process_release(process);
}

static void needs_power(void) {
    struct error err;
    become_nobody();
    must(guardian_start(&err) < 0 && err.code == EPERM && strstr(err.hint, "nsh -S"));
}

/* --- undo ------------------------------------------------------------------------------------- */

static void undo_backwards(void) {
    char path[128], gone[128];
    enter();
    path_to("file", path);
    path_to("gone", gone);
    put("file", "changed");
    must_work(guardian_undo_write(0, path, "first", &err));
    must_work(guardian_undo_write(0, path, "second", &err));
    must_work(guardian_undo_write(0, gone, "never", &err));
    must_work(guardian_undo_unlink(0, gone, &err));
    must(guardian_stop() == 0);
    must(holds("file", "first") && !exists("gone"));
}

static void undo_names(void) {
    char link[128], mounted[128];
    enter();
    path_to("link", link);
    path_to("mounted", mounted);
    put("file", "kept");
    put("mounted", "");
    must(symlink("file", "link") == 0);
    must(mount("file", "mounted", NULL, MS_BIND, NULL) == 0);
    must_work(guardian_undo_unlink(0, link, &err));
    must_work(guardian_undo_unlink(0, mounted, &err));
    must(guardian_stop() == 0);
    must(!exists("link") && !exists("mounted") && holds("file", "kept"));
}

/* Far more than the pipe holds, in one record. */
static void undo_large(void) {
    char path[128];
    struct stat status;
    enum { LARGE = 3 << 20 };
    enter();
    path_to("file", path);
    put("file", "changed");
    char *text = malloc(LARGE + 1);
    memset(text, 'x', LARGE);
    text[LARGE] = '\0';
    must_work(guardian_undo_write(0, path, text, &err));
    for (int i = 0; i < 100; i++)
        must_work(guardian_undo_write(0, path, "some text that is put there for a moment", &err));
    must_work(guardian_undo_write(0, path, text, &err));
    free(text);
    must(guardian_stop() == 0);
    must(stat("file", &status) == 0 && status.st_size == LARGE);
}

/* It acts in the network namespace that we were in, wherever we are now. */
static void undo_netlink(void) {
    struct {
        struct nlmsghdr head;
        struct ifinfomsg link;
    } down = {
        .head = { sizeof down, RTM_NEWLINK, NLM_F_REQUEST, 1, 0 },
        .link = { .ifi_index = 1, .ifi_change = IFF_UP },
    };
    char state[64] = "";
    enter();
    must_work(guardian_undo_netlink(0, &down, sizeof down, &err));
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    must(unshare(CLONE_NEWNET) == 0);
    must(guardian_stop() == 0);
    must(setns(home, CLONE_NEWNET) == 0);
    FILE *file = popen("ip -br link show lo", "re");
    must(file && fgets(state, sizeof state, file));
    pclose(file);
    must(strstr(state, "DOWN"));
}

static size_t encode(const char *path, uint32_t lab, char *bytes) {
    struct undo undo = { UNDO_WRITE, lab, path, "undone", strlen(path) + 1, 6 };
    undo_encode(&undo, bytes);
    return undo_size(&undo);
}

/* Every length of what arrives before the end is as good as any. */
static void undo_half(void) {
    char bytes[1024], first[128], second[128];
    path_to("first", first);
    path_to("second", second);
    size_t one = encode(first, 1, bytes), all = one + encode(second, 2, bytes + one);
    for (size_t total = 0; total <= all; total++) {
        struct undo_log log = { malloc(total), total, total }; /* exactly: for the sanitizer */
        memcpy(log.bytes, bytes, total);
        put("first", "changed");
        put("second", "changed");
        undo_run_all(&log);
        must(holds("first", total >= one ? "undone" : "changed"));
        must(holds("second", total >= all ? "undone" : "changed"));
        must(log.used == 0);
        free(log.bytes);
    }
}

/* --- programs --------------------------------------------------------------------------------- */

static void stop_with_programs(void) {
    enter();
    int fds = count_fds(getpid());
    struct process *running = shell(daemons), *forgotten = shell(daemons);
    process_release(forgotten);
    poll(NULL, 0, 20);
    must(guardian_stop() == 0);
    must(WTERMSIG(wait_for(running)) == SIGKILL);
    must(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    must_work(process_kill(running, SIGTERM, &err));
    process_release(running);
    must(count_fds(getpid()) == fds);
}

static void statuses(void) {
    struct error err;
    enter();
    struct process *process = shell("exit 3");
    must(WEXITSTATUS(wait_for(process)) == 3);
    process_release(process);
    process = shell("kill -HUP $$");
    must(WTERMSIG(wait_for(process)) == SIGHUP);
    process_release(process);
    process = shell("sleep 1000 & wait");
    must_work(process_kill(process, SIGTERM, &err));
    must(WTERMSIG(wait_for(process)) == SIGTERM);
    process_release(process);
    process = shell("trap '' TERM; sleep 1000");
    process_end(process);
    must(WTERMSIG(wait_for(process)) == SIGKILL);
    process_release(process);
    must(guardian_stop() == 0);
    (void)err;
}

/* As after an interrupt, when nobody is left to wait for it. */
static void released_in_foreground(void) {
    char *argv[] = { "sleep", "1000", NULL };
    struct process_spec spec = {
        .argv = argv, .netns = -1, .stdio = { -1, -1, -1 }, .foreground = true
    };
    struct error err;
    enter();
    struct process *process = process_start(&spec, &err);
    must(process);
    pid_t pid = process_pid(process);
    process_release(process);
    must(kill(pid, 0) < 0 && errno == ESRCH);
    must(guardian_stop() == 0);
}

static void refusals(void) {
    struct error err;
    char *argv[] = { "/nonesuch", NULL };
    struct process_spec spec = { .argv = argv, .netns = -1, .stdio = { -1, -1, -1 } };
    enter();
    must(!process_start(&spec, &err) && err.code == ENOENT);
    must(!strcmp(err.message, "No such file or directory"));
    spec.cwd = "/nonesuch";
    must(!process_start(&spec, &err) && err.code == ENOENT);
    must(!strncmp(err.message, "cannot change to directory /nonesuch: ", 38));
    spec.cwd = NULL;
    spec.stdio[1] = 777;
    must(!process_start(&spec, &err) && err.code == EBADF);
    must(guardian_stop() == 0);
}

/* The program's 1 is our 2 and the other way round. */
static void crossed_stdio(void) {
    int out[2], errors[2];
    char text[8] = "";
    char *argv[] = { "sh", "-c", "echo out; echo err >&2; ls -1 /proc/self/fd | wc -l >&2", NULL };
    enter();
    must(pipe2(out, O_CLOEXEC) == 0 && pipe2(errors, O_CLOEXEC) == 0);
    int saved = dup(2);
    must(dup2(out[1], 2) == 2 && dup2(errors[1], 1) == 1);
    struct process_spec spec = { .argv = argv, .netns = -1, .stdio = { -1, 2, 1 } };
    struct error err;
    struct process *process = process_start(&spec, &err);
    dup2(saved, 2);
    must(process && wait_for(process) == 0);
    must(read(out[0], text, sizeof text) == 4 && !memcmp(text, "out\n", 4));
    must(read(errors[0], text, sizeof text) == 6 && !memcmp(text, "err\n4\n", 6));
    process_release(process);
    must(guardian_stop() == 0);
}

/* What a handler or a mask of ours does is not the program's business. */
static void clean_signals(void) {
    sigset_t all;
    enter();
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    struct process *process = shell("grep -q '^SigBlk:.0000000000000000' /proc/self/status && "
                                    "grep -q '^SigIgn:.0000000000000000' /proc/self/status");
    must(wait_for(process) == 0);
    process_release(process);
    must(guardian_stop() == 0);
}

/* --- killed at any moment --------------------------------------------------------------------- */

/* A program in a namespace and daemons in the background, over and over. */
static void busy_program(void) {
    struct error err;
    enter();
    int node = netns_new(&err);
    for (;;) {
        char path[128];
        path_to("file", path);
        must_work(guardian_undo_write(0, path, "put back", &err));
        put("file", "changed");
        process_release(try_shell(daemons, -1, &err));
        process_release(try_shell("sleep 1000", node, &err));
    }
}

static void test_killed_at_any_moment(void **state) {
    (void)state;
    srand((unsigned)time(NULL));
    for (int i = 0; i < ROUNDS; i++) {
        put("file", "put back");
        pid_t pid = start_child(busy_program);
        usleep((useconds_t)(rand() % ROUND_MAX_US));
        kill(pid, SIGKILL);
        assert_true(nothing_left());
        assert_true(holds("file", "put back"));
    }
}

/* --- as root and as nobody -------------------------------------------------------------------- */

AS_BOTH(one_at_a_time)
AS_BOTH(holds_nothing)
AS_BOTH(deaf)
AS_BOTH(killed_is_noticed)
AS_BOTH(undo_backwards)
AS_BOTH(undo_names)
AS_BOTH(undo_large)
AS_BOTH(undo_netlink)
AS_BOTH(undo_half)
AS_BOTH(stop_with_programs)
AS_BOTH(statuses)
AS_BOTH(released_in_foreground)
AS_BOTH(refusals)
AS_BOTH(crossed_stdio)
AS_BOTH(clean_signals)

static void test_needs_power(void **state) {
    (void)state;
    if (geteuid() != 0)
        skip();
    run_child(needs_power);
}

/* --- setup ------------------------------------------------------------------------------------ */

static int make_folder(void **state) {
    (void)state;
    umask(0);
    return mkdtemp(folder) && chdir(folder) == 0 ? chmod(folder, 0777) : -1;
}

static int empty_folder(void **state) {
    (void)state;
    static const char *const names[] = { "file", "first", "second", "link", "mounted" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(names[i]);
    return 0;
}

static int remove_folder(void **state) {
    empty_folder(state);
    return rmdir(folder);
}

#define TEST(name) cmocka_unit_test_teardown(test_##name, empty_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(one_at_a_time),
        TEST(holds_nothing),
        TEST(deaf),
        TEST(killed_is_noticed),
        TEST(needs_power),
        TEST(undo_backwards),
        TEST(undo_names),
        TEST(undo_large),
        TEST(undo_netlink),
        TEST(undo_half),
        TEST(stop_with_programs),
        TEST(statuses),
        TEST(released_in_foreground),
        TEST(refusals),
        TEST(crossed_stdio),
        TEST(clean_signals),
        TEST(killed_at_any_moment),
    };
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return cmocka_run_group_tests_name("guardian", tests, make_folder, remove_folder);
}
