/* Who has the terminal: a program in the foreground, us again after it, the shell when it is
 * stopped. */
#include "child.h"

#include <pty.h>
#include <signal.h>
#include <stdbool.h>

#include "../../core/process.h"
#include "../../core/sandbox.h"

static const char ctrl_c[] = "\003", ctrl_z[] = "\032";

static struct process *foreground(const char *line) {
    char *argv[] = { "sh", "-c", (char *)line, NULL };
    struct process_spec spec = {
        .argv = argv, .netns = -1, .stdio = { -1, -1, -1 }, .foreground = true
    };
    struct error err;
    struct process *process = process_start(&spec, &err);
    must(process);
    return process;
}

/* As nsh waits: for the end, and for a stop. */
static int finish(struct process *process) {
    int status, result;
    struct error err;
    do {
        struct pollfd events[] = {
            { .fd = process_pidfd(process), .events = POLLIN },
            { .fd = process_stops(process), .events = POLLIN },
        };
        poll(events, 2, 5000);
        must((result = process_reap(process, &status, &err)) >= 0);
    } while (result == 0);
    process_release(process);
    must(tcgetpgrp(0) == getpgrp());
    return status;
}

static void type(int master, const char *text) {
    must(write(master, text, strlen(text)) == (ssize_t)strlen(text));
}

/* Reads what the terminal shows until it ends in `text`. */
static void expect(int master, const char *text) {
    char seen[4096] = "";
    size_t used = 0;
    while (!strstr(seen, text) && used < sizeof seen - 1) {
        struct pollfd input = { .fd = master, .events = POLLIN };
        ssize_t got = poll(&input, 1, 5000) == 1 ? read(master, seen + used, 1) : -1;
        if (got <= 0)
            print_error("\"%s\" was expected after \"%s\"\n", text, seen);
        assert_true(got > 0);
        used += (size_t)got;
    }
}

/* Runs body as leader of the session of a new terminal, and user as whoever sits there. */
static void at_terminal(void (*body)(void), void (*user)(int master)) {
    int master, status;
    fflush(NULL);
    pid_t pid = forkpty(&master, NULL, NULL, NULL);
    if (pid == 0) {
        prctl(PR_SET_CHILD_SUBREAPER, 0);
        body();
        must(write(1, "passed", 6) == 6);
        poll(NULL, 0, 100); /* what is in the terminal goes with it */
        _exit(0);
    }
    user(master);
    expect(master, "passed");
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(master);
    assert_true(nothing_left());
}

/* --- a program has the terminal, and leaves it as it was ----------------------------------------
 */

static void read_and_spoil(void) {
    struct termios before, after;
    must_work(sandbox_enter(&err));
    must(tcgetattr(0, &before) == 0);
    must(finish(foreground("echo ready; read x </dev/tty && test $x = hello")) == 0);
    must(WTERMSIG(finish(foreground("stty raw -echo; kill -KILL $$"))) == SIGKILL);
    must(tcgetattr(0, &after) == 0);
    must(before.c_lflag == after.c_lflag && before.c_iflag == after.c_iflag);
    must(before.c_oflag == after.c_oflag && before.c_cflag == after.c_cflag);
}

static void say_hello(int master) {
    expect(master, "ready");
    type(master, "hello\n");
}

static void test_lent_and_taken_back(void **state) {
    (void)state;
    at_terminal(read_and_spoil, say_hello);
}

/* --- Ctrl-C ends the program, not us ------------------------------------------------------------
 */

static void be_interrupted(void) {
    must_work(sandbox_enter(&err));
    must(WTERMSIG(finish(foreground("exec cat"))) == SIGINT);
}

/* Its answer tells that it is no longer the shell, which may lose a signal before exec. */
static void await_cat(int master) {
    type(master, "ready\n");
    expect(master, "ready\r\nready");
}

static void interrupt(int master) {
    await_cat(master);
    type(master, ctrl_c);
}

static void test_interrupt(void **state) {
    (void)state;
    at_terminal(be_interrupted, interrupt);
}

/* --- Ctrl-Z stops us as well, if there is a shell that goes on
 * ------------------------------------ */

static void stop_and_interrupt(int master) {
    await_cat(master);
    type(master, ctrl_z);
    poll(NULL, 0, 100);
    type(master, ctrl_c);
}

static void test_stop_without_shell(void **state) {
    (void)state;
    at_terminal(be_interrupted, stop_and_interrupt);
}

static void set_foreground(pid_t group) {
    signal(SIGTTOU, SIG_IGN);
    must(tcsetpgrp(0, group) == 0);
    signal(SIGTTOU, SIG_DFL);
}

static void job(void) {
    setpgid(0, 0);
    set_foreground(getpid());
    be_interrupted();
}

static void shell_with_a_job(void) {
    int status;
    pid_t pid = start_child(job);
    must(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    must(WSTOPSIG(status) == SIGTSTP);
    set_foreground(getpgrp());
    must(write(1, "$ ", 2) == 2);
    set_foreground(pid);
    must(kill(-pid, SIGCONT) == 0);
    poll(NULL, 0, 100);
    must(tcgetpgrp(0) != pid); /* the program's group has it again */
    must(write(1, "continued", 9) == 9);
    must(waitpid(pid, &status, 0) == pid && status == 0);
}

static void stop_and_continue(int master) {
    await_cat(master);
    type(master, ctrl_z);
    expect(master, "$ ");
    expect(master, "continued");
    type(master, ctrl_c);
}

static void test_stop_under_shell(void **state) {
    (void)state;
    at_terminal(shell_with_a_job, stop_and_continue);
}

/* --- in the background nothing is lent
 * ------------------------------------------------------------ */

static void background_job(void) {
    setpgid(0, 0);
    must_work(sandbox_enter(&err));
    struct process *process = foreground("sleep 0.1");
    must(process_stops(process) < 0);
    process_end(process);
    process_release(process);
}

static void shell_with_background(void) {
    int status;
    pid_t pid = start_child(background_job);
    must(waitpid(pid, &status, 0) == pid && status == 0);
    must(tcgetpgrp(0) == getpgrp());
}

static void only_look(int master) {
    (void)master;
}

static void test_background(void **state) {
    (void)state;
    at_terminal(shell_with_background, only_look);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lent_and_taken_back), cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_stop_without_shell),  cmocka_unit_test(test_stop_under_shell),
        cmocka_unit_test(test_background),
    };
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return cmocka_run_group_tests_name("terminal", tests, NULL, NULL);
}
