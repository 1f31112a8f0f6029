// SPDX-License-Identifier: Apache-2.0
// Dates of a source become periods: in CSV as in Parquet, whatever the machine's time zone, and only days that are.
#include "tests/unit/engine/engine_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COLUMN_DATE(name, concept, period, first, last, missing)                                                       \
    "\"" name "\":{\"concept\":\"" concept "\",\"type\":\"date\",\"period\":\"" period "\",\"first\":\"" first         \
    "\",\"last\":\"" last "\",\"missing\":\"" missing "\"}"
#define POLICY_DATES                                                                                                   \
    POLICY_HEAD "\"rows_per_person_max\":1,\"columns\":{" COLUMN_DATE(                                                 \
        "entered", "time_period", "month", "2022-11", "2023-06",                                                       \
        "_U") "," COLUMN_DATE("born", "birth_year", "year", "1900", "2023",                                            \
                              "drop") "," COLUMN_DATE("moved", "quarter", "quarter", "2022-Q4", "2023-Q2",             \
                                                      "_U") "}" POLICY_TAIL
#define COUNT "SELECT 0, count(*) FROM persons"

static int dataset_start(void **state) {
    test_dataset *dataset = calloc(1, sizeof(*dataset));
    fixture_init(dataset, POLICY_DATES);
    *state = dataset;
    return 0;
}

static int dataset_end(void **state) {
    test_dataset *dataset = *state;
    fixture_done(dataset);
    free(dataset);
    return 0;
}

static void treat(test_dataset *dataset, const char *text) {
    gw_problem problem;
    assert_int_equal(gw_load_treat(text, &dataset->treatments, &problem), GW_OK);
}

static void dates_are_put_into_their_periods(void **state) {
    test_dataset *dataset = *state;
    assert_int_equal(fixture_load_text(dataset, "id,entered,born,moved\n"
                                                "a,2022-11-30,1900,2022-12-31\n"
                                                "b,2023-02-28T23:59:59,1999-12-31,2023-Q1\n"
                                                "c,2023-06,2023-01-01,2023-06\n"
                                                "d,,,\n"
                                                "e,_U,2000,_U\n"),
                     GW_OK);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE time_period = 0 AND birth_year = 0 AND quarter = 0"), 1);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE time_period = 3 AND birth_year = 99 AND quarter = 1"), 1);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE time_period = 7 AND birth_year = 123 AND quarter = 2"), 1);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE time_period = 8 AND birth_year IS NULL AND quarter = 3"), 1);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE time_period = 8 AND birth_year = 100 AND quarter = 3"), 1);
}

static const char *const outside = "id,entered,born,moved\n"
                                   "a,2022-10-31,2000,2023-Q1\n"
                                   "b,2023-07-01,2000,2023-Q1\n"
                                   "c,2023-01-01,1899-12-31,2023-Q1\n"
                                   "d,2023-01-01,2000,2023-07-01\n"
                                   "e,2023-02-29,2000,2023-Q1\n"
                                   "f,2023,2000,2023-Q1\n"
                                   "g,2023-01-01,12000,2023-Q1\n"
                                   "h,0000-00-00,2000,2023-Q1\n"
                                   "i,2023-01-01,2000,infinity\n";

static void what_lies_outside_is_found_with_its_bound(void **state) {
    test_dataset *dataset = *state;
    assert_int_equal(fixture_load_text(dataset, outside), GW_INVALID);
    assert_int_equal(fixture_data_count(dataset), 0);
    assert_true(fixture_has_finding(dataset, GW_LOAD_OUT_OF_BOUNDS, 1, "entered \"2022-10-31\" is before 2022-11"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_OUT_OF_BOUNDS, 2, "entered \"2023-07-01\" is after 2023-06"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_OUT_OF_BOUNDS, 3, "born \"1899-12-31\" is before 1900"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_OUT_OF_BOUNDS, 4, "moved \"2023-07-01\" is after 2023-Q2"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_BAD_TYPE, 5,
                                    "entered \"2023-02-29\" is not a date (2023-05-17, or 2023-05)"));
    assert_true(
        fixture_has_finding(dataset, GW_LOAD_BAD_TYPE, 6, "entered \"2023\" is not a date (2023-05-17, or 2023-05)"));
    assert_true(
        fixture_has_finding(dataset, GW_LOAD_BAD_TYPE, 7, "born \"12000\" is not a date (2023-05-17, or 2023)"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_NOT_FINITE, 9, "moved \"infinity\" is not finite"));
    const uint64_t counts[GW_LOAD_KINDS] = {4, 0, 4, 1};
    for (size_t i = 0; i < GW_LOAD_KINDS; i++)
        assert_int_equal(dataset->report.kinds[i].count, counts[i]);
}

static void each_treatment_of_a_date_does_what_it_says(void **state) {
    test_dataset *dataset = *state;
    treat(dataset, "bad_type=missing");
    treat(dataset, "not_finite=drop-row");
    treat(dataset, "out_of_bounds=clamp");
    assert_int_equal(fixture_load_text(dataset, outside), GW_OK);
    assert_int_equal(fixture_number(dataset, COUNT), 8);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE time_period = 0"), 1); // a: the first month
    assert_int_equal(fixture_number(dataset, COUNT " WHERE time_period = 7"), 1); // b: the last
    assert_int_equal(fixture_number(dataset, COUNT " WHERE birth_year = 0"), 1);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE quarter = 2"), 1);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE time_period = 8"), 3);    // e, f, h: unknown
    assert_int_equal(fixture_number(dataset, COUNT " WHERE birth_year IS NULL"), 1); // g: left out
    treat(dataset, "entered:out_of_bounds=missing");
    treat(dataset, "born:out_of_bounds=drop-row");
    assert_int_equal(fixture_load_text(dataset, outside), GW_OK);
    assert_int_equal(fixture_number(dataset, COUNT), 7);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE time_period = 8"), 5);
}

static void make_parquet(const test_dataset *dataset, const char *select) {
    char script[512], text[2048], output[512], command[4096];
    snprintf(text, sizeof(text), "CREATE SCHEMA sample; CREATE TABLE sample.made AS %s", select);
    fixture_write(dataset, "script.sql", text, strlen(text));
    fixture_path(dataset, "script.sql", script);
    fixture_path(dataset, "made", output);
    snprintf(command, sizeof(command), "'%s' generate '%s' '%s.d' && mv '%s.d/made.parquet' '%s'", dataset->program,
             script, output, output, output);
    assert_int_equal(system(command), 0);
}

// Dates and timestamps of Parquet count as they are stored: a stamp with a zone is stored in UTC.
static void parquet_dates_do_not_depend_on_the_machine(void **state) {
    test_dataset *dataset = *state;
    static const char *const zones[] = {"UTC", "Pacific/Kiritimati", "America/Los_Angeles"};
    make_parquet(dataset,
                 "SELECT * FROM (VALUES "
                 "('a', TIMESTAMPTZ '2023-01-31 23:30:00+00', DATE '1999-12-31', TIMESTAMP '2023-03-31 23:59:59.9'),"
                 "('b', TIMESTAMPTZ '2023-02-01 00:30:00+00', DATE '1900-01-01', TIMESTAMP '2022-10-01 00:00:00'),"
                 "('c', NULL, NULL, NULL)) AS t(id, entered, born, moved)");
    const char *before = getenv("TZ");
    char kept[128];
    snprintf(kept, sizeof(kept), "%s", before != NULL ? before : "");
    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        assert_int_equal(setenv("TZ", zones[i], 1), 0);
        assert_int_equal(fixture_load(dataset, "made"), GW_OK);
        assert_int_equal(fixture_number(dataset, COUNT " WHERE time_period = 2 AND birth_year = 99 AND quarter = 1"),
                         1);
        assert_int_equal(fixture_number(dataset, COUNT " WHERE time_period = 3 AND birth_year = 0 AND quarter = 0"), 1);
        assert_int_equal(fixture_number(dataset, COUNT " WHERE time_period = 8 AND birth_year IS NULL AND quarter = 3"),
                         1);
    }
    assert_int_equal(before != NULL ? setenv("TZ", kept, 1) : unsetenv("TZ"), 0);
}

static void parquet_dates_that_no_calendar_has_are_refused(void **state) {
    test_dataset *dataset = *state;
    make_parquet(dataset, "SELECT * FROM (VALUES ('a', DATE 'infinity'), ('b', DATE '0044-03-15 (BC)'), "
                          "('c', DATE '12023-05-17'), ('d', DATE '2023-05-17')) AS t(id, entered), "
                          "(SELECT '2000' AS born, '2023-Q1' AS moved)");
    assert_int_equal(fixture_load(dataset, "made"), GW_INVALID);
    assert_int_equal(dataset->report.kinds[GW_LOAD_NOT_FINITE].count, 1);
    assert_int_equal(dataset->report.kinds[GW_LOAD_BAD_TYPE].count, 2);
    assert_int_equal(dataset->report.rows_read, 4);
}

int main(void) {
#define DATASET_TEST(name) cmocka_unit_test_setup_teardown(name, dataset_start, dataset_end)
    const struct CMUnitTest tests[] = {
        DATASET_TEST(dates_are_put_into_their_periods),
        DATASET_TEST(what_lies_outside_is_found_with_its_bound),
        DATASET_TEST(each_treatment_of_a_date_does_what_it_says),
        DATASET_TEST(parquet_dates_do_not_depend_on_the_machine),
        DATASET_TEST(parquet_dates_that_no_calendar_has_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
