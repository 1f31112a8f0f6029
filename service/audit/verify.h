// SPDX-License-Identifier: Apache-2.0
// The auditor's check of a whole log: re-hashes every entry, recomputes every balance, names the first bad entry.
// Files in (a log/ folder: checkpoint, tile/…), verdict out: no daemon, no database, no network.
// Thread safety: pure but for reading files.   Depends on: entry.h, merkle.h, note.h, base.
#pragma once
#include "service/audit/entry.h"
#include "service/audit/note.h"
#include <stdio.h>

// The fold of entries that both the verifier and the tests' oracle use: who is who, which policy is in force, what is
// spent.
typedef struct gw_audit_state gw_audit_state;
gw_audit_state *gw_audit_state_new(void);
void gw_audit_state_free(gw_audit_state *state);
// Checks one entry against the state and applies it. GW_CORRUPT with code and a sentence on what is wrong (spent
// mismatch, total passed, release without charge, second release, unknown principal, seq gap, time going back …).
GW_MUST_CHECK gw_status gw_audit_apply(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem);

void gw_audit_counts(const gw_audit_state *state, uint64_t *ret_charges, uint64_t *ret_releases,
                     uint64_t *ret_abandons);

// What the entries come to, by name, for whoever holds tables made from them (in fold_tell.c). False: the entries know
// of nothing by that name.
typedef struct {
    char principal[GW_ID_HEX];
    char kind[8];
    int64_t not_before, not_after;
    bool is_revoked;
} gw_audit_key;
typedef struct {
    uint64_t total, window_days, window_total, delta, selection_delta;
} gw_audit_population;
typedef struct {
    char population[GW_DATASET_MAX];
    uint64_t policy;      // seq of the one in force
    char data[GW_ID_HEX]; // version in force; "" while there is none
} gw_audit_dataset;
// One budget, as its table has it: of a dataset or a population, of all its charges or those of one principal or
// window.
typedef struct {
    bool is_population;
    const char *owner;
    const char *principal; // NULL: everybody's
    uint64_t days, window; // 0: all times
} gw_audit_budget;
typedef struct {
    uint64_t micro, rho, selection;
} gw_audit_spent;
typedef struct {
    uint64_t restore; // seq of its entry
    bool is_population;
    const char *owner;
    uint64_t micro; // counted as spent
} gw_audit_growth;
// How many there are of each; of budgets, those of which something is spent.
typedef struct {
    size_t principals, keys, populations, datasets, release_states, budgets, growths;
} gw_audit_sizes;
bool gw_audit_principal_find(const gw_audit_state *state, const char *principal, unsigned *ret_roles);
bool gw_audit_key_find(const gw_audit_state *state, const char *key, gw_audit_key *ret);
bool gw_audit_population_find(const gw_audit_state *state, const char *population, gw_audit_population *ret);
bool gw_audit_dataset_find(const gw_audit_state *state, const char *dataset, gw_audit_dataset *ret);
bool gw_audit_release_state_find(const gw_audit_state *state, const char *release, int64_t *ret_until,
                                 bool *ret_is_withdrawn);
bool gw_audit_spent_find(const gw_audit_state *state, const gw_audit_budget *budget, gw_audit_spent *ret);
void gw_audit_growth_at(const gw_audit_state *state, size_t index, gw_audit_growth *ret); // index: below the size
gw_audit_sizes gw_audit_sizes_of(const gw_audit_state *state);

// The keys of the log, in order: the first entry's, and those that keyrot entries named. Returns the entry's number.
size_t gw_audit_log_keys(const gw_audit_state *state);
uint64_t gw_audit_log_key(const gw_audit_state *state, size_t index, gw_note_key *ret_key);

typedef struct {
    bool is_complete;   // every check ran
    bool is_sound;      // and held
    uint64_t size;      // of the checkpoint
    uint64_t entries;   // checked
    uint64_t first_bad; // index of the first bad entry, or UINT64_MAX
    uint64_t charges, releases, abandons, open_charges;
    // Different questions whose texts were there and are what was charged; whose texts are not published here (which
    // shows nothing: an owner may keep them back). Both 0 where no folder was given.
    uint64_t questions, questions_missing;
    gw_checkpoint checkpoint;
    gw_note_key log_key;    // that signed the checkpoint: the one given, or the one that it was followed to
    unsigned keys_followed; // keyrot entries between the two
    gw_problem problem;     // what is wrong, or why it cannot be checked
} gw_audit_verdict;

// An older tree of this log, such as one of a checkpoint that was saved: is what it held still the beginning?
typedef struct {
    uint64_t size;
    gw_hash root;  // result: of the first `size` entries, hashed anew
    bool is_known; // result: the log has that many, and they were hashed
} gw_audit_root;

typedef struct {
    // May be NULL: then the key named by the genesis entry is used and the verdict says so in `problem.why`.
    const gw_note_key *log_key;
    const char *questions_folder; // published beside the log; NULL: the texts of questions are not looked at
    gw_audit_root *roots;         // in any order; compared by the caller
    size_t root_count;
    void (*progress)(void *state, uint64_t done, uint64_t total); // entries; may be NULL
    void *progress_state;
    // May be NULL. Every entry that held, in order, from the caller's thread; what is gathered from them counts only
    // where the verdict is sound.
    void (*each)(void *state, const gw_entry *entry);
    void *each_state;
} gw_audit_options;

// Status GW_OK: checked (see is_sound). Anything else: cannot check (missing or unreadable files). `ret_state` may be
// NULL; it is set, and the caller's to free, also when it cannot be checked, unless there was no memory for it.
GW_MUST_CHECK gw_status gw_audit_verify(const char *log_folder, const gw_audit_options *options,
                                        gw_audit_state **ret_state, gw_audit_verdict *ret_verdict);
// The same with a key and progress alone.
GW_MUST_CHECK gw_status gw_audit_verify_folder(const char *log_folder, const gw_note_key *log_key,
                                               void (*progress)(void *, uint64_t, uint64_t), void *progress_state,
                                               gw_audit_state **ret_state, gw_audit_verdict *ret_verdict);
// Balances for the plain-language page; kind "dataset", "population", "principal" (dataset|principal), "window".
typedef struct {
    const char *kind, *id, *principal;
    uint64_t window, total, spent, charges;
    uint64_t restored; // of spent: counted by restores for entries that are gone
    // Of a dataset or a population: rho of all its charges, and what (total, delta) allows; 0 under pure accounting.
    uint64_t delta, rho_total, rho;
    uint64_t selection_total, selection; // deltas of questions that selected unknown keys
} gw_audit_balance;
size_t gw_audit_balances(const gw_audit_state *state, gw_audit_balance *ret, size_t max); // returns how many there are
// A receipt with its answer (and the request's bytes, may be empty) checked offline: inclusion of both entries under
// the signed checkpoint, answer hash, charge linked to release, request hash. GW_CORRUPT: tampered; GW_INVALID:
// unreadable.
GW_MUST_CHECK gw_status gw_audit_receipt(gw_bytes receipt, gw_bytes answer, gw_bytes request_message,
                                         const gw_note_key *log_key, gw_entry *ret_charge, gw_entry *ret_release,
                                         gw_problem *ret_problem);
