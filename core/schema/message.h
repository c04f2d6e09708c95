/* A request being written from values, by the rows of the schema. */
#pragma once

#include "../netlink.h"
#include "schema.h"
#include "value.h"

enum {
    MESSAGE_MAX = 16 * 1024,
    MESSAGE_NAMESPACES = 8,
    MESSAGE_FIELDS = 128,
};

struct message {
    union {
        struct nlmsghdr header;
        char bytes[MESSAGE_MAX];
    };
    struct netlink *nl;
    const struct object *object;
    const struct verb *verb;
    struct {
        int fd;
        bool opened; /* by us, for this message */
        char name[256];
    } namespaces[MESSAGE_NAMESPACES]; /* that its attributes refer to */
    int namespace_count;
    const struct field *given[MESSAGE_FIELDS]; /* the rows that were written, each once */
    bool by_name[MESSAGE_FIELDS]; /* the caller wrote its name in records, not its word */
    int given_count;
    struct {
        size_t at; /* in the header */
        const struct field *from;
    } lengths[2];         /* the rows that decided the prefix lengths of SPLIT addresses */
    bool from_record;     /* its values are what a listing showed */
    struct message *rest; /* takes the rows of LATER, if it is begun; NULL: they stay here */
};

/* One level: the message itself or a nest in it. */
struct writer {
    struct message *message;
    const struct table *table;
    char *header;            /* its fixed struct */
    size_t start;            /* where its attributes begin, from the start of the message */
    struct nlattr *nest;     /* NULL: the message itself */
    const struct kind *kind; /* of the link, once it is known */
    bool by_name;            /* the next value's key is its row's name in records, not its word */
    struct nlattr *rest;     /* this nest in the message's rest */
    bool late;               /* inside a nest that is LATER */
    bool other;              /* inside another object than the message's: a peer */
    bool element;            /* one of several that have the same rows */
};

/* Begins a request and its outermost level. message_end must follow, also after an error. */
void message_begin(struct message *m, struct netlink *nl, const struct object *object,
                   const struct verb *verb, struct writer *w);
void message_end(struct message *m);

/* Whether the message asks, and its values say for what. */
static inline bool message_filters(const struct message *m) {
    return m->verb->type == m->object->get;
}

/* Whether it makes something, which must not be there yet. */
static inline bool message_makes_new(const struct message *m) {
    const uint16_t flags = NLM_F_CREATE | NLM_F_EXCL;
    return (m->header.nlmsg_flags & flags) == flags;
}

/* Whether it makes something that need not be there yet. */
static inline bool message_creates(const struct message *m) {
    return m->header.nlmsg_flags & NLM_F_CREATE;
}

/* Whether it asks for all records that are like its values. */
static inline bool message_lists(const struct message *m) {
    return (m->verb->flags & NLM_F_DUMP) == NLM_F_DUMP;
}

/* Whether a message of the kernel is one of the object's records. */
static inline bool message_tells(const struct nlmsghdr *nlh, const struct object *object,
                                 const struct netlink *nl) {
    return nlh->nlmsg_type == (object->generic ? nl->generic : object->reply);
}

/* Whether a caller gave this row a value. */
bool message_given(const struct message *m, const struct field *field);

/* Whether it would change nothing: no attributes, and no switch of the fixed struct is meant. */
bool message_is_empty(const struct message *m);

/* Moves what was written since `start` (a length of the message) to its rest, if the row is LATER.
   Errors: EMSGSIZE. */
int message_postpone(struct writer *w, const struct field *field, uint32_t start,
                     struct error *err);

/* Notes that a row has a value, also one that was written by another row, and by which of its names
   if that is known. Errors: E2BIG. */
int message_note(struct message *m, const struct field *field, bool by_name, struct error *err);

/* What the caller calls this row: as it was written, else its word. NULL for a nest without one. */
const char *message_key(const struct message *m, const struct field *field);

/* Takes that back: the row is not to be said in a command. */
void message_forget(struct message *m, const struct field *field);

/* Fails if a key is missing without which the verb makes no sense. Errors: EINVAL with that key. */
int message_check(const struct message *m, struct error *err);
int refuse_missing(const char *key, struct error *err);

/* The byte that says AF_INET or AF_INET6 in every header of rtnetlink. */
uint8_t *message_family(struct message *m);

/* Writes one value by its row. Errors: EINVAL, ERANGE, … with the row's name as key, what was given
   and what is valid; what an interface or namespace lookup says. */
int write_value(struct writer *w, const struct field *field, const struct value *value,
                struct error *err);

/* Writes one of the numbers of a row that has a list of them. Errors as above. */
int write_element(struct writer *w, const struct field *field, size_t index,
                  const struct value *value, struct error *err);

/* Writes a LIST: begins it, writes its values one after the other, from 0 on, and ends it. Errors:
   as above. */
int begin_list(struct writer *w, const struct field *field, struct writer *list, struct error *err);
int write_item(struct writer *list, const struct field *field, size_t number,
               const struct value *value, struct error *err);
int end_list(struct writer *w, const struct field *field, struct writer *list, struct error *err);

/* Opens a nest of that table; close it with writer_end, which also runs the table's finish. */
int writer_nest(struct writer *outer, const struct field *field, const struct table *table,
                struct writer *inner, struct error *err);
int writer_end(struct writer *w, struct error *err);

/* Begins the attribute of a list of tables, and ends it. */
struct nlattr *writer_list(struct writer *outer, const struct field *field, struct error *err);
void writer_list_end(struct writer *outer, struct nlattr *list);

/* Begins one table of the list, and ends it. Errors: EMSGSIZE; those of the table's finish. */
int writer_element(struct writer *outer, const struct field *field, struct nlattr *list,
                   struct writer *inner, struct error *err);
int writer_element_end(struct writer *w, const struct field *field, struct error *err);

/* An attribute that this level has already; NULL. */
struct nlattr *writer_find(const struct writer *w, uint16_t type);

/* Appends an attribute. Errors: EMSGSIZE. */
int write_attribute(struct writer *w, uint16_t type, const void *data, size_t size,
                    struct error *err);

/* Takes out of a message, behind its fixed struct of that size, every attribute but those that are
   to be kept. */
void keep_attributes(struct nlmsghdr *nlh, size_t header, bool (*keep)(uint16_t type));

/* Takes an attribute out of the level that is being written. */
void take_out(struct writer *w, struct nlattr *attr);
