// SPDX-License-Identifier: Apache-2.0
// Whole copies of a database, from under a running daemon or not. SQLite's backup sees one committed state, journal and
// all; a file copied without its journal would miss what was committed last, and so give budget back.
#include "service/store/store_sqlite.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define PATH_BYTES 4200

static gw_status copy_failed(gw_problem *ret_problem, const char *path, const char *why) {
    gw_status status = gw_problem_set(ret_problem, GW_IO, "store_copy", "The ledger cannot be copied.", why, "");
    gw_problem_mend(ret_problem, "Look for room and rights at %.250s.", path);
    return status;
}

static bool pages_copy(sqlite3 *from, sqlite3 *to) {
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (backup == NULL)
        return false;
    bool is_copied = sqlite3_backup_step(backup, -1) == SQLITE_DONE;
    return sqlite3_backup_finish(backup) == SQLITE_OK && is_copied;
}

// One file: readers of a folder nobody may write to need no journal beside it.
static bool copy_write(sqlite3 *from, const char *path) {
    sqlite3 *to = NULL;
    bool is_written = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL) == SQLITE_OK &&
                      pages_copy(from, to) &&
                      sqlite3_exec(to, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) == SQLITE_OK;
    return sqlite3_close(to) == SQLITE_OK && is_written;
}

static bool file_sync(const char *path) {
    GW_CLEANUP(gw_closep) int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return descriptor >= 0 && fsync(descriptor) == 0;
}

gw_status gw_store_copy(const char *path, const char *to, gw_problem *ret_problem) {
    char path_new[PATH_BYTES];
    store_connection connection;
    int version;
    if (snprintf(path_new, sizeof(path_new), "%s.new", to) >= (int)sizeof(path_new))
        return copy_failed(ret_problem, to, "The path is too long.");
    gw_status status = store_connection_open(&connection, path, SQLITE_OPEN_READONLY, ret_problem);
    if (status == GW_OK) {
        status = store_version_read(connection.db, &version, ret_problem);
        unlink(path_new);
        GW_CLEANUP(gw_closep) int made = open(path_new, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (status == GW_OK && made < 0)
            status = copy_failed(ret_problem, path_new, "The copy cannot be made.");
        if (status == GW_OK && (!copy_write(connection.db, path_new) || !file_sync(path_new)))
            status = copy_failed(ret_problem, path_new, "The copy cannot be written.");
        if (status == GW_OK && rename(path_new, to) != 0)
            status = copy_failed(ret_problem, to, "The copy cannot be given its name.");
        if (status != GW_OK)
            unlink(path_new);
        store_connection_close(&connection);
    }
    if (status == GW_OK && gw_file_sync_folder_of(to) != GW_OK)
        status = copy_failed(ret_problem, to, "The copy's folder cannot be synced.");
    return status;
}

gw_status gw_store_settle(const char *path, gw_problem *ret_problem) {
    store_connection connection;
    gw_status status = store_connection_open(&connection, path, SQLITE_OPEN_READWRITE, ret_problem);
    if (status != GW_OK)
        return status;
    int pages_left = -1, pages_moved = -1;
    if (sqlite3_wal_checkpoint_v2(connection.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &pages_left, &pages_moved) !=
        SQLITE_OK)
        status =
            store_problem(ret_problem, GW_IO, "store_copy", "The ledger's journal cannot be emptied.", connection.db);
    store_connection_close(&connection);
    return status;
}
