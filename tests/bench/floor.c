/* The floor of a lab: a star of N leaves with the fewest requests in the best order known, and gone
   again. Leaf i is the namespace n<i>; its eth0 (10.0.x.y/16, default route via 10.0.0.1) is one
   end of a veth whose other end, h<i>, is a port of the bridge br0 (10.0.0.1/16) in our own
   namespace. As nsh does it, each end has one queue and a MAC of its own, and it is up once both
   ends of all pairs are. Prints seconds, a phase a line, and the resident memory with the lab up.
   floor N Only in a sandbox: tests/bench/sandbox build/bench/floor N */
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>

enum {
    LEAVES_MAX = 60000,
    LOOPBACK = 1,        /* interface indices in a leaf: a new namespace has lo alone, */
    ETH0 = 2,            /* so that what comes first gets this one */
    UNSETTLED_MAX = 80,  /* see configure_leaves */
    POLL = 100,          /* microseconds */
    PATIENCE = 60,       /* seconds */
    USER_NS = 0xEFFFFFFD /* PROC_USER_INIT_INO of linux/proc_ns.h: the inode of the first one */
};
static const uint32_t bridge_address = 0x0a000001; /* 10.0.0.1 */

struct leaf {
    int netns, netlink;
};

static struct leaf leaves[LEAVES_MAX];
static int count, host_netns, host_netlink;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int check(int result, const char *what) {
    if (result < 0)
        die(what);
    return result;
}

/* --- time ----------------------------------------------------------------------------------------
 */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_since(double start, const char *what) {
    printf("%s %.6f\n", what, now() - start);
}

static void run_phase(const char *what, void (*phase)(void)) {
    double start = now();
    phase();
    print_since(start, what);
}

static void wait_until(bool (*reached)(int i), int i, const char *what) {
    double deadline = now() + PATIENCE;
    while (!reached(i)) {
        if (now() > deadline)
            errno = ETIMEDOUT, die(what);
        usleep(POLL);
    }
}

/* --- netlink: some messages in one send, and the answer to the last
 * -------------------------------- */

struct batch {
    char bytes[1024];
    struct nlmsghdr *last;
};

static size_t batch_length(const struct batch *b) {
    return b->last ? (size_t)((char *)b->last - b->bytes) + b->last->nlmsg_len : 0;
}

static struct nlmsghdr *add(struct batch *b, uint16_t type, uint16_t flags, const void *header,
                            size_t size) {
    static uint32_t sequence;
    b->last = mnl_nlmsg_put_header(b->bytes + batch_length(b));
    b->last->nlmsg_type = type;
    b->last->nlmsg_flags = NLM_F_REQUEST | flags;
    b->last->nlmsg_seq = ++sequence;
    memcpy(mnl_nlmsg_put_extra_header(b->last, size), header, size);
    return b->last;
}

static void commit(int fd, struct batch *b, const char *what) {
    static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    char answer[4096];
    b->last->nlmsg_flags |= NLM_F_ACK;
    check((int)sendto(fd, b->bytes, batch_length(b), 0, (const struct sockaddr *)&kernel,
                      sizeof kernel),
          what);
    check((int)recv(fd, answer, sizeof answer, 0), what); /* the ACK, or the first refusal */
    const struct nlmsgerr *ack = mnl_nlmsg_get_payload((struct nlmsghdr *)answer);
    if (ack->error != 0)
        errno = -ack->error, die(what);
}

static int open_netlink(void) {
    return check(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "netlink");
}

static void add_up(struct batch *b, int index, bool up) {
    const struct ifinfomsg link = { .ifi_index = index,
                                    .ifi_flags = up ? IFF_UP : 0,
                                    .ifi_change = IFF_UP };
    add(b, RTM_NEWLINK, 0, &link, sizeof link);
}

static void add_address(struct batch *b, int index, uint32_t address) {
    const struct ifaddrmsg header = { .ifa_family = AF_INET,
                                      .ifa_prefixlen = 16,
                                      .ifa_index = (uint32_t)index };
    struct nlmsghdr *nlh = add(b, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
    mnl_attr_put_u32(nlh, IFA_LOCAL, htonl(address));
    mnl_attr_put_u32(nlh, IFA_ADDRESS, htonl(address));
}

static void add_default_route(struct batch *b) {
    const struct rtmsg route = { .rtm_family = AF_INET,
                                 .rtm_table = RT_TABLE_MAIN,
                                 .rtm_protocol = RTPROT_BOOT,
                                 .rtm_type = RTN_UNICAST };
    struct nlmsghdr *nlh = add(b, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &route, sizeof route);
    mnl_attr_put_u32(nlh, RTA_GATEWAY, htonl(bridge_address));
}

/* Left alone, the kernel makes a queue for each processor, and takes all but one out of use again.
 */
static void add_end(struct nlmsghdr *nlh, const char *name, uint8_t side, int i) {
    const uint8_t mac[] = { 2, side, 0, 0, (uint8_t)(i >> 8), (uint8_t)i };
    mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
    mnl_attr_put(nlh, IFLA_ADDRESS, sizeof mac, mac);
    mnl_attr_put_u32(nlh, IFLA_NUM_TX_QUEUES, 1);
    mnl_attr_put_u32(nlh, IFLA_NUM_RX_QUEUES, 1);
}

static void add_veth(struct batch *b, int i, int bridge) {
    static const struct ifinfomsg up = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP }, peer;
    char name[IFNAMSIZ];
    snprintf(name, sizeof name, "h%d", i + 1);
    struct nlmsghdr *nlh = add(b, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &up, sizeof up);
    add_end(nlh, name, 1, i);
    mnl_attr_put_u32(nlh, IFLA_MASTER, (uint32_t)bridge);
    struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
    mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
    struct nlattr *data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
    struct nlattr *end = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
    memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof peer), &peer, sizeof peer);
    add_end(nlh, "eth0", 2, i);
    mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)leaves[i].netns);
    mnl_attr_nest_end(nlh, end);
    mnl_attr_nest_end(nlh, data);
    mnl_attr_nest_end(nlh, info);
}

/* --- up, in the order of the calls in build ------------------------------------------------------
 */

static void create_namespaces(void) {
    for (int i = 0; i < count; i++) {
        check(unshare(CLONE_NEWNET), "unshare");
        leaves[i].netlink = open_netlink();
        leaves[i].netns = check(ioctl(leaves[i].netlink, SIOCGSKNS), "SIOCGSKNS");
    }
    check(setns(host_netns, CLONE_NEWNET), "setns");
}

static void create_bridge(void) {
    static const struct ifinfomsg link;
    struct batch create = { 0 }, address = { 0 };
    struct nlmsghdr *nlh = add(&create, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
    mnl_attr_put_strz(nlh, IFLA_IFNAME, "br0");
    struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
    mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "bridge");
    mnl_attr_nest_end(nlh, info);
    commit(host_netlink, &create, "br0");
    add_address(&address, (int)if_nametoindex("br0"), bridge_address);
    commit(host_netlink, &address, "br0's address");
}

static void create_links(void) {
    int bridge = (int)if_nametoindex("br0");
    for (int i = 0; i < count; i++) {
        struct batch b = { 0 };
        add_veth(&b, i, bridge);
        commit(host_netlink, &b, "veth");
    }
}

static int read_operstate(const struct nlattr *attr, void *arg) {
    if (mnl_attr_get_type(attr) == IFLA_OPERSTATE)
        *(uint8_t *)arg = mnl_attr_get_u8(attr);
    return MNL_CB_OK;
}

/* IFF_RUNNING says less: a pair that nobody has looked at yet has it already. */
static bool is_up(int netlink, const char *name) {
    static const struct ifinfomsg link;
    char answer[8192];
    uint8_t operstate = IF_OPER_UNKNOWN;
    struct batch b = { 0 };
    struct nlmsghdr *nlh = add(&b, RTM_GETLINK, 0, &link, sizeof link);
    mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
    check((int)send(netlink, nlh, nlh->nlmsg_len, 0), name);
    check((int)recv(netlink, answer, sizeof answer, 0), name);
    mnl_attr_parse((struct nlmsghdr *)answer, sizeof link, read_operstate, &operstate);
    return operstate == IF_OPER_UP;
}

static bool pair_runs(int i) {
    char name[IFNAMSIZ];
    snprintf(name, sizeof name, "h%d", i + 1);
    bool far = is_up(leaves[i].netlink, "eth0");
    return is_up(host_netlink, name) && far;
}

static void wait_for_pairs(int until) {
    static int running;
    for (; running < until; running++)
        wait_until(pair_runs, running, "a pair");
}

/* The kernel's link watch settles 200 ends of links at a time; of what exceeds that, 100 a second.
   It keeps up by itself unless the machine is busy: so never leave it more than it can take. */
static void configure_leaves(void) {
    for (int i = 0; i < count; i++) {
        uint32_t address = 0x0a000000 | (uint32_t)(i / 250 + 1) << 8 | (uint32_t)(i % 250 + 1);
        struct batch b = { 0 };
        add_up(&b, LOOPBACK, true);
        add_up(&b, ETH0, true);
        add_address(&b, ETH0, address);
        add_default_route(&b);
        commit(leaves[i].netlink, &b, "leaf");
        wait_for_pairs(i - UNSETTLED_MAX + 1);
    }
}

static void switch_bridge(bool up) {
    struct batch b = { 0 };
    add_up(&b, (int)if_nametoindex("br0"), up);
    commit(host_netlink, &b, "br0 up or down");
}

static void start_bridge(void) {
    switch_bridge(true); /* last, or each leaf's IPv6 multicast goes to all others */
}

static void name_namespaces(void) {
    mkdir("/run/netns", 0755);
    for (int i = 0; i < count; i++) {
        char target[64], name[64];
        snprintf(target, sizeof target, "/proc/%d/fd/%d", getpid(), leaves[i].netns);
        snprintf(name, sizeof name, "/run/netns/n%d", i + 1);
        check(symlink(target, name), name);
    }
}

static void wait_for_all(void) {
    wait_for_pairs(count);
}

static void build(void) {
    run_phase("namespaces", create_namespaces);
    run_phase("bridge", create_bridge);
    run_phase("links", create_links);
    run_phase("leaves", configure_leaves);
    run_phase("bridge-up", start_bridge);
    run_phase("names", name_namespaces);
    run_phase("wait", wait_for_all);
}

/* --- down ----------------------------------------------------------------------------------------
 */

/* What pins them goes at once, so that the kernel clears all of them together. */
static void release_namespaces(void) {
    for (int i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof name, "/run/netns/n%d", i + 1);
        unlink(name);
        close(leaves[i].netns);
        close(leaves[i].netlink);
    }
}

/* Deleting a bridge whose ports are forwarding costs several times as much. */
static void delete_bridge(void) {
    struct ifinfomsg link = { .ifi_index = (int)if_nametoindex("br0") };
    struct batch b = { 0 };
    switch_bridge(false);
    add(&b, RTM_DELLINK, 0, &link, sizeof link);
    commit(host_netlink, &b, "delete br0");
}

/* The last thing that the kernel does for a namespace is to count it off: what a limit of one more
   than our own allows is refused until then. And br0 must have been deleted. */
static bool all_gone(int unused) {
    (void)unused;
    if (if_nametoindex("br0") != 0)
        return false;
    bool gone = unshare(CLONE_NEWNET) == 0;
    if (!gone && errno != ENOSPC)
        die("unshare");
    return gone;
}

static void limit_namespaces(int most) {
    FILE *file = fopen("/proc/sys/user/max_net_namespaces", "w");
    if (!file || fprintf(file, "%d", most) < 0 || fclose(file) != 0)
        die("max_net_namespaces");
}

static void tear_down(void) {
    double start = now();
    release_namespaces();
    fflush(stdout);
    if (check(fork(), "fork") == 0) {
        delete_bridge();
        _exit(0);
    }
    print_since(start, "down-returns");
    limit_namespaces(2);
    wait_until(all_gone, 0, "what was left");
    print_since(start, "down-gone");
}

/* --- the program ---------------------------------------------------------------------------------
 */

static long resident_kib(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
        die("statm");
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void prepare(void) {
    struct rlimit limit;
    struct stat user;
    check(stat("/proc/self/ns/user", &user), "user namespace");
    if (user.st_ino == USER_NS)
        errno = EPERM, die("not in a sandbox");
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    check(setrlimit(RLIMIT_NOFILE, &limit), "descriptors");
    host_netns = check(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "namespace");
    host_netlink = open_netlink();
}

int main(int argc, char **argv) {
    count = argc == 2 ? atoi(argv[1]) : 0;
    if (count < 1 || count > LEAVES_MAX)
        return fprintf(stderr, "usage: floor N\n"), 2;
    setvbuf(stdout, NULL, _IOLBF, 0); /* stamp.c tells the time of each line */
    prepare();
    double start = now();
    build();
    print_since(start, "up");
    printf("rss %ld\n", resident_kib());
    tear_down();
    return 0;
}
