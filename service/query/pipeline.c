// SPDX-License-Identifier: Apache-2.0
// One query through a table of steps, one loop, one place that refuses. Before `reserve` a refusal is free and says
// why; after it the charge stands and every failure is the same constant reply.
#include "service/query/steps.h"

#include "service/base/log.h"
#include "service/wire/receipt.h"

#include <string.h>

#define ARENA_BYTES_MAX (64u << 20)
#define DOCUMENT_BYTES_MAX (64u << 20)

// ---- the table and the loop

typedef struct {
    const char *name;
    gw_status (*run)(gw_query *query);
    bool runs_when_answered;
} query_step;

static const query_step steps[] = {
    {"authenticate", gw_query_step_authenticate, false},
    {"decode", gw_query_step_decode, false},
    {"facts", gw_query_step_facts, false},
    {"authorize", gw_query_step_authorize, false},
    {"recall", gw_query_step_recall, false},
    {"reserve", gw_query_step_reserve, false},
    {"measure", gw_query_step_measure, false},
    {"protect", gw_query_step_protect, false},
    {"seal", gw_query_step_seal, false},
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
    gw_json_free(query->json);
    gw_buffer_done(&query->canonical);
    gw_buffer_done(&query->document);
    gw_buffer_done(&query->receipt);
    gw_buffer_done(&query->account);
    gw_arena_free(query->arena);
}

void gw_query_handle(gw_query_worker *worker, gw_bytes request, gw_buffer *reply) {
    gw_query query = {
        .worker = worker, .queries = worker->queries, .bytes = request, .arena = gw_arena_new(ARENA_BYTES_MAX)};
    gw_buffer_init(&query.canonical, 1u << 20);
    gw_buffer_init(&query.document, DOCUMENT_BYTES_MAX);
    gw_buffer_init(&query.receipt, GW_RECEIPT_MAX);
    gw_buffer_init(&query.account, 4096);
    query.now = gw_ledger_now(worker->queries->options.ledger);
    gw_status status =
        query.arena ? GW_OK : gw_problem_set(&query.problem, GW_BUSY, "busy", "The service is busy.", "", "Ask again.");
    gw_store_reader_begin(worker->reader);
    const char *at = "receive";
    for (size_t i = 0; status == GW_OK && i < sizeof steps / sizeof steps[0]; i++) {
        if (query.is_answered && !steps[i].runs_when_answered)
            continue;
        at = steps[i].name;
        status = steps[i].run(&query);
    }
    if (status != GW_OK && query.is_charged && status != GW_RETRY && status != GW_BUSY &&
        strcmp(query.problem.code, "answer_failed") != 0)
        status = gw_query_failed_after_charge(&query, query.charge.cost);
    gw_log(status == GW_OK ? GW_LOG_DEBUG : GW_LOG_INFO, status == GW_OK ? "answered" : "refused", "idem",
           query.has_message ? query.message.idem : "-", "step", at, "code", status == GW_OK ? "" : query.problem.code,
           NULL);
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
