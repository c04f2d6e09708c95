#include "undo.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "sysctl_hold.h"

/* On the wire: this, the two parts, and the size once more, so that the list can be walked from its
   end as well. Records stand at any address: memcpy only. */
struct head {
    uint32_t size; /* of the whole record */
    uint32_t kind;
    uint32_t first_size;
};

struct record {
    struct head head;
    const char *first, *second;
    size_t second_size;
};

enum { OVERHEAD = sizeof(struct head) + sizeof(uint32_t) };

void *undo_record(enum undo_kind kind, const void *first, size_t first_size, const void *second,
                  size_t second_size, size_t *length) {
    *length = OVERHEAD + first_size + second_size;
    struct head head = { (uint32_t)*length, kind, (uint32_t)first_size };
    char *bytes = malloc(*length), *next = bytes;
    if (!bytes)
        return NULL;
    next = mempcpy(next, &head, sizeof head);
    next = mempcpy(next, first, first_size);
    next = mempcpy(next, second, second_size);
    memcpy(next, &head.size, sizeof head.size);
    return bytes;
}

/* --- the kinds -------------------------------------------------------------------------------- */

static void undo_write(const struct record *record) {
    cleanup_fd int fd = open(record->first, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd >= 0 && write(fd, record->second, record->second_size) < 0)
        return; /* gone together with its device */
}

static void undo_unlink(const struct record *record) {
    umount2(record->first, MNT_DETACH | UMOUNT_NOFOLLOW);
    unlink(record->first);
}

static void undo_netlink(const struct record *record) {
    cleanup_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd >= 0)
        send(fd, record->first, record->head.first_size, 0); /* the kernel acts before it returns */
}

static void undo_sysctl(const struct record *record) {
    sysctl_release(record->first, (const void *)record->second);
}

static void (*const kinds[])(const struct record *) = {
    [UNDO_WRITE] = undo_write,
    [UNDO_UNLINK] = undo_unlink,
    [UNDO_NETLINK] = undo_netlink,
    [UNDO_SYSCTL] = undo_sysctl,
};

/* --- the list --------------------------------------------------------------------------------- */

/* The size of the record that starts here; 0 if it is not complete. */
static uint32_t complete_size(const char *bytes, size_t left) {
    uint32_t size;
    if (left < sizeof size)
        return 0;
    memcpy(&size, bytes, sizeof size);
    return size <= left ? size : 0;
}

static size_t end_of_complete(const char *bytes, size_t size) {
    size_t end = 0;
    for (uint32_t next; (next = complete_size(bytes + end, size - end)) > 0;)
        end += next;
    return end;
}

static void run(const char *bytes) {
    struct record record;
    memcpy(&record.head, bytes, sizeof record.head);
    record.first = bytes + sizeof record.head;
    record.second = record.first + record.head.first_size;
    record.second_size = record.head.size - OVERHEAD - record.head.first_size;
    kinds[record.head.kind](&record);
}

void undo_run(const char *bytes, size_t size) {
    for (size_t end = end_of_complete(bytes, size); end > 0;) {
        uint32_t last;
        memcpy(&last, bytes + end - sizeof last, sizeof last);
        end -= last;
        run(bytes + end);
    }
}
