// SPDX-License-Identifier: Apache-2.0
// Shapes of marginals, and the variances of what is estimated from them, in closed form (derive/marginals_estimate.md).
#include "privacy/marginals_shape.h"
#include "privacy/exact_table.h"
#include "privacy/tail.h"
#include <math.h>

bool gw_marginals_base_is_sound(const gw_marginals_base *base) {
    if (base->attribute_count == 0 || base->attribute_count > GW_MARGINALS_ATTRIBUTES_MAX)
        return false;
    uint64_t cells = 1;
    for (size_t i = 0; i < base->attribute_count; i++) {
        if (base->sizes[i] == 0 || base->sizes[i] > GW_CELLS_MAX)
            return false;
        cells *= base->sizes[i]; // both below 2^20
        if (cells > GW_CELLS_MAX)
            return false;
    }
    return true;
}

bool gw_marginals_law_is_sound(const gw_marginals_law *law) {
    if (!gw_marginals_base_is_sound(&law->base) || law->count == 0 || law->count > GW_MARGINALS_MASKS)
        return false;
    gw_marginals_set seen = 0;
    for (size_t i = 0; i < law->count; i++) {
        if (law->masks[i] >> law->base.attribute_count != 0 || gw_marginals_has(seen, law->masks[i]) ||
            !gw_tail_noise_is_sound(law->noises[i]))
            return false;
        seen |= 1ull << law->masks[i];
    }
    return true;
}

bool gw_marginals_has(gw_marginals_set set, unsigned mask) {
    return mask < GW_MARGINALS_MASKS && (set >> mask & 1) != 0;
}

gw_marginals_set gw_marginals_closure(gw_marginals_set set) {
    for (unsigned i = 0; i < GW_MARGINALS_ATTRIBUTES_MAX; i++)
        for (unsigned mask = 0; mask < GW_MARGINALS_MASKS; mask++)
            if ((mask >> i & 1) != 0 && gw_marginals_has(set, mask))
                set |= 1ull << (mask & ~(1u << i));
    return set;
}

size_t gw_marginals_cell_count(const gw_marginals_base *base, unsigned mask) {
    size_t count = 1;
    for (size_t i = 0; i < base->attribute_count; i++)
        if ((mask >> i & 1) != 0)
            count *= base->sizes[i];
    return count;
}

gw_marginals_axis gw_marginals_axis_of(const gw_marginals_base *base, unsigned mask, unsigned attribute) {
    const unsigned before = (1u << attribute) - 1;
    return (gw_marginals_axis){.outer = gw_marginals_cell_count(base, mask & before),
                               .size = base->sizes[attribute],
                               .inner = gw_marginals_cell_count(base, mask & ~before & ~(1u << attribute))};
}

// w_S = sum over measured A above S of precision_A / (product of the sizes of A without S), an attribute at a time.
void gw_marginals_information(const gw_marginals_base *base, const double precisions[GW_MARGINALS_MASKS],
                              double ret_information[GW_MARGINALS_MASKS]) {
    const unsigned mask_count = 1u << base->attribute_count;
    for (unsigned mask = 0; mask < GW_MARGINALS_MASKS; mask++)
        ret_information[mask] = mask < mask_count ? precisions[mask] : 0.0;
    for (unsigned i = 0; i < base->attribute_count; i++)
        for (unsigned mask = 0; mask < mask_count; mask++)
            if ((mask >> i & 1) == 0)
                ret_information[mask] += ret_information[mask | 1u << i] / base->sizes[i];
}

// Var = sum over S in T of (1 / w_S) prod_S (1 - 1/n) prod_(T without S) 1/n^2.
double gw_marginals_variance_from(const gw_marginals_base *base, const double information[GW_MARGINALS_MASKS],
                                  unsigned mask) {
    double variance = 0.0;
    unsigned part = mask;
    do {
        double share = 1.0;
        for (unsigned i = 0; i < base->attribute_count; i++) {
            const double size = base->sizes[i];
            if ((part >> i & 1) != 0)
                share *= 1.0 - 1.0 / size;
            else if ((mask >> i & 1) != 0)
                share /= size * size;
        }
        if (share != 0.0) // an attribute of one category has no residual
            variance += information[part] > 0.0 ? share / information[part] : INFINITY;
        part = (part - 1) & mask;
    } while (part != mask);
    return variance;
}

void gw_marginals_law_information(const gw_marginals_law *law, double ret_information[GW_MARGINALS_MASKS]) {
    double precisions[GW_MARGINALS_MASKS] = {0};
    for (size_t i = 0; i < law->count; i++) {
        const double sd = gw_tail_sd(law->noises[i]);
        precisions[law->masks[i]] = 1.0 / (sd * sd);
    }
    gw_marginals_information(&law->base, precisions, ret_information);
}

double gw_marginals_variance(const gw_marginals_law *law, unsigned mask) {
    double information[GW_MARGINALS_MASKS];
    gw_marginals_law_information(law, information);
    return gw_marginals_variance_from(&law->base, information, mask);
}
