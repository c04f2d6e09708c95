/* Which process has a socket open: only /proc knows. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "sockdiag.h"

static int compare(const void *a, const void *b) {
    uint32_t x = ((const struct socket_owner *)a)->inode;
    uint32_t y = ((const struct socket_owner *)b)->inode;
    return (x > y) - (x < y);
}

static void read_name(pid_t pid, char *name, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, name, size - 1);
    name[got > 0 ? got : 0] = '\0';
    name[strcspn(name, "\n")] = '\0';
}

/* Whether the entry of /proc/PID/fd is one of the sockets, which then has its owner. */
static void look(int folder, const char *entry, pid_t pid, struct socket_owner *owners,
                 size_t count) {
    char target[64];
    struct socket_owner key = { 0 };
    ssize_t size = readlinkat(folder, entry, target, sizeof target - 1);
    target[size > 0 ? size : 0] = '\0';
    if (sscanf(target, "socket:[%u]", &key.inode) != 1)
        return;
    struct socket_owner *owner = bsearch(&key, owners, count, sizeof *owners, compare);
    if (!owner || owner->pid)
        return;
    owner->pid = pid;
    read_name(pid, owner->name, sizeof owner->name);
}

static void look_at_process(pid_t pid, struct socket_owner *owners, size_t count) {
    char path[64];
    struct dirent *entry;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path); /* what we may not look at stays unknown */
    while (dir && (entry = readdir(dir)))
        look(dirfd(dir), entry->d_name, pid, owners, count);
    if (dir)
        closedir(dir);
}

void sockdiag_owners(struct socket_owner *owners, size_t count) {
    struct dirent *entry;
    DIR *proc = opendir("/proc");
    qsort(owners, count, sizeof *owners, compare);
    while (proc && count && (entry = readdir(proc)))
        if (isdigit((unsigned char)entry->d_name[0]))
            look_at_process((pid_t)atoi(entry->d_name), owners, count);
    if (proc)
        closedir(proc);
}
