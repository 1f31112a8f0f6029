// SPDX-License-Identifier: Apache-2.0
// A release: the answer's bytes, encoded once from measured integers and public facts, then sealed and never changed.
// The length is a function of the shape alone (trailing spaces), so it says nothing about the values; only where the
// public sizes a policy states are wrong by ten times does a second, larger length appear. Thread safety: pure. Depends
// on: privacy/{released,interval,cost}.h, base/buffer.h, wire/json.h.
#pragma once
#include "privacy/cost.h"
#include "privacy/derive/keys.h"
#include "privacy/mechanism/selection.h"
#include "privacy/released.h"
#include "service/base/buffer.h"
#include "service/base/crypto.h"
#include "service/format/tree_figures.h"

// Of statistics over a grid of bins or periods: what was measured of each group, and what the bins stand for.
typedef struct {
    gw_tree_shape tree; // bin_count 0: no tree, but the index of one bin, chosen by permute-and-flip, for each group
    size_t group_count; // of the answer; the tree may have one more, of all who are in none of them
    size_t group_axes;  // the first so many breakdowns are those of the groups
    size_t bin_count;
    gw_bin_grid grid;                        // of values
    const char *first, *width, *step, *last; // the same as decimal texts; NULL for periods
    const gw_quantile_level *levels;
    const char *const *level_texts;
    size_t level_count; // quantiles
    gw_quantile_level fraction;
    const char *fraction_text; // poverty: of the median
    double rank_error;         // of a choice, at 95 %
    const char *line_unit;     // poverty: of the values
} gw_release_bins;

// What is public about an answer before it is measured. All texts are borrowed.
typedef struct {
    const char *dataset, *data_version, *release;
    const char *indicator; // or NULL
    const char *of;        // mean, sum: the concept; or NULL
    const char *notice;    // or NULL
    const char *unit;
    uint64_t policy_version, indicator_version;
    gw_hash question;
    gw_statistic statistic;
    unsigned decimals;
    gw_noise noise;
    const char *grid, *offset; // step and smallest value as decimal texts: "1" and "0" for plain counts
    int64_t step_scaled;       // counts, sums, nets: the step again, as this many 10^-step_scale; 1 and 0 for counts
    unsigned step_scale;
    double minimum, range;        // mean: offset, and the whole width of values, in the unit; otherwise 0 and 1
    uint64_t width;               // mean, variance, sd: the parts of a row or person add up to this many steps
    const char *over, *over_grid; // ratio: what it is divided by, and what one of its steps is; otherwise NULL
    const char *gap_concept, *gap_group,
        *gap_reference; // or NULL: then `statistic` is what it is a gap of, and two
                        // cells of the table, group and reference, are one of the answer
    bool is_per_person, is_weighted;
    const char *bounds_kind;                               // NULL: nothing to say of them
    const char *bounds_units, *bounds_total, *bounds_note; // as in answer.h
    bool is_dummy;                                         // made from the policy alone
    gw_delta delta;       // unknown keys: what deciding which are shown cost; otherwise 0
    size_t key_bytes_max; // unknown keys: of the longest
    size_t part_count;
    unsigned value_digits;                // decimal digits that public sizes say a measured integer has at most
    const char *const *by;                // axis_count concepts
    const char *const *const *axis_codes; // per axis: its codes in cell order
    const size_t *axis_sizes;
    size_t axis_count;
    const gw_release_bins *bins; // NULL: figures follow from the parts of their own cell
} gw_release_shape;

// Every cell appears. Estimates of counts, sums and nets are exact multiples of the step, rounded once, and may be
// below zero. `salt` are 32 fresh random bytes, so that the answer's hash cannot be guessed. `law` is that of the
// shape's noise at 95 %, for the sum of gw_figures_others noises. GW_LIMIT when the buffer's maximum is passed;
// GW_NO_MEMORY.
GW_MUST_CHECK gw_status gw_release_encode(const gw_release_shape *shape, const gw_interval_law *law,
                                          const gw_released_table *table, gw_hash salt, gw_buffer *ret_answer);
// Unknown keys, in the order in which they were released; `by` is their concept. The length is that of as many cells as
// are shown, with keys of the longest length: how many are shown is part of the answer, how long they are is not told
// from outside.
GW_MUST_CHECK gw_status gw_release_encode_keys(const gw_release_shape *shape, const gw_keys_figures *figures,
                                               const gw_released_keys *keys, gw_hash salt, gw_buffer *ret_answer);
size_t gw_release_keys_bytes_max(const gw_release_shape *shape, size_t key_count);
// The length that an answer of so many cells has at most, while its integers have no more than value_digits; needs no
// texts but the codes.
size_t gw_release_bytes_max(const gw_release_shape *shape, size_t cell_count);
