// SPDX-License-Identifier: Apache-2.0
// Releasing marginals: all noise first, then integer sums of the base table, an attribute at a time (marginals.md).
#include "privacy/mechanism/marginals.h"
#include "privacy/released_make.h"
#include "privacy/sampling/discrete_laplace.h"
#include <stdlib.h>
#include <string.h>

// Exact values between base and noise: two tables, summed from one into the other and back. Wiped.
typedef struct {
    gw_int128 *now;
    gw_int128 *next;
    size_t cell_count; // of each
    bool is_overflow;
} margin_sums;

static gw_status sums_init(margin_sums *sums, size_t cell_count) {
    *sums = (margin_sums){.now = calloc(cell_count, sizeof(gw_int128)),
                          .next = calloc(cell_count, sizeof(gw_int128)),
                          .cell_count = cell_count};
    return sums->now == NULL || sums->next == NULL ? GW_NO_MEMORY : GW_OK;
}

static void sums_wipe(gw_int128 *values, size_t count) {
    if (values != NULL)
        explicit_bzero(values, count * sizeof(*values));
    free(values);
}

static void sums_done(margin_sums *sums) {
    sums_wipe(sums->now, sums->cell_count);
    sums_wipe(sums->next, sums->cell_count);
}

// Sums `from` over its middle axis. Which instructions run depends on the shape alone.
static void sum_axis(const gw_int128 *from, gw_marginals_axis axis, gw_int128 *to, bool *is_overflow) {
    bool overflow = false;
    for (size_t o = 0; o < axis.outer; o++) {
        gw_int128 *row = to + o * axis.inner;
        const gw_int128 *rows = from + o * axis.size * axis.inner;
        memcpy(row, rows, axis.inner * sizeof(*row));
        for (size_t k = 1; k < axis.size; k++)
            for (size_t i = 0; i < axis.inner; i++)
                overflow |= __builtin_add_overflow(row[i], rows[k * axis.inner + i], &row[i]);
    }
    *is_overflow |= overflow;
}

// The marginal `mask` of the base table; points into `sums`, or at the base itself.
static const gw_int128 *sum_marginal(const gw_marginals_base *base, const gw_int128 *values, unsigned mask,
                                     margin_sums *sums) {
    unsigned left = (1u << base->attribute_count) - 1;
    const gw_int128 *from = values;
    for (unsigned i = 0; i < base->attribute_count; i++) {
        if ((mask >> i & 1) != 0)
            continue;
        sum_axis(from, gw_marginals_axis_of(base, left, i), sums->next, &sums->is_overflow);
        left &= ~(1u << i);
        gw_int128 *free_again = sums->now;
        from = sums->now = sums->next;
        sums->next = free_again;
    }
    return from;
}

static gw_status draw_block(gw_noise noise, gw_random_source source, int64_t *draws, size_t count) {
    gw_discrete_laplace *sampler = NULL;
    gw_status status = gw_discrete_laplace_new(noise, &sampler);
    if (status == GW_OK)
        status = gw_discrete_laplace_fill(sampler, source, draws, count);
    gw_discrete_laplace_free(sampler);
    return status;
}

static gw_status draw_all(const gw_released_block_shape *blocks, size_t count, gw_random_source source,
                          int64_t *draws) {
    gw_status status = GW_OK;
    for (size_t i = 0; i < count && status == GW_OK; i++) {
        status = draw_block(blocks[i].noise, source, draws, blocks[i].cell_count);
        draws += blocks[i].cell_count;
    }
    return status;
}

// Where exact and released values meet, checked without a branch on a value (mechanism/parts.md).
static gw_status add_noise(const gw_marginals_law *law, const gw_exact_table *base, const int64_t *draws,
                           gw_int128 *released) {
    margin_sums sums;
    gw_status status = sums_init(&sums, base->cell_count);
    for (size_t i = 0; i < law->count && status == GW_OK; i++) {
        const size_t count = gw_marginals_cell_count(&law->base, law->masks[i]);
        const gw_int128 *exact = sum_marginal(&law->base, base->values, law->masks[i], &sums);
        for (size_t k = 0; k < count; k++)
            sums.is_overflow |= __builtin_add_overflow(exact[k], (gw_int128)draws[k], &released[k]);
        draws += count;
        released += count;
    }
    if (status == GW_OK && sums.is_overflow)
        status = GW_INTERNAL;
    sums_done(&sums);
    return status;
}

gw_status gw_marginals_release(const gw_exact_table *base, const gw_marginals_law *law, gw_random_source source,
                               gw_released_table **ret_table) {
    gw_released_block_shape blocks[GW_MARGINALS_MASKS];
    size_t cell_count = 0;
    if (!gw_marginals_law_is_sound(law) || base->part_count != 1 ||
        base->cell_count != gw_marginals_cell_count(&law->base, ~0u))
        return GW_INVALID;
    for (size_t i = 0; i < law->count; i++) {
        blocks[i] = (gw_released_block_shape){.cell_count = gw_marginals_cell_count(&law->base, law->masks[i]),
                                              .noise = law->noises[i]};
        cell_count += blocks[i].cell_count;
    }
    if (cell_count > GW_MARGINALS_CELLS_MAX)
        return GW_LIMIT;
    gw_released_table *table = NULL;
    int64_t *draws = malloc(cell_count * sizeof(*draws));
    gw_status status = draws == NULL ? GW_NO_MEMORY : draw_all(blocks, law->count, source, draws);
    if (status == GW_OK)
        status = gw_released_make_blocks(blocks, law->count, 1, &table);
    if (status == GW_OK)
        status = add_noise(law, base, draws, gw_released_values(table));
    if (draws != NULL)
        explicit_bzero(draws, cell_count * sizeof(*draws));
    free(draws);
    if (status != GW_OK) {
        gw_released_free(table);
        return status;
    }
    *ret_table = table;
    return GW_OK;
}
