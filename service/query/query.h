// SPDX-License-Identifier: Apache-2.0
// The path of one query, one way: authenticate, compare what was seen of the log, decode, authorize, recall, plan,
// reserve, measure, protect, seal, reply. Steps before `reserve` never see private data; after it nothing is refunded
// and every failure has one constant reply. Thread safety: gw_query_handle may run on any number of threads, each with
// its own gw_query_worker. Depends on: auth, policy, engine, ledger, release, store, wire.
#pragma once
#include "service/auth/identity.h"
#include "service/engine/engine.h"
#include "service/ledger/ledger.h"
#include "service/policy/indicator.h"
#include "service/query/incidents.h"
#include "service/query/rates.h"
#include "service/wire/question.h"

typedef struct gw_queries gw_queries;           // what all workers share
typedef struct gw_query_worker gw_query_worker; // one per thread

// A change asked by an owner or operator, after authentication: appends the reply document or fills the problem.
typedef gw_status (*gw_admin_handler)(void *state, gw_query_worker *worker, const gw_identity *who, const gw_json *json,
                                      const gw_json_node *body, gw_buffer *ret_document, gw_problem *ret_problem);

typedef struct {
    gw_ledger *ledger;              // borrowed
    gw_engine *engine;              // borrowed; NULL: questions are refused (not_serving)
    const gw_catalogue *catalogue;  // borrowed; until gw_queries_reload gives another
    const gw_secret_key *reply_key; // borrowed
    const char *state_folder;       // holds data/
    const char *codelist_folder;
    const char *origin;
    unsigned
        release_tick_ms; // 0: an answer leaves when it is ready; otherwise at a slot fixed by plan and public sizes
    int64_t
        started; // unix seconds; changes signed before it are refused, for what was made then is not remembered; 0: off
    gw_admin_handler admin;
    bool (*admin_is_reading)(const gw_json_node *body); // the action only reads: it is not remembered against replay
    void *admin_state;
} gw_query_options;

GW_MUST_CHECK gw_status gw_queries_new(const gw_query_options *options, gw_queries **ret, gw_problem *ret_problem);
// New indicators and another tick for queries that begin from now on; those under way end as they began. Takes
// `catalogue` when it returns GW_OK; otherwise nothing has changed.
GW_MUST_CHECK gw_status gw_queries_reload(gw_queries *queries, gw_catalogue *catalogue, unsigned release_tick_ms);
// GW_OK while questions may be answered. GW_CORRUPT, code rolled_back: the log was proven to be set back; nothing is
// answered from then on, and the process should end with exit code 78.
GW_MUST_CHECK gw_status gw_queries_check(gw_queries *queries, gw_problem *ret_problem);
void gw_queries_limit(gw_queries *queries, gw_rate_limits limits); // none until then
void gw_queries_report(gw_queries *queries, gw_incident incident); // for the log, with the next tick
// Hands counts of refusals and incidents that are due to the ledger, a bounded number at a time; all of them when
// closing. From one thread.
void gw_queries_tick(gw_queries *queries, bool is_closing);
void gw_queries_free(gw_queries *queries); // after the last worker; accepts NULL
GW_MUST_CHECK gw_status gw_query_worker_new(gw_queries *queries, gw_query_worker **ret, gw_problem *ret_problem);
void gw_query_worker_free(gw_query_worker *worker); // accepts NULL
// Where the next request comes from, as far as the transport can tell: limits count by it. "": not known.
#define GW_QUERY_PEER_MAX 64
void gw_query_worker_peer(gw_query_worker *worker, const char *address);

// Answers one message: appends a whole signed reply, always.
void gw_query_handle(gw_query_worker *worker, gw_bytes request, gw_buffer *reply);
// The reply for a request that found no room: constant but for the request's hash.
void gw_query_busy(gw_queries *queries, gw_bytes request, gw_buffer *reply);

gw_store_reader *gw_query_reader(gw_query_worker *worker);
// The policy in force for a dataset, parsed and kept; NULL with a problem (unknown_dataset).
typedef struct {
    const gw_policy *policy; // owned by the queries, lives as long as they do
    gw_store_policy row;
    gw_hash layout;
} gw_policy_in_force;
GW_MUST_CHECK gw_status gw_query_policy(gw_query_worker *worker, const char *dataset, gw_policy_in_force *ret,
                                        gw_problem *ret_problem);
// <state>/data/<dataset>/<version>.duckdb and .layout
void gw_query_snapshot_path(const gw_queries *queries, const char *dataset, const char *version, const char *suffix,
                            char *ret_path, size_t size);
