/* Every netlink object as data: one row per attribute. The same row writes, reads, prints as a
   command, documents and checks it; a new attribute is one row.

   A table describes what may stand in one place of a message: the fields of a fixed struct, if
   there is one, and the attributes that follow it. A message is such a place, and so is every nest.
 */
#pragma once

#include <endian.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

/* What a field means, and so which values it takes and how it is shown. */
enum meaning {
    NOTHING,  /* ends a table */
    NUMBER,   /* an integer; `.of`: words that a caller may write for some. The attribute `.wide`
                 has a row of its own (FLAG, INSTEAD) for another word: that counts in its place */
    HEX,      /* an integer, shown as text: "0x8001"; `.of`, `.wide`: as of NUMBER */
    BOOL,     /* true or false; `.of` is the command's word for false, which may be none: \"\" */
    SWITCH,   /* `.bit` of a number: true or false; `.of` is the command's word for false. The
                 attribute `.wide`, if any, gets the same bit */
    CONSTANT, /* true writes the number `.bit`: "nomaster" */
    ENUM,     /* one of `.of` words, or a number; `.bit` 16: as text in hexadecimal digits */
    NAMED,    /* an ENUM of names.h's `.of` names. `.bit` 16: numbers are hexadecimal */
    FAMILY,   /* an ENUM that the message's addresses must agree with */
    BITS,     /* a list of `.of` words, each a bit; only those in `.bit`, if any, are written */
    TICKS,    /* hundredths of a second, shown as seconds; read only */
    STRING,   /* at most `.max` bytes */
    MAC,      /* a link-layer address */
    ADDRESS,  /* of the message's family; that of another is the attribute `.wide`, a VIA's */
    PREFIX, /* an address whose length in bits is the header's byte at `.length_at`; `.of`: the word
               for none, if it is not "default" */
    LENGTH, /* that length, for SPLIT addresses; their own ("/24") goes before it */
    BRIDGE_ID, /* "8000.02:00:00:00:00:01"; read only */
    DEV,       /* an interface of the socket's namespace, by name */
    NETNS,     /* a namespace: handle or name (as a descriptor), or a process in it (`.bit`: its
                  attribute) */
    KIND,      /* of a link or a qdisc; `.of`: what was expected. A link's may also be its master's
                  with "_slave" behind it (`.bit`: its attribute) */
    NESTED,    /* `.of` table */
    KIND_DATA, /* a nest whose table depends on the kind … */
    PORT_DATA, /* … or on the master's (`type = "…_slave"`) */
    GROUP,   /* rows of the same level that stand in a table of their own: `.of`. In commands their
                values follow one another, unless they have words */
    LIST,    /* a nest of attributes that each are `.of` (one row; without a number of its own, they
                are numbered). `.bit`: what is between them in commands, if it is no blank. The
                attribute `.wide`, if any, goes with it */
    NUMBERS, /* a list of `.bit` numbers */
    QUANTITY, /* a rate, size, time or share, with its `.of` unit */
    PAIR,     /* two numbers, in text with `.of` between them: "10-20". The second is the attribute
                 `.wide`, and need not be there, or stands behind the first. It has a row of its own.
                 `.bit` 16: in hexadecimal digits; 10: of them the second */
    POWER,    /* of two: the message has its exponent */
    VERSION,  /* "3.17": two halves of a word; read only */
    HANDLE,   /* of a qdisc or a class: "1:", "1:2", "root"; shown up to `.max`, if any */
    FLAG,     /* true if the attribute is there (with a U8: not 0); `.of`: the word that says so
                 ("inherit") */
    IP,       /* an address of the family `.bit`; `.of`: the word for none ("any"). The attribute
                 `.wide` has a row of its own for one of IPv6 */
    SUBNET,   /* an IP that has its length in bits, the attribute `.wide`, behind it in commands */
    QUAD,    /* a number that is shown as "0.0.0.5". The attribute `.wide`, if any, gets the same */
    PIECE,   /* the bits `.bit` of a number, shown by all their hexadecimal digits: "0x0f" */
    ACCOUNT, /* a user, or a group (`.bit` is ACCOUNT_GROUP), by name or number */
    INSTEAD, /* `.bit` of a number, by the word `.of` in place of another row's value
                ("inherit"); true in records */
    RECORDS, /* a list of `.of` tables, which stand there as `.bit` says (enum framing) */
    VIA,     /* an address of another family than the message's: "inet6 fe80::1" */
    MULTICAST_GROUP, /* an address, or a MAC; which of them is said 16 bytes behind */
    REALMS,          /* two names of realms, from where and to where: "7/9"; or the latter */
    WEIGHT,          /* a number from 1 on; the message has one less */
    VEILED,  /* an address of the family `.bit` (0: a MAC) and its mask, the attribute `.wide`. Of
                two  rows with one name the second is for IPv6 */
    KNODE,   /* of a filter: a number, or of u32 "800::5" */
    MATCHES, /* a list of texts, each a place in a packet and what is there */
    ACTIONS, /* a list of tables `.of`, each a nest, numbered from 1 on */
    KEY, /* of WireGuard, in base64. `.bit` SECRET_KEY: a command reads it from a file; "": none */
    ENDPOINT, /* an address of either family and a port: "10.0.0.1:51820", "[fd00::1]:51820" */
    NETWORK,  /* a prefix of either family, in a nest of its own: "10.0.0.0/24" */
    MEANINGS, /* how many there are */
};

/* How the tables of a list stand in its attribute. */
enum framing {
    HOPS,    /* each is a struct rtnexthop, which knows the length of all, and attributes */
    STRUCTS, /* each is the fixed struct alone */
    NESTS,   /* each is an attribute that is a nest */
};

/* How numbers stand in the message. */
enum wire { NONE, U8, U16, U32, U64, S32, BE16, BE32, BE64 };

extern const struct wire_type {
    size_t size;
    int64_t min, max;
} wires[];

/* A number of that size and byte order at any address. */
int64_t wire_load(const void *at, enum wire wire);
void wire_store(void *at, enum wire wire, int64_t number);

enum {
    READ_ONLY = 1, /* accepted and passed over when written, so that a record can be written back */
    WRITE_ONLY = 2,   /* a word of the command line that no listing shows */
    ALWAYS = 4,       /* shown even if the attribute is absent: as 0, false, empty, "default" */
    ONLY_TRUE = 8,    /* shown only if true, or not zero */
    AS_NUMBER = 16,   /* a SWITCH shown as 0 or 1, TICKS as whole seconds */
    MASKED = 32,      /* the 32-bit word after this one says which bits are meant */
    FLAT = 64,        /* a nest whose fields may also stand beside it in a caller's table */
    POSITIONAL = 128, /* in a command its value stands without a word */
    NOT_SAID = 256,   /* part of another word in a command */
    SPLIT = 512,      /* a PREFIX whose length is a field of its own in records */
    FOREVER = 1024,   /* 2^32-1, also "forever"; and so is the rest of its struct until written */
    PLUS = 4096,      /* "+" is worked out by the table's finish; until then it is all zeros */
    RESERVED = 8192,  /* a word of Lua's, whose key there has "_" behind it */
    INVERTED =
        2048, /* a SWITCH that is true while its bit is clear; a QUANTITY: the rest of 2^32-1 */
    LATER = 16384,    /* takes effect only on what exists: follows a creation in a second message */
    REPORTED = 32768, /* what the kernel makes of it changes by itself: a record only tells it */
    STARTS_ZERO = 65536,  /* when it is new; kernels without the feature refuse even a zero */
    UNTOLD = 131072,      /* not in every message of the kernel: nothing can be chosen by it */
    UNLESS = 1 << 18,     /* shown only if it is not the number `.bit` */
    ONLY_FALSE = 1 << 19, /* a SWITCH that is shown only if it is false */
    ONLY_WORDS = 1 << 20, /* an ENUM that is shown only if there is a word for it */
    FIRST_BIT = 1 << 21,  /* an ENUM shown by the first of its words that has a bit in common */
    SAME = 1 << 22,       /* shown only if both of its pair are the same */
    DIFFERENT = 1 << 23,  /* shown only if they are not; of a struct that is the pair */
    PARTIAL = 1 << 24,    /* a LENGTH that is shown only if it is of a part of the address */
    OR_TRUE = 1 << 25,    /* a DEV that may also be true: 0 */
    INSIDE = 1 << 26, /* its name may not stand beside its flat nest, where it would say too little;
                         its word may */
    YIELDS = 1 << 27, /* beside a kind that has a row of that name, the word is the kind's */
    MULTICAST = 1 << 28, /* an IP that is one, … */
    UNICAST = 1 << 29,   /* … or is none */
    WHOLE = 1 << 30,     /* a PAIR that is shown as a text of both */
};

enum { DUMP_ATTRIBUTES = 32, ACCOUNT_GROUP = 1, SECRET_KEY = 1 };

struct word {
    uint32_t value;
    const char *name; /* NULL ends the list */
    uint32_t without; /* BITS: and these bits are clear */
};

struct field {
    const char *name; /* iproute2's JSON name; NULL for a nest that shows in no record */
    enum meaning meaning;
    enum wire wire;
    uint16_t attr;      /* its number; 0: a field of the fixed struct */
    uint16_t offset;    /* in the fixed struct, or in the payload of the attribute */
    uint16_t size;      /* of the payload, if the field is only a part of it */
    uint16_t length_at; /* PREFIX: where the header has its length */
    uint16_t wide;      /* QUANTITY: the attribute that has it in 64 bits if 32 are too few; PAIR */
    uint32_t flags;
    const char *word; /* on the command line, if it differs from the name */
    const void *of;   /* words, table, row, unit or text */
    uint32_t bit;     /* SWITCH, CONSTANT; HEX: the base of text without "0x"; UNLESS */
    uint8_t family;   /* only in messages of that family; 0: in all */
    int64_t min, max; /* if narrower than the wire; STRING: bytes */
    const char *help;
};

struct writer;
struct reader;
struct records;

struct table {
    const char *name;
    const struct field *fields; /* ends with an empty row */
    uint16_t header;            /* size of the fixed struct */
    const char *first;          /* as a nest: the key of a value without a key */
    uint16_t locks; /* the attribute whose bits say which of the others are locked: "lock 1400";
                       a row's `.bit`: it is so without the word */
    const struct kind *kinds; /* of which one is named by the key `kind_word` or `kind_name` */
    const char *kind_word, *kind_name;
    /* Adds what the command line implies, once a caller's table is written. */
    int (*finish)(struct writer *w, struct error *err);
    /* Puts the attributes of a message into the places where the rows look for them. */
    void (*adapt)(struct reader *r);
};

struct message;

struct kind {
    const char *name; /* NULL ends the list */
    const struct table *data, *port;
    bool ether; /* given a random MAC at creation unless it has one */
    bool whole; /* the kernel resets what a change of its data does not name */
    /* Makes one by other means than netlink: schema_make. */
    int (*make)(struct message *m, const struct reader *data, const char *name, struct error *err);
    uint32_t parent; /* the only place where a qdisc of this kind can be; 0: anywhere */
};

struct verb {
    const char *name;
    const char *command;  /* "ip link set" */
    uint16_t type, flags; /* of the message; NLM_F_DUMP: its values say which records are meant */
    const char *first;    /* the key of a value without a key; NULL: none */
    const char *record;   /* the key of a record that means `first` here */
    const char *help;
    const char *needs[2]; /* keys that there must be */
};

struct object {
    const char *name;
    const struct table *table;
    const struct verb *verbs; /* ends with an empty row */
    uint16_t reply, get;      /* message types: RTM_NEW…, RTM_GET… */
    const char *generic;      /* the family of generic netlink that it is of: `get` and the types of
                                 the verbs are its commands, and a dump is asked for by the caller's
                                 whole filter, as which all records are that come; NULL: none */
    uint16_t each;            /* the attribute of which each in a message is a record; 0: one */
    bool (*next)(struct records *records); /* or goes to the next one in its own way; false: none */
    bool family_option;                    /* commands need -6 for IPv6 */
    /* Completes a dump's request, which has room for DUMP_ATTRIBUTES more bytes; filter: the fixed
       struct of the caller's filter. */
    void (*prepare_dump)(const void *filter, struct nlmsghdr *request);
    /* Records that a listing, and those that a flush leaves out unless a filter names `unhide` (if
       any), as iproute2 does. */
    bool (*hidden)(const struct reader *r), (*spared)(const struct reader *r);
    const char *unhide;
    /* Makes of a record, as a flush sends it back, what the kernel takes for a deletion. */
    void (*prepare_deletion)(struct nlmsghdr *record);
    /* Whether the answer to a get says that there is none. */
    bool (*absent)(const struct reader *r);
    /* RTNLGRP_…: who tells of changes; none: nobody. */
    uint8_t groups[2];
    /* What two messages about the same thing have in common: bytes of the fixed struct and
       attributes, each a bit by its number. */
    struct {
        uint32_t header;
        uint64_t attributes;
    } key;
};

extern const struct object objects[]; /* ends with an empty row */
extern const struct kind link_kinds[], qdisc_kinds[];

const struct object *schema_object(const char *name);
const struct verb *schema_verb(const struct object *object, const char *name);
const struct kind *schema_kind(const struct kind *kinds, const char *name, size_t length);

enum { KEY_MAX = 512 };

/* What says which thing a message is about, as bytes; returns how many. */
size_t schema_key(const struct object *object, const struct nlmsghdr *nlh, char key[KEY_MAX]);

/* The row for a caller's key in one table, by name or word; NULL. */
const struct field *schema_field(const struct table *table, const char *key);

/* The table inside a nest; NULL if it depends on a kind that is not known. */
const struct table *schema_nested(const struct field *field, const struct kind *kind,
                                  const struct kind *port);

/* Fails with what a caller may have meant by a key that the table (and its flat nests) lacks.
   foreign: the kind that the caller named, if there are no rows for it; else NULL. */
int schema_unknown_key(const struct table *table, const struct kind *kind, const struct kind *port,
                       const char *foreign, const char *key, struct error *err);

/* Fails with the keys of that table by which a listing can be narrowed. */
int schema_unfit_filter(const struct table *table, struct error *err);

/* Whether a listing can be narrowed by the row. */
bool field_filters(const struct field *field);

/* Whether a key that the row has stands for the kind's row of that name; text: its value, NULL if
   that is no text. */
bool schema_yields(const struct field *field, const struct kind *kind, const char *key,
                   const char *text);

/* The row that has another word in place of this one's value; NULL. */
const struct field *schema_instead(const struct table *table, const struct field *field);

/* What a row is called in a command. */
static inline const char *field_word(const struct field *field) {
    return field->word ? field->word : field->name;
}

/* How far the bits of a PIECE are from the right. */
static inline int field_shift(const struct field *field) {
    return __builtin_ctz(field->bit);
}

/* The row of one attribute of a LIST; number: where it is, from 0 on. */
struct field list_element(const struct field *list, size_t number);

/* The row of the second number of a PAIR. */
struct field pair_second(const struct field *first);

/* Whether the row is a nest with a table of its own. */
bool field_is_nest(const struct field *field);

/* Where a number has its halves, each of two bytes: which of them is first depends on the machine.
 */
enum { LOWER_HALF = BYTE_ORDER == BIG_ENDIAN ? 2 : 0, UPPER_HALF = 2 - LOWER_HALF };

/* Rows are put together with these. */
#define HEADER(type, member) .offset = offsetof(struct type, member)
#define PART(type, member) .offset = offsetof(struct type, member), .size = sizeof(struct type)
