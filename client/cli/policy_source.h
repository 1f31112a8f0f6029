// SPDX-License-Identifier: Apache-2.0
// What a source file calls its columns, and nothing else of it: the first line of a CSV, the schema of a Parquet file.
// Thread safety: one thread.   Depends on: client/cli/cli.h, base/arena.h.
#pragma once
#include "client/cli/cli.h"
#include "service/base/arena.h"

#define GW_SOURCE_COLUMNS_MAX 256u

typedef enum { GW_SOURCE_ANY, GW_SOURCE_WHOLE, GW_SOURCE_NUMBER, GW_SOURCE_DATE } gw_source_type; // CSV: always ANY

typedef struct {
    const char *name;
    gw_source_type type;
} gw_source_column;

typedef struct {
    const char *table, *path;
    gw_source_column columns[GW_SOURCE_COLUMNS_MAX];
    size_t column_count;
} gw_source;

// Codes: file_missing, file_unreadable, source_header, program_missing.
GW_MUST_CHECK gw_status gw_source_read(const char *path, gw_arena *arena, gw_source *ret, gw_problem *ret_problem);
// The fields of one CSV line (RFC 4180), copied into the arena. SIZE_MAX where it is not one, or has too many.
size_t gw_csv_fields(const char *line, gw_arena *arena, const char **fields, size_t fields_max);
