// SPDX-License-Identifier: Apache-2.0
// One price split over marginals of one table, so that all that are asked for come out as exact as it allows. Reads
// public figures only. How and how well: mechanism/marginals.md.
// Thread safety: pure.   Depends on: marginals_shape.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/marginals_shape.h"
#include "privacy/status.h"

GW_C_BEGIN

// What is wanted. All of it is public.
typedef struct {
    gw_marginals_base base;
    gw_marginals_set asked;
    gw_marginals_set measurable; // may be measured; each asked marginal lies in one of them. A helper that nobody asked
                                 // for can make those asked more exact
    double weights[GW_MARGINALS_MASKS]; // by mask: what a squared error in each cell of it counts for; only their
                                        // ratios matter. All 0: every asked marginal counts alike
} gw_marginals_wish;

// Splits `price` over the measurable marginals so that the weighted sum of variances of the estimates of the asked
// ones is small: a local optimum from several starts, the same for the same wish. Marginals that would not earn their
// share are left out. The shares never add up to more than `price`, and each is at least 1.
// GW_INVALID: no sound base, nothing asked, an asked marginal that no measurable one covers, weights that are no
// weights, or a price too small to split.
GW_MUST_CHECK gw_status gw_marginals_split(const gw_marginals_wish *wish, gw_epsilon price, uint64_t sensitivity,
                                           gw_marginals_law *ret_law);

// The same split of another price: shares in proportion, rounded down. Splitting takes some hundredths of a second;
// this takes none. GW_INVALID: no sound law, or a price too small for it.
GW_MUST_CHECK gw_status gw_marginals_scale(const gw_marginals_law *law, gw_epsilon price, uint64_t sensitivity,
                                           gw_marginals_law *ret_law);

GW_C_END
