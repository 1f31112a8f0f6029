// SPDX-License-Identifier: Apache-2.0
// What the fold knows, told by name: the service holds the tables beside its log against this before it believes them.
#include "service/audit/fold_inner.h"
#include "service/base/check.h"
#include <string.h>

static size_t place_of(const gw_audit_state *state, char kind, const char *name) {
    return gw_fold_find(&state->map, gw_fold_key(kind, name, ""));
}

bool gw_audit_principal_find(const gw_audit_state *state, const char *principal, unsigned *ret_roles) {
    size_t place = place_of(state, 'p', principal);
    if (place != GW_FOLD_NONE)
        *ret_roles = state->principals.items[place].roles;
    return place != GW_FOLD_NONE;
}

bool gw_audit_key_find(const gw_audit_state *state, const char *key, gw_audit_key *ret) {
    size_t place = place_of(state, 'k', key);
    if (place == GW_FOLD_NONE)
        return false;
    const gw_fold_key_row *row = &state->keys.items[place];
    *ret = (gw_audit_key){.not_before = row->not_before, .not_after = row->not_after, .is_revoked = row->is_revoked};
    memcpy(ret->principal, row->principal, sizeof(ret->principal));
    memcpy(ret->kind, row->kind, sizeof(ret->kind));
    return true;
}

bool gw_audit_population_find(const gw_audit_state *state, const char *population, gw_audit_population *ret) {
    size_t place = place_of(state, 'P', population);
    if (place == GW_FOLD_NONE)
        return false;
    const gw_fold_population_row *row = &state->populations.items[place];
    *ret = (gw_audit_population){.total = row->total,
                                 .window_days = row->window_days,
                                 .window_total = row->window_total,
                                 .delta = row->terms.delta,
                                 .selection_delta = row->terms.selection};
    return true;
}

bool gw_audit_dataset_find(const gw_audit_state *state, const char *dataset, gw_audit_dataset *ret) {
    size_t place = place_of(state, 'd', dataset);
    if (place == GW_FOLD_NONE)
        return false;
    const gw_fold_dataset_row *row = &state->datasets.items[place];
    ret->policy = row->policy;
    memcpy(ret->population, state->populations.items[row->population].name, sizeof(ret->population));
    memcpy(ret->data, row->data, sizeof(ret->data));
    return true;
}

bool gw_audit_release_state_find(const gw_audit_state *state, const char *release, int64_t *ret_until,
                                 bool *ret_is_withdrawn) {
    size_t place = place_of(state, 'm', release);
    if (place == GW_FOLD_NONE)
        return false;
    *ret_until = state->marks.items[place].until;
    *ret_is_withdrawn = state->marks.items[place].is_withdrawn;
    return true;
}

bool gw_audit_spent_find(const gw_audit_state *state, const gw_audit_budget *budget, gw_audit_spent *ret) {
    gw_fold_balance_row like = {
        .kind = budget->principal != NULL ? GW_FOLD_BALANCE_PRINCIPAL
                : budget->days == 0
                    ? (budget->is_population ? GW_FOLD_BALANCE_POPULATION : GW_FOLD_BALANCE_DATASET)
                    : (budget->is_population ? GW_FOLD_BALANCE_POPULATION_WINDOW : GW_FOLD_BALANCE_WINDOW),
        .owner = place_of(state, budget->is_population ? 'P' : 'd', budget->owner),
        .days = budget->days,
        .window = budget->window};
    if (budget->principal != NULL)
        memcpy(like.principal, budget->principal, sizeof(like.principal));
    size_t place = like.owner == GW_FOLD_NONE ? GW_FOLD_NONE : gw_fold_balance_find(state, &like);
    if (place == GW_FOLD_NONE)
        return false;
    const gw_fold_balance_row *row = &state->balances.items[place];
    *ret = (gw_audit_spent){.micro = row->spent, .rho = row->rho, .selection = row->selection};
    return true;
}

void gw_audit_growth_at(const gw_audit_state *state, size_t index, gw_audit_growth *ret) {
    GW_ASSERT(index < state->growths.count);
    const gw_fold_growth_row *row = &state->growths.items[index];
    bool is_population = row->kind == GW_FOLD_BALANCE_POPULATION;
    *ret = (gw_audit_growth){.restore = row->restore,
                             .is_population = is_population,
                             .owner = is_population ? state->populations.items[row->owner].name
                                                    : state->datasets.items[row->owner].name,
                             .micro = row->micro};
}

gw_audit_sizes gw_audit_sizes_of(const gw_audit_state *state) {
    gw_audit_sizes sizes = {.principals = state->principals.count,
                            .keys = state->keys.count,
                            .populations = state->populations.count,
                            .datasets = state->datasets.count,
                            .release_states = state->marks.count,
                            .growths = state->growths.count};
    for (size_t i = 0; i < state->balances.count; i++) {
        const gw_fold_balance_row *row = &state->balances.items[i];
        sizes.budgets += (row->spent | row->rho | row->selection) != 0;
    }
    return sizes;
}
