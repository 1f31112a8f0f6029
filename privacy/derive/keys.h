// SPDX-License-Identifier: Apache-2.0
// What follows from unknown keys that were shown: ranges of their counts, and before asking, which keys will be shown
// and how well. Post-processing in double precision; proof in mechanism/selection.md, "Ranges".
// Thread safety: immutable after new; may be shared.   Depends on: mechanism/selection_law.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/mechanism/selection_law.h"

GW_C_BEGIN

typedef struct gw_keys_figures gw_keys_figures;

// The law need not outlive it. GW_NO_MEMORY.
GW_MUST_CHECK gw_status gw_keys_figures_new(const gw_selection_law *law, gw_keys_figures **ret);
void gw_keys_figures_free(gw_keys_figures *figures); // accepts NULL

double gw_keys_shown(const gw_keys_figures *figures, uint64_t persons);  // the chance of a key of so many persons
uint64_t gw_keys_persons(const gw_keys_figures *figures, double chance); // the fewest persons with at least this chance
double gw_keys_sd(const gw_keys_figures *figures);                       // of the noise of a key that is surely shown
double gw_keys_bias(const gw_keys_figures *figures); // and how far its value is off on average: within one half

// The counts n that a shown key with this value may have: those for which a value as low and a value as high, given
// that the key is shown, are each likelier than (1 - level) / 2. So among keys that are shown, a range holds the count
// with at least the level's probability, also where being shown was luck. A value below the law's centre, which no
// shown key has, is taken for the centre.
typedef struct {
    uint64_t lower, upper;
} gw_keys_range;
gw_keys_range gw_keys_range_of(const gw_keys_figures *figures, uint64_t value, uint32_t level_ppm);
// Half the width of that range for a key that is surely shown.
double gw_keys_half_width(const gw_keys_figures *figures, uint32_t level_ppm);

// The same before asking, by the theorem's closed form and without a table: prices are searched for. Where no law is
// made for the price, nothing is shown and the width is infinite.
double gw_keys_price_half_width(gw_selection_price price, uint32_t level_ppm);
uint64_t gw_keys_price_persons(gw_selection_price price, double chance); // 0: no number of persons

GW_C_END
