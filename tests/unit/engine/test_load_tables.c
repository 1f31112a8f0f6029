// SPDX-License-Identifier: Apache-2.0
// Datasets of several tables: rows of a person counted and numbered by what they hold, whatever the order of the
// source; facts of persons inherited, also by those whom no other table knows.
#include "tests/unit/engine/engine_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

// persons: one row each; permits: up to five; homes: one row each, inherited from as well; stays: up to a million.
#define POLICY_TABLES                                                                                                  \
    "{\"godwit_policy\":1,\"dataset\":\"test.example/people\",\"population\":\"test.example/people\",\"version\":1,"   \
    "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{"                               \
    "\"permits\":{\"unit\":\"who\",\"rows_per_person_max\":5,\"inherit\":[\"sex\",\"income\",\"hours\"],\"columns\":{" \
    "\"years\":{\"concept\":\"duration\",\"type\":\"integer\",\"min\":0,\"max\":999,\"missing\":\"_U\"}}},"            \
    "\"persons\":{\"unit\":\"id\",\"rows_per_person_max\":1,\"inherit\":[\"hours\"],\"columns\":{" COLUMN_SEX          \
    "," COLUMN_INCOME "}},"                                                                                            \
    "\"homes\":{\"unit\":\"id\",\"rows_per_person_max\":1,\"columns\":{"                                               \
    "\"hours\":{\"concept\":\"hours\",\"type\":\"integer\",\"min\":0,\"max\":99,\"missing\":\"drop\"}}},"              \
    "\"stays\":{\"unit\":\"id\",\"rows_per_person_max\":1000000,\"columns\":{"                                         \
    "\"nights\":{\"concept\":\"nights\",\"type\":\"integer\",\"min\":0,\"max\":9,\"missing\":\"drop\"}}" POLICY_TAIL

static const uint64_t key[GW_LOAD_KEY_WORDS] = {11, 22, 33, 44};
static const uint64_t other_key[GW_LOAD_KEY_WORDS] = {11, 22, 33, 45};

static const char persons_text[] = "id,sex,income\na,1,30\nb,2,40\nc,,\n";
static const char homes_text[] = "id,hours\na,7\nb,8\n";
static const char stays_text[] = "id,nights\na,1\n";

static int dataset_start(void **state) {
    test_dataset *dataset = calloc(1, sizeof(*dataset));
    fixture_init(dataset, POLICY_TABLES);
    dataset->key = key;
    fixture_write(dataset, "persons.csv", persons_text, strlen(persons_text));
    fixture_write(dataset, "homes.csv", homes_text, strlen(homes_text));
    fixture_write(dataset, "stays.csv", stays_text, strlen(stays_text));
    *state = dataset;
    return 0;
}

static int dataset_end(void **state) {
    test_dataset *dataset = *state;
    fixture_done(dataset);
    free(dataset);
    return 0;
}

static const gw_load_source sources[] = {
    {"persons", "persons.csv"}, {"homes", "homes.csv"}, {"permits", "permits.csv"}, {"stays", "stays.csv"}};

static gw_status load(test_dataset *dataset, const char *permits) {
    fixture_write(dataset, "permits.csv", permits, strlen(permits));
    return fixture_load_sources(dataset, sources, 4);
}

#define ROWS_OF "SELECT 0, count(*) FROM permits WHERE "

// Persons whose rows are numbered from 0 to one less than their count, which each of them carries.
#define NUMBERED_PERSONS                                                                                               \
    "SELECT 0, count(*) FROM (SELECT _person FROM permits GROUP BY _person HAVING count(*) = min(_rows) AND "          \
    "min(_rows) = max(_rows) AND min(_order) = 0 AND max(_order) = count(*) - 1 AND count(DISTINCT _order) = "         \
    "count(*))"

static void rows_of_a_person_are_counted_and_numbered(void **state) {
    test_dataset *dataset = *state;
    assert_int_equal(load(dataset, "who,years\na,1\nb,1\na,2\na,3\nd,9\nb,2\ne,7\na,4\na,5\n"), GW_OK);
    assert_int_equal(fixture_number(dataset, ROWS_OF "true"), 9);
    assert_int_equal(fixture_number(dataset, ROWS_OF "_rows = 5"), 5);
    assert_int_equal(fixture_number(dataset, ROWS_OF "_rows = 2"), 2);
    assert_int_equal(fixture_number(dataset, ROWS_OF "_rows = 1"), 2);
    assert_int_equal(fixture_number(dataset, NUMBERED_PERSONS), 4);
    // Persons with one row first, then person by person; and no wider than needed.
    assert_int_equal(fixture_number(dataset,
                                    "SELECT 0, count(*) FROM (SELECT rowid, _rows, _person, _order, lag(_rows) "
                                    "OVER w AS r, lag(_person) OVER w AS p, lag(_order) OVER w AS o FROM "
                                    "permits WINDOW w AS (ORDER BY rowid)) WHERE _rows < r OR _person < p OR "
                                    "(_person = p AND _order <> o + 1)"),
                     0);
    assert_int_equal(fixture_number(dataset,
                                    "SELECT 0, count(*) FROM duckdb_columns() WHERE table_name = 'permits' AND "
                                    "data_type = 'UTINYINT' AND column_name IN ('_person', '_rows', "
                                    "'_order')"),
                     3);
    assert_int_equal(fixture_number(dataset,
                                    "SELECT 0, count(*) FROM duckdb_columns() WHERE table_name = 'persons' AND "
                                    "column_name LIKE '\\_%' ESCAPE '\\'"),
                     0);
}

static void rows_that_hold_the_same_follow_each_other(void **state) {
    test_dataset *dataset = *state;
    assert_int_equal(load(dataset, "who,years\na,1\na,2\na,1\na,2\na,1\n"), GW_OK);
    assert_int_equal(fixture_number(dataset, NUMBERED_PERSONS), 1);
    assert_int_equal(fixture_number(dataset, "SELECT 0, count(*) FROM (SELECT duration FROM permits GROUP BY duration "
                                             "HAVING max(_order) - min(_order) = count(*) - 1)"),
                     2);
}

// All there is in the snapshot of a table, in its order there.
static int64_t content(test_dataset *dataset) {
    return fixture_number(dataset, "SELECT 0, CAST(hash(string_agg(concat_ws('/', rowid, duration, sex, income, hours, "
                                   "_person, _rows, _order), ',' ORDER BY rowid)) >> 1 AS BIGINT) FROM permits");
}

#define SHUFFLED_ROWS 2000u
typedef struct {
    unsigned person, years;
} test_row;

static uint64_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

// Persons with up to nine rows each, many of which hold the same.
static void make_rows(test_row rows[SHUFFLED_ROWS]) {
    uint64_t random = 5;
    for (size_t i = 0, person = 0; i < SHUFFLED_ROWS; person++)
        for (uint64_t n = 1 + next_random(&random) % 9; n > 0 && i < SHUFFLED_ROWS; n--)
            rows[i++] = (test_row){(unsigned)person, (unsigned)next_random(&random) % 4};
}

static void shuffle_rows(test_row rows[SHUFFLED_ROWS], uint64_t *random) {
    for (size_t i = SHUFFLED_ROWS - 1; i > 0; i--) {
        size_t other = next_random(random) % (i + 1);
        test_row kept = rows[i];
        rows[i] = rows[other];
        rows[other] = kept;
    }
}

// `without` is a person to leave out; SHUFFLED_ROWS where nobody is.
static void load_rows(test_dataset *dataset, const test_row rows[SHUFFLED_ROWS], unsigned without) {
    char *csv = malloc(SHUFFLED_ROWS * 24 + 24);
    size_t at = (size_t)sprintf(csv, "who,years\n");
    for (size_t i = 0; i < SHUFFLED_ROWS; i++)
        if (rows[i].person != without)
            at += (size_t)sprintf(csv + at, "p%u,%u\n", rows[i].person, rows[i].years);
    assert_int_equal(load(dataset, csv), GW_OK);
    free(csv);
}

static void shuffled_source_makes_the_same_snapshot_under_one_key(void **state) {
    test_dataset *dataset = *state;
    static test_row rows[SHUFFLED_ROWS];
    uint64_t random = 17;
    gw_problem problem;
    assert_int_equal(gw_load_treat("too_many_rows=drop-row", &dataset->treatments, &problem), GW_OK);
    make_rows(rows);
    load_rows(dataset, rows, SHUFFLED_ROWS);
    int64_t first = content(dataset);
    assert_true(dataset->report.kinds[GW_LOAD_TOO_MANY_ROWS].count > 100);
    assert_int_equal(fixture_number(dataset, "SELECT 0, max(_rows) FROM permits"), 5);
    for (int i = 0; i < 3; i++) {
        shuffle_rows(rows, &random);
        load_rows(dataset, rows, SHUFFLED_ROWS);
        assert_true(content(dataset) == first);
    }
    dataset->key = other_key; // of the order alone
    load_rows(dataset, rows, SHUFFLED_ROWS);
    assert_true(content(dataset) != first);
    dataset->key = NULL;
    load_rows(dataset, rows, SHUFFLED_ROWS);
    int64_t random_content = content(dataset);
    load_rows(dataset, rows, SHUFFLED_ROWS);
    assert_true(content(dataset) != random_content);
}

// What neighbouring data differ in: when a person goes, the rows of all others stay, numbered as they were.
static void a_person_who_goes_moves_nobodys_numbers(void **state) {
    test_dataset *dataset = *state;
    static test_row rows[SHUFFLED_ROWS];
    // Sums of what every row is, so that the difference is what the person's rows were.
#define ROWS_SUM                                                                                                       \
    "SELECT 0, CAST(sum(CAST(hash(duration, sex, _rows, _order) % 1000000007 AS BIGINT)) AS BIGINT) FROM permits"
    gw_problem problem;
    assert_int_equal(gw_load_treat("too_many_rows=drop-row", &dataset->treatments, &problem), GW_OK);
    make_rows(rows);
    load_rows(dataset, rows, SHUFFLED_ROWS);
    int64_t whole = fixture_number(dataset, ROWS_SUM);
    for (unsigned person = 3; person < 6; person++) {
        static test_row alone[SHUFFLED_ROWS];
        for (size_t i = 0; i < SHUFFLED_ROWS; i++)
            alone[i] = (test_row){rows[i].person == person ? person : SHUFFLED_ROWS, rows[i].years};
        load_rows(dataset, rows, person);
        int64_t others = fixture_number(dataset, ROWS_SUM);
        load_rows(dataset, alone, SHUFFLED_ROWS);
        assert_true(whole == others + fixture_number(dataset, ROWS_SUM));
    }
}

static void persons_that_no_other_table_knows_are_unknown_there_and_counted(void **state) {
    test_dataset *dataset = *state;
    assert_int_equal(load(dataset, "who,years\na,1\na,2\nb,3\nc,4\nd,5\nd,6\ne,7\n"), GW_OK);
    assert_int_equal(fixture_number(dataset, ROWS_OF "sex = 1 AND income = 260 AND hours = 7"), 2); // a
    assert_int_equal(fixture_number(dataset, ROWS_OF "sex = 0 AND income = 280 AND hours = 8"), 1); // b
    assert_int_equal(fixture_number(dataset, ROWS_OF "sex = 2 AND income IS NULL AND hours IS NULL AND duration = 4"),
                     1);
    assert_int_equal(fixture_number(dataset, ROWS_OF "sex = 2 AND income IS NULL AND hours IS NULL AND duration > 4"),
                     3);
    // c is no person of homes, d and e are not of persons either; c again for persons, which inherits from homes.
    assert_int_equal(dataset->report.tables[0].orphan_count, 3);
    assert_int_equal(dataset->report.tables[1].orphan_count, 1);
    assert_int_equal(dataset->report.tables[2].orphan_count, 0);
    gw_buffer text;
    gw_buffer_init(&text, 65536);
    gw_load_options options = {.policy = dataset->policy};
    gw_load_report_text(&dataset->report, &options, &text);
    assert_non_null(strstr(gw_buffer_string(&text), "note: 3 persons of permits are not in persons or homes\n"));
    assert_non_null(strstr(gw_buffer_string(&text), "note: 1 person of persons is not in homes\n"));
    assert_null(strstr(gw_buffer_string(&text), "of stays"));
    gw_buffer_done(&text);
}

static void person_whose_own_row_was_dropped_is_unknown_in_other_tables(void **state) {
    test_dataset *dataset = *state;
    gw_problem problem;
    const char *people = "id,sex,income\na,1,30\na,2,40\nb,9,40\n"; // a twice, b not in the list
    fixture_write(dataset, "persons.csv", people, strlen(people));
    assert_int_equal(gw_load_treat("too_many_rows=drop-row", &dataset->treatments, &problem), GW_OK);
    assert_int_equal(gw_load_treat("unlisted_code=drop-row", &dataset->treatments, &problem), GW_OK);
    assert_int_equal(load(dataset, "who,years\na,1\nb,2\nb,3\n"), GW_OK);
    assert_int_equal(fixture_number(dataset, ROWS_OF "sex < 2"), 1); // a has one row here, not one for each of two
    assert_int_equal(fixture_number(dataset, ROWS_OF "sex = 2 AND income IS NULL"), 2);
    assert_int_equal(dataset->report.tables[0].orphan_count, 1);
}

static void empty_table_is_refused_by_its_name_unless_allowed(void **state) {
    test_dataset *dataset = *state;
    assert_int_equal(load(dataset, "who,years\n"), GW_INVALID);
    assert_string_equal(dataset->problem.code, "load_empty");
    assert_string_equal(dataset->problem.why, "The source of permits has no rows.");
    assert_int_equal(fixture_data_count(dataset), 0);
    dataset->is_empty_allowed = true;
    assert_int_equal(load(dataset, "who,years\n"), GW_OK);
    assert_int_equal(fixture_number(dataset, ROWS_OF "true"), 0);
    assert_int_equal(fixture_number(dataset, "SELECT 0, count(*) FROM persons"), 3);
    assert_int_equal(fixture_number(dataset, "SELECT 0, count(*) FROM duckdb_columns() WHERE table_name = 'permits'"),
                     7);
}

static void expect_tables_refused(test_dataset *dataset, const gw_load_source *given, size_t count, const char *why,
                                  const char *mend) {
    assert_int_equal(fixture_load_sources(dataset, given, count), GW_INVALID);
    assert_string_equal(dataset->problem.code, "load_tables");
    assert_string_equal(dataset->problem.why, why);
    assert_string_equal(dataset->problem.mend, mend);
    assert_int_equal(fixture_data_count(dataset), 0);
}

static void each_table_needs_one_source_and_no_more(void **state) {
    test_dataset *dataset = *state;
    static const char *const all = "godwitd load test.example/people permits=FILE persons=FILE homes=FILE stays=FILE";
    const gw_load_source twice[] = {sources[0], sources[1], sources[2], sources[3], sources[1]};
    const gw_load_source unknown[] = {
        sources[0], sources[1], sources[2], sources[3], {.table = "permit", .path = "permits.csv"}};
    const gw_load_source strange[] = {sources[0], sources[1], sources[2], sources[3], {.table = "q", .path = "q.csv"}};
    expect_tables_refused(dataset, sources, 1, "No file is named for permits, homes, stays.", all);
    expect_tables_refused(dataset, sources, 3, "No file is named for stays.", all);
    expect_tables_refused(dataset, twice, 5, "More than one file is named for homes.", all);
    expect_tables_refused(dataset, unknown, 5, "test.example/people has no table \"permit\".",
                          "Did you mean \"permits\"?");
    expect_tables_refused(dataset, strange, 5, "test.example/people has no table \"q\".", all);
}

static void findings_of_several_tables_name_theirs(void **state) {
    test_dataset *dataset = *state;
    assert_int_equal(load(dataset, "who,years\na,x\n"), GW_INVALID);
    assert_string_equal(dataset->problem.code, "load_refused");
    gw_buffer text;
    gw_buffer_init(&text, 65536);
    gw_load_options options = {.policy = dataset->policy};
    gw_load_report_text(&dataset->report, &options, &text);
    assert_non_null(strstr(gw_buffer_string(&text), "  permits, row 1: years \"x\" is not a whole number\n"));
    gw_buffer_done(&text);
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
        strcat(strcat(told->phases, phase), ", ");
}

// By how much there is to read of each: of two tables the large one takes almost all of the way.
static void progress_goes_over_all_tables(void **state) {
    test_dataset *dataset = *state;
    told_progress told = {0};
    const size_t count = 70000; // enough to be told in between
    char *csv = malloc(count * 8 + 64);
    size_t at = (size_t)sprintf(csv, "who,years\n");
    for (size_t i = 0; i < count; i++)
        at += (size_t)sprintf(csv + at, "%zu,1\n", i);
    dataset->progress = note_progress;
    dataset->progress_state = &told;
    assert_int_equal(load(dataset, csv), GW_OK);
    assert_string_equal(told.phases, "reading permits, writing permits, writing persons, writing homes, writing stays, "
                                     "sealing, done, ");
    assert_true(told.fraction == 1.0);
    free(csv);
}

// One person with as many rows as there may be, among others: loaded, numbered, and bounded by what is numbered.
static void person_with_a_million_rows_is_loaded_and_bounded(void **state) {
    test_dataset *dataset = *state;
    const size_t count = 1000000;
    char *csv = malloc(count * 4 + 64);
    size_t at = (size_t)sprintf(csv, "id,nights\nother,1\nmore,2\nmore,3\n");
    for (size_t i = 0; i < count; i++)
        at += (size_t)sprintf(csv + at, "m,%zu\n", i % 10);
    fixture_write(dataset, "stays.csv", csv, at);
    assert_int_equal(load(dataset, "who,years\na,1\n"), GW_OK);
    assert_int_equal(dataset->report.tables[3].rows_kept, 1000003);
#define KEPT                                                                                                           \
    " FROM (SELECT nights, row_number() OVER (PARTITION BY _person ORDER BY _order) AS place FROM stays) WHERE "
    assert_int_equal(fixture_number(dataset, "SELECT 0, count(*)" KEPT "place <= 3"), 6);
    assert_int_equal(fixture_number(dataset, "SELECT 0, count(*) FROM stays WHERE _order < 3"), 6);
    assert_int_equal(fixture_number(dataset, "SELECT 0, max(_order) FROM stays WHERE _rows = 1000000"), 999999);
    assert_int_equal(fixture_number(dataset, "SELECT 0, count(DISTINCT _order) FROM stays WHERE _rows = 1000000"),
                     count);
    free(csv);
}

int main(void) {
#define DATASET_TEST(name) cmocka_unit_test_setup_teardown(name, dataset_start, dataset_end)
    const struct CMUnitTest tests[] = {
        DATASET_TEST(rows_of_a_person_are_counted_and_numbered),
        DATASET_TEST(rows_that_hold_the_same_follow_each_other),
        DATASET_TEST(shuffled_source_makes_the_same_snapshot_under_one_key),
        DATASET_TEST(a_person_who_goes_moves_nobodys_numbers),
        DATASET_TEST(persons_that_no_other_table_knows_are_unknown_there_and_counted),
        DATASET_TEST(person_whose_own_row_was_dropped_is_unknown_in_other_tables),
        DATASET_TEST(empty_table_is_refused_by_its_name_unless_allowed),
        DATASET_TEST(each_table_needs_one_source_and_no_more),
        DATASET_TEST(findings_of_several_tables_name_theirs),
        DATASET_TEST(progress_goes_over_all_tables),
        DATASET_TEST(person_with_a_million_rows_is_loaded_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
