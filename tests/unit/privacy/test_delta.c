// SPDX-License-Identifier: Apache-2.0
// Delta is read to the last unit or refused, and printed as people write it.
#include "privacy/accounting/delta.h"
#include "tests/support/unit.h"

static void deltas_are_read_exactly(void **state) {
    (void)state;
    const struct {
        const char *text;
        uint64_t atto;
        const char *printed;
    } cases[] = {
        {"0", 0, "0"},
        {"0.0", 0, "0"},
        {"1e-9", 1000000000, "1e-9"},
        {"0.000000001", 1000000000, "1e-9"},
        {"1.0e-9", 1000000000, "1e-9"},
        {"10e-10", 1000000000, "1e-9"},
        {"2.5e-10", 250000000, "2.5e-10"},
        {"1e-18", 1, "1e-18"},
        {"0.10e-17", 1, "1e-18"},
        {"0.01e-16", 1, "1e-18"},
        {"0.5", 500000000000000000, "5e-1"},
        {"0.999999999999999999", 999999999999999999, "9.99999999999999999e-1"},
        {"123e-18", 123, "1.23e-16"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gw_delta delta = {77};
        gw_delta back = {78};
        char text[GW_DELTA_TEXT];
        assert_int_equal(gw_delta_parse(cases[i].text, &delta), GW_OK);
        assert_int_equal(delta.atto, cases[i].atto);
        gw_delta_format(delta, text);
        assert_string_equal(text, cases[i].printed);
        assert_int_equal(gw_delta_parse(text, &back), GW_OK);
        assert_int_equal(back.atto, delta.atto);
    }
    char text[GW_DELTA_TEXT];
    gw_delta_format((gw_delta){UINT64_MAX}, text); // no probability, and it fits
    assert_string_equal(text, "1.8446744073709551615e1");
}

static void everything_else_is_refused(void **state) {
    (void)state;
    const char *const refused[] = {"",
                                   "-1e-9",
                                   "+1e-9",
                                   " 1e-9",
                                   "1e-9 ",
                                   "1e9",
                                   "1e",
                                   "1e-",
                                   "1e-0",
                                   "1e-09",
                                   "1E-9",
                                   "e-9",
                                   ".1",
                                   "1.",
                                   "1.e-9",
                                   "00.1",
                                   "01e-9",
                                   "1e-19",
                                   "1e-99",
                                   "1.5e-18",
                                   "1e-9e-9",
                                   "0x1p-9",
                                   "nan",
                                   "inf",
                                   "1",
                                   "2",
                                   "1.0",
                                   "1e-100",
                                   "1000e-3",
                                   "0.0000000000000000001",
                                   "99999999999999999999e-20"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        gw_delta delta = {77};
        assert_int_equal(gw_delta_parse(refused[i], &delta), GW_INVALID);
        assert_int_equal(delta.atto, 77);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deltas_are_read_exactly),
        cmocka_unit_test(everything_else_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
