// SPDX-License-Identifier: Apache-2.0
// The second column of marginals: whole numbers, none negative, that agree to the digit, because all are sums of one
// table of whole numbers. Near the estimates, but biased where they are negative; the measured integers and the
// estimates stand beside it. Post-processing: no data, no price. What is promised and what is measured:
// marginals_estimate.md. Thread safety: immutable after new.   Depends on: marginals_estimate.h.
#pragma once
#include "privacy/derive/marginals_estimate.h"
#include "privacy/linkage.h"

GW_C_BEGIN

typedef struct gw_marginals_adjusted gw_marginals_adjusted;

// From an estimate of all marginals in `law` (and of the total). `wanted` lie below them. The total is the rounded
// estimate of the total, or 0 where that is negative. GW_INVALID: an estimate is missing; GW_LIMIT: a total past 2^50;
// GW_NO_MEMORY.
GW_MUST_CHECK gw_status gw_marginals_adjust(const gw_marginals_law *law, const gw_marginals_estimate *estimate,
                                            gw_marginals_set wanted, gw_marginals_adjusted **ret);
void gw_marginals_adjusted_free(gw_marginals_adjusted *adjusted); // accepts NULL
// The cells of a wanted marginal; NULL for one that was not wanted.
const int64_t *gw_marginals_adjusted_cells(const gw_marginals_adjusted *adjusted, unsigned mask);

GW_C_END
