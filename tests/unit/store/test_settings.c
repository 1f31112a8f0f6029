// SPDX-License-Identifier: Apache-2.0
// Every setting that the ledger relies on is read back: here SQLite is made to take another value, or none, for one
// after the other, without an error, and each time the store refuses to open and says which it was.
#include "tests/unit/store/ledger_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    const char *asked, *done; // done instead, NULL: nothing
} other_setting;

static const other_setting settings[] = {
    {"PRAGMA journal_mode=WAL", "PRAGMA journal_mode=DELETE"},
    {"PRAGMA synchronous=FULL", "PRAGMA synchronous=NORMAL"},
    {"PRAGMA foreign_keys=ON", "PRAGMA foreign_keys=OFF"},
    {"PRAGMA trusted_schema=OFF", NULL},
    {"PRAGMA cell_size_check=ON", NULL},
    {"PRAGMA mmap_size=0", "PRAGMA mmap_size=65536"},
    {"PRAGMA temp_store=MEMORY", NULL},
};
#define SETTING_COUNT (sizeof(settings) / sizeof(settings[0]))

static const other_setting *lie_;
static bool has_no_defensive_, has_no_wal_kept_;

int __real_sqlite3_exec(sqlite3 *db, const char *sql, int (*call)(void *, int, char **, char **), void *state,
                        char **error);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*call)(void *, int, char **, char **), void *state,
                        char **error);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*call)(void *, int, char **, char **), void *state,
                        char **error) {
    if (lie_ == NULL || strcmp(sql, lie_->asked) != 0)
        return __real_sqlite3_exec(db, sql, call, state, error);
    return lie_->done == NULL ? SQLITE_OK : __real_sqlite3_exec(db, lie_->done, call, state, error);
}

int __real_sqlite3_db_config(sqlite3 *db, int what, int value, int *ret);
int __wrap_sqlite3_db_config(sqlite3 *db, int what, int value, int *ret);
int __wrap_sqlite3_db_config(sqlite3 *db, int what, int value, int *ret) {
    if (what == SQLITE_DBCONFIG_DEFENSIVE && has_no_defensive_)
        value = 0;
    return __real_sqlite3_db_config(db, what, value, ret);
}

int __real_sqlite3_file_control(sqlite3 *db, const char *name, int what, void *value);
int __wrap_sqlite3_file_control(sqlite3 *db, const char *name, int what, void *value);
int __wrap_sqlite3_file_control(sqlite3 *db, const char *name, int what, void *value) {
    if (what == SQLITE_FCNTL_PERSIST_WAL && has_no_wal_kept_ && *(int *)value == 1)
        *(int *)value = 0;
    return __real_sqlite3_file_control(db, name, what, value);
}

static void assert_refused(const char *says) {
    ledger_fixture fixture;
    gw_store *store = NULL;
    gw_problem problem = {0};
    const other_setting *lie = lie_;
    bool has_no_defensive = has_no_defensive_, has_no_wal_kept = has_no_wal_kept_;
    lie_ = NULL;
    has_no_defensive_ = has_no_wal_kept_ = false;
    fixture_create(&fixture);
    lie_ = lie;
    has_no_defensive_ = has_no_defensive;
    has_no_wal_kept_ = has_no_wal_kept;
    assert_int_equal(gw_store_open(fixture.database, &store, &problem), GW_UNAVAILABLE);
    assert_string_equal(problem.code, "store_setting");
    if (strstr(problem.what, says) == NULL)
        fail_msg("%s is not in: %s", says, problem.what);
    lie_ = NULL;
    has_no_defensive_ = has_no_wal_kept_ = false;
    assert_int_equal(gw_store_open(fixture.database, &store, &problem), GW_OK); // as soon as it is taken
    gw_store_close(store);
    fixture_remove(&fixture);
}

static void a_setting_that_is_not_taken_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        lie_ = &settings[i];
        assert_refused(settings[i].asked);
    }
    has_no_defensive_ = true;
    assert_refused("DEFENSIVE");
    has_no_wal_kept_ = true;
    assert_refused("WAL");
}

static void the_journal_stays_when_the_ledger_is_closed(void **state) {
    (void)state;
    ledger_fixture fixture;
    gw_store *store = NULL;
    struct stat facts;
    char path[128];
    fixture_create(&fixture);
    assert_int_equal(gw_store_open(fixture.database, &store, NULL), GW_OK);
    gw_store_close(store);
    snprintf(path, sizeof path, "%s-wal", fixture.database);
    assert_int_equal(stat(path, &facts), 0);
    fixture_remove(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_setting_that_is_not_taken_is_refused),
        cmocka_unit_test(the_journal_stays_when_the_ledger_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
