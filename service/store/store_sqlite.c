// SPDX-License-Identifier: Apache-2.0
// Connections to SQLite: opened with every safety it has, each setting read back, statements prepared once. SQLite's
// silence about a setting it did not take is the reason for reading back.
#include "service/store/store_sqlite.h"
#include "service/base/cleanup.h"
#include <stdio.h>
#include <string.h>

#define BUSY_MS 10000   // readers wait for a checkpoint, never for a commit
#define SETTING_MS 1000 // a setting that another connection holds up is refused soon
#define CHECKPOINT_PAGES "2000"

typedef struct {
    const char *set;
    const char *get;
    const char *expected;
} pragma_rule;

static const pragma_rule writer_pragmas[] = {
    {"PRAGMA journal_mode=WAL", "PRAGMA journal_mode", "wal"},
    {"PRAGMA synchronous=FULL", "PRAGMA synchronous", "2"},
    {"PRAGMA foreign_keys=ON", "PRAGMA foreign_keys", "1"},
    {"PRAGMA trusted_schema=OFF", "PRAGMA trusted_schema", "0"},
    {"PRAGMA cell_size_check=ON", "PRAGMA cell_size_check", "1"},
    {"PRAGMA mmap_size=0", "PRAGMA mmap_size", "0"},
    {"PRAGMA temp_store=MEMORY", "PRAGMA temp_store", "2"},
    {"PRAGMA wal_autocheckpoint=" CHECKPOINT_PAGES, "PRAGMA wal_autocheckpoint", CHECKPOINT_PAGES},
};

gw_status store_problem(gw_problem *ret_problem, gw_status status, const char *code, const char *what, sqlite3 *db) {
    gw_ignore(gw_problem_set(ret_problem, status, code, what, "", "")); // returns `status`
    if (db != NULL)
        gw_problem_why(ret_problem, "The database says: %s.", sqlite3_errmsg(db));
    return status;
}

static gw_status status_of(int result) {
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
        return GW_OK;
    case SQLITE_DONE:
        return GW_NOT_FOUND;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return GW_CORRUPT;
    case SQLITE_NOMEM:
        return GW_NO_MEMORY;
    case SQLITE_CONSTRAINT: // the tables refuse what our own code should have refused
    case SQLITE_MISUSE:
        return GW_INTERNAL;
    default:
        return GW_IO;
    }
}

// True when the statement's first column is `expected`. A PRAGMA without an answer is refused as well.
static bool pragma_is(sqlite3 *db, const char *sql, const char *expected) {
    sqlite3_stmt *statement = NULL;
    bool is_right = false;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        is_right = text != NULL && strcmp(text, expected) == 0;
    }
    sqlite3_finalize(statement);
    return is_right;
}

static gw_status pragmas_set(sqlite3 *db, const pragma_rule *rules, size_t count, gw_problem *ret_problem) {
    for (size_t i = 0; i < count; i++) {
        sqlite3_exec(db, rules[i].set, NULL, NULL, NULL); // judged by what is read back
        if (pragma_is(db, rules[i].get, rules[i].expected))
            continue;
        gw_status status = gw_problem_set(ret_problem, GW_UNAVAILABLE, "store_setting", "", "", "");
        gw_problem_what(ret_problem, "The database does not take the setting \"%s\".", rules[i].set);
        gw_problem_why(ret_problem, "Without it a charge could be lost. Another program may hold the database open.");
        return status;
    }
    return GW_OK;
}

bool store_settings_say(sqlite3 *db, char *ret, size_t size) {
    bool is_taken = true;
    size_t used = 0;
    ret[0] = '\0';
    for (size_t i = 1; i < sizeof(writer_pragmas) / sizeof(writer_pragmas[0]); i++) { // but the journal's mode
        sqlite3_stmt *statement = NULL;
        const char *value = "?";
        sqlite3_exec(db, writer_pragmas[i].set, NULL, NULL, NULL); // judged by what is read back
        if (sqlite3_prepare_v2(db, writer_pragmas[i].get, -1, &statement, NULL) == SQLITE_OK &&
            sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0) != NULL)
            value = (const char *)sqlite3_column_text(statement, 0);
        is_taken = is_taken && strcmp(value, writer_pragmas[i].expected) == 0;
        int length = snprintf(ret + used, size - used, "%s%s=%s", i > 1 ? " " : "",
                              writer_pragmas[i].get + strlen("PRAGMA "), value);
        used += length > 0 && (size_t)length < size - used ? (size_t)length : 0;
        sqlite3_finalize(statement);
    }
    return is_taken;
}

gw_status store_connection_guard(store_connection *connection, gw_problem *ret_problem) {
    int defensive = 0, persist = 1;
    if (sqlite3_db_config(connection->db, SQLITE_DBCONFIG_DEFENSIVE, 1, &defensive) != SQLITE_OK || defensive != 1)
        return store_problem(ret_problem, GW_UNAVAILABLE, "store_setting", "The database does not take DEFENSIVE.",
                             NULL);
    sqlite3_busy_timeout(connection->db, SETTING_MS);
    gw_status status =
        pragmas_set(connection->db, writer_pragmas, sizeof(writer_pragmas) / sizeof(writer_pragmas[0]), ret_problem);
    sqlite3_busy_timeout(connection->db, BUSY_MS);
    if (status != GW_OK)
        return status;
    // The WAL file stays when the last connection closes, so its directory entry is synced once and for all.
    sqlite3_file_control(connection->db, NULL, SQLITE_FCNTL_PERSIST_WAL, &persist);
    persist = -1; // asks
    sqlite3_file_control(connection->db, NULL, SQLITE_FCNTL_PERSIST_WAL, &persist);
    if (persist != 1)
        return store_problem(ret_problem, GW_UNAVAILABLE, "store_setting", "The database does not keep its WAL.", NULL);
    return GW_OK;
}

gw_status store_connection_open(store_connection *connection, const char *path, int flags, gw_problem *ret_problem) {
    *connection = (store_connection){0};
    if (sqlite3_open_v2(path, &connection->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL) != SQLITE_OK) {
        gw_status status =
            store_problem(ret_problem, GW_IO, "store_open", "The ledger's database cannot be opened.", connection->db);
        store_connection_close(connection);
        return status;
    }
    sqlite3_extended_result_codes(connection->db, 1);
    sqlite3_busy_timeout(connection->db, BUSY_MS);
    return GW_OK;
}

void store_connection_close(store_connection *connection) {
    for (size_t i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(connection->statements[i]);
    sqlite3_close(connection->db);
    *connection = (store_connection){0};
}

sqlite3_stmt *store_use(store_connection *connection, store_sql sql) {
    sqlite3_stmt **statement = &connection->statements[sql];
    if (*statement == NULL)
        sqlite3_prepare_v3(connection->db, store_statements[sql], -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
    else
        sqlite3_reset(*statement);
    return *statement;
}

gw_status store_step(sqlite3_stmt *statement) {
    if (statement == NULL)
        return GW_IO;
    gw_status status = status_of(sqlite3_step(statement));
    if (status != GW_OK)
        sqlite3_reset(statement);
    return status;
}

gw_status store_run(sqlite3_stmt *statement) {
    gw_status status;
    while ((status = store_step(statement)) == GW_OK)
        continue;
    return status == GW_NOT_FOUND ? GW_OK : status;
}

void store_bind_u64(sqlite3_stmt *statement, int at, uint64_t value) {
    GW_ASSERT(value <= INT64_MAX);
    sqlite3_bind_int64(statement, at, (int64_t)value);
}

void store_bind_text(sqlite3_stmt *statement, int at, const char *text) {
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

void store_bind_bytes(sqlite3_stmt *statement, int at, gw_bytes bytes) {
    // An empty blob is a value; a NULL pointer would bind NULL.
    sqlite3_bind_blob64(statement, at, bytes.size == 0 ? "" : (const void *)bytes.data, bytes.size, SQLITE_STATIC);
}

void store_bind_hash(sqlite3_stmt *statement, int at, const gw_hash *hash) {
    sqlite3_bind_blob(statement, at, hash->bytes, GW_HASH_SIZE, SQLITE_STATIC);
}

void store_bind_id(sqlite3_stmt *statement, int at, const char *id) {
    uint8_t bytes[GW_ID_SIZE];
    if (gw_unhex(id, strnlen(id, GW_ID_HEX), bytes, sizeof(bytes)))
        sqlite3_bind_blob(statement, at, bytes, sizeof(bytes), SQLITE_TRANSIENT);
    else
        sqlite3_bind_null(statement, at);
}

uint64_t store_column_u64(sqlite3_stmt *statement, int at) {
    sqlite3_int64 value = sqlite3_column_int64(statement, at);
    return value < 0 ? UINT64_MAX
                     : (uint64_t)value; // the tables hold none below zero; one that is means no budget left
}

gw_bytes store_column_bytes(sqlite3_stmt *statement, int at) {
    const void *data = sqlite3_column_blob(statement, at);
    return (gw_bytes){.data = data, .size = data == NULL ? 0 : (size_t)sqlite3_column_bytes(statement, at)};
}

bool store_column_hash(sqlite3_stmt *statement, int at, gw_hash *ret) {
    gw_bytes bytes = store_column_bytes(statement, at);
    if (bytes.size != GW_HASH_SIZE)
        return false;
    memcpy(ret->bytes, bytes.data, GW_HASH_SIZE);
    return true;
}

bool store_column_id(sqlite3_stmt *statement, int at, char ret[GW_ID_HEX]) {
    gw_bytes bytes = store_column_bytes(statement, at);
    if (bytes.size != GW_ID_SIZE)
        return false;
    gw_hex(bytes, ret);
    return true;
}

bool store_column_text(sqlite3_stmt *statement, int at, char *ret, size_t size) {
    const char *text = (const char *)sqlite3_column_text(statement, at);
    size_t length = text == NULL ? size : (size_t)sqlite3_column_bytes(statement, at);
    if (length >= size)
        return false;
    memcpy(ret, text, length + 1);
    return true;
}
