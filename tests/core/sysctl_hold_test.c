/* Parameters of the host's network namespace, held by labs. Each test has a sandbox to play the
   host, and processes in it, each with a guardian of its own, to play the labs. */
#include "sysctl_host.h"

#include <sched.h>
#include <sys/mount.h>
#include <time.h>

#define FORWARD "net.ipv4.ip_forward"
#define FORWARD6 "net.ipv6.conf.all.forwarding"

enum { ROUNDS = 25, ROUND_MAX_US = 20000 };

/* --- one holder ------------------------------------------------------------------------------- */

static void hold_all(struct lab *lab) {
    hold(lab, FORWARD, "1");
    hold(lab, FORWARD6, "1");
    hold(lab, CONF6("all", "disable_ipv6"), "1");
    hold(lab, CONF("default", "rp_filter"), "2");
    hold(lab, CONF("own", "rp_filter"), "1");
    hold(lab, "net/ipv4/ip_local_reserved_ports", "8080,9000-9010");
    hold(lab, "net.ipv4.tcp_rmem", "8192 65536 1048576");
    hold(lab, "net.ipv4.conf.with/dot.proxy_arp", "1");
}

static void one_holder(void) {
    make_host();
    take_picture();
    struct lab lab = start_lab();
    hold_all(&lab);
    must(has(CONF("other", "forwarding"), "1") && has(CONF("all", "accept_redirects"), "0"));
    must(has(CONF("own", "rp_filter"), "1") && has(CONF("other", "rp_filter"), "2"));
    must(has(CONF6("other", "forwarding"), "1") && has(CONF6("own", "disable_ipv6"), "1"));
    must(has("net.ipv4.tcp_rmem", "8192\t65536\t1048576"));
    must(has("net/ipv4/conf/with.dot/proxy_arp", "1"));
    end(&lab);
    must(is_untouched());
    must(has(CONF("own", "forwarding"), "1") && has(CONF("other", "forwarding"), "0"));
    must(has(CONF6("own", "forwarding"), "1") && has(CONF6("other", "forwarding"), "0"));
}

static void one_killed(void) {
    make_host();
    take_picture();
    struct lab lab = start_lab();
    hold_all(&lab);
    kill_lab(&lab);
    must(is_untouched());
}

/* Hardened: nothing of this is what the kernel would make of it. */
static void own_values(void) {
    make_host();
    set(CONF("all", "accept_redirects"), "0");
    set(CONF("default", "forwarding"), "1");
    set(FORWARD6, "1");
    set(CONF6("own", "forwarding"), "0");
    set(CONF6("default", "forwarding"), "0");
    take_picture();
    struct lab lab = start_lab();
    hold(&lab, FORWARD, "1");
    hold(&lab, FORWARD6, "1"); /* which it is, but not everywhere */
    must(has(CONF6("own", "forwarding"), "1") && has(CONF6("default", "forwarding"), "1"));
    hold(&lab, FORWARD, "0");
    hold(&lab, FORWARD, "1");
    end(&lab);
    must(is_untouched());
}

/* As root on the real host, whose network namespace is the test's. */
static void without_sandbox(void) {
    must(unshare(CLONE_NEWNET) == 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    add_interfaces();
    take_picture();
    struct lab first = start_lab(), second = start_lab();
    hold_all(&first);
    hold_all(&second);
    must(access("/run/nsh", F_OK) == 0);
    kill_lab(&first);
    must(has(CONF("other", "forwarding"), "1"));
    end(&second);
    must(is_untouched());
}

/* --- two holders ------------------------------------------------------------------------------ */

static void counted(void) {
    make_host();
    take_picture();
    for (int second_first = 0; second_first < 2; second_first++) {
        struct lab first = start_lab(), second = start_lab();
        hold(&first, FORWARD, "1");
        hold(&second, CONF("all", "forwarding"), "1"); /* the same by another name */
        hold(&first, CONF("default", "rp_filter"), "2");
        hold(&second, CONF("default", "rp_filter"), "2");
        end(second_first ? &second : &first);
        must(has(CONF("other", "rp_filter"), "2"));
        must(has(FORWARD, "1") && has(CONF("other", "forwarding"), "1"));
        must(has(CONF("all", "accept_redirects"), "0"));
        kill_lab(second_first ? &first : &second);
        must(is_untouched());
    }
}

static void another_value(void) {
    char words[TEXT_MAX];
    make_host();
    take_picture();
    struct lab first = start_lab(), second = start_lab();
    hold(&first, FORWARD, "1");
    struct error err = order_hold(&second, 2, "net/ipv4/ip_forward", "0");
    snprintf(words, sizeof words, "lab no1 (pid %d) holds it at 1", (int)first.pid);
    must(err.code == EBUSY && !strcmp(err.message, words));
    must(has(FORWARD, "1"));
    end(&first);
    must(is_untouched());
    err = order_hold(&second, 2, FORWARD, "1");
    must(err.code == 0 && has(FORWARD, "1"));
    err = order_hold(&second, 1, FORWARD, "0"); /* another lab of the same process */
    must(err.code == EBUSY && strstr(err.message, "lab no2 "));
    end(&second);
    must(is_untouched());
}

static void another_mind(void) {
    make_host();
    take_picture();
    struct lab first = start_lab(), second = start_lab();
    hold(&first, FORWARD, "1");
    hold(&first, FORWARD, "0");
    must(has(FORWARD, "0") && has(CONF("own", "forwarding"), "0"));
    hold(&first, FORWARD, "1");
    hold(&first, "net.ipv4.tcp_rmem", "8192 65536 1048576");
    hold(&second, "net.ipv4.tcp_rmem", "8192\t65536  1048576");
    end(&second);
    must(has("net.ipv4.tcp_rmem", "8192\t65536\t1048576"));
    end(&first);
    must(is_untouched());
}

/* Each up() of a lab is a number of its own; what it changed is taken back with it. */
static void one_by_one(void) {
    make_host();
    take_picture();
    struct lab lab = start_lab();
    must(order_hold(&lab, 1, FORWARD, "1").code == 0);
    must(order_hold(&lab, 2, FORWARD6, "1").code == 0);
    must(order_hold(&lab, 11, FORWARD, "0").code == 0);
    must(has(FORWARD, "0"));
    order_to(&lab, DOWN, 11);
    must(has(FORWARD, "1") && has(CONF("other", "forwarding"), "1"));
    order_to(&lab, DOWN, 1);
    must(has(FORWARD, "0") && has(CONF("own", "forwarding"), "1") && has(FORWARD6, "1"));
    order_to(&lab, DOWN, 2);
    must(is_untouched());
    end(&lab);
}

/* What one has released is no longer known while another one holds something else. */
static void forgotten(void) {
    make_host();
    struct lab stays = start_lab(), first = start_lab(), second = start_lab();
    hold(&stays, "net.ipv4.tcp_rmem", "8192 65536 1048576");
    hold(&first, FORWARD, "1");
    end(&first);
    set(CONF("other", "forwarding"), "1");
    hold(&second, FORWARD, "1");
    end(&second);
    must(has(CONF("other", "forwarding"), "1"));
    end(&stays);
}

/* One holds all interfaces, the other one of them at another value: each way round, and each end.
 */
static void one_of_all(void) {
    make_host();
    take_picture();
    for (int way = 0; way < 4; way++) {
        struct lab all = start_lab(), one = start_lab();
        hold(way & 1 ? &all : &one, way & 1 ? FORWARD : CONF("own", "forwarding"),
             way & 1 ? "1" : "0");
        hold(way & 1 ? &one : &all, way & 1 ? CONF("own", "forwarding") : FORWARD,
             way & 1 ? "0" : "1");
        must(has(CONF("own", "forwarding"), "0") && has(CONF("other", "forwarding"), "1"));
        end(way & 2 ? &all : &one);
        must(has(CONF("own", "forwarding"), way & 2 ? "0" : "1"));
        must(has(CONF("other", "forwarding"), way & 2 ? "0" : "1"));
        end(way & 2 ? &one : &all);
        must(is_untouched());
    }
}

/* --- interfaces come and go ------------------------------------------------------------------- */

static void interfaces(void) {
    make_host();
    set(CONF6("default", "forwarding"), "1");
    set(CONF("default", "rp_filter"), "1");
    take_picture();
    struct lab first = start_lab(), second = start_lab();
    hold(&first, FORWARD, "1");
    hold(&first, FORWARD6, "1");
    hold(&first, CONF("default", "rp_filter"), "2");
    run_command("ip link del own && ip link add new type veth peer name newer");
    hold(&second, FORWARD, "1");
    set(CONF("newer", "rp_filter"), "0");           /* by hand */
    run_command("ip addr add 10.0.0.1/24 dev new"); /* from then on as if set by hand */
    end(&first);
    must(has(CONF("new", "forwarding"), "1") && has(CONF("new", "rp_filter"), "1"));
    must(has(CONF("newer", "rp_filter"), "0"));
    must(has(CONF6("new", "forwarding"), "1")); /* the default of before */
    end(&second);
    must(has(CONF("new", "forwarding"), "0") && is_untouched());
}

/* --- without a guardian ----------------------------------------------------------------------- */

static void stale(void) {
    make_host();
    take_picture();
    for (int by_release = 0; by_release < 2; by_release++) {
        struct lab dead = start_lab(), alive = start_lab();
        if (by_release)
            hold(&alive, "net.ipv4.ip_default_ttl", "33");
        hold_all(&dead);
        kill_both(&dead);
        must(has(FORWARD, "1") && has(CONF("other", "rp_filter"), "2"));
        if (!by_release)
            hold(&alive, FORWARD, "0"); /* that the dead one held at 1 */
        must(by_release || (has(FORWARD, "0") && has(CONF("other", "rp_filter"), "0")));
        end(&alive);
        must(is_untouched());
    }
}

/* One of two: the other one goes on. */
static void stale_beside(void) {
    make_host();
    take_picture();
    struct lab dead = start_lab(), alive = start_lab();
    hold(&dead, FORWARD, "1");
    hold(&alive, FORWARD, "1");
    kill_both(&dead);
    hold(&alive, "net.ipv4.ip_default_ttl", "33");
    must(has(FORWARD, "1") && has(CONF("other", "forwarding"), "1"));
    end(&alive);
    must(is_untouched());
}

/* The guardian goes on alone, and then it is killed. */
static void kept(void) {
    make_host();
    take_picture();
    struct lab gone = start_lab(), other = start_lab();
    hold(&gone, FORWARD, "1");
    order_to(&gone, KEEP, 0);
    end(&gone);
    hold(&other, "net.ipv4.ip_default_ttl", "33");
    must(order_hold(&other, 1, FORWARD, "0").code == EBUSY && has(FORWARD, "1"));
    must(kill(gone.guardian, SIGKILL) == 0);
    must(waitpid(gone.guardian, NULL, 0) == gone.guardian);
    must(has(FORWARD, "1"));
    hold(&other, FORWARD, "0");
    must(has(FORWARD, "0") && has(CONF("other", "forwarding"), "0"));
    end(&other);
    must(is_untouched());
}

/* --- refusals --------------------------------------------------------------------------------- */

static void refused(const char *key, const char *value, int code) {
    struct error err;
    must(sysctl_hold(0, NULL, key, value, &err) < 0);
    if (err.code != code)
        fprintf(stderr, "# %s: %s\n", key, err.message);
    must(err.code == code && is_untouched());
}

static void refusals(void) {
    char longer[SYSCTL_VALUE_MAX + 1];
    memset(longer, '1', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    make_host();
    take_picture();
    refused("net.ipv4.nonesuch", "1", ENOENT);
    refused("net.ipv4..ip_forward", "1", EINVAL);
    refused("net//ipv4/ip_forward", "1", EINVAL);
    refused("net/./ipv4/ip_forward", "1", EINVAL);
    refused("kernel.hostname", "x", EINVAL);
    refused(FORWARD, "many", EINVAL);
    refused(FORWARD, "1\n1", EINVAL);
    refused(FORWARD, longer, ENAMETOOLONG);
    refused(CONF("own", "mc_forwarding"), "1", EACCES);
    refused(CONF6("own", "stable_secret"), "::1", EIO);
    must(guardian_stop() == 0 && is_untouched());
}

/* Killed before there was anything to release. */
static void half_made(void) {
    const struct sysctl_token token = { 1, 1 };
    char folder[LEDGER_PATH_MAX];
    make_host();
    ledger_folder(folder);
    must(mkdir("/run/nsh", 0755) == 0);
    sysctl_release(folder, &token);
    must(is_folder_gone());
    must(mkdir("/run/nsh", 0755) == 0 && mkdir(folder, 0700) == 0);
    sysctl_release(folder, &token);
    must(is_folder_gone());
}

/* /run may not be writable, and in /tmp anybody may have been there before. */
static void without_run(void) {
    char folder[LEDGER_PATH_MAX];
    struct error err;
    make_host();
    must(mount(NULL, "/run", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
    take_picture();
    ledger_folder(folder);
    must(!strncmp(folder, "/tmp/nsh-sysctl-", 16));
    must(mkdir(folder, 0700) == 0 && chmod(folder, 0755) == 0);
    struct lab lab = start_lab();
    err = order_hold(&lab, 0, FORWARD, "1");
    must(err.code == EPERM && strstr(err.message, folder));
    must(rmdir(folder) == 0 && is_untouched());
    hold_all(&lab);
    must(access(folder, F_OK) == 0);
    kill_lab(&lab);
    must(is_untouched());
}

/* --- killed at any moment --------------------------------------------------------------------- */

static void busy(void) {
    for (;;) {
        must_work(sysctl_hold(0, NULL, FORWARD, "1", &err));
        must_work(sysctl_hold(1, "busy", FORWARD6, "1", &err));
        must_work(sysctl_hold(1, "busy", CONF("default", "rp_filter"), "2", &err));
        must_work(sysctl_hold(1, "busy", CONF("own", "rp_filter"), "0", &err));
        must(guardian_stop() == 0);
    }
}

/* Whoever is ours, guardians too: those that are told to live. */
static void kill_children(void) {
    char path[64], pid[16];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "re");
    must(file);
    while (fscanf(file, "%15s", pid) == 1)
        kill(atoi(pid), SIGKILL);
    fclose(file);
}

static void killed_at_any_moment(void) {
    make_host();
    take_picture();
    srand((unsigned)time(NULL));
    for (int round = 0; round < ROUNDS; round++) {
        pid_t pids[2];
        for (int i = 0; i < 2; i++)
            if ((pids[i] = fork()) == 0)
                busy();
        for (int i = 0; i < 2; i++) {
            int status;
            usleep((useconds_t)(rand() % ROUND_MAX_US));
            must(kill(pids[i], SIGKILL) == 0 && waitpid(pids[i], &status, 0) == pids[i]);
            must(WIFSIGNALED(status));
        }
        must(nothing_left() && is_untouched());
    }
}

/* The guardians as well, for which somebody must come after them. */
static void all_killed_at_any_moment(void) {
    make_host();
    take_picture();
    srand((unsigned)time(NULL));
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 2; i++)
            if (fork() == 0)
                busy();
        usleep((useconds_t)(rand() % ROUND_MAX_US));
        while (waitpid(-1, NULL, WNOHANG) >= 0)
            kill_children();
        struct lab after = start_lab();
        hold(&after, "net.ipv4.ip_default_ttl", "33");
        end(&after);
        must(is_untouched());
    }
}

/* --- as root and as nobody -------------------------------------------------------------------- */

AS_BOTH(one_holder)
AS_BOTH(one_killed)
AS_BOTH(own_values)
AS_BOTH(counted)
AS_BOTH(another_value)
AS_BOTH(another_mind)
AS_BOTH(one_by_one)
AS_BOTH(forgotten)
AS_BOTH(one_of_all)
AS_BOTH(interfaces)
AS_BOTH(stale)
AS_BOTH(stale_beside)
AS_BOTH(kept)
AS_BOTH(refusals)
AS_BOTH(half_made)
AS_BOTH(without_run)
AS_BOTH(killed_at_any_moment)
AS_BOTH(all_killed_at_any_moment)

static void test_without_sandbox(void **state) {
    (void)state;
    if (geteuid() != 0)
        skip();
    run_child(without_sandbox);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_holder),
        cmocka_unit_test(test_one_killed),
        cmocka_unit_test(test_own_values),
        cmocka_unit_test(test_without_sandbox),
        cmocka_unit_test(test_counted),
        cmocka_unit_test(test_another_value),
        cmocka_unit_test(test_another_mind),
        cmocka_unit_test(test_one_by_one),
        cmocka_unit_test(test_forgotten),
        cmocka_unit_test(test_one_of_all),
        cmocka_unit_test(test_interfaces),
        cmocka_unit_test(test_stale),
        cmocka_unit_test(test_stale_beside),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_half_made),
        cmocka_unit_test(test_without_run),
        cmocka_unit_test(test_killed_at_any_moment),
        cmocka_unit_test(test_all_killed_at_any_moment),
    };
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return cmocka_run_group_tests_name("sysctl_hold", tests, NULL, NULL);
}
