// SPDX-License-Identifier: Apache-2.0
// One query on its way: what the steps fill in, in the order they do. Nobody outside this room includes it.
// Thread safety: one thread per query.   Depends on: shared.h, plan.h, wire.
#pragma once
#include "privacy/mechanism/selection.h"
#include "service/query/facts.h"
#include "service/query/plan.h"
#include "service/query/shared.h"

typedef struct gw_query {
    gw_query_worker *worker;
    gw_queries *queries;
    gw_rules *rules; // in force when it began, and for it to its end
    gw_bytes bytes;
    int64_t now;
    int64_t charge_time; // what a charge made now would bear: windows go by it
    gw_arena *arena;
    gw_problem problem;
    bool is_answered; // the document is ready: no further step runs
    bool is_charged;  // the charge stands: failures are constant from here on
    bool in_flight;
    bool is_repeat;
    bool is_decoded;   // `question` is filled in
    bool is_denied;    // the roles allow no new question; `problem` says why
    bool is_free_work; // what it takes is counted, unless it is charged
    int64_t began_us;  // processor time of the thread, where is_free_work
    bool is_witness;   // it brought the proof that the log was set back: it is told so
    // 1, 2
    gw_request_message message;
    bool has_message;
    gw_identity who;
    gw_json *json;
    gw_question question;
    gw_json *quoted_json; // owns the texts of a question that came by its quote; or NULL
    gw_quote quoted;      // what was priced; id "" where the question did not come by a quote in memory
    // 3
    gw_policy_in_force in_force;
    gw_store_data data;
    gw_plan plan;
    gw_buffer canonical;
    gw_hash question_hash;
    // 4 .. 9
    gw_store_charge charge;
    gw_exact_table *exact;
    gw_released_table *released;
    gw_exact_keys *exact_keys; // unknown keys: instead of the two tables
    gw_released_keys *released_keys;
    const gw_laws *laws; // held from recall to the end
    gw_buffer document;  // the answer's bytes, or a document of facts
    gw_buffer receipt, account;
} gw_query;

// step_ask.c: nothing here sees private data; a refusal is free and says why.
gw_status gw_query_step_authenticate(gw_query *query);
gw_status gw_query_step_decode(gw_query *query);
gw_status gw_query_step_facts(gw_query *query); // answers all that is not a query
gw_facts gw_query_facts(gw_query *query);
gw_status gw_query_step_authorize(gw_query *query);
gw_status gw_query_step_recall(gw_query *query);
// step_seen.c: what the asker has seen of the log, and what may be said of it.
gw_status gw_query_step_seen(gw_query *query);
gw_status gw_query_checkpoint(gw_query *query);                                         // kind checkpoint
gw_status gw_query_write_consistency(gw_query *query, const gw_checkpoint *checkpoint); // into the account
// step_limit.c: before a signature is checked, and before free work begins.
gw_status gw_query_step_admit(gw_query *query);
gw_status gw_query_admit_key(gw_query *query); // once the message is read
gw_status gw_query_step_limit(gw_query *query);
void gw_query_worked(gw_query *query); // when it is over
int64_t gw_query_clock_ms(void);       // goes forward only
// step_quote.c: `question.quote` becomes the question it stands for.
gw_status gw_query_resolve_quote(gw_query *query);
// dummy.c
gw_status gw_query_dummy(gw_query *query);
// step_charge.c: from the charge on nothing is refunded and every failure is the same.
gw_status gw_query_step_reserve(gw_query *query);
gw_status gw_query_step_measure(gw_query *query);
gw_status gw_query_step_protect(gw_query *query);
gw_status gw_query_step_seal(gw_query *query);
// step_reply.c
gw_status gw_query_step_reply(gw_query *query);

// What several steps share.
gw_status gw_query_plan(gw_query *query); // policy in force, plan, grants; a denial is kept in is_denied
gw_status gw_query_name(gw_query *query); // the canonical text for data.version, and its hash
gw_status gw_query_hold_laws(gw_query *query);
gw_status gw_query_within_max_cost(gw_query *query);
bool gw_query_is_request_of(const gw_query *query, const gw_store_charge *charge); // the same bytes
gw_status gw_query_idem_conflict(gw_query *query);
gw_status gw_query_answer_stored(gw_query *query);
// Releases what was measured, and wipes it, also where that failed.
gw_status gw_query_protect_measured(gw_query *query, gw_random_source source);
gw_status gw_query_failed_after_charge(gw_query *query, uint64_t cost);
gw_status gw_query_failed_for_good(gw_query *query, uint64_t cost);
