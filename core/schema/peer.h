/* Values that only peers of WireGuard have: KEY, ENDPOINT, NETWORK. */
#pragma once

#include "reader.h"
#include "write.h"

int write_key(struct writer *w, const struct field *f, const struct value *v, struct error *err);
int write_endpoint(struct writer *w, const struct field *f, const struct value *v,
                   struct error *err);
int write_network(struct writer *w, const struct field *f, const struct value *v,
                  struct error *err);

bool read_key(const struct reader *r, const struct field *f, struct value *v);
bool read_endpoint(const struct reader *r, const struct field *f, struct value *v);
bool read_network(const struct reader *r, const struct field *f, struct value *v);
