// SPDX-License-Identifier: Apache-2.0
// A ledger that came back without its last entries counts what these may have spent as spent, of everybody who may have
// spent it (privacy/accounting/lost.md), in the transaction of the entry that says so. Charges that are open then are
// never drawn again.
#include "service/store/store_sqlite.h"
#include "privacy/accounting/lost.h"
#include <string.h>

#define RESTORE_SIGNERS 2

gw_status store_restored_since(store_connection *connection, uint64_t charge_seq, bool *ret) {
    sqlite3_stmt *row = store_use(connection, SQL_RESTORE_LAST);
    gw_status status = store_step(row);
    *ret = status == GW_OK && store_column_u64(row, 0) > charge_seq;
    if (status == GW_OK)
        sqlite3_reset(row);
    return status == GW_NOT_FOUND ? GW_OK : status;
}

gw_status store_charges_close(store_connection *connection, uint64_t from) {
    sqlite3_stmt *row = store_use(connection, SQL_CHARGE_CLOSE);
    store_bind_u64(row, 1, from);
    return store_run(row);
}

typedef struct {
    store_connection *connection;
    uint64_t seq, lost;
    int64_t time;
} restore_run;

// A dataset or a population: what it grants, and the dearest question (0: one has no maximum).
typedef struct {
    store_balance_key key;
    uint64_t total, question_max;
    store_delta_terms terms;
} restore_owner;

static gw_status owner_grow(const restore_run *run, const restore_owner *owner, gw_loss *ret_bound) {
    store_spent spent;
    gw_status status = store_balance_read(run->connection, &owner->key, &spent);
    if (status != GW_OK)
        return status;
    gw_loss total = {.micro = owner->total, .rho = owner->terms.rho};
    gw_loss bound =
        gw_lost_bound(run->lost, owner->question_max, total, (gw_loss){.micro = spent.micro, .rho = spent.rho});
    spent.micro += bound.micro;
    spent.rho = gw_rho_add(spent.rho, bound.rho);
    spent.selection += gw_lost_selection(bound, owner->terms.selection, spent.selection);
    status = store_balance_write(run->connection, &owner->key, &spent);
    if (status != GW_OK)
        return status;
    sqlite3_stmt *row = store_use(run->connection, SQL_GROWTH_INSERT);
    store_bind_u64(row, 1, run->seq);
    sqlite3_bind_int64(row, 2, owner->key.kind);
    sqlite3_bind_int64(row, 3, owner->key.owner);
    store_bind_u64(row, 4, bound.micro);
    *ret_bound = bound;
    return store_run(row);
}

// An asker, or the window that holds the restore: the owner's growth, up to what its own total admits.
static gw_status part_grow(const restore_run *run, const store_balance_key *key, bool has_total, uint64_t total,
                           uint64_t micro) {
    store_spent spent;
    gw_status status = store_balance_read(run->connection, key, &spent);
    uint64_t left = status == GW_OK && has_total ? gw_budget_remaining(total, spent.micro) : UINT64_MAX;
    spent.micro += micro < left ? micro : left;
    return status == GW_OK ? store_balance_write(run->connection, key, &spent) : status;
}

static gw_status window_grow(const restore_run *run, store_balance_kind kind, int64_t owner, uint64_t days,
                             uint64_t total, uint64_t micro) {
    if (days == 0)
        return GW_OK;
    store_balance_key key = {.kind = kind, .owner = owner, .days = (int64_t)days};
    key.window = run->time / (key.days * STORE_DAY_SECONDS);
    return part_grow(run, &key, true, total, micro);
}

static gw_status askers_grow(const restore_run *run, const store_terms *terms, uint64_t micro) {
    sqlite3_stmt *row = store_use(run->connection, SQL_PRINCIPAL_LIST);
    gw_status status;
    while ((status = store_step(row)) == GW_OK) {
        store_balance_key key = {.kind = BALANCE_PRINCIPAL, .owner = terms->dataset};
        gw_bytes id = store_column_bytes(row, 0);
        status = id.size == sizeof(key.principal) ? GW_OK : GW_CORRUPT;
        if (status == GW_OK) {
            memcpy(key.principal, id.data, sizeof(key.principal));
            status = part_grow(run, &key, terms->principal_total != 0, terms->principal_total, micro);
        }
        if (status != GW_OK) {
            sqlite3_reset(row);
            return status;
        }
    }
    return status == GW_NOT_FOUND ? GW_OK : status;
}

static gw_status dataset_grow(const restore_run *run, const char *name) {
    store_terms terms;
    gw_loss bound;
    gw_status status = store_terms_read(run->connection, name, &terms);
    if (status != GW_OK)
        return status == GW_NOT_FOUND ? GW_CORRUPT : status;
    restore_owner owner = {.key = {.kind = BALANCE_DATASET, .owner = terms.dataset},
                           .total = terms.total,
                           .question_max = terms.question_max,
                           .terms = terms.delta_terms};
    status = owner_grow(run, &owner, &bound);
    if (status == GW_OK)
        status = askers_grow(run, &terms, bound.micro);
    return status == GW_OK
               ? window_grow(run, BALANCE_WINDOW, terms.dataset, terms.window_days, terms.window_total, bound.micro)
               : status;
}

static gw_status datasets_grow(const restore_run *run) {
    sqlite3_stmt *row = store_use(run->connection, SQL_DATASET_LIST);
    gw_status status;
    while ((status = store_step(row)) == GW_OK) {
        char name[GW_DATASET_MAX];
        status = store_column_text(row, 3, name, sizeof(name)) ? dataset_grow(run, name) : GW_CORRUPT;
        if (status != GW_OK) {
            sqlite3_reset(row);
            return status;
        }
    }
    return status == GW_NOT_FOUND ? GW_OK : status;
}

// Those that some dataset is about: of the others nothing could be asked.
static gw_status populations_grow(const restore_run *run) {
    sqlite3_stmt *row = store_use(run->connection, SQL_POPULATION_ASKED);
    gw_status status;
    while ((status = store_step(row)) == GW_OK) {
        restore_owner owner = {.key = {.kind = BALANCE_POPULATION, .owner = sqlite3_column_int64(row, 0)},
                               .total = store_column_u64(row, 1),
                               .terms = {store_column_u64(row, 2), store_column_u64(row, 3), store_column_u64(row, 4)}};
        uint64_t days = store_column_u64(row, 5), window_total = store_column_u64(row, 6);
        owner.question_max = store_column_u64(row, 8) == 0 ? 0 : store_column_u64(row, 7); // one without: all without
        gw_loss bound;
        status = owner_grow(run, &owner, &bound);
        if (status == GW_OK)
            status = window_grow(run, BALANCE_POPULATION_WINDOW, owner.key.owner, days, window_total, bound.micro);
        if (status != GW_OK) {
            sqlite3_reset(row);
            return status;
        }
    }
    return status == GW_NOT_FOUND ? GW_OK : status;
}

static gw_status restore_write(gw_store *store, const gw_entry *entry) {
    restore_run run = {
        .connection = &store->connection, .seq = entry->seq, .lost = entry->restore.lost, .time = entry->time};
    gw_status status = store_entry_write(store, entry);
    if (status != GW_OK)
        return status;
    sqlite3_stmt *row = store_use(&store->connection, SQL_RESTORE_INSERT);
    store_bind_u64(row, 1, run.seq);
    store_bind_u64(row, 2, run.lost);
    status = store_run(row);
    store->release_lost += run.lost; // a batch that fails takes it back
    if (status == GW_OK)
        status = store_charges_close(&store->connection, 0);
    if (status != GW_OK || run.lost == 0)
        return status;
    // Balances are read and written past the cache: there may be more askers than it has room for.
    status = store_balances_flush(&store->balances, &store->connection);
    store_balances_clear(&store->balances);
    if (status == GW_OK)
        status = datasets_grow(&run);
    return status == GW_OK ? populations_grow(&run) : status;
}

gw_status store_restore_append(gw_store *store, gw_store_op *op, int64_t time) {
    if (op->entry.by.count < RESTORE_SIGNERS)
        return store_refuse(op, GW_INVALID, "bad_signer");
    if (op->entry.restore.from != store->edge.size)
        return store_refuse(op, GW_CONFLICT, "log_differs");
    if (op->entry.restore.lost > INT64_MAX)
        return store_refuse(op, GW_INVALID, "bad_amount");
    gw_status status = store_entry_prepare(store, &op->entry, time);
    if (status == GW_INVALID)
        return store_refuse(op, GW_INVALID, "bad_entry");
    op->seq = op->entry.seq;
    return status == GW_OK ? restore_write(store, &op->entry) : status;
}
