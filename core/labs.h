/* The labs of this user, seen from another process: whom the registry names is asked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "error.h"
#include "registry.h"

struct lab {
    char name[LAB_NAME_MAX + 1];
    int socket;    /* to its guardian */
    pid_t pid;     /* of the nsh that made it, whether it still runs or not; 0: it has none here, as
                      seen by a program of the lab */
    bool answered; /* false: the guardian is busy, as one that is ending */
    struct registry_answer info;
    char nodes[REGISTRY_BODY_MAX]; /* names, each with its zero byte; as many as fit */
    size_t nodes_size;
};

struct labs {
    struct lab *list;
    size_t count;
};

/* All of them, by name, asked for their info; waits at most 2 s for answers. To be freed with
   labs_free; after an error there is nothing in it. */
int labs_open(struct labs *labs, struct error *err);
void labs_free(struct labs *labs);

/* One lab, not asked for anything yet; its socket is the caller's. Errors: ENOENT, with the names
   of those that there are; EACCES, EINVAL. */
int lab_open(struct lab *lab, const char *name, struct error *err);

/* Ends a lab: the nsh that runs it gets SIGTERM, and undoes it; a kept one undoes itself. Waits
   until all is undone, at most so long. Errors: ETIMEDOUT, with what to do; EPROTO for a guardian
   of another version of nsh. */
int lab_end(struct lab *lab, int timeout_ms, struct error *err);

/* How a program gets into a node. */
struct entrance {
    int guardian; /* a pidfd */
    int netns;    /* -1: the node is the lab's host */
    bool sandbox;
    char etc[REGISTRY_BODY_MAX + 1]; /* the folder with the folders that cover /etc; "" for host */
};

/* Asks for a node by its name. Descriptors in *entrance are the caller's. Errors: ENOENT; ETIMEDOUT
   if the guardian does not answer within 5 s; EPROTO. */
int lab_enter(struct lab *lab, const char *node, struct entrance *entrance, struct error *err);
