// SPDX-License-Identifier: Apache-2.0
// Figures at any level from an answer's measured integers: at its own level those that were sealed, nested beside each
// other, and never from what no service sealed.
#include "service/format/level.h"
#include "tests/support/unit.h"
#include <stdlib.h>
#include <string.h>

#define CELLS 2
#define PARTS_MOST 6

// An answer of one statistic; `parts` of its cells.
typedef struct {
    const char *statistic, *gap_of, *unit, *grid, *offset, *over_grid;
    uint64_t width, sensitivity;
    int64_t decimals;
    size_t part_count;
    const char *parts[CELLS][PARTS_MOST];
} sample;

static const sample samples[] = {
    {"count", NULL, "PS", "1", "0", NULL, 0, 1, 0, 1, {{"1234"}, {"-3"}}},
    {"histogram", NULL, "PS", "0.5", "0", NULL, 0, 8, 1, 1, {{"1234"}, {"70"}}},
    {"sum", NULL, "EUR", "0.25", "0", NULL, 0, 4000, 2, 1, {{"12345678"}, {"-90000"}}},
    {"share", NULL, "PC", "1", "0", NULL, 0, 1, 1, 1, {{"1234"}, {"4321"}}},
    {"rate", NULL, "PC", "1", "0", NULL, 0, 1, 1, 2, {{"700", "500"}, {"40", "7"}}},
    {"mean", NULL, "EUR", "0.5", "-10", NULL, 4000, 4000, 1, 2, {{"900000", "3200000"}, {"7000", "-2000"}}},
    {"variance", NULL, "EUR^2", "0.5", "0", NULL, 4000, 4000, 1, 3, {{"900000", "800000", "700000"}, {"9", "8", "7"}}},
    {"sd", NULL, "EUR", "0.5", "0", NULL, 4000, 4000, 1, 3, {{"900000", "800000", "700000"}, {"-9", "8", "-7"}}},
    {"ratio", NULL, "EUR", "0.5", "0", "0.25", 0, 8000, 3, 2, {{"900000", "800000"}, {"9000", "-100"}}},
    {"gap", "rate", "PP", "1", "0", NULL, 0, 1, 1, 4, {{"700", "500", "300", "900"}, {"40", "7", "39", "8"}}},
    {"gap", "share", "PP", "1", "0", NULL, 0, 1, 1, 2, {{"700", "300"}, {"500", "900"}}},
    {"gap",
     "mean",
     "EUR",
     "0.5",
     "0",
     NULL,
     400,
     400,
     1,
     4,
     {{"70000", "50000", "30000", "90000"}, {"9", "8", "7", "6"}}},
};
#define SAMPLES (sizeof samples / sizeof samples[0])

typedef struct {
    gw_answer answer;
    gw_answer_cell cells[CELLS];
    gw_arena *arena;
} fixture;

static void answer_of(const sample *from, fixture *ret) {
    *ret = (fixture){.arena = gw_arena_new(1u << 20)};
    for (size_t i = 0; i < CELLS; i++)
        ret->cells[i] = (gw_answer_cell){
            .parts = from->parts[i], .estimate = "7", .lower = "1", .upper = "9", .se = "3", .flag = "u"};
    ret->answer = (gw_answer){.statistic = from->statistic,
                              .gap_of = from->gap_of,
                              .unit = from->unit,
                              .level = "0.95",
                              .law = "discrete-laplace",
                              .noise = {{100000}, from->sensitivity},
                              .grid = from->grid,
                              .offset = from->offset,
                              .over_grid = from->over_grid,
                              .width = from->width,
                              .decimals = from->decimals,
                              .part_count = from->part_count,
                              .cells = ret->cells,
                              .cell_count = CELLS};
}

static double end_of(const char *text, double open) {
    return text ? strtod(text, NULL) : open;
}

static void ranges_of_higher_levels_hold_those_of_lower_ones(void **state) {
    (void)state;
    static const uint32_t levels[] = {500000, 900000, 950000, 990000, 999000, 999999};
    static const char *const texts[] = {"0.5", "0.9", "0.95", "0.99", "0.999", "0.999999"};
    for (size_t s = 0; s < SAMPLES; s++) {
        fixture f;
        gw_answer at, before = {0};
        answer_of(&samples[s], &f);
        assert_true(gw_answer_has_levels(&f.answer));
        for (size_t l = 0; l < sizeof levels / sizeof levels[0]; l++) {
            const gw_verdict *verdicts = NULL;
            if (gw_answer_at_level(&f.answer, levels[l], f.arena, &at, &verdicts) != GW_OK)
                fail_msg("%s %s", samples[s].statistic, texts[l]);
            assert_string_equal(at.level, texts[l]);
            for (size_t c = 0; c < CELLS; c++) {
                // What does not follow from the level stays.
                assert_ptr_equal(at.cells[c].estimate, f.cells[c].estimate);
                assert_ptr_equal(at.cells[c].flag, f.cells[c].flag);
                assert_ptr_equal(at.cells[c].parts, f.cells[c].parts);
                double lower = strtod(at.cells[c].lower, NULL), upper = end_of(at.cells[c].upper, 1e300);
                assert_true(lower <= upper);
                assert_true(samples[s].gap_of || verdicts[c] == GW_VERDICT_UNDECIDED);
                if (l > 0 && c == 0) // the other cell is noise, and may have no range that fits
                    assert_true(lower <= strtod(before.cells[c].lower, NULL) &&
                                upper >= end_of(before.cells[c].upper, 1e300));
            }
            before = at;
        }
        gw_arena_free(f.arena);
    }
}

// P(|Z| > t) = 2 q^(t+1) / (1 + q) at epsilon 0.1: t = 30 at 95 %, 23 at 90 %, 46 at 99 %.
static void a_counts_range_is_that_of_its_noise(void **state) {
    (void)state;
    static const struct {
        uint32_t level;
        const char *lower, *upper;
    } ranges[] = {{900000, "1211", "1257"}, {950000, "1204", "1264"}, {990000, "1188", "1280"}};
    fixture f;
    gw_answer at;
    answer_of(&samples[0], &f);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(gw_answer_at_level(&f.answer, ranges[i].level, f.arena, &at, NULL), GW_OK);
        assert_string_equal(at.cells[0].lower, ranges[i].lower);
        assert_string_equal(at.cells[0].upper, ranges[i].upper);
    }
    gw_arena_free(f.arena);
}

static void verdicts_of_a_gap_come_with_its_ranges(void **state) {
    (void)state;
    fixture f;
    gw_answer at;
    const gw_verdict *verdicts = NULL;
    answer_of(&samples[9], &f); // 58 % of 1200 beside 25 %
    assert_int_equal(gw_answer_at_level(&f.answer, 990000, f.arena, &at, &verdicts), GW_OK);
    assert_int_equal(verdicts[0], GW_VERDICT_YES);
    assert_int_equal(verdicts[1], GW_VERDICT_UNDECIDED);
    assert_true(strtod(at.cells[0].lower, NULL) > 25 && strtod(at.cells[0].upper, NULL) < 42);
    gw_arena_free(f.arena);
}

// A divisor that may be nothing bounds no ratio from above.
static void an_open_range_has_no_upper_end(void **state) {
    (void)state;
    fixture f;
    gw_answer at;
    answer_of(&samples[8], &f);
    assert_int_equal(gw_answer_at_level(&f.answer, GW_LEVEL_95, f.arena, &at, NULL), GW_OK);
    assert_non_null(at.cells[0].upper);
    assert_null(at.cells[1].upper);
    assert_non_null(at.cells[1].lower);
    gw_arena_free(f.arena);
}

static void what_does_not_follow_from_what_was_measured_has_no_levels(void **state) {
    (void)state;
    static const gw_answer_block block = {.is_asked = true};
    fixture f;
    gw_answer at;
    answer_of(&samples[4], &f);
    gw_answer bad[6] = {f.answer, f.answer, f.answer, f.answer, f.answer, f.answer};
    bad[0].law = "permute-and-flip";
    bad[1].blocks = &block;
    bad[1].block_count = 1;
    bad[2].measured.kind = "tree";
    bad[3].part_count = 1;
    bad[4].statistic = "quantile";
    bad[5].statistic = "no statistic";
    for (size_t i = 0; i < 6; i++) {
        bool is_of_more = i == 1 || i == 2; // tables and trees have levels; these hold nothing of either
        assert_true(gw_answer_has_levels(&bad[i]) == is_of_more);
        assert_int_equal(gw_answer_at_level(&bad[i], GW_LEVEL_95, f.arena, &at, NULL), GW_INVALID);
    }
    assert_int_equal(gw_answer_at_level(&f.answer, 499999, f.arena, &at, NULL), GW_INVALID);
    assert_int_equal(gw_answer_at_level(&f.answer, 1000000, f.arena, &at, NULL), GW_INVALID);
    gw_arena_free(f.arena);
}

// A file may say anything: integers near the ends of 128 bits, a divisor's step of nothing, a range of nothing.
static void what_no_service_sealed_is_refused(void **state) {
    (void)state;
    static const char lowest[] = "-170141183460469231731687303715884105728",
                      highest[] = "170141183460469231731687303715884105727";
    const char *const parts[2][4] = {{highest, highest, highest, highest}, {lowest, lowest, lowest, lowest}};
    fixture f;
    gw_answer at;
    for (size_t s = 0; s < SAMPLES; s++) {
        answer_of(&samples[s], &f);
        for (size_t i = 0; i < CELLS; i++)
            f.cells[i].parts = parts[i];
        assert_int_equal(gw_answer_at_level(&f.answer, GW_LEVEL_95, f.arena, &at, NULL), GW_INVALID);
        gw_arena_free(f.arena);
    }
    answer_of(&samples[8], &f);
    f.answer.over_grid = "0";
    assert_int_equal(gw_answer_at_level(&f.answer, GW_LEVEL_95, f.arena, &at, NULL), GW_INVALID);
    gw_arena_free(f.arena);
    for (size_t s = 5; s < 8; s++) {
        answer_of(&samples[s], &f);
        f.answer.width = 0;
        assert_int_equal(gw_answer_at_level(&f.answer, GW_LEVEL_95, f.arena, &at, NULL), GW_INVALID);
        gw_arena_free(f.arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_of_higher_levels_hold_those_of_lower_ones),
        cmocka_unit_test(a_counts_range_is_that_of_its_noise),
        cmocka_unit_test(verdicts_of_a_gap_come_with_its_ranges),
        cmocka_unit_test(an_open_range_has_no_upper_end),
        cmocka_unit_test(what_does_not_follow_from_what_was_measured_has_no_levels),
        cmocka_unit_test(what_no_service_sealed_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
