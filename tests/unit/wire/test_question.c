// SPDX-License-Identifier: Apache-2.0
// Questions: every rule of question.h has a body that breaks it, and good bodies come back as they were asked.
#include "service/wire/question.h"
#include "service/base/cleanup.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ARENA_SIZE 262144u

GW_DEFINE_FREEP(gw_json, gw_json_free)
GW_DEFINE_FREEP(gw_arena, gw_arena_free)

// Decodes; the arena and document stay with the caller.
static gw_status decode(const char *text, gw_json **json, gw_arena *arena, gw_question *question, gw_problem *problem) {
    gw_status status = gw_json_parse(gw_bytes_of(text), GW_JSON_REQUEST, json, problem);
    return status == GW_OK ? gw_question_decode(*json, arena, question, problem) : status;
}

static void check_code(const char *text, const char *code) {
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(ARENA_SIZE);
    gw_question question = {0};
    gw_problem problem = {0};
    gw_status status = decode(text, &json, arena, &question, &problem);
    if (strcmp(problem.code, code) != 0)
        print_error("text: %s\ncode: %s\n", text, problem.code);
    assert_int_equal(status, code[0] == '\0' ? GW_OK : GW_INVALID);
    assert_string_equal(problem.code, code);
    if (code[0] == '\0')
        return;
    assert_int_equal(problem.status, GW_INVALID);
    assert_non_null(strstr(problem.why, "request, line 1, column "));
    assert_true(problem.what[0] != '\0');
}

#define Q(rest) "{\"v\":1,\"kind\":\"query\",\"dataset\":\"a.example/b\"," rest "}"
#define I(rest) Q("\"indicator\":\"i\",\"epsilon\":\"0.05\"" rest)
#define W(filter) I(",\"where\":[" filter "]")
#define F(code) "{\"concept\":\"direction\",\"in\":[\"" code "\"]}"
#define M(measure) Q("\"measure\":{" measure "},\"epsilon\":\"1\"")
#define QUOTE(kind, id, rest) "{\"v\":1,\"kind\":\"" kind "\",\"quote\":\"" id "\"" rest "}"
#define BASKET(kind, questions) "{\"v\":1,\"kind\":\"" kind "\",\"questions\":[" questions "]}"
#define ONE "{\"dataset\":\"a/b\",\"indicator\":\"i\",\"by\":[],\"epsilon\":\"0.05\"}"

static void every_rule_refuses_with_its_code(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"[]", "wrong_type"},
        {"\"query\"", "wrong_type"},
        {"null", "wrong_type"},
        {"{}", "missing_field"},
        {"{\"v\":1}", "missing_field"},
        {"{\"v\":2,\"kind\":\"ping\"}", "bad_version"},
        // details of measures, gaps, tables
        {M("\"statistic\":\"variance\",\"of\":\"income\""), ""},
        {M("\"statistic\":\"variance\",\"of\":\"income\",\"per\":\"person\""), ""},
        {M("\"statistic\":\"sd\""), "missing_field"},
        {M("\"statistic\":\"sd\",\"of\":\"income\",\"over\":\"hours\""), "bad_measure"},
        {M("\"statistic\":\"ratio\",\"of\":\"income\""), "bad_measure"},
        {M("\"statistic\":\"ratio\",\"of\":\"income\",\"over\":\"hours\",\"per\":\"person\""), "bad_measure"},
        {M("\"statistic\":\"mean\",\"of\":\"income\",\"bins\":20"), "bad_measure"},
        {M("\"statistic\":\"histogram\",\"of\":\"income\",\"bins\":1"), "out_of_range"},
        {M("\"statistic\":\"histogram\",\"of\":\"income\",\"bins\":65537"), "out_of_range"},
        {M("\"statistic\":\"histogram\",\"of\":\"income\",\"at\":[\"0.5\"]"), "bad_measure"},
        {M("\"statistic\":\"quantile\",\"of\":\"income\""), "bad_measure"},
        {M("\"statistic\":\"quantile\",\"of\":\"income\",\"at\":[]"), "bad_measure"},
        {M("\"statistic\":\"quantile\",\"of\":\"income\",\"at\":[\"0\"]"), "bad_measure"},
        {M("\"statistic\":\"quantile\",\"of\":\"income\",\"at\":[\"1\"]"), "bad_measure"},
        {M("\"statistic\":\"quantile\",\"of\":\"income\",\"at\":[\"0.0000001\"]"), "bad_measure"},
        {M("\"statistic\":\"quantile\",\"of\":\"income\",\"at\":[\"0.5\",\"0.50\"]"), "bad_measure"},
        {M("\"statistic\":\"quantile\",\"of\":\"income\",\"at\":[\"0.5\",\"0.25\"]"), "bad_measure"},
        {M("\"statistic\":\"quantile\",\"of\":\"income\",\"at\":[\"0.2\",\"0.5\"],\"method\":\"pick\""), "bad_measure"},
        {M("\"statistic\":\"quantile\",\"of\":\"income\",\"at\":[\"0.5\"],\"method\":\"guess\""), "bad_measure"},
        {M("\"statistic\":\"mean\",\"of\":\"income\",\"method\":\"tree\""), "bad_measure"},
        {M("\"statistic\":\"poverty\",\"of\":\"income\",\"fraction\":\"0.60\""), ""},
        {M("\"statistic\":\"poverty\",\"of\":\"income\",\"fraction\":\"1\""), "bad_measure"},
        {M("\"statistic\":\"gini\",\"of\":\"income\",\"fraction\":\"0.6\""), "bad_measure"},
        {M("\"statistic\":\"gap\""), "bad_measure"},
        {I(",\"gap\":{\"concept\":\"sex\",\"group\":\"F\",\"reference\":\"M\"}"), ""},
        {I(",\"gap\":{\"concept\":\"sex\",\"group\":\"F\",\"reference\":\"F\"}"), "bad_gap"},
        {I(",\"gap\":{\"concept\":\"sex\",\"group\":\"F\"}"), "missing_field"},
        {I(",\"gap\":{\"concept\":\"s x\",\"group\":\"F\",\"reference\":\"M\"}"), "bad_name"},
        {I(",\"gap\":{\"concept\":\"sex\",\"group\":\"F\",\"reference\":\"M\",\"of\":\"rate\"}"), "unknown_field"},
        {I(",\"gap\":\"sex\""), "wrong_type"},
        {I(",\"tables\":[[\"sex\"],[]]"), ""},
        {I(",\"tables\":[]"), "bad_tables"},
        {I(",\"tables\":[\"sex\"]"), "bad_tables"},
        {I(",\"tables\":[[\"sex\"]],\"by\":[\"sex\"]"), "bad_tables"},
        {"{\"v\":\"1\",\"kind\":\"ping\"}", "bad_version"},
        {"{\"v\":1,\"kind\":\"quer\"}", "unknown_kind"},
        {"{\"v\":1,\"kind\":\"QUERY\"}", "unknown_kind"},
        {"{\"v\":1,\"kind\":\"survey\"}", "unknown_kind"},
        {"{\"v\":1,\"kind\":1}", "wrong_type"},
        {"{\"v\":1,\"knid\":\"ping\"}", "unknown_field"},
        {"{\"v\":1,\"kind\":\"ping\",\"dataset\":\"a/b\"}", "unknown_field"},
        {"{\"v\":1,\"kind\":\"budget\"}", "missing_field"},
        {"{\"v\":1,\"kind\":\"describe\",\"dataset\":\"\"}", "bad_name"},
        {"{\"v\":1,\"kind\":\"history\",\"all\":1}", "wrong_type"},
        {"{\"v\":1,\"kind\":\"admin\"}", "missing_field"},
        {"{\"v\":1,\"kind\":\"admin\",\"action\":1}", "wrong_type"},
        // Names.
        {"{\"v\":1,\"kind\":\"budget\",\"dataset\":\"n\xD1\x95o/register\"}", "bad_name"}, // Cyrillic s
        {"{\"v\":1,\"kind\":\"budget\",\"dataset\":\"nso/\\u202Eregister\"}", "bad_name"},
        {"{\"v\":1,\"kind\":\"budget\",\"dataset\":\"nso/a\\nb\"}", "bad_name"},
        {"{\"v\":1,\"kind\":\"budget\",\"dataset\":\"nso/a b\"}", "bad_name"},
        {"{\"v\":1,\"kind\":\"budget\",\"dataset\":\"nso/a\\u0000b\"}", "json_encoding"},
        {"{\"v\":1,\"kind\":\"budget\",\"dataset\":\"../b\"}", "bad_name"},
        {"{\"v\":1,\"kind\":\"budget\",\"dataset\":\"a/../b\"}", "bad_name"},
        {"{\"v\":1,\"kind\":\"budget\",\"dataset\":\"/etc\"}", "bad_name"},
        {"{\"v\":1,\"kind\":\"budget\",\"dataset\":\"a//b\"}", "bad_name"},
        {"{\"v\":1,\"kind\":\"budget\",\"dataset\":\"a/\"}", "bad_name"},
        {"{\"v\":1,\"kind\":\"budget\",\"dataset\":\"a'b\"}", "bad_name"},
        {"{\"v\":1,\"kind\":\"budget\",\"dataset\":7}", "wrong_type"},
        // Prices.
        {Q("\"indicator\":\"i\",\"epsilon\":\"0\""), "bad_epsilon"},
        {Q("\"indicator\":\"i\",\"epsilon\":\"0.000000\""), "bad_epsilon"},
        {Q("\"indicator\":\"i\",\"epsilon\":\"-0\""), "bad_epsilon"},
        {Q("\"indicator\":\"i\",\"epsilon\":\"-0.1\""), "bad_epsilon"},
        {Q("\"indicator\":\"i\",\"epsilon\":\"1e-400\""), "bad_epsilon"},
        {Q("\"indicator\":\"i\",\"epsilon\":\"1e400\""), "bad_epsilon"},
        {Q("\"indicator\":\"i\",\"epsilon\":\"NaN\""), "bad_epsilon"},
        {Q("\"indicator\":\"i\",\"epsilon\":\"inf\""), "bad_epsilon"},
        {Q("\"indicator\":\"i\",\"epsilon\":\"cheap\""), "bad_epsilon"},
        {Q("\"indicator\":\"i\",\"epsilon\":\"\""), "bad_epsilon"},
        {Q("\"indicator\":\"i\",\"epsilon\":\"0.0000001\""), "bad_epsilon"},
        {Q("\"indicator\":\"i\",\"epsilon\":\"99999999999999999999\""), "bad_epsilon"},
        {Q("\"indicator\":\"i\",\"epsilon\":1"), "bad_epsilon"},
        {Q("\"indicator\":\"i\",\"epsilon\":0"), "bad_epsilon"},
        {Q("\"indicator\":\"i\",\"epsilon\":null"), "bad_epsilon"},
        {Q("\"indicator\":\"i\",\"epsilon\":0.05"), "json_number"},
        {Q("\"indicator\":\"i\",\"epsilon\":1e-400"), "json_number"},
        {Q("\"indicator\":\"i\""), "missing_field"},
        {Q("\"indicator\":\"i\",\"epsilon\":\"1\",\"target_error\":\"3\""), "bad_target_error"},
        {Q("\"indicator\":\"i\",\"target_error\":\"0\""), "bad_target_error"},
        {Q("\"indicator\":\"i\",\"target_error\":\"-3\""), "bad_target_error"},
        {Q("\"indicator\":\"i\",\"target_error\":\"3%\""), "bad_target_error"},
        {Q("\"indicator\":\"i\",\"target_error\":3"), "wrong_type"},
        {Q("\"indicator\":\"i\",\"target_error\":\"3\",\"group_size\":0"), "out_of_range"},
        {Q("\"indicator\":\"i\",\"target_error\":\"3\",\"group_size\":-5"), "out_of_range"},
        {Q("\"indicator\":\"i\",\"target_error\":\"3\",\"group_size\":\"9\""), "wrong_type"},
        {I(",\"max_cost\":\"-1\""), "bad_epsilon"},
        {"{\"v\":1,\"kind\":\"cost\",\"dataset\":\"a/b\",\"indicator\":\"i\",\"epsilon\":\"0\"}", "bad_epsilon"},
        // What.
        {Q("\"epsilon\":\"1\""), "missing_field"},
        {Q("\"indicator\":\"i\",\"measure\":{\"statistic\":\"count\"},\"epsilon\":\"1\""), "bad_measure"},
        {Q("\"measure\":\"count\",\"epsilon\":\"1\""), "wrong_type"},
        {Q("\"measure\":{},\"epsilon\":\"1\""), "missing_field"},
        {Q("\"measure\":{\"statistic\":\"median\"},\"epsilon\":\"1\""), "bad_measure"},
        {Q("\"measure\":{\"statistic\":\"rate\"},\"epsilon\":\"1\""), "bad_measure"},
        {Q("\"measure\":{\"statistic\":\"mean\"},\"epsilon\":\"1\""), "missing_field"},
        {Q("\"measure\":{\"statistic\":\"count\",\"of\":\"income\"},\"epsilon\":\"1\""), "bad_measure"},
        {Q("\"measure\":{\"statistic\":\"count\",\"noise\":\"0\"},\"epsilon\":\"1\""), "unknown_field"},
        {Q("\"indicator\":null,\"epsilon\":\"1\""), "wrong_type"},
        {I(",\"eps\":1"), "unknown_field"},
        // By.
        {I(",\"by\":\"sex\""), "wrong_type"},
        {I(",\"by\":[\"sex\",\"sex\"]"), "bad_by"},
        {I(",\"by\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\"]"), "too_many"},
        {I(",\"by\":[1]"), "wrong_type"},
        {I(",\"by\":[\"\"]"), "bad_name"},
        // Where.
        {I(",\"where\":{}"), "wrong_type"},
        {W("1"), "wrong_type"},
        {W("{}"), "missing_field"},
        {W("{\"concept\":\"sex\"}"), "bad_filter"},
        {W("{\"concept\":\"sex\",\"in\":[\"F\"],\"equals\":\"F\"}"), "bad_filter"},
        {W("{\"concept\":\"sex\",\"in\":[]}"), "bad_filter"},
        {W("{\"concept\":\"sex\",\"in\":\"F\"}"), "bad_filter"},
        {W("{\"concept\":\"sex\",\"in\":[\"F\",\"F\"]}"), "bad_filter"},
        {W("{\"concept\":\"sex\",\"in\":[\"F'--\"]}"), "bad_name"},
        {W("{\"concept\":\"sex\",\"in\":[1]}"), "wrong_type"},
        {W("{\"concept\":\"sex\",\"equals\":[\"F\"]}"), "wrong_type"},
        {W("{\"concept\":\"sex\",\"not\":[\"F\"]}"), "unknown_field"},
        {W("{\"concept\":\"age\",\"between\":[20]}"), "bad_filter"},
        {W("{\"concept\":\"age\",\"between\":[20,30,40]}"), "bad_filter"},
        {W("{\"concept\":\"age\",\"between\":[64,20]}"), "bad_filter"},
        {W("{\"concept\":\"age\",\"between\":[\"1.5\",\"1.25\"]}"), "bad_filter"},
        {W("{\"concept\":\"age\",\"between\":[\"a\",\"b\"]}"), "bad_filter"},
        {W("{\"concept\":\"age\",\"between\":[null,5]}"), "bad_filter"},
        {W("{\"concept\":\"age\",\"between\":[\"-0\",5]}"), "bad_filter"},
        {W("{\"concept\":\"age\",\"between\":[\"1e3\",\"1e9\"]}"), "bad_filter"},
        // Measures of tables with many rows.
        {M("\"statistic\":\"sum\""), "missing_field"},
        {M("\"statistic\":\"net\""), "bad_measure"},
        {M("\"statistic\":\"net\",\"plus\":[" F("ARR") "]"), "bad_measure"},
        {M("\"statistic\":\"net\",\"plus\":[" F("ARR") "],\"minus\":[]"), "bad_measure"},
        {M("\"statistic\":\"count\",\"plus\":[" F("ARR") "]"), "bad_measure"},
        {M("\"statistic\":\"count\",\"per\":\"household\""), "bad_measure"},
        {M("\"statistic\":\"count\",\"per\":1"), "wrong_type"},
        {M("\"statistic\":\"sum\",\"of\":\"fee\",\"per\":\"person\""), "bad_measure"},
        {M("\"statistic\":\"count\",\"table\":\"a b\""), "bad_name"},
        {I(",\"weighted\":\"no\""), "wrong_type"},
        // Quotes and baskets stand alone.
        {QUOTE("query", "Q-7K3M-9XWP-2T4V", ""), ""},
        {QUOTE("query", "Q-7K3M-9XWP-2T4V", ",\"max_cost\":\"0.05\""), ""},
        {QUOTE("cost", "Q-7K3M-9XWP-2T4V", ""), ""},
        {QUOTE("dummy", "Q-7K3M-9XWP-2T4V", ""), "unknown_field"},
        {QUOTE("query", "Q-7K3M-9XWP-2T4V", ",\"dataset\":\"a/b\""), "unknown_field"},
        {QUOTE("query", "Q-7K3M-9XWP-2T4V", ",\"epsilon\":\"0.05\""), "unknown_field"},
        {QUOTE("query", "Q-7K3M-9XWP-2T4V", ",\"max_cost\":\"-1\""), "bad_epsilon"},
        {QUOTE("query", "Q-7K3M-9XWP-2T4", ""), "bad_quote"},
        {QUOTE("query", "Q-7K3M-9XWP-2T4VV", ""), "bad_quote"},
        {QUOTE("query", "Q-7K3M-9XWP-2T40", ""), "bad_quote"}, // no sign that looks like another
        {QUOTE("query", "Q-7K3M-9XWP-2t4v", ""), "bad_quote"},
        {QUOTE("query", "Q.7K3M-9XWP-2T4V", ""), "bad_quote"},
        {QUOTE("query", "Q-7K3MX9XWP-2T4V", ""), "bad_quote"},
        {QUOTE("query", "", ""), "bad_quote"},
        {"{\"v\":1,\"kind\":\"query\",\"quote\":7}", "wrong_type"},
        {BASKET("cost", ONE), ""},
        {BASKET("cost", ONE "," ONE), ""},
        {BASKET("cost", "{\"dataset\":\"a/b\",\"indicator\":\"i\"}"), ""},
        {BASKET("query", ONE), "unknown_field"},
        {BASKET("cost", ""), "too_many"},
        {BASKET("cost", "7"), "wrong_type"},
        {BASKET("cost", ONE ",{\"dataset\":\"a/b\"}"), "missing_field"},
        {BASKET("cost", ONE ",{\"dataset\":\"a/b\",\"indicator\":\"i\",\"epsilon\":\"0\"}"), "bad_epsilon"},
        {BASKET("cost", "{\"v\":1,\"dataset\":\"a/b\",\"indicator\":\"i\"}"), "unknown_field"},
        {BASKET("cost", "{\"dataset\":\"a/b\",\"indicator\":\"i\",\"max_cost\":\"1\"}"), "unknown_field"},
        {"{\"v\":1,\"kind\":\"cost\",\"questions\":{}}", "wrong_type"},
        {"{\"v\":1,\"kind\":\"cost\",\"questions\":[" ONE "],\"dataset\":\"a/b\"}", "unknown_field"},
        // A dummy takes what a query takes.
        {"{\"v\":1,\"kind\":\"dummy\",\"dataset\":\"a/b\",\"indicator\":\"i\",\"epsilon\":\"1\"}", ""},
        {"{\"v\":1,\"kind\":\"dummy\",\"dataset\":\"a/b\",\"indicator\":\"i\"}", "missing_field"},
        // Good ones beside the bad.
        {I(""), ""},
        {I(",\"by\":[],\"where\":[],\"max_cost\":\"0\""), ""},
        {W("{\"concept\":\"age\",\"between\":[5,5]}"), ""},
        {W("{\"concept\":\"age\",\"equals\":30}"), ""},
        {W("{\"concept\":\"age:work\",\"in\":[\"Y20T64\"]}"), ""},
        {"{\"v\":1,\"kind\":\"cost\",\"dataset\":\"a/b\",\"indicator\":\"i\"}", ""},
        {"{\"v\":1,\"kind\":\"admin\",\"action\":\"status\",\"anything\":[1]}", ""},
        {"{\"v\":1,\"kind\":\"catalogue\"}", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_code(cases[i][0], cases[i][1]);
}

static void misspelt_words_get_a_suggestion(void **state) {
    (void)state;
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(ARENA_SIZE);
    static const char *const cases[][2] = {
        {"{\"v\":1,\"kind\":\"qurey\"}", "Did you mean \"query\"?"},
        {"{\"v\":1,\"knid\":\"query\"}", "Did you mean \"kind\"?"},
        {I(",\"max_cots\":\"1\""), "Did you mean \"max_cost\"?"},
        {W("{\"concept\":\"sex\",\"equal\":\"F\"}"), "Did you mean \"equals\"?"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
        gw_question question;
        gw_problem problem = {0};
        assert_int_equal(decode(cases[i][0], &json, arena, &question, &problem), GW_INVALID);
        assert_string_equal(problem.mend, cases[i][1]);
    }
}

static void limits_on_lists_are_exact(void **state) {
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        GW_CLEANUP(gw_buffer_done) gw_buffer codes;
        gw_buffer_init(&codes, 65536);
        gw_buffer_text(
            &codes, "{\"v\":1,\"kind\":\"query\",\"dataset\":\"a/b\",\"indicator\":\"i\",\"epsilon\":\"1\",\"where\":[{"
                    "\"concept\":\"c\",\"in\":[");
        for (int i = 0; i < GW_FILTER_CODES_MAX + extra; i++)
            gw_buffer_format(&codes, "%s\"C%d\"", i == 0 ? "" : ",", i);
        gw_buffer_text(&codes, "]}]}");
        check_code(gw_buffer_string(&codes), extra ? "too_many" : "");
        GW_CLEANUP(gw_buffer_done) gw_buffer filters;
        gw_buffer_init(&filters, 65536);
        gw_buffer_text(
            &filters,
            "{\"v\":1,\"kind\":\"query\",\"dataset\":\"a/b\",\"indicator\":\"i\",\"epsilon\":\"1\",\"where\":[");
        for (int i = 0; i < GW_WHERE_MAX + extra; i++)
            gw_buffer_format(&filters, "%s{\"concept\":\"c%d\",\"equals\":\"x\"}", i == 0 ? "" : ",", i);
        gw_buffer_text(&filters, "]}");
        check_code(gw_buffer_string(&filters), extra ? "too_many" : "");
        GW_CLEANUP(gw_buffer_done) gw_buffer basket;
        gw_buffer_init(&basket, 65536);
        gw_buffer_text(&basket, "{\"v\":1,\"kind\":\"cost\",\"questions\":[");
        for (int i = 0; i < GW_BASKET_MAX + extra; i++)
            gw_buffer_format(&basket, "%s%s", i == 0 ? "" : ",", ONE);
        gw_buffer_text(&basket, "]}");
        check_code(gw_buffer_string(&basket), extra ? "too_many" : "");
    }
    char name[GW_NAME_MAX + 2];
    memset(name, 'a', sizeof(name));
    name[GW_NAME_MAX + 1] = '\0';
    assert_false(gw_name_is_valid(name));
    name[GW_NAME_MAX] = '\0';
    assert_true(gw_name_is_valid(name));
}

static void questions_come_back_as_asked(void **state) {
    (void)state;
    static const char *const cases[] = {
        Q("\"indicator\":\"employment_rate\",\"where\":[{\"concept\":\"sex\",\"in\":[\"F\",\"M\"]},{\"concept\":"
          "\"activity\","
          "\"equals\":\"EMP\"},{\"concept\":\"age\",\"between\":[\"20\",\"64.5\"]}],\"by\":[\"c_birth\",\"age:work\"],"
          "\"epsilon\":\"0.05\",\"max_cost\":\"0.05\""),
        Q("\"measure\":{\"statistic\":\"mean\",\"of\":\"income\"},\"by\":[],\"target_error\":\"2.5\",\"group_size\":"
          "1500"),
        Q("\"measure\":{\"statistic\":\"share\"},\"epsilon\":\"1\""),
        M("\"statistic\":\"net\",\"table\":\"border\",\"plus\":[" F("ARR") "],\"minus\":[" F("DEP") "]"),
        M("\"statistic\":\"sum\",\"of\":\"fee\",\"table\":\"permits\""),
        M("\"statistic\":\"variance\",\"of\":\"income\",\"per\":\"person\""),
        M("\"statistic\":\"ratio\",\"of\":\"income\",\"over\":\"hours\""),
        M("\"statistic\":\"histogram\",\"of\":\"income\",\"bins\":20"),
        M("\"statistic\":\"quantile\",\"of\":\"income\",\"at\":[\"0.25\",\"0.5\"],\"bins\":1024,\"method\":\"tree\""),
        M("\"statistic\":\"poverty\",\"of\":\"income\",\"fraction\":\"0.6\""),
        Q("\"indicator\":\"i\",\"by\":[],\"gap\":{\"concept\":\"c_birth\",\"group\":\"NEU_FOR\",\"reference\":"
          "\"NAT\"},\"epsilon\":\"1\""),
        Q("\"measure\":{\"statistic\":\"count\"},\"tables\":[[\"sex\",\"c_birth\"],[\"sex\"],[]],\"epsilon\":\"1\""),
        M("\"statistic\":\"count\",\"table\":\"permits\",\"per\":\"person\""),
        Q("\"indicator\":\"i\",\"weighted\":false,\"epsilon\":\"1\""),
        QUOTE("query", "Q-7K3M-9XWP-2T4V", ",\"max_cost\":\"0.05\""),
        QUOTE("cost", "Q-7K3M-9XWP-2T4V", ""),
        BASKET("cost", ONE ",{\"dataset\":\"a/c\",\"measure\":{\"statistic\":\"mean\",\"of\":\"income\"},"
                           "\"target_error\":\"3\",\"group_size\":1500}"),
        "{\"v\":1,\"kind\":\"dummy\",\"dataset\":\"a/b\",\"indicator\":\"i\",\"epsilon\":\"1\"}",
        "{\"v\":1,\"kind\":\"cost\",\"dataset\":\"a/b\",\"indicator\":\"i\"}",
        "{\"v\":1,\"kind\":\"budget\",\"dataset\":\"a/b\"}",
        "{\"v\":1,\"kind\":\"describe\",\"dataset\":\"a/b\"}",
        "{\"v\":1,\"kind\":\"catalogue\"}",
        "{\"v\":1,\"kind\":\"history\",\"all\":true}",
        "{\"v\":1,\"kind\":\"history\"}",
        "{\"v\":1,\"kind\":\"ping\"}",
        "{\"v\":1,\"kind\":\"checkpoint\",\"note\":\"stats.example/log\\n5\\n\"}",
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
        GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(ARENA_SIZE);
        gw_question question;
        gw_problem problem = {0};
        assert_int_equal(decode(cases[i], &json, arena, &question, &problem), GW_OK);
        GW_CLEANUP(gw_buffer_done) gw_buffer buffer;
        gw_buffer_init(&buffer, 65536);
        gw_question_encode(&question, &buffer);
        assert_string_equal(gw_buffer_string(&buffer), cases[i]);
    }
}

static void equal_numbers_become_equal_texts(void **state) {
    (void)state;
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(ARENA_SIZE);
    gw_question question;
    gw_problem problem = {0};
    assert_int_equal(
        decode(W("{\"concept\":\"age\",\"between\":[20,\"64.0\"]},{\"concept\":\"age\",\"between\":[\"20.00\",64]}"),
               &json, arena, &question, &problem),
        GW_OK);
    assert_int_equal(question.where_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(question.where[i].low, "20");
        assert_string_equal(question.where[i].high, "64");
    }
    assert_true(question.has_epsilon);
    assert_int_equal(question.epsilon.micro, 50000);
    assert_false(question.has_by);
}

static void a_small_arena_refuses_and_does_not_crash(void **state) {
    (void)state;
    static const char text[] =
        W("{\"concept\":\"age\",\"between\":[20,64]},{\"concept\":\"sex\",\"in\":[\"F\",\"M\"]},{"
          "\"concept\":\"age\",\"equals\":4}");
    bool is_refused = false;
    bool is_read = false;
    for (size_t size = 0; size < 2048; size += 16) {
        GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
        GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(size);
        gw_question question;
        gw_problem problem = {0};
        gw_status status = decode(text, &json, arena, &question, &problem);
        is_refused = is_refused || status != GW_OK;
        is_read = is_read || status == GW_OK;
        assert_true(status == GW_OK || strcmp(problem.code, "too_many") == 0);
    }
    assert_true(is_refused);
    assert_true(is_read);
}

static uint64_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static void mutate(const char *seed_text) {
    static const char replacements[] = "{}[]\",:0-1.eaF";
    uint64_t random = 7;
    size_t accepted = 0;
    for (int i = 0; i < 5000; i++) {
        char text[512];
        const size_t size = strlen(seed_text);
        assert_true(size < sizeof(text));
        memcpy(text, seed_text, size + 1);
        for (uint64_t j = 1 + next_random(&random) % 3; j > 0; j--)
            text[next_random(&random) % size] = replacements[next_random(&random) % (sizeof(replacements) - 1)];
        GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
        GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(ARENA_SIZE);
        gw_question question = {0};
        gw_problem problem = {0};
        gw_status status = decode(text, &json, arena, &question, &problem);
        assert_true(status == GW_OK || problem.code[0] != '\0');
        if (status != GW_OK)
            continue;
        accepted++;
        // What is accepted can be written and means the same when read again.
        GW_CLEANUP(gw_buffer_done) gw_buffer once;
        gw_buffer_init(&once, 65536);
        gw_question_encode(&question, &once);
        GW_CLEANUP(gw_json_freep) gw_json *again = NULL;
        gw_question second = {0};
        assert_int_equal(decode(gw_buffer_string(&once), &again, arena, &second, &problem), GW_OK);
        GW_CLEANUP(gw_buffer_done) gw_buffer twice;
        gw_buffer_init(&twice, 65536);
        gw_question_encode(&second, &twice);
        assert_true(gw_bytes_equal(gw_buffer_bytes(&once), gw_buffer_bytes(&twice)));
    }
    assert_true(accepted > 50 && accepted < 4950);
}

static void mutations_never_crash(void **state) {
    (void)state;
    mutate(Q("\"indicator\":\"r\",\"where\":[{\"concept\":\"sex\",\"in\":[\"F\",\"M\"]},{"
             "\"concept\":\"age\",\"between\":[20,\"64.5\"]}],"
             "\"by\":[\"c_birth\",\"age:work\"],\"epsilon\":\"0.05\",\"max_cost\":\"0.05\""));
    mutate(M("\"statistic\":\"net\",\"table\":\"border\",\"plus\":[" F("ARR") "],\"minus\":[" F("DEP") "]"));
    mutate(BASKET("cost", ONE "," ONE));
    mutate(QUOTE("query", "Q-7K3M-9XWP-2T4V", ",\"max_cost\":\"0.05\""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_refuses_with_its_code),
        cmocka_unit_test(misspelt_words_get_a_suggestion),
        cmocka_unit_test(limits_on_lists_are_exact),
        cmocka_unit_test(questions_come_back_as_asked),
        cmocka_unit_test(equal_numbers_become_equal_texts),
        cmocka_unit_test(a_small_arena_refuses_and_does_not_crash),
        cmocka_unit_test(mutations_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
