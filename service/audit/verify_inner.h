// SPDX-License-Identifier: Apache-2.0
// What the files of the folder's check share: reading its files, the tree, which a second thread hashes ahead of the
// fold, and the texts of questions. Nobody else includes it.
// Thread safety: as each says.   Depends on: verify.h, tile.h.
#pragma once
#include "service/audit/tile.h"
#include "service/audit/verify.h"

#define GW_VERIFY_PATH_SIZE 4352u

// Reads a file of the folder. Any thread.
GW_MUST_CHECK gw_status gw_verify_file_load(const char *folder, const char *name, gw_buffer *buffer,
                                            gw_problem *ret_problem);

// ---- the tree

// The entries of one bundle, each hashed and found in the tiles.
typedef struct {
    gw_buffer bytes;
    gw_bytes entries[GW_TILE_WIDTH]; // borrowed from `bytes`
    unsigned count;
    // After the last of `entries`: GW_OK, or why the tree ends here. GW_CORRUPT: tampered, from entry `first_bad` on;
    // anything else: cannot be checked.
    gw_status status;
    uint64_t first_bad;
    gw_problem problem;
} gw_verify_bundle;

typedef struct gw_verify_tree gw_verify_tree;

// Starts hashing a tree of `size` in a thread of its own. `folder` and `roots` stay until it is freed. NULL: no memory
// or no thread.
gw_verify_tree *gw_verify_tree_new(const char *folder, uint64_t size, gw_audit_root *roots, size_t root_count);
// The next bundle, its own until the next call; NULL after the last one, and after one whose status is not GW_OK.
const gw_verify_bundle *gw_verify_tree_next(gw_verify_tree *tree);
gw_hash gw_verify_tree_root(const gw_verify_tree *tree); // after gw_verify_tree_next gave NULL
void gw_verify_tree_free(gw_verify_tree *tree);          // accepts NULL

// ---- keys of the log that took one another's place

typedef struct gw_verify_keys gw_verify_keys;
gw_verify_keys *gw_verify_keys_new(const char *folder); // reads the checkpoints of changed keys; NULL without memory
void gw_verify_keys_free(gw_verify_keys *keys);         // accepts NULL
// The trees that they sign: hash them, then follow.
gw_audit_root *gw_verify_keys_roots(gw_verify_keys *keys, size_t *ret_count);
// From `key`, which did not sign the note, to one that did. GW_CORRUPT: there is no way.
GW_MUST_CHECK gw_status gw_verify_keys_follow(const gw_verify_keys *keys, const gw_audit_state *state, gw_bytes note,
                                              gw_note_key *key, unsigned *ret_followed, gw_problem *ret_problem);

// ---- the texts of questions

typedef struct gw_verify_questions gw_verify_questions;
gw_verify_questions *gw_verify_questions_new(const char *folder); // borrowed; NULL without memory
void gw_verify_questions_free(gw_verify_questions *questions);    // accepts NULL
// Charges in order, then the end. Texts that are not there are counted; one that no charge asked for is GW_CORRUPT,
// code bad_question, with the charge it lies at in `first_bad`; one that tells of other data or another price than its
// charge likewise, code bad_price. GW_IO: a file is there and cannot be read.
GW_MUST_CHECK gw_status gw_verify_questions_charge(gw_verify_questions *questions, const gw_entry *entry,
                                                   gw_audit_verdict *verdict);
// `has_grown`: the log went on meanwhile, and texts of its newest charges may stand after those of ours.
GW_MUST_CHECK gw_status gw_verify_questions_end(gw_verify_questions *questions, bool has_grown,
                                                gw_audit_verdict *verdict);
