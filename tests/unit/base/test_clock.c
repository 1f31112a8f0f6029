// SPDX-License-Identifier: Apache-2.0
// The system's clocks tell plausible time and the boot clock doesn't go back.
#include "service/base/clock.h"
#include "tests/support/unit.h"

static void the_system_clock_moves_forward(void **state) {
    (void)state;
    gw_clock clock = gw_clock_system();
    assert_true(clock.unix_seconds(clock.state) > 1700000000); // November 2023
    int64_t last = clock.boot_ms(clock.state);
    assert_true(last > 0);
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock.boot_ms(clock.state);
        assert_true(now >= last);
        last = now;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_system_clock_moves_forward)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
