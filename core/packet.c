#include "packet.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * PACKET_FDS_MAX)];
};

int packet_send(int socket, const struct packet *packet, int flags) {
    union control control;
    struct iovec parts[] = { { packet->head, packet->head_size },
                             { packet->body, packet->body_size } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    if (packet->fd_count > 0) {
        size_t size = sizeof(int) * packet->fd_count;
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
        *rights = (struct cmsghdr){ CMSG_LEN(size), SOL_SOCKET, SCM_RIGHTS };
        memcpy(CMSG_DATA(rights), packet->fds, size);
    }
    return TEMP_FAILURE_RETRY(sendmsg(socket, &message, flags | MSG_NOSIGNAL)) < 0 ? -1 : 0;
}

static void take_fds(struct msghdr *message, struct packet *packet) {
    packet->fd_count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t size = c->cmsg_len - CMSG_LEN(0);
        memcpy(packet->fds + packet->fd_count, CMSG_DATA(c), size);
        packet->fd_count += size / sizeof(int);
    }
}

int packet_receive(int socket, struct packet *packet, int flags) {
    union control control;
    struct iovec parts[] = { { packet->head, packet->head_size },
                             { packet->body, packet->body_size } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
    message.msg_control = packet->fds ? &control : NULL;
    message.msg_controllen = packet->fds ? sizeof control : 0;
    ssize_t got = TEMP_FAILURE_RETRY(recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC));
    if (got < 0)
        return -1;
    if (packet->fds)
        take_fds(&message, packet);
    if ((size_t)got < packet->head_size) {
        for (size_t i = 0; packet->fds && i < packet->fd_count; i++)
            close(packet->fds[i]);
        return 0;
    }
    packet->body_size = (size_t)got - packet->head_size;
    return 1;
}

int packet_wait(int socket, int timeout_ms) {
    struct pollfd input = { .fd = socket, .events = POLLIN };
    return TEMP_FAILURE_RETRY(poll(&input, 1, timeout_ms)) == 1;
}
