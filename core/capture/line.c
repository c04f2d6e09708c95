/* A packet as the line that tcpdump -n prints. */
#include <stdarg.h>
#include <stdio.h>

#include "dissect.h"

void line_add(struct line *line, const char *format, ...) {
    va_list args;
    size_t room = (size_t)(line->end - line->at);
    va_start(args, format);
    int size = vsnprintf(line->at, room, format, args);
    va_end(args);
    if (size > 0)
        line->at += (size_t)size < room ? (size_t)size : room - 1;
}

const struct layer *layer_below(const struct line *line, const struct layer *layer) {
    return layer > line->packet->layers ? layer - 1 : NULL;
}

void dissect_line(const struct dissection *packet, const struct line_context *context, char *room,
                  size_t size) {
    struct line line = { room, room + size, context, packet };
    *room = '\0';
    for (size_t i = 0; i < packet->count; i++) {
        const struct layer *layer = &packet->layers[i];
        if (layer->cut) {
            if (layer->protocol->print_cut)
                layer->protocol->print_cut(&line, layer);
            line_add(&line, "[|%s]", layer->protocol->printed);
            return;
        }
        if (layer->protocol->print && !layer->protocol->print(&line, layer))
            return;
    }
}
