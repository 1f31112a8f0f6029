// SPDX-License-Identifier: Apache-2.0
// Marginals under one price: the split is as good as the published one, within the price, the same every time; the
// release is the sums of the base table plus noise that does not depend on them.
#include "privacy/marginals_split.h"
#include "privacy/mechanism/marginals.h"
#include "privacy/tail.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"
#include <math.h>

// Marginals of `low` to `high` of the attributes.
static gw_marginals_set marginals_of(const gw_marginals_base *base, int low, int high) {
    gw_marginals_set set = 0;
    for (unsigned mask = 0; mask < 1u << base->attribute_count; mask++)
        if (__builtin_popcount(mask) >= low && __builtin_popcount(mask) <= high)
            set |= 1ull << mask;
    return set;
}

static gw_marginals_set all_of(const gw_marginals_base *base) {
    return marginals_of(base, 0, (int)base->attribute_count);
}

// Root of the mean variance of the asked marginals' cells, for Laplace noise of variance 2 / epsilon^2 and a price
// of 1.
static double error_of(const gw_marginals_law *law, gw_marginals_set asked) {
    double precisions[GW_MARGINALS_MASKS] = {0}, information[GW_MARGINALS_MASKS], sum = 0;
    for (size_t i = 0; i < law->count; i++) {
        const double epsilon = (double)law->noises[i].epsilon.micro / 1e6;
        precisions[law->masks[i]] = epsilon * epsilon / 2;
    }
    gw_marginals_information(&law->base, precisions, information);
    for (unsigned mask = 0; mask < GW_MARGINALS_MASKS; mask++)
        if (gw_marginals_has(asked, mask))
            sum += gw_marginals_variance_from(&law->base, information, mask);
    return sqrt(sum / __builtin_popcountll(asked));
}

static gw_marginals_law even_split(const gw_marginals_base *base, gw_marginals_set asked) {
    gw_marginals_law law = {.base = *base};
    const uint64_t micro = 1000000000000 / (uint64_t)__builtin_popcountll(asked);
    for (unsigned mask = 0; mask < GW_MARGINALS_MASKS; mask++)
        if (gw_marginals_has(asked, mask)) {
            law.masks[law.count] = mask;
            law.noises[law.count++] = (gw_noise){{micro}, 1000000};
        }
    for (size_t i = 0; i < law.count; i++)
        law.noises[i].epsilon.micro /= 1000000;
    return law;
}

// Expected error per cell at epsilon 1: without estimation, with it, and with the split too.
static void errors_are_those_published(void **state) {
    (void)state;
    const struct {
        gw_marginals_base base;
        int low, high;
        double independent, estimated, split;
        double digit; // half of the last one printed
    } cases[] = {
        {{3, {2, 10, 20}}, 1, 3, 9.90, 7.71, 5.93, .005},
        {{4, {2, 10, 20, 12}}, 1, 2, 14.1, 11.6, 9.37, .05},
        {{4, {2, 10, 20, 12}}, 1, 3, 19.8, 15.0, 11.2, .05},
        {{5, {2, 5, 10, 20, 50}}, 1, 2, 21.2, 17.4, 14.0, .05},
        {{5, {2, 5, 10, 20, 50}}, 1, 3, 35.4, 26.2, 19.4, .05},
        {{6, {2, 2, 5, 10, 20, 50}}, 1, 2, 29.7, 22.7, 17.6, .05},
        {{6, {2, 2, 5, 10, 20, 50}}, 1, 3, 58.0, 38.5, 24.6, .05},
        {{6, {2, 2, 3, 4, 5, 6}}, 1, 3, 58.0, 32.1, 14.9, .05},
        {{4, {10, 10, 10, 10}}, 2, 2, 8.49, 7.92, 7.92, .005},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const gw_marginals_base *base = &cases[i].base;
        const gw_marginals_set asked = marginals_of(base, cases[i].low, cases[i].high);
        const gw_marginals_law even = even_split(base, asked);
        const double independent = M_SQRT2 * __builtin_popcountll(asked);
        assert_true(fabs(independent - cases[i].independent) < cases[i].digit * 1.01);
        assert_true(fabs(error_of(&even, asked) - cases[i].estimated) < cases[i].digit * 1.01);
        gw_marginals_wish wish = {.base = *base, .asked = asked, .measurable = all_of(base)};
        gw_marginals_law split, own;
        assert_int_equal(gw_marginals_split(&wish, (gw_epsilon){1000000}, 1, &split), GW_OK);
        wish.measurable = asked;
        assert_int_equal(gw_marginals_split(&wish, (gw_epsilon){1000000}, 1, &own), GW_OK);
        print_message("%2d marginals: %.2f independent, %.2f estimated, %.2f split (%zu measured), %.2f of the asked\n",
                      __builtin_popcountll(asked), independent, error_of(&even, asked), error_of(&split, asked),
                      split.count, error_of(&own, asked));
        assert_true(error_of(&split, asked) < cases[i].split * 1.002 + cases[i].digit);
        assert_true(error_of(&own, asked) <= error_of(&even, asked) * 1.0001);
    }
}

static void shares_never_pass_the_price(void **state) {
    (void)state;
    const gw_marginals_base base = {5, {2, 5, 10, 20, 50}};
    const gw_marginals_wish wish = {.base = base, .asked = marginals_of(&base, 0, 2), .measurable = all_of(&base)};
    const uint64_t prices[] = {100, 999, 12345, 1000000, 100000000, GW_EPSILON_MICRO_MAX / 10000000};
    for (size_t i = 0; i < sizeof(prices) / sizeof(prices[0]); i++) {
        gw_marginals_law law;
        uint64_t sum = 0;
        assert_int_equal(gw_marginals_split(&wish, (gw_epsilon){prices[i]}, 7, &law), GW_OK);
        for (size_t k = 0; k < law.count; k++) {
            assert_true(law.noises[k].epsilon.micro >= 1);
            assert_int_equal(law.noises[k].sensitivity, 7);
            sum += law.noises[k].epsilon.micro;
        }
        assert_true(sum <= prices[i]);
        assert_true(sum + law.count + 1 >= prices[i]); // what rounding leaves
    }
    gw_marginals_law law;
    assert_int_equal(gw_marginals_split(&wish, (gw_epsilon){5}, 1, &law), GW_INVALID);
}

static void the_same_wish_is_split_the_same(void **state) {
    (void)state;
    const gw_marginals_base base = {4, {2, 10, 20, 12}};
    const gw_marginals_wish wish = {.base = base, .asked = marginals_of(&base, 1, 3), .measurable = all_of(&base)};
    gw_marginals_law first, second;
    memset(&first, 0, sizeof(first));
    memset(&second, 0, sizeof(second));
    assert_int_equal(gw_marginals_split(&wish, (gw_epsilon){1000000}, 1, &first), GW_OK);
    assert_int_equal(gw_marginals_split(&wish, (gw_epsilon){1000000}, 1, &second), GW_OK);
    assert_int_equal(first.count, second.count);
    for (size_t i = 0; i < first.count; i++) {
        assert_int_equal(first.masks[i], second.masks[i]);
        assert_int_equal(first.noises[i].epsilon.micro, second.noises[i].epsilon.micro);
    }
}

static void a_split_of_one_price_is_that_of_another(void **state) {
    (void)state;
    const gw_marginals_base base = {4, {2, 10, 20, 12}};
    const gw_marginals_wish wish = {.base = base, .asked = marginals_of(&base, 1, 3), .measurable = all_of(&base)};
    gw_marginals_law nominal, direct, scaled;
    assert_int_equal(gw_marginals_split(&wish, (gw_epsilon){1000000000000}, 1ull << 40, &nominal), GW_OK);
    const uint64_t prices[] = {1000, 12345, 1000000, 7654321};
    for (size_t i = 0; i < sizeof(prices) / sizeof(prices[0]); i++) {
        uint64_t sum = 0;
        assert_int_equal(gw_marginals_split(&wish, (gw_epsilon){prices[i]}, 3, &direct), GW_OK);
        assert_int_equal(gw_marginals_scale(&nominal, (gw_epsilon){prices[i]}, 3, &scaled), GW_OK);
        assert_int_equal(scaled.count, direct.count);
        for (size_t k = 0; k < direct.count; k++) {
            assert_int_equal(scaled.masks[k], direct.masks[k]);
            assert_int_equal(scaled.noises[k].sensitivity, 3);
            assert_in_range(scaled.noises[k].epsilon.micro + 1 - direct.noises[k].epsilon.micro, 0, 2);
            sum += scaled.noises[k].epsilon.micro;
        }
        assert_true(sum <= prices[i]);
    }
    assert_int_equal(gw_marginals_scale(&nominal, (gw_epsilon){2}, 1, &scaled), GW_INVALID);
    assert_int_equal(gw_marginals_scale(&nominal, (gw_epsilon){1000000}, 0, &scaled), GW_INVALID);
}

static void weights_move_the_split(void **state) {
    (void)state;
    const gw_marginals_base base = {2, {5, 7}};
    gw_marginals_wish wish = {.base = base, .asked = 1ull << 1 | 1ull << 2, .measurable = 1ull << 1 | 1ull << 2};
    gw_marginals_law law;
    wish.weights[1] = 1000;
    wish.weights[2] = 1;
    assert_int_equal(gw_marginals_split(&wish, (gw_epsilon){1000000}, 1, &law), GW_OK);
    assert_int_equal(law.count, 2);
    assert_true(law.noises[0].epsilon.micro >
                850000); // the cube root of 1000 to 1, as one marginal hardly helps the other
    wish.weights[2] = -1;
    assert_int_equal(gw_marginals_split(&wish, (gw_epsilon){1000000}, 1, &law), GW_INVALID);
    wish.weights[2] = NAN;
    assert_int_equal(gw_marginals_split(&wish, (gw_epsilon){1000000}, 1, &law), GW_INVALID);
}

static void wishes_that_cannot_be_met_are_refused(void **state) {
    (void)state;
    const gw_marginals_base base = {2, {5, 7}};
    gw_marginals_law law;
    const gw_epsilon price = {1000000};
    gw_marginals_wish wish = {.base = base, .asked = 1ull << 3, .measurable = 1ull << 1 | 1ull << 2};
    assert_int_equal(gw_marginals_split(&wish, price, 1, &law), GW_INVALID); // not covered
    wish.asked = 0;
    assert_int_equal(gw_marginals_split(&wish, price, 1, &law), GW_INVALID);
    wish.asked = 1ull << 4; // a third attribute
    wish.measurable = 1ull << 7;
    assert_int_equal(gw_marginals_split(&wish, price, 1, &law), GW_INVALID);
    wish.asked = wish.measurable = 1ull << 3;
    assert_int_equal(gw_marginals_split(&wish, (gw_epsilon){0}, 1, &law), GW_INVALID);
    assert_int_equal(gw_marginals_split(&wish, price, 0, &law), GW_INVALID);
    wish.base.sizes[0] = 1000001;
    assert_int_equal(gw_marginals_split(&wish, price, 1, &law), GW_INVALID);
    wish.base = (gw_marginals_base){2, {5, 0}};
    assert_int_equal(gw_marginals_split(&wish, price, 1, &law), GW_INVALID);
}

static const gw_marginals_law LAW = {.base = {3, {3, 4, 5}},
                                     .count = 4,
                                     .masks = {5, 7, 2, 0},
                                     .noises = {{{400000}, 1}, {{200000}, 1}, {{100000}, 1}, {{50000}, 1}}};

static gw_exact_table *base_new(const gw_marginals_law *law) {
    gw_exact_table *base = NULL;
    assert_int_equal(gw_exact_table_new(gw_marginals_cell_count(&law->base, ~0u), 1, &base), GW_OK);
    return base;
}

static void a_release_is_the_margins_plus_noise_of_their_own(void **state) {
    (void)state;
    gw_exact_table *empty = base_new(&LAW), *full = base_new(&LAW);
    for (size_t i = 0; i < full->cell_count; i++)
        full->values[i] = (gw_int128)1 << (i % 90);
    seeded_random first = {.state = 42}, second = {.state = 42};
    gw_released_table *a = NULL, *b = NULL;
    assert_int_equal(gw_marginals_release(empty, &LAW, seeded_source(&first), &a), GW_OK);
    assert_int_equal(gw_marginals_release(full, &LAW, seeded_source(&second), &b), GW_OK);
    assert_int_equal(first.bytes_given, second.bytes_given);
    assert_int_equal(first.call_count, second.call_count);
    assert_int_equal(gw_released_block_count(b), LAW.count);
    for (size_t i = 0; i < LAW.count; i++) {
        const gw_released_block_facts block = gw_released_block(b, i);
        assert_int_equal(block.noise.epsilon.micro, LAW.noises[i].epsilon.micro);
        gw_int128 sums[60] = {0};
        for (size_t cell = 0; cell < full->cell_count; cell++) {
            const size_t at[3] = {cell / 20, cell / 5 % 4, cell % 5};
            size_t to = 0;
            for (unsigned k = 0; k < 3; k++)
                if ((LAW.masks[i] >> k & 1) != 0)
                    to = to * LAW.base.sizes[k] + at[k];
            sums[to] += full->values[cell];
        }
        for (size_t k = 0; k < block.cell_count; k++)
            assert_true(gw_released_value(b, block.first_cell + k, 0) ==
                        sums[k] + gw_released_value(a, block.first_cell + k, 0));
    }
    gw_exact_table_free(empty);
    gw_exact_table_free(full);
    gw_released_free(a);
    gw_released_free(b);
}

// A marginal's noise is not what was added to another one: else their difference would give the exact value away.
static void marginals_do_not_share_noise(void **state) {
    (void)state;
    gw_marginals_law law = {.base = {1, {100}}, .count = 2, .masks = {1, 0}, .noises = {{{1}, 1000}, {{1}, 1000}}};
    gw_exact_table *base = base_new(&law);
    gw_released_table *table = NULL;
    seeded_random random = {.state = 3};
    assert_int_equal(gw_marginals_release(base, &law, seeded_source(&random), &table), GW_OK);
    for (size_t i = 0; i < 101; i++)
        for (size_t k = 0; k < i; k++)
            assert_true(gw_released_value(table, i, 0) != gw_released_value(table, k, 0));
    gw_exact_table_free(base);
    gw_released_free(table);
}

// Repeats are rare at this width: below 1e-4 for all cells together.
static void every_cell_of_every_block_has_noise(void **state) {
    (void)state;
    gw_marginals_law law = LAW;
    for (size_t i = 0; i < law.count; i++)
        law.noises[i] = (gw_noise){{1}, 1000};
    gw_exact_table *base = base_new(&law);
    gw_released_table *first = NULL, *second = NULL;
    seeded_random one = {.state = 3}, other = {.state = 4};
    assert_int_equal(gw_marginals_release(base, &law, seeded_source(&one), &first), GW_OK);
    assert_int_equal(gw_marginals_release(base, &law, seeded_source(&other), &second), GW_OK);
    for (size_t i = 0; i < gw_released_cell_count(first); i++) {
        assert_true(gw_released_value(first, i, 0) != 0);
        assert_true(gw_released_value(first, i, 0) != gw_released_value(second, i, 0));
    }
    gw_exact_table_free(base);
    gw_released_free(first);
    gw_released_free(second);
}

static void releases_that_cannot_be_are_refused(void **state) {
    (void)state;
    gw_exact_table *base = base_new(&LAW), *pairs = NULL;
    gw_released_table *table = NULL;
    gw_marginals_law law = LAW;
    seeded_random random = {.state = 1};
    gw_random_source source = seeded_source(&random);
    law.base.sizes[1] = 5; // not the table's size
    assert_int_equal(gw_marginals_release(base, &law, source, &table), GW_INVALID);
    law = LAW;
    law.masks[1] = law.masks[0]; // one noise of two would be averaged away unpaid
    assert_int_equal(gw_marginals_release(base, &law, source, &table), GW_INVALID);
    law = LAW;
    law.noises[2].epsilon.micro = 0;
    assert_int_equal(gw_marginals_release(base, &law, source, &table), GW_INVALID);
    assert_int_equal(gw_exact_table_new(60, 2, &pairs), GW_OK);
    assert_int_equal(gw_marginals_release(pairs, &LAW, source, &table), GW_INVALID);
    assert_int_equal(random.bytes_given, 0);
    random.bytes_max = 1000;
    assert_int_equal(gw_marginals_release(base, &LAW, source, &table), GW_UNAVAILABLE);
    random.bytes_max = 0;
    base->values[0] = base->values[1] = (gw_int128)(~(gw_uint128)0 >> 1);
    assert_int_equal(gw_marginals_release(base, &LAW, source, &table), GW_INTERNAL);
    assert_null(table);
    gw_exact_table_free(base);
    gw_exact_table_free(pairs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_those_published),
        cmocka_unit_test(shares_never_pass_the_price),
        cmocka_unit_test(the_same_wish_is_split_the_same),
        cmocka_unit_test(a_split_of_one_price_is_that_of_another),
        cmocka_unit_test(weights_move_the_split),
        cmocka_unit_test(wishes_that_cannot_be_met_are_refused),
        cmocka_unit_test(a_release_is_the_margins_plus_noise_of_their_own),
        cmocka_unit_test(marginals_do_not_share_noise),
        cmocka_unit_test(every_cell_of_every_block_has_noise),
        cmocka_unit_test(releases_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
