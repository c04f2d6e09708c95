/* What write.c and write_number.c share. All errors are those of write_value, without the key. */
#pragma once

#include "message.h"

/* Puts a number where its row says, or reads the one that stands there already (0: none). */
int put_number(struct writer *w, const struct field *f, int64_t number, struct error *err);
int64_t get_number(struct writer *w, const struct field *f);

/* Whether the number need not be written since what is new has it. */
bool is_zero_anyway(const struct writer *w, const struct field *f, int64_t number);

/* "-12", "0x1f": a whole number; base 0: as its beginning says, as in C. */
bool parse_integer(const char *text, int base, int64_t *number);

/* Whether the row takes the number. Errors: ERANGE with its limits. */
int in_range(const struct field *f, int64_t number, struct error *err);

/* What was given, for a message; and the refusal that has it: EINVAL `7 given, a string expected`.
 */
const char *shown(const struct value *value, char text[80]);
int refuse(const struct value *value, const char *valid, struct error *err);

/* An integer that the row takes. */
int to_number(const struct field *f, const struct value *v, int64_t *number, struct error *err);

/* By its meaning alone. */
int write_plain(struct writer *w, const struct field *f, const struct value *v, struct error *err);

/* One for each meaning. */
int write_number(struct writer *w, const struct field *f, const struct value *v, struct error *err);
int write_quantity(struct writer *w, const struct field *f, const struct value *v,
                   struct error *err);
int write_pair(struct writer *w, const struct field *f, const struct value *v, struct error *err);
int write_power(struct writer *w, const struct field *f, const struct value *v, struct error *err);
int write_quad(struct writer *w, const struct field *f, const struct value *v, struct error *err);
int write_account(struct writer *w, const struct field *f, const struct value *v,
                  struct error *err);
int write_piece(struct writer *w, const struct field *f, const struct value *v, struct error *err);
int write_realms(struct writer *w, const struct field *f, const struct value *v, struct error *err);
int write_weight(struct writer *w, const struct field *f, const struct value *v, struct error *err);
int write_mac(struct writer *w, const struct field *f, const struct value *v, struct error *err);
int write_length(struct writer *w, const struct field *f, const struct value *v, struct error *err);
int write_via(struct writer *w, const struct field *f, const struct value *v, struct error *err);
int write_group(struct writer *w, const struct field *f, const struct value *v, struct error *err);
int write_ip(struct writer *w, const struct field *f, const struct value *v, struct error *err);
int write_subnet(struct writer *w, const struct field *f, const struct value *v, struct error *err);
int write_address(struct writer *w, const struct field *f, const struct value *v,
                  struct error *err);
int write_handle(struct writer *w, const struct field *f, const struct value *v, struct error *err);
int write_node(struct writer *w, const struct field *f, const struct value *v, struct error *err);
int refuse_list(struct writer *w, const struct field *f, const struct value *v, struct error *err);
