// SPDX-License-Identifier: Apache-2.0
// Plans: names resolved or refused with the nearest right one, canonical order, declared cells, and the statement.
#include "service/query/sql.h"

#include "service/base/check.h"
#include "tests/support/plan_case.h"

static const char policy_text[] =
    "{\"godwit_policy\":1,\"dataset\":\"test.example/people\",\"population\":\"test.example/all\",\"version\":1,"
    "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{\"persons\":{\"unit\":\"id\","
    "\"rows_per_person_max\":1,\"columns\":{"
    "\"sex\":{\"concept\":\"sex\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\"},"
    "\"cob\":{\"concept\":\"c_birth\",\"type\":\"code\",\"codelist\":\"CL_BIRTH\",\"missing\":\"_U\"},"
    "\"status\":{\"concept\":\"activity\",\"type\":\"code\",\"codelist\":\"CL_ACTIVITY\",\"missing\":\"drop\"},"
    "\"age\":{\"concept\":\"age\",\"type\":\"integer\",\"min\":0,\"max\":120,\"missing\":\"_U\",\"bandings\":{\"work\":"
    "{\"Y_LT20\":[0,19],\"Y20T64\":[20,64],\"Y_GE65\":[65,120]}}},"
    "\"income\":{\"concept\":\"income\",\"type\":\"decimal\",\"unit\":\"EUR\",\"min\":\"-100\",\"max\":\"200000\","
    "\"grid\":\"0.5\","
    "\"missing\":\"drop\"}}}},"
    "\"budget\":{\"lifetime\":\"10\",\"per_principal\":\"2\",\"window\":{\"days\":365,\"epsilon\":\"4\"},\"question_"
    "min\":\"0.01\","
    "\"question_max\":\"0.5\"},\"accounting\":{\"kind\":\"pure\"},\"planning\":{\"cell_persons\":1500,\"size_bucket\":"
    "1000000},"
    "\"grants\":[{\"role\":\"researcher\",\"tables\":[\"persons\"],\"statistics\":[\"count\",\"rate\",\"mean\","
    "\"share\"]}]}";

static int setup(void **state) {
    *state = plan_case_new(policy_text, "");
    return 0;
}

static void equal_questions_have_one_canonical_text(void **state) {
    static const char *const same[][2] = {
        {"\"indicator\":\"employment_rate\",\"by\":[\"sex\",\"c_birth\"],\"epsilon\":\"0.05\"",
         "\"indicator\":\"employment_rate\",\"by\":[\"c_birth\",\"sex\"],\"epsilon\":\"0.050\""},
        {"\"indicator\":\"population_count\",\"by\":[],\"where\":[{\"concept\":\"sex\",\"in\":[\"M\",\"F\"]}],"
         "\"epsilon\":\"0.1\"",
         "\"indicator\":\"population_count\",\"by\":[],\"where\":[{\"concept\":\"sex\",\"in\":[\"F\",\"M\"]}],"
         "\"epsilon\":\"0.10\""},
        {"\"indicator\":\"population_count\",\"by\":[],\"where\":[{\"concept\":\"sex\",\"equals\":\"F\"}],\"epsilon\":"
         "\"0.1\"",
         "\"indicator\":\"population_count\",\"by\":[],\"where\":[{\"concept\":\"sex\",\"in\":[\"F\"]}],\"epsilon\":"
         "\"0.1\""},
        {"\"indicator\":\"population_count\",\"by\":[],\"where\":[{\"concept\":\"sex\",\"in\":[\"F\"]},{\"concept\":"
         "\"age\",\"between\":[20,64]}],"
         "\"epsilon\":\"0.1\"",
         "\"indicator\":\"population_count\",\"by\":[],\"where\":[{\"concept\":\"age\",\"between\":[\"19.5\",\"64.9\"]}"
         ",{\"concept\":\"sex\","
         "\"in\":[\"F\"]}],\"epsilon\":\"0.1\",\"max_cost\":\"0.2\""},
    };
    char first[PLAN_CASE_TEXT], second[PLAN_CASE_TEXT];
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        plan_case_canonical(*state, same[i][0], first);
        plan_case_canonical(*state, same[i][1], second);
        assert_string_equal(first, second);
    }
}

static void different_questions_differ(void **state) {
    char first[PLAN_CASE_TEXT], second[PLAN_CASE_TEXT];
    plan_case_canonical(*state, "\"indicator\":\"population_count\",\"by\":[],\"epsilon\":\"0.1\"", first);
    plan_case_canonical(*state, "\"indicator\":\"population_count\",\"by\":[],\"epsilon\":\"0.100001\"", second);
    assert_string_not_equal(first, second);
    plan_case_canonical(*state, "\"indicator\":\"population_count\",\"by\":[\"sex\"],\"epsilon\":\"0.1\"", second);
    assert_string_not_equal(first, second);
    plan_case_canonical(
        *state,
        "\"indicator\":\"population_count\",\"by\":[],\"where\":[{\"concept\":\"age\",\"between\":[0,119]}],"
        "\"epsilon\":\"0.1\"",
        second);
    assert_string_not_equal(first, second);
}

static void the_same_band_code_cut_anew_is_another_question(void **state) {
    static const char *const banded[] = {"\"indicator\":\"population_count\",\"by\":[\"age:work\"],\"epsilon\":\"0.1\"",
                                         "\"indicator\":\"population_count\",\"by\":[],\"where\":[{\"concept\":\"age:"
                                         "work\",\"in\":[\"Y_LT20\"]}],\"epsilon\":\"0.1\""};
    plan_case *f = *state;
    char before[2][PLAN_CASE_TEXT], after[PLAN_CASE_TEXT];
    for (size_t i = 0; i < 2; i++)
        plan_case_canonical(f, banded[i], before[i]);
    plan_case_change(f, policy_text, "\"Y_LT20\":[0,19],\"Y20T64\":[20,64]", "\"Y_LT20\":[0,29],\"Y20T64\":[30,64]");
    for (size_t i = 0; i < 2; i++) {
        plan_case_canonical(f, banded[i], after);
        assert_string_not_equal(before[i], after);
    }
    plan_case_change(f, policy_text, "\"Y_LT20\"", "\"Y_LT20\"");
}

// Data is read only under the layout it was loaded under: whatever changes what its numbers mean changes the layout.
static void the_layout_names_what_the_data_means(void **state) {
    static const char *const changes[][2] = {
        {"", ""}, // the same policy has the same layout
        {"\"unit\":\"id\"", "\"unit\":\"row\""},
        {"\"grid\":\"0.5\"", "\"grid\":\"0.1\""},
        {"\"min\":\"-100\"", "\"min\":\"0\""},
        {"\"codelist\":\"CL_ACTIVITY\",\"missing\":\"drop\"", "\"codelist\":\"CL_ACTIVITY\",\"missing\":\"_U\""},
        {"\"sex\":{\"concept\":\"sex\"", "\"Sex\":{\"concept\":\"sex\""},
        {"\"rows_per_person_max\":1", "\"rows_per_person_max\":2"},
    };
    plan_case *f = *state;
    gw_hash first = gw_plan_layout(f->policy);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        if (i == 0)
            plan_case_change(f, policy_text, "\"Y_GE65\":[65,120]", "\"Y_GE65\":[65,120]");
        else
            plan_case_change(f, policy_text, changes[i][0], changes[i][1]);
        assert_int_equal(gw_hash_equal(gw_plan_layout(f->policy), first), i == 0);
    }
    plan_case_change(f, policy_text, "\"lifetime\":\"10\"", "\"lifetime\":\"20\""); // budgets are no layout
    assert_true(gw_hash_equal(gw_plan_layout(f->policy), first));
    plan_case_change(f, policy_text, "\"Y_LT20\"", "\"Y_LT20\"");
}

static void every_declared_cell_is_planned(void **state) {
    plan_case *f = *state;
    assert_int_equal(
        plan_case_build(
            f, "\"indicator\":\"population_count\",\"by\":[\"sex\",\"c_birth\",\"age:work\"],\"epsilon\":\"0.1\""),
        GW_OK);
    assert_int_equal(f->plan.cell_count, 3 * 4 * 4); // F M _U; NAT EU_FOR NEU_FOR _U; three bands and _U
    assert_int_equal(f->plan.part_count, 1);
    assert_int_equal(f->plan.sensitivity, 1);
}

static void a_filter_on_the_breakdown_leaves_its_codes(void **state) {
    plan_case *f = *state;
    assert_int_equal(
        plan_case_build(
            f, "\"indicator\":\"population_count\",\"by\":[\"sex\"],\"where\":[{\"concept\":\"sex\",\"in\":[\"M\"]}],"
               "\"epsilon\":\"0.1\""),
        GW_OK);
    assert_int_equal(f->plan.cell_count, 1);
    assert_string_equal(f->plan.axes[0].codes[0], "M");
}

static void a_mean_has_the_range_as_sensitivity(void **state) {
    plan_case *f = *state;
    assert_int_equal(
        plan_case_build(f,
                        "\"measure\":{\"statistic\":\"mean\",\"of\":\"income\"},\"by\":[\"sex\"],\"epsilon\":\"0.1\""),
        GW_OK);
    assert_int_equal(f->plan.sensitivity, 400200); // (200000 + 100) / 0.5 steps
    assert_int_equal(f->plan.part_count, 2);
}

static void wrong_names_are_refused_with_the_nearest(void **state) {
    static const struct {
        const char *rest, *code, *mend;
    } cases[] = {
        {"\"indicator\":\"employment_rat\",\"epsilon\":\"0.1\"", "unknown_indicator", "employment_rate"},
        {"\"indicator\":\"count\",\"epsilon\":\"0.1\"", "unknown_indicator", "--measure count"},
        {"\"indicator\":\"mean\",\"epsilon\":\"0.1\"", "unknown_indicator", "--measure mean:CONCEPT"},
        {"\"indicator\":\"population_count\",\"by\":[\"sexx\"],\"epsilon\":\"0.1\"", "unknown_concept", "sex"},
        {"\"indicator\":\"population_count\",\"by\":[],\"where\":[{\"concept\":\"c_birth\",\"in\":[\"NATT\"]}],"
         "\"epsilon\":\"0.1\"",
         "unknown_code", "NAT"},
        {"\"indicator\":\"population_count\",\"by\":[\"age\"],\"epsilon\":\"0.1\"", "unknown_banding", "age:work"},
        {"\"indicator\":\"population_count\",\"by\":[\"age:wrok\"],\"epsilon\":\"0.1\"", "unknown_banding", "age:work"},
        {"\"indicator\":\"population_count\",\"by\":[\"sex:work\"],\"epsilon\":\"0.1\"", "unknown_banding", ""},
        {"\"measure\":{\"statistic\":\"mean\",\"of\":\"sex\"},\"epsilon\":\"0.1\"", "of_needed", ""},
        {"\"measure\":{\"statistic\":\"share\"},\"epsilon\":\"0.1\"", "by_needed", ""},
        {"\"indicator\":\"education_high\",\"epsilon\":\"0.1\"", "concept_missing", ""},
        {"\"indicator\":\"population_count\",\"by\":[],\"where\":[{\"concept\":\"age\",\"in\":[\"20\"]}],\"epsilon\":"
         "\"0.1\"",
         "bad_filter", ""},
        {"\"indicator\":\"population_count\",\"by\":[],\"where\":[{\"concept\":\"sex\",\"between\":[1,2]}],\"epsilon\":"
         "\"0.1\"",
         "bad_filter", ""},
        {"\"indicator\":\"population_count\",\"by\":[],\"where\":[{\"concept\":\"age\",\"between\":[200,300]}],"
         "\"epsilon\":\"0.1\"",
         "bad_filter", ""},
        {"\"indicator\":\"employment_rate\",\"where\":[{\"concept\":\"age\",\"between\":[16,18]}],\"epsilon\":\"0.1\"",
         "bad_filter", "age"}, // the indicator covers 20 to 64
        {"\"indicator\":\"employment_rate\",\"where\":[{\"concept\":\"age:work\",\"in\":[\"Y_GE65\",\"_U\"]}],"
         "\"epsilon\":\"0.1\"",
         "bad_filter", "age"},
        {"\"indicator\":\"population_count\",\"by\":[],\"where\":[{\"concept\":\"sex\",\"in\":[\"M\"]},{\"concept\":"
         "\"sex\","
         "\"equals\":\"F\"}],\"epsilon\":\"0.1\"",
         "bad_filter", "sex"},
    };
    plan_case *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_not_equal(plan_case_build(f, cases[i].rest), GW_OK);
        assert_string_equal(f->problem.code, cases[i].code);
        assert_non_null(strstr(f->problem.mend, cases[i].mend));
    }
}

static void the_asker_writes_no_sql(void **state) {
    plan_case *f = *state;
    assert_int_equal(
        plan_case_build(f, "\"indicator\":\"employment_rate\",\"by\":[\"sex\",\"age:work\"],\"where\":[{"
                           "\"concept\":\"c_birth\",\"in\":"
                           "[\"NAT\",\"_U\"]},{\"concept\":\"age\",\"between\":[18,70]}],\"epsilon\":\"0.1\""),
        GW_OK);
    gw_sql sql;
    assert_int_equal(gw_sql_build(&f->plan, f->arena, &sql), GW_OK);
    const char *text = gw_buffer_string(&sql.text);
    assert_null(strstr(text, "NAT"));
    assert_null(strstr(text, "70"));
    assert_null(strchr(text, '\''));
    assert_null(strchr(text, ';'));
    size_t marks = 0;
    for (const char *c = text; *c; c++)
        marks += *c == '?';
    assert_int_equal(marks, sql.param_count);
    gw_buffer_done(&sql.text);
}

static void a_concept_with_drop_has_no_unknown_cell(void **state) {
    plan_case *f = *state;
    assert_int_equal(
        plan_case_build(f, "\"indicator\":\"population_count\",\"by\":[\"sex\",\"c_birth\",\"activity\",\"age:"
                           "work\"],\"epsilon\":\"0.1\""),
        GW_OK);
    assert_int_equal(f->plan.cell_count, 3 * 4 * 3 * 4); // activity has no _U: missing rows are left out
}

static void a_target_error_becomes_an_epsilon(void **state) {
    plan_case *f = *state;
    assert_int_equal(plan_case_build(f, "\"indicator\":\"employment_rate\",\"target_error\":\"3\",\"group_size\":1500"),
                     GW_OK);
    assert_in_range(f->plan.epsilon.micro, 20000, 100000);
    double half = gw_cost_half_width(&f->plan.shape, f->plan.epsilon, GW_LEVEL_95);
    assert_true(half <= 0.03);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_questions_have_one_canonical_text),
        cmocka_unit_test(different_questions_differ),
        cmocka_unit_test(the_same_band_code_cut_anew_is_another_question),
        cmocka_unit_test(the_layout_names_what_the_data_means),
        cmocka_unit_test(every_declared_cell_is_planned),
        cmocka_unit_test(a_filter_on_the_breakdown_leaves_its_codes),
        cmocka_unit_test(a_mean_has_the_range_as_sensitivity),
        cmocka_unit_test(wrong_names_are_refused_with_the_nearest),
        cmocka_unit_test(the_asker_writes_no_sql),
        cmocka_unit_test(a_concept_with_drop_has_no_unknown_cell),
        cmocka_unit_test(a_target_error_becomes_an_epsilon),
    };
    return cmocka_run_group_tests(tests, setup, plan_case_teardown);
}
