// SPDX-License-Identifier: Apache-2.0
// Story: two registers of one population. What is spent on one is gone for the other, a refusal names the budget that
// is short, everybody sees their own spending and nobody another's, and a lowered total freezes what was spent.
#include "tests/support/spending.h"
#include "tests/support/unit.h"

#define SURVEY "test.example/survey"
#define REGISTER TEST_DATASET
#define WINDOW_SECONDS (30 * 86400)

typedef struct {
    test_daemon daemon;
    gw_profile first, second;
    spending spending;
    unsigned versions[2]; // of register and survey
} story;

static void replace(const gw_buffer *text, const char *from, const char *to, gw_buffer *ret) {
    const char *rest = gw_buffer_string(text);
    for (const char *at; (at = strstr(rest, from)) != NULL; rest = at + strlen(from)) {
        gw_buffer_append(ret, rest, (size_t)(at - rest));
        gw_buffer_text(ret, to);
    }
    gw_buffer_text(ret, rest);
}

// A policy of register or survey with this lifetime; every principal has 0.5, and a window of 30 days 2.
static void policy(story *it, bool is_survey, const char *lifetime) {
    gw_buffer text, windowed, named;
    gw_buffer_init(&text, 65536);
    gw_buffer_init(&windowed, 65536);
    gw_buffer_init(&named, 65536);
    test_people_policy(++it->versions[is_survey], (test_budget){lifetime, "0.5", "0.01", "0.5"}, &text);
    replace(&text, "\"question_min\"", "\"window\":{\"days\":30,\"epsilon\":\"0.7\"},\"question_min\"", &windowed);
    replace(&windowed, TEST_DATASET, is_survey ? SURVEY : REGISTER, &named);
    test_daemon_policy(&it->daemon, gw_buffer_string(&named));
    gw_buffer_done(&text);
    gw_buffer_done(&windowed);
    gw_buffer_done(&named);
}

static int begin(void **state) {
    story *it = calloc(1, sizeof *it);
    char path[TEST_PATH_MAX + 16];
    assert_non_null(it);
    test_daemon_init(&it->daemon);
    test_daemon_start(&it->daemon);
    test_daemon_population(&it->daemon, TEST_POPULATION, "1");
    snprintf(path, sizeof path, "%s/people.csv", it->daemon.folder);
    assert_true(test_people_write(path, 300));
    for (int i = 0; i < 2; i++) {
        policy(it, i == 1, "0.9");
        test_daemon_load(&it->daemon, i == 1 ? SURVEY : REGISTER, path);
    }
    test_daemon_principal(&it->daemon, "researcher", &it->first);
    test_daemon_principal(&it->daemon, "researcher", &it->second);
    *state = it;
    return 0;
}

static int end(void **state) {
    story *it = *state;
    spending_done(&it->spending);
    test_daemon_done(&it->daemon);
    free(it);
    return 0;
}

static void assert_spent(story *it, const gw_profile *who, const char *dataset, const char *kind, const char *spent) {
    const gw_json_node *node = spending_balance(&it->spending, who, dataset, kind);
    assert_string_equal(gw_json_string(gw_json_member(node, "spent")), spent);
}

static void spending_on_one_register_shows_on_the_other(void **state) {
    story *it = *state;
    assert_string_equal(spending_ask(&it->spending, &it->first, REGISTER, "0.4").code, "");
    assert_spent(it, &it->first, REGISTER, "dataset", "0.4");
    assert_spent(it, &it->first, SURVEY, "dataset", "0");
    assert_spent(it, &it->first, SURVEY, "population", "0.4");
    assert_spent(it, &it->first, SURVEY, "principal", "0");
    const gw_json_node *last = gw_json_member(gw_json_root(it->spending.document), "last_cost");
    assert_int_equal(gw_json_type_of(last), GW_JSON_NULL); // nothing was asked there yet
}

static void everybody_has_their_own_and_sees_no_others(void **state) {
    story *it = *state;
    assert_spent(it, &it->first, REGISTER, "principal", "0.4");
    assert_spent(it, &it->second, REGISTER, "principal", "0");
    assert_spent(it, &it->second, REGISTER, "dataset", "0.4");
    gw_problem problem = spending_ask(&it->spending, &it->first, REGISTER, "0.2");
    assert_string_equal(problem.code, "budget_principal");
    assert_int_equal(problem.remaining.micro, 100000);
    assert_int_equal(problem.charged.micro, 0);
    assert_string_equal(spending_ask(&it->spending, &it->second, REGISTER, "0.2").code, "");
    assert_spent(it, &it->first, REGISTER, "principal", "0.4");
    assert_spent(it, &it->first, REGISTER, "dataset", "0.6");
}

static void a_full_window_says_when_it_renews(void **state) {
    story *it = *state;
    gw_problem problem = spending_ask(&it->spending, &it->second, REGISTER, "0.2");
    assert_string_equal(problem.code, "budget_window");
    assert_int_equal(problem.remaining.micro, 100000);
    const gw_json_node *window = spending_balance(&it->spending, &it->second, REGISTER, "window");
    const int64_t renews = gw_json_integer(gw_json_member(window, "renews"));
    const int64_t now = gw_json_integer(gw_json_member(gw_json_root(it->spending.document), "time"));
    assert_int_equal(problem.renews, renews);
    assert_true(renews > now && renews - now <= WINDOW_SECONDS);
    assert_int_equal(renews % WINDOW_SECONDS, 0);
}

static void a_refusal_names_the_population(void **state) {
    story *it = *state;
    assert_string_equal(spending_ask(&it->spending, &it->first, SURVEY, "0.3").code, "");
    // The survey itself has 0.6 left, its window 0.4, Bela 0.5: the people behind it have 0.1.
    gw_problem problem = spending_ask(&it->spending, &it->second, SURVEY, "0.2");
    assert_string_equal(problem.code, "budget_population");
    assert_string_equal(problem.budget, "population");
    assert_int_equal(problem.remaining.micro, 100000);
    assert_spent(it, &it->second, REGISTER, "population", "0.9");
    assert_spent(it, &it->second, SURVEY, "dataset", "0.3");
}

static void a_lowered_total_freezes_and_a_raised_one_goes_on(void **state) {
    story *it = *state;
    test_daemon_population(&it->daemon, TEST_POPULATION, "5");
    policy(it, true, "0.7");  // the principal's and the window's stay; 0.3 of this is spent
    policy(it, false, "0.5"); // 0.6 is spent
    const gw_json_node *node = spending_balance(&it->spending, &it->first, REGISTER, "dataset");
    assert_string_equal(gw_json_string(gw_json_member(node, "total")), "0.5");
    assert_string_equal(gw_json_string(gw_json_member(node, "spent")), "0.6");
    assert_string_equal(gw_json_string(gw_json_member(node, "remaining")), "0"); // never below
    gw_problem problem = spending_ask(&it->spending, &it->first, REGISTER, "0.01");
    assert_string_equal(problem.code, "budget_dataset");
    assert_int_equal(problem.remaining.micro, 0);
    policy(it, false, "0.9");
    node = spending_balance(&it->spending, &it->first, REGISTER, "dataset");
    assert_string_equal(gw_json_string(gw_json_member(node, "remaining")), "0.3"); // a new version is no new budget
    assert_string_equal(spending_ask(&it->spending, &it->second, REGISTER, "0.1").code, "");
    gw_audit_verdict verdict;
    test_daemon_verify(&it->daemon, &verdict);
    assert_int_equal(test_daemon_spent(&it->daemon, REGISTER), 700000);
    assert_int_equal(test_daemon_spent(&it->daemon, SURVEY), 300000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spending_on_one_register_shows_on_the_other),
        cmocka_unit_test(everybody_has_their_own_and_sees_no_others),
        cmocka_unit_test(a_full_window_says_when_it_renews),
        cmocka_unit_test(a_refusal_names_the_population),
        cmocka_unit_test(a_lowered_total_freezes_and_a_raised_one_goes_on),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
