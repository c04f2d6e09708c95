#include "internet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "limits.h"
#include "packet.h"

#define TUN "/dev/net/tun"

enum { PATIENCE_MS = 30000 };

static int our_end = -1;

/* What comes over the link: why pasta was not executed (an errno); or 0, and a pidfd of the holder.
 */
struct hello {
    int32_t code;
};

static int say_hello(int link, int code, int *fd) {
    struct hello hello = { code };
    struct packet packet = { &hello, sizeof hello, NULL, 0, fd, fd ? 1 : 0 };
    return packet_send(link, &packet, 0);
}

/* --- pasta ------------------------------------------------------------------------------------ */

/* No port of either side is seen on the other one, and the gateway is the gateway, not the host's
   loopback. The link is stdin, since pasta may close what is above stderr. */
static _Noreturn void run_pasta(int link, int log, char *self) {
    char *const argv[] = { "pasta",       "--config-net", "--quiet", "--foreground",
                           "--no-map-gw", "-t",           "none",    "-u",
                           "none",        "-T",           "none",    "-U",
                           "none",        "--",           self,      INTERNET_HOLDER,
                           NULL };
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int spare = fcntl(link, F_DUPFD_CLOEXEC, 3);
    setsid(); /* what the terminal sends is not meant for it */
    limits_restore();
    if (dup2(spare, 0) == 0 && dup2(null, 1) == 1 && dup2(log, 2) == 2)
        execvp(argv[0], argv);
    say_hello(spare, errno, NULL);
    _exit(1);
}

static pid_t start_pasta(int link, int log, char *self, struct error *err) {
    pid_t pasta = fork();
    if (pasta == 0)
        run_pasta(link, log, self);
    return pasta < 0 ? error_set(err, errno, "cannot fork: %s", strerror(errno)) : pasta;
}

/* It may have died and left the program that it was about to run waiting for it, in its group. */
static void end_pasta(pid_t pasta) {
    kill(-pasta, SIGKILL);
    kill(pasta, SIGKILL); /* if it has no group yet */
    TEMP_FAILURE_RETRY(waitpid(pasta, NULL, 0));
}

/* --- why not ---------------------------------------------------------------------------------- */

/* The last line that says something, without its end; it is in `text`. */
static const char *last_line(char *text) {
    const char *last = "";
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (strncmp(line, "Failed to send ", 15) !=
            0) /* of its log, to a syslog that is not there */
            last = line;
    return last;
}

static int explain_failure(int log, struct error *err) {
    char text[4096];
    ssize_t size = pread(log, text, sizeof text - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    const char *why = last_line(text);
    error_set(err, EIO, "pasta has failed%s%.180s", *why ? ": " : "", why);
    if (access(TUN, R_OK | W_OK) < 0)
        return error_hint(err, errno == ENOENT ? "there is no " TUN ": modprobe tun"
                                               : TUN " is closed to you: chmod 666 " TUN);
    return error_hint(err, "it needs a default route, and the right to make user namespaces");
}

static int explain_refusal(int code, struct error *err) {
    error_set(err, code, "cannot run pasta: %s", strerror(code));
    return code == ENOENT ? error_hint(err, "install the package passt") : -1;
}

/* --- start ------------------------------------------------------------------------------------ */

/* Whether the holder has spoken before pasta ended. */
static bool hears(int link, pid_t pasta) {
    cleanup_fd int pidfd = pidfd_open(pasta, 0);
    struct pollfd sources[] = { { .fd = link, .events = POLLIN },
                                { .fd = pidfd, .events = POLLIN } };
    return TEMP_FAILURE_RETRY(poll(sources, 2, PATIENCE_MS)) > 0 && sources[0].revents & POLLIN;
}

static int await_hello(int link, pid_t pasta, int log, struct error *err) {
    struct hello hello = { 0 };
    int fds[PACKET_FDS_MAX];
    struct packet packet = { .head = &hello, .head_size = sizeof hello, .fds = fds };
    if (!hears(link, pasta) || packet_receive(link, &packet, 0) != 1)
        return explain_failure(log, err);
    if (hello.code)
        return explain_refusal(hello.code, err);
    return packet.fd_count == 1 ? fds[0] : error_errno(err, EPROTO);
}

/* What pasta writes later goes nowhere, and fills no memory. */
static void close_log(int log) {
    fcntl(log, F_ADD_SEALS, F_SEAL_GROW);
}

int internet_start(struct error *err) {
    char self[PATH_MAX] = "";
    int ends[2];
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return error_set(err, errno, "cannot find this program: %s", strerror(errno));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return error_errno(err, errno);
    cleanup_fd int ours = ends[0], theirs = ends[1];
    cleanup_fd int log = memfd_create("pasta", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    pid_t pasta = log < 0 ? error_errno(err, errno) : start_pasta(theirs, log, self, err);
    if (pasta < 0)
        return -1;
    close_fd(&theirs);
    int holder = await_hello(ours, pasta, log, err);
    if (holder < 0)
        end_pasta(pasta);
    else
        our_end = take_fd(&ours);
    close_log(log);
    return holder;
}

int internet_link(void) {
    return our_end;
}

/* --- the holder ------------------------------------------------------------------------------- */

/* pasta starts it when the network is configured, and ends with it. It ends with pasta. */
int internet_hold(void) {
    char byte;
    prctl(PR_SET_NAME, "nsh-internet");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    cleanup_fd int self = pidfd_open(getpid(), 0);
    if (self < 0 || chdir("/") < 0 || say_hello(STDIN_FILENO, 0, &self) < 0)
        return EXIT_FAILURE;
    while (TEMP_FAILURE_RETRY(recv(STDIN_FILENO, &byte, 1, 0)) > 0)
        ;
    return EXIT_SUCCESS;
}

/* --- names ------------------------------------------------------------------------------------ */

/* Whether all servers in a resolv.conf(5) are at the loopback of the machine. */
static bool is_local(const char *path) {
    char line[256], server[64];
    bool some = false, local = true;
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "nameserver %63s", server) != 1)
            continue;
        some = true;
        local = local && (!strncmp(server, "127.", 4) || !strcmp(server, "::1"));
    }
    if (file)
        fclose(file);
    return some && local;
}

void internet_find_resolver(void) {
    static const char used[] = "/etc/resolv.conf", real[] = "/run/systemd/resolve/resolv.conf";
    if (is_local(used) && access(real, R_OK) == 0)
        mount(real, used, NULL, MS_BIND, NULL);
}
