// SPDX-License-Identifier: Apache-2.0
// The start-up check by itself, on stores of several batches: each entry is hashed and folded, also where someone
// changed an entry and made tree and root anew to fit it; what is found first is named.
#include "service/ledger/ledger_replay.h"
#include "service/base/check.h"
#include "tests/support/small_log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define CHARGES 400 // 806 entries

static small_log shared;
static gw_hash root;
static uint64_t size;

static gw_status leaf_add(void *state, uint64_t seq, gw_bytes entry) {
    (void)seq;
    gw_merkle_edge_append(state, gw_merkle_leaf(entry), NULL, NULL);
    return GW_OK;
}

// The root of whatever entries stand in the database now.
static gw_hash root_of_entries(void) {
    gw_store_reader *reader = NULL;
    gw_merkle_edge edge = {0};
    assert_int_equal(gw_store_reader_open(shared.ledger.database, &reader, NULL), GW_OK);
    assert_int_equal(gw_store_scan(reader, 0, INT64_MAX, leaf_add, &edge), GW_OK);
    gw_store_reader_close(reader);
    return gw_merkle_edge_root(&edge);
}

static gw_status check(uint64_t of_size, gw_hash of_root, gw_problem *ret_problem) {
    gw_store_reader *reader = NULL;
    *ret_problem = (gw_problem){0};
    assert_int_equal(gw_store_reader_open(shared.ledger.database, &reader, NULL), GW_OK);
    gw_status status = ledger_replay_check(reader, of_size, of_root, ret_problem);
    gw_store_reader_close(reader);
    return status;
}

static void run_sql(const char *sql) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(shared.ledger.database, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

static void a_sound_store_holds(void **state) {
    (void)state;
    gw_problem problem;
    assert_int_equal(check(size, root, &problem), GW_OK);
}

static void another_root_or_size_is_tampering(void **state) {
    (void)state;
    gw_problem problem;
    gw_hash other = root;
    other.bytes[31] ^= 1;
    assert_int_equal(check(size, other, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "ledger_tampered");
    assert_int_equal(check(size - 1, root, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "ledger_tampered");
}

// As someone would who knows the tables; its former bytes are kept beside.
static void entry_change(uint64_t seq, const char *from, const char *to) {
    char sql[512];
    snprintf(sql, sizeof(sql),
             "CREATE TABLE kept AS SELECT seq, bytes FROM entry WHERE seq = %llu;"
             "UPDATE entry SET bytes = CAST(replace(CAST(bytes AS TEXT), '%s', '%s') AS BLOB) WHERE seq = %llu;",
             (unsigned long long)seq, from, to, (unsigned long long)seq);
    run_sql(sql);
}

static void entry_restore(void) {
    run_sql(
        "UPDATE entry SET bytes = (SELECT bytes FROM kept WHERE kept.seq = entry.seq) WHERE seq IN (SELECT seq FROM "
        "kept); DROP TABLE kept;");
}

static void a_changed_entry_under_a_root_made_anew_is_named(void **state) {
    (void)state;
    static const struct {
        uint64_t seq;
        const char *from, *to;
    } changes[] = {
        {6, "cost 1000000", "cost 1000001"},                                                    // the first charge
        {500, "cost 1000000", "cost 2000000"},                                                  // in a later batch
        {500, "seq 500", "seq 501"},           {500, "godwit/v1 charge", "godwit/v1 incident"}, // not its grammar
        {805, "charge 804", "charge 802"}, // the last entry: a second outcome
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        gw_problem problem;
        char named[32];
        entry_change(changes[i].seq, changes[i].from, changes[i].to);
        gw_hash forged = root_of_entries();
        assert_false(gw_hash_equal(forged, root));
        snprintf(named, sizeof(named), "Entry %llu: ", (unsigned long long)changes[i].seq);
        assert_int_equal(check(size, forged, &problem), GW_CORRUPT);
        assert_string_equal(problem.code, "ledger_tampered");
        assert_memory_equal(problem.why, named, strlen(named));
        entry_restore();
    }
    a_sound_store_holds(state);
}

static void a_changed_balance_is_tampering(void **state) {
    (void)state;
    gw_problem problem;
    run_sql("UPDATE budget SET spent = spent - 1 WHERE kind = 1");
    assert_int_equal(check(size, root, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "ledger_tampered");
    run_sql("UPDATE budget SET spent = spent + 1 WHERE kind = 1");
    a_sound_store_holds(state);
}

static void entries_that_are_gone_are_tampering(void **state) {
    (void)state;
    gw_problem problem;
    run_sql("CREATE TABLE kept AS SELECT * FROM entry WHERE seq = 300; PRAGMA foreign_keys=OFF;"
            "DELETE FROM entry WHERE seq = 300;");
    assert_int_equal(check(size, root, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "ledger_tampered");
    run_sql("INSERT INTO entry SELECT * FROM kept; DROP TABLE kept;");
    a_sound_store_holds(state);
}

static int trigger_drop(void *state, int count, char **values, char **names) {
    (void)count;
    (void)names;
    char sql[256];
    snprintf(sql, sizeof(sql), "DROP TRIGGER %s", values[0]);
    return sqlite3_exec(state, sql, NULL, NULL, NULL);
}

// Whoever changes a store by hand removes what guards it first.
static int setup(void **state) {
    (void)state;
    small_log_make(&shared, CHARGES);
    size = shared.size;
    root = gw_store_root(shared.store);
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(shared.ledger.database, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        return -1;
    int result = sqlite3_exec(db, "SELECT name FROM sqlite_master WHERE type = 'trigger'", trigger_drop, db, NULL);
    sqlite3_close(db);
    return result == SQLITE_OK ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    small_log_remove(&shared);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_store_holds),
        cmocka_unit_test(another_root_or_size_is_tampering),
        cmocka_unit_test(a_changed_entry_under_a_root_made_anew_is_named),
        cmocka_unit_test(a_changed_balance_is_tampering),
        cmocka_unit_test(entries_that_are_gone_are_tampering),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
