// SPDX-License-Identifier: Apache-2.0
// Steps 1 to 4: who asks, what, whether they may, and whether it was answered before.
#include "service/query/steps.h"

#include "service/policy/policy_decide.h"
#include "service/query/facts.h"
#include "service/query/plan_size.h"
#include "service/query/protect.h"

#include <stdio.h>
#include <string.h>

#define ADMIN_JSON_BYTES_MAX 524288u

// ---- 1 authenticate

gw_status gw_query_step_authenticate(gw_query *query) {
    gw_status status = gw_request_message_decode(query->bytes, &query->message, &query->problem);
    if (status != GW_OK)
        return status;
    query->has_message = true;
    status = gw_query_admit_key(query);
    if (status != GW_OK)
        return status;
    return gw_identity_check(query->worker->reader, query->queries->options.origin, &query->message, query->now,
                             &query->who, &query->problem);
}

// ---- 2 decode

gw_status gw_query_step_decode(gw_query *query) {
    gw_json_limits limits = GW_JSON_REQUEST;
    if (query->who.roles & (GW_ROLE_OWNER | GW_ROLE_OPERATOR))
        limits.size_max = ADMIN_JSON_BYTES_MAX; // a policy's text travels in an admin body
    gw_status status = gw_json_parse(query->message.body, limits, &query->json, &query->problem);
    if (status != GW_OK)
        return status;
    status = gw_question_decode(query->json, query->arena, &query->question, &query->problem);
    query->is_decoded = status == GW_OK;
    return status;
}

// ---- documents of facts, and changes

static gw_status facts_ping(gw_query *query) {
    gw_checkpoint checkpoint;
    gw_buffer note;
    gw_buffer_init(&note, GW_LEDGER_NOTE_MAX);
    gw_ledger_checkpoint(query->queries->options.ledger, &checkpoint, &note);
    gw_buffer_done(&note);
    char roles[80];
    gw_roles_format(query->who.roles, roles);
    gw_buffer_text(&query->document, "{\"v\":1");
    gw_json_write_member(&query->document, "origin", query->queries->options.origin);
    gw_json_write_member(&query->document, "version", GW_VERSION);
    gw_json_write_integer(&query->document, "log_size", (int64_t)checkpoint.size);
    gw_json_write_integer(&query->document, "time", query->now);
    gw_json_write_member(&query->document, "principal", query->who.is_known ? query->who.principal : NULL);
    gw_json_write_member(&query->document, "roles", roles);
    gw_buffer_text(&query->document, "}");
    return GW_OK;
}

static gw_status admin_may(gw_query *query) {
    if (!(query->who.roles & (GW_ROLE_OWNER | GW_ROLE_OPERATOR)))
        return gw_problem_set(&query->problem, GW_DENIED, "denied_role", "This change is for owners and operators.",
                              "Your roles do not allow it.", "godwit whoami");
    bool is_fresh =
        gw_identity_is_fresh(&query->message, query->now) && query->message.time >= query->queries->options.started;
    if (!is_fresh)
        return gw_problem_set(
            &query->problem, GW_DENIED, "stale_request", "This request was signed too long ago.",
            "A change is accepted within 300 seconds of its time, and not from before the service started.",
            "Check the clock, then sign and send it again.");
    return GW_OK;
}

static gw_status admin_run(gw_query *query) {
    const gw_query_options *options = &query->queries->options;
    gw_store_reader_end(query->worker->reader); // a change reads what it has just written
    return options->admin(options->admin_state, query->worker, &query->who, query->json, query->question.admin,
                          &query->document, &query->problem);
}

static gw_status admin_make(gw_query *query) {
    gw_status status = admin_run(query);
    gw_replay_end(query->queries->replays, &query->message, status == GW_OK, gw_buffer_bytes(&query->document));
    return status;
}

static gw_status facts_admin(gw_query *query) {
    gw_status status = admin_may(query);
    if (status != GW_OK)
        return status;
    if (query->queries->options.admin_is_reading(query->question.admin))
        return admin_run(query); // changes nothing: need not be remembered
    switch (gw_replay_begin(query->queries->replays, &query->message, query->now, &query->document)) {
    case GW_REPLAY_NEW:
        return admin_make(query);
    case GW_REPLAY_SAME:
        return GW_OK;
    case GW_REPLAY_OTHER:
        return gw_problem_set(&query->problem, GW_CONFLICT, "idem_conflict",
                              "This request id was used for another change.", "One request id stands for one request.",
                              "Send it with a new request id.");
    case GW_REPLAY_FULL:
        return gw_problem_set(&query->problem, GW_BUSY, "busy", "There were too many changes in the last minutes.", "",
                              "Wait ten minutes, then send it again.");
    }
    return GW_OK;
}

gw_facts gw_query_facts(gw_query *query) {
    return (gw_facts){.worker = query->worker,
                      .queries = query->queries,
                      .catalogue = query->rules->catalogue,
                      .quotes = query->queries->quotes,
                      .reader = query->worker->reader,
                      .origin = query->queries->options.origin,
                      .who = &query->who,
                      .question = &query->question,
                      .now = query->now,
                      .charge_time = query->charge_time,
                      .arena = query->arena};
}

// Everything that is not a query is answered here and ends the path.
gw_status gw_query_step_facts(gw_query *query) {
    gw_facts facts = gw_query_facts(query);
    if (query->question.kind == GW_KIND_QUERY)
        return GW_OK;
    query->is_answered = true;
    switch (query->question.kind) {
    case GW_KIND_COST:
        return gw_facts_cost(&facts, &query->document, &query->problem);
    case GW_KIND_BUDGET:
        return gw_facts_budget(&facts, &query->document, &query->problem);
    case GW_KIND_CATALOGUE:
        return gw_facts_catalogue(&facts, &query->document, &query->problem);
    case GW_KIND_DESCRIBE:
        return gw_facts_describe(&facts, &query->document, &query->problem);
    case GW_KIND_HISTORY:
        return gw_facts_history(&facts, &query->document, &query->problem);
    case GW_KIND_PING:
        return facts_ping(query);
    case GW_KIND_ADMIN:
        return facts_admin(query);
    case GW_KIND_DUMMY:
        return gw_query_dummy(query);
    case GW_KIND_CHECKPOINT:
        return gw_query_checkpoint(query);
    case GW_KIND_QUERY:
        break;
    }
    return GW_OK;
}

// ---- 3 authorize

static gw_status authorize_price(gw_query *query) {
    if (query->plan.epsilon.micro == 0)
        return gw_problem_set(&query->problem, GW_INVALID, "epsilon_needed",
                              "This question does not say what it may spend.",
                              "A query states epsilon, or a target_error to work it out from.",
                              "godwit cost … first, then --epsilon 0.05");
    return GW_OK;
}

// A price that follows from an error no price reaches is refused with what can be reached.
static gw_status authorize_target(gw_query *query, gw_status status) {
    bool is_price = status != GW_OK && status != GW_DENIED && query->in_force.policy;
    if (is_price && gw_facts_target_out_of_reach(&query->question, query->in_force.policy, query->rules->catalogue,
                                                 query->arena, &query->problem))
        return GW_INVALID;
    return status;
}

gw_status gw_query_plan(gw_query *query) {
    gw_status status = gw_query_policy(query->worker, query->question.dataset, &query->in_force, &query->problem);
    if (status == GW_OK)
        status = gw_plan_build(&query->question, query->in_force.policy, query->rules->catalogue, query->arena,
                               &query->plan, &query->problem);
    if (status == GW_OK)
        status = authorize_price(query);
    if (status == GW_OK && query->who.is_known)
        status = gw_policy_decide(query->in_force.policy, query->who.roles, query->plan.table, query->plan.statistic,
                                  query->plan.epsilon, &query->problem);
    // Who may not ask may still read what is released, as anybody may; the refusal waits for recall to find nothing.
    query->is_denied = status == GW_DENIED;
    return query->is_denied ? GW_OK : authorize_target(query, status);
}

gw_status gw_query_name(gw_query *query) {
    gw_plan_canonical(&query->plan, query->data.version, &query->canonical);
    if (query->canonical.status != GW_OK)
        return gw_problem_set(&query->problem, GW_LIMIT, "too_many", "This question is too large.", "",
                              "Ask in several smaller ones.");
    query->question_hash = gw_sha256(gw_buffer_bytes(&query->canonical));
    return GW_OK;
}

static gw_status authorize_question(gw_query *query) {
    gw_status status = query->question.quote ? gw_query_resolve_quote(query) : GW_OK;
    if (status == GW_OK)
        status = gw_query_plan(query);
    if (status != GW_OK)
        return status;
    if (gw_store_data_current(query->worker->reader, query->in_force.policy->dataset, &query->data) != GW_OK)
        return gw_problem_set(&query->problem, GW_UNAVAILABLE, "no_data", "This dataset has no data yet.",
                              "Its policy is in force, but no data version has been loaded.",
                              "Its owner runs: godwit load");
    status = gw_queries_layout_check(query->worker, &query->in_force, query->data.version, &query->problem);
    if (status == GW_OK)
        status = gw_query_name(query);
    // An indicator may have been defined anew since.
    bool is_other = query->quoted.id[0] != '\0' && !gw_hash_equal(query->quoted.question, query->question_hash);
    return status == GW_OK && is_other ? gw_facts_quote_stale(&query->problem) : status;
}

// ---- 4 recall

// After a charge nothing is said but this, whatever happened. The charge stays open to the very same request, which may
// be sent twice more; its retry status makes clients do so.
gw_status gw_query_failed_after_charge(gw_query *query, uint64_t cost) {
    query->is_charged = true;
    gw_status status =
        gw_problem_set(&query->problem, GW_RETRY, "answer_failed", "This question was charged and not answered yet.",
                       "Once data may have been read nothing is refunded, whatever happened.",
                       "Send the same request again: two more attempts cost nothing.");
    query->problem.charged = (gw_epsilon){cost};
    return status;
}

// The charge is closed without an answer, for ever.
gw_status gw_query_failed_for_good(gw_query *query, uint64_t cost) {
    query->is_charged = true;
    gw_status status =
        gw_problem_set(&query->problem, GW_UNAVAILABLE, "answer_failed", "This question was charged and not answered.",
                       "Its attempts are used up, or its data or policy changed; nothing is refunded.",
                       "Ask again with a new request id (a new charge), or tell the operator.");
    query->problem.charged = (gw_epsilon){cost};
    return status;
}

// The ledger was made again from its published log, which has the answer's hash alone. It was given once: a second draw
// would be another answer for the same charge.
static gw_status answer_lost(gw_query *query) {
    return gw_problem_set(
        &query->problem, GW_UNAVAILABLE, "answer_lost", "This request was answered, and the answer is lost.",
        "The ledger was restored from its public log, which has only the answer's hash. The charge stands.",
        "Look for the answer where it was saved; or ask again with a new request id (a new charge).");
}

gw_status gw_query_answer_stored(gw_query *query) {
    gw_status status = gw_store_answer(query->worker->reader, query->charge.seq, &query->document);
    if (status == GW_UNAVAILABLE)
        return answer_lost(query);
    if (status != GW_OK)
        return gw_problem_set(&query->problem, GW_IO, "internal", "A stored answer could not be read.", "",
                              "Ask the operator.");
    query->is_answered = true;
    query->is_repeat = true;
    return GW_OK;
}

bool gw_query_is_request_of(const gw_query *query, const gw_store_charge *charge) {
    gw_bytes salt = {charge->salt.bytes, GW_HASH_SIZE};
    return gw_hash_equal(gw_sha256_two(salt, query->message.signed_bytes), charge->request);
}

gw_status gw_query_idem_conflict(gw_query *query) {
    return gw_problem_set(&query->problem, GW_CONFLICT, "idem_conflict",
                          "This request id was used for another request.",
                          "One request id stands for one request, for ever.", "Send it with a new request id.");
}

// A restored ledger may not know the salt: then nobody can tell whether the bytes are the same, and nothing is drawn.
static bool is_salt_lost(const gw_store_charge *charge) {
    gw_hash none = {{0}};
    return gw_hash_equal(charge->salt, none);
}

// The answer was given, and is given to nobody any more.
static gw_status withdrawn(gw_query *query) {
    gw_problem_set(&query->problem, GW_UNAVAILABLE, "withdrawn", "This release was withdrawn.", "",
                   "Ask with a new request id: a new charge, and a new draw.");
    gw_problem_why(&query->problem, "The owner of %s took %s back; nothing is charged now.", query->charge.dataset,
                   query->charge.release);
    return GW_UNAVAILABLE;
}

// This request id is known: the same bytes get the same stored answer, or may take an interrupted question up again.
static gw_status recall_by_idem(gw_query *query, bool *ret_is_open) {
    if (is_salt_lost(&query->charge))
        return query->charge.state == GW_CHARGE_SEALED ? answer_lost(query)
                                                       : gw_query_failed_for_good(query, query->charge.cost);
    if (!gw_query_is_request_of(query, &query->charge))
        return gw_query_idem_conflict(query);
    switch (query->charge.state) {
    case GW_CHARGE_SEALED: // an embargo keeps it from others, not from who paid
        return query->charge.is_withdrawn ? withdrawn(query) : gw_query_answer_stored(query);
    case GW_CHARGE_ABANDONED:
        return gw_query_failed_for_good(query, query->charge.cost);
    case GW_CHARGE_RESERVED:
        *ret_is_open = true;
        return GW_OK;
    }
    return GW_OK;
}

static gw_status recall_once(gw_query *query, bool *ret_is_open) {
    gw_store_reader *reader = query->worker->reader;
    *ret_is_open = false;
    if (query->who.is_known &&
        gw_store_charge_by_idem(reader, query->who.principal, query->message.idem, &query->charge) == GW_OK)
        return recall_by_idem(query, ret_is_open);
    const char *principal = query->who.is_known ? query->who.principal : NULL;
    if (gw_store_charge_by_question(reader, query->question_hash, principal, query->now, &query->charge) == GW_OK)
        return gw_query_answer_stored(query);
    return GW_OK;
}

// What cannot be measured, said or protected is found out before anything is charged: the noise must be one the sampler
// certifies.
gw_status gw_query_hold_laws(gw_query *query) {
    gw_status fits = gw_plan_check_size(&query->plan, query->arena, &query->problem);
    if (fits != GW_OK)
        return fits;
    gw_status status = gw_query_laws_of(&query->plan, query->queries->laws, &query->laws);
    if (status == GW_OK)
        return GW_OK;
    return gw_problem_set(&query->problem, status, "noise_range", "This question cannot be protected.",
                          "No exact noise is certified for this epsilon and this range of values.",
                          "Ask with an epsilon that the policy allows: godwit catalogue shows its bounds.");
}

// What this very request was answered stays its answer, also when the policy or the data no longer let it be asked
// anew.
static bool recall_own(gw_query *query) {
    gw_problem refusal = query->problem;
    bool is_own = query->who.is_known && query->in_force.policy &&
                  gw_store_charge_by_idem(query->worker->reader, query->who.principal, query->message.idem,
                                          &query->charge) == GW_OK &&
                  query->charge.state == GW_CHARGE_SEALED && !query->charge.is_withdrawn &&
                  gw_query_is_request_of(query, &query->charge);
    if (is_own && gw_query_answer_stored(query) == GW_OK)
        return true;
    query->problem = refusal; // an answer that is lost changes nothing about it
    return false;
}

gw_status gw_query_step_authorize(gw_query *query) {
    gw_status status = authorize_question(query);
    return status == GW_OK || recall_own(query) ? GW_OK : status;
}

// Looked up twice: fast without waiting, then again once no other worker is busy with the same question.
gw_status gw_query_step_recall(gw_query *query) {
    bool is_open;
    gw_status status = recall_once(query, &is_open);
    if (status != GW_OK || query->is_answered)
        return status;
    if (query->is_denied)
        return GW_DENIED;
    if (!query->who.is_known)
        return gw_problem_set(
            &query->problem, GW_UNAUTHENTICATED, "unauthenticated", "A new question needs a known principal.",
            "Visitors see what is already released; this is not.", "godwit keys new; then ask the operator to add it.");
    gw_store_reader_end(query->worker->reader); // nobody waits while holding a view
    if (!gw_flight_begin(query->queries->flights, query->question_hash))
        return gw_problem_set(&query->problem, GW_BUSY, "busy", "The service is busy.", "", "Ask again.");
    query->in_flight = true;
    gw_store_reader_begin(query->worker->reader);
    status = recall_once(query, &is_open);
    if (status != GW_OK || query->is_answered)
        return status;
    query->charge.state = is_open ? GW_CHARGE_RESERVED : GW_CHARGE_ABANDONED;
    query->is_charged = is_open;
    if (!is_open && !gw_identity_is_fresh(&query->message, query->now))
        return gw_problem_set(&query->problem, GW_DENIED, "stale_request", "This request was signed too long ago.",
                              "A new question is accepted within 300 seconds of its time.",
                              "Check the clock, then ask again.");
    if (!query->queries->options.engine)
        return gw_problem_set(&query->problem, GW_UNAVAILABLE, "not_serving",
                              "Questions are answered by the running service.", "", "godwit serve");
    return gw_query_hold_laws(query);
}
