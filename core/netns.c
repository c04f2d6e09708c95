#include "netns.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cleanup.h"

/* The helper thread: it sleeps, takes one job, enters, runs it, comes back. One that cannot come
   back ends itself, and the next job starts another. */
struct job {
    int ns;
    int (*fn)(void *arg);
    void *arg;
    int result;
    struct error *err;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t posted, finished;
    struct job *job;
    pid_t owner; /* a forked child has the memory but not the thread */
    bool alive, done;
} helper;

static bool run_job(struct job *job, int home) {
    if (setns(job->ns, CLONE_NEWNET) < 0) {
        job->result = error_set(job->err, errno, "cannot enter the namespace: %s", strerror(errno));
        return true;
    }
    job->result = job->fn(job->arg);
    return setns(home, CLONE_NEWNET) == 0;
}

static void *helper_main(void *unused) {
    (void)unused;
    int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    bool sound = true;
    pthread_mutex_lock(&helper.lock);
    while (sound) {
        while (!helper.job)
            pthread_cond_wait(&helper.posted, &helper.lock);
        sound = run_job(helper.job, home);
        helper.job = NULL;
        helper.done = true;
        helper.alive = sound;
        pthread_cond_signal(&helper.finished);
    }
    pthread_mutex_unlock(&helper.lock);
    close(home);
    return NULL;
}

/* A forked child copies the conditions with the parent's thread waiting for them, and would count
   it among those to be woken. */
static void forget_parent(void) {
    pthread_mutex_init(&helper.lock, NULL);
    pthread_cond_init(&helper.posted, NULL);
    pthread_cond_init(&helper.finished, NULL);
    helper.alive = false;
    helper.owner = getpid();
}

static int start_helper(struct error *err) {
    if (helper.owner != getpid())
        forget_parent();
    if (helper.alive)
        return 0;
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&thread, NULL, helper_main, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code)
        return error_set(err, code, "cannot start a thread: %s", strerror(code));
    pthread_detach(thread);
    helper.alive = true;
    return 0;
}

int netns_run(int ns, int (*fn)(void *arg), void *arg, struct error *err) {
    if (ns < 0)
        return fn(arg);
    struct job job = { .ns = ns, .fn = fn, .arg = arg, .result = -1, .err = err };
    if (start_helper(err) < 0)
        return -1;
    pthread_mutex_lock(&helper.lock);
    helper.done = false;
    helper.job = &job;
    pthread_cond_signal(&helper.posted);
    while (!helper.done)
        pthread_cond_wait(&helper.finished, &helper.lock);
    pthread_mutex_unlock(&helper.lock);
    return job.result;
}

/* --- opening ---------------------------------------------------------------------------------- */

static int check_kind(int fd) {
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC &&
           ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET;
}

static int open_namespace(const char *path, const char *what, struct error *err) {
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno);
    if (!check_kind(fd))
        return error_set(err, EINVAL, "%s is not a network namespace", what);
    return take_fd(&fd);
}

int netns_current(struct error *err) {
    return open_namespace("/proc/thread-self/ns/net", "of this program", err);
}

int netns_open_path(const char *path, struct error *err) {
    return open_namespace(path, path, err);
}

int netns_open_pid(pid_t pid, struct error *err) {
    char path[64], what[32];
    snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
    snprintf(what, sizeof what, "of process %d", (int)pid);
    int fd = open_namespace(path, what, err);
    return fd < 0 && err->code == ENOENT ? error_set(err, ESRCH, "there is no process %d", (int)pid)
                                         : fd;
}

int netns_check_name(const char *name, struct error *err) {
    if (!*name)
        return error_set(err, EINVAL, "the name of a namespace cannot be empty");
    if (strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
        return error_set(err, EINVAL, "\"%s\" cannot be the name of a namespace", SHORT(name));
    if (strlen(name) > NAME_MAX)
        return error_set(err, ENAMETOOLONG,
                         "the name of a namespace has at most %d bytes, this one %zu", NAME_MAX,
                         strlen(name));
    return 0;
}

static int name_to_path(const char *name, char path[PATH_MAX], struct error *err) {
    if (netns_check_name(name, err) < 0)
        return -1;
    snprintf(path, PATH_MAX, "%s/%s", NETNS_RUN_DIR, name);
    return 0;
}

int netns_open_name(const char *name, struct error *err) {
    char path[PATH_MAX];
    if (name_to_path(name, path, err) < 0)
        return -1;
    int fd = open_namespace(path, name, err);
    return fd < 0 && err->code == ENOENT
               ? error_set(err, ENOENT, "there is no namespace named \"%s\"", SHORT(name))
               : fd;
}

/* --- names ------------------------------------------------------------------------------------ */

/* ip-netns(8): a shared mount of its own, so that a name is seen, and taken away, in every mount
   namespace that is a peer. The lock keeps two first-comers from stacking two mounts. */
static int prepare_run_dir(struct error *err) {
    if (mkdir(NETNS_RUN_DIR, 0755) < 0 && errno != EEXIST)
        return error_set(err, errno, "cannot create %s: %s", NETNS_RUN_DIR, strerror(errno));
    cleanup_fd int lock = open(NETNS_RUN_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0 || flock(lock, LOCK_EX) < 0)
        return error_set(err, errno, "cannot lock %s: %s", NETNS_RUN_DIR, strerror(errno));
    if (mount("", NETNS_RUN_DIR, "none", MS_SHARED | MS_REC, NULL) == 0)
        return 0;
    if (errno == EINVAL &&
        mount(NETNS_RUN_DIR, NETNS_RUN_DIR, "none", MS_BIND | MS_REC, NULL) == 0 &&
        mount("", NETNS_RUN_DIR, "none", MS_SHARED | MS_REC, NULL) == 0)
        return 0;
    return error_set(err, errno, "cannot make %s a shared mount: %s", NETNS_RUN_DIR,
                     strerror(errno));
}

static int mount_name(int ns, const char *path, struct error *err) {
    char source[64];
    snprintf(source, sizeof source, "/proc/self/fd/%d", ns);
    if (mount(source, path, "none", MS_BIND, NULL) < 0)
        return error_set(err, errno, "cannot mount %s: %s", path, strerror(errno));
    return 0;
}

/* The namespace first: killed in between, the file alone would be a name that is none. */
int netns_add(const char *name, struct error *err) {
    char path[PATH_MAX];
    if (name_to_path(name, path, err) < 0 || prepare_run_dir(err) < 0)
        return -1;
    cleanup_fd int ns = access(path, F_OK) < 0 ? netns_new(err) : error_errno(err, EEXIST);
    if (ns < 0)
        return -1;
    cleanup_fd int file = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
    if (file < 0)
        return error_errno(err, errno);
    if (mount_name(ns, path, err) < 0) {
        unlink(path);
        return -1;
    }
    return take_fd(&ns);
}

int netns_del(const char *name, struct error *err) {
    char path[PATH_MAX];
    if (name_to_path(name, path, err) < 0)
        return -1;
    umount2(path, MNT_DETACH); /* a name without a mount is removed all the same */
    if (unlink(path) == 0)
        return 0;
    return errno == ENOENT
               ? error_set(err, ENOENT, "there is no namespace named \"%s\"", SHORT(name))
               : error_errno(err, errno);
}

/* No mount: a symlink is seen wherever the folder is, and the folder needs none for it. */
int netns_publish(const char *name, const char *target, struct error *err) {
    char path[PATH_MAX];
    if (name_to_path(name, path, err) < 0)
        return -1;
    if (symlink(target, path) == 0)
        return 0;
    if (errno != ENOENT)
        return error_errno(err, errno);
    if (mkdir(NETNS_RUN_DIR, 0755) < 0 && errno != EEXIST)
        return error_set(err, errno, "cannot create %s: %s", NETNS_RUN_DIR, strerror(errno));
    return symlink(target, path) < 0 ? error_errno(err, errno) : 0;
}

static int is_name(const struct dirent *entry) {
    return strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
}

int netns_list(int (*each)(const char *name, void *arg), void *arg, struct error *err) {
    struct dirent **entries;
    int count = scandir(NETNS_RUN_DIR, &entries, is_name, alphasort);
    if (count < 0)
        return errno == ENOENT ? 0 : error_errno(err, errno);
    int stop = 0;
    for (int i = 0; i < count; i++) {
        if (!stop)
            stop = each(entries[i]->d_name, arg);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

/* --- opening things inside -------------------------------------------------------------------- */

struct opening {
    int fd;
    const char *path;
    int flags, domain, type, protocol;
    struct error *err;
};

static int open_socket(void *arg) {
    struct opening *open = arg;
    open->fd = socket(open->domain, open->type | SOCK_CLOEXEC, open->protocol);
    return open->fd < 0 ? error_set(open->err, errno, "cannot open a socket: %s", strerror(errno))
                        : 0;
}

int netns_socket(int ns, int domain, int type, int protocol, struct error *err) {
    struct opening new = {
        .fd = -1, .domain = domain, .type = type, .protocol = protocol, .err = err
    };
    return netns_run(ns, open_socket, &new, err) < 0 ? -1 : new.fd;
}

static int open_file(void *arg) {
    struct opening *file = arg;
    file->fd = open(file->path, file->flags | O_CLOEXEC);
    return file->fd < 0 ? error_errno(file->err, errno) : 0;
}

int netns_open_file(int ns, const char *path, int flags, struct error *err) {
    struct opening new = { .fd = -1, .path = path, .flags = flags, .err = err };
    return netns_run(ns, open_file, &new, err) < 0 ? -1 : new.fd;
}
