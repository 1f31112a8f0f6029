// SPDX-License-Identifier: Apache-2.0
// Two signed checkpoints of one log, and what follows from them. A file of them, with hashes that show what the
// beginning of the larger tree was, is a proof that needs nobody's word: one key signed two histories.
//   godwit/1 conflict
//   old-key <vkey>      new-key <vkey>      old <length>      new <length>      proof <count>, then count base64 hashes
//   (blank line), the older signed checkpoint, the newer one
// Thread safety: one owner.   Depends on: client/cli/log_tree.h, service/audit/note.h.
#pragma once
#include "client/cli/log_tree.h"
#include "service/audit/note.h"

#define GW_CONFLICT_BYTES_MAX 2200000u // two notes of the largest size, and little else

typedef struct {
    gw_note_key key;
    gw_buffer note;
    gw_checkpoint checkpoint; // as the key signed it
} gw_signed_tree;

typedef struct {
    gw_signed_tree older, newer; // by size
    gw_merkle_proof proof;       // gw_log_prefix_make of the newer tree; count 0: none
} gw_log_conflict;

typedef enum {
    GW_TREES_SAME,
    GW_TREES_EXTEND,    // the newer one begins with the older one
    GW_TREES_SPLIT,     // two roots of one size
    GW_TREES_REWRITTEN, // the newer one has another beginning
    GW_TREES_UNDECIDED, // their sizes differ and nothing shows the beginning
    GW_TREES_BAD_PROOF, // the hashes do not lead to the newer root: they show nothing
} gw_trees_verdict;

void gw_log_conflict_init(gw_log_conflict *conflict);
void gw_log_conflict_done(gw_log_conflict *conflict);
gw_trees_verdict gw_log_conflict_judge(const gw_log_conflict *conflict);
bool gw_trees_verdict_is_proven(gw_trees_verdict verdict); // misbehaviour

void gw_log_conflict_encode(const gw_log_conflict *conflict, gw_buffer *file);
bool gw_log_conflict_is(gw_bytes file); // by its first line
// Reads the file and opens both notes under the keys it names. Which key signed is what it proves; whose key that is,
// is for the reader to know. Code: bad_conflict, bad_vkey, bad_checkpoint.
GW_MUST_CHECK gw_status gw_log_conflict_decode(gw_bytes file, gw_log_conflict *conflict, gw_problem *ret_problem);
