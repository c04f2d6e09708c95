#include "labs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <time.h>

#include "cleanup.h"
#include "packet.h"

enum { INFO_MS = 2000, ANSWER_MS = 5000 };

static long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* Until the deadline: 1, or 0 if it has ended; -1 with err. */
static int hear(struct lab *lab, struct packet *packet, long deadline, struct error *err) {
    long left = deadline - now_ms();
    if (!packet_wait(lab->socket, left > 0 ? (int)left : 0))
        return error_set(err, ETIMEDOUT, "the guardian of lab %s does not answer", lab->name);
    if (packet_receive(lab->socket, packet, 0) != 1)
        return 0;
    if (lab->info.version != REGISTRY_VERSION)
        return error_set(err, EPROTO, "lab %s is of another version of nsh", lab->name);
    return 1;
}

static void ask(const struct lab *lab, enum registry_kind kind, const char *node) {
    registry_send(lab->socket, kind, node); /* who has gone shows it when we listen */
}

/* 0 if it has ended. */
static int hear_info(struct lab *lab, long deadline) {
    struct packet packet = { &lab->info, sizeof lab->info, lab->nodes, sizeof lab->nodes };
    int result = hear(lab, &packet, deadline, NULL);
    lab->answered = result == 1;
    lab->nodes_size = result == 1 ? packet.body_size : 0;
    return result;
}

static pid_t peer_pid(int socket) {
    struct ucred peer = { 0 };
    socklen_t size = sizeof peer;
    getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    return peer.pid;
}

static int connect_lab(struct lab *lab, const char *name, struct error *err) {
    *lab = (struct lab){ .socket = registry_connect(name, err) };
    if (lab->socket < 0)
        return -1;
    snprintf(lab->name, sizeof lab->name, "%s", name);
    lab->pid = peer_pid(lab->socket);
    return 0;
}

/* --- all of them ------------------------------------------------------------------------------ */

/* A line of /proc/net/unix: the name of one of our labs that listens; NULL for any other. */
static const char *name_in(char *line) {
    char prefix[32];
    unsigned flags;
    int at = 0;
    if (sscanf(line, "%*s %*s %*s %x %*s %*s %*s %n", &flags, &at) != 1 || at == 0)
        return NULL;
    line[strcspn(line, "\n")] = '\0';
    int length = snprintf(prefix, sizeof prefix, "@nsh/%u/", (unsigned)geteuid());
    bool listens = flags & 0x10000; /* __SO_ACCEPTCON */
    return listens && !strncmp(line + at, prefix, (size_t)length) ? line + at + length : NULL;
}

/* One that ends in between is not an error, and neither is a stranger with such a name. */
static int add(struct labs *labs, const char *name) {
    struct lab *list = reallocarray(labs->list, labs->count + 1, sizeof *list);
    if (!list)
        return -1;
    labs->list = list;
    if (connect_lab(&list[labs->count], name, NULL) == 0) {
        ask(&list[labs->count], REGISTRY_INFO, "");
        labs->count++;
    }
    return 0;
}

static int connect_all(struct labs *labs, struct error *err) {
    cleanup_free char *line = NULL;
    size_t room = 0;
    int result = 0;
    FILE *file = fopen("/proc/net/unix", "re");
    if (!file)
        return error_set(err, errno, "cannot read /proc/net/unix: %s", strerror(errno));
    while (result == 0 && getline(&line, &room, file) > 0) {
        const char *name = name_in(line);
        result = name ? add(labs, name) : 0;
    }
    fclose(file);
    return result < 0 ? error_errno(err, ENOMEM) : 0;
}

static void hear_all(struct labs *labs) {
    long deadline = now_ms() + INFO_MS;
    size_t count = 0;
    for (size_t i = 0; i < labs->count; i++)
        if (hear_info(&labs->list[i], deadline) != 0)
            labs->list[count++] = labs->list[i];
        else
            close(labs->list[i].socket);
    labs->count = count;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct lab *)a)->name, ((const struct lab *)b)->name);
}

void labs_free(struct labs *labs) {
    for (size_t i = 0; i < labs->count; i++)
        close_fd(&labs->list[i].socket);
    free(labs->list);
    *labs = (struct labs){ 0 };
}

int labs_open(struct labs *labs, struct error *err) {
    *labs = (struct labs){ 0 };
    if (connect_all(labs, err) < 0) {
        labs_free(labs);
        return -1;
    }
    hear_all(labs);
    if (labs->count > 0)
        qsort(labs->list, labs->count, sizeof *labs->list, by_name);
    return 0;
}

/* --- one of them ------------------------------------------------------------------------------ */

/* "there are a, b": what there is instead, as far as there is room. */
struct choice {
    char text[160];
    size_t used, count;
};

static void offer(struct choice *choice, const char *name) {
    if (choice->used < sizeof choice->text)
        choice->used +=
            (size_t)snprintf(choice->text + choice->used, sizeof choice->text - choice->used,
                             "%s%s", choice->count ? ", " : "", name);
    choice->count++;
}

static const char *introduce(const struct choice *choice) {
    return choice->count == 0 ? "there is none" : choice->count == 1 ? "there is " : "there are ";
}

static int refuse_lab(const char *name, struct error *err) {
    struct labs labs;
    struct choice choice = { 0 };
    labs_open(&labs, NULL);
    for (size_t i = 0; i < labs.count; i++)
        offer(&choice, labs.list[i].name);
    labs_free(&labs);
    return error_set(err, ENOENT, "there is no lab %s; %s%s", name, introduce(&choice),
                     choice.text);
}

int lab_open(struct lab *lab, const char *name, struct error *err) {
    if (connect_lab(lab, name, err) == 0)
        return 0;
    return err->code == ECONNREFUSED ? refuse_lab(name, err) : -1;
}

static int refuse_end(const struct lab *lab, struct error *err) {
    if (!lab->info.alive)
        return error_set(err, ETIMEDOUT, "lab %s is still ending", lab->name);
    if (lab->pid == 0)
        return error_set(err, ETIMEDOUT, "the nsh that runs lab %s does not end", lab->name);
    error_set(err, ETIMEDOUT, "nsh (pid %d), which runs lab %s, does not end", (int)lab->pid,
              lab->name);
    return error_hint(err, "kill -KILL %d ends it, and undoes the lab", (int)lab->pid);
}

/* The end of the connection is that of the guardian, the last of all. */
int lab_end(struct lab *lab, int timeout_ms, struct error *err) {
    int fds[PACKET_FDS_MAX];
    struct packet packet = { .head = &lab->info, .head_size = sizeof lab->info, .fds = fds };
    long deadline = now_ms() + timeout_ms;
    ask(lab, REGISTRY_END, "");
    int result = hear(lab, &packet, deadline, err);
    if (result <= 0)
        return result;
    for (size_t i = 0; i < packet.fd_count; i++) {
        pidfd_send_signal(fds[i], SIGCONT, NULL,
                          0); /* one that is stopped would not hear SIGTERM */
        close(fds[i]);
    }
    long left = deadline - now_ms();
    return packet_wait(lab->socket, left > 0 ? (int)left : 0) ? 0 : refuse_end(lab, err);
}

/* The names are those of the answer, if it came. */
static int refuse_node(const struct lab *lab, const char *node, const char *names, size_t size,
                       struct error *err) {
    struct choice choice = { 0 };
    for (size_t at = 0; at < size; at += strlen(names + at) + 1)
        offer(&choice, names + at);
    return error_set(err, ENOENT, "lab %s has no node %.60s; %s%s", lab->name, node,
                     introduce(&choice), choice.text);
}

/* 1 if it may be entered, and the packet has what that takes; 0 if there is no such node. */
static int hear_entrance(struct lab *lab, struct packet *packet, struct error *err) {
    int result = hear(lab, packet, now_ms() + ANSWER_MS, err);
    if (result < 0)
        return -1;
    if (result == 0)
        return error_set(err, ENOENT, "lab %s has ended", lab->name);
    return lab->info.code == 0 && packet->fd_count > 0;
}

int lab_enter(struct lab *lab, const char *node, struct entrance *entrance, struct error *err) {
    int fds[PACKET_FDS_MAX];
    struct packet packet = { &lab->info, sizeof lab->info, entrance->etc, sizeof entrance->etc - 1,
                             fds };
    memset(entrance->etc, 0, sizeof entrance->etc);
    ask(lab, REGISTRY_ENTER, node);
    int result = hear_entrance(lab, &packet, err);
    if (result == 0)
        return refuse_node(lab, node, entrance->etc, packet.body_size, err);
    if (result < 0)
        return -1;
    entrance->guardian = fds[0];
    entrance->netns = packet.fd_count > 1 ? fds[1] : -1;
    entrance->sandbox = lab->info.sandbox;
    return 0;
}
