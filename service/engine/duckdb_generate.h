// SPDX-License-Identifier: Apache-2.0
// Runs a trusted script in an in-memory database and writes its table `residents` to a Parquet file: how the synthetic
// sample register is made. Thread safety: one call.   Depends on: base, DuckDB.
#pragma once
#include "service/base/problem.h"

#define GW_GENERATE_TABLE "residents"
// Codes: file_*, script_failed, output_failed. The text of DuckDB's message is in `why`: the script's author reads it.
GW_MUST_CHECK gw_status gw_duckdb_generate(const char *script_path, const char *output_path, gw_problem *ret_problem);
