// SPDX-License-Identifier: Apache-2.0
// Policies may have codes and bands with names as long as names can be, and many of them: a question whose statement
// the engine would not take, or whose answer no reply holds, is refused while it is free.
#include "service/query/plan_size.h"

#include "service/query/encode.h"
#include "service/release/release.h"
#include "tests/support/unit.h"

#define LONG_NAME                                                                                                      \
    "a_name_of_one_hundred_letters_which_nobody_would_write_but_anybody_may_and_so_it_must_not_cost_a_thing"
#define POLICY_BYTES_MAX (1u << 20)

typedef struct {
    gw_policy *policy;
    gw_catalogue *catalogue;
    gw_arena *arena;
} fixture;

static int setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    char folder[4096];
    gw_problem problem = {0};
    snprintf(folder, sizeof folder, "%s/policies/indicators", getenv("GW_SOURCE"));
    f->arena = gw_arena_new(64u << 20);
    if (gw_crypto_init() != GW_OK || gw_catalogue_load(folder, &f->catalogue, &problem) != GW_OK)
        return 1;
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    gw_arena_free(f->arena);
    gw_policy_free(f->policy);
    gw_catalogue_free(f->catalogue);
    free(f);
    return 0;
}

// A policy of one table with `columns`.
static void policy_of(fixture *f, unsigned rows_max, const char *columns) {
    gw_buffer text;
    gw_problem problem = {0};
    gw_buffer_init(&text, POLICY_BYTES_MAX);
    gw_buffer_format(&text,
                     "{\"godwit_policy\":1,\"dataset\":\"test.example/d\",\"population\":\"test.example/all\","
                     "\"version\":1,\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},"
                     "\"tables\":{\"t\":{\"unit\":\"id\",\"rows_per_person_max\":%u,\"columns\":{",
                     rows_max);
    gw_buffer_text(&text, columns);
    gw_buffer_text(&text, "}}},\"budget\":{\"lifetime\":\"10\",\"question_min\":\"0.01\",\"question_max\":\"0.5\"},"
                          "\"accounting\":{\"kind\":\"pure\"},\"planning\":{\"size_bucket\":1000000},\"grants\":[{"
                          "\"role\":\"researcher\",\"tables\":[\"t\"],\"statistics\":[\"count\"]}]}");
    if (gw_policy_load(gw_buffer_bytes(&text), "test", "", &f->policy, &problem) != GW_OK)
        fail_msg("%s %s", problem.what, problem.why);
    gw_buffer_done(&text);
}

// Columns n0, n1, … each with `count` codes whose names are as long as names can be.
static void codes_with_long_names(gw_buffer *text, unsigned columns, unsigned count) {
    for (unsigned i = 0; i < columns; i++) {
        gw_buffer_format(text, "%s\"n%u\":{\"concept\":\"n%u\",\"type\":\"code\",\"missing\":\"drop\",\"codes\":{",
                         i ? "," : "", i, i);
        for (unsigned k = 0; k < count; k++)
            gw_buffer_format(text, "%s\"C%02u_" LONG_NAME "\":\"Code\"", k ? "," : "", k);
        gw_buffer_text(text, "}}");
    }
}

// A column of a thousand bands, and one of a hundred and fifty.
static void bands_with_long_names(gw_buffer *text) {
    static const unsigned counts[] = {1000, 150};
    for (unsigned i = 0; i < 2; i++) {
        gw_buffer_format(text,
                         "%s\"n%u\":{\"concept\":\"" LONG_NAME "%u\",\"type\":\"integer\",\"missing\":\"drop\","
                         "\"min\":0,\"max\":%u,\"bandings\":{\"b\":{",
                         i ? "," : "", i, i, counts[i] - 1);
        for (unsigned k = 0; k < counts[i]; k++)
            gw_buffer_format(text, "%s\"B%u\":[%u,%u]", k ? "," : "", k, k, k);
        gw_buffer_text(text, "}}}");
    }
}

static gw_plan plan_by(const fixture *f, const char *const *by, size_t count) {
    const gw_question question = {.kind = GW_KIND_QUERY,
                                  .dataset = "test.example/d",
                                  .statistic = GW_STATISTIC_COUNT,
                                  .by = by,
                                  .by_count = count,
                                  .has_by = true,
                                  .has_epsilon = true,
                                  .epsilon = {100000}};
    gw_plan plan;
    gw_problem problem = {0};
    if (gw_plan_build(&question, f->policy, f->catalogue, f->arena, &plan, &problem) != GW_OK)
        fail_msg("%s %s", problem.what, problem.why);
    return plan;
}

static void must_be_refused(const fixture *f, const gw_plan *plan, const char *word) {
    gw_problem problem = {0};
    assert_int_equal(gw_plan_check_size(plan, f->arena, &problem), GW_LIMIT);
    assert_string_equal(problem.code, "too_many");
    assert_non_null(strstr(problem.why, word));
}

static void an_answer_that_no_reply_holds_is_refused(void **state) {
    fixture *f = *state;
    static const char *const by[] = {"n0", "n1", "n2", "n3", "n4", "n5"};
    gw_buffer columns;
    gw_buffer_init(&columns, POLICY_BYTES_MAX);
    codes_with_long_names(&columns, 6, 7);
    policy_of(f, 1, gw_buffer_string(&columns));
    gw_buffer_done(&columns);
    gw_plan plan = plan_by(f, by, 6); // 117,649 cells, allowed by their number
    must_be_refused(f, &plan, "answer");
    plan = plan_by(f, by, 5);
    gw_problem problem = {0};
    assert_int_equal(gw_plan_check_size(&plan, f->arena, &problem), GW_OK);
}

static void a_statement_that_the_engine_does_not_take_is_refused(void **state) {
    fixture *f = *state;
    static const char *const by[] = {LONG_NAME "0:b", LONG_NAME "1:b"};
    gw_buffer columns;
    gw_buffer_init(&columns, POLICY_BYTES_MAX);
    bands_with_long_names(&columns);
    policy_of(f, 3, gw_buffer_string(&columns));
    gw_buffer_done(&columns);
    gw_plan plan = plan_by(f, by, 2);                                                  // 150,000 cells
    plan.bound = (gw_bound){.kind = GW_BOUND_KEEP_ROWS, .units = 2, .sensitivity = 2}; // said in two places
    must_be_refused(f, &plan, "statement");
    plan = plan_by(f, by + 1, 1);
    gw_problem problem = {0};
    assert_int_equal(gw_plan_check_size(&plan, f->arena, &problem), GW_OK);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(an_answer_that_no_reply_holds_is_refused),
        CASE(a_statement_that_the_engine_does_not_take_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
