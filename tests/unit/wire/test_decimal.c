// SPDX-License-Identifier: Apache-2.0
// Decimals: one text per value, and nothing else parses.
#include "service/wire/decimal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void shortest_text_stands_for_each_value(void **state) {
    (void)state;
    static const char *const cases[][2] = {{"0", "0"},
                                           {"0.0", "0"},
                                           {"20.0", "20"},
                                           {"-1.50", "-1.5"},
                                           {"0.000000000001", "0.000000000001"},
                                           {"999999999999999999.999999999999", "999999999999999999.999999999999"},
                                           {"-999999999999999999.999999999999", "-999999999999999999.999999999999"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        gw_decimal value;
        char text[GW_DECIMAL_TEXT];
        assert_true(gw_decimal_parse(cases[i][0], &value));
        gw_decimal_format(value, text);
        assert_string_equal(text, cases[i][1]);
    }
}

static void what_is_no_plain_decimal_is_refused(void **state) {
    (void)state;
    static const char *const cases[] = {"",
                                        "-",
                                        "+1",
                                        "-0",
                                        "-0.0",
                                        "00",
                                        "01",
                                        ".5",
                                        "1.",
                                        "1e3",
                                        "1E3",
                                        "NaN",
                                        "inf",
                                        " 1",
                                        "1 ",
                                        "1,5",
                                        "0x10",
                                        "0.0000000000001",
                                        "1.2.3",
                                        "--1",
                                        "1-",
                                        "١",
                                        "1000000000000000000"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        gw_decimal value;
        assert_false(gw_decimal_parse(cases[i], &value));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shortest_text_stands_for_each_value),
                                       cmocka_unit_test(what_is_no_plain_decimal_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
