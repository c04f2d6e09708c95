/* Writing where the reader may be gone. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* As write(2), but a reader that is gone gives EPIPE and never a SIGPIPE, whatever its disposition;
   restarts after a signal. -1 with errno. */
ssize_t pipe_write(int fd, const void *bytes, size_t size);

/* Writes all of it to a blocking descriptor. 0, or -1 with errno. */
int pipe_write_all(int fd, const void *bytes, size_t size);
