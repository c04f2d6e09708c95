/* How often the machine's neighbour table had no room, as rtnetlink tells it. */
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "ping_engine.h"

static int request_tables(struct netlink *nl, int family, struct error *err) {
    union {
        struct nlmsghdr header;
        char bytes[MNL_NLMSG_HDRLEN + sizeof(struct ndtmsg)];
    } request;
    mnl_nlmsg_put_header(&request)->nlmsg_type = RTM_GETNEIGHTBL;
    struct ndtmsg *body = mnl_nlmsg_put_extra_header(&request.header, sizeof *body);
    body->ndtm_family = (uint8_t)family;
    return netlink_dump(nl, &request.header, err);
}

/* Both "arp_cache" of AF_INET and "ndisc_cache" of AF_INET6 come once each, and once more for each
   device, without numbers. */
static int64_t table_fulls(const struct nlmsghdr *nlh) {
    struct ndt_stats stats = { 0 };
    const struct nlattr *attribute;
    mnl_attr_for_each(attribute, nlh, sizeof(struct ndtmsg)) {
        size_t length = mnl_attr_get_payload_len(attribute);
        if (mnl_attr_get_type(attribute) == NDTA_STATS)
            memcpy(&stats, mnl_attr_get_payload(attribute),
                   length < sizeof stats ? length : sizeof stats);
    }
    return (int64_t)stats.ndts_table_fulls;
}

int64_t ping_overflows(struct ping *ping, int family) {
    struct netlink *nl = &ping->netlink;
    struct nlmsghdr *nlh;
    struct error err;
    int64_t total = 0;
    int more;
    if (nl->fd < 0 && netlink_open(nl, ping->ns, &ping->answers, &err) < 0)
        return -1;
    if (request_tables(nl, family, &err) < 0)
        return -1;
    while ((more = netlink_next(nl, &nlh, &err)) > 0)
        total += table_fulls(nlh);
    return more < 0 ? -1 : total;
}
