/* The sockets of a namespace that wait for somebody, as `ss -lnup` and its like list them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "address.h"
#include "netlink.h"

enum { SOCKDIAG_ADDRESS_MAX = 112 }; /* the longest path of a unix socket, "@" and all */

struct listener {
    const char *netid;                  /* "tcp", "udp", "unix" */
    const char *state;                  /* "LISTEN"; "UNCONN" of udp */
    const char *family;                 /* "inet", "inet6"; NULL of unix */
    char address[SOCKDIAG_ADDRESS_MAX]; /* "0.0.0.0", "::"; a path, or "@name" of an abstract one */
    size_t address_size;                /* an abstract name may hold any byte */
    uint16_t port;                      /* 0 of unix */
    bool v6only;                        /* of inet6: it does not take IPv4 */
    uint32_t uid, inode, recv_q, send_q;
};

/* What there is to ask for; each is a dump of its own. */
enum sockdiag_kind {
    SOCKDIAG_TCP,
    SOCKDIAG_TCP6,
    SOCKDIAG_UDP,
    SOCKDIAG_UDP6,
    SOCKDIAG_UNIX,
    SOCKDIAG_KINDS
};

/* Opens a socket for this in namespace ns, as netlink_open. */
int sockdiag_open(struct netlink *nl, int ns, struct netlink_buffer *buffer, struct error *err);

/* Starts a dump; read it with sockdiag_next: 1 and a socket, 0 at the end, -1 on failure. EAGAIN as
   of netlink_dump. Errors: ENOENT if the kernel cannot tell of that kind. */
int sockdiag_dump(struct netlink *nl, enum sockdiag_kind kind, struct error *err);
int sockdiag_next(struct netlink *nl, enum sockdiag_kind kind, struct listener *out,
                  struct error *err);

/* Who has a socket open. */
struct socket_owner {
    uint32_t inode;
    pid_t pid; /* of the first one in our /proc; 0: nobody whom we may look at */
    char name[16];
};

/* Fills in pid and name for each inode; sorts the owners by it. */
void sockdiag_owners(struct socket_owner *owners, size_t count);
