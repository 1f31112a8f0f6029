// SPDX-License-Identifier: Apache-2.0
// A ledger's beginning, and every start after it: made whole or not at all; opened only where its newest entry, the
// right edge of its tree and its last release id are what they must be.
#include "service/store/store_sqlite.h"
#include "service/base/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- create

static gw_status create_fill(store_connection *connection, const gw_entry *genesis) {
    gw_entry entry = *genesis;
    gw_store writer = {.connection = *connection};
    gw_buffer_init(&writer.scratch, GW_ENTRY_BYTES_MAX);
    gw_status status = store_entry_prepare(&writer, &entry, genesis->time);
    if (status == GW_OK)
        status = store_entry_write(&writer, &entry);
    gw_buffer_done(&writer.scratch);
    *connection = writer.connection; // with the statements prepared meanwhile
    return status;
}

static gw_status create_write(const char *path, const gw_entry *genesis, gw_problem *ret_problem) {
    store_connection connection;
    gw_status status =
        store_connection_open(&connection, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, ret_problem);
    if (status != GW_OK)
        return status;
    char header[96];
    snprintf(header, sizeof(header), "PRAGMA application_id=%d; PRAGMA user_version=%d; BEGIN;", STORE_APPLICATION_ID,
             STORE_SCHEMA_VERSION);
    bool is_made = sqlite3_exec(connection.db, header, NULL, NULL, NULL) == SQLITE_OK;
    for (size_t i = 0; is_made && store_schema[i] != NULL; i++)
        is_made = sqlite3_exec(connection.db, store_schema[i], NULL, NULL, NULL) == SQLITE_OK;
    if (!is_made)
        status = store_problem(ret_problem, GW_IO, "store_create", "The database cannot be made.", connection.db);
    if (status == GW_OK)
        status = create_fill(&connection, genesis);
    if (status == GW_OK)
        status = store_schema_note(&connection, STORE_SCHEMA_VERSION);
    if (status == GW_INVALID)
        status = gw_problem_set(ret_problem, status, "bad_entry", "The genesis entry is not one.", "", "");
    if (status == GW_OK &&
        sqlite3_exec(connection.db, "COMMIT; PRAGMA journal_mode=WAL", NULL, NULL, NULL) != SQLITE_OK)
        status = store_problem(ret_problem, GW_IO, "store_create", "The database cannot be made.", connection.db);
    store_connection_close(&connection);
    return status;
}

// A stale journal beside a new file would be played back into it.
static void create_clear(const char *path_new) {
    static const char *const endings[] = {"", "-journal", "-wal", "-shm"};
    char path[4200];
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", path_new, endings[i]);
        unlink(path);
    }
}

// Made under another name and linked to its own when whole: a crash leaves a stale `.new`, never half a ledger.
gw_status gw_store_create(const char *path, const gw_entry *genesis, gw_problem *ret_problem) {
    char path_new[4096];
    if (snprintf(path_new, sizeof(path_new), "%s.new", path) >= (int)sizeof(path_new))
        return gw_problem_set(ret_problem, GW_INVALID, "store_create", "The path is too long.", "", "");
    struct stat facts;
    if (stat(path, &facts) == 0)
        return gw_problem_set(ret_problem, GW_CONFLICT, "store_exists", "There is a ledger already.",
                              "A ledger is never made over another: what was spent would be forgotten.", "");
    if (genesis->kind != GW_ENTRY_GENESIS)
        return gw_problem_set(ret_problem, GW_INVALID, "bad_entry", "The first entry is not a genesis entry.", "", "");
    create_clear(path_new);
    gw_status status = create_write(path_new, genesis, ret_problem);
    if (status == GW_OK && chmod(path_new, 0600) != 0)
        status = gw_problem_set(ret_problem, GW_IO, "store_create", "The ledger cannot be made private.", "", "");
    if (status == GW_OK && link(path_new, path) != 0)
        status = gw_problem_set(ret_problem, GW_CONFLICT, "store_exists", "There is a ledger already.", "", "");
    create_clear(path_new);
    if (status == GW_OK && gw_file_sync_folder_of(path) != GW_OK)
        status =
            gw_problem_set(ret_problem, GW_IO, "store_create", "The folder of the ledger cannot be synced.", "", "");
    return status;
}

// ---- open

static gw_status corrupt(gw_problem *ret_problem, const char *why) {
    return gw_problem_set(ret_problem, GW_CORRUPT, "store_corrupt", "The ledger's database is damaged.", why,
                          "Restore the newest backup and run `godwitd doctor`; do not delete files.");
}

// Size, last time, and that the last entry is what its leaf says.
static gw_status open_last(gw_store *store, gw_problem *ret_problem) {
    sqlite3_stmt *row = store_use(&store->connection, SQL_ENTRY_LAST);
    if (store_step(row) != GW_OK)
        return corrupt(ret_problem, "It has no entries.");
    gw_hash leaf;
    gw_entry entry;
    gw_bytes bytes = store_column_bytes(row, 2);
    bool is_whole = store_column_hash(row, 3, &leaf) && gw_hash_equal(leaf, gw_merkle_leaf(bytes)) &&
                    gw_entry_decode(bytes, &entry, NULL) == GW_OK && entry.seq == store_column_u64(row, 0) &&
                    entry.time == sqlite3_column_int64(row, 1);
    sqlite3_reset(row);
    if (!is_whole)
        return corrupt(ret_problem, "Its last entry does not fit its hash.");
    store->edge.size = entry.seq + 1;
    store->time_last = entry.time;
    return GW_OK;
}

// The hashes of the right edge; and the tree must hold exactly the nodes that `size` entries close.
static gw_status open_edge(gw_store *store, gw_problem *ret_problem) {
    uint64_t size = store->edge.size;
    for (unsigned level = 0; level < 63; level++) {
        uint64_t closed = size >> level;
        if (level > 0) {
            sqlite3_stmt *last = store_use(&store->connection, SQL_NODE_LAST);
            store_bind_u64(last, 1, level);
            gw_status status = store_step(last);
            bool is_right =
                closed == 0 ? status == GW_NOT_FOUND : status == GW_OK && store_column_u64(last, 0) == closed - 1;
            sqlite3_reset(last);
            if (!is_right)
                return corrupt(ret_problem, "Its tree does not fit the number of its entries.");
        }
        if ((closed & 1) == 0)
            continue;
        sqlite3_stmt *row = store_use(&store->connection, level == 0 ? SQL_ENTRY_LEAF : SQL_NODE_SELECT);
        if (level > 0)
            store_bind_u64(row, 1, level);
        store_bind_u64(row, level == 0 ? 1 : 2, closed - 1);
        bool is_read = store_step(row) == GW_OK && store_column_hash(row, 0, &store->edge.edge[level]);
        sqlite3_reset(row);
        if (!is_read)
            return corrupt(ret_problem, "A node of its tree is missing.");
    }
    return GW_OK;
}

static gw_status open_release(gw_store *store, gw_problem *ret_problem) {
    sqlite3_stmt *row = store_use(&store->connection, SQL_RESTORE_LOST_SINCE);
    gw_status status = store_step(row);
    store->release_lost = status == GW_OK ? store_column_u64(row, 0) : 0;
    sqlite3_reset(row);
    if (status != GW_OK)
        return corrupt(ret_problem, "What its restores counted as lost cannot be read.");
    row = store_use(&store->connection, SQL_CHARGE_LAST);
    status = store_step(row);
    if (status == GW_NOT_FOUND)
        return GW_OK;
    char id[GW_RELEASE_ID_MAX] = "";
    unsigned long long count = 0;
    bool is_read = status == GW_OK && store_column_text(row, 0, id, sizeof(id)) &&
                   sscanf(id, "GW-%4u-%llu", &store->release_year, &count) == 2;
    sqlite3_reset(row);
    store->release_count = count;
    return is_read ? GW_OK : corrupt(ret_problem, "Its last release id cannot be read.");
}

static gw_status open_check(gw_store *store, const char *path, gw_problem *ret_problem) {
    int version;
    gw_status status = store_version_read(store->connection.db, &version, ret_problem);
    if (status == GW_OK)
        status = store_connection_guard(&store->connection, ret_problem);
    if (status == GW_OK && version != STORE_SCHEMA_VERSION)
        status = store_migrate(&store->connection, path, version, ret_problem);
    if (status == GW_OK)
        status = open_last(store, ret_problem);
    if (status == GW_OK)
        status = open_edge(store, ret_problem);
    if (status == GW_OK)
        status = open_release(store, ret_problem);
    // SQLite is silent when the folder cannot be synced; the WAL's name must be on disk before the first charge.
    if (status == GW_OK && gw_file_sync_folder_of(path) != GW_OK)
        status = gw_problem_set(ret_problem, GW_IO, "store_open", "The folder of the ledger cannot be synced.", "", "");
    return status;
}

gw_status gw_store_open(const char *path, gw_store **ret, gw_problem *ret_problem) {
    gw_store *store = calloc(1, sizeof(*store));
    if (store == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    gw_buffer_init(&store->scratch, GW_ENTRY_BYTES_MAX);
    gw_status status = store_connection_open(&store->connection, path, SQLITE_OPEN_READWRITE, ret_problem);
    if (status == GW_OK)
        status = open_check(store, path, ret_problem);
    if (status != GW_OK) {
        gw_store_close(store);
        return status;
    }
    *ret = store;
    return GW_OK;
}

void gw_store_close(gw_store *store) {
    if (store == NULL)
        return;
    if (store->is_broken) // no fsync is tried again after one failed
        sqlite3_db_config(store->connection.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    store_connection_close(&store->connection);
    gw_buffer_done(&store->scratch);
    free(store);
}
