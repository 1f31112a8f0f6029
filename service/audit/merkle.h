// SPDX-License-Identifier: Apache-2.0
// RFC 6962 trees over SHA-256: leaf and node hashes, roots, inclusion and consistency proofs, over a source of stored
// nodes. Pure; the store supplies nodes.   Thread safety: pure.   Depends on: base/crypto.h.
#pragma once
#include "service/base/crypto.h"

#define GW_PROOF_MAX 64

gw_hash gw_merkle_leaf(gw_bytes entry);
gw_hash gw_merkle_node(gw_hash left, gw_hash right);
gw_hash gw_merkle_empty(void);

// A perfect subtree's root: level 0 = leaves, index counted at that level.
typedef struct {
    gw_status (*node)(void *state, unsigned level, uint64_t index, gw_hash *ret);
    void *state;
} gw_merkle_source;

typedef struct {
    gw_hash hashes[GW_PROOF_MAX];
    size_t count;
} gw_merkle_proof;

GW_MUST_CHECK gw_status gw_merkle_root(gw_merkle_source source, uint64_t size, gw_hash *ret_root);
GW_MUST_CHECK gw_status gw_merkle_inclusion(gw_merkle_source source, uint64_t index, uint64_t size,
                                            gw_merkle_proof *ret);
GW_MUST_CHECK gw_status gw_merkle_consistency(gw_merkle_source source, uint64_t old_size, uint64_t size,
                                              gw_merkle_proof *ret);
bool gw_merkle_inclusion_holds(uint64_t index, uint64_t size, gw_hash leaf, const gw_merkle_proof *proof, gw_hash root);
bool gw_merkle_consistency_holds(uint64_t old_size, gw_hash old_root, uint64_t size, gw_hash root,
                                 const gw_merkle_proof *proof);

// The right edge of a growing tree: O(log n) state, completed nodes reported as they close.
typedef struct {
    uint64_t size;
    gw_hash edge[64]; // edge[l] is the root of the perfect subtree of 2^l leaves where bit l of size is set
} gw_merkle_edge;
typedef void (*gw_merkle_closed)(void *state, unsigned level, uint64_t index, gw_hash hash);
void gw_merkle_edge_append(gw_merkle_edge *edge, gw_hash leaf, gw_merkle_closed closed,
                           void *state); // also reports level 0
gw_hash gw_merkle_edge_root(const gw_merkle_edge *edge);
