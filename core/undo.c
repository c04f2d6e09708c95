#include "undo.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "nft.h"
#include "sysctl_hold.h"

/* On the wire: this, the two parts, and the size once more, so that the list can be walked from its
   end as well. Records stand at any address: memcpy only. */
struct head {
    uint32_t size; /* of the whole record */
    uint32_t kind, lab;
    uint32_t first_size;
};

enum { OVERHEAD = sizeof(struct head) + sizeof(uint32_t) };

size_t undo_size(const struct undo *undo) {
    return OVERHEAD + undo->first_size + undo->second_size;
}

void undo_encode(const struct undo *undo, char *bytes) {
    struct head head = { (uint32_t)undo_size(undo), undo->kind, undo->lab,
                         (uint32_t)undo->first_size };
    bytes = mempcpy(bytes, &head, sizeof head);
    bytes = mempcpy(bytes, undo->first, undo->first_size);
    bytes = mempcpy(bytes, undo->second, undo->second_size);
    memcpy(bytes, &head.size, sizeof head.size);
}

static struct undo decode(const char *bytes) {
    struct head head;
    memcpy(&head, bytes, sizeof head);
    return (struct undo){
        .kind = head.kind,
        .lab = head.lab,
        .first = bytes + sizeof head,
        .first_size = head.first_size,
        .second = bytes + sizeof head + head.first_size,
        .second_size = head.size - OVERHEAD - head.first_size,
    };
}

/* --- the kinds -------------------------------------------------------------------------------- */

static void undo_write(const struct undo *undo) {
    cleanup_fd int fd = open(undo->first, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd >= 0 && write(fd, undo->second, undo->second_size) < 0)
        return; /* gone together with its device */
}

static void undo_unlink(const struct undo *undo) {
    umount2(undo->first, MNT_DETACH | UMOUNT_NOFOLLOW);
    if (unlink(undo->first) < 0 && errno == EISDIR)
        rmdir(undo->first);
}

static void undo_symlink(const struct undo *undo) {
    char target[PATH_MAX];
    ssize_t length = readlink(undo->first, target, sizeof target - 1);
    if (length < 0)
        return;
    target[length] = '\0';
    if (!strcmp(target, undo->second))
        unlink(undo->first);
}

static void undo_netlink(const struct undo *undo) {
    cleanup_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd >= 0)
        send(fd, undo->first, undo->first_size, 0); /* the kernel acts before it returns */
}

static void undo_sysctl(const struct undo *undo) {
    sysctl_release(undo->first, undo->second);
}

static void undo_nft(const struct undo *undo) {
    const uint8_t *family = undo->first;
    const char *table = (const char *)undo->first + 1, *chain = undo->second;
    if (undo->second_size == 0)
        nft_delete_table(*family, table);
    else
        nft_delete_marked(*family, table, chain, chain + strlen(chain) + 1);
}

static int32_t held_fd(const struct undo *undo) {
    int32_t fd;
    memcpy(&fd, undo->second, sizeof fd);
    return fd;
}

static void undo_held(const struct undo *undo) {
    close(held_fd(undo));
}

static void (*const kinds[])(const struct undo *) = {
    [UNDO_WRITE] = undo_write,     [UNDO_UNLINK] = undo_unlink, [UNDO_SYMLINK] = undo_symlink,
    [UNDO_NETLINK] = undo_netlink, [UNDO_SYSCTL] = undo_sysctl, [UNDO_NFT] = undo_nft,
    [UNDO_HELD] = undo_held,
};

/* --- the list --------------------------------------------------------------------------------- */

static int make_room(struct undo_log *log, size_t size) {
    enum { FIRST = 1 << 16 };
    size_t room = log->room ? log->room : FIRST;
    while (room - log->used < size)
        room *= 2;
    if (room == log->room)
        return 0;
    void *grown = log->bytes
                      ? mremap(log->bytes, log->room, room, MREMAP_MAYMOVE)
                      : mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (grown == MAP_FAILED)
        return -1;
    log->room = room;
    log->bytes = grown;
    return 0;
}

int undo_append(struct undo_log *log, const void *bytes, size_t size) {
    if (make_room(log, size) < 0)
        return -1;
    memcpy(log->bytes + log->used, bytes, size);
    log->used += size;
    return 0;
}

int undo_add(struct undo_log *log, const struct undo *undo) {
    if (make_room(log, undo_size(undo)) < 0)
        return -1;
    undo_encode(undo, log->bytes + log->used);
    log->used += undo_size(undo);
    return 0;
}

void undo_free(struct undo_log *log) {
    if (log->bytes)
        munmap(log->bytes, log->room);
    *log = (struct undo_log){ 0 };
}

/* The size of the record that starts here; 0 if it is not complete. */
static uint32_t complete_size(const char *bytes, size_t left) {
    uint32_t size;
    if (left < sizeof size)
        return 0;
    memcpy(&size, bytes, sizeof size);
    return size <= left ? size : 0;
}

bool undo_next(const struct undo_log *log, size_t *at, struct undo *undo) {
    uint32_t size = complete_size(log->bytes + *at, log->used - *at);
    if (size == 0)
        return false;
    *undo = decode(log->bytes + *at);
    *at += size;
    return true;
}

void undo_move_held(struct undo_log *log, int32_t fd, uint32_t lab) {
    struct undo undo;
    for (size_t at = 0, start = 0; undo_next(log, &at, &undo); start = at)
        if (undo.kind == UNDO_HELD && held_fd(&undo) == fd)
            memcpy(log->bytes + start + offsetof(struct head, lab), &lab, sizeof lab);
}

/* Those of one lab, or all. */
static void run(const struct undo_log *log, const uint32_t *lab) {
    struct undo undo;
    size_t end = 0;
    while (undo_next(log, &end, &undo))
        ;
    while (end > 0) {
        uint32_t size;
        memcpy(&size, log->bytes + end - sizeof size, sizeof size);
        end -= size;
        undo = decode(log->bytes + end);
        if (!lab || undo.lab == *lab)
            kinds[undo.kind](&undo);
    }
}

/* Moves what stays over what goes. */
static void forget(struct undo_log *log, uint32_t lab) {
    struct undo undo;
    size_t next = 0, kept = 0;
    for (size_t at = 0; undo_next(log, &next, &undo); at = next) {
        if (undo.lab == lab)
            continue;
        memmove(log->bytes + kept, log->bytes + at, next - at);
        kept += next - at;
    }
    log->used = kept;
}

void undo_run_lab(struct undo_log *log, uint32_t lab) {
    run(log, &lab);
    forget(log, lab);
}

void undo_run_all(struct undo_log *log) {
    run(log, NULL);
    log->used = 0;
}
