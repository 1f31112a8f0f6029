// SPDX-License-Identifier: Apache-2.0
// One query through a table of steps, one loop, one place that refuses. Before `reserve` a refusal is free and says
// why; after it the charge stands and every failure is the same constant reply.
#include "service/query/steps.h"

#include "service/base/log.h"
#include "service/query/plan_size.h"
#include "service/wire/receipt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ARENA_BYTES_MAX (64u << 20)
#define DOCUMENT_BYTES_MAX (3 * GW_ANSWER_BYTES_MAX) // integers of 40 digits, where public sizes let expect 5
#define ACCOUNT_BYTES_MAX 16384                      // a proof of 63 hashes, or a signed note

// ---- the table and the loop

typedef struct {
    const char *name;
    gw_status (*run)(gw_query *query);
    bool runs_when_answered;
} query_step;

static const query_step steps[] = {
    {"admit", gw_query_step_admit, false},         {"authenticate", gw_query_step_authenticate, false},
    {"seen", gw_query_step_seen, false},           {"decode", gw_query_step_decode, false},
    {"limit", gw_query_step_limit, false},         {"facts", gw_query_step_facts, false},
    {"authorize", gw_query_step_authorize, false}, {"recall", gw_query_step_recall, false},
    {"reserve", gw_query_step_reserve, false},     {"measure", gw_query_step_measure, false},
    {"protect", gw_query_step_protect, false},     {"seal", gw_query_step_seal, false},
    {"reply", gw_query_step_reply, true},
};

static gw_reply_status reply_status(gw_status status) {
    if (status == GW_OK)
        return GW_REPLY_OK;
    if (status == GW_RETRY)
        return GW_REPLY_RETRY;
    return status == GW_BUSY ? GW_REPLY_BUSY : GW_REPLY_REFUSED;
}

static void write_reply(gw_queries *queries, const gw_query *query, gw_status status, gw_buffer *reply) {
    gw_buffer refusal;
    gw_buffer_init(&refusal, 65536);
    gw_reply_message message = {.status = reply_status(status)};
    if (query->has_message)
        message.request = gw_sha256(query->message.signed_bytes);
    if (status == GW_OK) {
        message.answer = gw_buffer_bytes(&query->document);
        message.receipt = gw_buffer_bytes(&query->receipt);
        message.account = gw_buffer_bytes(&query->account);
    } else {
        gw_problem_encode(&query->problem, &refusal);
        message.answer = gw_buffer_bytes(&refusal);
        if (query->is_witness)
            message.account = gw_buffer_bytes(&query->account);
    }
    gw_reply_message_encode(&message, queries->options.reply_key, reply);
    gw_buffer_done(&refusal);
}

static void query_done(gw_query *query) {
    if (query->in_flight)
        gw_flight_end(query->queries->flights, query->question_hash);
    gw_store_reader_end(query->worker->reader);
    gw_laws_drop(query->queries->laws, query->laws);
    gw_exact_table_free(query->exact);
    gw_released_free(query->released);
    gw_exact_keys_free(query->exact_keys);
    gw_released_keys_free(query->released_keys);
    gw_json_free(query->json);
    gw_json_free(query->quoted_json);
    gw_buffer_done(&query->canonical);
    gw_buffer_done(&query->document);
    gw_buffer_done(&query->receipt);
    gw_buffer_done(&query->account);
    gw_arena_free(query->arena);
    gw_rules_drop(query->rules);
}

// ---- the operator's log

// How long the request took, rounded up to the release tick, which is what the asker sees too. Without a tick nothing
// is said: the exact time of a measurement depends on the data.
static void took_format(const gw_query *query, int64_t began_ms, char ret_text[24]) {
    int64_t tick = (int64_t)query->rules->release_tick_ms;
    if (tick == 0)
        snprintf(ret_text, 24, "-");
    else
        snprintf(ret_text, 24, "%" PRId64, (gw_query_clock_ms() - began_ms) / tick * tick + tick);
}

static const char *status_name(gw_reply_status status) {
    switch (status) {
    case GW_REPLY_OK:
        return "ok";
    case GW_REPLY_REFUSED:
        return "refused";
    case GW_REPLY_RETRY:
        return "retry";
    case GW_REPLY_BUSY:
        return "busy";
    }
    return "-";
}

// One line for each request, without a word of its question: `request` begins the hash that the reply carries, by which
// an operator finds what a client complains of. A dataset that does not exist is a word of the asker's, and stays out.
static void log_request(const gw_query *query, gw_status status, const char *at, int64_t began_ms) {
    char hash[GW_HASH_HEX] = "-", took[24];
    bool is_ping = query->is_decoded && query->question.kind == GW_KIND_PING;
    bool is_limited = status == GW_LIMIT && strcmp(query->problem.code, "rate_limited") == 0; // said once for many
    gw_log_level level = is_ping || is_limited ? GW_LOG_DEBUG : GW_LOG_INFO;
    bool has_dataset =
        query->is_decoded && query->question.dataset && strcmp(query->problem.code, "unknown_dataset") != 0;
    if (query->has_message) {
        gw_hash request = gw_sha256(query->message.signed_bytes);
        gw_hex((gw_bytes){request.bytes, GW_HASH_SIZE}, hash);
        hash[GW_REQUEST_SHORT] = '\0';
    }
    took_format(query, began_ms, took);
    gw_log(level, "request", "request", hash, "idem", query->has_message ? query->message.idem : "-", "principal",
           query->who.is_known ? query->who.principal : "-", "kind",
           query->is_decoded ? gw_question_kind_name(query->question.kind) : "-", "dataset",
           has_dataset ? query->question.dataset : "-", "status", status_name(reply_status(status)), "step", at, "code",
           status == GW_OK ? "" : query->problem.code, "ms", took, NULL);
}

// What a rule said no to, of somebody who proved who they are. Mistakes in a question, and the asker's own max_cost,
// are nobody else's business.
static void count_refusal(const gw_query *query, gw_status status) {
    bool is_question = query->question.kind == GW_KIND_QUERY || query->question.kind == GW_KIND_COST;
    bool is_rule = status == GW_DENIED || status == GW_BUDGET ||
                   (status == GW_LIMIT && strcmp(query->problem.code, "rate_limited") == 0);
    bool is_own = strcmp(query->problem.code, "stale_request") == 0 || strcmp(query->problem.code, "max_cost") == 0;
    if (query->who.is_known && query->is_decoded && is_question && is_rule && !is_own)
        gw_refusals_count(query->queries->refusals, query->who.principal, query->problem.code, query->now);
}

// Nothing is charged, measured or answered by a service whose log was set back.
static gw_status may_go_on(gw_query *query, gw_status (*run)(gw_query *query)) {
    if (gw_rollback_is_proven(query->queries->rollback))
        return gw_problem_set(&query->problem, GW_UNAVAILABLE, "rolled_back",
                              "The service has stopped: its log was set back.",
                              "A signed checkpoint shows more entries than it holds. Nothing was charged now.",
                              "Its operator restores the ledger; ask again then.");
    return run == NULL ? GW_OK : run(query);
}

void gw_query_handle(gw_query_worker *worker, gw_bytes request, gw_buffer *reply) {
    int64_t began_ms = gw_query_clock_ms();
    gw_query query = {.worker = worker,
                      .queries = worker->queries,
                      .rules = gw_queries_rules(worker->queries),
                      .bytes = request,
                      .arena = gw_arena_new(ARENA_BYTES_MAX)};
    gw_buffer_init(&query.canonical, 1u << 20);
    gw_buffer_init(&query.document, DOCUMENT_BYTES_MAX);
    gw_buffer_init(&query.receipt, GW_RECEIPT_MAX);
    gw_buffer_init(&query.account, ACCOUNT_BYTES_MAX);
    query.now = gw_ledger_now(worker->queries->options.ledger);
    query.charge_time = gw_ledger_clock_now(worker->queries->options.ledger).stamp;
    gw_status status =
        query.arena ? GW_OK : gw_problem_set(&query.problem, GW_BUSY, "busy", "The service is busy.", "", "Ask again.");
    gw_store_reader_begin(worker->reader);
    const char *at = "receive";
    for (size_t i = 0; status == GW_OK && i < sizeof steps / sizeof steps[0]; i++) {
        if (query.is_answered && !steps[i].runs_when_answered)
            continue;
        at = steps[i].name;
        status = may_go_on(&query, steps[i].run);
    }
    if (status == GW_OK)
        status = may_go_on(&query, NULL); // it may have become known while this was on its way
    if (status != GW_OK && query.is_charged && status != GW_RETRY && status != GW_BUSY &&
        strcmp(query.problem.code, "answer_failed") != 0)
        status = gw_query_failed_after_charge(&query, query.charge.cost);
    count_refusal(&query, status);
    gw_query_worked(&query);
    log_request(&query, status, at, began_ms);
    write_reply(worker->queries, &query, status, reply);
    query_done(&query);
}

void gw_query_busy(gw_queries *queries, gw_bytes request, gw_buffer *reply) {
    gw_query query = {.queries = queries};
    query.has_message = gw_request_message_decode(request, &query.message, &query.problem) == GW_OK;
    gw_status status =
        gw_problem_set(&query.problem, GW_BUSY, "busy", "The service is busy.",
                       "Its queue is full; nothing was charged now.", "Ask again with the same request id.");
    write_reply(queries, &query, status, reply);
}
