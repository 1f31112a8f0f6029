// SPDX-License-Identifier: Apache-2.0
// Generalised least squares of marginals by residuals: pooled downwards, made residual, summed upwards, each an
// attribute at a time (marginals_estimate.md).
#include "privacy/derive/marginals_estimate.h"
#include "privacy/interval.h"
#include "privacy/noise_blend.h"
#include "privacy/tail.h"
#include <math.h>
#include <stdlib.h>

#define WEIGHT_NONE 1e-13
#define PADDING 1e-6 // of a half width, and of a step: more than the rounding of an estimate below 10^9

struct gw_marginals_estimate {
    gw_marginals_base base;
    gw_marginals_set wanted;
    double *cells[GW_MARGINALS_MASKS];
};

void gw_marginals_estimate_free(gw_marginals_estimate *estimate) {
    if (estimate == NULL)
        return;
    for (unsigned mask = 0; mask < GW_MARGINALS_MASKS; mask++)
        free(estimate->cells[mask]);
    free(estimate);
}

const double *gw_marginals_estimate_cells(const gw_marginals_estimate *estimate, unsigned mask) {
    return gw_marginals_has(estimate->wanted, mask) ? estimate->cells[mask] : NULL;
}

// Attributes of one category: a marginal tells the same with and without them, so that none is out of reach for them.
static unsigned single_attributes(const gw_marginals_base *base) {
    unsigned mask = 0;
    for (unsigned i = 0; i < base->attribute_count; i++)
        if (base->sizes[i] == 1)
            mask |= 1u << i;
    return mask;
}

// Where measured values are: in a table that was just released, or as they were published, block by block.
typedef struct {
    const gw_released_table *table; // or NULL
    const gw_int128 *values;
} value_source;

static gw_int128 source_value(value_source source, size_t cell) {
    return source.table != NULL ? gw_released_value(source.table, cell, 0) : source.values[cell];
}

// Every marginal below a measured one, all zeros, but the measured, which hold their values times their precision.
static gw_status load(gw_marginals_estimate *estimate, const gw_marginals_law *law, value_source source) {
    gw_marginals_set measured = 0;
    for (size_t i = 0; i < law->count; i++)
        measured |= 1ull << (law->masks[i] | single_attributes(&law->base));
    const gw_marginals_set covered = gw_marginals_closure(measured);
    for (unsigned mask = 0; mask < GW_MARGINALS_MASKS; mask++) {
        if (!gw_marginals_has(covered, mask))
            continue;
        estimate->cells[mask] = calloc(gw_marginals_cell_count(&law->base, mask), sizeof(double));
        if (estimate->cells[mask] == NULL)
            return GW_NO_MEMORY;
    }
    for (size_t i = 0, first = 0; i < law->count; i++) {
        const size_t count = gw_marginals_cell_count(&law->base, law->masks[i]);
        const double sd = gw_tail_sd(law->noises[i]), precision = 1.0 / (sd * sd);
        double *cells = estimate->cells[law->masks[i]];
        for (size_t k = 0; k < count; k++)
            cells[k] = precision * (double)source_value(source, first + k);
        first += count; // blocks follow each other without gaps
    }
    return GW_OK;
}

// to += the mean of `from` over its middle axis.
static void add_mean(const double *from, gw_marginals_axis axis, double *to) {
    const double part = 1.0 / (double)axis.size;
    for (size_t o = 0; o < axis.outer; o++)
        for (size_t k = 0; k < axis.size; k++)
            for (size_t i = 0; i < axis.inner; i++)
                to[o * axis.inner + i] += part * from[(o * axis.size + k) * axis.inner + i];
}

// to += the share of each category of the middle axis in `from`, all alike.
static void add_spread(const double *from, gw_marginals_axis axis, double *to) {
    const double part = 1.0 / (double)axis.size;
    for (size_t o = 0; o < axis.outer; o++)
        for (size_t k = 0; k < axis.size; k++)
            for (size_t i = 0; i < axis.inner; i++)
                to[(o * axis.size + k) * axis.inner + i] += part * from[o * axis.inner + i];
}

// Takes the mean over the middle axis from each of its lines. `means` has room for outer x inner.
static void subtract_mean(double *cells, gw_marginals_axis axis, double *means) {
    for (size_t i = 0; i < axis.outer * axis.inner; i++)
        means[i] = 0.0;
    add_mean(cells, axis, means);
    for (size_t o = 0; o < axis.outer; o++)
        for (size_t k = 0; k < axis.size; k++)
            for (size_t i = 0; i < axis.inner; i++)
                cells[(o * axis.size + k) * axis.inner + i] -= means[o * axis.inner + i];
}

// After it cells[S] holds the sum over measured A above S of precision_A times the mean of A over what S lacks.
static void pool(gw_marginals_estimate *estimate) {
    for (unsigned i = 0; i < estimate->base.attribute_count; i++)
        for (unsigned mask = 0; mask < GW_MARGINALS_MASKS; mask++) {
            const unsigned below = mask & ~(1u << i);
            if (below != mask && estimate->cells[mask] != NULL)
                add_mean(estimate->cells[mask], gw_marginals_axis_of(&estimate->base, mask, i), estimate->cells[below]);
        }
}

// cells[S] becomes the residual r_S: no part of it is explained by fewer attributes.
static gw_status make_residuals(gw_marginals_estimate *estimate, const gw_marginals_law *law) {
    double information[GW_MARGINALS_MASKS];
    gw_marginals_law_information(law, information);
    size_t room = 1;
    for (unsigned mask = 0; mask < GW_MARGINALS_MASKS; mask++)
        if (estimate->cells[mask] != NULL && gw_marginals_cell_count(&law->base, mask) > room)
            room = gw_marginals_cell_count(&law->base, mask);
    double *means = malloc(room * sizeof(*means));
    if (means == NULL)
        return GW_NO_MEMORY;
    for (unsigned mask = 0; mask < GW_MARGINALS_MASKS; mask++) {
        if (estimate->cells[mask] == NULL)
            continue;
        const size_t count = gw_marginals_cell_count(&law->base, mask);
        const bool is_nothing = (mask & single_attributes(&law->base)) != 0; // and perhaps without information
        for (size_t k = 0; k < count; k++)
            estimate->cells[mask][k] = is_nothing ? 0.0 : estimate->cells[mask][k] / information[mask];
        for (unsigned i = 0; i < law->base.attribute_count; i++)
            if ((mask >> i & 1) != 0)
                subtract_mean(estimate->cells[mask], gw_marginals_axis_of(&law->base, mask, i), means);
    }
    free(means);
    return GW_OK;
}

// cells[T] becomes the sum over S in T of r_S, spread evenly over what S lacks.
static void sum_up(gw_marginals_estimate *estimate) {
    for (unsigned i = 0; i < estimate->base.attribute_count; i++)
        for (unsigned mask = 0; mask < GW_MARGINALS_MASKS; mask++)
            if ((mask >> i & 1) != 0 && estimate->cells[mask] != NULL)
                add_spread(estimate->cells[mask & ~(1u << i)], gw_marginals_axis_of(&estimate->base, mask, i),
                           estimate->cells[mask]);
}

static bool table_fits(const gw_marginals_law *law, const gw_released_table *table) {
    if (!gw_marginals_law_is_sound(law) || gw_released_block_count(table) != law->count ||
        gw_released_part_count(table) != 1)
        return false;
    for (size_t i = 0; i < law->count; i++)
        if (gw_released_block(table, i).cell_count != gw_marginals_cell_count(&law->base, law->masks[i]))
            return false;
    return true;
}

static gw_status estimate_from(const gw_marginals_law *law, value_source source, gw_marginals_set wanted,
                               gw_marginals_estimate **ret) {
    gw_marginals_estimate *estimate = calloc(1, sizeof(*estimate));
    if (estimate == NULL)
        return GW_NO_MEMORY;
    estimate->base = law->base;
    estimate->wanted = wanted;
    gw_status status = load(estimate, law, source);
    for (unsigned mask = 0; mask < GW_MARGINALS_MASKS && status == GW_OK; mask++)
        if (gw_marginals_has(wanted, mask) && estimate->cells[mask] == NULL)
            status = GW_INVALID;
    if (status == GW_OK) {
        pool(estimate);
        status = make_residuals(estimate, law);
    }
    if (status != GW_OK) {
        gw_marginals_estimate_free(estimate);
        return status;
    }
    sum_up(estimate);
    *ret = estimate;
    return GW_OK;
}

gw_status gw_marginals_estimate_new(const gw_marginals_law *law, const gw_released_table *table,
                                    gw_marginals_set wanted, gw_marginals_estimate **ret) {
    if (!table_fits(law, table))
        return GW_INVALID;
    return estimate_from(law, (value_source){.table = table}, wanted, ret);
}

gw_status gw_marginals_estimate_of_published(const gw_marginals_law *law, const gw_int128 *values,
                                             gw_marginals_set wanted, gw_marginals_estimate **ret) {
    if (!gw_marginals_law_is_sound(law))
        return GW_INVALID;
    return estimate_from(law, (value_source){.values = values}, wanted, ret);
}

// What one noise value of the measured marginal A weighs in a cell of T, where the two cells agree in the attributes
// `same` (of A and T), times the variance of A's noise.
static double weight_of(const gw_marginals_base *base, const double *information, unsigned a, unsigned t,
                        unsigned same) {
    const unsigned both = a & t;
    double weight = 0.0;
    unsigned part = both;
    do {
        double factor = 1.0;
        for (unsigned i = 0; i < base->attribute_count; i++) {
            const double share = 1.0 / base->sizes[i];
            if ((part >> i & 1) != 0)
                factor *= (same >> i & 1) != 0 ? 1.0 - share : -share;
            else if ((a >> i & 1) != 0 && (t >> i & 1) != 0)
                factor *= share * share;
            else if ((a >> i & 1) != 0 || (t >> i & 1) != 0)
                factor *= share;
        }
        if (factor != 0.0)
            weight += factor / information[part];
        part = (part - 1) & both;
    } while (part != both);
    return weight;
}

// In how many cells of A that happens.
static size_t count_of(const gw_marginals_base *base, unsigned a, unsigned t, unsigned same) {
    size_t count = 1;
    for (unsigned i = 0; i < base->attribute_count; i++) {
        if ((a >> i & 1) == 0)
            continue;
        if ((t >> i & 1) == 0)
            count *= base->sizes[i];
        else if ((same >> i & 1) == 0)
            count *= base->sizes[i] - 1u;
    }
    return count;
}

// The error of a cell of T as a weighted sum of noise values, the same law for each of its cells.
static size_t error_terms(const gw_marginals_law *law, const double *information, unsigned mask, gw_noise_term *terms) {
    size_t count = 0;
    for (size_t i = 0; i < law->count; i++) {
        const double sd = gw_tail_sd(law->noises[i]);
        const unsigned both = law->masks[i] & mask;
        unsigned same = both;
        do {
            const double weight = weight_of(&law->base, information, law->masks[i], mask, same) / (sd * sd);
            const size_t cells = count_of(&law->base, law->masks[i], mask, same);
            if (cells != 0 && fabs(weight) > WEIGHT_NONE) // less is the rounding of a weight that is 0
                terms[count++] = (gw_noise_term){.noise = law->noises[i], .weight = fabs(weight), .count = cells};
            same = (same - 1) & both;
        } while (same != both);
    }
    return count;
}

gw_status gw_marginals_half_width(const gw_marginals_law *law, unsigned mask, uint32_t level_ppm,
                                  double *ret_half_width) {
    if (!gw_marginals_law_is_sound(law) || level_ppm < 500000 || level_ppm > 999999)
        return GW_INVALID;
    double information[GW_MARGINALS_MASKS];
    gw_marginals_law_information(law, information);
    if (mask >> law->base.attribute_count != 0 ||
        !(gw_marginals_variance_from(&law->base, information, mask) < INFINITY))
        return GW_INVALID;
    gw_noise_term *terms = calloc(GW_NOISE_BLEND_TERMS_MAX, sizeof(*terms));
    if (terms == NULL)
        return GW_NO_MEMORY;
    const size_t count = error_terms(law, information, mask, terms);
    double half_width = 0.0;
    gw_status status = gw_noise_blend_quantile(terms, count, (1e6 - level_ppm) / 1e6, &half_width);
    if (status == GW_OK)
        *ret_half_width = half_width * (1.0 + PADDING) + PADDING;
    free(terms);
    return status;
}
