/* A message of the kernel, or one of our own, being read by the rows of the schema. */
#pragma once

#include "message.h"

enum { READER_ATTRIBUTES = 128 };

/* One level: the message itself or a nest in it. */
struct reader {
    const struct table *table;
    const char *header;
    const struct nlattr
        *tb[READER_ATTRIBUTES]; /* by number; what is larger is not known to any row */
    int family;
    const struct netlink *nl;      /* for the names of interfaces; NULL: numbers */
    const struct message *message; /* for the names of namespaces; NULL */
    const struct kind *kind, *port;
    bool listed;  /* inside one of a list of actions */
    int hardware; /* the family of what stands for MACs: those of tunnels are of IP; 0: none */
    struct {      /* attributes that are worked out by the table's adapt */
        struct nlattr head;
        uint32_t number;
    } made[4];
    int made_count;
};

/* The attribute that a row speaks of; NULL if the message does not have it. */
static inline const struct nlattr *find_attribute(const struct reader *r, const struct field *f) {
    return f->attr < READER_ATTRIBUTES ? r->tb[f->attr] : NULL;
}

/* Reads the message's outermost level. -1 if it is too short to be one of that table. */
int reader_begin(struct reader *r, const struct table *table, const struct nlmsghdr *nlh,
                 const struct netlink *nl);

/* The records of one message: begin with the first three, the rest zero. */
struct records {
    const struct object *object;
    const struct nlmsghdr *nlh;
    const struct netlink *nl;
    const struct nlattr *last; /* of those that are a record each */
    bool begun;
    struct reader reader; /* of the record that records_next found */
};

/* Goes to the next record. false if there is none, or the message is cut short. */
bool records_next(struct records *records);

/* The level inside a nest of that row. false if it is not there or its table is not known. */
bool reader_nest(const struct reader *outer, const struct field *field, struct reader *inner);

/* Goes to the next table of a list: *at is NULL before the first. false if there is none. */
bool reader_element(const struct reader *outer, const struct field *f, const char **at,
                    struct reader *inner);

/* The value of a row that is no nest. false if the message does not have it (or it is cut short).
 */
bool read_value(const struct reader *r, const struct field *field, struct value *value);

/* The number behind a row with a wire type. false if it is not there. */
bool read_number(const struct reader *r, const struct field *field, int64_t *number);

/* Calls each(arg, value) for what there is in a LIST, which must be there. */
void read_list(const struct reader *r, const struct field *field,
               void (*each)(void *arg, const struct value *value), void *arg);

/* Whether an attribute that is a flag says so: by being there (without a byte), or by its byte. */
bool attribute_is_true(const struct nlattr *attr);

/* Adds an attribute that the message does not have: a number of 32 bits. */
void reader_make(struct reader *r, uint16_t attr, uint32_t number);

/* What a walk over a message meets, in the order of the rows. `field` is NULL for a list's element.
 */
struct sink {
    void (*value)(void *arg, const struct field *field, const struct value *value);
    void (*open)(void *arg, const struct field *field, bool list);
    void (*close)(void *arg, const struct field *field, bool list);
};

/* Walks what a record shows. */
void schema_read(const struct reader *r, const struct sink *sink, void *arg);

/* Whether every row that a filter (a message of our own) was given is the same in the message. Of
   BITS one in common is enough. */
bool schema_matches(const struct message *filter, const struct reader *r);

/* Takes out of a request every attribute that is in the record already; scratch: for the work. */
void schema_reduce(struct message *m, struct message *scratch, const struct nlmsghdr *record);

/* Writes a request as the command that does the same: "ip -n ns1 link set dev veth0 mtu 1400".
   netns: the name or path of the request's namespace, NULL for the one we are in. Interfaces are
   looked up by their index: call it before the request is sent. Returns false if it did not fit. */
bool schema_command(const struct message *m, const char *netns, char *text, size_t size);

/* The key ("peer address" for a key in a nest) that the kernel refused or missed; false if it does
   not say or no row is behind it. */
bool schema_locate(const struct message *m, const struct refusal *refusal, char *key, size_t size);

/* The one key whose attribute is in the request; false if there are more, or none. */
bool schema_only_key(const struct message *m, char *key, size_t size);
