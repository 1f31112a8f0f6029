// SPDX-License-Identifier: Apache-2.0
// The fixed-point arithmetic below the thresholds, which no public call can drive into its rare branches: so the file
// is included here and its private functions are tried on limbs chosen to reach them.
#include "privacy/sampling/fixed_point.c" // NOLINT(bugprone-suspicious-include)
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"

#define COUNT 3 // limbs of a divisor

static const uint64_t AWKWARD[] = {
    0, 1, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFE, 0xFFFFFFFFFFFFFFFF};
#define AWKWARD_COUNT (sizeof(AWKWARD) / sizeof(AWKWARD[0]))

// quotient * divisor + rest, limb by limb.
static void recompose(uint64_t quotient, const uint64_t *divisor, const uint64_t *rest, uint64_t ret[COUNT + 1]) {
    uint64_t carry = 0;
    for (int i = 0; i < COUNT; i++) {
        gw_uint128 wide = (gw_uint128)quotient * divisor[i] + rest[i] + carry;
        ret[i] = (uint64_t)wide;
        carry = (uint64_t)(wide >> 64);
    }
    ret[COUNT] = rest[COUNT] + carry;
}

static bool is_less(const uint64_t *a, const uint64_t *b) {
    for (int i = COUNT - 1; i >= 0; i--)
        if (a[i] != b[i])
            return a[i] < b[i];
    return false;
}

static void assert_step_divides(const uint64_t window[COUNT + 1], const uint64_t divisor[COUNT]) {
    if (!is_less(window + 1, divisor))
        return; // the quotient would not fit one limb: never asked
    uint64_t rest[COUNT + 1], back[COUNT + 1];
    memcpy(rest, window, sizeof(rest));
    uint64_t quotient = divide_step(rest, divisor, COUNT);
    assert_true(rest[COUNT] == 0);
    assert_true(is_less(rest, divisor));
    recompose(quotient, divisor, rest, back);
    assert_memory_equal(back, window, sizeof(back));
}

static void a_quotient_limb_is_exact_on_awkward_limbs(void **state) {
    (void)state;
    size_t cases = 1;
    for (int i = 0; i < 2 * COUNT + 1; i++)
        cases *= AWKWARD_COUNT;
    for (size_t one = 0; one < cases; one++) {
        uint64_t limbs[2 * COUNT + 1];
        for (size_t i = 0, rest = one; i < 2 * COUNT + 1; i++, rest /= AWKWARD_COUNT)
            limbs[i] = AWKWARD[rest % AWKWARD_COUNT];
        limbs[COUNT - 1] |= 1ull << 63; // a normalised divisor
        assert_step_divides(limbs + COUNT, limbs);
    }
}

static gw_fixed random_fixed(seeded_random *random) {
    gw_fixed a = {.limbs = {0}};
    for (int i = 0; i < GW_FIXED_FRACTION_LIMBS; i++)
        a.limbs[i] = seeded_next(random) % 8 == 0 ? AWKWARD[seeded_next(random) % AWKWARD_COUNT] : seeded_next(random);
    return a;
}

// The rounded-down quotient times the divisor is at most the dividend, the rounded-up one at least; they differ by a
// unit.
static void division_encloses_the_quotient(void **state) {
    (void)state;
    seeded_random random = {.state = 9};
    for (int i = 0; i < 3000; i++) {
        gw_fixed a = random_fixed(&random), b = random_fixed(&random), down, up;
        b.limbs[GW_FIXED_FRACTION_LIMBS] = i % 2 == 0;
        if (gw_fixed_compare(&a, &b) > 0)
            continue;
        if (!gw_fixed_divide(&a, &b, GW_DOWN, &down) || !gw_fixed_divide(&a, &b, GW_UP, &up))
            continue;
        gw_fixed low = gw_fixed_multiply(&down, &b, GW_DOWN), high = gw_fixed_multiply(&up, &b, GW_UP);
        assert_true(gw_fixed_compare(&low, &a) <= 0);
        assert_true(gw_fixed_compare(&high, &a) >= 0);
        gw_fixed next = gw_fixed_add_last(&down, 1);
        assert_true(gw_fixed_compare(&up, &next) <= 0);
        assert_true(gw_fixed_compare(&up, &down) >= 0);
    }
    gw_fixed third = {.limbs = {0}}, three_quarters = {.limbs = {[GW_FIXED_FRACTION_LIMBS - 1] = 3ull << 62}}, quotient;
    gw_fixed quarter = {.limbs = {[GW_FIXED_FRACTION_LIMBS - 1] = 1ull << 62}};
    assert_true(gw_fixed_divide(&quarter, &three_quarters, GW_DOWN, &quotient));
    for (int i = 0; i < GW_FIXED_FRACTION_LIMBS; i++)
        third.limbs[i] = 0x5555555555555555;
    assert_memory_equal(&quotient, &third, sizeof(third));
    assert_true(gw_fixed_divide(&quarter, &three_quarters, GW_UP, &quotient));
    third.limbs[0]++;
    assert_memory_equal(&quotient, &third, sizeof(third));
    assert_false(gw_fixed_divide(&quarter, &(gw_fixed){.limbs = {1}}, GW_DOWN, &quotient));
}

static void products_and_shares_round_as_told(void **state) {
    (void)state;
    seeded_random random = {.state = 11};
    for (int i = 0; i < 200; i++) {
        gw_fixed a = random_fixed(&random), b = random_fixed(&random);
        a.limbs[0] |= 1; // odd times odd: the product never fits 448 bits
        b.limbs[0] |= 1;
        gw_fixed down = gw_fixed_multiply(&a, &b, GW_DOWN), up = gw_fixed_multiply(&a, &b, GW_UP),
                 next = gw_fixed_add_last(&down, 1);
        assert_memory_equal(&up, &next, sizeof(up));
        a.limbs[0] = 1; // not a multiple of 2^20, but for the limbs above
        down = gw_fixed_scale(&a, 1, 1u << 20, GW_DOWN);
        up = gw_fixed_scale(&a, 1, 1u << 20, GW_UP);
        next = gw_fixed_add_last(&down, 1);
        assert_memory_equal(&up, &next, sizeof(up));
    }
    gw_fixed half = {.limbs = {[GW_FIXED_FRACTION_LIMBS - 1] = 1ull << 63}};
    gw_fixed quarter = gw_fixed_multiply(&half, &half, GW_UP); // exact: both roundings agree
    assert_true(quarter.limbs[GW_FIXED_FRACTION_LIMBS - 1] == 1ull << 62 && quarter.limbs[0] == 0);
}

static void bounds_that_disagree_are_not_certified(void **state) {
    (void)state;
    gw_fixed_bounds a = {.low = {.limbs = {~0ull, ~0ull, 7, 8, 9, 10, 11, 0}}};
    gw_threshold threshold;
    a.high = a.low;
    assert_true(gw_threshold_certify(&a, &threshold));
    assert_true(threshold.limbs[0] == 11 && threshold.limbs[4] == 7);
    a.high = gw_fixed_add_last(&a.low, 1); // carries into bit 320
    assert_false(gw_threshold_certify(&a, &threshold));
    a.low = a.high = ONE;
    assert_false(gw_threshold_certify(&a, &threshold));
}

static void the_series_encloses_e(void **state) {
    (void)state;
    // exp(-1) to 448 bits: 0x5e2d58d8b3bcdf1abadec7829054f90dda9805aab56c77333024b9d0a507daed...
    gw_fixed_bounds e;
    gw_fixed_exponent one;
    assert_true(gw_fixed_exponent_of(&(gw_wide){{1}}, &(gw_wide){{1}}, &one) && gw_fixed_exp(&one, 0, &e));
    assert_true(e.low.limbs[6] == 0x5e2d58d8b3bcdf1a && e.high.limbs[6] == e.low.limbs[6]);
    assert_true(e.low.limbs[5] == 0xbadec7829054f90d && e.high.limbs[5] == e.low.limbs[5]);
    assert_true(e.low.limbs[4] == 0xda9805aab56c7733 && e.high.limbs[4] == e.low.limbs[4]);
    assert_true(gw_fixed_compare(&e.low, &e.high) < 0);
    gw_fixed width = gw_fixed_subtract(&e.high, &e.low);
    for (int i = 1; i < GW_FIXED_LIMBS; i++)
        assert_true(width.limbs[i] == 0); // the 16 squarings keep it below 2^-384
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quotient_limb_is_exact_on_awkward_limbs),
        cmocka_unit_test(division_encloses_the_quotient),
        cmocka_unit_test(products_and_shares_round_as_told),
        cmocka_unit_test(bounds_that_disagree_are_not_certified),
        cmocka_unit_test(the_series_encloses_e),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
