// SPDX-License-Identifier: Apache-2.0
// From a quote's id back to its question. An id that was never given, was forgotten, or is somebody else's gets one and
// the same refusal, so that ids cannot be probed.
#include "service/query/facts.h"

#include <string.h>

static gw_status refuse_unknown(gw_problem *ret_problem) {
    return gw_problem_set(ret_problem, GW_NOT_FOUND, "quote_unknown", "There is no such quote of yours.",
                          "Quotes are kept for an hour, in memory, and only for whoever was given them.",
                          "Ask for the price again: godwit cost");
}

static gw_status refuse_expired(gw_problem *ret_problem) {
    return gw_problem_set(ret_problem, GW_DENIED, "quote_expired", "This quote has expired.", "A quote holds one hour.",
                          "Ask for the price again: godwit cost");
}

gw_status gw_facts_quote_stale(gw_problem *ret_problem) {
    return gw_problem_set(ret_problem, GW_CONFLICT, "quote_stale", "This quote no longer fits.",
                          "The dataset's policy or data changed since the price was named.",
                          "Ask for the price again: godwit cost");
}

static gw_status quoted_decode(const gw_facts *facts, gw_bytes body, gw_json **ret_json, gw_question *ret_question,
                               gw_problem *ret_problem) {
    gw_json_limits limits = GW_JSON_REQUEST;
    limits.size_max = GW_QUOTE_BYTES_OF_PRINCIPAL_MAX;
    gw_status status = gw_json_parse(body, limits, ret_json, ret_problem);
    return status == GW_OK ? gw_question_decode(*ret_json, facts->arena, ret_question, ret_problem) : status;
}

static bool is_as_priced(const gw_facts *facts, const gw_quote *quote, const gw_question *question) {
    gw_policy_in_force in_force;
    gw_store_data data;
    gw_problem ignored = {0};
    if (gw_query_policy(facts->worker, question->dataset, &in_force, &ignored) != GW_OK)
        return false;
    bool has_data = gw_store_data_current(facts->reader, in_force.policy->dataset, &data) == GW_OK;
    return in_force.row.seq == quote->policy && strcmp(has_data ? data.version : "", quote->data) == 0;
}

gw_status gw_facts_quoted(const gw_facts *facts, gw_quote *ret_quote, gw_buffer *ret_body, gw_json **ret_json,
                          gw_question *ret_question, gw_problem *ret_problem) {
    gw_status status = facts->who->is_known ? gw_quote_find(facts->quotes, facts->question->quote,
                                                            facts->who->principal, facts->now, ret_quote, ret_body)
                                            : GW_NOT_FOUND;
    if (status == GW_NOT_FOUND)
        return refuse_unknown(ret_problem);
    if (status == GW_UNAVAILABLE)
        return refuse_expired(ret_problem);
    if (status == GW_OK)
        status = quoted_decode(facts, gw_buffer_bytes(ret_body), ret_json, ret_question, ret_problem);
    if (status != GW_OK)
        return gw_problem_set(ret_problem, status, "internal", "A quote could not be read.", "",
                              "Ask for the price again: godwit cost");
    return is_as_priced(facts, ret_quote, ret_question) ? GW_OK : gw_facts_quote_stale(ret_problem);
}
