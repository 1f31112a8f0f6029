// SPDX-License-Identifier: Apache-2.0
// A small ledger for tests: a temporary folder, a log key from a fixed seed, an owner, a researcher, one population,
// one dataset with a policy and a data version. Every id is made from a small number, so that tests read well.
#pragma once
#include "service/audit/signing.h"
#include "service/store/store.h"

#define FIXTURE_ORIGIN "stats.example/ledger1"
#define FIXTURE_DATASET "nso.example/register"
#define FIXTURE_POPULATION "nso.example/residents"
#define FIXTURE_OWNER 1
#define FIXTURE_RESEARCHER 2
#define FIXTURE_NOW 1790000000 // 2026-09-21

typedef struct {
    char folder[64];
    char database[96];
    uint64_t policy; // seq in force
    uint64_t version;
    char data[GW_ID_HEX];
} ledger_fixture;

typedef struct {
    uint64_t total, principal_total, window_days, window_total, population_total, population_window_days,
        population_window_total, question_min, question_max;
    uint64_t delta, selection_delta, population_delta, population_selection_delta;
} fixture_budget;
#define FIXTURE_EPSILON 1000000ull // micro-epsilon
extern const fixture_budget fixture_budget_large;

void fixture_id(uint64_t number, char ret[GW_ID_HEX]);
gw_hash fixture_hash(const char *text);
gw_secret_key *fixture_key(void);
gw_entry fixture_genesis(void);

void fixture_folder(ledger_fixture *fixture); // makes the folder only
void fixture_create(ledger_fixture *fixture); // and a ledger with its genesis
// A signer in this process, with fixture_key, whose files are in <folder>/keys; for gw_ledger_options, which takes it.
gw_tree_signer fixture_signer(const char *folder);
gw_status fixture_signer_open(const char *folder, gw_tree_signer *ret, gw_problem *ret_problem);
void fixture_remove(ledger_fixture *fixture);

// Operations, ready to be committed. Texts they borrow are static or inside the op.
gw_store_op fixture_principal(uint64_t number, unsigned roles, uint64_t by);
gw_store_op fixture_population(const fixture_budget *budget);
gw_store_op fixture_policy(const ledger_fixture *fixture, const fixture_budget *budget);
gw_store_op fixture_data(uint64_t number);
gw_store_op fixture_reserve(const ledger_fixture *fixture, uint64_t principal, uint64_t idem, uint64_t cost);
gw_store_op fixture_seal(uint64_t charge, const char *answer);
gw_store_op fixture_abandon(uint64_t charge);
gw_store_op fixture_resume(uint64_t charge);

// Appends principal, population, policy and data through `submit`; asserts that each is taken.
typedef gw_status (*fixture_submit)(void *state, gw_store_op *op);
void fixture_settle(ledger_fixture *fixture, const fixture_budget *budget, fixture_submit submit, void *state);
// Population and policy again, with other budgets.
void fixture_rebudget(ledger_fixture *fixture, const fixture_budget *budget, fixture_submit submit, void *state);
gw_status fixture_commit(void *store, gw_store_op *op); // a fixture_submit on a gw_store at FIXTURE_NOW
