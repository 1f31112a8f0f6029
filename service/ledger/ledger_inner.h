// SPDX-License-Identifier: Apache-2.0
// What the ledger's threads share. The writer commits batches; the sealer marks, signs and has vouched for the newest
// committed tree, and wakes whom it covers, while the writer commits the next; where witnesses are not waited for, a
// third thread asks them. Inside this room only.
// Thread safety: as the fields say.   Depends on: ledger.h, ledger_recover.h, ledger_seal.h.
#pragma once
#include "service/ledger/ledger.h"
#include "service/ledger/ledger_clock.h"
#include "service/ledger/ledger_recover.h"
#include "service/ledger/ledger_seal.h"
#include <pthread.h>
#include <time.h>

#define LEDGER_BATCH_MAX 64 // larger batches gain nothing and hold replies back

typedef struct ledger_waiter {
    struct ledger_waiter *next;
    gw_store_op *op;
    uint64_t size; // of the tree that must be told of first; once the op is committed
    gw_status status;
    bool is_done;
    pthread_cond_t woken;
} ledger_waiter;

typedef struct {
    ledger_waiter *first, *last;
    size_t count;
} ledger_queue;

struct gw_ledger {
    char *state_folder, *database, *ballast, *mark_key;
    gw_clock os_clock;
    uint64_t free_bytes_min;
    int lock;
    pthread_t writer, sealer, voucher;
    bool has_writer, has_sealer, has_voucher;

    pthread_mutex_t mutex;    // guards the following, up to the next comment
    pthread_cond_t arrived;   // the writer: somebody queues, or it is time to end
    pthread_cond_t committed; // the sealer: somebody waits for a tree, or it is time to end
    pthread_cond_t sealed;    // everybody who awaits a checkpoint, and the voucher
    ledger_queue queued;
    ledger_queue unsealed;                  // committed; wait for a checkpoint
    size_t wanted;                          // the writer sleeps until this many are queued
    bool is_closing, is_broken, is_written; // is_written: the writer has ended
    ledger_tree tree;                       // newest committed
    uint64_t size_wanted;                   // a checkpoint of this size is asked for
    uint64_t size_sealed;                   // and of this size is there
    gw_checkpoint checkpoint;
    gw_buffer note;
    size_t note_signed;    // bytes of the note before any witness's line: what witnesses are asked with
    gw_checkpoint vouched; // newest that the quorum of witnesses who are not waited for stands behind
    gw_buffer vouched_note;
    bool is_unvouched; // strict witnesses: their quorum is missing
    bool was_unknown_told;
    void (*unknown_call)(void *state);
    void *unknown_state;
    void (*checkpoint_call)(void *state, const gw_checkpoint *checkpoint, gw_bytes note);
    void *checkpoint_state;

    ledger_clock clock;
    int64_t time_last; // of the newest committed entry

    pthread_mutex_t signer_mutex; // guards the signer: the sealer signs, a rotation changes its keys

    // The writer's own.
    gw_store *store;
    size_t batch_last;

    // The sealer's own, and before it runs the opener's.
    ledger_seals seals;
    ledger_mark mark;

    gw_store_reader *voucher_reader; // the voucher's own
};

void *ledger_writer_run(void *ledger);
void *ledger_sealer_run(void *ledger);
void *ledger_voucher_run(void *ledger);

// Before entries are written, and after: what the clock has to know of windows. The opener's and the writer's.
void ledger_clock_settle(gw_ledger *ledger);
// Keeps the clock's anchors where that is due, or at once.
void ledger_clock_store(gw_ledger *ledger, bool is_due);

bool ledger_is_disk_short(const gw_ledger *ledger);
// Marks and signs `tree`, asks the witnesses that must vouch, and lets it be told of. GW_UNAVAILABLE: signed and not
// vouched for. Anything else but GW_OK: a signer or a witness knows another history, or the outcome is unknown.
GW_MUST_CHECK gw_status ledger_tree_seal(gw_ledger *ledger, const ledger_tree *tree, gw_problem *ret_problem);

// With the mutex held:
void ledger_queue_push(ledger_queue *queue, ledger_waiter *waiting);
ledger_waiter *ledger_queue_pop(ledger_queue *queue);
void ledger_wake(ledger_waiter *waiting, gw_status status);
// Nothing is written any more: those who wait for a checkpoint hear "unknown", those in the queue were never begun.
// Lets the mutex go while the owner is told.
void ledger_break(gw_ledger *ledger);

struct timespec ledger_time_after(struct timespec from, int64_t nanoseconds);
bool ledger_time_is_before(struct timespec a, struct timespec b);
struct timespec ledger_time_now(void);
