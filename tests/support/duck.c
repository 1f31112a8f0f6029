// SPDX-License-Identifier: Apache-2.0
// DuckDB called bare, through its C API.
#include "tests/support/duck.h"
#include <stdio.h>
#include <stdlib.h>

static _Noreturn void give_up(const char *what, const char *message) {
    fprintf(stderr, "duck: %s: %s\n", what, message != NULL ? message : "no reason given");
    exit(EXIT_FAILURE);
}

void duck_open(duck *it, const char *path, unsigned threads) {
    *it = (duck){0};
    duckdb_config config = NULL;
    char *message = NULL;
    char text[16];
    snprintf(text, sizeof text, "%u", threads);
    if (duckdb_create_config(&config) != DuckDBSuccess || duckdb_set_config(config, "threads", text) != DuckDBSuccess ||
        (path != NULL && duckdb_set_config(config, "access_mode", "READ_ONLY") != DuckDBSuccess))
        give_up("configuration", NULL);
    if (duckdb_open_ext(path, &it->database, config, &message) != DuckDBSuccess)
        give_up(path != NULL ? path : "memory", message);
    duckdb_destroy_config(&config);
    if (duckdb_connect(it->database, &it->connection) != DuckDBSuccess)
        give_up("connection", NULL);
}

void duck_share(duck *it, const duck *other) {
    *it = (duck){0};
    if (duckdb_connect(other->database, &it->connection) != DuckDBSuccess)
        give_up("connection", NULL);
}

void duck_close(duck *it) {
    duckdb_disconnect(&it->connection);
    if (it->database != NULL)
        duckdb_close(&it->database);
    *it = (duck){0};
}

static void query(const duck *it, const char *sql, duckdb_result *ret) {
    if (duckdb_query(it->connection, sql, ret) != DuckDBSuccess)
        give_up(sql, duckdb_result_error(ret));
}

void duck_run(const duck *it, const char *sql) {
    duckdb_result result;
    query(it, sql, &result);
    duckdb_destroy_result(&result);
}

size_t duck_rows(const duck *it, const char *sql, size_t columns, int64_t *ret_values, size_t rows_max) {
    duckdb_result result;
    query(it, sql, &result);
    const size_t rows = (size_t)duckdb_row_count(&result);
    if (rows > rows_max || duckdb_column_count(&result) != columns)
        give_up(sql, "more rows or other columns than expected");
    for (size_t row = 0; row < rows; row++) {
        for (size_t column = 0; column < columns; column++)
            ret_values[row * columns + column] = duckdb_value_int64(&result, column, row);
    }
    duckdb_destroy_result(&result);
    return rows;
}

int64_t duck_number(const duck *it, const char *sql) {
    int64_t value = 0;
    if (duck_rows(it, sql, 1, &value, 1) != 1)
        give_up(sql, "no row");
    return value;
}

duckdb_prepared_statement duck_prepare(const duck *it, const char *sql) {
    duckdb_prepared_statement statement = NULL;
    if (duckdb_prepare(it->connection, sql, &statement) != DuckDBSuccess)
        give_up(sql, duckdb_prepare_error(statement));
    return statement;
}

int64_t duck_execute(duckdb_prepared_statement statement, const int64_t *params, size_t count) {
    duckdb_result result;
    for (size_t i = 0; i < count; i++)
        duckdb_bind_int64(statement, i + 1, params[i]);
    if (duckdb_execute_prepared(statement, &result) != DuckDBSuccess)
        give_up("prepared statement", duckdb_result_error(&result));
    int64_t sum = 0;
    const idx_t rows = duckdb_row_count(&result);
    const idx_t columns = duckdb_column_count(&result);
    for (idx_t column = 0; column < columns; column++) {
        for (idx_t row = 0; row < rows; row++)
            sum += duckdb_value_int64(&result, column, row);
    }
    duckdb_destroy_result(&result);
    return sum;
}

size_t duck_fetch(duckdb_prepared_statement statement, const int64_t *params, size_t count, size_t columns,
                  int64_t *ret_values, size_t rows_max) {
    duckdb_result result;
    for (size_t i = 0; i < count; i++)
        duckdb_bind_int64(statement, i + 1, params[i]);
    if (duckdb_execute_prepared(statement, &result) != DuckDBSuccess)
        give_up("prepared statement", duckdb_result_error(&result));
    const size_t rows = (size_t)duckdb_row_count(&result);
    if (rows > rows_max || duckdb_column_count(&result) != columns)
        give_up("prepared statement", "more rows or other columns than expected");
    for (size_t row = 0; row < rows; row++)
        for (size_t column = 0; column < columns; column++)
            ret_values[row * columns + column] = duckdb_value_int64(&result, column, row);
    duckdb_destroy_result(&result);
    return rows;
}
