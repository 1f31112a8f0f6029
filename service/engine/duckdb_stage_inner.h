// SPDX-License-Identifier: Apache-2.0
// What the two files of the staging database share; nobody else includes it.
// Depends on: duckdb_stage.h, DuckDB.
#pragma once
#include "service/engine/duckdb_stage.h"
#include <duckdb.h>

#define GW_STAGE_SQL_MAX (1u << 20)
#define GW_STAGE_FIXED 4u // columns behind a table's own: person_high, person_low, pick, row

struct gw_stage {
    const gw_load_plan *plan;
    duckdb_database database;
    duckdb_connection connection;
    // Of the table being appended to:
    const gw_load_table *table;
    duckdb_appender appender;
    duckdb_data_chunk chunk;
    size_t chunk_rows;
    void *data[GW_LOAD_COLUMNS_MAX + GW_STAGE_FIXED];
    uint64_t *validity[GW_LOAD_COLUMNS_MAX + GW_STAGE_FIXED];
    duckdb_type types[GW_LOAD_COLUMNS_MAX + GW_STAGE_FIXED];
    bool has_excess[GW_LOAD_TABLES_MAX]; // table excess_<n> exists and is not empty
};

gw_status gw_stage_run(gw_stage *stage, const gw_buffer *sql);
gw_status gw_stage_run_format(gw_stage *stage, const char *format, ...) __attribute__((format(printf, 2, 3)));
// The one BIGINT column of a query, up to `max` rows of it.
gw_status gw_stage_numbers(gw_stage *stage, const char *sql, uint64_t *ret_numbers, size_t max, size_t *ret_count);
// The smallest type that holds every value up to `max`: it is also how little of a row there is to scan.
duckdb_type gw_stage_type_of(uint64_t max);
duckdb_type gw_stage_column_type(const gw_load_column *column);
const char *gw_stage_type_name(duckdb_type type);
