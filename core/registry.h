/* The registry of labs: one abstract socket @nsh/UID/LAB for each guardian that has a lab. The
   kernel keeps it: no file, and nothing that could be left over. It stays in the network namespace
   it was made in, so it is made before the sandbox is entered and gets its name later. A second one
   of that name, but for the UID, is in the sandbox itself, for the programs on its host.
   Who connects asks the guardian, in packets (packet.h): a request, then any number more. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

enum {
    REGISTRY_VERSION = 2, /* of what follows; who is of another one is not understood */
    LAB_NAME_MAX = 80,    /* bytes, as sun_path has no more room */
    NODE_NAME_MAX = 255,
    SCRIPT_NAME_MAX = 255,
    REGISTRY_BODY_MAX = 4096,
    REGISTRY_PLACES = 2, /* network namespaces that a lab is registered in, at most */
};

#define HOST_NODE "host" /* the node that every lab has: where its nsh is */

enum registry_kind {
    REGISTRY_INFO,  /* body: the names of the nodes, each with its zero byte, as many as fit */
    REGISTRY_ENTER, /* body: the folder with the folders that cover /etc; a pidfd of the guardian
                       and, unless the node is `host`, a network namespace. ENOENT: as INFO */
    REGISTRY_END,   /* the guardian ends: at once if its nsh has ended, and if not, nsh gets SIGTERM
                       and they end together; then a pidfd of nsh, to be woken if it is stopped */
    REGISTRY_KINDS
};

struct registry_request {
    uint32_t version, kind;
    char node[NODE_NAME_MAX + 1];
};

struct registry_answer {
    uint32_t version;
    int32_t code;     /* 0, or an errno: ENOENT for a node that is not there */
    uint8_t alive;    /* nsh itself still runs */
    uint8_t sandbox;  /* it is in one */
    uint16_t padding; /* 0 */
    uint32_t nodes;
    int64_t since; /* seconds of the clock on the wall */
    char script[SCRIPT_NAME_MAX + 1];
};

/* 0 if it can be the name of a lab, else -1 and EINVAL or ENAMETOOLONG. */
int registry_check_name(const char *name, struct error *err);

/* Makes the sockets that registry_bind needs outside of the sandbox, which we are about to enter.
   Does nothing if they are there. */
void registry_prepare(void);

/* Takes a name where we are and, after registry_prepare, outside too: fills in listening sockets
   and returns how many. If a guardian of that name does not answer, it is ending; waits for it (at
   most 5 s). Errors: EADDRINUSE with a hint; EINVAL, ENAMETOOLONG. In a sandbox a second call,
   after one that succeeded, takes a name that is seen in there only. */
int registry_bind(const char *name, int listeners[REGISTRY_PLACES], struct error *err);

/* A connection to a lab of ours; -1 with err: ECONNREFUSED if there is none, EACCES if it is
   somebody else's. */
int registry_connect(const char *name, struct error *err);

/* Whether who is at the other end is the same user. */
bool registry_is_ours(int socket);

/* Sends a request. 0, or -1 with errno. */
int registry_send(int socket, enum registry_kind kind, const char *node);
