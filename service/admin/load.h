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

#define GW_LOAD_COLUMN_TREATMENTS_MAX 256u
typedef struct {
    char column[GW_NAME_MAX + 1]; // as the source calls it, in every table that has it
    gw_load_kind kind;
    gw_load_treatment treatment;
} gw_load_column_treatment;
typedef struct {
    gw_load_treatment kinds[GW_LOAD_KINDS];
    gw_load_column_treatment columns[GW_LOAD_COLUMN_TREATMENTS_MAX]; // these go first
    size_t column_count;
} gw_load_treatments;

typedef struct {
    const char *program; // path of godwit-engine
    const gw_policy *policy;
    const gw_load_source *sources; // one for each table of the policy
    size_t source_count;
    gw_load_treatments treatments;
    const char *version;   // in force, or NULL: what the new one is compared with
    bool is_empty_allowed; // a table without rows
    bool is_shrunk_allowed;
    const char *folder;    // of the dataset's data versions; made where missing
    gw_bytes seal_key;     // the owner's secret
    unsigned threads;      // 0: two
    uint64_t memory_bytes; // 0: one gigabyte
    const uint64_t *key;   // for tests: GW_LOAD_KEY_WORDS that two loads share; NULL: random, as it must be
    void (*progress)(void *state, double fraction, const char *phase); // or NULL
    void *state;
} gw_load_options;

typedef struct {
    char version[GW_ID_HEX]; // random; the file is <folder>/<version>.duckdb, mode 0400
    gw_hash seal;            // HMAC-SHA-256 of its bytes under the seal key
} gw_loaded;

// How many rows each table of a version has, by the file <folder>/<version>.rows that its load left: for the owner
// alone, mode 0600, as exact as the data. A file that others may read or that another user wrote is not believed.
typedef struct {
    bool is_known[GW_LOAD_TABLES_MAX]; // in the order of the policy's tables
    uint64_t rows[GW_LOAD_TABLES_MAX];
} gw_load_rows;
void gw_load_rows_read(const char *folder, const char *version, const gw_policy *policy, gw_load_rows *ret);

// "bad_type=missing" or "age:bad_type=missing" of --treat into its place. Codes: unknown_kind, unknown_treatment,
// bad_treatment.
GW_MUST_CHECK gw_status gw_load_treat(const char *text, gw_load_treatments *treatments, gw_problem *ret_problem);
// GW_INVALID with code load_refused: the source holds what no treatment was named for; see the report. load_empty,
// load_shrunk (less than half of the rows in force): not allowed by the options. Other codes: unknown_column (of a
// treatment), load_tables, load_source, load_failed, load_busy, engine_missing, file_*. `ret_report` is filled in any
// case. When this does not return GW_OK, the folder holds nothing new.
GW_MUST_CHECK gw_status gw_load_run(const gw_load_options *options, gw_loaded *ret_loaded, gw_load_report *ret_report,
                                    gw_problem *ret_problem);
// The report for the owner's terminal: counts, the first rows of each kind, and how each may be treated.
void gw_load_report_text(const gw_load_report *report, const gw_load_options *options, gw_buffer *buffer);
// "before: 5,000 rows, now: 199" for each table; for the owner's terminal alone.
void gw_load_rows_text(const gw_load_report *report, const gw_load_options *options, gw_buffer *buffer);
// The seal of a file as it lies there, to compare.
GW_MUST_CHECK gw_status gw_load_seal(const char *path, gw_bytes seal_key, gw_hash *ret_seal, gw_problem *ret_problem);
