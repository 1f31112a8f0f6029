// SPDX-License-Identifier: Apache-2.0
// Epsilon is read exactly or refused, and budgets admit to the last micro-epsilon and no further.
#include "privacy/budget.h"
#include "tests/support/unit.h"

static void decimals_are_read_exactly(void **state) {
    (void)state;
    const struct {
        const char *text;
        uint64_t micro;
        const char *printed;
    } cases[] = {
        {"0", 0, "0"},
        {"0.0", 0, "0"},
        {"1", 1000000, "1"},
        {"0.1", 100000, "0.1"},
        {"0.000001", 1, "0.000001"},
        {"0.10", 100000, "0.1"},
        {"2.5", 2500000, "2.5"},
        {"10", 10000000, "10"},
        {"100.000000", 100000000, "100"},
        {"0.123456", 123456, "0.123456"},
        {"1000000000", GW_EPSILON_MICRO_MAX, "1000000000"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gw_epsilon epsilon = {77};
        char text[GW_EPSILON_TEXT];
        assert_int_equal(gw_epsilon_parse(cases[i].text, &epsilon), GW_OK);
        assert_int_equal(epsilon.micro, cases[i].micro);
        gw_epsilon_format(epsilon, text);
        assert_string_equal(text, cases[i].printed);
    }
    char text[GW_EPSILON_TEXT];
    gw_epsilon_format((gw_epsilon){UINT64_MAX}, text);
    assert_string_equal(text, "18446744073709.551615");
}

static void everything_else_is_refused(void **state) {
    (void)state;
    const char *const refused[] = {"",
                                   "-0",
                                   "-1",
                                   "+1",
                                   " 1",
                                   "1 ",
                                   "1\n",
                                   "1e-400",
                                   "1e400",
                                   "1e1",
                                   "NaN",
                                   "nan",
                                   "inf",
                                   "0x1p-3",
                                   "0x1",
                                   ".5",
                                   "1.",
                                   "00.1",
                                   "01",
                                   "00",
                                   "0.1234567",
                                   "0.0000001",
                                   "1..2",
                                   "1.2.3",
                                   "1,5",
                                   "1_000",
                                   "1234567890123456789",
                                   "9999999999999999999",
                                   "1000000000.000001",
                                   "1000000001",
                                   "18446744073709.551616",
                                   "18446744073709551616",
                                   "100000000000000000000000000000000000000000",
                                   "\xd9\xa1"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        gw_epsilon epsilon = {77};
        if (gw_epsilon_parse(refused[i], &epsilon) != GW_INVALID)
            fail_msg("accepted: %s", refused[i]);
        assert_int_equal(epsilon.micro, 77);
    }
}

static void ten_tenths_are_one_and_the_eleventh_is_refused(void **state) {
    (void)state;
    gw_epsilon total, price;
    assert_int_equal(gw_epsilon_parse("1.0", &total), GW_OK);
    assert_int_equal(gw_epsilon_parse("0.1", &price), GW_OK);
    uint64_t spent = 0;
    for (int i = 0; i < 10; i++) {
        assert_true(gw_budget_admits(total.micro, spent, price.micro));
        spent += price.micro;
    }
    assert_int_equal(spent, total.micro);
    assert_false(gw_budget_admits(total.micro, spent, price.micro));
    assert_false(gw_budget_admits(total.micro, spent, 1));
    assert_true(gw_budget_admits(total.micro, spent, 0));
}

static void a_lowered_total_freezes_and_nothing_wraps(void **state) {
    (void)state;
    assert_false(gw_budget_admits(5, 6, 0));
    assert_false(gw_budget_admits(5, 6, UINT64_MAX));
    assert_false(gw_budget_admits(5, 3, UINT64_MAX - 1)); // 3 + cost would wrap to 1
    assert_true(gw_budget_admits(UINT64_MAX, 0, UINT64_MAX));
    assert_int_equal(gw_budget_remaining(5, 6), 0);
    assert_int_equal(gw_budget_remaining(6, 5), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_read_exactly),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(ten_tenths_are_one_and_the_eleventh_is_refused),
        cmocka_unit_test(a_lowered_total_freezes_and_nothing_wraps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
