// SPDX-License-Identifier: Apache-2.0
// Who signs the log's trees, as the ledger sees it: a signer that never goes back, and witnesses that vouch for having
// seen no other tree. Implementations stand elsewhere (signer/, witness/); tests hand in their own.
// Thread safety: each called from one thread at a time.   Depends on: audit/{note,merkle}.
#pragma once
#include "service/audit/merkle.h"
#include "service/audit/note.h"

typedef struct {
    void *state;
    // The log's key in force and the newest tree that was ever signed with it; size 0 where none was.
    gw_status (*newest)(void *state, gw_note_key *ret_key, gw_checkpoint *ret, gw_problem *ret_problem);
    // Signs a tree that `proof` shows to extend the newest one (empty where that is of size 0 or the same) and appends
    // the note. When it returns GW_OK the tree is the newest, durably. GW_CORRUPT, code signer_ahead: the tree is
    // smaller than the newest, or not an extension of it: this ledger was set back. Anything else: unknown, as of a
    // commit.
    gw_status (*sign)(void *state, const gw_checkpoint *checkpoint, const gw_merkle_proof *proof, gw_buffer *ret_note,
                      gw_problem *ret_problem);
    void (*close)(void *state); // may be NULL
    // The rest may be NULL: a signer with one key for good.
    // Does it sign with this key? While a rotation is under way it signs with two.
    bool (*has_key)(void *state, const gw_note_key *key);
    // Makes the key to come, or names it again; from now on every note carries both signatures, the old key's first.
    gw_status (*rotate)(void *state, gw_note_key *ret_old, gw_note_key *ret_new, gw_problem *ret_problem);
    // Retires the old key. GW_CONFLICT, code no_rotation: there is no other.
    gw_status (*finish)(void *state, gw_problem *ret_problem);
} gw_tree_signer;

typedef struct {
    void *state; // NULL: there are none
    // Appends to a signed note the cosignature lines that are to be had within the time allowed. GW_OK: the quorum is
    // reached. GW_UNAVAILABLE, code no_quorum: it is not; what was got stands in the note. GW_CORRUPT, code
    // rolled_back: a witness has seen a larger tree of this log, or another one of this size.
    gw_status (*cosign)(void *state, const gw_checkpoint *checkpoint, gw_merkle_source tree, gw_buffer *note,
                        gw_problem *ret_problem);
    bool is_strict; // no checkpoint leaves without the quorum
    void (*close)(void *state);
} gw_tree_witness;
