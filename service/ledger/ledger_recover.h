// SPDX-License-Identifier: Apache-2.0
// Start-up: the database and the high-water mark must agree before anything is served. Runs at every start, so recovery
// is not a special case.   Depends on: store/store.h, store/hwm.h.
#pragma once
#include "service/store/hwm.h"
#include "service/store/store.h"

typedef struct {
    gw_store *store;
    gw_hwm *hwm;
    char origin[128];
} ledger_ground;

// Opens both and leaves the mark at what is committed. On failure nothing stays open.
GW_MUST_CHECK gw_status ledger_recover(const char *database, const char *hwm_path, const gw_secret_key *log_key,
                                       int64_t now, ledger_ground *ret, gw_problem *ret_problem);
