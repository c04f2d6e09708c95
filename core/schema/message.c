#include "message.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "../cleanup.h"

void message_begin(struct message *m, struct netlink *nl, const struct object *object,
                   const struct verb *verb, struct writer *w) {
    m->nl = nl;
    m->object = object;
    m->verb = verb;
    m->namespace_count = m->given_count = 0;
    memset(m->lengths, 0, sizeof m->lengths);
    m->from_record = false;
    m->rest = NULL;
    mnl_nlmsg_put_header(m->bytes);
    m->header.nlmsg_type = verb->type;
    m->header.nlmsg_flags = verb->flags;
    *w = (struct writer){ .message = m, .table = object->table };
    w->header = mnl_nlmsg_put_extra_header(&m->header, object->table->header);
    w->start = m->header.nlmsg_len;
}

void message_end(struct message *m) {
    for (int i = 0; i < m->namespace_count; i++)
        if (m->namespaces[i].opened)
            close_fd(&m->namespaces[i].fd);
    m->namespace_count = 0;
}

static int find_given(const struct message *m, const struct field *field) {
    int i = 0;
    while (i < m->given_count && m->given[i] != field)
        i++;
    return i;
}

bool message_given(const struct message *m, const struct field *field) {
    return find_given(m, field) < m->given_count;
}

const char *message_key(const struct message *m, const struct field *field) {
    int i = find_given(m, field);
    bool by_name = i < m->given_count && m->by_name[i];
    return field->word && !by_name ? field->word : field->name;
}

bool message_is_empty(const struct message *m) {
    const char *header = mnl_nlmsg_get_payload(&m->header);
    for (int i = 0; i < m->given_count; i++) {
        const struct field *f = m->given[i];
        if (f->flags & MASKED && !f->attr && wire_load(header + f->offset + 4, f->wire))
            return false;
    }
    return m->header.nlmsg_len == MNL_NLMSG_HDRLEN + MNL_ALIGN(m->object->table->header);
}

int message_note(struct message *m, const struct field *field, bool by_name, struct error *err) {
    if (message_given(m, field))
        return 0;
    if (m->given_count == MESSAGE_FIELDS)
        return error_set(err, E2BIG, "more than %d keys in one request", MESSAGE_FIELDS);
    m->by_name[m->given_count] = by_name;
    m->given[m->given_count++] = field;
    return 0;
}

void message_forget(struct message *m, const struct field *field) {
    for (int i = 0; i < m->given_count; i++)
        if (m->given[i] == field) {
            m->given[i] = m->given[--m->given_count];
            m->by_name[i] = m->by_name[m->given_count];
        }
}

uint8_t *message_family(struct message *m) {
    return mnl_nlmsg_get_payload(&m->header);
}

static int too_long(struct error *err) {
    return error_set(err, EMSGSIZE, "the request would be longer than %d bytes", MESSAGE_MAX);
}

int write_attribute(struct writer *w, uint16_t type, const void *data, size_t size,
                    struct error *err) {
    return mnl_attr_put_check(&w->message->header, MESSAGE_MAX, type, size, data) ? 0
                                                                                  : too_long(err);
}

struct nlattr *writer_find(const struct writer *w, uint16_t type) {
    char *at = w->message->bytes + w->start, *end = mnl_nlmsg_get_payload_tail(&w->message->header);
    while (at < end) {
        struct nlattr *attr = (struct nlattr *)at;
        if (mnl_attr_get_type(attr) == type)
            return attr;
        at += MNL_ALIGN(attr->nla_len);
    }
    return NULL;
}

void take_out(struct writer *w, struct nlattr *attr) {
    struct nlmsghdr *nlh = &w->message->header;
    size_t size = MNL_ALIGN(attr->nla_len);
    char *behind = (char *)attr + size;
    memmove(attr, behind, (size_t)((char *)mnl_nlmsg_get_payload_tail(nlh) - behind));
    nlh->nlmsg_len -= (uint32_t)size;
}

void keep_attributes(struct nlmsghdr *nlh, size_t header, bool (*keep)(uint16_t type)) {
    char *from = (char *)mnl_nlmsg_get_payload(nlh) + MNL_ALIGN(header), *to = from;
    const char *end = mnl_nlmsg_get_payload_tail(nlh);
    while (mnl_attr_ok((struct nlattr *)from, (int)(end - from))) {
        size_t size = MNL_ALIGN(((struct nlattr *)from)->nla_len);
        if (keep(mnl_attr_get_type((struct nlattr *)from))) {
            memmove(to, from, size);
            to += size;
        }
        from += size;
    }
    nlh->nlmsg_len = (uint32_t)(to - (char *)nlh);
}

int writer_nest(struct writer *outer, const struct field *field, const struct table *table,
                struct writer *inner, struct error *err) {
    struct nlmsghdr *nlh = &outer->message->header;
    if (field->meaning == GROUP) {
        *inner = *outer;
        inner->table = table;
        return 0;
    }
    *inner = (struct writer){ .message = outer->message,
                              .table = table,
                              .kind = outer->kind,
                              .late = outer->late || field->flags & LATER,
                              .other = outer->other || table == outer->message->object->table };
    inner->nest = mnl_attr_nest_start_check(nlh, MESSAGE_MAX, field->attr);
    size_t header = MNL_ALIGN(table->header);
    if (!inner->nest || nlh->nlmsg_len + header > MESSAGE_MAX)
        return too_long(err);
    inner->header = memset(mnl_nlmsg_get_payload_tail(nlh), 0, header);
    nlh->nlmsg_len += (uint32_t)header;
    inner->start = nlh->nlmsg_len;
    return 0;
}

struct nlattr *writer_list(struct writer *outer, const struct field *field, struct error *err) {
    struct nlattr *list = mnl_nlmsg_get_payload_tail(&outer->message->header);
    const uint16_t type = field->attr | (field->bit == NESTS ? NLA_F_NESTED : 0);
    return write_attribute(outer, type, NULL, 0, err) < 0 ? NULL : list;
}

void writer_list_end(struct writer *outer, struct nlattr *list) {
    mnl_attr_nest_end(&outer->message->header, list);
}

int writer_element(struct writer *outer, const struct field *field, struct nlattr *list,
                   struct writer *inner, struct error *err) {
    struct nlmsghdr *nlh = &outer->message->header;
    const struct table *table = field->of;
    size_t header = MNL_ALIGN(table->header);
    *inner =
        (struct writer){ .message = outer->message, .table = table, .nest = list, .element = true };
    if (field->bit == NESTS && !(inner->nest = mnl_attr_nest_start_check(nlh, MESSAGE_MAX, 0)))
        return too_long(err);
    if (nlh->nlmsg_len + header > MESSAGE_MAX)
        return too_long(err);
    inner->header = memset(mnl_nlmsg_get_payload_tail(nlh), 0, header);
    nlh->nlmsg_len += (uint32_t)header;
    inner->start = nlh->nlmsg_len;
    return 0;
}

int writer_element_end(struct writer *w, const struct field *field, struct error *err) {
    if (w->table->finish && w->table->finish(w, err) < 0)
        return -1;
    const char *end = mnl_nlmsg_get_payload_tail(&w->message->header);
    if (field->bit == HOPS)
        ((struct rtnexthop *)w->header)->rtnh_len = (uint16_t)(end - w->header);
    if (field->bit == NESTS)
        mnl_attr_nest_end(&w->message->header, w->nest);
    return 0;
}

int message_postpone(struct writer *w, const struct field *field, uint32_t start,
                     struct error *err) {
    struct message *m = w->message;
    size_t size = m->header.nlmsg_len - start;
    if (!(field->flags & LATER) || !m->rest)
        return 0;
    struct nlmsghdr *rest = &m->rest->header;
    if (rest->nlmsg_len + MNL_ATTR_HDRLEN + size > MESSAGE_MAX)
        return too_long(err);
    if (w->nest && !w->rest)
        w->rest = mnl_attr_nest_start(rest, mnl_attr_get_type(w->nest));
    memcpy(mnl_nlmsg_get_payload_tail(rest), m->bytes + start, size);
    rest->nlmsg_len += (uint32_t)size;
    if (w->rest)
        mnl_attr_nest_end(rest, w->rest);
    m->header.nlmsg_len = start;
    return 0;
}

int message_check(const struct message *m, struct error *err) {
    for (size_t i = 0; i < sizeof m->verb->needs / sizeof *m->verb->needs; i++) {
        const char *need = m->verb->needs[i];
        const struct field *f = need ? schema_field(m->object->table, need) : NULL;
        if (f && !message_given(m, f))
            return refuse_missing(need, err);
    }
    return 0;
}

int writer_end(struct writer *w, struct error *err) {
    if (w->table->finish && w->table->finish(w, err) < 0)
        return -1;
    if (w->nest)
        mnl_attr_nest_end(&w->message->header, w->nest);
    return 0;
}

int refuse_missing(const char *key, struct error *err) {
    error_set(err, EINVAL, "missing");
    if (err)
        snprintf(err->key, sizeof err->key, "%s", key);
    return -1;
}
