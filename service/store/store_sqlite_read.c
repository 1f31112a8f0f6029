// SPDX-License-Identifier: Apache-2.0
// Readers: read-only connections that never wait for the writer's fsync. A charge's facts are read from its log entry,
// the one place where they stand whole.
#include "service/store/store_sqlite.h"
#include "service/base/cleanup.h"
#include <string.h>

gw_status gw_store_reader_open(const char *path, gw_store_reader **ret, gw_problem *ret_problem) {
    gw_store_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    gw_status status = store_connection_open(&reader->connection, path, SQLITE_OPEN_READONLY, ret_problem);
    if (status == GW_OK &&
        sqlite3_exec(reader->connection.db,
                     "PRAGMA query_only=ON; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
                     "SELECT seq FROM entry LIMIT 1",
                     NULL, NULL, NULL) != SQLITE_OK)
        status = store_problem(ret_problem, GW_IO, "store_open", "The ledger's database cannot be read.",
                               reader->connection.db);
    int version = 0;
    if (status == GW_OK)
        status = store_version_read(reader->connection.db, &version, ret_problem);
    if (status == GW_OK && version != STORE_SCHEMA_VERSION)
        status = gw_problem_set(
            ret_problem, GW_UNAVAILABLE, "store_older", "The ledger was written by an older version of Godwit.",
            "It is brought to this version when the service starts; a copy is kept.", "godwitd serve");
    if (status != GW_OK) {
        gw_store_reader_close(reader);
        return status;
    }
    *ret = reader;
    return GW_OK;
}

void gw_store_reader_begin(gw_store_reader *reader) {
    if (reader->is_in_view)
        return;
    reader->is_in_view = store_run(store_use(&reader->connection, SQL_READ_BEGIN)) == GW_OK;
}

void gw_store_reader_end(gw_store_reader *reader) {
    if (!reader->is_in_view)
        return;
    gw_ignore(store_run(store_use(&reader->connection, SQL_COMMIT))); // it wrote nothing: nothing can be lost
    reader->is_in_view = false;
}

void gw_store_reader_close(gw_store_reader *reader) {
    if (reader == NULL)
        return;
    store_connection_close(&reader->connection);
    free(reader);
}

gw_status gw_store_last(gw_store_reader *reader, uint64_t *ret_size, int64_t *ret_time) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_ENTRY_LAST);
    gw_status status = store_step(row);
    if (status != GW_OK)
        return status == GW_NOT_FOUND ? GW_CORRUPT : status;
    *ret_size = store_column_u64(row, 0) + 1;
    *ret_time = sqlite3_column_int64(row, 1);
    sqlite3_reset(row);
    return GW_OK;
}

static gw_status entry_decode(gw_store_reader *reader, uint64_t seq, gw_entry *ret) {
    if (seq > INT64_MAX)
        return GW_NOT_FOUND;
    sqlite3_stmt *row = store_use(&reader->connection, SQL_ENTRY_SELECT);
    store_bind_u64(row, 1, seq);
    gw_status status = store_step(row);
    if (status != GW_OK)
        return status;
    status = gw_entry_decode(store_column_bytes(row, 0), ret, NULL);
    sqlite3_reset(row);
    return status;
}

gw_status gw_store_origin(gw_store_reader *reader, char ret_origin[128], char ret_log_key[256]) {
    gw_entry entry;
    gw_status status = entry_decode(reader, 0, &entry);
    if (status != GW_OK)
        return status;
    if (entry.kind != GW_ENTRY_GENESIS)
        return GW_CORRUPT;
    memcpy(ret_origin, entry.genesis.origin, sizeof(entry.genesis.origin));
    memcpy(ret_log_key, entry.genesis.log_key, sizeof(entry.genesis.log_key));
    return GW_OK;
}

gw_status store_log_key(store_connection *connection, char ret_log_key[256], uint64_t *ret_seq, bool *ret_is_kept) {
    sqlite3_stmt *row = store_use(connection, SQL_KEYROT_LAST);
    gw_status status = store_step(row);
    if (status == GW_OK) {
        *ret_seq = store_column_u64(row, 0);
        *ret_is_kept = sqlite3_column_int(row, 2) == 0;
        status = store_column_text(row, 1, ret_log_key, 256) ? GW_OK : GW_CORRUPT;
        sqlite3_reset(row);
        return status;
    }
    if (status != GW_NOT_FOUND)
        return status;
    row = store_use(connection, SQL_ENTRY_SELECT);
    store_bind_u64(row, 1, 0);
    status = store_step(row);
    gw_entry entry;
    if (status == GW_OK)
        status = gw_entry_decode(store_column_bytes(row, 0), &entry, NULL) == GW_OK && entry.kind == GW_ENTRY_GENESIS
                     ? GW_OK
                     : GW_CORRUPT;
    sqlite3_reset(row);
    if (status != GW_OK)
        return status == GW_NOT_FOUND ? GW_CORRUPT : status;
    memcpy(ret_log_key, entry.genesis.log_key, sizeof(entry.genesis.log_key));
    *ret_seq = 0;
    *ret_is_kept = true;
    return GW_OK;
}

gw_status gw_store_log_key(gw_store_reader *reader, char ret_log_key[256], uint64_t *ret_seq, bool *ret_is_kept) {
    return store_log_key(&reader->connection, ret_log_key, ret_seq, ret_is_kept);
}

gw_status gw_store_log_keys(gw_store_reader *reader, gw_store_log_key_each each, void *state) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_KEYROT_KEYS);
    gw_status status;
    while ((status = store_step(row)) == GW_OK) {
        char vkey[256];
        status = store_column_text(row, 0, vkey, sizeof(vkey)) ? each(state, vkey) : GW_CORRUPT;
        if (status != GW_OK)
            break;
    }
    sqlite3_reset(row);
    return status == GW_NOT_FOUND ? GW_OK : status;
}

gw_status gw_store_keyrots(gw_store_reader *reader, gw_store_keyrot_each each, void *state) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_KEYROT_NOTES);
    gw_status status;
    while ((status = store_step(row)) == GW_OK) {
        status = each(state, store_column_u64(row, 0), store_column_bytes(row, 1));
        if (status != GW_OK)
            break;
    }
    sqlite3_reset(row);
    return status == GW_NOT_FOUND ? GW_OK : status;
}

gw_status gw_store_witnesses(gw_store_reader *reader, gw_hash *ret_file) {
    gw_entry entry;
    sqlite3_stmt *row = store_use(&reader->connection, SQL_WITNESSES_LAST);
    gw_status status = store_step(row);
    if (status == GW_OK) {
        status = store_column_hash(row, 0, ret_file) ? GW_OK : GW_CORRUPT;
        sqlite3_reset(row);
        return status;
    }
    if (status == GW_NOT_FOUND)
        status = entry_decode(reader, 0, &entry);
    if (status == GW_OK)
        *ret_file = entry.genesis.witnesses;
    return status;
}

gw_status gw_store_is_lost(gw_store_reader *reader, uint64_t size, bool *ret) {
    *ret = false;
    if (size > INT64_MAX)
        return GW_OK;
    sqlite3_stmt *row = store_use(&reader->connection, SQL_RESTORE_LOST);
    store_bind_u64(row, 1, size);
    gw_status status = store_step(row);
    if (status == GW_OK)
        sqlite3_reset(row);
    *ret = status == GW_OK;
    return status == GW_NOT_FOUND ? GW_OK : status;
}

// ---- charges

// The row of a CHARGE_COLUMNS statement that stands on a result; resets it.
static bool charge_read(sqlite3_stmt *row, gw_store_charge *ret) {
    gw_entry entry;
    gw_store_charge charge = {
        .state = (gw_charge_state)sqlite3_column_int(row, 0),
        .attempts = (unsigned)sqlite3_column_int(row, 1),
        .release_seq = sqlite3_column_type(row, 4) == SQLITE_NULL ? GW_NO_SEQ : store_column_u64(row, 4),
        .embargo = sqlite3_column_int64(row, 6), // NULL reads as 0
        .is_withdrawn = sqlite3_column_int(row, 7) != 0,
    };
    bool is_whole = store_column_hash(row, 2, &charge.salt) &&
                    store_column_text(row, 3, charge.release, sizeof(charge.release)) &&
                    gw_entry_decode(store_column_bytes(row, 5), &entry, NULL) == GW_OK && entry.kind == GW_ENTRY_CHARGE;
    sqlite3_reset(row);
    if (!is_whole)
        return false;
    charge.seq = entry.seq;
    charge.time = entry.time;
    charge.request = entry.charge.request;
    charge.question = entry.charge.question;
    charge.policy = entry.charge.policy;
    charge.cost = entry.charge.cost;
    memcpy(charge.dataset, entry.charge.dataset, sizeof(charge.dataset));
    memcpy(charge.data, entry.charge.data, sizeof(charge.data));
    memcpy(charge.principal, entry.charge.principal, sizeof(charge.principal));
    memcpy(charge.idem, entry.charge.idem, sizeof(charge.idem));
    *ret = charge;
    return true;
}

static gw_status charge_step(sqlite3_stmt *row, gw_store_charge *ret) {
    gw_status status = store_step(row);
    if (status != GW_OK)
        return status;
    return charge_read(row, ret) ? GW_OK : GW_CORRUPT;
}

gw_status gw_store_charge_by_idem(gw_store_reader *reader, const char *principal, const char *idem,
                                  gw_store_charge *ret) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_CHARGE_BY_IDEM);
    store_bind_id(row, 1, principal);
    store_bind_id(row, 2, idem);
    return charge_step(row, ret);
}

gw_status gw_store_charge_by_seq(gw_store_reader *reader, uint64_t seq, gw_store_charge *ret) {
    if (seq > INT64_MAX)
        return GW_NOT_FOUND;
    sqlite3_stmt *row = store_use(&reader->connection, SQL_CHARGE_BY_SEQ);
    store_bind_u64(row, 1, seq);
    return charge_step(row, ret);
}

gw_status gw_store_charge_by_question(gw_store_reader *reader, gw_hash question, const char *principal, int64_t now,
                                      gw_store_charge *ret) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_CHARGE_BY_QUESTION);
    store_bind_hash(row, 1, &question);
    sqlite3_bind_int64(row, 2, now);
    if (principal != NULL)
        store_bind_id(row, 3, principal);
    else
        sqlite3_bind_null(row, 3); // nobody's: no row has NULL
    return charge_step(row, ret);
}

// Appends a column's bytes; the buffer's maximum is its own affair.
static gw_status bytes_step(sqlite3_stmt *row, gw_buffer *ret) {
    gw_status status = store_step(row);
    if (status != GW_OK)
        return status;
    gw_bytes bytes = store_column_bytes(row, 0);
    gw_buffer_append(ret, bytes.data, bytes.size);
    sqlite3_reset(row);
    return ret->status;
}

// Is this what was sealed?
static bool answer_is_of(gw_bytes answer, gw_bytes bytes) {
    gw_entry entry;
    return gw_entry_decode(bytes, &entry, NULL) == GW_OK && entry.kind == GW_ENTRY_RELEASE &&
           gw_hash_equal(gw_sha256(answer), entry.release.answer);
}

gw_status gw_store_answer(gw_store_reader *reader, uint64_t charge_seq, gw_buffer *ret_answer) {
    if (charge_seq > INT64_MAX)
        return GW_NOT_FOUND;
    sqlite3_stmt *row = store_use(&reader->connection, SQL_RELEASE_ANSWER);
    store_bind_u64(row, 1, charge_seq);
    gw_status status = store_step(row);
    if (status != GW_OK)
        return status;
    gw_bytes answer = store_column_bytes(row, 0);
    if (answer.size == 0) // sealed ones are never empty
        status = GW_UNAVAILABLE;
    else if (!answer_is_of(answer, store_column_bytes(row, 1)))
        status = GW_CORRUPT;
    else
        gw_buffer_append(ret_answer, answer.data, answer.size);
    sqlite3_reset(row);
    return status == GW_OK ? ret_answer->status : status;
}

// ---- who

gw_status gw_store_principal_find(gw_store_reader *reader, const char *principal, gw_store_principal *ret) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_PRINCIPAL_SELECT);
    store_bind_id(row, 1, principal);
    gw_status status = store_step(row);
    if (status != GW_OK)
        return status;
    ret->roles = (unsigned)sqlite3_column_int(row, 0);
    sqlite3_reset(row);
    return GW_OK;
}

gw_status gw_store_keys_find(gw_store_reader *reader, const char *principal, const char *key_id, gw_store_key *ret,
                             size_t max, size_t *ret_count) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_KEY_FIND);
    store_bind_id(row, 1, principal);
    store_bind_text(row, 2, key_id);
    size_t count = 0;
    gw_status status;
    while ((status = store_step(row)) == GW_OK) {
        gw_store_key key = {
            .not_before = sqlite3_column_int64(row, 1),
            .not_after = sqlite3_column_int64(row, 2),
            .is_revoked = sqlite3_column_int(row, 3) != 0,
        };
        char hex[GW_HASH_HEX];
        if (!store_column_text(row, 0, hex, sizeof(hex)) ||
            !gw_unhex(hex, strlen(hex), key.key.bytes, sizeof(key.key.bytes))) {
            sqlite3_reset(row);
            return GW_CORRUPT;
        }
        memcpy(key.principal, principal, sizeof(key.principal));
        if (count < max)
            ret[count++] = key;
    }
    *ret_count = count;
    return status != GW_NOT_FOUND ? status : count == 0 ? GW_NOT_FOUND : GW_OK;
}

gw_status gw_store_principals(gw_store_reader *reader, gw_store_principal_each each, void *state) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_PRINCIPAL_LIST);
    gw_status status;
    while ((status = store_step(row)) == GW_OK) {
        char id[GW_ID_HEX];
        if (!store_column_id(row, 0, id)) {
            sqlite3_reset(row);
            return GW_CORRUPT;
        }
        each(state, id, (unsigned)sqlite3_column_int(row, 1), (size_t)sqlite3_column_int64(row, 2));
    }
    return status == GW_NOT_FOUND ? GW_OK : status;
}

// ---- what is in force

static bool policy_read(sqlite3_stmt *row, gw_store_policy *ret) {
    ret->seq = store_column_u64(row, 0);
    ret->version = store_column_u64(row, 1);
    return store_column_hash(row, 2, &ret->file) && store_column_text(row, 3, ret->dataset, sizeof(ret->dataset)) &&
           store_column_text(row, 4, ret->population, sizeof(ret->population));
}

gw_status gw_store_policy_current(gw_store_reader *reader, const char *dataset, gw_store_policy *ret,
                                  gw_buffer *ret_text) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_POLICY_CURRENT);
    store_bind_text(row, 1, dataset);
    gw_status status = store_step(row);
    if (status != GW_OK)
        return status;
    gw_store_policy policy;
    bool is_whole = policy_read(row, &policy);
    if (is_whole && ret_text != NULL) {
        gw_bytes text = store_column_bytes(row, 5);
        gw_buffer_append(ret_text, text.data, text.size);
        status = ret_text->status;
    }
    sqlite3_reset(row);
    if (is_whole)
        *ret = policy;
    return is_whole ? status : GW_CORRUPT;
}

gw_status gw_store_policies(gw_store_reader *reader, gw_store_policy_each each, void *state) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_POLICY_TEXTS);
    gw_status status;
    while ((status = store_step(row)) == GW_OK) {
        gw_hash file;
        status = store_column_hash(row, 0, &file)
                     ? each(state, file, sqlite3_column_int(row, 2) != 0, store_column_bytes(row, 1))
                     : GW_CORRUPT;
        if (status != GW_OK) {
            sqlite3_reset(row);
            return status;
        }
    }
    return status == GW_NOT_FOUND ? GW_OK : status;
}

gw_status gw_store_population_deltas(gw_store_reader *reader, const char *population, uint64_t *ret_delta,
                                     uint64_t *ret_selection) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_POPULATION_SELECT);
    store_bind_text(row, 1, population);
    gw_status status = store_step(row);
    if (status != GW_OK)
        return status;
    *ret_delta = store_column_u64(row, 1);
    *ret_selection = store_column_u64(row, 2);
    sqlite3_reset(row);
    return GW_OK;
}

gw_status gw_store_data_current(gw_store_reader *reader, const char *dataset, gw_store_data *ret) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_DATA_CURRENT);
    store_bind_text(row, 1, dataset);
    gw_status status = store_step(row);
    if (status != GW_OK)
        return status;
    gw_store_data data = {.seq = store_column_u64(row, 0), .time = sqlite3_column_int64(row, 2)};
    bool is_whole = store_column_id(row, 1, data.version);
    sqlite3_reset(row);
    if (is_whole)
        *ret = data;
    return is_whole ? GW_OK : GW_CORRUPT;
}

gw_status gw_store_datasets(gw_store_reader *reader, gw_store_dataset_each each, void *state) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_DATASET_LIST);
    gw_status status;
    while ((status = store_step(row)) == GW_OK) {
        gw_store_policy policy;
        if (!policy_read(row, &policy)) {
            sqlite3_reset(row);
            return GW_CORRUPT;
        }
        each(state, &policy);
    }
    return status == GW_NOT_FOUND ? GW_OK : status;
}

static gw_status balance_read(gw_store_reader *reader, const store_budget *budget, const char *id,
                              gw_store_balance *ret) {
    gw_store_balance balance = {.kind = budget->kind,
                                .is_set = budget->is_set,
                                .total = budget->total,
                                .renews = budget->renews,
                                .delta = budget->terms.delta,
                                .rho_total = budget->terms.rho,
                                .selection_total = budget->terms.selection};
    store_spent spent = {0};
    memcpy(balance.id, id, strnlen(id, sizeof(balance.id) - 1));
    bool is_counted = budget->is_set || budget->kind != GW_BUDGET_WINDOW;
    gw_status status = is_counted ? store_balance_read(&reader->connection, &budget->key, &spent) : GW_OK;
    balance.spent = spent.micro;
    balance.rho = spent.rho;
    balance.selection = spent.selection;
    if (status == GW_OK)
        *ret = balance;
    return status;
}

// A dataset's window and its population's: the one that leaves less.
static const gw_store_balance *window_tighter(const gw_store_balance *a, const gw_store_balance *b) {
    if (!a->is_set || !b->is_set)
        return b->is_set ? b : a;
    return gw_budget_remaining(b->total, b->spent) < gw_budget_remaining(a->total, a->spent) ? b : a;
}

gw_status gw_store_balances(gw_store_reader *reader, const char *dataset, const char *principal, int64_t now,
                            gw_store_balance ret[4]) {
    sqlite3_stmt *row = store_use(&reader->connection, SQL_ENTRY_LAST);
    gw_status status = store_step(row);
    if (status != GW_OK)
        return status;
    int64_t time = sqlite3_column_int64(row, 1) > now ? sqlite3_column_int64(row, 1) : now;
    sqlite3_reset(row);
    store_terms terms;
    status = store_terms_read(&reader->connection, dataset, &terms);
    if (status != GW_OK)
        return status;
    store_budget budgets[STORE_BALANCES];
    store_budgets_of(&terms, principal, time, budgets);
    const char *const ids[STORE_BALANCES] = {dataset, terms.population_name, principal, dataset, terms.population_name};
    gw_store_balance balances[STORE_BALANCES];
    for (size_t i = 0; i < STORE_BALANCES && status == GW_OK; i++)
        status = balance_read(reader, &budgets[i], ids[i], &balances[i]);
    if (status != GW_OK)
        return status;
    memcpy(ret, balances, 3 * sizeof(balances[0]));
    ret[3] = *window_tighter(&balances[3], &balances[4]);
    return GW_OK;
}

// ---- history

static bool history_read(sqlite3_stmt *row, gw_store_history_row *ret) {
    *ret = (gw_store_history_row){
        .charge_seq = store_column_u64(row, 0),
        .release_seq = sqlite3_column_type(row, 1) == SQLITE_NULL ? GW_NO_SEQ : store_column_u64(row, 1),
        .time = sqlite3_column_int64(row, 2),
        .cost = store_column_u64(row, 3),
        .state = (gw_charge_state)sqlite3_column_int(row, 4),
        .embargo = sqlite3_column_int64(row, 9), // NULL reads as 0
        .is_withdrawn = sqlite3_column_int(row, 10) != 0,
    };
    return store_column_text(row, 5, ret->release, sizeof(ret->release)) &&
           store_column_text(row, 6, ret->dataset, sizeof(ret->dataset)) && store_column_id(row, 7, ret->principal);
}

gw_status gw_store_history(gw_store_reader *reader, const char *principal, const char *dataset, size_t max,
                           gw_store_history_each each, void *state) {
    sqlite3_stmt *row = store_use(&reader->connection, principal == NULL ? SQL_CHARGE_HISTORY : SQL_CHARGE_HISTORY_OF);
    if (principal != NULL)
        store_bind_id(row, 1, principal);
    store_bind_text(row, 2, dataset); // NULL binds NULL
    store_bind_u64(row, 3, max > INT64_MAX ? INT64_MAX : max);
    gw_status status;
    while ((status = store_step(row)) == GW_OK) {
        gw_store_history_row line;
        if (!history_read(row, &line)) {
            sqlite3_reset(row);
            return GW_CORRUPT;
        }
        GW_CLEANUP(gw_buffer_done) gw_buffer text;
        gw_buffer_init(&text, SIZE_MAX); // the row bounds it
        gw_bytes bytes = store_column_bytes(row, 8);
        gw_buffer_append(&text, bytes.data, bytes.size);
        line.question_text = gw_buffer_string(&text);
        each(state, &line);
    }
    return status == GW_NOT_FOUND ? GW_OK : status;
}

// ---- the log

gw_status gw_store_entry(gw_store_reader *reader, uint64_t seq, gw_buffer *ret_entry) {
    if (seq > INT64_MAX)
        return GW_NOT_FOUND;
    sqlite3_stmt *row = store_use(&reader->connection, SQL_ENTRY_SELECT);
    store_bind_u64(row, 1, seq);
    return bytes_step(row, ret_entry);
}

gw_status gw_store_scan(gw_store_reader *reader, uint64_t from, uint64_t to, gw_store_entry_each each, void *state) {
    if (from > INT64_MAX)
        return GW_OK;
    sqlite3_stmt *row = store_use(&reader->connection, SQL_ENTRY_SCAN);
    store_bind_u64(row, 1, from);
    store_bind_u64(row, 2, to > INT64_MAX ? INT64_MAX : to);
    gw_status status;
    while ((status = store_step(row)) == GW_OK) {
        status = each(state, store_column_u64(row, 0), store_column_bytes(row, 1));
        if (status != GW_OK) {
            sqlite3_reset(row);
            return status;
        }
    }
    return status == GW_NOT_FOUND ? GW_OK : status;
}

gw_status gw_store_questions(gw_store_reader *reader, uint64_t from_charge_seq, gw_store_question_each each,
                             void *state) {
    if (from_charge_seq > INT64_MAX)
        return GW_OK;
    sqlite3_stmt *row = store_use(&reader->connection, SQL_QUESTION_SCAN);
    store_bind_u64(row, 1, from_charge_seq);
    gw_status status;
    while ((status = store_step(row)) == GW_OK) {
        gw_hash question;
        status = store_column_hash(row, 1, &question)
                     ? each(state, store_column_u64(row, 0), question, store_column_bytes(row, 2))
                     : GW_CORRUPT;
        if (status != GW_OK) {
            sqlite3_reset(row);
            return status;
        }
    }
    return status == GW_NOT_FOUND ? GW_OK : status;
}

static gw_status tree_node(void *state, unsigned level, uint64_t index, gw_hash *ret) {
    gw_store_reader *reader = state;
    if (index > INT64_MAX)
        return GW_NOT_FOUND;
    sqlite3_stmt *row = store_use(&reader->connection, level == 0 ? SQL_ENTRY_LEAF : SQL_NODE_SELECT);
    if (level > 0)
        store_bind_u64(row, 1, level);
    store_bind_u64(row, level == 0 ? 1 : 2, index);
    gw_status status = store_step(row);
    if (status != GW_OK)
        return status;
    bool is_whole = store_column_hash(row, 0, ret);
    sqlite3_reset(row);
    return is_whole ? GW_OK : GW_CORRUPT;
}

gw_merkle_source gw_store_tree(gw_store_reader *reader) {
    return (gw_merkle_source){.node = tree_node, .state = reader};
}

gw_status gw_store_pages_check(gw_store_reader *reader, gw_problem *ret_problem) {
    sqlite3_stmt *statement = NULL;
    const char *text = NULL;
    if (sqlite3_prepare_v2(reader->connection.db, "PRAGMA integrity_check(1)", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        text = (const char *)sqlite3_column_text(statement, 0);
    bool is_whole = text != NULL && strcmp(text, "ok") == 0;
    gw_status status = GW_OK;
    if (!is_whole)
        status = gw_problem_set(ret_problem, GW_CORRUPT, "store_corrupt", "The ledger's database is damaged.", "",
                                "Restore the newest backup and run `godwitd doctor`; do not delete files.");
    if (!is_whole)
        gw_problem_why(ret_problem, "The database says: %s.",
                       text != NULL ? text : sqlite3_errmsg(reader->connection.db));
    sqlite3_finalize(statement);
    return status;
}
