// SPDX-License-Identifier: Apache-2.0
// A count of holders, and nothing else.
#include "service/query/rules.h"

#include <stdlib.h>

gw_rules *gw_rules_new(const gw_catalogue *catalogue, gw_catalogue *owned, unsigned release_tick_ms) {
    gw_rules *rules = calloc(1, sizeof *rules);
    if (!rules)
        return NULL;
    rules->catalogue = owned ? owned : catalogue;
    rules->release_tick_ms = release_tick_ms;
    rules->owned = owned;
    atomic_init(&rules->holders, 1);
    return rules;
}

gw_rules *gw_rules_hold(gw_rules *rules) {
    atomic_fetch_add(&rules->holders, 1);
    return rules;
}

void gw_rules_drop(gw_rules *rules) {
    if (!rules || atomic_fetch_sub(&rules->holders, 1) != 1)
        return;
    gw_catalogue_free(rules->owned);
    free(rules);
}
