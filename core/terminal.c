#include "terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cleanup.h"

bool terminal_in_foreground(int fd) {
    pid_t group = tcgetpgrp(fd);
    return group < 0 || group == getpgrp();
}

/* We are in the background meanwhile: without the mask this would stop us. */
static void set_foreground(int fd, pid_t group, const struct termios *modes) {
    sigset_t ttou, before;
    sigemptyset(&ttou);
    sigaddset(&ttou, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &ttou, &before);
    tcsetpgrp(fd, group);
    tcsetattr(fd, TCSADRAIN, modes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* A pidfd does not tell that a program has stopped; SIGCHLD does. */
static int watch_stops(sigset_t *before) {
    sigset_t sigchld;
    sigemptyset(&sigchld);
    sigaddset(&sigchld, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &sigchld, before);
    return signalfd(-1, &sigchld, SFD_CLOEXEC | SFD_NONBLOCK);
}

void terminal_lend(struct terminal *terminal) {
    *terminal = (struct terminal){ .fd = -1, .stops = -1 };
    cleanup_fd int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || !terminal_in_foreground(fd) || tcgetattr(fd, &terminal->modes) < 0)
        return;
    terminal->stops = watch_stops(&terminal->mask);
    terminal->fd = take_fd(&fd);
}

void terminal_grab(const struct terminal *terminal) {
    if (terminal->fd >= 0)
        tcsetpgrp(terminal->fd, getpgrp());
}

void terminal_take(struct terminal *terminal) {
    if (terminal->fd < 0)
        return;
    set_foreground(terminal->fd, getpgrp(), &terminal->modes);
    close_fd(&terminal->fd);
    close_fd(&terminal->stops);
    pthread_sigmask(SIG_SETMASK, &terminal->mask, NULL);
}

void terminal_suspend(const struct terminal *terminal, pid_t group) {
    struct termios theirs;
    if (terminal->fd < 0 || tcgetattr(terminal->fd, &theirs) < 0)
        return;
    set_foreground(terminal->fd, getpgrp(), &terminal->modes);
    kill(0, SIGTSTP); /* the kernel ignores it where no shell could continue us */
    if (terminal_in_foreground(terminal->fd))
        set_foreground(terminal->fd, group, &theirs);
    kill(-group, SIGCONT);
}
