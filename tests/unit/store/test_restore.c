// SPDX-License-Identifier: Apache-2.0
// A ledger made again from its published entries, and one that came back without its last: nothing is given back, and
// the auditor's fold comes to the same balances by its own arithmetic.
#include "privacy/accounting/zcdp.h"
#include "service/ledger/ledger_replay.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"
#include "tests/unit/store/store_case.h"
#include <sqlite3.h>

#define DAY 86400

static gw_store_op signed_twice(store_case *made, uint64_t lost) {
    gw_store_op op = {.kind = GW_STORE_APPEND, .entry.kind = GW_ENTRY_RESTORE};
    op.entry.restore.from = gw_store_size(made->store);
    op.entry.restore.lost = lost;
    op.entry.by.count = 2;
    fixture_id(FIXTURE_OWNER, op.entry.by.ids[0]);
    fixture_id(9, op.entry.by.ids[1]);
    return op;
}

static void settle_with_two(store_case *made, const fixture_budget *budget) {
    store_case_settle(made, budget);
    assert_int_equal(store_case_run(made, fixture_principal(9, GW_ROLE_OPERATOR, FIXTURE_OWNER)).result, GW_OK);
}

// The balances of the tables are those that the fold gets from the entries alone.
static void fold_agrees(store_case *made) {
    gw_problem problem = {0};
    gw_status status =
        ledger_replay_check(made->reader, gw_store_size(made->store), gw_store_root(made->store), &problem);
    if (status != GW_OK)
        print_error("%s: %s %s\n", problem.code, problem.what, problem.why);
    assert_int_equal(status, GW_OK);
}

// ---- replay

typedef struct {
    gw_store *store;
    gw_status result; // of the first that is not taken
    char code[48];
    uint64_t stopped_at;
} replaying;

static gw_status replay_one(void *state, uint64_t seq, gw_bytes bytes) {
    replaying *run = state;
    gw_store_op op = {.kind = GW_STORE_REPLAY, .replayed = bytes}, *ops[] = {&op};
    if (seq == 0)
        return GW_OK; // the ledger is made with it
    assert_int_equal(gw_store_commit(run->store, ops, 1, 0), GW_OK);
    if (op.result == GW_OK)
        return GW_OK;
    run->result = op.result;
    run->stopped_at = seq;
    snprintf(run->code, sizeof(run->code), "%s", op.code);
    return GW_CORRUPT;
}

// A history with every way a charge can end, and a restore within.
static void history(store_case *made) {
    fixture_budget budget = fixture_budget_large;
    budget.window_days = 30;
    budget.window_total = 40 * FIXTURE_EPSILON;
    budget.question_max = FIXTURE_EPSILON;
    settle_with_two(made, &budget);
    gw_store_op first = store_case_reserve(made, 1, 50000);
    store_case_run(made, fixture_seal(first.seq, "the answer"));
    gw_store_op second = store_case_reserve(made, 2, 60000);
    store_case_run(made, fixture_resume(second.seq));
    store_case_run(made, fixture_abandon(second.seq));
    store_case_reserve(made, 3, 70000); // open
    made->now += 40 * DAY;
    store_case_run(made, signed_twice(made, 3));
    gw_store_op witnesses = {.kind = GW_STORE_APPEND, .entry = {.kind = GW_ENTRY_WITNESSES, .by = {.count = 1}}};
    fixture_id(FIXTURE_OWNER, witnesses.entry.by.ids[0]);
    witnesses.entry.witnesses.file = gw_sha256(gw_bytes_of("quorum none\n"));
    store_case_run(made, witnesses);
    budget.window_days = 7;
    fixture_rebudget(&made->ledger, &budget, store_case_submit, made);
    gw_store_op last = store_case_reserve(made, 4, 80000);
    store_case_run(made, fixture_seal(last.seq, "another answer"));
}

static void rows_of(const char *path, const char *sql, char text[16384]) {
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    size_t size = 0;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    text[0] = '\0';
    while (sqlite3_step(statement) == SQLITE_ROW)
        size += (size_t)snprintf(text + size, 16384 - size, "%s\n", (const char *)sqlite3_column_text(statement, 0));
    assert_true(size > 0);
    assert_true(size < 16384);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

// Everything but what no log says: salts, attempts, answers, texts.
static const char *const derived[] = {
    "SELECT seq || ' ' || time || hex(bytes) || hex(leaf) FROM entry WHERE seq < 8",
    "SELECT group_concat(hex(hash)) FROM node",
    "SELECT hex(id) || ' ' || roles FROM principal",
    "SELECT id || name || total || ' ' || window_days || ' ' || window_total FROM population",
    "SELECT seq || dataset || version || hex(file) || total || ' ' || question_max || ' ' || window_days FROM policy",
    "SELECT name || population || ' ' || policy || ' ' || data FROM dataset",
    "SELECT kind || ' ' || owner || hex(principal) || days || ' ' || window || ' ' || spent || ' ' || rho FROM budget",
    ("SELECT seq || ' ' || time || hex(principal) || hex(idem) || dataset || hex(question) || cost || ' ' || state || "
     "release FROM charge"),
    "SELECT charge || ' ' || seq || hex(question) || visible FROM release",
    "SELECT seq || ' ' || lost FROM restore",
    "SELECT seq || hex(file) FROM witnesses",
    "SELECT restore || ' ' || kind || ' ' || owner || ' ' || micro FROM restore_growth",
};

static void a_log_played_again_leads_to_the_same_tree_and_tables(void **state) {
    static char before[16384], after[16384];
    store_case *made = *state;
    ledger_fixture again;
    replaying run = {0};
    history(made);
    fixture_create(&again);
    assert_int_equal(gw_store_open(again.database, &run.store, NULL), GW_OK);
    assert_int_equal(gw_store_scan(made->reader, 0, UINT64_MAX, replay_one, &run), GW_OK);
    assert_int_equal(gw_store_size(run.store), gw_store_size(made->store));
    gw_hash root = gw_store_root(made->store), root_again = gw_store_root(run.store);
    assert_memory_equal(root.bytes, root_again.bytes, GW_HASH_SIZE);
    gw_store_close(run.store);
    for (size_t i = 0; i < sizeof(derived) / sizeof(derived[0]); i++) {
        rows_of(made->ledger.database, derived[i], before);
        rows_of(again.database, derived[i], after);
        assert_string_equal(after, before);
    }
    fixture_remove(&again);
}

static void a_log_goes_on_where_it_was_played_again(void **state) {
    store_case *made = *state;
    ledger_fixture again;
    replaying run = {0};
    history(made);
    gw_store_op there = store_case_reserve(made, 5, 90000);
    fixture_create(&again);
    assert_int_equal(gw_store_open(again.database, &run.store, NULL), GW_OK);
    assert_int_equal(gw_store_scan(made->reader, 0, there.seq, replay_one, &run), GW_OK);
    gw_store_op here = fixture_reserve(&made->ledger, FIXTURE_RESEARCHER, 5, 90000), *ops[] = {&here};
    assert_int_equal(gw_store_commit(run.store, ops, 1, made->now), GW_OK);
    assert_int_equal(here.result, GW_OK);
    assert_string_equal(here.release, there.release);
    gw_hash root = gw_store_root(made->store), root_again = gw_store_root(run.store);
    assert_memory_equal(root.bytes, root_again.bytes, GW_HASH_SIZE);
    gw_store_close(run.store);
    fixture_remove(&again);
}

typedef struct {
    replaying *run;
    uint64_t changed;
    char from, to; // the first such letter of that entry
} changing;

static gw_status replay_changed(void *state, uint64_t seq, gw_bytes bytes) {
    changing *change = state;
    char copy[4096];
    assert_true(bytes.size < sizeof(copy));
    memcpy(copy, bytes.data, bytes.size);
    if (seq == change->changed) {
        char *at = memchr(strstr(copy, "spent-dataset"), change->from, 40);
        assert_non_null(at);
        *at = change->to;
    }
    return replay_one(change->run, seq, (gw_bytes){(const uint8_t *)copy, bytes.size});
}

static void an_entry_that_does_not_follow_is_refused_without_a_trace(void **state) {
    store_case *made = *state;
    ledger_fixture again;
    replaying run = {0};
    history(made);
    fixture_create(&again);
    assert_int_equal(gw_store_open(again.database, &run.store, NULL), GW_OK);
    changing change = {.run = &run, .changed = 7, .from = '5', .to = '4'}; // what a charge says is spent
    assert_int_equal(gw_store_scan(made->reader, 0, UINT64_MAX, replay_changed, &change), GW_CORRUPT);
    assert_int_equal(run.stopped_at, 7);
    assert_string_equal(run.code, "log_differs");
    assert_int_equal(gw_store_size(run.store), 7);
    // Another place than its own: the one after.
    assert_int_equal(gw_store_scan(made->reader, 8, 9, replay_one, &run), GW_CORRUPT);
    assert_string_equal(run.code, "log_differs");
    assert_int_equal(gw_store_size(run.store), 7);
    // The true entry still follows.
    assert_int_equal(gw_store_scan(made->reader, 7, UINT64_MAX, replay_one, &run), GW_OK);
    gw_store_close(run.store);
    fixture_remove(&again);
}

static void what_no_log_says_is_lost_and_never_drawn_again(void **state) {
    store_case *made = *state;
    ledger_fixture again;
    replaying run = {0};
    gw_store_reader *reader = NULL;
    gw_store_charge charge;
    gw_buffer answer;
    char principal[GW_ID_HEX], idem[GW_ID_HEX];
    settle_with_two(made, &fixture_budget_large);
    gw_store_op sealed = store_case_reserve(made, 1, 50000), open = store_case_reserve(made, 2, 50000);
    store_case_run(made, fixture_seal(sealed.seq, "the answer"));
    assert_int_equal(gw_store_charge_by_seq(made->reader, sealed.seq, &charge), GW_OK);
    gw_hash question = charge.question;
    fixture_create(&again);
    assert_int_equal(gw_store_open(again.database, &run.store, NULL), GW_OK);
    assert_int_equal(gw_store_scan(made->reader, 0, UINT64_MAX, replay_one, &run), GW_OK);
    assert_int_equal(gw_store_reader_open(again.database, &reader, NULL), GW_OK);
    fixture_id(FIXTURE_RESEARCHER, principal);
    fixture_id(1, idem);
    assert_int_equal(gw_store_charge_by_idem(reader, principal, idem, &charge), GW_OK);
    assert_int_equal(charge.state, GW_CHARGE_SEALED);
    gw_buffer_init(&answer, 100);
    assert_int_equal(gw_store_answer(reader, sealed.seq, &answer), GW_UNAVAILABLE);
    assert_int_equal(gw_store_answer(reader, open.seq, &answer), GW_NOT_FOUND);
    gw_buffer_done(&answer);
    // Another request for the same question finds nothing, and is a charge of its own.
    assert_int_equal(gw_store_charge_by_question(reader, question, NULL, made->now, &charge), GW_NOT_FOUND);
    gw_store_op same_id = fixture_reserve(&made->ledger, FIXTURE_RESEARCHER, 1, 50000);
    gw_store_op resumed = fixture_resume(open.seq), *ops[] = {&same_id, &resumed};
    assert_int_equal(gw_store_commit(run.store, ops, 2, made->now), GW_OK);
    store_case_refused(same_id, GW_CONFLICT, "idem_exists");
    store_case_refused(resumed, GW_LIMIT, "attempts_spent");
    gw_store_reader_close(reader);
    gw_store_close(run.store);
    fixture_remove(&again);
}

static void an_empty_answer_is_no_answer(void **state) {
    store_case *made = *state;
    settle_with_two(made, &fixture_budget_large);
    gw_store_op charged = store_case_reserve(made, 1, 50000);
    store_case_refused(store_case_run(made, fixture_seal(charged.seq, "")), GW_INVALID, "bad_answer");
}

// ---- restores

static void a_restore_takes_two_signers_and_its_own_place(void **state) {
    store_case *made = *state;
    settle_with_two(made, &fixture_budget_large);
    gw_store_op op = signed_twice(made, 1);
    op.entry.by.count = 1;
    store_case_refused(store_case_run(made, op), GW_INVALID, "bad_signer");
    op = signed_twice(made, 1);
    memcpy(op.entry.by.ids[1], op.entry.by.ids[0], GW_ID_HEX);
    store_case_refused(store_case_run(made, op), GW_INVALID, "bad_signer");
    op = signed_twice(made, 1);
    fixture_id(FIXTURE_RESEARCHER, op.entry.by.ids[1]);
    store_case_refused(store_case_run(made, op), GW_INVALID, "bad_signer");
    op = signed_twice(made, 1);
    op.entry.restore.from--;
    store_case_refused(store_case_run(made, op), GW_CONFLICT, "log_differs");
    op = signed_twice(made, (uint64_t)INT64_MAX + 1);
    store_case_refused(store_case_run(made, op), GW_INVALID, "bad_amount");
    assert_int_equal(store_case_run(made, signed_twice(made, 1)).result, GW_OK);
}

static void without_lost_entries_nothing_is_added(void **state) {
    store_case *made = *state;
    settle_with_two(made, &fixture_budget_large);
    store_case_reserve(made, 1, 50000);
    assert_int_equal(store_case_run(made, signed_twice(made, 0)).result, GW_OK);
    for (size_t kind = 0; kind < 3; kind++)
        assert_int_equal(store_case_balance(made, kind).spent, 50000);
    fold_agrees(made);
}

static void each_lost_entry_counts_as_the_dearest_question_everywhere(void **state) {
    store_case *made = *state;
    fixture_budget budget = {.total = 10 * FIXTURE_EPSILON,
                             .principal_total = 4 * FIXTURE_EPSILON,
                             .window_days = 30,
                             .window_total = 5 * FIXTURE_EPSILON,
                             .population_total = 20 * FIXTURE_EPSILON,
                             .question_min = 10000,
                             .question_max = FIXTURE_EPSILON};
    settle_with_two(made, &budget);
    assert_int_equal(store_case_reserve(made, 1, FIXTURE_EPSILON).result, GW_OK);
    assert_int_equal(store_case_run(made, signed_twice(made, 6)).result, GW_OK);
    assert_int_equal(store_case_balance(made, 0).spent, 7 * FIXTURE_EPSILON); // dataset
    assert_int_equal(store_case_balance(made, 1).spent, 7 * FIXTURE_EPSILON); // population
    assert_int_equal(store_case_balance(made, 2).spent, 4 * FIXTURE_EPSILON); // asker: full
    assert_int_equal(store_case_balance(made, 3).spent, 5 * FIXTURE_EPSILON); // window: full
    store_case_refused(store_case_reserve(made, 2, 10000), GW_BUDGET, "budget_principal");
    // Whoever never asked may have: the operator, who is known, has as much less.
    assert_int_equal(store_case_run(made, fixture_reserve(&made->ledger, 9, 3, 10000)).result, GW_BUDGET);
    fold_agrees(made);
    assert_int_equal(store_case_run(made, signed_twice(made, 1000)).result, GW_OK);
    assert_int_equal(store_case_balance(made, 0).spent, 10 * FIXTURE_EPSILON);
    assert_int_equal(store_case_balance(made, 1).spent, 20 * FIXTURE_EPSILON);
    fold_agrees(made);
}

static void rho_and_the_deltas_of_selections_grow_too(void **state) {
    store_case *made = *state;
    fixture_budget budget = fixture_budget_large;
    budget.delta = budget.population_delta = 1000000000;
    budget.selection_delta = budget.population_selection_delta = 500;
    budget.question_max = FIXTURE_EPSILON / 10;
    settle_with_two(made, &budget);
    gw_store_balance before = store_case_balance(made, 0);
    assert_int_equal(store_case_run(made, signed_twice(made, 5)).result, GW_OK);
    gw_store_balance after = store_case_balance(made, 0);
    assert_int_equal(after.spent - before.spent, 5 * FIXTURE_EPSILON / 10);
    assert_int_equal(after.rho - before.rho, 5 * gw_rho_of((gw_epsilon){FIXTURE_EPSILON / 10}));
    assert_int_equal(after.selection, 500);
    fold_agrees(made);
}

static void a_window_made_later_counts_what_was_lost_in_it(void **state) {
    store_case *made = *state;
    fixture_budget budget = fixture_budget_large;
    budget.question_max = FIXTURE_EPSILON;
    settle_with_two(made, &budget); // without a window
    assert_int_equal(store_case_run(made, signed_twice(made, 2)).result, GW_OK);
    uint64_t lost = store_case_balance(made, 0).spent;
    assert_int_equal(lost, 2 * FIXTURE_EPSILON);
    budget.window_days = budget.population_window_days = 30;
    budget.window_total = budget.population_window_total = lost + 50000;
    fixture_rebudget(&made->ledger, &budget, store_case_submit, made);
    assert_int_equal(store_case_balance(made, 3).spent, lost);
    assert_int_equal(store_case_reserve(made, 1, 50000).result, GW_OK);
    store_case_refused(store_case_reserve(made, 2, 50000), GW_BUDGET, "budget_window");
    made->now += 31 * DAY; // the next window is free of it
    assert_int_equal(store_case_reserve(made, 3, 50000).result, GW_OK);
    fold_agrees(made);
}

static void a_charge_that_was_open_at_a_restore_is_never_answered(void **state) {
    store_case *made = *state;
    settle_with_two(made, &fixture_budget_large);
    gw_store_op charged = store_case_reserve(made, 1, 50000);
    assert_int_equal(store_case_run(made, signed_twice(made, 0)).result, GW_OK);
    store_case_refused(store_case_run(made, fixture_resume(charged.seq)), GW_LIMIT, "attempts_spent");
    store_case_refused(store_case_run(made, fixture_seal(charged.seq, "again")), GW_CONFLICT, "restored_since");
    assert_int_equal(store_case_run(made, fixture_abandon(charged.seq)).result, GW_OK);
}

static unsigned release_number(const char *id) {
    unsigned year, number;
    assert_int_equal(sscanf(id, "GW-%4u-%u", &year, &number), 2);
    return number;
}

// Somebody may hold the answer of a lost entry: its id is not another answer's, also after a new start.
static void a_release_id_that_a_lost_entry_may_have_given_is_given_to_nobody(void **state) {
    store_case *made = *state;
    fixture_budget budget = fixture_budget_large;
    budget.question_max = 60000;
    settle_with_two(made, &budget);
    gw_store_op before = store_case_reserve(made, 1, 50000);
    assert_int_equal(store_case_run(made, signed_twice(made, 3)).result, GW_OK);
    assert_int_equal(store_case_run(made, signed_twice(made, 2)).result, GW_OK);
    gw_store_close(made->store);
    assert_int_equal(gw_store_open(made->ledger.database, &made->store, NULL), GW_OK);
    gw_store_op after = store_case_reserve(made, 2, 50000);
    assert_int_equal(release_number(after.release), release_number(before.release) + 6);
    gw_store_op next = store_case_reserve(made, 3, 50000);
    assert_int_equal(release_number(next.release), release_number(after.release) + 1);
    assert_int_equal(store_case_run(made, signed_twice(made, 4)).result, GW_OK);
    gw_store_op last = store_case_reserve(made, 4, 50000); // without a new start
    assert_int_equal(release_number(last.release), release_number(next.release) + 5);
}

// Random lives of a ledger with restores in them: every entry is one that the fold takes, and all balances agree.
static void the_fold_comes_to_the_same_balances_after_any_history(void **state) {
    store_case *made = *state;
    seeded_random random = {.state = 5};
    uint64_t taken = 0, restores = 0, askers[] = {FIXTURE_OWNER, FIXTURE_RESEARCHER, 9};
    fixture_budget budget = fixture_budget_large;
    settle_with_two(made, &budget);
    for (unsigned i = 0; i < 600; i++) {
        uint64_t dice = seeded_next(&random) % 40;
        made->now += (int64_t)(seeded_next(&random) % DAY);
        if (dice == 0) {
            budget.total = (5 + seeded_next(&random) % 60) * FIXTURE_EPSILON;
            budget.principal_total = seeded_next(&random) % 3 * 20 * FIXTURE_EPSILON;
            budget.window_days = seeded_next(&random) % 3 * 15;
            budget.window_total = budget.window_days == 0 ? 0 : 10 * FIXTURE_EPSILON;
            budget.population_total = (50 + seeded_next(&random) % 60) * FIXTURE_EPSILON;
            budget.population_window_days = seeded_next(&random) % 2 * 20;
            budget.population_window_total = budget.population_window_days == 0 ? 0 : 20 * FIXTURE_EPSILON;
            budget.question_max = seeded_next(&random) % 4 == 0 ? 0 : 300000;
            budget.delta = seeded_next(&random) % 2 * 1000000000;
            budget.population_delta = seeded_next(&random) % 2 * 1000000000;
            budget.selection_delta = budget.population_selection_delta = seeded_next(&random) % 100;
            fixture_rebudget(&made->ledger, &budget, store_case_submit, made);
        } else if (dice == 1) {
            assert_int_equal(store_case_run(made, signed_twice(made, seeded_next(&random) % 6)).result, GW_OK);
            restores++;
        } else {
            gw_store_op op = fixture_reserve(&made->ledger, askers[dice % 3], 100 + i, 10000 + i * 300);
            op.entry.charge.delta = dice == 2 ? 1 : 0;
            taken += store_case_run(made, op).result == GW_OK;
        }
        if (i % 100 == 99)
            fold_agrees(made);
    }
    assert_true(taken > 50);
    assert_true(restores > 5);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, store_case_setup, store_case_teardown)

int main(void) {
    if (gw_crypto_init() != GW_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_log_played_again_leads_to_the_same_tree_and_tables),
        STORE_TEST(a_log_goes_on_where_it_was_played_again),
        STORE_TEST(an_entry_that_does_not_follow_is_refused_without_a_trace),
        STORE_TEST(what_no_log_says_is_lost_and_never_drawn_again),
        STORE_TEST(an_empty_answer_is_no_answer),
        STORE_TEST(a_restore_takes_two_signers_and_its_own_place),
        STORE_TEST(without_lost_entries_nothing_is_added),
        STORE_TEST(each_lost_entry_counts_as_the_dearest_question_everywhere),
        STORE_TEST(rho_and_the_deltas_of_selections_grow_too),
        STORE_TEST(a_window_made_later_counts_what_was_lost_in_it),
        STORE_TEST(a_charge_that_was_open_at_a_restore_is_never_answered),
        STORE_TEST(a_release_id_that_a_lost_entry_may_have_given_is_given_to_nobody),
        STORE_TEST(the_fold_comes_to_the_same_balances_after_any_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
