// SPDX-License-Identifier: Apache-2.0
// One writer thread. Callers queue and sleep; the writer takes what is there (at most 64), commits it as one
// transaction, syncs the high-water mark and signs when the log grew by more than charges, and wakes them. A lone
// caller never waits for company: only after a batch of several does the writer give the others up to a millisecond to
// come back.
#include "service/ledger/ledger.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/ledger/ledger_recover.h"
#include "service/store/durable.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define QUEUE_MAX 4096         // callers asleep at once; past it clients hear "busy"
#define BATCH_MAX 64           // larger batches gain nothing and hold replies back
#define GATHER_NS_MAX 1000000  // the wait for company, in all
#define GATHER_SLICE_NS 150000 // and without anybody new
#define FREE_BYTES_MIN (64ull << 20)
#define CLOCK_AHEAD_MAX 120 // seconds
#define EXIT_UNKNOWN 70     // EX_SOFTWARE

typedef struct waiter {
    struct waiter *next;
    gw_store_op *op;
    gw_status status;
    bool is_done;
    pthread_cond_t woken;
} waiter;

struct gw_ledger {
    char *state_folder, *database, *ballast, *mark_key;
    gw_clock clock;
    uint64_t free_bytes_min;
    int lock;
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t mutex; // guards the following, up to the next comment
    pthread_cond_t arrived;
    waiter *first, *last;
    size_t queued;
    size_t wanted; // the writer sleeps until this many are queued
    bool is_closing, is_broken;
    gw_checkpoint checkpoint;
    gw_buffer note;
    void (*unknown_call)(void *state);
    void *unknown_state;
    void (*checkpoint_call)(void *state, const gw_checkpoint *checkpoint, gw_bytes note);
    void *checkpoint_state;

    // The writer thread's own.
    ledger_ground ground;
    ledger_sealer sealer;
    size_t batch_last;
    int64_t anchor_unix, anchor_boot_ms; // the last commit
};

static void unknown_exit(void *state) {
    (void)state;
    _exit(EXIT_UNKNOWN);
}

// ---- signing

// From here on the checkpoint may be told of; `note` is taken.
static void checkpoint_set(gw_ledger *ledger, gw_buffer *note) {
    pthread_mutex_lock(&ledger->mutex);
    ledger->checkpoint = ledger->sealer.newest;
    gw_buffer old = ledger->note;
    ledger->note = *note;
    *note = old;
    if (ledger->checkpoint_call != NULL)
        ledger->checkpoint_call(ledger->checkpoint_state, &ledger->checkpoint, gw_buffer_bytes(&ledger->note));
    pthread_mutex_unlock(&ledger->mutex);
}

// Signs what is committed and marked. GW_UNAVAILABLE: it is signed, but the witnesses that must vouch for it did not.
// Anything else but GW_OK: a signer or a witness knows of another history, or the outcome is unknown.
static gw_status checkpoint_make(gw_ledger *ledger, const ledger_tree *tree, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer note;
    gw_buffer_init(&note, GW_LEDGER_NOTE_MAX);
    gw_status status = ledger_seal_sign(&ledger->sealer, tree, &note, ret_problem);
    if (status != GW_OK)
        return status;
    status = ledger_seal_witness(&ledger->sealer, &note, ret_problem);
    if (status == GW_OK || (status == GW_UNAVAILABLE && !ledger->sealer.witness.is_strict)) {
        checkpoint_set(ledger, &note);
        return GW_OK;
    }
    return status;
}

// ---- the batch

typedef struct {
    waiter *waiters[BATCH_MAX];
    gw_store_op *ops[BATCH_MAX];
    size_t count;    // waiters
    size_t op_count; // of them, those that go to the store
} batch;

static void refuse(gw_store_op *op, const char *code) {
    op->result = GW_UNAVAILABLE;
    op->seq = GW_NO_SEQ;
    op->budget = GW_BUDGET_NONE;
    snprintf(op->code, sizeof(op->code), "%s", code);
}

// What time it should be by the boot clock, at the latest.
static int64_t clock_bound(gw_ledger *ledger) {
    int64_t elapsed = (ledger->clock.boot_ms(ledger->clock.state) - ledger->anchor_boot_ms) / 1000;
    return ledger->anchor_unix + (elapsed > 0 ? elapsed : 0) + CLOCK_AHEAD_MAX;
}

static bool is_disk_short(const gw_ledger *ledger) {
    uint64_t bytes;
    return gw_durable_free_bytes(ledger->state_folder, &bytes) != GW_OK || bytes < ledger->free_bytes_min;
}

// Sorts out what may not be written now. Charges that exist may always be finished.
static void batch_sort(gw_ledger *ledger, batch *work, bool has_jumped) {
    bool is_short = is_disk_short(ledger);
    for (size_t i = 0; i < work->count; i++) {
        gw_store_op *op = work->waiters[i]->op;
        bool is_new = op->kind == GW_STORE_RESERVE || op->kind == GW_STORE_APPEND;
        if (is_new && has_jumped)
            refuse(op, "clock_jumped");
        else if (op->kind == GW_STORE_RESERVE && is_short)
            refuse(op, "disk_full");
        else
            work->ops[work->op_count++] = op;
    }
}

// Does the batch hold anything that a client may take for final?
static bool batch_needs_mark(const batch *work) {
    for (size_t i = 0; i < work->op_count; i++)
        if (work->ops[i]->result == GW_OK && work->ops[i]->kind != GW_STORE_RESERVE &&
            work->ops[i]->kind != GW_STORE_RESUME)
            return true;
    return false;
}

// Durable, but nobody may be told: the witnesses did not vouch for the tree that holds it.
static void batch_unwitnessed(batch *work) {
    for (size_t i = 0; i < work->op_count; i++) {
        gw_store_op *op = work->ops[i];
        if (op->kind == GW_STORE_RESERVE || op->kind == GW_STORE_RESUME || op->result != GW_OK)
            continue;
        op->result = GW_UNAVAILABLE;
        snprintf(op->code, sizeof(op->code), "no_quorum");
    }
}

static ledger_tree tree_committed(const gw_ledger *ledger, int64_t now) {
    return (ledger_tree){
        .size = gw_store_size(ledger->ground.store), .root = gw_store_root(ledger->ground.store), .time = now};
}

static gw_status batch_commit(gw_ledger *ledger, batch *work) {
    int64_t wall = ledger->clock.unix_seconds(ledger->clock.state), bound = clock_bound(ledger);
    int64_t now = wall < bound ? wall : bound;
    batch_sort(ledger, work, wall > bound);
    if (work->op_count == 0)
        return GW_OK;
    gw_status status = gw_store_commit(ledger->ground.store, work->ops, work->op_count, now);
    if (status != GW_OK)
        return status;
    if (wall <= bound) {
        ledger->anchor_unix = wall;
        ledger->anchor_boot_ms = ledger->clock.boot_ms(ledger->clock.state);
    }
    if (!batch_needs_mark(work))
        return GW_OK;
    // A crash here: committed, not acknowledged; the next start marks and signs it.
    ledger_tree tree = tree_committed(ledger, now);
    if (ledger_seal_mark(&ledger->sealer, &tree) != GW_OK)
        return GW_RETRY;
    gw_problem problem = {0};
    status = checkpoint_make(ledger, &tree, &problem);
    if (status == GW_UNAVAILABLE)
        batch_unwitnessed(work);
    return status == GW_OK || status == GW_UNAVAILABLE ? GW_OK : GW_RETRY;
}

static void waiter_wake(waiter *waiting, gw_status status) {
    waiting->status = status;
    waiting->is_done = true;
    pthread_cond_signal(&waiting->woken); // under the mutex: the waiter lives on its caller's stack
}

static waiter *queue_pop(gw_ledger *ledger) {
    waiter *waiting = ledger->first;
    ledger->first = waiting->next;
    if (ledger->first == NULL)
        ledger->last = NULL;
    ledger->queued--;
    return waiting;
}

// ---- the writer

static struct timespec time_after(struct timespec from, long nanoseconds) {
    from.tv_nsec += nanoseconds;
    from.tv_sec += from.tv_nsec / 1000000000;
    from.tv_nsec %= 1000000000;
    return from;
}

static bool is_before(struct timespec a, struct timespec b) {
    return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

static struct timespec time_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now;
}

// After a batch of several callers their next operations are on the way: waits for as many, as long as they keep
// coming.
static void gather(gw_ledger *ledger) {
    size_t wanted = ledger->batch_last < BATCH_MAX ? ledger->batch_last : BATCH_MAX;
    struct timespec now = time_now(), end = time_after(now, GATHER_NS_MAX);
    ledger->wanted = wanted;
    while (ledger->queued < wanted && !ledger->is_closing && is_before(now, end)) {
        size_t before = ledger->queued;
        struct timespec slice = time_after(now, GATHER_SLICE_NS);
        pthread_cond_timedwait(&ledger->arrived, &ledger->mutex, &slice);
        now = time_now();
        if (ledger->queued == before)
            break;
    }
    ledger->wanted = 1;
}

// With the mutex held; false when closing and nothing is left.
static bool batch_take(gw_ledger *ledger, batch *work) {
    while (ledger->queued == 0 && !ledger->is_closing)
        pthread_cond_wait(&ledger->arrived, &ledger->mutex);
    if (ledger->queued == 0)
        return false;
    if (ledger->batch_last > 1)
        gather(ledger);
    while (ledger->queued > 0 && work->count < BATCH_MAX)
        work->waiters[work->count++] = queue_pop(ledger);
    ledger->batch_last = work->count;
    return true;
}

// Nothing is written any more. Those of the batch hear "unknown"; those in the queue were never begun.
static void writer_break(gw_ledger *ledger) {
    ledger->is_broken = true;
    while (ledger->queued > 0)
        waiter_wake(queue_pop(ledger), GW_UNAVAILABLE);
    void (*call)(void *) = ledger->unknown_call;
    void *state = ledger->unknown_state;
    pthread_mutex_unlock(&ledger->mutex);
    call(state);
    pthread_mutex_lock(&ledger->mutex);
}

static void *writer_run(void *state) {
    gw_ledger *ledger = state;
    pthread_mutex_lock(&ledger->mutex);
    for (;;) {
        batch work = {.count = 0};
        if (!batch_take(ledger, &work))
            break;
        pthread_mutex_unlock(&ledger->mutex);
        gw_status status = batch_commit(ledger, &work);
        pthread_mutex_lock(&ledger->mutex);
        for (size_t i = 0; i < work.count; i++)
            waiter_wake(work.waiters[i], status);
        if (status == GW_RETRY) {
            writer_break(ledger);
            break;
        }
    }
    pthread_mutex_unlock(&ledger->mutex);
    return NULL;
}

gw_status gw_ledger_submit(gw_ledger *ledger, gw_store_op *op) {
    waiter waiting = {.op = op};
    pthread_mutex_lock(&ledger->mutex);
    gw_status status = ledger->is_closing || ledger->is_broken ? GW_UNAVAILABLE
                       : ledger->queued >= QUEUE_MAX           ? GW_BUSY
                                                               : GW_OK;
    if (status != GW_OK) {
        pthread_mutex_unlock(&ledger->mutex);
        return status;
    }
    pthread_cond_init(&waiting.woken, NULL);
    if (ledger->last == NULL)
        ledger->first = &waiting;
    else
        ledger->last->next = &waiting;
    ledger->last = &waiting;
    ledger->queued++;
    if (ledger->queued >= ledger->wanted)
        pthread_cond_signal(&ledger->arrived);
    while (!waiting.is_done)
        pthread_cond_wait(&waiting.woken, &ledger->mutex);
    pthread_mutex_unlock(&ledger->mutex);
    pthread_cond_destroy(&waiting.woken);
    return waiting.status;
}

// ---- open and close

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
    if (is_disk_short(ledger))
        gw_durable_ballast_drop(ledger->ballast);
    else
        gw_ignore(gw_durable_ballast_keep(ledger->ballast)); // without it a full disk is only harder to mend
    ledger_recover_options recover = {.state_folder = ledger->state_folder,
                                      .database = ledger->database,
                                      .hwm_path = options->hwm_path == NULL ? hwm_default : options->hwm_path,
                                      .mark_key_path = ledger->mark_key,
                                      .now = ledger->clock.unix_seconds(ledger->clock.state),
                                      .is_restored = options->is_restored};
    return ledger_recover(&recover, &ledger->sealer, &ledger->ground, ret_problem);
}

// The first signature of this run, over what is committed. Where witnesses must vouch and do not, there is no
// checkpoint yet, and the next outcome asks them again.
static gw_status open_sign(gw_ledger *ledger, gw_problem *ret_problem) {
    ledger_tree tree = tree_committed(ledger, ledger->clock.unix_seconds(ledger->clock.state));
    gw_problem problem = {0};
    gw_status status = checkpoint_make(ledger, &tree, &problem);
    if (status == GW_OK || status == GW_UNAVAILABLE)
        return ledger_mark_keep(&ledger->ground.mark, ledger->mark_key, ret_problem);
    if (ret_problem != NULL)
        *ret_problem = problem;
    return status;
}

static gw_status open_thread(gw_ledger *ledger, gw_problem *ret_problem) {
    ledger->anchor_unix = ledger->clock.unix_seconds(ledger->clock.state);
    ledger->anchor_boot_ms = ledger->clock.boot_ms(ledger->clock.state);
    if (pthread_create(&ledger->thread, NULL, writer_run, ledger) != 0)
        return gw_problem_set(ret_problem, GW_UNAVAILABLE, "no_thread", "The ledger's thread cannot be started.", "",
                              "");
    ledger->has_thread = true;
    return GW_OK;
}

static void ledger_init(gw_ledger *ledger, const gw_ledger_options *options) {
    *ledger = (gw_ledger){
        .clock = options->clock,
        .free_bytes_min = options->free_bytes_min == 0 ? FREE_BYTES_MIN : options->free_bytes_min,
        .lock = -1,
        .sealer = {.signer = options->signer, .witness = options->witness},
        .wanted = 1,
        .unknown_call = unknown_exit,
        .state_folder = strdup(options->state_folder),
        .database = path_join(options->state_folder, "godwit.db"),
        .ballast = path_join(options->state_folder, "ballast"),
        .mark_key = path_join(options->state_folder, "keys/mark.key"),
    };
    gw_buffer_init(&ledger->note, GW_LEDGER_NOTE_MAX);
    pthread_mutex_init(&ledger->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&ledger->arrived, &attributes);
    pthread_condattr_destroy(&attributes);
}

gw_status gw_ledger_open(const gw_ledger_options *options, gw_ledger **ret, gw_problem *ret_problem) {
    gw_ledger *ledger = calloc(1, sizeof(*ledger));
    if (ledger == NULL) {
        ledger_sealer sealer = {.signer = options->signer, .witness = options->witness};
        ledger_sealer_close(&sealer);
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
        status = open_sign(ledger, ret_problem);
    if (status == GW_OK)
        status = open_thread(ledger, ret_problem);
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
    pthread_cond_signal(&ledger->arrived);
    pthread_mutex_unlock(&ledger->mutex);
    if (ledger->has_thread)
        pthread_join(ledger->thread, NULL);
    ledger_sealer_close(&ledger->sealer);
    gw_store_close(ledger->ground.store);
    ledger_mark_close(&ledger->ground.mark);
    gw_closep(&ledger->lock); // last: the next daemon may start now
    gw_buffer_done(&ledger->note);
    pthread_cond_destroy(&ledger->arrived);
    pthread_mutex_destroy(&ledger->mutex);
    free(ledger->state_folder);
    free(ledger->database);
    free(ledger->ballast);
    free(ledger->mark_key);
    free(ledger);
}

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
    if (call != NULL)
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

const char *gw_ledger_database(const gw_ledger *ledger) {
    return ledger->database;
}

int64_t gw_ledger_now(gw_ledger *ledger) {
    return ledger->clock.unix_seconds(ledger->clock.state);
}
