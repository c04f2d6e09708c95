/* Alternative names of links, longer than IFNAMSIZ allows: IFLA_PROP_LIST (linux/if_link.h;
   net/core/rtnetlink.c, rtnl_linkprop). A link's record has them all in `altnames`. */
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "tables.h"

static const struct field name_fields[] = {
    { "altname", STRING, .attr = IFLA_ALT_IFNAME, .min = 1, .max = ALTIFNAMSIZ - 1,
      .help = "another name, of up to 127 characters" },
    { 0 },
};

static const struct table name_table = { .name = "altname", .fields = name_fields };

static const struct field altname_fields[] = {
    { "dev", DEV, S32, HEADER(ifinfomsg, ifi_index), .flags = UNTOLD, .help = "the link" },
    { NULL, NESTED, .attr = IFLA_PROP_LIST, .flags = FLAT, .of = &name_table },
    { 0 },
};

static int finish_altname(struct writer *w, struct error *err) {
    return writer_find(w, IFLA_PROP_LIST) ? 0 : refuse_missing("altname", err);
}

const struct table altname_table = {
    .name = "altname",
    .fields = altname_fields,
    .header = sizeof(struct ifinfomsg),
    .finish = finish_altname,
};

/* The kernel wants the flags, and finds the link without them. */
const struct verb altname_verbs[] = {
    { "add",
      "ip link property add",
      RTM_NEWLINKPROP,
      ADD | NLM_F_APPEND,
      "altname",
      NULL,
      "give a link another name",
      { "dev" } },
    { "del",
      "ip link property del",
      RTM_DELLINKPROP,
      0,
      "altname",
      NULL,
      "take one away",
      { "dev" } },
    { 0 },
};
