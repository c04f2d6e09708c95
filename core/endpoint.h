/* Addresses of IPv4 and IPv6 as sockets have them. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>

#include "error.h"

union endpoint {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Parses "10.0.0.1", "fe80::1%veth0", finding the interface inside the namespace. The port is 0.
   Errors: EINVAL, ENODEV. */
int endpoint_parse(int ns, const char *text, union endpoint *out, struct error *err);

/* Whether an interface stands behind the address exactly if it needs one; -1 and EINVAL if not.
   `text`: of both, for people. */
int endpoint_check_zone(const union endpoint *endpoint, bool has_zone, const char *text,
                        struct error *err);

/* Its 4 or 16 bytes. */
const void *endpoint_bytes(const union endpoint *endpoint);

/* Whether both are the same address, the port aside; the interface counts where both name one. */
bool endpoint_same(const union endpoint *a, const union endpoint *b);
