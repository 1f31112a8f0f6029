// SPDX-License-Identifier: Apache-2.0
// Steps 6 to 9: charge, measure, protect, seal. The only steps between which an exact table exists.
#include "service/query/encode.h"
#include "service/query/protect.h"
#include "service/query/sql.h"
#include "service/query/steps.h"

#include "service/base/check.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DEADLINE_MS_WITHOUT_TICK 60000u
#define SLOT_MS_MAX 600000u
// Rows in a millisecond, by two threads of a busy machine with two processors, where every person has several: 6,800 at
// least where none are sorted, 1,450 at least where they are (measured at 2 and at 6 rows of a million persons). Nobody
// states how many rows people have; with more than four on average a policy states a larger size_bucket.
#define SLOT_ROWS_PER_MS 5000u
#define SLOT_SORTED_PER_MS 1250u
#define SLOT_ROWS_PER_PERSON 4u
#define SLOT_PERSONS_OTHERWISE 1000000u // where the policy states no size

// ---- 6 reserve

// The delta that policy and population grant to questions about unknown keys: no amount of epsilon.
static void selection_refusal(gw_query *query, const gw_store_op *op) {
    gw_problem *problem = &query->problem;
    const gw_policy *policy = query->in_force.policy;
    bool is_population = op->is_of_population;
    char needed[GW_DELTA_TEXT], remaining[GW_DELTA_TEXT];
    gw_delta_format((gw_delta){query->plan.delta}, needed);
    gw_delta_format((gw_delta){op->remaining}, remaining);
    gw_problem_set(problem, GW_BUDGET, "budget_selection", "Too little delta is left for questions about unknown keys.",
                   "", "");
    gw_problem_why(problem, "%s %s has %s left for them; this question needs %s.",
                   is_population ? "The population" : "The dataset",
                   is_population ? policy->population : policy->dataset, remaining, needed);
    if (is_population)
        gw_problem_mend(problem,
                        "Ask by codes that the policy lists; the owner grants more: godwit population add %s --total E "
                        "--selection-delta D",
                        policy->population);
    else
        gw_problem_mend(problem, "Ask by codes that the policy lists, or with a smaller --delta: godwit budget %s",
                        policy->dataset);
    snprintf(problem->budget, sizeof problem->budget, "%s", gw_budget_kind_name(op->budget));
}

// The last period's budget is used up, and that the next one has begun is only what the clock says.
static void window_refusal(gw_query *query, const gw_store_op *op) {
    gw_problem *problem = &query->problem;
    gw_problem_set(problem, GW_BUDGET, op->code, "The next period's budget is not open yet.",
                   "The service was down, or its clock was set, and nobody has confirmed the time since.",
                   "The operator runs: godwit clock confirm. Released answers stay free: godwit history");
    snprintf(problem->budget, sizeof problem->budget, "%s", gw_budget_kind_name(op->budget));
    problem->needed = query->plan.epsilon;
    problem->remaining = (gw_epsilon){op->remaining};
}

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
    if (query->is_charged)
        return gw_query_failed_after_charge(query, query->charge.cost);
    return gw_problem_set(&query->problem, GW_BUSY, "busy", "The service is busy.",
                          "The ledger takes no more work now.", "Ask again.");
}

static gw_status reserve_refused(gw_query *query, const gw_store_op *op) {
    if (op->result == GW_BUDGET) {
        if (op->budget == GW_BUDGET_SELECTION)
            selection_refusal(query, op);
        else if (strcmp(op->code, GW_LEDGER_WINDOW_UNCONFIRMED) == 0)
            window_refusal(query, op);
        else
            budget_refusal(query, op);
        return GW_BUDGET;
    }
    if (strcmp(op->code, gw_incident_code(GW_INCIDENT_CLOCK_JUMPED)) == 0)
        gw_queries_report(query->queries, GW_INCIDENT_CLOCK_JUMPED);
    if (op->result == GW_CONFLICT)
        return gw_problem_set(&query->problem, GW_CONFLICT, "idem_conflict", "This request id is in use.",
                              "Another request with this id came in at the same time.",
                              "Send it with a new request id.");
    if (strcmp(op->code, "no_quorum") == 0)
        return gw_problem_set(&query->problem, op->result, op->code, "No answer leaves the service now.",
                              "Too few witnesses vouch for its log. Nothing was charged.",
                              "Ask again later with the same request id.");
    if (strcmp(op->code, GW_LEDGER_CLOCK_JUMPED) == 0)
        return gw_problem_set(&query->problem, op->result, op->code, "New questions are not charged now.",
                              "The service's clock jumped ahead, which would open budgets before their time.",
                              "The operator sets the clock right, or runs: godwit clock confirm");
    return gw_problem_set(&query->problem, op->result, op->code, "The question could not be admitted.",
                          "Its policy or data version changed while it was on its way, or the disk is nearly full.",
                          "Ask again.");
}

// The asker's own bound. A stored answer is free, so it is judged only where a charge would follow.
gw_status gw_query_within_max_cost(gw_query *query) {
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

static gw_status reserve_new(gw_query *query) {
    gw_status status = gw_query_within_max_cost(query);
    if (status != GW_OK)
        return status;
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
    entry->charge.delta = query->plan.delta;
    status = submit(query, &op);
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

// Another worker ended this charge first: its outcome is everybody's.
static gw_status charge_ended(gw_query *query) {
    if (gw_store_charge_by_seq(query->worker->reader, query->charge.seq, &query->charge) == GW_OK &&
        query->charge.state == GW_CHARGE_SEALED)
        return gw_query_answer_stored(query);
    return gw_query_failed_for_good(query, query->charge.cost);
}

static gw_status abandon(gw_query *query, const char *why) {
    gw_store_op op = {.kind = GW_STORE_ABANDON, .charge_seq = query->charge.seq, .entry = {.kind = GW_ENTRY_ABANDON}};
    op.entry.abandon.charge = query->charge.seq;
    snprintf(op.entry.abandon.why, sizeof op.entry.abandon.why, "%s", why);
    gw_status status = submit(query, &op);
    if (status == GW_RETRY)
        return status;
    if (status == GW_OK && op.result == GW_CONFLICT)
        return charge_ended(query);
    return gw_query_failed_for_good(query, query->charge.cost);
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

gw_status gw_query_step_reserve(gw_query *query) {
    gw_store_reader_end(query->worker->reader); // from here on others write, and so does this query
    return query->is_charged ? reserve_resume(query) : reserve_new(query);
}

// ---- 7 measure

// With a tick, the moment an answer goes on is fixed by the policy's public size, and an overrun is a failure.
static uint32_t slot_ms(const gw_query *query) {
    uint64_t tick = query->rules->release_tick_ms;
    if (tick == 0)
        return 0;
    uint64_t stated = query->in_force.policy->planning_size_bucket, persons = stated ? stated : SLOT_PERSONS_OTHERWISE;
    uint64_t rows_max = query->plan.table->rows_per_person_max;
    uint64_t rows = persons * (rows_max < SLOT_ROWS_PER_PERSON ? rows_max : SLOT_ROWS_PER_PERSON);
    uint64_t rows_per_ms = gw_sql_sorts(&query->plan) ? SLOT_SORTED_PER_MS : SLOT_ROWS_PER_MS;
    uint64_t wanted = 100 + rows / rows_per_ms + query->plan.measured_cells / 100;
    if (wanted > SLOT_MS_MAX)
        wanted = SLOT_MS_MAX; // a size written into a policy by mistake must not keep a worker for days
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
                                     .cell_count = query->plan.measured_cells,
                                     .part_count = query->plan.measured_parts,
                                     .deadline_ms = deadline_ms};
    gw_engine *engine = query->queries->options.engine;
    bool is_keys = query->plan.mechanism == GW_MECHANISM_SELECTION;
    statement.key_bytes = is_keys ? query->plan.of->text_bytes_max : 0;
    gw_status status = is_keys ? gw_engine_measure_keys(engine, &statement, &query->exact_keys)
                               : gw_engine_measure(engine, &statement, &query->exact);
    gw_buffer_done(&sql.text);
    return status;
}

gw_status gw_query_step_measure(gw_query *query) {
    uint32_t slot = slot_ms(query);
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    gw_status status = measure_statement(query, slot ? slot : DEADLINE_MS_WITHOUT_TICK);
    if (slot)
        wait_until(start, slot);
    return status == GW_OK ? GW_OK : gw_query_failed_after_charge(query, query->charge.cost);
}

// ---- 8 protect

gw_status gw_query_protect_measured(gw_query *query, gw_random_source source) {
    gw_status status =
        query->exact_keys
            ? gw_query_protect_keys(&query->plan, query->laws, query->exact_keys, source, &query->released_keys)
            : gw_query_protect(&query->plan, query->laws, query->exact, source, &query->released);
    gw_exact_table_free(query->exact); // wiped here: nothing after these lines has seen a true value
    gw_exact_keys_free(query->exact_keys);
    query->exact = NULL;
    query->exact_keys = NULL;
    return status;
}

gw_status gw_query_step_protect(gw_query *query) {
    gw_random *random = query->worker->random;
    gw_status status = gw_random_reseed(random);
    if (status == GW_OK)
        status = gw_query_protect_measured(query, gw_random_as_source(random));
    return status == GW_OK ? GW_OK : gw_query_failed_after_charge(query, query->charge.cost);
}

// ---- 9 seal

static gw_status seal_encode(gw_query *query, gw_hash salt) {
    const gw_plan_answer answer = {.plan = &query->plan,
                                   .laws = query->laws,
                                   .data_version = query->data.version,
                                   .release = query->charge.release,
                                   .question = query->question_hash};
    if (query->released_keys)
        return gw_plan_encode_keys(&answer, query->released_keys, salt, &query->document);
    return gw_plan_encode(&answer, query->released, salt, &query->document);
}

gw_status gw_query_step_seal(gw_query *query) {
    gw_hash salt;
    gw_store_op op = {.kind = GW_STORE_SEAL, .charge_seq = query->charge.seq, .entry = {.kind = GW_ENTRY_RELEASE}};
    bool is_encoded = gw_random_bytes(salt.bytes, GW_HASH_SIZE) && seal_encode(query, salt) == GW_OK;
    gw_released_free(query->released);
    query->released = NULL; // released keys go with the query: they may be published
    if (!is_encoded) {
        gw_buffer_done(&query->document);
        return gw_query_failed_after_charge(query, query->charge.cost);
    }
    op.answer = gw_buffer_bytes(&query->document);
    op.entry.release.charge = query->charge.seq;
    op.entry.release.answer = gw_sha256(op.answer);
    // Not later than the entry's own time: while a wrong clock is held back, nothing is dated into the future.
    op.entry.release.visible = query->now < query->charge_time ? query->now : query->charge_time;
    snprintf(op.entry.release.release, GW_RELEASE_ID_MAX, "%s", query->charge.release);
    gw_status status = submit(query, &op);
    if (status != GW_OK) {
        gw_buffer_done(&query->document); // unknown or unrecorded: the bytes must not leave
        return status;
    }
    if (op.result != GW_OK) {
        gw_buffer_done(&query->document); // the loser's draw is wiped
        return charge_ended(query);
    }
    query->charge.release_seq = op.seq;
    query->is_answered = true;
    return GW_OK;
}
