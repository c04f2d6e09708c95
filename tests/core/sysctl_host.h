/* A sandbox whose root namespace plays the host; what its parameters were; and labs, which are
   processes with a guardian of their own. */
#pragma once

#include "child.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "../../core/guardian.h"
#include "../../core/sandbox.h"
#include "../../core/sysctl.h"
#include "../../core/sysctl_hold.h"
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

/* One that forwards although the host does not, and others that do what the host does. */
static inline void add_interfaces(void) {
    run_command("ip link add own type veth peer name other && ip link set own up");
    run_command("ip link add with.dot type veth peer name peer");
    set(CONF("own", "forwarding"), "1");
    set(CONF6("own", "forwarding"), "1");
}

/* With a /run of its own, which a sandbox has only if it needs one. */
static inline void make_host(void) {
    must_work(sandbox_enter(&err));
    must(mount("tmpfs", "/run", "tmpfs", 0, "mode=755") == 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* of the labs' guardians */
    add_interfaces();
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

/* --- labs ------------------------------------------------------------------------------------- */

struct lab {
    pid_t pid, guardian;
    int socket;
};

enum task { HOLD, DOWN, KEEP };

struct order {
    enum task task;
    unsigned lab;
    char key[TEXT_MAX], value[TEXT_MAX], name[TEXT_MAX];
};

struct answer {
    pid_t guardian;
    struct error err;
};

static inline void do_task(const struct order *order, struct error *err) {
    if (order->task == HOLD)
        sysctl_hold(order->lab, order->name, order->key, order->value, err);
    if (order->task == DOWN && guardian_down(order->lab, err) == 0)
        guardian_sync(err);
    if (order->task == KEEP && guardian_keep(err) == 0)
        guardian_sync(err);
}

static inline void obey(int socket) {
    struct order order;
    while (read(socket, &order, sizeof order) == sizeof order) {
        struct answer answer = { 0 };
        do_task(&order, &answer.err);
        answer.guardian = guardian_pid();
        must(write(socket, &answer, sizeof answer) == sizeof answer);
    }
    must(guardian_stop() == 0);
    _exit(0);
}

static inline struct lab start_lab(void) {
    int ends[2];
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    pid_t pid = fork();
    must(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], 3);
        close_range(4, ~0U, 0); /* the other labs' */
        obey(3);
    }
    close(ends[1]);
    return (struct lab){ pid, 0, ends[0] };
}

/* Its error, code 0 if there is none. */
static inline struct error give(struct lab *lab, const struct order *order) {
    struct answer answer;
    must(write(lab->socket, order, sizeof *order) == sizeof *order);
    must(read(lab->socket, &answer, sizeof answer) == sizeof answer);
    lab->guardian = answer.guardian;
    return answer.err;
}

/* number: as the guardian knows the lab, or one up() of it; 1, 11, 21 … are of the same name. */
static inline struct error order_hold(struct lab *lab, unsigned number, const char *key,
                                      const char *value) {
    struct order order = { .task = HOLD, .lab = number };
    snprintf(order.key, sizeof order.key, "%s", key);
    snprintf(order.value, sizeof order.value, "%s", value);
    snprintf(order.name, sizeof order.name, "no%u", number % 10);
    return give(lab, &order);
}

static inline void order_to(struct lab *lab, enum task task, unsigned number) {
    struct order order = { .task = task, .lab = number };
    must(give(lab, &order).code == 0);
}

static inline void hold(struct lab *lab, const char *key, const char *value) {
    struct error err = order_hold(lab, 1, key, value);
    if (err.code)
        fprintf(stderr, "%s = %s: %s\n", key, value, err.message);
    must(err.code == 0);
}

static inline void end(struct lab *lab) {
    int status;
    close(lab->socket);
    must(waitpid(lab->pid, &status, 0) == lab->pid && status == 0);
}

static inline void kill_lab(struct lab *lab) {
    must(kill(lab->pid, SIGKILL) == 0 && waitpid(lab->pid, NULL, 0) == lab->pid);
    must(waitpid(lab->guardian, NULL, 0) == lab->guardian);
    close(lab->socket);
}

static inline void kill_both(struct lab *lab) {
    must(kill(lab->guardian, SIGKILL) == 0);
    kill_lab(lab);
}
