#include "ready.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

static int read_operstate(const struct nlattr *attr, void *arg) {
    if (mnl_attr_get_type(attr) == IFLA_OPERSTATE)
        *(uint8_t *)arg = mnl_attr_get_u8(attr);
    return MNL_CB_OK;
}

bool ready_link(struct netlink *nl, const char *name) {
    union {
        struct nlmsghdr header;
        char bytes[MNL_NLMSG_HDRLEN + sizeof(struct ifinfomsg) + 2 * MNL_ATTR_HDRLEN + IFNAMSIZ +
                   sizeof(uint32_t)];
    } request;
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(&request), *reply;
    struct error err;
    uint8_t operstate = IF_OPER_UNKNOWN;
    nlh->nlmsg_type = RTM_GETLINK;
    mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
    mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    mnl_attr_put_strz(nlh, IFLA_IFNAME, strlen(name) < IFNAMSIZ ? name : "");
    if (netlink_get(nl, nlh, &reply, &err) < 0)
        return false;
    mnl_attr_parse(reply, sizeof(struct ifinfomsg), read_operstate, &operstate);
    return operstate == IF_OPER_UP;
}

/* RFC 4291, 2.7.1: ff02::1:ff00:0/104 and the last three bytes of the address. */
static void solicited_node(const unsigned char address[16], unsigned char group[16]) {
    static const unsigned char prefix[13] = { 0xff, 2, [11] = 1, [12] = 0xff };
    memcpy(group, prefix, sizeof prefix);
    memcpy(group + 13, address + 13, 3);
}

struct search {
    unsigned char group[16];
    bool found;
};

static int compare_group(const struct nlattr *attr, void *arg) {
    struct search *search = arg;
    if (mnl_attr_get_type(attr) == IFA_MULTICAST && mnl_attr_get_payload_len(attr) == 16)
        search->found |= !memcmp(mnl_attr_get_payload(attr), search->group, 16);
    return MNL_CB_OK;
}

bool ready_address(struct netlink *nl, const unsigned char address[16]) {
    union {
        struct nlmsghdr header;
        char bytes[MNL_NLMSG_HDRLEN + sizeof(struct ifaddrmsg)];
    } request;
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(&request);
    struct search search = { .found = false };
    struct error err;
    nlh->nlmsg_type = RTM_GETMULTICAST;
    ((struct ifaddrmsg *)mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifaddrmsg)))->ifa_family =
        AF_INET6;
    solicited_node(address, search.group);
    if (netlink_dump(nl, nlh, &err) < 0)
        return false;
    while (netlink_next(nl, &nlh, &err) > 0)
        mnl_attr_parse(nlh, sizeof(struct ifaddrmsg), compare_group, &search);
    return search.found;
}
