/* Packets as they pass an interface, or as they stand in a file: libpcap, from inside a namespace.

   Nothing here waits. A live capture collects in the kernel from the moment it is open; the caller
   takes what has come, one packet at a time, whenever capture_fd is readable, or at any time: what
   the kernel has seen by then is in its ring, down to the last packet. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

#include "../error.h"

enum capture_direction { CAPTURE_INOUT, CAPTURE_IN, CAPTURE_OUT };

struct capture_options {
    const char *dev;    /* the interface, or "any" */
    const char *filter; /* as pcap-filter(7) has it; NULL for everything */
    int snaplen;        /* bytes that are kept of each packet */
    int buffer;         /* bytes of the kernel's ring */
    bool promiscuous;
    enum capture_direction direction;
};

struct captured {
    struct timeval time;
    uint32_t length; /* on the wire */
    uint32_t caplen; /* of which are here */
    int link;        /* how the bytes begin: a DLT_ of libpcap */
    const uint8_t *bytes;
};

struct capture_stats {
    uint32_t received;   /* that passed the filter */
    uint32_t dropped;    /* of those, for want of room in the ring */
    uint32_t if_dropped; /* by the interface, where it tells */
};

struct capture;

/* NULL on error. `ns` (-1: the one we are in) stays the caller's and is needed no longer; a capture
   keeps the namespace alive. Errors: ENODEV; ENETDOWN, the interface is not up; EPERM; EINVAL
   with the key "filter", in libpcap's words. */
struct capture *capture_open(int ns, const struct capture_options *options, struct error *err);

/* A file that tcpdump -w, or capture_file_create, has written. Errors: as of open(2), EINVAL. */
struct capture *capture_open_file(const char *path, struct error *err);

/* The next packet; its bytes are good until the next call. 1; 0 if there is none now, or no more in
   the file; -1 with ENETDOWN after the last packet of an interface that is gone, or EIO. */
int capture_next(struct capture *capture, struct captured *out, struct error *err);

/* To poll for input; -1 of a file. It stays the capture's. */
int capture_fd(const struct capture *capture);

/* Whether the interface went down. Nobody tells then that it is gone, but capture_next when it is
   called: after a moment, and again. */
bool capture_is_down(struct capture *capture);

/* How the packets begin: a DLT_ of libpcap. */
int capture_link(const struct capture *capture);

/* How many packets the ring may hold at most. */
size_t capture_room(const struct capture *capture);

/* The name that the namespace has for an interface; "" for one that is gone. Returns name. */
char *capture_ifname(const struct capture *capture, uint32_t ifindex, char name[static 16]);

/* Counts since it was opened. Errors: EINVAL of a file. */
int capture_stats(struct capture *capture, struct capture_stats *out, struct error *err);

/* Frees everything; NULL is fine. */
void capture_close(struct capture *capture);

/* --- filters, for packets that are here already ------------------------------------------------
 */

struct capture_filter;

/* NULL on error: EINVAL with the key "filter", in libpcap's words. */
struct capture_filter *capture_filter_new(const char *text, int link, struct error *err);
bool capture_filter_matches(const struct capture_filter *filter, const struct captured *packet);
void capture_filter_free(struct capture_filter *filter);

/* --- files -------------------------------------------------------------------------------------
 */

struct capture_file;

/* Creates or empties a file for packets of one kind of link. NULL with the errors of open(2). */
struct capture_file *capture_file_create(const char *path, int link, struct error *err);

/* Errors: EINVAL, a packet of another kind of link; as write(2). */
int capture_file_write(struct capture_file *file, const struct captured *packet, struct error *err);

/* What was written is in the file then. Errors: as write(2). */
int capture_file_flush(struct capture_file *file, struct error *err);

/* Frees everything; NULL is fine. Errors that matter are told by capture_file_flush. */
void capture_file_close(struct capture_file *file);
