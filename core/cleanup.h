/* Descriptors and memory that release themselves at the end of their scope. */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Closes *fd unless it is negative; errno is kept. */
static inline void close_fd(int *fd) {
    int saved = errno;
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}

static inline void free_memory(void *pointer) {
    free(*(void **)pointer);
}

/* Hands the descriptor on to the caller, so that the scope no longer closes it. */
static inline int take_fd(int *fd) {
    int taken = *fd;
    *fd = -1;
    return taken;
}

#define cleanup_fd __attribute__((cleanup(close_fd)))
#define cleanup_free __attribute__((cleanup(free_memory)))
