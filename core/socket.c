#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "netns.h"

/* --- names ------------------------------------------------------------------------------------ */

int socket_name_ip(int ns, const char *address, uint16_t port, struct socket_name *out,
                   struct error *err) {
    *out = (struct socket_name){ 0 };
    if (endpoint_parse(ns, address, &out->ip, err) < 0)
        return -1;
    bool v4 = out->any.sa_family == AF_INET;
    out->size = v4 ? sizeof out->ip.v4 : sizeof out->ip.v6;
    *(v4 ? &out->ip.v4.sin_port : &out->ip.v6.sin6_port) = htons(port);
    return 0;
}

int socket_name_unix(const char *text, size_t size, struct socket_name *out, struct error *err) {
    size_t room = sizeof out->un.sun_path - (size > 0 && text[0] != '@'); /* a path's zero byte */
    *out = (struct socket_name){ .un.sun_family = AF_UNIX };
    if (size == 0 || size > room)
        return error_set(err, EINVAL, "the name of a unix socket has 1 to %zu bytes, not %zu", room,
                         size);
    if (text[0] != '@' && memchr(text, '\0', size))
        return error_set(err, EINVAL, "a path holds no zero byte");
    memcpy(out->un.sun_path, text, size);
    out->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    if (text[0] == '@')
        out->un.sun_path[0] = '\0';
    else
        out->size++;
    return 0;
}

static int get_name(int (*get)(int, struct sockaddr *, socklen_t *), int fd,
                    struct socket_name *out) {
    *out = (struct socket_name){ .size = sizeof *out - sizeof out->size };
    return get(fd, &out->any, &out->size);
}

int socket_own_name(int fd, struct socket_name *out) {
    return get_name(getsockname, fd, out);
}

int socket_peer_name(int fd, struct socket_name *out) {
    return get_name(getpeername, fd, out);
}

/* --- sockets ---------------------------------------------------------------------------------- */

static int open_socket(int ns, const struct socket_name *name, int type, struct error *err) {
    return netns_socket(ns, name->any.sa_family, type | SOCK_NONBLOCK, 0, err);
}

int socket_connect(int ns, const struct socket_name *name, int type, bool *connected,
                   struct error *err) {
    cleanup_fd int fd = open_socket(ns, name, type, err);
    if (fd < 0)
        return -1;
    *connected = TEMP_FAILURE_RETRY(connect(fd, &name->any, name->size)) == 0;
    if (!*connected && errno != EINPROGRESS)
        return error_errno(err, errno);
    return take_fd(&fd);
}

int socket_error(int fd, struct error *err) {
    int code = 0;
    socklen_t size = sizeof code;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0)
        code = errno;
    return code ? error_errno(err, code) : 0;
}

/* A server that is started anew need not wait for the connections of the last one to time out. */
static int bind_socket(int fd, const struct socket_name *name, int type) {
    bool reuse = type == SOCK_STREAM && name->any.sa_family != AF_UNIX;
    if (reuse && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) < 0)
        return -1;
    if (bind(fd, &name->any, name->size) < 0)
        return -1;
    return type == SOCK_STREAM ? listen(fd, SOMAXCONN) : 0;
}

int socket_listen(int ns, const struct socket_name *name, int type, struct error *err) {
    cleanup_fd int fd = open_socket(ns, name, type, err);
    if (fd < 0)
        return -1;
    if (bind_socket(fd, name, type) < 0)
        return error_errno(err, errno);
    return take_fd(&fd);
}

int socket_accept(int fd, struct error *err) {
    int accepted = TEMP_FAILURE_RETRY(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
    return accepted < 0 ? error_errno(err, errno) : accepted;
}
