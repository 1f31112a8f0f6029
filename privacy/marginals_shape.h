// SPDX-License-Identifier: Apache-2.0
// Several marginals of one table: their shapes, which were measured under which noise, and what that tells of each.
// A marginal is named by its mask: bit i says that it is broken down by attribute i. All of it is public.
// Thread safety: pure.   Depends on: released.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/released.h"
#include <stdbool.h>

GW_C_BEGIN

#define GW_MARGINALS_ATTRIBUTES_MAX 6u
#define GW_MARGINALS_MASKS 64u // 2^6: every marginal there can be

// The table that all marginals are sums of. The last attribute varies fastest, in it and in every marginal.
typedef struct {
    size_t attribute_count; // 1 .. 6
    uint32_t sizes[GW_MARGINALS_ATTRIBUTES_MAX];
} gw_marginals_base;

typedef uint64_t gw_marginals_set; // bit m: the marginal with mask m

// What is measured: marginal masks[i] carries noise noises[i], and is block i of a released table.
typedef struct {
    gw_marginals_base base;
    size_t count;
    unsigned masks[GW_MARGINALS_MASKS];
    gw_noise noises[GW_MARGINALS_MASKS];
} gw_marginals_law;

// Attributes 1 .. 6, sizes > 0, cells of the base within GW_CELLS_MAX.
bool gw_marginals_base_is_sound(const gw_marginals_base *base);
// Sound base, 1 .. 64 different masks of its attributes, noise a sampler draws.
bool gw_marginals_law_is_sound(const gw_marginals_law *law);
bool gw_marginals_has(gw_marginals_set set, unsigned mask);
gw_marginals_set gw_marginals_closure(gw_marginals_set set); // the set and every marginal of one in it
size_t gw_marginals_cell_count(const gw_marginals_base *base, unsigned mask);

// A marginal seen along one of its attributes: outer x size x inner cells.
typedef struct {
    size_t outer, size, inner;
} gw_marginals_axis;
gw_marginals_axis gw_marginals_axis_of(const gw_marginals_base *base, unsigned mask, unsigned attribute);

// Precisions (1 / variance of a cell, 0 where not measured) by mask, to the information w_S on each residual S
// (derive/marginals_estimate.md), and from there to the variance of a cell of `mask`: infinite where a part is unknown.
void gw_marginals_information(const gw_marginals_base *base, const double precisions[GW_MARGINALS_MASKS],
                              double ret_information[GW_MARGINALS_MASKS]);
double gw_marginals_variance_from(const gw_marginals_base *base, const double information[GW_MARGINALS_MASKS],
                                  unsigned mask);
void gw_marginals_law_information(const gw_marginals_law *law, double ret_information[GW_MARGINALS_MASKS]);
// Of the estimate of a cell of `mask` from everything measured.
double gw_marginals_variance(const gw_marginals_law *law, unsigned mask);

GW_C_END
