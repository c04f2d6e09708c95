#include "settle.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdlib.h>

enum { HERE = -1 }; /* no id of another namespace */

struct link {
    uint32_t index, flags;
    uint32_t carrier, operstate;
    uint32_t changes, ups; /* of the carrier, since its birth */
    uint32_t lower, nsid;  /* its peer or what it stands on, and in which namespace */
    uint32_t master;
};

struct links {
    struct link *list;
    size_t count, room;
};

/* --- what a link says ------------------------------------------------------------------------- */

static uint32_t *field_of(struct link *link, uint16_t type) {
    switch (type) {
    case IFLA_CARRIER:
        return &link->carrier;
    case IFLA_OPERSTATE:
        return &link->operstate;
    case IFLA_CARRIER_CHANGES:
        return &link->changes;
    case IFLA_CARRIER_UP_COUNT:
        return &link->ups;
    case IFLA_LINK:
        return &link->lower;
    case IFLA_LINK_NETNSID:
        return &link->nsid;
    case IFLA_MASTER:
        return &link->master;
    default:
        return NULL;
    }
}

static int read_attribute(const struct nlattr *attr, void *arg) {
    uint32_t *field = field_of(arg, mnl_attr_get_type(attr));
    if (field && mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
        *field = mnl_attr_get_u32(attr);
    else if (field && mnl_attr_get_payload_len(attr) == sizeof(uint8_t))
        *field = mnl_attr_get_u8(attr);
    return MNL_CB_OK;
}

static void read_link(const struct nlmsghdr *nlh, struct link *link) {
    const struct ifinfomsg *header = mnl_nlmsg_get_payload(nlh);
    *link = (struct link){ .index = (uint32_t)header->ifi_index,
                           .flags = header->ifi_flags,
                           .nsid = (uint32_t)HERE };
    mnl_attr_parse(nlh, sizeof *header, read_attribute, link);
}

static bool says_up(const struct link *link) {
    return link->operstate >= IF_OPER_TESTING; /* or DORMANT, or UP */
}

static bool says_down(const struct link *link) {
    return link->operstate != IF_OPER_UNKNOWN && !says_up(link);
}

/* Its operstate is that of another time. */
static bool lags(const struct link *link) {
    return link->flags & IFF_UP && link->changes &&
           (link->carrier ? !says_up(link) : !says_down(link));
}

static bool is_doubtful(const struct link *link) {
    return lags(link) || (link->flags & IFF_UP && link->ups > 1);
}

static bool has_far_peer(const struct link *link) {
    return link->flags & IFF_UP && link->carrier && (int32_t)link->nsid > HERE && link->lower;
}

/* --- asking ----------------------------------------------------------------------------------- */

union request {
    struct nlmsghdr header;
    char bytes[MNL_NLMSG_HDRLEN + sizeof(struct ifinfomsg) + 16];
};

static struct nlmsghdr *begin(union request *request, uint32_t index) {
    mnl_nlmsg_put_header(request)->nlmsg_type = RTM_GETLINK;
    struct ifinfomsg *header = mnl_nlmsg_put_extra_header(&request->header, sizeof *header);
    header->ifi_index = (int)index;
    mnl_attr_put_u32(&request->header, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    return &request->header;
}

/* It has gone meanwhile, or it is not ours to ask. */
static bool is_absence(int code) {
    return code == ENODEV || code == EINVAL || code == EPERM || code == EACCES;
}

/* One link, in the namespace with that id. Nothing lags in what is returned for an absent one. */
static int ask(struct netlink *nl, uint32_t nsid, uint32_t index, struct link *link,
               struct error *err) {
    union request request;
    struct nlmsghdr *nlh = begin(&request, index), *reply;
    *link = (struct link){ 0 };
    if ((int32_t)nsid != HERE)
        mnl_attr_put_u32(nlh, IFLA_TARGET_NETNSID, nsid);
    if (netlink_get(nl, nlh, &reply, err) == 0)
        read_link(reply, link);
    else if (!is_absence(err->code))
        return -1;
    return 0;
}

static int add(struct links *links, const struct link *link, struct error *err) {
    if (links->count == links->room) {
        size_t room = links->room ? links->room * 2 : 16;
        struct link *list = realloc(links->list, room * sizeof *list);
        if (!list)
            return error_errno(err, ENOMEM);
        links->list = list;
        links->room = room;
    }
    links->list[links->count++] = *link;
    return 0;
}

/* Those of the namespace that have to be asked for one by one. */
static int collect_once(struct netlink *nl, struct links *links, struct error *err) {
    union request request;
    struct nlmsghdr *nlh;
    struct link link;
    int more;
    links->count = 0;
    if (netlink_dump(nl, begin(&request, 0), err) < 0)
        return -1;
    while ((more = netlink_next(nl, &nlh, err)) > 0) {
        read_link(nlh, &link);
        if ((is_doubtful(&link) || has_far_peer(&link)) && add(links, &link, err) < 0)
            return -1;
    }
    return more;
}

static int collect(struct netlink *nl, struct links *links, struct error *err) {
    int result, tries = NETLINK_TRIES;
    do
        result = collect_once(nl, links, err);
    while (result < 0 && err->code == EAGAIN && --tries);
    return result;
}

/* --- counting --------------------------------------------------------------------------------- */

static void count(struct unsettled *left, const struct link *link, bool carries) {
    if (!lags(link))
        return;
    if (!link->carrier || carries)
        left->late++;
    else if (link->lower && link->lower != link->index)
        left->pending++; /* urgent */
    else
        left->doubtful++;
}

static size_t total(const struct unsettled *left) {
    return left->pending + left->doubtful + left->late;
}

/* Two ends with the same index are urgent only while their queues stand. As both carriers came at
   once, the work that made one of them UP has started the other's queue as well. */
static int settle_pair(struct netlink *nl, struct link *link, struct unsettled *left,
                       struct error *err) {
    struct link peer = { 0 }, master = { 0 };
    if (is_doubtful(link) && ask(nl, (uint32_t)HERE, link->index, link, err) < 0)
        return -1;
    if (has_far_peer(link) && ask(nl, link->nsid, link->lower, &peer, err) < 0)
        return -1;
    if (peer.master && ask(nl, link->nsid, peer.master, &master, err) < 0)
        return -1;
    bool one_carries = link->index == peer.index && (says_up(link) || says_up(&peer));
    count(left, link, one_carries);
    count(left, &peer, one_carries);
    count(left, &master, false);
    return 0;
}

/* Returns whether something lagged before it was asked for. */
static int settle_once(struct netlink *nl, struct links *links, struct unsettled *left,
                       struct error *err) {
    int found = 0;
    *left = (struct unsettled){ 0 };
    if (collect(nl, links, err) < 0)
        return -1;
    for (size_t i = 0; i < links->count; i++) {
        found |= lags(&links->list[i]);
        if (settle_pair(nl, &links->list[i], left, err) < 0)
            return -1;
    }
    return found;
}

/* What settles one link may give a carrier to those above it: they are looked at in their turn. */
int settle_links(struct netlink *nl, struct unsettled *left, struct error *err) {
    struct links links = { 0 };
    int found, tries = NETLINK_TRIES;
    do
        found = settle_once(nl, &links, left, err);
    while (found > 0 && !total(left) && --tries);
    free(links.list);
    return found < 0 ? -1 : 0;
}
