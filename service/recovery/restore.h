// SPDX-License-Identifier: Apache-2.0
// The legitimate way back after a ledger was lost, damaged or set back. What a backup and published logs hold is played
// again; entries that are known to have followed and are gone count as spent; two owners or operators sign that. In two
// runs: the first writes the statement, the second, with two signatures beside it, completes it. Nothing of the state
// changes before both are verified. The ledger's file is replaced in one rename: a crash before it leaves the old
// state, one after it the new, which `gw_restore_finish` completes at the next start or the next run. Thread safety:
// one thread, which holds the lock of the state folder.   Depends on: statement.h, audit/verify.h.
#pragma once
#include "service/recovery/statement.h"

#define RESTORE_FILES_MAX 16
#define RESTORE_STATEMENT "restore.json" // in the state folder

typedef struct {
    const char *state_folder;
    const char *hwm_path;
    const char *origin;
    const char *signer; // socket of a signer of its own; NULL or "": there is none
    const char *backup; // a folder; NULL: the ledger that is there, or the first log where none is
    const char *logs[RESTORE_FILES_MAX];
    size_t log_count;
    const char *seen[RESTORE_FILES_MAX]; // saved checkpoints, receipts
    size_t seen_count;
    bool has_lost;
    uint64_t lost; // at least so many are gone, beyond what is known
    int64_t now;
} restore_options;

typedef struct {
    statement told;
    char known[256];       // who knows of the largest tree
    uint64_t started_with; // entries of the backup, or the ledger that was there
    uint64_t answers_lost; // releases that came back as hashes alone
    gw_signers signers;    // so far
    bool is_statement_new; // written by this run: nobody has signed it yet
    bool is_complete;
} restore_report;

// GW_OK: the statement stands, and is complete or waits for signatures. Codes: log_differs, split_view (GW_CORRUPT: two
// sources are not of one history, named), lost_unknown (nothing tells how much followed), policy_missing,
// bad_signature, and those of verifying and copying.
GW_MUST_CHECK gw_status gw_restore(const restore_options *options, restore_report *ret, gw_problem *ret_problem);

// Completes a restore whose ledger stands: what the machine remembers, the published log, the statement, which is kept
// as restored/<from>.json. Does nothing where there is none under way.
GW_MUST_CHECK gw_status gw_restore_finish(const restore_options *options, gw_problem *ret_problem);
