// SPDX-License-Identifier: Apache-2.0
// Plans on tables with many rows per person and with weights: which table, which bound, which steps; what the canonical
// question names; and what the answer's note says.
#include "service/query/encode.h"

#include "service/base/check.h"
#include "service/base/file.h"
#include "tests/support/plan_case.h"

#include <inttypes.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char policy_text[] =
    "{\"godwit_policy\":1,\"dataset\":\"test.example/d\",\"population\":\"test.example/all\",\"version\":1,"
    "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{\"persons\":{\"unit\":\"id\","
    "\"rows_per_person_max\":1,\"columns\":{"
    "\"sex\":{\"concept\":\"sex\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\"},"
    "\"income\":{\"concept\":\"income\",\"type\":\"decimal\",\"unit\":\"EUR\",\"min\":\"-100\",\"max\":\"1000\","
    "\"grid\":\"0.5\",\"missing\":\"drop\"}}},"
    "\"permits\":{\"unit\":\"id\",\"rows_per_person_max\":12,\"rows_per_person_kept\":3,\"inherit\":[\"sex\"],"
    "\"columns\":{"
    "\"why\":{\"concept\":\"activity\",\"type\":\"code\",\"codelist\":\"CL_ACTIVITY\",\"missing\":\"drop\"},"
    "\"when\":{\"concept\":\"time_period\",\"type\":\"date\",\"period\":\"year\",\"first\":\"2021\",\"last\":\"2022\","
    "\"missing\":\"drop\"},"
    "\"fee\":{\"concept\":\"fee\",\"type\":\"decimal\",\"unit\":\"EUR\",\"min\":\"0\",\"max\":\"100\","
    "\"grid\":\"0.5\",\"person_total_max\":\"150\",\"missing\":\"drop\"}}},"
    "\"jobs\":{\"unit\":\"id\",\"rows_per_person_max\":4,\"inherit\":[\"sex\"],\"columns\":{"
    "\"hours\":{\"concept\":\"hours\",\"type\":\"integer\",\"unit\":\"H\",\"min\":0,\"max\":80,\"missing\":\"drop\"},"
    "\"w\":{\"role\":\"weight\",\"type\":\"decimal\",\"min\":\"0\",\"max\":\"20\",\"grid\":\"0.10\",\"mean\":\"5\"}}}},"
    "\"budget\":{\"lifetime\":\"10\",\"question_min\":\"0.01\",\"question_max\":\"0.5\"},"
    "\"accounting\":{\"kind\":\"pure\"},\"planning\":{\"cell_persons\":1500,\"size_bucket\":1000000},"
    "\"grants\":[{\"role\":\"researcher\",\"tables\":[\"permits\"],\"statistics\":[\"count\"]}]}";

static int setup(void **state) {
    *state = plan_case_new(policy_text, "\"epsilon\":\"0.1\"");
    return 0;
}

#define MEASURE(fields) "\"measure\":{" fields "}"
#define PERMITS "\"statistic\":\"count\",\"table\":\"permits\""

static void the_first_table_with_every_concept_is_taken(void **state) {
    static const char *const cases[][2] = {
        {MEASURE("\"statistic\":\"count\"") ",\"by\":[\"sex\"]", "persons"},
        {MEASURE("\"statistic\":\"count\"") ",\"by\":[\"activity\"]", "permits"},
        {MEASURE("\"statistic\":\"count\"") ",\"by\":[\"sex\"],\"where\":[{\"concept\":\"hours\",\"between\":[1,9]}]",
         "jobs"},
        {MEASURE("\"statistic\":\"mean\",\"of\":\"hours\"") ",\"by\":[\"sex\"]", "jobs"},
        {MEASURE("\"statistic\":\"net\",\"plus\":[{\"concept\":\"activity\",\"in\":[\"EMP\"]}],\"minus\":[{"
                 "\"concept\":\"activity\",\"in\":[\"UNE\"]}]"),
         "permits"},
        {MEASURE("\"statistic\":\"count\",\"table\":\"jobs\"") ",\"by\":[\"sex\"]", "jobs"},
        {"\"indicator\":\"population_count\",\"by\":[\"sex\"]", "persons"},
    };
    plan_case *f = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        plan_case_must(f, cases[i][0]);
        assert_string_equal(f->plan.table->name, cases[i][1]);
    }
}

static void refusals_name_the_table_or_what_is_missing(void **state) {
    static const char *const cases[][3] = {
        {MEASURE("\"statistic\":\"count\",\"table\":\"permit\""), "unknown_table", "\"permits\""},
        {MEASURE("\"statistic\":\"count\",\"table\":\"persons\"") ",\"by\":[\"activity\"]", "unknown_concept",
         "permits"},
        {MEASURE("\"statistic\":\"sum\",\"of\":\"fee\"") ",\"by\":[\"income:x\"]", "unknown_concept", "persons"},
        {"\"indicator\":\"population_count\",\"by\":[\"activity\"]", "unknown_concept", "measure of the table permits"},
        {MEASURE("\"statistic\":\"sum\",\"of\":\"activity\""), "of_needed", "sum"},
        {MEASURE("\"statistic\":\"mean\",\"of\":\"hours\",\"per\":\"person\""), "of_needed", "person_total_max"},
    };
    plan_case *f = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_not_equal(plan_case_build(f, cases[i][0]), GW_OK);
        assert_string_equal(f->problem.code, cases[i][1]);
        assert_non_null(strstr(f->problem.mend, cases[i][2]));
    }
}

static void bounds_and_steps_follow_the_policy(void **state) {
    static const struct {
        const char *rest;
        gw_bound_kind kind;
        uint64_t units, sensitivity;
        int64_t step;
        unsigned scale;
        const char *unit;
        unsigned decimals;
    } cases[] = {
        {MEASURE("\"statistic\":\"count\""), GW_BOUND_NONE, 1, 1, 1, 0, "PS", 0},
        {MEASURE("\"statistic\":\"sum\",\"of\":\"income\""), GW_BOUND_NONE, 1, 2000, 5, 1, "EUR", 1},
        {MEASURE(PERMITS), GW_BOUND_KEEP_ROWS, 3, 3, 1, 0, "NR", 0},
        {MEASURE(PERMITS ",\"per\":\"person\"") ",\"by\":[\"sex\"]", GW_BOUND_NONE, 1, 1, 1, 0, "PS", 0},
        // Two years: nobody is in more than two cells, though three might count.
        {MEASURE(PERMITS ",\"per\":\"person\"") ",\"by\":[\"time_period\",\"sex\"]", GW_BOUND_NONE, 2, 2, 1, 0, "PS",
         0},
        {MEASURE(PERMITS ",\"per\":\"person\"") ",\"by\":[\"time_period\",\"activity\"]", GW_BOUND_KEEP_CELLS, 3, 3, 1,
         0, "PS", 0},
        // 3 rows of at most 100 are more than the total of 150.
        {MEASURE("\"statistic\":\"sum\",\"of\":\"fee\""), GW_BOUND_CLAMP_TOTAL, 0, 300, 5, 1, "EUR", 1},
        {MEASURE("\"statistic\":\"mean\",\"of\":\"fee\""), GW_BOUND_KEEP_ROWS, 3, 600, 5, 1, "EUR", 1},
        {MEASURE("\"statistic\":\"mean\",\"of\":\"fee\",\"per\":\"person\""), GW_BOUND_NONE, 1, 300, 5, 1, "EUR", 1},
        {MEASURE("\"statistic\":\"count\",\"table\":\"jobs\""), GW_BOUND_NONE, 4, 800, 1, 1, "NR", 1},
        {MEASURE("\"statistic\":\"count\",\"table\":\"jobs\"") ",\"weighted\":false", GW_BOUND_NONE, 4, 4, 1, 0, "NR",
         0},
        {MEASURE("\"statistic\":\"sum\",\"of\":\"hours\""), GW_BOUND_NONE, 4, 4 * 80 * 200, 1, 1, "H", 1},
        {MEASURE("\"statistic\":\"mean\",\"of\":\"hours\""), GW_BOUND_NONE, 4, 4 * 80 * 200, 1, 0, "H", 1},
    };
    plan_case *f = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        plan_case_must(f, cases[i].rest);
        assert_int_equal(f->plan.bound.kind, cases[i].kind);
        assert_int_equal(f->plan.bound.units, cases[i].units);
        assert_int_equal(f->plan.sensitivity, cases[i].sensitivity);
        assert_int_equal(f->plan.step_scaled, cases[i].step);
        assert_int_equal(f->plan.step_scale, cases[i].scale);
        assert_string_equal(f->plan.unit, cases[i].unit);
        assert_int_equal(f->plan.decimals, cases[i].decimals);
    }
}

static void prices_see_steps_and_weights(void **state) {
    plan_case *f = *state;
    plan_case_must(f, MEASURE("\"statistic\":\"sum\",\"of\":\"fee\""));
    assert_true(f->plan.shape.unit == 0.5 && f->plan.shape.sensitivity == 300);
    plan_case_must(f, MEASURE("\"statistic\":\"mean\",\"of\":\"hours\""));
    assert_true(f->plan.shape.unit == 1 && f->plan.shape.range == 80);
    assert_true(f->plan.shape.unit_mean == 80 * 50); // a mean weight of 5 in tenths
    plan_case_must(f, MEASURE("\"statistic\":\"mean\",\"of\":\"fee\",\"per\":\"person\""));
    assert_true(f->plan.shape.range == 150 && f->plan.shape.unit_mean == 300);
    plan_case_change(f, policy_text, ",\"mean\":\"5\"", "");
    plan_case_must(f, MEASURE("\"statistic\":\"mean\",\"of\":\"hours\""));
    assert_true(f->plan.shape.unit_mean == 80 * 50); // a quarter of the largest, 20
    plan_case_policy(f, policy_text);
}

// Widths that pass 2^62, or more than 18 digits before the point for all people together.
static void amounts_beyond_counting_are_refused(void **state) {
    plan_case *f = *state;
    static const char *const wide[][2] = {
        {"\"max\":\"1000\",", "\"max\":\"200000000000\","},
        {"\"max\":\"20\",\"grid\":\"0.10\"", "\"max\":\"50000000000\",\"grid\":\"0.1\""},
        {"\"max\":\"20\",\"grid\":\"0.10\"", "\"max\":\"20000\",\"grid\":\"0.000001\""}, // fits, but no noise does
    };
    static const char *const questions[] = {MEASURE("\"statistic\":\"sum\",\"of\":\"income\""),
                                            MEASURE("\"statistic\":\"sum\",\"of\":\"hours\""),
                                            MEASURE("\"statistic\":\"mean\",\"of\":\"hours\"")};
    for (size_t i = 0; i < COUNT(questions); i++) {
        plan_case_change(f, policy_text, wide[i][0], wide[i][1]);
        assert_int_not_equal(plan_case_build(f, questions[i]), GW_OK);
        assert_string_equal(f->problem.code, "bounds_too_wide");
    }
    plan_case_policy(f, policy_text);
}

static void plain_questions_keep_their_canonical_text(void **state) {
    plan_case *f = *state;
    char text[PLAN_CASE_TEXT], other[PLAN_CASE_TEXT];
    static const char wanted[] =
        "{\"v\":1,\"dataset\":\"test.example/d\",\"data\":\"00112233445566778899aabbccddeeff\",\"mechanism\":"
        "\"parts/1\",\"table\":\"persons\",\"statistic\":\"mean\",\"of\":\"income\",\"indicator\":null,\"where\":[],"
        "\"by\":[\"sex\"],\"epsilon\":\"0.1\"}";
    assert_string_equal(
        plan_case_canonical(f, MEASURE("\"statistic\":\"mean\",\"of\":\"income\"") ",\"by\":[\"sex\"]", text), wanted);
    plan_case_canonical(f, MEASURE("\"statistic\":\"mean\",\"of\":\"income\",\"per\":\"person\"") ",\"by\":[\"sex\"]",
                        other);
    assert_string_equal(text, other); // one row is one person
    plan_case_canonical(f, MEASURE("\"statistic\":\"mean\",\"of\":\"income\"") ",\"by\":[\"sex\"],\"weighted\":false",
                        other);
    assert_string_equal(text, other); // there are no weights to leave out
}

static void whatever_changes_the_figures_changes_the_question(void **state) {
    static const char permits[] = MEASURE(PERMITS) ",\"by\":[\"sex\"]";
    static const struct {
        const char *from, *to; // of the policy
        const char *first, *second;
    } cases[] = {
        {"", "", permits, MEASURE("\"statistic\":\"count\"") ",\"by\":[\"sex\"]"},
        {"", "", permits, MEASURE(PERMITS ",\"per\":\"person\"") ",\"by\":[\"sex\"]"},
        {"\"rows_per_person_kept\":3", "\"rows_per_person_kept\":4", permits, permits},
        {"\"150\"", "\"160\"", MEASURE("\"statistic\":\"sum\",\"of\":\"fee\""),
         MEASURE("\"statistic\":\"sum\",\"of\":\"fee\"")},
        {"\"150\"", "\"160\"", MEASURE("\"statistic\":\"mean\",\"of\":\"fee\",\"per\":\"person\""),
         MEASURE("\"statistic\":\"mean\",\"of\":\"fee\",\"per\":\"person\"")},
        {"", "", MEASURE("\"statistic\":\"mean\",\"of\":\"hours\""),
         MEASURE("\"statistic\":\"mean\",\"of\":\"hours\"") ",\"weighted\":false"},
        {"", "",
         MEASURE("\"statistic\":\"net\",\"plus\":[{\"concept\":\"activity\",\"in\":[\"EMP\"]}],\"minus\":[{"
                 "\"concept\":\"activity\",\"in\":[\"UNE\"]}]"),
         MEASURE("\"statistic\":\"net\",\"plus\":[{\"concept\":\"activity\",\"in\":[\"UNE\"]}],\"minus\":[{"
                 "\"concept\":\"activity\",\"in\":[\"EMP\"]}]")},
    };
    plan_case *f = *state;
    char first[PLAN_CASE_TEXT], second[PLAN_CASE_TEXT];
    for (size_t i = 0; i < COUNT(cases); i++) {
        plan_case_policy(f, policy_text);
        plan_case_canonical(f, cases[i].first, first);
        plan_case_change(f, policy_text, cases[i].from, cases[i].to);
        plan_case_canonical(f, cases[i].second, second);
        assert_string_not_equal(first, second);
    }
    plan_case_policy(f, policy_text);
    plan_case_canonical(f, permits, first);
    assert_non_null(strstr(first, "\"per\":\"row\",\"bound\":{\"kind\":\"keep-rows\",\"units\":3}"));
}

static void layouts_cover_rows_weights_and_periods_not_what_questions_name(void **state) {
    static const struct {
        const char *from, *to;
        bool is_same;
    } cases[] = {
        {"\"rows_per_person_kept\":3", "\"rows_per_person_kept\":4", true},
        {"\"150\"", "\"160\"", true},
        {"\"rows_per_person_max\":12", "\"rows_per_person_max\":13", false},
        {"\"inherit\":[\"sex\"],\"columns\":{\"why\"", "\"columns\":{\"why\"", false},
        {"\"max\":\"20\",\"grid\":\"0.10\"", "\"max\":\"20\",\"grid\":\"0.20\"", false},
        {"\"last\":\"2022\"", "\"last\":\"2023\"", false},
        {"\"period\":\"year\",\"first\":\"2021\",\"last\":\"2022\"",
         "\"period\":\"month\",\"first\":\"2021-01\",\"last\":\"2021-02\"", false},
    };
    plan_case *f = *state;
    plan_case_policy(f, policy_text);
    gw_hash first = gw_plan_layout(f->policy);
    for (size_t i = 0; i < COUNT(cases); i++) {
        plan_case_change(f, policy_text, cases[i].from, cases[i].to);
        assert_int_equal(gw_hash_equal(gw_plan_layout(f->policy), first), cases[i].is_same);
    }
    plan_case_policy(f, policy_text);
}

static void titles_and_notes_say_what_is_counted(void **state) {
    static const char *const cases[][3] = {
        {MEASURE("\"statistic\":\"count\""), "Number of persons", ""},
        {MEASURE("\"statistic\":\"sum\",\"of\":\"income\""), "Sum of ", ""},
        {MEASURE(PERMITS), "Number of permits",
         "At most 3 rows of each person count, taken in a random order; where people have more, counts come out too "
         "low."},
        {MEASURE(PERMITS ",\"per\":\"person\"") ",\"by\":[\"sex\"]", "Number of persons in permits, by ",
         "Each person counts once; none is left out."},
        {MEASURE(PERMITS ",\"per\":\"person\"") ",\"by\":[\"activity\"]", "Number of persons in permits, by ",
         "Each person counts once in every cell they are in, at most 3; none is left out."},
        {MEASURE(PERMITS ",\"per\":\"person\"") ",\"by\":[\"activity\",\"time_period\"]",
         "Number of persons in permits, by ",
         "Each person counts in at most 3 cells, taken in a random order; where people are in more, counts come out "
         "too low."},
        {MEASURE("\"statistic\":\"sum\",\"of\":\"fee\""), "Sum of ",
         "The values of each person count up to a total of 150 EUR, taken in a random order; where people have more, "
         "sums come out too low."},
        {MEASURE("\"statistic\":\"mean\",\"of\":\"fee\",\"per\":\"person\""), "Mean of ",
         "Each person counts once; none is left out. A person's total in a cell counts up to 150 EUR; larger totals "
         "make the mean too low."},
        {MEASURE("\"statistic\":\"count\",\"table\":\"jobs\""), "Number of jobs",
         "Every row counts: one person has at most 4. Weighted: one row counts for up to 20; the noise is as large as "
         "the largest weight allowed."},
        {MEASURE("\"statistic\":\"net\",\"plus\":[{\"concept\":\"activity\",\"in\":[\"EMP\"]}],\"minus\":[{"
                 "\"concept\":\"activity\",\"in\":[\"UNE\"]}]"),
         "Net of permits",
         "At most 3 rows of each person count, taken in a random order; where people have more, nets leave the rest "
         "out."},
    };
    plan_case *f = *state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        plan_case_must(f, cases[i][0]);
        gw_buffer title, note;
        gw_buffer_init(&title, 1024);
        gw_buffer_init(&note, 1024);
        gw_plan_title(&f->plan, &title);
        gw_plan_bounds_note(&f->plan, &note);
        assert_memory_equal(gw_buffer_string(&title), cases[i][1], strlen(cases[i][1]));
        assert_string_equal(gw_buffer_string(&note), cases[i][2]);
        gw_buffer_done(&title);
        gw_buffer_done(&note);
    }
}

// A first permit is had once: by definition one row counts, and the noise is that of one. The policy's bound stays the
// ceiling: arrivals have none of their own.
static void indicators_count_fewer_rows_where_their_definition_says_so(void **state) {
    plan_case *f = *state;
    gw_buffer text;
    char path[4096];
    gw_buffer_init(&text, 1u << 20);
    snprintf(path, sizeof path, "%s/policies/samples/register.policy.json", getenv("GW_SOURCE"));
    assert_int_equal(gw_file_read(path, &text, NULL), GW_OK);
    plan_case_policy(f, gw_buffer_string(&text));
    gw_buffer_done(&text);
    plan_case_must(f, "\"indicator\":\"first_permits\"");
    assert_int_equal(f->plan.bound.kind, GW_BOUND_KEEP_ROWS);
    assert_int_equal(f->plan.sensitivity, 1);
    plan_case_must(f, "\"indicator\":\"permit_holders\"");
    assert_int_equal(f->plan.bound.kind, GW_BOUND_KEEP_CELLS);
    assert_int_equal(f->plan.sensitivity, 1);
    plan_case_must(f, "\"indicator\":\"arrivals\"");
    assert_int_equal(f->plan.sensitivity, 3);
    plan_case_must(f, "\"indicator\":\"resident_stock\"");
    assert_int_equal(f->plan.sensitivity, 2);
    plan_case_policy(f, policy_text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_table_with_every_concept_is_taken),
        cmocka_unit_test(refusals_name_the_table_or_what_is_missing),
        cmocka_unit_test(bounds_and_steps_follow_the_policy),
        cmocka_unit_test(indicators_count_fewer_rows_where_their_definition_says_so),
        cmocka_unit_test(prices_see_steps_and_weights),
        cmocka_unit_test(amounts_beyond_counting_are_refused),
        cmocka_unit_test(plain_questions_keep_their_canonical_text),
        cmocka_unit_test(whatever_changes_the_figures_changes_the_question),
        cmocka_unit_test(layouts_cover_rows_weights_and_periods_not_what_questions_name),
        cmocka_unit_test(titles_and_notes_say_what_is_counted),
    };
    return cmocka_run_group_tests(tests, setup, plan_case_teardown);
}
