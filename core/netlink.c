#include "netlink.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "netns.h"

enum {
    FIRST_BUFFER =
        32 * 1024, /* the kernel fills at most 32 KiB at once, larger single messages apart */
    CHUNK_BYTES = 32 * 1024, /* well below the default send buffer of 208 KiB */
    CHUNK_MESSAGES = 64,     /* if all are refused, the answers still fit the receive buffer */
};

/* --- opening ---------------------------------------------------------------------------------- */

static int set_options(int fd, struct error *err) {
    static const int options[] = { NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (setsockopt(fd, SOL_NETLINK, options[i], &(int){ 1 }, sizeof(int)) < 0)
            return error_set(err, errno, "the kernel is too old for netlink option %d: %s",
                             options[i], strerror(errno));
    return 0;
}

static int bind_socket(struct netlink *nl, struct error *err) {
    struct sockaddr_nl self = { .nl_family = AF_NETLINK };
    socklen_t length = sizeof self;
    if (bind(nl->fd, (struct sockaddr *)&self, sizeof self) < 0 ||
        getsockname(nl->fd, (struct sockaddr *)&self, &length) < 0)
        return error_set(err, errno, "cannot bind a netlink socket: %s", strerror(errno));
    nl->port = self.nl_pid;
    return set_options(nl->fd, err);
}

static int prepare_buffer(struct netlink_buffer *buffer, struct error *err) {
    if (buffer->bytes)
        return 0;
    buffer->bytes = malloc(FIRST_BUFFER);
    buffer->size = FIRST_BUFFER;
    return buffer->bytes ? 0 : error_errno(err, ENOMEM);
}

int netlink_adopt(struct netlink *nl, int fd, struct netlink_buffer *buffer, struct error *err) {
    *nl = (struct netlink){ .fd = fd, .buffer = buffer };
    if (prepare_buffer(buffer, err) == 0 && bind_socket(nl, err) == 0)
        return 0;
    netlink_close(nl);
    return -1;
}

int netlink_open_family(struct netlink *nl, int ns, int family, struct netlink_buffer *buffer,
                        struct error *err) {
    int fd = netns_socket(ns, AF_NETLINK, SOCK_RAW, family, err);
    if (fd >= 0)
        return netlink_adopt(nl, fd, buffer, err);
    *nl = (struct netlink){ .fd = -1, .buffer = buffer };
    return -1;
}

int netlink_open(struct netlink *nl, int ns, struct netlink_buffer *buffer, struct error *err) {
    return netlink_open_family(nl, ns, NETLINK_ROUTE, buffer, err);
}

void netlink_close(struct netlink *nl) {
    close_fd(&nl->fd);
}

/* --- sending and receiving -------------------------------------------------------------------- */

/* The kernel begins no dump on a socket before the last one was read to its end. Nothing has to be
   waited for: each part that is taken away makes the kernel add the next at once. */
static void drop_dump(struct netlink *nl) {
    ssize_t length;
    do
        length = recv(nl->fd, NULL, 0, MSG_DONTWAIT | MSG_TRUNC);
    while (length >= 0 || errno == EINTR || errno == ENOBUFS);
}

static int send_bytes(struct netlink *nl, const void *bytes, size_t length, struct error *err) {
    static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    if (nl->dumping)
        drop_dump(nl);
    nl->buffer->position = nl->buffer->filled = 0;
    nl->dumping = nl->inconsistent = false;
    nl->refusal = (struct refusal){ 0 };
    while (sendto(nl->fd, bytes, length, 0, (const struct sockaddr *)&kernel, sizeof kernel) < 0)
        if (errno != EINTR)
            return error_set(err, errno, "cannot send to the kernel: %s", strerror(errno));
    return 0;
}

static int send_request(struct netlink *nl, struct nlmsghdr *request, uint16_t flags,
                        struct error *err) {
    request->nlmsg_flags |= NLM_F_REQUEST | flags;
    request->nlmsg_seq = ++nl->seq;
    request->nlmsg_pid = nl->port;
    return send_bytes(nl, request, request->nlmsg_len, err);
}

/* A datagram that did not fit is lost: make room for its like and let the caller ask again. */
static int grow(struct netlink_buffer *buffer, size_t needed, struct error *err) {
    char *bytes = realloc(buffer->bytes, needed);
    if (!bytes)
        return error_errno(err, ENOMEM);
    buffer->bytes = bytes;
    buffer->size = needed;
    return error_set(err, EAGAIN, "an answer of the kernel was larger than expected");
}

static int receive(struct netlink *nl, struct error *err) {
    struct netlink_buffer *buffer = nl->buffer;
    struct sockaddr_nl sender;
    struct iovec iov = { buffer->bytes, buffer->size };
    struct msghdr msg = {
        .msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &iov, .msg_iovlen = 1
    };
    for (;;) {
        ssize_t length = recvmsg(nl->fd, &msg, MSG_TRUNC);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0 && errno == ENOBUFS)
            return error_set(err, ENOBUFS,
                             "an answer of the kernel was lost, the state is unknown");
        if (length < 0)
            return error_set(err, errno, "cannot read from the kernel: %s", strerror(errno));
        if (sender.nl_pid != 0)
            continue; /* not the kernel */
        if ((size_t)length > buffer->size)
            return grow(buffer, (size_t)length, err);
        buffer->position = 0;
        buffer->filled = (size_t)length;
        return 0;
    }
}

/* The next message that answers one of the requests from first to nl->seq. */
static int next_answer(struct netlink *nl, uint32_t first, struct nlmsghdr **message,
                       struct error *err) {
    struct netlink_buffer *buffer = nl->buffer;
    for (;;) {
        struct nlmsghdr *nlh = (struct nlmsghdr *)(buffer->bytes + buffer->position);
        int left = (int)(buffer->filled - buffer->position);
        if (!mnl_nlmsg_ok(nlh, left)) {
            if (receive(nl, err) < 0)
                return -1;
            continue;
        }
        buffer->position += MNL_ALIGN(nlh->nlmsg_len);
        if (buffer->position > buffer->filled)
            buffer->position = buffer->filled;
        if (nlh->nlmsg_pid != nl->port || nlh->nlmsg_seq - first > nl->seq - first)
            continue; /* of an abandoned request */
        *message = nlh;
        return 0;
    }
}

/* --- what the kernel says --------------------------------------------------------------------- */

struct verdict {
    const char *sentence;
    struct refusal refusal;
};

static int read_attribute(const struct nlattr *attr, void *arg) {
    struct verdict *verdict = arg;
    uint16_t type = mnl_attr_get_type(attr);
    if (type == NLMSGERR_ATTR_MSG && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
        verdict->sentence = mnl_attr_get_str(attr);
    else if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
        return MNL_CB_OK;
    else if (type == NLMSGERR_ATTR_OFFS)
        verdict->refusal.offset = mnl_attr_get_u32(attr);
    else if (type == NLMSGERR_ATTR_MISS_TYPE)
        verdict->refusal.missing = mnl_attr_get_u32(attr);
    else if (type == NLMSGERR_ATTR_MISS_NEST)
        verdict->refusal.missing_nest = mnl_attr_get_u32(attr);
    return MNL_CB_OK;
}

/* The attributes of an error follow its header, since NETLINK_CAP_ACK leaves the request out. */
static struct verdict read_verdict(const struct nlmsghdr *nlh, size_t header) {
    struct verdict verdict = { 0 };
    if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
        mnl_attr_parse(nlh, (unsigned)header, read_attribute, &verdict);
    return verdict;
}

static int set_refusal(struct netlink *nl, int code, const struct verdict *verdict,
                       struct error *err) {
    const char *sentence = verdict->sentence ? verdict->sentence : strerror(code);
    int length = (int)strlen(sentence);
    while (length > 0 && sentence[length - 1] == '.')
        length--;
    nl->refusal = verdict->refusal;
    return error_set(err, code, "%.*s", length, sentence);
}

/* 0 for an ACK, -1 for an error message. */
static int read_ack(struct netlink *nl, const struct nlmsghdr *nlh, struct error *err) {
    if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct nlmsgerr))
        return error_set(err, EBADMSG, "the kernel's answer is too short");
    int code = -((const struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->error;
    if (code == 0)
        return 0;
    struct verdict verdict = read_verdict(nlh, sizeof(struct nlmsgerr));
    return set_refusal(nl, code, &verdict, err);
}

/* --- requests --------------------------------------------------------------------------------- */

int netlink_change(struct netlink *nl, struct nlmsghdr *request, struct error *err) {
    struct nlmsghdr *nlh;
    if (send_request(nl, request, NLM_F_ACK, err) < 0)
        return -1;
    do {
        if (next_answer(nl, nl->seq, &nlh, err) < 0)
            return -1;
    } while (nlh->nlmsg_type != NLMSG_ERROR);
    return read_ack(nl, nlh, err);
}

int netlink_get(struct netlink *nl, struct nlmsghdr *request, struct nlmsghdr **reply,
                struct error *err) {
    for (int i = 0; i < NETLINK_TRIES; i++) {
        if (send_request(nl, request, 0, err) < 0)
            return -1;
        if (next_answer(nl, nl->seq, reply, err) == 0)
            return (*reply)->nlmsg_type == NLMSG_ERROR ? read_ack(nl, *reply, err) : 0;
        if (err->code != EAGAIN)
            return -1;
    }
    return -1;
}

int netlink_dump(struct netlink *nl, struct nlmsghdr *request, struct error *err) {
    int result = send_request(nl, request, NLM_F_DUMP, err);
    nl->dumping = result == 0;
    return result;
}

static int end_of_dump(struct netlink *nl, const struct nlmsghdr *nlh, struct error *err) {
    if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(int)) {
        int code = -*(const int *)mnl_nlmsg_get_payload(nlh);
        struct verdict verdict = read_verdict(nlh, sizeof(int));
        if (code > 0)
            return set_refusal(nl, code, &verdict, err);
    }
    if (nl->inconsistent)
        return error_set(err, EAGAIN, "the kernel's table kept changing while it was read");
    return 0;
}

int netlink_next(struct netlink *nl, struct nlmsghdr **message, struct error *err) {
    struct nlmsghdr *nlh;
    if (next_answer(nl, nl->seq, &nlh, err) < 0)
        return -1;
    if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
        nl->inconsistent = true;
    nl->dumping = nlh->nlmsg_type != NLMSG_ERROR && nlh->nlmsg_type != NLMSG_DONE;
    if (nlh->nlmsg_type == NLMSG_ERROR)
        return read_ack(nl, nlh, err);
    if (nlh->nlmsg_type == NLMSG_DONE)
        return end_of_dump(nl, nlh, err);
    *message = nlh;
    return 1;
}

/* --- batches ---------------------------------------------------------------------------------- */

struct chunk {
    struct nlmsghdr *first;
    size_t bytes, count;
};

/* As many of the messages as may be under way at once; only the last asks for an ACK. */
static struct chunk prepare_chunk(struct netlink *nl, struct nlmsghdr *first, size_t count) {
    struct chunk chunk = { .first = first };
    struct nlmsghdr *nlh = first, *last = first;
    while (chunk.count < count && chunk.count < CHUNK_MESSAGES) {
        size_t bytes = MNL_ALIGN(nlh->nlmsg_len);
        if (chunk.count && chunk.bytes + bytes > CHUNK_BYTES)
            break;
        nlh->nlmsg_flags |= NLM_F_REQUEST;
        nlh->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
        nlh->nlmsg_seq = ++nl->seq;
        nlh->nlmsg_pid = nl->port;
        chunk.bytes += bytes;
        chunk.count++;
        last = nlh;
        nlh = (struct nlmsghdr *)((char *)first + chunk.bytes);
    }
    last->nlmsg_flags |= NLM_F_ACK;
    return chunk;
}

int netlink_batch(struct netlink *nl, void *messages, size_t count,
                  void (*refused)(void *arg, size_t index, const struct error *err), void *arg,
                  struct error *err) {
    int failures = 0;
    for (size_t done = 0; done < count;) {
        uint32_t base = nl->seq + 1;
        struct chunk chunk = prepare_chunk(nl, messages, count - done);
        struct nlmsghdr *nlh;
        struct error refusal;
        if (send_bytes(nl, chunk.first, chunk.bytes, err) < 0)
            return -1;
        do {
            if (next_answer(nl, base, &nlh, err) < 0)
                return -1;
            if (nlh->nlmsg_type == NLMSG_ERROR && read_ack(nl, nlh, &refusal) < 0) {
                refused(arg, done + (nlh->nlmsg_seq - base), &refusal);
                failures++;
            }
        } while (nlh->nlmsg_type != NLMSG_ERROR || nlh->nlmsg_seq != nl->seq);
        done += chunk.count;
        messages = (char *)messages + chunk.bytes;
    }
    return failures;
}

/* --- interfaces ------------------------------------------------------------------------------- */

static int no_interface(const char *name, struct error *err) {
    return error_set(err, ENODEV, "there is no interface \"%s\"", SHORT(name));
}

/* An ifreq holds 15 characters; alternative names have up to 127, and only rtnetlink finds those.
 */
static int index_by_long_name(struct netlink *nl, const char *name, struct error *err) {
    union {
        struct nlmsghdr header;
        char bytes[MNL_NLMSG_HDRLEN + sizeof(struct ifinfomsg) + MNL_ATTR_HDRLEN + ALTIFNAMSIZ];
    } request;
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(&request), *reply;
    nlh->nlmsg_type = RTM_GETLINK;
    mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
    if (strlen(name) >= ALTIFNAMSIZ)
        return no_interface(name, err);
    if (nl->generic)
        return error_set(err, ENODEV,
                         "there is no interface \"%s\" (here a name has 15 characters at most)",
                         SHORT(name));
    mnl_attr_put_strz(nlh, IFLA_ALT_IFNAME, name);
    if (netlink_get(nl, nlh, &reply, err) < 0)
        return err->code == ENODEV ? no_interface(name, err) : -1;
    return ((struct ifinfomsg *)mnl_nlmsg_get_payload(reply))->ifi_index;
}

static int index_by_mention(struct netlink_names *names, const char *name, struct error *err) {
    enum { ROOM = sizeof names->name / sizeof *names->name };
    for (int i = 0; i < names->count; i++)
        if (!strcmp(names->name[i], name))
            return i + 1;
    if (names->count == ROOM || strlen(name) >= sizeof *names->name)
        return error_set(err, E2BIG, "too many interfaces, or too long a name, in one request");
    strcpy(names->name[names->count], name);
    return ++names->count;
}

static int note_seen(const struct netlink *nl, const char *name, int index) {
    if (nl->seen) {
        strcpy(nl->seen->name, name);
        nl->seen->index = index;
    }
    return index;
}

int netlink_index(struct netlink *nl, const char *name, struct error *err) {
    struct ifreq request = { 0 };
    if (nl->names)
        return index_by_mention(nl->names, name, err);
    size_t length = strlen(name);
    if (length >= IFNAMSIZ)
        return index_by_long_name(nl, name, err);
    if (nl->seen && nl->seen->index && !strcmp(nl->seen->name, name))
        return nl->seen->index;
    memcpy(request.ifr_name, name, length);
    if (ioctl(nl->fd, SIOCGIFINDEX, &request) == 0)
        return note_seen(nl, name, request.ifr_ifindex);
    if (errno == ENODEV)
        return no_interface(name, err);
    return error_set(err, errno, "cannot look up interface \"%s\": %s", name, strerror(errno));
}

const char *netlink_name(const struct netlink *nl, int index, char name[16]) {
    struct ifreq request = { .ifr_ifindex = index };
    if (nl->names)
        return index > 0 && index <= nl->names->count ? nl->names->name[index - 1] : NULL;
    const char *known = nl->known ? interfaces_name(nl->known, index) : NULL;
    if (known)
        return known;
    if (ioctl(nl->fd, SIOCGIFNAME, &request) < 0)
        return NULL;
    memcpy(name, request.ifr_name, IFNAMSIZ);
    name[IFNAMSIZ - 1] = 0;
    if (nl->known)
        interfaces_note(nl->known, index, name);
    return name;
}

bool netlink_is_bridge(const struct netlink *nl, int index) {
    struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
    struct ifreq request = { .ifr_data = (void *)&info };
    char name[IFNAMSIZ];
    if (nl->names || !netlink_name(nl, index, name))
        return false;
    memcpy(request.ifr_name, name, sizeof name);
    return ioctl(nl->fd, SIOCETHTOOL, &request) == 0 && !strcmp(info.driver, "bridge");
}
