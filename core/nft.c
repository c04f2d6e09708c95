#include "nft.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"

/* A table's, a chain's and a mark's names are short: NFT_NAME_MAXLEN is 256. */
enum { REQUEST_MAX = 2048, ANSWER_MAX = 1 << 15, RULES_MAX = 256, PASSES = 20 };

/* How libnftnl keeps a comment in a rule's user data: type, length, bytes (udata.h). */
enum { UDATA_COMMENT = 0, UDATA_HEAD = 2 };

static const struct {
    const char *word;
    uint8_t family;
} families[] = {
    { "inet", NFPROTO_INET }, { "ip", NFPROTO_IPV4 },       { "ip6", NFPROTO_IPV6 },
    { "arp", NFPROTO_ARP },   { "bridge", NFPROTO_BRIDGE }, { "netdev", NFPROTO_NETDEV },
};

int nft_family(const char *word) {
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (!strcmp(families[i].word, word))
            return families[i].family;
    return -1;
}

/* --- messages --------------------------------------------------------------------------------- */

static struct nlmsghdr *put_head(char *at, uint16_t type, uint16_t flags, uint8_t family,
                                 uint16_t resource) {
    struct nlmsghdr *message = mnl_nlmsg_put_header(at);
    message->nlmsg_type = type;
    message->nlmsg_flags = NLM_F_REQUEST | flags;
    struct nfgenmsg *head = mnl_nlmsg_put_extra_header(message, sizeof *head);
    *head = (struct nfgenmsg){ family, NFNETLINK_V0, htons(resource) };
    return message;
}

static struct nlmsghdr *put_request(char *at, uint16_t command, uint16_t flags, uint8_t family) {
    return put_head(at, NFNL_SUBSYS_NFTABLES << 8 | command, flags, family, 0);
}

static size_t end_of_message(const struct nlmsghdr *message) {
    return NLMSG_ALIGN(message->nlmsg_len);
}

/* Changes come in batches, even a single one. The kernel acts before send returns. */
static void send_change(int fd, const struct nlmsghdr *change) {
    char batch[REQUEST_MAX + 64] = { 0 };
    size_t used =
        end_of_message(put_head(batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
    memcpy(batch + used, change, change->nlmsg_len);
    used += end_of_message(change);
    used += end_of_message(
        put_head(batch + used, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
    send(fd, batch, used, 0);
}

static int open_socket(void) {
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
}

int nft_delete_table(uint8_t family, const char *table) {
    char bytes[REQUEST_MAX] = { 0 };
    cleanup_fd int fd = open_socket();
    struct nlmsghdr *message = put_request(bytes, NFT_MSG_DELTABLE, 0, family);
    if (fd < 0 || !mnl_attr_put_strz_check(message, sizeof bytes, NFTA_TABLE_NAME, table))
        return -1;
    send_change(fd, message);
    return 0;
}

/* --- the rules of a chain --------------------------------------------------------------------- */

struct search {
    const char *mark;
    uint64_t handles[RULES_MAX]; /* as they are on the wire */
    size_t count;
    bool again; /* there are more, or they changed meanwhile */
};

/* "MARK" or "MARK …", which may lack its zero byte. */
static bool is_marked(const char *comment, size_t size, const char *mark) {
    size_t length = strlen(mark);
    return size >= length && !memcmp(comment, mark, length) &&
           (size == length || comment[length] == '\0' || comment[length] == ' ');
}

static bool has_mark(const struct nlattr *userdata, const char *mark) {
    const uint8_t *at = mnl_attr_get_payload(userdata);
    size_t left = mnl_attr_get_payload_len(userdata);
    while (left >= UDATA_HEAD && left - UDATA_HEAD >= at[1]) {
        if (at[0] == UDATA_COMMENT && is_marked((const char *)at + UDATA_HEAD, at[1], mark))
            return true;
        left -= UDATA_HEAD + at[1];
        at += UDATA_HEAD + at[1];
    }
    return false;
}

static int note_rule(const struct nlmsghdr *message, void *arg) {
    struct search *search = arg;
    const struct nlattr *attr, *handle = NULL, *userdata = NULL;
    if (message->nlmsg_flags & NLM_F_DUMP_INTR)
        search->again = true;
    mnl_attr_for_each(attr, message, sizeof(struct nfgenmsg)) {
        if (mnl_attr_get_type(attr) == NFTA_RULE_HANDLE)
            handle = attr;
        if (mnl_attr_get_type(attr) == NFTA_RULE_USERDATA)
            userdata = attr;
    }
    if (!handle || !userdata || mnl_attr_get_payload_len(handle) != sizeof(uint64_t) ||
        !has_mark(userdata, search->mark))
        return MNL_CB_OK;
    if (search->count == RULES_MAX)
        search->again = true;
    else
        memcpy(&search->handles[search->count++], mnl_attr_get_payload(handle), sizeof(uint64_t));
    return MNL_CB_OK;
}

/* A request that names a chain; NULL if the names are too long. */
static struct nlmsghdr *about_chain(char bytes[REQUEST_MAX], uint16_t command, uint16_t flags,
                                    uint8_t family, const char *table, const char *chain) {
    struct nlmsghdr *message = put_request(bytes, command, flags, family);
    return mnl_attr_put_strz_check(message, REQUEST_MAX, NFTA_RULE_TABLE, table) &&
                   mnl_attr_put_strz_check(message, REQUEST_MAX, NFTA_RULE_CHAIN, chain)
               ? message
               : NULL;
}

static int find_rules(int fd, const struct nlmsghdr *request, struct search *search) {
    _Alignas(struct nlmsghdr) char answer[ANSWER_MAX];
    int more = MNL_CB_OK;
    search->count = 0;
    search->again = false;
    if (send(fd, request, request->nlmsg_len, 0) < 0)
        return -1;
    while (more == MNL_CB_OK) {
        ssize_t size = recv(fd, answer, sizeof answer, 0);
        more = size < 0 ? -1 : mnl_cb_run(answer, (size_t)size, 0, 0, note_rule, search);
    }
    return more == MNL_CB_STOP ? 0 : -1;
}

int nft_delete_marked(uint8_t family, const char *table, const char *chain, const char *mark) {
    char bytes[REQUEST_MAX] = { 0 }, change[REQUEST_MAX];
    struct search search = { .mark = mark, .again = true };
    const struct nlmsghdr *request =
        about_chain(bytes, NFT_MSG_GETRULE, NLM_F_DUMP, family, table, chain);
    for (int pass = 0; request && search.again && pass < PASSES; pass++) {
        cleanup_fd int fd = open_socket();
        if (fd < 0 || find_rules(fd, request, &search) < 0)
            return -1;
        for (size_t i = 0; i < search.count; i++) {
            memset(change, 0, sizeof change);
            struct nlmsghdr *message =
                about_chain(change, NFT_MSG_DELRULE, 0, family, table, chain);
            mnl_attr_put(message, NFTA_RULE_HANDLE, sizeof(uint64_t), &search.handles[i]);
            send_change(fd, message);
        }
    }
    return request ? 0 : -1;
}
