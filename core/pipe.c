#include "pipe.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

static bool is_pending(int signal) {
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, signal) == 1;
}

/* The signal belongs to this thread, so blocking it here and eating it is nobody else's business;
   one that was pending before stays pending. */
ssize_t pipe_write(int fd, const void *bytes, size_t size) {
    static const struct timespec at_once;
    sigset_t sigpipe, before;
    bool was_pending = is_pending(SIGPIPE);
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
    ssize_t written = TEMP_FAILURE_RETRY(write(fd, bytes, size));
    int saved = errno;
    if (written < 0 && saved == EPIPE && !was_pending)
        TEMP_FAILURE_RETRY(sigtimedwait(&sigpipe, NULL, &at_once));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return written;
}

int pipe_write_all(int fd, const void *bytes, size_t size) {
    for (const char *next = bytes; size > 0;) {
        ssize_t written = pipe_write(fd, next, size);
        if (written < 0)
            return -1;
        next += written;
        size -= (size_t)written;
    }
    return 0;
}
