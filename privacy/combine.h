// SPDX-License-Identifier: Apache-2.0
// What a reader may work out from released integers of one or two tables without asking anything more: sums,
// differences, quotients, and the same of rates, shares and means, each with a noise range that covers at its level or
// more, and whether one figure may be called larger than another. Post-processing: no budget, no data. All figures are
// independent only where their noise is: the caller uses no released integer twice. Proof: combine.md.
// Thread safety: pure.   Depends on: released.h, interval.h.
#pragma once
#include "privacy/interval.h"
#include "privacy/linkage.h"

GW_C_BEGIN

// A sum of released integers of one table: `value` carries `count` independent noise values.
typedef struct {
    gw_int128 value;
    gw_noise noise;
    size_t count;
    double step; // what one step is in the unit of the result (1 for counts of persons); > 0
} gw_combine_part;

typedef enum { GW_VERDICT_UNDECIDED, GW_VERDICT_YES, GW_VERDICT_NO } gw_verdict;

typedef struct {
    bool is_estimable; // false: a noisy denominator is not positive; estimate, se and confidence mean nothing
    double estimate;
    double se;    // standard deviation of the noise, by the delta method for ratios
    double lower; // infinite where nothing bounds it
    double upper;
    // Differences only. `confidence` (0.5 .. 1) is one less the chance that noise alone shows a difference this large
    // in this direction where there is none, or one the other way. It is about the noise, not about sampling or errors
    // of the register. YES: A is above B with a confidence above 95 %; NO: B is above A; else not determinable.
    double confidence;
    gw_verdict verdict;
} gw_combined;

// Levels as in interval.h. Each returns GW_INVALID for parts without noise and for levels out of range.
// A sum of parts: margins over a breakdown, the same group in two tables. GW_INVALID too for more than 8 parts.
GW_MUST_CHECK gw_status gw_combine_sum(const gw_combine_part *parts, size_t count, uint32_t level_ppm,
                                       gw_combined *ret);
// a - b, which share no released integer.
GW_MUST_CHECK gw_status gw_combine_difference(const gw_combine_part *a, const gw_combine_part *b, uint32_t level_ppm,
                                              gw_combined *ret);
// a / b of figures that are not negative by their nature, which share no released integer.
GW_MUST_CHECK gw_status gw_combine_quotient(const gw_combine_part *a, const gw_combine_part *b, uint32_t level_ppm,
                                            gw_combined *ret);

// minimum + range * theta, theta = with / (with + without): rates (0, 100), shares, means. Both parts have the same
// noise and step, and share no released integer.
typedef struct {
    gw_combine_part with, without;
    double minimum, range;
} gw_combine_ratio;
GW_MUST_CHECK gw_status gw_combine_pooled(const gw_combine_ratio *ratio, uint32_t level_ppm, gw_combined *ret);
// a - b of ratios that share no released integer.
GW_MUST_CHECK gw_status gw_combine_ratio_difference(const gw_combine_ratio *a, const gw_combine_ratio *b,
                                                    uint32_t level_ppm, gw_combined *ret);
// range * (a - b) / (a + b + rest): two shares of one whole. `rest` has count 0 where nothing is left.
typedef struct {
    gw_combine_part a, b, rest;
    double range;
} gw_combine_shares;
GW_MUST_CHECK gw_status gw_combine_share_difference(const gw_combine_shares *shares, uint32_t level_ppm,
                                                    gw_combined *ret);

GW_C_END
