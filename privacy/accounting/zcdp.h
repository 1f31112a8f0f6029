// SPDX-License-Identifier: Apache-2.0
// Optional accounting with a delta: zero-concentrated differential privacy (zCDP), as integers.
// A question of epsilon costs rho = epsilon tanh(epsilon / 2) as well, rounded up. A question is admitted while the sum
// of epsilon keeps its total, or the sum of rho keeps the total that (epsilon, delta) buys, rounded down; together that
// is (epsilon, delta)-differential privacy, however questions are chosen. Proof: zcdp.md. No floating point: an auditor
// recomputes the same integers.
// Thread safety: pure.   Depends on: budget.h, accounting/delta.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/accounting/delta.h"
#include "privacy/budget.h"

GW_C_BEGIN

#define GW_RHO_ONE ((uint64_t)1 << 40) // rho 1: rho is counted in units of 2^-40
#define GW_RHO_MAX (UINT64_MAX >> 1)   // a sum that stays here admits nothing any more; fits signed 64 bits

// A privacy loss in both measures: a total, what is spent, or a price.
typedef struct {
    uint64_t micro; // epsilon * 10^6
    uint64_t rho;   // rho * 2^40; as a total, 0 is pure accounting
} gw_loss;

// What a question of epsilon costs: ceil(2^40 epsilon tanh(epsilon / 2)), at most GW_RHO_MAX. Never 0 for epsilon > 0.
uint64_t gw_rho_of(gw_epsilon epsilon);
// The largest rho that is found whose (epsilon, delta) is certified, rounded down; below GW_RHO_MAX. 0 for delta 0, and
// where so little fits that it cannot be counted.
uint64_t gw_rho_total(gw_epsilon total, gw_delta delta);
// a + b, or GW_RHO_MAX where that is less: a sum of rho never wraps.
uint64_t gw_rho_add(uint64_t a, uint64_t b);

// The admission rule: pure or zCDP. With total.rho 0 it is gw_budget_admits, whatever was spent.
bool gw_zcdp_admits(gw_loss total, gw_loss spent, gw_loss cost);
// Of questions of one price: how many more are admitted, one after the other.
uint64_t gw_zcdp_fits(gw_loss total, gw_loss spent, gw_epsilon each);
// The largest epsilon that one question may cost now.
gw_epsilon gw_zcdp_remaining(gw_loss total, gw_loss spent);

GW_C_END
