// SPDX-License-Identifier: Apache-2.0
// Files are walked in order of their names, so that the same folder has the same manifest.
#include "service/recovery/manifest.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/wire/json.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "manifest.json"
#define PATH_SIZE 4352u
#define INNER_SIZE 1024u // of a path within the folder
#define MANIFEST_BYTES_MAX (256u << 20)
#define DEPTH_MAX 12
#define READ_BYTES 65536u

GW_DEFINE_FREEP(gw_json, gw_json_free)
GW_DEFINE_FREEP(gw_sha256_stream, gw_sha256_stream_free)

static gw_status damaged(gw_problem *ret_problem, const char *path, const char *what) {
    gw_status status = gw_problem_set(ret_problem, GW_CORRUPT, "backup_damaged", what, "",
                                      "Take another backup; this one is not what was written.");
    gw_problem_why(ret_problem, "%.300s", path);
    return status;
}

// ---- one file

static gw_status file_hash(int descriptor, gw_hash *ret, uint64_t *ret_bytes) {
    GW_CLEANUP(gw_sha256_stream_freep) gw_sha256_stream *stream = gw_sha256_stream_new();
    GW_CLEANUP(gw_freep) uint8_t *bytes = malloc(READ_BYTES);
    if (stream == NULL || bytes == NULL)
        return GW_NO_MEMORY;
    *ret_bytes = 0;
    ssize_t size;
    while ((size = read(descriptor, bytes, READ_BYTES)) > 0) {
        gw_sha256_stream_add(stream, (gw_bytes){bytes, (size_t)size});
        *ret_bytes += (uint64_t)size;
    }
    *ret = gw_sha256_stream_end(stream);
    return size == 0 ? GW_OK : GW_IO;
}

static gw_status file_read(const char *folder, const char *name, bool is_synced, gw_hash *ret, uint64_t *ret_bytes,
                           gw_problem *ret_problem) {
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%.3300s/%s", folder, name);
    GW_CLEANUP(gw_closep) int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    gw_status status = descriptor < 0 ? GW_NOT_FOUND : file_hash(descriptor, ret, ret_bytes);
    if (status == GW_OK && is_synced && fsync(descriptor) != 0)
        status = GW_IO;
    if (status == GW_OK)
        return GW_OK;
    gw_ignore(gw_problem_set(ret_problem, status, "file_unreadable", "A file of the backup cannot be read.", "", ""));
    gw_problem_why(ret_problem, "%.300s", path);
    return status;
}

// ---- the walk

typedef struct {
    const char *folder;
    gw_status (*each)(void *state, const char *name);
    void *state;
    gw_problem *problem;
} walk;

static int is_item(const struct dirent *item) {
    return strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0;
}

static gw_status walk_folder(const walk *run, const char *inner, unsigned depth);

static gw_status walk_item(const walk *run, const char *inner, const char *name, unsigned depth) {
    char within[INNER_SIZE], path[PATH_SIZE];
    struct stat facts;
    if (snprintf(within, sizeof(within), "%s%s%s", inner, inner[0] == '\0' ? "" : "/", name) >= (int)sizeof(within))
        return damaged(run->problem, name, "A path of the backup is too long.");
    snprintf(path, sizeof(path), "%.3300s/%s", run->folder, within);
    if (lstat(path, &facts) == 0 && S_ISDIR(facts.st_mode))
        return walk_folder(run, within, depth + 1);
    return strcmp(within, NAME) == 0 ? GW_OK : run->each(run->state, within);
}

static gw_status walk_folder(const walk *run, const char *inner, unsigned depth) {
    char path[PATH_SIZE];
    struct dirent **items = NULL;
    snprintf(path, sizeof(path), "%.3300s/%s", run->folder, inner);
    int count = depth > DEPTH_MAX ? -1 : scandir(path, &items, is_item, alphasort);
    if (count < 0)
        return damaged(run->problem, path, "A folder of the backup cannot be read.");
    gw_status status = GW_OK;
    for (int i = 0; i < count; i++) {
        if (status == GW_OK)
            status = walk_item(run, inner, items[i]->d_name, depth);
        free(items[i]);
    }
    free(items);
    return status;
}

// ---- writing

typedef struct {
    const char *folder;
    gw_buffer text;
    const char *comma;
    backup_report *report;
    gw_problem *problem;
} manifest_writing;

static gw_status file_note(void *state, const char *name) {
    manifest_writing *run = state;
    gw_hash hash;
    uint64_t bytes;
    char hex[GW_HASH_HEX];
    gw_status status = file_read(run->folder, name, true, &hash, &bytes, run->problem);
    if (status != GW_OK)
        return status;
    gw_hex((gw_bytes){hash.bytes, GW_HASH_SIZE}, hex);
    gw_buffer_text(&run->text, run->comma);
    gw_buffer_text(&run->text, "{");
    gw_json_write_member(&run->text, "path", name);
    gw_json_write_integer(&run->text, "bytes", (int64_t)bytes);
    gw_json_write_member(&run->text, "sha256", hex);
    gw_buffer_text(&run->text, "}");
    run->comma = ",\n";
    run->report->files++;
    run->report->bytes += bytes;
    return run->text.status;
}

gw_status manifest_write(const char *folder, backup_report *report, gw_problem *ret_problem) {
    manifest_writing run = {.folder = folder, .comma = "", .report = report, .problem = ret_problem};
    walk files = {.folder = folder, .each = file_note, .state = &run, .problem = ret_problem};
    char root[GW_HASH_HEX], path[PATH_SIZE];
    gw_buffer_init(&run.text, MANIFEST_BYTES_MAX);
    gw_hex((gw_bytes){report->root.bytes, GW_HASH_SIZE}, root);
    gw_buffer_text(&run.text, "{");
    gw_json_write_integer(&run.text, "godwit_backup", 1);
    gw_json_write_member(&run.text, "origin", report->origin);
    gw_json_write_integer(&run.text, "size", (int64_t)report->size);
    gw_json_write_member(&run.text, "root", root);
    gw_json_write_integer(&run.text, "time", report->time);
    gw_json_write_member(&run.text, "program", "godwitd " GW_VERSION);
    gw_json_write_name(&run.text, "files");
    gw_buffer_text(&run.text, "[\n");
    gw_status status = walk_folder(&files, "", 0);
    gw_buffer_text(&run.text, "]}\n");
    snprintf(path, sizeof(path), "%.4000s/" NAME, folder);
    if (status == GW_OK && run.text.status != GW_OK)
        status = gw_problem_set(ret_problem, run.text.status, "too_many", "The backup has too many files.", "", "");
    if (status == GW_OK)
        status = gw_file_replace(path, gw_buffer_bytes(&run.text), 0600, ret_problem);
    gw_buffer_done(&run.text);
    return status;
}

// ---- checking

static bool name_is_inside(const char *name) {
    if (name[0] == '/' || name[0] == '\0')
        return false;
    for (const char *at = name; at != NULL; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL)
        if (at[0] == '.' && (at[1] == '\0' || at[1] == '/' || (at[1] == '.' && (at[2] == '\0' || at[2] == '/'))))
            return false;
    return true;
}

static gw_status file_check(const char *folder, const gw_json_node *item, gw_json_reader *reader, backup_report *report,
                            gw_problem *ret_problem) {
    static const char *const fields[] = {"path", "bytes", "sha256", NULL};
    uint8_t wanted[GW_HASH_SIZE];
    gw_hash hash;
    uint64_t bytes;
    if (!gw_json_expect_object(reader, item, fields))
        return reader->status;
    const char *name = gw_json_read_string(reader, item, "path"), *hex = gw_json_read_string(reader, item, "sha256");
    int64_t size = gw_json_read_integer(reader, item, "bytes", 0, INT64_C(1) << 53);
    if (reader->status != GW_OK)
        return reader->status;
    if (!name_is_inside(name) || !gw_unhex(hex, strlen(hex), wanted, sizeof(wanted)))
        return damaged(ret_problem, "manifest.json", "The manifest names no file of the backup.");
    gw_status status = file_read(folder, name, false, &hash, &bytes, ret_problem);
    if (status == GW_NOT_FOUND)
        return damaged(ret_problem, name, "A file of the backup is missing.");
    if (status != GW_OK)
        return status;
    if (bytes != (uint64_t)size || memcmp(hash.bytes, wanted, sizeof(wanted)) != 0)
        return damaged(ret_problem, name, "A file of the backup is not what was written.");
    report->files++;
    report->bytes += bytes;
    report->has_keys |= strncmp(name, "keys/", 5) == 0;
    report->has_data |= strncmp(name, "data/", 5) == 0;
    return GW_OK;
}

static gw_status file_count(void *state, const char *name) {
    (void)name;
    ++*(uint64_t *)state;
    return GW_OK;
}

static gw_status head_read(gw_json_reader *reader, const gw_json_node *root, backup_report *ret) {
    static const char *const fields[] = {"godwit_backup", "origin", "size", "root", "time", "program", "files", NULL};
    if (!gw_json_expect_object(reader, root, fields))
        return reader->status;
    (void)gw_json_read_integer(reader, root, "godwit_backup", 1, 1); // any other number is refused by the reader
    const char *origin = gw_json_read_string(reader, root, "origin"), *hex = gw_json_read_string(reader, root, "root");
    ret->size = (uint64_t)gw_json_read_integer(reader, root, "size", 1, INT64_C(1) << 53);
    ret->time = gw_json_read_integer(reader, root, "time", 0, INT64_C(1) << 53);
    if (reader->status != GW_OK)
        return reader->status;
    snprintf(ret->origin, sizeof(ret->origin), "%s", origin);
    if (!gw_unhex(hex, strlen(hex), ret->root.bytes, GW_HASH_SIZE))
        gw_json_fail(reader, gw_json_member(root, "root"), "bad_hash", "This is not a manifest.", "",
                     "root is a hash.");
    return reader->status;
}

gw_status manifest_check(const char *folder, backup_report *ret, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    gw_json_reader reader;
    char path[PATH_SIZE];
    uint64_t there = 0;
    walk files = {.folder = folder, .each = file_count, .state = &there, .problem = ret_problem};
    *ret = (backup_report){0};
    gw_buffer_init(&text, MANIFEST_BYTES_MAX);
    snprintf(path, sizeof(path), "%.4000s/" NAME, folder);
    gw_status status = gw_file_read(path, &text, ret_problem);
    gw_json_limits limits = {.name = NAME, .size_max = MANIFEST_BYTES_MAX, .depth_max = 4};
    if (status == GW_OK)
        status = gw_json_parse(gw_buffer_bytes(&text), limits, &json, ret_problem);
    if (status != GW_OK)
        return status;
    gw_json_reader_init(&reader, json);
    const gw_json_node *root = gw_json_root(json), *list;
    status = head_read(&reader, root, ret);
    list = status == GW_OK ? gw_json_read_array(&reader, root, "files") : NULL;
    for (const gw_json_node *item = list == NULL ? NULL : gw_json_first(list); status == GW_OK && item != NULL;
         item = gw_json_next(item))
        status = file_check(folder, item, &reader, ret, ret_problem);
    if (reader.status != GW_OK) {
        *ret_problem = reader.problem;
        return reader.status;
    }
    if (status == GW_OK)
        status = walk_folder(&files, "", 0);
    if (status == GW_OK && there != ret->files)
        return damaged(ret_problem, folder, "The backup has files that its manifest does not name.");
    return status;
}
