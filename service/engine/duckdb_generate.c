// SPDX-License-Identifier: Apache-2.0
// The script is part of the installation and sees no data but what it makes, so it runs with DuckDB's own defaults.
#include "service/engine/duckdb_generate.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <duckdb.h>

#define SCRIPT_SIZE_MAX (4u << 20)
#define SQL_SIZE_MAX 16384u

static gw_status run(duckdb_connection connection, const char *sql, const char *code, const char *what,
                     gw_problem *ret_problem) {
    duckdb_result result;
    gw_status status = GW_OK;
    if (duckdb_query(connection, sql, &result) != DuckDBSuccess) {
        status = gw_problem_set(ret_problem, GW_INVALID, code, what, "", "");
        gw_problem_why(ret_problem, "%s", duckdb_result_error(&result));
    }
    duckdb_destroy_result(&result);
    return status;
}

static gw_status write_output(duckdb_connection connection, const char *output_path, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer sql;
    gw_buffer_init(&sql, SQL_SIZE_MAX);
    gw_buffer_text(&sql, "COPY \"" GW_GENERATE_TABLE "\" TO '");
    for (const char *c = output_path; *c != '\0'; c++) {
        gw_buffer_text(&sql, *c == '\'' ? "'" : "");
        gw_buffer_append(&sql, c, 1);
    }
    gw_buffer_text(&sql, "' (FORMAT parquet, COMPRESSION zstd)");
    if (sql.status != GW_OK)
        return gw_problem_set(ret_problem, GW_LIMIT, "output_failed", "The output's path is too long.", "", "");
    return run(connection, gw_buffer_string(&sql), "output_failed", "The output cannot be written.", ret_problem);
}

gw_status gw_duckdb_generate(const char *script_path, const char *output_path, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer script;
    GW_CLEANUP(duckdb_close) duckdb_database database = NULL;
    GW_CLEANUP(duckdb_disconnect) duckdb_connection connection = NULL;
    gw_buffer_init(&script, SCRIPT_SIZE_MAX);
    gw_status status = gw_file_read(script_path, &script, ret_problem);
    if (status != GW_OK)
        return status;
    if (duckdb_open(NULL, &database) != DuckDBSuccess || duckdb_connect(database, &connection) != DuckDBSuccess)
        return gw_problem_set(ret_problem, GW_UNAVAILABLE, "script_failed", "DuckDB does not start.", "", "");
    status = run(connection, gw_buffer_string(&script), "script_failed", "The script failed.", ret_problem);
    if (status != GW_OK)
        return status;
    return write_output(connection, output_path, ret_problem);
}
