// SPDX-License-Identifier: Apache-2.0
// The sealer: takes the newest committed tree, however many batches it holds, and wakes everybody whom it covers. While
// it waits for the disk, the signer or the witnesses the writer commits the next batch, so that a reply costs two syncs
// one after the other only where nobody else asks.
#include "service/ledger/ledger_inner.h"
#include "service/base/cleanup.h"
#include <stdio.h>
#include <string.h>

#define RETRY_NS INT64_C(1000000000) // witnesses that did not vouch are asked again after this

// From here on the checkpoint may be told of. With the mutex held; `note` is exchanged.
static void checkpoint_set(gw_ledger *ledger, const gw_checkpoint *checkpoint, gw_buffer *note) {
    ledger->checkpoint = *checkpoint;
    ledger->size_sealed = checkpoint->size;
    gw_buffer old = ledger->note;
    ledger->note = *note;
    *note = old;
    if (ledger->checkpoint_call != NULL)
        ledger->checkpoint_call(ledger->checkpoint_state, &ledger->checkpoint, gw_buffer_bytes(&ledger->note));
    pthread_cond_broadcast(&ledger->sealed);
}

static gw_status tree_sign(gw_ledger *ledger, const ledger_tree *tree, gw_buffer *ret_note, gw_problem *ret_problem) {
    pthread_mutex_lock(&ledger->signer_mutex);
    gw_status status = ledger_seal_sign(&ledger->seals, tree, ret_note, ret_problem);
    pthread_mutex_unlock(&ledger->signer_mutex);
    return status;
}

gw_status ledger_tree_seal(gw_ledger *ledger, const ledger_tree *tree, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer note;
    gw_buffer_init(&note, GW_LEDGER_NOTE_MAX);
    if (ledger_seal_mark(&ledger->seals, tree) != GW_OK)
        return gw_problem_set(ret_problem, GW_RETRY, "hwm_unwritable", "The high-water mark cannot be written.", "",
                              "");
    gw_status status = tree_sign(ledger, tree, &note, ret_problem);
    if (status == GW_UNAVAILABLE) // of a signer, not of a witness
        status = GW_RETRY;
    size_t signed_size = note.size;
    if (status == GW_OK && ledger->seals.witness.is_strict)
        status = ledger_seal_witness(&ledger->seals, &note, ret_problem);
    if (status != GW_OK)
        return status;
    pthread_mutex_lock(&ledger->mutex);
    ledger->is_unvouched = false;
    checkpoint_set(ledger, &ledger->seals.newest, &note);
    ledger->note_signed = signed_size;
    pthread_mutex_unlock(&ledger->mutex);
    return GW_OK;
}

// Durable, but nobody may be told: the witnesses did not vouch for the tree that holds it.
static void op_unwitnessed(gw_store_op *op) {
    op->result = GW_UNAVAILABLE;
    snprintf(op->code, sizeof(op->code), "no_quorum");
}

// Those whom a tree of `size` covers; they came in the order of their trees.
static void covered_wake(gw_ledger *ledger, uint64_t size, bool is_vouched) {
    while (ledger->unsealed.first != NULL && ledger->unsealed.first->size <= size) {
        ledger_waiter *waiting = ledger_queue_pop(&ledger->unsealed);
        if (!is_vouched)
            op_unwitnessed(waiting->op);
        ledger_wake(waiting, GW_OK);
    }
}

// Sleeps until there is a tree to seal; false when there will be none. `retry_at`: not before, unless somebody new
// waits.
static bool tree_await(gw_ledger *ledger, struct timespec retry_at) {
    for (;;) {
        if (ledger->is_broken)
            return false;
        if (ledger->unsealed.count > 0)
            return true;
        if (ledger->is_written)
            return false;
        bool is_asked = ledger->size_wanted > ledger->size_sealed && ledger->tree.size > ledger->size_sealed;
        if (is_asked && !ledger_time_is_before(ledger_time_now(), retry_at))
            return true;
        if (is_asked)
            pthread_cond_timedwait(&ledger->committed, &ledger->mutex, &retry_at);
        else
            pthread_cond_wait(&ledger->committed, &ledger->mutex);
    }
}

void *ledger_sealer_run(void *state) {
    gw_ledger *ledger = state;
    struct timespec retry_at = ledger_time_now();
    pthread_mutex_lock(&ledger->mutex);
    while (tree_await(ledger, retry_at)) {
        ledger_tree tree = ledger->tree;
        gw_problem problem = {0};
        pthread_mutex_unlock(&ledger->mutex);
        gw_status status = ledger_tree_seal(ledger, &tree, &problem);
        pthread_mutex_lock(&ledger->mutex);
        if (status != GW_OK && status != GW_UNAVAILABLE) {
            ledger_break(ledger);
            break;
        }
        if (status == GW_UNAVAILABLE) {
            ledger->is_unvouched = true;
            retry_at = ledger_time_after(ledger_time_now(), RETRY_NS);
        }
        covered_wake(ledger, tree.size, status == GW_OK);
    }
    pthread_mutex_unlock(&ledger->mutex);
    return NULL;
}

// ---- witnesses that are not waited for

// The note with what the witnesses added: kept where it is their quorum, and told of where no larger tree was sealed
// meanwhile.
static void vouched_set(gw_ledger *ledger, const gw_checkpoint *checkpoint, gw_buffer *note, bool is_quorate) {
    if (is_quorate) {
        ledger->vouched = *checkpoint;
        ledger->vouched_note.size = 0;
        gw_buffer_append(&ledger->vouched_note, note->data, note->size);
    }
    if (ledger->checkpoint.size == checkpoint->size)
        checkpoint_set(ledger, checkpoint, note);
}

void *ledger_voucher_run(void *state) {
    gw_ledger *ledger = state;
    gw_tree_witness *witness = &ledger->seals.witness;
    gw_merkle_source tree = gw_store_tree(ledger->voucher_reader);
    uint64_t asked = ledger->vouched.size;
    struct timespec next_at = ledger_time_now();
    pthread_mutex_lock(&ledger->mutex);
    while (!ledger->is_closing && !ledger->is_broken) {
        if (ledger->checkpoint.size == asked) {
            pthread_cond_wait(&ledger->sealed, &ledger->mutex);
            continue;
        }
        if (ledger_time_is_before(ledger_time_now(), next_at)) {
            pthread_cond_timedwait(&ledger->sealed, &ledger->mutex, &next_at);
            continue;
        }
        GW_CLEANUP(gw_buffer_done) gw_buffer note;
        gw_buffer_init(&note, GW_LEDGER_NOTE_MAX);
        gw_checkpoint checkpoint = ledger->checkpoint;
        gw_problem problem = {0};
        gw_buffer_append(&note, ledger->note.data, ledger->note_signed);
        pthread_mutex_unlock(&ledger->mutex);
        gw_status status = witness->cosign(witness->state, &checkpoint, tree, &note, &problem);
        pthread_mutex_lock(&ledger->mutex);
        next_at = ledger_time_after(ledger_time_now(), RETRY_NS);
        if (status == GW_CORRUPT) { // somebody saw another history of this log: the next start will say which
            ledger_break(ledger);
            break;
        }
        if (status == GW_OK)
            asked = checkpoint.size;
        if (note.status == GW_OK && !ledger->is_closing)
            vouched_set(ledger, &checkpoint, &note, status == GW_OK);
    }
    pthread_mutex_unlock(&ledger->mutex);
    return NULL;
}
