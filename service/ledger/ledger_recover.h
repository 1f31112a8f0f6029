// SPDX-License-Identifier: Apache-2.0
// Start-up: the database, the high-water mark and the signer's newest tree must agree before anything is served. Runs
// at every start, so recovery is not a special case.   Depends on: store/store.h, audit/signing.h.
#pragma once
#include "service/ledger/ledger_mark.h"
#include "service/ledger/ledger_seal.h"

typedef struct {
    const char *state_folder, *database, *hwm_path, *mark_key_path;
    int64_t now;
} ledger_recover_options;

typedef struct {
    gw_store *store;
    ledger_mark mark;
} ledger_ground;

// Opens store and mark, compares them with the signer's newest tree, and leaves the mark at what is committed and the
// seals ready to sign it. On failure nothing stays open but what the seals came with.
GW_MUST_CHECK gw_status ledger_recover(const ledger_recover_options *options, ledger_seals *seals, ledger_ground *ret,
                                       gw_problem *ret_problem);
