/* Multicast groups of bridges: struct br_port_msg, MDBA_* and struct br_mdb_entry
   (linux/if_bridge.h; net/bridge/br_mdb.c). One message has all of a bridge's; a record is a group
   of one port. What a request has in two attributes, an answer has in one, behind the struct. */
#include <endian.h>
#include <linux/if_bridge.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "tables.h"

/* Where the rows look for an attribute that stands behind the struct. */
#define BEHIND(attribute) .attr = FIRST_BEHIND + (attribute)
enum { FIRST_BEHIND = 64 };

static const struct word state_words[] = {
    { MDB_PERMANENT, "permanent" },
    { MDB_TEMPORARY, "temp" },
    { 0 },
};

static const struct word flag_words[] = {
    { MDB_FLAGS_OFFLOAD, "offload" },
    { MDB_FLAGS_FAST_LEAVE, "fast_leave" },
    { MDB_FLAGS_STAR_EXCL, "added_by_star_ex" },
    { MDB_FLAGS_BLOCKED, "blocked" },
    { 0 },
};

static const struct word mode_words[] = {
    { MCAST_INCLUDE, "include" },
    { MCAST_EXCLUDE, "exclude" },
    { 0 },
};

static const struct field source_fields[] = {
    { "address", ADDRESS, .attr = MDBA_MDB_SRCATTR_ADDRESS },
    { "timer", TICKS, U32, .attr = MDBA_MDB_SRCATTR_TIMER },
    { 0 },
};

static const struct table source_table = { .name = "source_list", .fields = source_fields };

#define ENTRY(member) .attr = MDBA_SET_ENTRY, PART(br_mdb_entry, member)

static const struct field mdb_fields[] = {
    { "index", NUMBER, U32, HEADER(br_port_msg, ifindex), .flags = READ_ONLY },
    { "dev", DEV, U32, HEADER(br_port_msg, ifindex), .help = "the bridge" },
    { "port", DEV, U32, ENTRY(ifindex), .help = "its port, or the bridge itself" },
    { "grp", MULTICAST_GROUP, .attr = MDBA_SET_ENTRY, PART(br_mdb_entry, addr),
      .help = "the group: an address, or a MAC" },
    { "src", ADDRESS, BEHIND(MDBA_MDB_EATTR_SOURCE), .help = "who sends to it, if that matters" },
    { "state", ENUM, U8, ENTRY(state), .flags = POSITIONAL, .of = state_words },
    { "permanent", CONSTANT, U8, ENTRY(state), .flags = WRITE_ONLY, .bit = MDB_PERMANENT,
      .help = "it does not age" },
    { "temp", CONSTANT, U8, ENTRY(state), .flags = WRITE_ONLY, .bit = MDB_TEMPORARY },
    { "filter_mode", ENUM, U8, BEHIND(MDBA_MDB_EATTR_GROUP_MODE), .flags = READ_ONLY,
      .of = mode_words },
    { "source_list", RECORDS, BEHIND(MDBA_MDB_EATTR_SRC_LIST), .flags = READ_ONLY,
      .of = &source_table, .bit = NESTS },
    { "protocol", NAMED, U8, BEHIND(MDBA_MDB_EATTR_RTPROT), .flags = READ_ONLY,
      .of = &protocol_names },
    { "flags", BITS, U8, ENTRY(flags), .flags = READ_ONLY, .of = flag_words },
    { "vid", NUMBER, U16, ENTRY(vid), .flags = ONLY_TRUE, .max = 4095 },
    { 0 },
};

/* --- requests --------------------------------------------------------------------------------- */

/* The source is an attribute of the entry, not of the message. */
static int move_source(struct writer *w, struct error *err) {
    static const struct field attributes = { "", NESTED, .attr = MDBA_SET_ENTRY_ATTRS };
    static const struct field none[] = { { 0 } };
    static const struct table bare = { .fields = none };
    struct nlattr *source = writer_find(w, FIRST_BEHIND + MDBA_MDB_EATTR_SOURCE);
    struct writer inner;
    char bytes[16];
    if (!source)
        return 0;
    size_t size = mnl_attr_get_payload_len(source);
    memcpy(bytes, mnl_attr_get_payload(source), size);
    take_out(w, source);
    return writer_nest(w, &attributes, &bare, &inner, err) < 0 ||
                   write_attribute(&inner, MDBE_ATTR_SOURCE, bytes, size, err) < 0
               ? -1
               : writer_end(&inner, err);
}

static int finish_mdb(struct writer *w, struct error *err) {
    static const char *const needs[] = { "port", "grp" };
    ((struct br_port_msg *)w->header)->family = AF_BRIDGE;
    if (message_filters(w->message))
        return 0;
    for (size_t i = 0; i < 2; i++)
        if (!is_given(w, needs[i]))
            return refuse_missing(needs[i], err);
    return move_source(w, err);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void note_source(struct reader *r, const struct nlattr *source) {
    r->tb[FIRST_BEHIND + MDBA_MDB_EATTR_SOURCE] = source;
    r->family = mnl_attr_get_payload_len(source) == 16 ? AF_INET6 : AF_INET;
}

/* Of a request of our own; a filter has its source where the rows look for it. */
static void adapt_mdb(struct reader *r) {
    const struct nlattr *nest = r->tb[MDBA_SET_ENTRY_ATTRS], *attr;
    if (r->tb[FIRST_BEHIND + MDBA_MDB_EATTR_SOURCE])
        note_source(r, r->tb[FIRST_BEHIND + MDBA_MDB_EATTR_SOURCE]);
    if (nest)
        mnl_attr_for_each_nested(attr, nest) {
            if (mnl_attr_get_type(attr) == MDBE_ATTR_SOURCE)
                note_source(r, attr);
        }
}

const struct table mdb_table = {
    .name = "mdb",
    .fields = mdb_fields,
    .header = sizeof(struct br_port_msg),
    .finish = finish_mdb,
    .adapt = adapt_mdb,
};

/* Of one bridge's, the first one behind that. */
static const struct nlattr *find_info(const struct nlattr *mdb, const struct nlattr *last) {
    const struct nlattr *entry, *info;
    mnl_attr_for_each_nested(entry, mdb) {
        mnl_attr_for_each_nested(info, entry) {
            if (info > last && mnl_attr_get_payload_len(info) >= sizeof(struct br_mdb_entry))
                return info;
        }
    }
    return NULL;
}

static const struct nlattr *next_info(const struct records *s) {
    const struct nlattr *mdb, *info = NULL;
    mnl_attr_for_each(mdb, s->nlh, sizeof(struct br_port_msg)) {
        if (!info && mnl_attr_get_type(mdb) == MDBA_MDB)
            info = find_info(mdb, s->last);
    }
    return info;
}

bool mdb_next(struct records *s) {
    struct reader *r = &s->reader;
    const struct nlattr *info = next_info(s);
    if (!info)
        return false;
    const struct br_mdb_entry *entry = mnl_attr_get_payload(info);
    const void *behind = (const char *)entry + MNL_ALIGN(sizeof *entry);
    size_t size = mnl_attr_get_payload_len(info) - sizeof *entry;
    const struct nlattr *attr;
    memset(r->tb, 0, sizeof r->tb);
    r->tb[MDBA_SET_ENTRY] = s->last = info;
    r->family = entry->addr.proto == htobe16(ETH_P_IPV6) ? AF_INET6 : AF_INET;
    mnl_attr_for_each_payload(behind, size) {
        if (FIRST_BEHIND + mnl_attr_get_type(attr) < READER_ATTRIBUTES)
            r->tb[FIRST_BEHIND + mnl_attr_get_type(attr)] = attr;
    }
    return true;
}

void mdb_prepare_dump(const void *filter, struct nlmsghdr *request) {
    (void)filter;
    ((struct br_port_msg *)mnl_nlmsg_get_payload(request))->family = AF_BRIDGE;
}

const struct verb mdb_verbs[] = {
    { "add",
      "bridge mdb add",
      RTM_NEWMDB,
      ADD,
      "grp",
      NULL,
      "let a group be sent to a port",
      { "dev" } },
    { "del", "bridge mdb del", RTM_DELMDB, 0, "grp", NULL, "take it away", { "dev" } },
    { "list", "bridge mdb show", RTM_GETMDB, NLM_F_DUMP, "dev", NULL,
      "the records of all, or of some" },
    { 0 },
};
