#include "sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "cleanup.h"
#include "netns.h"

/* sysctl(8): the first separator says whether '.' or '/' parts the words; the other is then a part
   of a word. */
int sysctl_path(const char *key, char path[PATH_MAX], struct error *err) {
    static const char root[] = "/proc/sys/";
    char first = key[strcspn(key, "./")];
    if (!*key || *key == '/' || *key == '.' || strstr(key, "..") || strstr(key, "//") ||
        strstr(key, "/./") || strlen(key) > 1024)
        return error_set(err, EINVAL, "\"%s\" is not a key such as \"net.ipv4.ip_forward\"",
                         SHORT(key));
    int length = snprintf(path, PATH_MAX, "%s%s", root, key);
    for (char *at = path + sizeof root - 1; first == '.' && at < path + length; at++)
        if (*at == '.' || *at == '/')
            *at = *at == '.' ? '/' : '.';
    return 0;
}

#define BRIDGE_KEYS "/proc/sys/net/bridge/"

static int open_key(int ns, const char *key, int flags, struct error *err) {
    char path[PATH_MAX];
    if (sysctl_path(key, path, err) < 0)
        return -1;
    int fd = netns_open_file(ns, path, flags, err);
    if (fd >= 0)
        return fd;
    if (err->code == ENOENT)
        error_set(err, ENOENT, "there is no key \"%s\" here", SHORT(key));
    if (err->code == ENOENT && !strncmp(path, BRIDGE_KEYS, sizeof BRIDGE_KEYS - 1))
        error_hint(err,
                   "those of bridges come with the module br_netfilter: modprobe br_netfilter");
    if (err->code == EROFS)
        error_hint(
            err,
            "only keys below net/ can be written in a sandbox, and none in a container that is not "
            "privileged");
    if (err->code == EACCES)
        error_hint(err, "the key belongs to the whole machine, or needs root");
    return -1;
}

int sysctl_read(int ns, const char *key, char *text, size_t size, struct error *err) {
    cleanup_fd int fd = open_key(ns, key, O_RDONLY, err);
    if (fd < 0)
        return -1;
    size_t used = 0;
    ssize_t got;
    while ((got = read(fd, text + used, size - used)) > 0)
        used += (size_t)got;
    if (got < 0)
        return error_errno(err, errno);
    if (used == size)
        return error_set(err, ENOSPC, "the value is longer than %zu bytes", size);
    while (used > 0 && text[used - 1] == '\n')
        used--;
    text[used] = 0;
    return 0;
}

/* One write: the kernel takes a value whole; with a newline, without which an empty one would be no
   write at all. */
int sysctl_write(int ns, const char *key, const char *value, struct error *err) {
    cleanup_fd int fd = open_key(ns, key, O_WRONLY, err);
    if (fd < 0)
        return -1;
    struct iovec line[] = { { (void *)value, strlen(value) }, { (void *)"\n", 1 } };
    return writev(fd, line, 2) < 0 ? error_errno(err, errno) : 0;
}
