// SPDX-License-Identifier: Apache-2.0
// Every status has its own word.
#include "privacy/status.h"
#include "tests/support/unit.h"

static void every_status_has_its_own_name(void **state) {
    (void)state;
    assert_string_equal(gw_status_name(GW_OK), "ok");
    assert_string_equal(gw_status_name(GW_INTERNAL), "internal");
    for (int i = GW_OK; i <= GW_INTERNAL; i++)
        for (int j = GW_OK; j < i; j++)
            assert_string_not_equal(gw_status_name((gw_status)i), gw_status_name((gw_status)j));
    assert_string_equal(gw_status_name((gw_status)999), "unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_status_has_its_own_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
