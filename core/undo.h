/* The undo list: records that go through a pipe, and what they do at the end. */
#pragma once

#include <stddef.h>

enum undo_kind { UNDO_WRITE, UNDO_UNLINK, UNDO_NETLINK, UNDO_SYSCTL };

/* A record of two parts (path and text; path and nothing; a message and nothing;
   path and token) as it goes through
   the pipe: malloc'ed, *length bytes; NULL without memory. */
void *undo_record(enum undo_kind kind, const void *first, size_t first_size, const void *second,
                  size_t second_size, size_t *length);

/* Runs the complete records among the bytes, last one first; half a record at the end is ignored.
   Allocates nothing. */
void undo_run(const char *bytes, size_t size);
