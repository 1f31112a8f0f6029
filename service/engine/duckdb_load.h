// SPDX-License-Identifier: Apache-2.0
// A load plan carried out: sources are read once, validated and converted row by row into a staging database in the
// plan's folder, persons are checked there, and the snapshot is written from it, without ids and in an order that
// follows from its content alone. Nothing is written when something was found that the plan does not treat. Thread
// safety: one call.   Depends on: load.h, DuckDB.
#pragma once
#include "service/engine/load.h"

typedef struct {
    void (*tell)(void *state, double fraction, const char *phase);
    void *state;
} gw_load_progress;

// GW_WORD_OK also when the plan's treatments refuse what was found: then gw_load_is_refused says so and no snapshot
// exists. Otherwise the snapshot is closed and complete, but for the parent's fsync.
GW_MUST_CHECK gw_engine_word gw_duckdb_load(const gw_load_plan *plan, gw_load_progress progress,
                                            gw_load_report *ret_report);
