// SPDX-License-Identifier: Apache-2.0
// Whether somebody knows more of the log than the log itself. A checkpoint that our key signed and our tree does not
// hold proves that the state was set back (a restored backup, a cloned machine), to anybody and without our word for
// it: then nothing is answered any more, and the service stays stopped until what is missing is restored. The `seen`
// line of a request is signed by nobody here, so it costs its sender a refusal that asks for the note, and no more.
// Nothing is appended to a log that is known to be set back: an entry more would be a second history under our key.
// Thread safety: safe.   Depends on: store.h, audit/note.h.
#pragma once
#include "service/audit/note.h"
#include "service/store/store.h"

typedef struct gw_rollback gw_rollback;

gw_rollback *gw_rollback_new(const char *state_folder); // NULL without memory
void gw_rollback_free(gw_rollback *rollback);           // accepts NULL

// What the committed tree says of a size and a root. Judged by what is committed, not by what is signed: a signature
// follows its commit. Takes the reader's view anew where the one it has may be too old to judge by.
typedef struct {
    bool is_held;  // the tree had this root at this size
    bool is_lost;  // it is not, and a restore by two signers has said so: nothing is proven
    uint64_t size; // of the tree
} gw_rollback_verdict;
GW_MUST_CHECK gw_status gw_rollback_judge(gw_store_reader *reader, uint64_t size, gw_hash root,
                                          gw_rollback_verdict *ret);

// A verified note that the tree does not hold: stops the service, and keeps the note as <state>/rolled_back.note.
void gw_rollback_prove(gw_rollback *rollback, const gw_checkpoint *checkpoint, gw_bytes note, uint64_t size);
bool gw_rollback_is_proven(const gw_rollback *rollback);
// GW_CORRUPT, code rolled_back, with both sizes, once it is proven; otherwise GW_OK.
GW_MUST_CHECK gw_status gw_rollback_check(gw_rollback *rollback, gw_problem *ret_problem);

// Before a service opens its ledger: a note that was kept, and that the database still does not hold, is refused with
// the same code. One that it holds again (the missing entries were put back), or whose entries a restore counts as
// lost, is moved to rolled_back.note.held.
GW_MUST_CHECK gw_status gw_rollback_check_folder(const char *state_folder, bool *ret_is_mended,
                                                 gw_problem *ret_problem);
