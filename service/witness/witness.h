// SPDX-License-Identifier: Apache-2.0
// A witness's memory of other people's logs, and the one decision it takes (C2SP tlog-witness, add-checkpoint): whether
// a tree is the continuation of the one it cosigned last. The newest cosigned checkpoint of each log is one file,
// replaced whole and synced before the cosignature leaves; it is read anew for every request, under a lock of the log's
// own, so that threads, a second process and the operator's commands see one truth.
//   DIR/name   DIR/witness.key   DIR/logs/<sha256 hex of origin>/{log,checkpoint,lock,refused}
// Thread safety: any call from any thread and process.   Depends on: audit/{cosignature,tlog_policy}, add_body.h.
#pragma once
#include "service/audit/cosignature.h"
#include "service/base/clock.h"

typedef struct gw_witness gw_witness;

// Makes the folder and a key. Codes: witness_exists, bad_name, and those of files.
GW_MUST_CHECK gw_status gw_witness_init(const char *folder, const char *name, gw_problem *ret_problem);
// Codes: no_witness (there is none in the folder), and those of key files.
GW_MUST_CHECK gw_status gw_witness_open(const char *folder, gw_clock clock, gw_witness **ret, gw_problem *ret_problem);
void gw_witness_close(gw_witness *witness); // accepts NULL
void gw_witness_key(const gw_witness *witness, gw_note_key *ret);

// From now on this log's checkpoints are cosigned; a further key of a log that is known is one more that may sign it.
// Codes: bad_vkey, log_known.
GW_MUST_CHECK gw_status gw_witness_add_log(gw_witness *witness, const char *vkey, gw_problem *ret_problem);
// Forgets what was seen of a log: its next checkpoint is taken as it comes. Only after a restore that was declared.
// Codes: unknown_log.
GW_MUST_CHECK gw_status gw_witness_reset(gw_witness *witness, const char *origin, gw_problem *ret_problem);

typedef struct {
    char origin[128];
    gw_hash id; // SHA-256 of the origin: the folder's name
    uint64_t size;
    gw_hash root;
    int64_t time;     // of the newest cosignature; 0: none yet
    bool has_refused; // a signed checkpoint that is no continuation lies in `refused`
} gw_witness_log;
// All logs in the order of their folders' names. A log whose files cannot be trusted is an error: code witness_corrupt.
GW_MUST_CHECK gw_status gw_witness_logs(gw_witness *witness, void (*each)(void *state, const gw_witness_log *log),
                                        void *state, gw_problem *ret_problem);

// What is said over HTTP, to add-checkpoint and to monitors.
typedef struct {
    unsigned status; // 200 400 403 404 409 422 500
    const char *content_type;
    gw_buffer body;   // caller frees with gw_buffer_done
    const char *why;  // of a refusal, for the operator's log; "" where all is well
    char origin[128]; // of the log that was asked about, as far as it was read; believed where the status is 200 or 422
} gw_witness_reply;
void gw_witness_add(gw_witness *witness, gw_bytes body, gw_witness_reply *ret);
// The newest checkpoint of a log, with the log's signature and ours. `id` is 64 hex digits.
void gw_witness_checkpoint(gw_witness *witness, const char *id, size_t id_size, gw_witness_reply *ret);
