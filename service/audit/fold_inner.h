// SPDX-License-Identifier: Apache-2.0
// What the files of the fold share: its state, the map from names to places in its lists, balances. Nobody else
// includes it.
// Thread safety: pure, one state per thread.   Depends on: verify.h.
#pragma once
#include "privacy/accounting/zcdp.h"
#include "service/audit/verify.h"

#define GW_FOLD_DAY_SECONDS 86400
#define GW_FOLD_NONE SIZE_MAX

// ---- lists and the map

#define GW_FOLD_LIST(type)                                                                                             \
    struct {                                                                                                           \
        type *items;                                                                                                   \
        size_t count, capacity;                                                                                        \
    }

bool gw_fold_list_grow(void **items, size_t *capacity, size_t count, size_t item_size);
// Room for one more in a list.
#define GW_FOLD_ROOM(list)                                                                                             \
    gw_fold_list_grow((void **)&(list).items, &(list).capacity, (list).count, sizeof((list).items[0]))

typedef struct {
    gw_tag key;
    size_t place_next; // place + 1; 0: free
} gw_fold_map_slot;

typedef struct {
    gw_fold_map_slot *slots;
    size_t capacity, count; // capacity is a power of two
} gw_fold_map;

size_t gw_fold_find(const gw_fold_map *map, gw_tag key);          // GW_FOLD_NONE: it is not there
bool gw_fold_map_room(gw_fold_map *map);                          // makes room for one more
void gw_fold_map_put(gw_fold_map *map, gw_tag key, size_t place); // room was made, and it is not there
gw_tag gw_fold_key(char kind, const char *first, const char *second);

// ---- what is known

typedef struct {
    char id[GW_ID_HEX];
    unsigned roles;
} gw_fold_principal_row;

typedef struct {
    char principal[GW_ID_HEX];
    char kind[8];
    int64_t not_before, not_after;
    bool is_revoked;
} gw_fold_key_row;

// The accounting with a delta: what of it is granted in all.
typedef struct {
    uint64_t delta;     // 0: pure
    uint64_t rho;       // that (total, delta) buys
    uint64_t selection; // delta of questions that select unknown keys
} gw_fold_delta_terms;

// The balance that an owner's charges met last, so that most of them need not look it up.
typedef struct {
    size_t place_next; // place + 1; 0: none yet
    uint64_t days, window;
} gw_fold_recent;

typedef struct {
    char name[GW_DATASET_MAX];
    uint64_t total, window_days, window_total;
    gw_fold_delta_terms terms;
    gw_fold_recent recent, recent_window;
} gw_fold_population_row;

typedef struct {
    char name[GW_DATASET_MAX];
    size_t population;
    uint64_t policy, version;
    uint64_t total, principal_total, window_days, window_total, question_min, question_max;
    gw_fold_delta_terms terms;
    char data[GW_ID_HEX]; // "" until there is a version
    gw_fold_recent recent, recent_window;
} gw_fold_dataset_row;

typedef enum { GW_FOLD_OUTCOME_OPEN, GW_FOLD_OUTCOME_RELEASED, GW_FOLD_OUTCOME_ABANDONED } gw_fold_outcome;

typedef struct {
    uint64_t seq, cost;
    int64_t time;
    uint32_t dataset; // place: lists this long would not fit memory
    gw_fold_outcome outcome;
} gw_fold_charge_row;

typedef enum {
    GW_FOLD_BALANCE_DATASET,
    GW_FOLD_BALANCE_POPULATION,
    GW_FOLD_BALANCE_PRINCIPAL,
    GW_FOLD_BALANCE_WINDOW,
    GW_FOLD_BALANCE_POPULATION_WINDOW
} gw_fold_balance_kind;
#define GW_FOLD_BALANCE_KINDS 5

typedef struct {
    gw_fold_balance_kind kind;
    size_t owner; // dataset or population
    char principal[GW_ID_HEX];
    uint64_t days, window;
    uint64_t total; // at the last charge
    uint64_t spent, charges;
    uint64_t rho, selection; // of datasets and populations; counted under pure accounting too
    uint64_t restored;       // of spent: what restores counted for entries that are gone
} gw_fold_balance_row;

// What a restore counted as spent of a dataset or a population: windows made later need it too.
typedef struct {
    gw_fold_balance_kind kind;
    size_t owner;
    uint64_t restore; // seq of its entry
    int64_t time;
    uint64_t micro;
} gw_fold_growth_row;

// A key of the log, and the entry that named it.
typedef struct {
    uint64_t seq;
    gw_note_key key;
} gw_fold_log_key_row;

#define GW_FOLD_PRICES 64 // a power of two

// What was said of a release since: only those that something was said of.
typedef struct {
    int64_t until; // of the last embargo, 0: none
    bool is_withdrawn;
} gw_fold_mark_row;

struct gw_audit_state {
    uint64_t next; // seq expected
    int64_t time;
    gw_fold_map map;
    GW_FOLD_LIST(gw_fold_principal_row) principals;
    GW_FOLD_LIST(gw_fold_key_row) keys;
    GW_FOLD_LIST(gw_fold_population_row) populations;
    GW_FOLD_LIST(gw_fold_dataset_row) datasets;
    GW_FOLD_LIST(gw_fold_charge_row) charges; // in order of seq
    GW_FOLD_LIST(gw_fold_balance_row) balances;
    GW_FOLD_LIST(gw_fold_mark_row) marks;
    GW_FOLD_LIST(gw_fold_growth_row) growths;
    GW_FOLD_LIST(gw_fold_log_key_row) log_keys; // the first entry's, and each that took the place of the one before
    uint64_t restored;                          // entries before this one: their open charges are never answered
    uint64_t releases, abandons;
    gw_loss prices[GW_FOLD_PRICES]; // of recent costs: rho takes a long division
};

// ---- what is wrong

gw_status gw_fold_wrong(gw_problem *ret_problem, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
gw_status gw_fold_no_memory(gw_problem *ret_problem);

// ---- principals and balances

gw_fold_principal_row *gw_fold_principal_of(gw_audit_state *state, const char *id); // NULL: nobody has this id
// The balance like `like`, made when there is none; GW_FOLD_NONE without memory.
size_t gw_fold_balance_of(gw_audit_state *state, const gw_fold_balance_row *like);
size_t gw_fold_balance_find(const gw_audit_state *state, const gw_fold_balance_row *like); // GW_FOLD_NONE: none is made
// A window's balance after its length was changed: a window of this length has none yet, or one that misses what came
// in between. False without memory.
bool gw_fold_window_refresh(gw_audit_state *state, gw_fold_balance_kind kind, size_t owner, uint64_t days,
                            int64_t time);
const char *gw_fold_balance_name(gw_fold_balance_kind kind);

// ---- charges, and how they end

gw_status gw_fold_charge(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem);
gw_status gw_fold_release(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem);
// An embargo or a withdrawal.
gw_status gw_fold_release_state(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem);
gw_status gw_fold_abandon(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem);

// ---- keys of the log

gw_status gw_fold_genesis(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem);
gw_status gw_fold_keyrot(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem);

// ---- restores

gw_status gw_fold_restore(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem);
