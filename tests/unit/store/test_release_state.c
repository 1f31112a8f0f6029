// SPDX-License-Identifier: Apache-2.0
// What owners say of releases: who sees one under an embargo, that a withdrawal is final, and what both are refused
// for. And counts of refusals, which are taken only of a time that is over.
#include "tests/unit/store/store_case.h"
#include "tests/support/unit.h"
#include <sqlite3.h>

#define FIRST "GW-2026-000001"

static gw_store_op said_of(gw_entry_kind kind, const char *release, int64_t until) {
    gw_store_op op = {.kind = GW_STORE_APPEND, .entry.kind = kind};
    bool is_embargo = kind == GW_ENTRY_EMBARGO;
    snprintf(is_embargo ? op.entry.embargo.release : op.entry.withdraw.release, GW_RELEASE_ID_MAX, "%s", release);
    if (is_embargo)
        op.entry.embargo.until = until;
    op.entry.by.count = 1;
    fixture_id(FIXTURE_OWNER, op.entry.by.ids[0]);
    return op;
}

// One release of the researcher's; its charge.
static gw_store_charge released(store_case *made) {
    store_case_settle(made, &fixture_budget_large);
    gw_store_op op = store_case_reserve(made, 1, 50000);
    assert_int_equal(op.result, GW_OK);
    assert_int_equal(store_case_run(made, fixture_seal(op.seq, "the answer")).result, GW_OK);
    gw_store_charge charge;
    assert_int_equal(gw_store_charge_by_seq(made->reader, op.seq, &charge), GW_OK);
    assert_string_equal(charge.release, FIRST);
    assert_int_equal(charge.embargo, 0);
    assert_false(charge.is_withdrawn);
    return charge;
}

static bool is_seen(store_case *made, const gw_store_charge *charge, unsigned who, int64_t now) {
    gw_store_charge found;
    char id[GW_ID_HEX];
    fixture_id(who, id);
    gw_status status = gw_store_charge_by_question(made->reader, charge->question, who == 0 ? NULL : id, now, &found);
    assert_true(status == GW_OK || status == GW_NOT_FOUND);
    return status == GW_OK;
}

static void under_an_embargo_only_who_paid_sees_it(void **state) {
    store_case *made = *state;
    gw_store_charge charge = released(made);
    int64_t until = made->now + 100;
    assert_true(is_seen(made, &charge, FIXTURE_OWNER, made->now));
    assert_int_equal(store_case_run(made, said_of(GW_ENTRY_EMBARGO, FIRST, until)).result, GW_OK);
    assert_true(is_seen(made, &charge, FIXTURE_RESEARCHER, made->now));
    for (unsigned who = 0; who < 2; who++) { // a visitor, and the owner
        assert_false(is_seen(made, &charge, who, made->now));
        assert_false(is_seen(made, &charge, who, until - 1));
        assert_true(is_seen(made, &charge, who, until));
    }
    assert_int_equal(store_case_run(made, said_of(GW_ENTRY_EMBARGO, FIRST, until + 50)).result, GW_OK); // moved
    assert_false(is_seen(made, &charge, 0, until));
    assert_int_equal(store_case_run(made, said_of(GW_ENTRY_EMBARGO, FIRST, 0)).result, GW_OK); // lifted
    assert_true(is_seen(made, &charge, 0, made->now));
}

static void withdrawn_is_seen_by_nobody_and_for_good(void **state) {
    store_case *made = *state;
    gw_store_charge charge = released(made);
    assert_int_equal(store_case_run(made, said_of(GW_ENTRY_EMBARGO, FIRST, made->now + 9)).result, GW_OK);
    assert_int_equal(store_case_run(made, said_of(GW_ENTRY_WITHDRAW, FIRST, 0)).result, GW_OK);
    for (unsigned who = 0; who <= FIXTURE_RESEARCHER; who++)
        assert_false(is_seen(made, &charge, who, made->now + 100));
    assert_int_equal(gw_store_charge_by_seq(made->reader, charge.seq, &charge), GW_OK);
    assert_true(charge.is_withdrawn);
    assert_int_equal(charge.embargo, made->now + 9);
    store_case_refused(store_case_run(made, said_of(GW_ENTRY_WITHDRAW, FIRST, 0)), GW_CONFLICT, "release_withdrawn");
    store_case_refused(store_case_run(made, said_of(GW_ENTRY_EMBARGO, FIRST, 0)), GW_CONFLICT, "release_withdrawn");
    sqlite3 *db = NULL; // nor by hand
    assert_int_equal(sqlite3_open(made->ledger.database, &db), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(db, "UPDATE release_state SET withdrawn = 0", NULL, NULL, NULL), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(db, "DELETE FROM release_state", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void what_was_not_released_cannot_be_kept_or_taken_back(void **state) {
    store_case *made = *state;
    gw_store_charge charge = released(made);
    (void)charge;
    assert_int_equal(store_case_reserve(made, 2, 50000).result, GW_OK); // charged, and not answered
    static const char *const others[] = {"GW-2026-000002", "GW-2026-000003", "nonsense"};
    for (size_t i = 0; i < 3; i++) {
        store_case_refused(store_case_run(made, said_of(GW_ENTRY_EMBARGO, others[i], 5)), GW_NOT_FOUND,
                           "unknown_release");
        store_case_refused(store_case_run(made, said_of(GW_ENTRY_WITHDRAW, others[i], 0)), GW_NOT_FOUND,
                           "unknown_release");
    }
    gw_store_op op = said_of(GW_ENTRY_WITHDRAW, FIRST, 0);
    fixture_id(FIXTURE_RESEARCHER, op.entry.by.ids[0]);
    store_case_refused(store_case_run(made, op), GW_INVALID, "bad_signer");
}

typedef struct {
    int64_t embargo;
    bool is_withdrawn;
    size_t count;
} history_last;

static void history_row(void *state, const gw_store_history_row *row) {
    *(history_last *)state = (history_last){row->embargo, row->is_withdrawn, ((history_last *)state)->count + 1};
}

static void history_tells_both(void **state) {
    store_case *made = *state;
    (void)released(made);
    assert_int_equal(store_case_run(made, said_of(GW_ENTRY_EMBARGO, FIRST, 77)).result, GW_OK);
    history_last last = {0};
    assert_int_equal(gw_store_history(made->reader, NULL, NULL, 10, history_row, &last), GW_OK);
    assert_int_equal(last.count, 1);
    assert_int_equal(last.embargo, 77);
    assert_false(last.is_withdrawn);
    assert_int_equal(store_case_run(made, said_of(GW_ENTRY_WITHDRAW, FIRST, 0)).result, GW_OK);
    assert_int_equal(gw_store_history(made->reader, NULL, NULL, 10, history_row, &last), GW_OK);
    assert_true(last.is_withdrawn);
}

static gw_store_op refusals(const char *counts, unsigned who, int64_t from, int64_t to) {
    gw_store_op op = {.kind = GW_STORE_APPEND, .entry.kind = GW_ENTRY_REFUSALS};
    fixture_id(who, op.entry.refusals.principal);
    op.entry.refusals.from = from;
    op.entry.refusals.to = to;
    snprintf(op.entry.refusals.counts, sizeof op.entry.refusals.counts, "%s", counts);
    return op;
}

static void counts_have_one_spelling_and_a_time_that_is_over(void **state) {
    store_case *made = *state;
    static const char *const wrong[] = {"",
                                        "a",
                                        "a=",
                                        "a=0",
                                        "a=01",
                                        "=1",
                                        "a=1 ",
                                        " a=1",
                                        "a=1  b=1",
                                        "b=1 a=1",
                                        "a=1 a=1",
                                        "a=1=1",
                                        "A=1",
                                        "a-b=1",
                                        "a=1,b=1",
                                        "a=-1",
                                        "a=1 b",
                                        "a b=1",
                                        "a=18446744073709551616",
                                        "ab=1 a=2"};
    store_case_settle(made, &fixture_budget_large);
    int64_t now = made->now;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        store_case_refused(store_case_run(made, refusals(wrong[i], FIXTURE_RESEARCHER, now, now)), GW_INVALID,
                           "bad_entry");
    static const char *const right[] = {"a=1", "a=1 ab=2 b_2=18446744073709551615"};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(store_case_run(made, refusals(right[i], FIXTURE_RESEARCHER, now - 5, now)).result, GW_OK);
    store_case_refused(store_case_run(made, refusals("a=1", FIXTURE_RESEARCHER, now, now + 1)), GW_INVALID, "bad_time");
    store_case_refused(store_case_run(made, refusals("a=1", FIXTURE_RESEARCHER, now, now - 1)), GW_INVALID, "bad_time");
    store_case_refused(store_case_run(made, refusals("a=1", 77, now, now)), GW_NOT_FOUND, "unknown_principal");
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, store_case_setup, store_case_teardown)
    const struct CMUnitTest tests[] = {
        CASE(under_an_embargo_only_who_paid_sees_it),
        CASE(withdrawn_is_seen_by_nobody_and_for_good),
        CASE(what_was_not_released_cannot_be_kept_or_taken_back),
        CASE(history_tells_both),
        CASE(counts_have_one_spelling_and_a_time_that_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
