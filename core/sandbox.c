#include "sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "guardian.h"
#include "internet.h"
#include "netns.h"
#include "pipe.h"
#include "registry.h"

#define NETNS_PARENT "/run"

enum { MAP_MAX = 4096 }; /* the kernel takes at most a page */

static bool active;

/* --- why not ---------------------------------------------------------------------------------- */

/* A file of /proc that blocks when its line starts with `value`, and the cure. First match wins. */
static const struct blocker {
    int code;
    const char *path, *line, *value, *hint;
} blockers[] = {
    { EPERM, "/proc/sys/kernel/unprivileged_userns_clone", "", "0",
      "ordinary users may not make namespaces here: sysctl -w kernel.unprivileged_userns_clone=1" },
    { EPERM, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "", "1",
      "AppArmor takes the power from new user namespaces: "
      "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for nsh "
      "with the rule \"userns,\"" },
    { EPERM, "/proc/self/status", "Seccomp:", "2",
      "a seccomp filter forbids it, as in a container: run that with --security-opt "
      "seccomp=unconfined" },
    { EPERM, "/proc/self/status", "", "",
      "the kernel has no user namespaces for a process in a chroot, or one whose own user or group "
      "id "
      "is not mapped: see user_namespaces(7)" },
    { ENOSPC, "/proc/sys/user/max_user_namespaces", "", "0",
      "user namespaces are switched off: sysctl -w user.max_user_namespaces=10000" },
    { ENOSPC, "/proc/sys/user/max_net_namespaces", "", "0",
      "network namespaces are switched off: sysctl -w user.max_net_namespaces=10000" },
    { ENOSPC, "/proc/sys/user/max_mnt_namespaces", "", "0",
      "mount namespaces are switched off: sysctl -w user.max_mnt_namespaces=10000" },
    { ENOSPC, "/proc/self/status", "", "",
      "a limit is reached: raise user.max_user_namespaces, user.max_net_namespaces or "
      "user.max_mnt_namespaces, or nest less than 32 sandboxes" },
};

static bool applies(const struct blocker *blocker, int code) {
    char line[256];
    FILE *file = code == blocker->code ? fopen(blocker->path, "re") : NULL;
    bool found = false;
    size_t length = strlen(blocker->line);
    while (file && !found && fgets(line, sizeof line, file)) {
        if (strncmp(line, blocker->line, length) != 0)
            continue;
        const char *value = line + length + strspn(line + length, " \t");
        found = !strncmp(value, blocker->value, strlen(blocker->value));
    }
    if (file)
        fclose(file);
    return found;
}

/* Adds the cure to an error, if it is known. */
static int explain(struct error *err) {
    for (size_t i = 0; i < sizeof blockers / sizeof *blockers; i++)
        if (applies(&blockers[i], err->code))
            return error_hint(err, "%s", blockers[i].hint);
    return -1;
}

static int refuse(struct error *err, int code, const char *step) {
    error_set(err, code, "cannot %s: %s", step, strerror(code));
    return explain(err);
}

/* unshare has one EINVAL for several things. */
static int refuse_unshare(struct error *err, int code) {
    if (code == EINVAL && access("/proc/self/ns/user", F_OK) == 0)
        return error_set(err, EBUSY,
                         "a sandbox must be entered before the first change or program");
    error_errno(err, code);
    return explain(err);
}

/* --- user ids --------------------------------------------------------------------------------- */

static int write_file(const char *pid, const char *name, const char *text) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
    cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t size = (ssize_t)strlen(text);
    return fd >= 0 && write(fd, text, (size_t)size) == size ? 0 : -1;
}

static const unsigned namespaces = CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS;

static int enter_as_user(struct error *err) {
    char uids[32], gids[32];
    snprintf(uids, sizeof uids, "0 %u 1", geteuid());
    snprintf(gids, sizeof gids, "0 %u 1", getegid());
    if (unshare((int)namespaces) < 0)
        return refuse_unshare(err, errno);
    if (write_file("self", "setgroups", "deny") < 0 || write_file("self", "uid_map", uids) < 0 ||
        write_file("self", "gid_map", gids) < 0)
        return refuse(err, errno, "map the user of the sandbox");
    return 0;
}

/* Every id that is mapped here, mapped to itself: the ranges of our own map, inside -> inside. */
static int identity_map(const char *name, char map[MAP_MAX]) {
    char path[64];
    unsigned first, outside, count;
    snprintf(path, sizeof path, "/proc/self/%s", name);
    FILE *file = fopen(path, "re");
    size_t used = 0;
    if (!file)
        return -1;
    while (used < MAP_MAX && fscanf(file, "%u %u %u", &first, &outside, &count) == 3)
        used += (size_t)snprintf(map + used, MAP_MAX - used, "%u %u %u\n", first, first, count);
    fclose(file);
    errno = E2BIG;
    return used < MAP_MAX ? 0 : -1;
}

static int write_maps(const char *pid) {
    char uids[MAP_MAX], gids[MAP_MAX];
    if (identity_map("uid_map", uids) < 0 || identity_map("gid_map", gids) < 0)
        return -1;
    return write_file(pid, "uid_map", uids) < 0 ? -1 : write_file(pid, "gid_map", gids);
}

/* Writes once it is told that the parent has unshared; its exit status is an errno. */
static _Noreturn void mapper_main(int told, pid_t parent) {
    char pid[16], byte;
    snprintf(pid, sizeof pid, "%d", (int)parent);
    if (TEMP_FAILURE_RETRY(read(told, &byte, 1)) != 1)
        _exit(0);
    _exit(write_maps(pid) < 0 ? errno : 0);
}

static int finish_mapper(pid_t mapper) {
    int status;
    TEMP_FAILURE_RETRY(waitpid(mapper, &status, 0));
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
    return errno == 0 ? 0 : -1;
}

/* Maps of more than one id need power over the namespace outside, which we leave by unshare. */
static int enter_as_root(struct error *err) {
    int ends[2];
    pid_t self = getpid();
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_errno(err, errno);
    cleanup_fd int reader = ends[0], writer = ends[1];
    pid_t mapper = fork();
    if (mapper < 0)
        return error_set(err, errno, "cannot fork: %s", strerror(errno));
    close_fd(mapper == 0 ? &writer : &reader);
    if (mapper == 0)
        mapper_main(reader, self);
    int code = unshare((int)namespaces) < 0 ? errno : 0;
    if (code == 0 && pipe_write_all(writer, "", 1) < 0)
        code = errno;
    close_fd(&writer);
    int mapped = finish_mapper(mapper);
    if (code)
        return refuse_unshare(err, code);
    return mapped < 0 ? refuse(err, errno, "map the users of the sandbox") : 0;
}

static int become_root(struct error *err) {
    if (setgid(0) < 0 || setuid(0) < 0)
        return error_set(err, errno, "cannot become root of the sandbox: %s", strerror(errno));
    return 0;
}

/* Those that pasta made, but for the mounts. */
static int enter_internet(struct error *err) {
    cleanup_fd int holder = internet_start(err);
    if (holder < 0)
        return -1;
    if (setns(holder, CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return error_set(err, errno, "cannot enter the namespaces of pasta: %s", strerror(errno));
    if (become_root(err) < 0)
        return -1;
    return unshare(CLONE_NEWNS) < 0 ? refuse_unshare(err, errno) : 0;
}

/* --- network and files ------------------------------------------------------------------------ */

/* Also the probe: under AppArmor a user namespace may have been made and hold no power. */
static int bring_lo_up(struct error *err) {
    struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
    cleanup_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
        return refuse(err, errno, "bring lo up in the sandbox");
    return 0;
}

/* Makes an entry of the same kind, and binds the old one onto it. */
static int bind_entry(int old, const struct dirent *entry) {
    char from[300], to[300], target[PATH_MAX] = "";
    snprintf(from, sizeof from, "/proc/self/fd/%d/%s", old, entry->d_name);
    snprintf(to, sizeof to, NETNS_PARENT "/%s", entry->d_name);
    if (entry->d_type == DT_LNK)
        return readlink(from, target, sizeof target - 1) < 0 ? -1 : symlink(target, to);
    if (entry->d_type == DT_DIR ? mkdir(to, 0755) < 0 : mknod(to, S_IFREG | 0644, 0) < 0)
        return -1;
    return mount(from, to, NULL, MS_BIND | MS_REC, NULL);
}

/* Best effort: one that cannot be bound is missed by few. */
static void bind_entries(int old) {
    int copy = fcntl(old, F_DUPFD_CLOEXEC, 3);
    DIR *dir = fdopendir(copy);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            bind_entry(old, entry);
    if (dir)
        closedir(dir);
    else
        close_fd(&copy);
}

/* An overlay shows what lies in the folder, not what is mounted there. The users' own folders
   (display, sound) are worth a bind; where there are none it fails. */
static int bind_users(int old) {
    char users[64];
    snprintf(users, sizeof users, "/proc/self/fd/%d/user", old);
    mount(users, NETNS_PARENT "/user", NULL, MS_BIND | MS_REC, NULL);
    return 0;
}

static int overlay_run(int old) {
    char options[128];
    snprintf(options, sizeof options, "lowerdir=/proc/self/fd/%d,upperdir=%s,workdir=%s", old,
             NETNS_PARENT "/upper", NETNS_PARENT "/work");
    if (mkdir(NETNS_PARENT "/upper", 0755) < 0 || mkdir(NETNS_PARENT "/work", 0755) < 0)
        return -1;
    if (mount("nsh", NETNS_PARENT, "overlay", 0, options) == 0)
        return bind_users(old);
    rmdir(NETNS_PARENT "/upper");
    rmdir(NETNS_PARENT "/work");
    return -1;
}

/* We may not write to the real /run, or do not want to: one of our own, with all that it has. */
static int make_run_dir(struct error *err) {
    cleanup_fd int old = open(NETNS_PARENT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (old < 0 || mount("tmpfs", NETNS_PARENT, "tmpfs", 0, "mode=755") < 0)
        return refuse(err, errno, "cover " NETNS_PARENT " in the sandbox");
    if (overlay_run(old) < 0)
        bind_entries(old);
    if (mkdir(NETNS_RUN_DIR, 0755) < 0 && errno != EEXIST)
        return refuse(err, errno, "make " NETNS_RUN_DIR " in the sandbox");
    return 0;
}

/* Labs keep files in /run/nsh: also where there is a /run/netns, an ordinary user needs a /run. */
static int own_run_dir(struct error *err) {
    bool usable = access(NETNS_RUN_DIR, F_OK) == 0 && access(NETNS_PARENT, W_OK) == 0;
    if (!usable && make_run_dir(err) < 0)
        return -1;
    if (mount("tmpfs", NETNS_RUN_DIR, "tmpfs", 0, "mode=755") < 0)
        return refuse(err, errno, "cover " NETNS_RUN_DIR " in the sandbox");
    return 0;
}

/* Read-only but for what is mounted in it. The flags beside are locked on an inherited mount, and
   do no harm on another. */
static int make_read_only(const char *path) {
    return mount(NULL, path, NULL,
                 MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* A mount of its own, with what is mounted below. What is not shown needs no cover: not a failure.
 */
static bool bind_on_itself(const char *path) {
    return mount(path, path, NULL, MS_BIND | MS_REC, NULL) == 0;
}

int sandbox_protect_proc(void) {
    return bind_on_itself("/proc/sys") && bind_on_itself("/proc/sys/net")
               ? make_read_only("/proc/sys")
               : 0;
}

int sandbox_protect_sys(void) {
    return bind_on_itself("/sys/devices/virtual/net") ? make_read_only("/sys") : 0;
}

/* Slave of the real mounts, that none of ours gets out; shared within, so that what a program
   mounts is seen by all of the sandbox, as on a host. */
static int own_mounts(struct error *err) {
    if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
        return refuse(err, errno, "make the mounts of the sandbox its own");
    if (own_run_dir(err) < 0)
        return -1;
    if (mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 &&
        errno != EPERM)
        return refuse(err, errno, "mount /sys in the sandbox");
    if (sandbox_protect_proc() < 0 || sandbox_protect_sys() < 0)
        return refuse(err, errno, "protect the machine's parameters from the sandbox");
    if (mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL) < 0)
        return refuse(err, errno, "share the mounts of the sandbox within it");
    return 0;
}

static int enter_by(int (*enter)(struct error *), struct error *err) {
    if (active)
        return 0;
    if (guardian_pidfd() >= 0)
        return error_set(err, EBUSY,
                         "a sandbox must be entered before the first change or program");
    registry_prepare();
    if (enter(err) < 0 || bring_lo_up(err) < 0 || own_mounts(err) < 0)
        return -1;
    active = true;
    return 0;
}

int sandbox_enter(struct error *err) {
    return enter_by(geteuid() == 0 ? enter_as_root : enter_as_user, err);
}

int sandbox_enter_internet(struct error *err) {
    if (geteuid() == 0) {
        error_set(err, EPERM, "--internet is an ordinary user's way out of a sandbox");
        return error_hint(err, "root has the real network without it and without -S");
    }
    if (enter_by(enter_internet, err) < 0)
        return -1;
    internet_find_resolver();
    return 0;
}

/* --- somebody else's ---------------------------------------------------------------------------
 */

/* A program of the sandbox is in its user namespace already: that is EINVAL. */
static int join(int pidfd, bool sandboxed) {
    int kinds = CLONE_NEWNET | CLONE_NEWNS;
    if (sandboxed && setns(pidfd, kinds | CLONE_NEWUSER) == 0)
        return 0;
    return sandboxed && errno != EINVAL ? -1 : setns(pidfd, kinds);
}

int sandbox_join(int pidfd, bool sandboxed, struct error *err) {
    cleanup_free char *here = getcwd(NULL, 0);
    if (join(pidfd, sandboxed) < 0)
        return error_set(err, errno, "cannot enter the namespaces of the lab: %s", strerror(errno));
    if (sandboxed && become_root(err) < 0)
        return -1;
    if ((!here || chdir(here) < 0) && chdir("/") < 0)
        return error_errno(err, errno);
    active = sandboxed;
    return 0;
}

bool sandbox_internet(void) {
    return active && internet_link() >= 0;
}

bool sandbox_active(void) {
    return active;
}
