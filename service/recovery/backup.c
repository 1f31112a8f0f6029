// SPDX-License-Identifier: Apache-2.0
// Order: the checkpoint first, then the ledger, which holds at least that tree; then everything public from the copy of
// the ledger, so that the parts fit each other whatever the daemon does meanwhile. The whole is made under another
// name, synced, checked, and renamed.
#include "service/recovery/backup.h"
#include "service/audit/publish.h"
#include "service/audit/verify.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/ledger/ledger_replay.h"
#include "service/recovery/manifest.h"
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATH_SIZE 4352u
#define NOTE_BYTES_MAX 65536u
#define SMALL_BYTES_MAX (4u << 20) // settings, profiles, keys
#define COPY_BYTES 262144u
#define UNFINISHED ".godwit-unfinished" // removed before the next attempt: nobody else's folder may be called that
#define PUBLISHED_TRIES 20              // of 50 ms
#define PUBLISHED_WAIT_NS 50000000

GW_DEFINE_FREEP(gw_store_reader, gw_store_reader_close)

static gw_status write_failed(gw_problem *ret_problem, const char *path) {
    gw_status status = gw_problem_set(ret_problem, GW_IO, "backup_write", "The backup cannot be written.", "",
                                      "Make room, or choose another folder; nothing was changed.");
    gw_problem_why(ret_problem, "%.300s", path);
    return status;
}

// ---- files

static gw_status bytes_copy(int from, int to) {
    GW_CLEANUP(gw_freep) char *bytes = malloc(COPY_BYTES);
    ssize_t size = bytes == NULL ? -1 : 1;
    while (size > 0 && (size = read(from, bytes, COPY_BYTES)) > 0)
        for (ssize_t at = 0, count; at < size; at += count)
            if ((count = write(to, bytes + at, (size_t)(size - at))) <= 0)
                return GW_IO;
    return size == 0 ? GW_OK : GW_IO;
}

// With the mode it has, for its owner alone at most where it is private. Synced by the manifest.
static gw_status file_copy(const char *from, const char *to, gw_problem *ret_problem) {
    struct stat facts;
    GW_CLEANUP(gw_closep) int source = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (source < 0 || fstat(source, &facts) != 0)
        return write_failed(ret_problem, from);
    GW_CLEANUP(gw_closep)
    int made = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, facts.st_mode & 0700);
    return made >= 0 && bytes_copy(source, made) == GW_OK ? GW_OK : write_failed(ret_problem, to);
}

static bool ends_with(const char *name, const char *ending) {
    size_t size = strlen(name), tail = strlen(ending);
    return size >= tail && strcmp(name + size - tail, ending) == 0;
}

// The files of one folder, and below it, that `is_wanted` takes. A folder that is not there has none.
static gw_status folder_copy(const char *from, const char *to, bool (*is_wanted)(const char *name), unsigned depth,
                             gw_problem *ret_problem) {
    DIR *folder = opendir(from);
    struct dirent *item;
    gw_status status = folder == NULL ? GW_OK : gw_folder_make(to, 0700, ret_problem);
    while (status == GW_OK && folder != NULL && (item = readdir(folder)) != NULL) {
        char source[PATH_SIZE], target[PATH_SIZE];
        struct stat facts;
        if (item->d_name[0] == '.')
            continue;
        snprintf(source, sizeof(source), "%.4000s/%s", from, item->d_name);
        snprintf(target, sizeof(target), "%.4000s/%s", to, item->d_name);
        if (lstat(source, &facts) != 0)
            status = write_failed(ret_problem, source);
        else if (S_ISDIR(facts.st_mode) && depth > 0)
            status = folder_copy(source, target, is_wanted, depth - 1, ret_problem);
        else if (S_ISREG(facts.st_mode) && is_wanted(item->d_name))
            status = file_copy(source, target, ret_problem);
    }
    if (folder != NULL)
        closedir(folder);
    return status;
}

static bool is_public_profile(const char *name) {
    return ends_with(name, ".json") || ends_with(name, ".pub");
}

static bool is_key(const char *name) {
    return ends_with(name, ".key");
}

static bool is_data(const char *name) {
    return ends_with(name, ".duckdb") || ends_with(name, ".layout"); // not what a load leaves unfinished
}

// ---- parts

typedef struct {
    const backup_options *options;
    char folder[PATH_SIZE]; // under the other name
    char database[PATH_SIZE];
    gw_buffer note;
    gw_problem *problem;
} backup_run;

static void path_of(char path[PATH_SIZE], const char *folder, const char *name) {
    snprintf(path, PATH_SIZE, "%.4000s/%s", folder, name);
}

static gw_status policy_write(void *state, gw_hash file, bool is_in_force, gw_bytes text) {
    backup_run *run = state;
    char hex[GW_HASH_HEX], name[GW_HASH_HEX + 16], path[PATH_SIZE];
    (void)is_in_force;
    if (text.size == 0) // lost with an earlier restore
        return GW_OK;
    gw_hex((gw_bytes){file.bytes, GW_HASH_SIZE}, hex);
    snprintf(name, sizeof(name), "policies/%s.json", hex);
    path_of(path, run->folder, name);
    return gw_file_replace(path, text, 0600, run->problem);
}

static gw_status policies_write(backup_run *run) {
    GW_CLEANUP(gw_store_reader_freep) gw_store_reader *reader = NULL;
    char path[PATH_SIZE];
    path_of(path, run->folder, "policies");
    gw_status status = gw_folder_make(path, 0700, run->problem);
    if (status == GW_OK)
        status = gw_store_reader_open(run->database, &reader, run->problem);
    return status == GW_OK ? gw_store_policies(reader, policy_write, run) : status;
}

static gw_status public_write(backup_run *run) {
    char log[PATH_SIZE], questions[PATH_SIZE];
    path_of(log, run->folder, "log");
    path_of(questions, run->folder, "questions");
    gw_status status = gw_publish_anew(run->database, log, questions, gw_buffer_bytes(&run->note), run->problem);
    return status == GW_OK ? policies_write(run) : status;
}

static gw_status settings_write(backup_run *run) {
    static const char *const names[] = {"config.json", "indicators"};
    char from[PATH_SIZE], to[PATH_SIZE];
    gw_status status = GW_OK;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && status == GW_OK; i++) {
        path_of(from, run->options->state_folder, names[i]);
        path_of(to, run->folder, names[i]);
        if (access(from, F_OK) == 0)
            status = file_copy(from, to, run->problem);
    }
    path_of(from, run->options->state_folder, "profiles");
    path_of(to, run->folder, "profiles");
    return status == GW_OK ? folder_copy(from, to, is_public_profile, 0, run->problem) : status;
}

static gw_status private_write(backup_run *run) {
    char from[PATH_SIZE], to[PATH_SIZE];
    gw_status status = GW_OK;
    const char *const folders[] = {run->options->with_keys ? "keys" : NULL, run->options->with_keys ? "profiles" : NULL,
                                   run->options->with_data ? "data" : NULL};
    for (size_t i = 0; i < 3 && status == GW_OK; i++) {
        if (folders[i] == NULL)
            continue;
        path_of(from, run->options->state_folder, folders[i]);
        path_of(to, run->folder, folders[i]);
        status = folder_copy(from, to, i < 2 ? is_key : is_data, i < 2 ? 0 : 4, run->problem);
    }
    return status;
}

// The publisher is a moment behind the ledger; a backup with all of its log is worth that moment.
static gw_status checkpoint_await(backup_run *run, const char *database) {
    GW_CLEANUP(gw_store_reader_freep) gw_store_reader *reader = NULL;
    char path[PATH_SIZE];
    gw_checkpoint published;
    uint64_t size = 0;
    int64_t time;
    path_of(path, run->options->state_folder, "log/checkpoint");
    gw_status status = gw_store_reader_open(database, &reader, run->problem);
    if (status == GW_OK)
        status = gw_store_last(reader, &size, &time);
    for (unsigned tries = 0; status == GW_OK; tries++) {
        run->note.size = 0;
        status = gw_file_read(path, &run->note, run->problem);
        if (status == GW_OK)
            status = gw_checkpoint_peek(gw_buffer_bytes(&run->note), &published, run->problem);
        if (status != GW_OK || published.size >= size || tries == PUBLISHED_TRIES)
            break;
        nanosleep(&(struct timespec){.tv_nsec = PUBLISHED_WAIT_NS}, NULL);
    }
    return status;
}

static gw_status ledger_write(backup_run *run, backup_report *report) {
    GW_CLEANUP(gw_store_reader_freep) gw_store_reader *reader = NULL;
    char path[PATH_SIZE], key[256];
    int64_t time;
    path_of(path, run->options->state_folder, "godwit.db");
    gw_status status = checkpoint_await(run, path);
    path_of(run->database, run->folder, "godwit.db");
    if (status == GW_OK)
        status = gw_store_copy(path, run->database, run->problem);
    if (status == GW_OK)
        status = gw_store_reader_open(run->database, &reader, run->problem);
    if (status == GW_OK)
        status = gw_store_origin(reader, report->origin, key);
    if (status == GW_OK)
        status = gw_store_last(reader, &report->size, &time);
    if (status == GW_OK)
        status = gw_merkle_root(gw_store_tree(reader), report->size, &report->root);
    report->time = run->options->now;
    return status;
}

// ---- the whole

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place) {
    (void)facts, (void)kind, (void)place;
    return remove(path);
}

// Folders too must be on disk before the whole gets its name.
static int sync_one(const char *path, const struct stat *facts, int kind, struct FTW *place) {
    (void)facts, (void)place;
    return kind == FTW_DP && gw_folder_sync(path) != GW_OK ? -1 : 0;
}

static gw_status backup_write(backup_run *run, backup_report *report) {
    gw_status status = gw_folder_make(run->folder, 0700, run->problem);
    if (status == GW_OK)
        status = ledger_write(run, report);
    if (status == GW_OK)
        status = public_write(run);
    if (status == GW_OK)
        status = settings_write(run);
    if (status == GW_OK)
        status = private_write(run);
    if (status == GW_OK)
        status = manifest_write(run->folder, report, run->problem);
    if (status == GW_OK && nftw(run->folder, sync_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        status = write_failed(run->problem, run->folder);
    return status == GW_OK ? gw_backup_check(run->folder, report, run->problem) : status;
}

gw_status gw_backup(const backup_options *options, backup_report *ret, gw_problem *ret_problem) {
    backup_run run = {.options = options, .problem = ret_problem};
    *ret = (backup_report){0};
    if (access(options->to, F_OK) == 0)
        return gw_problem_set(ret_problem, GW_CONFLICT, "backup_exists", "There is something of this name already.",
                              "A backup is never written over another.", "--to ANOTHER");
    if (strlen(options->to) > 3000 || strlen(options->state_folder) > 3000)
        return gw_problem_set(ret_problem, GW_INVALID, "bad_path", "The path is too long.", "", "");
    snprintf(run.folder, sizeof(run.folder), "%.3000s" UNFINISHED, options->to);
    nftw(run.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS); // of an attempt that was broken off
    gw_buffer_init(&run.note, NOTE_BYTES_MAX);
    gw_status status = backup_write(&run, ret);
    gw_buffer_done(&run.note);
    if (status == GW_OK && rename(run.folder, options->to) != 0)
        status = write_failed(ret_problem, options->to);
    if (status == GW_OK && gw_file_sync_folder_of(options->to) != GW_OK)
        status = write_failed(ret_problem, options->to);
    if (status != GW_OK)
        nftw(run.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return status;
}

// ---- checking

static gw_status not_its_ledger(gw_problem *ret_problem) {
    return gw_problem_set(ret_problem, GW_CORRUPT, "backup_damaged", "The ledger is not the one the manifest names.",
                          "Its origin, its size or its root is another.", "Take another backup.");
}

static gw_status ledger_check(const char *folder, const backup_report *report, gw_problem *ret_problem) {
    GW_CLEANUP(gw_store_reader_freep) gw_store_reader *reader = NULL;
    char path[PATH_SIZE], origin[128], key[256];
    uint64_t size;
    int64_t time;
    gw_hash root;
    path_of(path, folder, "godwit.db");
    gw_status status = gw_store_reader_open(path, &reader, ret_problem);
    if (status == GW_OK &&
        (gw_store_origin(reader, origin, key) != GW_OK || gw_store_last(reader, &size, &time) != GW_OK ||
         gw_merkle_root(gw_store_tree(reader), size, &root) != GW_OK || strcmp(origin, report->origin) != 0 ||
         size != report->size || !gw_hash_equal(root, report->root)))
        status = not_its_ledger(ret_problem);
    return status == GW_OK ? ledger_replay_check(reader, size, root, ret_problem) : status;
}

static gw_status log_check(const char *folder, gw_problem *ret_problem) {
    gw_audit_verdict verdict;
    gw_audit_options options = {0};
    char path[PATH_SIZE];
    path_of(path, folder, "log");
    gw_status status = gw_audit_verify(path, &options, NULL, &verdict);
    if (status == GW_OK && verdict.is_sound)
        return GW_OK;
    *ret_problem = verdict.problem;
    return status == GW_OK ? GW_CORRUPT : status;
}

gw_status gw_backup_check(const char *folder, backup_report *ret, gw_problem *ret_problem) {
    if (strlen(folder) > 3200)
        return gw_problem_set(ret_problem, GW_INVALID, "bad_path", "The path is too long.", "", "");
    gw_status status = manifest_check(folder, ret, ret_problem);
    if (status == GW_OK)
        status = ledger_check(folder, ret, ret_problem);
    return status == GW_OK ? log_check(folder, ret_problem) : status;
}
