// SPDX-License-Identifier: Apache-2.0
// The engine's side of the daemon: child processes that alone touch microdata. One statement at a time per child; a
// child that passes its deadline is killed, which costs one answer, and another is started. Thread safety: a gw_engine
// is shared by all workers; measure blocks until a child is free.   Depends on: base, privacy.
#pragma once
#include "privacy/exact_keys.h"
#include "privacy/exact_table.h"
#include "service/base/problem.h"

typedef struct gw_engine gw_engine;

typedef struct {
    const char *program;   // path of godwit-engine
    unsigned children;     // 1 .. 16
    unsigned threads;      // of each child's query execution
    uint64_t memory_bytes; // each child's limit for query memory
} gw_engine_options;

// Starts the children (posix_spawn; before the daemon's threads). Fails when the program is missing or does not answer.
GW_MUST_CHECK gw_status gw_engine_open(const gw_engine_options *options, gw_engine **ret, gw_problem *ret_problem);
// Other limits and another number of children. New ones are started first; each old one ends when the statement it
// measures has. On failure nothing has changed.
GW_MUST_CHECK gw_status gw_engine_reload(gw_engine *engine, const gw_engine_options *options, gw_problem *ret_problem);
void gw_engine_close(gw_engine *engine); // waits for the children; accepts NULL

// One aggregate statement. `sql` is made by query/sql.c from typed plans only: identifiers from the policy, values as
// `?` parameters (all 64-bit integers). Its result has 1 + part_count columns: the cell index (0 .. cell_count-1, any
// order, absent cells are zeros), then one integer aggregate per part.
typedef struct {
    const char *snapshot; // path of the data version's file
    const char *sql;
    const int64_t *params;
    size_t param_count;
    size_t cell_count;
    size_t part_count;
    size_t key_bytes;     // unknown keys: bytes of the longest; otherwise 0
    uint32_t deadline_ms; // from now; then the child is killed
} gw_engine_statement;

// The caller frees (and so wipes) the table. Every failure is GW_UNAVAILABLE: the reason goes to the operator's log as
// a fixed word ("deadline", "child_died", "statement"), never to the asker, and holds no value.
GW_MUST_CHECK gw_status gw_engine_measure(gw_engine *engine, const gw_engine_statement *statement,
                                          gw_exact_table **ret_table);
// The same for keys that no list names: at most cell_count of them, one part each. The result has two columns: the key,
// a text, and how many persons have it, at least 1, in any order. More keys, or longer ones, than were declared fail as
// everything does: the load has seen to it that there are none.
GW_MUST_CHECK gw_status gw_engine_measure_keys(gw_engine *engine, const gw_engine_statement *statement,
                                               gw_exact_keys **ret_keys);
// For tests and `status`: pids of the children (fills up to max), number of restarts so far.
size_t gw_engine_pids(const gw_engine *engine, int *ret_pids, size_t max);
uint64_t gw_engine_restarts(const gw_engine *engine);
