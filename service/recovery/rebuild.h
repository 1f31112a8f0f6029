// SPDX-License-Identifier: Apache-2.0
// A ledger's database made from public files alone: the log is verified, played again, and the root that comes out is
// the one its signed checkpoint states. It has no answers and no salts, and serves nobody: it is for looking.
// Thread safety: one thread.   Depends on: replay.h, audit/verify.h.
#pragma once
#include "service/audit/verify.h"
#include "service/recovery/replay.h"

typedef struct {
    replay_sources sources;
    const char *out;            // the database's path
    const gw_note_key *log_key; // NULL: the key that the log names itself
} rebuild_options;

typedef struct {
    gw_audit_verdict verdict;
    replay_report replay;
    gw_hash root; // of the database
} rebuild_report;

// Codes: store_exists (GW_CONFLICT), those of the verifier (GW_CORRUPT: tampered; else: cannot check), of replay_log.
// On failure there is no file under `out`.
GW_MUST_CHECK gw_status gw_rebuild(const rebuild_options *options, rebuild_report *ret, gw_problem *ret_problem);
// A database with the genesis entry of the log in `folder`, at `path`.
GW_MUST_CHECK gw_status gw_rebuild_begin(const char *folder, const char *path, gw_problem *ret_problem);
