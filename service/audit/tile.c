// SPDX-License-Identifier: Apache-2.0
// Tile names: the number in groups of three digits, all but the last led by x: 1234067 is x001/x234/067.
#include "service/audit/tile.h"
#include "service/base/check.h"
#include <stdio.h>
#include <string.h>

#define GROUPS_MAX 7 // 1000^7 > 2^64

static void path_write(const char *folder, uint64_t number, unsigned width, char ret[GW_TILE_PATH_MAX]) {
    GW_ASSERT(width >= 1);
    GW_ASSERT(width <= GW_TILE_WIDTH);
    unsigned groups[GROUPS_MAX], count = 0;
    do {
        groups[count++] = (unsigned)(number % 1000);
        number /= 1000;
    } while (number != 0);
    int size = snprintf(ret, GW_TILE_PATH_MAX, "tile/%s/", folder);
    while (count-- > 0)
        size += snprintf(ret + size, GW_TILE_PATH_MAX - (size_t)size, count > 0 ? "x%03u/" : "%03u", groups[count]);
    if (width < GW_TILE_WIDTH)
        snprintf(ret + size, GW_TILE_PATH_MAX - (size_t)size, ".p/%u", width);
}

void gw_tile_path(unsigned level, uint64_t number, unsigned width, char ret[GW_TILE_PATH_MAX]) {
    char folder[12];
    snprintf(folder, sizeof(folder), "%u", level);
    path_write(folder, number, width, ret);
}

void gw_bundle_path(uint64_t number, unsigned width, char ret[GW_TILE_PATH_MAX]) {
    path_write("entries", number, width, ret);
}

unsigned gw_tile_width(uint64_t size, unsigned level, uint64_t number) {
    uint64_t hashes = level < GW_TILE_LEVELS ? size >> (8 * level) : 0;
    if (hashes / GW_TILE_WIDTH > number)
        return GW_TILE_WIDTH;
    return hashes / GW_TILE_WIDTH == number ? (unsigned)(hashes % GW_TILE_WIDTH) : 0;
}

void gw_bundle_append(gw_buffer *bundle, gw_bytes entry) {
    GW_ASSERT(entry.size <= UINT16_MAX);
    uint8_t length[2] = {(uint8_t)(entry.size >> 8), (uint8_t)entry.size};
    gw_buffer_append(bundle, length, sizeof(length));
    gw_buffer_append(bundle, entry.data, entry.size);
}

bool gw_bundle_next(gw_bytes *rest, gw_bytes *ret_entry) {
    if (rest->size < 2)
        return false;
    size_t size = (size_t)rest->data[0] << 8 | rest->data[1];
    if (size > rest->size - 2)
        return false;
    *ret_entry = (gw_bytes){.data = rest->data + 2, .size = size};
    *rest = (gw_bytes){.data = rest->data + 2 + size, .size = rest->size - 2 - size};
    return true;
}
