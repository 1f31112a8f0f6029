// SPDX-License-Identifier: Apache-2.0
// The writer: takes what is queued (at most 64), commits it as one transaction, wakes those for whom the commit is
// enough and hands the others to the sealer. A lone caller never waits for company: only after a batch of several does
// the writer give the others up to a millisecond to come back.
#include "service/ledger/ledger_inner.h"
#include "service/store/durable.h"
#include <stdio.h>
#include <string.h>

#define GATHER_NS_MAX 1000000  // the wait for company, in all
#define GATHER_SLICE_NS 150000 // and without anybody new

typedef struct {
    ledger_waiter *waiters[LEDGER_BATCH_MAX];
    gw_store_op *ops[LEDGER_BATCH_MAX];
    size_t count;    // waiters
    size_t op_count; // of them, those that go to the store
} batch;

static void refuse(gw_store_op *op, const char *code) {
    op->result = GW_UNAVAILABLE;
    op->seq = GW_NO_SEQ;
    op->budget = GW_BUDGET_NONE;
    snprintf(op->code, sizeof(op->code), "%s", code);
}

// An operator's word on the clock; it goes alone, so that nothing bears a time that was not confirmed after all.
static bool is_confirming(const gw_store_op *op) {
    return op->kind == GW_STORE_APPEND && op->entry.kind == GW_ENTRY_CLOCK;
}

// Sorts out what may not be written now. Charges that exist may always be finished.
static void batch_sort(gw_ledger *ledger, batch *work, bool has_jumped) {
    bool is_short = ledger_is_disk_short(ledger), is_vouched = gw_ledger_is_vouched(ledger);
    for (size_t i = 0; i < work->count; i++) {
        gw_store_op *op = work->waiters[i]->op;
        bool is_new = op->kind == GW_STORE_RESERVE || op->kind == GW_STORE_APPEND;
        if (is_new && has_jumped && !is_confirming(op))
            refuse(op, GW_LEDGER_CLOCK_JUMPED);
        else if (op->kind == GW_STORE_RESERVE && is_short)
            refuse(op, "disk_full");
        else if (op->kind == GW_STORE_RESERVE && !is_vouched)
            refuse(op, "no_quorum");
        else
            work->ops[work->op_count++] = op;
    }
}

// The new window is not open: what refused is the old one.
static void batch_unconfirmed(batch *work) {
    for (size_t i = 0; i < work->op_count; i++)
        if (work->ops[i]->result == GW_BUDGET && work->ops[i]->budget == GW_BUDGET_WINDOW)
            snprintf(work->ops[i]->code, sizeof(work->ops[i]->code), GW_LEDGER_WINDOW_UNCONFIRMED);
}

static gw_status batch_write(gw_ledger *ledger, batch *work, const gw_ledger_clock *clock) {
    gw_store_op *first = work->ops[0];
    bool confirms = is_confirming(first);
    if (confirms)
        first->entry.clock.sure = clock->sure;
    gw_status status = gw_store_commit(ledger->store, work->ops, work->op_count, confirms ? clock->wall : clock->stamp);
    if (status != GW_OK)
        return status;
    if (clock->state == GW_CLOCK_UNCONFIRMED)
        batch_unconfirmed(work);
    if (confirms && first->result == GW_OK) {
        pthread_mutex_lock(&ledger->mutex);
        ledger_clock_confirm(&ledger->clock);
        pthread_mutex_unlock(&ledger->mutex); // a crash before it is kept: to be confirmed again
    }
    ledger_clock_settle(ledger);
    return GW_OK;
}

static gw_status batch_commit(gw_ledger *ledger, batch *work, ledger_tree *ret_tree) {
    ledger_clock_settle(ledger);
    gw_ledger_clock clock = gw_ledger_clock_now(ledger);
    batch_sort(ledger, work, clock.state == GW_CLOCK_JUMPED);
    if (work->op_count > 0) {
        gw_status status = batch_write(ledger, work, &clock);
        if (status != GW_OK)
            return status;
    }
    *ret_tree = (ledger_tree){.size = gw_store_size(ledger->store),
                              .root = gw_store_root(ledger->store),
                              .time = gw_store_time(ledger->store)};
    return GW_OK;
}

// Is the outcome one that a caller may be told of only under a checkpoint? Also that somebody else has ended the
// charge: who hears it goes and reads that end.
static bool op_needs_checkpoint(const gw_store_op *op) {
    switch (op->kind) {
    case GW_STORE_RESERVE:
    case GW_STORE_RESUME:
    case GW_STORE_KEYROT_KEEP: // stands under one already
        return false;
    case GW_STORE_SEAL:
    case GW_STORE_ABANDON:
        return op->result == GW_OK || op->result == GW_CONFLICT;
    case GW_STORE_APPEND:
    case GW_STORE_REPLAY:
        return op->result == GW_OK;
    }
    return true;
}

// With the mutex held. A crash before the sealer has done its part: committed, not acknowledged; the next start marks
// and signs it.
static void batch_settle(gw_ledger *ledger, const batch *work, gw_status status, const ledger_tree *tree) {
    if (status == GW_OK)
        ledger->tree = *tree;
    for (size_t i = 0; i < work->count; i++) {
        ledger_waiter *waiting = work->waiters[i];
        waiting->size = tree->size;
        if (status != GW_OK || !op_needs_checkpoint(waiting->op) || waiting->size <= ledger->size_sealed)
            ledger_wake(waiting, status);
        else if (ledger->is_broken)
            ledger_wake(waiting, GW_RETRY);
        else
            ledger_queue_push(&ledger->unsealed, waiting);
    }
    if (ledger->unsealed.count > 0) {
        ledger->size_wanted = tree->size > ledger->size_wanted ? tree->size : ledger->size_wanted;
        pthread_cond_signal(&ledger->committed);
    }
}

// After a batch of several callers their next operations are on the way: waits for as many, as long as they keep
// coming.
static void gather(gw_ledger *ledger) {
    size_t wanted = ledger->batch_last < LEDGER_BATCH_MAX ? ledger->batch_last : LEDGER_BATCH_MAX;
    struct timespec now = ledger_time_now(), end = ledger_time_after(now, GATHER_NS_MAX);
    ledger->wanted = wanted;
    while (ledger->queued.count < wanted && !ledger->is_closing && ledger_time_is_before(now, end)) {
        size_t before = ledger->queued.count;
        struct timespec slice = ledger_time_after(now, GATHER_SLICE_NS);
        pthread_cond_timedwait(&ledger->arrived, &ledger->mutex, &slice);
        now = ledger_time_now();
        if (ledger->queued.count == before)
            break;
    }
    ledger->wanted = 1;
}

static bool batch_has_room(const gw_ledger *ledger, const batch *work) {
    if (ledger->queued.count == 0 || work->count == LEDGER_BATCH_MAX)
        return false;
    return work->count == 0 || (!is_confirming(ledger->queued.first->op) && !is_confirming(work->waiters[0]->op));
}

// Until somebody queues, or for so long that the clock's anchors are to be kept.
static void batch_await(gw_ledger *ledger) {
    struct timespec end = ledger_time_after(ledger_time_now(), LEDGER_KEEP_SECONDS * INT64_C(1000000000));
    while (ledger->queued.count == 0 && !ledger->is_closing && !ledger->is_broken &&
           pthread_cond_timedwait(&ledger->arrived, &ledger->mutex, &end) == 0)
        continue;
}

// With the mutex held; false when closing and nothing is left, or when nothing may be written any more. The batch stays
// empty where only time has passed.
static bool batch_take(gw_ledger *ledger, batch *work) {
    batch_await(ledger);
    if (ledger->is_broken)
        return false;
    if (ledger->queued.count == 0)
        return !ledger->is_closing;
    if (ledger->batch_last > 1)
        gather(ledger);
    while (batch_has_room(ledger, work))
        work->waiters[work->count++] = ledger_queue_pop(&ledger->queued);
    ledger->batch_last = work->count;
    return work->count > 0; // a break while gathering has emptied the queue
}

void *ledger_writer_run(void *state) {
    gw_ledger *ledger = state;
    pthread_mutex_lock(&ledger->mutex);
    for (;;) {
        batch work = {.count = 0};
        ledger_tree tree = {0};
        if (!batch_take(ledger, &work))
            break;
        pthread_mutex_unlock(&ledger->mutex);
        gw_status status = work.count == 0 ? GW_OK : batch_commit(ledger, &work, &tree);
        ledger_clock_store(ledger, false);
        pthread_mutex_lock(&ledger->mutex);
        if (work.count > 0)
            batch_settle(ledger, &work, status, &tree);
        if (status == GW_RETRY) {
            ledger_break(ledger);
            break;
        }
    }
    ledger->is_written = true;
    pthread_cond_signal(&ledger->committed);
    pthread_mutex_unlock(&ledger->mutex);
    return NULL;
}
