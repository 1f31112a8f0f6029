// SPDX-License-Identifier: Apache-2.0
// Checked arithmetic refuses to wrap; 128-bit decimals go there and back.
#include "privacy/checked.h"
#include "tests/support/unit.h"

static const gw_int128 LARGEST = (gw_int128)(~(gw_uint128)0 >> 1);

static void sums_and_products_refuse_to_wrap(void **state) {
    (void)state;
    uint64_t value = 7;
    assert_true(gw_add_u64(UINT64_MAX - 1, 1, &value));
    assert_true(value == UINT64_MAX);
    assert_false(gw_add_u64(UINT64_MAX, 1, &value));
    assert_false(gw_mul_u64(1ull << 32, 1ull << 32, &value));
    assert_true(value == UINT64_MAX); // left alone
    assert_true(gw_mul_u64(1ull << 32, (1ull << 32) - 1, &value));
    gw_int128 sum = 5;
    assert_false(gw_add_i128(LARGEST, 1, &sum));
    assert_false(gw_add_i128(-LARGEST - 1, -1, &sum));
    assert_true(sum == 5);
    assert_true(gw_add_i128(LARGEST, -LARGEST - 1, &sum));
    assert_true(sum == -1);
}

static void integers_print_and_parse_back(void **state) {
    (void)state;
    const struct {
        gw_int128 value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-1, "-1"},
        {10, "10"},
        {(gw_int128)INT64_MIN, "-9223372036854775808"},
        {(gw_int128)UINT64_MAX + 1, "18446744073709551616"},
        {LARGEST, "170141183460469231731687303715884105727"},
        {-LARGEST - 1, "-170141183460469231731687303715884105728"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[GW_INT128_TEXT];
        gw_int128 back = 99;
        gw_int128_format(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
        assert_true(gw_int128_parse(text, &back));
        assert_true(back == cases[i].value);
    }
}

static void only_plain_integers_parse(void **state) {
    (void)state;
    const char *const refused[] = {"",
                                   "-",
                                   "+1",
                                   " 1",
                                   "1 ",
                                   "01",
                                   "-0",
                                   "--1",
                                   "1.0",
                                   "1e3",
                                   "0x1",
                                   "00",
                                   "170141183460469231731687303715884105728",
                                   "-170141183460469231731687303715884105729",
                                   "99999999999999999999999999999999999999999999"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        gw_int128 value = 99;
        if (gw_int128_parse(refused[i], &value))
            fail_msg("accepted: %s", refused[i]);
        assert_true(value == 99);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_products_refuse_to_wrap),
        cmocka_unit_test(integers_print_and_parse_back),
        cmocka_unit_test(only_plain_integers_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
