// SPDX-License-Identifier: Apache-2.0
// What noised marginals say together: the best linear unbiased estimate of every cell of every marginal they cover, in
// closed form, with its exact variance and a range that covers. Estimates of different marginals agree: they are the
// marginals of one table of real numbers, up to rounding in the last digits of a double. Post-processing: no data, no
// price. Proof: marginals_estimate.md. Thread safety: immutable after new.   Depends on: marginals_shape.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/marginals_shape.h"
#include "privacy/released.h"
#include "privacy/status.h"

GW_C_BEGIN

typedef struct gw_marginals_estimate gw_marginals_estimate;

// Block i of `table` is marginal law->masks[i]. `wanted` are the marginals to estimate. GW_INVALID: table and law do
// not fit, or a wanted marginal is not determined by the measured ones; GW_NO_MEMORY.
GW_MUST_CHECK gw_status gw_marginals_estimate_new(const gw_marginals_law *law, const gw_released_table *table,
                                                  gw_marginals_set wanted, gw_marginals_estimate **ret);
// The same from values that were published: those of law->masks[0], then those of the next.
GW_MUST_CHECK gw_status gw_marginals_estimate_of_published(const gw_marginals_law *law, const gw_int128 *values,
                                                           gw_marginals_set wanted, gw_marginals_estimate **ret);
void gw_marginals_estimate_free(gw_marginals_estimate *estimate); // accepts NULL
// The cells of a wanted marginal, its last attribute fastest; NULL for one that was not wanted.
const double *gw_marginals_estimate_cells(const gw_marginals_estimate *estimate, unsigned mask);

// Half the width of the range of every cell of `mask`: P(|estimate - exact| > it) <= 1 - level. Known before anything
// is measured. Levels as in interval.h. GW_INVALID: an unsound law, a marginal it does not determine, a level out of
// range; GW_NO_MEMORY.
GW_MUST_CHECK gw_status gw_marginals_half_width(const gw_marginals_law *law, unsigned mask, uint32_t level_ppm,
                                                double *ret_half_width);

GW_C_END
