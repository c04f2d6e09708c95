/* The registry of labs: names, and clients that mean no good. */
#include "child.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../../core/guardian.h"
#include "../../core/labs.h"
#include "../../core/packet.h"
#include "../../core/registry.h"
#include "../../core/sandbox.h"

static const char name[] = "registry-test";

/* Another process with a lab: it tells the pid of its guardian, and ends when `go` is closed. */
static struct {
    pid_t nsh, guardian;
    int told[2], go[2];
} other;

static void run_lab(void) {
    char byte;
    pid_t pid;
    must_work(sandbox_enter(&err));
    must_work(guardian_register(name, "lab.lua", &err));
    must_work(guardian_sync(&err));
    pid = guardian_pid();
    must(write(other.told[1], &pid, sizeof pid) == sizeof pid);
    close(other.go[1]);
    must(read(other.go[0], &byte, 1) == 0);
    must(guardian_stop() == 0);
}

static void start_lab(void) {
    must(pipe2(other.told, O_CLOEXEC) == 0 && pipe2(other.go, O_CLOEXEC) == 0);
    other.nsh = start_child(run_lab);
    must(read(other.told[0], &other.guardian, sizeof other.guardian) == sizeof other.guardian);
}

static void end_lab(void) {
    int status;
    close(other.go[1]);
    must(waitpid(other.nsh, &status, 0) == other.nsh && status == 0);
}

static int connect_lab(void) {
    struct error err;
    int fd = registry_connect(name, &err);
    must(fd >= 0);
    return fd;
}

static bool is_listed(void) {
    struct error err;
    struct labs labs;
    must(labs_open(&labs, &err) == 0);
    bool listed = labs.count == 1 && !strcmp(labs.list[0].name, name) && labs.list[0].answered &&
                  labs.list[0].info.alive && labs.list[0].pid == other.nsh &&
                  !strcmp(labs.list[0].info.script, "lab.lua");
    labs_free(&labs);
    return listed;
}

static int count_fds(pid_t pid) {
    char path[64];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    must(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* --- clients ---------------------------------------------------------------------------------- */

static void listed(void) {
    struct error err;
    struct labs labs;
    start_lab();
    must(is_listed());
    end_lab();
    must(labs_open(&labs, &err) == 0 && labs.count == 0);
    must(registry_connect(name, &err) < 0 && err.code == ECONNREFUSED);
}

static void idle_clients(void) {
    start_lab();
    for (int i = 0; i < 100; i++)
        connect_lab();
    for (int i = 0; i < 3; i++)
        must(is_listed());
    must(count_fds(other.guardian) < 50);
    end_lab();
}

/* Asks more than is answered, as nothing is read. */
static void deaf_client(void) {
    start_lab();
    int fd = connect_lab();
    must(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    for (int i = 0; i < 10000 && registry_send(fd, REGISTRY_INFO, "") == 0; i++)
        ;
    must(is_listed());
    end_lab();
}

/* Each ends the connection, and only that. */
static void is_cut(const void *bytes, size_t size) {
    char answer[64];
    int fd = connect_lab();
    struct packet packet = { .head = (void *)bytes, .head_size = size };
    must(packet_send(fd, &packet, 0) == 0);
    must(packet_wait(fd, 5000) && recv(fd, answer, sizeof answer, 0) == 0);
    close(fd);
}

static void nonsense(void) {
    struct registry_request request = { REGISTRY_VERSION, REGISTRY_KINDS, "" };
    start_lab();
    is_cut("x", 1);
    is_cut(&request, sizeof request - 1);
    is_cut(&request, sizeof request);
    request.kind = REGISTRY_ENTER;
    memset(request.node, 'x', sizeof request.node);
    is_cut(&request, sizeof request);
    must(is_listed());
    end_lab();
}

static void another_version(void) {
    struct registry_request request = { REGISTRY_VERSION + 1, REGISTRY_END, "" };
    struct registry_answer answer;
    struct packet packet = { .head = &request, .head_size = sizeof request };
    start_lab();
    int fd = connect_lab();
    must(packet_send(fd, &packet, 0) == 0);
    packet.head = &answer;
    packet.head_size = sizeof answer;
    must(packet_wait(fd, 5000) && packet_receive(fd, &packet, 0) == 1);
    must(answer.version == REGISTRY_VERSION && is_listed());
    end_lab();
}

/* Descriptors that nobody asked for do not stay. */
static void gifts(void) {
    struct registry_request request = { REGISTRY_VERSION, REGISTRY_INFO, "" };
    int fds[PACKET_FDS_MAX];
    for (int i = 0; i < PACKET_FDS_MAX; i++)
        fds[i] = 0;
    struct packet packet = { &request, sizeof request, NULL, 0, fds, PACKET_FDS_MAX };
    start_lab();
    int fd = connect_lab();
    must(packet_send(fd, &packet, 0) == 0);
    must(packet_wait(fd, 5000));
    must(is_listed() && count_fds(other.guardian) < 20);
    end_lab();
}

/* Who is not the same user hears nothing, also if he knows the name. */
static void stranger(void) {
    char answer[64];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "nsh/0/%s", name);
    start_lab();
    become_nobody();
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    must(connect(fd, (struct sockaddr *)&address,
                 (socklen_t)(sizeof address.sun_family + 1 + (size_t)length)) == 0);
    registry_send(fd, REGISTRY_END, "");
    must(recv(fd, answer, sizeof answer, 0) <= 0);
    end_lab();
}

/* --- from inside ------------------------------------------------------------------------------ */

/* A signal for each, though nobody reads the bytes that cause it. */
static void ended_from_inside(void) {
    enum { MORE_THAN_A_BUFFER = 500 };
    static const struct timespec patience = { .tv_sec = 5 };
    struct lab lab;
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    must(sigprocmask(SIG_BLOCK, &term, NULL) == 0);
    must_work(sandbox_enter(&err));
    must_work(guardian_register(name, "", &err));
    for (int i = 0; i < MORE_THAN_A_BUFFER; i++) {
        must_work(lab_open(&lab, name, &err));
        must(registry_send(lab.socket, REGISTRY_END, "") == 0);
        must(sigtimedwait(&term, NULL, &patience) == SIGTERM);
        close(lab.socket);
    }
    must(guardian_stop() == 0);
}

static int told[2];

static void sees_lab(void) {
    char byte;
    struct lab lab;
    close(told[1]);
    must(read(told[0], &byte, 1) == 1);
    must_work(lab_open(&lab, name, &err));
}

/* Whoever has the name in here keeps it; the one outside is not taken before that is clear. */
static void taken_inside(void) {
    struct error err;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int status,
        length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "nsh/0/%s", name);
    must(pipe2(told, O_CLOEXEC) == 0);
    pid_t watcher = start_child(sees_lab);
    must_work(sandbox_enter(&err));
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    must(bind(fd, (struct sockaddr *)&address,
              (socklen_t)(sizeof address.sun_family + 1 + (size_t)length)) == 0);
    must(guardian_register(name, "", &err) < 0 && err.code == EADDRINUSE && !guardian_lab());
    close(fd);
    must_work(guardian_register(name, "", &err));
    must(write(told[1], "", 1) == 1);
    must(waitpid(watcher, &status, 0) == watcher && status == 0);
    must(guardian_stop() == 0);
}

/* --- names ------------------------------------------------------------------------------------ */

static void names(void) {
    struct error err;
    char longest[LAB_NAME_MAX + 2];
    memset(longest, 'x', sizeof longest);
    longest[LAB_NAME_MAX + 1] = '\0';
    must_work(sandbox_enter(&err));
    must(guardian_register("", "", &err) < 0 && err.code == EINVAL);
    must(guardian_register("a/b", "", &err) < 0 && err.code == EINVAL);
    must(guardian_register("a\nb", "", &err) < 0 && err.code == EINVAL);
    must(guardian_register(longest, "", &err) < 0 && err.code == ENAMETOOLONG);
    must(!guardian_lab());
    longest[LAB_NAME_MAX] = '\0';
    must_work(guardian_register(longest, "", &err));
    must_work(guardian_register("another", "", &err)); /* which the first one's stands for */
    must(!strcmp(guardian_lab(), longest));
    must(guardian_stop() == 0 && !guardian_lab());
}

static void refused_at_once(void) {
    struct error err;
    start_lab();
    must_work(sandbox_enter(&err));
    for (int i = 0; i < 2; i++) {
        must(guardian_register(name, "", &err) < 0 && err.code == EADDRINUSE);
        must(strstr(err.hint, "nsh down registry-test"));
    }
    must_work(guardian_register("another", "", &err));
    must(guardian_stop() == 0);
    end_lab();
}

static pid_t to_continue;

static void continue_later(void) {
    poll(NULL, 0, 200);
    must(kill(to_continue, SIGCONT) == 0);
}

/* Its nsh is gone, and the guardian still at work: here it sleeps. */
static void ending_is_awaited(void) {
    struct error err;
    struct labs labs;
    int status;
    start_lab();
    to_continue = other.guardian;
    must(kill(other.guardian, SIGSTOP) == 0);
    must(kill(other.nsh, SIGKILL) == 0 && waitpid(other.nsh, &status, 0) == other.nsh);
    must(labs_open(&labs, &err) == 0 && labs.count == 1 && !labs.list[0].answered);
    labs_free(&labs);
    pid_t helper = start_child(continue_later);
    must_work(sandbox_enter(&err));
    must_work(guardian_register(name, "", &err));
    must(waitpid(helper, &status, 0) == helper && status == 0);
    must(guardian_stop() == 0);
}

/* --- as root and as nobody -------------------------------------------------------------------- */

AS_BOTH(listed)
AS_BOTH(idle_clients)
AS_BOTH(deaf_client)
AS_BOTH(nonsense)
AS_BOTH(another_version)
AS_BOTH(gifts)
AS_BOTH(ended_from_inside)
AS_BOTH(taken_inside)
AS_BOTH(names)
AS_BOTH(refused_at_once)
AS_BOTH(ending_is_awaited)

static void test_stranger(void **state) {
    (void)state;
    if (geteuid() != 0)
        skip();
    run_child(stranger);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listed),
        cmocka_unit_test(test_idle_clients),
        cmocka_unit_test(test_deaf_client),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_another_version),
        cmocka_unit_test(test_gifts),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_refused_at_once),
        cmocka_unit_test(test_ended_from_inside),
        cmocka_unit_test(test_taken_inside),
        cmocka_unit_test(test_stranger),
        cmocka_unit_test(test_ending_is_awaited),
    };
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
