// SPDX-License-Identifier: Apache-2.0
// The tables beside the log are a convenience; the log is the truth. Whoever edits a table finds the service refusing
// to start, instead of an auditor finding it after answers have left. One thread reads rows and hashes them, this one
// folds: a start waits for the longer of the two, not for their sum.
#include "service/ledger/ledger_replay.h"

#include "service/audit/verify.h"
#include "service/base/cleanup.h"
#include "service/base/relay.h"
#include "service/ledger/ledger_charges.h"
#include "service/ledger/ledger_tables.h"
#include "service/ledger/ledger_tampered.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_ENTRIES 256
#define BATCHES_AHEAD 8

GW_DEFINE_FREEP(gw_audit_state, gw_audit_state_free)
GW_DEFINE_FREEP(ledger_charges, ledger_charges_free)

// A run of entries as the reading thread hands it over: their bytes one after the other, and the rows of charges up to
// the last of them.
typedef struct {
    gw_buffer bytes;
    size_t ends[BATCH_ENTRIES]; // of each entry in `bytes`
    size_t count;
    uint64_t first; // seq
    gw_store_charge_row rows[BATCH_ENTRIES];
    size_t row_count;
} batch;

// The reading thread's own, until it has ended: rows out of the store, hashed into the tree.
typedef struct {
    gw_store_reader *reader;
    uint64_t size;
    gw_merkle_edge edge;
    gw_relay *relay;
    batch *filling;          // NULL: none is held
    gw_store_charge_row row; // the next one
    gw_status row_status;    // GW_NOT_FOUND: there is none
    gw_status status;
    batch batches[BATCHES_AHEAD]; // passed to and fro
} replay_reading;

static gw_status tampered(gw_problem *problem, const char *what) {
    return gw_problem_set(
        problem, GW_CORRUPT, "ledger_tampered", what, "",
        "Do not serve from it. Restore the newest sound state, or ask an auditor: godwit audit verify.");
}

static void row_next(replay_reading *reading) {
    reading->row_status = gw_store_charge_rows_next(reading->reader, &reading->row);
}

static void batch_send(replay_reading *reading) {
    batch *filling = reading->filling;
    if (filling == NULL)
        return;
    // A number has one row at most, so there are no more of them than entries.
    for (; reading->row_status == GW_OK && reading->row.seq < filling->first + filling->count &&
           filling->row_count < BATCH_ENTRIES;
         row_next(reading))
        filling->rows[filling->row_count++] = reading->row;
    gw_relay_send(reading->relay);
    reading->filling = NULL;
}

static gw_status entry_read(void *state, uint64_t seq, gw_bytes bytes) {
    replay_reading *reading = state;
    if (reading->filling == NULL) {
        reading->filling = gw_relay_empty(reading->relay);
        if (reading->filling == NULL)
            return GW_UNAVAILABLE; // nobody wants more: the fold has found something
        reading->filling->bytes.size = reading->filling->count = reading->filling->row_count = 0;
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
    gw_store_charge_rows_begin(reading->reader);
    row_next(reading);
    reading->status = gw_store_scan(reading->reader, 0, reading->size, entry_read, reading);
    batch_send(reading);
    if (reading->status == GW_OK && reading->row_status != GW_OK && reading->row_status != GW_NOT_FOUND)
        reading->status = reading->row_status;
}

// ---- the fold, in this thread

typedef struct {
    gw_audit_state *state;
    ledger_charges *charges;
    uint64_t counts[GW_ENTRY_KINDS]; // of entries
} replay_fold;

static gw_status entry_replay(replay_fold *fold, uint64_t seq, gw_bytes bytes, gw_entry *ret, gw_problem *ret_problem) {
    gw_problem problem = {0};
    gw_status status = gw_entry_decode(bytes, ret, &problem);
    if (status == GW_OK)
        status = gw_audit_apply(fold->state, ret, &problem);
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

static gw_status batch_replay(replay_fold *fold, const batch *done, gw_problem *problem) {
    gw_status status = GW_OK;
    gw_entry entry;
    size_t row = 0;
    for (size_t i = 0, begin = 0; i < done->count && status == GW_OK; begin = done->ends[i++]) {
        gw_bytes bytes = {.data = done->bytes.data + begin, .size = done->ends[i] - begin};
        uint64_t seq = done->first + i;
        bool has_row = row < done->row_count && done->rows[row].seq == seq;
        status = entry_replay(fold, seq, bytes, &entry, problem);
        if (status == GW_OK)
            status = ledger_charges_follow(fold->charges, &entry, has_row ? &done->rows[row] : NULL, problem);
        if (status == GW_OK)
            fold->counts[entry.kind]++;
        row += has_row;
    }
    return status;
}

static gw_status entries_replay(replay_reading *reading, replay_fold *fold, gw_hash root, gw_problem *problem) {
    gw_relay *relay = gw_relay_start(reading->batches, sizeof reading->batches[0], BATCHES_AHEAD, reading_run, reading);
    if (!relay)
        return gw_problem_set(problem, GW_NO_MEMORY, "no_memory", "Out of memory, or of threads.", "", "");
    gw_status status = GW_OK;
    for (batch *next; status == GW_OK && (next = gw_relay_next(relay)) != NULL;)
        status = batch_replay(fold, next, problem);
    gw_relay_stop(relay);
    if (status == GW_OK && reading->status != GW_OK)
        status =
            gw_problem_set(problem, reading->status, reading->status == GW_CORRUPT ? "store_corrupt" : "store_read",
                           "The ledger's entries cannot be read.", "",
                           "Restore the newest backup and run `godwitd doctor`; do not delete files.");
    if (status == GW_OK && !gw_hash_equal(gw_merkle_edge_root(&reading->edge), root))
        status = tampered(problem, "The ledger's entries are not those its tree was made of.");
    if (status == GW_OK && reading->row_status == GW_OK)
        status = ledger_tampered(problem, "There is the row of a charge that no entry names: %llu.",
                                 (unsigned long long)reading->row.seq);
    return status == GW_OK ? ledger_charges_end(fold->charges, problem) : status;
}

gw_status ledger_replay_check(gw_store_reader *reader, uint64_t size, gw_hash root, gw_problem *ret_problem) {
    GW_CLEANUP(gw_audit_state_freep) gw_audit_state *state = gw_audit_state_new();
    GW_CLEANUP(ledger_charges_freep) ledger_charges *charges = ledger_charges_new();
    replay_fold fold = {.state = state, .charges = charges};
    gw_problem problem = {0};
    if (!state || !charges)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "Out of memory.", "", "");
    replay_reading *reading = calloc(1, sizeof *reading);
    if (!reading)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "Out of memory.", "", "");
    reading->reader = reader;
    reading->size = size;
    for (size_t i = 0; i < BATCHES_AHEAD; i++)
        gw_buffer_init(&reading->batches[i].bytes, (size_t)BATCH_ENTRIES * GW_ENTRY_BYTES_MAX);
    gw_store_reader_begin(reader); // one state, from the first entry to the last row
    gw_status status = entries_replay(reading, &fold, root, &problem);
    for (size_t i = 0; i < BATCHES_AHEAD; i++)
        gw_buffer_done(&reading->batches[i].bytes);
    free(reading);
    if (status == GW_OK)
        status = ledger_tables_check(reader, state, fold.counts, &problem);
    gw_store_reader_end(reader);
    if (status != GW_OK && ret_problem)
        *ret_problem = problem.code[0] ? problem : *ret_problem;
    return status;
}
