// SPDX-License-Identifier: Apache-2.0
// The tables beside the log are a convenience; the log is the truth. Whoever edits a table finds the service refusing
// to start, instead of an auditor finding it after answers have left.
#include "service/ledger/ledger_replay.h"

#include "service/audit/verify.h"
#include "service/base/cleanup.h"

#include <string.h>

GW_DEFINE_FREEP(gw_audit_state, gw_audit_state_free)

typedef struct {
    gw_audit_state *state;
    gw_merkle_edge edge;
    gw_problem *problem;
} replay;

static gw_status tampered(gw_problem *problem, const char *what) {
    return gw_problem_set(
        problem, GW_CORRUPT, "ledger_tampered", what, "",
        "Do not serve from it. Restore the newest sound state, or ask an auditor: godwit audit verify.");
}

static void nothing(void *state, unsigned level, uint64_t index, gw_hash hash) {
    (void)state;
    (void)level;
    (void)index;
    (void)hash;
}

static gw_status entry_replay(void *state, uint64_t seq, gw_bytes bytes) {
    replay *r = state;
    gw_entry entry;
    gw_problem problem = {0};
    gw_merkle_edge_append(&r->edge, gw_merkle_leaf(bytes), nothing, NULL);
    gw_status status = gw_entry_decode(bytes, &entry, &problem);
    if (status == GW_OK)
        status = gw_audit_apply(r->state, &entry, &problem);
    if (status == GW_OK)
        return GW_OK;
    tampered(r->problem, "An entry of the ledger cannot stand where it stands.");
    gw_problem_why(r->problem, "Entry %llu: %s", (unsigned long long)seq, problem.why[0] ? problem.why : problem.what);
    return GW_CORRUPT;
}

// All that stands in the row of a dataset or a population; of principals the epsilon alone.
static bool row_holds(const gw_store_balance balances[4], gw_budget_kind kind, const gw_audit_balance *told) {
    const gw_store_balance *row = &balances[kind - GW_BUDGET_DATASET];
    if (kind == GW_BUDGET_PRINCIPAL)
        return row->spent == told->spent;
    return row->spent == told->spent && row->rho == told->rho && row->selection == told->selection &&
           row->total == told->total && row->delta == told->delta && row->rho_total == told->rho_total &&
           row->selection_total == told->selection_total;
}

// What the tables say against what the entries add up to, for one line of the auditor's balances.
static bool balance_holds(gw_store_reader *reader, const gw_audit_balance *balance, int64_t now) {
    static const char nobody[GW_ID_HEX] = "00000000000000000000000000000000";
    gw_store_balance balances[4];
    bool is_dataset = strcmp(balance->kind, "dataset") == 0, is_principal = strcmp(balance->kind, "principal") == 0;
    if (!is_dataset && !is_principal)
        return true; // populations are compared by dataset, below; a window's balance follows from its charges
    const char *principal = is_principal ? balance->principal : nobody;
    if (gw_store_balances(reader, balance->id, principal, now, balances) != GW_OK)
        return false;
    return row_holds(balances, is_dataset ? GW_BUDGET_DATASET : GW_BUDGET_PRINCIPAL, balance);
}

typedef struct {
    gw_store_reader *reader;
    const gw_audit_balance *balances;
    size_t count;
    int64_t now;
    bool holds;
} populations_check;

static void population_compare(void *state, const gw_store_policy *policy) {
    populations_check *check = state;
    gw_store_balance balances[4];
    if (gw_store_balances(check->reader, policy->dataset, "00000000000000000000000000000000", check->now, balances) !=
        GW_OK) {
        check->holds = false;
        return;
    }
    for (size_t i = 0; i < check->count; i++)
        if (strcmp(check->balances[i].kind, "population") == 0 &&
            strcmp(check->balances[i].id, policy->population) == 0)
            check->holds &= row_holds(balances, GW_BUDGET_POPULATION, &check->balances[i]);
}

static gw_status balances_check(gw_store_reader *reader, const gw_audit_state *state, int64_t now,
                                gw_problem *problem) {
    size_t count = gw_audit_balances(state, NULL, 0);
    GW_CLEANUP(gw_freep) gw_audit_balance *balances = calloc(count ? count : 1, sizeof *balances);
    if (!balances)
        return gw_problem_set(problem, GW_NO_MEMORY, "no_memory", "Out of memory.", "", "");
    gw_audit_balances(state, balances, count);
    populations_check populations = {.reader = reader, .balances = balances, .count = count, .now = now, .holds = true};
    bool holds = true;
    for (size_t i = 0; i < count; i++)
        holds &= balance_holds(reader, &balances[i], now);
    if (gw_store_datasets(reader, population_compare, &populations) != GW_OK)
        holds = false;
    if (holds && populations.holds)
        return GW_OK;
    tampered(problem, "The ledger's balances are not what its entries add up to.");
    gw_problem_why(problem, "A table beside the log was changed by something other than this service.");
    return GW_CORRUPT;
}

gw_status ledger_replay_check(gw_store_reader *reader, uint64_t size, gw_hash root, int64_t now,
                              gw_problem *ret_problem) {
    GW_CLEANUP(gw_audit_state_freep) gw_audit_state *state = gw_audit_state_new();
    gw_problem problem = {0};
    if (!state)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "Out of memory.", "", "");
    replay r = {.state = state, .problem = &problem};
    gw_status status = gw_store_scan(reader, 0, size, entry_replay, &r);
    if (status == GW_OK && !gw_hash_equal(gw_merkle_edge_root(&r.edge), root))
        status = tampered(&problem, "The ledger's entries are not those its tree was made of.");
    if (status == GW_OK)
        status = balances_check(reader, state, now, &problem);
    if (status != GW_OK && ret_problem)
        *ret_problem = problem.code[0] ? problem : *ret_problem;
    return status;
}
