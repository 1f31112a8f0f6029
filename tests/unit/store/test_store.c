// SPDX-License-Identifier: Apache-2.0
// The store's operations, and what it refuses. Each test has a ledger of its own; raw SQL only where a test plays
// vandal.
#include "tests/unit/store/store_case.h"
#include "tests/support/unit.h"
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define DAY 86400

static void a_ledger_is_made_once(void **state) {
    store_case *made = *state;
    gw_entry genesis = fixture_genesis();
    gw_problem problem = {0};
    assert_int_equal(gw_store_create(made->ledger.database, &genesis, &problem), GW_CONFLICT);
    assert_string_equal(problem.code, "store_exists");
    char origin[128], key[256];
    assert_int_equal(gw_store_origin(made->reader, origin, key), GW_OK);
    assert_string_equal(origin, FIXTURE_ORIGIN);
    assert_string_equal(key, genesis.genesis.log_key);
    assert_int_equal(gw_store_size(made->store), 1);
}

static void a_question_is_charged_sealed_and_recalled(void **state) {
    store_case *made = *state;
    store_case_settle(made, &fixture_budget_large);
    gw_store_op op = store_case_reserve(made, 1, 50000);
    assert_int_equal(op.result, GW_OK);
    assert_string_equal(op.release, "GW-2026-000001");
    uint64_t seq = op.seq;
    gw_store_charge charge;
    char principal[GW_ID_HEX], idem[GW_ID_HEX];
    fixture_id(FIXTURE_RESEARCHER, principal);
    fixture_id(1, idem);
    assert_int_equal(gw_store_charge_by_idem(made->reader, principal, idem, &charge), GW_OK);
    assert_int_equal(charge.state, GW_CHARGE_RESERVED);
    assert_int_equal(charge.attempts, 1);
    assert_int_equal(charge.cost, 50000);
    assert_true(charge.release_seq == GW_NO_SEQ);
    assert_int_equal(gw_store_charge_by_question(made->reader, charge.question, NULL, made->now, &charge),
                     GW_NOT_FOUND);
    op = fixture_seal(seq, "the answer");
    op.entry.release.visible = made->now + 10;
    op = store_case_run(made, op);
    assert_int_equal(op.result, GW_OK);
    assert_string_equal(op.release, "GW-2026-000001");
    assert_int_equal(gw_store_charge_by_question(made->reader, charge.question, NULL, made->now, &charge),
                     GW_NOT_FOUND);
    assert_int_equal(gw_store_charge_by_question(made->reader, charge.question, NULL, made->now + 10, &charge), GW_OK);
    assert_int_equal(charge.state, GW_CHARGE_SEALED);
    assert_int_equal(charge.release_seq, op.seq);
    gw_buffer answer;
    gw_buffer_init(&answer, 100);
    assert_int_equal(gw_store_answer(made->reader, seq, &answer), GW_OK);
    assert_string_equal(gw_buffer_string(&answer), "the answer");
    gw_buffer_done(&answer);
}

static void the_same_request_id_is_charged_once(void **state) {
    store_case *made = *state;
    store_case_settle(made, &fixture_budget_large);
    gw_store_op first = store_case_reserve(made, 1, 5), second = store_case_reserve(made, 1, 7);
    store_case_refused(second, GW_CONFLICT, "idem_exists");
    assert_int_equal(second.seq, first.seq); // where to look
    assert_int_equal(store_case_balance(made, 0).spent, 5);
    gw_store_op other = fixture_reserve(&made->ledger, FIXTURE_OWNER, 1, 5); // another principal's id is another id
    assert_int_equal(store_case_run(made, other).result, GW_OK);
    // Twice within one batch as well.
    gw_store_op a = fixture_reserve(&made->ledger, FIXTURE_RESEARCHER, 2, 5), b = a;
    gw_store_op *ops[] = {&a, &b};
    assert_int_equal(gw_store_commit(made->store, ops, 2, made->now), GW_OK);
    assert_int_equal(a.result, GW_OK);
    store_case_refused(b, GW_CONFLICT, "idem_exists");
    assert_int_equal(store_case_balance(made, 0).spent, 15);
}

static void ten_tenths_are_one_and_the_eleventh_is_refused(void **state) {
    store_case *made = *state;
    fixture_budget budget = fixture_budget_large;
    budget.total = FIXTURE_EPSILON;
    store_case_settle(made, &budget);
    for (uint64_t i = 0; i < 10; i++)
        assert_int_equal(store_case_reserve(made, i, 100000).result, GW_OK);
    gw_store_op op = store_case_reserve(made, 10, 1);
    store_case_refused(op, GW_BUDGET, "budget_dataset");
    assert_int_equal(op.budget, GW_BUDGET_DATASET);
    assert_int_equal(op.remaining, 0);
    assert_int_equal(store_case_balance(made, 0).spent, FIXTURE_EPSILON);
}

typedef struct {
    fixture_budget budget;
    gw_budget_kind kind;
    const char *code;
} short_budget;

static void reserve_refuses_when_any_budget_is_short(void **state) {
    store_case *made = *state;
    uint64_t large = 1000 * FIXTURE_EPSILON;
    const short_budget cases[] = {
        {{.total = 150, .population_total = large}, GW_BUDGET_DATASET, "budget_dataset"},
        {{.total = large, .population_total = 150}, GW_BUDGET_POPULATION, "budget_population"},
        {{.total = large, .population_total = large, .principal_total = 150}, GW_BUDGET_PRINCIPAL, "budget_principal"},
        {{.total = large, .population_total = large, .window_days = 30, .window_total = 150},
         GW_BUDGET_WINDOW,
         "budget_window"},
        {{.total = large, .population_total = large, .population_window_days = 30, .population_window_total = 150},
         GW_BUDGET_WINDOW,
         "budget_window"},
        {{.total = 160, .population_total = 155, .principal_total = 150}, GW_BUDGET_PRINCIPAL, "budget_principal"},
    };
    uint64_t idem = 0;
    store_case_settle(made, &fixture_budget_large);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_budget budget = cases[i].budget;
        uint64_t spent = 100 * i; // all of it by one principal, in one window
        budget.total += spent;
        budget.population_total += spent;
        budget.principal_total += budget.principal_total == 0 ? 0 : spent;
        budget.window_total += spent;
        budget.population_window_total += spent;
        fixture_rebudget(&made->ledger, &budget, store_case_submit, made);
        assert_int_equal(store_case_reserve(made, idem++, 100).result, GW_OK);
        gw_store_op op = store_case_reserve(made, idem++, 51);
        store_case_refused(op, GW_BUDGET, cases[i].code);
        assert_int_equal(op.budget, cases[i].kind);
        assert_int_equal(op.remaining, 50);
        assert_int_equal(op.renews == 0, op.budget != GW_BUDGET_WINDOW);
        assert_int_equal(store_case_balance(made, 0).spent, spent + 100); // nothing changed
    }
}

static void a_window_renews_and_never_goes_back(void **state) {
    store_case *made = *state;
    fixture_budget budget = fixture_budget_large;
    budget.window_days = 30;
    budget.window_total = 100;
    store_case_settle(made, &budget);
    assert_int_equal(store_case_reserve(made, 1, 100).result, GW_OK);
    gw_store_op op = store_case_reserve(made, 2, 1);
    store_case_refused(op, GW_BUDGET, "budget_window");
    assert_true(op.renews > made->now);
    assert_true(op.renews <= made->now + 30 * DAY);
    assert_int_equal(op.renews % (30 * DAY), 0);
    made->now = op.renews - 1;
    store_case_refused(store_case_reserve(made, 2, 1), GW_BUDGET, "budget_window");
    made->now++;
    assert_int_equal(store_case_balance(made, 3).spent, 0);
    assert_int_equal(store_case_reserve(made, 2, 50).result, GW_OK);
    int64_t newest = made->now;
    made->now -= 20 * DAY; // a clock set back neither opens another window nor writes an older time
    store_case_refused(store_case_reserve(made, 3, 51), GW_BUDGET, "budget_window");
    op = store_case_reserve(made, 3, 50);
    assert_int_equal(op.result, GW_OK);
    assert_int_equal(op.entry.time, newest);
    assert_int_equal(store_case_balance(made, 3).spent, 100);
}

static void changing_a_windows_length_forgets_nothing(void **state) {
    store_case *made = *state;
    fixture_budget budget = fixture_budget_large;
    budget.window_days = 30;
    budget.window_total = 1000;
    store_case_settle(made, &budget);
    assert_int_equal(store_case_reserve(made, 1, 60).result, GW_OK);
    budget.window_days = 10;
    fixture_rebudget(&made->ledger, &budget, store_case_submit, made);
    assert_int_equal(store_case_balance(made, 3).spent, 60);
    assert_int_equal(store_case_reserve(made, 2, 30).result, GW_OK);
    budget.window_days = 30;
    fixture_rebudget(&made->ledger, &budget, store_case_submit, made);
    assert_int_equal(store_case_balance(made, 3).spent, 90);
    gw_store_op op = store_case_reserve(made, 3, 1);
    assert_int_equal(op.entry.charge.spent_window, 91);
}

static void a_lowered_total_freezes_the_budget(void **state) {
    store_case *made = *state;
    store_case_settle(made, &fixture_budget_large);
    assert_int_equal(store_case_reserve(made, 1, 500).result, GW_OK);
    fixture_budget budget = fixture_budget_large;
    budget.total = 400;
    fixture_rebudget(&made->ledger, &budget, store_case_submit, made);
    gw_store_op op = store_case_reserve(made, 2, 1);
    store_case_refused(op, GW_BUDGET, "budget_dataset");
    assert_int_equal(op.remaining, 0);
    budget.total = 501;
    fixture_rebudget(&made->ledger, &budget, store_case_submit, made);
    assert_int_equal(store_case_reserve(made, 2, 1).result, GW_OK);
    store_case_refused(store_case_reserve(made, 3, 1), GW_BUDGET, "budget_dataset");
}

static void the_largest_amounts_neither_wrap_nor_turn_real(void **state) {
    store_case *made = *state;
    fixture_budget budget = {.total = INT64_MAX, .population_total = INT64_MAX};
    store_case_settle(made, &budget);
    assert_int_equal(store_case_reserve(made, 1, INT64_MAX - 1).result, GW_OK);
    store_case_refused(store_case_reserve(made, 2, 2), GW_BUDGET, "budget_dataset");
    store_case_refused(store_case_reserve(made, 2, INT64_MAX), GW_BUDGET, "budget_dataset");
    store_case_refused(store_case_reserve(made, 2, UINT64_MAX), GW_INVALID, "bad_cost");
    store_case_refused(store_case_reserve(made, 2, 0), GW_INVALID, "bad_cost");
    assert_int_equal(store_case_reserve(made, 2, 1).result, GW_OK);
    assert_true(store_case_balance(made, 0).spent == INT64_MAX);
    budget.total = (uint64_t)INT64_MAX + 1;
    store_case_refused(store_case_run(made, fixture_policy(&made->ledger, &budget)), GW_INVALID, "bad_amount");
}

static void spending_belongs_to_the_dataset_not_to_a_policy(void **state) {
    store_case *made = *state;
    fixture_budget budget = fixture_budget_large;
    budget.total = 100;
    store_case_settle(made, &budget);
    assert_int_equal(store_case_reserve(made, 1, 100).result, GW_OK);
    fixture_rebudget(&made->ledger, &budget, store_case_submit, made);
    store_case_refused(store_case_reserve(made, 2, 1), GW_BUDGET, "budget_dataset");
    gw_store_op op = fixture_population(&budget);
    snprintf(op.entry.population.population, GW_DATASET_MAX, "others");
    assert_int_equal(store_case_run(made, op).result, GW_OK);
    op = fixture_policy(&made->ledger, &budget);
    snprintf(op.entry.policy.population, GW_DATASET_MAX, "others");
    store_case_refused(store_case_run(made, op), GW_CONFLICT, "population_changed");
}

static void a_superseded_policy_or_version_is_refused(void **state) {
    store_case *made = *state;
    store_case_settle(made, &fixture_budget_large);
    gw_store_op op = fixture_reserve(&made->ledger, FIXTURE_RESEARCHER, 1, 1);
    op.entry.charge.policy--;
    store_case_refused(store_case_run(made, op), GW_INVALID, "policy_superseded");
    op = fixture_reserve(&made->ledger, FIXTURE_RESEARCHER, 1, 1);
    fixture_id(9, op.entry.charge.data);
    store_case_refused(store_case_run(made, op), GW_INVALID, "data_superseded");
    op = fixture_reserve(&made->ledger, 99, 1, 1);
    store_case_refused(store_case_run(made, op), GW_INVALID, "unknown_principal");
    op = fixture_reserve(&made->ledger, FIXTURE_RESEARCHER, 1, 1);
    snprintf(op.entry.charge.dataset, GW_DATASET_MAX, "nso.example/Register"); // a look-alike
    store_case_refused(store_case_run(made, op), GW_INVALID, "unknown_dataset");
    op = fixture_reserve(&made->ledger, FIXTURE_RESEARCHER, 1, 1);
    op.entry.charge.idem[0] = 'X';
    store_case_refused(store_case_run(made, op), GW_INVALID, "bad_entry");
    op = fixture_reserve(&made->ledger, FIXTURE_RESEARCHER, 1, 1);
    op.question_text = gw_bytes_of("another question");
    store_case_refused(store_case_run(made, op), GW_INVALID, "bad_question");
    assert_int_equal(store_case_balance(made, 0).spent, 0);
}

static void policy_bounds_hold_for_each_question(void **state) {
    store_case *made = *state;
    fixture_budget budget = fixture_budget_large;
    budget.question_min = 10;
    budget.question_max = 20;
    store_case_settle(made, &budget);
    store_case_refused(store_case_reserve(made, 1, 9), GW_INVALID, "bad_cost");
    store_case_refused(store_case_reserve(made, 1, 21), GW_INVALID, "bad_cost");
    assert_int_equal(store_case_reserve(made, 1, 20).result, GW_OK);
}

static void a_charge_ends_once(void **state) {
    store_case *made = *state;
    store_case_settle(made, &fixture_budget_large);
    uint64_t one = store_case_reserve(made, 1, 1).seq, two = store_case_reserve(made, 2, 1).seq;
    assert_int_equal(store_case_run(made, fixture_seal(one, "first")).result, GW_OK);
    store_case_refused(store_case_run(made, fixture_seal(one, "second")), GW_CONFLICT, "already_sealed");
    store_case_refused(store_case_run(made, fixture_abandon(one)), GW_CONFLICT, "already_sealed");
    store_case_refused(store_case_run(made, fixture_resume(one)), GW_CONFLICT, "already_sealed");
    gw_buffer answer;
    gw_buffer_init(&answer, 100);
    assert_int_equal(gw_store_answer(made->reader, one, &answer), GW_OK);
    assert_string_equal(gw_buffer_string(&answer), "first");
    gw_buffer_done(&answer);
    assert_int_equal(store_case_run(made, fixture_abandon(two)).result, GW_OK);
    store_case_refused(store_case_run(made, fixture_seal(two, "late")), GW_CONFLICT, "already_abandoned");
    store_case_refused(store_case_run(made, fixture_abandon(two)), GW_CONFLICT, "already_abandoned");
    store_case_refused(store_case_run(made, fixture_seal(1, "x")), GW_NOT_FOUND, "unknown_charge");
    store_case_refused(store_case_run(made, fixture_seal(UINT64_MAX, "x")), GW_NOT_FOUND, "unknown_charge");
    assert_int_equal(store_case_balance(made, 0).spent, 2); // abandoned stays spent
}

static void an_answer_must_have_its_hash(void **state) {
    store_case *made = *state;
    store_case_settle(made, &fixture_budget_large);
    gw_store_op op = fixture_seal(store_case_reserve(made, 1, 1).seq, "answer");
    op.entry.release.answer.bytes[0] ^= 1;
    store_case_refused(store_case_run(made, op), GW_INVALID, "bad_answer");
}

static void a_charge_is_resumed_at_most_twice(void **state) {
    store_case *made = *state;
    store_case_settle(made, &fixture_budget_large);
    uint64_t seq = store_case_reserve(made, 1, 1).seq;
    gw_store_charge charge;
    for (unsigned attempt = 2; attempt <= 3; attempt++) {
        assert_int_equal(store_case_run(made, fixture_resume(seq)).result, GW_OK);
        assert_int_equal(gw_store_charge_by_seq(made->reader, seq, &charge), GW_OK);
        assert_int_equal(charge.attempts, attempt);
    }
    store_case_refused(store_case_run(made, fixture_resume(seq)), GW_LIMIT, "attempts_spent");
    assert_int_equal(store_case_run(made, fixture_seal(seq, "after all")).result, GW_OK);
}

static void release_ids_count_within_their_year(void **state) {
    store_case *made = *state;
    store_case_settle(made, &fixture_budget_large);
    assert_string_equal(store_case_reserve(made, 1, 1).release, "GW-2026-000001");
    assert_string_equal(store_case_reserve(made, 2, 1).release, "GW-2026-000002");
    gw_store_close(made->store);
    made->store = NULL;
    assert_int_equal(gw_store_open(made->ledger.database, &made->store, NULL), GW_OK);
    assert_string_equal(store_case_reserve(made, 3, 1).release, "GW-2026-000003");
    made->now += 366 * DAY;
    assert_string_equal(store_case_reserve(made, 4, 1).release, "GW-2027-000001");
}

static void a_refusal_in_a_batch_leaves_the_others_alone(void **state) {
    store_case *made = *state;
    fixture_budget budget = fixture_budget_large;
    budget.total = 10;
    store_case_settle(made, &budget);
    gw_store_op list[6];
    gw_store_op *ops[6];
    uint64_t costs[6] = {4, 7, 0, 4, 2, 1}; // 4 fits, 7 not, 0 never, 4 fits, 2 fits, 1 not
    for (size_t i = 0; i < 6; i++) {
        list[i] = fixture_reserve(&made->ledger, FIXTURE_RESEARCHER, i, costs[i]);
        ops[i] = &list[i];
    }
    assert_int_equal(gw_store_commit(made->store, ops, 6, made->now), GW_OK);
    const gw_status expected[6] = {GW_OK, GW_BUDGET, GW_INVALID, GW_OK, GW_OK, GW_BUDGET};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(list[i].result, expected[i]);
    assert_int_equal(store_case_balance(made, 0).spent, 10);
    assert_int_equal(list[1].remaining, 6);
}

static void only_owners_and_operators_sign(void **state) {
    store_case *made = *state;
    store_case_refused(store_case_run(made, fixture_principal(1, GW_ROLE_RESEARCHER, 1)), GW_INVALID, "bad_signer");
    store_case_settle(made, &fixture_budget_large);
    store_case_refused(store_case_run(made, fixture_principal(3, GW_ROLE_OWNER, 3)), GW_INVALID,
                       "bad_signer"); // only directly after genesis
    store_case_refused(store_case_run(made, fixture_principal(3, GW_ROLE_OWNER, FIXTURE_RESEARCHER)), GW_INVALID,
                       "bad_signer");
    store_case_refused(store_case_run(made, fixture_principal(FIXTURE_RESEARCHER, GW_ROLE_OWNER, 1)), GW_CONFLICT,
                       "principal_exists");
    gw_store_op op = fixture_principal(3, GW_ROLE_OPERATOR, 1);
    op.entry.by.count = 2;
    fixture_id(1, op.entry.by.ids[1]);
    store_case_refused(store_case_run(made, op), GW_INVALID, "bad_signer"); // one signer twice
    assert_int_equal(store_case_run(made, fixture_principal(3, GW_ROLE_OPERATOR, 1)).result, GW_OK);
    op = fixture_principal(4, GW_ROLE_AUDITOR, 1);
    op.entry.by.count = 2;
    fixture_id(3, op.entry.by.ids[1]);
    assert_int_equal(store_case_run(made, op).result, GW_OK);
    op = fixture_principal(3, 0, 1);
    strcpy(op.entry.principal.action, "revoke");
    assert_int_equal(store_case_run(made, op).result, GW_OK);
    store_case_refused(store_case_run(made, fixture_principal(5, GW_ROLE_OWNER, 3)), GW_INVALID, "bad_signer");
    gw_store_principal found;
    char id[GW_ID_HEX];
    fixture_id(3, id);
    assert_int_equal(gw_store_principal_find(made->reader, id, &found), GW_OK);
    assert_int_equal(found.roles, 0);
}

static gw_store_op key_op(uint64_t principal, const char *action, uint8_t fill, uint64_t by) {
    gw_store_op op = {.kind = GW_STORE_APPEND, .entry.kind = GW_ENTRY_KEY};
    uint8_t bytes[32];
    memset(bytes, fill, sizeof(bytes));
    fixture_id(principal, op.entry.key.principal);
    snprintf(op.entry.key.action, sizeof(op.entry.key.action), "%s", action);
    strcpy(op.entry.key.key_kind, "sign");
    gw_hex((gw_bytes){.data = bytes, .size = 32}, op.entry.key.key);
    op.entry.by.count = 1;
    fixture_id(by, op.entry.by.ids[0]);
    return op;
}

static void a_key_belongs_to_one_principal_for_good(void **state) {
    store_case *made = *state;
    store_case_settle(made, &fixture_budget_large);
    assert_int_equal(store_case_run(made, key_op(2, "add", 7, 1)).result, GW_OK);
    store_case_refused(store_case_run(made, key_op(1, "add", 7, 1)), GW_CONFLICT, "key_exists");
    store_case_refused(store_case_run(made, key_op(9, "add", 8, 1)), GW_NOT_FOUND, "unknown_principal");
    store_case_refused(store_case_run(made, key_op(1, "revoke", 7, 1)), GW_NOT_FOUND, "unknown_key");
    assert_int_equal(store_case_run(made, key_op(2, "add", 8, 2)).result, GW_OK); // rotates a key of one's own
    store_case_refused(store_case_run(made, key_op(1, "add", 9, 2)), GW_INVALID, "bad_signer");
    gw_store_key keys[4];
    size_t count = 0;
    char id[GW_ID_HEX], key_id[GW_KEY_ID_HEX];
    gw_public_key key;
    memset(key.bytes, 7, sizeof(key.bytes));
    gw_key_id(key, key_id);
    fixture_id(2, id);
    assert_int_equal(gw_store_keys_find(made->reader, id, key_id, keys, 4, &count), GW_OK);
    assert_int_equal(count, 1);
    assert_memory_equal(keys[0].key.bytes, key.bytes, 32);
    assert_false(keys[0].is_revoked);
    assert_int_equal(store_case_run(made, key_op(2, "revoke", 7, 1)).result, GW_OK);
    assert_int_equal(gw_store_keys_find(made->reader, id, key_id, keys, 4, &count), GW_OK);
    assert_true(keys[0].is_revoked);
    store_case_refused(store_case_run(made, key_op(2, "add", 7, 1)), GW_CONFLICT, "key_exists");
    fixture_id(1, id);
    assert_int_equal(gw_store_keys_find(made->reader, id, key_id, keys, 4, &count), GW_NOT_FOUND);
}

static void policies_follow_one_another(void **state) {
    store_case *made = *state;
    store_case_settle(made, &fixture_budget_large);
    gw_store_op op = fixture_policy(&made->ledger, &fixture_budget_large);
    op.entry.policy.supersedes = GW_NO_SEQ;
    store_case_refused(store_case_run(made, op), GW_CONFLICT, "policy_superseded");
    op = fixture_policy(&made->ledger, &fixture_budget_large);
    op.entry.policy.version--;
    store_case_refused(store_case_run(made, op), GW_CONFLICT, "policy_version");
    op = fixture_policy(&made->ledger, &fixture_budget_large);
    op.file_bytes = gw_bytes_of("{}");
    store_case_refused(store_case_run(made, op), GW_INVALID, "bad_policy_file");
    op = fixture_data(0xda7a);
    store_case_refused(store_case_run(made, op), GW_CONFLICT, "data_exists");
    gw_store_policy policy;
    gw_buffer text;
    gw_buffer_init(&text, 1000);
    assert_int_equal(gw_store_policy_current(made->reader, FIXTURE_DATASET, &policy, &text), GW_OK);
    assert_int_equal(policy.seq, made->ledger.policy);
    assert_true(text.size > 0);
    gw_buffer_done(&text);
    gw_store_data data;
    assert_int_equal(gw_store_data_current(made->reader, FIXTURE_DATASET, &data), GW_OK);
    assert_string_equal(data.version, made->ledger.data);
    assert_int_equal(gw_store_data_current(made->reader, "nothing", &data), GW_NOT_FOUND);
}

typedef struct {
    size_t count;
    uint64_t last;
    char text[64];
} history_seen;

static void history_note(void *state, const gw_store_history_row *row) {
    history_seen *seen = state;
    assert_true(seen->count == 0 || row->charge_seq < seen->last); // newest first
    seen->last = row->charge_seq;
    seen->count++;
    snprintf(seen->text, sizeof(seen->text), "%s", row->question_text);
}

static void history_is_newest_first_and_ones_own(void **state) {
    store_case *made = *state;
    store_case_settle(made, &fixture_budget_large);
    for (uint64_t i = 0; i < 5; i++)
        store_case_reserve(made, i, 1);
    store_case_run(made, fixture_reserve(&made->ledger, FIXTURE_OWNER, 1, 1));
    char id[GW_ID_HEX];
    fixture_id(FIXTURE_RESEARCHER, id);
    history_seen seen = {0};
    assert_int_equal(gw_store_history(made->reader, id, NULL, 100, history_note, &seen), GW_OK);
    assert_int_equal(seen.count, 5);
    assert_true(seen.text[0] == '{');
    seen = (history_seen){0};
    assert_int_equal(gw_store_history(made->reader, NULL, FIXTURE_DATASET, 3, history_note, &seen), GW_OK);
    assert_int_equal(seen.count, 3);
    seen = (history_seen){0};
    assert_int_equal(gw_store_history(made->reader, id, "other", 3, history_note, &seen), GW_OK);
    assert_int_equal(seen.count, 0);
}

static void the_stored_tree_is_the_tree_of_the_entries(void **state) {
    store_case *made = *state;
    store_case_settle(made, &fixture_budget_large);
    for (uint64_t i = 0; i < 40; i++)
        store_case_reserve(made, i, 1);
    uint64_t size = gw_store_size(made->store);
    gw_merkle_edge edge = {0};
    for (uint64_t i = 0; i < size; i++) {
        gw_buffer entry;
        gw_buffer_init(&entry, GW_ENTRY_BYTES_MAX);
        assert_int_equal(gw_store_entry(made->reader, i, &entry), GW_OK);
        gw_merkle_edge_append(&edge, gw_merkle_leaf(gw_buffer_bytes(&entry)), NULL, NULL);
        gw_buffer_done(&entry);
    }
    gw_hash root = gw_merkle_edge_root(&edge), stored = gw_store_root(made->store), read;
    assert_memory_equal(&root, &stored, sizeof(root));
    assert_int_equal(gw_merkle_root(gw_store_tree(made->reader), size, &read), GW_OK);
    assert_memory_equal(&root, &read, sizeof(root));
    gw_store_close(made->store);
    made->store = NULL;
    assert_int_equal(gw_store_open(made->ledger.database, &made->store, NULL), GW_OK);
    stored = gw_store_root(made->store);
    assert_memory_equal(&root, &stored, sizeof(root));
}

// ---- the vandal

static int sql(const store_case *made, const char *text) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(made->ledger.database, &db), SQLITE_OK);
    int result = sqlite3_exec(db, text, NULL, NULL, NULL);
    sqlite3_close(db);
    return result;
}

static void the_tables_refuse_what_must_not_happen(void **state) {
    store_case *made = *state;
    store_case_settle(made, &fixture_budget_large);
    uint64_t seq = store_case_reserve(made, 1, 5).seq;
    store_case_run(made, fixture_seal(seq, "answer"));
    store_case_reserve(made, 2, 5);
    static const char *const refused[] = {
        "UPDATE entry SET bytes = x'00'",
        "DELETE FROM entry WHERE seq = 3",
        "UPDATE node SET hash = zeroblob(32)",
        "DELETE FROM node",
        "UPDATE policy SET total = 9",
        "DELETE FROM data",
        "UPDATE release SET answer = x'00'",
        "DELETE FROM release",
        "DELETE FROM question",
        "DELETE FROM charge",
        "UPDATE charge SET cost = 1",
        "UPDATE charge SET state = 0 WHERE state = 1",
        "UPDATE charge SET attempts = attempts - 1 WHERE state = 0",
        "UPDATE charge SET attempts = 4 WHERE state = 0",
        "UPDATE budget SET spent = spent - 1",
        "UPDATE budget SET spent = -1",
        "DELETE FROM budget",
        "UPDATE budget SET spent = 'many'",                  // STRICT
        "UPDATE budget SET spent = 9223372036854775807 + 1", // would turn into a REAL
        "UPDATE principal SET roles = 1.5",
        "UPDATE population SET total = 'many'",
        "UPDATE population SET total = 9223372036854775807 + 1",
        "UPDATE dataset SET data = 'new'",
        "INSERT INTO principal(id, roles) VALUES(x'00', 1)",
        "INSERT INTO charge SELECT seq + 1000, time, principal, idem, dataset, question, salt, cost, state, attempts, "
        "release"
        " FROM charge", // (principal, idem) is unique
        "INSERT INTO charge SELECT seq, time, principal, zeroblob(16), dataset, question, salt, 0, 0, 1, release FROM "
        "charge"
        " WHERE state = 0",
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if ((sql(made, refused[i]) & 0xff) != SQLITE_CONSTRAINT)
            fail_msg("not refused: %s", refused[i]);
    assert_int_equal(sql(made, "UPDATE budget SET spent = spent"), SQLITE_OK); // the refusals are about the values
}

static void reopen(store_case *made, gw_status expected, const char *code) {
    gw_problem problem = {0};
    gw_store_reader_close(made->reader);
    made->reader = NULL;
    assert_int_equal(gw_store_open(made->ledger.database, &made->store, &problem), expected);
    assert_string_equal(problem.code, code);
    made->store = NULL;
}

static void a_missing_node_or_entry_is_found_at_open(void **state) {
    store_case *made = *state;
    store_case_settle(made, &fixture_budget_large);
    gw_store_close(made->store);
    made->store = NULL;
    assert_int_equal(sql(made, "DROP TRIGGER node_no_delete; DELETE FROM node WHERE level = 1 AND number = 2"),
                     SQLITE_OK);
    reopen(made, GW_CORRUPT, "store_corrupt");
}

static void a_changed_last_entry_is_found_at_open(void **state) {
    store_case *made = *state;
    store_case_settle(made, &fixture_budget_large);
    gw_store_close(made->store);
    made->store = NULL;
    assert_int_equal(sql(made, "DROP TRIGGER entry_no_update; UPDATE entry SET leaf = zeroblob(32) WHERE seq ="
                               " (SELECT max(seq) FROM entry)"),
                     SQLITE_OK);
    reopen(made, GW_CORRUPT, "store_corrupt");
}

static void another_schema_version_is_refused(void **state) {
    store_case *made = *state;
    gw_store_close(made->store);
    made->store = NULL;
    assert_int_equal(sql(made, "PRAGMA user_version = 1000"), SQLITE_OK);
    reopen(made, GW_INVALID, "store_newer");
    assert_int_equal(sql(made, "PRAGMA application_id = 1"), SQLITE_OK);
    assert_int_equal(gw_store_open(made->ledger.database, &made->store, NULL), GW_INVALID);
}

// Somebody keeps a read transaction open on a database without WAL: the mode cannot change, SQLite stays silent about
// it.
static void a_setting_that_is_not_taken_is_noticed(void **state) {
    store_case *made = *state;
    gw_store_close(made->store);
    gw_store_reader_close(made->reader);
    made->store = NULL;
    made->reader = NULL;
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(made->ledger.database, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode=DELETE; BEGIN; SELECT * FROM entry", NULL, NULL, NULL),
                     SQLITE_OK);
    gw_problem problem = {0};
    assert_int_equal(gw_store_open(made->ledger.database, &made->store, &problem), GW_UNAVAILABLE);
    assert_string_equal(problem.code, "store_setting");
    assert_non_null(strstr(problem.what, "journal_mode"));
    made->store = NULL;
    sqlite3_close(db);
    assert_int_equal(gw_store_open(made->ledger.database, &made->store, NULL), GW_OK); // and alone it is taken
    gw_store_close(made->store);
    made->store = NULL;
}

static void a_batch_that_cannot_be_written_changes_nothing(void **state) {
    store_case *made = *state;
    store_case_settle(made, &fixture_budget_large);
    assert_int_equal(store_case_reserve(made, 1, 5).result, GW_OK);
    uint64_t size = gw_store_size(made->store);
    gw_hash root = gw_store_root(made->store);
    // A trigger of the vandal's makes the second charge of a batch fail in the middle of its writes.
    assert_int_equal(sql(made, "CREATE TRIGGER vandal BEFORE INSERT ON charge WHEN NEW.cost = 77"
                               " BEGIN SELECT RAISE(ABORT, 'no'); END"),
                     SQLITE_OK);
    gw_store_op a = fixture_reserve(&made->ledger, FIXTURE_RESEARCHER, 2, 5);
    gw_store_op b = fixture_reserve(&made->ledger, FIXTURE_RESEARCHER, 3, 77);
    gw_store_op *ops[] = {&a, &b};
    assert_int_equal(gw_store_commit(made->store, ops, 2, made->now), GW_INTERNAL);
    assert_int_equal(a.result, GW_INTERNAL);
    assert_int_equal(gw_store_size(made->store), size);
    gw_hash after = gw_store_root(made->store);
    assert_memory_equal(&after, &root, sizeof(root));
    assert_int_equal(store_case_balance(made, 0).spent, 5);
    gw_store_op again = store_case_reserve(made, 2, 5); // and the store goes on
    assert_int_equal(again.result, GW_OK);
    assert_int_equal(again.entry.charge.spent_dataset, 10);
    assert_string_equal(again.release, "GW-2026-000002");
}

// COMMIT itself fails: the journal may not grow by a byte. What is on disk then, only a new process can tell.
static void the_witnesses_in_force_are_the_last_ones_named(void **state) {
    store_case *made = *state;
    gw_entry genesis;
    gw_hash file;
    gw_buffer bytes;
    gw_buffer_init(&bytes, GW_ENTRY_BYTES_MAX);
    store_case_settle(made, &fixture_budget_large);
    assert_int_equal(gw_store_entry(made->reader, 0, &bytes), GW_OK);
    assert_int_equal(gw_entry_decode(gw_buffer_bytes(&bytes), &genesis, NULL), GW_OK);
    gw_buffer_done(&bytes);
    assert_int_equal(gw_store_witnesses(made->reader, &file), GW_OK);
    assert_true(gw_hash_equal(file, genesis.genesis.witnesses));
    for (unsigned i = 0; i < 2; i++) {
        gw_store_op op = {.kind = GW_STORE_APPEND, .entry = {.kind = GW_ENTRY_WITNESSES, .by = {.count = 1}}};
        fixture_id(FIXTURE_OWNER, op.entry.by.ids[0]);
        op.entry.witnesses.file = gw_sha256(gw_bytes_of(i == 0 ? "first" : "second"));
        assert_int_equal(store_case_run(made, op).result, GW_OK);
        gw_store_reader_end(made->reader);
        gw_store_reader_begin(made->reader);
        assert_int_equal(gw_store_witnesses(made->reader, &file), GW_OK);
        assert_true(gw_hash_equal(file, op.entry.witnesses.file));
    }
    gw_store_op stranger = {.kind = GW_STORE_APPEND, .entry = {.kind = GW_ENTRY_WITNESSES, .by = {.count = 1}}};
    fixture_id(FIXTURE_RESEARCHER, stranger.entry.by.ids[0]);
    store_case_refused(store_case_run(made, stranger), GW_INVALID, "bad_signer");
}

static void after_an_unknown_outcome_the_store_never_writes_again(void **state) {
    store_case *made = *state;
    char journal[sizeof(made->ledger.database) + 8];
    struct stat facts;
    struct rlimit before, none;
    store_case_settle(made, &fixture_budget_large);
    snprintf(journal, sizeof(journal), "%s-wal", made->ledger.database);
    assert_int_equal(stat(journal, &facts), 0);
    getrlimit(RLIMIT_FSIZE, &before);
    none = before;
    none.rlim_cur = (rlim_t)facts.st_size;
    void (*heard)(int) = signal(SIGXFSZ, SIG_IGN);
    gw_store_op lost = fixture_reserve(&made->ledger, FIXTURE_RESEARCHER, 2, 5);
    gw_store_op next = fixture_reserve(&made->ledger, FIXTURE_RESEARCHER, 3, 5);
    gw_store_op *first[] = {&lost}, *second[] = {&next};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    gw_status status = gw_store_commit(made->store, first, 1, made->now);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, heard);
    assert_int_equal(status, GW_RETRY);
    assert_int_equal(gw_store_commit(made->store, second, 1, made->now), GW_RETRY);
    assert_int_equal(next.result, GW_RETRY);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, store_case_setup, store_case_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_ledger_is_made_once),
        STORE_TEST(a_question_is_charged_sealed_and_recalled),
        STORE_TEST(the_same_request_id_is_charged_once),
        STORE_TEST(ten_tenths_are_one_and_the_eleventh_is_refused),
        STORE_TEST(reserve_refuses_when_any_budget_is_short),
        STORE_TEST(a_window_renews_and_never_goes_back),
        STORE_TEST(changing_a_windows_length_forgets_nothing),
        STORE_TEST(a_lowered_total_freezes_the_budget),
        STORE_TEST(the_largest_amounts_neither_wrap_nor_turn_real),
        STORE_TEST(spending_belongs_to_the_dataset_not_to_a_policy),
        STORE_TEST(a_superseded_policy_or_version_is_refused),
        STORE_TEST(policy_bounds_hold_for_each_question),
        STORE_TEST(a_charge_ends_once),
        STORE_TEST(an_answer_must_have_its_hash),
        STORE_TEST(a_charge_is_resumed_at_most_twice),
        STORE_TEST(release_ids_count_within_their_year),
        STORE_TEST(a_refusal_in_a_batch_leaves_the_others_alone),
        STORE_TEST(only_owners_and_operators_sign),
        STORE_TEST(a_key_belongs_to_one_principal_for_good),
        STORE_TEST(policies_follow_one_another),
        STORE_TEST(history_is_newest_first_and_ones_own),
        STORE_TEST(the_stored_tree_is_the_tree_of_the_entries),
        STORE_TEST(the_tables_refuse_what_must_not_happen),
        STORE_TEST(a_missing_node_or_entry_is_found_at_open),
        STORE_TEST(a_changed_last_entry_is_found_at_open),
        STORE_TEST(another_schema_version_is_refused),
        STORE_TEST(a_setting_that_is_not_taken_is_noticed),
        STORE_TEST(a_batch_that_cannot_be_written_changes_nothing),
        STORE_TEST(the_witnesses_in_force_are_the_last_ones_named),
        STORE_TEST(after_an_unknown_outcome_the_store_never_writes_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
