// SPDX-License-Identifier: Apache-2.0
// A release of several tables at one price: their cells one table after the other, "_T" where a table is not broken
// down. Estimates agree between tables; beside them stand the measured integers, and the whole numbers that agree to
// the digit. As release.h, its length follows from the shape.
// Thread safety: pure.   Depends on: release.h, privacy/derive/.
#pragma once
#include "privacy/marginals_shape.h"
#include "service/release/release.h"

typedef struct {
    uint32_t axes; // bit i: broken down by the shape's axis i
    bool is_asked; // otherwise only measured, because it makes those asked more exact
} gw_release_table;
typedef struct {
    const gw_marginals_law *law; // what is measured; its attributes are the shape's axes
    const gw_release_table *tables;
    size_t count;
} gw_release_tables;

// `table` has a block for each measured marginal of the law. Every table is determined by them. GW_LIMIT when the
// buffer's maximum is passed or a total is beyond whole numbers of a double; GW_NO_MEMORY.
GW_MUST_CHECK gw_status gw_release_tables_encode(const gw_release_shape *shape, const gw_release_tables *tables,
                                                 const gw_released_table *table, gw_hash salt, gw_buffer *ret_answer);
size_t gw_release_tables_bytes_max(const gw_release_shape *shape, const gw_release_tables *tables);
