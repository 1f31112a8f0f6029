// SPDX-License-Identifier: Apache-2.0
// Plans of statistics over a grid: bins of round widths that follow from public figures, one more group where everybody
// counts for a median, what one person is in them, and canonical texts that lead back to the same plan.
#include "service/query/canonical_read.h"
#include "service/query/encode.h"
#include "service/query/plan_size.h"
#include "service/query/sql.h"
#include "tests/support/plan_case.h"

#include <stdio.h>

static const char policy_text[] =
    "{\"godwit_policy\":1,\"dataset\":\"test.example/people\",\"population\":\"test.example/all\",\"version\":1,"
    "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{\"persons\":{\"unit\":\"id\","
    "\"rows_per_person_max\":1,\"columns\":{"
    "\"sex\":{\"concept\":\"sex\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\"},"
    "\"status\":{\"concept\":\"activity\",\"type\":\"code\",\"codelist\":\"CL_ACTIVITY\",\"missing\":\"drop\"},"
    "\"age\":{\"concept\":\"age\",\"type\":\"integer\",\"min\":0,\"max\":120,\"missing\":\"_U\"},"
    "\"debt\":{\"concept\":\"debt\",\"type\":\"integer\",\"min\":-100,\"max\":100,\"missing\":\"_U\"},"
    "\"income\":{\"concept\":\"income\",\"type\":\"decimal\",\"unit\":\"EUR\",\"min\":\"0\",\"max\":\"200000\","
    "\"grid\":\"1\",\"missing\":\"drop\"}}},"
    "\"permits\":{\"unit\":\"id\",\"rows_per_person_max\":5,\"rows_per_person_kept\":3,\"inherit\":[\"sex\"],"
    "\"columns\":{"
    "\"granted\":{\"concept\":\"granted_on\",\"type\":\"date\",\"period\":\"month\",\"first\":\"2020-01\",\"last\":"
    "\"2023-12\",\"missing\":\"_U\"},"
    "\"fee\":{\"concept\":\"fee\",\"type\":\"decimal\",\"unit\":\"EUR\",\"min\":\"0\",\"max\":\"50\",\"grid\":\"0.5\","
    "\"missing\":\"drop\"},"
    "\"w\":{\"role\":\"weight\",\"type\":\"decimal\",\"min\":\"0\",\"max\":\"4\",\"grid\":\"0.5\"}}},"
    "\"heavy\":{\"unit\":\"id\",\"rows_per_person_max\":1,\"columns\":{"
    "\"years\":{\"concept\":\"years\",\"type\":\"integer\",\"min\":0,\"max\":99,\"missing\":\"drop\"},"
    "\"w\":{\"role\":\"weight\",\"type\":\"decimal\",\"min\":\"0\",\"max\":\"1000000\",\"grid\":\"0.000001\"}}}},"
    "\"budget\":{\"lifetime\":\"10\",\"question_min\":\"0.01\",\"question_max\":\"0.5\"},"
    "\"accounting\":{\"kind\":\"pure\"},\"planning\":{\"cell_persons\":1500,\"size_bucket\":1000000},"
    "\"grants\":[{\"role\":\"researcher\",\"tables\":[\"persons\"],\"statistics\":[\"count\"]}]}";

static int setup(void **state) {
    *state = plan_case_new(policy_text, "\"epsilon\":\"0.1\"");
    return 0;
}

#define MEDIAN "\"measure\":{\"statistic\":\"quantile\",\"of\":\"income\",\"at\":[\"0.5\"]"
#define DECILES "\"measure\":{\"statistic\":\"quantile\",\"of\":\"income\",\"at\":[\"0.1\",\"0.5\",\"0.9\"]"
#define SERIES "\"measure\":{\"statistic\":\"series\",\"of\":\"granted_on\""

static void bins_have_round_widths_and_cover_every_value(void **state) {
    static const struct {
        unsigned bins;
        int64_t width;
        size_t count;
    } cases[] = {{0, 50, 4001},    {65536, 5, 40001}, {4000, 100, 2001},
                 {1000, 500, 401}, {100, 5000, 41},   {10, 50000, 5}};
    for (size_t i = 0; i < 5; i++) {
        char text[256];
        snprintf(text, sizeof text, cases[i].bins ? MEDIAN ",\"bins\":%u},\"by\":[]" : MEDIAN "},\"by\":[]",
                 cases[i].bins);
        const gw_plan *plan = plan_case_must(*state, text);
        assert_int_equal(plan->grid.first, 0);
        assert_int_equal(plan->grid.width, cases[i].width);
        assert_int_equal(plan->grid.count, cases[i].count);
        assert_true((int64_t)plan->grid.count * plan->grid.width > plan->of->steps);
        assert_true((int64_t)(plan->grid.count - 1) * plan->grid.width <= plan->of->steps);
    }
    plan_case_refused(*state, MEDIAN ",\"bins\":10},\"by\":[]", "bad_measure");
    // A concept with few values has a bin for each.
    const gw_plan *plan = plan_case_must(*state, "\"measure\":{\"statistic\":\"gini\",\"of\":\"age\"},\"by\":[]");
    assert_int_equal(plan->grid.width, 1);
    assert_int_equal(plan->grid.count, 121);
}

// One level is chosen, several are read off a tree; each of a tree's levels counts a person once.
static void one_level_is_picked_and_several_come_from_a_tree(void **state) {
    const gw_plan *plan = plan_case_must(*state, MEDIAN "},\"by\":[\"sex\"]");
    assert_int_equal(plan->mechanism, GW_MECHANISM_PICK);
    assert_int_equal(plan->measured_cells, 3 * 4001);
    assert_int_equal(plan->sensitivity, 1);
    assert_int_equal(plan->cell_count, 3);
    assert_int_equal(plan->part_count, 1);
    plan = plan_case_must(*state, DECILES "},\"by\":[\"sex\"]");
    assert_int_equal(plan->mechanism, GW_MECHANISM_TREE);
    assert_int_equal(plan->tree.level_count, 3); // 4,001 bins, 251 sums of 16, 16 sums of those
    assert_int_equal(plan->sensitivity, 3);
    assert_int_equal(plan->bound.sensitivity, 1);
    assert_int_equal(plan->cell_count, 9);
    assert_int_equal(plan->part_count, 0);
    plan = plan_case_must(*state, MEDIAN ",\"method\":\"tree\"},\"by\":[]");
    assert_int_equal(plan->mechanism, GW_MECHANISM_TREE);
}

static void many_groups_have_coarser_bins_so_that_answers_stay_short(void **state) {
    plan_case *f = *state;
    const gw_plan *plan = plan_case_must(f, DECILES "},\"by\":[\"sex\",\"activity\"]");
    assert_true(plan->measured_cells <= 16384);
    assert_true(gw_plan_answer_bytes(plan) < 300000);
    plan = plan_case_must(f, MEDIAN "},\"by\":[\"sex\",\"activity\"]");
    assert_int_equal(plan->grid.count, 4001); // a choice leaves one number of each group
    // As many as a statement counts: 3 x 3 groups, 40,001 bins and more.
    plan = plan_case_must(f, DECILES ",\"bins\":65536},\"by\":[\"sex\",\"activity\"]");
    assert_int_equal(gw_plan_check_size(plan, f->arena, &f->problem), GW_OK);
    assert_true(gw_plan_answer_bytes(plan) > 1000000);
}

// Children and those without a status are in no group of adults by status, and count for the median all the same.
static void everybody_counts_for_the_median_of_poverty(void **state) {
    plan_case *f = *state;
    const gw_plan *plan = plan_case_must(f, "\"indicator\":\"at_risk_of_poverty\",\"by\":[\"sex\"]");
    assert_true(plan->has_rest);
    assert_int_equal(plan->group_count, 3);
    assert_int_equal(plan->tree.group_count, 4);
    assert_int_equal(plan->measured_cells, 4 * plan->grid.count);
    assert_string_equal(plan->fraction.text, "0.6");
    assert_int_equal(plan->fraction.numerator, 3);
    assert_int_equal(plan->fraction.denominator, 5);
    gw_sql sql;
    assert_int_equal(gw_sql_build(plan, f->arena, &sql), GW_OK);
    const char *where = strstr(gw_buffer_string(&sql.text), " WHERE ");
    assert_non_null(where);
    assert_null(strstr(where, "\"age\"")); // no row is left out for its age
    assert_non_null(strstr(gw_buffer_string(&sql.text), "CASE WHEN (("));
    gw_buffer_done(&sql.text);
    plan = plan_case_must(
        f, "\"measure\":{\"statistic\":\"poverty\",\"of\":\"income\",\"fraction\":\"0.5\"},\"by\":[\"sex\"]");
    assert_false(plan->has_rest); // every row is in a group
    assert_int_equal(plan->fraction.denominator, 2);
    plan = plan_case_must(f, "\"measure\":{\"statistic\":\"poverty\",\"of\":\"income\"},\"by\":[\"activity\"]");
    assert_true(plan->has_rest); // rows without a status are dropped from the groups
}

static void a_series_has_its_periods_and_those_up_to_them(void **state) {
    plan_case *f = *state;
    const gw_plan *plan = plan_case_must(f, SERIES "},\"by\":[\"sex\"]");
    assert_int_equal(plan->grid.count, 48);
    assert_int_equal(plan->cell_count, 3 * 48 * 2);
    assert_true(plan->tree.level_count > 1);          // beyond 36 periods
    assert_int_equal(plan->bound.sensitivity, 3 * 8); // three rows, weights of up to eight halves
    assert_int_equal(plan->sensitivity, plan->bound.sensitivity * plan->tree.level_count);
    plan = plan_case_must(f, SERIES
                          "},\"by\":[],\"weighted\":false,\"where\":[{\"concept\":\"granted_on\",\"in\":[\"2023-01\","
                          "\"2021-06\"]}]");
    assert_int_equal(plan->grid.first, 17);
    assert_int_equal(plan->grid.count, 20);
    assert_int_equal(plan->tree.level_count, 1);
    gw_sql sql;
    assert_int_equal(gw_sql_build(plan, f->arena, &sql), GW_OK);
    assert_non_null(strstr(gw_buffer_string(&sql.text), "\"granted_on\" BETWEEN 17 AND 36")); // no unknown date
    gw_buffer_done(&sql.text);
    // A person counts once in a period, and in as many periods as rows are kept.
    plan = plan_case_must(f, SERIES ",\"per\":\"person\"},\"by\":[],\"weighted\":false");
    assert_int_equal(plan->bound.sensitivity, 3);
    gw_buffer note; // and so the count up to a period is not one of persons
    gw_buffer_init(&note, 4096);
    gw_plan_bounds_note(plan, &note);
    assert_non_null(strstr(gw_buffer_string(&note), "who is in several counts in each"));
    gw_buffer_done(&note);
}

static void what_says_nothing_is_refused(void **state) {
    plan_case *f = *state;
    plan_case_refused(f, "\"measure\":{\"statistic\":\"gini\",\"of\":\"debt\"},\"by\":[]", "of_needed");
    plan_case_refused(f, "\"measure\":{\"statistic\":\"poverty\",\"of\":\"sex\"},\"by\":[]", "of_needed");
    plan_case_refused(f, "\"measure\":{\"statistic\":\"series\",\"of\":\"sex\"},\"by\":[]", "of_needed");
    plan_case_refused(f, "\"measure\":{\"statistic\":\"series\",\"of\":\"nothing\"},\"by\":[]", "unknown_concept");
    plan_case_refused(f, "\"measure\":{\"statistic\":\"gini\",\"of\":\"fee\",\"per\":\"person\"},\"by\":[]",
                      "bad_measure");
    plan_case_refused(f, SERIES "},\"by\":[\"granted_on\"]", "bad_measure");
    plan_case_refused(f, SERIES "},\"by\":[],\"where\":[{\"concept\":\"granted_on\",\"in\":[\"_U\"]}]", "bad_filter");
    // What a choice by rank weighs is refused while it is free, not when its coins are made.
    plan_case_must(f, "\"measure\":{\"statistic\":\"quantile\",\"of\":\"years\",\"at\":[\"0.5\"]},\"by\":[]");
    plan_case_refused(f, "\"measure\":{\"statistic\":\"quantile\",\"of\":\"years\",\"at\":[\"0.1\"]},\"by\":[]",
                      "bounds_too_wide");
    // Quantiles may be of values below zero.
    plan_case_must(f, "\"measure\":{\"statistic\":\"quantile\",\"of\":\"debt\",\"at\":[\"0.5\"]},\"by\":[]");
}

// Whoever reads a released question's text back asks the same question, whatever was left to the service.
static void canonical_texts_lead_back_to_the_same_plan(void **state) {
    plan_case *f = *state;
    static const char *const questions[] = {
        MEDIAN "},\"by\":[\"sex\"]",
        MEDIAN ",\"method\":\"tree\"},\"by\":[]",
        DECILES "},\"by\":[\"sex\",\"activity\"]",
        DECILES ",\"bins\":1000},\"by\":[]",
        "\"measure\":{\"statistic\":\"poverty\",\"of\":\"income\",\"fraction\":\"0.55\"},\"by\":[\"activity\"]",
        "\"indicator\":\"at_risk_of_poverty\",\"by\":[\"sex\"]",
        "\"indicator\":\"median_income\",\"by\":[]",
        "\"measure\":{\"statistic\":\"quintile_ratio\",\"of\":\"income\",\"bins\":33},\"by\":[]",
        SERIES "},\"by\":[\"sex\"]",
        SERIES ",\"per\":\"person\"},\"by\":[],\"weighted\":false,\"where\":[{\"concept\":\"granted_on\",\"in\":["
               "\"2021-06\",\"2022-06\"]}]",
    };
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        gw_buffer first, second;
        gw_buffer_init(&first, 65536);
        gw_buffer_init(&second, 65536);
        gw_plan_canonical(plan_case_must(f, questions[i]), PLAN_CASE_DATA, &first);
        gw_json *json = NULL;
        gw_question question;
        gw_plan again;
        if (gw_canonical_read(gw_buffer_bytes(&first), f->arena, &json, &question, &f->problem) != GW_OK ||
            gw_plan_build(&question, f->policy, f->catalogue, f->arena, &again, &f->problem) != GW_OK)
            fail_msg("%s: %s %s", gw_buffer_string(&first), f->problem.what, f->problem.why);
        gw_plan_canonical(&again, PLAN_CASE_DATA, &second);
        assert_string_equal(gw_buffer_string(&first), gw_buffer_string(&second));
        gw_json_free(json);
        gw_buffer_done(&first);
        gw_buffer_done(&second);
    }
}

static void other_levels_bins_and_fractions_are_other_questions(void **state) {
    static const char *const questions[] = {
        MEDIAN "},\"by\":[]",
        MEDIAN ",\"method\":\"tree\"},\"by\":[]",
        MEDIAN ",\"bins\":100},\"by\":[]",
        "\"measure\":{\"statistic\":\"quantile\",\"of\":\"income\",\"at\":[\"0.25\"]},\"by\":[]",
        "\"measure\":{\"statistic\":\"poverty\",\"of\":\"income\"},\"by\":[]",
        "\"measure\":{\"statistic\":\"poverty\",\"of\":\"income\",\"fraction\":\"0.5\"},\"by\":[]",
    };
    enum { COUNT = sizeof questions / sizeof questions[0] };
    gw_hash hashes[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        gw_buffer text;
        gw_buffer_init(&text, 65536);
        gw_plan_canonical(plan_case_must(*state, questions[i]), PLAN_CASE_DATA, &text);
        hashes[i] = gw_sha256(gw_buffer_bytes(&text));
        for (size_t k = 0; k < i; k++)
            assert_false(gw_hash_equal(hashes[i], hashes[k]));
        gw_buffer_done(&text);
    }
}

// The error that is promised falls as the price rises, and the price of an error gives that error.
static void prices_of_errors_keep_what_they_promise(void **state) {
    plan_case *f = *state;
    static const struct {
        const char *question;
        double target;
    } cases[] = {{MEDIAN "},\"by\":[]", 100},
                 {DECILES "},\"by\":[]", 300},
                 {"\"measure\":{\"statistic\":\"poverty\",\"of\":\"income\"},\"by\":[]", 0.05},
                 {SERIES "},\"by\":[],\"weighted\":false", 100}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const gw_cost_shape *shape = &plan_case_must(f, cases[i].question)->shape;
        double one = gw_cost_half_width(shape, (gw_epsilon){100000}, GW_LEVEL_95);
        double ten = gw_cost_half_width(shape, (gw_epsilon){1000000}, GW_LEVEL_95);
        gw_epsilon epsilon;
        assert_true(one > 0 && ten > 0 && ten < one / 5 && ten > one / 20);
        assert_int_equal(gw_cost_epsilon_up(shape, cases[i].target, &epsilon), GW_OK);
        double reached = gw_cost_half_width(shape, epsilon, GW_LEVEL_95);
        assert_true(reached <= cases[i].target && reached > 0.9 * cases[i].target);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_have_round_widths_and_cover_every_value),
        cmocka_unit_test(one_level_is_picked_and_several_come_from_a_tree),
        cmocka_unit_test(many_groups_have_coarser_bins_so_that_answers_stay_short),
        cmocka_unit_test(everybody_counts_for_the_median_of_poverty),
        cmocka_unit_test(a_series_has_its_periods_and_those_up_to_them),
        cmocka_unit_test(what_says_nothing_is_refused),
        cmocka_unit_test(canonical_texts_lead_back_to_the_same_plan),
        cmocka_unit_test(other_levels_bins_and_fractions_are_other_questions),
        cmocka_unit_test(prices_of_errors_keep_what_they_promise),
    };
    return cmocka_run_group_tests(tests, setup, plan_case_teardown);
}
