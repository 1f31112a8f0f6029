// SPDX-License-Identifier: Apache-2.0
// Figures that do not follow from sums of released integers: read off a tree (quantiles, poverty, inequality, series),
// unknown keys, and ratios of sums, whose difference has no closer range. Two of them are compared by their own ranges:
// each at half the chance of missing, so that both hold together with at least the level (Bonferroni), whatever noise
// they share.
// Thread safety: pure.   Depends on: client/cli/figure.h, format/level.h.
#pragma once
#include "client/cli/figure.h"

// Its figures stand alone: no pools, no sums, no quotients.
bool gw_apart_is(const gw_saved *saved);
// The figure of one cell; of a ratio of sums the pooled one. se is infinite where it was not worked out.
// Codes: not_comparable, too_many.
GW_MUST_CHECK gw_status gw_apart_figure(const gw_saved_group *group, uint32_t level_ppm, gw_combined *ret,
                                        gw_problem *ret_problem);
// A less B. The confidence is the highest of some levels at which both ranges still lie apart.
GW_MUST_CHECK gw_status gw_apart_difference(const gw_saved_group *a, const gw_saved_group *b, uint32_t level_ppm,
                                            gw_combined *ret, gw_problem *ret_problem);
// Why there is no sum.
GW_MUST_CHECK gw_status gw_apart_no_sum(const gw_saved *saved, gw_problem *ret_problem);
