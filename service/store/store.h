// SPDX-License-Identifier: Apache-2.0
// The durable state: log entries with their Merkle tree, and the tables they fold into (principals, keys, policies,
// data versions, balances, charges, releases). Whole operations, many to one transaction; every operation of a batch is
// decided on its own. Append-only: triggers refuse to change or delete a row of the log.
// After GW_RETRY from gw_store_commit the outcome is UNKNOWN: wipe the answers, answer "retry", exit(70), never try
// again in this process. Thread safety: one gw_store (the writer) per process; a gw_store_reader per thread. Depends
// on: base, privacy/budget.h, audit/{entry,merkle} (shared, stateless).
#pragma once
#include "privacy/budget.h"
#include "service/audit/entry.h"
#include "service/audit/merkle.h"

typedef struct gw_store gw_store;
typedef struct gw_store_reader gw_store_reader;

// Creates the database with its genesis entry; GW_CONFLICT when there is one.
GW_MUST_CHECK gw_status gw_store_create(const char *path, const gw_entry *genesis, gw_problem *ret_problem);
// Opens the writer, whose caller holds the lock. A database of an older version is first copied to <path>.v<version>
// and then brought to this one, or left as it was (disk_full, store_copy, store_migration); one of a newer version is
// refused (store_newer). Reads every PRAGMA back; checks the tree's edge against its entries' count.
GW_MUST_CHECK gw_status gw_store_open(const char *path, gw_store **ret, gw_problem *ret_problem);
void gw_store_close(gw_store *store);
// Codes beside those of opening: store_older, store_newer.
GW_MUST_CHECK gw_status gw_store_reader_open(const char *path, gw_store_reader **ret, gw_problem *ret_problem);
void gw_store_reader_close(gw_store_reader *reader);
// Between begin and end all reads see one committed state, and cost less. Never waits, never fails: where the view
// cannot be taken each read takes its own. End it before waiting for anybody, and before reading what was just written.
void gw_store_reader_begin(gw_store_reader *reader);
void gw_store_reader_end(gw_store_reader *reader);

typedef enum { GW_CHARGE_RESERVED, GW_CHARGE_SEALED, GW_CHARGE_ABANDONED } gw_charge_state;

typedef enum {
    GW_STORE_APPEND,
    GW_STORE_RESERVE,
    GW_STORE_RESUME,
    GW_STORE_SEAL,
    GW_STORE_ABANDON,
    GW_STORE_REPLAY,
    GW_STORE_KEYROT_KEEP // no entry: keeps a note, once, beside the keyrot entry that it covers
} gw_store_op_kind;

// Which budget refused a reservation.
typedef enum {
    GW_BUDGET_NONE,
    GW_BUDGET_DATASET,
    GW_BUDGET_POPULATION,
    GW_BUDGET_PRINCIPAL,
    GW_BUDGET_WINDOW,
    GW_BUDGET_SELECTION // the delta granted to questions that select unknown keys, of dataset or population
} gw_budget_kind;
const char *gw_budget_kind_name(gw_budget_kind kind); // "dataset", …

typedef struct {
    gw_store_op_kind kind;
    // APPEND: an entry of any kind but charge, release, abandon; seq and time are filled in by the store. For `policy`,
    // `file_bytes` is the policy's text, kept for recall of older versions.
    // RESERVE: entry.charge with dataset, population, policy, data, principal, idem, request, question, cost and delta
    // (of selection, else 0) filled; the store fills window, rho and what is spent. Totals are those of the policy seq
    // and of the population in force.
    // SEAL: entry.release with charge, answer, visible. ABANDON: entry.abandon.
    // REPLAY: an entry of this log as it was published, in its place; goes the way it went when it was made, and is
    // refused (log_differs) where that does not lead to the very same bytes. What the log does not say is lost: the
    // answer of a release (gw_store_answer), the salt of a charge (zeros) and how often it was tried, so it is not
    // resumed. Texts are taken where they are known and fit their hashes.
    gw_entry entry;
    gw_bytes replayed;      // REPLAY: the entry's bytes; `entry` is filled from them
    gw_bytes file_bytes;    // APPEND policy; REPLAY policy, may be empty
    gw_hash salt;           // RESERVE: request = SHA-256(salt || signed bytes)
    gw_bytes question_text; // RESERVE: canonical text, published beside the log; REPLAY charge, may be empty
    gw_bytes answer;        // SEAL: the bytes that recall returns
    // KEYROT_KEEP: charge_seq is the keyrot entry's number, answer the note.
    uint64_t charge_seq; // RESUME (attempt + 1, durable before measuring; at most 3 attempts in all, else GW_LIMIT),
                         // SEAL, ABANDON
    // Results, valid after commit returned GW_OK:
    gw_status result; // GW_OK; RESERVE: GW_BUDGET, GW_CONFLICT (this principal's idem exists), GW_INVALID (policy or
                      // data no longer in force: code in `code`); SEAL: GW_CONFLICT (already final); APPEND:
                      // GW_CONFLICT, GW_NOT_FOUND, GW_INVALID
    char code[48];    // why, where result is not OK: a stable code
    gw_budget_kind budget;           // GW_BUDGET: which one
    uint64_t remaining;              // GW_BUDGET: micro-epsilon that one question may cost there; selection: delta left
    bool is_of_population;           // GW_BUDGET selection: the population's, not the dataset's
    int64_t renews;                  // GW_BUDGET window: unix seconds, else 0
    uint64_t seq;                    // of the entry written
    char release[GW_RELEASE_ID_MAX]; // RESERVE: the id its release will carry
} gw_store_op;

// One transaction. `now` comes from the daemon's clock; time stored never goes back. GW_OK: committed and synced, each
// op has its result. GW_RETRY: see above. Anything else: nothing has changed.
GW_MUST_CHECK gw_status gw_store_commit(gw_store *store, gw_store_op *const ops[], size_t count, int64_t now);

// The committed tree.
uint64_t gw_store_size(const gw_store *store);
gw_hash gw_store_root(const gw_store *store);
int64_t gw_store_time(const gw_store *store); // of the last entry
bool gw_store_has_charges(const gw_store *store);
// When the first window ends, after `after`, in which something is spent; INT64_MAX where none does.
GW_MUST_CHECK gw_status gw_store_window_end(gw_store *store, int64_t after, int64_t *ret);
GW_MUST_CHECK gw_status gw_store_origin(gw_store_reader *reader, char ret_origin[128], char ret_log_key[256]);
// The log's key in force: of the last keyrot entry, else of the first entry. `ret_seq`: of that entry; `ret_is_kept`:
// its note is kept (true of the first entry).
GW_MUST_CHECK gw_status gw_store_log_key(gw_store_reader *reader, char ret_log_key[256], uint64_t *ret_seq,
                                         bool *ret_is_kept);
// The keys that took one another's place since the first entry's, oldest first.
typedef gw_status (*gw_store_log_key_each)(void *state, const char *vkey);
GW_MUST_CHECK gw_status gw_store_log_keys(gw_store_reader *reader, gw_store_log_key_each each, void *state);
// The kept notes: for each keyrot entry a checkpoint that covers it, signed by both keys.
typedef gw_status (*gw_store_keyrot_each)(void *state, uint64_t seq, gw_bytes note);
GW_MUST_CHECK gw_status gw_store_keyrots(gw_store_reader *reader, gw_store_keyrot_each each, void *state);
// SHA-256 of the file of trusted witnesses that is in force: of the last `witnesses` entry, else of the first entry.
GW_MUST_CHECK gw_status gw_store_witnesses(gw_store_reader *reader, gw_hash *ret_file);

// Of the database that a reader sees: how many entries, and the time of the last one.
GW_MUST_CHECK gw_status gw_store_last(gw_store_reader *reader, uint64_t *ret_size, int64_t *ret_time);

// Whether a log of this size, which this one no longer is, is one that a restore has said to be lost and counted as
// spent.
GW_MUST_CHECK gw_status gw_store_is_lost(gw_store_reader *reader, uint64_t size, bool *ret);

// A database looked at from outside, whatever its version and with or without a daemon: for `doctor`.
typedef struct {
    int version, version_known; // of its tables; that this program writes
    bool is_wal;                // its journal survives a crash as the ledger needs it
    bool is_whole;              // SQLite's own check of its pages finds nothing
    char trouble[160];          // what that check found first
    uint64_t bytes, wal_bytes;  // of the file, and of its journal
    bool are_settings_taken;    // every setting that the ledger relies on
    char settings[240];         // "synchronous=2 foreign_keys=1 …", as SQLite reads them back
} gw_store_facts;
GW_MUST_CHECK gw_status gw_store_examine(const char *path, gw_store_facts *ret, gw_problem *ret_problem);

// A whole copy of what is committed, daemon or not, as one private file; in place only when it is on disk. Codes:
// store_copy, store_foreign, store_newer.
GW_MUST_CHECK gw_status gw_store_copy(const char *path, const char *to, gw_problem *ret_problem);
// Moves all of the journal into the file, so that the file alone is the ledger. Nobody else may have it open.
GW_MUST_CHECK gw_status gw_store_settle(const char *path, gw_problem *ret_problem);

// ---- readers: GW_NOT_FOUND where there is no such row
typedef struct {
    uint64_t seq;
    gw_charge_state state;
    unsigned attempts;
    gw_hash request, salt, question;
    char dataset[GW_DATASET_MAX], data[GW_ID_HEX], principal[GW_ID_HEX], idem[GW_ID_HEX];
    uint64_t policy;
    uint64_t cost;
    int64_t time;
    char release[GW_RELEASE_ID_MAX];
    uint64_t release_seq; // GW_NO_SEQ unless sealed
    int64_t embargo;      // its release is shown to nobody else before; 0: no embargo
    bool is_withdrawn;    // its release is shown to nobody any more
} gw_store_charge;
GW_MUST_CHECK gw_status gw_store_charge_by_idem(gw_store_reader *reader, const char *principal, const char *idem,
                                                gw_store_charge *ret);
GW_MUST_CHECK gw_status gw_store_charge_by_seq(gw_store_reader *reader, uint64_t seq, gw_store_charge *ret);
// The release of a canonical question that `principal` (NULL: nobody known) may see now: visible, not withdrawn, and
// not under an embargo unless they paid for it. First sealed wins.
GW_MUST_CHECK gw_status gw_store_charge_by_question(gw_store_reader *reader, gw_hash question, const char *principal,
                                                    int64_t now, gw_store_charge *ret);
// GW_UNAVAILABLE: it was answered, and the answer is lost: only its hash came back (REPLAY). GW_CORRUPT: the bytes
// stored are not those that were sealed.
GW_MUST_CHECK gw_status gw_store_answer(gw_store_reader *reader, uint64_t charge_seq, gw_buffer *ret_answer);

typedef struct {
    unsigned roles; // 0: revoked or none
} gw_store_principal;
GW_MUST_CHECK gw_status gw_store_principal_find(gw_store_reader *reader, const char *principal,
                                                gw_store_principal *ret);
typedef struct {
    char principal[GW_ID_HEX];
    gw_public_key key;
    int64_t not_before, not_after;
    bool is_revoked;
} gw_store_key;
// Keys of a principal whose key id (first 8 hex of SHA-256) matches; several may.
GW_MUST_CHECK gw_status gw_store_keys_find(gw_store_reader *reader, const char *principal, const char *key_id,
                                           gw_store_key *ret, size_t max, size_t *ret_count);
typedef void (*gw_store_principal_each)(void *state, const char *principal, unsigned roles, size_t live_keys);
GW_MUST_CHECK gw_status gw_store_principals(gw_store_reader *reader, gw_store_principal_each each, void *state);

typedef struct {
    uint64_t seq, version;
    gw_hash file;
    char dataset[GW_DATASET_MAX], population[GW_DATASET_MAX];
} gw_store_policy;
GW_MUST_CHECK gw_status gw_store_policy_current(gw_store_reader *reader, const char *dataset, gw_store_policy *ret,
                                                gw_buffer *ret_text);
// Every policy's text that ever was in force; empty where it is lost.
typedef gw_status (*gw_store_policy_each)(void *state, gw_hash file, bool is_in_force, gw_bytes text);
GW_MUST_CHECK gw_status gw_store_policies(gw_store_reader *reader, gw_store_policy_each each, void *state);
// What of deltas a population is granted (units of 10^-18): by its accounting, and for selections.
GW_MUST_CHECK gw_status gw_store_population_deltas(gw_store_reader *reader, const char *population, uint64_t *ret_delta,
                                                   uint64_t *ret_selection);
typedef struct {
    uint64_t seq;
    char version[GW_ID_HEX];
    int64_t time;
} gw_store_data;
GW_MUST_CHECK gw_status gw_store_data_current(gw_store_reader *reader, const char *dataset, gw_store_data *ret);
typedef void (*gw_store_dataset_each)(void *state, const gw_store_policy *policy);
GW_MUST_CHECK gw_status gw_store_datasets(gw_store_reader *reader, gw_store_dataset_each each, void *state);

// Balances that a charge on `dataset` by `principal` would meet, now. total 0 with is_set false: no such budget.
typedef struct {
    gw_budget_kind kind;
    bool is_set;
    uint64_t total, spent;
    int64_t renews;
    char id[GW_DATASET_MAX];
    // Of dataset and population: zCDP where delta is not 0 (privacy/accounting/zcdp.h); rho is counted always.
    uint64_t delta, rho_total, rho;
    uint64_t selection_total, selection; // deltas of questions that select unknown keys
} gw_store_balance;
GW_MUST_CHECK gw_status gw_store_balances(gw_store_reader *reader, const char *dataset, const char *principal,
                                          int64_t now,
                                          gw_store_balance ret[4]); // dataset, population, principal, window
typedef struct {
    uint64_t charge_seq, release_seq;
    int64_t time;
    uint64_t cost;
    gw_charge_state state;
    char release[GW_RELEASE_ID_MAX];
    char dataset[GW_DATASET_MAX];
    char principal[GW_ID_HEX];
    int64_t embargo; // as in gw_store_charge
    bool is_withdrawn;
    const char *question_text; // borrowed until the callback returns
} gw_store_history_row;
typedef void (*gw_store_history_each)(void *state, const gw_store_history_row *row);
// Newest first. `principal` NULL: everybody's; `dataset` NULL: every dataset.
GW_MUST_CHECK gw_status gw_store_history(gw_store_reader *reader, const char *principal, const char *dataset,
                                         size_t max, gw_store_history_each each, void *state);

// The log itself, for proofs, publishing and start-up checks.
GW_MUST_CHECK gw_status gw_store_entry(gw_store_reader *reader, uint64_t seq, gw_buffer *ret_entry);
typedef gw_status (*gw_store_entry_each)(void *state, uint64_t seq, gw_bytes entry);
GW_MUST_CHECK gw_status gw_store_scan(gw_store_reader *reader, uint64_t from, uint64_t to, gw_store_entry_each each,
                                      void *state);
typedef gw_status (*gw_store_question_each)(void *state, uint64_t charge_seq, gw_hash question, gw_bytes text);
GW_MUST_CHECK gw_status gw_store_questions(gw_store_reader *reader, uint64_t from_charge_seq,
                                           gw_store_question_each each, void *state);
gw_merkle_source gw_store_tree(gw_store_reader *reader); // committed nodes
// Every page, row and index of the database, as the database itself can tell: time in proportion to its size.
// GW_CORRUPT, code store_corrupt.
GW_MUST_CHECK gw_status gw_store_pages_check(gw_store_reader *reader, gw_problem *ret_problem);

// ---- rows as they stand beside the log, for the start-up check, which judges whether the log says the same
// A charge with its release.
typedef struct {
    uint64_t seq;
    int64_t time;
    char principal[GW_ID_HEX], idem[GW_ID_HEX];
    char dataset[GW_DATASET_MAX];
    gw_hash question;
    uint64_t cost;
    gw_charge_state state;
    unsigned attempts;
    char release[GW_RELEASE_ID_MAX];
    uint64_t release_seq; // GW_NO_SEQ: none is there
    gw_hash release_question;
    int64_t visible; // of the release
    bool is_whole;   // it can be read
} gw_store_charge_row;
// From the first in order of seq; next to them the reader may be used for anything else. GW_NOT_FOUND: no more.
void gw_store_charge_rows_begin(gw_store_reader *reader);
GW_MUST_CHECK gw_status gw_store_charge_rows_next(gw_store_reader *reader, gw_store_charge_row *ret);

// A row of one of the other tables that repeat entries, as the entry that it repeats: of that kind, with the fields
// that the row has, and its seq where the row names it.
typedef struct {
    gw_entry entry;
    bool is_revoked; // key
    bool is_whole;   // it can be read, and what is derived of it (a key's id, what a delta buys, a policy's text where
                     // it is kept) is what follows from its fields
} gw_store_entry_row;
// Kinds principal, key, population, policy, data, witnesses, keyrot, restore. Of another: GW_INVALID.
typedef gw_status (*gw_store_entry_row_each)(void *state, const gw_store_entry_row *row);
GW_MUST_CHECK gw_status gw_store_entry_rows(gw_store_reader *reader, gw_entry_kind kind, gw_store_entry_row_each each,
                                            void *state);

// Of the tables that no single entry says: names are "" where a row refers to nothing.
typedef struct {
    char dataset[GW_DATASET_MAX], population[GW_DATASET_MAX];
    uint64_t policy;
    char data[GW_ID_HEX]; // "": none
    bool is_whole;        // the version that it refers to is there
} gw_store_dataset_row;
typedef gw_status (*gw_store_dataset_row_each)(void *state, const gw_store_dataset_row *row);
GW_MUST_CHECK gw_status gw_store_dataset_rows(gw_store_reader *reader, gw_store_dataset_row_each each, void *state);
typedef struct {
    gw_budget_kind kind;
    bool is_population; // kind population, and windows of one
    char owner[GW_DATASET_MAX];
    char principal[GW_ID_HEX];
    uint64_t days, window;
    uint64_t micro, rho, selection; // spent
    bool is_whole;                  // nothing stands in it that its kind does not have
} gw_store_budget_row;
typedef gw_status (*gw_store_budget_row_each)(void *state, const gw_store_budget_row *row);
GW_MUST_CHECK gw_status gw_store_budget_rows(gw_store_reader *reader, gw_store_budget_row_each each, void *state);
typedef struct {
    uint64_t restore;
    bool is_population;
    char owner[GW_DATASET_MAX];
    uint64_t micro;
} gw_store_growth_row;
typedef gw_status (*gw_store_growth_row_each)(void *state, const gw_store_growth_row *row);
// In order of restores, datasets before populations, each in the order in which they came.
GW_MUST_CHECK gw_status gw_store_growth_rows(gw_store_reader *reader, gw_store_growth_row_each each, void *state);
typedef struct {
    char release[GW_RELEASE_ID_MAX]; // "": of no charge that was answered
    int64_t embargo;
    bool is_withdrawn;
} gw_store_release_state_row;
typedef gw_status (*gw_store_release_state_row_each)(void *state, const gw_store_release_state_row *row);
GW_MUST_CHECK gw_status gw_store_release_state_rows(gw_store_reader *reader, gw_store_release_state_row_each each,
                                                    void *state);
