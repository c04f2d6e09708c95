/* Addresses, prefixes and MACs: what is valid, what is not, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../../core/address.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define LONG_TEXT "1111111111222222222233333333334444444444555555555566666666667777777777"

static void check_message(int result, const struct error *err, const char *message) {
    assert_int_equal(result, -1);
    assert_int_equal(err->code, EINVAL);
    assert_string_equal(err->message, message);
}

/* --- addresses -------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    int family; /* asked for */
    int found;
    const char *shown; /* NULL: as text */
} addresses[] = {
    { "10.0.0.1", AF_UNSPEC, AF_INET, NULL },
    { "10.0.0.1", AF_INET, AF_INET, NULL },
    { "0.0.0.0", AF_UNSPEC, AF_INET, NULL },
    { "255.255.255.255", AF_UNSPEC, AF_INET, NULL },
    { "::", AF_UNSPEC, AF_INET6, NULL },
    { "::1", AF_INET6, AF_INET6, NULL },
    { "2001:DB8::00a", AF_UNSPEC, AF_INET6, "2001:db8::a" },
    { "1:2:3:4:5:6:7:8", AF_UNSPEC, AF_INET6, NULL },
    { "0:0:0:0:0:0:0:1", AF_UNSPEC, AF_INET6, "::1" },
    { "::ffff:10.0.0.1", AF_UNSPEC, AF_INET6, NULL },
    { "64:ff9b::10.0.0.1", AF_UNSPEC, AF_INET6, "64:ff9b::a00:1" },
    { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AF_UNSPEC, AF_INET6, NULL },
};

static void test_valid_addresses(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(addresses); i++) {
        struct address out;
        char text[ADDRESS_TEXT_MAX];
        const char *shown = addresses[i].shown ? addresses[i].shown : addresses[i].text;
        assert_int_equal(address_parse(addresses[i].text, addresses[i].family, &out, NULL), 0);
        assert_int_equal(out.family, addresses[i].found);
        assert_int_equal(out.prefixlen, address_size(out.family) * 8);
        assert_string_equal(address_format(out.family, out.bytes, text), shown);
    }
}

static const char *const no_addresses[] = {
    "",           " ",           " 10.0.0.1",
    "10.0.0.1 ",  "10.0.0.1\n",  "10.1",
    "10",         "0x0a000001",  "167772161",
    "010.0.0.1",  "10.0.0.01",   "10.0.0.256",
    "10.0.0.",    ".10.0.0.1",   "10.0.0.1.",
    "10.0.0.1.1", "10..0.1",     "10.0.0.-1",
    "10.0.0.a",   "10.0.0.1x",   "1:2:3:4:5:6",
    "1::2::3",    ":::",         ":",
    "1:",         "12345::",     "::g",
    "fe80::1%lo", "[::1]",       "::1 ",
    "::10.0.1",   "::10.0.0.1:", "1:2:3:4:5:6:7:8:9",
    "default",    "localhost",   "1.2.3.4:80",
};

static void test_what_is_no_address(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(no_addresses); i++) {
        struct address out;
        struct error err;
        char message[200];
        snprintf(message, sizeof message, "\"%s\" is not an IPv4 or IPv6 address", no_addresses[i]);
        check_message(address_parse(no_addresses[i], AF_UNSPEC, &out, &err), &err, message);
    }
}

static const struct {
    const char *text;
    int family;
    const char *message;
} address_errors[] = {
    { "10.0.0.256", AF_INET, "\"10.0.0.256\" is not an IPv4 address" },
    { "::1", AF_INET, "\"::1\" is not an IPv4 address" },
    { "10.0.0.1", AF_INET6, "\"10.0.0.1\" is not an IPv6 address" },
    { "10.0.0.1/24", AF_INET, "\"10.0.0.1/24\": the address is wanted without a prefix length" },
    { "::1/0", AF_UNSPEC, "\"::1/0\": the address is wanted without a prefix length" },
    { "10.0.0.1/33", AF_INET, "\"10.0.0.1/33\" is not an IPv4 address" },
    { "10.0.0.1", AF_PACKET, "\"10.0.0.1\" is not an IPv4 or IPv6 address" },
    { LONG_TEXT, AF_INET,
      "\"111111111122222222223333333333444444444455555555556666666666…\" is not an IPv4 address" },
};

static void test_what_an_address_error_says(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(address_errors); i++) {
        struct address out = { .family = 99 };
        struct error err;
        check_message(address_parse(address_errors[i].text, address_errors[i].family, &out, &err),
                      &err, address_errors[i].message);
        assert_int_equal(out.family, 99);
    }
}

/* --- prefixes --------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    int family, found;
    unsigned length;
    const char *shown; /* NULL: as text */
} prefixes[] = {
    { "10.0.0.0/8", AF_UNSPEC, AF_INET, 8, NULL },
    { "10.0.0.1/24", AF_INET, AF_INET, 24, NULL },
    { "0.0.0.0/0", AF_UNSPEC, AF_INET, 0, NULL },
    { "10.0.0.1/32", AF_UNSPEC, AF_INET, 32, "10.0.0.1" },
    { "10.0.0.1", AF_UNSPEC, AF_INET, 32, NULL },
    { "2001:db8::/32", AF_UNSPEC, AF_INET6, 32, NULL },
    { "::/0", AF_INET6, AF_INET6, 0, NULL },
    { "2001:db8::1/127", AF_UNSPEC, AF_INET6, 127, NULL },
    { "::1/128", AF_UNSPEC, AF_INET6, 128, "::1" },
    { "::1", AF_UNSPEC, AF_INET6, 128, NULL },
    { "default", AF_UNSPEC, AF_INET, 0, "0.0.0.0/0" },
    { "default", AF_INET6, AF_INET6, 0, "::/0" },
    { "any", AF_INET, AF_INET, 0, "0.0.0.0/0" },
};

static void test_valid_prefixes(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        struct address out;
        char text[ADDRESS_TEXT_MAX];
        const char *shown = prefixes[i].shown ? prefixes[i].shown : prefixes[i].text;
        assert_int_equal(prefix_parse(prefixes[i].text, prefixes[i].family, &out, NULL), 0);
        assert_int_equal(out.family, prefixes[i].found);
        assert_int_equal(out.prefixlen, prefixes[i].length);
        assert_string_equal(prefix_format(out.family, out.bytes, out.prefixlen, text), shown);
    }
}

static const struct {
    const char *text;
    int family;
    const char *message;
} prefix_errors[] = {
    { "10.0.0.1/33", AF_UNSPEC,
      "\"10.0.0.1/33\": the prefix length of an IPv4 address is 0 to 32" },
    { "10.0.0.1/", AF_UNSPEC, "\"10.0.0.1/\": the prefix length of an IPv4 address is 0 to 32" },
    { "10.0.0.1/-1", AF_UNSPEC,
      "\"10.0.0.1/-1\": the prefix length of an IPv4 address is 0 to 32" },
    { "10.0.0.1/08", AF_UNSPEC,
      "\"10.0.0.1/08\": the prefix length of an IPv4 address is 0 to 32" },
    { "10.0.0.1/0x8", AF_UNSPEC,
      "\"10.0.0.1/0x8\": the prefix length of an IPv4 address is 0 to 32" },
    { "10.0.0.1/8 ", AF_UNSPEC,
      "\"10.0.0.1/8 \": the prefix length of an IPv4 address is 0 to 32" },
    { "10.0.0.1/8/8", AF_UNSPEC,
      "\"10.0.0.1/8/8\": the prefix length of an IPv4 address is 0 to 32" },
    { "10.0.0.1/264", AF_UNSPEC,
      "\"10.0.0.1/264\": the prefix length of an IPv4 address is 0 to 32" },
    { "10.0.0.1/4294967304", AF_UNSPEC,
      "\"10.0.0.1/4294967304\": the prefix length of an IPv4 address is 0 to 32" },
    { "10.0.0.1/255.255.255.0", AF_UNSPEC,
      "\"10.0.0.1/255.255.255.0\": the prefix length of an IPv4 address is 0 to 32" },
    { "::1/129", AF_INET6, "\"::1/129\": the prefix length of an IPv6 address is 0 to 128" },
    { "10.0.0/8", AF_UNSPEC,
      "\"10.0.0/8\" is not an IPv4 or IPv6 address, with or without a prefix length" },
    { "/8", AF_INET, "\"/8\" is not an IPv4 address, with or without a prefix length" },
    { "", AF_INET6, "\"\" is not an IPv6 address, with or without a prefix length" },
    { "default/0", AF_INET,
      "\"default/0\" is not an IPv4 address, with or without a prefix length" },
    { "default", AF_PACKET,
      "\"default\" is not an IPv4 or IPv6 address, with or without a prefix length" },
    { "Default", AF_INET, "\"Default\" is not an IPv4 address, with or without a prefix length" },
    { "10.0.0.0/8", AF_INET6,
      "\"10.0.0.0/8\" is not an IPv6 address, with or without a prefix length" },
    { LONG_TEXT "/8", AF_INET,
      "\"111111111122222222223333333333444444444455555555556666666666…\" is not an IPv4 address, "
      "with or without a prefix length" },
};

static void test_what_a_prefix_error_says(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(prefix_errors); i++) {
        struct address out = { .family = 99 };
        struct error err;
        check_message(prefix_parse(prefix_errors[i].text, prefix_errors[i].family, &out, &err),
                      &err, prefix_errors[i].message);
        assert_int_equal(out.family, 99);
    }
}

static void test_every_prefix_length(void **state) {
    (void)state;
    for (unsigned length = 0; length <= 999; length++) {
        struct address out;
        char text[32];
        snprintf(text, sizeof text, "10.0.0.0/%u", length);
        assert_int_equal(prefix_parse(text, AF_UNSPEC, &out, NULL), length <= 32 ? 0 : -1);
        snprintf(text, sizeof text, "2001:db8::/%u", length);
        assert_int_equal(prefix_parse(text, AF_UNSPEC, &out, NULL), length <= 128 ? 0 : -1);
        assert_true(length > 128 || out.prefixlen == length);
    }
}

static void test_other_families(void **state) {
    (void)state;
    char text[ADDRESS_TEXT_MAX];
    static const uint8_t bytes[16];
    assert_int_equal(address_size(AF_INET), 4);
    assert_int_equal(address_size(AF_INET6), 16);
    assert_int_equal(address_size(AF_UNSPEC), 0);
    assert_int_equal(address_size(AF_PACKET), 0);
    assert_int_equal(address_size(-1), 0);
    assert_string_equal(address_format(AF_PACKET, bytes, text), "?");
    assert_string_equal(prefix_format(AF_UNSPEC, bytes, 8, text), "?");
}

static void test_the_longest_text_fits(void **state) {
    (void)state;
    char text[ADDRESS_TEXT_MAX];
    struct address out;
    const char *longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    assert_int_equal(address_parse(longest, AF_INET6, &out, NULL), 0);
    prefix_format(AF_INET6, out.bytes, 4294967295, text);
    assert_string_equal(text, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/4294967295");
}

/* --- link-layer addresses --------------------------------------------------------------------- */

static const struct {
    const char *text;
    size_t size;
    const char *shown; /* NULL: as text */
} macs[] = {
    { "02:00:00:00:00:01", 6, NULL },
    { "ff:ff:ff:ff:ff:ff", 6, NULL },
    { "AA-bB-Cc-0d-EF-09", 6, "aa:bb:cc:0d:ef:09" },
    { "2:0:0:0:0:1", 6, "02:00:00:00:00:01" },
    { "a:0b:c:0d:e:0f", 6, "0a:0b:0c:0d:0e:0f" },
    { "7f", 1, NULL },
    { "0a:00:00:01", 4, NULL },
    { "00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13", 20, NULL },
};

static void test_valid_macs(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(macs); i++) {
        uint8_t bytes[21];
        char text[ADDRESS_TEXT_MAX];
        memset(bytes, 0xee, sizeof bytes);
        assert_int_equal(mac_parse(macs[i].text, bytes, macs[i].size, NULL), 0);
        assert_int_equal(bytes[macs[i].size], 0xee);
        assert_string_equal(mac_format(bytes, macs[i].size, text),
                            macs[i].shown ? macs[i].shown : macs[i].text);
    }
}

static const char *const no_macs[] = {
    "",
    ":",
    ":::::",
    "02:00:00",
    "02:00:00:00:00",
    "02:00:00:00:00:",
    "02:00:00:00:00:01:",
    ":02:00:00:00:00:01",
    "02:00:00:00:00:01:02",
    "020000000001",
    "02 00 00 00 00 01",
    "02:00-00:00-00:01",
    "02:00:00:00:00:1g",
    "02:00:00:00:00:001",
    "02:00:00:00::01",
    " 02:00:00:00:00:01",
    "02:00:00:00:00:01 ",
    "0x2:00:00:00:00:01",
    "+2:00:00:00:00:01",
    "0200.0000.0001",
    "\xff\xff:00:00:00:00:01",
};

static void test_what_is_no_mac(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(no_macs); i++) {
        uint8_t bytes[6] = { 1, 2, 3, 4, 5, 6 }, before[6] = { 1, 2, 3, 4, 5, 6 };
        struct error err;
        char message[200];
        snprintf(message, sizeof message, "\"%s\" is not a MAC address such as 02:00:00:00:00:01",
                 no_macs[i]);
        check_message(mac_parse(no_macs[i], bytes, sizeof bytes, &err), &err, message);
        assert_memory_equal(bytes, before, sizeof bytes);
    }
}

static void test_sizes_of_a_link_layer_address(void **state) {
    (void)state;
    struct error err;
    uint8_t bytes[32] = { 0 };
    char text[ADDRESS_TEXT_MAX];
    check_message(
        mac_parse("02:00:00:00:00:01", bytes, 4, &err), &err,
        "\"02:00:00:00:00:01\" is not a link-layer address of 4 bytes such as 02:00:00:01");
    check_message(mac_parse("02", bytes, 0, &err), &err,
                  "a link-layer address has 1 to 20 bytes, not 0");
    check_message(mac_parse("02", bytes, 21, &err), &err,
                  "a link-layer address has 1 to 20 bytes, not 21");
    assert_string_equal(mac_format(bytes, 0, text), "");
    assert_int_equal(strlen(mac_format(bytes, sizeof bytes, text)), 20 * 3 - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_addresses),
        cmocka_unit_test(test_what_is_no_address),
        cmocka_unit_test(test_what_an_address_error_says),
        cmocka_unit_test(test_valid_prefixes),
        cmocka_unit_test(test_what_a_prefix_error_says),
        cmocka_unit_test(test_every_prefix_length),
        cmocka_unit_test(test_other_families),
        cmocka_unit_test(test_the_longest_text_fits),
        cmocka_unit_test(test_valid_macs),
        cmocka_unit_test(test_what_is_no_mac),
        cmocka_unit_test(test_sizes_of_a_link_layer_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
