// SPDX-License-Identifier: Apache-2.0
// From exact values to released ones: the one call between the engine and everything that a reply is made of. Service
// and tests make the same call; tests hand in a source whose bytes are recorded. Nobody outside this room includes it.
// Thread safety: pure given its source.   Depends on: plan.h, laws.h, privacy/mechanism/.
#pragma once
#include "privacy/exact_table.h"
#include "privacy/mechanism/selection.h"
#include "privacy/random_source.h"
#include "privacy/released.h"
#include "service/query/laws.h"
#include "service/query/plan.h"

// The laws that a plan is protected under and its ranges are told by, held until gw_laws_drop. Fails like
// gw_laws_hold: before anything is charged, also where it is only a share of the price that no sampler draws for.
GW_MUST_CHECK gw_status gw_query_laws_of(const gw_plan *plan, gw_laws_cache *cache, const gw_laws **ret);

// Runs the plan's mechanism. What is drawn, how often and in which pieces follows from plan and laws alone. `exact`
// stays the caller's (who frees and so wipes it); it is read after the last draw, but that a tree sums its nodes up
// before it draws and a choice works out its ranks before it throws, both by the same steps whatever they hold.
// GW_INTERNAL: the table's shape or the noise is not the plan's; otherwise the mechanism's own failure.
GW_MUST_CHECK gw_status gw_query_protect(const gw_plan *plan, const gw_laws *laws, const gw_exact_table *exact,
                                         gw_random_source source, gw_released_table **ret);
// The same for unknown keys.
GW_MUST_CHECK gw_status gw_query_protect_keys(const gw_plan *plan, const gw_laws *laws, const gw_exact_keys *exact,
                                              gw_random_source source, gw_released_keys **ret);
