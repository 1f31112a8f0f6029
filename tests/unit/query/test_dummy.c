// SPDX-License-Identifier: Apache-2.0
// Dummy answers: made without engine, data or budget, refused where a question is, and told from answers by their
// labels alone.
#include "service/policy/policy.h"
#include "service/wire/answer.h"
#include "tests/unit/query/asking_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define DATASET "\"dataset\":\"" ASKING_REGISTER "\","
#define RATE DATASET "\"indicator\":\"employment_rate\",\"by\":[\"sex\",\"c_birth\"]"
static const char *const questions[] = {
    RATE,
    DATASET "\"measure\":{\"statistic\":\"count\"},\"by\":[\"sex\",\"age:work\",\"c_birth\"]",
    DATASET "\"measure\":{\"statistic\":\"count\"},\"by\":[]",
    DATASET "\"measure\":{\"statistic\":\"share\"},\"by\":[\"c_birth\"]",
    DATASET "\"measure\":{\"statistic\":\"mean\",\"of\":\"income\"},\"by\":[\"sex\"]",
    DATASET "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\"},\"by\":[\"reason\"]",
    DATASET "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\",\"per\":\"person\"},\"by\":[\"reason\"],"
            "\"weighted\":false",
    DATASET "\"measure\":{\"statistic\":\"sum\",\"of\":\"fee\"},\"by\":[\"reason\",\"c_birth\"]",
    DATASET "\"measure\":{\"statistic\":\"sum\",\"of\":\"fee\"},\"by\":[],\"weighted\":false",
    DATASET "\"measure\":{\"statistic\":\"mean\",\"of\":\"fee\",\"per\":\"person\"},\"by\":[\"c_birth\"]",
    DATASET "\"measure\":{\"statistic\":\"mean\",\"of\":\"fee\"},\"by\":[\"reason\"]",
    DATASET
    "\"measure\":{\"statistic\":\"net\",\"table\":\"permits\",\"plus\":[{\"concept\":\"reason\",\"in\":[\"EMP\"]}],"
    "\"minus\":[{\"concept\":\"reason\",\"in\":[\"FAM\"]}]},\"by\":[\"c_birth\",\"reason\"]",
    DATASET "\"indicator\":\"median_income\"",
    DATASET
    "\"measure\":{\"statistic\":\"quantile\",\"of\":\"income\",\"at\":[\"0.1\",\"0.5\",\"0.9\"]},\"by\":[\"sex\"]",
    DATASET "\"indicator\":\"at_risk_of_poverty\"",
    DATASET "\"indicator\":\"income_gini\",\"by\":[\"sex\"]",
    DATASET "\"indicator\":\"income_quintile_ratio\",\"by\":[]",
    DATASET "\"measure\":{\"statistic\":\"series\",\"of\":\"granted_on\"},\"by\":[\"c_birth\"]",
    DATASET
    "\"measure\":{\"statistic\":\"series\",\"of\":\"granted_on\",\"per\":\"person\"},\"by\":[],\"weighted\":false",
};
#define QUESTION_COUNT (sizeof questions / sizeof questions[0])

static int setup(void **state) {
    asking *made = malloc(sizeof *made);
    asking_begin(made);
    *state = made;
    return 0;
}
static int teardown(void **state) {
    asking_end(*state);
    free(*state);
    return 0;
}

static bool ask(asking *made, unsigned who, const char *kind, const char *question, const char *rest) {
    char body[2048];
    snprintf(body, sizeof body, "{\"v\":1,\"kind\":\"%s\",%s%s}", kind, question, rest);
    return asking_send(made, who, body);
}

static gw_answer must_answer(asking *made, const char *question, gw_arena *arena) {
    gw_answer answer;
    gw_problem problem = {0};
    if (!ask(made, ASKING_ANNA, "dummy", question, ",\"epsilon\":\"0.1\""))
        fail_msg("%s: %s %s", question, made->problem.what, made->problem.why);
    if (gw_answer_decode(made->reply.answer, arena, &answer, &problem) != GW_OK)
        fail_msg("%s %s", problem.what, problem.why);
    return answer;
}

static void every_kind_of_question_has_a_dummy_that_says_so(void **state) {
    asking *made = *state;
    for (size_t i = 0; i < QUESTION_COUNT; i++) {
        gw_arena *arena = gw_arena_new(16 << 20);
        gw_answer answer = must_answer(made, questions[i], arena);
        assert_true(answer.is_dummy);
        assert_int_equal(strncmp(answer.release, "DUMMY-", 6), 0);
        assert_memory_equal(answer.release + 6, answer.question, 8);
        assert_string_equal(answer.data_version, "00000000000000000000000000000000");
        assert_string_equal(answer.notice, "NOT REAL: made from the policy alone. SYNTHETIC: made up.");
        assert_int_equal(made->reply.receipt.size, 0);
        const char *account = (const char *)made->reply.account.data;
        assert_non_null(memmem(account, made->reply.account.size, "\"charged\":\"0\"", 13));
        assert_non_null(memmem(account, made->reply.account.size, "\"price\":\"0.1\"", 13));
        gw_arena_free(arena);
    }
}

// Whatever a person is in the table: the answer says so where a value, a filter or a weight moves with others' records.
static void household_effects_are_said_in_the_answer(void **state) {
    asking *made = *state;
    static const char note[] = "Household effects are not protected: a value used here moves with other people's "
                               "records, and counts as the person's own.";
    static const char *const cases[] = {
        DATASET "\"measure\":{\"statistic\":\"mean\",\"of\":\"income\"},\"by\":[\"sex\"]",
        DATASET
        "\"measure\":{\"statistic\":\"count\"},\"where\":[{\"concept\":\"income\",\"between\":[\"0\",\"900\"]}]",
        DATASET "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\"},\"by\":[\"reason\"]", // weighted
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gw_arena *arena = gw_arena_new(16 << 20);
        gw_answer answer = must_answer(made, cases[i], arena);
        const char *at = answer.bounds_note ? strstr(answer.bounds_note, note) : NULL;
        if (!at)
            fail_msg("%s: %s", cases[i], answer.bounds_note ? answer.bounds_note : "no note");
        assert_int_equal(at == answer.bounds_note, i < 2); // behind what was bounded, where anything was
        assert_string_equal(answer.bounds_kind, "none");
        gw_arena_free(arena);
    }
    gw_arena *arena = gw_arena_new(16 << 20);
    gw_answer plain = must_answer(made, questions[2], arena);
    assert_null(plain.bounds_kind); // a person counts once, by their own values
    gw_answer unweighted = must_answer(made, questions[6], arena);
    assert_null(strstr(unweighted.bounds_note, "Household"));
    gw_arena_free(arena);
}

static void a_script_reads_the_same_figures_again(void **state) {
    asking *made = *state;
    for (size_t i = 0; i < QUESTION_COUNT; i++) {
        gw_buffer first;
        gw_buffer_init(&first, 1 << 20);
        assert_true(ask(made, ASKING_ANNA, "dummy", questions[i], ",\"epsilon\":\"0.1\""));
        gw_buffer_append(&first, made->reply.answer.data, made->reply.answer.size);
        asking_restart(made);
        assert_true(ask(made, ASKING_BELA, "dummy", questions[i], ",\"epsilon\":\"0.1\",\"max_cost\":\"1\""));
        assert_true(gw_bytes_equal(made->reply.answer, gw_buffer_bytes(&first)));
        assert_true(ask(made, ASKING_BELA, "dummy", questions[i], ",\"epsilon\":\"0.11\""));
        assert_false(gw_bytes_equal(made->reply.answer, gw_buffer_bytes(&first)));
        gw_buffer_done(&first);
    }
}

static void figures_vary_and_stay_within_what_the_policy_says(void **state) {
    asking *made = *state;
    gw_arena *arena = gw_arena_new(16 << 20);
    gw_answer count = must_answer(made, questions[1], arena);
    double least = 1e9, most = 0, sum = 0;
    for (size_t i = 0; i < count.cell_count; i++) {
        double estimate = strtod(count.cells[i].estimate, NULL);
        least = estimate < least ? estimate : least;
        most = estimate > most ? estimate : most;
        sum += estimate;
    }
    assert_int_equal(count.cell_count, 3 * 4 * 4);
    assert_true(least > 0 && least < 600 && most > 2500 && most < 7000);
    assert_true(sum / (double)count.cell_count > 800 && sum / (double)count.cell_count < 2400); // 1,500 planned
    gw_answer mean = must_answer(made, questions[4], arena);
    for (size_t i = 0; i < mean.cell_count; i++) {
        double estimate = strtod(mean.cells[i].estimate, NULL);
        assert_true(estimate > 5000 && estimate < 95000);
    }
    gw_answer weighted = must_answer(made, questions[5], arena); // 1,500 rows of weight 8
    assert_true(weighted.is_weighted);
    double total = 0;
    for (size_t i = 0; i < weighted.cell_count; i++)
        total += strtod(weighted.cells[i].estimate, NULL) / (double)weighted.cell_count;
    assert_true(total > 2000 && total < 40000);
    gw_answer per_person = must_answer(made, questions[9], arena);
    for (size_t i = 0; i < per_person.cell_count; i++)
        assert_true(strtod(per_person.cells[i].estimate, NULL) > 0 && strtod(per_person.cells[i].estimate, NULL) < 800);
    gw_answer net = must_answer(made, questions[11], arena);
    bool is_below = false, is_above = false;
    for (size_t i = 0; i < net.cell_count; i++) {
        double estimate = strtod(net.cells[i].estimate, NULL);
        is_below |= estimate < 0;
        is_above |= estimate > 0;
        assert_true(estimate > -12000 && estimate < 12000);
    }
    assert_true(is_below && is_above);
    gw_answer rate = must_answer(made, questions[0], arena);
    for (size_t i = 0; i < rate.cell_count; i++)
        assert_true(strtod(rate.cells[i].estimate, NULL) > 5 && strtod(rate.cells[i].estimate, NULL) < 95);
    gw_arena_free(arena);
}

// A dataset that nobody loaded yet, and a budget that is spent: neither stands in the way.
static void neither_data_nor_budget_are_needed(void **state) {
    asking *made = *state;
    const gw_hash question = fixture_hash("{}");
    for (int i = 0; i < 4; i++) { // all that Anna may ever spend
        assert_true(asking_send(made, ASKING_ANNA, "{\"v\":1,\"kind\":\"catalogue\"}"));
        asking_charge_last(made, ASKING_ANNA, &question, gw_bytes_of("{}"), 500000, NULL);
    }
    assert_true(ask(made, ASKING_ANNA, "cost", RATE, ",\"epsilon\":\"0.1\""));
    assert_true(ask(made, ASKING_ANNA, "dummy", RATE, ",\"epsilon\":\"0.1\""));
    char path[512];
    snprintf(path, sizeof path, "%s/data/%s/%s.layout", made->ledger_fixture.folder, ASKING_REGISTER, made->data[0]);
    assert_int_equal(remove(path), 0); // no trace of data is left
    asking_restart(made);
    assert_true(ask(made, ASKING_ANNA, "dummy", RATE, ",\"epsilon\":\"0.1\""));
    assert_false(ask(made, ASKING_ANNA, "query", RATE, ",\"epsilon\":\"0.1\""));
    assert_string_equal(made->problem.code, "data_layout");
}

// The refusals that come before the budget, word for word.
static void a_dummy_is_refused_where_the_question_is(void **state) {
    static const struct {
        unsigned who;
        const char *question, *rest, *code;
    } cases[] = {
        {ASKING_ANNA, DATASET "\"indicator\":\"employment_rte\"", ",\"epsilon\":\"0.1\"", "unknown_indicator"},
        {ASKING_ANNA, DATASET "\"measure\":{\"statistic\":\"mean\",\"of\":\"sex\"}", ",\"epsilon\":\"0.1\"",
         "of_needed"},
        {ASKING_ANNA, DATASET "\"measure\":{\"statistic\":\"count\"},\"by\":[\"hair\"]", ",\"epsilon\":\"0.1\"",
         "unknown_concept"},
        {ASKING_ANNA, RATE, ",\"epsilon\":\"0.9\"", "question_max"},
        {ASKING_ANNA, RATE, ",\"epsilon\":\"0.001\"", "question_min"},
        {ASKING_ANNA, RATE, ",\"target_error\":\"0.01\"", "target_error"},
        {ASKING_ANNA, RATE, "", "missing_field"},
        {ASKING_GUEST, RATE, ",\"epsilon\":\"0.1\"", "denied_role"},
        {ASKING_NOBODY, RATE, ",\"epsilon\":\"0.1\"", "unauthenticated"},
        {ASKING_ANNA, "\"dataset\":\"nso.example/nothing\",\"measure\":{\"statistic\":\"count\"}",
         ",\"epsilon\":\"0.1\"", "unknown_dataset"},
    };
    asking *made = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(ask(made, cases[i].who, "query", cases[i].question, cases[i].rest));
        assert_string_equal(made->problem.code, cases[i].code);
        assert_false(ask(made, cases[i].who, "dummy", cases[i].question, cases[i].rest));
        assert_string_equal(made->problem.code, cases[i].code);
    }
    assert_false(ask(made, ASKING_ANNA, "dummy", RATE, ",\"epsilon\":\"0.1\",\"max_cost\":\"0.05\""));
    assert_string_equal(made->problem.code, "max_cost");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(every_kind_of_question_has_a_dummy_that_says_so),
        CASE(household_effects_are_said_in_the_answer),
        CASE(a_script_reads_the_same_figures_again),
        CASE(figures_vary_and_stay_within_what_the_policy_says),
        CASE(neither_data_nor_budget_are_needed),
        CASE(a_dummy_is_refused_where_the_question_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
