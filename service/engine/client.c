// SPDX-License-Identifier: Apache-2.0
// The pool of engine children. A free child is taken, asked, and given back; one that died or passed its deadline is
// killed and replaced at once, and the statement it held is lost: nothing is retried, because a second run could be a
// second draw. Only a child found dead before it was asked is replaced and then asked.
#include "service/engine/child.h"
#include "service/base/cleanup.h"
#include "service/base/log.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHILDREN_MAX 16u
#define GREETING_MS 20000 // loading a 70 MB library from a cold disk on a busy machine
#define GOODBYE_MS 2000   // an idle child ends within milliseconds of the hang-up
#define ARGUMENT_SIZE 32u

typedef struct {
    gw_process process; // NONE after a failed start
    bool is_greeted;
    bool is_busy;
    bool is_wanted; // a reload waits for it: nobody else takes it
} engine_slot;

// As the child's arguments say them.
typedef struct {
    char threads[ARGUMENT_SIZE];
    char memory[ARGUMENT_SIZE];
} engine_limits;

struct gw_engine {
    char *program;
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    // Owned by `mutex`. While a slot is busy the rest of it belongs to the thread that took it, and only the pid is
    // read by others.
    engine_slot slots[CHILDREN_MAX];
    unsigned slot_count;
    engine_limits limits;
    uint64_t restarts;
    uint64_t sequence;
};

GW_DEFINE_FREEP(gw_engine, gw_engine_close)
GW_DEFINE_FREEP(gw_exact_table, gw_exact_table_free)
GW_DEFINE_FREEP(gw_exact_keys, gw_exact_keys_free)

static engine_limits limits_of(const gw_engine_options *options) {
    engine_limits limits;
    snprintf(limits.threads, sizeof(limits.threads), "%u", options->threads);
    snprintf(limits.memory, sizeof(limits.memory), "%llu", (unsigned long long)options->memory_bytes);
    return limits;
}

static gw_status process_start(const char *program, const engine_limits *limits, gw_process *ret_process) {
    const char *arguments[] = {"godwit-engine", "serve", limits->threads, limits->memory, NULL};
    return gw_process_start(program, arguments, ret_process);
}

static gw_status slot_start(gw_engine *engine, engine_slot *slot) {
    pthread_mutex_lock(&engine->mutex);
    engine_limits limits = engine->limits;
    pthread_mutex_unlock(&engine->mutex);
    gw_process process = GW_PROCESS_NONE;
    gw_status status = process_start(engine->program, &limits, &process);
    pthread_mutex_lock(&engine->mutex);
    slot->process = process;
    slot->is_greeted = false;
    pthread_mutex_unlock(&engine->mutex);
    return status;
}

static void slot_stop(gw_engine *engine, engine_slot *slot, int64_t patience_ms) {
    pthread_mutex_lock(&engine->mutex);
    gw_process process = slot->process;
    slot->process = GW_PROCESS_NONE; // no one may signal the pid once it is reaped
    pthread_mutex_unlock(&engine->mutex);
    gw_process_stop(&process, patience_ms);
}

// A failed start is only logged: the slot stays empty and the next taker tries again.
static void slot_restart(gw_engine *engine, engine_slot *slot, const char *reason) {
    slot_stop(engine, slot, 0);
    pthread_mutex_lock(&engine->mutex);
    engine->restarts++;
    pthread_mutex_unlock(&engine->mutex);
    gw_status status = slot_start(engine, slot);
    gw_log(GW_LOG_WARN, "engine_restart", "reason", reason, "status", gw_status_name(status), NULL);
}

static gw_status slot_greet(engine_slot *slot) {
    if (slot->process.pid == 0)
        return GW_UNAVAILABLE;
    if (slot->is_greeted)
        return GW_OK;
    gw_status status = gw_engine_child_greet(&slot->process, gw_engine_now_ms() + GREETING_MS);
    slot->is_greeted = status == GW_OK;
    return status;
}

static gw_status engine_missing(const gw_engine *engine, gw_problem *ret_problem) {
    gw_status status =
        gw_problem_set(ret_problem, GW_UNAVAILABLE, "engine_missing", "The engine does not start.", "",
                       "Install godwit-engine beside godwitd, with the DuckDB library it was built with.");
    gw_problem_why(ret_problem, "%s cannot be run, or is of another build.", engine->program);
    return status;
}

static gw_status open_children(gw_engine *engine, gw_problem *ret_problem) {
    gw_status status = GW_OK;
    for (unsigned i = 0; i < engine->slot_count && status == GW_OK; i++)
        status = slot_start(engine, &engine->slots[i]); // all first: they load their library side by side
    for (unsigned i = 0; i < engine->slot_count && status == GW_OK; i++)
        status = slot_greet(&engine->slots[i]);
    return status == GW_OK ? GW_OK : engine_missing(engine, ret_problem);
}

static gw_status options_check(const gw_engine_options *options, gw_problem *ret_problem) {
    if (options->children < 1 || options->children > CHILDREN_MAX || options->threads < 1)
        return gw_problem_set(ret_problem, GW_INVALID, "engine_options", "The engine's settings are out of range.",
                              "It runs 1 to 16 children with at least one thread each.", "");
    return GW_OK;
}

gw_status gw_engine_open(const gw_engine_options *options, gw_engine **ret, gw_problem *ret_problem) {
    gw_status status = options_check(options, ret_problem);
    if (status != GW_OK)
        return status;
    GW_CLEANUP(gw_engine_freep) gw_engine *engine = calloc(1, sizeof(*engine));
    if (engine == NULL)
        return GW_NO_MEMORY;
    pthread_mutex_init(&engine->mutex, NULL);
    pthread_cond_init(&engine->freed, NULL);
    engine->program = strdup(options->program);
    if (engine->program == NULL)
        return GW_NO_MEMORY;
    engine->slot_count = options->children;
    for (unsigned i = 0; i < CHILDREN_MAX; i++)
        engine->slots[i].process = GW_PROCESS_NONE;
    engine->limits = limits_of(options);
    status = open_children(engine, ret_problem);
    if (status != GW_OK)
        return status;
    *ret = gw_take(&engine);
    return GW_OK;
}

void gw_engine_close(gw_engine *engine) {
    if (engine == NULL)
        return;
    for (unsigned i = 0; i < engine->slot_count; i++)
        slot_stop(engine, &engine->slots[i], GOODBYE_MS);
    pthread_cond_destroy(&engine->freed);
    pthread_mutex_destroy(&engine->mutex);
    free(engine->program);
    free(engine);
}

static engine_slot *engine_take(gw_engine *engine, uint64_t *ret_sequence) {
    pthread_mutex_lock(&engine->mutex);
    engine_slot *taken = NULL;
    while (taken == NULL) {
        for (unsigned i = 0; i < engine->slot_count && taken == NULL; i++)
            if (!engine->slots[i].is_busy && !engine->slots[i].is_wanted)
                taken = &engine->slots[i];
        if (taken == NULL)
            pthread_cond_wait(&engine->freed, &engine->mutex);
    }
    taken->is_busy = true;
    *ret_sequence = ++engine->sequence;
    pthread_mutex_unlock(&engine->mutex);
    return taken;
}

static void engine_give_back(gw_engine *engine, engine_slot *slot) {
    pthread_mutex_lock(&engine->mutex);
    slot->is_busy = false;
    pthread_cond_broadcast(&engine->freed); // one may wait for any child, another for this one
    pthread_mutex_unlock(&engine->mutex);
}

// Hands the statement to a living child. A send fails only where the child was dead before it held the whole statement,
// so it has not run, and may be handed to another.
static gw_status slot_send(gw_engine *engine, engine_slot *slot, const gw_frame *frame, const gw_buffer *payload,
                           int64_t deadline_ms) {
    if (slot_greet(slot) == GW_OK) {
        gw_status status = gw_frame_send(slot->process.descriptor, frame, payload->data, deadline_ms);
        if (status != GW_IO)
            return status;
    }
    slot_restart(engine, slot, "found_dead");
    gw_status status = slot_greet(slot);
    if (status != GW_OK)
        return status;
    return gw_frame_send(slot->process.descriptor, frame, payload->data, deadline_ms);
}

// Where a reply goes: a piece of memory that it fills exactly.
typedef struct {
    gw_frame_kind kind;
    void *memory;
    size_t size;
} reply_place;

static gw_status slot_ask(gw_engine *engine, engine_slot *slot, uint64_t sequence, const gw_buffer *payload,
                          uint32_t deadline_ms, reply_place place) {
    int64_t deadline = gw_engine_now_ms() + deadline_ms;
    gw_frame request = {.kind = GW_FRAME_MEASURE, .sequence = sequence, .size = payload->size};
    gw_status status = slot_send(engine, slot, &request, payload, deadline);
    gw_frame reply = {0};
    if (status == GW_OK) {
        gw_frame expected = {.kind = place.kind, .sequence = sequence, .size = place.size};
        status = gw_frame_receive_exact(slot->process.descriptor, &expected, place.memory, deadline, &reply);
    }
    if (status != GW_OK) {
        const char *reason = status == GW_RETRY ? "deadline" : "child_died";
        gw_log(GW_LOG_ERROR, "engine_failed", "reason", reason, NULL);
        slot_restart(engine, slot, reason);
        return GW_UNAVAILABLE;
    }
    if (reply.word != GW_WORD_OK) {
        gw_log(GW_LOG_ERROR, "engine_failed", "reason", "statement", "word", gw_engine_word_name(reply.word), NULL);
        return GW_UNAVAILABLE;
    }
    return GW_OK;
}

static gw_status engine_ask(gw_engine *engine, const gw_engine_statement *statement, reply_place place) {
    GW_CLEANUP(gw_buffer_done) gw_buffer payload;
    gw_buffer_init(&payload, GW_FRAME_SIZE_MAX);
    gw_statement_pack(statement, &payload);
    bool is_short = statement->param_count <= GW_ENGINE_PARAMS_MAX && strlen(statement->sql) <= GW_ENGINE_SQL_MAX;
    if (place.memory == NULL || payload.status != GW_OK || !is_short) {
        gw_log(GW_LOG_ERROR, "engine_failed", "reason", "statement", "word", "too_big", NULL);
        return GW_UNAVAILABLE;
    }
    uint64_t sequence;
    engine_slot *slot = engine_take(engine, &sequence);
    gw_status status = slot_ask(engine, slot, sequence, &payload, statement->deadline_ms, place);
    engine_give_back(engine, slot);
    return status;
}

gw_status gw_engine_measure(gw_engine *engine, const gw_engine_statement *statement, gw_exact_table **ret_table) {
    GW_CLEANUP(gw_exact_table_freep) gw_exact_table *table = NULL;
    reply_place place = {.kind = GW_FRAME_TABLE};
    if (statement->key_bytes == 0 &&
        gw_exact_table_new(statement->cell_count, statement->part_count, &table) == GW_OK) {
        place.memory = table->values;
        place.size = table->cell_count * table->part_count * sizeof(gw_int128);
    }
    gw_status status = engine_ask(engine, statement, place);
    if (status == GW_OK)
        *ret_table = gw_take(&table);
    return status;
}

gw_status gw_engine_measure_keys(gw_engine *engine, const gw_engine_statement *statement, gw_exact_keys **ret_keys) {
    GW_CLEANUP(gw_exact_keys_freep) gw_exact_keys *keys = NULL;
    reply_place place = {.kind = GW_FRAME_KEYS};
    if (statement->part_count == 1 && gw_exact_keys_new(statement->cell_count, statement->key_bytes, &keys) == GW_OK) {
        place.memory = keys->counts;
        place.size = gw_exact_keys_bytes(keys);
    }
    gw_status status = engine_ask(engine, statement, place);
    if (status == GW_OK)
        *ret_keys = gw_take(&keys);
    return status;
}

// ---- other limits

// The child of slot `at` once its statement has ended; `process` takes its place. NONE: the slot is given up.
static gw_process slot_exchange(gw_engine *engine, unsigned at, gw_process process) {
    engine_slot *slot = &engine->slots[at];
    pthread_mutex_lock(&engine->mutex);
    slot->is_wanted = true;
    while (slot->is_busy)
        pthread_cond_wait(&engine->freed, &engine->mutex);
    gw_process old = slot->process;
    slot->process = process;
    slot->is_greeted = process.pid > 0;
    slot->is_wanted = false;
    if (process.pid > 0 && at >= engine->slot_count)
        engine->slot_count = at + 1;
    pthread_cond_broadcast(&engine->freed);
    pthread_mutex_unlock(&engine->mutex);
    return old;
}

static gw_status processes_start(const gw_engine *engine, const engine_limits *limits, gw_process *ret_processes,
                                 unsigned count) {
    gw_status status = GW_OK;
    // One after the other: each loads a large library, and the processors have questions to answer.
    for (unsigned i = 0; i < count && status == GW_OK; i++) {
        status = process_start(engine->program, limits, &ret_processes[i]);
        if (status == GW_OK)
            status = gw_engine_child_greet(&ret_processes[i], gw_engine_now_ms() + GREETING_MS);
    }
    return status;
}

gw_status gw_engine_reload(gw_engine *engine, const gw_engine_options *options, gw_problem *ret_problem) {
    gw_process processes[CHILDREN_MAX];
    engine_limits limits = limits_of(options);
    gw_status status = options_check(options, ret_problem);
    if (status != GW_OK)
        return status;
    for (unsigned i = 0; i < CHILDREN_MAX; i++)
        processes[i] = GW_PROCESS_NONE;
    if (processes_start(engine, &limits, processes, options->children) != GW_OK) {
        for (unsigned i = 0; i < options->children; i++)
            gw_process_stop(&processes[i], 0);
        return engine_missing(engine, ret_problem);
    }
    pthread_mutex_lock(&engine->mutex);
    unsigned before = engine->slot_count;
    engine->limits = limits;
    if (options->children < before)
        engine->slot_count = options->children; // the rest ends with what it is measuring
    pthread_mutex_unlock(&engine->mutex);
    unsigned last = options->children > before ? options->children : before;
    for (unsigned i = 0; i < last; i++) {
        gw_process old = slot_exchange(engine, i, processes[i]);
        gw_process_stop(&old, GOODBYE_MS);
    }
    return GW_OK;
}

size_t gw_engine_pids(const gw_engine *engine, int *ret_pids, size_t max) {
    gw_engine *shared = (gw_engine *)(uintptr_t)engine; // const to the caller; the lock inside is not
    size_t count = 0;
    pthread_mutex_lock(&shared->mutex);
    for (unsigned i = 0; i < engine->slot_count && count < max; i++)
        if (engine->slots[i].process.pid > 0)
            ret_pids[count++] = engine->slots[i].process.pid;
    pthread_mutex_unlock(&shared->mutex);
    return count;
}

uint64_t gw_engine_restarts(const gw_engine *engine) {
    gw_engine *shared = (gw_engine *)(uintptr_t)engine;
    pthread_mutex_lock(&shared->mutex);
    uint64_t restarts = engine->restarts;
    pthread_mutex_unlock(&shared->mutex);
    return restarts;
}
