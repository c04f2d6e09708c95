#include "limits.h"

#include <stdbool.h>
#include <sys/resource.h>

static struct rlimit original;
static bool raised;

void limits_raise(void) {
    if (raised || getrlimit(RLIMIT_NOFILE, &original) < 0)
        return;
    struct rlimit high = { original.rlim_max, original.rlim_max };
    raised = setrlimit(RLIMIT_NOFILE, &high) == 0;
}

void limits_restore(void) {
    if (raised)
        setrlimit(RLIMIT_NOFILE, &original);
}
