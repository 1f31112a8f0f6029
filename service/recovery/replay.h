// SPDX-License-Identifier: Apache-2.0
// A published log played again into a store: every entry by the code that once made it, to the very same bytes. Texts
// that the log names by their hashes come from the folders that are published or kept beside it, where they are there.
// Thread safety: one thread.   Depends on: store/store.h.
#pragma once
#include "service/store/store.h"

typedef struct {
    const char *log;       // a folder that was verified
    const char *policies;  // <sha256>.json; NULL: none
    const char *questions; // 000.jsonl, 001.jsonl, …; NULL: none
} replay_sources;

typedef struct {
    uint64_t entries;          // played
    uint64_t policies_missing; // policy texts that were not found: the dataset cannot answer under them
    uint64_t answers_lost;     // releases of which only the hash is left
} replay_report;

// Plays the entries from the store's size up to `size`; adds to the report. Codes: log_differs (GW_CORRUPT: an entry is
// not what the ones before lead to; names it), and those of reading files.
GW_MUST_CHECK gw_status replay_log(gw_store *store, const replay_sources *sources, uint64_t size,
                                   replay_report *ret_report, gw_problem *ret_problem);
