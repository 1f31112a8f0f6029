// SPDX-License-Identifier: Apache-2.0
// The high-water mark with its key. The key is made where there is none; then, and only then, a mark that the log's key
// signed is believed, as ledgers had it before marks had a key of their own.
// Thread safety: one owner.   Depends on: store/hwm.h.
#pragma once
#include "service/store/hwm.h"

typedef struct {
    gw_hwm *hwm;
    gw_secret_key *key;
    bool is_key_new;  // not on disk yet: ledger_mark_keep writes it
    gw_hwm_mark mark; // as found, or `first`
} ledger_mark;

typedef struct {
    const char *path, *key_path;
    const gw_public_key *log_key;
    gw_hwm_mark first; // made where there is none; allowed for genesis alone
} ledger_mark_options;

// Codes: hwm_missing, hwm_corrupt (GW_CORRUPT), those of key files.
GW_MUST_CHECK gw_status ledger_mark_open(const ledger_mark_options *options, ledger_mark *ret, gw_problem *ret_problem);
// Writes a key that was made, once a mark and a signature stand under it: a crash before that leaves an older ledger.
GW_MUST_CHECK gw_status ledger_mark_keep(ledger_mark *mark, const char *key_path, gw_problem *ret_problem);
void ledger_mark_close(ledger_mark *mark);
