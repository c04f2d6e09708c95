#include "change.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "../cleanup.h"
#include "../netns.h"
#include "fill.h"
#include "make.h"
#include "reader.h"
#include "tables.h"

/* One that was made by other means than the request goes with it. */
static void take_back(const struct message *m) {
    static struct message deletion;
    const struct ifinfomsg *link = mnl_nlmsg_get_payload(&m->header);
    struct error ignored;
    if (schema_about(&deletion, m->nl, m->object, "del", link->ifi_index, &ignored) == 0)
        netlink_change(m->nl, &deletion.header, &ignored);
}

static int transmit(struct message *m, const char *netns, const struct witness *witness,
                    struct error *err) {
    witness->before(witness->arg, m, netns);
    int made = message_creates(m) ? schema_make(m, err) : schema_fill(m, err);
    int result = made < 0 ? -1 : netlink_change(m->nl, &m->header, err);
    if (result < 0)
        schema_locate(m, &m->nl->refusal, err->key, sizeof err->key);
    witness->after(witness->arg, result < 0 ? err : NULL);
    if (result < 0 && made > 0)
        take_back(m);
    return result;
}

static const struct field *row(const struct message *m, const char *name) {
    return schema_field(m->object->table, name);
}

int schema_about(struct message *m, struct netlink *nl, const struct object *object,
                 const char *verb, int64_t index, struct error *err) {
    struct value dev = { .type = VALUE_NUMBER, .number = index };
    struct writer w;
    message_begin(m, nl, object, schema_verb(object, verb), &w);
    return write_value(&w, row(m, "dev"), &dev, err);
}

/* --- what a record says is so already --------------------------------------------------------- */

/* Takes out of a request about the link of that index what the kernel has already. */
static int reduce(struct message *m, int64_t index, struct error *err) {
    struct message scratch;
    struct nlmsghdr *now;
    if (schema_about(&scratch, m->nl, m->object, "get", index, err) < 0 ||
        netlink_get(m->nl, &scratch.header, &now, err) < 0)
        return -1;
    schema_reduce(m, &scratch, now);
    return 0;
}

static int send_difference(struct message *m, int64_t index, const char *netns,
                           const struct witness *witness, struct error *err) {
    if (m->from_record && reduce(m, index, err) < 0)
        return -1;
    return m->from_record && message_is_empty(m) ? 0 : transmit(m, netns, witness, err);
}

/* --- what follows a creation ------------------------------------------------------------------ */

/* Where the new link is: its name, a socket in its namespace, and what commands call that. */
struct place {
    char name[IFNAMSIZ];
    struct netlink *nl, elsewhere;
    char netns[256]; /* "" for the one we are in */
};

static int enter_pid(struct place *place, pid_t pid, struct netlink_buffer *buffer,
                     struct error *err) {
    cleanup_fd int ns = netns_open_pid(pid, err);
    snprintf(place->netns, sizeof place->netns, "/proc/%d/ns/net", pid);
    return ns < 0 ? -1 : netlink_open(place->nl, ns, buffer, err);
}

/* "/proc/$$/ns/net": for the shell to fill in, which is where the commands start. */
static bool is_ours(const struct value *name) {
    static const char start[] = "/proc/$$/";
    return name->length >= sizeof start - 1 && !memcmp(name->text, start, sizeof start - 1);
}

/* Opens a socket in the namespace that the request names for its link, if it does. */
static int enter(struct place *place, const struct message *m, const struct reader *r,
                 struct error *err) {
    const struct field *f = row(m, "netns");
    const struct nlattr *fd = r->tb[f->attr], *pid = r->tb[f->bit];
    struct value name;
    if (!fd && !pid)
        return 0;
    place->nl = &place->elsewhere;
    if (pid)
        return enter_pid(place, (pid_t)mnl_attr_get_u32(pid), m->nl->buffer, err);
    if (read_value(r, f, &name) && !is_ours(&name))
        snprintf(place->netns, sizeof place->netns, "%.*s", (int)name.length, name.text);
    return netlink_open(place->nl, (int)mnl_attr_get_u32(fd), m->nl->buffer, err);
}

static int find_place(struct place *place, const struct message *m, const char *netns,
                      struct error *err) {
    struct reader r;
    struct value name;
    *place = (struct place){ .nl = m->nl, .elsewhere.fd = -1 };
    snprintf(place->netns, sizeof place->netns, "%s", netns ? netns : "");
    if (reader_begin(&r, m->object->table, &m->header, m->nl) < 0 ||
        !read_value(&r, row(m, "ifname"), &name))
        return refuse_missing("name", err);
    snprintf(place->name, sizeof place->name, "%.*s", (int)name.length, name.text);
    r.message = m;
    return enter(place, m, &r, err);
}

/* The rest, told which link it is for. */
static int address_rest(const struct message *m, struct netlink *nl, int index, struct error *err) {
    struct message *rest = m->rest;
    struct value dev = { .type = VALUE_NUMBER, .number = index };
    struct writer w = { .message = rest, .table = rest->object->table };
    w.header = mnl_nlmsg_get_payload(&rest->header);
    rest->nl = nl;
    rest->from_record = m->from_record;
    memcpy(rest->given, m->given, sizeof rest->given);
    memcpy(rest->by_name, m->by_name, sizeof rest->by_name);
    rest->given_count = m->given_count;
    return write_value(&w, row(rest, "dev"), &dev, err);
}

static void undo(const struct place *place, const struct object *object, int index,
                 const struct witness *witness) {
    struct message m;
    struct error ignored;
    if (schema_about(&m, place->nl, object, "del", index, &ignored) == 0)
        transmit(&m, place->netns[0] ? place->netns : NULL, witness, &ignored);
}

static int follow(struct message *m, const struct place *place, const struct witness *witness,
                  struct error *err) {
    const char *netns = place->netns[0] ? place->netns : NULL;
    int index = netlink_index(place->nl, place->name, err);
    if (index < 0)
        return -1;
    if (address_rest(m, place->nl, index, err) == 0 &&
        send_difference(m->rest, index, netns, witness, err) == 0)
        return 0;
    if (!err->key[0])
        schema_only_key(m->rest, err->key, sizeof err->key);
    if (message_makes_new(m))
        undo(place, m->object, index, witness);
    return -1;
}

static int send_with_rest(struct message *m, const char *netns, const struct witness *witness,
                          struct error *err) {
    struct place place;
    int result = find_place(&place, m, netns, err);
    if (result == 0)
        result = transmit(m, netns, witness, err);
    if (result == 0)
        result = follow(m, &place, witness, err);
    netlink_close(&place.elsewhere);
    return result;
}

/* --- the one way out -------------------------------------------------------------------------- */

int schema_change(struct message *m, const char *netns, const struct witness *witness,
                  struct error *err) {
    struct reader r;
    int64_t index = 0;
    if (m->rest && !message_is_empty(m->rest))
        return send_with_rest(m, netns, witness, err);
    if (m->from_record && !m->rest && reader_begin(&r, m->object->table, &m->header, m->nl) == 0)
        read_number(&r, row(m, "dev"), &index);
    return index ? send_difference(m, index, netns, witness, err)
                 : transmit(m, netns, witness, err);
}
