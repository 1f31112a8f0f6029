// SPDX-License-Identifier: Apache-2.0
// Dummy answers: what a question's answer will look like, made from the policy alone. The same plan, the same
// authorization, the same law of noise and the same bytes but for their labels; no data, no engine, no budget, no log.
// Everything is drawn from the canonical question, so a script that asks twice reads the same figures, and nobody
// learns anything from them: whoever has the policy can compute them.
#include "service/query/encode.h"
#include "service/query/protect.h"
#include "service/query/steps.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DATA_NONE "00000000000000000000000000000000"
#define DUMMY_KEYS 12
#define CELL_PERSONS_OTHERWISE 1000u // where the policy states no planning size

// ---- public randomness

typedef struct {
    uint8_t key[GW_STREAM_KEY_SIZE];
    uint64_t nonce;
} public_stream;
_Static_assert(GW_STREAM_KEY_SIZE == GW_HASH_SIZE, "a hash is a key");

static public_stream stream_of(const gw_query *query, const char *purpose) {
    gw_bytes question = {query->question_hash.bytes, GW_HASH_SIZE};
    gw_hash key = gw_sha256_two(gw_bytes_of(purpose), question);
    public_stream stream = {.nonce = 0};
    memcpy(stream.key, key.bytes, sizeof stream.key);
    return stream;
}

static gw_status stream_fill(void *state, void *bytes, size_t count) {
    public_stream *stream = state;
    gw_chacha20_stream(stream->key, stream->nonce++, bytes, count);
    return GW_OK;
}

// ---- figures that look like a register's

typedef struct {
    double size;  // members of the group: persons, or rows
    double where; // in [0, 1): where its value lies
} dummy_cell;

// Sizes from a tenth to nearly four times the planning size, most of them smaller than it, as groups are.
static dummy_cell cell_draw(const gw_plan *plan, const uint16_t random[4]) {
    uint64_t persons = plan->policy->planning_cell_persons;
    double typical = (double)(persons ? persons : CELL_PERSONS_OTHERWISE);
    size_t finest = 0;
    for (size_t i = 0; i < plan->table_count; i++)
        if (plan->tables[i].is_asked && plan->tables[i].cell_count > finest)
            finest = plan->tables[i].cell_count;
    if (finest > 0) // cells of the base table, of which the finest table's are sums
        typical *= (double)finest / (double)plan->measured_cells;
    double spread = (double)random[0] / 65536 * ((double)random[1] / 65536);
    return (dummy_cell){.size = 1 + typical * (0.1 + 3.6 * spread), .where = (double)random[2] / 65536};
}

// The parts of one cell in steps of the noise, as an engine would have measured them. `unit_mean` is what one member
// adds on average, or to a ratio's denominator: the mean weight, and for means the width of the range.
static void cell_fill(const gw_plan *plan, dummy_cell cell, gw_int128 *parts) {
    double members = cell.size * plan->shape.unit_mean, value;
    switch (plan->statistic) {
    case GW_STATISTIC_COUNT:
    case GW_STATISTIC_SHARE:
        parts[0] = (gw_int128)members;
        return;
    case GW_STATISTIC_NET:
        parts[0] = (gw_int128)(members * (cell.where - 0.5) * 0.4);
        return;
    case GW_STATISTIC_SUM:
        value = (0.1 + 0.3 * cell.where) * (double)plan->of->steps; // a value in the lower half of the range
        parts[0] = (gw_int128)(members * ((double)plan->of_line.first + (double)plan->of_line.factor * value));
        return;
    case GW_STATISTIC_RATE:
    case GW_STATISTIC_MEAN:
        parts[0] = (gw_int128)(members * (0.2 + 0.6 * cell.where));
        parts[1] = (gw_int128)members - parts[0];
        return;
    case GW_STATISTIC_HISTOGRAM: // the planning size is that of a whole group
        parts[0] = (gw_int128)(2 * members / (double)plan->grid.count);
        return;
    case GW_STATISTIC_VARIANCE: // of values half of which lie at `where`, the others at half of that
    case GW_STATISTIC_SD:
        value = 0.2 + 0.6 * cell.where;
        parts[2] = (gw_int128)(members * value * value * 0.625);
        parts[1] = 2 * ((gw_int128)(members * value * 0.75) - parts[2]);
        parts[0] = (gw_int128)members - parts[1] - parts[2];
        return;
    case GW_STATISTIC_RATIO:
        parts[0] = (gw_int128)(members * (0.2 + 0.6 * cell.where));
        parts[1] = (gw_int128)members;
        return;
    case GW_STATISTIC_GAP:
    case GW_STATISTIC_QUANTILE: // by bins, below
    case GW_STATISTIC_POVERTY:
    case GW_STATISTIC_GINI:
    case GW_STATISTIC_QUINTILE_RATIO:
    case GW_STATISTIC_SERIES:
    case GW_STATISTIC_KEYS:
        return;
    }
}

// Where along a grid, 0 .. 1, people lie: few at the lower end, most in the lower third, a long way to the top, as
// incomes do; dates of a series spread evenly with ups and downs.
static double bin_share(const gw_plan *plan, dummy_cell cell, double place, double jitter) {
    if (plan->statistic == GW_STATISTIC_SERIES)
        return 0.7 + 0.6 * jitter;
    double middle = 0.08 + 0.1 * cell.where;
    return place / middle * exp(1 - place / middle);
}

static gw_status bins_fill(const gw_plan *plan, dummy_cell cell, public_stream *stream, gw_arena *arena,
                           gw_int128 *bins) {
    size_t count = plan->grid.count;
    uint8_t *jitter = gw_arena_array(arena, count, sizeof *jitter);
    double *shares = gw_arena_array(arena, count, sizeof *shares);
    double all = 0, members = cell.size * plan->shape.unit_mean, before = 0;
    if (!jitter || !shares || stream_fill(stream, jitter, count) != GW_OK)
        return GW_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        all += shares[i] = bin_share(plan, cell, ((double)i + 0.5) / (double)count, (double)jitter[i] / 256);
    for (size_t i = 0; i < count; i++) { // whole members, none lost
        bins[i] = (gw_int128)(members * (before + shares[i]) / all) - (gw_int128)(members * before / all);
        before += shares[i];
    }
    return GW_OK;
}

// A handful of keys, from some that surely show to some that surely do not; named so that nobody takes them for one.
static gw_status dummy_measure_keys(gw_query *query) {
    const gw_plan *plan = &query->plan;
    public_stream stream = stream_of(query, "godwit dummy keys v1");
    uint16_t random[DUMMY_KEYS][4];
    gw_status status = gw_exact_keys_new(plan->measured_cells, plan->of->text_bytes_max, &query->exact_keys);
    if (status == GW_OK)
        status = stream_fill(&stream, random, sizeof random);
    for (size_t i = 0; status == GW_OK && i < DUMMY_KEYS && i < plan->measured_cells; i++) {
        gw_exact_keys *keys = query->exact_keys;
        snprintf(gw_exact_keys_text(keys, i), keys->text_size, "DUMMY%c%c", (char)('A' + i / 26), (char)('A' + i % 26));
        keys->counts[i] = (uint64_t)cell_draw(plan, random[i]).size / (1 + i);
    }
    return status;
}

static gw_status dummy_measure(gw_query *query) {
    if (query->plan.mechanism == GW_MECHANISM_SELECTION)
        return dummy_measure_keys(query);
    const gw_plan *plan = &query->plan;
    public_stream stream = stream_of(query, "godwit dummy cells v1");
    size_t bins = plan->grid.column ? plan->grid.count : 1, groups = plan->measured_cells / bins;
    uint16_t(*random)[4] = gw_arena_array(query->arena, groups, sizeof *random);
    gw_status status =
        random ? gw_exact_table_new(plan->measured_cells, plan->measured_parts, &query->exact) : GW_NO_MEMORY;
    if (status == GW_OK)
        status = stream_fill(&stream, random, groups * sizeof *random);
    for (size_t i = 0; status == GW_OK && i < groups; i++) {
        gw_int128 *values = &query->exact->values[i * bins * plan->measured_parts];
        if (plan->grid.column)
            status = bins_fill(plan, cell_draw(plan, random[i]), &stream, query->arena, values);
        else
            cell_fill(plan, cell_draw(plan, random[i]), values);
    }
    return status;
}

static gw_status dummy_protect(gw_query *query) {
    public_stream stream = stream_of(query, "godwit dummy noise v1");
    const gw_random_source source = {stream_fill, &stream};
    return gw_query_protect_measured(query, source);
}

// ---- the reply

static gw_status dummy_encode(gw_query *query) {
    gw_bytes question = {query->question_hash.bytes, GW_HASH_SIZE};
    const char *notice = query->in_force.policy->notice;
    char hex[GW_HASH_HEX], release[GW_RELEASE_ID_MAX];
    gw_hex(question, hex);
    snprintf(release, sizeof release, "DUMMY-%.8s", hex);
    const gw_plan_answer answer = {.plan = &query->plan,
                                   .laws = query->laws,
                                   .data_version = query->data.version,
                                   .release = release,
                                   .question = query->question_hash,
                                   .notice = gw_arena_format(query->arena, "NOT REAL: made from the policy alone.%s%s",
                                                             notice ? " " : "", notice ? notice : ""),
                                   .is_dummy = true};
    gw_hash salt = gw_sha256_two(gw_bytes_of("godwit dummy salt v1"), question);
    if (!answer.notice)
        return GW_NO_MEMORY;
    return query->released_keys ? gw_plan_encode_keys(&answer, query->released_keys, salt, &query->document)
                                : gw_plan_encode(&answer, query->released, salt, &query->document);
}

static void dummy_account(gw_query *query) {
    gw_buffer_text(&query->account, "{\"v\":1");
    gw_json_write_member(&query->account, "principal", query->who.principal);
    gw_json_write_epsilon(&query->account, "charged", (gw_epsilon){0});
    gw_json_write_epsilon(&query->account, "price", query->plan.epsilon);
    gw_json_write_name(&query->account, "repeat");
    gw_buffer_text(&query->account, "false");
    gw_json_write_epsilon(&query->account, "remaining",
                          gw_facts_remaining(query->worker->reader, query->in_force.policy->dataset,
                                             query->who.principal, query->charge_time));
    gw_buffer_text(&query->account, "}");
}

// All that a question is refused for before its budget is met, in a question's own words.
static gw_status dummy_authorize(gw_query *query) {
    gw_status status = gw_query_plan(query);
    if (status == GW_OK && query->is_denied)
        return GW_DENIED;
    if (status == GW_OK && !query->who.is_known)
        return gw_problem_set(&query->problem, GW_UNAUTHENTICATED, "unauthenticated",
                              "A new question needs a known principal.",
                              "Dummy answers are made for whoever may ask the question.",
                              "godwit keys new; then ask the operator to add it.");
    snprintf(query->data.version, sizeof query->data.version, DATA_NONE);
    if (status == GW_OK)
        status = gw_query_name(query);
    if (status == GW_OK)
        status = gw_query_hold_laws(query);
    return status == GW_OK ? gw_query_within_max_cost(query) : status;
}

gw_status gw_query_dummy(gw_query *query) {
    gw_status status = dummy_authorize(query);
    if (status != GW_OK)
        return status;
    status = dummy_measure(query);
    if (status == GW_OK)
        status = dummy_protect(query);
    if (status == GW_OK)
        status = dummy_encode(query);
    if (status != GW_OK)
        return gw_problem_set(&query->problem, status, "internal", "The dummy answer could not be made.", "",
                              "Ask for a smaller table.");
    dummy_account(query);
    return GW_OK;
}
