// SPDX-License-Identifier: Apache-2.0
// Noise first, data second: by the time an exact value is read, all randomness is fixed (parts.md).
#include "privacy/mechanism/parts.h"
#include "privacy/released_make.h"
#include <stdlib.h>
#include <string.h>

// The one place where exact values become released ones. The sum is checked without branching on a value: an overflow
// needs an exact value within 2^62 of the end of 128 bits, which bounds checked at load rule out, so it is our error.
static gw_status add_noise(const gw_int128 *exact, const int64_t *noise, gw_int128 *released, size_t count) {
    bool is_overflow = false;
    for (size_t i = 0; i < count; i++)
        is_overflow |= __builtin_add_overflow(exact[i], (gw_int128)noise[i], &released[i]);
    return is_overflow ? GW_INTERNAL : GW_OK;
}

gw_status gw_parts_release_under(const gw_exact_table *exact, const gw_discrete_laplace *sampler, gw_noise noise,
                                 gw_random_source source, gw_released_table **ret_table) {
    size_t count = exact->cell_count * exact->part_count; // bounded by gw_exact_table_new
    gw_released_table *table = NULL;
    int64_t *draws = malloc(count * sizeof(*draws));
    gw_status status = draws == NULL ? GW_NO_MEMORY : gw_discrete_laplace_fill(sampler, source, draws, count);
    if (status == GW_OK)
        status = gw_released_make(exact->cell_count, exact->part_count, noise, &table);
    if (status == GW_OK)
        status = add_noise(exact->values, draws, gw_released_values(table), count);
    if (draws != NULL)
        explicit_bzero(draws, count * sizeof(*draws)); // with the noise known, the exact values are too
    free(draws);
    if (status != GW_OK) {
        gw_released_free(table);
        return status;
    }
    *ret_table = table;
    return GW_OK;
}

gw_status gw_parts_release(const gw_exact_table *exact, gw_noise noise, gw_random_source source,
                           gw_released_table **ret_table) {
    gw_discrete_laplace *sampler = NULL;
    gw_status status = gw_discrete_laplace_new(noise, &sampler);
    if (status == GW_OK)
        status = gw_parts_release_under(exact, sampler, noise, source, ret_table);
    gw_discrete_laplace_free(sampler);
    return status;
}
