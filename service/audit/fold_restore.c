// SPDX-License-Identifier: Apache-2.0
// Restores of the fold: a log that came back without its last entries counts what these may have spent as spent
// (privacy/accounting/lost.md). With its own arithmetic: the store's is held against it.
#include "service/audit/fold_inner.h"
#include "privacy/accounting/zcdp.h"
#include <string.h>

typedef unsigned long long wide; // for printf

#define RESTORE_SIGNERS 2

typedef struct {
    uint64_t micro, rho;
} growth;

// a * b, or `most` where that is less.
static uint64_t times(uint64_t a, uint64_t b, uint64_t most) {
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) || product > most ? most : product;
}

static uint64_t lesser(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t left_of(uint64_t total, uint64_t spent) {
    return total > spent ? total - spent : 0;
}

// What `lost` charges of at most `dearest` (0: of any price) may have taken from a budget that admitted each of them.
static growth growth_of(uint64_t lost, uint64_t dearest, uint64_t total, const gw_fold_delta_terms *terms,
                        const gw_fold_balance_row *balance) {
    // With a delta, epsilon may pass its own total while rho keeps its: a charge costs no less of rho than of epsilon.
    uint64_t admitted = terms->rho > total ? terms->rho : total;
    growth made = {.micro = lost == 0 ? 0 : left_of(lesser(admitted, INT64_MAX), balance->spent)};
    if (dearest != 0)
        made.micro = lesser(made.micro, times(lost, dearest, INT64_MAX));
    made.rho = gw_rho_add(gw_rho_of((gw_epsilon){made.micro}), lesser(lost, made.micro));
    if (dearest != 0)
        made.rho = lesser(made.rho, times(lost, gw_rho_of((gw_epsilon){dearest}), GW_RHO_MAX));
    return made;
}

// Counts a growth of a dataset or a population, and remembers it for windows made later.
static bool owner_grow(gw_audit_state *state, const gw_fold_balance_row *like, const gw_entry *entry, uint64_t dearest,
                       uint64_t total, const gw_fold_delta_terms *terms, growth *ret) {
    size_t place = gw_fold_balance_of(state, like);
    if (place == GW_FOLD_NONE || !GW_FOLD_ROOM(state->growths))
        return false;
    gw_fold_balance_row *balance = &state->balances.items[place];
    *ret = growth_of(entry->restore.lost, dearest, total, terms, balance);
    balance->spent += ret->micro;
    balance->restored += ret->micro;
    balance->rho = gw_rho_add(balance->rho, ret->rho);
    if (ret->micro != 0)
        balance->selection += left_of(terms->selection, balance->selection);
    state->growths.items[state->growths.count++] = (gw_fold_growth_row){
        .kind = like->kind, .owner = like->owner, .restore = entry->seq, .time = entry->time, .micro = ret->micro};
    return true;
}

// Counts it of an asker, or of the window that holds the restore: the owner's growth, up to what its own total admits.
static bool part_grow(gw_audit_state *state, const gw_fold_balance_row *like, bool has_total, uint64_t total,
                      growth owner) {
    size_t place = gw_fold_balance_of(state, like);
    if (place == GW_FOLD_NONE)
        return false;
    gw_fold_balance_row *balance = &state->balances.items[place];
    uint64_t micro = has_total ? lesser(owner.micro, left_of(total, balance->spent)) : owner.micro;
    balance->spent += micro;
    balance->restored += micro;
    balance->total = has_total ? total : 0;
    return true;
}

static bool window_grow(gw_audit_state *state, gw_fold_balance_kind kind, size_t owner, uint64_t days, uint64_t total,
                        int64_t time, growth made) {
    gw_fold_balance_row like = {.kind = kind, .owner = owner, .days = days};
    if (days == 0)
        return true;
    like.window = (uint64_t)time / (days * GW_FOLD_DAY_SECONDS);
    return part_grow(state, &like, true, total, made);
}

static bool dataset_grow(gw_audit_state *state, size_t dataset, const gw_entry *entry) {
    const gw_fold_dataset_row *row = &state->datasets.items[dataset];
    gw_fold_balance_row like = {.kind = GW_FOLD_BALANCE_DATASET, .owner = dataset};
    growth made;
    if (!owner_grow(state, &like, entry, row->question_max, row->total, &row->terms, &made))
        return false;
    for (size_t i = 0; i < state->principals.count; i++) {
        gw_fold_balance_row asker = {.kind = GW_FOLD_BALANCE_PRINCIPAL, .owner = dataset};
        memcpy(asker.principal, state->principals.items[i].id, sizeof(asker.principal));
        if (!part_grow(state, &asker, row->principal_total != 0, row->principal_total, made))
            return false;
    }
    return window_grow(state, GW_FOLD_BALANCE_WINDOW, dataset, row->window_days, row->window_total, entry->time, made);
}

// The dearest question of any of its datasets; 0 where one of them has no maximum. False: it has no dataset.
static bool population_dearest(const gw_audit_state *state, size_t population, uint64_t *ret) {
    bool has_dataset = false, is_bounded = true;
    *ret = 0;
    for (size_t i = 0; i < state->datasets.count; i++) {
        const gw_fold_dataset_row *row = &state->datasets.items[i];
        if (row->population != population)
            continue;
        has_dataset = true;
        is_bounded = is_bounded && row->question_max != 0;
        *ret = row->question_max > *ret ? row->question_max : *ret;
    }
    *ret = is_bounded ? *ret : 0;
    return has_dataset;
}

static bool population_grow(gw_audit_state *state, size_t population, const gw_entry *entry) {
    const gw_fold_population_row *row = &state->populations.items[population];
    gw_fold_balance_row like = {.kind = GW_FOLD_BALANCE_POPULATION, .owner = population};
    uint64_t dearest;
    growth made;
    if (!population_dearest(state, population, &dearest))
        return true; // nobody could ask about them
    return owner_grow(state, &like, entry, dearest, row->total, &row->terms, &made) &&
           window_grow(state, GW_FOLD_BALANCE_POPULATION_WINDOW, population, row->window_days, row->window_total,
                       entry->time, made);
}

gw_status gw_fold_restore(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    if (entry->by.count < RESTORE_SIGNERS)
        return gw_fold_wrong(ret_problem, "bad_signer", "A restore takes two signers; this one has %zu.",
                             entry->by.count);
    if (entry->restore.from != entry->seq)
        return gw_fold_wrong(ret_problem, "bad_restore", "The restore says it follows %llu entries; it follows %llu.",
                             (wide)entry->restore.from, (wide)entry->seq);
    if (entry->restore.lost > INT64_MAX)
        return gw_fold_wrong(ret_problem, "bad_amount", "The restore states more lost entries than a log can have.");
    bool is_counted = true;
    for (size_t i = 0; entry->restore.lost > 0 && i < state->datasets.count && is_counted; i++)
        is_counted = dataset_grow(state, i, entry);
    for (size_t i = 0; entry->restore.lost > 0 && i < state->populations.count && is_counted; i++)
        is_counted = population_grow(state, i, entry);
    if (!is_counted)
        return gw_fold_no_memory(ret_problem);
    state->restored = entry->seq;
    return GW_OK;
}
