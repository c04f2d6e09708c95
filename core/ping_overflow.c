/* How often the machine's neighbour table had no room, as rtnetlink tells it. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "cleanup.h"
#include "netns.h"
#include "ping_engine.h"

enum { ANSWER_ROOM = 32768 };

static int request_tables(int fd, int family) {
    char buffer[MNL_NLMSG_HDRLEN + sizeof(struct ndtmsg)];
    struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
    header->nlmsg_type = RTM_GETNEIGHTBL;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    struct ndtmsg *body = mnl_nlmsg_put_extra_header(header, sizeof *body);
    body->ndtm_family = (uint8_t)family;
    return send(fd, buffer, header->nlmsg_len, 0) < 0 ? -1 : 0;
}

/* Both "arp_cache" of AF_INET and "ndisc_cache" of AF_INET6 come once each, and once more for each
   device, without numbers. */
static int add_table(const struct nlmsghdr *header, void *arg) {
    struct ndt_stats stats = { 0 };
    const struct nlattr *attribute;
    int64_t *total = arg;
    mnl_attr_for_each(attribute, header, sizeof(struct ndtmsg)) {
        size_t length = mnl_attr_get_payload_len(attribute);
        if (mnl_attr_get_type(attribute) != NDTA_STATS)
            continue;
        memcpy(&stats, mnl_attr_get_payload(attribute),
               length < sizeof stats ? length : sizeof stats);
        *total += (int64_t)stats.ndts_table_fulls;
    }
    return MNL_CB_OK;
}

static int64_t count_overflows(int fd, int family) {
    char buffer[ANSWER_ROOM] __attribute__((aligned(8)));
    int64_t total = 0;
    int status = MNL_CB_OK;
    if (request_tables(fd, family) < 0)
        return -1;
    while (status == MNL_CB_OK) {
        ssize_t length = recv(fd, buffer, sizeof buffer, 0);
        status = length < 0 ? -1 : mnl_cb_run(buffer, (size_t)length, 0, 0, add_table, &total);
    }
    return status < 0 ? -1 : total;
}

int64_t ping_overflows(struct ping *ping, int family) {
    if (ping->netlink < 0)
        ping->netlink = netns_socket(ping->ns, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, NULL);
    if (ping->netlink < 0)
        return -1;
    int64_t total = count_overflows(ping->netlink, family);
    if (total < 0)
        close_fd(&ping->netlink); /* the rest of an answer may still be in it */
    return total;
}
