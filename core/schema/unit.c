#include "unit.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The suffixes of `man tc`, UNITS. */
static const struct suffix rates[] = {
    { "tbit", 125e9 },
    { "gbit", 125e6 },
    { "mbit", 125e3 },
    { "kbit", 125 },
    { "bit", 0.125 },
    { "kibit", 0x1p10 / 8 },
    { "mibit", 0x1p20 / 8 },
    { "gibit", 0x1p30 / 8 },
    { "tibit", 0x1p40 / 8 },
    { "bps", 1 },
    { "kbps", 1e3 },
    { "mbps", 1e6 },
    { "gbps", 1e9 },
    { "tbps", 1e12 },
    { "kibps", 0x1p10 },
    { "mibps", 0x1p20 },
    { "gibps", 0x1p30 },
    { "tibps", 0x1p40 },
    { 0 },
};

static const struct suffix sizes[] = {
    { "m", 0x1p20 },
    { "k", 0x1p10 },
    { "b", 1 },
    { "kb", 0x1p10 },
    { "mb", 0x1p20 },
    { "g", 0x1p30 },
    { "gb", 0x1p30 },
    { "kbit", 0x1p10 / 8 },
    { "mbit", 0x1p20 / 8 },
    { "gbit", 0x1p30 / 8 },
    { 0 },
};

static const struct suffix times[] = {
    { "s", 1e9 },    { "ms", 1e6 },    { "us", 1e3 },   { "sec", 1e9 },   { "secs", 1e9 },
    { "msec", 1e6 }, { "msecs", 1e6 }, { "usec", 1e3 }, { "usecs", 1e3 }, { "ns", 1 },
    { "nsec", 1 },   { "nsecs", 1 },   { 0 },
};

/* A share is that part of 2^32-1 (net/sched/sch_netem.c). */
static const struct suffix shares[] = { { "%", UINT32_MAX / 100.0 }, { 0 } };

/* A probability is that part of 2^32 (net/sched/sch_red.c). */
static const struct suffix probabilities[] = { { "", 0x1p32 }, { "%", 0x1p32 / 100 }, { 0 } };

#define TIME .expected = "a time such as \"50ms\"", .suffixes = times, .said = 3, .bare = 1e3

static const struct suffix seconds[] = { { "", 1e9 }, { "s", 1e9 }, { "ms", 1e6 }, { 0 } };

const struct unit unit_ticks = {
    "a time such as \"10s\"", seconds, 1, .bare = 1e9, .number = 1e9, .step = 1e7
};

/* Metrics of routes: a text without a suffix is what the message has (man ip-route, "rtt TIME"). */
#define METRIC_TIMES(step)                                                                       \
    { "s", 1e9 }, { "ms", 1e6 }, { "", step }, { "sec", 1e9 }, { "secs", 1e9 }, { "msec", 1e6 }, \
        { "msecs", 1e6 }, {                                                                      \
        0                                                                                        \
    }
#define METRIC(suffixes_, step_)                                                              \
    {                                                                                         \
        "a time such as \"50ms\"", suffixes_, 3, .bare = step_, .number = 1e6, .step = step_, \
                                                 .exact = true                                \
    }

static const struct suffix ms[] = { METRIC_TIMES(1e6) }, ms_8th[] = { METRIC_TIMES(125e3) },
                           ms_4th[] = { METRIC_TIMES(250e3) };

const struct unit unit_ms = METRIC(ms, 1e6), unit_ms_8th = METRIC(ms_8th, 125e3),
                  unit_ms_4th = METRIC(ms_4th, 250e3);

const struct unit
    unit_rate = { "a rate such as \"10mbit\"", rates, 5, .bare = 0.125, .number = 1, .step = 1 },
    unit_bandwidth = { "a rate such as \"10mbit\", or \"unlimited\"",
                       rates,
                       5,
                       .bare = 0.125,
                       .number = 1,
                       .step = 1,
                       .zero = "unlimited" },
    unit_probability = { "a probability such as \"0.02\"",
                         probabilities,
                         1,
                         .bare = 0x1p32,
                         .number = 0x1p32,
                         .step = 1,
                         .real = true },
    unit_size = { "a size such as \"32k\"", sizes, 3, .bare = 1, .number = 1, .step = 1 },
    unit_share = { "a share such as \"1%\"", shares,    1,           .bare = UINT32_MAX / 100.0,
                   .number = UINT32_MAX,     .step = 1, .real = true },
    unit_seconds_ns = { TIME, .number = 1e9, .step = 1, .real = true },
    unit_us = { TIME, .number = 1e3, .step = 1e3 }, unit_ns = { TIME, .number = 1, .step = 1 };

/* --- in --------------------------------------------------------------------------------------- */

static const double tens[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12 };

enum { PLACES = sizeof tens / sizeof *tens - 1, DIGITS = 15 /* exact in a double */ };

/* "12.5" without a sign, whatever the locale says of the point. Returns what is behind it; NULL. */
static const char *parse_decimal(const char *text, double *number) {
    int digits = 0, places = 0;
    bool point = false;
    for (*number = 0; isdigit((unsigned char)*text) || (*text == '.' && !point); text++) {
        if (*text == '.') {
            point = true;
            continue;
        }
        *number = *number * 10 + (*text - '0');
        digits++;
        places += point;
    }
    if (digits == 0 || digits > DIGITS || places > PLACES)
        return NULL;
    *number /= tens[places];
    return text;
}

static bool find_factor(const struct unit *unit, const char *suffix, double *factor) {
    *factor = unit->bare;
    if (!*suffix)
        return true;
    for (const struct suffix *s = unit->suffixes; s->name; s++)
        if (!strcasecmp(s->name, suffix)) {
            *factor = s->factor;
            return true;
        }
    return false;
}

bool unit_parse(const struct unit *unit, const struct value *v, double *number) {
    double count, factor = unit->number;
    if (unit->zero && v->type == VALUE_TEXT && !strcmp(v->text, unit->zero)) {
        *number = 0;
        return true;
    }
    if (v->type == VALUE_NUMBER) {
        count = (double)v->number;
    } else if (v->type == VALUE_REAL) {
        count = v->real;
    } else {
        const char *suffix = v->type == VALUE_TEXT ? parse_decimal(v->text, &count) : NULL;
        if (!suffix || !find_factor(unit, suffix, &factor))
            return false;
    }
    *number = count * factor / unit->step;
    return true;
}

/* --- out -------------------------------------------------------------------------------------- */

/* A decimal number: 1.25 is 125 with two places. */
struct decimal {
    int64_t digits;
    int places;
};

/* How many times `factor` the number is, with the fewest places that are read as the same number
   again: 0.01, though no part of 2^32-1 is exactly that. */
static struct decimal count_of(const struct unit *unit, int64_t number, double factor) {
    double count = (double)number * unit->step / factor;
    struct decimal d = { llrint(count), 0 };
    while (llrint((double)d.digits / tens[d.places] * factor / unit->step) != number &&
           d.places < PLACES && fabs(count) * tens[d.places] < 1e14)
        d.digits = llrint(count * tens[++d.places]);
    return d;
}

/* The largest suffix that needs no fraction, or else the smallest of those that are written. */
static const struct suffix *suffix_for(const struct unit *unit, int64_t number) {
    const struct suffix *s = unit->suffixes, *last = s + unit->said - 1;
    while (s < last && fmod((double)number * unit->step, s->factor) != 0)
        s++;
    return number ? s : last;
}

void unit_say(const struct unit *unit, int64_t number, char text[UNIT_TEXT]) {
    if (unit->zero && !number) {
        snprintf(text, UNIT_TEXT, "%s", unit->zero);
        return;
    }
    const struct suffix *s = suffix_for(unit, number);
    struct decimal d = count_of(unit, number, s->factor);
    long long scale = (long long)tens[d.places], whole = d.digits / scale, rest = d.digits % scale;
    if (d.places)
        snprintf(text, UNIT_TEXT, "%lld.%0*lld%s", whole, d.places, rest, s->name);
    else
        snprintf(text, UNIT_TEXT, "%lld%s", whole, s->name);
}

void unit_show(const struct unit *unit, int64_t number, struct value *v) {
    struct decimal d = count_of(unit, number, unit->number);
    if (unit->zero && !number) {
        v->type = VALUE_TEXT;
        v->text = unit->zero;
        v->length = strlen(unit->zero);
        return;
    }
    v->type = unit->real || (unit->exact && d.places) ? VALUE_REAL : VALUE_NUMBER;
    v->real = (double)d.digits / tens[d.places];
    v->number = llrint((double)number * unit->step / unit->number);
}
