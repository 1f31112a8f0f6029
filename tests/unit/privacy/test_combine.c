// SPDX-License-Identifier: Apache-2.0
// Sums, differences and ratios of released figures: the law of summed noise against direct convolution, ranges that
// cover exactly as far as the law says, and verdicts. Coverage of the ratio ranges is in tests/statistical.
#include "privacy/combine.h"
#include "privacy/noise_sum.h"
#include "tests/support/unit.h"
#include <math.h>

#define REACH 400 // of a tabulated law; what lies beyond is below 1e-15 for the rates used here

// ---- an oracle: laws by direct convolution

typedef struct {
    double at[2 * REACH + 1];
} law_table;

static double mass(double rate, int k) {
    return tanh(rate / 2) * exp(-rate * abs(k));
}

static void law_add(law_table *law, double rate) {
    law_table sum = {{0}};
    for (int s = -REACH; s <= REACH; s++)
        for (int z = -REACH; z <= REACH; z++)
            if (s - z >= -REACH && s - z <= REACH)
                sum.at[s + REACH] += law->at[s - z + REACH] * mass(rate, z);
    *law = sum;
}

static law_table law_of(const double *rates, size_t count) {
    law_table law = {{0}};
    law.at[REACH] = 1;
    for (size_t i = 0; i < count; i++)
        law_add(&law, rates[i]);
    return law;
}

static double law_outside(const law_table *law, int k) { // P(|S| > k)
    double outside = 0;
    for (int s = -REACH; s <= REACH; s++)
        outside += abs(s) > k ? law->at[s + REACH] : 0;
    return outside;
}

static int law_half_width(const law_table *law, double chance) {
    int k = 0;
    while (law_outside(law, k) > chance)
        k++;
    return k;
}

static gw_combine_part part_of(int64_t value, uint64_t micro, size_t count) {
    return (gw_combine_part){.value = value, .noise = {{micro}, 1}, .count = count, .step = 1};
}

static gw_noise_sum *sum_of(const gw_noise_term *terms, size_t count, bool is_monotone) {
    gw_noise_sum *sum = NULL;
    assert_int_equal(gw_noise_sum_new(terms, count, 1e-4, is_monotone, &sum), GW_OK);
    return sum;
}

// ---- the law of summed noise

static void sums_of_alike_weights_have_the_exact_law(void **state) {
    (void)state;
    const gw_noise_term terms[] = {{{{500000}, 1}, 1, 3}, {{{1000000}, 1}, 1, 1}, {{{1000000}, 2}, 1, 2}};
    law_table law = law_of((const double[]){0.5, 0.5, 0.5, 1, 0.5, 0.5}, 6);
    gw_noise_sum *sum = sum_of(terms, 3, false);
    for (int k = 0; k < 60; k++) {
        double got = gw_noise_sum_chance(sum, k + 1), wanted = law_outside(&law, k);
        if (!(got >= wanted) || got > wanted + 1e-7)
            fail_msg("P(|S| > %d) is %.12g, not %.12g", k, got, wanted);
    }
    double chance = 0.5;
    for (int i = 0; i < 15; i++, chance /= 1.7)
        assert_true(gw_noise_sum_quantile(sum, chance) == law_half_width(&law, chance));
    assert_true(fabs(gw_noise_sum_sd(sum) - sqrt(5 * 7.83539618 + 1.84134719)) < 1e-6);
    gw_noise_sum_free(sum);
}

// P(|u Z + v Y| >= x) by summation.
static double pair_chance(const double weights[2], const double rates[2], double x) {
    double chance = 0;
    for (int z = -REACH; z <= REACH; z++)
        for (int y = -REACH; y <= REACH; y++)
            chance += fabs(weights[0] * z + weights[1] * y) >= x - 1e-12 ? mass(rates[0], z) * mass(rates[1], y) : 0;
    return chance;
}

static void dominated_laws_are_never_narrower(void **state) {
    (void)state;
    const struct {
        double weights[2], rates[2], wider_max;
    } cases[] = {{{1, 0.37}, {0.1, 0.1}, 1.05},
                 {{0.01, 1}, {0.2, 0.5}, 1.25},
                 {{1, 1}, {1, 0.25}, 1.15},
                 {{2.5, 0.1}, {0.5, 2}, 1.30},
                 {{1, 0.5}, {2, 2}, 2.2}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gw_noise_term terms[2];
        for (int j = 0; j < 2; j++)
            terms[j] = (gw_noise_term){{{(uint64_t)(cases[i].rates[j] * 1e6)}, 1}, cases[i].weights[j], 1};
        gw_noise_sum *sum = sum_of(terms, 2, true);
        double quantile = gw_noise_sum_quantile(sum, 0.05);
        double exact = pair_chance(cases[i].weights, cases[i].rates, quantile * (1 + 1e-9));
        double closer = pair_chance(cases[i].weights, cases[i].rates, quantile / cases[i].wider_max);
        if (exact > 0.05 || closer < 0.05)
            fail_msg("case %zu: quantile %g has chance %g, and %g at a part of it", i, quantile, exact, closer);
        double x = 0.5;
        for (; x < 3 * quantile; x *= 1.6) // NOLINT(clang-analyzer-security.FloatLoopCounter): any points do
            assert_true(gw_noise_sum_chance(sum, x) >= pair_chance(cases[i].weights, cases[i].rates, x) - 1e-12);
        gw_noise_sum_free(sum);
    }
}

static void wide_and_many_noises_are_handled(void **state) {
    (void)state;
    const gw_noise_term wide = {{{100000}, UINT64_C(1) << 40}, 1e-9, 2};
    gw_noise_sum *sum = sum_of(&wide, 1, false);
    // Two Laplace variables of scale s: P(|L1 + L2| > y) = exp(-y/s)(1 + y/(2s)); 5 % at y = 4.113 s.
    double scale = 1e-9 * 10 * (double)(UINT64_C(1) << 40), quantile = gw_noise_sum_quantile(sum, 0.05) / scale;
    assert_true(exp(-quantile) * (1 + quantile / 2) <= 0.05);
    assert_true(quantile < 1.01 * 4.113);
    gw_noise_sum_free(sum);
    const gw_noise_term many = {{{100000}, 1}, 1, 200000};
    sum = sum_of(&many, 1, false);
    double normal = gw_noise_sum_quantile(sum, 0.05) / gw_noise_sum_sd(sum);
    assert_true(normal > 1.9599 && normal < 2.1);
    gw_noise_sum_free(sum);
}

static void what_has_no_noise_is_refused(void **state) {
    (void)state;
    gw_noise_sum *sum = NULL;
    const gw_noise_term bad[] = {{{{0}, 1}, 1, 1},     {{{1000}, 0}, 1, 1},   {{{1000}, 1}, 1, 0},
                                 {{{1000}, 1}, -1, 1}, {{{1000}, 1}, NAN, 1}, {{{1000}, 1}, 0, 1}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(gw_noise_sum_new(&bad[i], 1, 1e-4, false, &sum), GW_INVALID);
    gw_combine_part good = part_of(5, 100000, 1), none = part_of(5, 100000, 0), flat = good;
    flat.step = 0;
    gw_combined result = {.estimate = 77};
    // A file can claim any noise, also such as no service draws.
    static const gw_noise claimed[] = {
        {{1000000000000000}, 1}, {{1000000000}, 1}, {{1}, UINT64_MAX}, {{1}, 1ull << 41}};
    for (size_t i = 0; i < sizeof(claimed) / sizeof(claimed[0]); i++) {
        const gw_combine_part odd = {.value = 5, .noise = claimed[i], .count = 1, .step = 1.0};
        const gw_combine_ratio ratio = {odd, odd, 0.0, 100.0};
        assert_int_equal(gw_combine_sum(&odd, 1, GW_LEVEL_95, &result), GW_INVALID);
        assert_int_equal(gw_combine_pooled(&ratio, GW_LEVEL_95, &result), GW_INVALID);
        assert_int_equal(gw_combine_ratio_difference(&ratio, &ratio, GW_LEVEL_95, &result), GW_INVALID);
        assert_int_equal(gw_combine_quotient(&odd, &good, GW_LEVEL_95, &result), GW_INVALID);
    }
    assert_int_equal(gw_combine_sum(&good, 0, GW_LEVEL_95, &result), GW_INVALID);
    assert_int_equal(gw_combine_sum(&none, 1, GW_LEVEL_95, &result), GW_INVALID);
    assert_int_equal(gw_combine_difference(&good, &flat, GW_LEVEL_95, &result), GW_INVALID);
    assert_int_equal(gw_combine_difference(&good, &good, 499999, &result), GW_INVALID);
    assert_int_equal(gw_combine_quotient(&good, &none, GW_LEVEL_95, &result), GW_INVALID);
    gw_combine_ratio unlike = {.with = good, .without = part_of(5, 200000, 1), .range = 1};
    assert_int_equal(gw_combine_pooled(&unlike, GW_LEVEL_95, &result), GW_INVALID);
    assert_int_equal(gw_combine_ratio_difference(&unlike, &unlike, GW_LEVEL_95, &result), GW_INVALID);
    assert_true(result.estimate == 77);
}

// ---- sums, differences, verdicts

static void a_sum_has_the_range_of_its_own_noise(void **state) {
    (void)state;
    const gw_combine_part parts[] = {part_of(40, 500000, 3), part_of(-7, 1000000, 1)};
    law_table law = law_of((const double[]){0.5, 0.5, 0.5, 1}, 4);
    gw_combined sum;
    assert_int_equal(gw_combine_sum(parts, 2, GW_LEVEL_95, &sum), GW_OK);
    assert_true(sum.estimate == 33);
    assert_true(fabs(sum.upper - 33 - law_half_width(&law, 0.05)) < 1e-9);
    assert_true(fabs(33 - sum.lower - law_half_width(&law, 0.05)) < 1e-9);
}

static void a_difference_is_judged_by_its_own_noise(void **state) {
    (void)state;
    law_table law = law_of((const double[]){0.1, 0.1}, 2);
    for (int d = -60; d <= 60; d += 3) {
        gw_combine_part a = part_of(1000 + d, 100000, 1), b = part_of(1000, 100000, 1);
        gw_combined result;
        assert_int_equal(gw_combine_difference(&a, &b, GW_LEVEL_95, &result), GW_OK);
        double chance = d == 0 ? 0.5 : law_outside(&law, abs(d) - 1) / 2;
        assert_true(result.estimate == d);
        assert_true(fabs(result.confidence - (1 - chance)) < 1e-7);
        gw_verdict wanted = chance >= 0.05 ? GW_VERDICT_UNDECIDED : d > 0 ? GW_VERDICT_YES : GW_VERDICT_NO;
        assert_int_equal(result.verdict, wanted);
        assert_true(fabs(result.upper - d - law_half_width(&law, 0.05)) < 1e-9);
    }
}

// Bars that touch, and a difference that is none the less sure: why bars are not compared.
static void overlapping_bars_may_differ(void **state) {
    (void)state;
    gw_combine_part a = part_of(1050, 100000, 1), b = part_of(1000, 100000, 1);
    gw_combined one, other, difference;
    assert_int_equal(gw_combine_sum(&a, 1, GW_LEVEL_95, &one), GW_OK);
    assert_int_equal(gw_combine_sum(&b, 1, GW_LEVEL_95, &other), GW_OK);
    assert_int_equal(gw_combine_difference(&a, &b, GW_LEVEL_95, &difference), GW_OK);
    assert_true(one.lower < other.upper);
    assert_int_equal(difference.verdict, GW_VERDICT_YES);
    assert_true(difference.lower > 0);
}

static void large_amounts_lose_nothing(void **state) {
    (void)state;
    gw_combine_part a = part_of(1000, 1000000, 1), b = a;
    a.value = ((gw_int128)1 << 100) + 1000;
    b.value = (gw_int128)1 << 100;
    gw_combined result;
    assert_int_equal(gw_combine_difference(&a, &b, GW_LEVEL_95, &result), GW_OK);
    assert_true(result.estimate == 1000);
    assert_true(result.lower < 0); // what a double cannot tell apart is put into the range
}

// ---- ratios

static gw_combine_ratio ratio_of(int64_t with, int64_t without, uint64_t micro, size_t count) {
    return (gw_combine_ratio){
        .with = part_of(with, micro, count), .without = part_of(without, micro, count), .minimum = 0, .range = 100};
}

static void one_cell_pooled_is_that_cell(void **state) {
    (void)state;
    gw_combine_ratio ratio = ratio_of(300, 700, 100000, 1);
    gw_interval_law *law = NULL;
    assert_int_equal(gw_interval_law_new(ratio.with.noise, GW_LEVEL_95, 1, &law), GW_OK);
    gw_ratio_range range = gw_interval_ratio(law, 300, 700);
    gw_interval_law_free(law);
    gw_combined pooled;
    assert_int_equal(gw_combine_pooled(&ratio, GW_LEVEL_95, &pooled), GW_OK);
    assert_true(pooled.lower == 100 * range.lower && pooled.upper == 100 * range.upper);
    assert_true(fabs(pooled.se - 100 * range.se) < 1e-12);
    ratio.with.count = ratio.without.count = 4;
    gw_combined four;
    assert_int_equal(gw_combine_pooled(&ratio, GW_LEVEL_95, &four), GW_OK);
    assert_true(fabs(four.se - 2 * pooled.se) < 1e-12);
    assert_true(four.upper - four.lower > 1.7 * (pooled.upper - pooled.lower));
    assert_true(four.upper - four.lower < 2.3 * (pooled.upper - pooled.lower));
}

static void a_quotient_says_when_nothing_bounds_it(void **state) {
    (void)state;
    gw_combine_part a = part_of(2000, 100000, 1), b = part_of(1000, 50000, 1), tiny = part_of(20, 50000, 1);
    gw_combined result;
    assert_int_equal(gw_combine_quotient(&a, &b, GW_LEVEL_95, &result), GW_OK);
    assert_true(result.estimate == 2 && result.lower > 1.8 && result.lower < 2 && result.upper > 2 &&
                result.upper < 2.2);
    assert_int_equal(gw_combine_quotient(&a, &tiny, GW_LEVEL_95, &result), GW_OK);
    assert_true(result.is_estimable && isinf(result.upper));
    tiny.value = -4;
    assert_int_equal(gw_combine_quotient(&a, &tiny, GW_LEVEL_95, &result), GW_OK);
    assert_true(!result.is_estimable && isinf(result.upper));
}

static void shares_of_one_whole_are_compared_by_their_counts(void **state) {
    (void)state;
    gw_combine_shares shares = {part_of(600, 100000, 1), part_of(550, 100000, 1), part_of(5000, 100000, 8), 100};
    gw_combined result, counts;
    assert_int_equal(gw_combine_share_difference(&shares, GW_LEVEL_95, &result), GW_OK);
    assert_int_equal(gw_combine_difference(&shares.a, &shares.b, GW_LEVEL_95, &counts), GW_OK);
    assert_true(fabs(result.estimate - 100 * 50 / 6150.0) < 1e-12);
    assert_true(result.confidence == counts.confidence && result.verdict == GW_VERDICT_YES);
    assert_true(result.lower > 0 && fabs(result.upper - 100 * 91 / 6150.0) < 0.05);
}

static void differences_of_ratios_are_near_the_best_for_large_groups(void **state) {
    (void)state;
    gw_combine_ratio a = ratio_of(10000, 10000, 100000, 1), b = ratio_of(6000, 14000, 50000, 1);
    gw_combined result, mirror;
    assert_int_equal(gw_combine_ratio_difference(&a, &b, GW_LEVEL_95, &result), GW_OK);
    assert_int_equal(gw_combine_ratio_difference(&b, &a, GW_LEVEL_95, &mirror), GW_OK);
    assert_true(fabs(result.estimate - 20) < 1e-9 && result.verdict == GW_VERDICT_YES);
    assert_true(mirror.verdict == GW_VERDICT_NO && fabs(mirror.confidence - result.confidence) < 1e-9);
    assert_true(fabs(result.upper + mirror.lower) < 1e-9 && fabs(result.lower + mirror.upper) < 1e-9);
    assert_true(result.upper - result.estimate > 1.9 * result.se);
    assert_true(result.upper - result.estimate < 2.35 * result.se);
}

static void where_denominators_are_noise_nothing_is_said(void **state) {
    (void)state;
    gw_combine_ratio a = ratio_of(30, 20, 10000, 1), b = ratio_of(-10, 5, 10000, 1);
    gw_combined result;
    assert_int_equal(gw_combine_ratio_difference(&a, &b, GW_LEVEL_95, &result), GW_OK);
    assert_true(!result.is_estimable && result.verdict == GW_VERDICT_UNDECIDED);
    assert_true(result.lower == -100 && result.upper == 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_alike_weights_have_the_exact_law),
        cmocka_unit_test(dominated_laws_are_never_narrower),
        cmocka_unit_test(wide_and_many_noises_are_handled),
        cmocka_unit_test(what_has_no_noise_is_refused),
        cmocka_unit_test(a_sum_has_the_range_of_its_own_noise),
        cmocka_unit_test(a_difference_is_judged_by_its_own_noise),
        cmocka_unit_test(overlapping_bars_may_differ),
        cmocka_unit_test(large_amounts_lose_nothing),
        cmocka_unit_test(one_cell_pooled_is_that_cell),
        cmocka_unit_test(a_quotient_says_when_nothing_bounds_it),
        cmocka_unit_test(shares_of_one_whole_are_compared_by_their_counts),
        cmocka_unit_test(differences_of_ratios_are_near_the_best_for_large_groups),
        cmocka_unit_test(where_denominators_are_noise_nothing_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
