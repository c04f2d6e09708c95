/* Parameters that a lab sets in a network namespace that is not its own: the host's. Counted among
   all labs of all processes there. Whoever comes first stores what was before, with all that the
   kernel changes together with it (net.ipv4.ip_forward: the forwarding of every interface, and
   more); the last one puts it back.
   - A parameter has one value: to hold it at another one than somebody else does is an error.
   - What one holds stays as it is when what another one holds would drag it along.
   - An interface, which is known by its name, is passed over when it is gone. One that came
   meanwhile gets the default of before, unless somebody has set it to another value than the held
   one.
   - Whoever is gone, and its guardian too, no longer holds: the next to hold or release anything in
   the namespace puts that back.
   - Only parameters come back: not the default routes from router advertisements that forwarding of
   IPv6 removes, the addresses that disable_ipv6 removes, or an interface's large-receive-offload.
 */
#pragma once

#include <stdint.h>

#include "error.h"

/* Holds a parameter of the network namespace that we are in at a value, until the guardian undoes
   the lab (0: the process). name: of the lab, or NULL; what others get to read, and whoever has the
   same one in this process may change its mind: the last value counts. key: as for sysctl(8), below
   net. Errors: ENOENT (no such key), EBUSY with the one who holds it at another value, EINVAL (not
   below net; a value that the kernel does not take), ENAMETOOLONG (key or value), ENOSPC, EROFS,
   EACCES, EIO (has no value yet that could be put back); nothing is changed then. */
int sysctl_hold(uint32_t lab, const char *name, const char *key, const char *value,
                struct error *err);

/* What the guardian is told of a hold. */
struct sysctl_token {
    uint64_t id, process;
};

/* In the guardian: ends what sysctl_hold began. The token may stand at any address. Allocates
   nothing. Does nothing if it is already released, or never came to be. */
void sysctl_release(const char *folder, const struct sysctl_token *token);
