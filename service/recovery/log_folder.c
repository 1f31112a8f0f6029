// SPDX-License-Identifier: Apache-2.0
// A bundle of the width that the size asks for, or the full one that took its place.
#include "service/recovery/log_folder.h"
#include "service/audit/tile.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <stdio.h>

#define PATH_SIZE 4352u

static gw_status bundle_load(const char *folder, uint64_t number, unsigned width, gw_buffer *bundle,
                             gw_problem *ret_problem) {
    char name[GW_TILE_PATH_MAX], path[PATH_SIZE];
    gw_status status = GW_NOT_FOUND;
    for (unsigned tried = width; status == GW_NOT_FOUND; tried = GW_TILE_WIDTH) {
        gw_bundle_path(number, tried, name);
        snprintf(path, sizeof(path), "%.4096s/%s", folder, name);
        status = gw_file_read(path, bundle, ret_problem);
        if (tried == GW_TILE_WIDTH)
            break;
    }
    return status;
}

static gw_status bundle_scan(const char *folder, uint64_t number, uint64_t from, uint64_t size,
                             gw_store_entry_each each, void *state, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer bundle;
    gw_buffer_init(&bundle, GW_BUNDLE_BYTES_MAX);
    unsigned width = gw_tile_width(size, 0, number);
    gw_status status = bundle_load(folder, number, width, &bundle, ret_problem);
    gw_bytes rest = gw_buffer_bytes(&bundle), entry;
    for (unsigned i = 0; status == GW_OK && i < width; i++) {
        uint64_t seq = number * GW_TILE_WIDTH + i;
        if (!gw_bundle_next(&rest, &entry))
            return gw_problem_set(ret_problem, GW_CORRUPT, "bad_bundle", "A bundle of entries ends too early.", "", "");
        if (seq >= from)
            status = each(state, seq, entry);
    }
    return status;
}

gw_status log_folder_scan(const char *folder, uint64_t from, uint64_t size, gw_store_entry_each each, void *state,
                          gw_problem *ret_problem) {
    gw_status status = GW_OK;
    for (uint64_t number = from / GW_TILE_WIDTH; status == GW_OK && number * GW_TILE_WIDTH < size; number++)
        status = bundle_scan(folder, number, from, size, each, state, ret_problem);
    return status;
}
