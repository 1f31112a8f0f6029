// SPDX-License-Identifier: Apache-2.0
// Answers: a good one is read whole, padding included; one change each is refused.
#include "service/wire/answer.h"
#include "service/base/cleanup.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HEX32 "0123456789abcdef0123456789abcdef"

GW_DEFINE_FREEP(gw_arena, gw_arena_free)

static const char good[] =
    "{\"v\":1,\"salt\":\"" HEX32 HEX32 "\",\"release\":\"GW-2026-000143\",\"dataset\":\"nso.example/register\","
    "\"data_version\":\"" HEX32 "\",\"policy\":3,\"indicator\":\"employment_rate\",\"indicator_version\":1,"
    "\"question\":\"" HEX32 HEX32 "\",\"unit\":\"PC\",\"decimals\":1,\"level\":\"0.95\","
    "\"noise\":{\"law\":\"discrete-laplace\",\"epsilon\":\"0.05\",\"sensitivity\":\"1\",\"grid\":\"1\",\"offset\":"
    "\"0\"},"
    "\"statistic\":\"rate\",\"of\":null,\"notice\":\"SYNTHETIC: made\",\"by\":[\"c_birth\",\"sex\"],\"cells\":["
    "{\"key\":[\"NAT\",\"F\"],\"parts\":[\"996\",\"504\"],\"estimate\":\"66.4\",\"lower\":\"63.5\",\"upper\":\"69.3\","
    "\"se\":\"1.4\",\"flag\":\"\"},"
    "{\"key\":[\"_U\",\"M\"],\"parts\":[\"-7\",\"12\"],\"estimate\":null,\"lower\":\"0.0\",\"upper\":\"100.0\",\"se\":"
    "null,\"flag\":\"u\"}]}";

static void a_good_answer_is_read_whole(void **state) {
    (void)state;
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(65536);
    GW_CLEANUP(gw_buffer_done) gw_buffer padded;
    gw_buffer_init(&padded, 65536);
    gw_buffer_text(&padded, good);
    for (int i = 0; i < 500; i++)
        gw_buffer_text(&padded, " ");
    gw_answer answer = {0};
    gw_problem problem = {0};
    assert_int_equal(gw_answer_decode(gw_buffer_bytes(&padded), arena, &answer, &problem), GW_OK);
    gw_buffer_done(&padded); // everything was copied
    assert_string_equal(answer.release, "GW-2026-000143");
    assert_string_equal(answer.indicator, "employment_rate");
    assert_string_equal(answer.notice, "SYNTHETIC: made");
    assert_null(answer.of);
    assert_int_equal(answer.policy, 3);
    assert_int_equal(answer.noise.epsilon.micro, 50000);
    assert_int_equal(answer.noise.sensitivity, 1);
    assert_int_equal(answer.by_count, 2);
    assert_int_equal(answer.part_count, 2);
    assert_int_equal(answer.cell_count, 2);
    assert_string_equal(answer.cells[1].key[0], "_U");
    assert_string_equal(answer.cells[1].parts[0], "-7");
    assert_null(answer.cells[1].estimate);
    assert_null(answer.cells[1].se);
    assert_string_equal(answer.cells[1].upper, "100.0");
    assert_string_equal(answer.cells[0].estimate, "66.4");
    assert_string_equal(answer.cells[1].flag, "u");
}

static void one_change_each_is_refused(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        {"\"v\":1", "\"v\":2", "out_of_range"},
        {"\"policy\":3,", "", "missing_field"},
        {"\"policy\":3", "\"policy\":\"3\"", "wrong_type"},
        {"\"salt\":\"0", "\"salt\":\"X", "bad_answer"},
        {"\"salt\":\"0", "\"salt\":\"", "bad_answer"},
        {"\"data_version\":\"0", "\"data_version\":\"00", "bad_answer"},
        {"discrete-laplace", "laplace", "bad_answer"},
        {"\"epsilon\":\"0.05\"", "\"epsilon\":\"0\"", "bad_answer"},
        {"\"epsilon\":\"0.05\"", "\"epsilon\":5", "bad_epsilon"},
        {"\"sensitivity\":\"1\"", "\"sensitivity\":\"0\"", "bad_answer"},
        {"\"sensitivity\":\"1\"", "\"sensitivity\":\"1.5\"", "bad_answer"},
        {"\"grid\":\"1\"", "\"grid\":\"one\"", "bad_answer"},
        {"\"notice\":", "\"notise\":", "unknown_field"},
        {"\"key\":[\"_U\",\"M\"]", "\"key\":[\"_U\"]", "bad_answer"},
        {"\"key\":[\"_U\",\"M\"]", "\"key\":[\"_U\",1]", "bad_answer"},
        {"\"parts\":[\"-7\",\"12\"]", "\"parts\":[\"-7\"]", "bad_answer"},
        {"\"parts\":[\"-7\",\"12\"]", "\"parts\":[\"-7\",\"1.2\"]", "bad_answer"},
        {"\"parts\":[\"996\",\"504\"]", "\"parts\":[]", "bad_answer"},
        {"\"lower\":\"0.0\"", "\"lower\":null", "wrong_type"},
        {"\"upper\":\"100.0\"", "\"upper\":\"NaN\"", "bad_answer"},
        {"\"estimate\":\"66.4\"", "\"estimate\":\"1e9\"", "bad_answer"},
        {"\"flag\":\"u\"", "\"flag\":\"u\",\"exact\":\"5\"", "unknown_field"},
        {"\"cells\":[", "\"cells\":[1,", "bad_answer"},
        {"\"indicator_version\":1,", "", "missing_field"},
        {"\"by\":", "\"per\":\"household\",\"by\":", "bad_answer"},
        {"\"by\":", "\"blocks\":3,\"by\":", "bad_answer"},
        {"\"by\":", "\"weighted\":\"yes\",\"by\":", "wrong_type"},
        {"\"by\":", "\"dummy\":1,\"by\":", "wrong_type"},
        {"\"by\":", "\"bounds\":{\"kind\":\"none\"},\"by\":", "missing_field"},
        {"\"by\":", "\"bounds\":{\"kind\":\"none\",\"note\":\"\",\"more\":1},\"by\":", "unknown_field"},
        {"\"by\":", "\"bounds\":{\"kind\":\"none\",\"units\":\"few\",\"note\":\"\"},\"by\":", "bad_answer"},
        {"\"grid\":\"1\"", "\"grid\":\"1\",\"width\":\"0\"", "bad_answer"},
        {"}]}", "}]}x", "json_syntax"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(65536);
        GW_CLEANUP(gw_buffer_done) gw_buffer changed;
        gw_buffer_init(&changed, 65536);
        const char *at = strstr(good, cases[i][0]);
        assert_non_null(at);
        gw_buffer_append(&changed, good, (size_t)(at - good));
        gw_buffer_text(&changed, cases[i][1]);
        gw_buffer_text(&changed, at + strlen(cases[i][0]));
        gw_answer answer = {.policy = 77};
        gw_problem problem = {0};
        gw_status status = gw_answer_decode(gw_buffer_bytes(&changed), arena, &answer, &problem);
        if (strcmp(problem.code, cases[i][2]) != 0)
            print_error("%s -> %s: %s (%s)\n", cases[i][0], cases[i][1], problem.code, problem.why);
        assert_int_not_equal(status, GW_OK);
        assert_string_equal(problem.code, cases[i][2]);
        assert_int_equal(answer.policy, 77); // set only on success
    }
}

static void a_measure_has_no_indicator(void **state) {
    (void)state;
    static const char name[] = "\"indicator\":\"employment_rate\",\"indicator_version\":1";
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(65536);
    GW_CLEANUP(gw_buffer_done) gw_buffer changed;
    gw_buffer_init(&changed, 65536);
    const char *at = strstr(good, name);
    gw_buffer_append(&changed, good, (size_t)(at - good));
    gw_buffer_text(&changed, "\"indicator\":null,\"indicator_version\":0");
    gw_buffer_text(&changed, at + strlen(name));
    gw_answer answer = {0};
    gw_problem problem = {0};
    assert_int_equal(gw_answer_decode(gw_buffer_bytes(&changed), arena, &answer, &problem), GW_OK);
    assert_null(answer.indicator);
}

static void a_small_arena_refuses_and_does_not_crash(void **state) {
    (void)state;
    size_t refused = 0;
    for (size_t size = 0; size < 4096; size += 32) {
        GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(size);
        gw_answer answer;
        gw_problem problem = {0};
        gw_status status = gw_answer_decode(gw_bytes_of(good), arena, &answer, &problem);
        refused += status != GW_OK;
        assert_true(status == GW_OK || strcmp(problem.code, "too_many") == 0);
    }
    assert_true(refused > 10 && refused < 128);
}

// ---- statistics over a grid

#define HEAD                                                                                                           \
    "{\"v\":1,\"salt\":\"" HEX32 HEX32 "\",\"release\":\"GW-2026-000144\",\"dataset\":\"nso.example/register\","       \
    "\"data_version\":\"" HEX32                                                                                        \
    "\",\"policy\":3,\"indicator\":null,\"indicator_version\":0,\"question\":\"" HEX32 HEX32                           \
    "\",\"unit\":\"PC\",\"decimals\":1,\"level\":\"0.95\",\"of\":\"income\",\"notice\":null,"
#define RANK "\"epsilon\":\"0.05\",\"sensitivity\":\"1\",\"grid\":\"1\",\"offset\":\"0\",\"rank_error\":\"28\"},"
static const char poverty[] = HEAD
    "\"statistic\":\"poverty\",\"noise\":{\"law\":\"discrete-laplace\",\"epsilon\":\"0.05\",\"sensitivity\":\"2\","
    "\"grid\":\"1\",\"offset\":\"0\"},\"fraction\":\"0.6\",\"by\":[\"sex\"],\"line\":{\"unit\":\"EUR\",\"median\":"
    "\"200.5\",\"threshold\":\"120.3\",\"median_lower\":\"190\",\"median_upper\":\"210\",\"threshold_lower\":\"114\","
    "\"threshold_upper\":\"126\"},\"measured\":{\"kind\":\"tree\",\"fan\":2,\"bins\":3,\"nodes\":5,\"first\":\"0\","
    "\"width\":\"100\",\"by\":[\"sex\"],\"groups\":[{\"key\":[\"F\"],\"nodes\":[\"1\",\"2\",\"-3\",\"4\",\"0\"]}],"
    "\"rest\":[\"9\",\"8\",\"7\",\"6\",\"5\"]},\"cells\":[{\"key\":[\"F\"],\"parts\":[],\"estimate\":\"14.7\","
    "\"lower\":\"13.0\",\"upper\":\"16.0\",\"se\":null,\"flag\":\"\"}]}";
static const char chosen[] = HEAD
    "\"statistic\":\"quantile\",\"noise\":{\"law\":\"permute-and-flip\"," RANK
    "\"at\":[\"0.5\"],\"by\":[\"quantile\"],\"cells\":[{\"key\":[\"0.5\"],\"parts\":[\"17\"],\"estimate\":\"1749\","
    "\"lower\":null,\"upper\":null,\"se\":null,\"flag\":\"\"}]}";

static gw_status decode_changed(const char *text, const char *from, const char *to, gw_arena *arena, gw_answer *ret,
                                gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer changed;
    gw_buffer_init(&changed, 65536);
    const char *at = strstr(text, from);
    assert_non_null(at);
    gw_buffer_append(&changed, text, (size_t)(at - text));
    gw_buffer_text(&changed, to);
    gw_buffer_text(&changed, at + strlen(from));
    return gw_answer_decode(gw_buffer_bytes(&changed), arena, ret, ret_problem);
}

static void what_was_measured_is_read_whole(void **state) {
    (void)state;
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(65536);
    gw_answer answer = {0};
    gw_problem problem = {0};
    if (gw_answer_decode(gw_bytes_of(poverty), arena, &answer, &problem) != GW_OK)
        fail_msg("%s %s", problem.what, problem.why);
    assert_int_equal(answer.part_count, 0);
    assert_string_equal(answer.measured.kind, "tree");
    assert_int_equal(answer.measured.node_count, 5);
    assert_string_equal(answer.measured.groups[0].nodes[2], "-3");
    assert_string_equal(answer.measured.rest[0], "9");
    assert_string_equal(answer.line.unit, "EUR");
    assert_string_equal(answer.line.median, "200.5");
    assert_string_equal(answer.line.threshold_upper, "126");
    assert_string_equal(answer.fraction, "0.6");
    assert_int_equal(decode_changed(poverty, "\"median\":\"200.5\"", "\"median\":null", arena, &answer, &problem),
                     GW_OK);
    assert_null(answer.line.median);
}

static void a_chosen_value_may_have_no_range_and_no_other_may(void **state) {
    (void)state;
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(65536);
    gw_answer answer = {0};
    gw_problem problem = {0};
    if (gw_answer_decode(gw_bytes_of(chosen), arena, &answer, &problem) != GW_OK)
        fail_msg("%s %s", problem.what, problem.why);
    assert_string_equal(answer.rank_error, "28");
    assert_string_equal(answer.law, "permute-and-flip");
    assert_null(answer.cells[0].lower);
    assert_string_equal(answer.levels[0], "0.5");
    assert_int_not_equal(decode_changed(chosen, "permute-and-flip", "discrete-laplace", arena, &answer, &problem),
                         GW_OK);
}

static void one_change_each_of_what_was_measured_is_refused(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        {"\"kind\":\"tree\"", "\"kind\":\"table\"", "bad_answer"},
        {"\"nodes\":5", "\"nodes\":6", "bad_answer"},
        {"\"-3\"", "\"x\"", "bad_answer"},
        {"\"-3\"", "\"1.5\"", "bad_answer"},
        {"\"-3\"", "3", "bad_answer"},
        {"\"rest\":[\"9\",", "\"rest\":[", "bad_answer"},
        {"\"fan\":2", "\"fan\":1", "out_of_range"},
        {"\"first\":\"0\"", "\"first\":\"none\"", "bad_answer"},
        {"{\"key\":[\"F\"],\"nodes\"", "{\"key\":[],\"nodes\"", "bad_answer"},
        {"\"bins\":3,", "", "missing_field"},
        {"\"threshold_lower\":\"114\",", "", "missing_field"},
        {"\"threshold_lower\":\"114\"", "\"threshold_lower\":null", "wrong_type"},
        {"\"unit\":\"EUR\",", "\"unit\":\"EUR\",\"exact\":\"1\",", "unknown_field"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(65536);
        gw_answer answer = {.policy = 77};
        gw_problem problem = {0};
        gw_status status = decode_changed(poverty, cases[i][0], cases[i][1], arena, &answer, &problem);
        if (strcmp(problem.code, cases[i][2]) != 0)
            print_error("%s -> %s: %s (%s)\n", cases[i][0], cases[i][1], problem.code, problem.why);
        assert_int_not_equal(status, GW_OK);
        assert_string_equal(problem.code, cases[i][2]);
        assert_int_equal(answer.policy, 77);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_measured_is_read_whole),
        cmocka_unit_test(a_chosen_value_may_have_no_range_and_no_other_may),
        cmocka_unit_test(one_change_each_of_what_was_measured_is_refused),
        cmocka_unit_test(a_good_answer_is_read_whole),
        cmocka_unit_test(one_change_each_is_refused),
        cmocka_unit_test(a_measure_has_no_indicator),
        cmocka_unit_test(a_small_arena_refuses_and_does_not_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
