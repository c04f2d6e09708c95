#include "capture.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "../netns.h"

enum { FRAME_MIN = 64 }; /* bytes of the ring that the smallest packet takes, with its header */

struct capture {
    pcap_t *pcap;
    int link, buffer;
    bool live, down;
};

/* --- opening -----------------------------------------------------------------------------------
 */

struct opening {
    const struct capture_options *options;
    pcap_t *pcap;
    struct error *err;
};

static int refuse(int code, const struct opening *o) {
    static const struct {
        int pcap, code;
    } codes[] = {
        { PCAP_ERROR_NO_SUCH_DEVICE, ENODEV },
        { PCAP_ERROR_PERM_DENIED, EPERM },
        { PCAP_ERROR_PROMISC_PERM_DENIED, EPERM },
        { PCAP_ERROR_IFACE_NOT_UP, ENETDOWN },
    };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].pcap == code) {
            error_errno(o->err, codes[i].code);
            return code == PCAP_ERROR_IFACE_NOT_UP
                       ? error_hint(o->err, "bring it up first: link:set{ \"%s\", up = true }",
                                    SHORT(o->options->dev))
                       : -1;
        }
    return error_set(o->err, EIO, "%s", pcap_geterr(o->pcap));
}

static int compile(pcap_t *pcap, const char *text, struct bpf_program *out, struct error *err) {
    if (pcap_compile(pcap, out, text, 1, PCAP_NETMASK_UNKNOWN) == 0)
        return 0;
    error_set(err, EINVAL, "filter \"%s\": %s", SHORT(text), pcap_geterr(pcap));
    if (err)
        strcpy(err->key, "filter");
    return -1;
}

static int set_filter(const struct opening *o) {
    struct bpf_program program;
    if (!o->options->filter)
        return 0;
    if (compile(o->pcap, o->options->filter, &program, o->err) < 0)
        return -1;
    int failed = pcap_setfilter(o->pcap, &program);
    pcap_freecode(&program);
    return failed ? error_set(o->err, EIO, "%s", pcap_geterr(o->pcap)) : 0;
}

static int activate(const struct opening *o) {
    static const pcap_direction_t directions[] = { PCAP_D_INOUT, PCAP_D_IN, PCAP_D_OUT };
    const struct capture_options *options = o->options;
    char message[PCAP_ERRBUF_SIZE];
    pcap_set_snaplen(o->pcap, options->snaplen);
    pcap_set_buffer_size(o->pcap, options->buffer);
    pcap_set_promisc(o->pcap, options->promiscuous);
    /* Without it, a packet is seen only once its block is full, or some milliseconds later. */
    pcap_set_immediate_mode(o->pcap, 1);
    int code = pcap_activate(o->pcap);
    if (code < 0)
        return refuse(code, o);
    if (pcap_datalink(o->pcap) == DLT_LINUX_SLL) /* only the second form names the interface */
        pcap_set_datalink(o->pcap, DLT_LINUX_SLL2);
    if (pcap_setdirection(o->pcap, directions[options->direction]) < 0)
        return error_set(o->err, EINVAL, "%s", pcap_geterr(o->pcap));
    if (pcap_setnonblock(o->pcap, 1, message) < 0)
        return error_set(o->err, EIO, "%s", message);
    return set_filter(o);
}

static int open_inside(void *arg) {
    struct opening *o = arg;
    char message[PCAP_ERRBUF_SIZE];
    o->pcap = pcap_create(o->options->dev, message);
    if (!o->pcap)
        return error_set(o->err, EINVAL, "%s", message);
    return activate(o);
}

static struct capture *new_capture(pcap_t *pcap, struct error *err) {
    struct capture *capture = calloc(1, sizeof *capture);
    if (!capture) {
        error_errno(err, ENOMEM);
        pcap_close(pcap);
        return NULL;
    }
    capture->pcap = pcap;
    capture->link = pcap_datalink(pcap);
    return capture;
}

struct capture *capture_open(int ns, const struct capture_options *options, struct error *err) {
    struct opening o = { .options = options, .err = err };
    if (netns_run(ns, open_inside, &o, err) < 0) {
        if (o.pcap)
            pcap_close(o.pcap);
        return NULL;
    }
    struct capture *capture = new_capture(o.pcap, err);
    if (capture) {
        capture->live = true;
        capture->buffer = options->buffer;
    }
    return capture;
}

struct capture *capture_open_file(const char *path, struct error *err) {
    char message[PCAP_ERRBUF_SIZE];
    FILE *file = fopen(path, "rbe");
    if (!file) {
        error_errno(err, errno);
        return NULL;
    }
    pcap_t *pcap = pcap_fopen_offline(file, message);
    if (!pcap) {
        error_set(err, EINVAL, "%s", message);
        fclose(file);
        return NULL;
    }
    return new_capture(pcap, err);
}

void capture_close(struct capture *capture) {
    if (!capture)
        return;
    pcap_close(capture->pcap);
    free(capture);
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* The kernel unbinds the socket of an interface that is gone, without a word to who polls: that was
   said when it went down. */
static int bound_to(const struct capture *capture) {
    struct sockaddr_ll address = { 0 };
    socklen_t size = sizeof address;
    getsockname(capture_fd(capture), (struct sockaddr *)&address, &size);
    return address.sll_ifindex;
}

static bool is_gone(const struct capture *capture) {
    return bound_to(capture) == -1;
}

/* Takes the error off the socket, since libpcap would leave the packets that came before it in the
   ring. */
static void take_error(struct capture *capture) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(capture_fd(capture), SOL_SOCKET, SO_ERROR, &error, &size);
    capture->down |= error == ENETDOWN;
}

bool capture_is_down(struct capture *capture) {
    struct ifreq request = { .ifr_ifindex = capture->down ? bound_to(capture) : -1 };
    if (capture->down && ioctl(capture_fd(capture), SIOCGIFNAME, &request) == 0 &&
        ioctl(capture_fd(capture), SIOCGIFFLAGS, &request) == 0 && request.ifr_flags & IFF_UP)
        capture->down = false;
    return capture->down;
}

static int no_packet(const struct capture *capture, int code, struct error *err) {
    if (capture->live && is_gone(capture))
        return error_set(err, ENETDOWN, "The interface disappeared");
    if (code == PCAP_ERROR)
        return error_set(err, EIO, "%s", pcap_geterr(capture->pcap));
    return 0;
}

int capture_next(struct capture *capture, struct captured *out, struct error *err) {
    struct pcap_pkthdr *header;
    const u_char *bytes;
    if (capture->live)
        take_error(capture);
    int code = pcap_next_ex(capture->pcap, &header, &bytes);
    if (code != 1)
        return no_packet(capture, code, err);
    *out = (struct captured){
        .time = header->ts,
        .length = header->len,
        .caplen = header->caplen,
        .link = capture->link,
        .bytes = bytes,
    };
    return 1;
}

int capture_fd(const struct capture *capture) {
    return capture->live ? pcap_get_selectable_fd(capture->pcap) : -1;
}

int capture_link(const struct capture *capture) {
    return capture->link;
}

size_t capture_room(const struct capture *capture) {
    return (size_t)capture->buffer / FRAME_MIN;
}

char *capture_ifname(const struct capture *capture, uint32_t ifindex, char name[static 16]) {
    struct ifreq request = { .ifr_ifindex = (int)ifindex };
    if (!capture->live || ioctl(capture_fd(capture), SIOCGIFNAME, &request) < 0)
        request.ifr_name[0] = '\0';
    return memcpy(name, request.ifr_name, 16);
}

int capture_stats(struct capture *capture, struct capture_stats *out, struct error *err) {
    struct pcap_stat stat;
    if (pcap_stats(capture->pcap, &stat) < 0)
        return error_set(err, EINVAL, "%s", pcap_geterr(capture->pcap));
    *out = (struct capture_stats){ stat.ps_recv, stat.ps_drop, stat.ps_ifdrop };
    return 0;
}

/* --- filters -----------------------------------------------------------------------------------
 */

enum { SNAPLEN_MAX = 262144 }; /* libpcap's own limit */

struct capture_filter {
    struct bpf_program program;
};

/* For a handle that only compiles: a live one would make code for the kernel, which keeps the tag
   of a VLAN beside the packet. */
struct capture_filter *capture_filter_new(const char *text, int link, struct error *err) {
    struct capture_filter *filter = calloc(1, sizeof *filter);
    pcap_t *pcap = filter ? pcap_open_dead(link, SNAPLEN_MAX) : NULL;
    int failed = pcap ? compile(pcap, text, &filter->program, err) : error_errno(err, ENOMEM);
    if (pcap)
        pcap_close(pcap);
    if (!failed)
        return filter;
    free(filter);
    return NULL;
}

bool capture_filter_matches(const struct capture_filter *filter, const struct captured *packet) {
    struct pcap_pkthdr header = { packet->time, packet->caplen, packet->length };
    return pcap_offline_filter(&filter->program, &header, packet->bytes) != 0;
}

void capture_filter_free(struct capture_filter *filter) {
    if (!filter)
        return;
    pcap_freecode(&filter->program);
    free(filter);
}

/* --- files -------------------------------------------------------------------------------------
 */

struct capture_file {
    pcap_t *pcap;
    pcap_dumper_t *dumper;
    int link;
};

static int open_dumper(struct capture_file *file, const char *path, struct error *err) {
    FILE *stream = fopen(path, "wbe");
    if (!stream)
        return error_errno(err, errno);
    file->pcap = pcap_open_dead(file->link, SNAPLEN_MAX);
    file->dumper = file->pcap ? pcap_dump_fopen(file->pcap, stream) : NULL;
    if (file->dumper)
        return 0;
    fclose(stream);
    return file->pcap ? error_set(err, EINVAL, "%s", pcap_geterr(file->pcap))
                      : error_errno(err, ENOMEM);
}

struct capture_file *capture_file_create(const char *path, int link, struct error *err) {
    struct capture_file *file = calloc(1, sizeof *file);
    if (!file) {
        error_errno(err, ENOMEM);
        return NULL;
    }
    file->link = link;
    if (open_dumper(file, path, err) == 0)
        return file;
    capture_file_close(file);
    return NULL;
}

int capture_file_write(struct capture_file *file, const struct captured *packet,
                       struct error *err) {
    struct pcap_pkthdr header = { packet->time, packet->caplen, packet->length };
    if (packet->link != file->link)
        return error_set(err, EINVAL, "the file holds packets of one kind of link");
    pcap_dump((u_char *)file->dumper, &header, packet->bytes);
    return ferror(pcap_dump_file(file->dumper)) ? error_errno(err, errno) : 0;
}

int capture_file_flush(struct capture_file *file, struct error *err) {
    return pcap_dump_flush(file->dumper) < 0 ? error_errno(err, errno) : 0;
}

void capture_file_close(struct capture_file *file) {
    if (!file)
        return;
    if (file->dumper)
        pcap_dump_close(file->dumper);
    if (file->pcap)
        pcap_close(file->pcap);
    free(file);
}
