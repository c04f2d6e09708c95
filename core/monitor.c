#include "monitor.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "netns.h"

enum { BUFFER = 64 * 1024 }; /* more than a message about one link with all that it may have */

static int set_option(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value);
}

static int prepare(struct monitor *m, bool all, int room, struct error *err) {
    struct sockaddr_nl self = { .nl_family = AF_NETLINK };
    if (set_option(m->fd, SOL_SOCKET, SO_RCVBUFFORCE, room) < 0)
        set_option(m->fd, SOL_SOCKET, SO_RCVBUF, room);
    if (all && set_option(m->fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1) < 0)
        return error_set(err, errno, "cannot listen to other namespaces: %s", strerror(errno));
    if (bind(m->fd, (struct sockaddr *)&self, sizeof self) < 0)
        return error_set(err, errno, "cannot bind a netlink socket: %s", strerror(errno));
    m->buffer.bytes = malloc(BUFFER);
    m->buffer.size = BUFFER;
    return m->buffer.bytes ? 0 : error_errno(err, ENOMEM);
}

int monitor_open(struct monitor *m, int ns, bool all, int room, struct error *err) {
    *m = (struct monitor){ .fd = netns_socket(ns, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, err) };
    if (m->fd < 0)
        return -1;
    if (prepare(m, all, room, err) == 0)
        return 0;
    monitor_close(m);
    return -1;
}

int monitor_join(struct monitor *m, const struct object *object, struct error *err) {
    for (size_t i = 0; i < sizeof object->groups && object->groups[i]; i++)
        if (set_option(m->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, object->groups[i]) < 0)
            return error_set(err, errno, "this kernel tells nothing of a %s", object->name);
    return 0;
}

static int read_nsid(struct msghdr *msg) {
    int nsid = MONITOR_HERE;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
        if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_LISTEN_ALL_NSID)
            memcpy(&nsid, CMSG_DATA(c), sizeof nsid);
    return nsid;
}

static int lost(struct error *err) {
    return error_set(err, ENOBUFS, "more happened than there was room for, and some of it is lost");
}

/* 1: the buffer has something of the kernel's. */
static int receive(struct monitor *m, struct error *err) {
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct sockaddr_nl sender = { 0 };
    struct iovec iov = { m->buffer.bytes, m->buffer.size };
    struct msghdr msg = { .msg_name = &sender,
                          .msg_namelen = sizeof sender,
                          .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = control,
                          .msg_controllen = sizeof control };
    ssize_t length;
    do
        length = recvmsg(m->fd, &msg, MSG_DONTWAIT);
    while (length < 0 && errno == EINTR);
    if (length < 0 && errno == EAGAIN)
        return 0;
    if ((length < 0 && errno == ENOBUFS) || (length >= 0 && msg.msg_flags & MSG_TRUNC))
        return lost(err);
    if (length < 0)
        return error_set(err, errno, "cannot read from the kernel: %s", strerror(errno));
    m->buffer.position = 0;
    m->buffer.filled = sender.nl_pid ? 0 : (size_t)length;
    m->nsid = read_nsid(&msg);
    return 1;
}

int monitor_next(struct monitor *m, struct nlmsghdr **message, struct error *err) {
    struct netlink_buffer *buffer = &m->buffer;
    for (;;) {
        struct nlmsghdr *nlh = (struct nlmsghdr *)(buffer->bytes + buffer->position);
        if (mnl_nlmsg_ok(nlh, (int)(buffer->filled - buffer->position))) {
            size_t next = buffer->position + MNL_ALIGN(nlh->nlmsg_len);
            buffer->position = next < buffer->filled ? next : buffer->filled;
            *message = nlh;
            return 1;
        }
        int result = receive(m, err);
        if (result <= 0)
            return result;
    }
}

void monitor_drop(struct monitor *m) {
    ssize_t length;
    do
        length = recv(m->fd, NULL, 0, MSG_DONTWAIT | MSG_TRUNC);
    while (length >= 0 || errno == EINTR || errno == ENOBUFS);
    m->buffer.position = m->buffer.filled = 0;
}

void monitor_close(struct monitor *m) {
    close_fd(&m->fd);
    free(m->buffer.bytes);
    m->buffer = (struct netlink_buffer){ 0 };
}

/* What is about the ports of bridges, or routes of multicast, has the same types. */
const struct object *monitor_object(const struct nlmsghdr *nlh, bool *gone) {
    uint8_t family = mnl_nlmsg_get_payload_len(nlh) ? *(uint8_t *)mnl_nlmsg_get_payload(nlh) : 0;
    if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6)
        return NULL;
    for (const struct object *object = objects; object->name; object++)
        if (object->groups[0] &&
            (nlh->nlmsg_type == object->reply || nlh->nlmsg_type == object->reply + 1)) {
            *gone = nlh->nlmsg_type != object->reply;
            return object;
        }
    return NULL;
}
