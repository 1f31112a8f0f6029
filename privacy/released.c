// SPDX-License-Identifier: Apache-2.0
// The released table: noised integers and the law of their noise.
#include "privacy/released.h"
#include "privacy/released_make.h"
#include <stdlib.h>

struct gw_released_table {
    size_t cell_count;
    size_t part_count;
    gw_noise noise;
    gw_int128 values[];
};

gw_status gw_released_make(size_t cell_count, size_t part_count, gw_noise noise, gw_released_table **ret_table) {
    size_t value_count;
    size_t value_bytes;
    if (__builtin_mul_overflow(cell_count, part_count, &value_count) ||
        __builtin_mul_overflow(value_count, sizeof(gw_int128), &value_bytes) ||
        value_bytes > SIZE_MAX - sizeof(gw_released_table))
        return GW_NO_MEMORY;
    gw_released_table *table = calloc(1, sizeof(*table) + value_bytes);
    if (table == NULL)
        return GW_NO_MEMORY;
    table->cell_count = cell_count;
    table->part_count = part_count;
    table->noise = noise;
    *ret_table = table;
    return GW_OK;
}

gw_int128 *gw_released_values(gw_released_table *table) {
    return table->values;
}

size_t gw_released_cell_count(const gw_released_table *table) {
    return table->cell_count;
}

size_t gw_released_part_count(const gw_released_table *table) {
    return table->part_count;
}

gw_noise gw_released_noise(const gw_released_table *table) {
    return table->noise;
}

gw_int128 gw_released_value(const gw_released_table *table, size_t cell, size_t part) {
    return table->values[cell * table->part_count + part];
}

void gw_released_free(gw_released_table *table) {
    free(table); // holds nothing that may not be published
}
