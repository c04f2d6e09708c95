/* The rows of the schema: what they take, what they refuse, and what comes back. Nothing is sent.
 */
#include "child.h"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <strings.h>
#include <sys/socket.h>

#include "../../core/netlink.h"
#include "../../core/schema/tables.h"

static struct message m;
static struct netlink nl = { .fd = -1 };
static struct netlink_buffer buffer;
static struct error err;

/* --- help ------------------------------------------------------------------------------------- */

static void begin(const char *object, const char *verb, struct writer *w) {
    message_end(&m);
    err = (struct error){ 0 };
    const struct object *o = schema_object(object);
    message_begin(&m, &nl, o, schema_verb(o, verb), w);
}

static struct value number(int64_t n) {
    return (struct value){ .type = VALUE_NUMBER, .number = n };
}

static struct value text(const char *t) {
    return (struct value){ .type = VALUE_TEXT, .text = t, .length = strlen(t) };
}

static int put(struct writer *w, const char *key, struct value v) {
    const struct field *f = schema_field(w->table, key);
    assert_non_null(f);
    err.code = 0;
    err.key[0] = 0;
    return write_value(w, f, &v, &err);
}

static int put_text(struct writer *w, const char *key, const char *t) {
    return put(w, key, text(t));
}

static int put_number(struct writer *w, const char *key, int64_t n) {
    return put(w, key, number(n));
}

static int open_nest(struct writer *outer, const struct field *f, struct writer *inner) {
    const struct table *table = schema_nested(f, outer->kind, outer->kind);
    assert_non_null(table);
    return writer_nest(outer, f, table, inner, &err);
}

static int nest(struct writer *outer, const char *key, struct writer *inner) {
    return open_nest(outer, schema_field(outer->table, key), inner);
}

/* What the message has for a key of its outermost level. */
static bool get(const char *key, struct value *v) {
    struct reader r;
    assert_int_equal(reader_begin(&r, m.object->table, &m.header, NULL), 0);
    return read_value(&r, schema_field(m.object->table, key), v);
}

static void assert_number(const char *key, int64_t expected) {
    struct value v;
    assert_true(get(key, &v));
    assert_int_equal(v.number, expected);
}

static void assert_text(const char *key, const char *expected) {
    struct value v;
    char shown[256];
    assert_true(get(key, &v));
    assert_int_equal(v.type, VALUE_TEXT);
    snprintf(shown, sizeof shown, "%.*s", (int)v.length, v.text);
    assert_string_equal(shown, expected);
}

/* --- numbers on the wire ---------------------------------------------------------------------- */

static void test_wires(void **state) {
    static const unsigned char big[] = { 0x12, 0x34, 0x56, 0x78 };
    unsigned char room[16];
    (void)state;
    for (enum wire wire = U8; wire <= BE32; wire++)
        for (size_t at = 0; at < 8; at++) {
            const struct wire_type *type = &wires[wire];
            const int64_t numbers[] = { type->min, type->max, 0, 1, type->max / 3 };
            for (size_t i = 0; i < 5; i++) {
                memset(room, 0xa5, sizeof room);
                wire_store(room + at, wire, numbers[i]);
                assert_int_equal(wire_load(room + at, wire), numbers[i]);
                assert_true(at == 0 || room[at - 1] == 0xa5);
                assert_int_equal(room[at + type->size], 0xa5);
            }
        }
    assert_int_equal(wire_load(big, BE32), 0x12345678);
    assert_int_equal(wire_load(big, BE16), 0x1234);
}

/* --- every row -------------------------------------------------------------------------------- */

/* Calls each(writer, row) for every row of an object, also in nests, each in a request of its own.
   The nests of a message that is not sent may stay open. */
static void for_each_row(const char *object, const struct kind *kind,
                         const struct field *const *path, int depth,
                         void (*each)(struct writer *w, const struct field *f)) {
    struct writer levels[8];
    const struct table *table = schema_object(object)->table;
    for (int i = 0; i < depth; i++)
        table = schema_nested(path[i], kind, kind);
    for (const struct field *f = table->fields; f->meaning; f++) {
        begin(object, schema_object(object)->verbs->name, &levels[0]);
        levels[0].kind = kind;
        for (int i = 0; i < depth; i++)
            assert_int_equal(open_nest(&levels[i], path[i], &levels[i + 1]), 0);
        const struct field *deeper[8];
        for (int i = 0; i < depth; i++)
            deeper[i] = path[i];
        deeper[depth] = f;
        if (!field_is_nest(f))
            each(&levels[depth], f);
        else if (schema_nested(f, kind, kind) && depth < 4)
            for_each_row(object, kind, deeper, depth + 1, each);
    }
}

static void for_all_rows(void (*each)(struct writer *w, const struct field *f)) {
    for (const struct object *object = objects; object->name; object++)
        for_each_row(object->name, NULL, NULL, 0, each);
    for (const struct object *object = objects; object->name; object++)
        for (const struct kind *kind = object->table->kinds; kind && kind->name; kind++)
            for_each_row(object->name, kind, NULL, 0, each);
}

/* bindings/codec.c has a bit for each row that is a flat nest. */
static void check_flat_nests(const struct table *table) {
    for (int i = 0; table->fields[i].meaning; i++)
        assert_true(i < 64 || !(table->fields[i].flags & FLAT));
}

static void check_row(struct writer *w, const struct field *f) {
    check_flat_nests(w->table);
    assert_true(f->attr < READER_ATTRIBUTES);
    assert_true(f->attr || f->offset + wires[f->wire].size <= w->table->header);
    assert_true(!f->size || (f->offset + wires[f->wire].size <= f->size && f->size <= 64));
    assert_true(!(f->flags & MASKED) || f->offset + 8 <= (f->attr ? f->size : w->table->header));
    assert_true(f->meaning != PREFIX || (w->header && f->length_at < w->table->header));
    assert_true((f->meaning != ENUM && f->meaning != BITS) || f->of);
    assert_non_null(f->name);
}

static void test_rows_are_sound(void **state) {
    (void)state;
    for_all_rows(check_row);
}

/* The limits of a row: both are taken and read back, the next numbers are refused by its name. */
static void check_limits(struct writer *w, const struct field *f) {
    bool own = f->min || f->max;
    int64_t min = own ? f->min : wires[f->wire].min, max = own ? f->max : wires[f->wire].max;
    struct value low = number(min), high = number(max);
    struct value over = number(max < INT64_MAX ? max + 1 : INT64_MIN);
    struct value under = number(min - 1), word = text("12x"), real = { .type = VALUE_REAL };
    if ((f->meaning != NUMBER && f->meaning != HEX) || f->flags & READ_ONLY)
        return;
    uint32_t length = m.header.nlmsg_len;
    assert_int_equal(write_value(w, f, &under, &err), -1);
    assert_int_equal(err.code, ERANGE);
    assert_string_equal(err.key, f->word ? f->word : f->name);
    assert_int_equal(write_value(w, f, &over, &err), -1);
    assert_int_equal(write_value(w, f, &word, &err), -1);
    assert_int_equal(err.code, EINVAL);
    assert_int_equal(write_value(w, f, &real, &err), -1);
    assert_int_equal(m.header.nlmsg_len, length);
    assert_int_equal(write_value(w, f, &low, &err), 0);
    if (f->attr && !f->size)
        m.header.nlmsg_len = length; /* as if it had not been given */
    m.given_count = 0;
    assert_int_equal(write_value(w, f, &high, &err), 0);
}

static void test_limits_of_numbers(void **state) {
    (void)state;
    for_all_rows(check_limits);
}

/* Whatever a row is given, it is taken, or refused by the row's name with the message as it was. */
static void check_odd_values(struct writer *w, const struct field *f) {
    static char long_text[70000];
    memset(long_text, 'a', sizeof long_text - 1);
    const struct value odd[] = {
        text(""),
        text("+"),
        text("default"),
        text("all"),
        text("::"),
        text("1.2.3.4/33"),
        text(long_text),
        number(INT64_MIN),
        number(INT64_MAX),
        number(0),
        { .type = VALUE_REAL, .real = 0.5 },
        { .type = VALUE_BOOL, .number = 1 },
        { .type = VALUE_TEXT, .text = "a\0b", .length = 3 },
        { .type = VALUE_NETNS, .number = 5 },
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        uint32_t length = m.header.nlmsg_len;
        m.given_count = 0;
        m.namespace_count = 0;
        if (write_value(w, f, &odd[i], &err) < 0) {
            assert_string_equal(err.key, f->word ? f->word : f->name);
            assert_true(err.code && err.message[0]);
        }
        assert_true(m.header.nlmsg_len <= MESSAGE_MAX);
        if (f->attr)
            m.header.nlmsg_len = length;
        *message_family(&m) = 0;
    }
}

static void test_odd_values(void **state) {
    (void)state;
    assert_int_equal(netlink_open(&nl, -1, &buffer, &err), 0);
    for_all_rows(check_odd_values);
    netlink_close(&nl);
}

/* --- the types -------------------------------------------------------------------------------- */

static void test_strings(void **state) {
    struct writer w;
    (void)state;
    begin("link", "add", &w);
    assert_int_equal(put_text(&w, "name", ""), -1);
    assert_int_equal(put_text(&w, "name", "sixteen_letters_"), -1);
    assert_int_equal(err.code, ENAMETOOLONG);
    assert_string_equal(err.message,
                        "\"sixteen_letters_\" has 16 characters, at most 15 are allowed");
    assert_int_equal(put_text(&w, "name", "fifteen_letters"), 0);
    assert_text("ifname", "fifteen_letters");
    assert_int_equal(put_text(&w, "ifname", "again"), -1);
    assert_string_equal(err.message, "given twice");
    assert_int_equal(put_number(&w, "alias", 7), 0);
    assert_text("ifalias", "7");
}

static void test_addresses(void **state) {
    struct writer w;
    (void)state;
    begin("addr", "add", &w);
    assert_int_equal(put_text(&w, "local", "10.0.0.300/24"), -1);
    assert_int_equal(put_number(&w, "local", 10), -1);
    assert_int_equal(put_text(&w, "local", "10.0.0.1/24"), 0);
    assert_int_equal(put_text(&w, "brd", "::1"), -1);
    assert_int_equal(put_text(&w, "brd", "+"), 0);
    assert_int_equal(writer_end(&w, &err), 0);
    assert_text("local", "10.0.0.1");
    assert_text("broadcast", "10.0.0.255");
    assert_number("prefixlen", 24);
    begin("route", "add", &w);
    assert_int_equal(put_text(&w, "to", "default"), 0);
    assert_int_equal(put_text(&w, "via", "fe80::1"), 0);
    assert_int_equal(writer_end(&w, &err), 0);
    assert_text("dst", "default");
    assert_text("gateway", "fe80::1");
    assert_text("family", "inet6");
}

static void test_words(void **state) {
    struct writer w;
    (void)state;
    begin("neigh", "add", &w);
    assert_int_equal(put_text(&w, "nud", "stale"), 0);
    assert_int_equal(put_text(&w, "state", "PERMANENT"), 0);
    assert_int_equal(put_text(&w, "state", "stail"), -1);
    assert_non_null(strstr(err.message, "STALE"));
    assert_int_equal(((struct ndmsg *)w.header)->ndm_state, NUD_STALE | NUD_PERMANENT);
    assert_int_equal(put_text(&w, "lladdr", "02:00:00:00:00"), -1);
    assert_int_equal(put_text(&w, "lladdr", "02:00:00:00:00:0f"), 0);
    assert_text("lladdr", "02:00:00:00:00:0f");
}

static void test_structs(void **state) {
    struct writer w;
    (void)state;
    begin("addr", "add", &w);
    assert_int_equal(put_number(&w, "preferred_lft", 10), 0);
    assert_number("preferred_life_time", 10);
    assert_number("valid_life_time", UINT32_MAX); /* the rest of its struct: for ever */
    assert_int_equal(put_text(&w, "valid_lft", "forever"), 0);
    assert_int_equal(put_text(&w, "nodad", "on"), 0);
    assert_int_equal(put_text(&w, "home", "maybe"), -1);
    assert_number("nodad", 1);
}

/* --- namespaces ------------------------------------------------------------------------------- */

static int count_descriptors(void) {
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* A message takes so many, and closes those that it opened. */
static void test_too_many_namespaces(void **state) {
    struct writer w, linkinfo, data, peer;
    struct value given = { .type = VALUE_NETNS, .number = 5 };
    int before = count_descriptors();
    (void)state;
    begin("link", "add", &w);
    w.kind = schema_kind(link_kinds, "veth", 4);
    for (int i = 0; i < MESSAGE_NAMESPACES; i++) {
        assert_int_equal(put(&w, "netns", given), 0);
        assert_int_equal(nest(&w, "linkinfo", &linkinfo), 0);
        assert_int_equal(nest(&linkinfo, "info_data", &data), 0);
        assert_int_equal(nest(&data, "peer", &peer), 0);
        w = peer;
    }
    assert_int_equal(put(&w, "netns", given), -1);
    assert_int_equal(err.code, E2BIG);
    message_end(&m);
    assert_int_equal(count_descriptors(), before);
}

static void test_too_many_keys(void **state) {
    static struct field rows[MESSAGE_FIELDS + 1];
    struct writer w;
    struct value v = number(1);
    (void)state;
    begin("link", "list", &w);
    for (size_t i = 0; i <= MESSAGE_FIELDS; i++) {
        rows[i] = *schema_field(w.table, "ifindex");
        assert_int_equal(write_value(&w, &rows[i], &v, &err), i < MESSAGE_FIELDS ? 0 : -1);
    }
    assert_int_equal(err.code, E2BIG);
}

/* --- a full message --------------------------------------------------------------------------- */

static int write_link(struct writer *w) {
    struct writer info, data, peer, spec, inet6;
    w->kind = schema_kind(link_kinds, "veth", 4);
    if (put_text(w, "name", "veth0") < 0 || put_number(w, "mtu", 1400) < 0 ||
        put(w, "up", (struct value){ .type = VALUE_BOOL, .number = 1 }) < 0)
        return -1;
    const struct field *af_spec = w->table->fields, *family;
    while (af_spec->name || af_spec->attr != IFLA_AF_SPEC)
        af_spec++;
    family = ((const struct table *)af_spec->of)->fields;
    if (open_nest(w, af_spec, &spec) < 0 || open_nest(&spec, family, &inet6) < 0 ||
        put_text(&inet6, "addrgenmode", "none") < 0 || writer_end(&inet6, &err) < 0 ||
        writer_end(&spec, &err) < 0)
        return -1;
    if (nest(w, "linkinfo", &info) < 0 || put_text(&info, "type", "veth") < 0 ||
        nest(&info, "info_data", &data) < 0 || nest(&data, "peer", &peer) < 0)
        return -1;
    if (put_text(&peer, "name", "veth1") < 0 || writer_end(&peer, &err) < 0 ||
        writer_end(&data, &err) < 0 || writer_end(&info, &err) < 0)
        return -1;
    return writer_end(w, &err);
}

static int write_bridge(struct writer *w) {
    struct writer info, data;
    w->kind = schema_kind(link_kinds, "bridge", 6);
    if (put_text(w, "name", "br0") < 0 || nest(w, "linkinfo", &info) < 0 ||
        put_text(&info, "type", "bridge") < 0 || nest(&info, "info_data", &data) < 0)
        return -1;
    if (put_number(&data, "mcast_vlan_snooping", 1) < 0 ||
        put_number(&data, "no_linklocal_learn", 0) < 0 ||
        put_number(&data, "mcast_query_interval", 1) < 0 || writer_end(&data, &err) < 0 ||
        writer_end(&info, &err) < 0)
        return -1;
    return writer_end(w, &err);
}

static int write_addr(struct writer *w) {
    return put_text(w, "local", "10.0.0.1/24") < 0 || put_text(w, "brd", "+") < 0 ||
                   put_number(w, "valid_lft", 5) < 0 || put_number(w, "nodad", 1) < 0
               ? -1
               : writer_end(w, &err);
}

static int write_veth(struct writer *w) {
    struct writer info, data;
    w->kind = schema_kind(link_kinds, "veth", 4);
    if (nest(w, "linkinfo", &info) < 0 || put_text(&info, "type", "veth") < 0 ||
        nest(&info, "info_data", &data) < 0)
        return -1;
    /* finish makes the peer */
    return writer_end(&data, &err) < 0 || writer_end(&info, &err) < 0 ? -1 : writer_end(w, &err);
}

/* With less and less room at every step: what fits is as it would be alone, else EMSGSIZE, and
   nothing stands behind the end. */
static void fill(const char *object, int (*write)(struct writer *w)) {
    static const char filler[MESSAGE_MAX];
    struct writer w;
    begin(object, "add", &w);
    assert_int_equal(write(&w), 0);
    uint32_t needed = m.header.nlmsg_len - (uint32_t)w.start;
    for (uint32_t room = 0; room <= needed + 8; room += 4) {
        begin(object, "add", &w);
        size_t size = MESSAGE_MAX - room - m.header.nlmsg_len - MNL_ATTR_HDRLEN;
        assert_int_equal(write_attribute(&w, 99, filler, size, &err), 0);
        assert_int_equal(m.header.nlmsg_len, MESSAGE_MAX - room);
        int result = write(&w);
        assert_int_equal(result, room < needed ? -1 : 0);
        assert_int_equal(err.code, room < needed ? EMSGSIZE : 0);
        assert_in_range(m.header.nlmsg_len, MESSAGE_MAX - room, MESSAGE_MAX);
        assert_ptr_equal(m.nl, &nl);
        assert_ptr_equal(m.object, schema_object(object));
    }
}

static void test_full_message(void **state) {
    (void)state;
    fill("link", write_link);
    fill("link", write_bridge);
    fill("link", write_veth);
    fill("addr", write_addr);
}

/* --- what a caller may have meant ------------------------------------------------------------- */

static const char *unknown(const char *object, const char *kind, const char *key) {
    const struct table *table = schema_object(object)->table;
    const struct kind *of = kind ? schema_kind(table->kinds, kind, strlen(kind)) : NULL;
    err = (struct error){ 0 };
    assert_int_equal(schema_unknown_key(table, of, of, NULL, key, &err), -1);
    assert_int_equal(err.code, EINVAL);
    return err.message;
}

static void test_suggestions(void **state) {
    static char endless[1 << 20];
    (void)state;
    memset(endless, 'm', sizeof endless - 1);
    assert_non_null(strstr(unknown("link", NULL, "mtuu"), "did you mean mtu"));
    assert_non_null(strstr(unknown("link", "bridge", "vlan_filtring"), "vlan_filtering"));
    assert_non_null(strstr(unknown("link", NULL, "vlan_filtering"), "type = \"bridge\""));
    assert_non_null(strstr(unknown("link", NULL, "hairpin"), "type = \"bridge_slave\""));
    assert_non_null(strstr(unknown("route", NULL, "zzzzzzzzzz"), "valid are"));
    assert_non_null(strstr(unknown("nsid", NULL, ""), "valid are netns, nsid"));
    assert_in_range(strlen(unknown("link", "bridge", endless)), 1, sizeof err.message - 2);
    assert_non_null(unknown("link", "bridge", "\xff\xfe\n\t"));
}

/* --- as a command ----------------------------------------------------------------------------- */

static void assert_command(const char *expected) {
    char command[512];
    assert_true(schema_command(&m, "n 1", command, sizeof command));
    assert_string_equal(command, expected);
    for (size_t size = 1; size <= strlen(expected); size++)
        assert_false(schema_command(&m, "n 1", command, size));
    assert_true(schema_command(&m, "n 1", command, strlen(expected) + 1));
}

static void test_commands(void **state) {
    struct writer w;
    (void)state;
    begin("link", "set", &w);
    assert_int_equal(put_text(&w, "alias", "it's"), 0);
    assert_int_equal(put_text(&w, "arp", "off"), 0);
    assert_int_equal(put_text(&w, "multicast", "on"), 0);
    assert_int_equal(writer_end(&w, &err), 0);
    assert_command("ip -n 'n 1' link set arp off multicast on alias 'it'\\''s'");
    begin("route", "add", &w);
    assert_int_equal(put_text(&w, "dst", "2001:db8::/32"), 0);
    assert_int_equal(writer_end(&w, &err), 0);
    assert_command("ip -n 'n 1' -6 route add 2001:db8::/32");
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wires),
        cmocka_unit_test(test_rows_are_sound),
        cmocka_unit_test(test_limits_of_numbers),
        cmocka_unit_test(test_odd_values),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_structs),
        cmocka_unit_test(test_too_many_namespaces),
        cmocka_unit_test(test_too_many_keys),
        cmocka_unit_test(test_full_message),
        cmocka_unit_test(test_suggestions),
        cmocka_unit_test(test_commands),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(buffer.bytes);
    return failed;
}
