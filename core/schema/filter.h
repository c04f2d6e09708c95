/* What the files of filters and their actions share. */
#pragma once

#include <linux/pkt_cls.h>

#include "tables.h"

enum {
    INGRESS = (int)TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
    EGRESS = (int)TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
    MOST_ACTIONS = 32, /* TCA_ACT_MAX_PRIO */
};

extern const struct table action_table, u32_table, flower_table;
extern const struct word ethertype_words[];

/* The rows that most kinds have. `name`: what tc calls the class in JSON. */
#define CLASS_ROW(name_, attribute) \
    { name_, HANDLE, U32, .attr = attribute, .word = "classid", .help = "the class that it is for" }
#define ACTIONS_ROW(attribute)                                                         \
    {                                                                                  \
        "actions", ACTIONS,                                                            \
            .attr = attribute, .word = "action", .of = &action_table,                  \
            .help = "what is done, one after the other: \"drop\", { \"mirred\", … }" \
    }
#define HARDWARE_ROWS(attribute)                                                                     \
    { "skip_hw", SWITCH, U32, .attr = attribute, .bit = TCA_CLS_FLAGS_SKIP_HW },                     \
        { "skip_sw", SWITCH, U32, .attr = attribute, .bit = TCA_CLS_FLAGS_SKIP_SW },                 \
        { "in_hw", SWITCH, U32, .attr = attribute, .flags = READ_ONLY, .bit = TCA_CLS_FLAGS_IN_HW }, \
    {                                                                                                \
        "not_in_hw", SWITCH, U32, .attr = attribute, .flags = READ_ONLY,                             \
                                  .bit = TCA_CLS_FLAGS_NOT_IN_HW                                     \
    }
