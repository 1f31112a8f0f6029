// SPDX-License-Identifier: Apache-2.0
// Figures that follow from a tree over a grid, or from a choice of one bin: quantiles, poverty, inequality, series. The
// tree's nodes are written into the answer, so a reader can work all of them out again. Nobody outside this room
// includes it. Thread safety: one owner.   Depends on: release.h,
// format/cell_figures.h, privacy/derive/.
#pragma once
#include "service/format/cell_figures.h"
#include "service/release/release.h"

typedef struct gw_bins gw_bins;
// Works out what all groups share. Borrows shape and table. GW_INVALID: the table is not of the shape; GW_NO_MEMORY.
GW_MUST_CHECK gw_status gw_bins_new(const gw_release_shape *shape, const gw_released_table *table, gw_bins **ret);
void gw_bins_free(gw_bins *bins); // accepts NULL

// Cells of the answer that belong to one group, and their figures in the order of the answer.
size_t gw_bins_cells(const gw_release_shape *shape);
GW_MUST_CHECK gw_status gw_bins_figures(const gw_bins *bins, size_t group, gw_cell_figures *ret);

// Members of the answer: "at" and "fraction", and what was measured ("measured", "line"). `keys` are the groups' codes
// as they are written, one list for each group.
void gw_bins_encode_question(const gw_release_shape *shape, gw_buffer *out);
typedef void (*gw_bins_key)(const void *state, size_t group, gw_buffer *out);
void gw_bins_encode_measured(const gw_bins *bins, gw_bins_key key, const void *state, gw_buffer *out);
// The most bytes that these members have, with integers of `digits` digits.
size_t gw_bins_bytes_max(const gw_release_shape *shape, unsigned digits);
