/* The guardian answers whoever asks for its lab: `nsh list`, `down` and `enter`. None of them may
   hold it up: nothing here waits, and who comes when the table is full takes the place of the one
   that has been there for longest. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "guardian_main.h"
#include "packet.h"
#include "registry.h"
#include "sandbox.h"

enum { PAUSE_MS = 10 };

/* --- coming and going ------------------------------------------------------------------------- */

static void drop(struct guardian *guardian, size_t index) {
    int *clients = guardian->clients;
    close(clients[index]);
    memmove(clients + index, clients + index + 1,
            sizeof *clients * (guardian->client_count - index - 1));
    guardian->client_count--;
}

void guardian_accept(struct guardian *guardian, int listener) {
    cleanup_fd int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0 && errno != EAGAIN && errno != ECONNABORTED)
        poll(NULL, 0, PAUSE_MS); /* without descriptors it still wants to connect */
    if (client < 0 || !registry_is_ours(client))
        return;
    if (guardian->client_count == CLIENTS_MAX)
        drop(guardian, 0);
    guardian->clients[guardian->client_count++] = take_fd(&client);
}

/* --- answers ---------------------------------------------------------------------------------- */

/* What goes out. The descriptors stay ours. */
struct answer {
    struct registry_answer head;
    char body[REGISTRY_BODY_MAX];
    size_t size;
    int fds[2];
    size_t fd_count;
};

static void tell_about(const struct guardian *guardian, struct answer *answer) {
    struct undo undo;
    for (size_t at = 0; undo_next(&guardian->log, &at, &undo);) {
        if (undo.kind != UNDO_HELD)
            continue;
        answer->head.nodes++;
        if (undo.first_size <= sizeof answer->body - answer->size) {
            memcpy(answer->body + answer->size, undo.first, undo.first_size);
            answer->size += undo.first_size;
        }
    }
}

static bool find_node(const struct guardian *guardian, const char *name, struct undo *undo) {
    for (size_t at = 0; undo_next(&guardian->log, &at, undo);)
        if (undo->kind == UNDO_HELD && !strcmp(undo->first, name))
            return true;
    return false;
}

/* `host` is where we are ourselves; a node is entered from there. */
static void let_enter(const struct guardian *guardian, const char *node, struct answer *answer) {
    struct undo undo;
    int32_t fd;
    bool is_host = !strcmp(node, HOST_NODE);
    if (!is_host && !find_node(guardian, node, &undo)) {
        answer->head.code = ENOENT;
        tell_about(guardian, answer);
        return;
    }
    answer->fds[answer->fd_count++] = guardian->self;
    if (is_host)
        return;
    memcpy(&fd, undo.second, sizeof fd);
    answer->fds[answer->fd_count++] = fd;
    answer->size = undo.second_size - sizeof fd;
    memcpy(answer->body, (const char *)undo.second + sizeof fd, answer->size);
}

/* The kernel has sent the signal by the time that we take the byte back. */
static void ring(const struct guardian *guardian) {
    char byte;
    if (send(guardian->rope, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1)
        recv(guardian->bell, &byte, 1, MSG_DONTWAIT);
}

/* As long as nsh runs, it is for nsh to end; then we do. */
static void let_end(struct guardian *guardian, struct answer *answer) {
    guardian->kept = false;
    if (guardian->nsh < 0 || guardian->owner < 0)
        return;
    ring(guardian);
    answer->fds[answer->fd_count++] = guardian->owner;
}

/* false: who asks so is not worth an answer. */
static bool make_answer(struct guardian *guardian, const struct registry_request *request,
                        struct answer *answer) {
    if (request->version != REGISTRY_VERSION)
        return true; /* the version in the answer says it all */
    if (!memchr(request->node, '\0', sizeof request->node))
        return false;
    if (request->kind == REGISTRY_INFO)
        tell_about(guardian, answer);
    else if (request->kind == REGISTRY_ENTER)
        let_enter(guardian, request->node, answer);
    else if (request->kind == REGISTRY_END)
        let_end(guardian, answer);
    else
        return false;
    return true;
}

static bool answer_request(struct guardian *guardian, int client,
                           const struct registry_request *request) {
    struct answer answer = { .head = { .version = REGISTRY_VERSION } };
    answer.head.alive = guardian->nsh >= 0;
    answer.head.sandbox = sandbox_active();
    answer.head.since = guardian->since;
    memcpy(answer.head.script, guardian->script, sizeof guardian->script);
    if (!make_answer(guardian, request, &answer))
        return false;
    struct packet packet = { &answer.head, sizeof answer.head, answer.body,
                             answer.size,  answer.fds,         answer.fd_count };
    return packet_send(client, &packet, MSG_DONTWAIT) == 0;
}

void guardian_answer(struct guardian *guardian, size_t index) {
    struct registry_request request;
    struct packet packet = { .head = &request, .head_size = sizeof request };
    int client = guardian->clients[index];
    if (packet_receive(client, &packet, MSG_DONTWAIT) != 1 ||
        !answer_request(guardian, client, &request))
        drop(guardian, index);
}
