// SPDX-License-Identifier: Apache-2.0
// The tables beside the log are a convenience; the log is the truth. Whoever edits a table finds the service refusing
// to start, instead of an auditor finding it after answers have left. One thread reads rows and hashes them, this one
// folds: a start waits for the longer of the two, not for their sum.
#include "service/ledger/ledger_replay.h"

#include "service/audit/verify.h"
#include "service/base/cleanup.h"
#include "service/base/relay.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_ENTRIES 256
#define BATCHES_AHEAD 8

GW_DEFINE_FREEP(gw_audit_state, gw_audit_state_free)

// A run of entries as the reading thread hands it over: their bytes one after the other.
typedef struct {
    gw_buffer bytes;
    size_t ends[BATCH_ENTRIES]; // of each entry in `bytes`
    size_t count;
    uint64_t first; // seq
} batch;

// The reading thread's own, until it has ended: rows out of the store, hashed into the tree.
typedef struct {
    gw_store_reader *reader;
    uint64_t size;
    gw_merkle_edge edge;
    gw_relay *relay;
    batch *filling; // NULL: none is held
    gw_status status;
    batch batches[BATCHES_AHEAD]; // passed to and fro
} replay_reading;

static gw_status tampered(gw_problem *problem, const char *what) {
    return gw_problem_set(
        problem, GW_CORRUPT, "ledger_tampered", what, "",
        "Do not serve from it. Restore the newest sound state, or ask an auditor: godwit audit verify.");
}

static void batch_send(replay_reading *reading) {
    if (reading->filling != NULL)
        gw_relay_send(reading->relay);
    reading->filling = NULL;
}

static gw_status entry_read(void *state, uint64_t seq, gw_bytes bytes) {
    replay_reading *reading = state;
    if (reading->filling == NULL) {
        reading->filling = gw_relay_empty(reading->relay);
        if (reading->filling == NULL)
            return GW_UNAVAILABLE; // nobody wants more: the fold has found something
        reading->filling->bytes.size = reading->filling->count = 0;
        reading->filling->first = seq;
    }
    batch *filling = reading->filling;
    gw_merkle_edge_append(&reading->edge, gw_merkle_leaf(bytes), NULL, NULL);
    gw_buffer_append(&filling->bytes, bytes.data, bytes.size);
    if (filling->bytes.status != GW_OK)
        return filling->bytes.status;
    filling->ends[filling->count++] = filling->bytes.size;
    if (filling->count == BATCH_ENTRIES)
        batch_send(reading);
    return GW_OK;
}

static void reading_run(void *state, gw_relay *relay) {
    replay_reading *reading = state;
    reading->relay = relay;
    reading->status = gw_store_scan(reading->reader, 0, reading->size, entry_read, reading);
    batch_send(reading);
}

// ---- the fold, in this thread

static gw_status entry_replay(gw_audit_state *state, uint64_t seq, gw_bytes bytes, gw_problem *ret_problem) {
    gw_entry entry;
    gw_problem problem = {0};
    gw_status status = gw_entry_decode(bytes, &entry, &problem);
    if (status == GW_OK)
        status = gw_audit_apply(state, &entry, &problem);
    if (status == GW_OK)
        return GW_OK;
    if (status != GW_CORRUPT) {
        *ret_problem = problem;
        return status;
    }
    tampered(ret_problem, "An entry of the ledger cannot stand where it stands.");
    gw_problem_why(ret_problem, "Entry %llu: %s", (unsigned long long)seq, problem.why[0] ? problem.why : problem.what);
    return GW_CORRUPT;
}

static gw_status batch_replay(gw_audit_state *state, const batch *done, gw_problem *problem) {
    gw_status status = GW_OK;
    for (size_t i = 0, begin = 0; i < done->count && status == GW_OK; begin = done->ends[i++]) {
        gw_bytes entry = {.data = done->bytes.data + begin, .size = done->ends[i] - begin};
        status = entry_replay(state, done->first + i, entry, problem);
    }
    return status;
}

static gw_status entries_replay(replay_reading *reading, gw_audit_state *state, gw_hash root, gw_problem *problem) {
    gw_relay *relay = gw_relay_start(reading->batches, sizeof reading->batches[0], BATCHES_AHEAD, reading_run, reading);
    if (!relay)
        return gw_problem_set(problem, GW_NO_MEMORY, "no_memory", "Out of memory, or of threads.", "", "");
    gw_status status = GW_OK;
    for (batch *next; status == GW_OK && (next = gw_relay_next(relay)) != NULL;)
        status = batch_replay(state, next, problem);
    gw_relay_stop(relay);
    if (status == GW_OK && reading->status != GW_OK)
        status =
            gw_problem_set(problem, reading->status, reading->status == GW_CORRUPT ? "store_corrupt" : "store_read",
                           "The ledger's entries cannot be read.", "",
                           "Restore the newest backup and run `godwitd doctor`; do not delete files.");
    if (status == GW_OK && !gw_hash_equal(gw_merkle_edge_root(&reading->edge), root))
        status = tampered(problem, "The ledger's entries are not those its tree was made of.");
    return status;
}

// ---- balances

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
    replay_reading *reading = calloc(1, sizeof *reading);
    if (!reading)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "Out of memory.", "", "");
    reading->reader = reader;
    reading->size = size;
    for (size_t i = 0; i < BATCHES_AHEAD; i++)
        gw_buffer_init(&reading->batches[i].bytes, (size_t)BATCH_ENTRIES * GW_ENTRY_BYTES_MAX);
    gw_store_reader_begin(reader); // one state, from the first entry to the last balance
    gw_status status = entries_replay(reading, state, root, &problem);
    for (size_t i = 0; i < BATCHES_AHEAD; i++)
        gw_buffer_done(&reading->batches[i].bytes);
    free(reading);
    if (status == GW_OK)
        status = balances_check(reader, state, now, &problem);
    gw_store_reader_end(reader);
    if (status != GW_OK && ret_problem)
        *ret_problem = problem.code[0] ? problem : *ret_problem;
    return status;
}
