/* Levels of a caller's table, and values of one key in them. */
#pragma once

#include "codec.h"
#include "value.h"

/* One level of the caller's table on its way into one level of the message. */
struct level {
    lua_State *L;
    int index;
    struct writer *w;
    const struct kind *kind, *port; /* of the link, as the caller named them */
    const char *foreign;            /* the kind that they named, if it is not ours to know */
    bool kinds_known;
    bool outermost;               /* values without a key and a record's name are allowed */
    bool flat;                    /* keys that are not ours belong to someone else */
    const struct level *outer;    /* of a flat nest: where its keys come from */
    const struct field *in_order; /* of a group: the rows of values without a key */
    uint64_t nests; /* the rows, by number, of the flat nests that the caller has keys for */
    struct error *err;
};

/* Fails with a sentence about that key. */
int refuse_key(struct level *level, const char *what, const char *key);

/* "peer" before "mtu": says which nest a refused key is in; -1. */
int prefix_key(struct error *err, const char *nest);

/* The row's word, or its name. */
const char *key_of(const struct field *f);

/* BITS take a word or a list of them, NUMBERS and LISTs a list. */
int encode_words(struct level *level, const struct field *f, int index);
