// SPDX-License-Identifier: Apache-2.0
// The sample datasets load without a finding, and hold what was counted by other means: the adult file with awk, the
// register against the published rates it is calibrated on.
#include "tests/unit/engine/engine_fixture.h"
#include "service/base/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void sample_path(const char *name, char path[512]) {
    snprintf(path, 512, "%s/policies/samples/%s", getenv("GW_SOURCE"), name);
}

static void sample_init(test_dataset *dataset, const char *policy_name) {
    char path[512];
    gw_buffer text;
    gw_problem problem;
    gw_buffer_init(&text, 1u << 20);
    sample_path(policy_name, path);
    assert_int_equal(gw_file_read(path, &text, &problem), GW_OK);
    fixture_init(dataset, gw_buffer_string(&text));
    gw_buffer_done(&text);
}

static void adult_sample_holds_what_awk_counts(void **state) {
    (void)state;
    test_dataset dataset;
    char path[512];
    sample_init(&dataset, "adult.policy.json");
    sample_path("adult.csv.gz", path);
    assert_int_equal(fixture_load(&dataset, path), GW_OK);
    assert_int_equal(dataset.report.rows_kept, 32561);
    gw_engine *engine = fixture_engine(&dataset, 1);
    gw_exact_table *table = NULL;
    // Born in NAT, EU_FOR, NEU_FOR, _U by F, M: from `zcat adult.csv.gz | awk -F, '{ print $7, $3 }' | sort | uniq -c`.
    static const int64_t by_birth[] = {9741, 19557, 0, 143, 260, 0, 724, 1553, 0, 163, 420, 0};
    assert_int_equal(
        fixture_measure(&dataset, engine,
                        "SELECT CAST(c_birth AS BIGINT) * 3 + CAST(sex AS BIGINT), count(*) FROM persons GROUP BY 1",
                        12, 1, &table),
        GW_OK);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal((int64_t)table->values[i], by_birth[i]);
    gw_exact_table_free(table);
    // Sums of hours, of ages and of weights over the whole file; weights above 500,000 count as that.
    assert_int_equal(
        fixture_measure(&dataset, engine, "SELECT 0, sum(hours), sum(age), sum(_weight) FROM persons", 1, 3, &table),
        GW_OK);
    static const int64_t sums[] = {1316684, 1256257, 6135208720};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal((int64_t)table->values[i], sums[i]);
    gw_exact_table_free(table);
    gw_engine_close(engine);
    fixture_done(&dataset);
}

static void register_make(const test_dataset *dataset, const char *name) {
    char command[2048], script[512];
    sample_path("register.sql", script);
    snprintf(command, sizeof(command), "'%s' generate '%s' '%s/%s'", dataset->program, script, dataset->folder, name);
    assert_int_equal(system(command), 0);
}

// Per mille of the residents that `where` leaves, among whom `of` holds.
static int64_t per_mille(test_dataset *dataset, const char *of, const char *where) {
    char sql[1024];
    snprintf(sql, sizeof(sql),
             "SELECT 0, CAST(round(1000.0 * count(*) FILTER (WHERE %s) / count(*)) AS BIGINT) FROM persons WHERE %s",
             of, where);
    return fixture_number(dataset, sql);
}

// The register, made twice and loaded once for the tests of what is in it.
static int register_load(void **state) {
    static test_dataset dataset;
    sample_init(&dataset, "register.policy.json");
    register_make(&dataset, "first");
    register_make(&dataset, "register");
    assert_int_equal(fixture_load(&dataset, "register"), GW_OK);
    *state = &dataset;
    return 0;
}

static int register_done(void **state) {
    fixture_done(*state);
    return 0;
}

static void register_sample_is_the_same_each_time_and_meets_the_published_rates(void **state) {
    test_dataset *dataset = *state;
    char command[1024];
    snprintf(command, sizeof(command), "cd '%s' && diff -r register first", dataset->folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(dataset->report.tables[0].rows_kept, 200000);
    static const struct {
        const char *of, *where;
        int64_t expected, tolerance; // four standard errors of a sample of that size, and rounding
    } rates[] = {
#define AGED "age BETWEEN 15 AND 64 AND activity < 3 AND "
        {"activity = 0", AGED "citizen = 0 AND sex = 0", 724, 9},
        {"activity = 0", AGED "citizen = 0 AND sex = 1", 789, 9},
        {"activity = 0", AGED "citizen IN (1, 2) AND sex = 0", 627, 18},
        {"activity = 0", AGED "citizen IN (1, 2) AND sex = 1", 748, 16},
        {"activity = 0", AGED "true", 741, 6},
        {"citizen IN (1, 2, 3)", AGED "citizen < 4", 216, 6},
        {"isced11 = 0", AGED "citizen IN (1, 2, 3) AND isced11 < 3", 274, 12},
        {"sex = 0", "citizen = 0 AND sex < 2", 511, 6},
        {"income <= 33841", "citizen = 0 AND income IS NOT NULL", 500, 7},
        {"income <= 20724", "citizen = 2 AND income IS NOT NULL", 500, 18},
        {"sex = 2", "true", 1, 1}, // _U exists
        {"activity = 3 AND age >= 15", "age >= 15", 15, 3},
        {"duration_stay = 4", "c_birth = 0", 1000, 0}, // none for those born in the country
        {"hours IS NULL", "activity IN (1, 2)", 1000, 0},
        {"income IS NULL", "age < 18", 1000, 0},
    };
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        int64_t found = per_mille(dataset, rates[i].of, rates[i].where);
        if (llabs(found - rates[i].expected) > rates[i].tolerance)
            fail_msg("%s among %s is %lld per mille", rates[i].of, rates[i].where, (long long)found);
    }
}

// The published figures, at the register's scale of 0.0219 and rounded.
static void register_moves_meet_the_published_figures_and_explain_the_stocks(void **state) {
    test_dataset *dataset = *state;
    static const struct {
        const char *what, *sql;
        int64_t expected;
    } figures[] = {
#define CROSSINGS "SELECT 0, count(*) FROM crossings WHERE "
#define PERMITS "SELECT 0, count(*) FROM permits WHERE "
#define YEAR_2021 "time_period BETWEEN 0 AND 11"
#define YEAR_2022 "time_period BETWEEN 12 AND 23"
#define YEAR_2023 "time_period BETWEEN 24 AND 35"
        {"arrivals of nationals in 2023", CROSSINGS "direction = 0 AND citizen = 0 AND " YEAR_2023, 189},
        {"arrivals of EU citizens in 2021", CROSSINGS "direction = 0 AND citizen = 1 AND " YEAR_2021, 1411},
        {"arrivals of EU citizens in 2023", CROSSINGS "direction = 0 AND citizen = 1 AND " YEAR_2023, 1510},
        {"arrivals of others in 2022", CROSSINGS "direction = 0 AND citizen = 2 AND " YEAR_2022, 2566},
        {"arrivals of others in 2023", CROSSINGS "direction = 0 AND citizen = 2 AND " YEAR_2023, 1526},
        {"returns of refugees in 2022", CROSSINGS "move = 3 AND " YEAR_2022, 110},
        {"returns of refugees in 2023", CROSSINGS "move = 3 AND " YEAR_2023, 110},
        {"first permits in 2021", PERMITS "permit = 0 AND " YEAR_2021, 1049},
        {"first permits in 2022", PERMITS "permit = 0 AND " YEAR_2022, 1210},
        {"first permits in 2023", PERMITS "permit = 0 AND " YEAR_2023, 1377},
        {"persons with six crossings", "SELECT 0, count(DISTINCT _person) FROM crossings WHERE _rows = 6", 150},
        // Whoever left before the end of 2023 is in no table of residents: their country of birth is unknown (3).
        {"leavers",
         "SELECT 0, count(*) FILTER (WHERE c_birth <> 3) FROM (SELECT max(c_birth) c_birth FROM crossings "
         "GROUP BY _person HAVING sum(CASE direction WHEN 0 THEN 1 ELSE -1 END) < 0)",
         0},
        {"stocks changed by anything but moves in 2023",
         "SELECT 0, (SELECT sum(CASE stock_year WHEN 1 THEN 1 ELSE -1 END) FROM stocks) - "
         "(SELECT sum(CASE direction WHEN 0 THEN 1 ELSE -1 END) FROM crossings WHERE " YEAR_2023 ")",
         0},
    };
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
        int64_t found = fixture_number(dataset, figures[i].sql);
        if (found != figures[i].expected)
            fail_msg("%s: %lld, not %lld", figures[i].what, (long long)found, (long long)figures[i].expected);
    }
}

static void script_that_fails_says_why(void **state) {
    (void)state;
    test_dataset dataset;
    char command[2048];
    fixture_init(&dataset, POLICY_PEOPLE);
    fixture_write(&dataset, "bad.sql", "SELECT nonsense;", 16);
    snprintf(command, sizeof(command),
             "'%s' generate '%s/bad.sql' '%s/out' 2>&1 | grep -q 'The script failed.*nonsense'", dataset.program,
             dataset.folder, dataset.folder);
    assert_int_equal(system(command), 0);
    fixture_done(&dataset);
}

int main(void) {
    const struct CMUnitTest of_register[] = {
        cmocka_unit_test(register_sample_is_the_same_each_time_and_meets_the_published_rates),
        cmocka_unit_test(register_moves_meet_the_published_figures_and_explain_the_stocks),
    };
    const struct CMUnitTest others[] = {
        cmocka_unit_test(adult_sample_holds_what_awk_counts),
        cmocka_unit_test(script_that_fails_says_why),
    };
    int failed = cmocka_run_group_tests(of_register, register_load, register_done);
    return failed + cmocka_run_group_tests(others, NULL, NULL);
}
