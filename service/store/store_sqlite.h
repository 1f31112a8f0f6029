// SPDX-License-Identifier: Apache-2.0
// What the files of the SQLite backend share: a connection with its prepared statements, the schema, the cached
// balances. Nothing outside store_sqlite*.c includes this; it alone includes sqlite3.h.
// Thread safety: one owner per connection.   Depends on: store.h, SQLite.
#pragma once
#include "privacy/accounting/zcdp.h"
#include "service/base/check.h"
#include "service/store/store.h"
#include <sqlite3.h>

#define STORE_BATCH_MAX 128  // ops to one commit; the ledger sends 64
#define STORE_ATTEMPTS_MAX 3 // one reserve and two resumptions
#define STORE_DAY_SECONDS 86400
#define STORE_WINDOW_DAYS_MAX 36500 // a century; keeps window arithmetic far from overflow

typedef enum {
    SQL_BEGIN,
    SQL_READ_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_ENTRY_INSERT,
    SQL_ENTRY_SELECT,
    SQL_ENTRY_LEAF,
    SQL_ENTRY_LAST,
    SQL_ENTRY_SCAN,
    SQL_NODE_INSERT,
    SQL_NODE_SELECT,
    SQL_NODE_LAST,
    SQL_PRINCIPAL_SELECT,
    SQL_PRINCIPAL_INSERT,
    SQL_PRINCIPAL_UPDATE,
    SQL_PRINCIPAL_LIST,
    SQL_KEY_SELECT,
    SQL_KEY_INSERT,
    SQL_KEY_REVOKE,
    SQL_KEY_FIND,
    SQL_POPULATION_SELECT,
    SQL_POPULATION_UPSERT,
    SQL_POLICY_INSERT,
    SQL_POLICY_CURRENT,
    SQL_DATASET_INSERT,
    SQL_DATASET_POLICY,
    SQL_DATASET_DATA,
    SQL_DATASET_LIST,
    SQL_DATA_INSERT,
    SQL_DATA_SELECT,
    SQL_DATA_CURRENT,
    SQL_TERMS,
    SQL_BUDGET_SELECT,
    SQL_BUDGET_UPSERT,
    SQL_WINDOW_END,
    SQL_CHARGE_IDEM,
    SQL_CHARGE_INSERT,
    SQL_CHARGE_STATE,
    SQL_CHARGE_FINISH,
    SQL_CHARGE_ATTEMPT,
    SQL_CHARGE_LAST,
    SQL_CHARGE_RECENT,
    SQL_CHARGE_COSTS,
    SQL_BUDGET_RHO,
    SQL_CHARGE_BY_SEQ,
    SQL_CHARGE_BY_IDEM,
    SQL_CHARGE_BY_QUESTION,
    SQL_CHARGE_HISTORY,
    SQL_CHARGE_HISTORY_OF,
    SQL_RELEASE_INSERT,
    SQL_RELEASE_ANSWER,
    SQL_RESTORE_LOST,
    SQL_RELEASE_STATE,
    SQL_RELEASE_STATE_UPSERT,
    SQL_QUESTION_INSERT,
    SQL_QUESTION_SCAN,
    SQL_SCHEMA_CHANGE,
    SQL_RESTORE_INSERT,
    SQL_RESTORE_LAST,
    SQL_RESTORE_LOST_SINCE,
    SQL_KEYROT_INSERT,
    SQL_KEYROT_LAST,
    SQL_KEYROT_KEEP,
    SQL_KEYROT_NOTES,
    SQL_KEYROT_KEYS,
    SQL_WITNESSES_INSERT,
    SQL_WITNESSES_LAST,
    SQL_GROWTH_INSERT,
    SQL_GROWTH_RECENT,
    SQL_POPULATION_ASKED,
    SQL_CHARGE_CLOSE,
    SQL_POLICY_TEXTS,
    SQL_ROWS_CHARGE,
    SQL_ROWS_RELEASE_STATE,
    SQL_ROWS_PRINCIPAL,
    SQL_ROWS_KEY,
    SQL_ROWS_POPULATION,
    SQL_ROWS_POLICY,
    SQL_ROWS_DATA,
    SQL_ROWS_DATASET,
    SQL_ROWS_WITNESSES,
    SQL_ROWS_KEYROT,
    SQL_ROWS_RESTORE,
    SQL_ROWS_GROWTH,
    SQL_ROWS_BUDGET,
    SQL_COUNT,
} store_sql;

typedef struct {
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_COUNT]; // prepared at first use, kept
} store_connection;

// ---- store_sqlite.c: connections
GW_MUST_CHECK gw_status store_connection_open(store_connection *connection, const char *path, int flags,
                                              gw_problem *ret_problem);
void store_connection_close(store_connection *connection);
GW_MUST_CHECK gw_status store_connection_guard(store_connection *connection, gw_problem *ret_problem);
// Sets and reads back, as the guard does, what a connection that only reads can set; true where all is taken.
bool store_settings_say(sqlite3 *db, char *ret, size_t size);
gw_status store_problem(gw_problem *ret_problem, gw_status status, const char *code, const char *what, sqlite3 *db);
// A statement ready to be bound. NULL when it cannot be prepared; SQLite refuses NULL at the next step, so one check
// there is enough.
sqlite3_stmt *store_use(store_connection *connection, store_sql sql);
gw_status store_step(sqlite3_stmt *statement); // GW_OK: a row; GW_NOT_FOUND: no more rows
gw_status store_run(sqlite3_stmt *statement);  // to its end, then reset

void store_bind_u64(sqlite3_stmt *statement, int at, uint64_t value); // at most INT64_MAX
void store_bind_text(sqlite3_stmt *statement, int at, const char *text);
void store_bind_bytes(sqlite3_stmt *statement, int at, gw_bytes bytes);
void store_bind_hash(sqlite3_stmt *statement, int at, const gw_hash *hash);
void store_bind_id(sqlite3_stmt *statement, int at, const char *id); // 32 hex as 16 bytes; NULL where malformed
uint64_t store_column_u64(sqlite3_stmt *statement, int at);
gw_bytes store_column_bytes(sqlite3_stmt *statement, int at); // borrowed until the next step
bool store_column_hash(sqlite3_stmt *statement, int at, gw_hash *ret);
bool store_column_id(sqlite3_stmt *statement, int at, char ret[GW_ID_HEX]);
bool store_column_text(sqlite3_stmt *statement, int at, char *ret, size_t size);

// ---- store_sqlite_schema.c
#define STORE_APPLICATION_ID 0x47647774 // "Gdwt"
#define STORE_SCHEMA_VERSION 4
extern const char *const store_schema[]; // of a new ledger; ends with NULL
typedef struct {
    int from, to; // versions
    const char *const *sql;
    gw_status (*fill)(store_connection *connection); // what SQL cannot compute; NULL: nothing
} store_migration;
extern const store_migration store_migrations[]; // ends with {0}
extern const char *const store_statements[SQL_COUNT];

// ---- store_sqlite_migrate.c
// GW_OK: a Godwit ledger of a version that is known; `ret_version` may be older than STORE_SCHEMA_VERSION. Codes:
// store_foreign, store_newer.
GW_MUST_CHECK gw_status store_version_read(sqlite3 *db, int *ret_version, gw_problem *ret_problem);
// Brings the database to STORE_SCHEMA_VERSION in one transaction, after a copy of it was kept as <path>.v<version>. For
// the writer, which holds the lock. Codes: disk_full, store_copy, store_migration. On failure it is as it was.
GW_MUST_CHECK gw_status store_migrate(store_connection *connection, const char *path, int version,
                                      gw_problem *ret_problem);
// Version 3: rho of what was charged before there was rho.
GW_MUST_CHECK gw_status store_rho_fill(store_connection *connection);
GW_MUST_CHECK gw_status store_schema_note(store_connection *connection, int version); // in the transaction under way

// ---- store_sqlite_balance.c: what is spent, cached while the writer lives (it is the only writer)
typedef enum {
    BALANCE_DATASET = 1,
    BALANCE_POPULATION,
    BALANCE_PRINCIPAL,
    BALANCE_WINDOW,
    BALANCE_POPULATION_WINDOW
} store_balance_kind;
#define STORE_BALANCES 5 // a charge meets at most one of each kind

typedef struct {
    store_balance_kind kind;
    int64_t owner;                 // row of the dataset or the population
    uint8_t principal[GW_ID_SIZE]; // zeros where none
    int64_t days, window;          // 0 where none
} store_balance_key;

// What is spent of a budget. rho and selection belong to datasets and populations alone; rho is counted under pure
// accounting too, so that a policy may come to use it.
typedef struct {
    uint64_t micro, rho, selection;
} store_spent;

typedef struct {
    store_balance_key key;
    store_spent spent;
    bool is_used, is_dirty;
} store_balance_slot;

#define STORE_BALANCE_SLOTS 2048 // two batches of 128 charges with 5 balances each fit below the fill limit
typedef struct {
    store_balance_slot slots[STORE_BALANCE_SLOTS];
    store_balance_slot *dirty[STORE_BALANCE_SLOTS];
    size_t count, dirty_count;
} store_balance_cache;

// The accounting with a delta, of a dataset or a population.
typedef struct {
    uint64_t delta;     // 0: pure
    uint64_t rho;       // that (total, delta) buys
    uint64_t selection; // granted to questions that select unknown keys
} store_delta_terms;

// Budgets in force for one dataset.
typedef struct {
    int64_t dataset, population; // rows
    uint64_t policy;             // seq
    char population_name[GW_DATASET_MAX];
    uint64_t total, principal_total, window_days, window_total, question_min, question_max;
    uint64_t population_total, population_window_days, population_window_total;
    store_delta_terms delta_terms, population_delta_terms;
    bool has_data;
    char data[GW_ID_HEX];
} store_terms;
GW_MUST_CHECK gw_status store_terms_read(store_connection *connection, const char *dataset, store_terms *ret);

typedef struct {
    store_balance_key key;
    gw_budget_kind kind; // as told to callers: both windows are GW_BUDGET_WINDOW
    bool is_set;         // false: counted, but without a total
    uint64_t total;
    store_delta_terms terms; // zeros but of dataset and population
    int64_t renews;
} store_budget;
// The budgets that a charge by `principal` meets at `time`, in the order of store_balance_kind.
void store_budgets_of(const store_terms *terms, const char *principal, int64_t time, store_budget ret[STORE_BALANCES]);
// Spent so far; 0 where nothing was charged yet.
GW_MUST_CHECK gw_status store_balance_read(store_connection *connection, const store_balance_key *key,
                                           store_spent *ret_spent);

// Written at once, behind the cache's back: for what clears the cache.
GW_MUST_CHECK gw_status store_balance_write(store_connection *connection, const store_balance_key *key,
                                            const store_spent *spent);

void store_balances_prepare(store_balance_cache *cache); // before a batch
GW_MUST_CHECK gw_status store_balance_get(store_balance_cache *cache, store_connection *connection,
                                          const store_balance_key *key, store_balance_slot **ret);
void store_balance_set(store_balance_cache *cache, store_balance_slot *slot, store_spent spent);
// After a change of a window's length, from the charges themselves: a window of this length has no row yet, or one that
// misses what was spent in between.
GW_MUST_CHECK gw_status store_balance_refresh(store_balance_cache *cache, store_connection *connection,
                                              const store_balance_key *key);
GW_MUST_CHECK gw_status store_balances_flush(store_balance_cache *cache, store_connection *connection);
void store_balances_clear(store_balance_cache *cache);

// ---- store_sqlite_write.c: the writer
struct gw_store {
    store_connection connection;
    gw_merkle_edge edge; // of what is committed, and of the batch under way
    int64_t time_last;
    unsigned release_year; // of the last id given
    uint64_t release_count;
    uint64_t release_lost; // entries that restores counted as lost since: each may have given an id
    store_balance_cache balances;
    gw_buffer scratch; // the entry being written
    gw_bytes expected; // where it is replayed: what it must come to
    bool is_broken;    // an outcome is unknown: nothing is tried again
};
// Fills seq and time and encodes into `scratch`; GW_INVALID where the grammar refuses the entry. Writes nothing.
GW_MUST_CHECK gw_status store_entry_prepare(gw_store *store, gw_entry *entry, int64_t time);
GW_MUST_CHECK gw_status store_entry_write(gw_store *store, const gw_entry *entry); // what prepare left in `scratch`
gw_status store_refuse(gw_store_op *op, gw_status result, const char *code);       // sets the result; returns GW_OK

// ---- store_sqlite_read.c
struct gw_store_reader {
    store_connection connection;
    bool is_in_view;
};
// What gw_store_log_key tells, on any connection.
GW_MUST_CHECK gw_status store_log_key(store_connection *connection, char ret_log_key[256], uint64_t *ret_seq,
                                      bool *ret_is_kept);

// ---- store_sqlite_append.c: entries about people, keys, policies, data. GW_OK also where op->result refuses.
GW_MUST_CHECK gw_status store_append(gw_store *store, gw_store_op *op, int64_t time);

// ---- store_sqlite_restore.c: what entries that are gone count as
GW_MUST_CHECK gw_status store_restore_append(gw_store *store, gw_store_op *op, int64_t time);
// Was the log restored after this charge? Then it may have been answered by an entry that is gone.
GW_MUST_CHECK gw_status store_restored_since(store_connection *connection, uint64_t charge_seq, bool *ret);
// No open charge from this entry on is drawn any more: its attempts count as used up.
GW_MUST_CHECK gw_status store_charges_close(store_connection *connection, uint64_t from);

// ---- store_sqlite_keyrot.c
GW_MUST_CHECK gw_status store_keyrot_append(gw_store *store, gw_store_op *op, int64_t time);
GW_MUST_CHECK gw_status store_keyrot_keep(gw_store *store, gw_store_op *op);
