// SPDX-License-Identifier: Apache-2.0
// A source as rows of text fields, whatever file it comes from: csv.h and duckdb_parquet.h have the same calls.
// Thread safety: one user.   Depends on: base/buffer.h.
#pragma once
#include "service/base/buffer.h"

#define GW_ROWS_FIELDS_MAX 4096u
#define GW_ROWS_BYTES_MAX (1u << 20) // of one row

typedef enum {
    GW_ROWS_ROW,
    GW_ROWS_BROKEN, // a row whose quotes do not close where they should
    GW_ROWS_BLANK,  // an empty line
    GW_ROWS_END,
    GW_ROWS_FAILED, // the source cannot be read on: damaged, or a row past GW_ROWS_BYTES_MAX
} gw_rows_outcome;

// Borrowed until the next call. A missing value is an empty field.
typedef struct {
    const gw_bytes *fields;
    size_t count;
} gw_row;
