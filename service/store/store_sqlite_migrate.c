// SPDX-License-Identifier: Apache-2.0
// From an older version of the tables to this program's. First a whole copy is on disk under its own name; then all
// steps run in one transaction. A crash before the commit leaves the old version (and perhaps the copy), one after it
// the new version: either is opened by the next start.
#include "service/store/store_sqlite.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/base/log.h"
#include "service/store/durable.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4200
#define ROOM_BESIDES (16u << 20) // for the journal's own pages and what others write meanwhile

static bool number_read(sqlite3 *db, const char *sql, int64_t *ret) {
    sqlite3_stmt *statement = NULL;
    bool is_read =
        sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW;
    if (is_read)
        *ret = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return is_read;
}

gw_status store_version_read(sqlite3 *db, int *ret_version, gw_problem *ret_problem) {
    int64_t application = 0, version = 0;
    if (!number_read(db, "PRAGMA application_id", &application) || application != STORE_APPLICATION_ID)
        return gw_problem_set(ret_problem, GW_INVALID, "store_foreign", "This file is not a Godwit ledger.", "", "");
    if (!number_read(db, "PRAGMA user_version", &version) || version < 1 || version > STORE_SCHEMA_VERSION) {
        gw_problem_set(ret_problem, GW_INVALID, "store_newer", "The ledger was written by a newer version of Godwit.",
                       "",
                       "Install the version that wrote it, or a newer one. Going back to an older copy of the ledger "
                       "would forget what was spent since.");
        gw_problem_why(ret_problem, "Its tables are of version %lld; this program knows up to %d.", (long long)version,
                       STORE_SCHEMA_VERSION);
        return GW_INVALID;
    }
    *ret_version = (int)version;
    return GW_OK;
}

// ---- the copy

static gw_status copy_problem(gw_problem *ret_problem, const char *path, const char *why) {
    gw_problem_set(ret_problem, GW_IO, "store_copy", "The ledger cannot be copied before it is changed.", why, "");
    gw_problem_mend(ret_problem, "Make %.200s writable; nothing was changed.", path);
    return GW_IO;
}

static gw_status room_check(sqlite3 *db, const char *path, gw_problem *ret_problem) {
    int64_t pages = 0, page_bytes = 0;
    uint64_t room = 0;
    char folder[PATH_BYTES];
    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        *slash = '\0';
    if (!number_read(db, "PRAGMA page_count", &pages) || !number_read(db, "PRAGMA page_size", &page_bytes) ||
        gw_durable_free_bytes(slash != NULL ? folder : ".", &room) != GW_OK)
        return copy_problem(ret_problem, path, "Its size or the free space cannot be read.");
    // Once for the copy, once for the journal, where every page may be written again.
    uint64_t needed = 2 * (uint64_t)pages * (uint64_t)page_bytes + ROOM_BESIDES;
    if (room >= needed)
        return GW_OK;
    gw_problem_set(ret_problem, GW_UNAVAILABLE, "disk_full", "There is no room to bring the ledger to this version.",
                   "", "");
    gw_problem_why(ret_problem, "A copy is kept before anything changes: that needs %llu MB, and %llu MB are free.",
                   (unsigned long long)(needed >> 20), (unsigned long long)(room >> 20));
    gw_problem_mend(ret_problem, "Free %llu MB on the disk of the state folder, then start again.",
                    (unsigned long long)((needed - room) >> 20) + 1);
    return GW_UNAVAILABLE;
}

static bool copy_pages(sqlite3 *db, const char *path_new) {
    sqlite3 *target = NULL;
    bool is_copied = false;
    if (sqlite3_open_v2(path_new, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL) == SQLITE_OK) {
        sqlite3_backup *backup = sqlite3_backup_init(target, "main", db, "main");
        if (backup != NULL) {
            is_copied = sqlite3_backup_step(backup, -1) == SQLITE_DONE;
            is_copied = sqlite3_backup_finish(backup) == SQLITE_OK && is_copied;
        }
    }
    return sqlite3_close(target) == SQLITE_OK && is_copied;
}

static bool file_sync(const char *path) {
    GW_CLEANUP(gw_closep) int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return descriptor >= 0 && fsync(descriptor) == 0;
}

// The copy has its name only when it is whole and on disk. One left by an attempt that did not commit is replaced.
static gw_status copy_keep(sqlite3 *db, const char *path, int version, char ret_copy[PATH_BYTES],
                           gw_problem *ret_problem) {
    char path_new[PATH_BYTES + 8];
    snprintf(ret_copy, PATH_BYTES, "%.4000s.v%d", path, version);
    snprintf(path_new, sizeof(path_new), "%s.new", ret_copy);
    gw_status status = room_check(db, path, ret_problem);
    if (status != GW_OK)
        return status;
    unlink(path_new);
    GW_CLEANUP(gw_closep) int descriptor = open(path_new, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return copy_problem(ret_problem, path_new, "The copy cannot be made.");
    if (!copy_pages(db, path_new) || !file_sync(path_new) || rename(path_new, ret_copy) != 0) {
        unlink(path_new);
        return copy_problem(ret_problem, path_new, "The copy cannot be written.");
    }
    if (gw_file_sync_folder_of(path) != GW_OK)
        return copy_problem(ret_problem, path, "Its folder cannot be synced.");
    return GW_OK;
}

// ---- the steps

gw_status store_schema_note(store_connection *connection, int version) {
    sqlite3_stmt *row = store_use(connection, SQL_SCHEMA_CHANGE);
    store_bind_u64(row, 1, (uint64_t)version);
    store_bind_text(row, 2, "godwitd " GW_VERSION);
    return store_run(row);
}

static const store_migration *step_from(int version) {
    for (const store_migration *step = store_migrations; step->to != 0; step++)
        if (step->from == version)
            return step;
    return NULL;
}

static gw_status step_run(store_connection *connection, const store_migration *step) {
    char sql[64];
    for (size_t i = 0; step->sql[i] != NULL; i++)
        if (sqlite3_exec(connection->db, step->sql[i], NULL, NULL, NULL) != SQLITE_OK)
            return GW_IO;
    gw_status status = step->fill == NULL ? GW_OK : step->fill(connection);
    if (status != GW_OK)
        return status;
    snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", step->to);
    if (sqlite3_exec(connection->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return GW_IO;
    return store_schema_note(connection, step->to);
}

static gw_status steps_run(store_connection *connection, int version) {
    while (version != STORE_SCHEMA_VERSION) {
        const store_migration *step = step_from(version);
        GW_ASSERT(step != NULL); // every version that was ever written has its step
        gw_status status = step_run(connection, step);
        if (status != GW_OK)
            return status;
        version = step->to;
    }
    return GW_OK;
}

gw_status store_migrate(store_connection *connection, const char *path, int version, gw_problem *ret_problem) {
    char copy[PATH_BYTES], from[16], to[16];
    gw_status status = copy_keep(connection->db, path, version, copy, ret_problem);
    if (status != GW_OK)
        return status;
    status = store_run(store_use(connection, SQL_BEGIN));
    if (status == GW_OK)
        status = steps_run(connection, version);
    if (status == GW_OK)
        status = store_run(store_use(connection, SQL_COMMIT));
    if (status != GW_OK) {
        store_problem(ret_problem, GW_IO, "store_migration", "The ledger cannot be brought to this version.",
                      connection->db);
        gw_problem_mend(ret_problem, "It is as it was; a copy is %.220s. Start the older version again.", copy);
        gw_ignore(store_run(store_use(connection, SQL_ROLLBACK))); // closing the connection does the same
        return GW_IO;
    }
    snprintf(from, sizeof(from), "%d", version);
    snprintf(to, sizeof(to), "%d", STORE_SCHEMA_VERSION);
    gw_log(GW_LOG_INFO, "store_migrated", "from", from, "to", to, "copy", copy, NULL);
    return GW_OK;
}

// ---- from outside

static void examine_pages(sqlite3 *db, gw_store_facts *facts) {
    sqlite3_stmt *statement = NULL;
    const char *text = "";
    if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        text = (const char *)sqlite3_column_text(statement, 0);
    facts->is_whole = text != NULL && strcmp(text, "ok") == 0;
    if (!facts->is_whole)
        snprintf(facts->trouble, sizeof(facts->trouble), "%s", text != NULL && *text ? text : sqlite3_errmsg(db));
    sqlite3_finalize(statement);
}

static bool is_wal(sqlite3 *db) {
    sqlite3_stmt *statement = NULL;
    bool is_so = sqlite3_prepare_v2(db, "PRAGMA journal_mode", -1, &statement, NULL) == SQLITE_OK &&
                 sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0) != NULL &&
                 strcmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
    sqlite3_finalize(statement);
    return is_so;
}

static uint64_t wal_bytes_of(const char *path) {
    char wal[4096];
    struct stat file;
    snprintf(wal, sizeof(wal), "%s-wal", path);
    return stat(wal, &file) == 0 ? (uint64_t)file.st_size : 0;
}

gw_status gw_store_examine(const char *path, gw_store_facts *ret, gw_problem *ret_problem) {
    store_connection connection;
    int64_t application = 0, version = 0;
    struct stat file;
    gw_store_facts facts = {.version_known = STORE_SCHEMA_VERSION};
    gw_status status = store_connection_open(&connection, path, SQLITE_OPEN_READONLY, ret_problem);
    if (status != GW_OK)
        return status;
    if (!number_read(connection.db, "PRAGMA application_id", &application) || application != STORE_APPLICATION_ID ||
        !number_read(connection.db, "PRAGMA user_version", &version))
        status =
            store_problem(ret_problem, GW_INVALID, "store_foreign", "This file is not a Godwit ledger.", connection.db);
    if (status == GW_OK) {
        facts.version = (int)version;
        facts.is_wal = is_wal(connection.db);
        facts.bytes = stat(path, &file) == 0 ? (uint64_t)file.st_size : 0;
        facts.wal_bytes = wal_bytes_of(path);
        facts.are_settings_taken = store_settings_say(connection.db, facts.settings, sizeof(facts.settings));
        examine_pages(connection.db, &facts);
        *ret = facts;
    }
    store_connection_close(&connection);
    return status;
}
