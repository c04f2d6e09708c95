/* The netlink engine against the kernel, in a sandbox of its own. */
#include "child.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "../../core/cleanup.h"
#include "../../core/netlink.h"
#include "../../core/netns.h"
#include "../../core/sandbox.h"

enum {
    ADDRESSES = 1500,  /* whose dump takes several datagrams */
    REQUEST = 512,     /* bytes, enough for one of ours */
    PER_REQUEST = 256, /* bytes of one in a batch */
};

static struct netlink nl, other;
static struct netlink_buffer buffer, other_buffer;
static struct error err;

union request {
    struct nlmsghdr header;
    char bytes[REQUEST];
};

/* --- requests --------------------------------------------------------------------------------- */

static void *begin(void *at, uint16_t type, uint16_t flags, size_t header) {
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(at);
    nlh->nlmsg_type = type;
    nlh->nlmsg_flags = flags;
    return mnl_nlmsg_put_extra_header(nlh, header);
}

static struct nlmsghdr *link_request(union request *request, uint16_t type, uint16_t flags,
                                     const char *name, const char *kind) {
    begin(request, type, flags, sizeof(struct ifinfomsg));
    if (name)
        mnl_attr_put_strz(&request->header, IFLA_IFNAME, name);
    if (kind) {
        struct nlattr *nest = mnl_attr_nest_start(&request->header, IFLA_LINKINFO);
        mnl_attr_put_strz(&request->header, IFLA_INFO_KIND, kind);
        mnl_attr_nest_end(&request->header, nest);
    }
    return &request->header;
}

/* 127.1.0.0 and so on, each a host address of lo (index 1). */
static struct nlmsghdr *address_request(void *at, uint16_t type, uint16_t flags, unsigned number) {
    uint32_t address = htonl(0x7f010000 + number);
    struct ifaddrmsg *header = begin(at, type, flags, sizeof *header);
    *header = (struct ifaddrmsg){ .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 1 };
    mnl_attr_put_u32(at, IFA_LOCAL, address);
    mnl_attr_put_u32(at, IFA_ADDRESS, address);
    return at;
}

static struct nlmsghdr *dump_request(union request *request, uint16_t type) {
    struct ifaddrmsg *header = begin(request, type, 0, 16);
    header->ifa_family = type == RTM_GETADDR ? AF_INET : AF_UNSPEC;
    if (type == RTM_GETADDR)
        request->header.nlmsg_len = MNL_NLMSG_HDRLEN + sizeof(struct ifaddrmsg);
    else
        mnl_attr_put_u32(&request->header, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    return &request->header;
}

static int begin_dump(struct netlink *on, uint16_t type) {
    union request request;
    return netlink_dump(on, dump_request(&request, type), &err);
}

/* How many messages there are till the end; the negative errno if it fails. */
static int count_rest(struct netlink *on) {
    struct nlmsghdr *nlh;
    int count = 0, more;
    while ((more = netlink_next(on, &nlh, &err)) > 0)
        count++;
    return more < 0 ? -err.code : count;
}

static int count_dump(struct netlink *on, uint16_t type) {
    int result = -EAGAIN;
    for (int i = 0; i < NETLINK_TRIES && result == -EAGAIN; i++)
        result = begin_dump(on, type) < 0 ? -err.code : count_rest(on);
    return result;
}

static int read_some(struct netlink *on, int count) {
    struct nlmsghdr *nlh;
    for (int i = 0; i < count; i++)
        if (netlink_next(on, &nlh, &err) != 1)
            return -1;
    return 0;
}

static uint16_t flags_for(uint16_t type) {
    return type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0;
}

static int change_address(struct netlink *on, uint16_t type, unsigned number) {
    union request request;
    return netlink_change(on, address_request(&request, type, flags_for(type), number), &err);
}

static int change_link(uint16_t type, uint16_t flags, const char *name, const char *kind) {
    union request request;
    return netlink_change(&nl, link_request(&request, type, flags, name, kind), &err);
}

/* --- set-up ----------------------------------------------------------------------------------- */

static int open_sockets(void **state) {
    (void)state;
    if (sandbox_enter(&err) < 0) {
        print_message("%s; %s\n", err.message, err.hint);
        return -1;
    }
    return netlink_open(&nl, -1, &buffer, &err) < 0 ||
                   netlink_open(&other, -1, &other_buffer, &err) < 0
               ? -1
               : 0;
}

static int close_sockets(void **state) {
    (void)state;
    netlink_close(&nl);
    netlink_close(&nl); /* twice does no harm */
    netlink_close(&other);
    free(buffer.bytes);
    free(other_buffer.bytes);
    return 0;
}

struct refusals {
    size_t count, index[64];
    int code;
};

static void note_refusal(void *arg, size_t index, const struct error *refusal) {
    struct refusals *refusals = arg;
    if (refusals->count < 64)
        refusals->index[refusals->count] = index;
    refusals->count++;
    refusals->code = refusal->code;
}

static int batch_addresses(uint16_t type, size_t count, struct refusals *refusals) {
    char *batch = calloc(count, PER_REQUEST), *next = batch;
    assert_non_null(batch);
    for (size_t i = 0; i < count; i++)
        next += address_request(next, type, flags_for(type), (unsigned)i)->nlmsg_len;
    int failed = netlink_batch(&nl, batch, count, note_refusal, refusals, &err);
    free(batch);
    return failed;
}

static int add_addresses(void **state) {
    struct refusals refusals = { 0 };
    (void)state;
    return batch_addresses(RTM_NEWADDR, ADDRESSES, &refusals);
}

static int del_addresses(void **state) {
    struct refusals refusals = { 0 };
    (void)state;
    return batch_addresses(RTM_DELADDR, ADDRESSES, &refusals) < 0;
}

/* --- changes ---------------------------------------------------------------------------------- */

static void test_change(void **state) {
    (void)state;
    assert_int_equal(change_link(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "br0", "bridge"), 0);
    assert_int_equal(change_link(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "br0", "bridge"), -1);
    assert_int_equal(err.code, EEXIST);
    assert_string_equal(err.message, "File exists");
    assert_int_equal(change_link(RTM_DELLINK, 0, "br0", NULL), 0);
    assert_int_equal(change_link(RTM_DELLINK, 0, "br0", NULL), -1);
    assert_int_equal(err.code, ENODEV);
}

/* The kernel's sentence, without its full stop, and where the attribute stands. */
static void test_refusal(void **state) {
    union request request;
    (void)state;
    link_request(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "br0", "nonsense");
    assert_int_equal(netlink_change(&nl, &request.header, &err), -1);
    assert_int_equal(err.code, EOPNOTSUPP);
    assert_string_equal(err.message, "Unknown device type");
    link_request(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "br0", "bridge");
    uint32_t offset = request.header.nlmsg_len;
    mnl_attr_put_u16(&request.header, IFLA_MTU, 1500);
    assert_int_equal(netlink_change(&nl, &request.header, &err), -1);
    assert_int_equal(nl.refusal.offset, offset);
    assert_int_equal(change_link(RTM_DELLINK, 0, "lo", NULL), -1);
    assert_int_equal(nl.refusal.offset, 0);
}

static void test_get(void **state) {
    union request request;
    struct nlmsghdr *reply;
    (void)state;
    link_request(&request, RTM_GETLINK, 0, "lo", NULL);
    assert_int_equal(netlink_get(&nl, &request.header, &reply, &err), 0);
    assert_int_equal(reply->nlmsg_type, RTM_NEWLINK);
    assert_int_equal(((struct ifinfomsg *)mnl_nlmsg_get_payload(reply))->ifi_index, 1);
    link_request(&request, RTM_GETLINK, 0, "nobody", NULL);
    assert_int_equal(netlink_get(&nl, &request.header, &reply, &err), -1);
    assert_int_equal(err.code, ENODEV);
}

/* --- batches ---------------------------------------------------------------------------------- */

/* Some at the borders of the chunks are there already: these are told, all the others made. */
static void test_batch(void **state) {
    static const unsigned there[] = { 0, 63, 64, 129, 299 };
    struct refusals refusals = { 0 };
    (void)state;
    int before = count_dump(&nl, RTM_GETADDR);
    for (int i = 0; i < 5; i++)
        assert_int_equal(change_address(&nl, RTM_NEWADDR, there[i]), 0);
    assert_int_equal(batch_addresses(RTM_NEWADDR, 300, &refusals), 5);
    assert_int_equal(refusals.count, 5);
    assert_int_equal(refusals.code, EEXIST);
    for (int i = 0; i < 5; i++)
        assert_int_equal(refusals.index[i], there[i]);
    assert_int_equal(count_dump(&nl, RTM_GETADDR), before + 300);
    assert_int_equal(batch_addresses(RTM_DELADDR, 300, &refusals), 0);
    assert_int_equal(count_dump(&nl, RTM_GETADDR), before);
}

static void test_batch_all_refused(void **state) {
    struct refusals refusals = { 0 };
    (void)state;
    assert_int_equal(batch_addresses(RTM_DELADDR, ADDRESSES, &refusals), ADDRESSES);
    assert_int_equal(refusals.count, ADDRESSES);
    assert_int_equal(refusals.code, EADDRNOTAVAIL);
    assert_int_equal(netlink_batch(&nl, NULL, 0, note_refusal, &refusals, &err), 0);
}

/* --- dumps ------------------------------------------------------------------------------------ */

static void test_dump(void **state) {
    (void)state;
    assert_in_range(count_dump(&nl, RTM_GETADDR), ADDRESSES, ADDRESSES + 1);
}

/* However much of a dump was read: a change, a question and another dump work behind it. */
static void test_abandoned_dump(void **state) {
    static const int read[] = { 0, 1, 100, 700, ADDRESSES };
    (void)state;
    for (size_t i = 0; i < sizeof read / sizeof *read; i++) {
        assert_int_equal(begin_dump(&nl, RTM_GETADDR), 0);
        assert_int_equal(read_some(&nl, read[i]), 0);
        assert_int_equal(change_address(&nl, RTM_NEWADDR, 5000), 0);
        assert_int_equal(change_address(&nl, RTM_DELADDR, 5000), 0);
        assert_int_equal(begin_dump(&nl, RTM_GETADDR), 0);
        assert_int_equal(read_some(&nl, read[i]), 0);
        assert_in_range(count_dump(&nl, RTM_GETADDR), ADDRESSES, ADDRESSES + 1);
        assert_int_equal(begin_dump(&nl, RTM_GETADDR), 0);
        assert_int_equal(read_some(&nl, read[i]), 0);
        assert_int_equal(netlink_index(&nl, "an interface of that name is not there", &err), -1);
        assert_int_equal(err.code, ENODEV);
    }
}

/* Two sockets with one buffer: what the one left in it is no answer to the other. */
static void test_shared_buffer(void **state) {
    struct netlink second;
    (void)state;
    assert_int_equal(netlink_open(&second, -1, &buffer, &err), 0);
    assert_int_equal(begin_dump(&nl, RTM_GETADDR), 0);
    assert_int_equal(read_some(&nl, 10), 0);
    assert_in_range(count_dump(&second, RTM_GETLINK), 1, 100);
    assert_in_range(count_dump(&nl, RTM_GETADDR), ADDRESSES, ADDRESSES + 1);
    netlink_close(&second);
}

/* NLM_F_DUMP_INTR: the table changes between two datagrams of its dump. */
static void test_inconsistent_dump(void **state) {
    (void)state;
    assert_int_equal(begin_dump(&nl, RTM_GETADDR), 0);
    assert_int_equal(read_some(&nl, 1), 0);
    assert_int_equal(change_address(&other, RTM_NEWADDR, 5000), 0);
    assert_int_equal(count_rest(&nl), -EAGAIN);
    assert_in_range(count_dump(&nl, RTM_GETADDR), ADDRESSES + 1, ADDRESSES + 2);
    assert_int_equal(change_address(&other, RTM_DELADDR, 5000), 0);
}

/* Signals without SA_RESTART, at any moment of a request. */
static void on_alarm(int signal) {
    (void)signal;
}

static void test_interrupted_calls(void **state) {
    struct sigaction action = { .sa_handler = on_alarm }, before;
    struct itimerval often = { { 0, 200 }, { 0, 200 } }, never = { 0 };
    struct refusals refusals = { 0 };
    (void)state;
    sigaction(SIGALRM, &action, &before);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 20; i++) {
        assert_in_range(count_dump(&nl, RTM_GETADDR), ADDRESSES, ADDRESSES + 1);
        assert_int_equal(batch_addresses(RTM_NEWADDR, 300, &refusals), 300);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
}

/* --- messages larger than the buffer ---------------------------------------------------------- */

static void add_names(const char *link, int count) {
    static union {
        struct nlmsghdr header;
        char bytes[64 * 1024];
    } request;
    struct ifinfomsg *header =
        begin(&request, RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL | 0x400, sizeof *header);
    header->ifi_index = netlink_index(&nl, link, &err);
    struct nlattr *list = mnl_attr_nest_start(&request.header, IFLA_PROP_LIST);
    for (int i = 0; i < count; i++) {
        char name[ALTIFNAMSIZ];
        snprintf(name, sizeof name, "%0120d", i);
        mnl_attr_put_strz(&request.header, IFLA_ALT_IFNAME, name);
    }
    mnl_attr_nest_end(&request.header, list);
    assert_int_equal(netlink_change(&nl, &request.header, &err), 0);
}

static void test_large_message(void **state) {
    union request request;
    struct nlmsghdr *reply;
    char name[16], alternative[ALTIFNAMSIZ];
    (void)state;
    assert_int_equal(change_link(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "br0", "bridge"), 0);
    assert_int_equal(change_link(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "br1", "bridge"), 0);
    add_names("br0", 400);
    size_t size = buffer.size;
    assert_in_range(count_dump(&nl, RTM_GETLINK), 3, 100);
    assert_true(buffer.size > size);
    link_request(&request, RTM_GETLINK, 0, "br0", NULL);
    assert_int_equal(netlink_get(&other, &request.header, &reply, &err), 0);
    assert_true(reply->nlmsg_len > size);
    snprintf(alternative, sizeof alternative, "%0120d", 399);
    int index = netlink_index(&nl, alternative, &err);
    assert_string_equal(netlink_name(&nl, index, name), "br0");
    assert_int_equal(change_link(RTM_DELLINK, 0, "br0", NULL), 0);
    assert_int_equal(change_link(RTM_DELLINK, 0, "br1", NULL), 0);
}

/* --- who answers ------------------------------------------------------------------------------ */

/* Another program sends our socket what looks like the kernel's answer to our next request. */
static void forge(int code, uint32_t seq) {
    static const char noise[100];
    union request answer;
    struct nlmsgerr *verdict = begin(&answer, NLMSG_ERROR, 0, sizeof *verdict);
    struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_pid = nl.port };
    verdict->error = -code;
    answer.header.nlmsg_seq = seq;
    answer.header.nlmsg_pid = nl.port;
    assert_int_equal(
        sendto(other.fd, &answer, answer.header.nlmsg_len, 0, (struct sockaddr *)&to, sizeof to),
        answer.header.nlmsg_len);
    assert_int_equal(sendto(other.fd, noise, sizeof noise, 0, (struct sockaddr *)&to, sizeof to),
                     sizeof noise);
}

static void test_forged_answer(void **state) {
    union request request;
    struct nlmsghdr *reply;
    (void)state;
    for (uint32_t i = 0; i < 4; i++)
        forge(EPERM, nl.seq + i);
    assert_int_equal(change_address(&nl, RTM_NEWADDR, 5000), 0);
    for (uint32_t i = 0; i < 4; i++)
        forge(0, nl.seq + i);
    assert_int_equal(change_address(&nl, RTM_NEWADDR, 5000), -1);
    assert_int_equal(err.code, EEXIST);
    forge(EPERM, nl.seq + 1);
    link_request(&request, RTM_GETLINK, 0, "lo", NULL);
    assert_int_equal(netlink_get(&nl, &request.header, &reply, &err), 0);
    forge(EPERM, nl.seq + 1);
    assert_in_range(count_dump(&nl, RTM_GETADDR), ADDRESSES + 1, ADDRESSES + 2);
    assert_int_equal(change_address(&nl, RTM_DELADDR, 5000), 0);
}

/* --- interfaces ------------------------------------------------------------------------------- */

static void test_names(void **state) {
    char name[16], long_name[5000];
    (void)state;
    assert_int_equal(netlink_index(&nl, "lo", &err), 1);
    assert_string_equal(netlink_name(&nl, 1, name), "lo");
    assert_null(netlink_name(&nl, 12345, name));
    assert_int_equal(netlink_index(&nl, "nobody", &err), -1);
    assert_int_equal(err.code, ENODEV);
    assert_string_equal(err.message, "there is no interface \"nobody\"");
    memset(long_name, 'x', sizeof long_name);
    long_name[sizeof long_name - 1] = 0;
    assert_int_equal(netlink_index(&nl, long_name, &err), -1);
    assert_int_equal(err.code, ENODEV);
}

/* --- namespaces ------------------------------------------------------------------------------- */

static void test_other_namespace(void **state) {
    struct netlink inside;
    (void)state;
    int ns = netns_new(&err);
    assert_true(ns >= 0);
    assert_int_equal(netlink_open(&inside, ns, &buffer, &err), 0);
    assert_int_equal(count_dump(&inside, RTM_GETLINK), 1);
    assert_int_equal(count_dump(&inside, RTM_GETADDR), 0);
    netlink_close(&inside);
    close(ns);
    assert_int_equal(netlink_open(&inside, ns, &buffer, &err), -1);
    assert_int_equal(inside.fd, -1);
}

/* Each socket is in the namespace that its descriptor is of. */
static void take_namespaces(size_t count) {
    struct netlink inside;
    int fds[3], sockets[3];
    assert_int_equal(netns_new_many(count, fds, sockets, &err), 0);
    for (size_t i = 0; i < count; i++) {
        struct stat one, other;
        cleanup_fd int here = ioctl(sockets[i], SIOCGSKNS);
        assert_true(fstat(fds[i], &one) == 0 && fstat(here, &other) == 0);
        assert_int_equal(one.st_ino, other.st_ino);
        assert_int_equal(netlink_adopt(&inside, sockets[i], &buffer, &err), 0);
        assert_int_equal(count_dump(&inside, RTM_GETLINK), 1);
        netlink_close(&inside);
        close(fds[i]);
    }
}

static void test_many_namespaces(void **state) {
    (void)state;
    take_namespaces(3);
}

static int next_fd(void) {
    int fd = dup(0);
    close(fd);
    return fd;
}

/* They serve whoever asks, as far as they go; what is left over is closed. */
static void test_namespaces_begun(void **state) {
    (void)state;
    int before = next_fd();
    for (int i = 0; i < 20; i++) {
        netns_begin(3);
        netns_begin(100); /* one at a time */
        take_namespaces(2);
        take_namespaces(2);
        netns_end();
        netns_begin(5);
        netns_end();
        netns_end();
    }
    netns_begin(0);
    take_namespaces(1);
    assert_int_equal(next_fd(), before);
}

/* A forked child has a copy of the helper's lock, but not the helper. */
static void use_namespaces(void) {
    for (int i = 0; i < 5; i++) {
        int ns = netns_new(&err), fd = netns_socket(ns, AF_INET, SOCK_DGRAM, 0, &err);
        must(ns >= 0 && fd >= 0);
        close(fd);
        close(ns);
    }
}

static void use_namespaces_and_fork(void) {
    int status;
    use_namespaces();
    alarm(20);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(10);
        use_namespaces();
        _exit(0);
    }
    must(waitpid(pid, &status, 0) == pid && status == 0);
}

static void test_helper_after_fork(void **state) {
    (void)state;
    for (int i = 0; i < 10; i++)
        run_child(use_namespaces_and_fork);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_change),
        cmocka_unit_test(test_refusal),
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_batch_all_refused),
        cmocka_unit_test_setup_teardown(test_dump, add_addresses, del_addresses),
        cmocka_unit_test_setup_teardown(test_abandoned_dump, add_addresses, del_addresses),
        cmocka_unit_test_setup_teardown(test_shared_buffer, add_addresses, del_addresses),
        cmocka_unit_test_setup_teardown(test_inconsistent_dump, add_addresses, del_addresses),
        cmocka_unit_test_setup_teardown(test_interrupted_calls, add_addresses, del_addresses),
        cmocka_unit_test_setup_teardown(test_forged_answer, add_addresses, del_addresses),
        cmocka_unit_test(test_large_message),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_other_namespace),
        cmocka_unit_test(test_many_namespaces),
        cmocka_unit_test(test_namespaces_begun),
        cmocka_unit_test(test_helper_after_fork),
    };
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return cmocka_run_group_tests(tests, open_sockets, close_sockets);
}
