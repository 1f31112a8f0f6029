// SPDX-License-Identifier: Apache-2.0
// Snapshots and statements in DuckDB. A snapshot is opened read-only with no way out of it: no other file, no
// extension, no setting, no spill file. The last few snapshots stay open, each with its last few statements prepared.
// Thread safety: one user.   Depends on: codec.h, DuckDB (only duckdb*.c include its header).
#pragma once
#include "service/engine/codec.h"

typedef struct gw_duckdb gw_duckdb;

typedef struct {
    unsigned threads;
    uint64_t memory_bytes; // of one snapshot; statements run one at a time, so others hold only cached blocks
} gw_duckdb_options;

GW_MUST_CHECK gw_status gw_duckdb_new(const gw_duckdb_options *options, gw_duckdb **ret);
void gw_duckdb_free(gw_duckdb *duckdb); // accepts NULL

// Runs the statement and fills `table`, which comes as zeros; on any word but GW_WORD_OK it holds nothing of use and
// the caller wipes it. DuckDB's own messages stay here.
GW_MUST_CHECK gw_engine_word gw_duckdb_measure(gw_duckdb *duckdb, const gw_engine_statement *statement,
                                               gw_exact_table *table);
// The same for unknown keys.
GW_MUST_CHECK gw_engine_word gw_duckdb_measure_keys(gw_duckdb *duckdb, const gw_engine_statement *statement,
                                                    gw_exact_keys *keys);
