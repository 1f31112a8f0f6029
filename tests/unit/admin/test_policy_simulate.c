// SPDX-License-Identifier: Apache-2.0
// A simulation says what the real plan, price and policy say: no figure of its own.
#include "tests/unit/policy/policies.h"
#include "service/admin/policy_simulate.h"
#include <math.h>

GW_DEFINE_FREEP(gw_catalogue, gw_catalogue_free)
GW_DEFINE_FREEP(gw_arena, gw_arena_free)

typedef struct {
    gw_policy *policy;
    gw_catalogue *catalogue;
    gw_arena *arena;
} fixture;

static int setup(void **state) {
    fixture *f = calloc(1, sizeof(*f));
    char folder[4096];
    gw_problem problem = {0};
    if (f == NULL || load_text(gw_bytes_of(policy_text), &f->policy, &problem) != GW_OK ||
        gw_catalogue_load(source_path("policies/indicators", folder), &f->catalogue, &problem) != GW_OK)
        fail_msg("%s %s", problem.what, problem.why);
    f->arena = gw_arena_new(1u << 24);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    gw_policy_free(f->policy);
    gw_catalogue_free(f->catalogue);
    gw_arena_free(f->arena);
    free(f);
    return 0;
}

static const gw_simulated_question *find(const gw_simulation *simulation, const char *title) {
    for (size_t i = 0; i < simulation->question_count; i++)
        if (strcmp(simulation->questions[i].title, title) == 0)
            return &simulation->questions[i];
    print_error("no question \"%s\"\n", title);
    fail();
    return NULL;
}

static void a_count_is_off_by_what_its_noise_says(void **state) {
    fixture *f = *state;
    gw_simulation simulation;
    assert_int_equal(gw_policy_simulate(f->policy, f->catalogue, NULL, 0, f->arena, &simulation), GW_OK);
    assert_int_equal(simulation.prices[0].micro, 10000);
    assert_int_equal(simulation.prices[1].micro, 70000); // between by factor: sqrt(0.01 * 0.5) = 0.0707
    assert_int_equal(simulation.prices[2].micro, 500000);
    const gw_simulated_question *count = find(&simulation, "Number of persons");
    assert_int_equal(count->sensitivity, 200000); // the largest weight, 2000, in hundredths
    assert_int_equal(count->cell_count, 1);
    // Laplace: 2000 ln(20) / epsilon.
    assert_true(count->half_width[0] > 595000 && count->half_width[0] < 605000);
    assert_true(count->half_width[2] > 11000 && count->half_width[2] < 13000);
}

static void budgets_count_whole_tables(void **state) {
    fixture *f = *state;
    gw_simulation simulation;
    assert_int_equal(gw_policy_simulate(f->policy, f->catalogue, NULL, 0, f->arena, &simulation), GW_OK);
    static const uint64_t wanted[3][3] = {{200, 28, 4}, {400, 57, 8}, {1000, 142, 20}};
    for (size_t b = 0; b < 3; b++)
        for (size_t p = 0; p < 3; p++)
            assert_int_equal(simulation.budgets[b].tables[p], wanted[b][p]);
}

// With a delta the lifetime's tables are those that the filter lets in; what one asker may spend stays a sum.
static void a_delta_makes_room_for_small_tables(void **state) {
    fixture *f = *state;
    gw_simulation simulation;
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, 65536);
    replace_text(&text, policy_text, "\"pure\"", "\"zcdp\",\"delta\":\"1e-9\"");
    GW_CLEANUP(gw_policy_freep) gw_policy *policy = NULL;
    assert_int_equal(load_text(gw_buffer_bytes(&text), &policy, NULL), GW_OK);
    assert_int_equal(gw_policy_simulate(policy, f->catalogue, NULL, 0, f->arena, &simulation), GW_OK);
    static const uint64_t wanted[3][3] = {{200, 28, 4}, {400, 57, 8}, {21815, 445, 20}};
    for (size_t b = 0; b < 3; b++)
        for (size_t p = 0; p < 3; p++)
            assert_int_equal(simulation.budgets[b].tables[p], wanted[b][p]);
    gw_buffer page;
    gw_buffer_init(&page, 1u << 20);
    gw_simulation_text(&simulation, &page);
    assert_non_null(strstr(gw_buffer_string(&page), "lifetime: 10, delta 1e-9"));
    assert_non_null(strstr(gw_buffer_string(&page), "but for a chance of 1e-9"));
    gw_buffer_done(&page);
}

static void odds_are_rounded_to_the_worse(void **state) {
    (void)state;
    static const struct {
        uint64_t micro;
        unsigned odds;
    } cases[] = {{0, 500},       {100000, 525},  {500000, 623},  {1000000, 732},
                 {2000000, 881}, {4000000, 983}, {20000000, 999}};
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(gw_simulation_odds_up((gw_epsilon){cases[i].micro}), cases[i].odds);
}

static void indicators_say_what_they_lack(void **state) {
    fixture *f = *state;
    gw_simulation simulation;
    assert_int_equal(gw_policy_simulate(f->policy, f->catalogue, NULL, 0, f->arena, &simulation), GW_OK);
    size_t seen = 0;
    for (size_t i = 0; i < simulation.indicator_count; i++) {
        const gw_simulated_indicator *indicator = &simulation.indicators[i];
        if (strcmp(indicator->id, "employment_rate") == 0) {
            assert_string_equal(indicator->missing, "activity");
            seen++;
        }
        if (strcmp(indicator->id, "population_share") == 0) { // it would work, but no grant has shares
            assert_null(indicator->missing);
            assert_false(indicator->is_granted);
            seen++;
        }
        if (strcmp(indicator->id, "mean_income") == 0) {
            assert_null(indicator->missing);
            assert_true(indicator->is_granted);
            seen++;
        }
    }
    assert_int_equal(seen, 3);
}

static void given_questions_are_taken_instead_and_refusals_told(void **state) {
    fixture *f = *state;
    gw_simulation simulation;
    const char *by[] = {"sex"};
    const gw_question questions[] = {
        {.kind = GW_KIND_COST,
         .dataset = "nso.example/register",
         .statistic = GW_STATISTIC_COUNT,
         .by = by,
         .by_count = 1,
         .has_by = true},
        {.kind = GW_KIND_COST,
         .dataset = "nso.example/register",
         .statistic = GW_STATISTIC_SHARE,
         .by = by,
         .by_count = 1,
         .has_by = true},
        {.kind = GW_KIND_COST, .dataset = "nso.example/register", .indicator = "employment_rate"}};
    assert_int_equal(gw_policy_simulate(f->policy, f->catalogue, questions, 3, f->arena, &simulation), GW_OK);
    assert_int_equal(simulation.question_count, 3);
    assert_string_equal(simulation.questions[0].refused, "");
    assert_string_equal(simulation.questions[0].error_unit, "persons"); // the word that a price has
    assert_non_null(strstr(simulation.questions[1].refused, "share"));
    assert_non_null(strstr(simulation.questions[2].refused, "activity"));
    GW_CLEANUP(gw_buffer_done) gw_buffer page;
    GW_CLEANUP(gw_buffer_done) gw_buffer document;
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    gw_buffer_init(&page, 1u << 20);
    gw_buffer_init(&document, 1u << 20);
    gw_simulation_text(&simulation, &page);
    gw_simulation_json(&simulation, &document);
    assert_non_null(strstr(gw_buffer_string(&page), "cannot be asked"));
    assert_int_equal(gw_json_parse(gw_buffer_bytes(&document), GW_JSON_REPLY, &json, NULL), GW_OK);
    assert_int_equal(gw_json_count(gw_json_member(gw_json_root(json), "questions")), 3);
}

static void replace(char *text, const char *from, const char *to) {
    char *at = strstr(text, from);
    assert_non_null(at);
    assert_true(strlen(to) <= strlen(from));
    memset(at, ' ', strlen(from));
    memcpy(at, to, strlen(to));
}

// In the unit, whatever the steps are: a value of 0.5 on a grid of 1 makes steps of 0.5.
static void what_one_person_moves_is_in_the_unit(void **state) {
    fixture *f = *state;
    static char text[sizeof policy_text];
    gw_problem problem = {0};
    memcpy(text, policy_text, sizeof text);
    replace(text, "\"-10\"", "\"0.5\"");
    replace(text, "\"90.5\"", "\"2.5\"");
    replace(text, "\"grid\":\"0.25\"", "\"grid\":\"1\"");
    replace(text, "\"count\",\"mean\"", "\"sum\",\"mean\"");
    gw_policy_free(f->policy);
    f->policy = NULL;
    if (load_text(gw_bytes_of(text), &f->policy, &problem) != GW_OK)
        fail_msg("%s %s", problem.what, problem.why);
    const gw_question base = {.kind = GW_KIND_COST, .of = "income", .has_by = true};
    gw_question questions[] = {base, base, base};
    questions[0].statistic = questions[1].statistic = GW_STATISTIC_SUM;
    questions[2].statistic = GW_STATISTIC_MEAN;
    questions[0].is_unweighted = true;
    gw_simulation simulation;
    assert_int_equal(gw_policy_simulate(f->policy, f->catalogue, questions, 3, f->arena, &simulation), GW_OK);
    static const double moves[] = {2.5, 2.5 * 2000, 2 * 2000}; // a mean's value counts from its minimum
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(simulation.questions[i].refused, "");
        assert_true(fabs(simulation.questions[i].moves - moves[i]) < 1e-6);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_count_is_off_by_what_its_noise_says, setup, teardown),
        cmocka_unit_test_setup_teardown(budgets_count_whole_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(a_delta_makes_room_for_small_tables, setup, teardown),
        cmocka_unit_test(odds_are_rounded_to_the_worse),
        cmocka_unit_test_setup_teardown(indicators_say_what_they_lack, setup, teardown),
        cmocka_unit_test_setup_teardown(given_questions_are_taken_instead_and_refusals_told, setup, teardown),
        cmocka_unit_test_setup_teardown(what_one_person_moves_is_in_the_unit, setup, teardown),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
