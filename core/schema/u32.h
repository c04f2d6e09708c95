/* Filters of kind u32, which look at words of 32 bits. */
#pragma once

#include <linux/pkt_cls.h>

#include "reader.h"

enum { MATCH_TEXT = 64 };

/* Adds what a text such as "ip dst 10.0.0.0/8", "u16 80 0xffff at 22" or "0a000000/ff000000 at 16"
   asks for. Errors: EINVAL with what can be written. */
int write_match(struct writer *w, const struct field *f, const struct value *v, struct error *err);

/* The key of that number as tc writes it in a listing, or, for a command, behind "match". false if
   there is none. */
bool match_text(const struct reader *r, const struct field *f, int number, bool command,
                char text[MATCH_TEXT]);

/* Tells what a record shows of them. */
void walk_matches(const struct reader *r, const struct field *f, const struct sink *sink,
                  void *arg);

/* "800::5", "800:3:5", "800:". */
bool node_parse(const char *text, uint32_t *handle);
void node_format(uint32_t handle, char *text, size_t size);
