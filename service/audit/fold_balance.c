// SPDX-License-Identifier: Apache-2.0
// Balances of the fold: what is spent of datasets, populations, principals and windows, and how that is told.
#include "service/audit/fold_inner.h"
#include <string.h>

static gw_tag balance_key(const gw_fold_balance_row *like) {
    struct {
        char letter, kind;
        char principal[GW_ID_HEX];
        uint64_t owner, days, window;
    } key;
    memset(&key, 0, sizeof(key)); // what lies between its members too
    key.letter = 'b';
    key.kind = (char)like->kind;
    memcpy(key.principal, like->principal, sizeof(key.principal));
    key.owner = like->owner;
    key.days = like->days;
    key.window = like->window;
    return gw_tag_of((gw_bytes){.data = (const uint8_t *)&key, .size = sizeof(key)});
}

// What the charges already in the log, and restores, spent of a window: both are in order of time.
static uint64_t window_spent(const gw_audit_state *state, const gw_fold_balance_row *like) {
    uint64_t start = like->window * like->days * GW_FOLD_DAY_SECONDS;
    uint64_t spent = 0;
    for (size_t i = state->charges.count; i > 0 && (uint64_t)state->charges.items[i - 1].time >= start; i--) {
        const gw_fold_charge_row *charge = &state->charges.items[i - 1];
        size_t owner =
            like->kind == GW_FOLD_BALANCE_WINDOW ? charge->dataset : state->datasets.items[charge->dataset].population;
        if (owner == like->owner && __builtin_add_overflow(spent, charge->cost, &spent))
            return UINT64_MAX; // admits nothing
    }
    gw_fold_balance_kind owner_kind =
        like->kind == GW_FOLD_BALANCE_WINDOW ? GW_FOLD_BALANCE_DATASET : GW_FOLD_BALANCE_POPULATION;
    for (size_t i = state->growths.count; i > 0 && (uint64_t)state->growths.items[i - 1].time >= start; i--) {
        const gw_fold_growth_row *growth = &state->growths.items[i - 1];
        if (growth->kind == owner_kind && growth->owner == like->owner &&
            __builtin_add_overflow(spent, growth->micro, &spent))
            return UINT64_MAX;
    }
    return spent;
}

// Where the owner remembers its balance of this kind; NULL: a principal's is looked up each time.
static gw_fold_recent *recent_of(gw_audit_state *state, const gw_fold_balance_row *like) {
    switch (like->kind) {
    case GW_FOLD_BALANCE_DATASET:
        return &state->datasets.items[like->owner].recent;
    case GW_FOLD_BALANCE_WINDOW:
        return &state->datasets.items[like->owner].recent_window;
    case GW_FOLD_BALANCE_POPULATION:
        return &state->populations.items[like->owner].recent;
    case GW_FOLD_BALANCE_POPULATION_WINDOW:
        return &state->populations.items[like->owner].recent_window;
    case GW_FOLD_BALANCE_PRINCIPAL:
        break;
    }
    return NULL;
}

size_t gw_fold_balance_find(const gw_audit_state *state, const gw_fold_balance_row *like) {
    return gw_fold_find(&state->map, balance_key(like));
}

static size_t balance_find_or_make(gw_audit_state *state, const gw_fold_balance_row *like) {
    gw_tag key = balance_key(like);
    size_t place = gw_fold_find(&state->map, key);
    if (place != GW_FOLD_NONE)
        return place;
    if (!GW_FOLD_ROOM(state->balances) || !gw_fold_map_room(&state->map))
        return GW_FOLD_NONE;
    place = state->balances.count;
    gw_fold_map_put(&state->map, key, place);
    state->balances.items[place] = *like;
    state->balances.count++;
    return place;
}

size_t gw_fold_balance_of(gw_audit_state *state, const gw_fold_balance_row *like) {
    gw_fold_recent *recent = recent_of(state, like);
    if (recent != NULL && recent->place_next != 0 && recent->days == like->days && recent->window == like->window)
        return recent->place_next - 1;
    size_t place = balance_find_or_make(state, like);
    if (recent != NULL && place != GW_FOLD_NONE)
        *recent = (gw_fold_recent){.place_next = place + 1, .days = like->days, .window = like->window};
    return place;
}

bool gw_fold_window_refresh(gw_audit_state *state, gw_fold_balance_kind kind, size_t owner, uint64_t days,
                            int64_t time) {
    if (days == 0)
        return true;
    gw_fold_balance_row like = {
        .kind = kind, .owner = owner, .days = days, .window = (uint64_t)time / (days * GW_FOLD_DAY_SECONDS)};
    size_t place = gw_fold_balance_of(state, &like);
    if (place == GW_FOLD_NONE)
        return false;
    uint64_t spent = window_spent(state, &like);
    if (spent > state->balances.items[place].spent)
        state->balances.items[place].spent = spent;
    return true;
}

const char *gw_fold_balance_name(gw_fold_balance_kind kind) {
    static const char *const names[GW_FOLD_BALANCE_KINDS] = {"dataset", "population", "principal", "window", "window"};
    return names[kind];
}

static gw_audit_balance balance_row_tell(const gw_audit_state *state, const gw_fold_balance_row *row) {
    bool is_population = row->kind == GW_FOLD_BALANCE_POPULATION || row->kind == GW_FOLD_BALANCE_POPULATION_WINDOW;
    const gw_fold_dataset_row *dataset = is_population ? NULL : &state->datasets.items[row->owner];
    const gw_fold_population_row *population = is_population ? &state->populations.items[row->owner] : NULL;
    gw_audit_balance balance = {.kind = gw_fold_balance_name(row->kind),
                                .id = is_population ? population->name : dataset->name,
                                .principal = row->principal,
                                .window = row->window,
                                .total = row->total,
                                .spent = row->spent,
                                .charges = row->charges,
                                .restored = row->restored,
                                .rho = row->rho,
                                .selection = row->selection};
    if (row->kind == GW_FOLD_BALANCE_DATASET || row->kind == GW_FOLD_BALANCE_POPULATION) {
        const gw_fold_delta_terms *terms = is_population ? &population->terms : &dataset->terms;
        balance.total = is_population ? population->total : dataset->total;
        balance.delta = terms->delta;
        balance.rho_total = terms->rho;
        balance.selection_total = terms->selection;
    } else if (row->kind == GW_FOLD_BALANCE_PRINCIPAL) {
        balance.total = dataset->principal_total;
    }
    return balance;
}

size_t gw_audit_balances(const gw_audit_state *state, gw_audit_balance *ret, size_t max) {
    for (size_t i = 0; i < state->balances.count && i < max; i++)
        ret[i] = balance_row_tell(state, &state->balances.items[i]);
    return state->balances.count;
}
