// SPDX-License-Identifier: Apache-2.0
// The fold of a log: who is who, what is in force, what is spent, entry by entry, from nothing but the entries. It
// shares no code with the store, so that one finds the other's mistakes. Charges and balances have files of their own.
#include "service/audit/fold_inner.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_DAYS_MAX 36500
#define SIGNER_ROLES (GW_ROLE_OWNER | GW_ROLE_OPERATOR)

typedef unsigned long long wide; // for printf

gw_audit_state *gw_audit_state_new(void) {
    return calloc(1, sizeof(gw_audit_state));
}

void gw_audit_state_free(gw_audit_state *state) {
    if (state == NULL)
        return;
    free(state->map.slots);
    free(state->principals.items);
    free(state->keys.items);
    free(state->populations.items);
    free(state->datasets.items);
    free(state->charges.items);
    free(state->balances.items);
    free(state->marks.items);
    free(state->growths.items);
    free(state->log_keys.items);
    free(state);
}

void gw_audit_counts(const gw_audit_state *state, uint64_t *ret_charges, uint64_t *ret_releases,
                     uint64_t *ret_abandons) {
    *ret_charges = state->charges.count;
    *ret_releases = state->releases;
    *ret_abandons = state->abandons;
}

gw_status gw_fold_wrong(gw_problem *ret_problem, const char *code, const char *format, ...) {
    char what[320];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    return gw_problem_set(ret_problem, GW_CORRUPT, code, what, "", "");
}

gw_status gw_fold_no_memory(gw_problem *ret_problem) {
    return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory to check the log.", "", "");
}

// ---- principals and keys

gw_fold_principal_row *gw_fold_principal_of(gw_audit_state *state, const char *id) {
    size_t place = gw_fold_find(&state->map, gw_fold_key('p', id, ""));
    return place == GW_FOLD_NONE ? NULL : &state->principals.items[place];
}

static gw_status signers_check(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    for (size_t i = 0; i < entry->by.count; i++) {
        const gw_fold_principal_row *signer = gw_fold_principal_of(state, entry->by.ids[i]);
        unsigned roles = signer == NULL ? 0 : signer->roles;
        bool is_own_key =
            entry->kind == GW_ENTRY_KEY && roles != 0 && strcmp(entry->by.ids[i], entry->key.principal) == 0;
        if ((roles & SIGNER_ROLES) == 0 && !is_own_key)
            return gw_fold_wrong(ret_problem, "bad_signer", "Signer %s was neither owner nor operator at that time.",
                                 entry->by.ids[i]);
        for (size_t k = 0; k < i; k++)
            if (strcmp(entry->by.ids[i], entry->by.ids[k]) == 0)
                return gw_fold_wrong(ret_problem, "bad_signer", "Signer %s is counted twice.", entry->by.ids[i]);
    }
    if (entry->by.count == 0)
        return gw_fold_wrong(ret_problem, "bad_signer", "Nobody signed this %s entry.",
                             gw_entry_kind_name(entry->kind));
    return GW_OK;
}

// The first principal, directly after genesis, signs for itself.
static bool is_bootstrap(const gw_entry *entry) {
    return entry->seq == 1 && entry->kind == GW_ENTRY_PRINCIPAL && strcmp(entry->principal.action, "add") == 0 &&
           (entry->principal.roles & SIGNER_ROLES) != 0 && entry->by.count == 1 &&
           strcmp(entry->by.ids[0], entry->principal.principal) == 0;
}

static gw_status apply_principal(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    gw_fold_principal_row *row = gw_fold_principal_of(state, entry->principal.principal);
    bool is_add = strcmp(entry->principal.action, "add") == 0;
    bool is_revoke = strcmp(entry->principal.action, "revoke") == 0;
    if (is_add == (row != NULL))
        return gw_fold_wrong(ret_problem, is_add ? "principal_exists" : "unknown_principal", "Principal %s is %s.",
                             entry->principal.principal, is_add ? "added twice" : "changed but was never added");
    if (is_revoke != (entry->principal.roles == 0))
        return gw_fold_wrong(ret_problem, "bad_roles", "Only a revocation leaves principal %s without a role.",
                             entry->principal.principal);
    if (!is_add) {
        row->roles = entry->principal.roles;
        return GW_OK;
    }
    if (!GW_FOLD_ROOM(state->principals) || !gw_fold_map_room(&state->map))
        return gw_fold_no_memory(ret_problem);
    gw_fold_map_put(&state->map, gw_fold_key('p', entry->principal.principal, ""), state->principals.count);
    gw_fold_principal_row added = {.roles = entry->principal.roles};
    memcpy(added.id, entry->principal.principal, sizeof(added.id));
    state->principals.items[state->principals.count++] = added;
    return GW_OK;
}

static gw_status apply_key(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    const gw_fold_principal_row *principal = gw_fold_principal_of(state, entry->key.principal);
    bool is_add = strcmp(entry->key.action, "add") == 0;
    if (principal == NULL || (is_add && principal->roles == 0))
        return gw_fold_wrong(ret_problem, "unknown_principal", "A key names principal %s, who is not known.",
                             entry->key.principal);
    gw_tag key = gw_fold_key('k', entry->key.key, "");
    size_t place = gw_fold_find(&state->map, key);
    if (is_add && place != GW_FOLD_NONE)
        return gw_fold_wrong(ret_problem, "key_exists", "A key is added that was in the log before.");
    if (!is_add && (place == GW_FOLD_NONE || strcmp(state->keys.items[place].principal, entry->key.principal) != 0))
        return gw_fold_wrong(ret_problem, "unknown_key", "A key is revoked that principal %s never had.",
                             entry->key.principal);
    if (!is_add && state->keys.items[place].is_revoked)
        return gw_fold_wrong(ret_problem, "key_revoked", "A key is revoked twice.");
    if (!is_add) {
        state->keys.items[place].is_revoked = true;
        return GW_OK;
    }
    if (!GW_FOLD_ROOM(state->keys) || !gw_fold_map_room(&state->map))
        return gw_fold_no_memory(ret_problem);
    gw_fold_key_row row = {.not_before = entry->key.not_before, .not_after = entry->key.not_after};
    memcpy(row.principal, entry->key.principal, sizeof(row.principal));
    memcpy(row.kind, entry->key.key_kind, sizeof(row.kind));
    gw_fold_map_put(&state->map, key, state->keys.count);
    state->keys.items[state->keys.count++] = row;
    return GW_OK;
}

// ---- populations, policies, data

static gw_status terms_read(uint64_t total, uint64_t delta, uint64_t selection, gw_fold_delta_terms *ret,
                            gw_problem *ret_problem) {
    if (delta >= GW_DELTA_ONE_ATTO || selection >= GW_DELTA_ONE_ATTO)
        return gw_fold_wrong(ret_problem, "bad_amount", "A delta of 1 or more.");
    *ret = (gw_fold_delta_terms){
        .delta = delta, .rho = gw_rho_total((gw_epsilon){total}, (gw_delta){delta}), .selection = selection};
    return GW_OK;
}

static gw_status apply_population(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    if (entry->population.window_days > WINDOW_DAYS_MAX)
        return gw_fold_wrong(ret_problem, "bad_amount", "A window of more than a century.");
    gw_fold_delta_terms terms;
    gw_status status = terms_read(entry->population.total, entry->population.delta, entry->population.selection_delta,
                                  &terms, ret_problem);
    if (status != GW_OK)
        return status;
    gw_tag key = gw_fold_key('P', entry->population.population, "");
    size_t place = gw_fold_find(&state->map, key);
    if (place == GW_FOLD_NONE) {
        if (!GW_FOLD_ROOM(state->populations) || !gw_fold_map_room(&state->map))
            return gw_fold_no_memory(ret_problem);
        place = state->populations.count++;
        gw_fold_map_put(&state->map, key, place);
        state->populations.items[place] = (gw_fold_population_row){.total = 0};
        memcpy(state->populations.items[place].name, entry->population.population, GW_DATASET_MAX);
    }
    gw_fold_population_row *row = &state->populations.items[place];
    row->total = entry->population.total;
    row->window_days = entry->population.window_days;
    row->window_total = entry->population.window_total;
    row->terms = terms;
    gw_fold_balance_row like = {.kind = GW_FOLD_BALANCE_POPULATION, .owner = place};
    if (gw_fold_balance_of(state, &like) == GW_FOLD_NONE ||
        !gw_fold_window_refresh(state, GW_FOLD_BALANCE_POPULATION_WINDOW, place, row->window_days, entry->time))
        return gw_fold_no_memory(ret_problem);
    return GW_OK;
}

static gw_status policy_check(const gw_entry *entry, const gw_fold_dataset_row *before, size_t population,
                              gw_problem *ret_problem) {
    if (entry->policy.window_days > WINDOW_DAYS_MAX)
        return gw_fold_wrong(ret_problem, "bad_amount", "A window of more than a century.");
    if (population == GW_FOLD_NONE)
        return gw_fold_wrong(ret_problem, "unknown_population", "The policy names population %s, which has no entry.",
                             entry->policy.population);
    if (entry->policy.supersedes != (before == NULL ? GW_NO_SEQ : before->policy))
        return gw_fold_wrong(ret_problem, "policy_superseded", "The policy does not supersede the one in force.");
    if (before != NULL && before->population != population)
        return gw_fold_wrong(ret_problem, "population_changed",
                             "The policy moves %s to other people, leaving its spending behind.",
                             entry->policy.dataset);
    if (before != NULL && entry->policy.version <= before->version)
        return gw_fold_wrong(ret_problem, "policy_version", "The policy's version does not grow.");
    return GW_OK;
}

static gw_status apply_policy(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    gw_tag key = gw_fold_key('d', entry->policy.dataset, "");
    size_t place = gw_fold_find(&state->map, key);
    size_t population = gw_fold_find(&state->map, gw_fold_key('P', entry->policy.population, ""));
    gw_fold_delta_terms terms;
    gw_status status =
        policy_check(entry, place == GW_FOLD_NONE ? NULL : &state->datasets.items[place], population, ret_problem);
    if (status == GW_OK)
        status =
            terms_read(entry->policy.total, entry->policy.delta, entry->policy.selection_delta, &terms, ret_problem);
    if (status != GW_OK)
        return status;
    bool is_first = place == GW_FOLD_NONE;
    if (is_first) {
        if (!GW_FOLD_ROOM(state->datasets) || !gw_fold_map_room(&state->map))
            return gw_fold_no_memory(ret_problem);
        place = state->datasets.count++;
        gw_fold_map_put(&state->map, key, place);
        state->datasets.items[place] = (gw_fold_dataset_row){.population = population};
        memcpy(state->datasets.items[place].name, entry->policy.dataset, GW_DATASET_MAX);
    }
    gw_fold_dataset_row *row = &state->datasets.items[place];
    row->policy = entry->seq;
    row->version = entry->policy.version;
    row->total = entry->policy.total;
    row->principal_total = entry->policy.principal_total;
    row->window_days = entry->policy.window_days;
    row->window_total = entry->policy.window_total;
    row->question_min = entry->policy.question_min;
    row->question_max = entry->policy.question_max;
    row->terms = terms;
    gw_fold_balance_row like = {.kind = GW_FOLD_BALANCE_DATASET, .owner = place};
    if (gw_fold_balance_of(state, &like) == GW_FOLD_NONE ||
        (!is_first && !gw_fold_window_refresh(state, GW_FOLD_BALANCE_WINDOW, place, row->window_days, entry->time)))
        return gw_fold_no_memory(ret_problem);
    return GW_OK;
}

static gw_status apply_data(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    size_t place = gw_fold_find(&state->map, gw_fold_key('d', entry->data.dataset, ""));
    if (place == GW_FOLD_NONE)
        return gw_fold_wrong(ret_problem, "unknown_dataset", "Data for %s, which has no policy.", entry->data.dataset);
    gw_tag key = gw_fold_key('v', entry->data.version, "");
    if (gw_fold_find(&state->map, key) != GW_FOLD_NONE)
        return gw_fold_wrong(ret_problem, "data_exists", "Data version %s appears twice.", entry->data.version);
    if (!gw_fold_map_room(&state->map))
        return gw_fold_no_memory(ret_problem);
    gw_fold_map_put(&state->map, key, place);
    memcpy(state->datasets.items[place].data, entry->data.version, GW_ID_HEX);
    return GW_OK;
}

// ---- any entry

// Counts of a time that is over, of somebody who was known then.
static gw_status apply_refusals(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    if (gw_fold_principal_of(state, entry->refusals.principal) == NULL)
        return gw_fold_wrong(ret_problem, "unknown_principal", "Refusals of principal %s, who is not known.",
                             entry->refusals.principal);
    if (entry->refusals.from > entry->refusals.to || entry->refusals.to > entry->time)
        return gw_fold_wrong(ret_problem, "bad_time", "Refusals of a time that ends before it begins, or is to come.");
    return GW_OK;
}

static gw_status apply_kind(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    switch (entry->kind) {
    case GW_ENTRY_GENESIS:
        return gw_fold_genesis(state, entry, ret_problem);
    case GW_ENTRY_PRINCIPAL:
        return apply_principal(state, entry, ret_problem);
    case GW_ENTRY_KEY:
        return apply_key(state, entry, ret_problem);
    case GW_ENTRY_POPULATION:
        return apply_population(state, entry, ret_problem);
    case GW_ENTRY_POLICY:
        return apply_policy(state, entry, ret_problem);
    case GW_ENTRY_DATA:
        return apply_data(state, entry, ret_problem);
    case GW_ENTRY_CHARGE:
        return gw_fold_charge(state, entry, ret_problem);
    case GW_ENTRY_RELEASE:
        return gw_fold_release(state, entry, ret_problem);
    case GW_ENTRY_ABANDON:
        return gw_fold_abandon(state, entry, ret_problem);
    case GW_ENTRY_REFUSALS:
        return apply_refusals(state, entry, ret_problem);
    case GW_ENTRY_INCIDENT:
    case GW_ENTRY_CLOCK:
    case GW_ENTRY_WITNESSES: // who else signs is looked at where checkpoints are
        return GW_OK;        // statements of fact: they change nothing
    case GW_ENTRY_EMBARGO:
    case GW_ENTRY_WITHDRAW:
        return gw_fold_release_state(state, entry, ret_problem);
    case GW_ENTRY_KEYROT:
        return gw_fold_keyrot(state, entry, ret_problem);
    case GW_ENTRY_RESTORE:
        return gw_fold_restore(state, entry, ret_problem);
    }
    return gw_fold_wrong(ret_problem, "bad_entry", "An entry of unknown kind.");
}

gw_status gw_audit_apply(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    if (entry->seq != state->next)
        return gw_fold_wrong(ret_problem, "seq_gap", "The entry is numbered %llu; its place is %llu.", (wide)entry->seq,
                             (wide)state->next);
    if (entry->time < state->time)
        return gw_fold_wrong(ret_problem, "time_back", "The entry's time lies before the one preceding it.");
    if ((entry->kind == GW_ENTRY_GENESIS) != (entry->seq == 0))
        return gw_fold_wrong(ret_problem, "bad_genesis", "A log has one genesis entry, its first.");
    gw_status status = GW_OK;
    if (gw_entry_has_signers(entry->kind) && !is_bootstrap(entry))
        status = signers_check(state, entry, ret_problem);
    if (status == GW_OK)
        status = apply_kind(state, entry, ret_problem);
    if (status != GW_OK)
        return status;
    state->next++;
    state->time = entry->time;
    return GW_OK;
}
