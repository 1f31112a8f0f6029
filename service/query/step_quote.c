// SPDX-License-Identifier: Apache-2.0
// A query that is only a quote's id becomes the question it stands for, before it is authorized like any other. What
// was charged for this very request comes from the ledger, where it also is when the quote is gone.
#include "service/query/canonical_read.h"
#include "service/query/facts.h"
#include "service/query/steps.h"

#include <string.h>

typedef struct {
    uint64_t charge_seq;
    gw_buffer *text;
} text_search;

static gw_status text_keep(void *state, uint64_t charge_seq, gw_hash question, gw_bytes text) {
    (void)question;
    text_search *search = state;
    if (charge_seq == search->charge_seq)
        gw_buffer_append(search->text, text.data, text.size);
    return GW_LIMIT; // one is enough
}

static gw_status quote_from_charge(gw_query *query, const gw_store_charge *charge) {
    gw_buffer text;
    gw_buffer_init(&text, GW_CANONICAL_BYTES_MAX);
    text_search search = {charge->seq, &text};
    gw_status status = gw_store_questions(query->worker->reader, charge->seq, text_keep, &search);
    if (text.size > 0)
        status = gw_canonical_read(gw_buffer_bytes(&text), query->arena, &query->quoted_json, &query->question,
                                   &query->problem);
    else
        status = status == GW_OK ? GW_NOT_FOUND : status;
    gw_buffer_done(&text);
    if (status == GW_OK)
        return GW_OK;
    return gw_problem_set(&query->problem, status, "internal", "A stored question could not be read.", "",
                          "Ask the operator.");
}

// The price that was quoted is the most that is paid, unless the asker allows less.
static gw_status quote_from_memory(gw_query *query) {
    const char *id = query->question.quote;
    bool has_max_cost = query->question.has_max_cost;
    gw_epsilon max_cost = query->question.max_cost;
    gw_facts facts = gw_query_facts(query);
    gw_question question;
    gw_buffer body;
    gw_buffer_init(&body, GW_QUOTE_BYTES_OF_PRINCIPAL_MAX);
    gw_status status = gw_facts_quoted(&facts, &query->quoted, &body, &query->quoted_json, &question, &query->problem);
    gw_buffer_done(&body);
    if (status != GW_OK)
        return status;
    query->question = question;
    query->question.quote = id;
    query->question.has_max_cost = true;
    query->question.max_cost =
        has_max_cost && max_cost.micro < query->quoted.price.micro ? max_cost : query->quoted.price;
    return GW_OK;
}

gw_status gw_query_resolve_quote(gw_query *query) {
    gw_store_charge charge;
    if (query->who.is_known &&
        gw_store_charge_by_idem(query->worker->reader, query->who.principal, query->message.idem, &charge) == GW_OK) {
        if (!gw_query_is_request_of(query, &charge))
            return gw_query_idem_conflict(query);
        gw_status status = gw_query_policy(query->worker, charge.dataset, &query->in_force, &query->problem);
        return status == GW_OK ? quote_from_charge(query, &charge) : status;
    }
    return quote_from_memory(query);
}
