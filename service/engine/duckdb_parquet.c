// SPDX-License-Identifier: Apache-2.0
// Streams `SELECT CAST(… AS VARCHAR)` in the file's order, one chunk at a time, from an in-memory database of its own.
// DuckDB is given the open file's name below /proc: in the path itself it would take * ? [ for a pattern of many files,
// "https:" for another machine and "year=2020" for a column.
#include "service/engine/duckdb_parquet.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/engine/sql_text.h"
#include <duckdb.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SQL_SIZE_MAX (1u << 20)

struct gw_parquet {
    int file;
    duckdb_database database;
    duckdb_connection connection;
    duckdb_prepared_statement prepared;
    duckdb_result result;
    bool has_result;
    duckdb_data_chunk chunk;
    size_t chunk_row, chunk_size;
    bool is_header_given;
    bool is_ended;
    uint64_t rows_read, rows_total;
    size_t column_count;
    char **names;
    gw_bytes *fields;
};

GW_DEFINE_FREEP(gw_parquet, gw_parquet_close)

bool gw_parquet_is(const char *path) {
    char magic[4] = "";
    GW_CLEANUP(gw_closep) int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    return descriptor >= 0 && read(descriptor, magic, sizeof(magic)) == (ssize_t)sizeof(magic) &&
           memcmp(magic, "PAR1", sizeof(magic)) == 0;
}

static void sql_source(gw_buffer *sql, const gw_parquet *parquet) {
    gw_buffer_format(sql, " FROM read_parquet('/proc/self/fd/%d')", parquet->file);
}

static bool parquet_prepare(gw_parquet *parquet, const gw_buffer *sql, duckdb_prepared_statement *ret) {
    return sql->status == GW_OK && duckdb_prepare(parquet->connection, gw_buffer_string(sql), ret) == DuckDBSuccess;
}

static bool parquet_count_rows(gw_parquet *parquet) {
    GW_CLEANUP(gw_buffer_done) gw_buffer sql;
    gw_buffer_init(&sql, SQL_SIZE_MAX);
    gw_buffer_text(&sql, "SELECT count(*)");
    sql_source(&sql, parquet);
    duckdb_result result;
    bool is_fine = duckdb_query(parquet->connection, gw_buffer_string(&sql), &result) == DuckDBSuccess;
    if (is_fine) {
        duckdb_data_chunk chunk = duckdb_fetch_chunk(result);
        parquet->rows_total =
            (uint64_t)((const int64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0)))[0];
        duckdb_destroy_data_chunk(&chunk);
    }
    duckdb_destroy_result(&result);
    return is_fine;
}

static bool parquet_read_names(gw_parquet *parquet) {
    GW_CLEANUP(gw_buffer_done) gw_buffer sql;
    GW_CLEANUP(duckdb_destroy_prepare) duckdb_prepared_statement prepared = NULL;
    gw_buffer_init(&sql, SQL_SIZE_MAX);
    gw_buffer_text(&sql, "SELECT *");
    sql_source(&sql, parquet);
    if (!parquet_prepare(parquet, &sql, &prepared))
        return false;
    size_t count = duckdb_prepared_statement_column_count(prepared);
    if (count < 1 || count > GW_ROWS_FIELDS_MAX)
        return false;
    parquet->names = calloc(count, sizeof(*parquet->names));
    parquet->fields = calloc(count, sizeof(*parquet->fields));
    if (parquet->names == NULL || parquet->fields == NULL)
        return false;
    parquet->column_count = count;
    for (size_t i = 0; i < count; i++) {
        const char *name = duckdb_prepared_statement_column_name(prepared, i);
        parquet->names[i] = name != NULL ? strdup(name) : NULL;
        duckdb_free((void *)(uintptr_t)name);
        if (parquet->names[i] == NULL)
            return false;
    }
    return true;
}

static bool parquet_start(gw_parquet *parquet) {
    GW_CLEANUP(gw_buffer_done) gw_buffer sql;
    gw_buffer_init(&sql, SQL_SIZE_MAX);
    gw_buffer_text(&sql, "SELECT ");
    for (size_t i = 0; i < parquet->column_count; i++) {
        gw_buffer_text(&sql, i > 0 ? ", CAST(" : "CAST(");
        gw_engine_identifier(&sql, parquet->names[i]);
        gw_buffer_text(&sql, " AS VARCHAR)");
    }
    sql_source(&sql, parquet);
    if (!parquet_prepare(parquet, &sql, &parquet->prepared))
        return false;
    parquet->has_result = true; // to be destroyed either way
    return duckdb_execute_prepared_streaming(parquet->prepared, &parquet->result) == DuckDBSuccess;
}

static bool parquet_open_database(gw_parquet *parquet, unsigned threads) {
    char text[32];
    duckdb_config config = NULL;
    snprintf(text, sizeof(text), "%u", threads);
    bool is_open = duckdb_create_config(&config) == DuckDBSuccess &&
                   duckdb_set_config(config, "threads", text) == DuckDBSuccess &&
                   duckdb_set_config(config, "autoinstall_known_extensions", "false") == DuckDBSuccess &&
                   duckdb_set_config(config, "autoload_known_extensions", "false") == DuckDBSuccess &&
                   duckdb_open_ext(NULL, &parquet->database, config, NULL) == DuckDBSuccess &&
                   duckdb_connect(parquet->database, &parquet->connection) == DuckDBSuccess;
    duckdb_destroy_config(&config);
    // Times with a zone are shown in UTC, wherever the machine is; without the extension that knows zones they are so.
    duckdb_result result;
    if (is_open) {
        gw_ignore(duckdb_query(parquet->connection, "SET TimeZone = 'UTC'", &result));
        duckdb_destroy_result(&result);
    }
    return is_open;
}

gw_status gw_parquet_open(const char *path, unsigned threads, gw_parquet **ret) {
    GW_CLEANUP(gw_parquet_freep) gw_parquet *parquet = calloc(1, sizeof(*parquet));
    if (parquet == NULL)
        return GW_NO_MEMORY;
    parquet->file = open(path, O_RDONLY | O_CLOEXEC);
    if (parquet->file < 0 || !parquet_open_database(parquet, threads) || !parquet_count_rows(parquet) ||
        !parquet_read_names(parquet) || !parquet_start(parquet))
        return GW_IO;
    *ret = gw_take(&parquet);
    return GW_OK;
}

void gw_parquet_close(gw_parquet *parquet) {
    if (parquet == NULL)
        return;
    duckdb_destroy_data_chunk(&parquet->chunk);
    if (parquet->has_result)
        duckdb_destroy_result(&parquet->result);
    duckdb_destroy_prepare(&parquet->prepared);
    duckdb_disconnect(&parquet->connection);
    duckdb_close(&parquet->database);
    if (parquet->file >= 0)
        close(parquet->file);
    for (size_t i = 0; i < parquet->column_count; i++)
        free(parquet->names[i]);
    free(parquet->names);
    free(parquet->fields);
    free(parquet);
}

double gw_parquet_fraction(const gw_parquet *parquet) {
    return parquet->rows_total == 0 ? 1.0 : (double)parquet->rows_read / (double)parquet->rows_total;
}

// False at the end or on an error; the count of rows tells the two apart.
static bool parquet_next_chunk(gw_parquet *parquet) {
    duckdb_destroy_data_chunk(&parquet->chunk);
    parquet->chunk = parquet->is_ended ? NULL : duckdb_fetch_chunk(parquet->result);
    parquet->chunk_row = 0;
    parquet->chunk_size = parquet->chunk != NULL ? duckdb_data_chunk_get_size(parquet->chunk) : 0;
    parquet->is_ended |= parquet->chunk_size == 0;
    return !parquet->is_ended;
}

gw_rows_outcome gw_parquet_next(gw_parquet *parquet, gw_row *ret_row) {
    *ret_row = (gw_row){parquet->fields, parquet->column_count};
    if (!parquet->is_header_given) {
        for (size_t i = 0; i < parquet->column_count; i++)
            parquet->fields[i] = gw_bytes_of(parquet->names[i]);
        parquet->is_header_given = true;
        return GW_ROWS_ROW;
    }
    if (parquet->chunk_row == parquet->chunk_size && !parquet_next_chunk(parquet))
        return parquet->rows_read == parquet->rows_total ? GW_ROWS_END : GW_ROWS_FAILED;
    for (size_t i = 0; i < parquet->column_count; i++) {
        duckdb_vector vector = duckdb_data_chunk_get_vector(parquet->chunk, i);
        duckdb_string_t *texts = duckdb_vector_get_data(vector);
        bool is_there = duckdb_validity_row_is_valid(duckdb_vector_get_validity(vector), parquet->chunk_row);
        parquet->fields[i] = (gw_bytes){0};
        if (is_there)
            parquet->fields[i] = (gw_bytes){(const uint8_t *)duckdb_string_t_data(&texts[parquet->chunk_row]),
                                            duckdb_string_t_length(texts[parquet->chunk_row])};
    }
    parquet->chunk_row++;
    parquet->rows_read++;
    return GW_ROWS_ROW;
}
