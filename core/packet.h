/* Packets with descriptors over AF_UNIX sockets of type SOCK_SEQPACKET: what nsh, its guardian and
   those who ask it say to each other. Nothing here allocates; all of it is safe after fork. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PACKET_FDS_MAX = 253 }; /* the kernel's SCM_MAX_FD */

/* A fixed head, then a body of any length, which may be none. */
struct packet {
    void *head;
    size_t head_size;
    void *body; /* to receive: room for body_size bytes; then what came */
    size_t body_size;
    int *fds; /* to receive: room for PACKET_FDS_MAX; NULL: those that come are closed */
    size_t fd_count;
};

/* Sends one; flags as send(2)'s. Never a SIGPIPE; restarts after a signal. 0, or -1 with errno. */
int packet_send(int socket, const struct packet *packet, int flags);

/* Receives one; its descriptors are O_CLOEXEC. Restarts after a signal. 1; 0 at the end, or for a
   packet that does not fill the head; -1 with errno. What has no room is lost, descriptors for
   which we have none too: fd_count tells. */
int packet_receive(int socket, struct packet *packet, int flags);

/* Waits until something can be received, at most so long (-1: for ever). Whether it can; an end can
   be received as well. */
int packet_wait(int socket, int timeout_ms);
