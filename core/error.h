/* What went wrong, in words: every function of core/ that can fail fills one of these. */
#pragma once

struct error {
    int code;          /* errno value */
    char message[240]; /* the kernel's words or ours; no full stop at the end */
    char key[64];      /* the offending key of the caller's table, "" if there is none */
    char hint[240];    /* the cure where it is known, "" otherwise */
};

/* Fills err (which may be NULL) with a formatted message; always returns -1. */
int error_set(struct error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set, with the system's words for the code: "File exists". */
int error_errno(struct error *err, int code);

/* Adds the cure to an error that is already set; always returns -1. */
int error_hint(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A caller's word for a message: the word itself, or its first 60 bytes or so (whole characters of
   UTF-8) with "…" behind them. It is in the room, or NULL as room makes its own: SHORT lives as
   long as the block around it. */
struct short_word {
    char bytes[64];
};
const char *error_word(struct short_word *room, const char *word);
#define SHORT(word) error_word(&(struct short_word){ "" }, word)

/* "EEXIST" for EEXIST, "E?" for a number without a name. */
const char *error_name(int code);
