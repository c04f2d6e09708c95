/* Killing what runs in the namespaces of a lab. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "guardian_main.h"

/* The namespaces, by what identifies them. */
struct homes {
    struct stat *list;
    size_t count, size;
};

static bool is_same(const struct stat *a, const struct stat *b) {
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* Of the lab's held descriptors; our own namespace is the host's, and no node. */
static void find_homes(const struct undo_log *log, uint32_t lab, struct homes *homes) {
    struct stat own = { 0 };
    struct undo undo;
    stat("/proc/self/ns/net", &own);
    for (size_t at = 0; undo_next(log, &at, &undo);) {
        int32_t fd;
        struct stat *home = &homes->list[homes->count];
        if (undo.kind != UNDO_HELD || undo.lab != lab)
            continue;
        memcpy(&fd, undo.second, sizeof fd);
        if (fstat(fd, home) == 0 && !is_same(home, &own))
            homes->count++;
    }
}

static bool is_home(const struct homes *homes, const struct stat *place) {
    for (size_t i = 0; i < homes->count; i++)
        if (is_same(&homes->list[i], place))
            return true;
    return false;
}

/* A folder of /proc is as good as a pidfd, and stays that of the same process. Who is not in our
   PID namespace, or one below it, cannot be reached by one: EINVAL. */
static bool kill_if_inside(int proc, const char *pid, const struct homes *homes) {
    struct stat place;
    cleanup_fd int process = openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return process >= 0 && fstatat(process, "ns/net", &place, 0) == 0 && is_home(homes, &place) &&
           pidfd_send_signal(process, SIGKILL, NULL, 0) == 0;
}

/* Whether one was found. Without opendir, which allocates. */
static bool kill_pass(int proc, const struct homes *homes) {
    _Alignas(struct dirent64) char entries[4096];
    bool found = false;
    ssize_t size;
    lseek(proc, 0, SEEK_SET);
    while ((size = getdents64(proc, entries, sizeof entries)) > 0)
        for (char *at = entries; at < entries + size;) {
            const struct dirent64 *entry = (const struct dirent64 *)at;
            if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
                found |= kill_if_inside(proc, entry->d_name, homes);
            at += entry->d_reclen;
        }
    return found;
}

/* What forks behind a pass is met by the next. A dying one is met as well, hence the limit. */
static void kill_all_in(const struct homes *homes) {
    enum { PASSES = 20 };
    cleanup_fd int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; homes->count > 0 && i < PASSES && kill_pass(proc, homes); i++)
        ;
}

static size_t count_held(const struct undo_log *log, uint32_t lab) {
    struct undo undo;
    size_t count = 0;
    for (size_t at = 0; undo_next(log, &at, &undo);)
        count += undo.kind == UNDO_HELD && undo.lab == lab;
    return count;
}

void guardian_kill(const struct undo_log *log, uint32_t lab) {
    struct homes homes = { .size = sizeof(struct stat) * (count_held(log, lab) + 1) };
    homes.list = mmap(NULL, homes.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (homes.list == MAP_FAILED)
        return;
    find_homes(log, lab, &homes);
    kill_all_in(&homes);
    munmap(homes.list, homes.size);
}
