// SPDX-License-Identifier: Apache-2.0
// What happened in a log, beyond balances: who may do what, what they signed and changed, what was refused, given up or
// kept back, and when nothing happened. Computed from the entries and nothing else; whether these may be believed is
// said by service/audit/verify.h.
// Thread safety: one owner.   Depends on: service/audit/entry.h.
#pragma once
#include "service/audit/entry.h"

#define GW_FACT_NONE SIZE_MAX
#define GW_FACT_KINDS (GW_ENTRY_CLOCK + 1)

// An entry that somebody answers for, an incident, or the log's beginning.
typedef struct {
    gw_entry entry;
    unsigned roles[GW_SIGNERS_MAX]; // of its signers, when it was written
    size_t before;                  // of a policy or a population: the fact that held until then, or GW_FACT_NONE
} gw_fact;

typedef struct {
    char id[GW_ID_HEX];
    unsigned roles; // now; 0 = none any more
    uint64_t since; // entry that gave them
    uint64_t signed_entries, keys, charges, charged;
} gw_fact_person;

typedef struct {
    char id[GW_ID_HEX];
    char code[48];
    uint64_t count;
} gw_fact_refusal;

typedef struct {
    char dataset[GW_DATASET_MAX];
    uint64_t charges, charged;         // in all; a restore may count more as spent
    uint64_t new_charges, new_charged; // in entries from `since` on
    uint64_t abandoned, open;
} gw_fact_dataset;

typedef struct {
    char why[48];
    uint64_t count;
} gw_fact_cause;

typedef struct {
    uint64_t after; // entry
    int64_t from, to;
} gw_fact_silence;

typedef struct {
    uint64_t seq, cost;
    int64_t time;
    size_t dataset;
    bool has_outcome;
} gw_fact_charge;

#define GW_FACT_LIST(type)                                                                                             \
    struct {                                                                                                           \
        type *items;                                                                                                   \
        size_t count, capacity;                                                                                        \
    }

typedef struct {
    uint64_t since; // entries from here on are new to the reader
    uint64_t entries, by_kind[GW_FACT_KINDS], new_by_kind[GW_FACT_KINDS];
    GW_FACT_LIST(gw_fact) facts; // in the log's order
    uint64_t facts_left_out;     // past a bound on memory
    GW_FACT_LIST(gw_fact_person *) people;
    GW_FACT_LIST(gw_fact_refusal *) refusals;
    GW_FACT_LIST(gw_fact_dataset) datasets;
    GW_FACT_LIST(gw_fact_cause) causes; // why charges were abandoned
    GW_FACT_LIST(gw_fact_charge) charges;
    GW_FACT_LIST(gw_fact_silence) silences; // longer than a day
    uint64_t silences_left_out, open_charges, charges_at_night, charges_at_weekends;
    gw_fact_silence longest;
    int64_t first_time, last_time;
    void *people_index, *refusals_index; // tsearch(3)
    bool is_whole;                       // false: there was no memory for everything
} gw_facts;

void gw_facts_init(gw_facts *facts, uint64_t since); // since: UINT64_MAX where nothing is new
void gw_facts_done(gw_facts *facts);
// One entry after the other, in order. A callback of gw_audit_verify; `facts` is a gw_facts.
void gw_facts_add(void *facts, const gw_entry *entry);
