// SPDX-License-Identifier: Apache-2.0
// A backup of a state folder, taken beside a running daemon: the ledger in one file, the log and questions written anew
// from it, policies, public halves of profiles, and a manifest that names every file with its hash. Keys and data are
// left out unless they are asked for. What is written is read again before it gets its name. A backup gives no budget
// back: an older ledger is refused at start, and `restore` counts what is missing as spent.
// Thread safety: one thread.   Depends on: audit/{publish,verify}.h, store/store.h, wire/json.h.
#pragma once
#include "service/audit/note.h"
#include "service/store/store.h"

typedef struct {
    const char *state_folder, *to;
    const char *origin;
    int64_t now;
    bool with_keys, with_data;
} backup_options;

typedef struct {
    char origin[128];
    uint64_t size; // entries of the ledger
    gw_hash root;
    int64_t time; // it was taken
    bool has_keys, has_data;
    uint64_t files, bytes;
} backup_report;

// Codes: backup_exists, backup_write, those of copying, publishing and checking. On failure there is no `to`.
GW_MUST_CHECK gw_status gw_backup(const backup_options *options, backup_report *ret, gw_problem *ret_problem);
// Reads every file again and holds the ledger against its entries, its root against the manifest, its log against the
// verifier. GW_CORRUPT, code backup_damaged: a file is not what the manifest says. Anything else: cannot check.
GW_MUST_CHECK gw_status gw_backup_check(const char *folder, backup_report *ret, gw_problem *ret_problem);
