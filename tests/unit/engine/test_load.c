// SPDX-License-Identifier: Apache-2.0
// Loads: every kind of bad row is found where it stands and treated as told, or nothing is loaded and nothing left
// behind.
#include "tests/unit/engine/engine_fixture.h"
#include "service/base/file.h"
#include "service/engine/child.h"
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>

static int dataset_start(void **state) {
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

static void treat(test_dataset *dataset, const char *text) {
    gw_problem problem;
    assert_int_equal(gw_load_treat(text, &dataset->treatments, &problem), GW_OK);
}

static void expect_refused(test_dataset *dataset, const char *csv) {
    assert_int_equal(fixture_load_text(dataset, csv), GW_INVALID);
    assert_string_equal(dataset->problem.code, "load_refused");
    assert_int_equal(fixture_data_count(dataset), 0);
}

#define COUNT "SELECT 0, count(*) FROM persons"

static void each_kind_is_found_with_its_row_and_reason(void **state) {
    test_dataset *dataset = *state;
    expect_refused(dataset, "id,sex,age,income\n"
                            "a,1,30,1\n"
                            "b,X,abc,1\n"            // 2
                            "c,1,121,-100.5\n"       // 3
                            "d,1,3.5,nan\n"          // 4
                            ",1,30,1\n"              // 5
                            "e,1,30\n"               // 6
                            "f,1,30,1,9\n"           // 7
                            "a,2,31,2\n"             // 8
                            "g,1,30,\"1\"0\n"        // 9
                            "\n"                     // 10
                            "h,1,-1,1e400\n"         // 11
                            "i,1,-0.0,-Infinity\n"); // 12
    assert_int_equal(dataset->report.rows_read, 12);
    assert_true(fixture_has_finding(dataset, GW_LOAD_UNLISTED_CODE, 2, "sex \"X\" is not in the code list"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_BAD_TYPE, 2, "age \"abc\" is not a whole number"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_OUT_OF_BOUNDS, 3, "age \"121\" is above 120"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_OUT_OF_BOUNDS, 3, "income \"-100.5\" is below -100.0"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_BAD_TYPE, 4, "age \"3.5\" is not a whole number"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_NOT_FINITE, 4, "income \"nan\" is not finite"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_MISSING_ID, 5, "id is empty"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_RAGGED_ROW, 6, "3 fields, but the header has 4"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_RAGGED_ROW, 7, "5 fields, but the header has 4"));
    assert_true(
        fixture_has_finding(dataset, GW_LOAD_TOO_MANY_ROWS, 8, "the same id as in another row; at most 1 per person"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_RAGGED_ROW, 9, "a quoted field does not end where it should"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_RAGGED_ROW, 10, "0 fields, but the header has 4"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_OUT_OF_BOUNDS, 11, "age \"-1\" is below 0"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_OUT_OF_BOUNDS, 11, "income \"1e400\" is above 200000.0"));
    assert_true(fixture_has_finding(dataset, GW_LOAD_NOT_FINITE, 12, "income \"-Infinity\" is not finite"));
    const uint64_t counts[GW_LOAD_KINDS] = {2, 1, 4, 2, 1, 1, 4};
    for (size_t i = 0; i < GW_LOAD_KINDS; i++)
        assert_int_equal(dataset->report.kinds[i].count, counts[i]);
}

static void ten_rows_are_shown_and_all_are_counted(void **state) {
    test_dataset *dataset = *state;
    char csv[8192] = "id,sex,age,income\n";
    for (int i = 0; i < 100; i++)
        sprintf(csv + strlen(csv), "%d,1,x%d,1\n", i, i);
    expect_refused(dataset, csv);
    const gw_load_kind_report *found = &dataset->report.kinds[GW_LOAD_BAD_TYPE];
    assert_int_equal(found->count, 100);
    assert_int_equal(found->finding_count, 10);
    assert_int_equal(found->findings[9].row, 10);
    gw_buffer text;
    gw_buffer_init(&text, 65536);
    gw_load_options options = {.policy = dataset->policy, .treatments = dataset->treatments};
    gw_load_report_text(&dataset->report, &options, &text);
    assert_non_null(strstr(gw_buffer_string(&text),
                           "  row 10: age \"x9\" is not a whole number\n  and 90 more\n  mend: --treat "
                           "bad_type=drop-row | --treat bad_type=missing\n"));
    gw_buffer_done(&text);
}

static void each_treatment_does_what_it_says(void **state) {
    test_dataset *dataset = *state;
    const char *csv = "id,sex,age,income\n"
                      "a,1,abc,1\n"
                      "b,Z,30,2\n"
                      "c,1,500,3\n"
                      "d,2,-7,4\n"
                      "e,2,40,inf\n"
                      "f,2,41,5,6\n"
                      ",2,42,7\n";
    treat(dataset, "bad_type=missing");
    treat(dataset, "unlisted_code=missing");
    treat(dataset, "out_of_bounds=clamp");
    treat(dataset, "not_finite=missing");
    treat(dataset, "ragged_row=drop-row");
    expect_refused(dataset, csv); // one kind is still open
    treat(dataset, "missing_id=drop-row");
    assert_int_equal(fixture_load_text(dataset, csv), GW_OK);
    assert_int_equal(dataset->report.rows_read, 7);
    assert_int_equal(dataset->report.rows_kept, 5);
    assert_int_equal(fixture_number(dataset, COUNT), 5);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE age IS NULL AND income = 202"), 1);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE sex = 2 AND age = 30"), 1); // _U comes last
    assert_int_equal(fixture_number(dataset, COUNT " WHERE age = 120"), 1);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE age = 0"), 1);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE income IS NULL AND age = 40"), 1);
}

static void dropped_rows_are_gone_whatever_else_they_hold(void **state) {
    test_dataset *dataset = *state;
    treat(dataset, "bad_type=drop-row");
    treat(dataset, "out_of_bounds=clamp");
    assert_int_equal(fixture_load_text(dataset, "id,sex,age,income\n"
                                                "a,1,abc,999999\n"
                                                "a,1,50,999999\n"),
                     GW_OK); // the dropped row is not counted among the person's rows
    assert_int_equal(fixture_number(dataset, COUNT), 1);
    assert_int_equal(dataset->report.kinds[GW_LOAD_OUT_OF_BOUNDS].count, 2);
}

static void person_with_ten_thousand_rows_keeps_one(void **state) {
    test_dataset *dataset = *state;
    size_t size = 512 * 1024, at = 0;
    char *csv = malloc(size);
    at += (size_t)sprintf(csv, "id,sex,age,income\nother,1,1,1\n");
    for (int i = 0; i < 10000; i++)
        at += (size_t)sprintf(csv + at, "same,2,%d,%d\n", i % 121, i);
    expect_refused(dataset, csv);
    assert_int_equal(dataset->report.kinds[GW_LOAD_TOO_MANY_ROWS].count, 9999);
    assert_int_equal(dataset->report.kinds[GW_LOAD_TOO_MANY_ROWS].findings[0].row, 3);
    treat(dataset, "too_many_rows=drop-row");
    assert_int_equal(fixture_load_text(dataset, csv), GW_OK);
    assert_int_equal(fixture_number(dataset, COUNT), 2);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE sex = 0"), 1);
    free(csv);
}

// Which of a person's rows stay is decided by a fresh key and not by their order in the source.
static void kept_rows_do_not_follow_the_order_of_the_source(void **state) {
    test_dataset *dataset = *state;
    bool is_first_seen = false, is_last_seen = false;
    treat(dataset, "too_many_rows=drop-row");
    for (int i = 0; i < 64 && !(is_first_seen && is_last_seen); i++) { // fails by chance once in 2^63 runs
        assert_int_equal(fixture_load_text(dataset, "id,sex,age,income\na,1,10,1\na,1,20,1\n"), GW_OK);
        bool is_first = fixture_number(dataset, COUNT " WHERE age = 10") == 1;
        is_first_seen |= is_first;
        is_last_seen |= !is_first;
    }
    assert_true(is_first_seen);
    assert_true(is_last_seen);
}

static void treatment_that_does_not_fit_is_refused(void **state) {
    test_dataset *dataset = *state;
    const char *const wrong[] = {"missing_id=missing", "bad_type=clamp",    "too_many_rows=missing",
                                 "nonsense=drop-row",  "bad_type=nonsense", "bad_type",
                                 "=drop-row",          "bad_type=refuse"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        gw_problem problem;
        assert_int_equal(gw_load_treat(wrong[i], &dataset->treatments, &problem), GW_INVALID);
    }
    for (size_t i = 0; i < GW_LOAD_KINDS; i++)
        assert_int_equal(dataset->treatments.kinds[i], GW_TREAT_REFUSE);
}

// What the owner signed holds without a word at the load; a word for the column goes before it, one for all does not.
static void policy_says_what_becomes_of_values_out_of_bounds(void **state) {
    test_dataset *dataset = *state;
    static const char csv[] = "id,sex,age,income\na,1,30,200000.5\nb,2,40,100\n";
    static const char income[] = "\"max\":\"200000\",";
    static char text[4096];
    const char *at = strstr(POLICY_PEOPLE, income);
    expect_refused(dataset, csv);
    fixture_done(dataset);
    memset(dataset, 0, sizeof(*dataset));
    snprintf(text, sizeof(text), "%.*s%s\"outside\":\"clamp\",%s", (int)(at - POLICY_PEOPLE), POLICY_PEOPLE, income,
             at + strlen(income));
    fixture_init(dataset, text);
    assert_int_equal(fixture_load_text(dataset, csv), GW_OK);
    assert_int_equal(dataset->report.kinds[GW_LOAD_OUT_OF_BOUNDS].count, 1); // and the owner is told
    assert_int_equal(fixture_number(dataset, COUNT " WHERE income = 400200"), 1);
    treat(dataset, "out_of_bounds=drop-row");
    assert_int_equal(fixture_load_text(dataset, csv), GW_OK);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE income = 400200"), 1);
    treat(dataset, "income:out_of_bounds=missing");
    assert_int_equal(fixture_load_text(dataset, csv), GW_OK);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE income IS NULL"), 1);
}

static void missing_values_go_where_the_policy_says(void **state) {
    test_dataset *dataset = *state;
    assert_int_equal(fixture_load_text(dataset, "id,sex,age,income\na,,,\nb,\"\",\"\",\"\"\n"), GW_OK);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE sex = 2 AND age IS NULL AND income IS NULL"), 2);
    // "NA" is a value like any other: only the policy's recode can make it unknown.
    assert_int_equal(fixture_load_text(dataset, "id,sex,age,income\na,NA,1,1\n"), GW_INVALID);
    assert_int_equal(dataset->report.kinds[GW_LOAD_UNLISTED_CODE].count, 1);
}

static void source_without_a_column_or_with_two_is_refused(void **state) {
    test_dataset *dataset = *state;
    const char *const sources[][2] = {
        {"id,sex,age\na,1,1\n", "Its header has no column \"income\"."},
        {"sex,age,income\n1,1,1\n", "Its header has no column \"id\"."},
        {"id,sex,age,income,age\na,1,1,1,1\n", "Its header has the column \"age\" twice."},
        {"", NULL},
        {"id;sex;age;income\na;1;1;1\n", NULL}};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(fixture_load_text(dataset, sources[i][0]), GW_INVALID);
        assert_string_equal(dataset->problem.code, "load_source");
        if (sources[i][1] != NULL)
            assert_string_equal(dataset->problem.why, sources[i][1]);
        assert_int_equal(fixture_data_count(dataset), 0);
    }
    assert_int_equal(fixture_load(dataset, "absent.csv"), GW_INVALID);
    assert_int_equal(fixture_load(dataset, "."), GW_INVALID);
    assert_int_equal(fixture_data_count(dataset), 0);
}

static void header_alone_is_refused_unless_allowed(void **state) {
    test_dataset *dataset = *state;
    assert_int_equal(fixture_load_text(dataset, "id,sex,age,income\n"), GW_INVALID);
    assert_string_equal(dataset->problem.code, "load_empty");
    assert_string_equal(dataset->problem.why, "The source of persons has no rows.");
    assert_int_equal(fixture_data_count(dataset), 0);
    dataset->is_empty_allowed = true;
    assert_int_equal(fixture_load_text(dataset, "id,sex,age,income\n"), GW_OK);
    assert_int_equal(fixture_number(dataset, COUNT), 0);
}

static void source_of_which_nothing_is_left_is_refused_too(void **state) {
    test_dataset *dataset = *state;
    treat(dataset, "bad_type=drop-row");
    assert_int_equal(fixture_load_text(dataset, "id,sex,age,income\na,1,x,1\nb,1,x,1\n"), GW_INVALID);
    assert_string_equal(dataset->problem.code, "load_empty");
    assert_int_equal(fixture_data_count(dataset), 0);
}

static gw_status load_rows(test_dataset *dataset, int count) {
    char csv[65536] = "id,sex,age,income\n";
    size_t at = strlen(csv);
    for (int i = 0; i < count; i++)
        at += (size_t)sprintf(csv + at, "%d,1,30,1\n", i);
    return fixture_load_text(dataset, csv);
}

static void sidecar_path(const test_dataset *dataset, char path[600]) {
    snprintf(path, 600, "%s/data/%s.rows", dataset->folder, dataset->loaded.version);
}

static void expect_rows_text(const test_dataset *dataset, const char *expected) {
    char data[512];
    gw_buffer text;
    gw_buffer_init(&text, 4096);
    fixture_path(dataset, "data", data);
    gw_load_options options = {.policy = dataset->policy, .version = dataset->version, .folder = data};
    gw_load_rows_text(&dataset->report, &options, &text);
    assert_string_equal(gw_buffer_string(&text), expected);
    gw_buffer_done(&text);
}

static void rows_of_a_version_are_for_its_owner_alone(void **state) {
    test_dataset *dataset = *state;
    char path[600];
    struct stat facts;
    mode_t before = umask(0);
    assert_int_equal(load_rows(dataset, 1234), GW_OK);
    umask(before);
    expect_rows_text(dataset, "now: 1,234 rows\n");
    sidecar_path(dataset, path);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0600);
    gw_buffer text;
    gw_problem problem;
    gw_buffer_init(&text, 4096);
    assert_int_equal(gw_file_read(path, &text, &problem), GW_OK);
    assert_string_equal(gw_buffer_string(&text), "persons 1234\n");
    gw_buffer_done(&text);
}

static void version_of_less_than_half_the_rows_is_refused_unless_allowed(void **state) {
    test_dataset *dataset = *state;
    char version[GW_ID_HEX];
    assert_int_equal(load_rows(dataset, 1001), GW_OK);
    strcpy(version, dataset->loaded.version); // the same size, ended by NUL: bytes enough
    dataset->version = version;
    assert_int_equal(load_rows(dataset, 500), GW_INVALID);
    assert_string_equal(dataset->problem.code, "load_shrunk");
    expect_rows_text(dataset, "before: 1,001 rows, now: 500\n");
    assert_null(strstr(dataset->problem.why, "500"));
    assert_null(strstr(dataset->problem.why, "1"));
    assert_int_equal(fixture_data_count(dataset), 2); // the first version, and the count of its rows
    assert_int_equal(load_rows(dataset, 501), GW_OK);
    expect_rows_text(dataset, "before: 1,001 rows, now: 501\n");
    dataset->is_shrunk_allowed = true;
    assert_int_equal(load_rows(dataset, 500), GW_OK);
    dataset->is_shrunk_allowed = false;
    dataset->version = NULL;
    assert_int_equal(load_rows(dataset, 1), GW_OK);
}

static void count_of_rows_that_others_can_reach_is_not_believed(void **state) {
    test_dataset *dataset = *state;
    char version[GW_ID_HEX], path[600], other[512];
    assert_int_equal(load_rows(dataset, 10), GW_OK);
    strcpy(version, dataset->loaded.version); // bytes enough, as above
    dataset->version = version;
    sidecar_path(dataset, path);
    assert_int_equal(load_rows(dataset, 4), GW_INVALID);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(load_rows(dataset, 4), GW_OK);
    expect_rows_text(dataset, "now: 4 rows\n");
    assert_int_equal(chmod(path, 0600), 0);
    if (geteuid() == 0) { // only root can give a file away
        assert_int_equal(chown(path, 65534, (gid_t)-1), 0);
        assert_int_equal(load_rows(dataset, 4), GW_OK);
        assert_int_equal(chown(path, 0, (gid_t)-1), 0);
    }
    fixture_path(dataset, "elsewhere", other);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(load_rows(dataset, 4), GW_OK);
    const char *const broken[] = {"persons \n",  "persons 10", "persons 10x\n", "persons -10\n",
                                  "person 10\n", "",           "\n\n"};
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        gw_problem problem;
        assert_int_equal(unlink(path), 0);
        assert_int_equal(gw_file_replace(path, gw_bytes_of(broken[i]), 0600, &problem), GW_OK);
        assert_int_equal(load_rows(dataset, 4), GW_OK);
        expect_rows_text(dataset, "now: 4 rows\n");
    }
}

static void own_treatment_of_a_column_wins(void **state) {
    test_dataset *dataset = *state;
    const char *csv = "id,sex,age,income\na,1,x,1\nb,1,30,x\nc,1,500,1\nd,1,30,999999\n";
    treat(dataset, "age:bad_type=missing");
    expect_refused(dataset, csv);
    assert_int_equal(dataset->report.kinds[GW_LOAD_BAD_TYPE].count, 2);
    assert_int_equal(dataset->report.kinds[GW_LOAD_BAD_TYPE].refused_count, 1);
    treat(dataset, "bad_type=drop-row");
    treat(dataset, "out_of_bounds=clamp");
    treat(dataset, "income:out_of_bounds=drop-row");
    assert_int_equal(fixture_load_text(dataset, csv), GW_OK);
    assert_int_equal(fixture_number(dataset, COUNT), 2);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE age IS NULL AND income = 202"), 1);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE age = 120"), 1);
    gw_buffer text;
    gw_buffer_init(&text, 65536);
    gw_load_options options = {.policy = dataset->policy, .treatments = dataset->treatments};
    gw_load_report_text(&dataset->report, &options, &text);
    assert_non_null(strstr(gw_buffer_string(&text), "bad_type                2   drop-row; age: missing\n"));
    gw_buffer_done(&text);
}

static void treatment_of_a_column_that_is_not_there_is_refused(void **state) {
    test_dataset *dataset = *state;
    treat(dataset, "agee:bad_type=missing");
    assert_int_equal(fixture_load_text(dataset, "id,sex,age,income\na,1,30,1\n"), GW_INVALID);
    assert_string_equal(dataset->problem.code, "unknown_column");
    assert_string_equal(dataset->problem.mend, "Did you mean \"age\"?");
    const char *const wrong[] = {"age:ragged_row=drop-row", "age:missing_id=drop-row", "age:too_many_rows=drop-row",
                                 ":bad_type=missing",       "age:bad_type=clamp",      "age:=missing"};
    size_t count = dataset->treatments.column_count;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        gw_problem problem;
        assert_int_equal(gw_load_treat(wrong[i], &dataset->treatments, &problem), GW_INVALID);
    }
    assert_int_equal(dataset->treatments.column_count, count);
}

static void mend_of_an_unlisted_code_names_the_recode_of_its_column(void **state) {
    test_dataset *dataset = *state;
    gw_buffer text;
    gw_buffer_init(&text, 65536);
    expect_refused(dataset, "id,sex,age,income\na,X,x,1\nb,Y,30,1\n");
    gw_load_options options = {.policy = dataset->policy};
    gw_load_report_text(&dataset->report, &options, &text);
    assert_non_null(
        strstr(gw_buffer_string(&text), "--treat unlisted_code=missing\n    or add it to \"recode\" of sex\n"));
    assert_non_null(strstr(gw_buffer_string(&text), "--treat bad_type=missing\n"));
    gw_buffer_done(&text);
}

static void write_gzip(const test_dataset *dataset, const char *name, const char *text) {
    char path[512];
    fixture_path(dataset, name, path);
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, text, (unsigned)strlen(text)), (int)strlen(text));
    assert_int_equal(gzclose(file), Z_OK);
}

static void gzipped_source_is_the_same_source(void **state) {
    test_dataset *dataset = *state;
    write_gzip(dataset, "people.csv.gz", "id,sex,age,income\na,1,7,1\nb,2,8,2\n");
    assert_int_equal(fixture_load(dataset, "people.csv.gz"), GW_OK);
    assert_int_equal(fixture_number(dataset, COUNT " WHERE age IN (7, 8)"), 2);
}

static void gzip_cut_short_loads_nothing(void **state) {
    test_dataset *dataset = *state;
    size_t size = 1u << 20, at = 0;
    char *csv = malloc(size + 64), path[512];
    at += (size_t)sprintf(csv, "id,sex,age,income\n");
    for (unsigned i = 0; at < size; i++)
        at += (size_t)sprintf(csv + at, "%u,1,%u,%u\n", i, i % 121, i * 2654435761u % 200000);
    write_gzip(dataset, "people.csv.gz", csv);
    free(csv);
    fixture_path(dataset, "people.csv.gz", path);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(truncate(path, facts.st_size / 2), 0);
    assert_int_equal(fixture_load(dataset, "people.csv.gz"), GW_INVALID);
    assert_string_equal(dataset->problem.code, "load_source");
    assert_int_equal(fixture_data_count(dataset), 0);
}

// The snapshot's whole content as one number per row, in order.
static int64_t content(test_dataset *dataset) {
    return fixture_number(dataset,
                          "SELECT 0, CAST(hash(string_agg(concat_ws('/', rowid, sex, age, income), ',' ORDER BY "
                          "rowid)) >> 1 AS BIGINT) FROM persons");
}

static void order_of_rows_leaves_no_trace(void **state) {
    test_dataset *dataset = *state;
    assert_int_equal(fixture_load_text(dataset, "id,sex,age,income\na,1,30,5\nb,2,20,6\nc,,,7\nd,2,20,\n"), GW_OK);
    int64_t first = content(dataset);
    char first_version[GW_ID_HEX];
    strcpy(first_version, dataset->loaded.version);
    assert_int_equal(fixture_load_text(dataset, "income,id,age,sex,extra\n,d,20,2,x\n7,c,,,y\n6,b,20,2,z\n5,a,30,1,\n"),
                     GW_OK);
    assert_true(content(dataset) == first);
    assert_string_not_equal(dataset->loaded.version, first_version);
    assert_int_equal(fixture_load_text(dataset, "id,sex,age,income\na,1,30,5\nb,2,20,6\nc,,,7\nd,2,21,\n"), GW_OK);
    assert_true(content(dataset) != first);
}

static void snapshot_holds_no_person_id(void **state) {
    test_dataset *dataset = *state;
    char path[512];
    assert_int_equal(fixture_load_text(dataset, "id,sex,age,income\nPERSON-ID-4711,1,30,5\n"), GW_OK);
    fixture_snapshot(dataset, path);
    gw_buffer bytes;
    gw_problem problem;
    gw_buffer_init(&bytes, 64u << 20);
    assert_int_equal(gw_file_read(path, &bytes, &problem), GW_OK);
    assert_null(memmem(bytes.data, bytes.size, "4711", 4));
    assert_int_equal(fixture_number(dataset, "SELECT 0, count(*) FROM duckdb_columns() WHERE NOT internal"), 3);
    gw_buffer_done(&bytes);
}

static void seal_is_that_of_the_file_under_the_key(void **state) {
    test_dataset *dataset = *state;
    char path[512];
    gw_hash seal;
    gw_problem problem;
    assert_int_equal(fixture_load_text(dataset, "id,sex,age,income\na,1,30,5\n"), GW_OK);
    fixture_snapshot(dataset, path);
    assert_int_equal(gw_load_seal(path, gw_bytes_of("a seal key for tests, 32 bytes.."), &seal, &problem), GW_OK);
    assert_true(gw_hash_equal(seal, dataset->loaded.seal));
    assert_int_equal(gw_load_seal(path, gw_bytes_of("another key"), &seal, &problem), GW_OK);
    assert_false(gw_hash_equal(seal, dataset->loaded.seal));
}

// Whatever one person's row holds, adding it changes no status and moves each aggregate within its bound. Each poisoned
// person has an age of their own, so one load shows what each of them moved.
static void poison_row_moves_aggregates_by_at_most_the_sensitivity(void **state) {
    test_dataset *dataset = *state;
    static const char *const values[] = {"nan",
                                         "-nan",
                                         "inf",
                                         "-inf",
                                         "-0.0",
                                         "1e400",
                                         "-1e400",
                                         "1e-400",
                                         "",
                                         "9223372036854775807",
                                         "-9223372036854775808",
                                         "0.1234567890123456789",
                                         "199999.75",
                                         "200000",
                                         "-100",
                                         "9999999999999999999",
                                         "2023-02-30",
                                         "\"\"\"\"",
                                         "0x10",
                                         "\xFF\xFE",
                                         "200000.0000001",
                                         "-100.0000001"};
    const size_t count = sizeof(values) / sizeof(values[0]);
    for (int is_dropping = 0; is_dropping < 2; is_dropping++) {
        char csv[4096] = "id,sex,age,income\n";
        for (size_t i = 0; i < count; i++)
            sprintf(csv + strlen(csv), "%zu,1,%zu,%s\n", i, i, values[i]);
        treat(dataset, is_dropping ? "bad_type=drop-row" : "bad_type=missing");
        treat(dataset, is_dropping ? "not_finite=drop-row" : "not_finite=missing");
        treat(dataset, is_dropping ? "out_of_bounds=drop-row" : "out_of_bounds=clamp");
        assert_int_equal(fixture_load_text(dataset, csv), GW_OK);
        assert_true(fixture_number(dataset, COUNT) <= (int64_t)count); // starts the engine
        gw_exact_table *moved = NULL;
        assert_int_equal(fixture_measure(dataset, dataset->engine,
                                         "SELECT CAST(age AS BIGINT), count(*), sum(income), sum(400200 - income) FROM "
                                         "persons WHERE income IS NOT NULL GROUP BY 1",
                                         count, 3, &moved),
                         GW_OK);
        for (size_t i = 0; i < count; i++) {
            const gw_int128 *parts = moved->values + 3 * i;
            assert_true(parts[0] == 0 || parts[0] == 1);
            assert_true(parts[1] >= 0 && parts[2] >= 0 && parts[1] + parts[2] == 400200 * parts[0]);
        }
        gw_exact_table_free(moved);
    }
}

static pid_t only_child_of(pid_t parent) {
    char path[64], text[64] = "";
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fgets(text, sizeof(text), file) == NULL)
            text[0] = '\0';
        fclose(file);
    }
    return (pid_t)strtol(text, NULL, 10);
}

// A hundred thousand rows and more: enough that a load is still running when it has first told its progress.
static void write_many(const test_dataset *dataset) {
    char path[512];
    fixture_path(dataset, "many.csv", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "id,sex,age,income\n");
    for (unsigned i = 0; i < 150000; i++)
        fprintf(file, "%u,%u,%u,%u\n", i, i % 2 + 1, i % 121, i * 2654435761u % 200000);
    assert_int_equal(fclose(file), 0);
}

typedef struct {
    const char *phase; // to act in
    int action;        // 'c' kill the child, 'p' kill the parent, 'b' both
    pid_t child;
} kill_plan;

static void kill_in_phase(void *state, double fraction, const char *phase) {
    kill_plan *killing = state;
    if (strcmp(phase, killing->phase) != 0 || (fraction == 0.0 && killing->action != 'b'))
        return;
    killing->child = only_child_of(getpid());
    if (killing->action != 'p')
        kill(killing->child, SIGKILL);
    if (killing->action != 'c')
        kill(getpid(), SIGKILL);
    killing->phase = "none";
}

static gw_status load_many(test_dataset *dataset, void (*progress)(void *, double, const char *), void *state) {
    char path[512], data[512];
    fixture_path(dataset, "many.csv", path);
    fixture_path(dataset, "data", data);
    gw_load_source source = {.table = "persons", .path = path};
    gw_load_options options = {.program = dataset->program,
                               .policy = dataset->policy,
                               .sources = &source,
                               .source_count = 1,
                               .folder = data,
                               .seal_key = gw_bytes_of("key"),
                               .progress = progress,
                               .state = state};
    return gw_load_run(&options, &dataset->loaded, &dataset->report, &dataset->problem);
}

static void child_killed_in_a_load_leaves_nothing(void **state) {
    test_dataset *dataset = *state;
    static const char *const phases[] = {"reading", "writing"};
    write_many(dataset);
    for (size_t i = 0; i < 2; i++) {
        kill_plan killing = {.phase = phases[i], .action = 'c'};
        assert_int_equal(load_many(dataset, kill_in_phase, &killing), GW_UNAVAILABLE);
        assert_string_equal(killing.phase, "none");
        assert_string_equal(dataset->problem.code, "load_failed");
        assert_int_equal(fixture_data_count(dataset), 0);
    }
}

// Runs a load in a process of its own that dies in the middle; returns the engine child's pid through a pipe.
static void die_in_phase(test_dataset *dataset, const char *phase, int action) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        kill_plan killing = {.phase = phase, .action = action};
        gw_status status = load_many(dataset, kill_in_phase, &killing);
        _exit((int)status);
    }
    int facts;
    assert_int_equal(waitpid(pid, &facts, 0), pid);
    assert_true(WIFSIGNALED(facts));
}

static void parent_killed_in_a_load_leaves_nothing(void **state) {
    test_dataset *dataset = *state;
    static const char *const phases[] = {"reading", "writing", "sealing"};
    write_many(dataset);
    for (size_t i = 0; i < 3; i++) {
        die_in_phase(dataset, phases[i], 'p');
        for (int64_t start = gw_engine_now_ms(); fixture_data_count(dataset) != 0;) // the orphan is cleaning up
            assert_true(gw_engine_now_ms() - start < 20000);
    }
}

static void leavings_of_a_load_killed_with_its_child_are_swept_by_the_next(void **state) {
    test_dataset *dataset = *state;
    write_many(dataset);
    die_in_phase(dataset, "writing", 'b');
    assert_int_equal(fixture_data_count(dataset), 1);
    assert_int_equal(fixture_load_text(dataset, "id,sex,age,income\na,1,30,5\n"), GW_OK);
    assert_int_equal(fixture_data_count(dataset), 2); // the snapshot and the count of its rows
    assert_int_equal(fixture_number(dataset, COUNT), 1);
}

typedef struct {
    double fraction;
    char phases[256];
} told_progress;

static void note_progress(void *state, double fraction, const char *phase) {
    told_progress *told = state;
    assert_true(fraction >= told->fraction && fraction <= 1.0);
    told->fraction = fraction;
    if (strstr(told->phases, phase) == NULL)
        strcat(strcat(told->phases, phase), " ");
}

static void progress_rises_from_nothing_to_done(void **state) {
    test_dataset *dataset = *state;
    told_progress told = {0};
    write_many(dataset);
    assert_int_equal(load_many(dataset, note_progress, &told), GW_OK);
    assert_string_equal(told.phases, "reading writing sealing done ");
    assert_true(told.fraction == 1.0);
    assert_int_equal(fixture_number(dataset, COUNT), 150000);
    assert_int_equal(fixture_number(dataset, "SELECT 0, count(DISTINCT age) FROM persons"), 121);
}

#define POLICY_PERMITS                                                                                                 \
    "{\"godwit_policy\":1,\"dataset\":\"test.example/people\",\"population\":\"test.example/people\",\"version\":1,"   \
    "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{\"persons\":{\"unit\":\"id\","  \
    "\"rows_per_person_max\":1,\"columns\":{" COLUMN_SEX "," COLUMN_AGE "}},\"permits\":{\"unit\":\"who\","            \
    "\"rows_per_person_max\":2,\"inherit\":[\"sex\"],\"columns\":{\"years\":{\"concept\":\"duration\",\"type\":"       \
    "\"integer\",\"min\":0,\"max\":10,\"missing\":\"_U\"}}" POLICY_TAIL

static void tables_with_several_rows_keep_persons_apart_and_inherit(void **state) {
    (void)state;
    test_dataset dataset;
    char persons[512], permits[512], data[512];
    fixture_init(&dataset, POLICY_PERMITS);
    const char *people = "id,sex,age\na,1,30\nb,2,40\n";
    const char *rights = "who,years\na,1\na,2\na,3\nb,4\nc,5\n";
    fixture_write(&dataset, "persons.csv", people, strlen(people));
    fixture_write(&dataset, "permits.csv", rights, strlen(rights));
    fixture_path(&dataset, "persons.csv", persons);
    fixture_path(&dataset, "permits.csv", permits);
    fixture_path(&dataset, "data", data);
    gw_load_source sources[] = {{"permits", permits}, {"persons", persons}};
    gw_load_options options = {.program = dataset.program,
                               .policy = dataset.policy,
                               .sources = sources,
                               .source_count = 2,
                               .folder = data,
                               .seal_key = gw_bytes_of("key")};
    assert_int_equal(gw_load_run(&options, &dataset.loaded, &dataset.report, &dataset.problem), GW_INVALID);
    assert_true(fixture_has_finding(&dataset, GW_LOAD_TOO_MANY_ROWS, 3,
                                    "the same who as in another row; at most 2 per person"));
    options.treatments.kinds[GW_LOAD_TOO_MANY_ROWS] = GW_TREAT_DROP_ROW;
    assert_int_equal(gw_load_run(&options, &dataset.loaded, &dataset.report, &dataset.problem), GW_OK);
    assert_int_equal(dataset.report.rows_kept, 2 + 4);
    assert_int_equal(fixture_number(&dataset, "SELECT 0, count(DISTINCT _person) FROM permits"), 3);
    assert_int_equal(fixture_number(&dataset, "SELECT 0, count(*) FROM permits WHERE sex = 1"), 2); // a is M
    assert_int_equal(fixture_number(&dataset, "SELECT 0, count(*) FROM permits WHERE sex = 0 AND duration = 4"), 1);
    assert_int_equal(fixture_number(&dataset, "SELECT 0, count(*) FROM permits WHERE sex = 2 AND duration = 5"),
                     1); // c is unknown
    assert_int_equal(
        fixture_number(&dataset, "SELECT 0, max(n) FROM (SELECT count(*) AS n FROM permits GROUP BY _person)"), 2);
    options.source_count = 1;
    assert_int_equal(gw_load_run(&options, &dataset.loaded, &dataset.report, &dataset.problem), GW_INVALID);
    assert_string_equal(dataset.problem.code, "load_tables");
    fixture_done(&dataset);
}

int main(void) {
#define DATASET_TEST(name) cmocka_unit_test_setup_teardown(name, dataset_start, dataset_end)
    const struct CMUnitTest tests[] = {
        DATASET_TEST(each_kind_is_found_with_its_row_and_reason),
        DATASET_TEST(ten_rows_are_shown_and_all_are_counted),
        DATASET_TEST(each_treatment_does_what_it_says),
        DATASET_TEST(policy_says_what_becomes_of_values_out_of_bounds),
        DATASET_TEST(dropped_rows_are_gone_whatever_else_they_hold),
        DATASET_TEST(person_with_ten_thousand_rows_keeps_one),
        DATASET_TEST(kept_rows_do_not_follow_the_order_of_the_source),
        DATASET_TEST(treatment_that_does_not_fit_is_refused),
        DATASET_TEST(missing_values_go_where_the_policy_says),
        DATASET_TEST(source_without_a_column_or_with_two_is_refused),
        DATASET_TEST(header_alone_is_refused_unless_allowed),
        DATASET_TEST(source_of_which_nothing_is_left_is_refused_too),
        DATASET_TEST(rows_of_a_version_are_for_its_owner_alone),
        DATASET_TEST(version_of_less_than_half_the_rows_is_refused_unless_allowed),
        DATASET_TEST(count_of_rows_that_others_can_reach_is_not_believed),
        DATASET_TEST(own_treatment_of_a_column_wins),
        DATASET_TEST(treatment_of_a_column_that_is_not_there_is_refused),
        DATASET_TEST(mend_of_an_unlisted_code_names_the_recode_of_its_column),
        DATASET_TEST(gzipped_source_is_the_same_source),
        DATASET_TEST(gzip_cut_short_loads_nothing),
        DATASET_TEST(order_of_rows_leaves_no_trace),
        DATASET_TEST(snapshot_holds_no_person_id),
        DATASET_TEST(seal_is_that_of_the_file_under_the_key),
        DATASET_TEST(poison_row_moves_aggregates_by_at_most_the_sensitivity),
        DATASET_TEST(child_killed_in_a_load_leaves_nothing),
        DATASET_TEST(parent_killed_in_a_load_leaves_nothing),
        DATASET_TEST(leavings_of_a_load_killed_with_its_child_are_swept_by_the_next),
        DATASET_TEST(progress_rises_from_nothing_to_done),
        cmocka_unit_test(tables_with_several_rows_keep_persons_apart_and_inherit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
