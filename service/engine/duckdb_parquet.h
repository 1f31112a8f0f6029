// SPDX-License-Identifier: Apache-2.0
// A Parquet file as rows of text, read by DuckDB and cast to text by it; the calls of csv.h. The first row handed out
// is the header. Thread safety: one user.   Depends on: rows.h, DuckDB.
#pragma once
#include "service/engine/rows.h"

typedef struct gw_parquet gw_parquet;
bool gw_parquet_is(const char *path); // by the file's first bytes
GW_MUST_CHECK gw_status gw_parquet_open(const char *path, unsigned threads, gw_parquet **ret);
void gw_parquet_close(gw_parquet *parquet); // accepts NULL
gw_rows_outcome gw_parquet_next(gw_parquet *parquet, gw_row *ret_row);
double gw_parquet_fraction(const gw_parquet *parquet);
