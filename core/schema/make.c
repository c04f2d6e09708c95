#include "make.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

#include "reader.h"

const struct kind *schema_made(const struct message *m, struct reader *data, char name[16]) {
    struct reader link, info;
    struct value v;
    if (m->header.nlmsg_type != RTM_NEWLINK || !message_creates(m) ||
        reader_begin(&link, m->object->table, &m->header, m->nl) < 0 || !link.tb[IFLA_LINKINFO] ||
        !reader_nest(&link, schema_field(m->object->table, "linkinfo"), &info) || !info.kind ||
        !info.kind->make || !read_value(&link, schema_field(m->object->table, "ifname"), &v))
        return NULL;
    snprintf(name, 16, "%.*s", (int)v.length, v.text);
    const struct field *row = schema_field(info.table, "info_data");
    if (!reader_nest(&info, row, data))
        *data = (struct reader){ .table = info.kind->data, .header = info.header };
    data->message = m;
    return info.kind;
}

int schema_make(struct message *m, struct error *err) {
    struct reader data;
    char name[16];
    const struct kind *kind = schema_made(m, &data, name);
    return kind ? kind->make(m, &data, name, err) : 0;
}
