// SPDX-License-Identifier: Apache-2.0
// The option reader: order is free, every slip has a name and a remedy.
#include "client/cli/options.h"
#include "tests/support/unit.h"

typedef struct {
    bool yes;
    const char *epsilon, *output;
    gw_words where;
} values;
static const gw_option table[] = {
    {"yes", 'y', GW_OPTION_FLAG, offsetof(values, yes), NULL, ""},
    {"epsilon", 0, GW_OPTION_TEXT, offsetof(values, epsilon), "E", ""},
    {"output", 'o', GW_OPTION_TEXT, offsetof(values, output), "FORM", ""},
    {"where", 0, GW_OPTION_LIST, offsetof(values, where), "FILTER", ""},
};

#define READ(values, words, problem, ...) read_line((values), (words), (problem), (const char *[]){__VA_ARGS__, NULL})
static gw_status read_line(values *ret, gw_words *words, gw_problem *problem, const char *const *line) {
    char *argv[2 * GW_WORDS_MAX + 4];
    int argc = 0, read;
    for (; line[argc] != NULL; argc++)
        argv[argc] = (char *)line[argc];
    *ret = (values){0};
    gw_option_set set = {table, sizeof(table) / sizeof(table[0]), ret};
    return gw_options_read(&set, 1, argc, argv, false, words, &read, problem);
}

static void options_and_words_stand_in_any_order(void **state) {
    (void)state;
    values v;
    gw_words words;
    gw_problem problem;
    assert_int_equal(READ(&v, &words, &problem, "register", "--epsilon", "0.05", "rate", "-y", "--where=sex=F",
                          "--where", "age=20..64", "-ocsv"),
                     GW_OK);
    assert_int_equal(words.count, 2);
    assert_string_equal(words.items[0], "register");
    assert_string_equal(words.items[1], "rate");
    assert_string_equal(v.epsilon, "0.05");
    assert_string_equal(v.output, "csv");
    assert_true(v.yes);
    assert_int_equal(v.where.count, 2);
    assert_string_equal(v.where.items[0], "sex=F");
    assert_string_equal(v.where.items[1], "age=20..64");
}

static void two_dashes_end_the_options(void **state) {
    (void)state;
    values v;
    gw_words words;
    gw_problem problem;
    assert_int_equal(READ(&v, &words, &problem, "--", "--yes", "-y"), GW_OK);
    assert_int_equal(words.count, 2);
    assert_string_equal(words.items[0], "--yes");
    assert_false(v.yes);
    assert_int_equal(READ(&v, &words, &problem, "-"), GW_OK);
    assert_string_equal(words.items[0], "-");
}

static void assert_refused(const char *code, const char *mend_part, const char *const *line) {
    values v;
    gw_words words;
    gw_problem problem;
    assert_int_equal(read_line(&v, &words, &problem, line), GW_INVALID);
    assert_string_equal(problem.code, code);
    if (mend_part != NULL)
        assert_non_null(strstr(problem.mend, mend_part));
}
#define REFUSED(code, mend_part, ...) assert_refused((code), (mend_part), (const char *[]){__VA_ARGS__, NULL})

static void every_slip_has_a_name_and_a_remedy(void **state) {
    (void)state;
    REFUSED("unknown_option", "--epsilon", "--epsilom", "1");
    REFUSED("unknown_option", "--epsilon", "--epsilon2=1");
    REFUSED("unknown_option", "--help", "--frobnicate");
    REFUSED("unknown_option", NULL, "-x");
    REFUSED("option_value", "--epsilon E", "--epsilon");
    REFUSED("option_value", NULL, "--yes=1");
    REFUSED("option_value", NULL, "-yes");
    REFUSED("option_twice", NULL, "--epsilon", "1", "--epsilon", "2");
}

// An abbreviation that works today would change its meaning when an option is added.
static void abbreviations_are_not_taken(void **state) {
    (void)state;
    REFUSED("unknown_option", "--epsilon", "--epsilo", "1");
}

static void a_value_may_look_like_an_option(void **state) {
    (void)state;
    values v;
    gw_words words;
    gw_problem problem;
    assert_int_equal(READ(&v, &words, &problem, "--epsilon", "-1", "--where", "--yes"), GW_OK);
    assert_string_equal(v.epsilon, "-1");
    assert_string_equal(v.where.items[0], "--yes");
    assert_false(v.yes);
}

static void lists_and_words_have_a_bound(void **state) {
    (void)state;
    const char *line[2 * GW_WORDS_MAX + 4] = {0};
    for (size_t i = 0; i <= GW_WORDS_MAX; i++) {
        line[2 * i] = "--where";
        line[2 * i + 1] = "a=b";
    }
    assert_refused("too_many_words", NULL, line);
    memset(line, 0, sizeof(line));
    for (size_t i = 0; i <= GW_WORDS_MAX; i++)
        line[i] = "word";
    assert_refused("too_many_words", NULL, line);
}

static void reading_stops_before_the_first_word_when_told(void **state) {
    (void)state;
    values v = {0};
    gw_words words;
    gw_problem problem;
    int read;
    char *argv[] = {(char *)"-y", (char *)"cost", (char *)"--unknown"};
    gw_option_set set = {table, sizeof(table) / sizeof(table[0]), &v};
    assert_int_equal(gw_options_read(&set, 1, 3, argv, true, &words, &read, &problem), GW_OK);
    assert_int_equal(read, 1);
    assert_true(v.yes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_words_stand_in_any_order),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(every_slip_has_a_name_and_a_remedy),
        cmocka_unit_test(abbreviations_are_not_taken),
        cmocka_unit_test(a_value_may_look_like_an_option),
        cmocka_unit_test(lists_and_words_have_a_bound),
        cmocka_unit_test(reading_stops_before_the_first_word_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
