// SPDX-License-Identifier: Apache-2.0
// Bundles of 256 entries: u16 length, then the entry's bytes. The last one is partial and named with its width.
#include "client/cli/log_files.h"
#include "service/audit/tile.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECKPOINT_BYTES_MAX 65536u
#define PATH_SIZE 4096u

static gw_status unreadable(const char *folder, const char *why, gw_problem *ret_problem) {
    gw_status status = gw_problem_set(ret_problem, GW_IO, "log_unreadable", "", why, "");
    gw_problem_what(ret_problem, "The log in %.200s cannot be read.", folder);
    return status;
}

gw_status gw_log_files_find(const char *named, char path[PATH_SIZE], gw_problem *ret_problem) {
    static const char *const places[] = {"log", "state/log", "."};
    char checkpoint[PATH_SIZE];
    if (named != NULL && strlen(named) + 16 < PATH_SIZE) {
        gw_ignore(snprintf(path, PATH_SIZE, "%s", named)); // its length was checked
        return GW_OK;
    }
    for (size_t i = 0; named == NULL && i < sizeof(places) / sizeof(places[0]); i++) {
        gw_ignore(snprintf(checkpoint, sizeof(checkpoint), "%s/checkpoint", places[i])); // it fits
        if (access(checkpoint, F_OK) != 0)
            continue;
        gw_ignore(snprintf(path, PATH_SIZE, "%s", places[i])); // it fits
        return GW_OK;
    }
    return gw_problem_set(ret_problem, GW_NOT_FOUND, "log_missing", "I don't see a log here.",
                          "A log is a folder with a file \"checkpoint\" and a folder \"tile\".", "--log DIR");
}

bool gw_log_files_path(const char *folder, const char *name, char path[PATH_SIZE]) {
    return (unsigned)snprintf(path, PATH_SIZE, "%s/%s", folder, name) < PATH_SIZE;
}

gw_status gw_log_files_note(const char *folder, gw_buffer *note, gw_problem *ret_problem) {
    char path[PATH_SIZE];
    if (!gw_log_files_path(folder, "checkpoint", path))
        return unreadable(folder, "Its path is too long.", ret_problem);
    gw_status status = gw_file_read(path, note, ret_problem);
    if (status == GW_LIMIT)
        return gw_problem_set(ret_problem, GW_CORRUPT, "bad_checkpoint", "The checkpoint does not hold.",
                              "It is longer than any checkpoint is.", "");
    if (status == GW_NOT_FOUND)
        gw_problem_mend(ret_problem, "--log DIR   (the folder that holds the file checkpoint)");
    return status;
}

gw_status gw_log_files_size(const char *folder, uint64_t *ret_size, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer note;
    gw_buffer_init(&note, CHECKPOINT_BYTES_MAX);
    gw_status status = gw_log_files_note(folder, &note, ret_problem);
    if (status != GW_OK)
        return status;
    const char *line = strchr(gw_buffer_string(&note), '\n');
    char *end = NULL;
    unsigned long long size = line == NULL ? 0 : strtoull(line + 1, &end, 10);
    if (line == NULL || line[1] < '0' || line[1] > '9' || *end != '\n')
        return gw_problem_set(ret_problem, GW_CORRUPT, "bad_checkpoint", "The checkpoint does not hold.",
                              "It has no size on its second line.", "");
    *ret_size = size;
    return GW_OK;
}

gw_status gw_log_files_load(const char *folder, const char *partial, const char *full, gw_buffer *buffer,
                            gw_problem *ret_problem) {
    char path[PATH_SIZE];
    gw_problem none;
    if (!gw_log_files_path(folder, partial, path))
        return unreadable(folder, "Its path is too long.", ret_problem);
    gw_status status = gw_file_read(path, buffer, ret_problem);
    if (status != GW_NOT_FOUND || strcmp(partial, full) == 0 || !gw_log_files_path(folder, full, path))
        return status;
    status = gw_file_read(path, buffer, &none);
    if (status != GW_OK && status != GW_NOT_FOUND)
        *ret_problem = none; // the full one is there, and is what is wrong
    return status;
}

static gw_status bad_bundle(uint64_t entry, const char *why, gw_problem *ret_problem) {
    gw_status status = gw_problem_set(ret_problem, GW_CORRUPT, "bad_bundle", "", why, "");
    gw_problem_what(ret_problem, "Entry %llu cannot be read.", (unsigned long long)entry);
    return status;
}

static gw_status entry_read(const gw_log_reading *reading, uint64_t index, gw_bytes bytes, bool *ret_goes_on,
                            gw_problem *ret_problem) {
    gw_entry entry;
    gw_problem inner = {0};
    if (gw_entry_decode(bytes, &entry, &inner) != GW_OK || entry.seq != index) {
        gw_status status = gw_problem_set(ret_problem, GW_CORRUPT, "bad_entry", "", inner.why, "");
        gw_problem_what(ret_problem, "Entry %llu is not one.", (unsigned long long)index);
        return status;
    }
    *ret_goes_on = reading->each(reading->state, &entry);
    return GW_OK;
}

static gw_status bundle_read(const gw_log_reading *reading, uint64_t number, bool *ret_goes_on,
                             gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer bundle;
    char partial[GW_TILE_PATH_MAX], full[GW_TILE_PATH_MAX];
    uint64_t index = number * GW_TILE_WIDTH;
    unsigned width = gw_tile_width(reading->size, 0, number);
    gw_buffer_init(&bundle, GW_BUNDLE_BYTES_MAX);
    gw_bundle_path(number, width, partial);
    gw_bundle_path(number, GW_TILE_WIDTH, full);
    gw_status status = gw_log_files_load(reading->folder, partial, full, &bundle, ret_problem);
    if (status == GW_LIMIT)
        return bad_bundle(index, "Its bundle is longer than any can be.", ret_problem);
    gw_bytes rest = gw_buffer_bytes(&bundle), bytes;
    uint64_t end = reading->end == 0 ? reading->size : reading->end;
    for (unsigned i = 0; status == GW_OK && i < width && index < end && *ret_goes_on; i++, index++) {
        if (!gw_bundle_next(&rest, &bytes))
            return bad_bundle(index, "Its bundle ends too early.", ret_problem);
        if (index >= reading->first)
            status = entry_read(reading, index, bytes, ret_goes_on, ret_problem);
    }
    return status;
}

gw_status gw_log_files_scan(const gw_log_reading *reading, gw_problem *ret_problem) {
    gw_status status = GW_OK;
    bool goes_on = true;
    uint64_t end = reading->end == 0 ? reading->size : reading->end;
    uint64_t bundles = end / GW_TILE_WIDTH + (end % GW_TILE_WIDTH != 0);
    for (uint64_t number = reading->first / GW_TILE_WIDTH; status == GW_OK && goes_on && number < bundles; number++)
        status = bundle_read(reading, number, &goes_on, ret_problem);
    return status;
}

gw_status gw_log_files_read(const char *folder, uint64_t first, bool (*each)(void *state, const gw_entry *entry),
                            void *state, gw_problem *ret_problem) {
    gw_log_reading reading = {.folder = folder, .first = first, .each = each, .state = state};
    gw_status status = gw_log_files_size(folder, &reading.size, ret_problem);
    return status == GW_OK ? gw_log_files_scan(&reading, ret_problem) : status;
}
