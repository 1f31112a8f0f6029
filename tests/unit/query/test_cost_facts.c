// SPDX-License-Identifier: Apache-2.0
// Prices: error by group size, what else could be asked, targets out of reach, baskets and their budgets; and what the
// budget reply tells.
#include "service/query/quotes.h"
#include "tests/unit/query/asking_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COST(rest) "{\"v\":1,\"kind\":\"cost\",\"dataset\":\"" ASKING_REGISTER "\"," rest "}"
#define RATE "\"indicator\":\"employment_rate\",\"by\":[\"sex\",\"c_birth\"]"
#define RATIO "\"measure\":{\"statistic\":\"ratio\",\"of\":\"income\",\"over\":\"age\"},\"by\":[]"
#define COUNT "\"measure\":{\"statistic\":\"count\"},\"by\":[\"sex\"]"

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

static const gw_json_node *at(const asking *made, const char *name) {
    return gw_json_member(gw_json_root(made->document), name);
}
static const char *text(const gw_json_node *object, const char *name) {
    const gw_json_node *node = gw_json_member(object, name);
    return node && gw_json_type_of(node) == GW_JSON_STRING ? gw_json_string(node) : "";
}
static double number(const gw_json_node *object, const char *name) {
    return strtod(text(object, name), NULL);
}
static int64_t integer(const gw_json_node *object, const char *name) {
    const gw_json_node *node = gw_json_member(object, name);
    return node ? gw_json_integer(node) : -1;
}
static void must_answer(asking *made, unsigned who, const char *body) {
    if (!asking_send(made, who, body))
        fail_msg("%s: %s %s %s", body, made->problem.code, made->problem.what, made->problem.why);
}
static void must_refuse(asking *made, unsigned who, const char *body, const char *code) {
    if (asking_send(made, who, body))
        fail_msg("answered: %s", body);
    assert_string_equal(made->problem.code, code);
}

static void a_rates_error_is_told_for_small_typical_and_large_groups(void **state) {
    asking *made = *state;
    must_answer(made, ASKING_ANNA, COST(RATE ",\"epsilon\":\"0.05\",\"group_size\":2000"));
    const gw_json_node *error = at(made, "error");
    assert_string_equal(text(error, "unit"), "points");
    assert_int_equal(integer(error, "group_size"), 2000);
    const gw_json_node *groups = gw_json_member(error, "groups");
    assert_int_equal(gw_json_count(groups), 3);
    static const int64_t sizes[] = {200, 2000, 20000};
    double before = 1000;
    size_t i = 0;
    for (const gw_json_node *group = gw_json_first(groups); group; group = gw_json_next(group), i++) {
        assert_int_equal(integer(group, "group_size"), sizes[i]);
        assert_true(number(group, "half_width_95") < before);
        before = number(group, "half_width_95");
    }
    assert_string_equal(text(error, "half_width_95"), text(gw_json_next(gw_json_first(groups)), "half_width_95"));
}

static const gw_json_node *instead(const asking *made, const char *change) {
    for (const gw_json_node *node = gw_json_first(at(made, "instead")); node; node = gw_json_next(node))
        if (strcmp(text(node, "change"), change) == 0)
            return node;
    return NULL;
}

static void alternatives_have_their_price_and_error(void **state) {
    asking *made = *state;
    must_answer(made, ASKING_ANNA, COST(RATE ",\"epsilon\":\"0.05\",\"group_size\":15000"));
    double error = number(at(made, "error"), "half_width_95");
    assert_string_equal(text(instead(made, "half_error"), "epsilon"), "0.1");
    assert_true(number(instead(made, "half_error"), "half_width_95") < 0.6 * error);
    assert_string_equal(text(instead(made, "double_error"), "epsilon"), "0.025");
    assert_true(number(instead(made, "double_error"), "half_width_95") > 1.8 * error);
    const gw_json_node *fewer = instead(made, "fewer_breakdowns");
    assert_string_equal(text(fewer, "without"), "c_birth"); // the finest
    assert_string_equal(text(fewer, "epsilon"), "0.05");
    assert_true(number(fewer, "half_width_95") < error);
    assert_int_equal(integer(instead(made, "larger_group"), "group_size"), 150000);
}

static void with_a_target_larger_groups_cost_less(void **state) {
    asking *made = *state;
    must_answer(made, ASKING_ANNA, COST(RATE ",\"target_error\":\"3\",\"group_size\":1500"));
    double price = number(gw_json_root(made->document), "price");
    assert_true(price > 0.03 && price < 0.1);
    assert_true(number(at(made, "error"), "half_width_95") <= 3.0);
    assert_true(number(instead(made, "larger_group"), "epsilon") < price);
    assert_true(number(instead(made, "larger_group"), "half_width_95") <= 3.0);
}

// Where noise may hide the divisor there is no range, at any price a question may have: nothing is written for it.
static void a_ratio_of_a_few_people_has_no_error_to_tell(void **state) {
    asking *made = *state;
    must_answer(made, ASKING_ANNA, COST(RATIO ",\"epsilon\":\"0.05\",\"group_size\":2000"));
    const gw_json_node *error = at(made, "error"), *group = gw_json_first(gw_json_member(error, "groups"));
    assert_true(number(error, "half_width_95") > 0);
    assert_int_equal(integer(group, "group_size"), 200);
    assert_int_equal(gw_json_type_of(gw_json_member(group, "half_width_95")), GW_JSON_NULL);
    must_refuse(made, ASKING_ANNA, COST(RATIO ",\"target_error\":\"5\",\"group_size\":3"), "target_error");
    assert_non_null(strstr(made->problem.why, "bounds no error for a group of 3 people"));
    assert_null(strstr(made->problem.mend, "inf"));
}

static void alternatives_stay_within_what_one_question_may_cost(void **state) {
    asking *made = *state;
    must_answer(made, ASKING_ANNA, COST(RATE ",\"epsilon\":\"0.5\""));
    assert_null(instead(made, "half_error"));
    assert_non_null(instead(made, "double_error"));
    must_answer(made, ASKING_ANNA, COST(RATE ",\"epsilon\":\"0.01\""));
    assert_null(instead(made, "double_error"));
}

static void a_counts_error_is_the_same_for_every_group(void **state) {
    asking *made = *state;
    must_answer(made, ASKING_ANNA, COST(COUNT ",\"epsilon\":\"0.1\""));
    const gw_json_node *error = at(made, "error"), *group = gw_json_first(gw_json_member(error, "groups"));
    assert_string_equal(text(error, "unit"), "persons");
    assert_false(gw_json_bool(gw_json_member(error, "depends_on_group")));
    for (; group; group = gw_json_next(group))
        assert_string_equal(text(group, "half_width_95"), text(error, "half_width_95"));
    assert_null(instead(made, "larger_group"));
    assert_null(instead(made, "fewer_breakdowns"));
}

// The unit is what is counted; the noise of weighted figures is that of the largest weight, and is said to be.
static void sums_nets_and_weights_say_their_unit(void **state) {
    asking *made = *state;
    must_answer(made, ASKING_ANNA,
                COST("\"measure\":{\"statistic\":\"sum\",\"of\":\"fee\"},\"by\":[],\"epsilon\":\"0.1\""));
    assert_string_equal(text(at(made, "error"), "unit"), "EUR");
    assert_string_equal(text(at(made, "error"), "weight_max"), "40");
    assert_string_equal(text(at(made, "protection"), "bounds"), "clamp-total");
    assert_string_equal(text(at(made, "protection"), "total"), "800"); // of the values, whatever the weights
    double weighted = number(at(made, "error"), "half_width_95");
    must_answer(
        made, ASKING_ANNA,
        COST("\"measure\":{\"statistic\":\"sum\",\"of\":\"fee\"},\"by\":[],\"weighted\":false,\"epsilon\":\"0.1\""));
    assert_string_equal(text(at(made, "error"), "weight_max"), "");
    double plain = number(at(made, "error"), "half_width_95");
    assert_true(weighted > 39 * plain && weighted < 41 * plain);
    must_answer(
        made, ASKING_ANNA,
        COST("\"measure\":{\"statistic\":\"net\",\"table\":\"permits\",\"plus\":[{\"concept\":\"reason\",\"in\":["
             "\"EMP\"]}],\"minus\":[{\"concept\":\"reason\",\"in\":[\"FAM\"]}]},\"by\":[],\"weighted\":false,"
             "\"epsilon\":\"0.1\""));
    assert_string_equal(text(at(made, "error"), "unit"), "rows");
    must_answer(made, ASKING_ANNA,
                COST("\"measure\":{\"statistic\":\"count\",\"table\":\"permits\",\"per\":\"person\"},\"by\":[],"
                     "\"epsilon\":\"0.1\""));
    assert_string_equal(text(at(made, "error"), "unit"), "persons");
}

// An error that is met below the least price costs the least price.
static void a_loose_target_costs_the_least_there_is(void **state) {
    asking *made = *state;
    must_answer(made, ASKING_ANNA, COST(RATE ",\"target_error\":\"20\",\"group_size\":100000"));
    assert_string_equal(asking_text(made, "price"), "0.01");
    assert_true(number(at(made, "error"), "half_width_95") < 20);
}

// The figures of the refusal must hold: what it offers is answered.
static void a_target_out_of_reach_says_what_is_in_reach(void **state) {
    asking *made = *state;
    static const char *const kinds[] = {"cost", "query"};
    for (size_t i = 0; i < 2; i++) {
        char body[1024];
        snprintf(body, sizeof body,
                 "{\"v\":1,\"kind\":\"%s\",\"dataset\":\"" ASKING_REGISTER "\"," RATE
                 ",\"target_error\":\"0.1\",\"group_size\":1000}",
                 kinds[i]);
        must_refuse(made, ASKING_ANNA, body, "target_error");
        const char *reach = strstr(made->problem.why, "±"), *size = strstr(made->problem.why, "Groups of ");
        assert_non_null(reach);
        assert_non_null(size);
        char smallest[32], again[1024];
        assert_int_equal(sscanf(reach + strlen("±"), "%31[0-9.]", smallest), 1);
        unsigned long group = strtoul(size + 10, NULL, 10);
        snprintf(again, sizeof again, COST(RATE ",\"target_error\":\"%s\",\"group_size\":1000"), smallest);
        must_answer(made, ASKING_ANNA, again);
        snprintf(again, sizeof again, COST(RATE ",\"target_error\":\"0.1\",\"group_size\":%lu"), group);
        must_answer(made, ASKING_ANNA, again);
    }
    must_refuse(made, ASKING_ANNA, COST(COUNT ",\"target_error\":\"1\""), "target_error");
    assert_null(strstr(made->problem.why, "Groups of")); // no group makes a count more exact
}

#define BASKET(questions) "{\"v\":1,\"kind\":\"cost\",\"questions\":[" questions "]}"
#define IN(dataset, rest) "{\"dataset\":\"" dataset "\"," rest "}"

static const gw_json_node *element(const asking *made, size_t index) {
    const gw_json_node *node = gw_json_first(at(made, "quotes"));
    for (; index > 0 && node; index--)
        node = gw_json_next(node);
    return node;
}

static const gw_json_node *balance(const asking *made, const char *kind, const char *dataset, size_t *ret_count) {
    const gw_json_node *found = NULL;
    *ret_count = 0;
    for (const gw_json_node *node = gw_json_first(at(made, "balances")); node; node = gw_json_next(node))
        if (strcmp(text(node, "budget"), kind) == 0 && strcmp(text(node, "dataset"), dataset) == 0) {
            found = node;
            (*ret_count)++;
        }
    return found;
}

static void a_basket_charges_each_budget_once_for_all_its_questions(void **state) {
    asking *made = *state;
    size_t count;
    must_answer(made, ASKING_ANNA,
                BASKET(IN(ASKING_REGISTER, COUNT ",\"epsilon\":\"0.1\"") "," IN(
                    ASKING_SURVEY, COUNT ",\"epsilon\":\"0.2\"") "," IN(ASKING_REGISTER, RATE ",\"epsilon\":\"0.3\"")));
    assert_string_equal(asking_text(made, "price"), "0.6");
    assert_string_equal(text(balance(made, "dataset", ASKING_REGISTER, &count), "after"), "2.6");
    assert_string_equal(text(balance(made, "dataset", ASKING_SURVEY, &count), "after"), "2.8");
    assert_string_equal(text(balance(made, "principal", ASKING_REGISTER, &count), "after"), "1.6");
    assert_string_equal(text(balance(made, "principal", ASKING_SURVEY, &count), "after"), "1.8");
    assert_string_equal(text(balance(made, "window", ASKING_REGISTER, &count), "after"), "2.6");
    assert_string_equal(text(balance(made, "population", FIXTURE_POPULATION, &count), "after"), "3.4");
    assert_int_equal(count, 1); // two registers, one population
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(integer(element(made, i), "place"), (int64_t)i + 1);
}

static void equal_questions_of_a_basket_cost_once(void **state) {
    asking *made = *state;
    must_answer(
        made, ASKING_ANNA,
        BASKET(IN(ASKING_REGISTER, RATE ",\"epsilon\":\"0.1\"") "," IN(
            ASKING_REGISTER, "\"indicator\":\"employment_rate\",\"by\":[\"c_birth\",\"sex\"],\"epsilon\":\"0.10\"")));
    assert_string_equal(asking_text(made, "price"), "0.1");
    assert_int_equal(integer(element(made, 0), "same_as"), -1);
    assert_int_equal(integer(element(made, 1), "same_as"), 1);
    assert_string_equal(text(element(made, 0), "question"), text(element(made, 1), "question"));
}

static void a_refused_question_leaves_the_others_priced(void **state) {
    asking *made = *state;
    must_answer(
        made, ASKING_ANNA,
        BASKET(IN(ASKING_REGISTER, "\"indicator\":\"employment_rte\",\"epsilon\":\"0.1\"") "," IN(
            ASKING_REGISTER, COUNT ",\"epsilon\":\"0.1\"") "," IN(ASKING_REGISTER, COUNT ",\"epsilon\":\"0.9\"")));
    assert_int_equal(integer(gw_json_root(made->document), "refused"), 2);
    assert_string_equal(text(gw_json_member(element(made, 0), "problem"), "code"), "unknown_indicator");
    assert_int_equal(integer(element(made, 0), "place"), 1);
    assert_string_equal(text(element(made, 1), "price"), "0.1");
    assert_string_equal(text(gw_json_member(element(made, 2), "problem"), "code"), "question_max");
    assert_int_equal(integer(element(made, 2), "place"), 3);
    assert_string_equal(asking_text(made, "price"), "0.1");
}

static void every_price_a_known_principal_is_told_has_its_quote(void **state) {
    asking *made = *state;
    must_answer(
        made, ASKING_ANNA,
        BASKET(IN(ASKING_REGISTER, COUNT ",\"epsilon\":\"0.1\"") "," IN(ASKING_SURVEY, COUNT ",\"epsilon\":\"0.1\"")));
    for (size_t i = 0; i < 2; i++) {
        const gw_json_node *quote = gw_json_member(element(made, i), "quote");
        assert_non_null(quote);
        assert_int_equal(integer(quote, "expires"), made->now + GW_QUOTE_SECONDS);
    }
    must_answer(made, ASKING_ANNA, COST(COUNT ",\"epsilon\":\"0.1\""));
    assert_non_null(at(made, "quote"));
    must_answer(made, ASKING_NOBODY, COST(COUNT ",\"epsilon\":\"0.1\""));
    assert_null(at(made, "quote"));
    must_answer(made, ASKING_NOBODY, BASKET(IN(ASKING_REGISTER, COUNT ",\"epsilon\":\"0.1\"")));
    assert_null(gw_json_member(element(made, 0), "quote"));
}

#define BUDGET(dataset) "{\"v\":1,\"kind\":\"budget\",\"dataset\":\"" dataset "\"}"

static void the_budget_tells_own_spending_and_the_last_price(void **state) {
    asking *made = *state;
    size_t count;
    const gw_hash question = fixture_hash("{}");
    must_answer(made, ASKING_ANNA, BUDGET(ASKING_REGISTER));
    assert_int_equal(gw_json_type_of(at(made, "last_cost")), GW_JSON_NULL);
    asking_charge_last(made, ASKING_ANNA, &question, gw_bytes_of("{}"), 250000, NULL);
    must_answer(made, ASKING_ANNA, BUDGET(ASKING_REGISTER));
    assert_string_equal(asking_text(made, "last_cost"), "0.25");
    // Bela sees what the dataset and the population have left, and nothing that is Anna's own.
    must_answer(made, ASKING_BELA, BUDGET(ASKING_REGISTER));
    assert_int_equal(gw_json_type_of(at(made, "last_cost")), GW_JSON_NULL);
    assert_null(memmem(made->reply.answer.data, made->reply.answer.size, "0000000000000000000000000000000a", 32));
    must_answer(made, ASKING_BELA, BASKET(IN(ASKING_REGISTER, COUNT ",\"epsilon\":\"0.1\"")));
    assert_string_equal(text(balance(made, "principal", ASKING_REGISTER, &count), "spent"), "0");
    assert_string_equal(text(balance(made, "dataset", ASKING_REGISTER, &count), "spent"), "0.25");
    // And the other register's people are the same people.
    must_answer(made, ASKING_BELA, BASKET(IN(ASKING_SURVEY, COUNT ",\"epsilon\":\"0.1\"")));
    assert_string_equal(text(balance(made, "population", FIXTURE_POPULATION, &count), "spent"), "0.25");
    assert_string_equal(text(balance(made, "dataset", ASKING_SURVEY, &count), "spent"), "0");
}

static void a_window_says_when_it_renews_and_then_does(void **state) {
    asking *made = *state;
    size_t count;
    const gw_hash question = fixture_hash("{}");
    for (int i = 0; i < 2; i++) {
        must_answer(made, ASKING_ANNA, BUDGET(ASKING_REGISTER));
        asking_charge_last(made, ASKING_ANNA, &question, gw_bytes_of("{}"), 500000, NULL);
    }
    must_answer(made, ASKING_ANNA, BASKET(IN(ASKING_REGISTER, COUNT ",\"epsilon\":\"0.1\"")));
    const gw_json_node *window = balance(made, "window", ASKING_REGISTER, &count);
    int64_t renews = integer(window, "renews");
    assert_string_equal(text(window, "spent"), "1");
    assert_true(renews > made->now && renews <= made->now + 365 * 86400);
    made->now = renews;
    must_answer(made, ASKING_ANNA, BASKET(IN(ASKING_REGISTER, COUNT ",\"epsilon\":\"0.1\"")));
    assert_string_equal(text(balance(made, "window", ASKING_REGISTER, &count), "spent"), "0");
    assert_string_equal(text(balance(made, "dataset", ASKING_REGISTER, &count), "spent"), "1"); // for ever
}

// The dataset's total is 2: by epsilon alone 200 questions of 0.01 fit, with the delta 1,122; of 0.1 twenty and eleven.
static void with_a_delta_what_is_left_is_told_in_its_terms(void **state) {
    asking *made = *state;
    size_t count;
    const gw_hash question = fixture_hash("{}");
    made->accounting = "\"zcdp\",\"delta\":\"1e-9\",\"selection_delta\":\"2e-9\"";
    asking_policy(made, 0, "2");
    must_answer(made, ASKING_ANNA, BUDGET(ASKING_REGISTER));
    const gw_json_node *dataset = gw_json_first(at(made, "balances"));
    assert_string_equal(text(dataset, "budget"), "dataset");
    assert_string_equal(text(dataset, "accounting"), "zcdp");
    assert_string_equal(text(dataset, "delta"), "1e-9");
    assert_string_equal(text(dataset, "selection_delta"), "2e-9");
    assert_string_equal(text(dataset, "selection_spent"), "0");
    assert_string_equal(text(dataset, "remaining"), "2");
    assert_null(gw_json_member(dataset, "fits"));                       // of which price?
    assert_string_equal(text(gw_json_next(dataset), "accounting"), ""); // the people's budget is pure
    asking_charge_last(made, ASKING_ANNA, &question, gw_bytes_of("{}"), 10000, NULL);
    must_answer(made, ASKING_ANNA, BUDGET(ASKING_REGISTER));
    dataset = gw_json_first(at(made, "balances"));
    assert_string_equal(text(dataset, "remaining"), "1.99");
    assert_int_equal(integer(dataset, "fits"), 1121);
    must_answer(made, ASKING_ANNA, COST(COUNT ",\"epsilon\":\"0.1\""));
    dataset = gw_json_first(at(made, "balances"));
    assert_int_equal(integer(dataset, "fits"), 19);
    assert_string_equal(text(dataset, "after"), "1.89");
    // Four questions that pass both counts together, and four that do not pass the sum of epsilons.
    must_answer(made, ASKING_ANNA,
                BASKET(IN(ASKING_REGISTER, COUNT ",\"epsilon\":\"0.5\"") "," IN(
                    ASKING_REGISTER,
                    RATE ",\"epsilon\":\"0.5\"") "," IN(ASKING_REGISTER, COUNT
                                                        ",\"epsilon\":\"0.499\"") "," IN(ASKING_REGISTER, RATE
                                                                                         ",\"epsilon\":\"0.499\"")));
    assert_false(gw_json_bool(gw_json_member(balance(made, "dataset", ASKING_REGISTER, &count), "enough")));
    must_answer(made, ASKING_ANNA,
                BASKET(IN(ASKING_REGISTER, COUNT ",\"epsilon\":\"0.5\"") "," IN(
                    ASKING_REGISTER,
                    RATE ",\"epsilon\":\"0.5\"") "," IN(ASKING_REGISTER, COUNT
                                                        ",\"epsilon\":\"0.49\"") "," IN(ASKING_REGISTER,
                                                                                        RATE ",\"epsilon\":\"0.49\"")));
    assert_true(gw_json_bool(gw_json_member(balance(made, "dataset", ASKING_REGISTER, &count), "enough")));
    must_answer(made, ASKING_ANNA, "{\"v\":1,\"kind\":\"describe\",\"dataset\":\"" ASKING_REGISTER "\"}");
    const gw_json_node *accounting = gw_json_member(at(made, "dataset_info"), "accounting");
    assert_string_equal(text(accounting, "kind"), "zcdp");
    assert_string_equal(text(accounting, "delta"), "1e-9");
    assert_string_equal(text(accounting, "question_delta"), "2e-11");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_rates_error_is_told_for_small_typical_and_large_groups),
        CASE(alternatives_have_their_price_and_error),
        CASE(with_a_target_larger_groups_cost_less),
        CASE(a_ratio_of_a_few_people_has_no_error_to_tell),
        CASE(alternatives_stay_within_what_one_question_may_cost),
        CASE(a_counts_error_is_the_same_for_every_group),
        CASE(sums_nets_and_weights_say_their_unit),
        CASE(a_loose_target_costs_the_least_there_is),
        CASE(a_target_out_of_reach_says_what_is_in_reach),
        CASE(a_basket_charges_each_budget_once_for_all_its_questions),
        CASE(equal_questions_of_a_basket_cost_once),
        CASE(a_refused_question_leaves_the_others_priced),
        CASE(every_price_a_known_principal_is_told_has_its_quote),
        CASE(the_budget_tells_own_spending_and_the_last_price),
        CASE(a_window_says_when_it_renews_and_then_does),
        CASE(with_a_delta_what_is_left_is_told_in_its_terms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
