// SPDX-License-Identifier: Apache-2.0
// Budget ledger: the single writer. A reservation is charged, durably, before data is read; it ends sealed or
// abandoned, and both count as spent. Requests from all workers share commits (at most 64, or 1 ms of waiting); after a
// commit that holds a release: high-water mark synced -> checkpoint signed -> callers wake. Nothing is acknowledged
// earlier. While one tree is marked and signed the next batch is committed. Thread safety: every call may come from any
// thread; a writer and a sealer inside, and one who asks witnesses that are not waited for. Depends on: store/store.h,
// store/hwm.h, audit/signing.h (shared), base.
#pragma once
#include "service/audit/signing.h"
#include "service/base/clock.h"
#include "service/store/store.h"

#define GW_LEDGER_NOTE_MAX 16384 // a checkpoint with the cosignatures of many witnesses

typedef struct gw_ledger gw_ledger;
typedef struct {
    const char *state_folder; // holds godwit.db and lock
    const char *hwm_path;     // NULL: <state_folder>/hwm
    gw_clock clock;
    uint64_t free_bytes_min; // below this much free space new charges are refused (code disk_full); 0: 64 MiB
    gw_tree_signer signer;   // taken, also when opening fails
    gw_tree_witness witness; // taken likewise; state NULL: there are none
} gw_ledger_options;

// Takes the lock (GW_BUSY: another daemon), opens the store, compares database, high-water mark, the signer's newest
// tree and what the witnesses have seen, signs the checkpoint of what is committed. Any one of them that is ahead of
// the database: GW_CORRUPT, code rolled_back, naming both sizes: exit 78. Other codes: hwm_missing, hwm_corrupt,
// signer_missing, wrong_log_key.
GW_MUST_CHECK gw_status gw_ledger_open(const gw_ledger_options *options, gw_ledger **ret, gw_problem *ret_problem);
void gw_ledger_close(gw_ledger *ledger); // finishes what is queued; accepts NULL

// A wrong clock renews no budget. Charges and appended entries are refused (GW_UNAVAILABLE, code clock_jumped) while
// the wall clock is more than two minutes ahead of what it was plus the time the boot clock counted since. Where nobody
// counted (the machine was off), the time stops before the end of a window in which something is spent, until an
// operator's clock entry confirms the wall clock: charges still count to that window, and where it is used up they are
// refused (GW_BUDGET, code window_unconfirmed).
#define GW_LEDGER_CLOCK_JUMPED "clock_jumped"
#define GW_LEDGER_WINDOW_UNCONFIRMED "window_unconfirmed"
typedef enum { GW_CLOCK_RIGHT, GW_CLOCK_BEHIND, GW_CLOCK_UNCONFIRMED, GW_CLOCK_JUMPED } gw_clock_state;
const char *gw_clock_state_name(gw_clock_state state); // "right", …
typedef struct {
    gw_clock_state state;
    int64_t wall;  // what the clock says, within the years that a log can hold
    int64_t sure;  // what is certain: never ahead of the truth, where the clock was right once
    int64_t stamp; // what an entry made now would bear
    int64_t last;  // what the last entry bears
} gw_ledger_clock;
gw_ledger_clock gw_ledger_clock_now(gw_ledger *ledger);
// The same from outside, as a daemon that starts now would see it, but for windows; changes nothing. `last`: time of
// the last entry. GW_NO_MEMORY.
GW_MUST_CHECK gw_status gw_ledger_clock_look(const char *state_folder, gw_clock os, int64_t last, gw_ledger_clock *ret);

// Queues one operation and blocks until it is durable (and, for SEAL, ABANDON and APPEND, until a checkpoint that holds
// it is signed). GW_OK: op->result has the decision. GW_BUSY: queue full, nothing happened. GW_RETRY: outcome unknown;
// the process ends with 70 (by `gw_ledger_on_unknown`) as soon as the replies are out. GW_UNAVAILABLE: closing.
GW_MUST_CHECK gw_status gw_ledger_submit(gw_ledger *ledger, gw_store_op *op);
// Called once, from a thread of the ledger, when an outcome is unknown. Default: exit(70).
void gw_ledger_on_unknown(gw_ledger *ledger, void (*call)(void *), void *state);

// Called with every new checkpoint, from the sealer's thread and before the callers it covers wake, and again with the
// same tree when witnesses that are not waited for have vouched; and once, at once, with the newest.
void gw_ledger_on_checkpoint(gw_ledger *ledger,
                             void (*call)(void *state, const gw_checkpoint *checkpoint, gw_bytes note), void *state);

// The newest signed checkpoint (its tree holds everything acknowledged); under strict witnesses the newest that their
// quorum vouched for: of size 0, without a note, where there is none yet.
void gw_ledger_checkpoint(gw_ledger *ledger, gw_checkpoint *ret_checkpoint, gw_buffer *ret_note);
// Under strict witnesses: false while their quorum is missing behind the newest tree that was shown to them. They are
// asked again every second; new charges are refused meanwhile (GW_UNAVAILABLE, code no_quorum): what could not leave is
// not begun.
bool gw_ledger_is_vouched(gw_ledger *ledger);
// The newest checkpoint that the witnesses' quorum vouched for, with their lines; size 0: none.
void gw_ledger_vouched(gw_ledger *ledger, gw_checkpoint *ret_checkpoint, gw_buffer *ret_note);
// Waits until a checkpoint of at least `size` entries may be told of. GW_UNAVAILABLE: not within the patience, or the
// ledger is closing.
GW_MUST_CHECK gw_status gw_ledger_await(gw_ledger *ledger, uint64_t size, unsigned patience_ms);
// Another key for the log, in steps that may be taken again. next: the signer makes the key to come and signs with both
// from now on; the caller appends the keyrot entry (GW_CONFLICT, code keyrot_under_way: it is there). keep: a
// checkpoint that covers the entry, signed by both, is kept for whoever trusts the old key. retire: the old key signs
// no more (GW_CONFLICT, code no_rotation: there is no other).
GW_MUST_CHECK gw_status gw_ledger_key_next(gw_ledger *ledger, gw_note_key *ret_old, gw_note_key *ret_new,
                                           gw_problem *ret_problem);
GW_MUST_CHECK gw_status gw_ledger_key_keep(gw_ledger *ledger, gw_problem *ret_problem);
GW_MUST_CHECK gw_status gw_ledger_key_retire(gw_ledger *ledger, gw_problem *ret_problem);
const char *gw_ledger_database(const gw_ledger *ledger); // path, for readers
int64_t gw_ledger_now(gw_ledger *ledger);                // the wall clock, as gw_ledger_clock has it
