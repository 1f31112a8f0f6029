// SPDX-License-Identifier: Apache-2.0
// The fold of a log: who is who, what is in force, what is spent, entry by entry, from nothing but the entries. It
// shares no code with the store, so that one finds the other's mistakes. One hash map serves all lookups: its keys are
// SHA-256 of what is looked up, its values are places in the arrays.
#include "service/audit/verify.h"
#include "privacy/accounting/zcdp.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DAY_SECONDS 86400
#define WINDOW_DAYS_MAX 36500
#define SIGNER_ROLES (GW_ROLE_OWNER | GW_ROLE_OPERATOR)
#define NONE SIZE_MAX

// ---- arrays and the map

#define LIST(type)                                                                                                     \
    struct {                                                                                                           \
        type *items;                                                                                                   \
        size_t count, capacity;                                                                                        \
    }

static bool list_grow(void **items, size_t *capacity, size_t count, size_t item_size) {
    if (count < *capacity)
        return true;
    size_t wanted = *capacity == 0 ? 16 : *capacity * 2;
    void *grown = reallocarray(*items, wanted, item_size);
    if (grown == NULL)
        return false;
    *items = grown;
    *capacity = wanted;
    return true;
}
#define LIST_ROOM(list) list_grow((void **)&(list).items, &(list).capacity, (list).count, sizeof((list).items[0]))

typedef struct {
    gw_hash key;
    size_t place;
    bool is_used;
} map_slot;

typedef struct {
    map_slot *slots;
    size_t capacity, count; // capacity is a power of two
} place_map;

static map_slot *map_slot_of(const place_map *map, gw_hash key) {
    size_t at;
    memcpy(&at, key.bytes, sizeof(at));
    at &= map->capacity - 1;
    while (map->slots[at].is_used && memcmp(map->slots[at].key.bytes, key.bytes, GW_HASH_SIZE) != 0)
        at = (at + 1) & (map->capacity - 1);
    return &map->slots[at];
}

static size_t map_find(const place_map *map, gw_hash key) {
    if (map->capacity == 0)
        return NONE;
    const map_slot *slot = map_slot_of(map, key);
    return slot->is_used ? slot->place : NONE;
}

// Makes room for one more, at most two thirds full.
static bool map_room(place_map *old) {
    if ((old->count + 1) * 3 <= old->capacity * 2)
        return true;
    place_map grown = {.capacity = old->capacity == 0 ? 64 : old->capacity * 2, .count = old->count};
    grown.slots = calloc(grown.capacity, sizeof(grown.slots[0]));
    if (grown.slots == NULL)
        return false;
    for (size_t i = 0; i < old->capacity; i++)
        if (old->slots[i].is_used)
            *map_slot_of(&grown, old->slots[i].key) = old->slots[i];
    free(old->slots);
    *old = grown;
    return true;
}

static void map_put(place_map *map, gw_hash key, size_t place) {
    map_slot *slot = map_slot_of(map, key);
    GW_ASSERT(!slot->is_used);
    *slot = (map_slot){.key = key, .place = place, .is_used = true};
    map->count++;
}

static gw_hash key_of(char kind, const char *first, const char *second) {
    char text[2 * GW_DATASET_MAX + 600];
    int size = snprintf(text, sizeof(text), "%c%s\n%s", kind, first, second);
    GW_ASSERT(size > 0);
    GW_ASSERT((size_t)size < sizeof(text)); // names have at most 128 bytes
    return gw_sha256(gw_bytes_of(text));
}

// ---- what is known

typedef struct {
    unsigned roles;
} principal_row;

typedef struct {
    char principal[GW_ID_HEX];
    bool is_revoked;
} key_row;

// The accounting with a delta: what of it is granted in all.
typedef struct {
    uint64_t delta;     // 0: pure
    uint64_t rho;       // that (total, delta) buys
    uint64_t selection; // delta of questions that select unknown keys
} delta_terms;

typedef struct {
    char name[GW_DATASET_MAX];
    uint64_t total, window_days, window_total;
    delta_terms terms;
} population_row;

typedef struct {
    char name[GW_DATASET_MAX];
    size_t population;
    uint64_t policy, version;
    uint64_t total, principal_total, window_days, window_total, question_min, question_max;
    delta_terms terms;
    char data[GW_ID_HEX]; // "" until there is a version
} dataset_row;

typedef enum { OUTCOME_OPEN, OUTCOME_RELEASED, OUTCOME_ABANDONED } outcome;

typedef struct {
    uint64_t seq, cost;
    int64_t time;
    size_t dataset;
    outcome outcome;
} charge_row;

typedef enum {
    BALANCE_DATASET,
    BALANCE_POPULATION,
    BALANCE_PRINCIPAL,
    BALANCE_WINDOW,
    BALANCE_POPULATION_WINDOW
} balance_kind;
#define BALANCE_KINDS 5

typedef struct {
    balance_kind kind;
    size_t owner; // dataset or population
    char principal[GW_ID_HEX];
    uint64_t days, window;
    uint64_t total; // at the last charge
    uint64_t spent, charges;
    uint64_t rho, selection; // of datasets and populations; counted under pure accounting too
} balance_row;

struct gw_audit_state {
    uint64_t next; // seq expected
    int64_t time;
    place_map map;
    LIST(principal_row) principals;
    LIST(key_row) keys;
    LIST(population_row) populations;
    LIST(dataset_row) datasets;
    LIST(charge_row) charges; // in order of seq
    LIST(balance_row) balances;
    uint64_t releases, abandons;
};

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
    free(state);
}

void gw_audit_counts(const gw_audit_state *state, uint64_t *ret_charges, uint64_t *ret_releases,
                     uint64_t *ret_abandons) {
    *ret_charges = state->charges.count;
    *ret_releases = state->releases;
    *ret_abandons = state->abandons;
}

__attribute__((format(printf, 3, 4))) static gw_status wrong(gw_problem *ret_problem, const char *code,
                                                             const char *format, ...) {
    char what[320];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    return gw_problem_set(ret_problem, GW_CORRUPT, code, what, "", "");
}

static gw_status no_memory(gw_problem *ret_problem) {
    return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory to check the log.", "", "");
}

typedef unsigned long long wide; // for printf

// ---- principals and keys

static principal_row *principal_of(gw_audit_state *state, const char *id) {
    size_t place = map_find(&state->map, key_of('p', id, ""));
    return place == NONE ? NULL : &state->principals.items[place];
}

static gw_status signers_check(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    for (size_t i = 0; i < entry->by.count; i++) {
        const principal_row *signer = principal_of(state, entry->by.ids[i]);
        unsigned roles = signer == NULL ? 0 : signer->roles;
        bool is_own_key =
            entry->kind == GW_ENTRY_KEY && roles != 0 && strcmp(entry->by.ids[i], entry->key.principal) == 0;
        if ((roles & SIGNER_ROLES) == 0 && !is_own_key)
            return wrong(ret_problem, "bad_signer", "Signer %s was neither owner nor operator at that time.",
                         entry->by.ids[i]);
        for (size_t k = 0; k < i; k++)
            if (strcmp(entry->by.ids[i], entry->by.ids[k]) == 0)
                return wrong(ret_problem, "bad_signer", "Signer %s is counted twice.", entry->by.ids[i]);
    }
    if (entry->by.count == 0)
        return wrong(ret_problem, "bad_signer", "Nobody signed this %s entry.", gw_entry_kind_name(entry->kind));
    return GW_OK;
}

// The first principal, directly after genesis, signs for itself.
static bool is_bootstrap(const gw_entry *entry) {
    return entry->seq == 1 && entry->kind == GW_ENTRY_PRINCIPAL && strcmp(entry->principal.action, "add") == 0 &&
           (entry->principal.roles & SIGNER_ROLES) != 0 && entry->by.count == 1 &&
           strcmp(entry->by.ids[0], entry->principal.principal) == 0;
}

static gw_status apply_principal(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    principal_row *row = principal_of(state, entry->principal.principal);
    bool is_add = strcmp(entry->principal.action, "add") == 0;
    bool is_revoke = strcmp(entry->principal.action, "revoke") == 0;
    if (is_add == (row != NULL))
        return wrong(ret_problem, is_add ? "principal_exists" : "unknown_principal", "Principal %s is %s.",
                     entry->principal.principal, is_add ? "added twice" : "changed but was never added");
    if (is_revoke != (entry->principal.roles == 0))
        return wrong(ret_problem, "bad_roles", "Only a revocation leaves principal %s without a role.",
                     entry->principal.principal);
    if (!is_add) {
        row->roles = entry->principal.roles;
        return GW_OK;
    }
    if (!LIST_ROOM(state->principals) || !map_room(&state->map))
        return no_memory(ret_problem);
    map_put(&state->map, key_of('p', entry->principal.principal, ""), state->principals.count);
    state->principals.items[state->principals.count++] = (principal_row){.roles = entry->principal.roles};
    return GW_OK;
}

static gw_status apply_key(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    const principal_row *principal = principal_of(state, entry->key.principal);
    bool is_add = strcmp(entry->key.action, "add") == 0;
    if (principal == NULL || (is_add && principal->roles == 0))
        return wrong(ret_problem, "unknown_principal", "A key names principal %s, who is not known.",
                     entry->key.principal);
    gw_hash key = key_of('k', entry->key.key, "");
    size_t place = map_find(&state->map, key);
    if (is_add && place != NONE)
        return wrong(ret_problem, "key_exists", "A key is added that was in the log before.");
    if (!is_add && (place == NONE || strcmp(state->keys.items[place].principal, entry->key.principal) != 0))
        return wrong(ret_problem, "unknown_key", "A key is revoked that principal %s never had.", entry->key.principal);
    if (!is_add && state->keys.items[place].is_revoked)
        return wrong(ret_problem, "key_revoked", "A key is revoked twice.");
    if (!is_add) {
        state->keys.items[place].is_revoked = true;
        return GW_OK;
    }
    if (!LIST_ROOM(state->keys) || !map_room(&state->map))
        return no_memory(ret_problem);
    key_row row = {.is_revoked = false};
    memcpy(row.principal, entry->key.principal, sizeof(row.principal));
    map_put(&state->map, key, state->keys.count);
    state->keys.items[state->keys.count++] = row;
    return GW_OK;
}

// ---- balances

static gw_hash balance_key(const balance_row *like) {
    char owner[96];
    snprintf(owner, sizeof(owner), "%d %zu %llu %llu", (int)like->kind, like->owner, (wide)like->days,
             (wide)like->window);
    return key_of('b', owner, like->principal);
}

// What the charges already in the log spent of a window: they are in order of time.
static uint64_t window_spent(const gw_audit_state *state, const balance_row *like) {
    uint64_t start = like->window * like->days * DAY_SECONDS;
    uint64_t spent = 0;
    for (size_t i = state->charges.count; i > 0 && (uint64_t)state->charges.items[i - 1].time >= start; i--) {
        const charge_row *charge = &state->charges.items[i - 1];
        size_t owner =
            like->kind == BALANCE_WINDOW ? charge->dataset : state->datasets.items[charge->dataset].population;
        if (owner == like->owner && __builtin_add_overflow(spent, charge->cost, &spent))
            return UINT64_MAX; // admits nothing
    }
    return spent;
}

// The balance like `like`, made when there is none; NONE without memory.
static size_t balance_of(gw_audit_state *state, const balance_row *like) {
    gw_hash key = balance_key(like);
    size_t place = map_find(&state->map, key);
    if (place != NONE)
        return place;
    if (!LIST_ROOM(state->balances) || !map_room(&state->map))
        return NONE;
    place = state->balances.count;
    map_put(&state->map, key, place);
    state->balances.items[place] = *like;
    state->balances.count++;
    return place;
}

// A window's balance after its length was changed: a window of this length has none yet, or one that misses what came
// in between.
static bool window_refresh(gw_audit_state *state, balance_kind kind, size_t owner, uint64_t days, int64_t time) {
    if (days == 0)
        return true;
    balance_row like = {.kind = kind, .owner = owner, .days = days, .window = (uint64_t)time / (days * DAY_SECONDS)};
    size_t place = balance_of(state, &like);
    if (place == NONE)
        return false;
    uint64_t spent = window_spent(state, &like);
    if (spent > state->balances.items[place].spent)
        state->balances.items[place].spent = spent;
    return true;
}

// ---- populations, policies, data

static gw_status terms_read(uint64_t total, uint64_t delta, uint64_t selection, delta_terms *ret,
                            gw_problem *ret_problem) {
    if (delta >= GW_DELTA_ONE_ATTO || selection >= GW_DELTA_ONE_ATTO)
        return wrong(ret_problem, "bad_amount", "A delta of 1 or more.");
    *ret = (delta_terms){
        .delta = delta, .rho = gw_rho_total((gw_epsilon){total}, (gw_delta){delta}), .selection = selection};
    return GW_OK;
}

static gw_status apply_population(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    if (entry->population.window_days > WINDOW_DAYS_MAX)
        return wrong(ret_problem, "bad_amount", "A window of more than a century.");
    delta_terms terms;
    gw_status status = terms_read(entry->population.total, entry->population.delta, entry->population.selection_delta,
                                  &terms, ret_problem);
    if (status != GW_OK)
        return status;
    gw_hash key = key_of('P', entry->population.population, "");
    size_t place = map_find(&state->map, key);
    if (place == NONE) {
        if (!LIST_ROOM(state->populations) || !map_room(&state->map))
            return no_memory(ret_problem);
        place = state->populations.count++;
        map_put(&state->map, key, place);
        state->populations.items[place] = (population_row){.total = 0};
        memcpy(state->populations.items[place].name, entry->population.population, GW_DATASET_MAX);
    }
    population_row *row = &state->populations.items[place];
    row->total = entry->population.total;
    row->window_days = entry->population.window_days;
    row->window_total = entry->population.window_total;
    row->terms = terms;
    balance_row like = {.kind = BALANCE_POPULATION, .owner = place};
    if (balance_of(state, &like) == NONE ||
        !window_refresh(state, BALANCE_POPULATION_WINDOW, place, row->window_days, entry->time))
        return no_memory(ret_problem);
    return GW_OK;
}

static gw_status policy_check(const gw_entry *entry, const dataset_row *before, size_t population,
                              gw_problem *ret_problem) {
    if (entry->policy.window_days > WINDOW_DAYS_MAX)
        return wrong(ret_problem, "bad_amount", "A window of more than a century.");
    if (population == NONE)
        return wrong(ret_problem, "unknown_population", "The policy names population %s, which has no entry.",
                     entry->policy.population);
    if (entry->policy.supersedes != (before == NULL ? GW_NO_SEQ : before->policy))
        return wrong(ret_problem, "policy_superseded", "The policy does not supersede the one in force.");
    if (before != NULL && before->population != population)
        return wrong(ret_problem, "population_changed",
                     "The policy moves %s to other people, leaving its spending behind.", entry->policy.dataset);
    if (before != NULL && entry->policy.version <= before->version)
        return wrong(ret_problem, "policy_version", "The policy's version does not grow.");
    return GW_OK;
}

static gw_status apply_policy(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    gw_hash key = key_of('d', entry->policy.dataset, "");
    size_t place = map_find(&state->map, key);
    size_t population = map_find(&state->map, key_of('P', entry->policy.population, ""));
    delta_terms terms;
    gw_status status =
        policy_check(entry, place == NONE ? NULL : &state->datasets.items[place], population, ret_problem);
    if (status == GW_OK)
        status =
            terms_read(entry->policy.total, entry->policy.delta, entry->policy.selection_delta, &terms, ret_problem);
    if (status != GW_OK)
        return status;
    bool is_first = place == NONE;
    if (is_first) {
        if (!LIST_ROOM(state->datasets) || !map_room(&state->map))
            return no_memory(ret_problem);
        place = state->datasets.count++;
        map_put(&state->map, key, place);
        state->datasets.items[place] = (dataset_row){.population = population};
        memcpy(state->datasets.items[place].name, entry->policy.dataset, GW_DATASET_MAX);
    }
    dataset_row *row = &state->datasets.items[place];
    row->policy = entry->seq;
    row->version = entry->policy.version;
    row->total = entry->policy.total;
    row->principal_total = entry->policy.principal_total;
    row->window_days = entry->policy.window_days;
    row->window_total = entry->policy.window_total;
    row->question_min = entry->policy.question_min;
    row->question_max = entry->policy.question_max;
    row->terms = terms;
    balance_row like = {.kind = BALANCE_DATASET, .owner = place};
    if (balance_of(state, &like) == NONE ||
        (!is_first && !window_refresh(state, BALANCE_WINDOW, place, row->window_days, entry->time)))
        return no_memory(ret_problem);
    return GW_OK;
}

static gw_status apply_data(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    size_t place = map_find(&state->map, key_of('d', entry->data.dataset, ""));
    if (place == NONE)
        return wrong(ret_problem, "unknown_dataset", "Data for %s, which has no policy.", entry->data.dataset);
    gw_hash key = key_of('v', entry->data.version, "");
    if (map_find(&state->map, key) != NONE)
        return wrong(ret_problem, "data_exists", "Data version %s appears twice.", entry->data.version);
    if (!map_room(&state->map))
        return no_memory(ret_problem);
    map_put(&state->map, key, place);
    memcpy(state->datasets.items[place].data, entry->data.version, GW_ID_HEX);
    return GW_OK;
}

// ---- charges

static gw_status charge_check(gw_audit_state *state, const gw_entry *entry, size_t dataset, gw_problem *ret_problem) {
    if (dataset == NONE)
        return wrong(ret_problem, "unknown_dataset", "A charge on %s, which has no policy.", entry->charge.dataset);
    const dataset_row *row = &state->datasets.items[dataset];
    const principal_row *principal = principal_of(state, entry->charge.principal);
    uint64_t cost = entry->charge.cost;
    if (entry->charge.policy != row->policy)
        return wrong(ret_problem, "policy_superseded", "The charge names policy %llu, in force was %llu.",
                     (wide)entry->charge.policy, (wide)row->policy);
    if (strcmp(entry->charge.population, state->populations.items[row->population].name) != 0)
        return wrong(ret_problem, "population_changed", "The charge names another population than its policy.");
    if (row->data[0] == '\0' || strcmp(entry->charge.data, row->data) != 0)
        return wrong(ret_problem, "data_superseded", "The charge names a data version that was not in force.");
    if (principal == NULL || principal->roles == 0)
        return wrong(ret_problem, "unknown_principal", "The charge names principal %s, who was not known.",
                     entry->charge.principal);
    if (cost == 0 || cost < row->question_min || (row->question_max != 0 && cost > row->question_max))
        return wrong(ret_problem, "bad_cost", "The charge of %llu is outside of what the policy allows for a question.",
                     (wide)cost);
    if (map_find(&state->map, key_of('i', entry->charge.principal, entry->charge.idem)) != NONE)
        return wrong(ret_problem, "idem_exists", "The same request is charged twice.");
    return GW_OK;
}

typedef struct {
    balance_row like;
    bool is_counted, has_total;
    uint64_t total;
    uint64_t stated; // what the entry says is spent after it
    bool is_stated;
    const delta_terms *terms; // NULL: pure epsilon alone
    uint64_t stated_rho, stated_delta;
} charge_balance;

static void charge_balances(const gw_audit_state *state, const gw_entry *entry, size_t dataset,
                            charge_balance ret[BALANCE_KINDS]) {
    const dataset_row *row = &state->datasets.items[dataset];
    const population_row *population = &state->populations.items[row->population];
    uint64_t time = (uint64_t)entry->time;
    ret[0] = (charge_balance){.like = {.kind = BALANCE_DATASET, .owner = dataset},
                              .is_counted = true,
                              .has_total = true,
                              .total = row->total,
                              .stated = entry->charge.spent_dataset,
                              .is_stated = true,
                              .terms = &row->terms,
                              .stated_rho = entry->charge.spent_rho_dataset,
                              .stated_delta = entry->charge.spent_delta_dataset};
    ret[1] = (charge_balance){.like = {.kind = BALANCE_POPULATION, .owner = row->population},
                              .is_counted = true,
                              .has_total = true,
                              .total = population->total,
                              .stated = entry->charge.spent_population,
                              .is_stated = true,
                              .terms = &population->terms,
                              .stated_rho = entry->charge.spent_rho_population,
                              .stated_delta = entry->charge.spent_delta_population};
    ret[2] = (charge_balance){.like = {.kind = BALANCE_PRINCIPAL, .owner = dataset},
                              .is_counted = true,
                              .has_total = row->principal_total != 0,
                              .total = row->principal_total,
                              .stated = entry->charge.spent_principal,
                              .is_stated = true};
    memcpy(ret[2].like.principal, entry->charge.principal, GW_ID_HEX);
    ret[3] = (charge_balance){.like = {.kind = BALANCE_WINDOW, .owner = dataset, .days = row->window_days},
                              .is_counted = row->window_days != 0,
                              .has_total = row->window_days != 0,
                              .total = row->window_total,
                              .stated = entry->charge.spent_window,
                              .is_stated = true};
    ret[4] = (charge_balance){
        .like = {.kind = BALANCE_POPULATION_WINDOW, .owner = row->population, .days = population->window_days},
        .is_counted = population->window_days != 0,
        .has_total = population->window_days != 0,
        .total = population->window_total};
    for (size_t i = 3; i < BALANCE_KINDS; i++)
        if (ret[i].like.days != 0)
            ret[i].like.window = time / (ret[i].like.days * DAY_SECONDS);
}

static const char *balance_kind_name(balance_kind kind) {
    static const char *const names[BALANCE_KINDS] = {"dataset", "population", "principal", "window", "window"};
    return names[kind];
}

// Sums that the entry states where it has their lines: rho where dataset or population is accounted with a delta,
// deltas where the question selects keys.
static gw_status charge_sums_check(const charge_balance *want, const balance_row *balance, const gw_entry *entry,
                                   gw_loss cost, gw_problem *ret_problem) {
    const char *name = balance_kind_name(want->like.kind);
    uint64_t rho = gw_rho_add(balance->rho, cost.rho);
    if (entry->charge.rho != 0 && want->stated_rho != rho)
        return wrong(ret_problem, "spent_mismatch", "The entry says rho %llu is spent of the %s budget; it is %llu.",
                     (wide)want->stated_rho, name, (wide)rho);
    if (entry->charge.delta == 0)
        return GW_OK;
    if (!gw_budget_admits(want->terms->selection, balance->selection, entry->charge.delta))
        return wrong(ret_problem, "budget_passed",
                     "The %s grants a delta of %llu to selections, spent %llu; a charge of %llu passes it.", name,
                     (wide)want->terms->selection, (wide)balance->selection, (wide)entry->charge.delta);
    uint64_t delta = balance->selection + entry->charge.delta; // at most what is granted
    if (want->stated_delta != delta)
        return wrong(ret_problem, "spent_mismatch", "The entry says delta %llu is spent of the %s budget; it is %llu.",
                     (wide)want->stated_delta, name, (wide)delta);
    return GW_OK;
}

// Admission, and that the entry states what is spent after it. A wrong figure here is an overspent budget.
static gw_status charge_balance_check(const charge_balance *want, const balance_row *balance, const gw_entry *entry,
                                      gw_loss cost, gw_problem *ret_problem) {
    const char *name = balance_kind_name(want->like.kind);
    gw_loss total = {.micro = want->total, .rho = want->terms == NULL ? 0 : want->terms->rho};
    gw_loss spent = {.micro = balance->spent, .rho = balance->rho};
    if (want->has_total && !gw_zcdp_admits(total, spent, cost))
        return wrong(ret_problem, "budget_passed", "The %s budget was %llu, spent %llu; a charge of %llu passes it.",
                     name, (wide)want->total, (wide)spent.micro, (wide)cost.micro);
    uint64_t after;
    if (!gw_add_u64(spent.micro, cost.micro, &after))
        return wrong(ret_problem, "budget_passed", "The %s's spending does not fit 64 bits.", name);
    if (want->is_stated && want->stated != after)
        return wrong(ret_problem, "spent_mismatch", "The entry says %llu is spent of the %s budget; it is %llu.",
                     (wide)want->stated, name, (wide)after);
    return want->terms == NULL ? GW_OK : charge_sums_check(want, balance, entry, cost, ret_problem);
}

// The price in both measures. A rho that is not its epsilon's would let in more, or less, than the policy allows.
static gw_status charge_loss(const gw_entry *entry, const charge_balance wants[BALANCE_KINDS], gw_loss *ret,
                             gw_problem *ret_problem) {
    *ret = (gw_loss){.micro = entry->charge.cost, .rho = gw_rho_of((gw_epsilon){entry->charge.cost})};
    bool is_used = wants[0].terms->delta != 0 || wants[1].terms->delta != 0;
    if (entry->charge.rho != (is_used ? ret->rho : 0))
        return wrong(ret_problem, "rho_mismatch", "The entry says a charge of %llu costs rho %llu; it costs %llu.",
                     (wide)entry->charge.cost, (wide)entry->charge.rho, (wide)(is_used ? ret->rho : 0));
    return GW_OK;
}

static gw_status apply_charge(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    size_t dataset = map_find(&state->map, key_of('d', entry->charge.dataset, ""));
    gw_status status = charge_check(state, entry, dataset, ret_problem);
    if (status != GW_OK)
        return status;
    charge_balance wants[BALANCE_KINDS];
    size_t places[BALANCE_KINDS];
    gw_loss cost;
    charge_balances(state, entry, dataset, wants);
    status = charge_loss(entry, wants, &cost, ret_problem);
    if (status != GW_OK)
        return status;
    for (size_t i = 0; i < BALANCE_KINDS; i++) {
        places[i] = NONE;
        if (!wants[i].is_counted) {
            if (wants[i].is_stated && wants[i].stated != 0)
                return wrong(ret_problem, "spent_mismatch", "The entry states spending of a window that is not set.");
            continue;
        }
        places[i] = balance_of(state, &wants[i].like);
        if (places[i] == NONE)
            return no_memory(ret_problem);
        status = charge_balance_check(&wants[i], &state->balances.items[places[i]], entry, cost, ret_problem);
        if (status != GW_OK)
            return status;
    }
    if (entry->charge.window != wants[3].like.window)
        return wrong(ret_problem, "bad_window", "The charge names window %llu; its time lies in %llu.",
                     (wide)entry->charge.window, (wide)wants[3].like.window);
    if (!LIST_ROOM(state->charges) || !map_room(&state->map))
        return no_memory(ret_problem);
    map_put(&state->map, key_of('i', entry->charge.principal, entry->charge.idem), state->charges.count);
    for (size_t i = 0; i < BALANCE_KINDS; i++) {
        if (places[i] == NONE)
            continue;
        balance_row *balance = &state->balances.items[places[i]];
        balance->spent += entry->charge.cost;
        if (wants[i].terms != NULL) {
            balance->rho = gw_rho_add(balance->rho, cost.rho);
            balance->selection += entry->charge.delta;
        }
        balance->total = wants[i].total;
        balance->charges++;
    }
    state->charges.items[state->charges.count++] =
        (charge_row){.seq = entry->seq, .cost = entry->charge.cost, .time = entry->time, .dataset = dataset};
    return GW_OK;
}

static charge_row *charge_of(gw_audit_state *state, uint64_t seq) {
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

static gw_status finish_check(const charge_row *charge, uint64_t seq, const char *word, gw_problem *ret_problem) {
    if (charge == NULL)
        return wrong(ret_problem, "no_charge", "The %s names charge %llu, and there is none.", word, (wide)seq);
    if (charge->outcome != OUTCOME_OPEN)
        return wrong(ret_problem, "second_outcome", "Charge %llu was %s before; now a second outcome is logged.",
                     (wide)seq, charge->outcome == OUTCOME_RELEASED ? "released" : "abandoned");
    return GW_OK;
}

static gw_status apply_release(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    charge_row *charge = charge_of(state, entry->release.charge);
    gw_status status = finish_check(charge, entry->release.charge, "release", ret_problem);
    if (status != GW_OK)
        return status;
    gw_hash key = key_of('r', entry->release.release, "");
    if (map_find(&state->map, key) != NONE)
        return wrong(ret_problem, "release_exists", "Release id %s appears twice.", entry->release.release);
    if (!map_room(&state->map))
        return no_memory(ret_problem);
    map_put(&state->map, key, state->releases);
    charge->outcome = OUTCOME_RELEASED;
    state->releases++;
    return GW_OK;
}

static gw_status apply_abandon(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    charge_row *charge = charge_of(state, entry->abandon.charge);
    gw_status status = finish_check(charge, entry->abandon.charge, "abandon", ret_problem);
    if (status != GW_OK)
        return status;
    charge->outcome = OUTCOME_ABANDONED;
    state->abandons++;
    return GW_OK;
}

// ---- any entry

static gw_status apply_genesis(const gw_entry *entry, gw_problem *ret_problem) {
    gw_note_key key;
    if (gw_note_key_parse(entry->genesis.log_key, &key, NULL) != GW_OK || strcmp(key.name, entry->genesis.origin) != 0)
        return wrong(ret_problem, "bad_genesis", "The first entry's log key cannot be read or bears another name.");
    return GW_OK;
}

static gw_status apply_kind(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    switch (entry->kind) {
    case GW_ENTRY_GENESIS:
        return apply_genesis(entry, ret_problem);
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
        return apply_charge(state, entry, ret_problem);
    case GW_ENTRY_RELEASE:
        return apply_release(state, entry, ret_problem);
    case GW_ENTRY_ABANDON:
        return apply_abandon(state, entry, ret_problem);
    case GW_ENTRY_REFUSALS:
    case GW_ENTRY_INCIDENT:
        return GW_OK; // statements of fact: they change nothing
    }
    return wrong(ret_problem, "bad_entry", "An entry of unknown kind.");
}

gw_status gw_audit_apply(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    bool needs_signers = entry->kind == GW_ENTRY_PRINCIPAL || entry->kind == GW_ENTRY_KEY ||
                         entry->kind == GW_ENTRY_POPULATION || entry->kind == GW_ENTRY_POLICY ||
                         entry->kind == GW_ENTRY_DATA;
    if (entry->seq != state->next)
        return wrong(ret_problem, "seq_gap", "The entry is numbered %llu; its place is %llu.", (wide)entry->seq,
                     (wide)state->next);
    if (entry->time < state->time)
        return wrong(ret_problem, "time_back", "The entry's time lies before the one preceding it.");
    if ((entry->kind == GW_ENTRY_GENESIS) != (entry->seq == 0))
        return wrong(ret_problem, "bad_genesis", "A log has one genesis entry, its first.");
    gw_status status = GW_OK;
    if (needs_signers && !is_bootstrap(entry))
        status = signers_check(state, entry, ret_problem);
    if (status == GW_OK)
        status = apply_kind(state, entry, ret_problem);
    if (status != GW_OK)
        return status;
    state->next++;
    state->time = entry->time;
    return GW_OK;
}

static gw_audit_balance balance_row_tell(const gw_audit_state *state, const balance_row *row) {
    bool is_population = row->kind == BALANCE_POPULATION || row->kind == BALANCE_POPULATION_WINDOW;
    const dataset_row *dataset = is_population ? NULL : &state->datasets.items[row->owner];
    const population_row *population = is_population ? &state->populations.items[row->owner] : NULL;
    gw_audit_balance balance = {.kind = balance_kind_name(row->kind),
                                .id = is_population ? population->name : dataset->name,
                                .principal = row->principal,
                                .window = row->window,
                                .total = row->total,
                                .spent = row->spent,
                                .charges = row->charges,
                                .rho = row->rho,
                                .selection = row->selection};
    if (row->kind == BALANCE_DATASET || row->kind == BALANCE_POPULATION) {
        const delta_terms *terms = is_population ? &population->terms : &dataset->terms;
        balance.total = is_population ? population->total : dataset->total;
        balance.delta = terms->delta;
        balance.rho_total = terms->rho;
        balance.selection_total = terms->selection;
    } else if (row->kind == BALANCE_PRINCIPAL) {
        balance.total = dataset->principal_total;
    }
    return balance;
}

size_t gw_audit_balances(const gw_audit_state *state, gw_audit_balance *ret, size_t max) {
    for (size_t i = 0; i < state->balances.count && i < max; i++)
        ret[i] = balance_row_tell(state, &state->balances.items[i]);
    return state->balances.count;
}
