/* What the guardian does for labs: it holds namespaces, publishes their names for programs too,
   undoes one lab and not the other, and outlives us when it is told to. */
#include "child.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "../../core/guardian.h"
#include "../../core/netns.h"
#include "../../core/process.h"
#include "../../core/sandbox.h"

enum { MANY = 600 }; /* three packets of descriptors */

static void enter(void) {
    must_work(sandbox_enter(&err));
}

static int hold(uint32_t lab, const char *name, int ns) {
    struct error err;
    struct guardian_nodes nodes = { &name, &ns, 1, "/etc/netns" };
    int number = guardian_hold(lab, &nodes, &err);
    must(number > 0);
    return number;
}

static int new_namespace(void) {
    struct error err;
    int ns = netns_new(&err);
    must(ns >= 0);
    return ns;
}

static void path_to_held(int number, char path[64]) {
    snprintf(path, 64, "/proc/%d/fd/%d", (int)guardian_pid(), number);
}

static bool is_namespace(const char *path, int ns) {
    struct stat one, other;
    return stat(path, &one) == 0 && fstat(ns, &other) == 0 && one.st_ino == other.st_ino;
}

/* Publishes a node as a lab does. */
static void publish(uint32_t lab, const char *name, int number) {
    size_t failed;
    struct guardian_nodes nodes = { .names = &name, .count = 1 };
    must_work(guardian_publish(lab, &nodes, number, &failed, &err));
}

static struct process *shell(const char *line, int netns) {
    struct error err;
    char *argv[] = { "sh", "-c", (char *)line, NULL };
    struct process_spec spec = { .argv = argv, .netns = netns, .stdio = { -1, -1, -1 } };
    struct process *process = process_start(&spec, &err);
    must(process);
    return process;
}

static int wait_for(struct process *process) {
    int status;
    struct error err;
    struct pollfd end = { .fd = process_pidfd(process), .events = POLLIN };
    must(poll(&end, 1, 5000) == 1);
    must(process_reap(process, &status, &err) == 1);
    process_release(process);
    return status;
}

static bool runs(struct process *process) {
    int status;
    struct error err;
    return process_reap(process, &status, &err) == 0;
}

static bool exists(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0;
}

/* --- held ------------------------------------------------------------------------------------- */

static void held(void) {
    char path[64];
    enter();
    must(guardian_pid() == 0);
    int ns = new_namespace(), number = hold(1, "app1", ns);
    path_to_held(number, path);
    must(is_namespace(path, ns));
    must(guardian_stop() == 0 && guardian_pid() == 0);
}

static void held_in_a_row(void) {
    struct error err;
    const char *names[MANY];
    int fds[MANY];
    char path[64];
    enter();
    int ns[] = { new_namespace(), new_namespace() };
    for (int i = 0; i < MANY; i++) {
        names[i] = "a-name-of-some-length";
        fds[i] = ns[i % 2];
    }
    struct guardian_nodes nodes = { names, fds, MANY, "/etc/netns" };
    int first = guardian_hold(1, &nodes, &err), again = guardian_hold(2, &nodes, &err);
    must(first > 0 && again >= first + MANY);
    for (int i = 0; i < MANY; i++) {
        path_to_held(first + i, path);
        must(is_namespace(path, ns[i % 2]));
    }
    must_work(guardian_down(1, &err));
    must(guardian_hold(3, &nodes, &err) == first);
    path_to_held(again, path);
    must(is_namespace(path, ns[0]));
    must(guardian_stop() == 0);
}

/* A program's own /proc knows the guardian by the same number. */
static void named_for_programs(void) {
    static const char look[] = "ip -n app1 link show lo >/dev/null && "
                               "test $(stat -L -c %i /run/netns/app1) = $0";
    char line[256];
    struct stat status;
    enter();
    int ns = new_namespace();
    publish(1, "app1", hold(1, "app1", ns));
    must(fstat(ns, &status) == 0);
    close(ns);
    snprintf(line, sizeof line, "exec sh -c '%s' %lu", look, (unsigned long)status.st_ino);
    must(wait_for(shell(line, -1)) == 0);
    must(wait_for(shell("kill -KILL -1; exit 0", -1)) == 0); /* all that it can reach */
    for (int i = 0; i < 100 && wait_for(shell(line, -1)) != 0; i++)
        poll(NULL, 0, 10);
    must(wait_for(shell(line, -1)) == 0);
    must(guardian_stop() == 0);
}

static void publish_refuses(void) {
    struct error err;
    enter();
    publish(1, "app1", hold(1, "app1", new_namespace()));
    must(netns_publish("app1", "/nonesuch", &err) < 0 && err.code == EEXIST);
    must(netns_publish("a/b", "/nonesuch", &err) < 0 && err.code == EINVAL);
    must(guardian_stop() == 0 && !exists(NETNS_RUN_DIR "/app1"));
}

/* A name that somebody has stays his, and it is said which one it was. */
static void publish_many(void) {
    struct error err;
    size_t failed = 0;
    int fds[3], sockets[3];
    const char *const names[] = { "app1", "app2", "app3" };
    struct guardian_nodes nodes = { names, fds, 3, "/etc/netns" };
    enter();
    must_work(netns_new_many(3, fds, sockets, &err));
    int number = guardian_hold(1, &nodes, &err);
    must_work(netns_publish("app2", "/nonesuch", &err));
    must(guardian_publish(1, &nodes, number, &failed, &err) < 0);
    must(err.code == EEXIST && failed == 1);
    must(is_namespace(NETNS_RUN_DIR "/app1", fds[0]) && !exists(NETNS_RUN_DIR "/app3"));
    must(guardian_stop() == 0 && !exists(NETNS_RUN_DIR "/app1"));
    must(unlink(NETNS_RUN_DIR "/app2") == 0);
}

/* --- down ------------------------------------------------------------------------------------- */

static void down_one(void) {
    char path[64];
    enter();
    int one = new_namespace(), two = new_namespace(), number = hold(1, "app1", one);
    publish(1, "app1", number);
    publish(2, "app2", hold(2, "app2", two));
    struct process *gone = shell("setsid -f sleep 1000; trap '' TERM HUP; sleep 1000; :", one);
    struct process *other = shell("sleep 1000", two), *host = shell("sleep 1000", -1);
    must_work(guardian_down(1, &err));
    must_work(guardian_sync(&err));
    must(WTERMSIG(wait_for(gone)) == SIGKILL);
    must(runs(other) && runs(host));
    must(!exists(NETNS_RUN_DIR "/app1") && exists(NETNS_RUN_DIR "/app2"));
    path_to_held(number, path);
    must(!exists(path));
    must(guardian_stop() == 0);
    must(!exists(NETNS_RUN_DIR "/app2"));
}

/* Ours is no node, even if a lab should hold it. */
static void down_spares_host(void) {
    struct error err;
    enter();
    int host = netns_current(&err);
    hold(1, "host", host);
    struct process *process = shell("sleep 1000", -1);
    must_work(guardian_down(1, &err));
    must_work(guardian_sync(&err));
    must(runs(process));
    must(guardian_stop() == 0);
}

/* The name has become somebody else's meanwhile. */
static void symlink_of_another(void) {
    static const char path[] = NETNS_RUN_DIR "/app1";
    enter();
    publish(1, "app1", hold(1, "app1", new_namespace()));
    must(unlink(path) == 0 && symlink("/another", path) == 0);
    must_work(guardian_down(1, &err));
    must_work(guardian_sync(&err));
    must(exists(path) && unlink(path) == 0);
    must(guardian_stop() == 0);
}

/* --- kept ------------------------------------------------------------------------------------- */

static void await(int fd, bool *result) {
    struct pollfd end = { .fd = fd, .events = POLLIN };
    *result = poll(&end, 1, 5000) == 1;
}

/* What a program of ours holds the other end of; it lives on, and only the kill ends it. */
static void kept(void) {
    struct error err;
    int ends[2];
    bool ended;
    char path[64];
    enter();
    int ns = new_namespace(), number = hold(1, "app1", ns);
    path_to_held(number, path);
    must(pipe2(ends, O_CLOEXEC) == 0);
    char *argv[] = { "sleep", "1000", NULL };
    struct process_spec spec = { .argv = argv, .netns = ns, .stdio = { -1, ends[1], -1 } };
    struct process *process = process_start(&spec, &err);
    must(process);
    must_work(guardian_keep(&err));
    pid_t pid = guardian_pid();
    must(guardian_stop() == 0);
    must(is_namespace(path, ns) && runs(process));
    close(ends[1]);
    must(kill(pid, SIGKILL) == 0);
    await(ends[0], &ended);
    must(ended);
    must(WTERMSIG(wait_for(process)) == SIGKILL);
}

/* --- as root and as nobody -------------------------------------------------------------------- */

AS_BOTH(held)
AS_BOTH(held_in_a_row)
AS_BOTH(named_for_programs)
AS_BOTH(publish_refuses)
AS_BOTH(publish_many)
AS_BOTH(down_one)
AS_BOTH(down_spares_host)
AS_BOTH(symlink_of_another)
AS_BOTH(kept)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_held),
        cmocka_unit_test(test_held_in_a_row),
        cmocka_unit_test(test_named_for_programs),
        cmocka_unit_test(test_publish_refuses),
        cmocka_unit_test(test_publish_many),
        cmocka_unit_test(test_down_one),
        cmocka_unit_test(test_down_spares_host),
        cmocka_unit_test(test_symlink_of_another),
        cmocka_unit_test(test_kept),
    };
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return cmocka_run_group_tests_name("labs", tests, NULL, NULL);
}
