// SPDX-License-Identifier: Apache-2.0
// Answers over a grid: figures that follow from the nodes they hold, ranges of values that hold for the exact value and
// not only for its bin, a choice without a range of values, and lengths that say nothing.
#include "service/release/release.h"

#include "privacy/mechanism/quantile.h"
#include "service/wire/answer.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"

#include <math.h>

#define BINS 401u // 0 .. 40,000 by 100
#define GROUPS 2u

static const char *const sexes[] = {"F", "M"};
static const char *const levels[] = {"0.1", "0.5", "0.9"};
static const gw_quantile_level level_values[] = {{1, 10}, {1, 2}, {9, 10}};

typedef struct {
    gw_release_shape shape;
    gw_release_bins bins;
    const char *by[3];
    const char *const *codes[3];
    size_t sizes[3];
    gw_exact_table *exact;
    gw_buffer out;
    gw_arena *arena;
    gw_answer answer;
} fixture;

static void axis_add(fixture *f, const char *by, const char *const *codes, size_t size) {
    f->by[f->shape.axis_count] = by;
    f->codes[f->shape.axis_count] = codes;
    f->sizes[f->shape.axis_count++] = size;
}

// Everybody's income by group: `people` of each, spread evenly over 0 .. 19,999 (F) and over 0 .. 39,999 (M); the rest,
// where there is one, at 40,000.
static void exact_make(fixture *f, size_t groups, int64_t people) {
    assert_int_equal(gw_exact_table_new(groups * BINS, 1, &f->exact), GW_OK);
    for (size_t group = 0; group < groups; group++)
        for (size_t i = 0; i < BINS; i++) {
            bool is_rest = group == GROUPS;
            size_t end = is_rest ? BINS : group == 0 ? 200 : 400;
            f->exact->values[group * BINS + i] = is_rest   ? (i == BINS - 1 ? people : 0)
                                                 : i < end ? people / (int64_t)end
                                                           : 0;
        }
}

static void begin(fixture *f, gw_statistic statistic, size_t groups, int64_t people) {
    memset(f, 0, sizeof *f);
    f->bins = (gw_release_bins){.group_count = GROUPS,
                                .group_axes = 1,
                                .bin_count = BINS,
                                .first_scaled = 0,
                                .width_scaled = 100,
                                .grid_scaled = 1,
                                .last_scaled = 40000,
                                .first = "0",
                                .width = "100",
                                .line_unit = "EUR"};
    f->shape = (gw_release_shape){.dataset = "test.example/people",
                                  .data_version = "00112233445566778899aabbccddeeff",
                                  .release = "GW-2026-000001",
                                  .unit = "EUR",
                                  .policy_version = 1,
                                  .statistic = statistic,
                                  .decimals = 0,
                                  .noise = {.epsilon = {1000000}, .sensitivity = 1},
                                  .grid = "1",
                                  .offset = "0",
                                  .step_scaled = 1,
                                  .range = 1,
                                  .value_digits = 9,
                                  .by = f->by,
                                  .axis_codes = f->codes,
                                  .axis_sizes = f->sizes,
                                  .bins = &f->bins};
    axis_add(f, "sex", sexes, GROUPS);
    exact_make(f, groups, people);
    gw_buffer_init(&f->out, 1u << 22);
}

static void done(fixture *f) {
    gw_exact_table_free(f->exact);
    gw_buffer_done(&f->out);
    gw_arena_free(f->arena);
}

static void encode(fixture *f, gw_released_table *released) {
    gw_interval_law *law = NULL;
    gw_problem problem = {0};
    assert_int_equal(gw_interval_law_new(f->shape.noise, GW_LEVEL_95, 0, &law), GW_OK);
    assert_int_equal(gw_release_encode(&f->shape, law, released, (gw_hash){{7}}, &f->out), GW_OK);
    gw_interval_law_free(law);
    gw_released_free(released);
    f->arena = gw_arena_new(1u << 24);
    if (gw_answer_decode(gw_buffer_bytes(&f->out), f->arena, &f->answer, &problem) != GW_OK)
        fail_msg("%s %s", problem.what, problem.why);
}

static void encode_tree(fixture *f, uint64_t seed) {
    gw_released_table *released = NULL;
    seeded_random random = {.state = seed};
    gw_noise unit = {.epsilon = {1000000}, .sensitivity = 1};
    assert_int_equal(gw_tree_shape_make(f->exact->cell_count / BINS, BINS, 16, &f->bins.tree), GW_OK);
    assert_int_equal(gw_tree_noise(&f->bins.tree, unit, &f->shape.noise), GW_OK);
    assert_int_equal(gw_tree_release(f->exact, &f->bins.tree, unit, seeded_source(&random), &released), GW_OK);
    encode(f, released);
}

static void quantiles_begin(fixture *f, size_t count, size_t first, int64_t people) {
    begin(f, GW_STATISTIC_QUANTILE, GROUPS, people);
    f->bins.levels = &level_values[first];
    f->bins.level_texts = &levels[first];
    f->bins.level_count = count;
    axis_add(f, "quantile", &levels[first], count);
}

static double number(const char *text) {
    assert_non_null(text);
    return strtod(text, NULL);
}

static void quantiles_of_a_tree_hold_the_exact_values_and_rise(void **state) {
    (void)state;
    static const double exact[GROUPS][3] = {{2000, 10000, 18000}, {4000, 20000, 36000}};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        fixture f;
        quantiles_begin(&f, 3, 0, 400000);
        encode_tree(&f, seed);
        assert_int_equal(f.answer.cell_count, 6);
        assert_int_equal(f.answer.level_count, 3);
        for (size_t i = 0; i < 6; i++) {
            const gw_answer_cell *cell = &f.answer.cells[i];
            double lower = number(cell->lower), upper = number(cell->upper), estimate = number(cell->estimate);
            assert_string_equal(cell->key[1], levels[i % 3]);
            assert_true(lower <= estimate && estimate <= upper);
            // With 400,000 people and epsilon 1 noise moves a quantile by a bin or two; 95 % is not 100 %.
            assert_true(fabs(estimate - exact[i / 3][i % 3]) <= 300);
            assert_true(upper - lower < 1500);
            assert_null(cell->se);
            assert_string_equal(cell->flag, "");
            assert_true(i % 3 == 0 || estimate >= number(f.answer.cells[i - 1].estimate));
        }
        done(&f);
    }
}

// Everything a reader needs stands in the answer: each node is the sum of nodes below it, but for noise.
static void the_nodes_are_those_that_were_measured(void **state) {
    (void)state;
    fixture f;
    gw_tree_levels shape;
    quantiles_begin(&f, 3, 0, 400000);
    encode_tree(&f, 3);
    const gw_answer_measured *measured = &f.answer.measured;
    assert_string_equal(measured->kind, "tree");
    assert_int_equal(measured->fan, 16);
    assert_int_equal(measured->bin_count, BINS);
    assert_true(gw_tree_levels_of(&f.bins.tree, &shape));
    assert_int_equal(measured->node_count, shape.node_count);
    assert_int_equal(measured->group_count, GROUPS);
    assert_null(measured->rest);
    assert_string_equal(measured->by[0], "sex");
    assert_string_equal(measured->groups[1].key[0], "M");
    assert_string_equal(measured->width, "100");
    assert_int_equal(f.answer.part_count, 0);
    double noise = (double)f.answer.noise.sensitivity / ((double)f.answer.noise.epsilon.micro / 1e6);
    for (size_t g = 0; g < GROUPS; g++)
        for (size_t i = 0; i < shape.counts[1]; i++) {
            double below = 0, node = number(measured->groups[g].nodes[shape.starts[1] + i]);
            for (size_t k = i * 16; k < (i + 1) * 16 && k < BINS; k++)
                below += number(measured->groups[g].nodes[k]);
            assert_true(fabs(node - below) < 30 * noise * 4); // 17 noises: 30 scales are never reached
        }
    done(&f);
}

static void a_choice_has_a_rank_and_no_range(void **state) {
    (void)state;
    fixture f;
    gw_released_table *released = NULL;
    seeded_random random = {.state = 5};
    quantiles_begin(&f, 1, 1, 400000);
    f.shape.part_count = 1;
    f.bins.rank_error = 27.3;
    const gw_quantile_shape shape = {.group_count = GROUPS, .bin_count = BINS, .level = {1, 2}};
    assert_int_equal(gw_quantile_release(f.exact, &shape, f.shape.noise, seeded_source(&random), &released), GW_OK);
    encode(&f, released);
    assert_string_equal(f.answer.law, "permute-and-flip");
    assert_string_equal(f.answer.rank_error, "28"); // never told as less than it is
    assert_null(f.answer.measured.kind);
    for (size_t g = 0; g < GROUPS; g++) {
        const gw_answer_cell *cell = &f.answer.cells[g];
        assert_null(cell->lower);
        assert_null(cell->upper);
        assert_null(cell->se);
        // Densities are 2,000 and 1,000 people a bin: no other bin is as near.
        assert_true(fabs(number(cell->estimate) - (g == 0 ? 10000 : 20000)) <= 150);
        double bin = number(cell->parts[0]);
        assert_true(fabs(number(cell->estimate) - (100 * bin + 49.5)) <= 0.5);
    }
    done(&f);
}

// The line lies at 0.6 of everybody's median: 15,000 of the groups' own, more where richer people count too.
static void the_line_of_poverty_counts_everybody(void **state) {
    (void)state;
    for (size_t has_rest = 0; has_rest < 2; has_rest++) {
        fixture f;
        begin(&f, GW_STATISTIC_POVERTY, GROUPS + has_rest, 400000);
        f.bins.fraction = (gw_quantile_level){3, 5};
        f.bins.fraction_text = "0.6";
        f.shape.decimals = 1;
        f.shape.unit = "PC";
        encode_tree(&f, 11);
        // F: even over 0..20,000, M: over 0..40,000. Half of all lies below 13,333, with the rest below 20,000.
        double median = has_rest ? 20000 : 13333, threshold = 0.6 * median;
        assert_string_equal(f.answer.fraction, "0.6");
        assert_string_equal(f.answer.line.unit, "EUR");
        assert_true(fabs(number(f.answer.line.median) - median) <= 200);
        assert_true(fabs(number(f.answer.line.threshold) - threshold) <= 150);
        assert_true(number(f.answer.line.threshold_lower) <= number(f.answer.line.threshold));
        assert_true(number(f.answer.line.threshold_upper) >= number(f.answer.line.threshold));
        assert_true((f.answer.measured.rest != NULL) == (has_rest == 1));
        assert_int_equal(f.answer.cell_count, GROUPS); // the rest has no rate
        for (size_t g = 0; g < GROUPS; g++) {
            double exact = 100 * threshold / (g == 0 ? 20000 : 40000);
            assert_true(fabs(number(f.answer.cells[g].estimate) - exact) < 1);
            assert_true(number(f.answer.cells[g].upper) - number(f.answer.cells[g].lower) < 5);
        }
        done(&f);
    }
}

static void inequality_is_that_of_the_bins(void **state) {
    (void)state;
    static const gw_statistic statistics[] = {GW_STATISTIC_GINI, GW_STATISTIC_QUINTILE_RATIO};
    for (size_t s = 0; s < 2; s++) {
        fixture f;
        begin(&f, statistics[s], GROUPS, 400000);
        f.shape.decimals = 2;
        encode_tree(&f, 7);
        for (size_t g = 0; g < GROUPS; g++) { // even over 0 .. a: Gini 1/3, S80/S20 = 9
            double exact = s == 0 ? 100.0 / 3 : 9, estimate = number(f.answer.cells[g].estimate);
            assert_true(fabs(estimate - exact) < 0.05 * exact);
            assert_true(number(f.answer.cells[g].lower) <= exact && exact <= number(f.answer.cells[g].upper));
        }
        done(&f);
    }
}

static void series_begin(fixture *f, int64_t people) {
    static const char *const spans[] = {"period", "cumulative"};
    static char texts[BINS][8];
    static const char *periods[BINS];
    for (size_t i = 0; i < BINS; i++) {
        snprintf(texts[i], sizeof texts[i], "P%zu", i);
        periods[i] = texts[i];
    }
    begin(f, GW_STATISTIC_SERIES, GROUPS, people);
    f->bins.first = f->bins.width = NULL;
    axis_add(f, "day", periods, BINS);
    axis_add(f, "span", spans, 2);
}

static void a_series_adds_up_to_its_counts(void **state) {
    (void)state;
    fixture f;
    series_begin(&f, 400000);
    encode_tree(&f, 13);
    assert_int_equal(f.answer.cell_count, GROUPS * BINS * 2);
    assert_null(f.answer.measured.first);
    for (size_t i = 0; i < BINS; i++) {
        const gw_answer_cell *period = &f.answer.cells[2 * i], *up_to = period + 1;
        double exact = i < 200 ? 2000 : 0, all = i < 200 ? 2000.0 * (double)(i + 1) : 400000;
        assert_string_equal(period->key[2], "period");
        assert_string_equal(up_to->key[2], "cumulative");
        assert_true(fabs(number(period->estimate) - exact) < 60);
        assert_true(fabs(number(up_to->estimate) - all) < 200);
        assert_true(number(up_to->lower) <= number(up_to->estimate));
        assert_non_null(period->se);
    }
    done(&f);
}

static void length_is_the_same_for_every_data_set(void **state) {
    (void)state;
    static const gw_statistic statistics[] = {GW_STATISTIC_QUANTILE, GW_STATISTIC_POVERTY, GW_STATISTIC_GINI,
                                              GW_STATISTIC_QUINTILE_RATIO, GW_STATISTIC_SERIES};
    for (size_t s = 0; s < sizeof statistics / sizeof statistics[0]; s++) {
        size_t length = 0;
        for (uint64_t seed = 0; seed < 6; seed++) {
            int64_t people = seed % 3 == 0 ? 0 : seed % 3 == 1 ? 400 : 40000000;
            fixture f;
            if (statistics[s] == GW_STATISTIC_QUANTILE)
                quantiles_begin(&f, 3, 0, people);
            else if (statistics[s] == GW_STATISTIC_SERIES)
                series_begin(&f, people);
            else
                begin(&f, statistics[s], GROUPS, people);
            f.bins.fraction = (gw_quantile_level){3, 5};
            f.bins.fraction_text = statistics[s] == GW_STATISTIC_POVERTY ? "0.6" : NULL;
            encode_tree(&f, seed);
            length = length == 0 ? f.out.size : length;
            assert_int_equal(f.out.size, length);
            assert_true(f.out.size <= gw_release_bytes_max(&f.shape, f.answer.cell_count));
            done(&f);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_of_a_tree_hold_the_exact_values_and_rise),
        cmocka_unit_test(the_nodes_are_those_that_were_measured),
        cmocka_unit_test(a_choice_has_a_rank_and_no_range),
        cmocka_unit_test(the_line_of_poverty_counts_everybody),
        cmocka_unit_test(inequality_is_that_of_the_bins),
        cmocka_unit_test(a_series_adds_up_to_its_counts),
        cmocka_unit_test(length_is_the_same_for_every_data_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
