// SPDX-License-Identifier: Apache-2.0
// Noised integers, made only inside privacy/ (mechanism/). The only table a reply can be encoded from.
// The measured integers are kept as they are: post-processing reads them, nothing changes them.
// A table consists of blocks, runs of cells that share one law of noise; most tables are one block.
// Thread safety: immutable after it was made.   Depends on: budget.h, checked.h.
#pragma once
#include "privacy/budget.h"
#include "privacy/checked.h"
#include "privacy/linkage.h"
#include <stddef.h>

GW_C_BEGIN

// The law of the noise on every value: discrete Laplace with P(Z=k) proportional to exp(-|k| epsilon / sensitivity).
typedef struct {
    gw_epsilon epsilon;
    uint64_t sensitivity; // L1, over all cells and parts of the statement, in grid steps
} gw_noise;

typedef struct gw_released_table gw_released_table;

// Consecutive cells under one law. Blocks follow each other without gaps and cover the table.
typedef struct {
    size_t first_cell;
    size_t cell_count; // > 0
    gw_noise noise;
} gw_released_block_facts;
#define GW_RELEASED_BLOCKS_MAX 64u

size_t gw_released_cell_count(const gw_released_table *table);
size_t gw_released_part_count(const gw_released_table *table);
size_t gw_released_block_count(const gw_released_table *table);
gw_released_block_facts gw_released_block(const gw_released_table *table, size_t block);
gw_noise gw_released_noise(const gw_released_table *table); // of the only block; no law ({0}, 0) where there are more
gw_int128 gw_released_value(const gw_released_table *table, size_t cell, size_t part);
void gw_released_free(gw_released_table *table); // accepts NULL

GW_C_END
