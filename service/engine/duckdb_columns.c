// SPDX-License-Identifier: Apache-2.0
// DESCRIBE binds the statement and runs nothing: DuckDB reads the file's footer. It is given the open file's name below
// /proc, for what duckdb_parquet.c says of paths, and no extensions.
#include "service/engine/duckdb_columns.h"
#include "service/base/cleanup.h"
#include <duckdb.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static void line_write(duckdb_result *result, idx_t row, gw_buffer *lines) {
    char *name = duckdb_value_varchar(result, 0, row);
    char *type = duckdb_value_varchar(result, 1, row);
    if (name != NULL && type != NULL && strpbrk(name, "\t\n") == NULL)
        gw_buffer_format(lines, "%s\t%s\n", name, type);
    duckdb_free(name);
    duckdb_free(type);
}

static bool database_open(duckdb_database *ret_database, duckdb_connection *ret_connection) {
    duckdb_config config = NULL;
    bool is_open = duckdb_create_config(&config) == DuckDBSuccess &&
                   duckdb_set_config(config, "autoinstall_known_extensions", "false") == DuckDBSuccess &&
                   duckdb_set_config(config, "autoload_known_extensions", "false") == DuckDBSuccess &&
                   duckdb_open_ext(NULL, ret_database, config, NULL) == DuckDBSuccess &&
                   duckdb_connect(*ret_database, ret_connection) == DuckDBSuccess;
    duckdb_destroy_config(&config);
    return is_open;
}

gw_status gw_duckdb_columns(const char *path, gw_buffer *ret_lines, gw_problem *ret_problem) {
    GW_CLEANUP(duckdb_close) duckdb_database database = NULL;
    GW_CLEANUP(duckdb_disconnect) duckdb_connection connection = NULL;
    GW_CLEANUP(gw_closep) int file = open(path, O_RDONLY | O_CLOEXEC);
    char sql[96];
    if (file < 0) {
        gw_status status =
            gw_problem_set(ret_problem, GW_IO, "script_failed", "The file's schema cannot be read.", "", "");
        gw_problem_why(ret_problem, "%.200s: %s.", path, strerrordesc_np(errno));
        return status;
    }
    if (!database_open(&database, &connection))
        return gw_problem_set(ret_problem, GW_UNAVAILABLE, "script_failed", "DuckDB does not start.", "", "");
    snprintf(sql, sizeof(sql), "DESCRIBE SELECT * FROM read_parquet('/proc/self/fd/%d')", file);
    duckdb_result result;
    gw_status status = GW_OK;
    if (duckdb_query(connection, sql, &result) != DuckDBSuccess) {
        status = gw_problem_set(ret_problem, GW_INVALID, "script_failed", "The file's schema cannot be read.", "", "");
        gw_problem_why(ret_problem, "%s", duckdb_result_error(&result));
    }
    for (idx_t row = 0; status == GW_OK && row < duckdb_row_count(&result); row++)
        line_write(&result, row, ret_lines);
    duckdb_destroy_result(&result);
    return status == GW_OK ? ret_lines->status : status;
}
