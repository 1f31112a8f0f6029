// SPDX-License-Identifier: Apache-2.0
// The log's entries: line text with a fixed order, one grammar for writer and verifier (formats: the log's entries).
// Head: "godwit/v1 <kind>", "seq <n>", "time <unix>"; every line ends in \n. Amounts are micro-epsilon, deltas units of
// 10^-18, rho units of 2^-40. Lines of the accounting with a delta stand only where it is used.
// Thread safety: pure.   Depends on: base/crypto.h.
#pragma once
#include "service/base/buffer.h"
#include "service/base/crypto.h"

#define GW_ENTRY_BYTES_MAX 65535u
#define GW_DATASET_MAX 129 // GW_NAME_MAX + NUL
#define GW_SIGNERS_MAX 4
#define GW_RELEASE_ID_MAX 24 // "GW-2026-000143"
#define GW_NO_SEQ UINT64_MAX

typedef enum {
    GW_ENTRY_GENESIS,
    GW_ENTRY_PRINCIPAL,
    GW_ENTRY_KEY,
    GW_ENTRY_POPULATION,
    GW_ENTRY_POLICY,
    GW_ENTRY_DATA,
    GW_ENTRY_CHARGE,
    GW_ENTRY_RELEASE,
    GW_ENTRY_ABANDON,
    GW_ENTRY_REFUSALS,
    GW_ENTRY_INCIDENT,
    GW_ENTRY_EMBARGO,
    GW_ENTRY_WITHDRAW,
    GW_ENTRY_WITNESSES,
    GW_ENTRY_KEYROT,
    GW_ENTRY_RESTORE,
    GW_ENTRY_CLOCK,
} gw_entry_kind;
#define GW_ENTRY_KINDS (GW_ENTRY_CLOCK + 1)

typedef enum {
    GW_ROLE_RESEARCHER = 1,
    GW_ROLE_OWNER = 2,
    GW_ROLE_AUDITOR = 4,
    GW_ROLE_OPERATOR = 8,
    GW_ROLE_GATEWAY = 16
} gw_role;
unsigned gw_roles_parse(const char *list);           // "owner,operator"; 0 on an unknown word
void gw_roles_format(unsigned roles, char text[80]); // in the order above; "none" for 0

typedef struct {
    char ids[GW_SIGNERS_MAX][GW_ID_HEX];
    size_t count;
} gw_signers; // the `by` lines

typedef struct {
    gw_entry_kind kind;
    uint64_t seq;
    int64_t time;
    gw_signers by;
    union {
        struct {
            char origin[128];
            char log_key[256];
            gw_hash witnesses;
        } genesis;
        struct {
            char principal[GW_ID_HEX];
            char action[8]; // add grant revoke
            unsigned roles;
        } principal;
        struct {
            char principal[GW_ID_HEX];
            char action[8];                // add revoke
            char key_kind[8];              // sign token tls
            char key[65];                  // hex
            int64_t not_before, not_after; // 0 = none
        } key;
        struct {
            char population[GW_DATASET_MAX];
            uint64_t total, window_days, window_total; // window_days 0 = no window
            uint64_t delta;                            // 0: pure accounting; else zcdp
            uint64_t selection_delta;                  // granted to questions that select unknown keys; 0 = none
        } population;
        struct {
            char dataset[GW_DATASET_MAX], population[GW_DATASET_MAX];
            uint64_t version;
            gw_hash file;
            uint64_t total, principal_total, window_days, window_total, question_min,
                question_max;                // 0 = none for principal_total, window_days
            uint64_t delta, selection_delta; // as of a population
            uint64_t supersedes;             // seq or GW_NO_SEQ
        } policy;
        struct {
            char dataset[GW_DATASET_MAX];
            char version[GW_ID_HEX];
            gw_hash seal;
        } data;
        struct {
            char dataset[GW_DATASET_MAX], population[GW_DATASET_MAX];
            uint64_t policy; // seq
            char data[GW_ID_HEX], principal[GW_ID_HEX], idem[GW_ID_HEX];
            gw_hash request, question;
            uint64_t window; // id: start of the window as days since 1970 / window_days; 0 where none
            uint64_t cost;
            uint64_t delta;                                                          // of selection; 0 = none
            uint64_t spent_dataset, spent_population, spent_principal, spent_window; // after this charge
            uint64_t rho;                                         // 0 where dataset and population are accounted pure
            uint64_t spent_rho_dataset, spent_rho_population;     // after it, where rho is not 0
            uint64_t spent_delta_dataset, spent_delta_population; // after it, where delta is not 0
        } charge;
        struct {
            uint64_t charge; // seq
            char release[GW_RELEASE_ID_MAX];
            gw_hash answer;
            int64_t visible;
        } release;
        struct {
            uint64_t charge;
            char why[48];
        } abandon;
        struct {
            char principal[GW_ID_HEX];
            int64_t from, to;
            char counts[512]; // "code=3 other=1": codes rising, no count of 0
        } refusals;
        struct {
            char code[48];
        } incident;
        struct {
            char release[GW_RELEASE_ID_MAX];
            int64_t until; // not shown to others before
        } embargo;
        struct {
            char release[GW_RELEASE_ID_MAX];
        } withdraw; // not shown to anybody from here on
        struct {
            gw_hash file; // SHA-256 of the quorum policy in force from here on (a tlog-policy)
        } witnesses;
        struct {
            char old_key[256], new_key[256]; // vkeys of the log
        } keyrot;
        struct {
            uint64_t from; // entries that were recovered: this entry's own number
            uint64_t lost; // entries that are known to have followed and are gone: they count as spent
        } restore;
        struct {
            int64_t sure; // what was known for sure; this entry's own time is what its signer answers for
        } clock;
    };
} gw_entry;

const char *gw_entry_kind_name(gw_entry_kind kind);
bool gw_entry_has_signers(gw_entry_kind kind); // its last lines are `by` lines: somebody answers for it
void gw_entry_encode(const gw_entry *entry, gw_buffer *buffer);
// Accepts exactly what encode writes. Code: bad_entry, with the line that is wrong.
GW_MUST_CHECK gw_status gw_entry_decode(gw_bytes bytes, gw_entry *ret, gw_problem *ret_problem);
