// SPDX-License-Identifier: Apache-2.0
// DESCRIBE binds the statement and runs nothing: DuckDB reads the file's footer.
#include "service/engine/duckdb_columns.h"
#include "service/base/cleanup.h"
#include <duckdb.h>
#include <string.h>

#define SQL_SIZE_MAX 16384u

static void line_write(duckdb_result *result, idx_t row, gw_buffer *lines) {
    char *name = duckdb_value_varchar(result, 0, row);
    char *type = duckdb_value_varchar(result, 1, row);
    if (name != NULL && type != NULL && strpbrk(name, "\t\n") == NULL)
        gw_buffer_format(lines, "%s\t%s\n", name, type);
    duckdb_free(name);
    duckdb_free(type);
}

gw_status gw_duckdb_columns(const char *path, gw_buffer *ret_lines, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer sql;
    GW_CLEANUP(duckdb_close) duckdb_database database = NULL;
    GW_CLEANUP(duckdb_disconnect) duckdb_connection connection = NULL;
    gw_buffer_init(&sql, SQL_SIZE_MAX);
    gw_buffer_text(&sql, "DESCRIBE SELECT * FROM read_parquet('");
    for (const char *c = path; *c != '\0'; c++) {
        gw_buffer_text(&sql, *c == '\'' ? "'" : "");
        gw_buffer_append(&sql, c, 1);
    }
    gw_buffer_text(&sql, "')");
    if (sql.status != GW_OK || duckdb_open(NULL, &database) != DuckDBSuccess ||
        duckdb_connect(database, &connection) != DuckDBSuccess)
        return gw_problem_set(ret_problem, GW_UNAVAILABLE, "script_failed", "DuckDB does not start.", "", "");
    duckdb_result result;
    gw_status status = GW_OK;
    if (duckdb_query(connection, gw_buffer_string(&sql), &result) != DuckDBSuccess) {
        status = gw_problem_set(ret_problem, GW_INVALID, "script_failed", "The file's schema cannot be read.", "", "");
        gw_problem_why(ret_problem, "%s", duckdb_result_error(&result));
    }
    for (idx_t row = 0; status == GW_OK && row < duckdb_row_count(&result); row++)
        line_write(&result, row, ret_lines);
    duckdb_destroy_result(&result);
    return status == GW_OK ? ret_lines->status : status;
}
