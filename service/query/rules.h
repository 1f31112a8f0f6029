// SPDX-License-Identifier: Apache-2.0
// What may change while the service runs: the indicators and the release tick. A query holds the rules it began with to
// its end, so that a reload changes nothing under its feet; the last one to let go of old rules frees them.
// Thread safety: safe.   Depends on: policy/indicator.h.
#pragma once
#include "service/policy/indicator.h"

#include <stdatomic.h>

typedef struct gw_rules {
    const gw_catalogue *catalogue;
    unsigned release_tick_ms;
    gw_catalogue *owned; // NULL: the catalogue is somebody else's
    atomic_uint holders;
} gw_rules;

// NULL without memory; then `owned` is still the caller's. The caller holds what it made.
gw_rules *gw_rules_new(const gw_catalogue *catalogue, gw_catalogue *owned, unsigned release_tick_ms);
gw_rules *gw_rules_hold(gw_rules *rules);
void gw_rules_drop(gw_rules *rules); // accepts NULL
