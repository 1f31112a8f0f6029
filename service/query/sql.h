// SPDX-License-Identifier: Apache-2.0
// A plan as one aggregate statement: identifiers come from the policy (quoted), values are parameters, and no text of
// the asker ever reaches it. Result columns: cell, then one integer per part. Thread safety: pure.   Depends on:
// plan.h.
#pragma once
#include "service/query/plan.h"

#define GW_SQL_BYTES_MAX 262144u
typedef struct {
    gw_buffer text;
    int64_t *params;
    size_t param_count, param_max;
    gw_arena *arena;
    gw_status status; // GW_LIMIT or GW_NO_MEMORY, sticky
} gw_sql;
// Whether the statement puts a person's rows or cells in order, or groups texts, which makes a row several times as
// dear.
bool gw_sql_sorts(const gw_plan *plan);
// The caller ends it with gw_buffer_done(&sql.text).
GW_MUST_CHECK gw_status gw_sql_build(const gw_plan *plan, gw_arena *arena, gw_sql *ret_sql);
