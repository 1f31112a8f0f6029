// SPDX-License-Identifier: Apache-2.0
// The released table: noised integers and the law of their noise, block by block.
#include "privacy/released.h"
#include "privacy/released_make.h"
#include <stdlib.h>

struct gw_released_table {
    size_t cell_count;
    size_t part_count;
    size_t block_count;
    gw_released_block_facts blocks[GW_RELEASED_BLOCKS_MAX];
    gw_int128 values[];
};

static gw_status table_new(size_t cell_count, size_t part_count, gw_released_table **ret_table) {
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
    *ret_table = table;
    return GW_OK;
}

gw_status gw_released_make(size_t cell_count, size_t part_count, gw_noise noise, gw_released_table **ret_table) {
    gw_status status = table_new(cell_count, part_count, ret_table);
    if (status != GW_OK)
        return status;
    (*ret_table)->blocks[0] = (gw_released_block_facts){.cell_count = cell_count, .noise = noise};
    (*ret_table)->block_count = 1;
    return GW_OK;
}

gw_status gw_released_make_blocks(const gw_released_block_shape *blocks, size_t block_count, size_t part_count,
                                  gw_released_table **ret_table) {
    if (block_count == 0 || block_count > GW_RELEASED_BLOCKS_MAX)
        return GW_INVALID;
    size_t cell_count = 0;
    for (size_t i = 0; i < block_count; i++)
        if (blocks[i].cell_count == 0 || __builtin_add_overflow(cell_count, blocks[i].cell_count, &cell_count))
            return GW_INVALID;
    gw_status status = table_new(cell_count, part_count, ret_table);
    if (status != GW_OK)
        return status;
    gw_released_table *table = *ret_table;
    table->block_count = block_count;
    for (size_t i = 0, first = 0; i < block_count; first += blocks[i].cell_count, i++)
        table->blocks[i] = (gw_released_block_facts){
            .first_cell = first, .cell_count = blocks[i].cell_count, .noise = blocks[i].noise};
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

size_t gw_released_block_count(const gw_released_table *table) {
    return table->block_count;
}

gw_released_block_facts gw_released_block(const gw_released_table *table, size_t block) {
    return table->blocks[block];
}

gw_noise gw_released_noise(const gw_released_table *table) {
    if (table->block_count == 1)
        return table->blocks[0].noise;
    return (gw_noise){{0}, 0}; // no law: whoever reckons with it is refused
}

gw_int128 gw_released_value(const gw_released_table *table, size_t cell, size_t part) {
    return table->values[cell * table->part_count + part];
}

void gw_released_free(gw_released_table *table) {
    free(table); // holds nothing that may not be published
}
