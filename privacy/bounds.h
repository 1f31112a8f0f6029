// SPDX-License-Identifier: Apache-2.0
// Contribution bounds: how much of one person a statement lets in, and so its sensitivity. A unit is a row, or a person
// counted in one cell ("person-cell"). Either a person's first `units` units in a keyed order are kept over *all* cells
// of the statement, or the person's values are counted up to a total. A clamp per cell alone would bound nothing.
// All figures come from the policy, never from data. Proof: bounds.md.
// Thread safety: pure.   Depends on: checked.h, status.h.
#pragma once
#include "privacy/checked.h"
#include "privacy/linkage.h"
#include "privacy/status.h"
#include <stdbool.h>
#include <stddef.h>

GW_C_BEGIN

typedef enum {
    GW_BOUND_NONE,       // the load already saw to it: a person has at most `units` units
    GW_BOUND_KEEP_ROWS,  // the first `units` rows that match, by the keyed order
    GW_BOUND_KEEP_CELLS, // the first `units` cells a person is in, by the keyed order
    GW_BOUND_CLAMP_TOTAL // values in keyed order until their absolute total reaches `total`
} gw_bound_kind;
const char *gw_bound_kind_name(gw_bound_kind kind); // "none", "keep-rows", "keep-cells", "clamp-total"

// What the policy says. Amounts are steps of the noise.
typedef struct {
    uint64_t rows_max;   // rows of one person in the table, enforced when it was loaded; 1: one row per person
    uint64_t rows_kept;  // rows (or person-cells) of one person that may count in one question; 1 .. rows_max
    uint64_t unit_max;   // L1 that one unit adds over all parts at most, without its weight
    uint64_t total_max;  // L1 that a person's units add at most, clamped; 0: no such bound. Only for sums of rows
    uint64_t weight_max; // the largest weight, 1 where there are none
    bool is_per_person;  // units are person-cells
    bool is_one_cell;    // every breakdown is a fact of the person: a person is in one cell at most
} gw_bound_shape;

typedef struct {
    gw_bound_kind kind;
    uint64_t units;       // NONE, KEEP_*
    uint64_t total;       // CLAMP_TOTAL: in steps without weight
    uint64_t sensitivity; // units x unit_max x weight_max, or total x weight_max
} gw_bound;

// The kind with the smallest sensitivity; where two are equal, the one that drops least and costs least.
// GW_INVALID: a figure is 0 or out of order; GW_LIMIT: the sensitivity passes 2^62.
GW_MUST_CHECK gw_status gw_bound_choose(const gw_bound_shape *shape, gw_bound *ret_bound);

// The reference that statements are held against: one person's matching rows, in any order.
typedef struct {
    uint64_t order; // keyed; equal only for rows that hold the same
    size_t cell;
    int64_t value;   // sums: the row's value; counts: 1, or -1 in a net; means and rates: the first part
    int64_t other;   // means, rates, ratios of sums: the second part; otherwise 0
    uint64_t weight; // 1 where there are none
} gw_bound_row;
// Sorts `rows` and adds to `cells` (cell_count x part_count, row-major) what the person may add under `bound`.
// Rows: each row's parts times its weight. Person-cells: value and other are 0 or 1 and are joined within a cell as
// `joined` says, then times the largest weight of the person's rows there.
typedef enum { GW_JOIN_ROWS, GW_JOIN_ANY, GW_JOIN_TOTAL } gw_bound_join; // rows; count and rate; mean of totals
typedef struct {
    gw_bound bound;
    gw_bound_join join;
    int64_t unit_max; // JOIN_TOTAL: totals are clamped to 0 .. unit_max, and the second part is unit_max - total
    bool is_moments;  // value is split into three parts that sum to unit_max (mechanism/moments.h); other says nothing
    size_t part_count;
} gw_bound_rule;
void gw_bound_person(const gw_bound_rule *rule, gw_bound_row *rows, size_t row_count, gw_int128 *cells);

GW_C_END
