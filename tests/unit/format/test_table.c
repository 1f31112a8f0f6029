// SPDX-License-Identifier: Apache-2.0
// An answer for people, golden at 80 columns: notice, labels, ranges, flags in words, clipped figures, notes.
#include "service/format/csv.h"
#include "service/format/table.h"
#include "tests/support/unit.h"
#include <string.h>

static const char *concept_label(void *state, const char *concept) {
    (void)state;
    return strcmp(concept, "c_birth") == 0 ? "Country of birth" : strcmp(concept, "sex") == 0 ? "Sex" : NULL;
}

static const char *code_label(void *state, const char *concept, const char *code) {
    (void)state, (void)concept;
    return strcmp(code, "NAT") == 0  ? "Born here"
           : strcmp(code, "F") == 0  ? "Female"
           : strcmp(code, "_U") == 0 ? "Unknown"
                                     : NULL;
}

static const gw_asked asked = {.title = "Employment rate, by Country of birth x Sex · epsilon 0.05",
                               .where = "age=20..64 and sex=F,M"};
static const gw_labels labels = {.concept = concept_label, .code = code_label};
static const char *const by[] = {"c_birth", "sex"};
static const char *const keys[][2] = {{"NAT", "F"}, {"NEU_FOR", "M"}, {"_U", "M"}};
static const gw_answer_cell rate_cells[] = {
    {.key = keys[0], .estimate = "66.4", .lower = "63.5", .upper = "69.3", .se = "1.4", .flag = ""},
    {.key = keys[1], .estimate = "101.2", .lower = "80.0", .upper = "100.0", .se = "9.4", .flag = ""},
    {.key = keys[2], .estimate = NULL, .lower = "0.0", .upper = "100.0", .se = NULL, .flag = "u"},
};

static gw_answer rate_answer(void) {
    return (gw_answer){.release = "GW-2026-000143",
                       .dataset = "nso.example/register",
                       .indicator = "employment_rate",
                       .unit = "PC",
                       .level = "0.95",
                       .notice = "SYNTHETIC: nobody in it exists.",
                       .statistic = "rate",
                       .noise = {.epsilon = {50000}},
                       .by = by,
                       .by_count = 2,
                       .cells = rate_cells,
                       .cell_count = 3};
}

static void assert_table(const gw_answer *answer, const gw_labels *with, const char *expected) {
    gw_buffer buffer;
    gw_buffer_init(&buffer, 65536);
    gw_format_table(answer, &asked, with, 80, &buffer);
    assert_int_equal(buffer.status, GW_OK);
    assert_string_equal(gw_buffer_string(&buffer), expected);
    gw_buffer_done(&buffer);
}

static void table_says_notice_labels_ranges_and_flags(void **state) {
    (void)state;
    gw_answer answer = rate_answer();
    assert_table(&answer, &labels,
                 "Employment rate, by Country of birth x Sex · epsilon 0.05\n"
                 "SYNTHETIC: nobody in it exists.\n"
                 " COUNTRY OF BIRTH  SEX          ESTIMATE  LIKELY BETWEEN  FLAG\n"
                 " Born here         Female         66.4 %   63.5 and 69.3\n"
                 " NEU_FOR           M             100.0 %  80.0 and 100.0\n"
                 " Unknown           M       too uncertain               -  u\n"
                 "Likely between: the noise range, right 19 times in 20; other errors come on top.\n"
                 "u  too uncertain after protection: ask for bigger groups, or double epsilon\n"
                 "Shown within what is possible; -o csv and -o json keep the unbiased figures.\n");
}

static void counts_are_never_shown_below_zero(void **state) {
    (void)state;
    const gw_answer_cell cells[] = {
        {.key = keys[0], .estimate = "-12", .lower = "-72", .upper = "48", .se = "28", .flag = ""},
        {.key = keys[1], .estimate = "24108", .lower = "24048", .upper = "24168", .se = "28", .flag = ""},
        {.key = keys[2], .estimate = "101", .lower = "0", .upper = "251", .se = "71", .flag = "u"}};
    gw_answer answer = rate_answer();
    answer.statistic = "count";
    answer.unit = "PS";
    answer.notice = NULL;
    answer.cells = cells;
    answer.cell_count = 3;
    assert_table(&answer, NULL,
                 "Employment rate, by Country of birth x Sex · epsilon 0.05\n"
                 " C_BIRTH  SEX       ESTIMATE     LIKELY BETWEEN  FLAG\n"
                 " NAT      F                0           0 and 48\n"
                 " NEU_FOR  M           24,108  24,048 and 24,168\n"
                 " _U       M    too uncertain          0 and 251  u\n"
                 "Likely between: the noise range, right 19 times in 20; other errors come on top.\n"
                 "u  too uncertain after protection: ask for bigger groups, or double epsilon\n"
                 "Shown within what is possible; -o csv and -o json keep the unbiased figures.\n");
}

static void decimals_far_below_the_noise_are_not_shown_and_no_range_narrows(void **state) {
    (void)state;
    gw_answer_cell cells[] = {
        {.key = keys[0], .estimate = "133496.17", .lower = "129451.93", .upper = "137540.01", .se = "2000", .flag = ""},
        {.key = keys[1], .estimate = "-2.5", .lower = "-12.01", .upper = "9.99", .se = "4", .flag = ""}};
    gw_answer answer = rate_answer();
    answer.statistic = "sum";
    answer.unit = "EUR";
    answer.notice = NULL;
    answer.cells = cells;
    answer.cell_count = 2;
    assert_table(&answer, NULL,
                 "Employment rate, by Country of birth x Sex · epsilon 0.05\n"
                 " C_BIRTH  SEX     ESTIMATE       LIKELY BETWEEN  FLAG\n"
                 " NAT      F    133,496 EUR  129,451 and 137,541\n"
                 " NEU_FOR  M         -3 EUR           -13 and 10\n"
                 "Likely between: the noise range, right 19 times in 20; other errors come on top.\n");
    cells[1].upper = "7.98"; // narrower than twenty: its decimals may matter
    assert_table(&answer, NULL,
                 "Employment rate, by Country of birth x Sex · epsilon 0.05\n"
                 " C_BIRTH  SEX        ESTIMATE             LIKELY BETWEEN  FLAG\n"
                 " NAT      F    133,496.17 EUR  129,451.93 and 137,540.01\n"
                 " NEU_FOR  M          -2.5 EUR            -12.01 and 7.98\n"
                 "Likely between: the noise range, right 19 times in 20; other errors come on top.\n");
}

static void no_count_is_said_to_be_surely_zero(void **state) {
    (void)state;
    const gw_answer_cell cells[] = {
        {.key = keys[0], .estimate = "-90", .lower = "0", .upper = "0", .se = "28", .flag = "u"},
        {.key = keys[1], .estimate = "-29", .lower = "-59", .upper = "1", .se = "28", .flag = ""}};
    gw_answer answer = rate_answer();
    answer.statistic = "count";
    answer.unit = "PS";
    answer.notice = NULL;
    answer.cells = cells;
    answer.cell_count = 2;
    assert_table(&answer, NULL,
                 "Employment rate, by Country of birth x Sex · epsilon 0.05\n"
                 " C_BIRTH  SEX       ESTIMATE  LIKELY BETWEEN  FLAG\n"
                 " NAT      F    too uncertain         0 and 1  u\n"
                 " NEU_FOR  M                0         0 and 1\n"
                 "Likely between: the noise range, right 19 times in 20; other errors come on top.\n"
                 "u  too uncertain after protection: ask for bigger groups, or double epsilon\n"
                 "Shown within what is possible; -o csv and -o json keep the unbiased figures.\n");
    gw_buffer csv;
    gw_buffer_init(&csv, 65536);
    gw_format_csv(&answer, &asked, &csv);
    assert_non_null(strstr(gw_buffer_string(&csv), "\nNAT,F,-90,0,0,28,u,")); // as it was released
    gw_buffer_done(&csv);
}

static void means_keep_their_sign(void **state) {
    (void)state;
    const gw_answer_cell cells[] = {
        {.key = keys[0], .estimate = "-12.5", .lower = "-20.0", .upper = "-5.0", .se = "3", .flag = ""}};
    gw_answer answer = rate_answer();
    answer.statistic = "mean";
    answer.unit = "EUR";
    answer.by_count = 0;
    answer.cells = cells;
    answer.cell_count = 1;
    answer.level = "0.5";
    assert_table(&answer, NULL,
                 "Employment rate, by Country of birth x Sex · epsilon 0.05\n"
                 "SYNTHETIC: nobody in it exists.\n"
                 "  ESTIMATE  LIKELY BETWEEN  FLAG\n"
                 " -12.5 EUR  -20.0 and -5.0\n"
                 "Likely between: the noise range, right in 50 % of releases; other errors come on\n  top.\n");
}

// Sums and net flows may be negative: they are shown as they are, with their unit.
static void sums_and_net_flows_keep_their_sign_and_unit(void **state) {
    (void)state;
    const gw_answer_cell cells[] = {
        {.key = keys[0], .estimate = "-1204", .lower = "-1310", .upper = "-1098", .se = "54", .flag = ""},
        {.key = keys[1], .estimate = "12345678", .lower = "12300000", .upper = "12391356", .se = "54", .flag = ""},
        {.key = keys[2], .estimate = "0", .lower = "-106", .upper = "0", .se = "54", .flag = "p"}};
    gw_answer answer = rate_answer();
    answer.statistic = "net";
    answer.unit = "events";
    answer.notice = NULL;
    answer.cells = cells;
    assert_table(&answer, NULL,
                 "Employment rate, by Country of birth x Sex · epsilon 0.05\n"
                 " C_BIRTH  SEX           ESTIMATE             LIKELY BETWEEN  FLAG\n"
                 " NAT      F        -1,204 events          -1,310 and -1,098\n"
                 " NEU_FOR  M    12,345,678 events  12,300,000 and 12,391,356\n"
                 " _U       M             0 events                 -106 and 0  p\n"
                 "Likely between: the noise range, right 19 times in 20; other errors come on top.\n"
                 "p  provisional\n");
    answer.statistic = "sum";
    answer.unit = "EUR";
    answer.cell_count = 1;
    assert_table(&answer, NULL,
                 "Employment rate, by Country of birth x Sex · epsilon 0.05\n"
                 " C_BIRTH  SEX    ESTIMATE     LIKELY BETWEEN  FLAG\n"
                 " NAT      F    -1,204 EUR  -1,310 and -1,098\n"
                 "Likely between: the noise range, right 19 times in 20; other errors come on top.\n");
}

static void what_was_bounded_weighted_and_counted_is_said_below(void **state) {
    (void)state;
    gw_answer answer = rate_answer();
    answer.cell_count = 1;
    answer.notice = NULL;
    answer.is_per_person = answer.is_weighted = true;
    answer.bounds_kind = "keep-rows";
    answer.bounds_units = "3";
    answer.bounds_note = "Persons with more rows count less, so totals can be too low.";
    assert_table(&answer, NULL,
                 "Employment rate, by Country of birth x Sex · epsilon 0.05\n"
                 " C_BIRTH  SEX  ESTIMATE  LIKELY BETWEEN  FLAG\n"
                 " NAT      F      66.4 %   63.5 and 69.3\n"
                 "Likely between: the noise range, right 19 times in 20; other errors come on top.\n"
                 "Per person: persons and what they have in all are measured, not rows.\n"
                 "Persons with more rows count less, so totals can be too low.\n");
    answer.bounds_note = NULL;
    answer.bounds_units = "1";
    assert_table(&answer, NULL,
                 "Employment rate, by Country of birth x Sex · epsilon 0.05\n"
                 " C_BIRTH  SEX  ESTIMATE  LIKELY BETWEEN  FLAG\n"
                 " NAT      F      66.4 %   63.5 and 69.3\n"
                 "Likely between: the noise range, right 19 times in 20; other errors come on top.\n"
                 "Per person: persons and what they have in all are measured, not rows.\n"
                 "Bounded: of one person at most 1 row counts. Weighted: each row stands for as\n"
                 "  many as its survey weight says.\n");
    answer.bounds_kind = "none"; // a person is one row: there is nothing to tell apart
    assert_table(&answer, NULL,
                 "Employment rate, by Country of birth x Sex · epsilon 0.05\n"
                 " C_BIRTH  SEX  ESTIMATE  LIKELY BETWEEN  FLAG\n"
                 " NAT      F      66.4 %   63.5 and 69.3\n"
                 "Likely between: the noise range, right 19 times in 20; other errors come on top.\n"
                 "Weighted: each row stands for as many as its survey weight says.\n");
    answer.is_per_person = answer.is_weighted = false;
    answer.bounds_kind = "clamp-total";
    answer.bounds_total = "60000";
    answer.bounds_note = NULL;
    answer.unit = "EUR";
    answer.statistic = "sum";
    assert_table(&answer, NULL,
                 "Employment rate, by Country of birth x Sex · epsilon 0.05\n"
                 " C_BIRTH  SEX  ESTIMATE  LIKELY BETWEEN  FLAG\n"
                 " NAT      F    66.4 EUR   63.5 and 69.3\n"
                 "Likely between: the noise range, right 19 times in 20; other errors come on top.\n"
                 "Bounded: one person's values count up to 60,000 EUR in all.\n");
}

// Whoever sees only the top or only the end of a page still sees it.
static void dummies_are_named_first_and_last(void **state) {
    (void)state;
    gw_answer answer = rate_answer();
    answer.is_dummy = true;
    answer.cell_count = 1;
    assert_table(&answer, NULL,
                 "NOT REAL: made from the policy alone, about nobody; for trying things out.\n"
                 "Employment rate, by Country of birth x Sex · epsilon 0.05\n"
                 "SYNTHETIC: nobody in it exists.\n"
                 " C_BIRTH  SEX  ESTIMATE  LIKELY BETWEEN  FLAG\n"
                 " NAT      F      66.4 %   63.5 and 69.3\n"
                 "Likely between: the noise range, right 19 times in 20; other errors come on top.\n"
                 "NOT REAL: made from the policy alone, about nobody; for trying things out.\n");
    answer.notice = "NOT REAL: made from the policy alone. SYNTHETIC: nobody in it exists."; // said once at the top
    assert_table(&answer, NULL,
                 "NOT REAL: made from the policy alone. SYNTHETIC: nobody in it exists.\n"
                 "Employment rate, by Country of birth x Sex · epsilon 0.05\n"
                 " C_BIRTH  SEX  ESTIMATE  LIKELY BETWEEN  FLAG\n"
                 " NAT      F      66.4 %   63.5 and 69.3\n"
                 "Likely between: the noise range, right 19 times in 20; other errors come on top.\n"
                 "NOT REAL: made from the policy alone, about nobody; for trying things out.\n");
}

static void a_table_writes_numbers_as_its_reader_does(void **state) {
    (void)state;
    const gw_numbers numbers = {.point = ",", .group = "\xC2\xA0", .grouping = "\3\3"};
    const gw_labels german = {.concept = concept_label, .code = code_label, .numbers = &numbers};
    const gw_answer_cell cells[] = {
        {.key = keys[0], .estimate = "1234563.5", .lower = "1234560.0", .upper = "1234567.0", .se = "28", .flag = ""}};
    gw_answer answer = rate_answer();
    answer.statistic = "mean";
    answer.unit = "EUR";
    answer.notice = NULL;
    answer.cells = cells;
    answer.cell_count = 1;
    assert_table(&answer, &german,
                 "Employment rate, by Country of birth x Sex · epsilon 0.05\n"
                 " COUNTRY OF BIRTH  SEX            ESTIMATE               LIKELY BETWEEN  FLAG\n"
                 " Born here         Female  1\xC2\xA0"
                 "234\xC2\xA0"
                 "563,5 EUR  1\xC2\xA0"
                 "234\xC2\xA0"
                 "560,0 and 1\xC2\xA0"
                 "234\xC2\xA0"
                 "567,0\n"
                 "Likely between: the noise range, right 19 times in 20; other errors come on top.\n");
}

// Long labels, wide characters and big figures: 40 columns are kept, and nothing is lost.
static void a_narrow_table_keeps_its_width(void **state) {
    (void)state;
    gw_answer answer = rate_answer();
    answer.is_dummy = answer.is_weighted = true;
    answer.bounds_kind = "keep-cells";
    answer.bounds_units = "2";
    const gw_asked long_asked = {.title = "Employment rate, by 出生国 x Sex · only isced11=ED0-2,ED3_4 · register",
                                 .where = ""};
    for (unsigned width = 40; width <= 80; width += 8) {
        gw_buffer buffer;
        gw_buffer_init(&buffer, 65536);
        gw_format_table(&answer, &long_asked, &labels, width, &buffer);
        for (const char *line = gw_buffer_string(&buffer); *line != '\0'; line += strcspn(line, "\n") + 1)
            assert_true(gw_text_width(line, strcspn(line, "\n")) <= width);
        assert_non_null(strstr(gw_buffer_string(&buffer), "出生国"));
        assert_non_null(strstr(gw_buffer_string(&buffer), "here"));
        gw_buffer_done(&buffer);
    }
}

static void a_gap_says_which_way_it_goes_and_of_whom(void **state) {
    (void)state;
    const gw_answer_cell cells[] = {
        {.key = keys[0], .estimate = "-12.3", .lower = "-12.6", .upper = "-12.0", .se = "0.1", .flag = ""},
        {.key = keys[1], .estimate = "0.2", .lower = "-1.0", .upper = "1.4", .se = "0.6", .flag = ""},
        {.key = keys[2], .estimate = "30", .lower = "5", .upper = "80", .se = "20", .flag = "u"}};
    gw_answer answer = rate_answer();
    answer.notice = NULL;
    answer.statistic = "gap";
    answer.gap_of = "rate";
    answer.gap_concept = "citizen";
    answer.gap_group = "EU_FOR";
    answer.gap_reference = "NAT";
    answer.unit = "PP";
    answer.cells = cells;
    assert_table(&answer, &labels,
                 "Employment rate, by Country of birth x Sex · epsilon 0.05\n"
                 " COUNTRY OF BIRTH  SEX          ESTIMATE   LIKELY BETWEEN  FLAG  GROUP IS\n"
                 " Born here         Female       -12.3 PP  -12.6 and -12.0        below\n"
                 " NEU_FOR           M              0.2 PP     -1.0 and 1.4        unclear\n"
                 " Unknown           M       too uncertain         5 and 80  u     unclear\n"
                 "Likely between: the noise range, right 19 times in 20; other errors come on top.\n"
                 "Group is: how EU_FOR lies to Born here, where the range leaves zero out; else\n"
                 "  unclear.\n"
                 "u  too uncertain after protection: ask for bigger groups, or double epsilon\n");
}

static void the_line_of_poverty_is_a_percentage_of_the_median(void **state) {
    (void)state;
    gw_answer answer = rate_answer();
    answer.notice = NULL;
    answer.cell_count = 1;
    answer.fraction = "0.6";
    answer.line = (gw_answer_line){"EUR", "31900", "31800", "32000", "19140", "19080", "19200"};
    assert_table(&answer, &labels,
                 "Employment rate, by Country of birth x Sex · epsilon 0.05\n"
                 " COUNTRY OF BIRTH  SEX     ESTIMATE  LIKELY BETWEEN  FLAG\n"
                 " Born here         Female    66.4 %   63.5 and 69.3\n"
                 "Likely between: the noise range, right 19 times in 20; other errors come on top.\n"
                 "Poor is who has less than 19,140 EUR (likely between 19,080 and 19,200): 60 % of\n"
                 "  everybody's median, 31,900 (between 31,800 and 32,000). Everybody in the\n"
                 "  question counts for the median, inside the groups or not.\n");
}

static gw_answer series_answer(void) {
    static const char *const axes[] = {"month", "span"};
    static const char *const months[][2] = {
        {"2025-01", "period"}, {"2025-01", "cumulative"}, {"2025-02", "period"}, {"2025-02", "cumulative"}};
    static const gw_answer_cell cells[] = {
        {.key = months[0], .estimate = "400", .lower = "380", .upper = "420", .se = "5", .flag = ""},
        {.key = months[1], .estimate = "400", .lower = "380", .upper = "420", .se = "5", .flag = ""},
        {.key = months[2], .estimate = "200", .lower = "180", .upper = "220", .se = "5", .flag = ""},
        {.key = months[3], .estimate = "600", .lower = "580", .upper = "620", .se = "5", .flag = ""},
    };
    gw_answer answer = rate_answer();
    answer.statistic = "series";
    answer.unit = "PS";
    answer.notice = NULL;
    answer.by = axes;
    answer.cells = cells;
    answer.cell_count = 4;
    return answer;
}

// The counts up to a period have none: they would dwarf those of the periods.
static void a_series_has_bars_of_its_periods(void **state) {
    (void)state;
    gw_answer answer = series_answer();
    gw_buffer buffer;
    size_t bars = 0, lines[4] = {0};
    gw_buffer_init(&buffer, 65536);
    gw_format_table(&answer, &asked, &labels, 100, &buffer);
    for (const char *at = strstr(gw_buffer_string(&buffer), "2025-01"); at != NULL && bars < 4; bars++) {
        const char *end = strchr(at, '\n');
        assert_non_null(end);
        for (const char *c = at; c < end; c++)
            lines[bars] += strncmp(c, "\u2588", 3) == 0;
        at = end + 1;
    }
    assert_true(lines[0] > 0);
    assert_int_equal(lines[1], 0);
    assert_int_equal(lines[2], lines[0] / 2);
    assert_int_equal(lines[3], 0);
    gw_buffer_done(&buffer);
}

static void inequality_says_that_values_are_middles_of_bins(void **state) {
    (void)state;
    static const char *const statistics[] = {"poverty", "gini", "quintile_ratio", "quantile", "rate"};
    static const char note[] = "Each value counts as the middle of its bin: 401 bins, each 100 wide, from 0 to";
    for (size_t i = 0; i < 5; i++) {
        gw_answer answer = rate_answer();
        gw_buffer buffer;
        answer.statistic = statistics[i];
        answer.measured = (gw_answer_measured){
            .kind = "tree", .bin_count = 401, .first = "0", .width = "100", .step = "1", .last = "40000"};
        if (i == 4)
            answer.measured = (gw_answer_measured){.kind = NULL};
        gw_buffer_init(&buffer, 65536);
        gw_format_table(&answer, &asked, &labels, 100, &buffer);
        assert_true((strstr(gw_buffer_string(&buffer), note) != NULL) == (i < 3));
        assert_true((strstr(gw_buffer_string(&buffer), "40,000. Figures") != NULL) == (i < 3));
        gw_buffer_done(&buffer);
    }
}

// Where nothing bounds it above at a level, there is a lower end alone.
static void a_ratio_of_quintiles_may_be_open_above(void **state) {
    (void)state;
    static const gw_answer_cell cells[] = {
        {.key = keys[0], .estimate = "5.1", .lower = "4.2", .upper = NULL, .se = NULL, .flag = ""}};
    gw_answer answer = rate_answer();
    gw_buffer buffer;
    answer.statistic = "quintile_ratio";
    answer.unit = "RT";
    answer.cells = cells;
    answer.cell_count = 1;
    gw_buffer_init(&buffer, 65536);
    gw_format_table(&answer, &asked, &labels, 100, &buffer);
    assert_non_null(strstr(gw_buffer_string(&buffer), "at least 4.2"));
    gw_buffer_done(&buffer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_says_notice_labels_ranges_and_flags),
        cmocka_unit_test(counts_are_never_shown_below_zero),
        cmocka_unit_test(decimals_far_below_the_noise_are_not_shown_and_no_range_narrows),
        cmocka_unit_test(no_count_is_said_to_be_surely_zero),
        cmocka_unit_test(means_keep_their_sign),
        cmocka_unit_test(sums_and_net_flows_keep_their_sign_and_unit),
        cmocka_unit_test(what_was_bounded_weighted_and_counted_is_said_below),
        cmocka_unit_test(dummies_are_named_first_and_last),
        cmocka_unit_test(a_table_writes_numbers_as_its_reader_does),
        cmocka_unit_test(a_gap_says_which_way_it_goes_and_of_whom),
        cmocka_unit_test(the_line_of_poverty_is_a_percentage_of_the_median),
        cmocka_unit_test(a_narrow_table_keeps_its_width),
        cmocka_unit_test(a_series_has_bars_of_its_periods),
        cmocka_unit_test(inequality_says_that_values_are_middles_of_bins),
        cmocka_unit_test(a_ratio_of_quintiles_may_be_open_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
