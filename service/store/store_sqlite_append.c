// SPDX-License-Identifier: Apache-2.0
// Entries about people and rules: who may sign what, and how each folds into its table. What is refused here is what a
// verifier would refuse when it reads the log.
#include "service/store/store_sqlite.h"
#include <string.h>

#define SIGNER_ROLES (GW_ROLE_OWNER | GW_ROLE_OPERATOR)

static gw_status roles_of(gw_store *store, const char *principal, bool *ret_is_known, unsigned *ret_roles) {
    sqlite3_stmt *row = store_use(&store->connection, SQL_PRINCIPAL_SELECT);
    store_bind_id(row, 1, principal);
    gw_status status = store_step(row);
    *ret_is_known = status == GW_OK;
    *ret_roles = status == GW_OK ? (unsigned)sqlite3_column_int(row, 0) : 0;
    if (status == GW_OK)
        sqlite3_reset(row);
    return status == GW_NOT_FOUND ? GW_OK : status;
}

// Each signer once, known, and owner or operator; a principal may also sign for keys of its own.
static gw_status signers_check(gw_store *store, gw_store_op *op, bool *ret_is_refused) {
    const gw_signers *by = &op->entry.by;
    *ret_is_refused = by->count == 0 || by->count > GW_SIGNERS_MAX;
    for (size_t i = 0; i < by->count && !*ret_is_refused; i++) {
        bool is_known;
        unsigned roles;
        gw_status status = roles_of(store, by->ids[i], &is_known, &roles);
        if (status != GW_OK)
            return status;
        bool is_own_key =
            op->entry.kind == GW_ENTRY_KEY && roles != 0 && strcmp(by->ids[i], op->entry.key.principal) == 0;
        *ret_is_refused = (roles & SIGNER_ROLES) == 0 && !is_own_key;
        for (size_t k = 0; k < i; k++)
            *ret_is_refused = *ret_is_refused || strcmp(by->ids[i], by->ids[k]) == 0;
    }
    return *ret_is_refused ? store_refuse(op, GW_INVALID, "bad_signer") : GW_OK;
}

// Directly after genesis the first principal signs for itself: there is nobody else yet.
static bool is_bootstrap(const gw_entry *entry, uint64_t seq) {
    return seq == 1 && entry->kind == GW_ENTRY_PRINCIPAL && strcmp(entry->principal.action, "add") == 0 &&
           (entry->principal.roles & SIGNER_ROLES) != 0 && entry->by.count == 1 &&
           strcmp(entry->by.ids[0], entry->principal.principal) == 0;
}

// Appends, when the grammar takes the entry. `*ret_is_written` false: refused.
static gw_status entry_append(gw_store *store, gw_store_op *op, int64_t time, bool *ret_is_written) {
    gw_status status = store_entry_prepare(store, &op->entry, time);
    *ret_is_written = status == GW_OK;
    if (status == GW_INVALID)
        return store_refuse(op, GW_INVALID, "bad_entry");
    if (status == GW_OK)
        status = store_entry_write(store, &op->entry);
    op->seq = op->entry.seq;
    return status;
}

static gw_status append_plain(gw_store *store, gw_store_op *op, int64_t time) {
    bool is_written;
    return entry_append(store, op, time, &is_written);
}

static gw_status append_principal(gw_store *store, gw_store_op *op, int64_t time) {
    const gw_entry *entry = &op->entry;
    bool is_add = strcmp(entry->principal.action, "add") == 0;
    bool is_revoke = strcmp(entry->principal.action, "revoke") == 0;
    bool is_known;
    unsigned roles;
    gw_status status = roles_of(store, entry->principal.principal, &is_known, &roles);
    if (status != GW_OK)
        return status;
    if (is_add && is_known)
        return store_refuse(op, GW_CONFLICT, "principal_exists");
    if (!is_add && !is_known)
        return store_refuse(op, GW_NOT_FOUND, "unknown_principal");
    if (is_revoke != (entry->principal.roles == 0)) // only a revocation leaves no role
        return store_refuse(op, GW_INVALID, "bad_roles");
    bool is_written;
    status = entry_append(store, op, time, &is_written);
    if (status != GW_OK || !is_written)
        return status;
    sqlite3_stmt *row = store_use(&store->connection, is_add ? SQL_PRINCIPAL_INSERT : SQL_PRINCIPAL_UPDATE);
    store_bind_id(row, 1, entry->principal.principal);
    store_bind_u64(row, 2, entry->principal.roles);
    return store_run(row);
}

// A key belongs to one principal for good: neither another nor, once revoked, the same may add it again.
static gw_status key_check(gw_store *store, gw_store_op *op, bool is_add, bool *ret_is_refused) {
    bool is_known;
    unsigned roles;
    gw_status status = roles_of(store, op->entry.key.principal, &is_known, &roles);
    *ret_is_refused = true;
    if (status != GW_OK)
        return status;
    if (!is_known || (is_add && roles == 0))
        return store_refuse(op, GW_NOT_FOUND, "unknown_principal");
    sqlite3_stmt *row = store_use(&store->connection, SQL_KEY_SELECT);
    store_bind_text(row, 1, op->entry.key.key);
    status = store_step(row);
    if (status != GW_OK && status != GW_NOT_FOUND)
        return status;
    bool has_key = status == GW_OK;
    char owner[GW_ID_HEX] = "";
    bool is_owned = has_key && store_column_id(row, 0, owner) && strcmp(owner, op->entry.key.principal) == 0;
    bool is_revoked = has_key && sqlite3_column_int(row, 1) != 0;
    if (has_key)
        sqlite3_reset(row);
    if (is_add && has_key)
        return store_refuse(op, GW_CONFLICT, "key_exists");
    if (!is_add && !is_owned)
        return store_refuse(op, GW_NOT_FOUND, "unknown_key");
    if (!is_add && is_revoked)
        return store_refuse(op, GW_CONFLICT, "key_revoked");
    *ret_is_refused = false;
    return GW_OK;
}

static gw_status append_key(gw_store *store, gw_store_op *op, int64_t time) {
    const gw_entry *entry = &op->entry;
    bool is_add = strcmp(entry->key.action, "add") == 0;
    bool is_refused, is_written;
    gw_status status = key_check(store, op, is_add, &is_refused);
    if (status != GW_OK || is_refused)
        return status;
    status = entry_append(store, op, time, &is_written);
    if (status != GW_OK || !is_written)
        return status;
    sqlite3_stmt *row = store_use(&store->connection, is_add ? SQL_KEY_INSERT : SQL_KEY_REVOKE);
    store_bind_text(row, 1, entry->key.key);
    char id[GW_KEY_ID_HEX];
    if (is_add) {
        gw_public_key key;
        bool is_hex = gw_unhex(entry->key.key, strlen(entry->key.key), key.bytes, sizeof(key.bytes));
        GW_ASSERT(is_hex); // the entry was decoded
        gw_key_id(key, id);
        store_bind_id(row, 2, entry->key.principal);
        store_bind_text(row, 3, entry->key.key_kind);
        store_bind_text(row, 4, id);
        sqlite3_bind_int64(row, 5, entry->key.not_before);
        sqlite3_bind_int64(row, 6, entry->key.not_after);
    }
    return store_run(row);
}

// Balances are 64-bit signed in the tables.
static bool amounts_fit(const uint64_t amounts[], size_t count, uint64_t window_days) {
    for (size_t i = 0; i < count; i++)
        if (amounts[i] > INT64_MAX)
            return false;
    return window_days <= STORE_WINDOW_DAYS_MAX;
}

static bool deltas_fit(uint64_t delta, uint64_t selection_delta) {
    return delta < GW_DELTA_ONE_ATTO && selection_delta < GW_DELTA_ONE_ATTO;
}

static gw_status population_find(gw_store *store, const char *name, int64_t *ret_id) {
    sqlite3_stmt *row = store_use(&store->connection, SQL_POPULATION_SELECT);
    store_bind_text(row, 1, name);
    gw_status status = store_step(row);
    if (status != GW_OK)
        return status;
    *ret_id = sqlite3_column_int64(row, 0);
    sqlite3_reset(row);
    return GW_OK;
}

static gw_status window_refresh(gw_store *store, store_balance_kind kind, int64_t owner, uint64_t days, int64_t time) {
    if (days == 0)
        return GW_OK;
    store_balance_key key = {.kind = kind, .owner = owner, .days = (int64_t)days};
    key.window = time / (key.days * STORE_DAY_SECONDS);
    return store_balance_refresh(&store->balances, &store->connection, &key);
}

static gw_status append_population(gw_store *store, gw_store_op *op, int64_t time) {
    const gw_entry *entry = &op->entry;
    const uint64_t amounts[] = {entry->population.total, entry->population.window_total};
    if (!amounts_fit(amounts, 2, entry->population.window_days) ||
        !deltas_fit(entry->population.delta, entry->population.selection_delta))
        return store_refuse(op, GW_INVALID, "bad_amount");
    bool is_written;
    gw_status status = entry_append(store, op, time, &is_written);
    if (status != GW_OK || !is_written)
        return status;
    sqlite3_stmt *row = store_use(&store->connection, SQL_POPULATION_UPSERT);
    store_bind_text(row, 1, entry->population.population);
    store_bind_u64(row, 2, entry->population.total);
    store_bind_u64(row, 3, entry->population.window_days);
    store_bind_u64(row, 4, entry->population.window_total);
    store_bind_u64(row, 5, entry->population.delta);
    store_bind_u64(row, 6, gw_rho_total((gw_epsilon){entry->population.total}, (gw_delta){entry->population.delta}));
    store_bind_u64(row, 7, entry->population.selection_delta);
    status = store_run(row);
    int64_t id = 0;
    if (status == GW_OK)
        status = population_find(store, entry->population.population, &id);
    if (status != GW_OK)
        return status;
    return window_refresh(store, BALANCE_POPULATION_WINDOW, id, entry->population.window_days, time);
}

typedef struct {
    bool has_policy;
    uint64_t policy, version;
    int64_t population; // the row the new policy names
    int64_t dataset;
} policy_before;

static gw_status policy_check(gw_store *store, gw_store_op *op, policy_before *ret, bool *ret_is_refused) {
    const gw_entry *entry = &op->entry;
    const uint64_t amounts[] = {entry->policy.total,        entry->policy.principal_total, entry->policy.window_total,
                                entry->policy.question_min, entry->policy.question_max,    entry->policy.version};
    *ret_is_refused = true;
    if (!amounts_fit(amounts, sizeof(amounts) / sizeof(amounts[0]), entry->policy.window_days) ||
        !deltas_fit(entry->policy.delta, entry->policy.selection_delta))
        return store_refuse(op, GW_INVALID, "bad_amount");
    bool is_unknown = op->kind == GW_STORE_REPLAY && op->file_bytes.size == 0; // the log has its hash alone
    if (!is_unknown && !gw_hash_equal(gw_sha256(op->file_bytes), entry->policy.file))
        return store_refuse(op, GW_INVALID, "bad_policy_file");
    gw_status status = population_find(store, entry->policy.population, &ret->population);
    if (status == GW_NOT_FOUND)
        return store_refuse(op, GW_NOT_FOUND, "unknown_population");
    if (status != GW_OK)
        return status;
    sqlite3_stmt *row = store_use(&store->connection, SQL_TERMS);
    store_bind_text(row, 1, entry->policy.dataset);
    status = store_step(row);
    if (status != GW_OK && status != GW_NOT_FOUND)
        return status;
    ret->has_policy = status == GW_OK;
    if (ret->has_policy) {
        ret->dataset = sqlite3_column_int64(row, 0);
        bool is_same_population = sqlite3_column_int64(row, 1) == ret->population;
        ret->policy = store_column_u64(row, 2);
        ret->version = store_column_u64(row, 14);
        sqlite3_reset(row);
        if (!is_same_population) // would leave behind what was spent of these people
            return store_refuse(op, GW_CONFLICT, "population_changed");
    }
    if (entry->policy.supersedes != (ret->has_policy ? ret->policy : GW_NO_SEQ))
        return store_refuse(op, GW_CONFLICT, "policy_superseded");
    if (ret->has_policy && entry->policy.version <= ret->version)
        return store_refuse(op, GW_CONFLICT, "policy_version");
    *ret_is_refused = false;
    return GW_OK;
}

static gw_status policy_insert(gw_store *store, const gw_store_op *op) {
    const gw_entry *entry = &op->entry;
    sqlite3_stmt *row = store_use(&store->connection, SQL_POLICY_INSERT);
    store_bind_u64(row, 1, entry->seq);
    store_bind_text(row, 2, entry->policy.dataset);
    store_bind_u64(row, 3, entry->policy.version);
    store_bind_hash(row, 4, &entry->policy.file);
    store_bind_bytes(row, 5, op->file_bytes);
    store_bind_u64(row, 6, entry->policy.total);
    store_bind_u64(row, 7, entry->policy.principal_total);
    store_bind_u64(row, 8, entry->policy.window_days);
    store_bind_u64(row, 9, entry->policy.window_total);
    store_bind_u64(row, 10, entry->policy.question_min);
    store_bind_u64(row, 11, entry->policy.question_max);
    store_bind_u64(row, 12, entry->policy.delta);
    store_bind_u64(row, 13, gw_rho_total((gw_epsilon){entry->policy.total}, (gw_delta){entry->policy.delta}));
    store_bind_u64(row, 14, entry->policy.selection_delta);
    return store_run(row);
}

static gw_status append_policy(gw_store *store, gw_store_op *op, int64_t time) {
    policy_before before = {0};
    bool is_refused, is_written;
    gw_status status = policy_check(store, op, &before, &is_refused);
    if (status != GW_OK || is_refused)
        return status;
    status = entry_append(store, op, time, &is_written);
    if (status != GW_OK || !is_written)
        return status;
    status = policy_insert(store, op);
    if (status != GW_OK)
        return status;
    sqlite3_stmt *row = store_use(&store->connection, before.has_policy ? SQL_DATASET_POLICY : SQL_DATASET_INSERT);
    store_bind_text(row, 1, op->entry.policy.dataset);
    if (before.has_policy) {
        store_bind_u64(row, 2, op->entry.seq);
    } else {
        sqlite3_bind_int64(row, 2, before.population);
        store_bind_u64(row, 3, op->entry.seq);
    }
    status = store_run(row);
    if (status != GW_OK || !before.has_policy)
        return status;
    return window_refresh(store, BALANCE_WINDOW, before.dataset, op->entry.policy.window_days, time);
}

static gw_status append_data(gw_store *store, gw_store_op *op, int64_t time) {
    const gw_entry *entry = &op->entry;
    store_terms terms;
    gw_status status = store_terms_read(&store->connection, entry->data.dataset, &terms);
    if (status == GW_NOT_FOUND)
        return store_refuse(op, GW_NOT_FOUND, "unknown_dataset");
    if (status != GW_OK)
        return status;
    sqlite3_stmt *row = store_use(&store->connection, SQL_DATA_SELECT);
    store_bind_id(row, 1, entry->data.version);
    status = store_step(row);
    if (status == GW_OK) {
        sqlite3_reset(row);
        return store_refuse(op, GW_CONFLICT, "data_exists");
    }
    bool is_written;
    status = status == GW_NOT_FOUND ? entry_append(store, op, time, &is_written) : status;
    if (status != GW_OK || op->result != GW_OK)
        return status;
    row = store_use(&store->connection, SQL_DATA_INSERT);
    store_bind_u64(row, 1, entry->seq);
    store_bind_id(row, 2, entry->data.version);
    sqlite3_bind_int64(row, 3, time);
    status = store_run(row);
    if (status != GW_OK)
        return status;
    row = store_use(&store->connection, SQL_DATASET_DATA);
    store_bind_text(row, 1, entry->data.dataset);
    store_bind_u64(row, 2, entry->seq);
    return store_run(row);
}

static gw_status append_witnesses(gw_store *store, gw_store_op *op, int64_t time) {
    bool is_written;
    gw_status status = entry_append(store, op, time, &is_written);
    if (status != GW_OK || !is_written)
        return status;
    sqlite3_stmt *row = store_use(&store->connection, SQL_WITNESSES_INSERT);
    store_bind_u64(row, 1, op->entry.seq);
    store_bind_hash(row, 2, &op->entry.witnesses.file);
    return store_run(row);
}

// Counts of a time that is over: where the clock went back since, they wait.
static gw_status append_refusals(gw_store *store, gw_store_op *op, int64_t time) {
    bool is_known;
    unsigned roles;
    gw_status status = roles_of(store, op->entry.refusals.principal, &is_known, &roles);
    if (status != GW_OK)
        return status;
    if (!is_known)
        return store_refuse(op, GW_NOT_FOUND, "unknown_principal");
    if (op->entry.refusals.from > op->entry.refusals.to || op->entry.refusals.to > time)
        return store_refuse(op, GW_INVALID, "bad_time");
    return append_plain(store, op, time);
}

// What an owner says of a release: not to be shown to others before a time, which a later embargo may move either way;
// or not to anybody, for good.
static gw_status append_release_state(gw_store *store, gw_store_op *op, int64_t time) {
    bool is_embargo = op->entry.kind == GW_ENTRY_EMBARGO, is_written;
    sqlite3_stmt *row = store_use(&store->connection, SQL_RELEASE_STATE);
    store_bind_text(row, 1, is_embargo ? op->entry.embargo.release : op->entry.withdraw.release);
    gw_status status = store_step(row);
    if (status == GW_NOT_FOUND)
        return store_refuse(op, GW_NOT_FOUND, "unknown_release");
    if (status != GW_OK)
        return status;
    uint64_t charge = store_column_u64(row, 0);
    int64_t embargo = sqlite3_column_int64(row, 1); // NULL reads as 0
    bool is_withdrawn = sqlite3_column_int(row, 2) != 0;
    sqlite3_reset(row);
    if (is_withdrawn)
        return store_refuse(op, GW_CONFLICT, "release_withdrawn");
    status = entry_append(store, op, time, &is_written);
    if (status != GW_OK || !is_written)
        return status;
    row = store_use(&store->connection, SQL_RELEASE_STATE_UPSERT);
    store_bind_u64(row, 1, charge);
    sqlite3_bind_int64(row, 2, is_embargo ? op->entry.embargo.until : embargo);
    sqlite3_bind_int(row, 3, !is_embargo);
    return store_run(row);
}

gw_status store_append(gw_store *store, gw_store_op *op, int64_t time) {
    bool is_refused = false;
    gw_status status = GW_OK;
    // A batch's earlier entries count: they are in the tables already.
    if (gw_entry_has_signers(op->entry.kind) && !is_bootstrap(&op->entry, store->edge.size))
        status = signers_check(store, op, &is_refused);
    if (status != GW_OK || is_refused)
        return status;
    switch (op->entry.kind) {
    case GW_ENTRY_PRINCIPAL:
        return append_principal(store, op, time);
    case GW_ENTRY_KEY:
        return append_key(store, op, time);
    case GW_ENTRY_POPULATION:
        return append_population(store, op, time);
    case GW_ENTRY_POLICY:
        return append_policy(store, op, time);
    case GW_ENTRY_DATA:
        return append_data(store, op, time);
    case GW_ENTRY_REFUSALS:
        return append_refusals(store, op, time);
    case GW_ENTRY_INCIDENT:
    case GW_ENTRY_CLOCK:
        return append_plain(store, op, time);
    case GW_ENTRY_WITNESSES:
        return append_witnesses(store, op, time);
    case GW_ENTRY_RESTORE:
        return store_restore_append(store, op, time);
    case GW_ENTRY_EMBARGO:
    case GW_ENTRY_WITHDRAW:
        return append_release_state(store, op, time);
    case GW_ENTRY_KEYROT:
        return store_keyrot_append(store, op, time);
    case GW_ENTRY_GENESIS:
    case GW_ENTRY_CHARGE:
    case GW_ENTRY_RELEASE:
    case GW_ENTRY_ABANDON:
        break; // these come about in other ways
    }
    return store_refuse(op, GW_INVALID, "bad_kind");
}
