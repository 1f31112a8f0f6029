// SPDX-License-Identifier: Apache-2.0
// The sampler and the ranges of a noise law, worked out once and kept: both depend on public figures only (epsilon,
// sensitivity, number of groups).
// Thread safety: safe; a held gw_laws is immutable.   Depends on: privacy/interval.h,
// privacy/sampling/discrete_laplace.h, privacy/derive/keys.h.
#pragma once
#include "privacy/derive/keys.h"
#include "privacy/interval.h"
#include "privacy/sampling/discrete_laplace.h"

typedef struct {
    gw_noise noise;
    size_t others; // 0: counts, which need no ratios
    gw_discrete_laplace *sampler;
    gw_interval_law *ranges; // at 95 %
    gw_delta delta;          // unknown keys; then only the two below are there
    gw_selection_law *selection;
    gw_keys_figures *figures;
} gw_laws;

typedef struct gw_laws_cache gw_laws_cache;
gw_laws_cache *gw_laws_cache_new(void);
void gw_laws_cache_free(gw_laws_cache *cache); // when nothing is held any more; accepts NULL
// Holds the laws until gw_laws_drop. GW_INVALID: no sampler is certified for this noise; GW_NO_MEMORY.
GW_MUST_CHECK gw_status gw_laws_hold(gw_laws_cache *cache, gw_noise noise, size_t others, const gw_laws **ret);
// The same for unknown keys: noise.sensitivity is how many of them one person may have.
GW_MUST_CHECK gw_status gw_laws_hold_keys(gw_laws_cache *cache, gw_noise noise, gw_delta delta, const gw_laws **ret);
void gw_laws_drop(gw_laws_cache *cache, const gw_laws *laws); // accepts NULL
