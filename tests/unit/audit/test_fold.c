// SPDX-License-Identifier: Apache-2.0
// The fold alone: a log that is sound, and the same log with one lie at a time.
#include "service/audit/verify.h"
#include "privacy/accounting/zcdp.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define ENTRIES 9
#define START 1790000000
#define WINDOW (START / (30 * 86400))

static void id(unsigned number, char ret[GW_ID_HEX]) {
    snprintf(ret, GW_ID_HEX, "%032x", number);
}

static void signer(gw_entry *entry, unsigned number) {
    id(number, entry->by.ids[entry->by.count++]);
}

static gw_entry charge(uint64_t seq, unsigned idem, uint64_t cost, uint64_t spent) {
    gw_entry entry = {.kind = GW_ENTRY_CHARGE, .seq = seq, .time = START};
    strcpy(entry.charge.dataset, "d");
    strcpy(entry.charge.population, "p");
    entry.charge.policy = 4;
    id(7, entry.charge.data);
    id(2, entry.charge.principal);
    id(idem, entry.charge.idem);
    entry.charge.cost = cost;
    entry.charge.window = WINDOW;
    entry.charge.spent_dataset = entry.charge.spent_population = spent;
    entry.charge.spent_principal = entry.charge.spent_window = spent;
    return entry;
}

// genesis, owner, researcher, population, policy, data, charge 60, release, charge 40 (the window is full: 100)
static void build(gw_entry log[ENTRIES]) {
    memset(log, 0, ENTRIES * sizeof(log[0]));
    log[0].kind = GW_ENTRY_GENESIS;
    strcpy(log[0].genesis.origin, "stats.example/ledger1");
    strcpy(log[0].genesis.log_key, "stats.example/ledger1+5cca7dff+ASFS+NGbeR0kRTJC4V8uq2y3z/p7al7TAJeWDgaYgdsS");
    for (unsigned i = 1; i <= 2; i++) {
        log[i].kind = GW_ENTRY_PRINCIPAL;
        id(i, log[i].principal.principal);
        strcpy(log[i].principal.action, "add");
        log[i].principal.roles = i == 1 ? GW_ROLE_OWNER : GW_ROLE_RESEARCHER;
        signer(&log[i], 1);
    }
    log[3].kind = GW_ENTRY_POPULATION;
    strcpy(log[3].population.population, "p");
    log[3].population.total = 1000;
    signer(&log[3], 1);
    log[4].kind = GW_ENTRY_POLICY;
    strcpy(log[4].policy.dataset, "d");
    strcpy(log[4].policy.population, "p");
    log[4].policy.version = 1;
    log[4].policy.total = 500;
    log[4].policy.principal_total = 200;
    log[4].policy.window_days = 30;
    log[4].policy.window_total = 100;
    log[4].policy.question_min = 1;
    log[4].policy.question_max = 60;
    log[4].policy.supersedes = GW_NO_SEQ;
    signer(&log[4], 1);
    log[5].kind = GW_ENTRY_DATA;
    strcpy(log[5].data.dataset, "d");
    id(7, log[5].data.version);
    signer(&log[5], 1);
    log[6] = charge(6, 1, 60, 60);
    log[7].kind = GW_ENTRY_RELEASE;
    log[7].release.charge = 6;
    strcpy(log[7].release.release, "GW-2026-000001");
    log[8] = charge(8, 2, 40, 100);
    for (unsigned i = 0; i < ENTRIES; i++) {
        log[i].seq = i;
        log[i].time = START;
    }
}

// Index of the first entry that is refused, ENTRIES when all hold; its code goes to `code`.
static size_t first_wrong(const gw_entry *log, size_t count, char code[48]) {
    gw_audit_state *state = gw_audit_state_new();
    size_t i = 0;
    gw_problem problem = {0};
    while (i < count && gw_audit_apply(state, &log[i], &problem) == GW_OK)
        i++;
    if (code != NULL)
        memcpy(code, problem.code, sizeof(problem.code));
    gw_audit_state_free(state);
    return i;
}

static void a_sound_log_holds_with_its_balances(void **unused) {
    (void)unused;
    gw_entry log[ENTRIES];
    build(log);
    gw_audit_state *state = gw_audit_state_new();
    for (size_t i = 0; i < ENTRIES; i++)
        assert_int_equal(gw_audit_apply(state, &log[i], NULL), GW_OK);
    gw_audit_balance balances[8];
    size_t count = gw_audit_balances(state, balances, 8);
    assert_int_equal(count, 4); // dataset, population, principal, window
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(balances[i].spent, 100);
        assert_int_equal(balances[i].charges, 2);
    }
    gw_audit_state_free(state);
}

#define EXPECT_WRONG(index, expected, ...)                                                                             \
    do {                                                                                                               \
        gw_entry log[ENTRIES];                                                                                         \
        char code[48];                                                                                                 \
        build(log);                                                                                                    \
        __VA_ARGS__;                                                                                                   \
        assert_int_equal(first_wrong(log, ENTRIES, code), index);                                                      \
        assert_string_equal(code, expected);                                                                           \
    } while (0)

static void each_lie_is_found_at_its_entry(void **unused) {
    (void)unused;
    EXPECT_WRONG(6, "seq_gap", log[6].seq = 7);
    EXPECT_WRONG(6, "time_back", log[6].time--);
    EXPECT_WRONG(1, "bad_signer", id(2, log[1].by.ids[0])); // signed by somebody who is not there yet
    EXPECT_WRONG(3, "bad_signer", id(2, log[3].by.ids[0])); // a researcher signs for a population
    EXPECT_WRONG(4, "bad_signer", log[4].by.count = 0);
    EXPECT_WRONG(4, "bad_signer", signer(&log[4], 1)); // one signer counted twice
    EXPECT_WRONG(2, "principal_exists", id(1, log[2].principal.principal));
    EXPECT_WRONG(4, "unknown_population", strcpy(log[4].policy.population, "q"));
    EXPECT_WRONG(4, "policy_superseded", log[4].policy.supersedes = 3);
    EXPECT_WRONG(5, "unknown_dataset", strcpy(log[5].data.dataset, "e"));
    EXPECT_WRONG(6, "unknown_dataset", strcpy(log[6].charge.dataset, "e"));
    EXPECT_WRONG(6, "policy_superseded", log[6].charge.policy = 3);
    EXPECT_WRONG(6, "population_changed", strcpy(log[6].charge.population, "q"));
    EXPECT_WRONG(6, "data_superseded", id(8, log[6].charge.data));
    EXPECT_WRONG(6, "unknown_principal", id(3, log[6].charge.principal));
    EXPECT_WRONG(6, "bad_cost", log[6].charge.cost = 61);
    EXPECT_WRONG(6, "bad_cost", log[6].charge.cost = 0);
    EXPECT_WRONG(6, "spent_mismatch", log[6].charge.spent_dataset = 59);
    EXPECT_WRONG(6, "spent_mismatch", log[6].charge.spent_population = 61);
    EXPECT_WRONG(6, "spent_mismatch", log[6].charge.spent_principal = 0);
    EXPECT_WRONG(6, "spent_mismatch", log[6].charge.spent_window = 0);
    EXPECT_WRONG(6, "bad_window", log[6].charge.window++);
    EXPECT_WRONG(8, "idem_exists", id(1, log[8].charge.idem));
    EXPECT_WRONG(7, "no_charge", log[7].release.charge = 5);
    EXPECT_WRONG(7, "no_charge", log[7].release.charge = 8); // a charge that comes later
    EXPECT_WRONG(8, "budget_passed", log[8] = charge(8, 2, 41, 101));
    EXPECT_WRONG(8, "budget_passed", log[4].policy.principal_total = 99);
    EXPECT_WRONG(8, "budget_passed", log[4].policy.total = 99);
    EXPECT_WRONG(8, "budget_passed", log[3].population.total = 99);
    EXPECT_WRONG(0, "bad_genesis", strcpy(log[0].genesis.origin, "other"));
}

// ---- restored

// The same log, restored before its last charge: one entry was lost, which may have been a charge of 60. A second owner
// signs; the charge of 40 comes after, in the next window.
#define RESTORED (ENTRIES + 1)

static void build_restored(gw_entry log[RESTORED]) {
    build(log);
    log[2].principal.roles = GW_ROLE_OWNER | GW_ROLE_RESEARCHER;
    log[7] = (gw_entry){.kind = GW_ENTRY_RESTORE, .seq = 7, .time = START, .restore = {.from = 7, .lost = 1}};
    signer(&log[7], 1);
    signer(&log[7], 2);
    log[8] = charge(8, 2, 40, 160);
    log[8].time += 30 * 86400;
    log[8].charge.window++;
    log[8].charge.spent_window = 40;
    log[9] = (gw_entry){.kind = GW_ENTRY_RELEASE, .seq = 9, .time = log[8].time, .release.charge = 8};
    strcpy(log[9].release.release, "GW-2026-000002");
}

#define EXPECT_RESTORED_WRONG(index, expected, ...)                                                                    \
    do {                                                                                                               \
        gw_entry log[RESTORED];                                                                                        \
        char code[48];                                                                                                 \
        build_restored(log);                                                                                           \
        __VA_ARGS__;                                                                                                   \
        assert_int_equal(first_wrong(log, RESTORED, code), index);                                                     \
        assert_string_equal(code, expected);                                                                           \
    } while (0)

static void what_was_lost_counts_as_spent_and_lies_about_it_are_found(void **unused) {
    (void)unused;
    gw_entry sound[RESTORED];
    build_restored(sound);
    assert_int_equal(first_wrong(sound, RESTORED, NULL), RESTORED);
    EXPECT_RESTORED_WRONG(7, "bad_signer", log[7].by.count = 1);
    EXPECT_RESTORED_WRONG(7, "bad_signer", id(1, log[7].by.ids[1]));
    EXPECT_RESTORED_WRONG(7, "bad_restore", log[7].restore.from = 6);
    EXPECT_RESTORED_WRONG(7, "bad_amount", log[7].restore.lost = UINT64_MAX);
    EXPECT_RESTORED_WRONG(8, "spent_mismatch", log[7].restore.lost = 0);
    EXPECT_RESTORED_WRONG(8, "spent_mismatch", log[8].charge.spent_dataset = 100);
    EXPECT_RESTORED_WRONG(8, "budget_passed", log[7].restore.lost = 3; log[8].charge.spent_dataset =
                                                                           log[8].charge.spent_population =
                                                                               280); // the asker's 200 are full
    EXPECT_RESTORED_WRONG(8, "budget_passed", log[8].time = START);                  // in the window of the restore
    // The charge that was open may have been answered by the entry that is gone.
    EXPECT_RESTORED_WRONG(9, "restored_since", log[9].release.charge = 6);
}

// ---- with a delta

#define TENTH 100000
#define DELTA 1000000000 // 1e-9

// The same log, accounted by zCDP with a total of 5: sixty-two questions of 0.1 would fit, fifty by epsilon alone.
// The second charge selects keys.
static void build_delta(gw_entry log[ENTRIES]) {
    uint64_t rho = gw_rho_of((gw_epsilon){TENTH});
    build(log);
    log[3].population.total = log[4].policy.total = 50 * TENTH;
    log[3].population.delta = log[4].policy.delta = DELTA;
    log[3].population.selection_delta = log[4].policy.selection_delta = 10;
    log[4].policy.principal_total = log[4].policy.window_days = log[4].policy.window_total = 0;
    log[4].policy.question_max = TENTH;
    for (unsigned i = 6; i <= 8; i += 2) {
        log[i] = charge(i, i, TENTH, i == 6 ? TENTH : 2 * TENTH);
        log[i].charge.window = log[i].charge.spent_window = 0;
        log[i].charge.rho = rho;
        log[i].charge.spent_rho_dataset = log[i].charge.spent_rho_population = i == 6 ? rho : 2 * rho;
    }
    log[8].charge.delta = log[8].charge.spent_delta_dataset = log[8].charge.spent_delta_population = 4;
}

#define EXPECT_DELTA_WRONG(index, expected, ...)                                                                       \
    do {                                                                                                               \
        gw_entry log[ENTRIES];                                                                                         \
        char code[48];                                                                                                 \
        build_delta(log);                                                                                              \
        __VA_ARGS__;                                                                                                   \
        assert_int_equal(first_wrong(log, ENTRIES, code), index);                                                      \
        assert_string_equal(code, expected);                                                                           \
    } while (0)

static void lies_about_rho_and_delta_are_found_at_their_entry(void **unused) {
    (void)unused;
    gw_entry sound[ENTRIES];
    build_delta(sound);
    assert_int_equal(first_wrong(sound, ENTRIES, NULL), ENTRIES);
    EXPECT_DELTA_WRONG(6, "rho_mismatch", log[6].charge.rho--);
    EXPECT_DELTA_WRONG(6, "rho_mismatch", log[6].charge.rho++);
    EXPECT_DELTA_WRONG(6, "rho_mismatch", log[6].charge.rho = 0);
    EXPECT_DELTA_WRONG(8, "spent_mismatch", log[8].charge.spent_rho_dataset--);
    EXPECT_DELTA_WRONG(8, "spent_mismatch", log[8].charge.spent_rho_population++);
    EXPECT_DELTA_WRONG(8, "spent_mismatch", log[8].charge.spent_delta_dataset = 3);
    EXPECT_DELTA_WRONG(8, "spent_mismatch", log[8].charge.spent_delta_population = 5);
    EXPECT_DELTA_WRONG(8, "budget_passed", log[4].policy.selection_delta = 3);
    EXPECT_DELTA_WRONG(8, "budget_passed", log[3].population.selection_delta = 0);
    EXPECT_DELTA_WRONG(3, "bad_amount", log[3].population.delta = GW_DELTA_ONE_ATTO);
    EXPECT_DELTA_WRONG(4, "bad_amount", log[4].policy.selection_delta = GW_DELTA_ONE_ATTO);
    // Where neither is accounted with a delta there is no rho to state; where one is, there is.
    EXPECT_DELTA_WRONG(6, "rho_mismatch", log[3].population.delta = log[4].policy.delta = 0);
    EXPECT_DELTA_WRONG(ENTRIES, "", log[3].population.delta = 0);
    EXPECT_DELTA_WRONG(ENTRIES, "", log[4].policy.delta = 0);
}

// As many charges of 0.1 as the log takes, from `start`.
static uint64_t count_until_refused(const gw_entry *log, uint64_t rho, char code[48]) {
    gw_audit_state *state = gw_audit_state_new();
    gw_problem problem = {0};
    uint64_t count = 0;
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(gw_audit_apply(state, &log[i], NULL), GW_OK);
    for (; count < 100; count++) {
        gw_entry entry = charge(6 + count, (unsigned)(10 + count), TENTH, (count + 1) * TENTH);
        entry.charge.window = entry.charge.spent_window = 0;
        entry.charge.rho = rho;
        entry.charge.spent_rho_dataset = entry.charge.spent_rho_population = (count + 1) * rho;
        if (gw_audit_apply(state, &entry, &problem) != GW_OK)
            break;
    }
    memcpy(code, problem.code, sizeof(problem.code));
    gw_audit_state_free(state);
    return count;
}

static void a_charge_past_both_measures_is_found(void **unused) {
    (void)unused;
    gw_entry log[ENTRIES];
    char code[48];
    uint64_t rho = gw_rho_of((gw_epsilon){TENTH});
    build_delta(log);
    assert_int_equal(count_until_refused(log, rho, code), 62);
    assert_string_equal(code, "budget_passed");
    log[3].population.delta = 0; // its people have a budget of their own, by epsilon alone
    assert_int_equal(count_until_refused(log, rho, code), 50);
    log[4].policy.delta = 0;
    assert_int_equal(count_until_refused(log, 0, code), 50);
    assert_string_equal(code, "budget_passed");
}

// More amounts than prices are remembered.
static void prices_of_many_amounts_are_each_their_own(void **unused) {
    (void)unused;
    gw_entry log[ENTRIES];
    gw_audit_state *state = gw_audit_state_new();
    uint64_t spent = 0, rho = 0;
    build_delta(log);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(gw_audit_apply(state, &log[i], NULL), GW_OK);
    for (uint64_t i = 0; i < 300; i++) {
        uint64_t cost = 1000 + i * 7919 % 150 * 40;
        spent += cost;
        rho += gw_rho_of((gw_epsilon){cost});
        gw_entry entry = charge(6 + i, (unsigned)(10 + i), cost, spent);
        entry.charge.window = entry.charge.spent_window = 0;
        entry.charge.rho = gw_rho_of((gw_epsilon){cost});
        entry.charge.spent_rho_dataset = entry.charge.spent_rho_population = rho;
        assert_int_equal(gw_audit_apply(state, &entry, NULL), GW_OK);
    }
    gw_audit_state_free(state);
}

// Rho is counted before a policy uses it: a later one with a delta starts from what was spent.
static void a_change_of_accounting_forgets_nothing(void **unused) {
    (void)unused;
    gw_entry log[ENTRIES];
    gw_audit_state *state = gw_audit_state_new();
    gw_audit_balance balances[8];
    uint64_t rho = gw_rho_of((gw_epsilon){TENTH});
    build_delta(log);
    log[3].population.delta = log[4].policy.delta = 0;
    log[6].charge.rho = log[6].charge.spent_rho_dataset = log[6].charge.spent_rho_population = 0;
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(gw_audit_apply(state, &log[i], NULL), GW_OK);
    gw_entry policy = log[4];
    policy.seq = 7;
    policy.policy.version = 2;
    policy.policy.supersedes = 4;
    policy.policy.delta = DELTA;
    assert_int_equal(gw_audit_apply(state, &policy, NULL), GW_OK);
    size_t count = gw_audit_balances(state, balances, 8);
    assert_true(count >= 2);
    for (size_t i = 0; i < count; i++)
        if (strcmp(balances[i].kind, "dataset") == 0) {
            assert_int_equal(balances[i].rho, rho);
            assert_int_equal(balances[i].rho_total, gw_rho_total((gw_epsilon){50 * TENTH}, (gw_delta){DELTA}));
        }
    log[8].charge.policy = 7; // two charges' rho, though the first stated none
    assert_int_equal(gw_audit_apply(state, &log[8], NULL), GW_OK);
    gw_audit_state_free(state);
}

static void a_charge_has_one_outcome(void **unused) {
    (void)unused;
    gw_entry log[ENTRIES + 1];
    char code[48];
    build(log);
    log[9] = log[7];
    log[9].seq = 9;
    strcpy(log[9].release.release, "GW-2026-000002");
    assert_int_equal(first_wrong(log, ENTRIES + 1, code), 9);
    assert_string_equal(code, "second_outcome");
    log[9] = (gw_entry){.kind = GW_ENTRY_ABANDON, .seq = 9, .time = START, .abandon = {.charge = 6, .why = "late"}};
    assert_int_equal(first_wrong(log, ENTRIES + 1, code), 9);
    assert_string_equal(code, "second_outcome");
    log[9].abandon.charge = 8;
    assert_int_equal(first_wrong(log, ENTRIES + 1, code), ENTRIES + 1);
}

static void a_release_id_is_used_once(void **unused) {
    (void)unused;
    gw_entry log[ENTRIES + 1];
    char code[48];
    build(log);
    log[9] = log[7];
    log[9].seq = 9;
    log[9].release.charge = 8;
    assert_int_equal(first_wrong(log, ENTRIES + 1, code), 9);
    assert_string_equal(code, "release_exists");
}

static gw_entry said_of(gw_entry_kind kind, uint64_t seq, const char *release) {
    gw_entry entry = {.kind = kind, .seq = seq, .time = START};
    strcpy(kind == GW_ENTRY_EMBARGO ? entry.embargo.release : entry.withdraw.release, release);
    signer(&entry, 1);
    return entry;
}

static void a_release_is_withdrawn_once_and_then_nothing_more_is_said(void **unused) {
    (void)unused;
    gw_entry log[ENTRIES + 4];
    char code[48];
    build(log);
    log[9] = said_of(GW_ENTRY_EMBARGO, 9, "GW-2026-000001");
    log[9].embargo.until = START + 100;
    log[10] = said_of(GW_ENTRY_EMBARGO, 10, "GW-2026-000001"); // lifted
    log[11] = said_of(GW_ENTRY_WITHDRAW, 11, "GW-2026-000001");
    log[12] = said_of(GW_ENTRY_WITHDRAW, 12, "GW-2026-000001");
    assert_int_equal(first_wrong(log, ENTRIES + 4, code), 12);
    assert_string_equal(code, "release_withdrawn");
    log[12] = said_of(GW_ENTRY_EMBARGO, 12, "GW-2026-000001");
    assert_int_equal(first_wrong(log, ENTRIES + 4, code), 12);
    assert_string_equal(code, "release_withdrawn");
    log[9] = said_of(GW_ENTRY_EMBARGO, 9, "GW-2026-000002"); // charged, and not released
    assert_int_equal(first_wrong(log, ENTRIES + 4, code), 9);
    assert_string_equal(code, "unknown_release");
    log[9] = said_of(GW_ENTRY_WITHDRAW, 9, "GW-2026-000001");
    id(2, log[9].by.ids[0]);
    assert_int_equal(first_wrong(log, ENTRIES + 4, code), 9);
    assert_string_equal(code, "bad_signer");
}

static void refusals_are_of_known_principals_and_of_a_time_that_is_over(void **unused) {
    (void)unused;
    gw_entry log[ENTRIES + 1];
    char code[48];
    build(log);
    log[9] = (gw_entry){.kind = GW_ENTRY_REFUSALS, .seq = 9, .time = START};
    id(2, log[9].refusals.principal);
    log[9].refusals.from = START - 50;
    log[9].refusals.to = START;
    strcpy(log[9].refusals.counts, "budget_window=2 denied_role=1");
    assert_int_equal(first_wrong(log, ENTRIES + 1, code), ENTRIES + 1);
    log[9].refusals.to = START + 1;
    assert_int_equal(first_wrong(log, ENTRIES + 1, code), 9);
    assert_string_equal(code, "bad_time");
    log[9].refusals.to = START - 51;
    assert_int_equal(first_wrong(log, ENTRIES + 1, code), 9);
    assert_string_equal(code, "bad_time");
    log[9].refusals.to = START;
    id(3, log[9].refusals.principal);
    assert_int_equal(first_wrong(log, ENTRIES + 1, code), 9);
    assert_string_equal(code, "unknown_principal");
}

static void a_revoked_principal_neither_signs_nor_asks(void **unused) {
    (void)unused;
    gw_entry log[ENTRIES + 2];
    char code[48];
    build(log);
    log[9] = (gw_entry){.kind = GW_ENTRY_PRINCIPAL, .seq = 9, .time = START};
    id(2, log[9].principal.principal);
    strcpy(log[9].principal.action, "revoke");
    signer(&log[9], 1);
    log[10] = charge(10, 3, 1, 101);
    log[10].time = START + 40 * 86400; // in a new window
    log[10].charge.window = (uint64_t)log[10].time / (30 * 86400);
    log[10].charge.spent_window = 1;
    assert_int_equal(first_wrong(log, ENTRIES + 2, code), 10);
    assert_string_equal(code, "unknown_principal");
    strcpy(log[9].principal.action, "grant");
    log[9].principal.roles = GW_ROLE_RESEARCHER;
    assert_int_equal(first_wrong(log, ENTRIES + 2, code), ENTRIES + 2); // and otherwise the new window admits it
}

// 30 days, then 10, then 30 again: nothing that was spent in between is forgotten.
static void changing_a_windows_length_forgets_nothing(void **unused) {
    (void)unused;
    gw_entry log[ENTRIES + 4];
    char code[48];
    build(log);
    const uint64_t days[] = {10, 30};
    for (size_t i = 0; i < 2; i++) {
        gw_entry *policy = &log[9 + 2 * i], *after = policy + 1;
        *policy = log[4];
        policy->seq = 9 + 2 * i;
        policy->time = START;
        policy->policy.version = 2 + i;
        policy->policy.window_days = days[i];
        policy->policy.window_total = 150;
        policy->policy.supersedes = i == 0 ? 4 : 9;
        *after = charge(policy->seq + 1, (unsigned)(3 + i), 20, 120 + 20 * i);
        after->charge.policy = policy->seq;
        after->charge.window = START / (days[i] * 86400);
    }
    assert_int_equal(first_wrong(log, ENTRIES + 4, code), ENTRIES + 4);
    log[12].charge.spent_window = 120; // as if the 10-day charge had been in another window
    assert_int_equal(first_wrong(log, ENTRIES + 4, code), 12);
    assert_string_equal(code, "spent_mismatch");
}

static int setup(void **state) {
    (void)state;
    return gw_crypto_init() == GW_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_log_holds_with_its_balances),
        cmocka_unit_test(each_lie_is_found_at_its_entry),
        cmocka_unit_test(what_was_lost_counts_as_spent_and_lies_about_it_are_found),
        cmocka_unit_test(lies_about_rho_and_delta_are_found_at_their_entry),
        cmocka_unit_test(a_charge_past_both_measures_is_found),
        cmocka_unit_test(prices_of_many_amounts_are_each_their_own),
        cmocka_unit_test(a_change_of_accounting_forgets_nothing),
        cmocka_unit_test(a_charge_has_one_outcome),
        cmocka_unit_test(a_release_id_is_used_once),
        cmocka_unit_test(a_release_is_withdrawn_once_and_then_nothing_more_is_said),
        cmocka_unit_test(refusals_are_of_known_principals_and_of_a_time_that_is_over),
        cmocka_unit_test(a_revoked_principal_neither_signs_nor_asks),
        cmocka_unit_test(changing_a_windows_length_forgets_nothing),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
