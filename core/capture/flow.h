/* TCP's sequence numbers as tcpdump counts them: from the connection's first ones. */
#pragma once

#include "dissect.h"

struct flows; /* the connections that were seen */

/* NULL without memory. */
struct flows *flows_new(void);

/* Tells from which numbers those of the packet count; 0 where they stand as they are: without TCP
   in it, at the beginning of a connection, without memory. To be called once for each packet in
   turn. */
void flows_follow(struct flows *flows, const struct dissection *packet,
                  struct line_context *context);

/* Frees everything; NULL is fine. */
void flows_free(struct flows *flows);
