// SPDX-License-Identifier: Apache-2.0
// What the workers share: the policies in force, parsed once per activation, and where snapshots lie.
#include "service/query/plan.h"
#include "service/query/shared.h"

#include "service/base/check.h"
#include "service/base/file.h"
#include "service/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void parts_free(gw_queries *queries) {
    gw_flights_free(queries->flights);
    gw_laws_cache_free(queries->laws);
    gw_replays_free(queries->replays);
    gw_rules_drop(queries->rules);
    gw_quotes_free(queries->quotes);
    gw_rollback_free(queries->rollback);
    gw_rates_free(queries->rates);
    gw_refusals_free(queries->refusals);
    gw_incidents_free(queries->incidents);
}

gw_status gw_queries_new(const gw_query_options *options, gw_queries **ret, gw_problem *ret_problem) {
    gw_queries *queries = calloc(1, sizeof *queries);
    if (queries) {
        queries->flights = gw_flights_new();
        queries->laws = gw_laws_cache_new();
        queries->replays = gw_replays_new();
        queries->quotes = gw_quotes_new();
        queries->rollback = gw_rollback_new(options->state_folder);
        queries->rates = gw_rates_new();
        queries->refusals = gw_refusals_new();
        queries->incidents = gw_incidents_new();
        queries->rules = gw_rules_new(options->catalogue, NULL, options->release_tick_ms);
    }
    if (!queries || !queries->flights || !queries->laws || !queries->replays || !queries->quotes ||
        !queries->rollback || !queries->rules || !queries->rates || !queries->refusals || !queries->incidents) {
        if (queries)
            parts_free(queries);
        free(queries);
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "Out of memory.", "", "");
    }
    queries->options = *options;
    pthread_mutex_init(&queries->policies_lock, NULL);
    pthread_mutex_init(&queries->rules_lock, NULL);
    *ret = queries;
    return GW_OK;
}

void gw_queries_free(gw_queries *queries) {
    if (!queries)
        return;
    while (queries->policies) {
        policy_slot *slot = queries->policies;
        queries->policies = slot->next;
        gw_policy_free(slot->policy);
        free(slot);
    }
    parts_free(queries);
    pthread_mutex_destroy(&queries->policies_lock);
    pthread_mutex_destroy(&queries->rules_lock);
    free(queries);
}

gw_status gw_queries_check(gw_queries *queries, gw_problem *ret_problem) {
    return gw_rollback_check(queries->rollback, ret_problem);
}

// ---- what is said in the log of the service itself

#define ENTRIES_A_TICK 16u // each may wait for a disk and for witnesses, and the tick looks after other things too

void gw_queries_limit(gw_queries *queries, gw_rate_limits limits) {
    gw_rates_limit(queries->rates, limits);
}

void gw_queries_report(gw_queries *queries, gw_incident incident) {
    gw_incidents_report(queries->incidents, incident);
}

static bool entry_append(void *state, const gw_entry *entry) {
    gw_queries *queries = state;
    gw_store_op op = {.kind = GW_STORE_APPEND, .entry = *entry};
    return gw_ledger_submit(queries->options.ledger, &op) == GW_OK && op.result == GW_OK;
}

static void log_count(const char *event, uint64_t count) {
    char text[24];
    if (count == 0)
        return;
    snprintf(text, sizeof text, "%llu", (unsigned long long)count);
    gw_log(GW_LOG_WARN, event, "requests", text, NULL);
}

void gw_queries_tick(gw_queries *queries, bool is_closing) {
    log_count("rate_limited", atomic_exchange(&queries->limited, 0));
    log_count("refusals_uncounted", gw_refusals_uncounted(queries->refusals));
    if (gw_rollback_is_proven(queries->rollback))
        return; // nothing is appended to a log that was set back
    int64_t now = gw_ledger_now(queries->options.ledger);
    gw_refusals_flush(queries->refusals, now, is_closing, is_closing ? SIZE_MAX : ENTRIES_A_TICK, entry_append,
                      queries);
    gw_incidents_flush(queries->incidents, now, entry_append, queries);
}

// ---- shared by workers

gw_rules *gw_queries_rules(gw_queries *queries) {
    pthread_mutex_lock(&queries->rules_lock);
    gw_rules *rules = gw_rules_hold(queries->rules);
    pthread_mutex_unlock(&queries->rules_lock);
    return rules;
}

gw_status gw_queries_reload(gw_queries *queries, gw_catalogue *catalogue, unsigned release_tick_ms) {
    gw_rules *rules = gw_rules_new(NULL, catalogue, release_tick_ms);
    if (!rules)
        return GW_NO_MEMORY;
    pthread_mutex_lock(&queries->rules_lock);
    gw_rules *old = queries->rules;
    queries->rules = rules;
    pthread_mutex_unlock(&queries->rules_lock);
    gw_rules_drop(old);
    return GW_OK;
}

gw_status gw_query_worker_new(gw_queries *queries, gw_query_worker **ret, gw_problem *ret_problem) {
    gw_query_worker *worker = calloc(1, sizeof *worker);
    if (!worker)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "Out of memory.", "", "");
    worker->queries = queries;
    gw_status status = gw_store_reader_open(gw_ledger_database(queries->options.ledger), &worker->reader, ret_problem);
    if (status == GW_OK && gw_random_new(&worker->random) != GW_OK)
        status =
            gw_problem_set(ret_problem, GW_UNAVAILABLE, "no_randomness", "The kernel gives no randomness.", "", "");
    if (status != GW_OK) {
        gw_query_worker_free(worker);
        return status;
    }
    *ret = worker;
    return GW_OK;
}

void gw_query_worker_free(gw_query_worker *worker) {
    if (!worker)
        return;
    gw_store_reader_close(worker->reader);
    gw_random_free(worker->random);
    free(worker);
}

void gw_query_worker_peer(gw_query_worker *worker, const char *address) {
    snprintf(worker->peer, sizeof worker->peer, "%s", address);
}

gw_store_reader *gw_query_reader(gw_query_worker *worker) {
    return worker->reader;
}

static policy_slot *policy_slot_find(gw_queries *queries, uint64_t seq) {
    pthread_mutex_lock(&queries->policies_lock);
    policy_slot *slot = queries->policies;
    while (slot && slot->row.seq != seq)
        slot = slot->next;
    pthread_mutex_unlock(&queries->policies_lock);
    return slot;
}

// Parses the policy's stored text. Two workers may both do so; both slots stay, which is harmless.
static gw_status policy_slot_load(gw_query_worker *worker, const char *dataset, policy_slot **ret,
                                  gw_problem *ret_problem) {
    gw_buffer text;
    gw_buffer_init(&text, GW_POLICY_BYTES_MAX);
    policy_slot *slot = calloc(1, sizeof *slot);
    gw_status status = slot ? gw_store_policy_current(worker->reader, dataset, &slot->row, &text) : GW_NO_MEMORY;
    gw_problem problem = {0};
    if (status == GW_OK)
        status = gw_policy_load(gw_buffer_bytes(&text), dataset, worker->queries->options.codelist_folder,
                                &slot->policy, &problem);
    gw_buffer_done(&text);
    if (status != GW_OK) {
        free(slot);
        gw_log(GW_LOG_ERROR, "policy_unreadable", "dataset", dataset, "code", problem.code, NULL);
        return gw_problem_set(ret_problem, GW_UNAVAILABLE, "policy_unreadable", "This dataset's policy cannot be read.",
                              "The stored policy no longer loads; its code lists may have been moved.",
                              "Ask the operator.");
    }
    slot->layout = gw_plan_layout(slot->policy);
    pthread_mutex_lock(&worker->queries->policies_lock);
    slot->next = worker->queries->policies;
    worker->queries->policies = slot;
    pthread_mutex_unlock(&worker->queries->policies_lock);
    *ret = slot;
    return GW_OK;
}

typedef struct {
    char names[64][GW_DATASET_MAX];
    size_t count;
} dataset_names;

static void dataset_names_add(void *state, const gw_store_policy *row) {
    dataset_names *names = state;
    if (names->count < 64)
        snprintf(names->names[names->count++], GW_DATASET_MAX, "%s", row->dataset);
}

static gw_status unknown_dataset(gw_query_worker *worker, const char *dataset, gw_problem *ret_problem) {
    gw_problem_set(ret_problem, GW_NOT_FOUND, "unknown_dataset", "There is no such dataset.", "", "");
    gw_problem_why(ret_problem, "\"%s\" is not in the catalogue.", dataset);
    dataset_names *names = calloc(1, sizeof *names);
    if (names)
        gw_ignore(gw_store_datasets(worker->reader, dataset_names_add, names)); // only to suggest one
    const char *words[64];
    for (size_t i = 0; names && i < names->count; i++)
        words[i] = names->names[i];
    const char *nearest = names ? gw_nearest(dataset, words, names->count) : NULL;
    if (nearest)
        gw_problem_mend(ret_problem, "Did you mean \"%s\"? godwit catalogue", nearest);
    else
        gw_problem_mend(ret_problem, "godwit catalogue");
    free(names);
    return GW_NOT_FOUND;
}

gw_status gw_query_policy(gw_query_worker *worker, const char *dataset, gw_policy_in_force *ret,
                          gw_problem *ret_problem) {
    gw_store_policy row;
    gw_status status = gw_store_policy_current(worker->reader, dataset, &row, NULL);
    if (status == GW_NOT_FOUND)
        return unknown_dataset(worker, dataset, ret_problem);
    if (status != GW_OK)
        return gw_problem_set(ret_problem, status, "internal", "The policy could not be read.", "",
                              "Ask the operator.");
    policy_slot *slot = policy_slot_find(worker->queries, row.seq);
    if (!slot)
        status = policy_slot_load(worker, dataset, &slot, ret_problem);
    if (status == GW_OK)
        *ret = (gw_policy_in_force){.policy = slot->policy, .row = slot->row, .layout = slot->layout};
    return status;
}

void gw_query_snapshot_path(const gw_queries *queries, const char *dataset, const char *version, const char *suffix,
                            char *ret_path, size_t size) {
    snprintf(ret_path, size, "%s/data/%s/%s%s", queries->options.state_folder, dataset, version, suffix);
}

gw_status gw_queries_layout_check(gw_query_worker *worker, const gw_policy_in_force *in_force, const char *data,
                                  gw_problem *ret_problem) {
    gw_queries *queries = worker->queries;
    policy_slot *slot = policy_slot_find(queries, in_force->row.seq);
    pthread_mutex_lock(&queries->policies_lock);
    bool is_checked = slot && strcmp(slot->layout_data, data) == 0;
    pthread_mutex_unlock(&queries->policies_lock);
    if (is_checked)
        return GW_OK;
    char path[4096], hex[GW_HASH_HEX];
    gw_query_snapshot_path(queries, in_force->policy->dataset, data, ".layout", path, sizeof path);
    gw_hex((gw_bytes){in_force->layout.bytes, GW_HASH_SIZE}, hex);
    gw_buffer text;
    gw_buffer_init(&text, 256);
    bool is_same = gw_file_read(path, &text, NULL) == GW_OK && text.size == GW_HASH_HEX &&
                   memcmp(text.data, hex, GW_HASH_HEX - 1) == 0;
    gw_buffer_done(&text);
    if (!is_same)
        return gw_problem_set(
            ret_problem, GW_UNAVAILABLE, "data_layout", "This dataset waits for its data to be loaded again.",
            "The policy in force describes the tables differently from the policy the data was loaded under.",
            "Its owner runs: godwit load");
    pthread_mutex_lock(&queries->policies_lock);
    if (slot)
        snprintf(slot->layout_data, sizeof slot->layout_data, "%s", data);
    pthread_mutex_unlock(&queries->policies_lock);
    return GW_OK;
}
