#include "sockdiag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

struct kind {
    const char *netid, *state, *family_name;
    uint8_t family, protocol;
    uint32_t states; /* a bit for each */
};

static const struct kind kinds[SOCKDIAG_KINDS] = {
    [SOCKDIAG_TCP] = { "tcp", "LISTEN", "inet", AF_INET, IPPROTO_TCP, 1 << TCP_LISTEN },
    [SOCKDIAG_TCP6] = { "tcp", "LISTEN", "inet6", AF_INET6, IPPROTO_TCP, 1 << TCP_LISTEN },
    [SOCKDIAG_UDP] = { "udp", "UNCONN", "inet", AF_INET, IPPROTO_UDP, 1 << TCP_CLOSE },
    [SOCKDIAG_UDP6] = { "udp", "UNCONN", "inet6", AF_INET6, IPPROTO_UDP, 1 << TCP_CLOSE },
    [SOCKDIAG_UNIX] = { "unix", "LISTEN", NULL, AF_UNIX, 0, 1 << TCP_LISTEN },
};

int sockdiag_open(struct netlink *nl, int ns, struct netlink_buffer *buffer, struct error *err) {
    return netlink_open_family(nl, ns, NETLINK_SOCK_DIAG, buffer, err);
}

/* --- requests --------------------------------------------------------------------------------- */

union request {
    struct nlmsghdr header;
    char bytes[256];
};

static void ask_inet(struct nlmsghdr *nlh, const struct kind *kind) {
    struct inet_diag_req_v2 *request = mnl_nlmsg_put_extra_header(nlh, sizeof *request);
    request->sdiag_family = kind->family;
    request->sdiag_protocol = kind->protocol;
    request->idiag_states = kind->states;
}

static void ask_unix(struct nlmsghdr *nlh, const struct kind *kind) {
    struct unix_diag_req *request = mnl_nlmsg_put_extra_header(nlh, sizeof *request);
    request->sdiag_family = kind->family;
    request->udiag_states = kind->states;
    request->udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID;
}

int sockdiag_dump(struct netlink *nl, enum sockdiag_kind kind, struct error *err) {
    union request request;
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(request.bytes);
    nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    (kinds[kind].family == AF_UNIX ? ask_unix : ask_inet)(nlh, &kinds[kind]);
    return netlink_dump(nl, nlh, err);
}

/* --- answers ---------------------------------------------------------------------------------- */

static bool has(const struct nlattr *attr, size_t size) {
    return mnl_attr_get_payload_len(attr) >= size;
}

static int read_inet_attribute(const struct nlattr *attr, void *arg) {
    struct listener *out = arg;
    if (mnl_attr_get_type(attr) == INET_DIAG_SKV6ONLY && has(attr, 1))
        out->v6only = mnl_attr_get_u8(attr);
    return MNL_CB_OK;
}

static bool read_inet(const struct nlmsghdr *nlh, struct listener *out) {
    const struct inet_diag_msg *msg = mnl_nlmsg_get_payload(nlh);
    if (mnl_nlmsg_get_payload_len(nlh) < sizeof *msg || !msg->id.idiag_sport)
        return false;
    address_format(msg->idiag_family, msg->id.idiag_src, out->address);
    out->address_size = strlen(out->address);
    out->port = ntohs(msg->id.idiag_sport);
    out->uid = msg->idiag_uid;
    out->inode = msg->idiag_inode;
    out->recv_q = msg->idiag_rqueue;
    out->send_q = msg->idiag_wqueue;
    mnl_attr_parse(nlh, sizeof *msg, read_inet_attribute, out);
    return true;
}

/* An abstract name begins with a zero byte, a path may end with one. */
static void read_name(const struct nlattr *attr, struct listener *out) {
    size_t size = mnl_attr_get_payload_len(attr);
    if (size >= sizeof out->address)
        size = sizeof out->address - 1;
    memcpy(out->address, mnl_attr_get_payload(attr), size);
    bool abstract = size > 0 && !out->address[0];
    out->address_size = abstract ? size : strnlen(out->address, size);
    if (abstract)
        out->address[0] = '@';
}

static int read_unix_attribute(const struct nlattr *attr, void *arg) {
    struct listener *out = arg;
    uint16_t type = mnl_attr_get_type(attr);
    if (type == UNIX_DIAG_NAME)
        read_name(attr, out);
    if (type == UNIX_DIAG_UID && has(attr, sizeof(uint32_t)))
        out->uid = mnl_attr_get_u32(attr);
    if (type == UNIX_DIAG_RQLEN && has(attr, sizeof(struct unix_diag_rqlen))) {
        const struct unix_diag_rqlen *length = mnl_attr_get_payload(attr);
        out->recv_q = length->udiag_rqueue;
        out->send_q = length->udiag_wqueue;
    }
    return MNL_CB_OK;
}

static bool read_unix(const struct nlmsghdr *nlh, struct listener *out) {
    const struct unix_diag_msg *msg = mnl_nlmsg_get_payload(nlh);
    if (mnl_nlmsg_get_payload_len(nlh) < sizeof *msg)
        return false;
    out->inode = msg->udiag_ino;
    mnl_attr_parse(nlh, sizeof *msg, read_unix_attribute, out);
    return true;
}

int sockdiag_next(struct netlink *nl, enum sockdiag_kind kind, struct listener *out,
                  struct error *err) {
    struct nlmsghdr *nlh;
    int more;
    while ((more = netlink_next(nl, &nlh, err)) > 0) {
        const struct kind *k = &kinds[kind];
        *out = (struct listener){ .netid = k->netid, .state = k->state, .family = k->family_name };
        if ((k->family == AF_UNIX ? read_unix : read_inet)(nlh, out))
            return 1;
    }
    return more;
}
