/* The machine's neighbour tables, as rtnetlink tells of them, and the entries in them that our
   probes made. */
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "ping_engine.h"

/* One for all engines: each answer is read to its end before the next request. */
static struct netlink_buffer answers;

static int open_netlink(struct ping *ping, struct error *err) {
    struct netlink *nl = &ping->netlink;
    return nl->fd < 0 ? netlink_open(nl, ping->ns, &answers, err) : 0;
}

/* --- the tables ------------------------------------------------------------------------------- */

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

/* Copies what there is of an attribute: kernels append to these structs. */
static void copy_payload(const struct nlattr *attribute, void *out, size_t size) {
    size_t length = mnl_attr_get_payload_len(attribute);
    memcpy(out, mnl_attr_get_payload(attribute), length < size ? length : size);
}

/* Both "arp_cache" of AF_INET and "ndisc_cache" of AF_INET6 come once each, and once more for each
   device, without numbers. */
static void read_table(const struct nlmsghdr *nlh, struct ping_table *out) {
    struct ndt_stats stats = { 0 };
    struct ndt_config config = { 0 };
    const struct nlattr *attribute;
    mnl_attr_for_each(attribute, nlh, sizeof(struct ndtmsg)) {
        int type = mnl_attr_get_type(attribute);
        if (type == NDTA_STATS)
            copy_payload(attribute, &stats, sizeof stats);
        else if (type == NDTA_CONFIG)
            copy_payload(attribute, &config, sizeof config);
        else if (type == NDTA_THRESH3)
            copy_payload(attribute, &out->limit, sizeof out->limit);
    }
    out->overflows += (int64_t)stats.ndts_table_fulls;
    out->entries += config.ndtc_entries;
}

static int dump_tables(struct netlink *nl, int family, struct ping_table *out, struct error *err) {
    struct nlmsghdr *nlh;
    int more;
    *out = (struct ping_table){ 0 };
    if (request_tables(nl, family, err) < 0)
        return -1;
    while ((more = netlink_next(nl, &nlh, err)) > 0)
        read_table(nlh, out);
    return more;
}

int ping_read_table(struct ping *ping, int family, struct ping_table *out, struct error *err) {
    int result, tries = NETLINK_TRIES;
    if (open_netlink(ping, err) < 0)
        return -1;
    do
        result = dump_tables(&ping->netlink, family, out, err);
    while (result < 0 && err->code == EAGAIN && --tries);
    return result;
}

int64_t ping_overflows(struct ping *ping, int family) {
    struct ping_table table;
    struct error err;
    return ping_read_table(ping, family, &table, &err) < 0 ? -1 : table.overflows;
}

/* --- entries ---------------------------------------------------------------------------------- */

/* Without padding, so that memcmp can compare them. */
struct neighbour {
    int32_t index;
    uint32_t family;
    uint8_t address[16];
};

static int compare(const void *a, const void *b) {
    return memcmp(a, b, sizeof(struct neighbour));
}

/* Not what somebody configured or a daemon learned, nor what was never resolved and costs nothing:
   the table makes room for itself from NOARP entries. Those of groups come with IPv6's questions.
 */
static bool is_own_making(const struct ndmsg *header) {
    if (header->ndm_state & NUD_PERMANENT || header->ndm_flags & (NTF_EXT_LEARNED | NTF_PROXY))
        return false;
    return header->ndm_type == RTN_MULTICAST || !(header->ndm_state & NUD_NOARP);
}

static bool read_neighbour(const struct nlmsghdr *nlh, struct neighbour *out) {
    const struct ndmsg *header = mnl_nlmsg_get_payload(nlh);
    const struct nlattr *attribute;
    *out = (struct neighbour){ header->ndm_ifindex, header->ndm_family, { 0 } };
    if (nlh->nlmsg_type != RTM_NEWNEIGH || !is_own_making(header))
        return false;
    mnl_attr_for_each(attribute, nlh, sizeof *header) {
        if (mnl_attr_get_type(attribute) == NDA_DST)
            copy_payload(attribute, out->address, sizeof out->address);
    }
    return true;
}

static int append(struct neighbours *list, const struct neighbour *one) {
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 32;
        void *entries = reallocarray(list->entries, room, sizeof *list->entries);
        if (!entries)
            return -1;
        list->entries = entries;
        list->room = room;
    }
    list->entries[list->count++] = *one;
    return 0;
}

static bool is_kept(const struct neighbours *kept, const struct neighbour *one) {
    return kept->count && bsearch(one, kept->entries, kept->count, sizeof *one, compare);
}

/* Lists those of the namespace that are not kept. */
static int dump_others(struct netlink *nl, const struct neighbours *kept, struct neighbours *list,
                       struct error *err) {
    union {
        struct nlmsghdr header;
        char bytes[MNL_NLMSG_HDRLEN + sizeof(struct ndmsg)];
    } request;
    struct nlmsghdr *nlh;
    struct neighbour one;
    int more;
    mnl_nlmsg_put_header(&request)->nlmsg_type = RTM_GETNEIGH;
    mnl_nlmsg_put_extra_header(&request.header, sizeof(struct ndmsg));
    list->count = 0;
    if (netlink_dump(nl, &request.header, err) < 0)
        return -1;
    while ((more = netlink_next(nl, &nlh, err)) > 0)
        if (read_neighbour(nlh, &one) && !is_kept(kept, &one) && append(list, &one) < 0)
            return error_errno(err, ENOMEM);
    return more;
}

static int list_others(struct ping *ping, const struct neighbours *kept, struct neighbours *list,
                       struct error *err) {
    int result, tries = NETLINK_TRIES;
    if (open_netlink(ping, err) < 0)
        return -1;
    do
        result = dump_others(&ping->netlink, kept, list, err);
    while (result < 0 && err->code == EAGAIN && --tries);
    return result;
}

int ping_remember(struct ping *ping, struct error *err) {
    static const struct neighbours none = { 0 };
    if (list_others(ping, &none, &ping->kept, err) < 0)
        return -1;
    if (ping->kept.count)
        qsort(ping->kept.entries, ping->kept.count, sizeof *ping->kept.entries, compare);
    return 0;
}

/* --- deletion --------------------------------------------------------------------------------- */

union deletion {
    struct nlmsghdr header;
    char bytes[MNL_NLMSG_HDRLEN + sizeof(struct ndmsg) + MNL_ATTR_HDRLEN + 16];
};

/* Returns where the next one goes: an IPv4 address leaves less room than it has. */
static char *write_deletion(char *at, const struct neighbour *one) {
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(at);
    struct ndmsg *header = mnl_nlmsg_put_extra_header(nlh, sizeof *header);
    nlh->nlmsg_type = RTM_DELNEIGH;
    header->ndm_ifindex = one->index;
    header->ndm_family = (uint8_t)one->family;
    mnl_attr_put(nlh, NDA_DST, address_size((int)one->family), one->address);
    return at + MNL_ALIGN(nlh->nlmsg_len);
}

/* What is refused has gone by itself, or with its interface. */
static void pass_over(void *arg, size_t index, const struct error *err) {
    (void)arg, (void)index, (void)err;
}

static int delete_all(struct netlink *nl, const struct neighbours *list, struct error *err) {
    cleanup_free char *messages = calloc(list->count, sizeof(union deletion));
    char *end = messages;
    if (!messages)
        return error_errno(err, ENOMEM);
    for (size_t i = 0; i < list->count; i++)
        end = write_deletion(end, &list->entries[i]);
    return netlink_batch(nl, messages, list->count, pass_over, NULL, err) < 0 ? -1 : 0;
}

int ping_forget(struct ping *ping, struct error *err) {
    struct neighbours new = { 0 };
    int result = list_others(ping, &ping->kept, &new, err);
    if (result == 0 && new.count)
        result = delete_all(&ping->netlink, &new, err);
    free(new.entries);
    return result < 0 ? -1 : (int)new.count;
}
