/* What IPv4 and IPv6 have in common. */
#pragma once

#include "dissect.h"

/* That of a protocol number, or NULL; family: AF_INET or AF_INET6. */
const struct protocol *inet_next(uint32_t number, int family);

/* "icmp"; its number if nsh has no word for it. */
const char *inet_protocol_name(uint32_t number, char *room, size_t size);

/* Whether its line begins with "address.port > address.port: ", not the one of IP. */
bool inet_has_ports(uint32_t number);

/* Adds what is said of a protocol that nobody here knows; false. */
bool inet_print_unknown(struct line *line, const struct layer *ip, uint32_t number);

/* Adds "10.0.0.1.80 > 10.0.0.2.1024: ": of a layer above IP whose header begins with two ports. Of
   one that is cut before them "10.0.0.1 > 10.0.0.2: ". */
void inet_print_ports(struct line *line, const struct layer *layer);
