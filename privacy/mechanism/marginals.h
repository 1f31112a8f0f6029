// SPDX-License-Identifier: Apache-2.0
// The marginals mechanism: one price, split over marginals of one table so that all of them come out as exact as it
// allows, then discrete Laplace noise on every cell of each under its share. What the noised marginals say together
// is worked out afterwards (derive/marginals_estimate.h). Proof: marginals.md.
// Thread safety: pure given its source.   Depends on: exact_table.h, marginals_shape.h, random_source.h, sampling/.
#pragma once
#include "privacy/exact_table.h"
#include "privacy/linkage.h"
#include "privacy/marginals_shape.h"
#include "privacy/random_source.h"

GW_C_BEGIN

#define GW_MARGINALS_CELLS_MAX 4000000u // measured cells of one release; bounds memory (200 MB with noise and sums)

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

// Block i of the table is marginal law->masks[i]. `base` has the cells of law->base and one part; it stays the
// caller's. All noise is drawn before `base` is read; sums and noise are wiped. GW_INVALID: law and base do not fit, or
// the sampler refuses a noise; GW_LIMIT: more than GW_MARGINALS_CELLS_MAX cells; otherwise the source's own failure.
GW_MUST_CHECK gw_status gw_marginals_release(const gw_exact_table *base, const gw_marginals_law *law,
                                             gw_random_source source, gw_released_table **ret_table);

GW_C_END
