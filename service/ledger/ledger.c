// SPDX-License-Identifier: Apache-2.0
// Opening and closing, the queue at the door, and what is told of the newest checkpoint. The work is the writer's
// (ledger_writer.c) and the sealer's (ledger_sealer.c).
#include "service/ledger/ledger.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/ledger/ledger_inner.h"
#include "service/store/durable.h"
#include <stdio.h>
#include <string.h>

#define QUEUE_MAX 4096 // callers asleep at once; past it clients hear "busy"
#define FREE_BYTES_MIN (64ull << 20)
#define EXIT_UNKNOWN 70 // EX_SOFTWARE

static void unknown_exit(void *state) {
    (void)state;
    _exit(EXIT_UNKNOWN);
}

bool ledger_is_disk_short(const gw_ledger *ledger) {
    uint64_t bytes;
    return gw_durable_free_bytes(ledger->state_folder, &bytes) != GW_OK || bytes < ledger->free_bytes_min;
}

// ---- time

struct timespec ledger_time_after(struct timespec from, int64_t nanoseconds) {
    int64_t sum = from.tv_nsec + nanoseconds;
    from.tv_sec += (time_t)(sum / 1000000000);
    from.tv_nsec = (long)(sum % 1000000000);
    return from;
}

bool ledger_time_is_before(struct timespec a, struct timespec b) {
    return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

struct timespec ledger_time_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now;
}

// Where a window's end cannot be read, time stops.
void ledger_clock_settle(gw_ledger *ledger) {
    int64_t limit, end;
    pthread_mutex_lock(&ledger->mutex);
    ledger->time_last = gw_store_time(ledger->store);
    bool wants_edge = ledger_clock_wants_edge(&ledger->clock, &limit);
    pthread_mutex_unlock(&ledger->mutex);
    if (!wants_edge)
        return;
    if (gw_store_window_end(ledger->store, limit, &end) != GW_OK)
        end = limit + 1;
    pthread_mutex_lock(&ledger->mutex);
    ledger->clock.edge = end;
    pthread_mutex_unlock(&ledger->mutex);
}

void ledger_clock_store(gw_ledger *ledger, bool is_due) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, LEDGER_CLOCK_BYTES_MAX);
    pthread_mutex_lock(&ledger->mutex);
    bool has_news = ledger_clock_keep(&ledger->clock, is_due, &text);
    pthread_mutex_unlock(&ledger->mutex);
    if (has_news)
        ledger_clock_write(&ledger->clock, &text);
}

// ---- the queue

void ledger_queue_push(ledger_queue *queue, ledger_waiter *waiting) {
    waiting->next = NULL;
    if (queue->last == NULL)
        queue->first = waiting;
    else
        queue->last->next = waiting;
    queue->last = waiting;
    queue->count++;
}

ledger_waiter *ledger_queue_pop(ledger_queue *queue) {
    ledger_waiter *waiting = queue->first;
    queue->first = waiting->next;
    if (queue->first == NULL)
        queue->last = NULL;
    queue->count--;
    return waiting;
}

void ledger_wake(ledger_waiter *waiting, gw_status status) {
    waiting->status = status;
    waiting->is_done = true;
    pthread_cond_signal(&waiting->woken); // under the mutex: the waiter lives on its caller's stack
}

void ledger_break(gw_ledger *ledger) {
    ledger->is_broken = true;
    while (ledger->unsealed.count > 0)
        ledger_wake(ledger_queue_pop(&ledger->unsealed), GW_RETRY);
    while (ledger->queued.count > 0)
        ledger_wake(ledger_queue_pop(&ledger->queued), GW_UNAVAILABLE);
    pthread_cond_signal(&ledger->arrived);
    pthread_cond_signal(&ledger->committed);
    pthread_cond_broadcast(&ledger->sealed);
    if (ledger->was_unknown_told)
        return;
    ledger->was_unknown_told = true;
    void (*call)(void *) = ledger->unknown_call;
    void *state = ledger->unknown_state;
    pthread_mutex_unlock(&ledger->mutex);
    call(state);
    pthread_mutex_lock(&ledger->mutex);
}

gw_status gw_ledger_submit(gw_ledger *ledger, gw_store_op *op) {
    ledger_waiter waiting = {.op = op};
    pthread_mutex_lock(&ledger->mutex);
    gw_status status = ledger->is_closing || ledger->is_broken ? GW_UNAVAILABLE
                       : ledger->queued.count >= QUEUE_MAX     ? GW_BUSY
                                                               : GW_OK;
    if (status != GW_OK) {
        pthread_mutex_unlock(&ledger->mutex);
        return status;
    }
    pthread_cond_init(&waiting.woken, NULL);
    ledger_queue_push(&ledger->queued, &waiting);
    if (ledger->queued.count >= ledger->wanted)
        pthread_cond_signal(&ledger->arrived);
    while (!waiting.is_done)
        pthread_cond_wait(&waiting.woken, &ledger->mutex);
    pthread_mutex_unlock(&ledger->mutex);
    pthread_cond_destroy(&waiting.woken);
    return waiting.status;
}

// ---- open

static char *path_join(const char *folder, const char *name) {
    char *path = NULL;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static gw_status no_memory(gw_problem *ret_problem) {
    return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
}

static gw_status open_lock(gw_ledger *ledger, gw_problem *ret_problem) {
    gw_status status = gw_durable_check_local(ledger->state_folder, ret_problem);
    if (status != GW_OK)
        return status;
    GW_CLEANUP(gw_freep) char *lock_path = path_join(ledger->state_folder, "lock");
    if (lock_path == NULL)
        return no_memory(ret_problem);
    return gw_durable_lock(lock_path, &ledger->lock, ret_problem);
}

static gw_status open_ground(gw_ledger *ledger, const gw_ledger_options *options, gw_problem *ret_problem) {
    GW_CLEANUP(gw_freep) char *hwm_default = path_join(ledger->state_folder, "hwm");
    if (hwm_default == NULL)
        return no_memory(ret_problem);
    if (ledger_is_disk_short(ledger))
        gw_durable_ballast_drop(ledger->ballast);
    else
        gw_ignore(gw_durable_ballast_keep(ledger->ballast)); // without it a full disk is only harder to mend
    ledger_recover_options recover = {.state_folder = ledger->state_folder,
                                      .database = ledger->database,
                                      .hwm_path = options->hwm_path == NULL ? hwm_default : options->hwm_path,
                                      .mark_key_path = ledger->mark_key,
                                      .now = ledger->os_clock.unix_seconds(ledger->os_clock.state)};
    ledger_ground ground;
    gw_status status = ledger_recover(&recover, &ledger->seals, &ground, ret_problem);
    if (status != GW_OK)
        return status;
    ledger->store = ground.store;
    ledger->mark = ground.mark;
    return GW_OK;
}

// The first signature of this run, over what is committed, and what the witnesses have seen. Where they must vouch and
// do not, there is no checkpoint yet, and they are asked again.
static gw_status open_seal(gw_ledger *ledger, gw_problem *ret_problem) {
    int64_t now = ledger->os_clock.unix_seconds(ledger->os_clock.state);
    ledger->tree =
        (ledger_tree){.size = gw_store_size(ledger->store), .root = gw_store_root(ledger->store), .time = now};
    ledger->size_wanted = ledger->tree.size;
    gw_problem problem = {0};
    gw_status status = ledger_tree_seal(ledger, &ledger->tree, &problem);
    if (status == GW_OK && !ledger->seals.witness.is_strict) {
        status = ledger_seal_witness(&ledger->seals, &ledger->note, &problem);
        if (status == GW_OK) {
            ledger->vouched = ledger->checkpoint;
            gw_buffer_append(&ledger->vouched_note, ledger->note.data, ledger->note.size);
        }
    }
    ledger->is_unvouched = status == GW_UNAVAILABLE && ledger->seals.witness.is_strict;
    if (status == GW_OK || status == GW_UNAVAILABLE)
        return ledger_mark_keep(&ledger->mark, ledger->mark_key, ret_problem);
    if (ret_problem != NULL)
        *ret_problem = problem;
    return status;
}

static gw_status thread_start(gw_ledger *ledger, void *(*run)(void *), pthread_t *thread, bool *has_thread,
                              gw_problem *ret_problem) {
    *has_thread = pthread_create(thread, NULL, run, ledger) == 0;
    if (!*has_thread)
        return gw_problem_set(ret_problem, GW_UNAVAILABLE, "no_thread", "The ledger's threads cannot be started.", "",
                              "");
    return GW_OK;
}

static gw_status open_clock(gw_ledger *ledger, gw_problem *ret_problem) {
    char *path = path_join(ledger->state_folder, "clock");
    if (path == NULL)
        return no_memory(ret_problem);
    const gw_store *store = ledger->store;
    ledger_clock_open(&ledger->clock, ledger->os_clock, path, gw_store_time(store), gw_store_has_charges(store));
    ledger_clock_store(ledger, true);
    ledger_clock_settle(ledger);
    return GW_OK;
}

static gw_status open_threads(gw_ledger *ledger, gw_problem *ret_problem) {
    gw_status status = GW_OK;
    if (ledger->seals.witness.state != NULL && !ledger->seals.witness.is_strict) {
        status = gw_store_reader_open(ledger->database, &ledger->voucher_reader, ret_problem);
        if (status == GW_OK)
            status = thread_start(ledger, ledger_voucher_run, &ledger->voucher, &ledger->has_voucher, ret_problem);
    }
    if (status == GW_OK)
        status = thread_start(ledger, ledger_sealer_run, &ledger->sealer, &ledger->has_sealer, ret_problem);
    if (status == GW_OK)
        status = thread_start(ledger, ledger_writer_run, &ledger->writer, &ledger->has_writer, ret_problem);
    return status;
}

static void ledger_init(gw_ledger *ledger, const gw_ledger_options *options) {
    *ledger = (gw_ledger){
        .os_clock = options->clock,
        .free_bytes_min = options->free_bytes_min == 0 ? FREE_BYTES_MIN : options->free_bytes_min,
        .lock = -1,
        .seals = {.signer = options->signer, .witness = options->witness},
        .wanted = 1,
        .unknown_call = unknown_exit,
        .state_folder = strdup(options->state_folder),
        .database = path_join(options->state_folder, "godwit.db"),
        .ballast = path_join(options->state_folder, "ballast"),
        .mark_key = path_join(options->state_folder, "keys/mark.key"),
    };
    gw_buffer_init(&ledger->note, GW_LEDGER_NOTE_MAX);
    gw_buffer_init(&ledger->vouched_note, GW_LEDGER_NOTE_MAX);
    pthread_mutex_init(&ledger->mutex, NULL);
    pthread_mutex_init(&ledger->signer_mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&ledger->arrived, &attributes);
    pthread_cond_init(&ledger->committed, &attributes);
    pthread_cond_init(&ledger->sealed, &attributes);
    pthread_condattr_destroy(&attributes);
}

gw_status gw_ledger_open(const gw_ledger_options *options, gw_ledger **ret, gw_problem *ret_problem) {
    gw_ledger *ledger = calloc(1, sizeof(*ledger));
    if (ledger == NULL) {
        ledger_seals seals = {.signer = options->signer, .witness = options->witness};
        ledger_seals_close(&seals);
        return no_memory(ret_problem);
    }
    ledger_init(ledger, options);
    gw_status status = GW_OK;
    if (ledger->state_folder == NULL || ledger->database == NULL || ledger->ballast == NULL || ledger->mark_key == NULL)
        status = no_memory(ret_problem);
    if (status == GW_OK)
        status = open_lock(ledger, ret_problem);
    if (status == GW_OK)
        status = open_ground(ledger, options, ret_problem);
    if (status == GW_OK)
        status = open_seal(ledger, ret_problem);
    if (status == GW_OK)
        status = open_clock(ledger, ret_problem);
    if (status == GW_OK)
        status = open_threads(ledger, ret_problem);
    if (status != GW_OK) {
        gw_ledger_close(ledger);
        return status;
    }
    *ret = ledger;
    return GW_OK;
}

void gw_ledger_close(gw_ledger *ledger) {
    if (ledger == NULL)
        return;
    pthread_mutex_lock(&ledger->mutex);
    ledger->is_closing = true;
    ledger->is_written = !ledger->has_writer;
    pthread_cond_signal(&ledger->arrived);
    pthread_cond_signal(&ledger->committed);
    pthread_cond_broadcast(&ledger->sealed);
    pthread_mutex_unlock(&ledger->mutex);
    if (ledger->has_writer) {
        pthread_join(ledger->writer, NULL);
        ledger_clock_store(ledger, true);
    }
    ledger_clock_done(&ledger->clock);
    if (ledger->has_sealer)
        pthread_join(ledger->sealer, NULL);
    if (ledger->has_voucher)
        pthread_join(ledger->voucher, NULL);
    gw_store_reader_close(ledger->voucher_reader);
    ledger_seals_close(&ledger->seals);
    gw_store_close(ledger->store);
    ledger_mark_close(&ledger->mark);
    gw_closep(&ledger->lock); // last: the next daemon may start now
    gw_buffer_done(&ledger->note);
    gw_buffer_done(&ledger->vouched_note);
    pthread_cond_destroy(&ledger->arrived);
    pthread_cond_destroy(&ledger->committed);
    pthread_cond_destroy(&ledger->sealed);
    pthread_mutex_destroy(&ledger->mutex);
    pthread_mutex_destroy(&ledger->signer_mutex);
    free(ledger->state_folder);
    free(ledger->database);
    free(ledger->ballast);
    free(ledger->mark_key);
    free(ledger);
}

// ---- what is told

void gw_ledger_on_unknown(gw_ledger *ledger, void (*call)(void *), void *state) {
    pthread_mutex_lock(&ledger->mutex);
    ledger->unknown_call = call;
    ledger->unknown_state = state;
    pthread_mutex_unlock(&ledger->mutex);
}

void gw_ledger_on_checkpoint(gw_ledger *ledger,
                             void (*call)(void *state, const gw_checkpoint *checkpoint, gw_bytes note), void *state) {
    pthread_mutex_lock(&ledger->mutex);
    ledger->checkpoint_call = call;
    ledger->checkpoint_state = state;
    if (call != NULL && ledger->checkpoint.size > 0)
        call(state, &ledger->checkpoint, gw_buffer_bytes(&ledger->note));
    pthread_mutex_unlock(&ledger->mutex);
}

void gw_ledger_checkpoint(gw_ledger *ledger, gw_checkpoint *ret_checkpoint, gw_buffer *ret_note) {
    pthread_mutex_lock(&ledger->mutex);
    *ret_checkpoint = ledger->checkpoint;
    if (ret_note != NULL)
        gw_buffer_append(ret_note, ledger->note.data, ledger->note.size);
    pthread_mutex_unlock(&ledger->mutex);
}

bool gw_ledger_is_vouched(gw_ledger *ledger) {
    pthread_mutex_lock(&ledger->mutex);
    bool is_vouched = !ledger->is_unvouched;
    pthread_mutex_unlock(&ledger->mutex);
    return is_vouched;
}

void gw_ledger_vouched(gw_ledger *ledger, gw_checkpoint *ret_checkpoint, gw_buffer *ret_note) {
    pthread_mutex_lock(&ledger->mutex);
    bool is_strict = ledger->seals.witness.is_strict;
    const gw_buffer *note = is_strict ? &ledger->note : &ledger->vouched_note;
    *ret_checkpoint = is_strict ? ledger->checkpoint : ledger->vouched;
    if (ret_note != NULL)
        gw_buffer_append(ret_note, note->data, note->size);
    pthread_mutex_unlock(&ledger->mutex);
}

gw_status gw_ledger_await(gw_ledger *ledger, uint64_t size, unsigned patience_ms) {
    struct timespec end = ledger_time_after(ledger_time_now(), (int64_t)patience_ms * 1000000);
    pthread_mutex_lock(&ledger->mutex);
    if (size > ledger->size_wanted) {
        ledger->size_wanted = size;
        pthread_cond_signal(&ledger->committed);
    }
    while (ledger->size_sealed < size && !ledger->is_closing && !ledger->is_broken &&
           ledger_time_is_before(ledger_time_now(), end))
        pthread_cond_timedwait(&ledger->sealed, &ledger->mutex, &end);
    gw_status status = ledger->size_sealed >= size ? GW_OK : GW_UNAVAILABLE;
    pthread_mutex_unlock(&ledger->mutex);
    return status;
}

const char *gw_ledger_database(const gw_ledger *ledger) {
    return ledger->database;
}

gw_ledger_clock gw_ledger_clock_now(gw_ledger *ledger) {
    pthread_mutex_lock(&ledger->mutex);
    gw_ledger_clock clock = ledger_clock_read(&ledger->clock, ledger->time_last);
    pthread_mutex_unlock(&ledger->mutex);
    return clock;
}

gw_status gw_ledger_clock_look(const char *state_folder, gw_clock os, int64_t last, gw_ledger_clock *ret) {
    char *path = path_join(state_folder, "clock");
    if (path == NULL)
        return GW_NO_MEMORY;
    ledger_clock clock;
    ledger_clock_open(&clock, os, path, last, true);
    *ret = ledger_clock_read(&clock, last);
    ledger_clock_done(&clock);
    return GW_OK;
}

const char *gw_clock_state_name(gw_clock_state state) {
    static const char *const names[] = {"right", "behind", "unconfirmed", "jumped"};
    return names[state];
}

int64_t gw_ledger_now(gw_ledger *ledger) {
    return gw_ledger_clock_now(ledger).wall;
}
