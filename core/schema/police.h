/* The action that lets only so much pass. */
#pragma once

#include "filter.h"

extern const struct table police_table;
extern const struct word control_words[];
