/* The sandbox, as root and as an ordinary user. */
#include "child.h"

#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "../../core/guardian.h"
#include "../../core/netns.h"
#include "../../core/sandbox.h"

static void write_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static int is_lo_up(void) {
    struct ifreq lo = { .ifr_name = "lo" };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    must(ioctl(fd, SIOCGIFFLAGS, &lo) == 0);
    close(fd);
    return lo.ifr_flags & IFF_UP;
}

static ino_t namespace_id(const char *name) {
    struct stat status;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/ns/%s", name);
    must(stat(path, &status) == 0);
    return status.st_ino;
}

static int count_names(const char *name, void *count) {
    (void)name;
    ++*(int *)count;
    return 0;
}

static int names(void) {
    int count = 0;
    must_work(netns_list(count_names, &count, &err));
    return count;
}

static void enter_and_look(void) {
    ino_t user = namespace_id("user"), net = namespace_id("net"), mnt = namespace_id("mnt");
    must(!sandbox_active());
    must_work(sandbox_enter(&err));
    must(sandbox_active());
    must(geteuid() == 0 && getegid() == 0);
    must(namespace_id("user") != user && namespace_id("net") != net && namespace_id("mnt") != mnt);
    must(is_lo_up());
    ino_t inside = namespace_id("user");
    must_work(sandbox_enter(&err));
    must(namespace_id("user") == inside);
}

static void names_are_its_own(void) {
    must_work(sandbox_enter(&err));
    must(names() == 0);
    struct error err;
    int fd = netns_add("nsh-sandbox-test", &err);
    must(fd >= 0);
    must(names() == 1);
    must(netns_add("nsh-sandbox-test", &err) < 0 && err.code == EEXIST);
    must_work(netns_del("nsh-sandbox-test", &err));
    must(names() == 0);
    netns_add("nsh-sandbox-test", &err);
}

/* Whichever way /run/netns is made, what was in /run is still there. */
static void run_keeps_its_entries(void) {
    char before[64][64];
    int count = 0;
    DIR *dir = opendir("/run");
    for (struct dirent *entry; dir && count < 64 && (entry = readdir(dir));)
        snprintf(before[count++], sizeof *before, "/run/%.50s", entry->d_name);
    closedir(dir);
    must_work(sandbox_enter(&err));
    struct stat status;
    for (int i = 0; i < count; i++)
        must(lstat(before[i], &status) == 0);
    must(stat("/run/netns", &status) == 0);
}

static void other_ids_stay_mapped(void) {
    int fd;
    char path[] = "/tmp/nsh-sandbox-XXXXXX";
    must((fd = mkstemp(path)) >= 0 && fchown(fd, 1234, 1234) == 0 && fchmod(fd, 0600) == 0);
    struct stat status;
    must_work(sandbox_enter(&err));
    must(stat(path, &status) == 0 && status.st_uid == 1234 && status.st_gid == 1234);
    must((close(fd), fd = open(path, O_RDONLY)) >= 0);
    must(unlink(path) == 0);
}

static void *sleep_on(void *unused) {
    pause();
    return unused;
}

static void busy_with_thread(void) {
    struct error err;
    pthread_t thread;
    must(pthread_create(&thread, NULL, sleep_on, NULL) == 0);
    must(sandbox_enter(&err) < 0 && err.code == EBUSY);
}

static void busy_with_guardian(void) {
    struct error err;
    must_work(guardian_start(&err));
    must(sandbox_enter(&err) < 0 && err.code == EBUSY);
    must(guardian_stop() == 0);
}

/* A user namespace whose limit on a kind is zero; the limit counts for what is nested. */
static void limit_to_zero(const char *sysctl) {
    char uids[32], gids[32];
    snprintf(uids, sizeof uids, "0 %u 1", geteuid());
    snprintf(gids, sizeof gids, "0 %u 1", getegid());
    must(unshare(CLONE_NEWUSER) == 0);
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", uids);
    write_text("/proc/self/gid_map", gids);
    write_text(sysctl, "0");
}

static void hint_user(void) {
    struct error err;
    limit_to_zero("/proc/sys/user/max_user_namespaces");
    must(sandbox_enter(&err) < 0 && err.code == ENOSPC && !sandbox_active());
    must(strstr(err.hint, "user.max_user_namespaces"));
}

static void hint_net(void) {
    struct error err;
    limit_to_zero("/proc/sys/user/max_net_namespaces");
    must(sandbox_enter(&err) < 0 && err.code == ENOSPC);
    must(strstr(err.hint, "user.max_net_namespaces"));
}

/* --- as root and as nobody -------------------------------------------------------------------- */

AS_BOTH(enter_and_look)
AS_BOTH(names_are_its_own)
AS_BOTH(run_keeps_its_entries)
AS_BOTH(busy_with_thread)
AS_BOTH(hint_user)
AS_BOTH(hint_net)

static void test_as_root(void **state) {
    (void)state;
    if (geteuid() != 0)
        skip();
    run_child(other_ids_stay_mapped);
    run_child(busy_with_guardian);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_enter_and_look),
        cmocka_unit_test(test_names_are_its_own),
        cmocka_unit_test(test_run_keeps_its_entries),
        cmocka_unit_test(test_busy_with_thread),
        cmocka_unit_test(test_hint_user),
        cmocka_unit_test(test_hint_net),
        cmocka_unit_test(test_as_root),
    };
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
