// SPDX-License-Identifier: Apache-2.0
// Rows as they stand, table by table: what the start-up check holds against the log. Nothing is taken from an entry
// here, and a row that refers to nothing is told too: other readers would pass it over.
#include "service/store/store_sqlite.h"
#include <string.h>

// ---- charges

void gw_store_charge_rows_begin(gw_store_reader *reader) {
    (void)store_use(&reader->connection, SQL_ROWS_CHARGE); // as good as new
}

gw_status gw_store_charge_rows_next(gw_store_reader *reader, gw_store_charge_row *ret) {
    sqlite3_stmt *row = reader->connection.statements[SQL_ROWS_CHARGE];
    gw_status status = store_step(row);
    if (status != GW_OK)
        return status;
    ret->seq = store_column_u64(row, 0);
    ret->time = sqlite3_column_int64(row, 1);
    ret->cost = store_column_u64(row, 6);
    ret->state = (gw_charge_state)sqlite3_column_int(row, 7);
    ret->attempts = (unsigned)sqlite3_column_int(row, 8);
    ret->is_whole = store_column_id(row, 2, ret->principal) && store_column_id(row, 3, ret->idem) &&
                    store_column_text(row, 4, ret->dataset, sizeof(ret->dataset)) &&
                    store_column_hash(row, 5, &ret->question) &&
                    store_column_text(row, 9, ret->release, sizeof(ret->release));
    ret->release_seq = GW_NO_SEQ;
    if (sqlite3_column_type(row, 10) != SQLITE_NULL) {
        ret->release_seq = store_column_u64(row, 10);
        ret->visible = sqlite3_column_int64(row, 12);
        ret->is_whole = store_column_hash(row, 11, &ret->release_question) && ret->is_whole;
    }
    return GW_OK;
}

// ---- tables that repeat entries

static bool principal_read(sqlite3_stmt *row, gw_store_entry_row *ret) {
    ret->entry.principal.roles = (unsigned)sqlite3_column_int(row, 1);
    return store_column_id(row, 0, ret->entry.principal.principal);
}

static bool key_read(sqlite3_stmt *row, gw_store_entry_row *ret) {
    gw_public_key key;
    char id[GW_KEY_ID_HEX], id_kept[GW_KEY_ID_HEX];
    ret->entry.key.not_before = sqlite3_column_int64(row, 4);
    ret->entry.key.not_after = sqlite3_column_int64(row, 5);
    ret->is_revoked = sqlite3_column_int(row, 6) != 0;
    if (!store_column_text(row, 0, ret->entry.key.key, sizeof(ret->entry.key.key)) ||
        !store_column_id(row, 1, ret->entry.key.principal) ||
        !store_column_text(row, 2, ret->entry.key.key_kind, sizeof(ret->entry.key.key_kind)) ||
        !store_column_text(row, 3, id_kept, sizeof(id_kept)) ||
        !gw_unhex(ret->entry.key.key, strlen(ret->entry.key.key), key.bytes, sizeof(key.bytes)))
        return false;
    gw_key_id(key, id);
    return strcmp(id, id_kept) == 0; // by which it is looked up
}

static bool rho_is_of(sqlite3_stmt *row, int at, uint64_t total, uint64_t delta) {
    return delta < GW_DELTA_ONE_ATTO &&
           store_column_u64(row, at) == gw_rho_total((gw_epsilon){total}, (gw_delta){delta});
}

static bool population_read(sqlite3_stmt *row, gw_store_entry_row *ret) {
    gw_entry *entry = &ret->entry;
    entry->population.total = store_column_u64(row, 1);
    entry->population.window_days = store_column_u64(row, 2);
    entry->population.window_total = store_column_u64(row, 3);
    entry->population.delta = store_column_u64(row, 4);
    entry->population.selection_delta = store_column_u64(row, 6);
    return store_column_text(row, 0, entry->population.population, sizeof(entry->population.population)) &&
           rho_is_of(row, 5, entry->population.total, entry->population.delta);
}

static bool policy_read(sqlite3_stmt *row, gw_store_entry_row *ret) {
    gw_entry *entry = &ret->entry;
    entry->policy.version = store_column_u64(row, 2);
    entry->policy.total = store_column_u64(row, 5);
    entry->policy.principal_total = store_column_u64(row, 6);
    entry->policy.window_days = store_column_u64(row, 7);
    entry->policy.window_total = store_column_u64(row, 8);
    entry->policy.question_min = store_column_u64(row, 9);
    entry->policy.question_max = store_column_u64(row, 10);
    entry->policy.delta = store_column_u64(row, 11);
    entry->policy.selection_delta = store_column_u64(row, 13);
    if (!store_column_text(row, 1, entry->policy.dataset, sizeof(entry->policy.dataset)) ||
        !store_column_hash(row, 3, &entry->policy.file) ||
        !rho_is_of(row, 12, entry->policy.total, entry->policy.delta))
        return false;
    gw_bytes text = store_column_bytes(row, 4);
    return text.size == 0 || gw_hash_equal(gw_sha256(text), entry->policy.file); // of a replayed log there is none
}

static bool data_read(sqlite3_stmt *row, gw_store_entry_row *ret) {
    ret->entry.time = sqlite3_column_int64(row, 2);
    return store_column_id(row, 1, ret->entry.data.version);
}

static bool witnesses_read(sqlite3_stmt *row, gw_store_entry_row *ret) {
    return store_column_hash(row, 1, &ret->entry.witnesses.file);
}

static bool keyrot_read(sqlite3_stmt *row, gw_store_entry_row *ret) {
    return store_column_text(row, 1, ret->entry.keyrot.new_key, sizeof(ret->entry.keyrot.new_key));
}

static bool restore_read(sqlite3_stmt *row, gw_store_entry_row *ret) {
    ret->entry.restore.lost = store_column_u64(row, 1);
    return true;
}

typedef struct {
    gw_entry_kind kind;
    store_sql sql;
    bool has_seq; // its first column
    bool (*read)(sqlite3_stmt *row, gw_store_entry_row *ret);
} entry_table;

static const entry_table entry_tables[] = {
    {GW_ENTRY_PRINCIPAL, SQL_ROWS_PRINCIPAL, false, principal_read},
    {GW_ENTRY_KEY, SQL_ROWS_KEY, false, key_read},
    {GW_ENTRY_POPULATION, SQL_ROWS_POPULATION, false, population_read},
    {GW_ENTRY_POLICY, SQL_ROWS_POLICY, true, policy_read},
    {GW_ENTRY_DATA, SQL_ROWS_DATA, true, data_read},
    {GW_ENTRY_WITNESSES, SQL_ROWS_WITNESSES, true, witnesses_read},
    {GW_ENTRY_KEYROT, SQL_ROWS_KEYROT, true, keyrot_read},
    {GW_ENTRY_RESTORE, SQL_ROWS_RESTORE, true, restore_read},
};

static const entry_table *entry_table_of(gw_entry_kind kind) {
    for (size_t i = 0; i < sizeof(entry_tables) / sizeof(entry_tables[0]); i++)
        if (entry_tables[i].kind == kind)
            return &entry_tables[i];
    return NULL;
}

// The end of a walk over rows.
static gw_status rows_end(sqlite3_stmt *row, gw_status status) {
    sqlite3_reset(row);
    return status == GW_NOT_FOUND ? GW_OK : status;
}

gw_status gw_store_entry_rows(gw_store_reader *reader, gw_entry_kind kind, gw_store_entry_row_each each, void *state) {
    const entry_table *table = entry_table_of(kind);
    if (table == NULL)
        return GW_INVALID;
    sqlite3_stmt *row = store_use(&reader->connection, table->sql);
    gw_status status;
    while ((status = store_step(row)) == GW_OK) {
        gw_store_entry_row told = {.entry = {.kind = kind, .seq = GW_NO_SEQ}};
        if (table->has_seq)
            told.entry.seq = store_column_u64(row, 0);
        told.is_whole = table->read(row, &told);
        status = each(state, &told);
        if (status != GW_OK)
            return rows_end(row, status == GW_NOT_FOUND ? GW_INTERNAL : status);
    }
    return rows_end(row, status);
}

// ---- the others

gw_status gw_store_dataset_rows(gw_store_reader *reader, gw_store_dataset_row_each each, void *state) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_ROWS_DATASET);
    gw_status status;
    while ((status = store_step(row)) == GW_OK) {
        gw_store_dataset_row told = {.policy = store_column_u64(row, 2)};
        bool has_data = sqlite3_column_type(row, 5) != SQLITE_NULL;
        told.is_whole = store_column_text(row, 0, told.dataset, sizeof(told.dataset)) &&
                        store_column_text(row, 1, told.population, sizeof(told.population)) &&
                        (!has_data || store_column_id(row, 3, told.data));
        status = each(state, &told);
        if (status != GW_OK)
            return rows_end(row, status);
    }
    return rows_end(row, status);
}

static bool budget_read(sqlite3_stmt *row, gw_store_budget_row *ret) {
    static const char nobody[GW_ID_HEX] = "00000000000000000000000000000000";
    static const gw_budget_kind kinds[] = {[BALANCE_DATASET] = GW_BUDGET_DATASET,
                                           [BALANCE_POPULATION] = GW_BUDGET_POPULATION,
                                           [BALANCE_PRINCIPAL] = GW_BUDGET_PRINCIPAL,
                                           [BALANCE_WINDOW] = GW_BUDGET_WINDOW,
                                           [BALANCE_POPULATION_WINDOW] = GW_BUDGET_WINDOW};
    int kind = sqlite3_column_int(row, 0);
    if (kind < BALANCE_DATASET || kind > BALANCE_POPULATION_WINDOW ||
        !store_column_text(row, 1, ret->owner, sizeof(ret->owner)) || !store_column_id(row, 2, ret->principal))
        return false;
    ret->kind = kinds[kind];
    ret->is_population = kind == BALANCE_POPULATION || kind == BALANCE_POPULATION_WINDOW;
    ret->days = store_column_u64(row, 3);
    ret->window = store_column_u64(row, 4);
    ret->micro = store_column_u64(row, 5);
    ret->rho = store_column_u64(row, 6);
    ret->selection = store_column_u64(row, 7);
    bool has_window = ret->kind == GW_BUDGET_WINDOW, has_principal = ret->kind == GW_BUDGET_PRINCIPAL;
    return has_window == (ret->days != 0) && (has_window || ret->window == 0) &&
           (has_principal || strcmp(ret->principal, nobody) == 0);
}

gw_status gw_store_budget_rows(gw_store_reader *reader, gw_store_budget_row_each each, void *state) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_ROWS_BUDGET);
    gw_status status;
    while ((status = store_step(row)) == GW_OK) {
        gw_store_budget_row told = {.kind = GW_BUDGET_NONE};
        told.is_whole = budget_read(row, &told);
        status = each(state, &told);
        if (status != GW_OK)
            return rows_end(row, status);
    }
    return rows_end(row, status);
}

gw_status gw_store_growth_rows(gw_store_reader *reader, gw_store_growth_row_each each, void *state) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_ROWS_GROWTH);
    gw_status status;
    while ((status = store_step(row)) == GW_OK) {
        gw_store_growth_row told = {.restore = store_column_u64(row, 0),
                                    .is_population = sqlite3_column_int(row, 1) == BALANCE_POPULATION,
                                    .micro = store_column_u64(row, 3)};
        if (!store_column_text(row, 2, told.owner, sizeof(told.owner)))
            told.owner[0] = '\0';
        status = each(state, &told);
        if (status != GW_OK)
            return rows_end(row, status);
    }
    return rows_end(row, status);
}

gw_status gw_store_release_state_rows(gw_store_reader *reader, gw_store_release_state_row_each each, void *state) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_ROWS_RELEASE_STATE);
    gw_status status;
    while ((status = store_step(row)) == GW_OK) {
        gw_store_release_state_row told = {.embargo = sqlite3_column_int64(row, 1),
                                           .is_withdrawn = sqlite3_column_int(row, 2) != 0};
        if (!store_column_text(row, 0, told.release, sizeof(told.release)))
            told.release[0] = '\0';
        status = each(state, &told);
        if (status != GW_OK)
            return rows_end(row, status);
    }
    return rows_end(row, status);
}
