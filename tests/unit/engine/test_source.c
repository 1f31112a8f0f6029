// SPDX-License-Identifier: Apache-2.0
// What a source may be called and call its columns, and what its owner is told when it is not what was meant.
#include "tests/unit/engine/engine_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#define COUNT "SELECT 0, count(*) FROM persons"
// Headers with a space, letters outside ASCII, a double quote, a backslash, and signs that --treat and SQL know.
#define COLUMN_BIRTH                                                                                                   \
    "\"Geburtsland (Österreich)\":{\"concept\":\"sex\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\"}"
#define COLUMN_YEARS                                                                                                   \
    "\"Years \\\"completed\\\"\":{\"concept\":\"age\",\"type\":\"integer\",\"min\":0,\"max\":120,\"missing\":\"_U\"}"
#define COLUMN_PATH                                                                                                    \
    "\"a\\\\b:c='d'\":{\"concept\":\"hours\",\"type\":\"integer\",\"min\":0,\"max\":80,\"missing\":\"_U\"}"
#define POLICY_NAMES                                                                                                   \
    "{\"godwit_policy\":1,\"dataset\":\"test.example/people\",\"population\":\"test.example/people\",\"version\":1,"   \
    "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{\"persons\":{\"unit\":"         \
    "\"Birth number\",\"rows_per_person_max\":1,\"columns\":{" COLUMN_BIRTH "," COLUMN_YEARS "," COLUMN_PATH           \
    "}" POLICY_TAIL

static int names_start(void **state) {
    test_dataset *dataset = calloc(1, sizeof(*dataset));
    fixture_init(dataset, POLICY_NAMES);
    *state = dataset;
    return 0;
}

static int people_start(void **state) {
    test_dataset *dataset = calloc(1, sizeof(*dataset));
    fixture_init(dataset, POLICY_PEOPLE);
    *state = dataset;
    return 0;
}

static int dataset_end(void **state) {
    test_dataset *dataset = *state;
    fixture_done(dataset);
    free(dataset);
    return 0;
}

static void make_parquet(const test_dataset *dataset, const char *select, const char *name) {
    char script[512], text[2048], output[512], command[4096];
    snprintf(text, sizeof(text), "CREATE SCHEMA sample; CREATE TABLE sample.made AS %s", select);
    fixture_write(dataset, "script.sql", text, strlen(text));
    fixture_path(dataset, "script.sql", script);
    fixture_path(dataset, name, output);
    snprintf(command, sizeof(command), "'%s' generate '%s' '%s.d' && mv '%s.d/made.parquet' '%s'", dataset->program,
             script, output, output, output);
    assert_int_equal(system(command), 0);
}

static void headers_are_any_printable_text(void **state) {
    test_dataset *dataset = *state;
    assert_int_equal(fixture_load_text(dataset,
                                       "Birth number,Geburtsland (Österreich),\"Years \"\"completed\"\"\",a\\b:c='d'\n"
                                       "a,F,30,8\nb,M,x,99\n"),
                     GW_INVALID);
    assert_true(fixture_has_finding(dataset, GW_LOAD_BAD_TYPE, 2, "Years \"completed\" \"x\" is not a whole number"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_OUT_OF_BOUNDS, 2, "a\\b:c='d' \"99\" is above 80"));
    gw_problem problem;
    assert_int_equal(gw_load_treat("Years \"completed\":bad_type=missing", &dataset->treatments, &problem), GW_OK);
    assert_int_equal(gw_load_treat("a\\b:c='d':out_of_bounds=clamp", &dataset->treatments, &problem), GW_OK);
    assert_int_equal(fixture_load(dataset, "people.csv"), GW_OK);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE sex = 0 AND age = 30 AND hours = 8"), 1);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE sex = 1 AND age IS NULL AND hours = 80"), 1);
}

static void headers_of_parquet_are_too(void **state) {
    test_dataset *dataset = *state;
    make_parquet(
        dataset,
        "SELECT 'a' AS \"Birth number\", 'F' AS \"Geburtsland (Österreich)\", 30 AS \"Years \"\"completed\"\"\", "
        "8 AS \"a\\b:c='d'\"",
        "people.parquet");
    assert_int_equal(fixture_load(dataset, "people.parquet"), GW_OK);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE sex = 0 AND age = 30 AND hours = 8"), 1);
}

#define PEOPLE "SELECT '%s' AS id, '1' AS sex, %d AS age, 1 AS income"

static void path_of_parquet_is_one_file_and_no_pattern(void **state) {
    test_dataset *dataset = *state;
    static const char *const names[][2] = {{"a*.parquet", "ab.parquet"},
                                           {"c?.parquet", "cd.parquet"},
                                           {"[ef].parquet", "e.parquet"},
                                           {"it's.parquet", "x.parquet"}};
    char select[256];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(select, sizeof(select), PEOPLE, "own", 40);
        make_parquet(dataset, select, "made");
        char made[512], meant[512], other[512];
        fixture_path(dataset, "made", made);
        fixture_path(dataset, names[i][0], meant);
        fixture_path(dataset, names[i][1], other);
        assert_int_equal(rename(made, meant), 0);
        snprintf(select, sizeof(select), PEOPLE, "other", 50);
        make_parquet(dataset, select, "made");
        assert_int_equal(rename(made, other), 0);
        assert_int_equal(fixture_load(dataset, names[i][0]), GW_OK);
        assert_int_equal(fixture_number(dataset, COUNT), 1);
        assert_int_equal(fixture_number(dataset, COUNT " WHERE age = 40"), 1);
    }
}

static void folder_that_looks_like_a_column_is_none(void **state) {
    test_dataset *dataset = *state;
    char folder[512], made[512], meant[512];
    fixture_path(dataset, "income=7", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    make_parquet(dataset, "SELECT 'a' AS id, '1' AS sex, 40 AS age", "made");
    fixture_path(dataset, "made", made);
    fixture_path(dataset, "income=7/people.parquet", meant);
    assert_int_equal(rename(made, meant), 0);
    assert_int_equal(fixture_load(dataset, "income=7/people.parquet"), GW_INVALID);
    assert_string_equal(dataset->problem.why, "Its header has no column \"income\".");
    // Nor is it for a draft of a policy: what a file calls its columns is what the load finds.
    char command[2048], line[256], columns[512] = "";
    snprintf(command, sizeof(command), "'%s' columns '%s'", dataset->program, meant);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    while (fgets(line, sizeof(line), pipe) != NULL)
        strcat(columns, line);
    assert_int_equal(pclose(pipe), 0);
    assert_string_equal(columns, "id\tVARCHAR\nsex\tVARCHAR\nage\tINTEGER\n");
}

static void mistaken_file_is_told_what_it_is(void **state) {
    test_dataset *dataset = *state;
    static const struct {
        const char *csv;
        size_t size; // 0: ends at NUL
        const char *why, *mend;
    } cases[] = {
        {"id;sex;age;income\na;1;1;1\n", 0, "Its header has no column \"id\".",
         "is it separated by ';'? Only commas are read. Where no value has one: tr ';' ',' < FILE > NEW"},
        {"id\tsex\tage\tincome\na\t1\t1\t1\n", 0, "Its header has no column \"id\".",
         "is it separated by tabs? Only commas are read. Where no value has one: tr '\\t' ',' < FILE > NEW"},
        {"ID,sex,age,income\na,1,1,1\n", 0, "Its header has no column \"id\".",
         "did you mean \"ID\"? Capitals and spaces count."},
        {"id,sex, age ,income\na,1,1,1\n", 0, "Its header has no column \"age\".",
         "did you mean \" age \"? Capitals and spaces count."},
        {"id,sex,\x1b[2JA g\te,income,AGE\na,1,1,1,1\n", 0, "Its header has no column \"age\".",
         "did you mean \"AGE\"? Capitals and spaces count."},
        {"years;old,id,sex,income\n1,a,1,1\n", 0, "Its header has no column \"age\".", NULL},
        {"\xFF\xFEi\0d\0,\0\n\0", 10, NULL, "save it as UTF-8: CSV files are read as that alone"},
        {"\xFE\xFF\0i\0d\0,\0\n", 10, NULL, "save it as UTF-8: CSV files are read as that alone"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t size = cases[i].size > 0 ? cases[i].size : strlen(cases[i].csv);
        fixture_write(dataset, "people.csv", cases[i].csv, size);
        assert_int_equal(fixture_load(dataset, "people.csv"), GW_INVALID);
        assert_string_equal(dataset->problem.code, "load_source");
        if (cases[i].why != NULL)
            assert_string_equal(dataset->problem.why, cases[i].why);
        else
            assert_non_null(strstr(dataset->problem.why, "is UTF-16 text."));
        if (cases[i].mend != NULL)
            assert_string_equal(dataset->problem.mend, cases[i].mend);
        else
            assert_non_null(strstr(dataset->problem.mend, "compare the file with the policy"));
    }
}

static void headers_are_compared_without_case_beyond_ascii_for_the_hint(void **state) {
    test_dataset *dataset = *state;
    assert_int_equal(fixture_load_text(dataset, "Birth number,geburtsland(österreich),x,y\n"), GW_INVALID);
    assert_string_equal(dataset->problem.why, "Its header has no column \"Geburtsland (Österreich)\".");
    assert_string_equal(dataset->problem.mend, "did you mean \"geburtsland(österreich)\"? Capitals and spaces count.");
    assert_int_equal(fixture_load_text(dataset, "Birth number,Geburtsland (österreich\xE2\x80\xAE),x,y\n"), GW_INVALID);
    assert_non_null(strstr(dataset->problem.mend, "compare the file"));
}

int main(void) {
#define NAMES_TEST(name) cmocka_unit_test_setup_teardown(name, names_start, dataset_end)
#define PEOPLE_TEST(name) cmocka_unit_test_setup_teardown(name, people_start, dataset_end)
    const struct CMUnitTest tests[] = {
        NAMES_TEST(headers_are_any_printable_text),
        NAMES_TEST(headers_of_parquet_are_too),
        PEOPLE_TEST(path_of_parquet_is_one_file_and_no_pattern),
        PEOPLE_TEST(folder_that_looks_like_a_column_is_none),
        PEOPLE_TEST(mistaken_file_is_told_what_it_is),
        NAMES_TEST(headers_are_compared_without_case_beyond_ascii_for_the_hint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
