// SPDX-License-Identifier: Apache-2.0
// Each row is asked for: of what has a name the fold knows the newest state; of what repeats one entry, that entry.
// Each is asked for once, as its table's key allows no second, so that as many rows as expected are all of them.
#include "service/ledger/ledger_tables.h"
#include "service/base/cleanup.h"
#include "service/ledger/ledger_tampered.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef unsigned long long wide; // for printf

typedef struct {
    gw_store_reader *reader;
    const gw_audit_state *state;
    gw_problem *problem;
    uint64_t count; // of the rows that were as expected
} walk;

gw_status ledger_tampered(gw_problem *ret_problem, const char *format, ...) {
    char why[320];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    return gw_problem_set(
        ret_problem, GW_CORRUPT, "ledger_tampered", "A row of the ledger is not what its entries say.", why,
        "Do not serve from it. Restore the newest sound state, or ask an auditor: godwit audit verify.");
}

// ---- by name

static gw_status principal_check(walk *all, const gw_store_entry_row *row) {
    const gw_entry *entry = &row->entry;
    unsigned roles;
    bool is_known = row->is_whole && gw_audit_principal_find(all->state, entry->principal.principal, &roles);
    if (!is_known || roles != entry->principal.roles)
        return ledger_tampered(all->problem, "Principal %s: %s.", entry->principal.principal,
                               is_known ? "the roles are others" : "no entry names them");
    return GW_OK;
}

static gw_status key_check(walk *all, const gw_store_entry_row *row) {
    const gw_entry *entry = &row->entry;
    gw_audit_key key;
    const char *other = NULL;
    if (!gw_audit_key_find(all->state, entry->key.key, &key))
        other = "no entry names it";
    else if (!row->is_whole || strcmp(key.principal, entry->key.principal) != 0 ||
             strcmp(key.kind, entry->key.key_kind) != 0)
        other = "its owner, kind or id is another";
    else if (key.not_before != entry->key.not_before || key.not_after != entry->key.not_after)
        other = "its times are others";
    else if (key.is_revoked != row->is_revoked)
        other = key.is_revoked ? "it was revoked" : "it was not revoked";
    if (other != NULL)
        return ledger_tampered(all->problem, "Key %s of principal %s: %s.", entry->key.key, entry->key.principal,
                               other);
    return GW_OK;
}

static gw_status population_check(walk *all, const gw_store_entry_row *row) {
    const gw_entry *entry = &row->entry;
    gw_audit_population told;
    if (!row->is_whole || !gw_audit_population_find(all->state, entry->population.population, &told) ||
        told.total != entry->population.total || told.window_days != entry->population.window_days ||
        told.window_total != entry->population.window_total || told.delta != entry->population.delta ||
        told.selection_delta != entry->population.selection_delta)
        return ledger_tampered(all->problem, "Population %s: its budget is another one.", entry->population.population);
    return GW_OK;
}

// ---- by entry

static bool policy_is(const gw_entry *a, const gw_entry *b) {
    return strcmp(a->policy.dataset, b->policy.dataset) == 0 && a->policy.version == b->policy.version &&
           gw_hash_equal(a->policy.file, b->policy.file) && a->policy.total == b->policy.total &&
           a->policy.principal_total == b->policy.principal_total && a->policy.window_days == b->policy.window_days &&
           a->policy.window_total == b->policy.window_total && a->policy.question_min == b->policy.question_min &&
           a->policy.question_max == b->policy.question_max && a->policy.delta == b->policy.delta &&
           a->policy.selection_delta == b->policy.selection_delta;
}

// Does the row repeat the entry, as far as it goes?
static bool row_is(const gw_entry *row, const gw_entry *entry) {
    if (row->kind != entry->kind)
        return false;
    if (row->kind == GW_ENTRY_POLICY)
        return policy_is(row, entry);
    if (row->kind == GW_ENTRY_DATA)
        return strcmp(row->data.version, entry->data.version) == 0 && row->time == entry->time;
    if (row->kind == GW_ENTRY_WITNESSES)
        return gw_hash_equal(row->witnesses.file, entry->witnesses.file);
    if (row->kind == GW_ENTRY_KEYROT)
        return strcmp(row->keyrot.new_key, entry->keyrot.new_key) == 0;
    return row->kind == GW_ENTRY_RESTORE && row->restore.lost == entry->restore.lost;
}

static gw_status repeated_check(walk *all, const gw_store_entry_row *row) {
    GW_CLEANUP(gw_buffer_done) gw_buffer bytes;
    gw_buffer_init(&bytes, GW_ENTRY_BYTES_MAX);
    gw_entry entry;
    gw_status status = gw_store_entry(all->reader, row->entry.seq, &bytes);
    if (status == GW_OK) // its bytes were hashed into the tree and folded before
        status = gw_entry_decode(gw_buffer_bytes(&bytes), &entry, NULL);
    if (status == GW_NO_MEMORY || status == GW_IO)
        return status;
    if (status != GW_OK || !row->is_whole || !row_is(&row->entry, &entry))
        return ledger_tampered(all->problem, "Entry %llu: the row of its %s is another one.", (wide)row->entry.seq,
                               gw_entry_kind_name(row->entry.kind));
    return GW_OK;
}

static gw_status entry_row_check(void *state, const gw_store_entry_row *row) {
    walk *all = state;
    all->count++;
    if (row->entry.kind == GW_ENTRY_PRINCIPAL)
        return principal_check(all, row);
    if (row->entry.kind == GW_ENTRY_KEY)
        return key_check(all, row);
    if (row->entry.kind == GW_ENTRY_POPULATION)
        return population_check(all, row);
    return repeated_check(all, row);
}

// ---- what is in force, spent, and said of releases

static gw_status dataset_row_check(void *state, const gw_store_dataset_row *row) {
    walk *all = state;
    gw_audit_dataset told;
    const char *other = NULL;
    all->count++;
    if (!gw_audit_dataset_find(all->state, row->dataset, &told))
        other = "no entry names it";
    else if (!row->is_whole || strcmp(told.data, row->data) != 0)
        other = "another data version is in force";
    else if (told.policy != row->policy)
        other = "another policy is in force";
    else if (strcmp(told.population, row->population) != 0)
        other = "it is about another population";
    return other == NULL ? GW_OK : ledger_tampered(all->problem, "Dataset %s: %s.", row->dataset, other);
}

static gw_status budget_row_check(void *state, const gw_store_budget_row *row) {
    walk *all = state;
    gw_audit_budget budget = {.is_population = row->is_population,
                              .owner = row->owner,
                              .principal = row->kind == GW_BUDGET_PRINCIPAL ? row->principal : NULL,
                              .days = row->days,
                              .window = row->window};
    gw_audit_spent spent = {0}; // of what the entries never met
    if (row->is_whole)
        (void)gw_audit_spent_find(all->state, &budget, &spent);
    if (!row->is_whole || spent.micro != row->micro || spent.rho != row->rho || spent.selection != row->selection)
        return ledger_tampered(all->problem, "The %s budget of %s%s%s: what is spent does not add up.",
                               gw_budget_kind_name(row->kind), row->owner,
                               row->kind == GW_BUDGET_PRINCIPAL ? " and principal " : "",
                               row->kind == GW_BUDGET_PRINCIPAL ? row->principal : "");
    all->count += (row->micro | row->rho | row->selection) != 0;
    return GW_OK;
}

static gw_status growth_row_check(void *state, const gw_store_growth_row *row) {
    walk *all = state;
    gw_audit_growth told = {.owner = ""};
    if (all->count < gw_audit_sizes_of(all->state).growths)
        gw_audit_growth_at(all->state, (size_t)all->count, &told);
    all->count++;
    if (told.restore != row->restore || told.is_population != row->is_population ||
        strcmp(told.owner, row->owner) != 0 || told.micro != row->micro)
        return ledger_tampered(all->problem, "Entry %llu: what it counted as spent of %s is another amount.",
                               (wide)row->restore, row->owner);
    return GW_OK;
}

static gw_status release_state_row_check(void *state, const gw_store_release_state_row *row) {
    walk *all = state;
    int64_t until;
    bool is_withdrawn;
    all->count++;
    if (!gw_audit_release_state_find(all->state, row->release, &until, &is_withdrawn) || until != row->embargo ||
        is_withdrawn != row->is_withdrawn)
        return ledger_tampered(all->problem, "Release %s: its embargo or withdrawal is not what was said.",
                               row->release);
    return GW_OK;
}

// ---- all of them

// After a walk over one table.
static gw_status rows_are_all(walk *all, gw_status status, const char *what, uint64_t expected) {
    if (status == GW_OK && all->count != expected)
        status = ledger_tampered(all->problem, "Of %s there are %llu rows, and the entries make %llu.", what,
                                 (wide)all->count, (wide)expected);
    all->count = 0;
    return status;
}

static gw_status entry_tables_check(walk *all, const gw_audit_sizes *sizes, const uint64_t counts[GW_ENTRY_KINDS]) {
    const struct {
        gw_entry_kind kind;
        const char *what;
        uint64_t expected;
    } tables[] = {
        {GW_ENTRY_PRINCIPAL, "principals", sizes->principals},
        {GW_ENTRY_KEY, "keys", sizes->keys},
        {GW_ENTRY_POPULATION, "populations", sizes->populations},
        {GW_ENTRY_POLICY, "policies", counts[GW_ENTRY_POLICY]},
        {GW_ENTRY_DATA, "data versions", counts[GW_ENTRY_DATA]},
        {GW_ENTRY_WITNESSES, "files of witnesses", counts[GW_ENTRY_WITNESSES]},
        {GW_ENTRY_KEYROT, "replaced log keys", counts[GW_ENTRY_KEYROT]},
        {GW_ENTRY_RESTORE, "restores", counts[GW_ENTRY_RESTORE]},
    };
    gw_status status = GW_OK;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && status == GW_OK; i++)
        status = rows_are_all(all, gw_store_entry_rows(all->reader, tables[i].kind, entry_row_check, all),
                              tables[i].what, tables[i].expected);
    return status;
}

gw_status ledger_tables_check(gw_store_reader *reader, const gw_audit_state *state,
                              const uint64_t counts[GW_ENTRY_KINDS], gw_problem *ret_problem) {
    gw_problem problem = {0};
    walk all = {.reader = reader, .state = state, .problem = &problem};
    gw_audit_sizes sizes = gw_audit_sizes_of(state);
    gw_status status = entry_tables_check(&all, &sizes, counts);
    if (status == GW_OK)
        status = rows_are_all(&all, gw_store_dataset_rows(reader, dataset_row_check, &all), "datasets", sizes.datasets);
    if (status == GW_OK)
        status =
            rows_are_all(&all, gw_store_budget_rows(reader, budget_row_check, &all), "budgets in use", sizes.budgets);
    if (status == GW_OK)
        status = rows_are_all(&all, gw_store_growth_rows(reader, growth_row_check, &all), "amounts counted by restores",
                              sizes.growths);
    if (status == GW_OK)
        status = rows_are_all(&all, gw_store_release_state_rows(reader, release_state_row_check, &all),
                              "embargoes and withdrawals", sizes.release_states);
    if (status != GW_OK && problem.code[0] == '\0')
        status = gw_problem_set(&problem, status, status == GW_CORRUPT ? "store_corrupt" : "store_read",
                                "The ledger's tables cannot be read.", "",
                                "Restore the newest backup and run `godwitd doctor`; do not delete files.");
    if (status != GW_OK && ret_problem != NULL)
        *ret_problem = problem;
    return status;
}
