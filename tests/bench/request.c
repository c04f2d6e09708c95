/* The floor of one request: `ip link set dev veth0 txqueuelen N` in a loop, with libmnl and the
   system calls that nsh makes (look up the index, send, receive the ACK). Prints microseconds a
   request: CPU time, and time on the clock. request COUNT */
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int find_index(int fd) {
    struct ifreq request = { .ifr_name = "veth0" };
    return ioctl(fd, SIOCGIFINDEX, &request) < 0 ? -1 : request.ifr_ifindex;
}

static int request(int fd, uint32_t seq, uint32_t txqlen) {
    static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    static char answer[32 * 1024];
    char bytes[256];
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(bytes);
    nlh->nlmsg_type = RTM_NEWLINK;
    nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    nlh->nlmsg_seq = seq;
    struct ifinfomsg *link = mnl_nlmsg_put_extra_header(nlh, sizeof *link);
    link->ifi_index = find_index(fd);
    mnl_attr_put_u32(nlh, IFLA_TXQLEN, txqlen);
    sendto(fd, nlh, nlh->nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof kernel);
    struct sockaddr_nl sender;
    struct iovec iov = { answer, sizeof answer };
    struct msghdr msg = { &sender, sizeof sender, &iov, 1, NULL, 0, 0 };
    ssize_t length = recvmsg(fd, &msg, MSG_TRUNC);
    const struct nlmsghdr *ack = (const struct nlmsghdr *)answer;
    return length > 0 && ack->nlmsg_seq == seq && ack->nlmsg_type == NLMSG_ERROR
               ? ((const struct nlmsgerr *)mnl_nlmsg_get_payload(ack))->error
               : -1;
}

int main(int argc, char **argv) {
    uint32_t count = argc > 1 ? (uint32_t)atoi(argv[1]) : 10000;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    double cpu = now(CLOCK_PROCESS_CPUTIME_ID), start = now(CLOCK_MONOTONIC);
    for (uint32_t i = 1; i <= count; i++)
        if (request(fd, i, 500 + i % 1000) != 0)
            return fprintf(stderr, "refused\n"), 1;
    printf("%.3f %.3f\n", (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / count * 1e6,
           (now(CLOCK_MONOTONIC) - start) / count * 1e6);
    return 0;
}
