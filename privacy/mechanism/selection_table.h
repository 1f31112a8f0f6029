// SPDX-License-Identifier: Apache-2.0
// The probabilities with which a key is shown, as integers: pi_n for a key held by n persons, rounded down to 320 bits,
// and the check that what is rounded keeps epsilon and delta exactly. pi_n is also the probability that a random
// threshold T is at most n, which is how one draw decides on the key and is its count's noise. Proof: selection.md.
// No floating point takes part. Thread safety: pure.   Depends on: budget.h,
// accounting/delta.h, sampling/fixed_point.h.
#pragma once
#include "privacy/accounting/delta.h"
#include "privacy/budget.h"
#include "privacy/linkage.h"
#include "privacy/sampling/fixed_point.h"

GW_C_BEGIN

#define GW_SELECTION_KEYS_PER_PERSON_MAX 1000000u
#define GW_SELECTION_STEPS_MAX 65536u // epsilon 0.0015 for one key at delta 1e-18; 2.6 MB
#define GW_SELECTION_EPSILON_MAX 40u  // of one key: past it there is no noise to speak of, and e^epsilon passes 64 bits

// What one question may cost, for all the keys of a person together.
typedef struct {
    gw_epsilon epsilon;
    uint64_t keys_per_person; // keys whose counts one person moves, each by at most one
    gw_delta delta;
} gw_selection_price;

// One key's part of it: e^-(epsilon / keys) between two bounds, and delta' with 1 - (1 - delta')^keys <= delta.
typedef struct {
    gw_fixed_bounds q;
    gw_fixed delta; // rounded down
} gw_selection_share;

// GW_INVALID: an amount is 0 or past its maximum.
GW_MUST_CHECK gw_status gw_selection_share_of(gw_selection_price price, gw_selection_share *ret);
// Writes pi_1 .. pi_count; pi is 0 before and 1 behind them. GW_INVALID: there are more than `count_max`.
GW_MUST_CHECK gw_status gw_selection_table_make(const gw_selection_share *share, gw_threshold *ret_table,
                                                size_t count_max, size_t *ret_count);
// Whether the law of T that a table stands for keeps the share's epsilon and delta: for both directions, the sum over t
// of max(0, q P(T = t) - P(T = t -+ 1)) is at most q delta. Only certified roundings: true is a proof.
bool gw_selection_table_keeps(const gw_selection_share *share, const gw_threshold *table, size_t count);

GW_C_END
