/* Quantities as tc writes them: "10mbit", "32k", "50ms", "1%". */
#pragma once

#include "value.h"

enum { UNIT_TEXT = 48 };

#define QUANTITY_MAX INT64_C(1000000000000000000) /* where the message has 64 bits */

/* What a quantity is counted in. All factors are in one measure: bytes a second, bytes,
   nanoseconds, or, for shares, 2^32-1 for the whole. */
struct unit {
    const char *expected; /* `a time such as "50ms"` */
    const struct suffix {
        const char *name; /* in any case; NULL ends the list */
        double factor;
    } * suffixes;
    int said;         /* so many of them are also written, from the largest on */
    double bare;      /* what a text without one counts, as for tc */
    double number;    /* what a number counts, as in tc's JSON */
    double step;      /* what 1 in the message counts */
    bool real;        /* records have fractions of that number, … */
    bool exact;       /* … or have them where there is one */
    const char *zero; /* the word for 0 */
};

/* Rates are bytes a second in JSON, but bits a second where a text has no suffix. Times differ in
   JSON's measure and in the message's. */
extern const struct unit unit_rate, unit_size, unit_share, unit_bandwidth, unit_probability;
extern const struct unit unit_seconds_ns, unit_us, unit_ns;
extern const struct unit unit_ticks; /* hundredths of a second; a number counts seconds */
extern const struct unit unit_ms, unit_ms_8th, unit_ms_4th;

/* What the message would have for a value, not rounded. false if it is no such quantity. */
bool unit_parse(const struct unit *unit, const struct value *v, double *number);

/* The message's number as the shortest text that tc would read as the same: "50ms". */
void unit_say(const struct unit *unit, int64_t number, char text[UNIT_TEXT]);

/* The message's number as records have it. */
void unit_show(const struct unit *unit, int64_t number, struct value *v);
