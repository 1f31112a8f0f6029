// SPDX-License-Identifier: Apache-2.0
// The state that the first release left, opened by this one: its tables become those of a new ledger, a copy is kept,
// and where that cannot be done nothing has changed. Reaches store_migrate and store_version_read.
#include "privacy/accounting/zcdp.h"
#include "service/store/durable.h"
#include "service/store/store.h"
#include "tests/unit/store/ledger_fixture.h"
#include "tests/support/unit.h"
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define TEXT_MAX 65536

// The first release's state in the test's folder.
static void unpack(void **state, char database[256]) {
    char archive[512];
    const char *source = getenv("GW_SOURCE");
    assert_non_null(source);
    snprintf(archive, sizeof(archive), "%s/tests/support/state_v1/state_v1.tar.gz", source);
    pid_t pid = fork();
    if (pid == 0) {
        execlp("tar", "tar", "-xzf", archive, "-C", (const char *)*state, (char *)NULL);
        _exit(127);
    }
    int status = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    unit_path(state, "state/godwit.db", database);
}

static sqlite3 *database_open(const char *path) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    return db;
}

static void run(const char *path, const char *sql) {
    sqlite3 *db = database_open(path);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

// Every row of a query, one column, as lines.
static void read_lines(const char *path, const char *sql, char text[TEXT_MAX]) {
    sqlite3 *db = database_open(path);
    sqlite3_stmt *statement = NULL;
    size_t size = 0;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    text[0] = '\0';
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(statement, 0);
        int count = snprintf(text + size, TEXT_MAX - size, "%s\n", line == NULL ? "" : line);
        assert_true(count > 0 && (size_t)count < TEXT_MAX - size);
        size += (size_t)count;
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

#define TABLES "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY type, name"
#define ROWS                                                                                                           \
    "SELECT hex(bytes) FROM entry UNION ALL SELECT hex(answer) FROM release UNION ALL SELECT hex(text) FROM policy"    \
    " UNION ALL SELECT kind || ' ' || owner || ' ' || days || ' ' || window || ' ' || spent FROM budget"

static void first_release_gets_the_tables_of_a_new_ledger_and_keeps_every_row(void **state) {
    static char rows_before[TEXT_MAX], rows_after[TEXT_MAX], tables[TEXT_MAX], tables_new[TEXT_MAX];
    char database[256], version[TEXT_MAX];
    ledger_fixture fresh;
    gw_store *store = NULL;
    unpack(state, database);
    read_lines(database, ROWS, rows_before);
    assert_true(strlen(rows_before) > 1000);
    assert_int_equal(gw_store_open(database, &store, NULL), GW_OK);
    assert_int_equal(gw_store_size(store), 16);
    gw_store_close(store);
    read_lines(database, ROWS, rows_after);
    assert_string_equal(rows_after, rows_before);
    read_lines(database, TABLES, tables);
    fixture_create(&fresh);
    read_lines(fresh.database, TABLES, tables_new);
    fixture_remove(&fresh);
    assert_string_equal(tables, tables_new);
    read_lines(database, "PRAGMA user_version", version);
    assert_string_equal(version, "4\n");
    read_lines(database, "SELECT version || ' ' || entries FROM schema_change", version);
    assert_string_equal(version, "2 16\n3 16\n4 16\n");
}

// Charges of the first release had no rho: dataset and population get what theirs come to, nobody else.
static void rho_of_old_charges_is_counted(void **state) {
    static char costs[TEXT_MAX], rho[TEXT_MAX];
    char database[256], expected[64];
    gw_store *store = NULL;
    uint64_t sum = 0;
    unpack(state, database);
    read_lines(database, "SELECT cost FROM charge ORDER BY seq", costs);
    for (const char *line = costs; *line != '\0'; line = strchr(line, '\n') + 1)
        sum = gw_rho_add(sum, gw_rho_of((gw_epsilon){strtoull(line, NULL, 10)}));
    assert_true(sum > 0);
    assert_int_equal(gw_store_open(database, &store, NULL), GW_OK);
    gw_store_close(store);
    snprintf(expected, sizeof(expected), "1 %llu\n2 %llu\n", (unsigned long long)sum, (unsigned long long)sum);
    read_lines(database, "SELECT kind || ' ' || rho FROM budget WHERE rho <> 0 ORDER BY kind", rho);
    assert_string_equal(rho, expected);
    read_lines(database, "SELECT count(*) FROM population WHERE delta <> 0 OR rho_total <> 0 OR selection_total <> 0",
               rho);
    assert_string_equal(rho, "0\n");
}

// The version between: its form as the step before wrote it.
static void the_second_version_is_brought_up_alone(void **state) {
    static char tables[TEXT_MAX], tables_before[TEXT_MAX];
    char database[256], version[TEXT_MAX];
    gw_store *store = NULL;
    unpack(state, database);
    assert_int_equal(gw_store_open(database, &store, NULL), GW_OK);
    gw_store_close(store);
    read_lines(database, TABLES, tables_before);
    // Back to version 2, as far as its tables go.
    run(database,
        "DROP TRIGGER budget_grows; ALTER TABLE budget DROP COLUMN rho; ALTER TABLE budget DROP COLUMN selection;"
        "ALTER TABLE policy DROP COLUMN delta; ALTER TABLE policy DROP COLUMN rho_total;"
        "ALTER TABLE policy DROP COLUMN selection_total; ALTER TABLE population DROP COLUMN delta;"
        "ALTER TABLE population DROP COLUMN rho_total; ALTER TABLE population DROP COLUMN selection_total;"
        "CREATE TRIGGER budget_grows BEFORE UPDATE ON budget WHEN NEW.spent < OLD.spent"
        " BEGIN SELECT RAISE(ABORT, 'spent never shrinks'); END;"
        "DROP TABLE restore_growth; DROP TABLE restore; DROP TABLE witnesses; DROP TABLE release_state; DROP TABLE "
        "keyrot;"
        "DROP TRIGGER schema_change_no_delete; DELETE FROM schema_change WHERE version >= 3;"
        "CREATE TRIGGER schema_change_no_delete BEFORE DELETE ON schema_change BEGIN SELECT RAISE(ABORT,"
        " 'schema_change is append-only'); END; PRAGMA user_version=2");
    assert_int_equal(gw_store_open(database, &store, NULL), GW_OK);
    gw_store_close(store);
    read_lines(database, TABLES, tables);
    assert_string_equal(tables, tables_before);
    read_lines(database, "SELECT version FROM schema_change ORDER BY version", version);
    assert_string_equal(version, "2\n3\n4\n");
}

static void a_whole_private_copy_of_the_old_version_is_kept(void **state) {
    static char rows[TEXT_MAX], rows_copy[TEXT_MAX];
    char database[256], copy[300], version[TEXT_MAX];
    struct stat facts;
    gw_store *store = NULL;
    unpack(state, database);
    read_lines(database, ROWS, rows); // before: reading may move the journal into the file
    assert_int_equal(gw_store_open(database, &store, NULL), GW_OK);
    gw_store_close(store);
    snprintf(copy, sizeof(copy), "%s.v1", database);
    assert_int_equal(stat(copy, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0600);
    read_lines(copy, ROWS, rows_copy);
    assert_string_equal(rows_copy, rows);
    read_lines(copy, "PRAGMA user_version", version);
    assert_string_equal(version, "1\n");
}

static void a_second_opening_changes_nothing_and_copies_nothing(void **state) {
    char database[256], copy[300];
    gw_store *store = NULL;
    unpack(state, database);
    assert_int_equal(gw_store_open(database, &store, NULL), GW_OK);
    gw_store_close(store);
    snprintf(copy, sizeof(copy), "%s.v1", database);
    assert_int_equal(unlink(copy), 0);
    assert_int_equal(gw_store_open(database, &store, NULL), GW_OK);
    gw_store_close(store);
    assert_int_not_equal(access(copy, F_OK), 0);
}

static void a_newer_version_is_refused_by_writer_and_readers(void **state) {
    char database[256], version[TEXT_MAX];
    gw_store *store = NULL;
    gw_store_reader *reader = NULL;
    gw_problem problem = {0};
    unpack(state, database);
    run(database, "PRAGMA user_version=1000");
    assert_int_equal(gw_store_open(database, &store, &problem), GW_INVALID);
    assert_string_equal(problem.code, "store_newer");
    assert_int_equal(gw_store_reader_open(database, &reader, &problem), GW_INVALID);
    assert_string_equal(problem.code, "store_newer");
    read_lines(database, "PRAGMA user_version", version);
    assert_string_equal(version, "1000\n");
}

static void a_reader_waits_for_the_service_to_bring_an_older_version_up(void **state) {
    char database[256];
    gw_store_reader *reader = NULL;
    gw_problem problem = {0};
    unpack(state, database);
    assert_int_equal(gw_store_reader_open(database, &reader, &problem), GW_UNAVAILABLE);
    assert_string_equal(problem.code, "store_older");
}

static void a_step_that_fails_leaves_the_old_version(void **state) {
    static char tables[TEXT_MAX], tables_after[TEXT_MAX];
    char database[256], version[TEXT_MAX];
    gw_store *store = NULL;
    gw_problem problem = {0};
    unpack(state, database);
    // The first statement of the step works, the second finds its name taken.
    run(database, "CREATE TABLE charge_principal(x)");
    read_lines(database, TABLES, tables);
    assert_int_equal(gw_store_open(database, &store, &problem), GW_IO);
    assert_string_equal(problem.code, "store_migration");
    read_lines(database, TABLES, tables_after);
    assert_string_equal(tables_after, tables);
    read_lines(database, "PRAGMA user_version", version);
    assert_string_equal(version, "1\n");
    run(database, "DROP TABLE charge_principal");
    assert_int_equal(gw_store_open(database, &store, NULL), GW_OK);
    gw_store_close(store);
}

static void without_a_copy_nothing_is_changed(void **state) {
    char database[256], copy[300], version[TEXT_MAX];
    gw_store *store = NULL;
    gw_problem problem = {0};
    struct rlimit before, small;
    unpack(state, database);
    run(database, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 65536; // the copy needs more
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    gw_status status = gw_store_open(database, &store, &problem);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, GW_IO);
    assert_string_equal(problem.code, "store_copy");
    snprintf(copy, sizeof(copy), "%s.v1", database);
    assert_int_not_equal(access(copy, F_OK), 0);
    snprintf(copy, sizeof(copy), "%s.v1.new", database);
    assert_int_not_equal(access(copy, F_OK), 0);
    read_lines(database, "PRAGMA user_version", version);
    assert_string_equal(version, "1\n");
}

static void a_look_from_outside_tells_version_and_damage(void **state) {
    char database[256];
    gw_store_facts facts;
    unpack(state, database);
    run(database, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(gw_store_examine(database, &facts, NULL), GW_OK);
    assert_int_equal(facts.version, 1);
    assert_int_equal(facts.version_known, 4);
    assert_true(facts.is_wal);
    assert_true(facts.is_whole);
    FILE *file = fopen(database, "r+");
    assert_non_null(file);
    for (long page = 2; page < 20; page++) { // the head of each b-tree page but the schema's
        assert_int_equal(fseek(file, page * 4096, SEEK_SET), 0);
        assert_int_equal(fwrite("\xff\xff\xff\xff", 1, 4, file), 4);
    }
    fclose(file);
    assert_int_equal(gw_store_examine(database, &facts, NULL), GW_OK);
    assert_false(facts.is_whole);
    assert_true(facts.trouble[0] != '\0');
}

static void the_holder_of_the_lock_is_known_only_while_it_holds_it(void **state) {
    char path[256];
    int descriptor = -1;
    pid_t pid = 0;
    unit_path(state, "lock", path);
    assert_int_equal(gw_durable_lock_holder(path, &pid), GW_NOT_FOUND);
    assert_int_equal(gw_durable_lock(path, &descriptor, NULL), GW_OK);
    assert_int_equal(gw_durable_lock_holder(path, &pid), GW_OK);
    assert_int_equal(pid, getpid());
    close(descriptor);
    assert_int_equal(gw_durable_lock_holder(path, &pid), GW_NOT_FOUND);
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, unit_folder_new, unit_folder_free)

int main(void) {
    if (gw_crypto_init() != GW_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(first_release_gets_the_tables_of_a_new_ledger_and_keeps_every_row),
        FOLDER_TEST(rho_of_old_charges_is_counted),
        FOLDER_TEST(the_second_version_is_brought_up_alone),
        FOLDER_TEST(a_whole_private_copy_of_the_old_version_is_kept),
        FOLDER_TEST(a_second_opening_changes_nothing_and_copies_nothing),
        FOLDER_TEST(a_newer_version_is_refused_by_writer_and_readers),
        FOLDER_TEST(a_reader_waits_for_the_service_to_bring_an_older_version_up),
        FOLDER_TEST(a_step_that_fails_leaves_the_old_version),
        FOLDER_TEST(without_a_copy_nothing_is_changed),
        FOLDER_TEST(a_look_from_outside_tells_version_and_damage),
        FOLDER_TEST(the_holder_of_the_lock_is_known_only_while_it_holds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
