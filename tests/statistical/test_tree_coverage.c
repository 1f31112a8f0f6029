// SPDX-License-Identifier: Apache-2.0
// Ranges from measured trees cover the exact figure as often as they say, at 90, 95 and 99 %, over draws of real noise
// on made-up populations. H0 of each case: coverage >= level. With N draws the alarm is below level - 5 sqrt(level (1 -
// level) / N): a false alarm has a chance below 3e-7 a case, and there are under 100. The excess over the level is
// printed. The same rule catches what it should: a range of a rate that takes the line as known, a band of single
// ranges, a quantile's range for noise half as wide.
#include "privacy/derive/distribution.h"
#include "privacy/derive/series.h"
#include "privacy/derive/tree_data.h"
#include "tests/support/trees.h"

#define BINS 256
#define GROUPS 4

static const uint32_t LEVELS[] = {900000, 950000, 990000};
#define LEVEL_COUNT 3

static seeded_random randomness = {.state = 20260817};

static int seed_read(void **state) {
    const char *text = getenv("GW_TEST_SEED");
    (void)state;
    if (text != NULL)
        randomness.state = strtoull(text, NULL, 10);
    return 0;
}

typedef struct {
    int draws, covered;
    double width; // mean
} tally;

static void tally_add(tally *in, bool is_covered, double width) {
    in->draws++;
    in->covered += is_covered;
    in->width += (width - in->width) / in->draws;
}

static bool tally_covers(const tally *in, uint32_t level_ppm) {
    double level = (double)level_ppm / 1e6;
    return (double)in->covered / in->draws >= level - 5 * sqrt(level * (1 - level) / in->draws);
}

static void assert_covers(const char *what, const tally tallies[LEVEL_COUNT]) {
    print_message("%-44s", what);
    for (int k = 0; k < LEVEL_COUNT; k++)
        print_message(" %.3f (width %.4g)", (double)tallies[k].covered / tallies[k].draws, tallies[k].width);
    print_message("\n");
    for (int k = 0; k < LEVEL_COUNT; k++)
        if (!tally_covers(&tallies[k], LEVELS[k]))
            fail_msg("%s: covered %.4f at %u", what, (double)tallies[k].covered / tallies[k].draws, LEVELS[k]);
}

// ---- spans, bands, series

static void sums_cover(void **state) {
    (void)state;
    static int64_t counts[BINS];
    static const uint64_t micros[] = {100000, 1000000};
    static const size_t spans[][2] = {{0, 1}, {0, 13}, {0, 137}, {0, 255}, {0, 256}, {7, 8}, {30, 200}};
    trees_incomes(2000, BINS, 60, 0.5, &randomness, counts);
    for (size_t e = 0; e < 2; e++) {
        gw_tree_shape shape = trees_shape(1, BINS, 16);
        for (size_t s = 0; s < sizeof(spans) / sizeof(spans[0]); s++) {
            tally tallies[LEVEL_COUNT] = {{0}};
            double exact = 0;
            for (size_t i = spans[s][0]; i < spans[s][1]; i++)
                exact += (double)counts[i];
            for (int draw = 0; draw < 600; draw++) {
                gw_tree *tree = trees_measure(&shape, counts, (gw_noise){{micros[e]}, 1}, &randomness);
                for (int k = 0; k < LEVEL_COUNT; k++) {
                    gw_derived range;
                    assert_int_equal(gw_tree_span_range(tree, spans[s][0], spans[s][1], LEVELS[k], &range), GW_OK);
                    tally_add(&tallies[k], range.lower <= exact && exact <= range.upper, range.upper - range.lower);
                }
                gw_tree_free(tree);
            }
            char what[64];
            snprintf(what, sizeof(what), "bins %zu to %zu, epsilon %.1f", spans[s][0], spans[s][1],
                     (double)micros[e] / 1e6);
            assert_covers(what, tallies);
        }
    }
}

static void totals_of_series_cover(void **state) {
    (void)state;
    int64_t counts[120];
    gw_tree_shape shape;
    tally tallies[LEVEL_COUNT] = {{0}};
    for (size_t i = 0; i < 120; i++)
        counts[i] = (int64_t)(i % 12);
    assert_int_equal(gw_series_shape(1, 120, &shape), GW_OK);
    for (int draw = 0; draw < 1000; draw++) {
        gw_tree *tree = trees_measure(&shape, counts, (gw_noise){{300000}, 1}, &randomness);
        size_t periods = 1 + (size_t)draw * 19 % 120; // one of each draw: totals of one are alike
        double exact = 0;
        for (size_t i = 0; i < periods; i++)
            exact += (double)counts[i];
        for (int k = 0; k < LEVEL_COUNT; k++) {
            gw_derived total;
            assert_int_equal(gw_tree_span_range(tree, 0, periods, LEVELS[k], &total), GW_OK);
            tally_add(&tallies[k], total.lower <= exact && exact <= total.upper, total.upper - total.lower);
        }
        gw_tree_free(tree);
    }
    assert_covers("totals of 120 periods", tallies);
}

static bool band_holds(const double *low, const double *high, const double *exact, size_t count, double slack) {
    for (size_t i = 0; i <= count; i++)
        if (exact[i] < low[i] - slack || exact[i] > high[i] + slack)
            return false;
    return true;
}

static void bands_cover_all_at_once(void **state) {
    (void)state;
    static int64_t counts[BINS];
    static double low[BINS + 1], high[BINS + 1], sums[BINS + 1], shares[BINS + 1];
    const size_t people[] = {400, 20000};
    gw_tree_shape shape = trees_shape(1, BINS, 16);
    for (size_t p = 0; p < 2; p++) {
        tally band[LEVEL_COUNT] = {{0}}, tail[LEVEL_COUNT] = {{0}}, single = {0};
        trees_incomes(people[p], BINS, 60, 0.5, &randomness, counts);
        for (size_t i = 0; i < BINS; i++)
            sums[i + 1] = sums[i] + (double)counts[i];
        for (size_t i = 0; i <= BINS; i++)
            shares[i] = 1 - sums[i] / sums[BINS];
        for (int draw = 0; draw < 1000; draw++) {
            bool is_determinable;
            gw_tree *tree = trees_measure(&shape, counts, (gw_noise){{200000}, 1}, &randomness);
            for (int k = 0; k < LEVEL_COUNT; k++) {
                assert_int_equal(gw_tree_band(tree, LEVELS[k], low, high), GW_OK);
                tally_add(&band[k], band_holds(low, high, sums, BINS, 0), high[128] - low[128]);
                assert_int_equal(gw_tree_tail_band(tree, LEVELS[k], low, high, &is_determinable), GW_OK);
                tally_add(&tail[k], band_holds(low, high, shares, BINS, 1e-12), high[64] - low[64]);
            }
            bool is_held = true; // planted: a band made of single ranges
            for (size_t i = 1; i <= BINS && is_held && draw < 60; i++) {
                gw_derived range;
                assert_int_equal(gw_tree_span_range(tree, 0, i, GW_LEVEL_95, &range), GW_OK);
                is_held = range.lower <= sums[i] && sums[i] <= range.upper;
            }
            if (draw < 60)
                tally_add(&single, is_held, 0);
            gw_tree_free(tree);
        }
        assert_covers("a band of sums", band);
        assert_covers("a band of shares", tail);
        print_message("planted, single ranges for a band: %.3f\n", (double)single.covered / single.draws);
        assert_false(tally_covers(&single, GW_LEVEL_95));
    }
}

// ---- quantiles

static size_t exact_quantile(const int64_t *counts, gw_quantile_level level) {
    int64_t total = 0, below = 0;
    for (size_t i = 0; i < BINS; i++)
        total += counts[i];
    for (size_t i = 0; i < BINS; i++) {
        below += counts[i];
        if (below * (int64_t)level.b >= total * (int64_t)level.a)
            return i;
    }
    return BINS - 1;
}

typedef enum { INCOMES, FEW, ONE_BIN, GAP, EVEN, KINDS } population_kind;
static const char *const KIND_NAMES[] = {"incomes", "few people", "all in one bin", "two heaps", "evenly spread"};

static void population_make(population_kind kind, int64_t *counts) {
    memset(counts, 0, BINS * sizeof(*counts));
    switch (kind) {
    case INCOMES:
        trees_incomes(3000, BINS, 60, 0.5, &randomness, counts);
        return;
    case FEW:
        trees_incomes(60, BINS, 60, 0.5, &randomness, counts);
        return;
    case ONE_BIN:
        counts[77] = 500;
        return;
    case GAP: // the median's rank falls into the gap by as little as noise may move it
        counts[20] = 505;
        counts[200] = 495;
        return;
    case EVEN:
        for (size_t i = 0; i < BINS; i++)
            counts[i] = 8;
        return;
    case KINDS:
        return;
    }
}

static void quantiles_cover(void **state) {
    (void)state;
    static int64_t counts[BINS];
    static const gw_quantile_level levels[] = {{1, 10}, {1, 2}, {9, 10}};
    gw_tree_shape shape = trees_shape(1, BINS, 16);
    for (int kind = 0; kind < KINDS; kind++) {
        population_make((population_kind)kind, counts);
        for (size_t q = 0; q < 3; q++) {
            tally tallies[LEVEL_COUNT] = {{0}}, narrow = {0};
            size_t exact = exact_quantile(counts, levels[q]);
            for (int draw = 0; draw < 400; draw++) {
                gw_quantile range;
                gw_tree *tree = trees_measure(&shape, counts, (gw_noise){{200000}, 1}, &randomness);
                for (int k = 0; k < LEVEL_COUNT; k++) {
                    assert_int_equal(gw_quantiles_of(tree, &levels[q], 1, LEVELS[k], &range), GW_OK);
                    tally_add(&tallies[k], range.low <= exact && exact <= range.high, (double)(range.high - range.low));
                }
                tree->noise.epsilon.micro *= 2; // planted: a range for noise half as wide
                assert_int_equal(gw_quantiles_of(tree, &levels[q], 1, GW_LEVEL_95, &range), GW_OK);
                tally_add(&narrow, range.low <= exact && exact <= range.high, 0);
                gw_tree_free(tree);
            }
            char what[64];
            snprintf(what, sizeof(what), "quantile %d/%d, %s", (int)levels[q].a, (int)levels[q].b, KIND_NAMES[kind]);
            assert_covers(what, tallies);
            if (kind == EVEN)
                assert_false(tally_covers(&narrow, GW_LEVEL_95));
        }
    }
}

// Nine deciles of 20,000 incomes: one tree against nine choices at a ninth of the epsilon each. H0: the tree's mean
// error of ranks is the larger one. Means of 40 draws differ by more than ten of their standard errors.
static double rank_error(const int64_t *counts, gw_quantile_level level, size_t bin) {
    double total = 0, below = 0;
    for (size_t i = 0; i < BINS; i++) {
        total += (double)counts[i];
        below += i < bin ? (double)counts[i] : 0;
    }
    double wanted = total * (double)level.a / (double)level.b;
    return fmax(0, fmax(below - wanted, wanted - below - (double)counts[bin]));
}

static void nine_deciles_are_better_from_one_tree(void **state) {
    (void)state;
    static int64_t counts[BINS];
    gw_tree_shape shape = trees_shape(1, BINS, 16);
    gw_exact_table *bins = NULL;
    gw_quantile_level deciles[9];
    assert_int_equal(gw_exact_table_new(BINS, 1, &bins), GW_OK);
    for (size_t i = 0; i < 9; i++)
        deciles[i] = (gw_quantile_level){i + 1, 10};
    for (uint64_t micro = 90000; micro <= 900000; micro *= 10) {
        double tree_error = 0, choice_error = 0;
        trees_incomes(20000, BINS, 42, 0.6, &randomness, counts);
        for (size_t i = 0; i < BINS; i++)
            bins->values[i] = counts[i];
        for (int draw = 0; draw < 40; draw++) {
            gw_quantile found[9];
            gw_tree *tree = trees_measure(&shape, counts, (gw_noise){{micro}, 1}, &randomness);
            assert_int_equal(gw_quantiles_of(tree, deciles, 9, GW_LEVEL_95, found), GW_OK);
            for (size_t i = 0; i < 9; i++) {
                gw_released_table *chosen = NULL;
                gw_quantile_shape one = {1, BINS, deciles[i]};
                gw_noise ninth = {{micro / 9}, 1};
                assert_int_equal(gw_quantile_release(bins, &one, ninth, seeded_source(&randomness), &chosen), GW_OK);
                tree_error += rank_error(counts, deciles[i], found[i].bin) / 360;
                choice_error += rank_error(counts, deciles[i], (size_t)gw_released_value(chosen, 0, 0)) / 360;
                gw_released_free(chosen);
            }
            gw_tree_free(tree);
        }
        print_message("nine deciles, epsilon %.2f: mean rank error %.1f from a tree, %.1f from nine choices\n",
                      (double)micro / 1e6, tree_error, choice_error);
        assert_true(tree_error < choice_error);
    }
    gw_exact_table_free(bins);
}

// ---- poverty and inequality

typedef struct {
    int64_t values[BINS];
    int64_t counts[GROUPS * BINS];
    int64_t pooled[BINS];
    double rates[GROUPS];
    double line;
    double gini, ratio; // of the first group
} population;

static double held(const int64_t *counts, const int64_t *values, double from, double to) {
    double below = 0, sum = 0;
    for (size_t i = 0; i < BINS; i++) {
        double above = below + (double)counts[i];
        sum += (double)values[i] * fmax(0, fmin(above, to) - fmax(below, from));
        below = above;
    }
    return sum;
}

static void population_exact(population *in) {
    memset(in->pooled, 0, sizeof(in->pooled));
    for (size_t i = 0; i < GROUPS * BINS; i++)
        in->pooled[i % BINS] += in->counts[i];
    int64_t median = in->values[exact_quantile(in->pooled, (gw_quantile_level){1, 2})];
    in->line = 0.6 * (double)median;
    double people = 0, sum = 0, difference = 0;
    for (size_t group = 0; group < GROUPS; group++) {
        double poor = 0, total = 0;
        for (size_t i = 0; i < BINS; i++) {
            total += (double)in->counts[group * BINS + i];
            poor += 10 * in->values[i] < 6 * median ? (double)in->counts[group * BINS + i] : 0;
        }
        in->rates[group] = poor / total;
    }
    for (size_t i = 0; i < BINS; i++) {
        people += (double)in->counts[i];
        sum += (double)in->counts[i] * (double)in->values[i];
        for (size_t j = 0; j < BINS; j++)
            difference += (double)in->counts[i] * (double)in->counts[j] * fabs((double)(in->values[i] - in->values[j]));
    }
    in->gini = difference / (2 * people * sum);
    in->ratio = held(in->counts, in->values, 0.8 * people, people) / held(in->counts, in->values, 0, 0.2 * people);
}

static void poverty_and_inequality_cover(void **state) {
    (void)state;
    static population in;
    const size_t people[] = {300, 5000};
    gw_tree_shape shape = trees_shape(GROUPS, BINS, 16);
    for (size_t i = 0; i < BINS; i++)
        in.values[i] = (int64_t)(100 * i + 50);
    gw_poverty_rule rule = {.values = in.values, .quantile = {1, 2}, .numerator = 60, .denominator = 100};
    for (size_t p = 0; p < 2; p++) {
        tally rates[LEVEL_COUNT] = {{0}}, lines[LEVEL_COUNT] = {{0}}, ginis[LEVEL_COUNT] = {{0}};
        tally ratios[LEVEL_COUNT] = {{0}};
        for (size_t group = 0; group < GROUPS; group++)
            trees_incomes(people[p], BINS, 50 + 10 * (double)group, 0.5, &randomness, in.counts + group * BINS);
        population_exact(&in);
        for (int draw = 0; draw < 400; draw++) {
            gw_released_table *table = trees_release(&shape, in.counts, (gw_noise){{300000}, 1}, &randomness);
            gw_tree *tree = trees_of(table, &shape, 0, 1);
            for (int k = 0; k < LEVEL_COUNT; k++) {
                gw_poverty_line line;
                gw_derived found[GROUPS], gini, ratio;
                bool is_bounded;
                assert_int_equal(gw_poverty_rates(table, &shape, &rule, LEVELS[k], &line, found), GW_OK);
                gw_derived *rate = &found[draw % GROUPS];
                double exact = in.rates[draw % GROUPS];
                tally_add(&rates[k], rate->lower <= exact + 1e-12 && exact - 1e-12 <= rate->upper,
                          rate->upper - rate->lower);
                tally_add(&lines[k], line.line_low <= in.line + 1e-6 && in.line - 1e-6 <= line.line_high,
                          line.line_high - line.line_low);
                assert_int_equal(gw_gini(tree, in.values, LEVELS[k], &gini), GW_OK);
                tally_add(&ginis[k], gini.lower <= in.gini && in.gini <= gini.upper, gini.upper - gini.lower);
                assert_int_equal(gw_quintile_ratio(tree, in.values, LEVELS[k], &ratio, &is_bounded), GW_OK);
                tally_add(&ratios[k], ratio.lower <= in.ratio && (!is_bounded || in.ratio <= ratio.upper),
                          ratio.upper - ratio.lower);
            }
            gw_tree_free(tree);
            gw_released_free(table);
        }
        print_message("%zu people a group\n", people[p]);
        assert_covers("poverty lines", lines);
        assert_covers("poverty rates", rates);
        assert_covers("Gini", ginis);
        assert_covers("S80/S20", ratios);
    }
}

// Two heaps, the median between them: the line jumps from one to the other, and a rate's range at the estimated line
// alone misses the other half of the time.
static void a_line_taken_as_known_is_caught(void **state) {
    (void)state;
    static population in;
    gw_tree_shape shape = trees_shape(GROUPS, BINS, 16);
    tally rates[LEVEL_COUNT] = {{0}}, known = {0};
    for (size_t i = 0; i < BINS; i++)
        in.values[i] = (int64_t)(100 * i + 50);
    memset(in.counts, 0, sizeof(in.counts));
    for (size_t group = 0; group < GROUPS; group++) {
        in.counts[group * BINS + 90] = group % 2 == 0 ? 501 : 500;
        in.counts[group * BINS + 200] = 500;
    }
    population_exact(&in);
    gw_poverty_rule rule = {.values = in.values, .quantile = {1, 2}, .numerator = 60, .denominator = 100};
    for (int draw = 0; draw < 300; draw++) {
        gw_released_table *table = trees_release(&shape, in.counts, (gw_noise){{300000}, 1}, &randomness);
        gw_derived found[GROUPS];
        gw_poverty_line line;
        for (int k = 0; k < LEVEL_COUNT; k++) {
            assert_int_equal(gw_poverty_rates(table, &shape, &rule, LEVELS[k], &line, found), GW_OK);
            tally_add(&rates[k], found[0].lower <= in.rates[0] && in.rates[0] <= found[0].upper,
                      found[0].upper - found[0].lower);
        }
        gw_tree *tree = trees_of(table, &shape, 0, 1);
        gw_tree_cut cut;
        gw_tree_thetas span;
        gw_tree_reaches reaches;
        gw_tree_reaches_make(tree, 0.05, &reaches);
        gw_tree_cut_at(tree, line.poor_bins, &cut);
        assert_int_equal(gw_tree_share(tree, &cut, (gw_tree_share_test){&reaches, 0.05}, &span), GW_OK);
        tally_add(&known, span.low <= in.rates[0] && in.rates[0] <= span.high, 0);
        gw_tree_free(tree);
        gw_released_free(table);
    }
    assert_covers("a rate where the line may jump", rates);
    print_message("planted, the line taken as known: %.3f\n", (double)known.covered / known.draws);
    assert_false(tally_covers(&known, GW_LEVEL_95));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_cover),
        cmocka_unit_test(totals_of_series_cover),
        cmocka_unit_test(bands_cover_all_at_once),
        cmocka_unit_test(quantiles_cover),
        cmocka_unit_test(nine_deciles_are_better_from_one_tree),
        cmocka_unit_test(poverty_and_inequality_cover),
        cmocka_unit_test(a_line_taken_as_known_is_caught),
    };
    return cmocka_run_group_tests(tests, seed_read, NULL);
}
