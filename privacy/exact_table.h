// SPDX-License-Identifier: Apache-2.0
// Exact aggregates between the engine and the mechanism: the only place where true values live.
// There is no encoder for it but the engine's pipe codec; free wipes it.
// Shape: cells x parts, row-major, every declared cell present (absent groups are zeros), so its size is public.
// Thread safety: one owner.   Depends on: checked.h, status.h.
#pragma once
#include "privacy/checked.h"
#include "privacy/linkage.h"
#include "privacy/status.h"

GW_C_BEGIN

#define GW_CELLS_MAX 1000000u // cells of one statement; bounds memory (32 MB at 2 parts)
#define GW_PARTS_MAX 4u

typedef struct gw_exact_table {
    size_t cell_count;
    size_t part_count;
    gw_int128 *values; // cell_count * part_count
} gw_exact_table;

// All zeros. GW_LIMIT past the maxima or at 0; GW_NO_MEMORY. The caller frees with gw_exact_table_free.
GW_MUST_CHECK gw_status gw_exact_table_new(size_t cell_count, size_t part_count, gw_exact_table **ret_table);
void gw_exact_table_free(gw_exact_table *table); // wipes; accepts NULL

GW_C_END
