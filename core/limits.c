#include "limits.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DESCRIPTORS = 4096 };

static struct rlimit original;
static bool raised;

void limits_raise(void) {
    if (raised || getrlimit(RLIMIT_NOFILE, &original) < 0)
        return;
    struct rlimit high = { original.rlim_max, original.rlim_max };
    raised = original.rlim_cur != original.rlim_max && setrlimit(RLIMIT_NOFILE, &high) == 0;
}

long long limits_original(void) {
    return raised ? (long long)original.rlim_cur : -1;
}

/* It never shrinks. */
void limits_make_room(void) {
    int high = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, DESCRIPTORS - 1);
    if (high >= 0)
        close(high);
}

void limits_restore(void) {
    if (raised)
        setrlimit(RLIMIT_NOFILE, &original);
}
