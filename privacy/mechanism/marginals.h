// SPDX-License-Identifier: Apache-2.0
// The marginals mechanism: several marginals of one table, each with discrete Laplace noise under its own epsilon. How
// a price is split over them is marginals_split.h; what the noised marginals say together is worked out afterwards
// (derive/marginals_estimate.h). Proof: marginals.md.
// Thread safety: pure given its source.   Depends on: exact_table.h, marginals_shape.h, random_source.h, sampling/.
#pragma once
#include "privacy/exact_table.h"
#include "privacy/linkage.h"
#include "privacy/marginals_shape.h"
#include "privacy/random_source.h"

GW_C_BEGIN

#define GW_MARGINALS_CELLS_MAX 4000000u // measured cells of one release; bounds memory (200 MB with noise and sums)

// Block i of the table is marginal law->masks[i]. `base` has the cells of law->base and one part; it stays the
// caller's. All noise is drawn before `base` is read; sums and noise are wiped. GW_INVALID: law and base do not fit, or
// the sampler refuses a noise; GW_LIMIT: more than GW_MARGINALS_CELLS_MAX cells; otherwise the source's own failure.
GW_MUST_CHECK gw_status gw_marginals_release(const gw_exact_table *base, const gw_marginals_law *law,
                                             gw_random_source source, gw_released_table **ret_table);

GW_C_END
