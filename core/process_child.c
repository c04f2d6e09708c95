#include "process_child.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "guardian.h"
#include "limits.h"
#include "netns.h"
#include "sandbox.h"

enum { OWN_FILES_MAX = 32 * 1024 }; /* bytes; what is longer is cut off */

/* What every step below needs; there is one in a process, and it never returns. */
struct child {
    const struct process_spec *spec;
    const struct terminal *terminal;
    int reports;
};

static void report(const struct child *child, const struct report *report) {
    if (write(child->reports, report, sizeof *report) < 0)
        _exit(127); /* the parent is gone: so are we */
}

/* Takes the step that failed and errno to the parent. */
static _Noreturn void give_up(const struct child *child, const char *step, const char *object) {
    struct report failed = { .kind = REPORT_ERROR };
    int code = errno;
    error_set(&failed.err, code, "cannot %s%.100s: %s", step, object, strerror(code));
    report(child, &failed);
    _exit(127);
}

/* --- its own view of the files ---------------------------------------------------------------- */

/* Below a masked /proc or /sys, as in Docker, the kernel refuses to show an unmasked one. */
static void mount_fresh(const struct child *child, const char *type, const char *path) {
    if (mount(type, path, type, MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0)
        return;
    struct report refused = { .kind = REPORT_WARNING };
    error_set(&refused.err, errno,
              "programs see the %s of nsh, as the kernel refuses a fresh one: %s", path,
              strerror(errno));
    report(child, &refused);
}

/* A file that /etc does not have cannot be bound over; then all of them are merged into a read-only
   /etc. The folder is "." here, so its name cannot upset the list of options. */
static int merge_etc(void) {
    return mount("nsh", "/etc", "overlay", MS_RDONLY, "lowerdir=.:/etc");
}

static int bind_file(const char *name) {
    char over[PATH_MAX];
    if (!strcmp(name, ".") || !strcmp(name, ".."))
        return 0;
    snprintf(over, sizeof over, "/etc/%s", name);
    return mount(name, over, NULL, MS_BIND, NULL);
}

static int bind_files(void) {
    DIR *dir = opendir(".");
    struct dirent *entry;
    int result = dir ? 0 : -1;
    while (result == 0 && (entry = readdir(dir)))
        result = bind_file(entry->d_name);
    return result < 0 && errno == ENOENT ? merge_etc() : result;
}

static void cover_etc(const struct child *child) {
    const char *etc = child->spec->etc;
    cleanup_fd int home = open(".", O_PATH | O_CLOEXEC);
    if (!etc || chdir(etc) < 0)
        return;
    if (bind_files() < 0)
        give_up(child, "put files over /etc from ", etc);
    if (fchdir(home) < 0)
        give_up(child, "return to the current directory", "");
}

/* Into the folder of names, which is ours alone and empty. */
#define OWN_HOSTS NETNS_RUN_DIR "/hosts"

static int write_hosts(const char *hostname) {
    cleanup_fd int from = open("/etc/hosts", O_RDONLY | O_CLOEXEC);
    cleanup_fd int to = open(OWN_HOSTS, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (from < 0 || to < 0 || sendfile(to, from, NULL, OWN_FILES_MAX) < 0)
        return -1;
    return dprintf(to, "\n127.0.1.1\t%s\n", hostname) < 0 ? -1 : 0;
}

static bool has_own(const struct child *child, const char *file) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", child->spec->etc ? child->spec->etc : "", file);
    return child->spec->etc && access(path, F_OK) == 0;
}

/* Many a server asks for the address of its own host before it listens. A hostname that is in no
   file would be asked of a name server, for which it waits long where none answers. It is a
   courtesy: without a place for the file, or a file to cover, nothing happens. */
static void name_itself(const struct child *child) {
    if (!child->spec->hostname || has_own(child, "hosts"))
        return;
    if (write_hosts(child->spec->hostname) == 0)
        mount(OWN_HOSTS, "/etc/hosts", NULL, MS_BIND, NULL);
    unlink(OWN_HOSTS);
}

/* Returns whether there is a folder of names, which is then ours, and empty. */
static bool hide_names(const struct child *child) {
    if (mount("tmpfs", NETNS_RUN_DIR, "tmpfs", 0, "mode=755,size=64k") == 0)
        return true;
    if (errno != ENOENT)
        give_up(child, "hide ", NETNS_RUN_DIR);
    return false;
}

static void fresh_proc(const struct child *child) {
    mount_fresh(child, "proc", "/proc");
    if (sandbox_active() && sandbox_protect_proc() < 0)
        give_up(child, "protect /proc/sys", "");
}

static void fresh_sys(const struct child *child) {
    mount_fresh(child, "sysfs", "/sys");
    if (sandbox_active() && sandbox_protect_sys() < 0)
        give_up(child, "protect /sys", "");
}

/* Our namespace plays the host: what a program mounts there is seen by all, but for its /proc. */
static void view_of_host(const struct child *child) {
    if (mount(NULL, "/proc", NULL, MS_PRIVATE, NULL) < 0 && errno != EINVAL)
        give_up(child, "make /proc private", "");
    fresh_proc(child);
}

static void view_of_node(const struct child *child) {
    if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
        give_up(child, "make the mounts private", "");
    fresh_proc(child);
    fresh_sys(child);
    bool has_room = hide_names(child);
    cover_etc(child);
    if (has_room)
        name_itself(child);
}

/* --- the program ------------------------------------------------------------------------------ */

static void enter_network(const struct child *child) {
    const struct process_spec *spec = child->spec;
    if (spec->unshared && unshare(CLONE_NEWNET) < 0)
        give_up(child, "make a network namespace", "");
    if (spec->netns >= 0 && setns(spec->netns, CLONE_NEWNET) < 0)
        give_up(child, "enter the network namespace", "");
}

static void enter(const struct child *child) {
    const struct process_spec *spec = child->spec;
    enter_network(child);
    if (unshare(CLONE_NEWNS | (spec->hostname ? CLONE_NEWUTS : 0)) < 0)
        give_up(child, "make a mount namespace", "");
    if (spec->netns >= 0 || spec->unshared)
        view_of_node(child);
    else
        view_of_host(child);
    if (spec->hostname && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
        give_up(child, "set the hostname ", spec->hostname);
    if (spec->cwd && chdir(spec->cwd) < 0)
        give_up(child, "change to directory ", spec->cwd);
}

/* In two rounds: the descriptors may be 0 to 2 themselves, in any order. */
static void place_stdio(const struct child *child) {
    int moved[3];
    for (int i = 0; i < 3; i++) {
        int fd = child->spec->stdio[i];
        moved[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (fd >= 0 && moved[i] < 0)
            give_up(child, "use a descriptor", "");
    }
    for (int i = 0; i < 3; i++)
        if (moved[i] >= 0 && dup2(moved[i], i) < 0)
            give_up(child, "use a descriptor", "");
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
}

/* By the bare system call: glibc hides two real-time signals, which its posix_spawn leaves ignored.
 */
static void reset_signals(void) {
    static const unsigned long by_default[8]; /* the kernel's struct sigaction: SIG_DFL, no flags */
    sigset_t none;
    for (int i = 1; i < NSIG; i++)
        syscall(SYS_rt_sigaction, i, by_default, NULL, NSIG / 8); /* EINVAL for KILL and STOP */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become_program(const struct child *child) {
    const struct process_spec *spec = child->spec;
    guardian_leave();
    setpgid(0, 0);
    enter(child);
    terminal_grab(child->terminal);
    place_stdio(child);
    limits_restore();
    reset_signals();
    if (spec->envp)
        environ = (char **)spec->envp;
    execvp(spec->argv[0], spec->argv);
    struct report failed = { .kind = REPORT_ERROR };
    error_errno(&failed.err, errno);
    report(child, &failed);
    _exit(127);
}

/* --- the child in between --------------------------------------------------------------------- */

/* setns to a PID namespace concerns the children only, so it takes a second fork. CLONE_PARENT
   makes the program a child of our parent, which may wait for it and open its pidfd. */
_Noreturn void process_child(const struct process_spec *spec, const struct terminal *terminal,
                             int reports) {
    struct child child = { spec, terminal, reports };
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (setns(guardian_pidfd(), CLONE_NEWPID) < 0)
        give_up(&child, "enter the PID namespace of the guardian", "");
    long pid = syscall(SYS_clone, (unsigned long)(CLONE_PARENT | SIGCHLD), 0L, 0L, 0L, 0L);
    if (pid < 0)
        give_up(&child, "fork", "");
    if (pid == 0)
        become_program(&child);
    struct report started = { .kind = REPORT_PID, .pid = (pid_t)pid };
    report(&child, &started);
    _exit(0);
}
