// SPDX-License-Identifier: Apache-2.0
// The tables beside the log are believed only as far as the log says the same: a ledger with every kind of entry holds,
// and whoever edits one of its rows, adds one or takes one away is found out, with the row named.
#include "service/audit/note.h"
#include "service/ledger/ledger_replay.h"
#include "tests/support/unit.h"
#include "tests/unit/store/store_case.h"
#include <sqlite3.h>

#define DAY 86400
#define SECOND_OPERATOR 9
#define LEFT 10 // a principal who is gone

typedef struct {
    store_case made;
    gw_hash root;
    uint64_t size;
} world;

// ---- a ledger with every kind of entry

static uint64_t run(world *it, gw_store_op op) {
    op = store_case_run(&it->made, op);
    if (op.result != GW_OK)
        fail_msg("%s: %s", gw_entry_kind_name(op.entry.kind), op.code);
    return op.seq;
}

static gw_store_op append(gw_entry_kind kind) {
    gw_store_op op = {.kind = GW_STORE_APPEND, .entry = {.kind = kind, .by = {.count = 1}}};
    fixture_id(FIXTURE_OWNER, op.entry.by.ids[0]);
    return op;
}

static void key_run(world *it, const char *action, const char *kind, int fill) {
    gw_store_op op = append(GW_ENTRY_KEY);
    uint8_t bytes[GW_PUBLIC_KEY_SIZE];
    memset(bytes, fill, sizeof(bytes));
    fixture_id(FIXTURE_RESEARCHER, op.entry.key.principal);
    snprintf(op.entry.key.action, sizeof(op.entry.key.action), "%s", action);
    snprintf(op.entry.key.key_kind, sizeof(op.entry.key.key_kind), "%s", kind);
    gw_hex((gw_bytes){.data = bytes, .size = sizeof(bytes)}, op.entry.key.key);
    if (strcmp(action, "add") == 0) {
        op.entry.key.not_before = FIXTURE_NOW;
        op.entry.key.not_after = FIXTURE_NOW + 365 * DAY;
    }
    run(it, op);
}

static void people_make(world *it) {
    run(it, fixture_principal(SECOND_OPERATOR, GW_ROLE_OPERATOR, FIXTURE_OWNER));
    run(it, fixture_principal(LEFT, GW_ROLE_RESEARCHER, FIXTURE_OWNER));
    gw_store_op op = fixture_principal(LEFT, 0, FIXTURE_OWNER);
    snprintf(op.entry.principal.action, sizeof(op.entry.principal.action), "revoke");
    run(it, op);
    op = fixture_principal(FIXTURE_RESEARCHER, GW_ROLE_RESEARCHER | GW_ROLE_AUDITOR, FIXTURE_OWNER);
    snprintf(op.entry.principal.action, sizeof(op.entry.principal.action), "grant");
    run(it, op);
    key_run(it, "add", "sign", 0x11);
    key_run(it, "add", "sign", 0x22);
    key_run(it, "add", "tls", 0x33);
    key_run(it, "revoke", "sign", 0x22);
}

static void release_make(world *it, uint64_t idem) {
    run(it, fixture_seal(run(it, fixture_reserve(&it->made.ledger, FIXTURE_RESEARCHER, idem, 50000)), "an answer"));
}

static void said(world *it, gw_entry_kind kind, const char *release) {
    gw_store_op op = append(kind);
    snprintf(kind == GW_ENTRY_EMBARGO ? op.entry.embargo.release : op.entry.withdraw.release, GW_RELEASE_ID_MAX, "%s",
             release);
    if (kind == GW_ENTRY_EMBARGO)
        op.entry.embargo.until = FIXTURE_NOW + 100 * DAY;
    run(it, op);
}

static void charges_make(world *it) {
    for (uint64_t idem = 1; idem <= 3; idem++)
        release_make(it, idem);
    said(it, GW_ENTRY_EMBARGO, "GW-2026-000001");
    said(it, GW_ENTRY_EMBARGO, "GW-2026-000002");
    said(it, GW_ENTRY_WITHDRAW, "GW-2026-000002"); // under an embargo before
    said(it, GW_ENTRY_WITHDRAW, "GW-2026-000003");
    gw_store_op op = fixture_reserve(&it->made.ledger, FIXTURE_OWNER, 4, 60000);
    op.entry.charge.delta = 1;
    run(it, fixture_abandon(run(it, op)));
    run(it, fixture_resume(run(it, fixture_reserve(&it->made.ledger, FIXTURE_OWNER, 5, 70000)))); // open
}

static void facts_make(world *it) {
    gw_store_op op = append(GW_ENTRY_REFUSALS);
    op.entry.by.count = 0;
    fixture_id(FIXTURE_RESEARCHER, op.entry.refusals.principal);
    op.entry.refusals.from = op.entry.refusals.to = FIXTURE_NOW - 1;
    snprintf(op.entry.refusals.counts, sizeof(op.entry.refusals.counts), "bad_question=2");
    run(it, op);
    op = append(GW_ENTRY_INCIDENT);
    snprintf(op.entry.incident.code, sizeof(op.entry.incident.code), "clock_wrong");
    run(it, op);
    op = append(GW_ENTRY_CLOCK);
    op.entry.clock.sure = FIXTURE_NOW;
    run(it, op);
    op = append(GW_ENTRY_WITNESSES);
    op.entry.witnesses.file = gw_sha256(gw_bytes_of("quorum none\n"));
    run(it, op);
    op = append(GW_ENTRY_KEYROT);
    gw_note_key key = {.name = ""};
    gw_secret_key *secret = fixture_key();
    uint8_t seed[GW_SEED_SIZE] = {0x43};
    assert_int_equal(gw_note_key_new(FIXTURE_ORIGIN, gw_key_public(secret), &key), GW_OK);
    gw_note_key_format(&key, op.entry.keyrot.old_key);
    gw_secret_key_free(secret);
    assert_int_equal(gw_key_from_seed(seed, &secret), GW_OK);
    assert_int_equal(gw_note_key_new(FIXTURE_ORIGIN, gw_key_public(secret), &key), GW_OK);
    gw_note_key_format(&key, op.entry.keyrot.new_key);
    gw_secret_key_free(secret);
    run(it, op);
}

static void restore_make(world *it) {
    gw_store_op op = append(GW_ENTRY_RESTORE);
    op.entry.restore.from = gw_store_size(it->made.store);
    op.entry.restore.lost = 2;
    op.entry.by.count = 2;
    fixture_id(SECOND_OPERATOR, op.entry.by.ids[1]);
    run(it, op);
}

static void history_make(world *it) {
    fixture_budget budget = {.total = 1000 * FIXTURE_EPSILON,
                             .principal_total = 500 * FIXTURE_EPSILON,
                             .window_days = 30,
                             .window_total = 100 * FIXTURE_EPSILON,
                             .population_total = 1000 * FIXTURE_EPSILON,
                             .population_window_days = 365,
                             .population_window_total = 200 * FIXTURE_EPSILON,
                             .question_max = FIXTURE_EPSILON,
                             .delta = 1000000000,
                             .selection_delta = 1000,
                             .population_delta = 1000000000,
                             .population_selection_delta = 1000};
    store_case_settle(&it->made, &budget);
    people_make(it);
    charges_make(it);
    facts_make(it);
    restore_make(it);
    budget.window_days = 7;
    fixture_rebudget(&it->made.ledger, &budget, store_case_submit, &it->made);
    gw_store_op op = fixture_population(&budget);
    snprintf(op.entry.population.population, GW_DATASET_MAX, "nso.example/firms");
    run(it, op);
    run(it, fixture_data(0xda7b));
    fixture_id(0xda7b, it->made.ledger.data);
    it->made.now += 10 * DAY;
    release_make(it, 6);
    run(it, fixture_reserve(&it->made.ledger, FIXTURE_RESEARCHER, 7, 80000)); // open
}

// ---- checks

static gw_status check(world *it, gw_problem *ret_problem) {
    gw_store_reader *reader = NULL;
    *ret_problem = (gw_problem){0};
    assert_int_equal(gw_store_reader_open(it->made.ledger.database, &reader, NULL), GW_OK);
    gw_status status = ledger_replay_check(reader, it->size, it->root, ret_problem);
    gw_store_reader_close(reader);
    return status;
}

static void assert_holds(world *it) {
    gw_problem problem;
    gw_status status = check(it, &problem);
    if (status != GW_OK)
        fail_msg("%s: %s %s", problem.code, problem.what, problem.why);
}

static void sql_run(sqlite3 *db, const char *sql) {
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static int trigger_drop(void *db, int count, char **values, char **names) {
    (void)count;
    (void)names;
    char sql[256];
    snprintf(sql, sizeof(sql), "DROP TRIGGER %s", values[0]);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

// As somebody with the file and a tool would do it: nothing that guards the tables guards them.
static sqlite3 *unguarded(const world *it) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(it->made.ledger.database, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "SELECT name FROM sqlite_master WHERE type = 'trigger'", trigger_drop, db, NULL),
                     SQLITE_OK);
    sql_run(db, "PRAGMA foreign_keys=OFF; PRAGMA ignore_check_constraints=ON");
    return db;
}

typedef struct {
    const char *sql;
    const char *named; // in the refusal
} edit;

// Every table that an edit touches is put back as it was.
static void assert_each_is_refused(world *it, const char *table, const edit *edits, size_t count) {
    sqlite3 *db = unguarded(it);
    char keep[128], back[256];
    snprintf(keep, sizeof(keep), "CREATE TABLE kept AS SELECT * FROM %s", table);
    snprintf(back, sizeof(back), "DELETE FROM %s; INSERT INTO %s SELECT * FROM kept; DROP TABLE kept", table, table);
    for (size_t i = 0; i < count; i++) {
        gw_problem problem;
        sql_run(db, keep);
        sql_run(db, edits[i].sql);
        if (sqlite3_changes(db) == 0)
            fail_msg("nothing is changed by %s", edits[i].sql);
        gw_status status = check(it, &problem);
        if (status != GW_CORRUPT || strcmp(problem.code, "ledger_tampered") != 0 ||
            strstr(problem.why, edits[i].named) == NULL)
            fail_msg("%s: %s %s: %s", edits[i].sql, gw_status_name(status), problem.code, problem.why);
        sql_run(db, back);
        assert_holds(it);
    }
    sqlite3_close(db);
}
#define REFUSED(it, table, edits) assert_each_is_refused(it, table, edits, sizeof(edits) / sizeof((edits)[0]))

static void a_ledger_with_every_kind_of_entry_holds(void **state) {
    assert_holds(*state);
}

static gw_status kind_note(void *state, uint64_t seq, gw_bytes bytes) {
    (void)seq;
    gw_entry entry;
    assert_int_equal(gw_entry_decode(bytes, &entry, NULL), GW_OK);
    ((bool *)state)[entry.kind] = true;
    return GW_OK;
}

static void it_has_every_kind_of_entry(void **state) {
    world *it = *state;
    bool kinds[GW_ENTRY_KINDS] = {false};
    assert_int_equal(gw_store_scan(it->made.reader, 0, INT64_MAX, kind_note, kinds), GW_OK);
    for (size_t i = 0; i < GW_ENTRY_KINDS; i++)
        assert_true(kinds[i]);
}

#define RESEARCHER "00000000000000000000000000000002"
#define GONE "0000000000000000000000000000000a"

static void edited_roles_are_named(void **state) {
    static const edit edits[] = {
        {"UPDATE principal SET roles = 10 WHERE id = x'" RESEARCHER "'", "Principal " RESEARCHER ": the roles"},
        {"UPDATE principal SET roles = 1 WHERE id = x'" GONE "'", "Principal " GONE ": the roles"}, // back again
        {"DELETE FROM principal WHERE id = x'" RESEARCHER "'", "Of principals there are 3"},
        {"INSERT INTO principal(id, roles) VALUES(x'0000000000000000000000000000000b', 2)", "no entry names them"},
    };
    REFUSED(*state, "principal", edits);
}

static void edited_keys_are_named(void **state) {
    static const edit edits[] = {
        {"UPDATE key SET revoked = 0 WHERE key LIKE '2222%'", "Key 2222"}, // obeyed again
        {"UPDATE key SET revoked = 1 WHERE key LIKE '1111%'", "it was not revoked"},
        {"UPDATE key SET not_before = 0 WHERE key LIKE '1111%'", "its times are others"},
        {"UPDATE key SET not_after = 0 WHERE key LIKE '1111%'", "its times are others"},
        {"UPDATE key SET principal = x'00000000000000000000000000000001' WHERE key LIKE '1111%'", "its owner"},
        {"UPDATE key SET kind = 'sign' WHERE key LIKE '3333%'", "kind or id is another"},
        {"UPDATE key SET id = '00000000' WHERE key LIKE '1111%'", "kind or id is another"},
        {"UPDATE key SET key = replace(key, '1', '4') WHERE key LIKE '1111%'", "Key 4444"},
        {"DELETE FROM key WHERE key LIKE '1111%'", "Of keys there are 2"},
    };
    REFUSED(*state, "key", edits);
}

static void another_policy_or_data_version_in_force_is_named(void **state) {
    static const edit edits[] = {
        {"UPDATE dataset SET policy = (SELECT min(seq) FROM policy)", "another policy is in force"},
        {"UPDATE dataset SET data = (SELECT min(seq) FROM data)", "another data version is in force"},
        {"UPDATE dataset SET data = NULL", "another data version is in force"},
        {"UPDATE dataset SET data = 1", "another data version is in force"}, // refers to nothing
        {"UPDATE dataset SET population = (SELECT id FROM population WHERE name LIKE '%firms')", "another population"},
        {"UPDATE dataset SET name = name || 's'", "has another dataset"},
        {"INSERT INTO dataset(name, population, policy) SELECT name || 's', population, policy FROM dataset",
         "Dataset nso.example/registers: no entry names it"},
    };
    REFUSED(*state, "dataset", edits);
}

static void edited_policies_are_named(void **state) {
    static const edit edits[] = {
        {"UPDATE policy SET text = CAST('{}' AS BLOB)", "Entry 4: the row of its policy"},
        {"UPDATE policy SET file = zeroblob(32)", "Entry 4: the row of its policy"},
        {"UPDATE policy SET version = 7 WHERE seq = 4", "Entry 4: the row of its policy"},
        {"UPDATE policy SET question_max = 0", "Entry 4: the row of its policy"},
        {"UPDATE policy SET question_min = 1", "Entry 4: the row of its policy"},
        {"UPDATE policy SET principal_total = 0", "Entry 4: the row of its policy"},
        {"UPDATE policy SET window_days = 1", "Entry 4: the row of its policy"},
        {"UPDATE policy SET window_total = window_total + 1", "Entry 4: the row of its policy"},
        {"UPDATE policy SET rho_total = rho_total + 1", "Entry 4: the row of its policy"},
        {"DELETE FROM policy WHERE seq = 4", "Of policies there are 1"},
    };
    REFUSED(*state, "policy", edits);
}

static void edited_versions_and_populations_are_named(void **state) {
    static const edit data[] = {
        {"UPDATE data SET version = zeroblob(16) WHERE seq = 5", "Entry 5: the row of its data"},
        {"UPDATE data SET time = time - 1 WHERE seq = 5", "Entry 5: the row of its data"},
        {"DELETE FROM data WHERE seq = 5", "Of data versions there are 1"},
    };
    static const edit populations[] = {
        {"UPDATE population SET total = total + 1 WHERE id = 1", "Population nso.example/residents: its budget"},
        {"UPDATE population SET window_days = 1 WHERE id = 1", "Population nso.example/residents: its budget"},
        {"UPDATE population SET window_total = 0 WHERE id = 1", "Population nso.example/residents: its budget"},
        {"UPDATE population SET selection_total = 1001 WHERE id = 1", "Population nso.example/residents: its budget"},
        {"UPDATE population SET rho_total = rho_total + 1 WHERE id = 1",
         "Population nso.example/residents: its budget"},
        {"DELETE FROM population WHERE id = 2", "Of populations there are 1"},
    };
    REFUSED(*state, "data", data);
    REFUSED(*state, "population", populations);
}

static void edited_charges_are_named(void **state) {
    static const edit edits[] = {
        {"UPDATE charge SET idem = zeroblob(16) WHERE cost = 70000", "has another request"}, // to be charged again
        {"UPDATE charge SET principal = zeroblob(16) WHERE cost = 70000", "has another principal"},
        {"UPDATE charge SET question = zeroblob(32) WHERE cost = 70000", "has another question"},
        {"UPDATE charge SET cost = cost - 1 WHERE cost = 70000", "has another cost"},
        {"UPDATE charge SET time = time - 1 WHERE cost = 70000", "has another time"},
        {"UPDATE charge SET dataset = 2 WHERE cost = 70000", "has another shape"},     // there is none
        {"UPDATE charge SET attempts = 1 WHERE cost = 70000", "could be drawn again"}, // open at a restore
        {"UPDATE charge SET attempts = 0 WHERE cost = 80000", "another number of attempts"},
        {"UPDATE charge SET attempts = 4 WHERE cost = 80000", "another number of attempts"},
        {"UPDATE charge SET state = 1 WHERE cost = 80000", "another outcome"},
        {"UPDATE charge SET state = 2 WHERE cost = 80000", "has an outcome, the log has none"},
        {"UPDATE charge SET state = 0 WHERE cost = 60000", "is not in that state"}, // to be drawn after all
        {"UPDATE charge SET state = 0 WHERE release = 'GW-2026-000001'", "another outcome"},
        {"UPDATE charge SET release = 'GW-2026-000001' WHERE cost = 80000", "another release id"}, // a second one
        {"UPDATE charge SET release = 'GW-2026-0000099' WHERE cost = 80000", "another release id"},
        {"UPDATE charge SET release = 'GW-2027-000009'" // the last that has an answer
         " WHERE seq = (SELECT max(charge) FROM release)",
         "is another one"},
        {"DELETE FROM charge WHERE cost = 80000", "the row of its charge is missing"},
        {"INSERT INTO charge SELECT 3, time, principal, zeroblob(16), dataset, question, salt, cost, state, attempts,"
         " release FROM charge WHERE cost = 80000",
         "Entry 3: there is a row of a charge"},
        {"INSERT INTO charge SELECT 9999, time, principal, zeroblob(16), dataset, question, salt, cost, state,"
         " attempts, release FROM charge WHERE cost = 80000",
         "a charge that no entry names: 9999"},
    };
    REFUSED(*state, "charge", edits);
}

static void edited_releases_are_named(void **state) {
    static const edit releases[] = {
        {"UPDATE release SET seq = 1 WHERE seq = (SELECT min(seq) FROM release)", "the row of its release"},
        {"UPDATE release SET visible = 0 WHERE seq = (SELECT min(seq) FROM release)", "the row of its release"},
        {"UPDATE release SET question = zeroblob(32) WHERE seq = (SELECT min(seq) FROM release)",
         "question of its release"},
        {"DELETE FROM release WHERE seq = (SELECT min(seq) FROM release)", "another outcome"},
    };
    static const edit states[] = {
        {"UPDATE release_state SET embargo = 0 WHERE withdrawn = 0", "Release GW-2026-000001: its embargo"},
        {"UPDATE release_state SET withdrawn = 0 WHERE embargo = 0", "Release GW-2026-000003: its embargo"},
        {"UPDATE release_state SET withdrawn = 1 WHERE withdrawn = 0", "Release GW-2026-000001: its embargo"},
        {"DELETE FROM release_state WHERE embargo = 0", "Of embargoes and withdrawals there are 2"},
        {"INSERT INTO release_state SELECT seq, 0, 1 FROM charge WHERE seq = (SELECT max(charge) FROM release)",
         "Release GW-2026-000008: its embargo"},
        {"INSERT INTO release_state VALUES(9999, 0, 1)", "Release : its embargo"}, // of a charge to come
    };
    REFUSED(*state, "release", releases);
    REFUSED(*state, "release_state", states);
}

static void edited_balances_are_named(void **state) {
    static const edit edits[] = {
        {"UPDATE budget SET spent = spent - 1 WHERE kind = 1", "The dataset budget of nso.example/register"},
        {"UPDATE budget SET spent = spent - 1 WHERE kind = 2", "The population budget of nso.example/residents"},
        {"UPDATE budget SET spent = spent - 1 WHERE kind = 3 AND principal = x'" RESEARCHER "'",
         "The principal budget of nso.example/register and principal " RESEARCHER},
        {"UPDATE budget SET spent = spent - 1 WHERE kind = 4", "The window budget of nso.example/register"},
        {"UPDATE budget SET spent = spent - 1 WHERE kind = 5", "The window budget of nso.example/residents"},
        {"UPDATE budget SET rho = rho - 1 WHERE kind = 1", "The dataset budget"},
        {"UPDATE budget SET selection = 0 WHERE kind = 2", "The population budget"},
        {"UPDATE budget SET days = days + 1 WHERE kind = 4", "The window budget"}, // nothing spent of the true one
        {"UPDATE budget SET window = window + 1 WHERE kind = 5", "The window budget"},
        {"UPDATE budget SET principal = zeroblob(16) WHERE kind = 3 AND principal = x'" RESEARCHER "'",
         "The principal budget"},
        {"DELETE FROM budget WHERE kind = 5", "Of budgets in use there are"},
    };
    REFUSED(*state, "budget", edits);
}

static void edited_restores_witnesses_and_log_keys_are_named(void **state) {
    static const edit restores[] = {
        {"UPDATE restore SET lost = lost + 1000", "the row of its restore"}, // an older copy would be taken
        {"DELETE FROM restore", "Of restores there are 0"},
    };
    static const edit growths[] = {
        {"UPDATE restore_growth SET micro = micro - 1 WHERE kind = 1", "spent of nso.example/register is another"},
        {"DELETE FROM restore_growth WHERE kind = 2", "Of amounts counted by restores there are 1"},
    };
    static const edit witnesses[] = {
        {"UPDATE witnesses SET file = zeroblob(32)", "the row of its witnesses"},
        {"INSERT INTO witnesses VALUES(9999, zeroblob(32))", "Entry 9999: the row of its witnesses"},
        {"DELETE FROM witnesses", "Of files of witnesses there are 0"},
    };
    static const edit keyrots[] = {
        {"UPDATE keyrot SET new_key = 'stats.example/ledger1+00000000+A'", "the row of its keyrot"},
        {"DELETE FROM keyrot", "Of replaced log keys there are 0"},
    };
    REFUSED(*state, "restore", restores);
    REFUSED(*state, "restore_growth", growths);
    REFUSED(*state, "witnesses", witnesses);
    REFUSED(*state, "keyrot", keyrots);
}

static int setup(void **state) {
    world *it = calloc(1, sizeof(*it));
    void *made = NULL;
    if (it == NULL || store_case_setup(&made) != 0)
        return -1;
    it->made = *(store_case *)made;
    free(made);
    history_make(it);
    it->size = gw_store_size(it->made.store);
    it->root = gw_store_root(it->made.store);
    *state = it;
    return 0;
}

static int teardown(void **state) {
    world *it = *state;
    gw_store_reader_close(it->made.reader);
    gw_store_close(it->made.store);
    fixture_remove(&it->made.ledger);
    free(it);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ledger_with_every_kind_of_entry_holds),
        cmocka_unit_test(it_has_every_kind_of_entry),
        cmocka_unit_test(edited_roles_are_named),
        cmocka_unit_test(edited_keys_are_named),
        cmocka_unit_test(another_policy_or_data_version_in_force_is_named),
        cmocka_unit_test(edited_policies_are_named),
        cmocka_unit_test(edited_versions_and_populations_are_named),
        cmocka_unit_test(edited_charges_are_named),
        cmocka_unit_test(edited_releases_are_named),
        cmocka_unit_test(edited_balances_are_named),
        cmocka_unit_test(edited_restores_witnesses_and_log_keys_are_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
