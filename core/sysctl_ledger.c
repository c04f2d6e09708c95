#include "sysctl_ledger.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "cleanup.h"

#define PARENT "/run/nsh"
#define TABLE "table"
#define NEW_TABLE "table.new"

static int refuse(const char *what, const char *folder, int code, struct error *err) {
    return err ? error_set(err, code, "cannot %s %s: %s", what, folder, strerror(code)) : -1;
}

/* --- the folder ------------------------------------------------------------------------------- */

/* A number that no other network namespace of this machine has. A cookie is never used again, an
   inode number may be; but Linux has cookies since 5.14 only. */
static unsigned long long namespace_number(void) {
    uint64_t cookie;
    socklen_t size = sizeof cookie;
    struct stat status = { 0 };
    cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0)
        return cookie;
    stat("/proc/thread-self/ns/net", &status);
    return status.st_ino;
}

/* The root of an ordinary user's sandbox may not write to /run, unless that is the sandbox's. */
void ledger_folder(char folder[LEDGER_PATH_MAX]) {
    const char *parent = access("/run", W_OK) == 0 ? PARENT "/" : "/tmp/nsh-";
    snprintf(folder, LEDGER_PATH_MAX, "%ssysctl-%llu", parent, namespace_number());
}

static bool has_parent(const char *folder) {
    return !strncmp(folder, PARENT "/", sizeof PARENT);
}

/* For nobody but us: whoever can open it can lock it. */
static int make_folder(const char *folder) {
    if (has_parent(folder) && mkdir(PARENT, 0755) < 0 && errno != EEXIST)
        return -1;
    return mkdir(folder, 0700) < 0 && errno != EEXIST ? -1 : 0;
}

/* In /tmp anybody may have made it before us. */
static bool is_private(const struct stat *status) {
    errno = EPERM;
    return status->st_uid == geteuid() && (status->st_mode & 077) == 0;
}

/* The one before us may have removed it while we waited for the lock. */
static int lock_folder(const char *folder) {
    struct stat status;
    cleanup_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0 || !is_private(&status) ||
        TEMP_FAILURE_RETRY(flock(fd, LOCK_EX)) < 0 || fstat(fd, &status) < 0)
        return -1;
    errno = ENOENT;
    return status.st_nlink > 0 ? take_fd(&fd) : -1;
}

/* Others may remove it again at any moment until it is locked: but not for ever. */
static int make_and_lock(const char *folder) {
    enum { TRIES = 1000 };
    int fd = -1;
    errno = ENOENT;
    for (int i = 0; fd < 0 && errno == ENOENT && i < TRIES; i++)
        if (make_folder(folder) == 0 || errno == ENOENT)
            fd = lock_folder(folder);
    return fd;
}

static void remove_parent(const char *folder) {
    if (has_parent(folder))
        rmdir(PARENT); /* not if there is another namespace's */
}

/* Whoever was killed may have made no more than the parent. */
static int lock_if_there(const char *folder) {
    int fd = lock_folder(folder);
    if (fd < 0 && errno == ENOENT)
        remove_parent(folder);
    return fd;
}

static void remove_folder(int fd, const char *folder) {
    unlinkat(fd, NEW_TABLE, 0);
    unlinkat(fd, TABLE, 0);
    rmdir(folder);
    remove_parent(folder);
}

/* --- the file --------------------------------------------------------------------------------- */

struct head {
    uint32_t hold_size, origin_size; /* of one of each: as good as a version */
    uint32_t hold_count, origin_count;
};

static int head_parts(struct head *head, const struct ledger *ledger, struct iovec parts[3]) {
    parts[0] = (struct iovec){ head, sizeof *head };
    parts[1] = (struct iovec){ (void *)ledger->holds, head->hold_count * sizeof(struct hold) };
    parts[2] =
        (struct iovec){ (void *)ledger->origins, head->origin_count * sizeof(struct origin) };
    return (int)(parts[0].iov_len + parts[1].iov_len + parts[2].iov_len);
}

static bool is_ours(const struct head *head) {
    return head->hold_size == sizeof(struct hold) && head->origin_size == sizeof(struct origin) &&
           head->hold_count <= HOLDS_MAX && head->origin_count <= ORIGINS_MAX;
}

static int load(struct ledger *ledger, int at, const char *folder, struct error *err) {
    struct head head;
    struct iovec parts[3];
    ledger->hold_count = ledger->origin_count = 0;
    cleanup_fd int fd = openat(at, TABLE, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : refuse("read from", folder, errno, err);
    if (pread(fd, &head, sizeof head, 0) != sizeof head || !is_ours(&head))
        return error_set(err, EPROTO, "another version of nsh holds parameters here");
    int size = head_parts(&head, ledger, parts);
    if (readv(fd, parts, 3) != size)
        return error_set(err, EPROTO, "the list of held parameters is cut off");
    ledger->hold_count = head.hold_count;
    ledger->origin_count = head.origin_count;
    return 0;
}

int ledger_open(struct ledger *ledger, const char *folder, bool create, struct error *err) {
    cleanup_fd int fd = create ? make_and_lock(folder) : lock_if_there(folder);
    if (fd < 0)
        return refuse("lock", folder, errno, err);
    return load(ledger, fd, folder, err) < 0 ? -1 : take_fd(&fd);
}

static int write_table(const struct ledger *ledger, int folder) {
    struct head head = { sizeof(struct hold), sizeof(struct origin), ledger->hold_count,
                         ledger->origin_count };
    struct iovec parts[3];
    int size = head_parts(&head, ledger, parts);
    cleanup_fd int fd = openat(folder, NEW_TABLE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    ssize_t written = writev(fd, parts, 3);
    if (written >= 0 && written < size)
        errno = ENOSPC;
    return written == size ? renameat(folder, NEW_TABLE, folder, TABLE) : -1;
}

int ledger_save(const struct ledger *ledger, int fd, const char *folder, struct error *err) {
    if (ledger->hold_count == 0) {
        remove_folder(fd, folder);
        return 0;
    }
    if (write_table(ledger, fd) == 0)
        return 0;
    int code = errno;
    unlinkat(fd, NEW_TABLE, 0);
    return refuse("write to", folder, code, err);
}

/* --- who is alive ----------------------------------------------------------------------------- */

static struct flock byte_of(uint64_t process, short type) {
    return (struct flock){
        .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)process, .l_len = 1
    };
}

static bool is_same_file(int one, int other) {
    struct stat a, b;
    return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* Not a number such as the pid, which is another one in every PID namespace. */
uint64_t ledger_process(void) {
    static uint64_t byte;
    while (byte == 0 && getrandom(&byte, sizeof byte, 0) == sizeof byte)
        byte &= INT64_MAX >> 1;
    return byte;
}

int ledger_sign(int fd, const char *folder, uint64_t process, struct error *err) {
    static int signature = -1;
    struct flock lock = byte_of(process, F_RDLCK); /* a folder cannot be opened for writing */
    if (signature >= 0 && is_same_file(signature, fd))
        return signature;
    close_fd(&signature);
    signature = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (signature >= 0 && fcntl(signature, F_OFD_SETLK, &lock) == 0)
        return signature;
    int code = errno;
    close_fd(&signature);
    return refuse("lock", folder, code, err);
}

bool ledger_is_alive(int fd, uint64_t process) {
    struct flock lock = byte_of(process, F_WRLCK);
    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}
