/* Quantities: what they are read as, and that what is written is read as the same. */
#include "child.h"

#include "../../core/schema/unit.h"

static struct value text(const char *t) {
    return (struct value){ .type = VALUE_TEXT, .text = t, .length = strlen(t) };
}

static const struct row {
    const struct unit *unit;
    const char *text;
    double number;    /* in the message */
    const char *said; /* if it is not the text */
} rows[] = {
    { &unit_rate, "10mbit", 1250000 },
    { &unit_rate, "10Mbit", 1250000, "10mbit" },
    { &unit_rate, "1.5mbit", 187500, "1500kbit" },
    { &unit_rate, "1000000", 125000, "1mbit" },
    { &unit_rate, "8bit", 1 },
    { &unit_rate, "1bps", 1, "8bit" },
    { &unit_rate, "2kbps", 2000, "16kbit" },
    { &unit_rate, "1kibit", 128, "1024bit" },
    { &unit_rate, "1mibps", 1048576, "8388608bit" },
    { &unit_rate, "0.1tbit", 12500000000, "100gbit" },
    { &unit_rate, "1tbit", 125000000000 },
    { &unit_rate, "0", 0, "0bit" },
    { &unit_size, "1514", 1514, "1514b" },
    { &unit_size, "32k", 32768 },
    { &unit_size, "32Kb", 32768, "32k" },
    { &unit_size, "4mb", 4194304, "4m" },
    { &unit_size, "1g", 1073741824, "1024m" },
    { &unit_size, "8kbit", 1024, "1k" },
    { &unit_seconds_ns, "50ms", 50000000 },
    { &unit_seconds_ns, "50000", 50000000, "50ms" },
    { &unit_seconds_ns, "0.3ms", 300000, "300us" },
    { &unit_seconds_ns, "1.5s", 1500000000, "1500ms" },
    { &unit_seconds_ns, "2secs", 2000000000, "2s" },
    { &unit_seconds_ns, "299968ns", 299968, "299.968us" },
    { &unit_seconds_ns, "0", 0, "0us" },
    { &unit_us, "7ms", 7000 },
    { &unit_us, "1s", 1000000 },
    { &unit_ns, "10us", 10000 },
    { &unit_share, "1%", 42949673 },
    { &unit_share, "1", 42949673, "1%" },
    { &unit_share, "0.1%", 4294967 },
    { &unit_share, "33.333%", 1431641448 },
    { &unit_share, "100%", UINT32_MAX },
    { &unit_share, "0%", 0 },
};

static void test_texts(void **state) {
    char said[UNIT_TEXT];
    double number;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct value v = text(rows[i].text);
        assert_true(unit_parse(rows[i].unit, &v, &number));
        assert_float_equal(number, rows[i].number, 0.5);
        unit_say(rows[i].unit, (int64_t)rows[i].number, said);
        assert_string_equal(said, rows[i].said ? rows[i].said : rows[i].text);
    }
}

static void test_no_quantities(void **state) {
    static const char *const texts[] = { "",      "ms",    "-1ms",   "+1ms",
                                         "1 ms",  "1ms ",  "0x10ms", "1e3s",
                                         "1..5s", ".",     "1.5.5",  "nan",
                                         "inf",   "1kbit", "1%s",    "1234567890123456s" };
    struct value odd[] = { { .type = VALUE_BOOL, .number = 1 }, { .type = VALUE_NETNS } };
    double number;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct value v = text(texts[i]);
        assert_false(unit_parse(&unit_us, &v, &number));
    }
    assert_false(unit_parse(&unit_us, &odd[0], &number));
    assert_false(unit_parse(&unit_us, &odd[1], &number));
}

/* Every number is said and shown so that it is read as the same. */
static void check_number(const struct unit *unit, int64_t number) {
    char said[UNIT_TEXT];
    double again;
    struct value v;
    unit_say(unit, number, said);
    v = text(said);
    assert_true(unit_parse(unit, &v, &again));
    assert_true(again > (double)number - 0.5 && again < (double)number + 0.5);
    unit_show(unit, number, &v);
    assert_true(unit_parse(unit, &v, &again));
    assert_true(again > (double)number - 0.5 && again < (double)number + 0.5);
}

static void test_there_and_back(void **state) {
    static const struct unit *const units[] = { &unit_rate, &unit_size, &unit_seconds_ns,
                                                &unit_us,   &unit_ns,   &unit_share };
    (void)state;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        for (uint64_t n = 0; n <= UINT32_MAX; n = n * 17 / 16 + 1)
            check_number(units[i], (int64_t)n);
    for (int64_t n = 1; n < 1000000000000; n = n * 17 / 16 + 1)
        check_number(&unit_rate, n);
}

/* As JSON has them: fractions with no more places than they need. */
static void test_shown(void **state) {
    struct value v;
    (void)state;
    unit_show(&unit_share, 42949673, &v);
    assert_int_equal(v.type, VALUE_REAL);
    assert_true(v.real == 0.01);
    unit_show(&unit_seconds_ns, 50000000, &v);
    assert_true(v.real == 0.05);
    unit_show(&unit_rate, 1250000, &v);
    assert_int_equal(v.type, VALUE_NUMBER);
    assert_int_equal(v.number, 1250000);
    unit_show(&unit_us, 4999, &v);
    assert_int_equal(v.number, 4999);
}

/* Whatever the kernel sends. */
static void test_odd_numbers(void **state) {
    static const int64_t odd[] = { -1, INT64_MIN, INT64_MAX, INT64_MAX / 3 };
    char said[UNIT_TEXT];
    struct value v;
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        unit_say(&unit_seconds_ns, odd[i], said);
        unit_say(&unit_share, odd[i], said);
        unit_show(&unit_share, odd[i], &v);
        unit_show(&unit_us, odd[i], &v);
        assert_in_range(strlen(said), 1, UNIT_TEXT - 1);
    }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),          cmocka_unit_test(test_no_quantities),
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_shown),
        cmocka_unit_test(test_odd_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
