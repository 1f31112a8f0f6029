// SPDX-License-Identifier: Apache-2.0
// Answers over a grid: figures that follow from the nodes they hold, ranges of values that hold for the exact value and
// not only for its bin, a choice without a range of values, and lengths that say nothing.
#include "service/release/release.h"

#include "privacy/mechanism/quantile.h"
#include "service/format/level.h"
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
                                .grid = {.first = 0, .width = 100, .step = 1, .last = 40000},
                                .first = "0",
                                .width = "100",
                                .step = "1",
                                .last = "40000",
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
    assert_int_equal(f.answer.choice_bins, BINS);
    const gw_quantile_choice choice = {.bin_count = BINS, .level = {1, 2}, .unit_sensitivity = 1};
    gw_answer at;
    assert_int_equal(gw_answer_at_level(&f.answer, 990000, f.arena, &at, NULL), GW_OK);
    assert_int_equal((int)number(at.rank_error),
                     (int)ceil(gw_quantile_choice_half_width(&choice, f.shape.noise.epsilon, 990000)));
    assert_string_equal(at.level, "0.99");
    int at_99 = (int)number(at.rank_error);
    assert_int_equal(gw_answer_at_level(&f.answer, 900000, f.arena, &at, NULL), GW_OK);
    assert_true((int)number(at.rank_error) < at_99);
    f.answer.choice_bins = 0; // as it was written before
    assert_false(gw_answer_has_levels(&f.answer));
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

// A fraction of six digits has more places than are written: the ends of the line's range go outwards.
static void the_lines_range_is_rounded_outwards(void **state) {
    (void)state;
    for (uint64_t seed = 20; seed < 26; seed++) {
        fixture f;
        begin(&f, GW_STATISTIC_POVERTY, GROUPS, 40000);
        f.bins.fraction = (gw_quantile_level){333337, 1000000};
        f.bins.fraction_text = "0.333337";
        f.shape.decimals = 1;
        f.shape.unit = "PC";
        encode_tree(&f, seed);
        const gw_answer_line *line = &f.answer.line;
        assert_true(number(line->threshold_lower) <= 0.333337 * number(line->median_lower) + 1e-9);
        assert_true(number(line->threshold_upper) >= 0.333337 * number(line->median_upper) - 1e-9);
        assert_true(0.333337 * number(line->median_lower) - number(line->threshold_lower) < 0.0101);
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
    f->bins.first = f->bins.width = f->bins.step = f->bins.last = NULL;
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

// ---- at any level, from the document alone

static void statistic_begin(fixture *f, gw_statistic statistic, int64_t people) {
    if (statistic == GW_STATISTIC_QUANTILE)
        quantiles_begin(f, 3, 0, people);
    else if (statistic == GW_STATISTIC_SERIES)
        series_begin(f, people);
    else
        begin(f, statistic, GROUPS + (statistic == GW_STATISTIC_POVERTY), people);
    f->bins.fraction = (gw_quantile_level){3, 5};
    f->bins.fraction_text = statistic == GW_STATISTIC_POVERTY ? "0.6" : NULL;
    f->shape.decimals = statistic == GW_STATISTIC_SERIES ? 0 : 1;
}

static void assert_same(const char *a, const char *b) {
    if ((a == NULL) != (b == NULL) || (a != NULL && strcmp(a, b) != 0))
        fail_msg("%s is not %s", a == NULL ? "nothing" : a, b == NULL ? "nothing" : b);
}

static const gw_statistic all_statistics[] = {GW_STATISTIC_QUANTILE, GW_STATISTIC_POVERTY, GW_STATISTIC_GINI,
                                              GW_STATISTIC_QUINTILE_RATIO, GW_STATISTIC_SERIES};
#define STATISTICS (sizeof all_statistics / sizeof all_statistics[0])

// With few people, ranges end where figures do; with none, nothing is determinable. A grid in cents that are tens has
// one place less in the document.
static void a_reader_works_out_what_was_sealed(void **state) {
    (void)state;
    for (size_t s = 0; s < STATISTICS; s++)
        for (uint64_t seed = 0; seed < 6; seed++) {
            fixture f;
            gw_answer at;
            statistic_begin(&f, all_statistics[s], seed % 3 == 0 ? 400000 : seed % 3 == 1 ? 400 : 0);
            if (seed >= 3)
                f.bins.grid = (gw_bin_grid){0, 10000, 10, 4000000, 2}, f.bins.step = "0.1";
            encode_tree(&f, seed + 1);
            assert_true(gw_answer_has_levels(&f.answer));
            assert_int_equal(gw_answer_at_level(&f.answer, GW_LEVEL_95, f.arena, &at, NULL), GW_OK);
            for (size_t i = 0; i < at.cell_count; i++) {
                assert_same(at.cells[i].estimate, f.answer.cells[i].estimate);
                assert_same(at.cells[i].lower, f.answer.cells[i].lower);
                assert_same(at.cells[i].upper, f.answer.cells[i].upper);
            }
            assert_same(at.line.median, f.answer.line.median);
            assert_same(at.line.median_lower, f.answer.line.median_lower);
            assert_same(at.line.median_upper, f.answer.line.median_upper);
            assert_same(at.line.threshold_lower, f.answer.line.threshold_lower);
            assert_same(at.line.threshold_upper, f.answer.line.threshold_upper);
            assert_string_equal(at.level, "0.95");
            done(&f);
        }
}

static double end_of(const char *text) {
    return text == NULL ? INFINITY : strtod(text, NULL);
}

static void ranges_grow_with_the_level_and_hold_the_estimate(void **state) {
    (void)state;
    static const uint32_t at_levels[] = {500000, 900000, 950000, 990000, 999999};
    for (size_t s = 0; s < STATISTICS; s++) {
        fixture f;
        gw_answer at[5];
        bool is_wider = false;
        statistic_begin(&f, all_statistics[s], 4000);
        encode_tree(&f, 17);
        for (size_t l = 0; l < 5; l++)
            assert_int_equal(gw_answer_at_level(&f.answer, at_levels[l], f.arena, &at[l], NULL), GW_OK);
        for (size_t i = 0; i < f.answer.cell_count; i++)
            for (size_t l = 0; l < 5; l++) {
                const gw_answer_cell *cell = &at[l].cells[i], *before = &at[l == 0 ? 0 : l - 1].cells[i];
                // A sum of a series is tested by one of two contrasts, whichever is narrower at the level: their
                // middles differ, their widths grow.
                double low = number(cell->lower), high = end_of(cell->upper), low_before = number(before->lower);
                bool holds = all_statistics[s] == GW_STATISTIC_SERIES
                                 ? high - low >= end_of(before->upper) - low_before
                                 : low <= low_before && high >= end_of(before->upper);
                if (!holds)
                    fail_msg("%s, cell %zu at %u: %s .. %s, before %s .. %s", f.answer.statistic, i, at_levels[l],
                             cell->lower, cell->upper, before->lower, before->upper);
                is_wider |= end_of(cell->upper) > end_of(before->upper);
                if (cell->estimate)
                    assert_true(number(cell->lower) <= number(cell->estimate) &&
                                number(cell->estimate) <= end_of(cell->upper));
            }
        assert_true(is_wider);
        for (size_t i = 0; i < f.answer.cell_count; i += (f.answer.cell_count + 1) / 2) { // one of each group, alone
            gw_answer_cell one;
            assert_int_equal(gw_answer_cell_at_level(&f.answer, i, 990000, f.arena, &one), GW_OK);
            assert_same(one.lower, at[3].cells[i].lower);
            assert_same(one.upper, at[3].cells[i].upper);
        }
        assert_string_equal(at[0].level, "0.5");
        if (all_statistics[s] == GW_STATISTIC_POVERTY) {
            assert_true(number(at[4].line.median_upper) > number(at[0].line.median_upper));
            assert_true(number(at[4].line.threshold_lower) < number(at[0].line.threshold_lower));
        }
        assert_int_equal(gw_answer_at_level(&f.answer, 499999, f.arena, &at[0], NULL), GW_INVALID);
        assert_int_equal(gw_answer_at_level(&f.answer, 1000000, f.arena, &at[0], NULL), GW_INVALID);
        done(&f);
    }
}

// A file may claim anything.
static void a_document_that_does_not_fit_together_has_no_levels(void **state) {
    (void)state;
    fixture f;
    gw_answer at, changed;
    statistic_begin(&f, GW_STATISTIC_GINI, 4000);
    encode_tree(&f, 3);
    gw_answer_measured *measured = &changed.measured;
    const char **nodes = gw_arena_array(f.arena, f.answer.measured.node_count, sizeof *nodes);
    memcpy(nodes, f.answer.measured.groups[0].nodes, f.answer.measured.node_count * sizeof *nodes);
    nodes[5] = "170000000000000000000000000000000000000"; // near the end of 128 bits
    gw_answer_group groups[GROUPS] = {f.answer.measured.groups[0], f.answer.measured.groups[1]};
    for (int wrong = 0; wrong < 14; wrong++) {
        changed = f.answer;
        if (wrong == 0)
            measured->fan = 17;
        if (wrong == 1)
            measured->fan = 60000;
        if (wrong == 2)
            measured->bin_count = 400000;
        if (wrong == 3)
            measured->node_count--;
        if (wrong == 4)
            measured->group_count = 1;
        if (wrong == 5)
            measured->step = NULL;
        if (wrong == 6)
            measured->width = "0";
        if (wrong == 7)
            measured->last = "-5";
        if (wrong == 8)
            measured->first = "999999999999999999";
        if (wrong == 9)
            changed.noise.sensitivity = UINT64_MAX;
        if (wrong == 10)
            changed.noise.epsilon.micro = 0;
        if (wrong == 11)
            measured->by_count = 4;
        if (wrong == 12)
            groups[0].nodes = nodes, measured->groups = groups;
        if (wrong == 13)
            groups[0] = groups[1] = f.answer.measured.groups[0], measured->groups = groups;
        if (gw_answer_at_level(&changed, 900000, f.arena, &at, NULL) != GW_INVALID)
            fail_msg("case %d", wrong);
    }
    changed = f.answer;
    changed.statistic = "poverty"; // without a fraction
    assert_int_equal(gw_answer_at_level(&changed, 900000, f.arena, &at, NULL), GW_INVALID);
    changed.statistic = "count";
    assert_int_equal(gw_answer_at_level(&changed, 900000, f.arena, &at, NULL), GW_INVALID);
    changed = f.answer;
    measured->first = "-100"; // Gini is of values that are not negative
    assert_int_equal(gw_answer_at_level(&changed, 900000, f.arena, &at, NULL), GW_INVALID);
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
        cmocka_unit_test(the_lines_range_is_rounded_outwards),
        cmocka_unit_test(inequality_is_that_of_the_bins),
        cmocka_unit_test(a_series_adds_up_to_its_counts),
        cmocka_unit_test(a_reader_works_out_what_was_sealed),
        cmocka_unit_test(ranges_grow_with_the_level_and_hold_the_estimate),
        cmocka_unit_test(a_document_that_does_not_fit_together_has_no_levels),
        cmocka_unit_test(length_is_the_same_for_every_data_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
