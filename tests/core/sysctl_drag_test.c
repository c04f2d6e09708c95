/* What the kernel changes together with a parameter: whether core/sysctl_drag.c knows it all. */
#include "sysctl_host.h"

#define FORWARD "net/ipv4/ip_forward"

/* --- every parameter -------------------------------------------------------------------------- */

/* What is not what it was: "1" for 0 and the other way round, 2 where both are refused, and the
   last number of a list changed. */
static bool hold_otherwise(const char *key, const char *value) {
    static const char *const others[] = { "1", "0", "2" };
    char list[TEXT_MAX];
    struct error err;
    const char *last = strrchr(value, '\t');
    if (last) {
        snprintf(list, sizeof list, "%.*s %ld", (int)(last - value), value, atol(last + 1) + 4096);
        return sysctl_hold(0, NULL, key, list, &err) == 0;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(value, others[i]) != 0 && sysctl_hold(0, NULL, key, others[i], &err) == 0)
            return true;
    return false;
}

/* The kernel itself does not take this one back. */
static bool is_one_way(const char *key) {
    return strstr(key, "nf_hooks_lwtunnel") || strstr(key, "/lo/");
}

static void try_parameters(void) {
    size_t tried = 0;
    make_host();
    run_command("ip addr add 10.0.0.1/24 dev own && ip link set other up");
    take_picture();
    for (size_t i = 0; i < host.count; i++) {
        if (is_one_way(host.keys[i]) || !hold_otherwise(host.keys[i], host.values[i]))
            continue;
        must(guardian_stop() == 0);
        tried++;
        if (!is_as_in_picture())
            fprintf(stderr, "# after %s\n", host.keys[i]), _exit(1);
    }
    must(tried > 300 && is_folder_gone());
}

static void as_nobody(void) {
    become_nobody();
    try_parameters();
}

/* As an ordinary user: root of a sandbox could change the whole machine's. */
static void test_every_parameter(void **state) {
    (void)state;
    run_child(geteuid() == 0 ? as_nobody : try_parameters);
}

/* --- the table -------------------------------------------------------------------------------- */

/* Also what only the initial namespace has. */
static const struct {
    const char *key, *name, *source; /* "": for no interface that comes */
    enum drag_value value;
} dragged[] = {
    { FORWARD, "net/ipv4/conf/all/accept_redirects", "", DRAG_INVERSE },
    { FORWARD, "net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/default/forwarding", DRAG_SAME },
    { FORWARD, "net/ipv4/conf/default/forwarding", "", DRAG_SAME },
    { "net/ipv4/conf/default/tag", "net/ipv4/conf/eth0/tag", "net/ipv4/conf/default/tag",
      DRAG_OWN },
    { "net/ipv4/neigh/default/locktime", "net/ipv4/neigh/eth0/locktime",
      "net/ipv4/neigh/default/locktime", DRAG_OWN },
    { "net/ipv6/neigh/default/unres_qlen", "net/ipv6/neigh/eth0/unres_qlen_bytes",
      "net/ipv6/neigh/default/unres_qlen_bytes", DRAG_OWN },
    { "net/ipv6/neigh/default/retrans_time", "net/ipv6/neigh/default/retrans_time_ms", "",
      DRAG_OWN },
    { "net/ipv6/conf/eth0/stable_secret", "net/ipv6/conf/eth0/addr_gen_mode", "", DRAG_OWN },
    { "net/ipv6/route/gc_min_interval", "net/ipv6/route/gc_min_interval_ms", "", DRAG_OWN },
    { "net/ipv4/tcp_congestion_control", "net/ipv4/tcp_allowed_congestion_control", "", DRAG_OWN },
};

static const struct {
    const char *key, *name;
} independent[] = {
    { FORWARD, FORWARD },
    { FORWARD, "net/ipv4/conf/all/forwarding" }, /* the same parameter */
    { FORWARD, "net/ipv4/conf/eth0/accept_redirects" },
    { FORWARD, "net/ipv6/conf/eth0/forwarding" },
    { "net/ipv4/conf/default/forwarding", "net/ipv4/conf/eth0/forwarding" },
    { "net/ipv4/conf/default/tag", "net/ipv4/conf/all/tag" },
    { "net/ipv4/conf/all/rp_filter", "net/ipv4/conf/eth0/rp_filter" },
    { "net/ipv4/conf/eth0/rp_filter", "net/ipv4/conf/eth1/rp_filter" },
    { "net/ipv4/neigh/default/unres_qlen", "net/ipv6/neigh/eth0/unres_qlen_bytes" },
    { "net/ipv6/conf/eth0/stable_secret", "net/ipv6/conf/eth1/addr_gen_mode" },
};

static void test_table(void **state) {
    enum drag_value value;
    char source[SYSCTL_NAME_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof dragged / sizeof *dragged; i++) {
        assert_true(drag_finds(dragged[i].key, dragged[i].name, &value));
        assert_int_equal(value, dragged[i].value);
        if (!drag_default(dragged[i].key, dragged[i].name, source))
            *source = '\0';
        assert_string_equal(source, dragged[i].source);
    }
    for (size_t i = 0; i < sizeof independent / sizeof *independent; i++)
        assert_false(drag_finds(independent[i].key, independent[i].name, &value));
    assert_string_equal(drag_canonical("net/ipv4/conf/all/forwarding"), FORWARD);
    assert_string_equal(drag_canonical(FORWARD), FORWARD);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_every_parameter),
    };
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return cmocka_run_group_tests_name("sysctl_drag", tests, NULL, NULL);
}
