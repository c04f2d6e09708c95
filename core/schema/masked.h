/* Addresses with a mask in an attribute of its own, as filters have them: "10.0.0.0/8",
   "02:00:00:00:00:00/24", and of a MAC masks with holes, "02:00:00:00:00:00/ff:00:00:00:00:ff".
   Other holes are shown as such. */
#pragma once

#include "reader.h"

int write_masked(struct writer *w, const struct field *f, const struct value *v, struct error *err);
bool read_masked(const struct reader *r, const struct field *f, struct value *v);
