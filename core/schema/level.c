/* The levels of a message: what stands in each, by number. */
#include <linux/rtnetlink.h>
#include <string.h>

#include "reader.h"

static void index_attributes(struct reader *r, const void *at, size_t length) {
    const struct nlattr *attr = at;
    int left = (int)length;
    while (mnl_attr_ok(attr, left)) {
        uint16_t type = mnl_attr_get_type(attr);
        if (type < READER_ATTRIBUTES)
            r->tb[type] = attr;
        left -= (int)MNL_ALIGN(attr->nla_len);
        attr = mnl_attr_next(attr);
    }
    if (r->table->adapt)
        r->table->adapt(r);
}

static int read_level(struct reader *r, const void *payload, size_t length) {
    size_t header = MNL_ALIGN(r->table->header);
    if (length < header)
        return -1;
    r->header = payload;
    index_attributes(r, r->header + header, length - header);
    return 0;
}

int reader_begin(struct reader *r, const struct table *table, const struct nlmsghdr *nlh,
                 const struct netlink *nl) {
    const uint8_t *payload = mnl_nlmsg_get_payload(nlh);
    size_t length = mnl_nlmsg_get_payload_len(nlh);
    *r = (struct reader){ .table = table, .nl = nl };
    r->family = length ? payload[0] : 0; /* adapt may know better */
    return read_level(r, payload, length);
}

/* Those of the object's type, one after the other, as if each were alone. */
static bool next_element(struct records *s) {
    const char *end = (const char *)s->nlh + s->nlh->nlmsg_len;
    const struct nlattr *attr =
        s->last ? mnl_attr_next(s->last)
                : (const void *)(s->reader.header + MNL_ALIGN(s->object->table->header));
    for (; mnl_attr_ok(attr, (int)(end - (const char *)attr)); attr = mnl_attr_next(attr))
        if (mnl_attr_get_type(attr) == s->object->each) {
            s->reader.tb[s->object->each] = s->last = attr;
            return true;
        }
    return false;
}

bool records_next(struct records *s) {
    bool first = !s->begun;
    s->begun = true;
    if (first && reader_begin(&s->reader, s->object->table, s->nlh, s->nl) < 0)
        return false;
    if (s->object->next)
        return s->reader.header && s->object->next(s);
    return s->object->each ? s->reader.header && next_element(s) : first;
}

static void inherit(struct reader *inner, const struct reader *outer, const struct table *table) {
    *inner = (struct reader){ .table = table,
                              .family = outer->family,
                              .nl = outer->nl,
                              .message = outer->message,
                              .kind = outer->kind,
                              .port = outer->port,
                              .listed = outer->listed };
}

bool reader_nest(const struct reader *outer, const struct field *f, struct reader *inner) {
    const struct nlattr *attr = find_attribute(outer, f);
    const struct table *table = schema_nested(f, outer->kind, outer->port);
    if (f->meaning == GROUP) {
        *inner = *outer;
        inner->table = table;
        return true;
    }
    if (!attr || !table)
        return false;
    inherit(inner, outer, table);
    return read_level(inner, mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr)) == 0;
}

/* How much a table of a list takes. 0: there is none any more. */
static size_t element_size(const struct field *f, const char *at, const char *end) {
    size_t left = (size_t)(end - at), size = ((const struct table *)f->of)->header;
    if (f->bit == NESTS)
        return mnl_attr_ok((const struct nlattr *)at, (int)left)
                   ? ((const struct nlattr *)at)->nla_len
                   : 0;
    if (left < size)
        return 0;
    if (f->bit == HOPS && ((const struct rtnexthop *)at)->rtnh_len > size)
        size = ((const struct rtnexthop *)at)->rtnh_len;
    return size <= left ? size : 0;
}

bool reader_element(const struct reader *outer, const struct field *f, const char **at,
                    struct reader *inner) {
    const struct nlattr *attr = find_attribute(outer, f);
    if (!attr)
        return false;
    const char *begin = mnl_attr_get_payload(attr);
    const char *end = begin + mnl_attr_get_payload_len(attr);
    if (*at)
        begin = *at + MNL_ALIGN(element_size(f, *at, end));
    size_t size = begin < end ? element_size(f, begin, end) : 0;
    size_t head = f->bit == NESTS ? MNL_ATTR_HDRLEN : 0;
    *at = begin;
    inherit(inner, outer, f->of);
    return size > head && read_level(inner, begin + head, size - head) == 0;
}

void reader_make(struct reader *r, uint16_t attr, uint32_t number) {
    if (r->made_count == sizeof r->made / sizeof *r->made)
        return;
    int i = r->made_count++;
    r->made[i].head = (struct nlattr){ .nla_len = sizeof *r->made, .nla_type = attr };
    r->made[i].number = number;
    r->tb[attr] = &r->made[i].head;
}
