// SPDX-License-Identifier: Apache-2.0
// What a client decodes from an answer's bytes (formats: answer, version 1). It never touches exact values: a third
// type, beside gw_exact_table and gw_released_table.
// Thread safety: immutable after decode.   Depends on: wire/json.h, privacy/released.h.
#pragma once
#include "privacy/released.h"
#include "service/base/arena.h"
#include "service/wire/json.h"

typedef struct {
    const char *const *key;   // by_count codes
    const char *const *parts; // part_count decimal integers; NULL: worked out from other tables' alone (blocks)
    const char *estimate;     // decimal text, or NULL
    const char *lower;        // NULL with `upper` where nothing but the rank is known (law "permute-and-flip")
    const char *upper;        // of a ratio (of sums, of quintiles) also where nothing bounds it above
    const char *se;           // or NULL
    const char *flag;         // "", "u", …
    const char *adjusted;     // several tables: the non-negative integer version, consistent to the digit; else NULL
} gw_answer_cell;

// Several tables: a run of cells that share a noise law. Cells have "_T" where the table is not broken down.
typedef struct {
    const char *const *by;
    size_t by_count, cell_count;
    gw_epsilon epsilon; // its share of the price; 0: not measured, its cells follow from the others
    bool is_asked;      // otherwise measured because it makes those asked more exact
} gw_answer_block;

// What was measured where figures do not follow from the parts of their own cell: a tree of counts per group. Its nodes
// stand level by level: the bins first, then sums of `fan` of them each, and so on; the last level has `fan` nodes at
// most.
typedef struct {
    const char *const *key; // the group's codes, in the order of `by`
    const char *const *nodes;
} gw_answer_group;
typedef struct {
    const char *kind; // "tree"; NULL: nothing but parts
    unsigned fan;
    size_t bin_count, node_count;
    // Of the bins, in the unit of the concept: where the first begins, how wide each is, how far apart values are, the
    // highest there can be. NULL for periods.
    const char *first, *width, *step, *last;
    const char *const *by; // which of the answer's breakdowns groups have
    size_t by_count;
    const gw_answer_group *groups;
    size_t group_count;
    const char *const *rest; // node_count: everybody else, who counts for the median of all; or NULL
} gw_answer_measured;

// Poverty: everybody's median, and the line below which people count as poor. In `unit`; ranges at the answer's level.
typedef struct {
    const char *unit;                                 // NULL: no line
    const char *median, *median_lower, *median_upper; // median and threshold NULL where they are not determinable
    const char *threshold, *threshold_lower, *threshold_upper;
} gw_answer_line;

typedef struct {
    const char *salt, *release, *dataset, *data_version, *indicator, *question, *unit, *level,
        *notice; // indicator, notice may be NULL
    int64_t policy, indicator_version, decimals;
    const char *statistic; // "rate", …
    const char *of;        // mean, sum, …: the concept; or NULL
    const char *over;      // ratio: what it is divided by
    const char *gap_concept, *gap_group, *gap_reference,
        *gap_of;               // gap: group less reference, of "rate", "share", "mean"
    const char *const *levels; // quantile
    size_t level_count;
    const char *fraction;   // poverty
    const char *law;        // "discrete-laplace", "random-threshold" (keys) or "permute-and-flip"
    const char *rank_error; // permute-and-flip: how many persons the chosen value's rank is off at most, at the level
    size_t choice_bins;     // and of how many bins it was chosen; 0 where that is not said
    const char *selection_epsilon, *selection_delta; // keys: what deciding which are shown cost
    gw_noise noise;
    // Counts, sums, nets: value = grid * part. Means: offset + grid * width * a / (a + b) of the two parts. Otherwise
    // "1" and "0".
    const char *grid, *offset;
    const char *over_grid; // ratios: grid * a / (over_grid * b) of the two parts; otherwise NULL
    uint64_t width; // means, variances, standard deviations: what the two parts of a row or person add up to, in steps
                    // (weights aside); otherwise 0
    const char *const *by;
    size_t by_count;
    bool is_per_person;       // "per":"person"
    bool is_weighted;         // "weighted":true
    bool is_dummy;            // "dummy":true: made from the policy alone, NOT REAL
    const char *bounds_kind;  // "none", "keep-rows", "keep-cells", "clamp-total"; NULL: there is nothing to say of them
    const char *bounds_units; // rows or cells of one person that count; NULL with clamp-total
    const char *bounds_total; // clamp-total: the most a person's values add up to, in the answer's unit; else NULL
    const char *bounds_note;  // what that can do to the figures, and what is not protected, in a sentence or two
    const gw_answer_block *blocks; // none: one law for all cells
    size_t block_count;
    gw_answer_measured measured;
    gw_answer_line line;
    size_t part_count; // 0 where `measured` has what was measured
    const gw_answer_cell *cells;
    size_t cell_count;
} gw_answer;

// Everything is copied into the arena. Trailing spaces are fine. Codes: as json.h, and bad_answer, too_many.
GW_MUST_CHECK gw_status gw_answer_decode(gw_bytes bytes, gw_arena *arena, gw_answer *ret, gw_problem *ret_problem);
