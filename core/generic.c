#include "generic.h"

#include <errno.h>
#include <linux/genetlink.h>

static int find_family(struct netlink *nl, const char *family, struct error *err) {
    union {
        struct nlmsghdr header;
        char bytes[MNL_NLMSG_HDRLEN + GENL_HDRLEN + MNL_ATTR_HDRLEN + GENL_NAMSIZ];
    } request;
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(&request), *reply;
    const struct nlattr *attr;
    nlh->nlmsg_type = GENL_ID_CTRL;
    struct genlmsghdr *genl = mnl_nlmsg_put_extra_header(nlh, sizeof *genl);
    genl->cmd = CTRL_CMD_GETFAMILY;
    genl->version = 1;
    mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, family);
    if (netlink_get(nl, nlh, &reply, err) < 0)
        return -1;
    mnl_attr_for_each(attr, reply, sizeof *genl) {
        if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID &&
            !mnl_attr_validate(attr, MNL_TYPE_U16))
            nl->generic = mnl_attr_get_u16(attr);
    }
    return nl->generic ? 0 : error_set(err, EBADMSG, "the kernel did not tell the family's number");
}

int netlink_open_generic(struct netlink *nl, int ns, const char *family,
                         struct netlink_buffer *buffer, struct error *err) {
    if (netlink_open_family(nl, ns, NETLINK_GENERIC, buffer, err) < 0)
        return -1;
    if (find_family(nl, family, err) == 0)
        return 0;
    netlink_close(nl);
    if (err && err->code == ENOENT) {
        error_set(err, ENOENT, "this kernel does not have it");
        error_hint(err, "or not its module: as root, modprobe %s", family);
    }
    return -1;
}
