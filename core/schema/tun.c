/* tun and tap: links whose packets a program reads and writes (linux/if_tun.h; drivers/net/tun.c).
   IFLA_TUN_* only tell of one: it is made through /dev/net/tun, as `ip tuntap add` does. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../cleanup.h"
#include "../netns.h"
#include "tables.h"

static const struct word type_words[] = { { IFF_TUN, "tun" }, { IFF_TAP, "tap" }, { 0 } };

static const struct field tun_fields[] = {
    { "type", ENUM, U8, .attr = IFLA_TUN_TYPE, .word = "mode", .of = type_words,
      .help = "packets of IP (tun) or frames of Ethernet (tap)" },
    { "user", ACCOUNT, U32, .attr = IFLA_TUN_OWNER, .help = "who may open it, besides root" },
    { "group", ACCOUNT, U32, .attr = IFLA_TUN_GROUP, .bit = ACCOUNT_GROUP,
      .help = "which group may" },
    { "pi", BOOL, U8, .attr = IFLA_TUN_PI, .of = "", .help = "each packet has a header in front" },
    { "vnet_hdr", BOOL, U8, .attr = IFLA_TUN_VNET_HDR, .of = "",
      .help = "each has that of virtio" },
    { "multi_queue", BOOL, U8, .attr = IFLA_TUN_MULTI_QUEUE, .of = "",
      .help = "it can be opened several times" },
    { "numqueues", NUMBER, U32, .attr = IFLA_TUN_NUM_QUEUES, .flags = READ_ONLY },
    { "numdisabled", NUMBER, U32, .attr = IFLA_TUN_NUM_DISABLED_QUEUES, .flags = READ_ONLY },
    { "persist", BOOL, U8, .attr = IFLA_TUN_PERSIST, .flags = READ_ONLY },
    { 0 },
};

static int finish_tun(struct writer *w, struct error *err) {
    return message_makes_new(w->message) && !writer_find(w, IFLA_TUN_TYPE)
               ? refuse_missing("mode", err)
               : 0;
}

const struct table tun_table = { .name = "tun", .fields = tun_fields, .finish = finish_tun };

/* --- making one ------------------------------------------------------------------------------- */

/* How TUNSETIFF says what the rows do. */
static const struct {
    uint16_t attr;
    bool off; /* the flag says that it is off */
    short flag;
} flags[] = {
    { IFLA_TUN_PI, true, IFF_NO_PI },
    { IFLA_TUN_VNET_HDR, false, IFF_VNET_HDR },
    { IFLA_TUN_MULTI_QUEUE, false, IFF_MULTI_QUEUE },
};

static short flags_of(const struct reader *data) {
    const struct nlattr *type = data->tb[IFLA_TUN_TYPE];
    short result = type ? mnl_attr_get_u8(type) : IFF_TUN;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        const struct nlattr *attr = data->tb[flags[i].attr];
        bool on = attr && mnl_attr_get_u8(attr);
        if (on != flags[i].off)
            result |= flags[i].flag;
    }
    return result;
}

/* The socket knows the namespace that it was opened in. */
static int open_device(const struct netlink *nl, struct error *err) {
    cleanup_fd int ns = ioctl(nl->fd, SIOCGSKNS);
    if (ns < 0)
        return error_errno(err, errno);
    int fd = netns_open_file(ns, "/dev/net/tun", O_RDWR, err);
    if (fd < 0 && (err->code == ENOENT || err->code == ENODEV))
        error_hint(err, "links of kind tun need /dev/net/tun and its module: modprobe tun");
    if (fd < 0 && err->code == EACCES)
        error_hint(err, "/dev/net/tun is not open to this user: as root, chmod 666 /dev/net/tun");
    return fd;
}

static int set_account(int fd, unsigned long request, const struct nlattr *id) {
    return id ? ioctl(fd, request, (unsigned long)mnl_attr_get_u32(id)) : 0;
}

static int make_device(const struct netlink *nl, const char *name, const struct reader *data,
                       struct error *err) {
    struct ifreq request = { .ifr_flags = flags_of(data) };
    cleanup_fd int fd = open_device(nl, err);
    if (fd < 0)
        return -1;
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (ioctl(fd, TUNSETIFF, &request) < 0 ||
        set_account(fd, TUNSETOWNER, data->tb[IFLA_TUN_OWNER]) < 0 ||
        set_account(fd, TUNSETGROUP, data->tb[IFLA_TUN_GROUP]) < 0 ||
        ioctl(fd, TUNSETPERSIST, 1) < 0)
        return error_errno(err, errno);
    return 0;
}

/* What is left of the request: a change of the link. */
static void leave_change(struct message *m, int index) {
    static const uint16_t done[] = { IFLA_LINKINFO, IFLA_IFNAME, IFLA_NUM_TX_QUEUES,
                                     IFLA_NUM_RX_QUEUES };
    struct writer w = { .message = m };
    struct ifinfomsg *link = mnl_nlmsg_get_payload(&m->header);
    w.start = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof *link);
    for (size_t i = 0; i < sizeof done / sizeof *done; i++) {
        struct nlattr *attr = writer_find(&w, done[i]);
        if (attr)
            take_out(&w, attr);
    }
    link->ifi_index = index;
    m->header.nlmsg_flags &= (uint16_t) ~(NLM_F_CREATE | NLM_F_EXCL);
}

int tun_make(struct message *m, const struct reader *data, const char *name, struct error *err) {
    int index = netlink_index(m->nl, name, NULL);
    if (index >= 0 && message_makes_new(m))
        return error_errno(err, EEXIST);
    bool is_new = index < 0;
    if (is_new && make_device(m->nl, name, data, err) < 0)
        return -1;
    index = netlink_index(m->nl, name, err);
    if (index < 0)
        return -1;
    leave_change(m, index);
    return is_new;
}
