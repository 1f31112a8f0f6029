// SPDX-License-Identifier: Apache-2.0
// Price and expected error before spending, from public figures only: epsilon to error and error to epsilon.
// Thread safety: pure.   Depends on: interval.h, derive/.
#pragma once
#include "privacy/accounting/delta.h"
#include "privacy/derive/quantile.h"
#include "privacy/interval.h"
#include "privacy/linkage.h"

GW_C_BEGIN

typedef enum {
    GW_STATISTIC_COUNT,
    GW_STATISTIC_SHARE,
    GW_STATISTIC_RATE,
    GW_STATISTIC_MEAN,
    GW_STATISTIC_SUM,            // of a numeric concept; may be negative
    GW_STATISTIC_NET,            // rows of one kind less rows of another: arrivals less departures; may be negative
    GW_STATISTIC_VARIANCE,       // of a numeric concept among the rows or persons of a cell (divided by their number)
    GW_STATISTIC_SD,             // its square root
    GW_STATISTIC_RATIO,          // sum of one numeric concept over the sum of another
    GW_STATISTIC_GAP,            // of rates, shares or means: a group's less another's
    GW_STATISTIC_HISTOGRAM,      // counts over bins of equal width of a numeric concept
    GW_STATISTIC_QUANTILE,       // one or several, of a numeric concept
    GW_STATISTIC_POVERTY,        // share of persons below a fraction of everybody's median
    GW_STATISTIC_GINI,           // Gini coefficient of a numeric concept
    GW_STATISTIC_QUINTILE_RATIO, // what the richest fifth has over what the poorest fifth has
    GW_STATISTIC_SERIES,         // counts by period, and counts up to each period
    GW_STATISTIC_KEYS,           // counts by a text concept whose values no list names
} gw_statistic;
#define GW_STATISTIC_COUNT_OF 17
// "count", "share", "rate", "mean", "sum", "net", "variance", "sd", "ratio", "gap", "histogram", "quantile", "poverty",
// "gini", "quintile_ratio", "series", "keys".
const char *gw_statistic_name(gw_statistic statistic);
// Whether it is of a numeric concept ("of" in questions and indicators). Series and keys name theirs there too.
bool gw_statistic_has_of(gw_statistic statistic);
GW_MUST_CHECK gw_status gw_statistic_parse(const char *name, gw_statistic *ret);

// A question as pricing sees it. All figures are public.
typedef struct {
    gw_statistic statistic; // of a gap: what it is a gap of
    bool is_gap;            // between two groups of this size
    uint64_t sensitivity;   // L1, grid steps
    size_t cell_count;
    uint64_t group_size; // persons in a typical cell: stated by the asker, the policy, or a released count
    double range;        // mean, variance, sd: (max - min) in the unit of the values; otherwise 1
    double unit; // count, histogram, net, sum: what one step of the noise is in the unit of the answer (1 for plain
                 // counts); ratio: what one step of the one sum is over one of the other
    double unit_mean; // rate, share, mean, variance, sd, ratio: what one member of the group adds to the denominator on
                      // average, in steps of the noise (1 for plain counts and rates, W for means, times the mean
                      // weight; ratio: by assumption half of the largest value)
    // Statistics over a grid: what is measured of one group, and how much of it one person is.
    gw_tree_shape tree;              // bin_count 0: a choice by permute-and-flip among `bin_count` bins
    size_t bin_count;                // of a choice
    uint64_t unit_sensitivity;       // in steps
    const gw_quantile_level *levels; // quantiles
    size_t level_count;
    gw_delta delta; // keys: of the question; otherwise 0
} gw_cost_shape;

// Expected half-width of the noise range at `level_ppm`: persons for counts; a fraction (0.03 = 3 points) for shares
// and rates, worst case over the value; the unit of the answer for means. Variances: worst case. Standard deviations:
// as if they were an eighth of the range (worst case for groups in which more could hide); ratios: as if the one sum
// were half of the other in steps of the noise, which are chosen so that both have as many at most. Never decreasing in
// the noise. Quantiles: ranks, the most of all levels;
// poverty and Gini: fractions; quintile ratios: as they are; series: persons, for the count of one period.
double gw_cost_half_width(const gw_cost_shape *shape, gw_epsilon epsilon, uint32_t level_ppm);
// Smallest epsilon of three significant digits whose 95 % half-width is at most `half_width`. GW_INVALID where no
// epsilon up to GW_EPSILON_MICRO_MAX does it or half_width is not positive.
GW_MUST_CHECK gw_status gw_cost_epsilon_up(const gw_cost_shape *shape, double half_width, gw_epsilon *ret_epsilon);

GW_C_END
