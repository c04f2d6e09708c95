/* The guardian itself: what runs in the child. Private to guardian*.c.

   Nothing here may use malloc, stdio or a lock: another thread of nsh may have held one when the
   child was cloned, and there is no exec that would clear it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "registry.h"
#include "undo.h"

enum { CLIENTS_MAX = 8 };

struct guardian {
    pid_t pid;    /* as nsh sees it; getpid() is 1 here */
    int nsh;      /* the socket to nsh; -1: it is gone, and we are kept */
    int owner;    /* a pidfd of nsh */
    int bell;     /* what comes here makes the kernel send SIGTERM to nsh */
    int rope;     /* by which it comes */
    int lent;     /* by nsh, for us to keep open; -1: nothing is */
    int sleeper;  /* a pidfd; -1: there is none */
    int self;     /* a pidfd of us */
    bool kept;    /* to outlive nsh */
    time_t since; /* the lab was registered */
    char script[SCRIPT_NAME_MAX + 1];
    int listeners[REGISTRY_PLACES]; /* of the registry; -1: it has no more of them */
    int clients[CLIENTS_MAX];       /* connections to the registry, the oldest one first */
    size_t client_count;
    struct undo_log log;
};

/* Does what a guardian does, until nsh has ended (or a client of the registry said so). */
_Noreturn void guardian_main(int nsh);

/* A client wants to connect to that listener: strangers are turned away. */
void guardian_accept(struct guardian *guardian, int listener);

/* A client has said something, or gone. An answer that finds no room, and words that make no sense,
   end the connection. */
void guardian_answer(struct guardian *guardian, size_t index);

/* Kills every process of our PID namespace that is in a network namespace which the lab holds; not
   in our own. Without waiting for their end. */
void guardian_kill(const struct undo_log *log, uint32_t lab);
