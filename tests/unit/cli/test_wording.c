// SPDX-License-Identifier: Apache-2.0
// From words to a question and back, and amounts as people read them.
#include "client/cli/wording.h"
#include "tests/support/unit.h"

static void assert_amount(const char *decimal, const char *expected) {
    char text[GW_AMOUNT_TEXT];
    gw_amount_text(decimal, text);
    assert_string_equal(text, expected);
}

static void amounts_have_two_places_or_more(void **state) {
    (void)state;
    assert_amount("2", "2.00");
    assert_amount("0.5", "0.50");
    assert_amount("1.95", "1.95");
    assert_amount("0.000001", "0.000001");
    assert_amount("?", "?");
}

static void figures_lose_idle_zeros_only(void **state) {
    (void)state;
    static const char *const pairs[][2] = {{"3.0", "3"},      {"0.80", "0.8"},    {"100", "100"},
                                           {"1500", "1,500"}, {"10.05", "10.05"}, {"0.0", "0"}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char text[GW_AMOUNT_TEXT];
        gw_figure_text(pairs[i][0], NULL, text);
        assert_string_equal(text, pairs[i][1]);
    }
    char text[GW_AMOUNT_TEXT];
    const gw_numbers austrian = {.point = ",", .group = ".", .grouping = "\3\3"};
    gw_figure_text("7989.50", &austrian, text);
    assert_string_equal(text, "7.989,5");
}

static void ids_are_short_for_people_and_whole_for_programs(void **state) {
    (void)state;
    char text[GW_ID_HEX];
    gw_id_format("00112233445566778899aabbccddeeff", true, text);
    assert_string_equal(text, "00112233…");
    gw_id_format("00112233445566778899aabbccddeeff", false, text);
    assert_string_equal(text, "00112233445566778899aabbccddeeff");
    gw_id_format("", true, text);
    assert_string_equal(text, "");
}

static void times_are_said_in_utc(void **state) {
    (void)state;
    char text[GW_TIME_TEXT];
    gw_time_format(1795300200, text);
    assert_string_equal(text, "2026-11-21 22:30");
    gw_time_format(0, text);
    assert_string_equal(text, "-");
    char day[GW_DAY_TEXT];
    gw_day_format(1803859200, 1795392000, day); // whole days: a part of one counts as one
    assert_string_equal(day, "1 March 2027 (in 98 days)");
    gw_day_format(1803859200, 1803859199, day);
    assert_string_equal(day, "1 March 2027 (in 1 day)");
    gw_day_format(0, 1795392000, day);
    assert_string_equal(day, "-");
}

typedef struct {
    gw_arena *arena;
    gw_question question;
    gw_problem problem;
    gw_status status;
} read_question;

static read_question question_of(const gw_question_options *options, const char *indicator) {
    read_question r = {.arena = gw_arena_new(1 << 20)};
    gw_words words = {.items = {"register", indicator}, .count = indicator == NULL ? 1 : 2};
    r.status = gw_question_read(options, &words, "nso.example/register", r.arena, &r.question, &r.problem);
    return r;
}

static void a_line_becomes_the_body_it_says(void **state) {
    (void)state;
    const gw_question_options options = {.by = "c_birth,sex",
                                         .epsilon = "0.05",
                                         .where = {.items = {"sex=F,M", "age=20..64", "citizen=NAT"}, .count = 3}};
    read_question r = question_of(&options, "employment_rate");
    assert_int_equal(r.status, GW_OK);
    r.question.kind = GW_KIND_QUERY;
    assert_int_equal(gw_epsilon_parse("0.05", &r.question.max_cost), GW_OK);
    r.question.has_max_cost = true;
    gw_buffer body;
    gw_buffer_init(&body, 65536);
    gw_question_encode(&r.question, &body);
    assert_string_equal(
        gw_buffer_string(&body),
        "{\"v\":1,\"kind\":\"query\",\"dataset\":\"nso.example/register\",\"indicator\":\"employment_rate\","
        "\"where\":[{\"concept\":\"sex\",\"in\":[\"F\",\"M\"]},{\"concept\":\"age\",\"between\":[\"20\",\"64\"]},"
        "{\"concept\":\"citizen\",\"equals\":\"NAT\"}],\"by\":[\"c_birth\",\"sex\"],\"epsilon\":\"0.05\",\"max_cost\":"
        "\"0.05\"}");
    gw_buffer_done(&body);
    gw_arena_free(r.arena);
}

static void a_measure_in_an_indicator_s_place_is_named_as_one(void **state) {
    (void)state;
    const gw_question_options options = {.epsilon = "0.05"};
    read_question r = question_of(&options, "median:age");
    assert_int_equal(r.status, GW_INVALID);
    assert_string_equal(r.problem.code, "unknown_indicator");
    assert_string_equal(r.problem.mend, "--measure median:age");
    gw_arena_free(r.arena);
    r = question_of(&options, "nso:employment_rate"); // any other name is the service's to know
    assert_int_equal(r.status, GW_OK);
    gw_arena_free(r.arena);
}

static void several_tables_are_written_as_they_are_asked(void **state) {
    (void)state;
    static const struct {
        gw_question_options options;
        const char *tables;
    } cases[] = {
        {{.measure = "count", .tables = "sex,c_birth/sex/_T"}, "\"tables\":[[\"sex\",\"c_birth\"],[\"sex\"],[]]"},
        {{.measure = "count", .by = "sex,c_birth,age:work", .up_to = "1"},
         "\"tables\":[[],[\"sex\"],[\"c_birth\"],[\"age:work\"]]"},
        {{.measure = "count", .by = "sex,c_birth", .up_to = "2"},
         "\"tables\":[[],[\"sex\"],[\"c_birth\"],[\"sex\",\"c_birth\"]]"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        read_question r = question_of(&cases[i].options, NULL);
        gw_buffer body;
        assert_int_equal(r.status, GW_OK);
        gw_buffer_init(&body, 65536);
        gw_question_encode(&r.question, &body);
        assert_non_null(strstr(gw_buffer_string(&body), cases[i].tables));
        assert_null(strstr(gw_buffer_string(&body), "\"by\":"));
        gw_buffer_done(&body);
        gw_arena_free(r.arena);
    }
}

static void tables_that_are_no_tables_are_refused_by_what_was_typed(void **state) {
    (void)state;
    static const struct {
        gw_question_options options;
        const char *code;
    } cases[] = {{{.measure = "count", .tables = "sex//c_birth"}, "bad_tables"},
                 {{.measure = "count", .tables = "sex,"}, "bad_tables"},
                 {{.measure = "count", .tables = "sex", .by = "sex"}, "option_twice"},
                 {{.measure = "count", .tables = "sex", .up_to = "2"}, "option_twice"},
                 {{.measure = "count", .up_to = "2"}, "option_value"},
                 {{.measure = "count", .by = "sex", .up_to = "0"}, "option_value"},
                 {{.measure = "count", .by = "sex", .up_to = "12"}, "option_value"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        read_question r = question_of(&cases[i].options, NULL);
        assert_int_not_equal(r.status, GW_OK);
        assert_string_equal(r.problem.code, cases[i].code);
        gw_arena_free(r.arena);
    }
}

static void none_asks_for_one_figure_and_nothing_for_the_default(void **state) {
    (void)state;
    read_question r = question_of(&(gw_question_options){.by = "none"}, "employment_rate");
    assert_int_equal(r.status, GW_OK);
    assert_true(r.question.has_by);
    assert_int_equal(r.question.by_count, 0);
    gw_arena_free(r.arena);
    r = question_of(&(gw_question_options){0}, "employment_rate");
    assert_false(r.question.has_by);
    gw_arena_free(r.arena);
}

static void a_measure_stands_for_an_indicator(void **state) {
    (void)state;
    read_question r = question_of(&(gw_question_options){.measure = "mean:income"}, NULL);
    assert_int_equal(r.status, GW_OK);
    assert_int_equal(r.question.statistic, GW_STATISTIC_MEAN);
    assert_string_equal(r.question.of, "income");
    assert_null(r.question.indicator);
    gw_arena_free(r.arena);
}

static void assert_refused(gw_question_options options, const char *indicator, const char *code) {
    read_question r = question_of(&options, indicator);
    assert_int_equal(r.status, GW_INVALID);
    assert_string_equal(r.problem.code, code);
    gw_arena_free(r.arena);
}

static void lines_that_say_nothing_clear_are_refused(void **state) {
    (void)state;
    static const char *const prices[] = {"0",
                                         "0.0",
                                         "-0.05",
                                         "1e-400",
                                         "1e400",
                                         "NaN",
                                         "inf",
                                         "",
                                         " 1",
                                         "0.0000001",
                                         "0x1",
                                         "1,5",
                                         "99999999999999999999"};
    for (size_t i = 0; i < sizeof(prices) / sizeof(prices[0]); i++)
        assert_refused((gw_question_options){.epsilon = prices[i]}, "rate", "bad_epsilon");
    static const char *const filters[] = {"sex",      "=F",     "sex=",       "sex=F,,M",  "sex=,",       "age=20..",
                                          "age=..64", "age=..", "age=64..20", "age=a..b",  "age=1e1..20", "sex=F F",
                                          "sex=F,F",  "se x=F", "../a=F",     "sex=\u017f"};
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
        assert_refused((gw_question_options){.where = {.items = {filters[i]}, .count = 1}}, "rate", "bad_filter");
    static const char *const sizes[] = {"0", "-5", "1.5", "1e3", "", "x", "100000000001"};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        assert_refused((gw_question_options){.group_size = sizes[i]}, "rate", "option_value");
    static const char *const measures[] = {"medien:income", "mean:", "mean", "count:income", "rate", "mean:a b", ""};
    for (size_t i = 0; i < sizeof(measures) / sizeof(measures[0]); i++)
        assert_refused((gw_question_options){.measure = measures[i]}, NULL, "option_value");
    static const char *const errors[] = {"0", "-3", "3%", "1e3", "", "abc"};
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        assert_refused((gw_question_options){.target_error = errors[i]}, "rate", "bad_target_error");
    assert_refused((gw_question_options){.by = "a,a"}, "rate", "bad_by");
    assert_refused((gw_question_options){.by = "a b"}, "rate", "bad_name");
    assert_refused((gw_question_options){0}, "the rate", "bad_name");
    assert_refused((gw_question_options){.by = "a,,b"}, "rate", "too_many");
    assert_refused((gw_question_options){.by = "a,b,c,d,e,f,g"}, "rate", "too_many");
    assert_refused((gw_question_options){.measure = "count"}, "rate", "words");
    assert_refused((gw_question_options){0}, NULL, "words");
    assert_refused((gw_question_options){.epsilon = "1", .target_error = "3"}, "rate", "option_twice");
}

static void a_refusal_names_the_option_as_it_was_typed(void **state) {
    (void)state;
    read_question r = question_of(&(gw_question_options){.epsilon = "1%"}, "rate");
    assert_string_equal(r.problem.what, "--epsilon \"1%\" is not an amount.");
    assert_string_equal(r.problem.mend, "--epsilon 0.05");
    gw_arena_free(r.arena);
    r = question_of(&(gw_question_options){.measure = "mean"}, NULL);
    assert_string_equal(r.problem.what, "--measure \"mean\" is not a measure.");
    gw_arena_free(r.arena);
    r = question_of(&(gw_question_options){.where = {.items = {"age=64..20"}, .count = 1}}, "rate");
    assert_string_equal(r.problem.what, "I can't read --where age=64..20.");
    gw_arena_free(r.arena);
}

static void a_canonical_question_is_said_in_one_line(void **state) {
    (void)state;
    gw_json *json;
    gw_problem problem;
    gw_buffer text;
    gw_buffer_init(&text, 1024);
    const char *canonical =
        "{\"v\":1,\"dataset\":\"x/r\",\"statistic\":\"rate\",\"indicator\":\"employment_rate\",\"of\":null,"
        "\"where\":[{\"concept\":\"age\",\"between\":[\"20\",\"64\"]},{\"concept\":\"sex\",\"in\":[\"F\",\"M\"]}],"
        "\"by\":[\"c_birth\",\"sex\"],\"epsilon\":\"0.05\"}";
    assert_int_equal(gw_json_parse(gw_bytes_of(canonical), GW_JSON_REPLY, &json, &problem), GW_OK);
    gw_question_say(gw_json_root(json), &text);
    assert_string_equal(gw_buffer_string(&text), "employment_rate by c_birth,sex where age=20..64 and sex=F,M");
    gw_json_free(json);
    gw_buffer_done(&text);
}

static void a_canonical_net_says_what_adds_and_what_takes_away(void **state) {
    (void)state;
    gw_json *json;
    gw_problem problem;
    gw_buffer text;
    gw_buffer_init(&text, 1024);
    const char *canonical = "{\"statistic\":\"net\",\"indicator\":null,\"weighted\":false,"
                            "\"plus\":[{\"concept\":\"direction\",\"equals\":\"ARR\"}],"
                            "\"minus\":[{\"concept\":\"direction\",\"in\":[\"DEP\",\"_U\"]}],"
                            "\"where\":[{\"concept\":\"sex\",\"equals\":\"F\"}],\"by\":[\"citizen\"]}";
    assert_int_equal(gw_json_parse(gw_bytes_of(canonical), GW_JSON_REPLY, &json, &problem), GW_OK);
    gw_question_say(gw_json_root(json), &text);
    assert_string_equal(gw_buffer_string(&text),
                        "net plus direction=ARR minus direction=DEP,_U unweighted by citizen where sex=F");
    gw_json_free(json);
    gw_buffer_done(&text);
}

static void a_command_line_reads_back_in_a_shell(void **state) {
    (void)state;
    gw_buffer text;
    gw_buffer_init(&text, 1024);
    char *argv[] = {(char *)"register", (char *)"--where", (char *)"age=20..64",
                    (char *)"it's",     (char *)"$(x)",    (char *)""};
    gw_command_line("query", 6, argv, &text);
    assert_string_equal(gw_buffer_string(&text), "godwit query register --where age=20..64 'it'\\''s' '$(x)' ''");
    gw_buffer_done(&text);
}

static void a_release_that_names_another_file_is_refused(void **state) {
    (void)state;
    assert_true(gw_release_is_plain("GW-2026-000143"));
    static const char *const bad[] = {
        "",    "../GW-1", "a/b",     ".GW", "GW 1",
        "-GW", "GW\n",    "GW.json", "é",   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(gw_release_is_plain(bad[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_have_two_places_or_more),
        cmocka_unit_test(figures_lose_idle_zeros_only),
        cmocka_unit_test(ids_are_short_for_people_and_whole_for_programs),
        cmocka_unit_test(times_are_said_in_utc),
        cmocka_unit_test(a_line_becomes_the_body_it_says),
        cmocka_unit_test(a_measure_in_an_indicator_s_place_is_named_as_one),
        cmocka_unit_test(several_tables_are_written_as_they_are_asked),
        cmocka_unit_test(tables_that_are_no_tables_are_refused_by_what_was_typed),
        cmocka_unit_test(none_asks_for_one_figure_and_nothing_for_the_default),
        cmocka_unit_test(a_measure_stands_for_an_indicator),
        cmocka_unit_test(lines_that_say_nothing_clear_are_refused),
        cmocka_unit_test(a_refusal_names_the_option_as_it_was_typed),
        cmocka_unit_test(a_canonical_question_is_said_in_one_line),
        cmocka_unit_test(a_canonical_net_says_what_adds_and_what_takes_away),
        cmocka_unit_test(a_command_line_reads_back_in_a_shell),
        cmocka_unit_test(a_release_that_names_another_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
