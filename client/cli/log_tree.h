// SPDX-License-Identifier: Apache-2.0
// The tree of a log folder, from its tiles alone: nodes, and the hashes that show what a smaller tree of it was.
// Tiles are not believed: what is computed of them counts only where it leads to a root that was signed.
// Thread safety: one owner.   Depends on: service/audit/{merkle,tile}.h.
#pragma once
#include "service/audit/merkle.h"
#include "service/base/problem.h"

typedef struct gw_log_tree gw_log_tree;
gw_log_tree *gw_log_tree_new(const char *folder, uint64_t size); // NULL without memory
void gw_log_tree_free(gw_log_tree *tree);                        // accepts NULL
gw_merkle_source gw_log_tree_source(gw_log_tree *tree);
// Why the source failed: a file that is missing (GW_NOT_FOUND), or of a wrong length (GW_CORRUPT, bad_tile).
const gw_problem *gw_log_tree_problem(const gw_log_tree *tree);

// The beginning of a tree: hashes from which both the root of the first `old_size` entries and the root of all follow.
// It is the consistency proof of RFC 6962 with the hash that is left out there where old_size is a power of two: so
// what the beginning really was comes out of it, not only whether it was as claimed. 0 < old_size < size.
GW_MUST_CHECK gw_status gw_log_prefix_make(gw_merkle_source source, uint64_t old_size, uint64_t size,
                                           gw_merkle_proof *ret);
// Both roots; false where there are not as many hashes as there must be. Whoever knows that `ret_root` is a signed root
// knows that `ret_old_root` was the root of its beginning: otherwise two different nodes would have one hash.
bool gw_log_prefix_roots(const gw_merkle_proof *proof, uint64_t old_size, uint64_t size, gw_hash *ret_old_root,
                         gw_hash *ret_root);
