// SPDX-License-Identifier: Apache-2.0
// Charges of the fold, and how they end: each is admitted by every budget that counts it, in both measures, and states
// what is spent after it; each has one outcome.
#include "service/audit/fold_inner.h"
#include <string.h>

typedef unsigned long long wide; // for printf

static gw_status charge_check(gw_audit_state *state, const gw_entry *entry, size_t dataset, gw_tag idem,
                              gw_problem *ret_problem) {
    if (dataset == GW_FOLD_NONE)
        return gw_fold_wrong(ret_problem, "unknown_dataset", "A charge on %s, which has no policy.",
                             entry->charge.dataset);
    const gw_fold_dataset_row *row = &state->datasets.items[dataset];
    const gw_fold_principal_row *principal = gw_fold_principal_of(state, entry->charge.principal);
    uint64_t cost = entry->charge.cost;
    if (entry->charge.policy != row->policy)
        return gw_fold_wrong(ret_problem, "policy_superseded", "The charge names policy %llu, in force was %llu.",
                             (wide)entry->charge.policy, (wide)row->policy);
    if (strcmp(entry->charge.population, state->populations.items[row->population].name) != 0)
        return gw_fold_wrong(ret_problem, "population_changed", "The charge names another population than its policy.");
    if (row->data[0] == '\0' || strcmp(entry->charge.data, row->data) != 0)
        return gw_fold_wrong(ret_problem, "data_superseded", "The charge names a data version that was not in force.");
    if (principal == NULL || principal->roles == 0)
        return gw_fold_wrong(ret_problem, "unknown_principal", "The charge names principal %s, who was not known.",
                             entry->charge.principal);
    if (cost == 0 || cost < row->question_min || (row->question_max != 0 && cost > row->question_max))
        return gw_fold_wrong(ret_problem, "bad_cost",
                             "The charge of %llu is outside of what the policy allows for a question.", (wide)cost);
    if (gw_fold_find(&state->map, idem) != GW_FOLD_NONE)
        return gw_fold_wrong(ret_problem, "idem_exists", "The same request is charged twice.");
    return GW_OK;
}

typedef struct {
    gw_fold_balance_row like;
    bool is_counted, has_total;
    uint64_t total;
    uint64_t stated; // what the entry says is spent after it
    bool is_stated;
    const gw_fold_delta_terms *terms; // NULL: pure epsilon alone
    uint64_t stated_rho, stated_delta;
} charge_balance;

static void charge_balances(const gw_audit_state *state, const gw_entry *entry, size_t dataset,
                            charge_balance ret[GW_FOLD_BALANCE_KINDS]) {
    const gw_fold_dataset_row *row = &state->datasets.items[dataset];
    const gw_fold_population_row *population = &state->populations.items[row->population];
    uint64_t time = (uint64_t)entry->time;
    ret[0] = (charge_balance){.like = {.kind = GW_FOLD_BALANCE_DATASET, .owner = dataset},
                              .is_counted = true,
                              .has_total = true,
                              .total = row->total,
                              .stated = entry->charge.spent_dataset,
                              .is_stated = true,
                              .terms = &row->terms,
                              .stated_rho = entry->charge.spent_rho_dataset,
                              .stated_delta = entry->charge.spent_delta_dataset};
    ret[1] = (charge_balance){.like = {.kind = GW_FOLD_BALANCE_POPULATION, .owner = row->population},
                              .is_counted = true,
                              .has_total = true,
                              .total = population->total,
                              .stated = entry->charge.spent_population,
                              .is_stated = true,
                              .terms = &population->terms,
                              .stated_rho = entry->charge.spent_rho_population,
                              .stated_delta = entry->charge.spent_delta_population};
    ret[2] = (charge_balance){.like = {.kind = GW_FOLD_BALANCE_PRINCIPAL, .owner = dataset},
                              .is_counted = true,
                              .has_total = row->principal_total != 0,
                              .total = row->principal_total,
                              .stated = entry->charge.spent_principal,
                              .is_stated = true};
    memcpy(ret[2].like.principal, entry->charge.principal, GW_ID_HEX);
    ret[3] = (charge_balance){.like = {.kind = GW_FOLD_BALANCE_WINDOW, .owner = dataset, .days = row->window_days},
                              .is_counted = row->window_days != 0,
                              .has_total = row->window_days != 0,
                              .total = row->window_total,
                              .stated = entry->charge.spent_window,
                              .is_stated = true};
    ret[4] = (charge_balance){
        .like = {.kind = GW_FOLD_BALANCE_POPULATION_WINDOW, .owner = row->population, .days = population->window_days},
        .is_counted = population->window_days != 0,
        .has_total = population->window_days != 0,
        .total = population->window_total};
    for (size_t i = 3; i < GW_FOLD_BALANCE_KINDS; i++)
        if (ret[i].like.days != 0)
            ret[i].like.window = time / (ret[i].like.days * GW_FOLD_DAY_SECONDS);
}

// Sums that the entry states where it has their lines: rho where dataset or population is accounted with a delta,
// deltas where the question selects keys.
static gw_status charge_sums_check(const charge_balance *want, const gw_fold_balance_row *balance,
                                   const gw_entry *entry, gw_loss cost, gw_problem *ret_problem) {
    const char *name = gw_fold_balance_name(want->like.kind);
    uint64_t rho = gw_rho_add(balance->rho, cost.rho);
    if (entry->charge.rho != 0 && want->stated_rho != rho)
        return gw_fold_wrong(ret_problem, "spent_mismatch",
                             "The entry says rho %llu is spent of the %s budget; it is %llu.", (wide)want->stated_rho,
                             name, (wide)rho);
    if (entry->charge.delta == 0)
        return GW_OK;
    if (!gw_budget_admits(want->terms->selection, balance->selection, entry->charge.delta))
        return gw_fold_wrong(ret_problem, "budget_passed",
                             "The %s grants a delta of %llu to selections, spent %llu; a charge of %llu passes it.",
                             name, (wide)want->terms->selection, (wide)balance->selection, (wide)entry->charge.delta);
    uint64_t delta = balance->selection + entry->charge.delta; // at most what is granted
    if (want->stated_delta != delta)
        return gw_fold_wrong(ret_problem, "spent_mismatch",
                             "The entry says delta %llu is spent of the %s budget; it is %llu.",
                             (wide)want->stated_delta, name, (wide)delta);
    return GW_OK;
}

// Admission, and that the entry states what is spent after it. A wrong figure here is an overspent budget.
static gw_status charge_balance_check(const charge_balance *want, const gw_fold_balance_row *balance,
                                      const gw_entry *entry, gw_loss cost, gw_problem *ret_problem) {
    const char *name = gw_fold_balance_name(want->like.kind);
    gw_loss total = {.micro = want->total, .rho = want->terms == NULL ? 0 : want->terms->rho};
    gw_loss spent = {.micro = balance->spent, .rho = balance->rho};
    if (want->has_total && !gw_zcdp_admits(total, spent, cost))
        return gw_fold_wrong(ret_problem, "budget_passed",
                             "The %s budget was %llu, spent %llu; a charge of %llu passes it.", name, (wide)want->total,
                             (wide)spent.micro, (wide)cost.micro);
    uint64_t after;
    if (!gw_add_u64(spent.micro, cost.micro, &after))
        return gw_fold_wrong(ret_problem, "budget_passed", "The %s's spending does not fit 64 bits.", name);
    if (want->is_stated && want->stated != after)
        return gw_fold_wrong(ret_problem, "spent_mismatch",
                             "The entry says %llu is spent of the %s budget; it is %llu.", (wide)want->stated, name,
                             (wide)after);
    return want->terms == NULL ? GW_OK : charge_sums_check(want, balance, entry, cost, ret_problem);
}

// Most questions of a log cost one of a few amounts.
static gw_loss price_of(gw_audit_state *state, uint64_t cost) {
    gw_loss *price = &state->prices[(cost ^ cost >> 12) % GW_FOLD_PRICES];
    if (price->micro != cost) // no charge costs 0
        *price = (gw_loss){.micro = cost, .rho = gw_rho_of((gw_epsilon){cost})};
    return *price;
}

// The price in both measures. A rho that is not its epsilon's would let in more, or less, than the policy allows.
static gw_status charge_loss(gw_audit_state *state, const gw_entry *entry,
                             const charge_balance wants[GW_FOLD_BALANCE_KINDS], gw_loss *ret, gw_problem *ret_problem) {
    *ret = price_of(state, entry->charge.cost);
    bool is_used = wants[0].terms->delta != 0 || wants[1].terms->delta != 0;
    if (entry->charge.rho != (is_used ? ret->rho : 0))
        return gw_fold_wrong(ret_problem, "rho_mismatch",
                             "The entry says a charge of %llu costs rho %llu; it costs %llu.", (wide)entry->charge.cost,
                             (wide)entry->charge.rho, (wide)(is_used ? ret->rho : 0));
    return GW_OK;
}

gw_status gw_fold_charge(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    size_t dataset = gw_fold_find(&state->map, gw_fold_key('d', entry->charge.dataset, ""));
    gw_tag idem = gw_fold_key('i', entry->charge.principal, entry->charge.idem);
    gw_status status = charge_check(state, entry, dataset, idem, ret_problem);
    if (status != GW_OK)
        return status;
    charge_balance wants[GW_FOLD_BALANCE_KINDS];
    size_t places[GW_FOLD_BALANCE_KINDS];
    gw_loss cost;
    charge_balances(state, entry, dataset, wants);
    status = charge_loss(state, entry, wants, &cost, ret_problem);
    if (status != GW_OK)
        return status;
    for (size_t i = 0; i < GW_FOLD_BALANCE_KINDS; i++) {
        places[i] = GW_FOLD_NONE;
        if (!wants[i].is_counted) {
            if (wants[i].is_stated && wants[i].stated != 0)
                return gw_fold_wrong(ret_problem, "spent_mismatch",
                                     "The entry states spending of a window that is not set.");
            continue;
        }
        places[i] = gw_fold_balance_of(state, &wants[i].like);
        if (places[i] == GW_FOLD_NONE)
            return gw_fold_no_memory(ret_problem);
        status = charge_balance_check(&wants[i], &state->balances.items[places[i]], entry, cost, ret_problem);
        if (status != GW_OK)
            return status;
    }
    if (entry->charge.window != wants[3].like.window)
        return gw_fold_wrong(ret_problem, "bad_window", "The charge names window %llu; its time lies in %llu.",
                             (wide)entry->charge.window, (wide)wants[3].like.window);
    if (!GW_FOLD_ROOM(state->charges) || !gw_fold_map_room(&state->map))
        return gw_fold_no_memory(ret_problem);
    gw_fold_map_put(&state->map, idem, state->charges.count);
    for (size_t i = 0; i < GW_FOLD_BALANCE_KINDS; i++) {
        if (places[i] == GW_FOLD_NONE)
            continue;
        gw_fold_balance_row *balance = &state->balances.items[places[i]];
        balance->spent += entry->charge.cost;
        if (wants[i].terms != NULL) {
            balance->rho = gw_rho_add(balance->rho, cost.rho);
            balance->selection += entry->charge.delta;
        }
        balance->total = wants[i].total;
        balance->charges++;
    }
    state->charges.items[state->charges.count++] = (gw_fold_charge_row){
        .seq = entry->seq, .cost = entry->charge.cost, .time = entry->time, .dataset = (uint32_t)dataset};
    return GW_OK;
}

static gw_fold_charge_row *charge_of(gw_audit_state *state, uint64_t seq) {
    size_t low = 0, high = state->charges.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (state->charges.items[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low < state->charges.count && state->charges.items[low].seq == seq ? &state->charges.items[low] : NULL;
}

static gw_status finish_check(const gw_fold_charge_row *charge, uint64_t seq, const char *word,
                              gw_problem *ret_problem) {
    if (charge == NULL)
        return gw_fold_wrong(ret_problem, "no_charge", "The %s names charge %llu, and there is none.", word, (wide)seq);
    if (charge->outcome != GW_FOLD_OUTCOME_OPEN)
        return gw_fold_wrong(ret_problem, "second_outcome",
                             "Charge %llu was %s before; now a second outcome is logged.", (wide)seq,
                             charge->outcome == GW_FOLD_OUTCOME_RELEASED ? "released" : "abandoned");
    return GW_OK;
}

gw_status gw_fold_release(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    gw_fold_charge_row *charge = charge_of(state, entry->release.charge);
    gw_status status = finish_check(charge, entry->release.charge, "release", ret_problem);
    if (status != GW_OK)
        return status;
    if (charge->seq < state->restored)
        return gw_fold_wrong(ret_problem, "restored_since",
                             "Charge %llu was open when entry %llu restored the log: it may have been answered before.",
                             (wide)charge->seq, (wide)state->restored);
    gw_tag key = gw_fold_key('r', entry->release.release, "");
    if (gw_fold_find(&state->map, key) != GW_FOLD_NONE)
        return gw_fold_wrong(ret_problem, "release_exists", "Release id %s appears twice.", entry->release.release);
    if (!gw_fold_map_room(&state->map))
        return gw_fold_no_memory(ret_problem);
    gw_fold_map_put(&state->map, key, state->releases);
    charge->outcome = GW_FOLD_OUTCOME_RELEASED;
    state->releases++;
    return GW_OK;
}

// What is said of a release that exists and was not withdrawn: a withdrawal is final, and an embargo may be moved or
// lifted as its owner likes, for all to see.
gw_status gw_fold_release_state(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    bool is_withdrawal = entry->kind == GW_ENTRY_WITHDRAW;
    const char *release = is_withdrawal ? entry->withdraw.release : entry->embargo.release;
    if (gw_fold_find(&state->map, gw_fold_key('r', release, "")) == GW_FOLD_NONE)
        return gw_fold_wrong(ret_problem, "unknown_release", "The %s names release %s, and there is none.",
                             gw_entry_kind_name(entry->kind), release);
    gw_tag key = gw_fold_key('m', release, "");
    size_t place = gw_fold_find(&state->map, key);
    if (place != GW_FOLD_NONE && state->marks.items[place].is_withdrawn)
        return gw_fold_wrong(ret_problem, "release_withdrawn", "Release %s was withdrawn before.", release);
    if (place == GW_FOLD_NONE) {
        if (!GW_FOLD_ROOM(state->marks) || !gw_fold_map_room(&state->map))
            return gw_fold_no_memory(ret_problem);
        place = state->marks.count++;
        gw_fold_map_put(&state->map, key, place);
        state->marks.items[place] = (gw_fold_mark_row){.is_withdrawn = false};
    }
    if (is_withdrawal)
        state->marks.items[place].is_withdrawn = true;
    else
        state->marks.items[place].until = entry->embargo.until;
    return GW_OK;
}

gw_status gw_fold_abandon(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    gw_fold_charge_row *charge = charge_of(state, entry->abandon.charge);
    gw_status status = finish_check(charge, entry->abandon.charge, "abandon", ret_problem);
    if (status != GW_OK)
        return status;
    charge->outcome = GW_FOLD_OUTCOME_ABANDONED;
    state->abandons++;
    return GW_OK;
}
