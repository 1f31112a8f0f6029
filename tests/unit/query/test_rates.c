// SPDX-License-Identifier: Apache-2.0
// Token buckets under a clock of the test's.
#include "service/query/rates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define MINUTE 60000
#define T0 INT64_C(5000000)
#define ANNA gw_bytes_of("anna")
#define BELA gw_bytes_of("bela")

static gw_rates *limited(int64_t requests, int64_t work) {
    gw_rates *rates = gw_rates_new();
    assert_non_null(rates);
    gw_rates_limit(rates, (gw_rate_limits){.requests_per_minute = requests, .free_ms_per_minute = work});
    return rates;
}

static int asked_until_refused(gw_rates *rates, gw_rate_kind kind, gw_bytes who, int64_t now, int64_t *ret_wait) {
    int count = 0;
    while (count < 100000 && gw_rates_ask(rates, kind, who, now, ret_wait))
        count++;
    return count;
}

static void a_minutes_worth_at_once_and_then_as_it_fills(void **unused) {
    (void)unused;
    int64_t wait;
    gw_rates *rates = limited(120, 0);
    assert_int_equal(asked_until_refused(rates, GW_RATE_KEY, ANNA, T0, &wait), 120);
    assert_int_equal(wait, 500); // one in half a second
    assert_false(gw_rates_ask(rates, GW_RATE_KEY, ANNA, T0 + 499, &wait));
    assert_int_equal(wait, 1);
    assert_true(gw_rates_ask(rates, GW_RATE_KEY, ANNA, T0 + 500, &wait));
    assert_false(gw_rates_ask(rates, GW_RATE_KEY, ANNA, T0 + 500, &wait));
    assert_int_equal(asked_until_refused(rates, GW_RATE_KEY, ANNA, T0 + 500 + 10000, &wait), 20);
    assert_int_equal(asked_until_refused(rates, GW_RATE_KEY, ANNA, T0 + 100 * MINUTE, &wait), 120); // never more
    gw_rates_free(rates);
}

static void nobody_empties_anothers_bucket(void **unused) {
    (void)unused;
    int64_t wait;
    gw_rates *rates = limited(10, 10);
    assert_int_equal(asked_until_refused(rates, GW_RATE_KEY, ANNA, T0, &wait), 10);
    assert_int_equal(asked_until_refused(rates, GW_RATE_KEY, BELA, T0, &wait), 10);
    assert_int_equal(asked_until_refused(rates, GW_RATE_ADDRESS, ANNA, T0, &wait), 10);
    assert_true(gw_rates_may_work(rates, ANNA, T0, &wait));
    gw_rates_free(rates);
}

static void work_may_cost_more_than_was_left_and_is_waited_for(void **unused) {
    (void)unused;
    int64_t wait;
    gw_rates *rates = limited(0, 1000); // a second of a minute
    assert_true(gw_rates_may_work(rates, ANNA, T0, &wait));
    gw_rates_worked(rates, ANNA, T0, 999000);
    assert_true(gw_rates_may_work(rates, ANNA, T0, &wait));
    gw_rates_worked(rates, ANNA, T0, 2001000); // three seconds in all
    assert_false(gw_rates_may_work(rates, ANNA, T0, &wait));
    assert_int_equal(wait, 2 * MINUTE + 1);
    assert_false(gw_rates_may_work(rates, ANNA, T0 + 2 * MINUTE, &wait));
    assert_true(gw_rates_may_work(rates, ANNA, T0 + 2 * MINUTE + 1, &wait));
    assert_true(gw_rates_may_work(rates, BELA, T0, &wait));
    gw_rates_worked(rates, BELA, T0, INT64_MAX); // a debt has an end
    assert_false(gw_rates_may_work(rates, BELA, T0 + 10 * MINUTE, &wait));
    assert_true(gw_rates_may_work(rates, BELA, T0 + 10 * MINUTE + 1, &wait));
    gw_rates_free(rates);
}

static void without_limits_everything_goes_on(void **unused) {
    (void)unused;
    int64_t wait;
    gw_rates *rates = gw_rates_new();
    assert_int_equal(asked_until_refused(rates, GW_RATE_KEY, ANNA, T0, &wait), 100000);
    gw_rates_worked(rates, ANNA, T0, INT64_MAX);
    assert_true(gw_rates_may_work(rates, ANNA, T0, &wait));
    gw_rates_limit(rates, (gw_rate_limits){5, 5}); // and they hold from when they are set
    assert_int_equal(asked_until_refused(rates, GW_RATE_KEY, ANNA, T0, &wait), 5);
    gw_rates_limit(rates, (gw_rate_limits){1000000000, 1000000000}); // the largest
    gw_rates_worked(rates, ANNA, T0, INT64_MAX);
    assert_false(gw_rates_may_work(rates, ANNA, T0, &wait));
    assert_true(gw_rates_may_work(rates, ANNA, T0 + INT64_C(1) * 11 * MINUTE, &wait));
    gw_rates_free(rates);
}

// A clock that goes back neither fills nor empties.
static void a_clock_that_goes_back_changes_nothing(void **unused) {
    (void)unused;
    int64_t wait;
    gw_rates *rates = limited(60, 0);
    assert_int_equal(asked_until_refused(rates, GW_RATE_KEY, ANNA, T0, &wait), 60);
    assert_false(gw_rates_ask(rates, GW_RATE_KEY, ANNA, T0 - 100000, &wait));
    assert_false(gw_rates_ask(rates, GW_RATE_KEY, ANNA, T0, &wait));
    assert_true(gw_rates_ask(rates, GW_RATE_KEY, ANNA, T0 + 1000, &wait));
    gw_rates_free(rates);
}

// Many names find room by driving out those that asked longest ago; the memory stays as it is.
static void many_names_share_a_bounded_table(void **unused) {
    (void)unused;
    int64_t wait;
    gw_rates *rates = limited(2, 0);
    for (int i = 0; i < 50000; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        assert_true(gw_rates_ask(rates, GW_RATE_KEY, gw_bytes_of(name), T0 + i, &wait));
    }
    assert_int_equal(asked_until_refused(rates, GW_RATE_KEY, gw_bytes_of("49999"), T0 + 49999, &wait), 1);
    gw_rates_free(rates);
}

static int setup(void **state) {
    (void)state;
    return gw_crypto_init() == GW_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minutes_worth_at_once_and_then_as_it_fills),
        cmocka_unit_test(nobody_empties_anothers_bucket),
        cmocka_unit_test(work_may_cost_more_than_was_left_and_is_waited_for),
        cmocka_unit_test(without_limits_everything_goes_on),
        cmocka_unit_test(a_clock_that_goes_back_changes_nothing),
        cmocka_unit_test(many_names_share_a_bounded_table),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
