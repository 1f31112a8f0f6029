// SPDX-License-Identifier: Apache-2.0
// Making released tables. Included by mechanisms inside privacy/ and by nobody else: this is what keeps a table of
// exact values from being mistaken for a noised one (tests/tidy looks for other users). Thread safety: one owner until
// it is handed out.   Depends on: released.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/released.h"
#include "privacy/status.h"

GW_C_BEGIN

// All zeros; the maker sets every value before handing it out. GW_NO_MEMORY.
GW_MUST_CHECK gw_status gw_released_make(size_t cell_count, size_t part_count, gw_noise noise,
                                         gw_released_table **ret_table);
// The same with a law for each block: the blocks' cells are added up to the table's. GW_INVALID: no block, one without
// cells, or too many of them; GW_NO_MEMORY.
typedef struct {
    size_t cell_count;
    gw_noise noise;
} gw_released_block_shape;
GW_MUST_CHECK gw_status gw_released_make_blocks(const gw_released_block_shape *blocks, size_t block_count,
                                                size_t part_count, gw_released_table **ret_table);
gw_int128 *gw_released_values(gw_released_table *table); // cell_count * part_count, row-major

GW_C_END
