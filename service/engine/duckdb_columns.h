// SPDX-License-Identifier: Apache-2.0
// What a Parquet file calls its columns and of which type they are: from its schema, never from a row. For drafting a
// policy. Thread safety: one call.   Depends on: base, DuckDB.
#pragma once
#include "service/base/buffer.h"
#include "service/base/problem.h"

// Appends one line a column: name, a tab, DuckDB's word for the type. Code: script_failed.
GW_MUST_CHECK gw_status gw_duckdb_columns(const char *path, gw_buffer *ret_lines, gw_problem *ret_problem);
