// SPDX-License-Identifier: Apache-2.0
// One query through a table of steps, one loop, one place that refuses. Before `reserve` a refusal is free and says
// why; after it the charge stands and every failure is the same constant reply.
#include "service/query/facts.h"
#include "service/query/shared.h"
#include "service/query/sql.h"

#include "privacy/mechanism/parts.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/log.h"
#include "service/base/random.h"
#include "service/policy/policy_decide.h"
#include "service/release/release.h"
#include "service/wire/receipt.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ARENA_BYTES_MAX (64u << 20)
#define ADMIN_JSON_BYTES_MAX 524288u
#define DOCUMENT_BYTES_MAX (64u << 20)
#define DEADLINE_MS_WITHOUT_TICK 60000u

GW_DEFINE_FREEP(gw_exact_table, gw_exact_table_free)
GW_DEFINE_FREEP(gw_released_table, gw_released_free)
GW_DEFINE_FREEP(gw_random, gw_random_free)

typedef struct {
    gw_query_worker *worker;
    gw_queries *queries;
    gw_bytes bytes;
    int64_t now;
    gw_arena *arena;
    gw_problem problem;
    bool is_answered; // the document is ready: no further step runs
    bool is_charged;  // the charge stands: failures are constant from here on
    bool in_flight;
    bool is_repeat;
    // 1, 2
    gw_request_message message;
    bool has_message;
    gw_identity who;
    gw_json *json;
    gw_question question;
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
    gw_buffer document; // the answer's bytes, or a document of facts
    gw_buffer receipt, account;
} gw_query;

// ---- 1 authenticate

static gw_status step_authenticate(gw_query *query) {
    gw_status status = gw_request_message_decode(query->bytes, &query->message, &query->problem);
    if (status != GW_OK)
        return status;
    query->has_message = true;
    return gw_identity_check(query->worker->reader, query->queries->options.origin, &query->message, query->now,
                             &query->who, &query->problem);
}

// ---- 2 decode

static gw_status step_decode(gw_query *query) {
    gw_json_limits limits = GW_JSON_REQUEST;
    if (query->who.roles & (GW_ROLE_OWNER | GW_ROLE_OPERATOR))
        limits.size_max = ADMIN_JSON_BYTES_MAX; // a policy's text travels in an admin body
    gw_status status = gw_json_parse(query->message.body, limits, &query->json, &query->problem);
    if (status != GW_OK)
        return status;
    return gw_question_decode(query->json, query->arena, &query->question, &query->problem);
}

// ---- documents of facts, and changes

static gw_status facts_ping(gw_query *query) {
    gw_checkpoint checkpoint;
    gw_buffer note;
    gw_buffer_init(&note, 4096);
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

static gw_status facts_admin(gw_query *query) {
    const gw_query_options *options = &query->queries->options;
    if (!(query->who.roles & (GW_ROLE_OWNER | GW_ROLE_OPERATOR)))
        return gw_problem_set(&query->problem, GW_DENIED, "denied_role", "This change is for owners and operators.",
                              "Your roles do not allow it.", "godwit whoami");
    if (!gw_identity_is_fresh(&query->message, query->now))
        return gw_problem_set(&query->problem, GW_DENIED, "stale_request", "This request was signed too long ago.",
                              "A change is accepted within 300 seconds of its time.",
                              "Check the clock, then send it again.");
    return options->admin(options->admin_state, query->worker, &query->who, query->json, query->question.admin,
                          &query->document, &query->problem);
}

// Everything that is not a query is answered here and ends the path.
static gw_status step_facts(gw_query *query) {
    gw_facts facts = {.worker = query->worker,
                      .queries = query->queries,
                      .catalogue = query->queries->options.catalogue,
                      .reader = query->worker->reader,
                      .origin = query->queries->options.origin,
                      .who = &query->who,
                      .question = &query->question,
                      .now = query->now,
                      .arena = query->arena};
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
    if (!query->question.has_max_cost || query->plan.epsilon.micro <= query->question.max_cost.micro)
        return GW_OK;
    char needed[GW_EPSILON_TEXT], allowed[GW_EPSILON_TEXT];
    gw_epsilon_format(query->plan.epsilon, needed);
    gw_epsilon_format(query->question.max_cost, allowed);
    gw_problem_set(&query->problem, GW_BUDGET, "max_cost", "This question costs more than you allowed.", "", "");
    gw_problem_why(&query->problem, "It needs %s; max_cost is %s.", needed, allowed);
    gw_problem_mend(&query->problem, "Raise --max-cost to %s, or lower --epsilon.", needed);
    snprintf(query->problem.budget, sizeof query->problem.budget, "question");
    query->problem.needed = query->plan.epsilon;
    query->problem.remaining = query->question.max_cost;
    return GW_BUDGET;
}

static gw_status step_authorize(gw_query *query) {
    gw_status status = gw_query_policy(query->worker, query->question.dataset, &query->in_force, &query->problem);
    if (status == GW_OK)
        status = gw_plan_build(&query->question, query->in_force.policy, query->queries->options.catalogue,
                               query->arena, &query->plan, &query->problem);
    if (status == GW_OK)
        status = authorize_price(query);
    if (status == GW_OK && query->who.is_known)
        status = gw_policy_decide(query->in_force.policy, query->who.roles, query->plan.table, query->plan.statistic,
                                  query->plan.epsilon, &query->problem);
    if (status != GW_OK)
        return status;
    if (gw_store_data_current(query->worker->reader, query->in_force.policy->dataset, &query->data) != GW_OK)
        return gw_problem_set(&query->problem, GW_UNAVAILABLE, "no_data", "This dataset has no data yet.",
                              "Its policy is in force, but no data version has been loaded.",
                              "Its owner runs: godwit load");
    status = gw_queries_layout_check(query->worker, &query->in_force, query->data.version, &query->problem);
    if (status != GW_OK)
        return status;
    gw_plan_canonical(&query->plan, query->data.version, &query->canonical);
    if (query->canonical.status != GW_OK)
        return gw_problem_set(&query->problem, GW_LIMIT, "too_many", "This question is too large.", "",
                              "Ask in several smaller ones.");
    query->question_hash = gw_sha256(gw_buffer_bytes(&query->canonical));
    return GW_OK;
}

// ---- 4 recall

// After a charge nothing is said but this, whatever happened.
static gw_status failed_after_charge(gw_query *query, uint64_t cost) {
    query->is_charged = true;
    gw_status status = gw_problem_set(&query->problem, GW_UNAVAILABLE, "answer_failed",
                                      "This question was charged but could not be answered.",
                                      "Once data may have been read nothing is refunded, whatever happened.",
                                      "Ask again with a new request id (a new charge), or tell the operator.");
    query->problem.charged = (gw_epsilon){cost};
    return status;
}

static gw_status answer_stored(gw_query *query) {
    if (gw_store_answer(query->worker->reader, query->charge.seq, &query->document) != GW_OK)
        return gw_problem_set(&query->problem, GW_IO, "internal", "A stored answer could not be read.", "",
                              "Ask the operator.");
    query->is_answered = true;
    query->is_repeat = true;
    return GW_OK;
}

static bool is_same_request(const gw_query *query, const gw_store_charge *charge) {
    gw_bytes salt = {charge->salt.bytes, GW_HASH_SIZE};
    return gw_hash_equal(gw_sha256_two(salt, query->message.signed_bytes), charge->request);
}

// This request id is known: the same bytes get the same stored answer, or may take an interrupted question up again.
static gw_status recall_by_idem(gw_query *query, bool *ret_is_open) {
    if (!is_same_request(query, &query->charge))
        return gw_problem_set(&query->problem, GW_CONFLICT, "idem_conflict",
                              "This request id was used for another request.",
                              "One request id stands for one request, for ever.", "Send it with a new request id.");
    switch (query->charge.state) {
    case GW_CHARGE_SEALED:
        return answer_stored(query);
    case GW_CHARGE_ABANDONED:
        return failed_after_charge(query, query->charge.cost);
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
    if (gw_store_charge_by_question(reader, query->question_hash, query->now, &query->charge) == GW_OK)
        return answer_stored(query);
    return GW_OK;
}

// Looked up twice: fast without waiting, then again once no other worker is busy with the same question.
static gw_status step_recall(gw_query *query) {
    bool is_open;
    gw_status status = recall_once(query, &is_open);
    if (status != GW_OK || query->is_answered)
        return status;
    if (!query->who.is_known)
        return gw_problem_set(
            &query->problem, GW_UNAUTHENTICATED, "unauthenticated", "A new question needs a known principal.",
            "Visitors see what is already released; this is not.", "godwit keys new; then ask the operator to add it.");
    if (!gw_flight_begin(query->queries->flights, query->question_hash))
        return gw_problem_set(&query->problem, GW_BUSY, "busy", "The service is busy.", "", "Ask again.");
    query->in_flight = true;
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
    return GW_OK;
}

// ---- 6 reserve

static void budget_refusal(gw_query *query, const gw_store_op *op) {
    gw_problem *problem = &query->problem;
    const char *budget = gw_budget_kind_name(op->budget);
    char code[48], needed[GW_EPSILON_TEXT], remaining[GW_EPSILON_TEXT];
    snprintf(code, sizeof code, "budget_%s", budget);
    gw_epsilon_format(query->plan.epsilon, needed);
    gw_epsilon_format((gw_epsilon){op->remaining}, remaining);
    gw_problem_set(problem, GW_BUDGET, code,
                   op->budget == GW_BUDGET_PRINCIPAL ? "This question costs more than you have left."
                                                     : "This question costs more than is left.",
                   "", "");
    gw_problem_why(problem, "%s %s has %s left; this needs %s.",
                   op->budget == GW_BUDGET_PRINCIPAL ? "Your budget for"
                   : op->budget == GW_BUDGET_DATASET ? "The lifetime budget of"
                   : op->budget == GW_BUDGET_WINDOW  ? "This period's budget of"
                                                     : "The budget of the people behind",
                   query->in_force.policy->dataset, remaining, needed);
    bool is_affordable = op->remaining >= query->in_force.policy->question_min.micro;
    if (is_affordable && query->plan.indicator)
        gw_problem_mend(problem, "godwit cost %s %s --epsilon %s", query->in_force.policy->dataset,
                        query->plan.indicator->id, remaining);
    else
        gw_problem_mend(
            problem,
            "godwit budget %s shows what is left and when it renews; released answers stay free: godwit history",
            query->in_force.policy->dataset);
    snprintf(problem->budget, sizeof problem->budget, "%s", budget);
    problem->needed = query->plan.epsilon;
    problem->remaining = (gw_epsilon){op->remaining};
    problem->renews = op->renews;
}

static gw_status submit(gw_query *query, gw_store_op *op) {
    gw_status status = gw_ledger_submit(query->queries->options.ledger, op);
    if (status == GW_OK)
        return GW_OK;
    if (status == GW_RETRY)
        return gw_problem_set(&query->problem, GW_RETRY, "retry", "The outcome is not known yet.",
                              "The ledger could not confirm its write.", "Ask again with the same request id.");
    return gw_problem_set(&query->problem, GW_BUSY, "busy", "The service is busy.",
                          "The ledger takes no more work now.", "Ask again.");
}

static gw_status reserve_refused(gw_query *query, const gw_store_op *op) {
    if (op->result == GW_BUDGET) {
        budget_refusal(query, op);
        return GW_BUDGET;
    }
    if (op->result == GW_CONFLICT)
        return gw_problem_set(&query->problem, GW_CONFLICT, "idem_conflict", "This request id is in use.",
                              "Another request with this id came in at the same time.",
                              "Send it with a new request id.");
    return gw_problem_set(&query->problem, op->result, op->code, "The question could not be admitted.",
                          "Its policy or data version changed while it was on its way, or the disk is nearly full.",
                          "Ask again.");
}

static gw_status reserve_new(gw_query *query) {
    gw_store_op op = {.kind = GW_STORE_RESERVE,
                      .entry = {.kind = GW_ENTRY_CHARGE},
                      .question_text = gw_buffer_bytes(&query->canonical)};
    if (!gw_random_bytes(op.salt.bytes, GW_HASH_SIZE))
        return gw_problem_set(&query->problem, GW_UNAVAILABLE, "no_randomness", "The service has no randomness.", "",
                              "Ask the operator.");
    gw_entry *entry = &op.entry;
    snprintf(entry->charge.dataset, GW_DATASET_MAX, "%s", query->in_force.policy->dataset);
    snprintf(entry->charge.population, GW_DATASET_MAX, "%s", query->in_force.policy->population);
    snprintf(entry->charge.data, GW_ID_HEX, "%s", query->data.version);
    snprintf(entry->charge.principal, GW_ID_HEX, "%s", query->who.principal);
    snprintf(entry->charge.idem, GW_ID_HEX, "%s", query->message.idem);
    entry->charge.policy = query->in_force.row.seq;
    entry->charge.request = gw_sha256_two((gw_bytes){op.salt.bytes, GW_HASH_SIZE}, query->message.signed_bytes);
    entry->charge.question = query->question_hash;
    entry->charge.cost = query->plan.epsilon.micro;
    gw_status status = submit(query, &op);
    if (status != GW_OK)
        return status;
    if (op.result != GW_OK)
        return reserve_refused(query, &op);
    query->is_charged = true;
    query->charge =
        (gw_store_charge){.seq = op.seq, .state = GW_CHARGE_RESERVED, .cost = op.entry.charge.cost, .salt = op.salt};
    snprintf(query->charge.release, sizeof query->charge.release, "%s", op.release);
    return GW_OK;
}

static gw_status abandon(gw_query *query, const char *why) {
    gw_store_op op = {.kind = GW_STORE_ABANDON, .charge_seq = query->charge.seq, .entry = {.kind = GW_ENTRY_ABANDON}};
    op.entry.abandon.charge = query->charge.seq;
    snprintf(op.entry.abandon.why, sizeof op.entry.abandon.why, "%s", why);
    gw_status status = submit(query, &op);
    if (status == GW_RETRY)
        return status;
    // Not recorded (busy or closing): the charge stays reserved, spent, and open to the same request.
    return failed_after_charge(query, query->charge.cost);
}

// A question that a crash interrupted goes on, if nothing it depends on has changed, and counts its attempt first.
static gw_status reserve_resume(gw_query *query) {
    query->is_charged = true;
    bool is_same = gw_hash_equal(query->charge.question, query->question_hash) &&
                   query->charge.policy == query->in_force.row.seq &&
                   strcmp(query->charge.data, query->data.version) == 0;
    if (!is_same)
        return abandon(query, "changed");
    gw_store_op op = {.kind = GW_STORE_RESUME, .charge_seq = query->charge.seq};
    gw_status status = submit(query, &op);
    if (status != GW_OK)
        return status;
    return op.result == GW_OK ? GW_OK : abandon(query, "attempts");
}

static gw_status step_reserve(gw_query *query) {
    return query->is_charged ? reserve_resume(query) : reserve_new(query);
}

// ---- 7 measure

// With a tick, the moment an answer goes on is fixed by the policy's public size, and an overrun is a failure.
static uint32_t slot_ms(const gw_query *query) {
    uint64_t tick = query->queries->options.release_tick_ms;
    if (tick == 0)
        return 0;
    uint64_t wanted = 100 + query->in_force.policy->planning_size_bucket / 5000 + query->plan.cell_count / 100;
    return (uint32_t)((wanted + tick - 1) / tick * tick);
}

static void wait_until(struct timespec start, uint32_t after_ms) {
    struct timespec until = start;
    until.tv_sec += after_ms / 1000;
    until.tv_nsec += (long)(after_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0) {
    }
}

static gw_status measure_statement(gw_query *query, uint32_t deadline_ms) {
    gw_sql sql;
    if (gw_sql_build(&query->plan, query->arena, &sql) != GW_OK)
        return GW_LIMIT;
    char path[4096];
    gw_query_snapshot_path(query->queries, query->in_force.policy->dataset, query->data.version, ".duckdb", path,
                           sizeof path);
    gw_engine_statement statement = {.snapshot = path,
                                     .sql = gw_buffer_string(&sql.text),
                                     .params = sql.params,
                                     .param_count = sql.param_count,
                                     .cell_count = query->plan.cell_count,
                                     .part_count = query->plan.part_count,
                                     .deadline_ms = deadline_ms};
    gw_status status = gw_engine_measure(query->queries->options.engine, &statement, &query->exact);
    gw_buffer_done(&sql.text);
    return status;
}

static gw_status step_measure(gw_query *query) {
    uint32_t slot = slot_ms(query);
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    gw_status status = measure_statement(query, slot ? slot : DEADLINE_MS_WITHOUT_TICK);
    if (slot)
        wait_until(start, slot);
    return status == GW_OK ? GW_OK : abandon(query, "engine");
}

// ---- 8 protect

static gw_noise plan_noise(const gw_plan *plan) {
    return (gw_noise){.epsilon = plan->epsilon, .sensitivity = plan->sensitivity};
}

static gw_status step_protect(gw_query *query) {
    GW_CLEANUP(gw_random_freep) gw_random *random = NULL;
    gw_status status = gw_random_new(&random);
    if (status == GW_OK)
        status =
            gw_parts_release(query->exact, plan_noise(&query->plan), gw_random_as_source(random), &query->released);
    gw_exact_table_free(query->exact); // wiped here: nothing after this line has seen a true value
    query->exact = NULL;
    return status == GW_OK ? GW_OK : abandon(query, "noise");
}

// ---- 9 seal

static unsigned value_digits(const gw_plan *plan) {
    // Ten times the public size, times the largest contribution; and the noise, of which e^-100 passes 100 scales.
    double largest = 10.0 * (double)plan->policy->planning_size_bucket * (double)plan->sensitivity +
                     100.0 * 1e6 * (double)plan->sensitivity / (double)plan->epsilon.micro;
    unsigned digits = 1;
    while (largest >= 10 && digits < 40) {
        largest /= 10;
        digits++;
    }
    return digits;
}

static double scaled_number(int64_t scaled, unsigned scale) {
    double value = (double)scaled;
    for (unsigned i = 0; i < scale; i++)
        value /= 10;
    return value;
}

static gw_status seal_encode(gw_query *query, gw_hash salt) {
    const gw_plan *plan = &query->plan;
    const char *by[GW_BY_MAX];
    const char *const *codes[GW_BY_MAX];
    size_t sizes[GW_BY_MAX];
    GW_ASSERT(plan->axis_count <= GW_BY_MAX);
    for (size_t i = 0; i < plan->axis_count; i++) {
        by[i] = plan->axes[i].concept;
        codes[i] = plan->axes[i].codes;
        sizes[i] = plan->axes[i].code_count;
    }
    char grid[32] = "1", offset[32] = "0";
    gw_release_shape shape = {.dataset = plan->policy->dataset,
                              .data_version = query->data.version,
                              .release = query->charge.release,
                              .indicator = plan->indicator ? plan->indicator->id : NULL,
                              .indicator_version = plan->indicator ? plan->indicator->version : 0,
                              .of = plan->of ? plan->of->concept : NULL,
                              .notice = plan->policy->notice,
                              .unit = plan->unit,
                              .policy_version = plan->policy->version,
                              .question = query->question_hash,
                              .statistic = plan->statistic,
                              .decimals = plan->decimals,
                              .noise = plan_noise(plan),
                              .grid = grid,
                              .offset = offset,
                              .range = 1,
                              .part_count = plan->part_count,
                              .value_digits = value_digits(plan),
                              .by = by,
                              .axis_codes = codes,
                              .axis_sizes = sizes,
                              .axis_count = plan->axis_count};
    if (plan->of) {
        const gw_column unit_step = {
            .type = GW_COLUMN_DECIMAL, .grid_scaled = plan->of->grid_scaled, .scale = plan->of->scale, .steps = 1};
        gw_column_step_format(&unit_step, 1, grid);
        gw_column_step_format(plan->of, 0, offset);
        shape.minimum = scaled_number(plan->of->min_scaled, plan->of->scale);
        shape.range = plan->shape.range;
    }
    return gw_release_encode(&shape, query->released, salt, &query->document);
}

static gw_status seal_lost_race(gw_query *query) {
    gw_buffer_done(&query->document); // the loser's draw is wiped
    if (gw_store_charge_by_seq(query->worker->reader, query->charge.seq, &query->charge) == GW_OK &&
        query->charge.state == GW_CHARGE_SEALED)
        return answer_stored(query);
    return failed_after_charge(query, query->charge.cost);
}

static gw_status step_seal(gw_query *query) {
    gw_hash salt;
    gw_store_op op = {.kind = GW_STORE_SEAL, .charge_seq = query->charge.seq, .entry = {.kind = GW_ENTRY_RELEASE}};
    bool is_encoded = gw_random_bytes(salt.bytes, GW_HASH_SIZE) && seal_encode(query, salt) == GW_OK;
    gw_released_free(query->released);
    query->released = NULL;
    if (!is_encoded) {
        gw_buffer_done(&query->document);
        return abandon(query, "encode");
    }
    op.answer = gw_buffer_bytes(&query->document);
    op.entry.release.charge = query->charge.seq;
    op.entry.release.answer = gw_sha256(op.answer);
    op.entry.release.visible = query->now;
    snprintf(op.entry.release.release, GW_RELEASE_ID_MAX, "%s", query->charge.release);
    gw_status status = submit(query, &op);
    if (status != GW_OK) {
        gw_buffer_done(&query->document); // unknown or unrecorded: the bytes must not leave
        return status;
    }
    if (op.result != GW_OK)
        return seal_lost_race(query);
    query->charge.release_seq = op.seq;
    query->is_answered = true;
    return GW_OK;
}

// ---- 10 reply

static gw_status receipt_proof(gw_query *query, uint64_t index, uint64_t size, gw_hash *ret_hashes, size_t *ret_count) {
    gw_merkle_proof proof;
    gw_status status = gw_merkle_inclusion(gw_store_tree(query->worker->reader), index, size, &proof);
    if (status != GW_OK)
        return status;
    memcpy(ret_hashes, proof.hashes, proof.count * sizeof proof.hashes[0]);
    *ret_count = proof.count;
    return GW_OK;
}

static gw_status reply_receipt(gw_query *query) {
    gw_checkpoint checkpoint;
    gw_buffer note, release, charge;
    gw_buffer_init(&note, 4096);
    gw_buffer_init(&release, GW_ENTRY_BYTES_MAX);
    gw_buffer_init(&charge, GW_ENTRY_BYTES_MAX);
    gw_ledger_checkpoint(query->queries->options.ledger, &checkpoint, &note);
    gw_receipt receipt = {
        .salt = query->charge.salt, .release_index = query->charge.release_seq, .charge_index = query->charge.seq};
    gw_store_reader *reader = query->worker->reader;
    gw_status status = gw_store_entry(reader, receipt.release_index, &release);
    if (status == GW_OK)
        status = gw_store_entry(reader, receipt.charge_index, &charge);
    if (status == GW_OK)
        status = receipt_proof(query, receipt.release_index, checkpoint.size, receipt.release_proof,
                               &receipt.release_proof_count);
    if (status == GW_OK)
        status = receipt_proof(query, receipt.charge_index, checkpoint.size, receipt.charge_proof,
                               &receipt.charge_proof_count);
    if (status == GW_OK) {
        receipt.release_entry = gw_buffer_bytes(&release);
        receipt.charge_entry = gw_buffer_bytes(&charge);
        receipt.checkpoint = gw_buffer_bytes(&note);
        gw_receipt_encode(&receipt, &query->receipt);
    }
    gw_buffer_done(&note);
    gw_buffer_done(&release);
    gw_buffer_done(&charge);
    return status;
}

static void reply_account(gw_query *query) {
    gw_buffer_text(&query->account, "{\"v\":1");
    gw_json_write_member(&query->account, "principal", query->who.is_known ? query->who.principal : NULL);
    gw_json_write_epsilon(&query->account, "charged", (gw_epsilon){query->is_repeat ? 0 : query->charge.cost});
    gw_json_write_name(&query->account, "repeat");
    gw_buffer_text(&query->account, query->is_repeat ? "true" : "false");
    gw_json_write_epsilon(
        &query->account, "remaining",
        gw_facts_remaining(query->worker->reader, query->in_force.policy->dataset, query->who.principal, query->now));
    gw_buffer_text(&query->account, "}");
}

static gw_status step_reply(gw_query *query) {
    if (query->question.kind != GW_KIND_QUERY)
        return GW_OK;
    reply_account(query);
    if (reply_receipt(query) == GW_OK)
        return GW_OK;
    gw_buffer_done(&query->document);
    return gw_problem_set(&query->problem, GW_RETRY, "retry",
                          "The answer is stored, but its receipt could not be made.", "",
                          "Ask again with the same request id: the stored answer is free.");
}

// ---- the table and the loop

typedef struct {
    const char *name;
    gw_status (*run)(gw_query *query);
    bool runs_when_answered;
} query_step;

static const query_step steps[] = {
    {"authenticate", step_authenticate, false},
    {"decode", step_decode, false},
    {"facts", step_facts, false},
    {"authorize", step_authorize, false},
    {"recall", step_recall, false},
    {"reserve", step_reserve, false},
    {"measure", step_measure, false},
    {"protect", step_protect, false},
    {"seal", step_seal, false},
    {"reply", step_reply, true},
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
    const char *at = "receive";
    for (size_t i = 0; status == GW_OK && i < sizeof steps / sizeof steps[0]; i++) {
        if (query.is_answered && !steps[i].runs_when_answered)
            continue;
        at = steps[i].name;
        status = steps[i].run(&query);
    }
    if (status != GW_OK && query.is_charged && status != GW_RETRY && status != GW_BUSY &&
        strcmp(query.problem.code, "answer_failed") != 0)
        status = failed_after_charge(&query, query.charge.cost);
    gw_log(status == GW_OK ? GW_LOG_DEBUG : GW_LOG_INFO, status == GW_OK ? "answered" : "refused", "idem",
           query.has_message ? query.message.idem : "-", "step", at, "code", status == GW_OK ? "" : query.problem.code,
           NULL);
    write_reply(worker->queries, &query, status, reply);
    query_done(&query);
}

void gw_query_busy(gw_queries *queries, gw_bytes request, gw_buffer *reply) {
    gw_query query = {.queries = queries};
    query.has_message = gw_request_message_decode(request, &query.message, &query.problem) == GW_OK;
    gw_status status = gw_problem_set(&query.problem, GW_BUSY, "busy", "The service is busy.",
                                      "Its queue is full; nothing was charged.", "Ask again with the same request id.");
    write_reply(queries, &query, status, reply);
}
