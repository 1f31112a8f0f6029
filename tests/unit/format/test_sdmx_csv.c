// SPDX-License-Identifier: Apache-2.0
// SDMX-CSV 2.0.0: the columns, Eurostat's spellings, one id per list of columns, CRLF, and what is not real.
#include "service/format/sdmx_csv.h"
#include "tests/support/unit.h"
#include "tests/unit/format/answers.h"
#include <string.h>

static void assert_sheet(const gw_answer *answer, const gw_asked *asked, const char *expected) {
    gw_buffer buffer;
    gw_buffer_init(&buffer, 65536);
    gw_format_sdmx_csv(answer, asked, &buffer);
    assert_int_equal(buffer.status, GW_OK);
    assert_string_equal(gw_buffer_string(&buffer), expected);
    gw_buffer_done(&buffer);
}

#define LAST                                                                                                           \
    "TIME_PERIOD,OBS_VALUE,OBS_STATUS,CONF_STATUS,UNIT_MEASURE,DECIMALS,STD_ERR,CI_LOWER,CI_UPPER,CONF_LEVEL,"         \
    "DP_RELEASE_ID,DP_MECHANISM,DP_EPSILON,DP_UNIT,DP_BOUNDS,DP_WEIGHTED,DP_WHERE,DP_NOTICE\r\n"
#define FLOW "dataflow,nso.example:DF_REGISTER_EMP_RT_SEX_C_BIRTH_AGE(2.0),I,EMP_RT,F,"
#define TAIL                                                                                                           \
    ",0.95,GW-2026-000143,discrete-laplace,0.05,person,,false,\"isced11=ED0-2,ED3_4 and sex=F\",\"SYNTHETIC, nobody "  \
    "\"\"in it\"\" exists.\"\r\n"

static void observations_have_eurostat_s_codes_and_the_released_texts(void **state) {
    (void)state;
    gw_answer answer = answer_sample();
    assert_sheet(&answer, &answer_asked,
                 "STRUCTURE,STRUCTURE_ID,ACTION,INDICATOR,SEX,C_BIRTH,AGE," LAST FLOW
                 "NAT,Y20-64,2026,66.4,A,F,PC,1,1.4,63.5,69.3" TAIL FLOW
                 "NAT,UNK,2026,101.2,A,F,PC,1,9.4,80.0,100.0" TAIL FLOW
                 "EU27_2020_FOR,Y20-64,2026,-0.5,U,F,PC,1,2.0,0.0,4.0" TAIL FLOW
                 "EU27_2020_FOR,UNK,2026,,U,F,PC,1,,0.0,100.0" TAIL);
}

static void time_comes_from_the_question_or_the_caller(void **state) {
    (void)state;
    static const char *const codes[] = {"2026-10"};
    static const char *const by[] = {"time_period"};
    static const char *const key[] = {"2026-09"};
    const gw_filter filter = {.concept = "time_period", .kind = GW_FILTER_EQUALS, .codes = codes, .code_count = 1};
    const gw_answer_cell cell = {.key = key, .estimate = "1", .lower = "0", .upper = "2", .se = "1", .flag = ""};
    gw_answer answer = answer_sample();
    gw_asked asked = {.where = "", .time = "2026-10-01"};
    answer.notice = NULL;
    answer.indicator = NULL;
    answer.statistic = "sum";
    answer.of = "fee";
    answer.by_count = 0;
    answer.indicator_version = 0;
    answer.cells = &cell;
    answer.cell_count = 1;
#define ROW(time)                                                                                                      \
    "STRUCTURE,STRUCTURE_ID,ACTION,INDICATOR," LAST "dataflow,nso.example:DF_REGISTER_SUM_FEE(1.0),I,SUM_FEE," time    \
    ",1,A,F,PC,1,1,0,2,0.95,GW-2026-000143,discrete-laplace,0.05,person,,false,,\r\n"
    assert_sheet(&answer, &asked, ROW("2026-10-01"));
    asked.filters = &filter;
    asked.filter_count = 1;
    assert_sheet(&answer, &asked, ROW("2026-10"));
    answer.by = by;
    answer.by_count = 1;
    assert_sheet(&answer, &asked, ROW("2026-09"));
}

static void dummies_are_not_for_publication(void **state) {
    (void)state;
    gw_answer answer = answer_sample();
    gw_buffer buffer;
    gw_buffer_init(&buffer, 65536);
    answer.is_dummy = true;
    answer.release = "DUMMY-8118b591"; // no year
    gw_format_sdmx_csv(&answer, &answer_asked, &buffer);
    unsigned rows = 0, notices = 0;
    for (const char *c = gw_buffer_string(&buffer); (c = strstr(c, ",N,PC,")) != NULL; c++)
        rows++;
    for (const char *c = gw_buffer_string(&buffer); (c = strstr(c, "\"NOT REAL: ")) != NULL; c++)
        notices++;
    assert_int_equal(rows, answer.cell_count);
    assert_int_equal(notices, answer.cell_count);
    assert_null(strstr(gw_buffer_string(&buffer), ",F,PC,"));
    assert_null(strstr(gw_buffer_string(&buffer), ",8118,"));
    gw_buffer_done(&buffer);
}

static void what_is_withheld_has_no_value(void **state) {
    (void)state;
    const gw_answer_cell cell = {
        .key = answer_keys[0], .estimate = "7", .lower = "1", .upper = "9", .se = "1", .flag = "c"};
    gw_answer answer = answer_sample();
    gw_buffer buffer;
    gw_buffer_init(&buffer, 65536);
    answer.cells = &cell;
    answer.cell_count = 1;
    gw_format_sdmx_csv(&answer, &answer_asked, &buffer);
    assert_non_null(strstr(gw_buffer_string(&buffer), ",2026,,Q,F,PC,1,,,,0.95,"));
    gw_buffer_done(&buffer);
}

static void codes_are_spelled_as_eurostat_spells_them(void **state) {
    (void)state;
    static const char *const cases[][3] = {{"age", "Y20T64", "Y20-64"},
                                           {"age", "Y_LT15", "Y_LT15"},
                                           {"age", "Y_GE65", "Y_GE65"},
                                           {"age", "_T", "TOTAL"},
                                           {"age", "Y30", "Y30"},
                                           {"age", "Y20T", "Y20T"},
                                           {"age", "YxT64", "YxT64"},
                                           {"sex", "_T", "T"},
                                           {"sex", "F", "F"},
                                           {"citizen", "GR", "EL"},
                                           {"citizen", "NEU_FOR", "NEU27_2020_FOR"},
                                           {"duration", "M3T5", "M3-5"},
                                           {"duration_stay", "Y1T4", "Y1T4"},
                                           {"isced11", "ED0-2", "ED0-2"},
                                           {"occupation", "GB", "GB"},
                                           {"ref_area", "GB", "UK"},
                                           {"reason", "_U", "UNK"},
                                           {"age", "", ""},
                                           {"age", "0..9", "B0-9"},
                                           {"income", "-5..-0.5", "BM5-M0_5"},
                                           {"reason", "a..b", "a..b"},
                                           {"quantile", "0.5", "P50"},
                                           {"quantile", "0.025", "P2_5"},
                                           {"span", "cumulative", "CUMULATIVE"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[GW_SDMX_CODE_MAX];
        gw_sdmx_code(cases[i][0], cases[i][1], text);
        assert_string_equal(text, cases[i][2]);
    }
}

static void assert_has(const gw_answer *answer, const gw_asked *asked, const char *piece) {
    gw_buffer buffer;
    gw_buffer_init(&buffer, 65536);
    gw_format_sdmx_csv(answer, asked, &buffer);
    assert_non_null(strstr(gw_buffer_string(&buffer), piece));
    gw_buffer_done(&buffer);
}

// Else the gap of a rate would be filed as the rate itself, and two gaps as one series.
static void a_gap_is_a_series_of_its_own(void **state) {
    (void)state;
    gw_answer answer = answer_sample();
    answer.statistic = "gap";
    answer.gap_of = "rate";
    answer.gap_concept = "citizen";
    answer.gap_group = "NEU_FOR";
    answer.gap_reference = "NAT";
    assert_has(&answer, &answer_asked, ":DF_REGISTER_EMP_RT_GAP_SEX_GAP_C_BIRTH_AGE(2.0),I,EMP_RT_GAP,F,");
    assert_has(&answer, &answer_asked, ",CITIZEN_NEU27_2020_FOR-NAT,NAT,Y20-64,");
    assert_has(&answer, &answer_asked, "DP_NOTICE,DP_GAP,DP_GAP_OF\r\n");
    assert_has(&answer, &answer_asked, ",citizen=NEU_FOR:NAT,rate\r\n");
}

static void a_ratio_names_both_concepts_and_its_unit_is_an_id(void **state) {
    (void)state;
    gw_answer answer = answer_sample();
    const gw_asked asked = {.where = ""};
    answer.indicator = NULL;
    answer.statistic = "ratio";
    answer.of = "income";
    answer.over = "hours";
    answer.unit = "EUR/H";
    assert_has(&answer, &asked, ",I,RATIO_INCOME_HOURS,");
    assert_has(&answer, &asked, ",EUR_PER_H,1,");
    answer.statistic = "variance";
    answer.unit = "EUR^2";
    assert_has(&answer, &asked, ",EUR2,1,");
}

static void a_text_that_no_list_names_is_not_spelled_as_a_code(void **state) {
    (void)state;
    static const char *const key[] = {"5..9"}, *const by[] = {"workplace"};
    const gw_answer_cell cell = {.key = key, .estimate = "70", .lower = "60", .upper = "80", .se = "5", .flag = ""};
    gw_answer answer = answer_sample();
    answer.statistic = "keys";
    answer.selection_delta = "1e-9";
    answer.by = by;
    answer.by_count = 1;
    answer.cells = &cell;
    answer.cell_count = 1;
    assert_has(&answer, &answer_asked, ",5..9,2026,70,");
    assert_has(&answer, &answer_asked, ",DP_DELTA\r\n");
}

// Two bandings of age, and a filter on it too: every column keeps a name of its own.
static void no_two_columns_have_one_name(void **state) {
    (void)state;
    static const char *const by[] = {"age:work", "age:decade"};
    const gw_filter filter = {.concept = "age", .kind = GW_FILTER_BETWEEN, .low = "20", .high = "64"};
    const gw_asked asked = {.where = "age=20..64", .filters = &filter, .filter_count = 1, .sdmx = "EMP_RT"};
    gw_answer answer = answer_sample();
    gw_buffer buffer;
    gw_buffer_init(&buffer, 65536);
    answer.by = by;
    gw_format_sdmx_csv(&answer, &asked, &buffer);
    assert_non_null(strstr(gw_buffer_string(&buffer), ",INDICATOR,AGE,AGE_DECADE,TIME_PERIOD,"));
    gw_buffer_done(&buffer);
    answer.by = answer_by;
    answer.by_count = 1;
    gw_format_sdmx_csv(&answer, &asked, &buffer);
    assert_non_null(strstr(gw_buffer_string(&buffer), ",INDICATOR,AGE,C_BIRTH,TIME_PERIOD,"));
    assert_non_null(strstr(gw_buffer_string(&buffer), ",EMP_RT,Y20-64,NAT,2026,"));
    gw_buffer_done(&buffer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(observations_have_eurostat_s_codes_and_the_released_texts),
        cmocka_unit_test(time_comes_from_the_question_or_the_caller),
        cmocka_unit_test(dummies_are_not_for_publication),
        cmocka_unit_test(what_is_withheld_has_no_value),
        cmocka_unit_test(codes_are_spelled_as_eurostat_spells_them),
        cmocka_unit_test(a_gap_is_a_series_of_its_own),
        cmocka_unit_test(a_ratio_names_both_concepts_and_its_unit_is_an_id),
        cmocka_unit_test(a_text_that_no_list_names_is_not_spelled_as_a_code),
        cmocka_unit_test(no_two_columns_have_one_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
