/* Messages of bridges' VLANs, taken apart and put together with the kernel's own structs: also
   where the kernel has none. tests/lua/vlan_test.lua compares with bridge what the kernel makes of
   them. */
#include "child.h"

#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "../../core/schema/tables.h"

static struct message m;
static struct netlink_names names;
static struct netlink nl = { .fd = -1, .names = &names };
static struct error err;

static void put(struct writer *w, const char *key, const char *t) {
    struct value v = { .type = VALUE_TEXT, .text = t, .length = strlen(t) };
    if (write_value(w, schema_field(w->table, key), &v, &err) < 0)
        fail_msg("%s: %s", key, err.message);
}

static const struct field *entry_row(void) {
    const struct field *f = vlan_table.fields;
    while (f->attr != BRIDGE_VLANDB_ENTRY)
        f++;
    return f;
}

/* Opens the entry of a message about h1. */
static void begin(struct writer *w, struct writer *entry, const char *verb) {
    const struct object *vlan = schema_object("vlan");
    message_begin(&m, &nl, vlan, schema_verb(vlan, verb), w);
    put(w, "dev", "h1");
    assert_int_equal(writer_nest(w, entry_row(), entry_row()->of, entry, &err), 0);
}

static void end(struct writer *w, struct writer *entry) {
    assert_int_equal(writer_end(entry, &err), 0);
    assert_int_equal(writer_end(w, &err), 0);
}

/* The message must be made of exactly these bytes behind its header. */
static void assert_sent(uint16_t type, const void *expected, size_t length) {
    assert_int_equal(m.header.nlmsg_type, type);
    assert_int_equal(mnl_nlmsg_get_payload_len(&m.header), length);
    assert_memory_equal(mnl_nlmsg_get_payload(&m.header), expected, length);
}

static void test_add(void **state) {
    const struct {
        struct br_vlan_msg header;
        struct nlattr entry, info_head;
        struct bridge_vlan_info info;
    } expected = {
        { .family = AF_BRIDGE, .ifindex = 1 },
        { 12, BRIDGE_VLANDB_ENTRY | NLA_F_NESTED },
        { 8, BRIDGE_VLANDB_ENTRY_INFO },
        { BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED, 10 },
    };
    struct writer w, entry;
    char command[200];
    (void)state;
    begin(&w, &entry, "add");
    put(&entry, "vid", "10");
    put(&entry, "flags", "pvid");
    put(&entry, "untagged", "on");
    put(&entry, "state", "forwarding"); /* of a record: what is new has that */
    put(&entry, "mcast_router", "1");
    end(&w, &entry);
    assert_sent(RTM_NEWVLAN, &expected, sizeof expected);
    assert_true(schema_command(&m, NULL, command, sizeof command));
    assert_string_equal(command, "bridge vlan add dev h1 vid 10 pvid untagged");
}

static void test_range(void **state) {
    const struct {
        struct br_vlan_msg header;
        struct nlattr entry, info_head;
        struct bridge_vlan_info info;
        struct nlattr range_head;
        uint16_t range, padding;
    } expected = {
        { .family = AF_BRIDGE, .ifindex = 1 },
        { 20, BRIDGE_VLANDB_ENTRY | NLA_F_NESTED },
        { 8, BRIDGE_VLANDB_ENTRY_INFO },
        { 0, 20 },
        { 6, BRIDGE_VLANDB_ENTRY_RANGE },
        30,
        0,
    };
    struct writer w, entry;
    (void)state;
    begin(&w, &entry, "del");
    put(&entry, "vid", "20-30");
    end(&w, &entry);
    assert_sent(RTM_DELVLAN, &expected, sizeof expected);
}

static void test_set(void **state) {
    const struct {
        struct br_vlan_msg header;
        struct nlattr entry, info_head;
        struct bridge_vlan_info info;
        struct nlattr state_head;
        uint8_t state, padding[3];
    } expected = {
        { .family = AF_BRIDGE, .ifindex = 1 },
        { 20, BRIDGE_VLANDB_ENTRY | NLA_F_NESTED },
        { 8, BRIDGE_VLANDB_ENTRY_INFO },
        { BRIDGE_VLAN_INFO_ONLY_OPTS, 7 },
        { 5, BRIDGE_VLANDB_ENTRY_STATE },
        BR_STATE_BLOCKING,
        { 0 },
    };
    struct writer w, entry;
    (void)state;
    begin(&w, &entry, "set");
    put(&entry, "vid", "7");
    put(&entry, "flags", "PVID"); /* of a record: left as it is */
    put(&entry, "state", "blocking");
    end(&w, &entry);
    assert_sent(RTM_NEWVLAN, &expected, sizeof expected);
}

/* --- what is read ----------------------------------------------------------------------------- */

static void put_entry(struct nlmsghdr *nlh, uint16_t vid, uint16_t last, uint16_t flags) {
    struct bridge_vlan_info info = { flags, vid };
    struct nlattr *entry = mnl_attr_nest_start(nlh, BRIDGE_VLANDB_ENTRY);
    mnl_attr_put(nlh, BRIDGE_VLANDB_ENTRY_INFO, sizeof info, &info);
    if (last)
        mnl_attr_put_u16(nlh, BRIDGE_VLANDB_ENTRY_RANGE, last);
    mnl_attr_nest_end(nlh, entry);
}

static int64_t number_in(const struct reader *r, const char *key) {
    struct reader entry;
    int64_t number;
    assert_true(reader_nest(r, entry_row(), &entry));
    return read_number(&entry, schema_field(entry.table, key), &number) ? number : -1;
}

/* A message of a port has an entry for each: a record each, also between others' attributes. */
static void test_reading(void **state) {
    static char bytes[1024];
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(bytes);
    (void)state;
    mnl_nlmsg_put_extra_header(nlh, sizeof(struct br_vlan_msg));
    mnl_attr_put_u32(nlh, 99, 0);
    put_entry(nlh, 1, 0, BRIDGE_VLAN_INFO_PVID);
    mnl_attr_put_u32(nlh, 99, 0);
    put_entry(nlh, 20, 30, 0);
    struct records records = { schema_object("vlan"), nlh, NULL };
    assert_true(records_next(&records));
    assert_int_equal(number_in(&records.reader, "vlan"), 1);
    assert_int_equal(number_in(&records.reader, "vlanEnd"), -1);
    assert_int_equal(number_in(&records.reader, "flags"), BRIDGE_VLAN_INFO_PVID);
    assert_true(records_next(&records));
    assert_int_equal(number_in(&records.reader, "vlan"), 20);
    assert_int_equal(number_in(&records.reader, "vlanEnd"), 30);
    assert_false(records_next(&records));
    assert_false(records_next(&records));
}

static void test_reading_none(void **state) {
    static char bytes[64];
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(bytes);
    struct records cut_short = { schema_object("vlan"), nlh, NULL };
    (void)state;
    assert_false(records_next(&cut_short));
    assert_false(records_next(&cut_short));
    mnl_nlmsg_put_extra_header(nlh, sizeof(struct br_vlan_msg));
    struct records without = { schema_object("vlan"), nlh, NULL };
    assert_false(records_next(&without));
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),          cmocka_unit_test(test_range),
        cmocka_unit_test(test_set),          cmocka_unit_test(test_reading),
        cmocka_unit_test(test_reading_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
