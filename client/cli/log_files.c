// SPDX-License-Identifier: Apache-2.0
// Bundles of 256 entries: u16 length, then the entry's bytes. The last one is partial and named with its width.
#include "client/cli/log_files.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUNDLE_ENTRIES 256u
#define BUNDLE_BYTES_MAX (BUNDLE_ENTRIES * (GW_ENTRY_BYTES_MAX + 2))
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

gw_status gw_log_files_size(const char *folder, uint64_t *ret_size, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer note;
    char path[PATH_SIZE];
    gw_buffer_init(&note, CHECKPOINT_BYTES_MAX);
    if ((unsigned)snprintf(path, sizeof(path), "%s/checkpoint", folder) >= sizeof(path))
        return unreadable(folder, "Its path is too long.", ret_problem);
    gw_status status = gw_file_read(path, &note, ret_problem);
    if (status != GW_OK)
        return status;
    const char *line = strchr(gw_buffer_string(&note), '\n');
    char *end = NULL;
    unsigned long long size = line == NULL ? 0 : strtoull(line + 1, &end, 10);
    if (line == NULL || line[1] < '0' || line[1] > '9' || *end != '\n')
        return unreadable(folder, "Its checkpoint has no size on the second line.", ret_problem);
    *ret_size = size;
    return GW_OK;
}

// tile/entries/x001/x234/067[.p/W]
static bool bundle_path(const char *folder, uint64_t bundle, unsigned width, char path[PATH_SIZE]) {
    char number[32] = "";
    uint64_t groups[7];
    size_t count = 0;
    do
        groups[count++] = bundle % 1000;
    while ((bundle /= 1000) > 0);
    for (size_t i = count; i-- > 0;) {
        size_t used = strlen(number);
        gw_ignore(snprintf(number + used, sizeof(number) - used, "%s%03u%s", i > 0 ? "x" : "", (unsigned)groups[i],
                           i > 0 ? "/" : "")); // it fits
    }
    int used = width == BUNDLE_ENTRIES ? snprintf(path, PATH_SIZE, "%s/tile/entries/%s", folder, number)
                                       : snprintf(path, PATH_SIZE, "%s/tile/entries/%s.p/%u", folder, number, width);
    return used > 0 && (unsigned)used < PATH_SIZE;
}

typedef struct {
    const char *folder;
    uint64_t first;
    bool (*each)(void *state, const gw_entry *entry);
    void *state;
    bool is_stopped;
} bundle_reading;

static gw_status bundle_read(bundle_reading *reading, uint64_t bundle, unsigned width, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer bytes;
    char path[PATH_SIZE];
    gw_buffer_init(&bytes, BUNDLE_BYTES_MAX);
    if (!bundle_path(reading->folder, bundle, width, path))
        return unreadable(reading->folder, "Its path is too long.", ret_problem);
    gw_status status = gw_file_read(path, &bytes, ret_problem);
    size_t at = 0;
    for (unsigned i = 0; i < width && status == GW_OK && !reading->is_stopped; i++) {
        if (bytes.size - at < 2)
            return unreadable(reading->folder, "An entry bundle is too short.", ret_problem);
        size_t size = (size_t)bytes.data[at] << 8 | bytes.data[at + 1];
        if (bytes.size - at - 2 < size)
            return unreadable(reading->folder, "An entry bundle is too short.", ret_problem);
        gw_entry entry;
        bool is_wanted = bundle * BUNDLE_ENTRIES + i >= reading->first;
        if (is_wanted)
            status = gw_entry_decode((gw_bytes){bytes.data + at + 2, size}, &entry, ret_problem);
        if (is_wanted && status == GW_OK)
            reading->is_stopped = !reading->each(reading->state, &entry);
        at += 2 + size;
    }
    return status;
}

gw_status gw_log_files_read(const char *folder, uint64_t first, bool (*each)(void *state, const gw_entry *entry),
                            void *state, gw_problem *ret_problem) {
    uint64_t size;
    bundle_reading reading = {.folder = folder, .first = first, .each = each, .state = state};
    gw_status status = gw_log_files_size(folder, &size, ret_problem);
    for (uint64_t bundle = first / BUNDLE_ENTRIES;
         status == GW_OK && bundle * BUNDLE_ENTRIES < size && !reading.is_stopped; bundle++) {
        uint64_t rest = size - bundle * BUNDLE_ENTRIES;
        status = bundle_read(&reading, bundle, rest < BUNDLE_ENTRIES ? (unsigned)rest : BUNDLE_ENTRIES, ret_problem);
    }
    return status;
}
