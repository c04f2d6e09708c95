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

/* "EEXIST" for EEXIST, "E?" for a number without a name. */
const char *error_name(int code);
