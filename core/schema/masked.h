/* Addresses with a mask in an attribute of its own, as filters have them: "10.0.0.0/8",
   "02:00:00:00:00:00/24", and masks with holes, "10.0.0.1/255.0.255.0". */
#pragma once

#include "reader.h"

int write_masked(struct writer *w, const struct field *f, const struct value *v, struct error *err);
bool read_masked(const struct reader *r, const struct field *f, struct value *v);
