// SPDX-License-Identifier: Apache-2.0
// Least squares on trees against the dense normal equations, ranges and bands against direct sums, weights against
// every other choice of them.
#include "privacy/derive/tree_data.h"
#include "privacy/tail.h"
#include "tests/support/trees.h"
#include <time.h>

#define DENSE_MAX 96

static const gw_noise NOISE = {.epsilon = {500000}, .sensitivity = 1};

// Inverse of A'A and A'y for the matrix of all nodes over the leaves.
typedef struct {
    size_t count;
    double inverse[DENSE_MAX][DENSE_MAX];
    double right[DENSE_MAX];
} dense;

static void dense_invert(dense *in, double matrix[DENSE_MAX][DENSE_MAX]) {
    for (size_t i = 0; i < in->count; i++)
        for (size_t j = 0; j < in->count; j++)
            in->inverse[i][j] = i == j;
    for (size_t i = 0; i < in->count; i++) { // positive definite: no pivot is 0
        double pivot = matrix[i][i];
        for (size_t j = 0; j < in->count; j++) {
            matrix[i][j] /= pivot;
            in->inverse[i][j] /= pivot;
        }
        for (size_t k = 0; k < in->count; k++) {
            double factor = matrix[k][i];
            for (size_t j = 0; j < in->count && k != i; j++) {
                matrix[k][j] -= factor * matrix[i][j];
                in->inverse[k][j] -= factor * in->inverse[i][j];
            }
        }
    }
}

static void dense_make(const gw_tree_shape *shape, const gw_released_table *table, dense *in) {
    static double matrix[DENSE_MAX][DENSE_MAX];
    gw_tree_levels levels;
    assert_true(gw_tree_levels_of(shape, &levels));
    memset(matrix, 0, sizeof(matrix));
    memset(in, 0, sizeof(*in));
    in->count = shape->bin_count;
    for (size_t level = 0, width = 1; level < shape->level_count; level++, width *= shape->fan)
        for (size_t i = 0; i < in->count; i++) {
            in->right[i] += (double)gw_released_value(table, levels.starts[level] + i / width, 0);
            for (size_t j = 0; j < in->count; j++)
                matrix[i][j] += i / width == j / width;
        }
    dense_invert(in, matrix);
}

static double dense_prefix(const dense *in, size_t bins) {
    double sum = 0;
    for (size_t i = 0; i < bins; i++)
        for (size_t j = 0; j < in->count; j++)
            sum += in->inverse[i][j] * in->right[j];
    return sum;
}

static double dense_variance(const dense *in, size_t from, size_t to) {
    double sum = 0;
    for (size_t i = from; i < to; i++)
        for (size_t j = from; j < to; j++)
            sum += in->inverse[i][j];
    return sum;
}

static void some_counts(size_t count, int64_t *counts) {
    for (size_t i = 0; i < count; i++)
        counts[i] = (int64_t)(i * i * 7 % 53);
}

static const struct {
    size_t bins, fan;
} SHAPES[] = {{1, 16}, {7, 16}, {20, 16}, {37, 3}, {64, 4}, {65, 8}, {33, 2}, {90, 5}, {17, 4}};
#define SHAPE_COUNT (sizeof(SHAPES) / sizeof(SHAPES[0]))

static void two_passes_are_the_dense_least_squares(void **state) {
    (void)state;
    static dense reference;
    int64_t counts[DENSE_MAX];
    seeded_random random = {.state = 3};
    for (size_t s = 0; s < 2 * SHAPE_COUNT; s++) {
        gw_tree_shape shape = trees_shape(1, SHAPES[s / 2].bins, SHAPES[s / 2].fan);
        shape.level_count += s % 2 == 1 && shape.bin_count > 1; // the root too
        some_counts(shape.bin_count, counts);
        gw_released_table *table = trees_release(&shape, counts, NOISE, &random);
        gw_tree *tree = trees_of(table, &shape, 0, 1);
        dense_make(&shape, table, &reference);
        double sd = gw_tail_sd(gw_released_noise(table));
        for (size_t i = 0; i < shape.bin_count; i++) {
            assert_true(fabs(gw_tree_prefix(tree, i + 1) - dense_prefix(&reference, i + 1)) < 1e-8);
            assert_true(fabs(gw_tree_prefix_variance(tree, i + 1) / (sd * sd) - dense_variance(&reference, 0, i + 1)) <
                        1e-9);
            assert_true(fabs(gw_tree_leaf_variance(tree, i) / (sd * sd) - dense_variance(&reference, i, i + 1)) < 1e-9);
        }
        gw_tree_free(tree);
        gw_released_free(table);
    }
}

static void pooled_groups_add_up(void **state) {
    (void)state;
    int64_t counts[120];
    some_counts(120, counts);
    gw_tree_shape shape = trees_shape(3, 40, 4);
    seeded_random random = {.state = 8};
    gw_released_table *table = trees_release(&shape, counts, NOISE, &random);
    gw_tree *all = trees_of(table, &shape, 0, 3), *each[3];
    for (size_t group = 0; group < 3; group++)
        each[group] = trees_of(table, &shape, group, 1);
    for (size_t bins = 1; bins <= 40; bins++) {
        double sum = 0, variance = 0;
        for (size_t group = 0; group < 3; group++) {
            sum += gw_tree_prefix(each[group], bins);
            variance += gw_tree_prefix_variance(each[group], bins);
        }
        assert_true(fabs(gw_tree_prefix(all, bins) - sum) < 1e-8);
        assert_true(fabs(gw_tree_prefix_variance(all, bins) - variance) < 1e-6);
    }
    for (size_t group = 0; group < 3; group++)
        gw_tree_free(each[group]);
    gw_tree_free(all);
    gw_tree *tree = NULL;
    assert_int_equal(gw_tree_new(table, &shape, (gw_tree_groups){2, 2}, &tree), GW_INVALID);
    assert_int_equal(gw_tree_new(table, &shape, (gw_tree_groups){3, 1}, &tree), GW_INVALID);
    assert_int_equal(gw_tree_new(table, &shape, (gw_tree_groups){0, 0}, &tree), GW_INVALID);
    gw_tree_shape other = trees_shape(3, 41, 4);
    assert_int_equal(gw_tree_new(table, &other, (gw_tree_groups){0, 1}, &tree), GW_INVALID);
    gw_released_free(table);
}

// The max-min formula of isotonic regression, then the floor at 0.
static void the_monotone_curve_is_the_nearest(void **state) {
    (void)state;
    int64_t counts[37] = {0, 1, 0, 2};
    gw_tree_shape shape = trees_shape(1, 37, 3);
    seeded_random random = {.state = 4};
    gw_tree *tree = trees_measure(&shape, counts, (gw_noise){{100000}, 1}, &random);
    size_t raised = 0;
    for (size_t i = 1; i <= 37; i++) {
        double best = -INFINITY;
        for (size_t from = 1; from <= i; from++) {
            double least = INFINITY, sum = 0;
            for (size_t to = from; to <= 37; to++) {
                sum += gw_tree_prefix(tree, to);
                if (to >= i)
                    least = fmin(least, sum / (double)(to - from + 1));
            }
            best = fmax(best, least);
        }
        assert_true(fabs(gw_tree_monotone(tree, i) - fmax(0, best)) < 1e-9);
        assert_true(gw_tree_monotone(tree, i) >= gw_tree_monotone(tree, i - 1));
        raised += gw_tree_monotone(tree, i) != gw_tree_prefix(tree, i);
    }
    assert_true(raised > 0);
    gw_tree_free(tree);
}

// Without noise every contrast is what it stands for, whatever theta is: the weights are unbiased.
static void weights_stand_for_the_share_below_a_boundary(void **state) {
    (void)state;
    int64_t counts[DENSE_MAX];
    seeded_random random = {.state = 4};
    for (size_t s = 0; s < SHAPE_COUNT; s++) {
        gw_tree_shape shape = trees_shape(1, SHAPES[s].bins, SHAPES[s].fan);
        some_counts(shape.bin_count, counts);
        gw_tree *tree = trees_measure(&shape, counts, trees_silent(&shape), &random);
        double total = 0, below = 0;
        for (size_t i = 0; i < shape.bin_count; i++)
            total += (double)counts[i];
        for (size_t boundary = 0; boundary <= shape.bin_count; boundary++) {
            gw_tree_cut cut;
            gw_tree_cut_at(tree, boundary, &cut);
            assert_true(fabs(cut.fixed - below) < 1e-8);
            assert_true(fabs(cut.slope + total) < 1e-8);
            gw_tree_path_fewest(&cut.path);
            gw_tree_cut_measure(tree, &cut);
            assert_true(fabs(cut.fixed - below) < 1e-8);
            below += boundary < shape.bin_count ? (double)counts[boundary] : 0;
        }
        gw_tree_free(tree);
    }
}

// No other betas below the top do better, and the fewest nodes are the fewest of all choices.
static void weights_are_the_best_and_the_fewest(void **state) {
    (void)state;
    for (size_t s = 0; s < SHAPE_COUNT; s++) {
        gw_tree_shape shape = trees_shape(1, SHAPES[s].bins, SHAPES[s].fan);
        gw_tree_levels levels;
        assert_true(gw_tree_levels_of(&shape, &levels));
        for (size_t boundary = 0; boundary <= shape.bin_count; boundary++) {
            gw_tree_path path, other, fewest;
            gw_tree_path_at(&shape, &levels, boundary, &path);
            for (int i = 0; i <= 10; i++) {
                double theta = i / 10.0, best = gw_tree_path_weights(&path, theta).squares;
                for (size_t level = path.bottom; level < path.top; level++)
                    for (int side = -1; side <= 1; side += 2) {
                        other = path;
                        other.steps[level].fixed += side * 0.01;
                        assert_true(gw_tree_path_weights(&other, theta).squares > best - 1e-12);
                    }
            }
            fewest = path;
            gw_tree_path_fewest(&fewest);
            double least = INFINITY, found = gw_tree_path_weights(&fewest, 0).squares;
            size_t free_levels = path.top - path.bottom;
            for (size_t choice = 0; choice < (size_t)1 << free_levels; choice++) {
                other = fewest;
                for (size_t level = 0; level < free_levels; level++)
                    other.steps[path.bottom + level].fixed = choice >> level & 1 ? -1 : 0;
                other.steps[path.top].fixed = 0;
                least = fmin(least, gw_tree_path_weights(&other, 0).squares);
            }
            assert_true(found == least);
            assert_true(gw_tree_path_weights(&path, 0).squares <= found + 1e-12);
        }
    }
}

// The nodes beside the path see nearly all that least squares on the whole tree sees.
static void the_path_alone_is_nearly_the_whole_tree(void **state) {
    (void)state;
    int64_t counts[512] = {0};
    gw_tree_shape shape = trees_shape(1, 512, 16);
    seeded_random random = {.state = 4};
    gw_tree *tree = trees_measure(&shape, counts, NOISE, &random);
    double sd = gw_tail_sd(tree->noise), worst = 0;
    for (size_t bins = 1; bins <= 512; bins++) {
        gw_tree_cut cut;
        gw_tree_cut_at(tree, bins, &cut);
        double whole = gw_tree_prefix_variance(tree, bins) / (sd * sd);
        double path = gw_tree_path_weights(&cut.path, 0).squares;
        assert_true(path >= whole - 1e-9);
        worst = fmax(worst, path / whole);
    }
    assert_true(worst < 1.07);
    gw_tree_free(tree);
}

static void without_noise_ranges_are_the_exact_sums(void **state) {
    (void)state;
    int64_t counts[DENSE_MAX];
    seeded_random random = {.state = 4};
    for (size_t s = 0; s < SHAPE_COUNT; s++) {
        gw_tree_shape shape = trees_shape(1, SHAPES[s].bins, SHAPES[s].fan);
        some_counts(shape.bin_count, counts);
        gw_tree *tree = trees_measure(&shape, counts, trees_silent(&shape), &random);
        for (size_t from = 0; from < shape.bin_count; from++) {
            double sum = 0;
            for (size_t to = from + 1; to <= shape.bin_count; to++) {
                gw_derived range;
                sum += (double)counts[to - 1];
                assert_int_equal(gw_tree_span_range(tree, from, to, GW_LEVEL_95, &range), GW_OK);
                assert_true(range.lower == sum);
                assert_true(range.upper == sum);
                assert_true(fabs(range.estimate - sum) < 1e-8);
            }
        }
        gw_derived range;
        assert_int_equal(gw_tree_span_range(tree, 0, 0, GW_LEVEL_95, &range), GW_INVALID);
        assert_int_equal(gw_tree_span_range(tree, 0, shape.bin_count + 1, GW_LEVEL_95, &range), GW_INVALID);
        assert_int_equal(gw_tree_span_range(tree, 0, 1, 499999, &range), GW_INVALID);
        gw_tree_free(tree);
    }
}

// The moment bound is never below the law, and not far above it.
static void reach_is_above_the_law(void **state) {
    (void)state;
    static const uint64_t micros[] = {20000, 100000, 500000};
    double worst[2] = {0, 0}; // of one noise, of more
    for (size_t e = 0; e < 3; e++)
        for (size_t count = 1; count <= 81; count *= 3)
            for (int step = 0; step < 5; step++) {
                const double chance = 0.1 * pow(20, -step);
                gw_noise noise = {.epsilon = {micros[e]}, .sensitivity = 1};
                gw_noise_term term = {.noise = noise, .weight = 1, .count = count};
                gw_noise_sum *law = NULL;
                assert_int_equal(gw_noise_sum_new(&term, 1, chance, false, &law), GW_OK);
                gw_tree_moments moments;
                gw_tree_moments_of(noise, &moments);
                double exact = gw_noise_sum_quantile(law, chance);
                double reach = gw_tree_reach(&moments, (double)count, chance);
                assert_true(reach >= exact);
                worst[count > 1] = fmax(worst[count > 1], reach / exact);
                assert_true(gw_tree_reach(&moments, (double)count * 1.5, chance) > reach);
                gw_noise_sum_free(law);
            }
    print_message("moment bound over the law: at most %.2f for one noise, %.2f for more\n", worst[0], worst[1]);
    assert_true(worst[0] < 2.5 && worst[1] < 2.0);
}

static void bands_rise_fall_and_hold_the_estimate(void **state) {
    (void)state;
    static int64_t counts[512];
    static double low[513], high[513];
    seeded_random random = {.state = 14};
    bool is_determinable;
    trees_incomes(5000, 512, 100, 0.6, &random, counts);
    gw_tree_shape shape = trees_shape(1, 512, 16);
    for (int silent = 0; silent < 2; silent++) {
        gw_tree *tree = trees_measure(&shape, counts, silent ? trees_silent(&shape) : NOISE, &random);
        double below = 0;
        assert_int_equal(gw_tree_band(tree, GW_LEVEL_95, low, high), GW_OK);
        for (size_t k = 1; k <= 512; k++) {
            below += (double)counts[k - 1];
            assert_true(low[k] >= low[k - 1] && high[k] >= high[k - 1]);
            assert_true(low[k] <= below && below <= high[k]); // seeded
            assert_true(!silent || high[k] - low[k] <= 0);
        }
        assert_int_equal(gw_tree_tail_band(tree, GW_LEVEL_95, low, high, &is_determinable), GW_OK);
        assert_true(is_determinable);
        assert_true(low[0] == 1 && high[0] == 1 && low[512] == 0 && high[512] == 0);
        below = 0;
        for (size_t k = 1; k < 512; k++) {
            below += (double)counts[k - 1];
            assert_true(low[k] <= low[k - 1] && high[k] <= high[k - 1]);
            assert_true(low[k] <= 1 - below / 5000 + 1e-12 && 1 - below / 5000 <= high[k] + 1e-12);
            assert_true(!silent || high[k] - low[k] < 1e-4); // the moment bound knows no integers
        }
        gw_tree_free(tree);
    }
}

static void shares_of_nothing_are_not_determinable(void **state) {
    (void)state;
    static int64_t counts[300];
    static double low[301], high[301];
    gw_tree_shape shape = trees_shape(1, 300, 16);
    seeded_random random = {.state = 2};
    bool is_determinable = true;
    gw_tree *tree = trees_measure(&shape, counts, trees_silent(&shape), &random);
    assert_int_equal(gw_tree_tail_band(tree, GW_LEVEL_95, low, high, &is_determinable), GW_OK);
    assert_false(is_determinable);
    for (size_t k = 1; k < 300; k++)
        assert_true(low[k] == 0 && high[k] == 1);
    gw_tree_free(tree);
}

static void a_price_is_what_ranges_are_wide(void **state) {
    (void)state;
    static int64_t counts[4096];
    const struct { size_t bins, fan; } cases[] = {{36, 36}, {512, 16}, {4096, 16}, {600, 12}};
    for (size_t s = 0; s < 4; s++)
        for (uint64_t micro = 50000; micro <= 1000000; micro *= 20) {
            gw_tree_cost cost = {trees_shape(1, cases[s].bins, cases[s].fan), 1, 1000};
            seeded_random random = {.state = 2};
            gw_tree *tree = trees_measure(&cost.shape, counts, (gw_noise){{micro}, 1}, &random);
            double widest = 0, price = gw_tree_half_width(&cost, (gw_epsilon){micro}, GW_LEVEL_95);
            for (size_t bins = 1; bins <= cases[s].bins; bins += 1 + bins / 40) {
                gw_derived range;
                assert_int_equal(gw_tree_span_range(tree, 0, bins, GW_LEVEL_95, &range), GW_OK);
                widest = fmax(widest, (range.upper - range.lower) / 2);
            }
            print_message("%zu bins, fan %zu, epsilon %.2f: %.1f, widest range %.1f\n", cases[s].bins, cases[s].fan,
                          (double)micro / 1e6, price, widest);
            assert_true(price > 0.8 * widest && price < 1.25 * widest);
            gw_tree_free(tree);
        }
}

static void prices_fall_with_epsilon(void **state) {
    (void)state;
    gw_tree_cost cost = {trees_shape(5, 4096, 16), 2, 1000};
    double last = gw_tree_half_width(&cost, (gw_epsilon){0}, GW_LEVEL_95);
    assert_true(isinf(last));
    for (uint64_t micro = 1; micro < 1000000000; micro += 1 + micro / 3) {
        double here = gw_tree_half_width(&cost, (gw_epsilon){micro}, GW_LEVEL_95);
        assert_true(here < last);
        last = here;
    }
}

// 20 groups x 4096 bins: released, estimated, least squares and all. The bound leaves room for slow machines.
static void a_large_tree_takes_milliseconds(void **state) {
    (void)state;
    static int64_t counts[20 * 4096];
    gw_tree_shape shape = trees_shape(20, 4096, 16);
    seeded_random random = {.state = 2};
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    gw_released_table *table = trees_release(&shape, counts, NOISE, &random);
    for (size_t group = 0; group < 20; group++)
        gw_tree_free(trees_of(table, &shape, group, 1));
    clock_gettime(CLOCK_MONOTONIC, &to);
    double ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
    print_message("20 groups x 4096 bins: %.1f ms\n", ms);
    assert_true(ms < 2000);
    gw_released_free(table);
}

// Whoever has the nodes has the tree; a file may claim any, and what no release holds is refused.
static void published_nodes_make_the_same_tree(void **state) {
    (void)state;
    int64_t counts[3 * 40];
    seeded_random random = {.state = 21};
    gw_tree_shape shape = trees_shape(3, 40, 4);
    gw_tree_levels levels;
    for (size_t i = 0; i < 120; i++)
        counts[i] = (int64_t)(i * i % 97);
    gw_released_table *table = trees_release(&shape, counts, (gw_noise){{300000}, 1}, &random);
    assert_true(gw_tree_levels_of(&shape, &levels));
    size_t count = gw_released_cell_count(table);
    gw_int128 *nodes = calloc(count, sizeof(*nodes));
    for (size_t i = 0; i < count; i++)
        nodes[i] = gw_released_value(table, i, 0);
    gw_tree_published published = {.shape = shape, .noise = gw_released_noise(table), .nodes = nodes};
    gw_tree *tree = trees_of(table, &shape, 1, 2), *same = NULL;
    assert_int_equal(gw_tree_of_published(&published, (gw_tree_groups){1, 2}, &same), GW_OK);
    for (size_t bins = 0; bins <= 40; bins++) {
        assert_true(gw_tree_prefix(tree, bins) == gw_tree_prefix(same, bins)); // to the last digit
        assert_true(gw_tree_prefix_variance(tree, bins) == gw_tree_prefix_variance(same, bins));
    }
    gw_tree_free(same);
    assert_int_equal(gw_tree_of_published(&published, (gw_tree_groups){2, 2}, &same), GW_INVALID);
    gw_tree_published wrong = published;
    wrong.noise.sensitivity = 0;
    assert_int_equal(gw_tree_of_published(&wrong, (gw_tree_groups){0, 1}, &same), GW_INVALID);
    wrong = published;
    wrong.noise.epsilon.micro = UINT64_MAX;
    assert_int_equal(gw_tree_of_published(&wrong, (gw_tree_groups){0, 1}, &same), GW_INVALID);
    wrong = published;
    wrong.shape.level_count = 9;
    assert_int_equal(gw_tree_of_published(&wrong, (gw_tree_groups){0, 1}, &same), GW_INVALID);
    nodes[levels.node_count + 3] = (gw_int128)1 << 126; // two of them would leave 128 bits
    assert_int_equal(gw_tree_of_published(&published, (gw_tree_groups){0, 3}, &same), GW_INVALID);
    nodes[levels.node_count + 3] = -((gw_int128)1 << 126);
    assert_int_equal(gw_tree_of_published(&published, (gw_tree_groups){0, 3}, &same), GW_INVALID);
    nodes[levels.node_count + 3] = (gw_int128)1 << 103; // nobody's, but no harm
    assert_int_equal(gw_tree_of_published(&published, (gw_tree_groups){0, 3}, &same), GW_OK);
    gw_tree_free(same);
    gw_tree_free(tree);
    gw_released_free(table);
    free(nodes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_passes_are_the_dense_least_squares),
        cmocka_unit_test(pooled_groups_add_up),
        cmocka_unit_test(the_monotone_curve_is_the_nearest),
        cmocka_unit_test(weights_stand_for_the_share_below_a_boundary),
        cmocka_unit_test(weights_are_the_best_and_the_fewest),
        cmocka_unit_test(the_path_alone_is_nearly_the_whole_tree),
        cmocka_unit_test(without_noise_ranges_are_the_exact_sums),
        cmocka_unit_test(reach_is_above_the_law),
        cmocka_unit_test(bands_rise_fall_and_hold_the_estimate),
        cmocka_unit_test(shares_of_nothing_are_not_determinable),
        cmocka_unit_test(a_price_is_what_ranges_are_wide),
        cmocka_unit_test(prices_fall_with_epsilon),
        cmocka_unit_test(a_large_tree_takes_milliseconds),
        cmocka_unit_test(published_nodes_make_the_same_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
