#include "sysctl_drag.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "cleanup.h"

/* '*' stands for one word, the same in both; '%' for each interface and "default", not for "all". A
   row without a file is an exception from those below it. From the kernel's net/ipv4/devinet.c,
   net/ipv6/addrconf.c, net/core/neighbour.c, net/ipv4/tcp_cong.c, net/ipv6/route.c,
   net/mptcp/ctrl.c; tests/core/sysctl_hold_test.c tries every parameter. */
static const struct row {
    const char *key, *file;
    enum drag_value value;
} rows[] = {
    { "net/ipv4/ip_forward", "net/ipv4/conf/all/accept_redirects", DRAG_INVERSE },
    { "net/ipv4/ip_forward", "net/ipv4/conf/%/forwarding", DRAG_SAME },
    { "net/ipv4/conf/default/disable_policy", NULL },
    { "net/ipv4/conf/default/disable_xfrm", NULL },
    { "net/ipv4/conf/default/drop_unicast_in_l2_multicast", NULL },
    { "net/ipv4/conf/default/forwarding", NULL },
    { "net/ipv4/conf/default/promote_secondaries", NULL },
    { "net/ipv4/conf/default/route_localnet", NULL },
    { "net/ipv4/conf/default/*", "net/ipv4/conf/%/*", DRAG_OWN },
    { "net/ipv6/conf/all/addr_gen_mode", "net/ipv6/conf/%/addr_gen_mode", DRAG_SAME },
    { "net/ipv6/conf/all/disable_ipv6", "net/ipv6/conf/%/disable_ipv6", DRAG_SAME },
    { "net/ipv6/conf/all/force_forwarding", "net/ipv6/conf/%/force_forwarding", DRAG_SAME },
    { "net/ipv6/conf/all/forwarding", "net/ipv6/conf/%/forwarding", DRAG_SAME },
    { "net/ipv6/conf/all/ignore_routes_with_linkdown",
      "net/ipv6/conf/%/ignore_routes_with_linkdown", DRAG_SAME },
    { "net/ipv6/conf/default/stable_secret", "net/ipv6/conf/%/addr_gen_mode", DRAG_OWN },
    { "net/ipv6/conf/*/stable_secret", "net/ipv6/conf/*/addr_gen_mode", DRAG_OWN },
    /* What is not exact comes before what is: both are the same number in the kernel. */
    { "net/*/neigh/default/*", "net/*/neigh/%/*", DRAG_OWN },
    { "net/*/neigh/default/base_reachable_time", "net/*/neigh/%/base_reachable_time_ms", DRAG_OWN },
    { "net/*/neigh/default/retrans_time", "net/*/neigh/%/retrans_time_ms", DRAG_OWN },
    { "net/*/neigh/default/unres_qlen", "net/*/neigh/%/unres_qlen_bytes", DRAG_OWN },
    { "net/*/neigh/*/base_reachable_time", "net/*/neigh/*/base_reachable_time_ms", DRAG_OWN },
    { "net/*/neigh/*/retrans_time", "net/*/neigh/*/retrans_time_ms", DRAG_OWN },
    { "net/*/neigh/*/unres_qlen", "net/*/neigh/*/unres_qlen_bytes", DRAG_OWN },
    { "net/ipv6/route/gc_min_interval", "net/ipv6/route/gc_min_interval_ms", DRAG_OWN },
    { "net/ipv4/tcp_congestion_control", "net/ipv4/tcp_allowed_congestion_control", DRAG_OWN },
    { "net/mptcp/pm_type", "net/mptcp/path_manager", DRAG_OWN },
};

static const struct {
    const char *other, *name;
} aliases[] = {
    { "net/ipv4/conf/all/forwarding", "net/ipv4/ip_forward" },
    { "net/nf_conntrack_max", "net/netfilter/nf_conntrack_max" },
};

enum { ROWS = sizeof rows / sizeof *rows, ALIASES = sizeof aliases / sizeof *aliases };

const char *drag_canonical(const char *name) {
    for (int i = 0; i < ALIASES; i++)
        if (!strcmp(name, aliases[i].other))
            return aliases[i].name;
    return name;
}

/* --- patterns --------------------------------------------------------------------------------- */

enum { WORDS = 2 };

struct word {
    const char *at;
    size_t size;
};

/* words: what the '*' and '%' stand for. */
static bool matches(const char *pattern, const char *name, struct word words[WORDS]) {
    for (; *pattern; pattern++) {
        if (*pattern != '*' && *pattern != '%') {
            if (*pattern != *name++)
                return false;
            continue;
        }
        *words = (struct word){ name, strcspn(name, "/") };
        name += words++->size;
    }
    return !*name;
}

/* The pattern with words for each `sign`. False if it grows too long. */
static bool fill(const char *pattern, char sign, const struct word *words,
                 char out[SYSCTL_NAME_MAX]) {
    size_t used = 0;
    for (; *pattern; pattern++) {
        struct word next = *pattern == sign ? *words++ : (struct word){ pattern, 1 };
        if (used + next.size >= SYSCTL_NAME_MAX)
            return false;
        memcpy(out + used, next.at, next.size);
        used += next.size;
    }
    out[used] = '\0';
    return true;
}

/* The files of the next row that `key` matches: "net/ipv4/conf/%/forwarding". NULL after the last.
 */
static const struct row *next_row(const struct row *row, const char *key,
                                  char files[SYSCTL_NAME_MAX]) {
    struct word words[WORDS];
    for (; row < rows + ROWS; row++)
        if (matches(row->key, key, words))
            return row->file && fill(row->file, '*', words, files) ? row : NULL;
    return NULL;
}

/* --- questions -------------------------------------------------------------------------------- */

static bool is_all(const struct word *word) {
    return word->size == 3 && !memcmp(word->at, "all", 3);
}

/* The row by which `name` changes together with `key`. */
static const struct row *find(const char *key, const char *name, char files[SYSCTL_NAME_MAX]) {
    struct word words[WORDS] = { 0 };
    if (!strcmp(key, name))
        return NULL;
    for (const struct row *row = rows; (row = next_row(row, key, files)); row++)
        if (matches(files, name, words) && !is_all(words))
            return row;
    return NULL;
}

bool drag_finds(const char *key, const char *name, enum drag_value *value) {
    char files[SYSCTL_NAME_MAX];
    const struct row *row = find(key, name, files);
    if (row)
        *value = row->value;
    return row;
}

bool drag_default(const char *key, const char *name, char source[SYSCTL_NAME_MAX]) {
    static const struct word word = { "default", 7 };
    char files[SYSCTL_NAME_MAX];
    return find(key, name, files) && strchr(files, '%') && fill(files, '%', &word, source) &&
           strcmp(source, name) != 0;
}

/* --- all of them ------------------------------------------------------------------------------ */

static void each_entry(const char *files, const char *key, const struct dirent64 *entry,
                       void (*each)(const char *name)) {
    char name[SYSCTL_NAME_MAX];
    struct word word = { entry->d_name, strlen(entry->d_name) };
    if (entry->d_name[0] == '.' && (!word.at[1] || !strcmp(word.at, "..")))
        return;
    if (!is_all(&word) && fill(files, '%', &word, name) && strcmp(name, key) != 0)
        each(name);
}

/* Not opendir, which would allocate. */
static void each_interface(const char *files, const char *key, void (*each)(const char *name)) {
    char folder[SYSCTL_NAME_MAX + 16];
    char entries[4096] __attribute__((aligned(__alignof__(struct dirent64))));
    ssize_t size;
    *(char *)mempcpy(mempcpy(folder, "/proc/sys/", 10), files, strcspn(files, "%")) = '\0';
    cleanup_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd >= 0 && (size = getdents64(fd, entries, sizeof entries)) > 0)
        for (ssize_t at = 0; at < size;) {
            const struct dirent64 *entry = (const void *)(entries + at);
            each_entry(files, key, entry, each);
            at += entry->d_reclen;
        }
}

void drag_each(const char *key, void (*each)(const char *name)) {
    char files[SYSCTL_NAME_MAX];
    for (const struct row *row = rows; (row = next_row(row, key, files)); row++) {
        if (strchr(files, '%'))
            each_interface(files, key, each);
        else
            each(files);
    }
}
