// SPDX-License-Identifier: Apache-2.0
// `godwitd load`: a source becomes a sealed, immutable snapshot of a dataset, or nothing at all. The work is done by an
// engine child; this side translates the policy, owns the files, seals and publishes the result under its name.
// Thread safety: one load per folder at a time, across processes too (a lock).   Depends on: policy.h, engine/load.h.
#pragma once
#include "service/base/crypto.h"
#include "service/engine/load.h"
#include "service/policy/policy.h"

typedef struct {
    const char *table; // of the policy
    const char *path;  // CSV, gzipped CSV or Parquet
} gw_load_source;

typedef struct {
    const char *program; // path of godwit-engine
    const gw_policy *policy;
    const gw_load_source *sources; // one for each table of the policy
    size_t source_count;
    gw_load_treatment treatments[GW_LOAD_KINDS];
    const char *folder;    // of the dataset's data versions; made where missing
    gw_bytes seal_key;     // the owner's secret
    unsigned threads;      // 0: two
    uint64_t memory_bytes; // 0: one gigabyte
    void (*progress)(void *state, double fraction, const char *phase); // or NULL
    void *state;
} gw_load_options;

typedef struct {
    char version[GW_ID_HEX]; // random; the file is <folder>/<version>.duckdb, mode 0400
    gw_hash seal;            // HMAC-SHA-256 of its bytes under the seal key
} gw_loaded;

// "bad_type=missing" of --treat into its place. Codes: unknown_kind, unknown_treatment, bad_treatment.
GW_MUST_CHECK gw_status gw_load_treat(const char *text, gw_load_treatment treatments[GW_LOAD_KINDS],
                                      gw_problem *ret_problem);
// GW_INVALID with code load_refused: the source holds what no treatment was named for; see the report. Other codes:
// load_tables, load_source, load_failed, load_busy, engine_missing, file_*. `ret_report` is filled in any case. When
// this does not return GW_OK, the folder holds nothing new.
GW_MUST_CHECK gw_status gw_load_run(const gw_load_options *options, gw_loaded *ret_loaded, gw_load_report *ret_report,
                                    gw_problem *ret_problem);
// The report for the owner's terminal: counts, the first rows of each kind, and how each may be treated.
void gw_load_report_text(const gw_load_report *report, const gw_load_treatment treatments[GW_LOAD_KINDS],
                         gw_buffer *buffer);
// The seal of a file as it lies there, to compare.
GW_MUST_CHECK gw_status gw_load_seal(const char *path, gw_bytes seal_key, gw_hash *ret_seal, gw_problem *ret_problem);
