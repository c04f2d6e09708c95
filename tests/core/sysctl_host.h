/* A sandbox whose root namespace plays the host, and what its parameters were. */
#pragma once

#include "child.h"

#include <ftw.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "../../core/sandbox.h"
#include "../../core/sysctl.h"
#include "../../core/sysctl_ledger.h"

#define CONF(interface, name) "net.ipv4.conf." interface "." name
#define CONF6(interface, name) "net.ipv6.conf." interface "." name

enum { KEYS_MAX = 4096, TEXT_MAX = 128 };

/* --- the host --------------------------------------------------------------------------------- */

static inline void run_command(const char *command) {
    must(system(command) == 0);
}

static inline void set(const char *key, const char *value) {
    must_work(sysctl_write(-1, key, value, &err));
}

static inline bool has(const char *key, const char *value) {
    char found[TEXT_MAX];
    must_work(sysctl_read(-1, key, found, sizeof found, &err));
    if (!strcmp(found, value))
        return true;
    fprintf(stderr, "# %s is %s, not %s\n", key, found, value);
    return false;
}

/* An interface that forwards although the host does not, and one that does what the host does. */
static inline void make_host(void) {
    must_work(sandbox_enter(&err));
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* of the labs' guardians */
    run_command("ip link add own type veth peer name other && ip link set own up");
    set(CONF("own", "forwarding"), "1");
    set(CONF6("own", "forwarding"), "1");
}

/* --- all that can be written ------------------------------------------------------------------ */

static struct {
    char *keys[KEYS_MAX];
    char *values[KEYS_MAX];
    size_t count;
} host;

static inline char *read_key(const char *key) {
    char text[4096];
    struct error err;
    return sysctl_read(-1, key, text, sizeof text, &err) < 0 ? NULL : strdup(text);
}

static inline int note_key(const char *path, const struct stat *status, int type, struct FTW *ftw) {
    (void)ftw;
    const char *key = path + strlen("/proc/sys/");
    char *value = type == FTW_F && (status->st_mode & 0200) ? read_key(key) : NULL;
    if (!value)
        return 0;
    must(host.count < KEYS_MAX);
    host.keys[host.count] = strdup(key);
    host.values[host.count++] = value;
    return 0;
}

static inline void take_picture(void) {
    for (size_t i = 0; i < host.count; i++) {
        free(host.keys[i]);
        free(host.values[i]);
    }
    host.count = 0;
    must(nftw("/proc/sys/net", note_key, 16, FTW_PHYS) == 0);
}

static inline bool is_as_in_picture(void) {
    bool same = true;
    for (size_t i = 0; i < host.count; i++) {
        char *value = read_key(host.keys[i]);
        if (value && strcmp(value, host.values[i]) != 0) {
            fprintf(stderr, "# %s was %s, is %s\n", host.keys[i], host.values[i], value);
            same = false;
        }
        free(value);
    }
    return same;
}

static inline bool is_folder_gone(void) {
    char folder[LEDGER_PATH_MAX];
    ledger_folder(folder);
    return access(folder, F_OK) < 0 && access("/run/nsh", F_OK) < 0;
}

static inline bool is_untouched(void) {
    return is_as_in_picture() && is_folder_gone();
}
