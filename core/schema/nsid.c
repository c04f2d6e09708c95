/* Ids of namespaces, as one namespace names another: struct rtgenmsg and NETNSA_*
   (linux/net_namespace.h; net/core/net_namespace.c). */
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include "tables.h"

static const struct field nsid_fields[] = {
    { "netns", NETNS, .attr = NETNSA_FD, .flags = WRITE_ONLY | UNTOLD | POSITIONAL,
      .bit = NETNSA_PID, .help = "the namespace that is meant" },
    { "nsid", NUMBER, S32, .attr = NETNSA_NSID, .flags = POSITIONAL, .min = 0, .max = INT32_MAX,
      .help = "its id here" },
    { 0 },
};

const struct table nsid_table = { .name = "nsid",
                                  .fields = nsid_fields,
                                  .header = sizeof(struct rtgenmsg) };

bool nsid_is_absent(const struct reader *r) {
    static const struct field nsid = { "nsid", NUMBER, S32, .attr = NETNSA_NSID };
    int64_t id;
    return !read_number(r, &nsid, &id) || id == NETNSA_NSID_NOT_ASSIGNED;
}

const struct verb nsid_verbs[] = {
    { "add",
      "ip netns set",
      RTM_NEWNSID,
      0,
      "netns",
      NULL,
      "give a namespace an id",
      { "netns", "nsid" } },
    { "get", "ip netns list-id", RTM_GETNSID, 0, "netns", NULL, "a namespace's id", { "netns" } },
    { "list", "ip netns list-id", RTM_GETNSID, NLM_F_DUMP, "netns", NULL,
      "the ids this namespace knows" },
    { 0 },
};
