/* The undo list: records that nsh sends, and what they do at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What each does, with its two parts. Paths end with a zero byte. */
enum undo_kind {
    UNDO_WRITE,   /* puts the text second into the file first */
    UNDO_UNLINK,  /* unmounts and removes the name first, also an empty directory */
    UNDO_SYMLINK, /* removes the symlink first, if its target is still second (zero byte too) */
    UNDO_NETLINK, /* sends the message first to rtnetlink */
    UNDO_SYSCTL,  /* releases a parameter: first is a folder, second a struct sysctl_token */
    UNDO_NFT,     /* deletes a table of nft: first is the family, one byte, and its name. With a
                     second, "CHAIN\0MARK\0", only that chain's rules with that mark */
    UNDO_HELD,    /* closes a descriptor: first is a node's name, second a struct undo_held */
};

struct undo {
    enum undo_kind kind;
    uint32_t lab; /* 0: the process */
    const void *first, *second;
    size_t first_size, second_size;
};

/* A descriptor of a node, and where the files are that cover those of its /etc. */
struct undo_held {
    int32_t fd;
    char etc[]; /* a directory, with its zero byte */
};

/* How many bytes undo_encode writes. */
size_t undo_size(const struct undo *undo);

/* Writes a record as it is sent and kept. */
void undo_encode(const struct undo *undo, char *bytes);

/* Records one after another, in memory that is not malloc's: another thread may have held its lock
   when the guardian was cloned. */
struct undo_log {
    char *bytes;
    size_t used, room;
};

/* Append bytes of records, which may come in pieces; or one record. -1 without memory. */
int undo_append(struct undo_log *log, const void *bytes, size_t size);
int undo_add(struct undo_log *log, const struct undo *undo);

/* Gives the memory back, and empties it. */
void undo_free(struct undo_log *log);

/* Walks the complete records, first one first: *at starts with 0. What it yields points into the
   log, at any alignment. */
bool undo_next(const struct undo_log *log, size_t *at, struct undo *undo);

/* Gives the record of a held descriptor to another lab. */
void undo_move_held(struct undo_log *log, int32_t fd, uint32_t lab);

/* Runs the complete records of a lab, or all of them, last one first, and forgets them. */
void undo_run_lab(struct undo_log *log, uint32_t lab);
void undo_run_all(struct undo_log *log);
