// SPDX-License-Identifier: Apache-2.0
// The bound on lost charges: never below what an asker could have spent, never more than admission would have let in.
#include "privacy/accounting/lost.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"

#define TENTH 100000u

static void nothing_lost_is_nothing_spent(void **unused) {
    (void)unused;
    gw_loss bound = gw_lost_bound(0, 0, (gw_loss){.micro = 10 * TENTH}, (gw_loss){0});
    assert_int_equal(bound.micro, 0);
    assert_int_equal(bound.rho, 0);
    assert_int_equal(gw_lost_selection(bound, 7, 3), 0);
}

static void each_entry_counts_as_the_dearest_question_up_to_what_is_left(void **unused) {
    (void)unused;
    gw_loss total = {.micro = 10 * TENTH}, spent = {.micro = 4 * TENTH};
    assert_int_equal(gw_lost_bound(3, TENTH, total, spent).micro, 3 * TENTH);
    assert_int_equal(gw_lost_bound(6, TENTH, total, spent).micro, 6 * TENTH);
    assert_int_equal(gw_lost_bound(7, TENTH, total, spent).micro, 6 * TENTH);
    assert_int_equal(gw_lost_bound(UINT64_MAX, UINT64_MAX, total, spent).micro, 6 * TENTH);
    assert_int_equal(gw_lost_bound(1, 0, total, spent).micro, 6 * TENTH);                      // no maximum: all
    assert_int_equal(gw_lost_bound(3, TENTH, total, (gw_loss){.micro = 11 * TENTH}).micro, 0); // a lowered total
    assert_int_equal(gw_lost_selection((gw_loss){.micro = 1}, 7, 3), 4);
}

static void sums_stay_within_signed_64_bits(void **unused) {
    (void)unused;
    gw_loss spent = {.micro = 5};
    gw_loss bound = gw_lost_bound(UINT64_MAX, 0, (gw_loss){.micro = UINT64_MAX, .rho = GW_RHO_MAX}, spent);
    assert_true(bound.micro <= INT64_MAX - spent.micro);
    assert_true(bound.rho <= GW_RHO_MAX);
}

static uint64_t below(seeded_random *random, uint64_t end) {
    return seeded_next(random) % end;
}

// Greedy and random askers against the real rule of admission, pure and with a delta: never past the bound.
static void no_sequence_that_is_admitted_passes_the_bound(void **unused) {
    (void)unused;
    seeded_random random = {.state = 20260922};
    for (unsigned round = 0; round < 400; round++) {
        uint64_t question_max = 1 + below(&random, 3 * TENTH), lost = 1 + below(&random, 40);
        gw_loss total = {.micro = TENTH + below(&random, 30 * TENTH)};
        if (round % 2 == 0)
            total.rho = gw_rho_total((gw_epsilon){total.micro}, (gw_delta){1000000000});
        gw_loss spent = {.micro = below(&random, total.micro)};
        spent.rho = gw_rho_of((gw_epsilon){spent.micro});
        gw_loss bound = gw_lost_bound(lost, round % 5 == 0 ? 0 : question_max, total, spent), now = spent;
        for (uint64_t i = 0; i < lost; i++) {
            uint64_t micro = round % 3 == 0 ? question_max : 1 + below(&random, question_max);
            gw_loss cost = {.micro = micro, .rho = gw_rho_of((gw_epsilon){micro})};
            if (!gw_zcdp_admits(total, now, cost))
                continue;
            now.micro += cost.micro;
            now.rho = gw_rho_add(now.rho, cost.rho);
        }
        assert_true(now.micro - spent.micro <= bound.micro);
        assert_true(now.rho - spent.rho <= bound.rho);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_lost_is_nothing_spent),
        cmocka_unit_test(each_entry_counts_as_the_dearest_question_up_to_what_is_left),
        cmocka_unit_test(sums_stay_within_signed_64_bits),
        cmocka_unit_test(no_sequence_that_is_admitted_passes_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
