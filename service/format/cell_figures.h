// SPDX-License-Identifier: Apache-2.0
// From the measured integers of a cell to its figures as texts: estimate, noise range, standard error. Said once, for
// whoever seals an answer and for whoever reads one at another level; post-processing of released integers only.
// Thread safety: pure; a law is immutable after new.   Depends on: privacy/{cost,combine,interval}.h.
#pragma once
#include "privacy/combine.h"
#include "privacy/cost.h"
#include "privacy/derive/keys.h"

#define GW_CELL_NUMBER_TEXT 64
#define GW_CELL_DIGITS_MAX 24u // before the point of a figure that is no whole number of steps

// What is the same for all cells of an answer.
typedef struct {
    gw_statistic statistic; // of a gap: what it is a gap of
    bool is_gap;            // parts: those of the group, then those of the reference
    gw_noise noise;
    unsigned decimals;
    int64_t step_scaled; // counts, sums, nets: what one step is, in 10^-step_scale of the unit
    unsigned step_scale;
    double minimum, range; // means: the value where the first part is 0, and the whole width; variance, sd: the width
    uint64_t width;        // means, variance, sd: what the parts of a unit add up to, in steps
    double quotient;       // ratio: what a step of the one sum is, over a step of the other
    size_t cell_count;     // shares
    gw_int128 totals[2];   // shares: over all cells; of a gap also of the reference
} gw_figures_shape;

typedef struct {
    char estimate[GW_CELL_NUMBER_TEXT], lower[GW_CELL_NUMBER_TEXT], upper[GW_CELL_NUMBER_TEXT], se[GW_CELL_NUMBER_TEXT];
    bool is_estimable;  // otherwise neither estimate nor se
    bool has_no_se;     // it was not worked out
    bool has_no_range;  // nothing but a rank is known of it
    bool is_open;       // ratio: nothing bounds it above, and there is no upper
    bool is_uncertain;  // flagged "u", at 95 %
    gw_verdict verdict; // gap: whether the group's figure may be called larger
} gw_cell_figures;

void gw_cell_number(char text[GW_CELL_NUMBER_TEXT], double value, unsigned decimals); // no negative zero
// To a number of places, away from the middle of a range.
double gw_cell_round(double value, unsigned decimals, bool is_up);

// How wide a noise range may be before a cell is flagged "u" (too uncertain after protection), by the protected values
// alone: +-10 points for rates, shares and their gaps; +-10 % of the range for means, of all they can be for variances
// and standard deviations; +-25 % of the estimate for counts, sums, nets and ratios. An estimate further than that
// outside of what is possible is flagged too.
#define GW_FLAG_RATIO_HALF_WIDTH 0.10
#define GW_FLAG_COUNT_RELATIVE 0.25

// Figures that are worked out from more than the parts of their own cell, in steps of `step`: estimate and half width
// of several tables at one price; GW_INVALID where no release holds such.
GW_MUST_CHECK gw_status gw_figures_around(double estimate, double half_width, double step, unsigned decimals,
                                          gw_cell_figures *ret);
// The count of an unknown key, by its value.
void gw_figures_of_key(const gw_keys_figures *keys, uint64_t value, uint32_t level_ppm, gw_cell_figures *ret);
// How many persons the rank of a chosen value is off at most: never told as less than it is. False where it is no
// number.
bool gw_rank_error_text(double rank_error, char text[GW_CELL_NUMBER_TEXT]);

typedef struct gw_figures_law gw_figures_law;
// `known`: the interval law of the noise at this level for gw_figures_others noises, where somebody has it; or NULL.
GW_MUST_CHECK gw_status gw_figures_law_new(const gw_figures_shape *shape, uint32_t level_ppm,
                                           const gw_interval_law *known, gw_figures_law **ret);
void gw_figures_law_free(gw_figures_law *law); // accepts NULL
// How many noises the other side of a cell's ratio carries: 0 for counts and where no such law is needed, all other
// cells for shares.
size_t gw_figures_others(gw_statistic statistic, size_t cell_count);
// How many integers are measured for a cell of this shape; 0 where figures do not follow from a cell's own.
size_t gw_figures_part_count(gw_statistic statistic, bool is_gap);
GW_MUST_CHECK gw_status gw_figures_of(const gw_figures_law *law, const gw_int128 *parts, gw_cell_figures *ret);
