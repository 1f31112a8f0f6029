// SPDX-License-Identifier: Apache-2.0
// Measures as they are typed: what each takes, and what is refused before anything is sent.
#include "client/cli/measure.h"
#include "tests/support/unit.h"

typedef struct {
    gw_arena *arena;
    gw_question question;
    gw_problem problem;
    gw_status status;
} read_measure;

static read_measure measure_of(gw_question_options options) {
    read_measure r = {.arena = gw_arena_new(1 << 20)};
    r.status = gw_measure_read(&options, r.arena, &r.question, &r.problem);
    return r;
}

static gw_words one(const char *word) {
    return (gw_words){.items = {word}, .count = 1};
}

static void every_statistic_has_its_measure(void **state) {
    (void)state;
    static const struct {
        const char *measure, *of;
        gw_statistic statistic;
    } cases[] = {{"count", NULL, GW_STATISTIC_COUNT},
                 {"share", NULL, GW_STATISTIC_SHARE},
                 {"mean:income", "income", GW_STATISTIC_MEAN},
                 {"sum:income", "income", GW_STATISTIC_SUM},
                 {"median:income", "income", GW_STATISTIC_QUANTILE},
                 {"poverty:income", "income", GW_STATISTIC_POVERTY},
                 {"gini:income", "income", GW_STATISTIC_GINI},
                 {"s80s20:income", "income", GW_STATISTIC_QUINTILE_RATIO},
                 {"quintile_ratio:income", "income", GW_STATISTIC_QUINTILE_RATIO},
                 {"series:month", "month", GW_STATISTIC_SERIES}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        read_measure r = measure_of((gw_question_options){.measure = cases[i].measure});
        assert_int_equal(r.status, GW_OK);
        assert_int_equal(r.question.statistic, cases[i].statistic);
        assert_true((r.question.of == NULL) == (cases[i].of == NULL));
        if (cases[i].of != NULL)
            assert_string_equal(r.question.of, cases[i].of);
        gw_arena_free(r.arena);
    }
}

static void a_net_becomes_the_body_it_says(void **state) {
    (void)state;
    read_measure r = measure_of((gw_question_options){.measure = "net",
                                                      .table = "crossings",
                                                      .plus = one("direction=ARR"),
                                                      .minus = one("direction=DEP,TRA"),
                                                      .unweighted = true});
    assert_int_equal(r.status, GW_OK);
    r.question.kind = GW_KIND_COST;
    r.question.dataset = "x/r";
    gw_buffer body;
    gw_buffer_init(&body, 65536);
    gw_question_encode(&r.question, &body);
    assert_string_equal(gw_buffer_string(&body),
                        "{\"v\":1,\"kind\":\"cost\",\"dataset\":\"x/r\",\"measure\":{\"statistic\":\"net\","
                        "\"table\":\"crossings\",\"plus\":[{\"concept\":\"direction\",\"equals\":\"ARR\"}],"
                        "\"minus\":[{\"concept\":\"direction\",\"in\":[\"DEP\",\"TRA\"]}]},\"weighted\":false}");
    gw_buffer_done(&body);
    gw_arena_free(r.arena);
}

static void persons_are_counted_where_it_is_said(void **state) {
    (void)state;
    read_measure r = measure_of((gw_question_options){.measure = "count", .per = "person"});
    assert_int_equal(r.status, GW_OK);
    assert_true(r.question.is_per_person);
    gw_arena_free(r.arena);
    r = measure_of((gw_question_options){.measure = "count", .per = "row"});
    assert_int_equal(r.status, GW_OK);
    assert_false(r.question.is_per_person);
    gw_arena_free(r.arena);
}

static void weights_are_left_out_of_an_indicator_too(void **state) {
    (void)state;
    read_measure r = measure_of((gw_question_options){.unweighted = true});
    assert_int_equal(r.status, GW_OK);
    assert_true(r.question.is_unweighted);
    gw_arena_free(r.arena);
}

static void assert_refused(gw_question_options options, const char *code, const char *mend) {
    read_measure r = measure_of(options);
    assert_int_equal(r.status, GW_INVALID);
    assert_string_equal(r.problem.code, code);
    assert_non_null(strstr(r.problem.mend, mend));
    gw_arena_free(r.arena);
}

static void what_does_not_belong_together_is_refused_with_what_does(void **state) {
    (void)state;
    assert_refused((gw_question_options){.measure = "sum:income", .per = "person"}, "option_value", "mean:CONCEPT");
    assert_refused((gw_question_options){.measure = "net"}, "option_missing", "--plus direction=ARR");
    assert_refused((gw_question_options){.measure = "net", .plus = one("a=B")}, "option_missing", "--minus");
    assert_refused((gw_question_options){.measure = "count", .plus = one("a=B")}, "option_value", "--measure net");
    assert_refused((gw_question_options){.measure = "count", .per = "head"}, "option_value", "--per person");
    assert_refused((gw_question_options){.measure = "count", .table = "a b"}, "bad_name", "");
    assert_refused((gw_question_options){.measure = "net", .plus = one("a"), .minus = one("a=B")}, "bad_filter",
                   "--plus");
    assert_refused((gw_question_options){.measure = "sum"}, "option_value", "mean:income");
    assert_refused((gw_question_options){.table = "permits"}, "option_value", "--measure count");
    assert_refused((gw_question_options){.per = "person"}, "option_value", "--measure count");
    assert_refused((gw_question_options){.minus = one("a=B")}, "option_value", "--measure count");
}

static void a_misspelt_statistic_gets_the_nearest(void **state) {
    (void)state;
    assert_refused((gw_question_options){.measure = "coutn"}, "option_value", "Did you mean --measure count?");
    assert_refused((gw_question_options){.measure = "summ:income"}, "option_value", "--measure sum:CONCEPT?");
    assert_refused((gw_question_options){.measure = "medain:income"}, "option_value", "--measure median:CONCEPT?");
    assert_refused((gw_question_options){.measure = "zzzzzzzzz:income"}, "option_value",
                   "count, share, net, mean:income");
    assert_refused((gw_question_options){.measure = "varianc:income"}, "option_value", "--measure variance:CONCEPT?");
    assert_refused((gw_question_options){.measure = "ratoi:a/b"}, "option_value", "--measure ratio:CONCEPT/CONCEPT?");
}

static void ratios_and_gaps_become_the_body_they_say(void **state) {
    (void)state;
    read_measure r = measure_of((gw_question_options){.measure = "ratio:income/hours"});
    assert_int_equal(r.status, GW_OK);
    assert_int_equal(gw_gap_read("c_birth=NEU_FOR:NAT", r.arena, &r.question, &r.problem), GW_OK);
    r.question.kind = GW_KIND_COST;
    r.question.dataset = "x/r";
    gw_buffer body;
    gw_buffer_init(&body, 65536);
    gw_question_encode(&r.question, &body);
    assert_string_equal(gw_buffer_string(&body),
                        "{\"v\":1,\"kind\":\"cost\",\"dataset\":\"x/r\",\"measure\":{\"statistic\":\"ratio\",\"of\":"
                        "\"income\",\"over\":\"hours\"},\"gap\":{\"concept\":\"c_birth\",\"group\":\"NEU_FOR\","
                        "\"reference\":\"NAT\"}}");
    gw_buffer_done(&body);
    static const char *const bad[] = {"c_birth",    "c_birth=NAT", "=A:B",   "c_birth=:B",
                                      "c_birth=A:", "c_birth=A:A", "c b=A:B"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(gw_gap_read(bad[i], r.arena, &r.question, &r.problem), GW_INVALID);
        assert_non_null(strstr(r.problem.mend, "--gap c_birth=NEU_FOR:NAT"));
    }
    gw_arena_free(r.arena);
    assert_refused((gw_question_options){.measure = "ratio:income"}, "option_value", "ratio:income/hours");
    assert_refused((gw_question_options){.measure = "gap"}, "option_value", "--gap sex=F:M");
    assert_refused((gw_question_options){.measure = "ratio:income/hours", .per = "person"}, "option_value", "--per");
}

static void levels_rise_in_the_body_however_they_are_typed(void **state) {
    (void)state;
    read_measure r =
        measure_of((gw_question_options){.measure = "quantile:income", .at = "0.9,0.10,0.5", .bins = "500"});
    assert_int_equal(r.status, GW_OK);
    r.question.kind = GW_KIND_COST;
    r.question.dataset = "x/r";
    gw_buffer body;
    gw_buffer_init(&body, 65536);
    gw_question_encode(&r.question, &body);
    assert_string_equal(gw_buffer_string(&body),
                        "{\"v\":1,\"kind\":\"cost\",\"dataset\":\"x/r\",\"measure\":{\"statistic\":\"quantile\","
                        "\"of\":\"income\",\"at\":[\"0.1\",\"0.5\",\"0.9\"],\"bins\":500}}");
    gw_buffer_done(&body);
    gw_arena_free(r.arena);
    r = measure_of((gw_question_options){.measure = "median:income", .method = "tree"});
    assert_int_equal(r.status, GW_OK);
    assert_string_equal(r.question.levels[0], "0.5");
    assert_string_equal(r.question.method, "tree");
    gw_arena_free(r.arena);
    r = measure_of((gw_question_options){.measure = "poverty:income", .fraction = "0.50"});
    assert_int_equal(r.status, GW_OK);
    assert_string_equal(r.question.fraction, "0.5");
    gw_arena_free(r.arena);
}

static void what_belongs_to_one_measure_is_refused_for_another(void **state) {
    (void)state;
    assert_refused((gw_question_options){.measure = "quantile:income"}, "option_missing", "--at 0.1,0.5,0.9");
    assert_refused((gw_question_options){.measure = "median:income", .at = "0.5"}, "option_value", "--at 0.1");
    assert_refused((gw_question_options){.measure = "quantile:income", .at = "0"}, "option_value", "--at 0.1");
    assert_refused((gw_question_options){.measure = "quantile:income", .at = "1"}, "option_value", "--at 0.1");
    assert_refused((gw_question_options){.measure = "quantile:income", .at = "0.1,0.10"}, "option_value", "--at 0.1");
    assert_refused((gw_question_options){.measure = "quantile:income", .at = "0.1,0.5", .method = "pick"},
                   "option_value", "--method tree");
    assert_refused((gw_question_options){.measure = "mean:income", .at = "0.5"}, "option_value", "Leave it out");
    assert_refused((gw_question_options){.measure = "gini:income", .fraction = "0.5"}, "option_value", "Leave it out");
    assert_refused((gw_question_options){.measure = "series:month", .bins = "10"}, "option_value", "Leave it out");
    assert_refused((gw_question_options){.measure = "gini:income", .bins = "1"}, "option_value", "--bins 1000");
    assert_refused((gw_question_options){.measure = "gini:income", .bins = "70000"}, "option_value", "--bins 1000");
    assert_refused((gw_question_options){.measure = "poverty:income", .fraction = "1.2"}, "option_value",
                   "--fraction 0.6");
    assert_refused((gw_question_options){.at = "0.5"}, "option_value", "--measure count");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_rise_in_the_body_however_they_are_typed),
        cmocka_unit_test(what_belongs_to_one_measure_is_refused_for_another),
        cmocka_unit_test(every_statistic_has_its_measure),
        cmocka_unit_test(a_net_becomes_the_body_it_says),
        cmocka_unit_test(persons_are_counted_where_it_is_said),
        cmocka_unit_test(weights_are_left_out_of_an_indicator_too),
        cmocka_unit_test(what_does_not_belong_together_is_refused_with_what_does),
        cmocka_unit_test(a_misspelt_statistic_gets_the_nearest),
        cmocka_unit_test(ratios_and_gaps_become_the_body_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
