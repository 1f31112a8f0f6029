// SPDX-License-Identifier: Apache-2.0
// The script is part of the installation and sees no data but what it makes, so it runs with DuckDB's own defaults.
#include "service/engine/duckdb_generate.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/engine/sql_text.h"
#include <duckdb.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

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

static gw_status write_table(duckdb_connection connection, const char *table, const char *folder,
                             gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer sql;
    GW_CLEANUP(gw_buffer_done) gw_buffer path;
    gw_buffer_init(&path, SQL_SIZE_MAX);
    gw_buffer_format(&path, "%s/%s.parquet", folder, table);
    gw_buffer_init(&sql, 2 * SQL_SIZE_MAX);
    gw_buffer_text(&sql, "COPY " GW_GENERATE_SCHEMA ".");
    gw_engine_identifier(&sql, table);
    gw_buffer_text(&sql, " TO ");
    gw_engine_literal(&sql, gw_buffer_string(&path));
    gw_buffer_text(&sql, " (FORMAT parquet, COMPRESSION zstd)");
    if (sql.status != GW_OK || path.status != GW_OK)
        return gw_problem_set(ret_problem, GW_LIMIT, "output_failed", "The output's path is too long.", "", "");
    return run(connection, gw_buffer_string(&sql), "output_failed", "The output cannot be written.", ret_problem);
}

static gw_status write_tables(duckdb_connection connection, const char *folder, gw_problem *ret_problem) {
    duckdb_result tables;
    gw_status status = GW_OK;
    idx_t count = 0;
    if (duckdb_query(connection,
                     "SELECT table_name FROM duckdb_tables() WHERE schema_name = '" GW_GENERATE_SCHEMA "' ORDER BY 1",
                     &tables) == DuckDBSuccess)
        count = duckdb_row_count(&tables);
    for (idx_t i = 0; i < count && status == GW_OK; i++) {
        char *name = duckdb_value_varchar(&tables, 0, i);
        status = name == NULL || strchr(name, '/') != NULL ? gw_problem_set(ret_problem, GW_INVALID, "script_failed",
                                                                            "A table's name is no file's name.", "", "")
                                                           : write_table(connection, name, folder, ret_problem);
        duckdb_free(name);
    }
    duckdb_destroy_result(&tables);
    if (status == GW_OK && count == 0)
        return gw_problem_set(ret_problem, GW_INVALID, "script_failed", "The script made nothing to write.",
                              "It makes no table in the schema " GW_GENERATE_SCHEMA ".", "");
    return status;
}

gw_status gw_duckdb_generate(const char *script_path, const char *folder, gw_problem *ret_problem) {
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
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        status = gw_problem_set(ret_problem, GW_IO, "output_failed", "The output cannot be written.", "", "");
        gw_problem_why(ret_problem, "%.200s cannot be made: %s.", folder, strerror(errno));
        return status;
    }
    return write_tables(connection, folder, ret_problem);
}
