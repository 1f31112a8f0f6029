// SPDX-License-Identifier: Apache-2.0
// The law under which keys are shown and counted: a random threshold T for each key. A key held by n persons is shown
// when n >= T, and n - T + centre is what is said of its count. What a reader may conclude from it: derive/keys.h.
// Proof and choice: selection.md.
// Thread safety: immutable after new; may be shared.   Depends on: selection_table.h, random_source.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/mechanism/selection_table.h"
#include "privacy/random_source.h"

GW_C_BEGIN

typedef struct gw_selection_law gw_selection_law;

// GW_INVALID: an amount of the price is 0 or past its maximum, or epsilon so small that T has more values than
// GW_SELECTION_STEPS_MAX. GW_INTERNAL: the table failed its own check (never seen; refuses instead of guessing).
GW_MUST_CHECK gw_status gw_selection_law_new(gw_selection_price price, gw_selection_law **ret);
void gw_selection_law_free(gw_selection_law *law); // accepts NULL
gw_selection_price gw_selection_law_price(const gw_selection_law *law);

// `count` independent thresholds, each from 1 to gw_selection_law_steps. The bytes drawn and the instructions run
// depend on (law, count) alone, but for ties of probability below 2^-47 per draw.
GW_MUST_CHECK gw_status gw_selection_law_fill(const gw_selection_law *law, gw_random_source source, uint64_t *ret,
                                              size_t count);

uint64_t gw_selection_law_steps(const gw_selection_law *law);  // the smallest count that is shown for certain
uint64_t gw_selection_law_centre(const gw_selection_law *law); // the whole number nearest to the mean of T
// pi_1 .. pi_count; for derive/, which says what follows from what was drawn.
const gw_threshold *gw_selection_law_table(const gw_selection_law *law, size_t *ret_count);

GW_C_END
