#include "registry.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "cleanup.h"
#include "packet.h"

enum { DYING_MS = 5000, GRACE_MS = 100, QUEUE_S = 2, BACKLOG = 16 };

/* A network namespace to take a name in: one socket to listen at, and one to ask whoever has the
   name already. */
struct place {
    int listener, asker;
    uid_t uid; /* as we are called there */
};

/* Where the sandbox was entered from. */
static struct place outside = { -1, -1 };

static int new_listener(void) {
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Its connect waits for a place in the queue, but not for ever. */
static int new_asker(void) {
    static const struct timeval patience = { .tv_sec = QUEUE_S };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return fd;
}

static struct place open_here(void) {
    return (struct place){ new_listener(), new_asker(), geteuid() };
}

static void close_place(struct place *place) {
    close_fd(&place->listener);
    close_fd(&place->asker);
}

void registry_prepare(void) {
    if (outside.listener >= 0)
        return;
    close_place(&outside);
    outside = open_here();
}

/* --- names ------------------------------------------------------------------------------------ */

int registry_check_name(const char *name, struct error *err) {
    if (!*name)
        return error_set(err, EINVAL, "the name of a lab cannot be empty");
    if (strlen(name) > LAB_NAME_MAX)
        return error_set(err, ENAMETOOLONG, "the name of a lab has at most %d bytes, this one %zu",
                         LAB_NAME_MAX, strlen(name));
    for (const char *c = name; *c; c++)
        if (*c == '/' || (unsigned char)*c < ' ' || *c == 127)
            return error_set(err, EINVAL,
                             "the name of a lab has no \"/\" and no control characters");
    return 0;
}

/* Abstract: starts with a zero byte and ends where the length says. */
static socklen_t address_of(uid_t uid, const char *name, struct sockaddr_un *address) {
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    int length = snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "nsh/%u/%s",
                          (unsigned)uid, name);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

static int connect_to(int socket, uid_t uid, const char *name) {
    struct sockaddr_un address;
    socklen_t length = address_of(uid, name, &address);
    return connect(socket, (const struct sockaddr *)&address, length);
}

bool registry_is_ours(int socket) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

int registry_connect(const char *name, struct error *err) {
    cleanup_fd int fd = new_asker();
    if (registry_check_name(name, err) < 0)
        return -1;
    if (fd < 0 || connect_to(fd, geteuid(), name) < 0)
        return error_errno(err, errno);
    if (!registry_is_ours(fd))
        return error_set(err, EACCES, "the lab \"%s\" is somebody else's", name);
    return take_fd(&fd);
}

int registry_send(int socket, enum registry_kind kind, const char *node) {
    struct registry_request request = { REGISTRY_VERSION, kind, "" };
    struct packet packet = { .head = &request, .head_size = sizeof request };
    snprintf(request.node, sizeof request.node, "%s", node);
    return packet_send(socket, &packet, 0);
}

/* --- taking a name ---------------------------------------------------------------------------- */

static long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A guardian that is ending does not answer, and its end cuts the connection. */
static bool is_cut(int asker, uid_t uid, const char *name) {
    struct registry_answer answer;
    struct packet packet = { .head = &answer, .head_size = sizeof answer };
    if (connect_to(asker, uid, name) < 0)
        return true;
    return registry_is_ours(asker) &&
           (registry_send(asker, REGISTRY_INFO, "") < 0 ||
            (packet_wait(asker, DYING_MS) && packet_receive(asker, &packet, 0) != 1));
}

/* Whether the name may be free in a moment. A socket can ask only once, and in a sandbox we cannot
   make another outside: then the next answer is no. */
static bool may_get_free(struct place *place, const char *name, long *deadline) {
    cleanup_fd int asker = take_fd(&place->asker);
    if (asker >= 0 && !is_cut(asker, place->uid, name))
        return false;
    if (asker >= 0)
        *deadline = now_ms() + GRACE_MS;
    usleep(1000);
    return now_ms() < *deadline;
}

static int bind_at(struct place *place, const char *name, struct error *err) {
    struct sockaddr_un address;
    socklen_t length = address_of(place->uid, name, &address);
    long deadline = 0;
    while (bind(place->listener, (const struct sockaddr *)&address, length) < 0) {
        if (errno != EADDRINUSE)
            return error_set(err, errno, "cannot register the lab: %s", strerror(errno));
        if (may_get_free(place, name, &deadline))
            continue;
        error_set(err, EADDRINUSE, "a lab named %s is up already", name);
        return error_hint(err, "nsh list shows it, nsh down %s ends it", name);
    }
    return 0;
}

static int listen_at(struct place *place, int *listeners, int count, struct error *err) {
    if (listen(place->listener, BACKLOG) < 0)
        return error_set(err, errno, "cannot register the lab: %s", strerror(errno));
    listeners[count] = take_fd(&place->listener);
    return count + 1;
}

/* Outside comes last: what has failed in here leaves that one for another name. */
int registry_bind(const char *name, int listeners[REGISTRY_PLACES], struct error *err) {
    if (registry_check_name(name, err) < 0)
        return -1;
    __attribute__((cleanup(close_place))) struct place here = open_here();
    bool sandboxed = outside.listener >= 0;
    if (bind_at(&here, name, err) < 0 || (sandboxed && bind_at(&outside, name, err) < 0))
        return -1;
    int count = listen_at(&here, listeners, 0, err);
    if (count > 0 && sandboxed)
        count = listen_at(&outside, listeners, count, err);
    close_place(&outside);
    return count;
}
