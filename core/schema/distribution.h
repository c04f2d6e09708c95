/* The tables of random numbers that come with iproute2: "normal", "pareto", … */
#pragma once

#include <stdint.h>

#include "../error.h"

/* Reads the table NAME.dist from where tc looks for it (TC_LIB_DIR, or the system's directories).
   Returns how many numbers there are. Errors: EINVAL for a name with a slash, ENOENT, E2BIG for
   more than `most`. */
int distribution_read(const char *name, int16_t *numbers, int most, struct error *err);
