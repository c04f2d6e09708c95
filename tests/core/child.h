/* Tests of what concerns a whole process run in a child of their own, under a subreaper: whatever
   they leave behind becomes a child of the test program, which finds it. */
#pragma once

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOBODY = 65534 };

/* In the child: says what did not hold and ends with status 1. */
#define must(condition)                                                                        \
    do {                                                                                       \
        if (!(condition)) {                                                                    \
            fprintf(stderr, "%s:%d: not so: %s (errno: %s)\n", __FILE__, __LINE__, #condition, \
                    strerror(errno));                                                          \
            _exit(1);                                                                          \
        }                                                                                      \
    } while (0)

/* The same for a function that fills `err`. */
#define must_work(call)                                                                     \
    do {                                                                                    \
        struct error err = { 0 };                                                           \
        if ((call) < 0) {                                                                   \
            fprintf(stderr, "%s:%d: %s: %s (%s)\n", __FILE__, __LINE__, #call, err.message, \
                    err.hint);                                                              \
            _exit(1);                                                                       \
        }                                                                                   \
    } while (0)

static inline pid_t start_child(void (*body)(void)) {
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_CHILD_SUBREAPER, 0);
        body();
        fflush(NULL);
        _exit(0);
    }
    return pid;
}

/* Everything that descends from us has ended, within 5 s. */
static inline int nothing_left(void) {
    for (int i = 0; i < 5000; i++) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0)
            return errno == ECHILD;
        if (pid == 0)
            poll(NULL, 0, 1);
    }
    return 0;
}

static inline void run_child(void (*body)(void)) {
    int status;
    pid_t pid = start_child(body);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(nothing_left());
}

static inline void become_nobody(void) {
    must(setresgid(NOBODY, NOBODY, NOBODY) == 0);
    must(setresuid(NOBODY, NOBODY, NOBODY) == 0);
    prctl(PR_SET_DUMPABLE, 1); /* else /proc/self is root's */
}

/* test_BODY: the body in a child, as we are, and where that is root also as nobody. */
#define AS_BOTH(body)                       \
    static void body##_nobody(void) {       \
        become_nobody();                    \
        body();                             \
    }                                       \
    static void test_##body(void **state) { \
        (void)state;                        \
        run_child(body);                    \
        if (geteuid() == 0)                 \
            run_child(body##_nobody);       \
    }
