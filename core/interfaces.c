#include "interfaces.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_ROOM = 64 };

/* The slot of an index, or the free one where it belongs: at most half of them are taken. */
static struct interface *find(const struct interfaces *known, int index) {
    size_t at = (uint32_t)index * UINT32_C(2654435769) & (known->room - 1);
    while (known->slots[at].index && known->slots[at].index != index)
        at = (at + 1) & (known->room - 1);
    return &known->slots[at];
}

static int grow(struct interfaces *known) {
    struct interfaces larger = { .room = known->room ? 2 * known->room : FIRST_ROOM };
    larger.slots = calloc(larger.room, sizeof *larger.slots);
    if (!larger.slots)
        return -1;
    for (size_t i = 0; i < known->room; i++)
        if (known->slots[i].index)
            interfaces_note(&larger, known->slots[i].index, known->slots[i].name);
    free(known->slots);
    *known = larger;
    return 0;
}

void interfaces_note(struct interfaces *known, int index, const char *name) {
    if (index <= 0 || (2 * (known->count + 1) > known->room && grow(known) < 0))
        return;
    struct interface *slot = find(known, index);
    known->count += !slot->index;
    slot->index = index;
    snprintf(slot->name, sizeof slot->name, "%s", name);
}

const char *interfaces_name(const struct interfaces *known, int index) {
    const struct interface *slot = known->room && index > 0 ? find(known, index) : NULL;
    return slot && slot->index ? slot->name : NULL;
}

void interfaces_free(struct interfaces *known) {
    free(known->slots);
    *known = (struct interfaces){ 0 };
}
