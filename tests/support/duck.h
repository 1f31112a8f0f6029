// SPDX-License-Identifier: Apache-2.0
// DuckDB called bare, through its C API: what benchmarks compare with, and where tests get exact values from by SQL of
// their own. Whatever fails ends the program with DuckDB's message. Thread safety: a duck per thread.   Depends on:
// DuckDB.
#pragma once
#include <duckdb.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    duckdb_database database;
    duckdb_connection connection;
} duck;

// `path` NULL: in memory; a file is opened read-only.
void duck_open(duck *it, const char *path, unsigned threads);
// A second connection to the same database; closed with duck_close before the first.
void duck_share(duck *it, const duck *other);
void duck_close(duck *it);
void duck_run(const duck *it, const char *sql);
// First column of the first row.
int64_t duck_number(const duck *it, const char *sql);
// Every row of integer columns, row by row; returns the number of rows, at most `rows_max`.
size_t duck_rows(const duck *it, const char *sql, size_t columns, int64_t *ret_values, size_t rows_max);

// A statement kept prepared. Executes it with these parameters and fetches every value; the sum of all keeps the fetch
// honest.
duckdb_prepared_statement duck_prepare(const duck *it, const char *sql);
int64_t duck_execute(duckdb_prepared_statement statement, const int64_t *params, size_t count);
// The same, row by row as in duck_rows, with NULL as 0.
size_t duck_fetch(duckdb_prepared_statement statement, const int64_t *params, size_t count, size_t columns,
                  int64_t *ret_values, size_t rows_max);
