// SPDX-License-Identifier: Apache-2.0
// Runs a trusted script in an in-memory database and writes the tables of its schema `sample` to Parquet files, one a
// table, called as the table is: how the synthetic sample register is made.
// Thread safety: one call.   Depends on: base, DuckDB.
#pragma once
#include "service/base/problem.h"

#define GW_GENERATE_SCHEMA "sample"
// The folder is made where it is missing. Codes: file_*, script_failed (also where it makes no table), output_failed.
// The text of DuckDB's message is in `why`: the script's author reads it.
GW_MUST_CHECK gw_status gw_duckdb_generate(const char *script_path, const char *folder, gw_problem *ret_problem);
