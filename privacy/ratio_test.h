// SPDX-License-Identifier: Apache-2.0
// Inverting a test of a ratio: the unknown lambda makes a straight combination of exact values zero, so with released
// values the combination is noise alone, and the lambdas where it is no more than that are the range. Sound for every
// lambda by grid cells, each judged by the widest law in it (combine.md). Used inside privacy/ only.
// Thread safety: pure.   Depends on: combine.h, noise_sum.h.
#pragma once
#include "privacy/combine.h"
#include "privacy/linkage.h"
#include "privacy/noise_sum.h"

GW_C_BEGIN

typedef struct {
    const gw_combine_part *part;
    double fixed, slope; // the part's factor at lambda is fixed + lambda * slope
} gw_ratio_side;

typedef struct {
    gw_ratio_side sides[3];
    size_t side_count;
    double low, high; // where lambda can be
    double chance;    // that the range misses it, at most
    bool is_quick;    // in closed form where there are few noise values: for figures worked out cell by cell
} gw_ratio_test;

typedef struct {
    double low, high;
} gw_ratio_span;

// The hull of all accepted lambdas; all of low .. high where none is.
GW_MUST_CHECK gw_status gw_ratio_test_span(const gw_ratio_test *test, gw_ratio_span *ret);

// Shared with combine.c: a part in the unit of the result, its noise times |factor|, and what the rounding of 128-bit
// integers to doubles can cost.
double gw_part_amount(const gw_combine_part *part);
gw_noise_term gw_part_noise(const gw_combine_part *part, double factor);
double gw_part_slack(const gw_combine_part *part);

GW_C_END
