// SPDX-License-Identifier: Apache-2.0
// Preparing costs more than running a small statement, so both databases and statements are kept, least recently used
// out first. A snapshot's file never changes, so a prepared statement never goes stale.
#include "service/engine/duckdb.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/engine/duckdb_keys.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNAPSHOTS_MAX 4u       // datasets asked in turn by one child; each holds a buffer pool
#define STATEMENTS_MAX 64u     // per snapshot; a few kilobytes each
#define ONE_THREAD_ROWS 245760 // two of the groups of rows that the engine hands to its threads

typedef struct {
    char *sql; // NULL = free
    duckdb_prepared_statement prepared;
    uint64_t used;
} held_statement;

typedef struct {
    char *path; // NULL = free
    duckdb_database database;
    duckdb_connection connection;
    held_statement statements[STATEMENTS_MAX];
    uint64_t used;
} held_snapshot;

struct gw_duckdb {
    gw_duckdb_options options;
    held_snapshot snapshots[SNAPSHOTS_MAX];
    uint64_t uses; // counts up; the stamps of last use come from it
};

static void statement_done(held_statement *statement) {
    if (statement->sql != NULL)
        duckdb_destroy_prepare(&statement->prepared);
    free(statement->sql);
    *statement = (held_statement){0};
}

static void snapshot_done(held_snapshot *snapshot) {
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        statement_done(&snapshot->statements[i]);
    duckdb_disconnect(&snapshot->connection); // accept null
    duckdb_close(&snapshot->database);
    free(snapshot->path);
    *snapshot = (held_snapshot){0};
}

gw_status gw_duckdb_new(const gw_duckdb_options *options, gw_duckdb **ret) {
    gw_duckdb *duckdb = calloc(1, sizeof(*duckdb));
    if (duckdb == NULL)
        return GW_NO_MEMORY;
    duckdb->options = *options;
    *ret = duckdb;
    return GW_OK;
}

void gw_duckdb_free(gw_duckdb *duckdb) {
    if (duckdb == NULL)
        return;
    for (size_t i = 0; i < SNAPSHOTS_MAX; i++)
        snapshot_done(&duckdb->snapshots[i]);
    free(duckdb);
}

static bool config_fill(duckdb_config config, unsigned thread_count, const gw_duckdb_options *options) {
    char threads[32], memory[32];
    snprintf(threads, sizeof(threads), "%u", thread_count);
    snprintf(memory, sizeof(memory), "%lluB", (unsigned long long)options->memory_bytes);
    const char *const settings[][2] = {
        {"access_mode", "READ_ONLY"},
        {"threads", threads},
        {"memory_limit", memory},
        {"temp_directory", ""}, // nothing of the data is ever spilled to a disk
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
        {"allow_community_extensions", "false"},
        {"enable_external_access", "false"},
        {"lock_configuration", "true"},
    };
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (duckdb_set_config(config, settings[i][0], settings[i][1]) != DuckDBSuccess)
            return false;
    return true;
}

static bool snapshot_open_with(held_snapshot *snapshot, const char *path, unsigned thread_count,
                               const gw_duckdb_options *options) {
    duckdb_config config = NULL;
    if (duckdb_create_config(&config) != DuckDBSuccess)
        return false;
    bool is_open = config_fill(config, thread_count, options) &&
                   duckdb_open_ext(path, &snapshot->database, config, NULL) == DuckDBSuccess &&
                   duckdb_connect(snapshot->database, &snapshot->connection) == DuckDBSuccess;
    duckdb_destroy_config(&config);
    return is_open;
}

// Rows of its largest table, by the file's own catalogue; 0 where it does not say.
static int64_t snapshot_rows(const held_snapshot *snapshot) {
    duckdb_result result;
    int64_t rows = 0;
    if (duckdb_query(snapshot->connection, "SELECT max(estimated_size) FROM duckdb_tables()", &result) == DuckDBSuccess)
        rows = duckdb_value_int64(&result, 0, 0);
    duckdb_destroy_result(&result);
    return rows;
}

// A small snapshot is one piece of work: waking a second thread for it costs more than it does.
static bool snapshot_open_file(held_snapshot *snapshot, const char *path, const gw_duckdb_options *options) {
    if (!snapshot_open_with(snapshot, path, 1, options))
        return false;
    if (options->threads == 1 || snapshot_rows(snapshot) < ONE_THREAD_ROWS)
        return true;
    duckdb_disconnect(&snapshot->connection);
    duckdb_close(&snapshot->database);
    return snapshot_open_with(snapshot, path, options->threads, options);
}

static gw_engine_word snapshot_find(gw_duckdb *duckdb, const char *path, held_snapshot **ret_snapshot) {
    held_snapshot *oldest = &duckdb->snapshots[0];
    for (size_t i = 0; i < SNAPSHOTS_MAX; i++) {
        held_snapshot *snapshot = &duckdb->snapshots[i];
        if (snapshot->path != NULL && strcmp(snapshot->path, path) == 0) {
            snapshot->used = ++duckdb->uses;
            *ret_snapshot = snapshot;
            return GW_WORD_OK;
        }
        if (snapshot->used < oldest->used)
            oldest = snapshot;
    }
    snapshot_done(oldest);
    if (!snapshot_open_file(oldest, path, &duckdb->options)) {
        snapshot_done(oldest);
        return GW_WORD_SNAPSHOT;
    }
    oldest->path = strdup(path);
    if (oldest->path == NULL) {
        snapshot_done(oldest);
        return GW_WORD_MEMORY;
    }
    oldest->used = ++duckdb->uses;
    *ret_snapshot = oldest;
    return GW_WORD_OK;
}

static gw_engine_word statement_prepare(held_snapshot *snapshot, held_statement *statement, const char *sql) {
    gw_engine_word word = GW_WORD_PREPARE;
    duckdb_prepared_statement prepared = NULL;
    if (duckdb_prepare(snapshot->connection, sql, &prepared) == DuckDBSuccess &&
        duckdb_prepared_statement_type(prepared) == DUCKDB_STATEMENT_TYPE_SELECT) {
        statement->sql = strdup(sql);
        word = statement->sql != NULL ? GW_WORD_OK : GW_WORD_MEMORY;
    } else {
        // Made before any row is read, from the statement and the schema alone; goes to /dev/null outside sanitized
        // builds.
        const char *error = duckdb_prepare_error(prepared);
        fprintf(stderr, "godwit-engine: not prepared: %s\n", error != NULL ? error : "not one SELECT");
    }
    if (word == GW_WORD_OK)
        statement->prepared = prepared;
    else
        duckdb_destroy_prepare(&prepared);
    return word;
}

static gw_engine_word statement_find(gw_duckdb *duckdb, held_snapshot *snapshot, const char *sql,
                                     duckdb_prepared_statement *ret_prepared) {
    held_statement *oldest = &snapshot->statements[0];
    held_statement *found = NULL;
    for (size_t i = 0; i < STATEMENTS_MAX && found == NULL; i++) {
        held_statement *statement = &snapshot->statements[i];
        if (statement->sql != NULL && strcmp(statement->sql, sql) == 0)
            found = statement;
        else if (statement->used < oldest->used)
            oldest = statement;
    }
    if (found == NULL) {
        statement_done(oldest);
        gw_engine_word word = statement_prepare(snapshot, oldest, sql);
        if (word != GW_WORD_OK)
            return word;
        found = oldest;
    }
    found->used = ++duckdb->uses;
    *ret_prepared = found->prepared;
    return GW_WORD_OK;
}

static gw_engine_word statement_bind(duckdb_prepared_statement prepared, const gw_engine_statement *statement) {
    if (duckdb_nparams(prepared) != statement->param_count)
        return GW_WORD_SHAPE;
    for (size_t i = 0; i < statement->param_count; i++)
        if (duckdb_bind_int64(prepared, i + 1, statement->params[i]) != DuckDBSuccess)
            return GW_WORD_SHAPE;
    return GW_WORD_OK;
}

// One integer of a column, whatever its width. False for a type that is no integer.
static bool value_read(duckdb_type type, const void *data, size_t row, gw_int128 *ret_value) {
    switch (type) {
    case DUCKDB_TYPE_TINYINT:
        *ret_value = ((const int8_t *)data)[row];
        return true;
    case DUCKDB_TYPE_SMALLINT:
        *ret_value = ((const int16_t *)data)[row];
        return true;
    case DUCKDB_TYPE_INTEGER:
        *ret_value = ((const int32_t *)data)[row];
        return true;
    case DUCKDB_TYPE_BIGINT:
        *ret_value = ((const int64_t *)data)[row];
        return true;
    case DUCKDB_TYPE_UTINYINT:
        *ret_value = ((const uint8_t *)data)[row];
        return true;
    case DUCKDB_TYPE_USMALLINT:
        *ret_value = ((const uint16_t *)data)[row];
        return true;
    case DUCKDB_TYPE_UINTEGER:
        *ret_value = ((const uint32_t *)data)[row];
        return true;
    case DUCKDB_TYPE_UBIGINT:
        *ret_value = (gw_int128)((const uint64_t *)data)[row];
        return true;
    case DUCKDB_TYPE_HUGEINT: {
        duckdb_hugeint value = ((const duckdb_hugeint *)data)[row];
        *ret_value = (gw_int128)((gw_uint128)(uint64_t)value.upper << 64 | value.lower);
        return true;
    }
    default: // DuckDB's enumeration, of which only the integers are ours
        return false;
    }
}

typedef struct {
    duckdb_type types[1 + GW_PARTS_MAX];
    const void *data[1 + GW_PARTS_MAX];
    uint64_t *validity[1 + GW_PARTS_MAX];
} chunk_columns;

static gw_engine_word chunk_copy(duckdb_data_chunk chunk, chunk_columns *columns, uint8_t *is_seen,
                                 gw_exact_table *table) {
    for (size_t i = 0; i <= table->part_count; i++) {
        duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, i);
        columns->data[i] = duckdb_vector_get_data(vector);
        columns->validity[i] = duckdb_vector_get_validity(vector);
    }
    size_t row_count = duckdb_data_chunk_get_size(chunk);
    for (size_t row = 0; row < row_count; row++) {
        gw_int128 cell = -1;
        if (!duckdb_validity_row_is_valid(columns->validity[0], row) ||
            !value_read(columns->types[0], columns->data[0], row, &cell) || cell < 0 ||
            cell >= (gw_int128)table->cell_count || is_seen[cell])
            return GW_WORD_SHAPE;
        is_seen[cell] = 1;
        gw_int128 *parts = table->values + (size_t)cell * table->part_count;
        for (size_t i = 0; i < table->part_count; i++)
            if (duckdb_validity_row_is_valid(columns->validity[i + 1], row) && // NULL: the sum of no rows
                !value_read(columns->types[i + 1], columns->data[i + 1], row, &parts[i]))
                return GW_WORD_SHAPE;
    }
    return GW_WORD_OK;
}

static gw_engine_word result_copy(duckdb_result *result, gw_exact_table *table) {
    chunk_columns columns = {0};
    if (duckdb_column_count(result) != table->part_count + 1)
        return GW_WORD_SHAPE;
    for (size_t i = 0; i <= table->part_count; i++)
        columns.types[i] = duckdb_column_type(result, i);
    GW_CLEANUP(gw_freep) uint8_t *is_seen = calloc(table->cell_count, 1);
    if (is_seen == NULL)
        return GW_WORD_MEMORY;
    gw_engine_word word = GW_WORD_OK;
    for (duckdb_data_chunk chunk; word == GW_WORD_OK && (chunk = duckdb_fetch_chunk(*result)) != NULL;) {
        word = chunk_copy(chunk, &columns, is_seen, table);
        duckdb_destroy_data_chunk(&chunk);
    }
    return word;
}

// Runs the statement; the caller destroys the result, whatever the word.
static gw_engine_word statement_execute(gw_duckdb *duckdb, const gw_engine_statement *statement,
                                        duckdb_result *ret_result) {
    held_snapshot *snapshot = NULL;
    duckdb_prepared_statement prepared = NULL;
    *ret_result = (duckdb_result){0};
    gw_engine_word word = snapshot_find(duckdb, statement->snapshot, &snapshot);
    if (word == GW_WORD_OK)
        word = statement_find(duckdb, snapshot, statement->sql, &prepared);
    if (word == GW_WORD_OK)
        word = statement_bind(prepared, statement);
    if (word == GW_WORD_OK && duckdb_execute_prepared(prepared, ret_result) != DuckDBSuccess)
        word = GW_WORD_EXECUTE;
    return word;
}

gw_engine_word gw_duckdb_measure(gw_duckdb *duckdb, const gw_engine_statement *statement, gw_exact_table *table) {
    GW_ASSERT(statement->cell_count == table->cell_count);
    GW_ASSERT(statement->part_count == table->part_count);
    duckdb_result result;
    gw_engine_word word = statement_execute(duckdb, statement, &result);
    if (word == GW_WORD_OK)
        word = result_copy(&result, table);
    duckdb_destroy_result(&result);
    return word;
}

gw_engine_word gw_duckdb_measure_keys(gw_duckdb *duckdb, const gw_engine_statement *statement, gw_exact_keys *keys) {
    GW_ASSERT(statement->cell_count == keys->slot_count);
    GW_ASSERT(statement->key_bytes + 1 == keys->text_size);
    duckdb_result result;
    gw_engine_word word = statement_execute(duckdb, statement, &result);
    if (word == GW_WORD_OK)
        word = gw_duckdb_copy_keys(&result, keys);
    duckdb_destroy_result(&result);
    return word;
}
