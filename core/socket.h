/* Connections into a namespace, and what waits for them there: TCP, UDP, and unix sockets. Nothing
   here waits: every socket is non-blocking. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include "endpoint.h"

struct socket_name {
    union {
        struct sockaddr any;
        union endpoint ip;
        struct sockaddr_un un;
    };
    socklen_t size;
};

/* An address of IPv4 or IPv6, as endpoint_parse, with its port. */
int socket_name_ip(int ns, const char *address, uint16_t port, struct socket_name *out,
                   struct error *err);

/* A path, or "@name" of an abstract one. Errors: EINVAL for one that is empty or too long. */
int socket_name_unix(const char *text, size_t size, struct socket_name *out, struct error *err);

/* Opens a socket of a type (SOCK_STREAM, SOCK_DGRAM) inside ns and begins to connect it. Without
   `*connected` it is to be waited for until it can be written; socket_error then says how it went.
   Returns the socket. Errors: as of connect(2); EAGAIN of a unix socket whose queue is full. */
int socket_connect(int ns, const struct socket_name *name, int type, bool *connected,
                   struct error *err);

/* 0, or -1 and what went wrong on a socket meanwhile. */
int socket_error(int fd, struct error *err);

/* Opens a socket inside ns that is bound, and listens if it is a stream. Returns the socket.
   Errors: as of bind(2). */
int socket_listen(int ns, const struct socket_name *name, int type, struct error *err);

/* The next connection. Errors: EAGAIN if there is none. */
int socket_accept(int fd, struct error *err);

/* The socket's own name, or that of its other end; -1 and errno. */
int socket_own_name(int fd, struct socket_name *out);
int socket_peer_name(int fd, struct socket_name *out);
