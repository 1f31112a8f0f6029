// SPDX-License-Identifier: Apache-2.0
// Balances: which budgets a charge meets, and what is spent of each. The writer keeps them in memory and writes each
// changed one once per commit; a failed batch forgets them all and reads again. Balances belong to identities (dataset,
// population, principal within a dataset, calendar window), never to a policy's version.
#include "service/store/store_sqlite.h"
#include <string.h>

gw_status store_terms_read(store_connection *connection, const char *dataset, store_terms *ret) {
    sqlite3_stmt *row = store_use(connection, SQL_TERMS);
    store_bind_text(row, 1, dataset);
    gw_status status = store_step(row);
    if (status != GW_OK)
        return status;
    store_terms terms = {
        .dataset = sqlite3_column_int64(row, 0),
        .population = sqlite3_column_int64(row, 1),
        .policy = store_column_u64(row, 2),
        .total = store_column_u64(row, 4),
        .principal_total = store_column_u64(row, 5),
        .window_days = store_column_u64(row, 6),
        .window_total = store_column_u64(row, 7),
        .question_min = store_column_u64(row, 8),
        .question_max = store_column_u64(row, 9),
        .population_total = store_column_u64(row, 10),
        .population_window_days = store_column_u64(row, 11),
        .population_window_total = store_column_u64(row, 12),
        .delta_terms = {store_column_u64(row, 15), store_column_u64(row, 16), store_column_u64(row, 17)},
        .population_delta_terms = {store_column_u64(row, 18), store_column_u64(row, 19), store_column_u64(row, 20)},
    };
    bool is_whole = store_column_text(row, 3, terms.population_name, sizeof(terms.population_name));
    terms.has_data = store_column_id(row, 13, terms.data);
    sqlite3_reset(row);
    *ret = terms;
    return is_whole ? GW_OK : GW_CORRUPT;
}

static store_budget window_budget(store_balance_kind kind, int64_t owner, uint64_t days, uint64_t total, int64_t time) {
    store_budget budget = {.key = {.kind = kind, .owner = owner}, .kind = GW_BUDGET_WINDOW, .is_set = days != 0};
    if (days == 0)
        return budget;
    GW_ASSERT(days <= STORE_WINDOW_DAYS_MAX);
    int64_t length = (int64_t)days * STORE_DAY_SECONDS;
    budget.key.days = (int64_t)days;
    budget.key.window = time / length; // unix_days / window_days, rounded down once
    budget.total = total;
    budget.renews = (budget.key.window + 1) * length;
    return budget;
}

void store_budgets_of(const store_terms *terms, const char *principal, int64_t time, store_budget ret[STORE_BALANCES]) {
    ret[0] = (store_budget){.key = {.kind = BALANCE_DATASET, .owner = terms->dataset},
                            .kind = GW_BUDGET_DATASET,
                            .is_set = true,
                            .total = terms->total,
                            .terms = terms->delta_terms};
    ret[1] = (store_budget){.key = {.kind = BALANCE_POPULATION, .owner = terms->population},
                            .kind = GW_BUDGET_POPULATION,
                            .is_set = true,
                            .total = terms->population_total,
                            .terms = terms->population_delta_terms};
    ret[2] = (store_budget){.key = {.kind = BALANCE_PRINCIPAL, .owner = terms->dataset},
                            .kind = GW_BUDGET_PRINCIPAL,
                            .is_set = terms->principal_total != 0,
                            .total = terms->principal_total};
    if (!gw_unhex(principal, strnlen(principal, GW_ID_HEX), ret[2].key.principal, GW_ID_SIZE))
        memset(ret[2].key.principal, 0, GW_ID_SIZE); // nobody
    ret[3] = window_budget(BALANCE_WINDOW, terms->dataset, terms->window_days, terms->window_total, time);
    ret[4] = window_budget(BALANCE_POPULATION_WINDOW, terms->population, terms->population_window_days,
                           terms->population_window_total, time);
}

// What restores counted within a window: they too are in order of time.
static gw_status window_restored(store_connection *connection, const store_balance_key *key, int64_t start,
                                 uint64_t *spent) {
    sqlite3_stmt *row = store_use(connection, SQL_GROWTH_RECENT);
    sqlite3_bind_int64(row, 1, key->kind == BALANCE_WINDOW ? BALANCE_DATASET : BALANCE_POPULATION);
    sqlite3_bind_int64(row, 2, key->owner);
    gw_status status;
    while ((status = store_step(row)) == GW_OK && sqlite3_column_int64(row, 0) >= start)
        if (__builtin_add_overflow(*spent, store_column_u64(row, 1), spent)) {
            sqlite3_reset(row);
            return GW_CORRUPT;
        }
    if (status != GW_OK)
        return status == GW_NOT_FOUND ? GW_OK : status;
    sqlite3_reset(row);
    return GW_OK;
}

// What the charges already in the log spent of a window: they are in order of time.
static gw_status window_spent(store_connection *connection, const store_balance_key *key, uint64_t *ret_spent) {
    int64_t start = key->window * key->days * STORE_DAY_SECONDS;
    int column = key->kind == BALANCE_WINDOW ? 2 : 3;
    uint64_t spent = 0;
    sqlite3_stmt *row = store_use(connection, SQL_CHARGE_RECENT);
    gw_status status;
    while ((status = store_step(row)) == GW_OK && sqlite3_column_int64(row, 0) >= start)
        if (sqlite3_column_int64(row, column) == key->owner &&
            __builtin_add_overflow(spent, store_column_u64(row, 1), &spent)) {
            sqlite3_reset(row);
            return GW_CORRUPT;
        }
    if (status != GW_OK && status != GW_NOT_FOUND)
        return status;
    sqlite3_reset(row);
    status = window_restored(connection, key, start, &spent);
    *ret_spent = spent;
    return status;
}

static void key_bind(sqlite3_stmt *statement, const store_balance_key *key) {
    sqlite3_bind_int64(statement, 1, key->kind);
    sqlite3_bind_int64(statement, 2, key->owner);
    sqlite3_bind_blob(statement, 3, key->principal, GW_ID_SIZE, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 4, key->days);
    sqlite3_bind_int64(statement, 5, key->window);
}

gw_status store_balance_read(store_connection *connection, const store_balance_key *key, store_spent *ret_spent) {
    sqlite3_stmt *row = store_use(connection, SQL_BUDGET_SELECT);
    key_bind(row, key);
    gw_status status = store_step(row);
    if (status == GW_OK) {
        *ret_spent = (store_spent){store_column_u64(row, 0), store_column_u64(row, 1), store_column_u64(row, 2)};
        sqlite3_reset(row);
        return GW_OK;
    }
    if (status != GW_NOT_FOUND)
        return status;
    *ret_spent = (store_spent){0};
    return GW_OK;
}

static bool key_equal(const store_balance_key *a, const store_balance_key *b) {
    return a->kind == b->kind && a->owner == b->owner && a->days == b->days && a->window == b->window &&
           memcmp(a->principal, b->principal, GW_ID_SIZE) == 0;
}

static size_t key_place(const store_balance_key *key) {
    uint64_t words[2];
    memcpy(words, key->principal, sizeof(words)); // principals are random ids
    uint64_t mix = words[0] ^ words[1] ^ (uint64_t)key->owner * 0x9e3779b97f4a7c15u ^ (uint64_t)key->window << 8 ^
                   (uint64_t)key->days << 24 ^ (uint64_t)key->kind << 32;
    mix *= 0x9e3779b97f4a7c15u;
    return (size_t)(mix >> 40) % STORE_BALANCE_SLOTS;
}

void store_balances_clear(store_balance_cache *cache) {
    memset(cache->slots, 0, sizeof(cache->slots));
    cache->count = 0;
    cache->dirty_count = 0;
}

_Static_assert(STORE_BATCH_MAX *STORE_BALANCES < STORE_BALANCE_SLOTS / 2,
               "a batch that starts at most half full never fills the table");

void store_balances_prepare(store_balance_cache *cache) {
    GW_ASSERT(cache->dirty_count == 0);
    if (cache->count > STORE_BALANCE_SLOTS / 2)
        store_balances_clear(cache);
}

gw_status store_balance_get(store_balance_cache *cache, store_connection *connection, const store_balance_key *key,
                            store_balance_slot **ret) {
    size_t place = key_place(key);
    while (cache->slots[place].is_used && !key_equal(&cache->slots[place].key, key))
        place = (place + 1) % STORE_BALANCE_SLOTS;
    store_balance_slot *slot = &cache->slots[place];
    if (!slot->is_used) {
        store_spent spent = {0};
        gw_status status = store_balance_read(connection, key, &spent);
        if (status != GW_OK)
            return status;
        *slot = (store_balance_slot){.key = *key, .spent = spent, .is_used = true};
        cache->count++;
        GW_ASSERT(cache->count < STORE_BALANCE_SLOTS);
    }
    *ret = slot;
    return GW_OK;
}

void store_balance_set(store_balance_cache *cache, store_balance_slot *slot, store_spent spent) {
    GW_ASSERT(spent.micro >= slot->spent.micro);
    GW_ASSERT(spent.rho >= slot->spent.rho);
    GW_ASSERT(spent.selection >= slot->spent.selection);
    slot->spent = spent;
    if (slot->is_dirty)
        return;
    slot->is_dirty = true;
    cache->dirty[cache->dirty_count++] = slot;
}

gw_status store_balance_refresh(store_balance_cache *cache, store_connection *connection,
                                const store_balance_key *key) {
    store_balance_slot *slot = NULL;
    uint64_t spent = 0;
    gw_status status = store_balance_get(cache, connection, key, &slot);
    if (status == GW_OK)
        status = window_spent(connection, key, &spent);
    if (status == GW_OK && spent > slot->spent.micro)
        store_balance_set(cache, slot, (store_spent){.micro = spent});
    return status;
}

gw_status store_balance_write(store_connection *connection, const store_balance_key *key, const store_spent *spent) {
    sqlite3_stmt *row = store_use(connection, SQL_BUDGET_UPSERT);
    key_bind(row, key);
    store_bind_u64(row, 6, spent->micro);
    store_bind_u64(row, 7, spent->rho);
    store_bind_u64(row, 8, spent->selection);
    return store_run(row);
}

gw_status store_balances_flush(store_balance_cache *cache, store_connection *connection) {
    for (size_t i = 0; i < cache->dirty_count; i++) {
        gw_status status = store_balance_write(connection, &cache->dirty[i]->key, &cache->dirty[i]->spent);
        if (status != GW_OK)
            return status;
        cache->dirty[i]->is_dirty = false;
    }
    cache->dirty_count = 0;
    return GW_OK;
}

// Days are whole, so the end of a window after a moment is the end of one after the day of that moment.
gw_status gw_store_window_end(gw_store *store, int64_t after, int64_t *ret) {
    *ret = INT64_MAX;
    sqlite3_stmt *row = store_use(&store->connection, SQL_WINDOW_END);
    sqlite3_bind_int64(row, 1, after / STORE_DAY_SECONDS);
    sqlite3_bind_int(row, 2, BALANCE_WINDOW);
    sqlite3_bind_int(row, 3, BALANCE_POPULATION_WINDOW);
    gw_status status = store_step(row);
    if (status != GW_OK)
        return status == GW_NOT_FOUND ? GW_CORRUPT : status; // min answers with a row always
    if (sqlite3_column_type(row, 0) != SQLITE_NULL)
        *ret = sqlite3_column_int64(row, 0) * STORE_DAY_SECONDS;
    sqlite3_reset(row);
    return GW_OK;
}

// ---- rho of old charges

typedef struct {
    int64_t owner;
    uint64_t rho;
} owner_rho;

static gw_status rho_write(store_connection *connection, store_balance_kind kind, const owner_rho *of) {
    sqlite3_stmt *row = store_use(connection, SQL_BUDGET_RHO);
    sqlite3_bind_int64(row, 1, (int64_t)kind);
    sqlite3_bind_int64(row, 2, of->owner);
    store_bind_u64(row, 3, of->rho);
    return store_run(row);
}

// Charges come owner by owner: one row of the budgets is written where the owner changes.
static gw_status rho_fill_kind(store_connection *connection, store_balance_kind kind) {
    owner_rho of = {.owner = -1};
    gw_status status = GW_OK;
    sqlite3_stmt *row = store_use(connection, SQL_CHARGE_COSTS);
    sqlite3_bind_int64(row, 1, (int64_t)kind);
    while (status == GW_OK && (status = store_step(row)) == GW_OK) {
        int64_t owner = sqlite3_column_int64(row, 0);
        if (owner != of.owner) {
            status = of.owner < 0 ? GW_OK : rho_write(connection, kind, &of);
            of = (owner_rho){.owner = owner};
        }
        of.rho = gw_rho_add(of.rho, gw_rho_of((gw_epsilon){store_column_u64(row, 1)}));
    }
    if (status != GW_NOT_FOUND) {
        sqlite3_reset(row);
        return status;
    }
    return of.owner < 0 ? GW_OK : rho_write(connection, kind, &of);
}

gw_status store_rho_fill(store_connection *connection) {
    gw_status status = rho_fill_kind(connection, BALANCE_DATASET);
    return status == GW_OK ? rho_fill_kind(connection, BALANCE_POPULATION) : status;
}
