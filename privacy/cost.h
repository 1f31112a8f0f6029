// SPDX-License-Identifier: Apache-2.0
// Price and expected error before spending, from public figures only: epsilon to error and error to epsilon.
// Thread safety: pure.   Depends on: interval.h.
#pragma once
#include "privacy/interval.h"

typedef enum {
    GW_STATISTIC_COUNT,
    GW_STATISTIC_SHARE,
    GW_STATISTIC_RATE,
    GW_STATISTIC_MEAN,
    GW_STATISTIC_SUM, // of a numeric concept; may be negative
    GW_STATISTIC_NET, // rows of one kind less rows of another: arrivals less departures; may be negative
} gw_statistic;
#define GW_STATISTIC_COUNT_OF 6
const char *gw_statistic_name(gw_statistic statistic); // "count", "share", "rate", "mean", "sum", "net"
GW_MUST_CHECK gw_status gw_statistic_parse(const char *name, gw_statistic *ret);

// A question as pricing sees it. All figures are public.
typedef struct {
    gw_statistic statistic;
    uint64_t sensitivity; // L1, grid steps
    size_t cell_count;
    uint64_t group_size; // persons in a typical cell: stated by the asker, the policy, or a released count
    double range;        // mean: (max - min) in the unit of the answer; otherwise 1
    double unit;      // count, net, sum: what one step of the noise is in the unit of the answer (1 for plain counts)
    double unit_mean; // rate, share, mean: what one member of the group adds to the denominator on average, in steps
                      // of the noise (1 for plain counts and rates, W for means, times the mean weight)
} gw_cost_shape;

// Expected half-width of the noise range at `level_ppm`: persons for counts; a fraction (0.03 = 3 points) for shares
// and rates, worst case over the value; the unit of the answer for means.
double gw_cost_half_width(const gw_cost_shape *shape, gw_epsilon epsilon, uint32_t level_ppm);
// Smallest epsilon of three significant digits whose 95 % half-width is at most `half_width`. GW_INVALID where no
// epsilon up to GW_EPSILON_MICRO_MAX does it or half_width is not positive.
GW_MUST_CHECK gw_status gw_cost_epsilon_up(const gw_cost_shape *shape, double half_width, gw_epsilon *ret_epsilon);
