// SPDX-License-Identifier: Apache-2.0
// Problems: filled whole, cut at character boundaries, and the nearest word when somebody mistypes.
#include "service/base/problem.h"
#include "tests/support/unit.h"

static void set_fills_everything_and_returns_the_status(void **state) {
    (void)state;
    gw_problem problem;
    memset(&problem, 0xAB, sizeof(problem));
    assert_int_equal(gw_problem_set(&problem, GW_BUDGET, "budget_dataset", "what", "why", "mend"), GW_BUDGET);
    assert_int_equal(problem.status, GW_BUDGET);
    assert_string_equal(problem.code, "budget_dataset");
    assert_string_equal(problem.what, "what");
    assert_string_equal(problem.why, "why");
    assert_string_equal(problem.mend, "mend");
    assert_string_equal(problem.budget, "");
    assert_int_equal(problem.renews, 0);
    assert_int_equal(problem.charged.micro, 0);
    gw_problem_why(&problem, "%d of %s", 3, "five");
    assert_string_equal(problem.why, "3 of five");
    assert_int_equal(gw_problem_set(NULL, GW_IO, "x", "", "", ""), GW_IO);
    gw_problem_what(NULL, "%s", "x");
}

static void a_long_text_is_cut_between_characters(void **state) {
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        char text[400] = "";
        memset(text, 'a', shift);
        for (size_t i = shift; i + 4 < sizeof(text); i += 4)
            memcpy(text + i, "\xf0\x9f\x90\xa6", 5); // a bird of 4 bytes
        gw_problem problem;
        assert_int_equal(gw_problem_set(&problem, GW_INVALID, "x", text, "", ""), GW_INVALID);
        size_t length = strlen(problem.what);
        assert_true(length < sizeof(problem.what));
        assert_int_equal((length - shift) % 4, 0);
        assert_true(length >= sizeof(problem.what) - 5);
    }
}

static void the_nearest_word_is_found(void **state) {
    (void)state;
    const char *const words[] = {"sex", "age_group", "citizenship", "labour_status", "region"};
    assert_string_equal(gw_nearest("citizenhsip", words, 5), "citizenship"); // a swap
    assert_string_equal(gw_nearest("labor_status", words, 5), "labour_status");
    assert_string_equal(gw_nearest("reigon", words, 5), "region");
    assert_string_equal(gw_nearest("sex", words, 5), "sex");
    assert_string_equal(gw_nearest("SEX", words, 5), "sex"); // whatever the case
    const char *const codes[] = {"NAT", "EU_FOR", "NEU_FOR"};
    assert_string_equal(gw_nearest("NEU", codes, 3), "NEU_FOR"); // cut short
    assert_string_equal(gw_nearest("NET", codes, 3), "NAT");
    assert_null(gw_nearest("income", words, 5));
    assert_null(gw_nearest("zz", words, 5));
    assert_null(gw_nearest("", words, 5));
    assert_null(gw_nearest("sex", words, 0));
}

static void a_very_long_word_has_no_neighbour(void **state) {
    (void)state;
    char word[500];
    memset(word, 'x', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    const char *const words[] = {word, "sex"};
    assert_null(gw_nearest(word, words, 2));
    assert_string_equal(gw_nearest("sec", words, 2), "sex");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_fills_everything_and_returns_the_status),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(the_nearest_word_is_found),
        cmocka_unit_test(a_very_long_word_has_no_neighbour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
