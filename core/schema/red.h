/* What RED needs besides the words of the command line, for the qdiscs red and sfq. */
#pragma once

#include "tables.h"

/* Attributes of our own, for what the kernel only knows as what follows from it. */
enum { RED_PROBABILITY = 85899346 }; /* of 2^32: tc's 0.02 */

enum { RED_AVPKT = OWN_ATTRIBUTES, RED_BURST, RED_BANDWIDTH };

struct red {
    uint32_t limit, min, max; /* bytes; 0: not given */
    double probability;
    uint32_t avpkt, burst, bandwidth; /* bytes, packets, bytes a second */
    uint8_t ewma, plog, scell_log;    /* of a record; else they are worked out */
};

/* Works out what was not given, as tc does: from avpkt, burst and bandwidth, which are read from
   the attributes above, or the other way round for a record, which has only what follows from them.
   limit: the word for that. Errors: EINVAL for what is missing or does not fit. */
int red_complete(struct writer *w, struct red *red, const char *limit, struct error *err);

/* The 256 bytes by which the kernel lets the average fall while nothing is sent. Sets the
 * scell_log. */
void red_damping(struct red *red, uint8_t table[256]);
