/* Lists of actions: a nest of nests, numbered from 1 on, each with a kind. */
#pragma once

#include "reader.h"

/* Goes to the next action of the row's list; number: the last one, 0 to begin. */
bool action_next(const struct reader *outer, const struct field *f, int *number,
                 struct reader *action);

/* Opens the list, or its action of that number; writer_end closes either. */
int action_list(struct writer *outer, const struct field *f, struct writer *list,
                struct error *err);
int action_begin(struct writer *list, const struct field *f, int number, struct writer *action,
                 struct error *err);

/* Tells what a record shows of the list. */
void walk_actions(const struct reader *r, const struct field *f, const struct sink *sink,
                  void *arg);
