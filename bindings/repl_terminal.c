/* The terminal of the prompt, and the signals that concern it. */
#include "repl.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#include "../core/terminal.h"

static struct {
    int wake;              /* eventfd: something has changed */
    struct termios before; /* the first prompt */
    bool is_there;
} terminal = { .wake = -1 };

static void on_wake(int signal);
static void on_leave(int signal);

static struct {
    int number;
    void (*handler)(int signal);
    struct sigaction before;
} signals[] = {
    { .number = SIGWINCH, .handler = on_wake }, { .number = SIGCONT, .handler = on_wake },
    { .number = SIGTSTP, .handler = on_leave }, { .number = SIGQUIT, .handler = on_leave },
    { .number = SIGTERM, .handler = on_leave }, { .number = SIGHUP, .handler = on_leave },
};

enum { SIGNAL_COUNT = sizeof signals / sizeof *signals };

static volatile sig_atomic_t continued;

static void wake_up(void) {
    const uint64_t one = 1;
    if (write(terminal.wake, &one, sizeof one) < 0)
        return; /* it counts 2^64 wakes: it cannot be full */
}

static void on_wake(int signal) {
    int saved = errno;
    if (signal == SIGCONT)
        continued = 1;
    wake_up();
    errno = saved;
}

/* Gives the terminal back, then lets the signal do what it would have done without us. */
static void on_leave(int signal) {
    static const char paste_off[] = "\033[?2004l\r\n";
    int saved = errno;
    if (terminal.is_there && terminal_in_foreground(STDIN_FILENO) &&
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before) == 0 &&
        write(STDOUT_FILENO, paste_off, sizeof paste_off - 1) < 0)
        errno = saved; /* nobody reads any more: nothing is left to tidy */
    for (int i = 0; i < SIGNAL_COUNT; i++)
        if (signals[i].number == signal)
            sigaction(signal, &signals[i].before, NULL);
    raise(signal);
    errno = saved;
}

static void catch_signals(void) {
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        struct sigaction action = { .sa_handler = signals[i].handler, .sa_flags = SA_RESTART };
        sigaction(signals[i].number, &action, &signals[i].before);
    }
}

void repl_give_terminal(void) {
    for (int i = 0; i < SIGNAL_COUNT; i++)
        sigaction(signals[i].number, &signals[i].before, NULL);
}

/* As it was before the first prompt: whoever had it since may have left it in disorder. */
static void put_right(void) {
    struct termios now = { 0 }; /* padding is compared as well */
    if (!terminal.is_there)
        terminal.is_there = tcgetattr(STDIN_FILENO, &terminal.before) == 0;
    else if (tcgetattr(STDIN_FILENO, &now) == 0 && memcmp(&now, &terminal.before, sizeof now) != 0)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal.before);
}

void repl_take_terminal(void) {
    put_right();
    catch_signals();
}

int repl_watch_terminal(void) {
    if (terminal.wake < 0)
        terminal.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return terminal.wake;
}

enum terminal_change repl_terminal_change(void) {
    uint64_t count;
    if (read(terminal.wake, &count, sizeof count) < 0)
        return TERMINAL_SAME;
    if (!continued)
        return TERMINAL_RESIZED;
    continued = 0;
    repl_give_terminal();
    catch_signals(); /* the one that stopped us is no longer caught */
    return TERMINAL_CONTINUED;
}
