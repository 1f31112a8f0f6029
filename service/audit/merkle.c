// SPDX-License-Identifier: Apache-2.0
// RFC 6962, section 2.1. A range [begin, end) with begin a multiple of its largest power of two splits into perfect
// subtrees, which the source has stored; everything here is a walk over those splits. Proof checks follow RFC 9162,
// sections 2.1.3.2 and 2.1.4.2.
#include "service/audit/merkle.h"
#include "service/base/check.h"
#include <string.h>

gw_hash gw_merkle_leaf(gw_bytes entry) {
    static const uint8_t prefix[] = {0};
    return gw_sha256_two((gw_bytes){.data = prefix, .size = sizeof(prefix)}, entry);
}

gw_hash gw_merkle_node(gw_hash left, gw_hash right) {
    uint8_t bytes[1 + 2 * GW_HASH_SIZE] = {1};
    memcpy(bytes + 1, left.bytes, GW_HASH_SIZE);
    memcpy(bytes + 1 + GW_HASH_SIZE, right.bytes, GW_HASH_SIZE);
    return gw_sha256((gw_bytes){.data = bytes, .size = sizeof(bytes)});
}

gw_hash gw_merkle_empty(void) {
    return gw_sha256((gw_bytes){.data = (const uint8_t *)"", .size = 0});
}

static unsigned lowest_bit(uint64_t value) {
    return (unsigned)__builtin_ctzll(value);
}

static unsigned highest_bit(uint64_t value) {
    return 63u - (unsigned)__builtin_clzll(value);
}

// MTH of [begin, end), begin < end: perfect subtrees from the right, folded leftwards.
static gw_status range_root(gw_merkle_source source, uint64_t begin, uint64_t end, gw_hash *ret) {
    GW_ASSERT(begin < end);
    uint64_t left = end - begin;
    gw_hash root;
    bool has_root = false;
    while (left != 0) {
        unsigned level = lowest_bit(left);
        gw_hash hash;
        // The subtree ends at begin + left, and begin is aligned to more than 2^level leaves.
        gw_status status = source.node(source.state, level, (begin + left - 1) >> level, &hash);
        if (status != GW_OK)
            return status;
        root = has_root ? gw_merkle_node(hash, root) : hash;
        has_root = true;
        left &= left - 1;
    }
    *ret = root;
    return GW_OK;
}

gw_status gw_merkle_root(gw_merkle_source source, uint64_t size, gw_hash *ret_root) {
    if (size == 0) {
        *ret_root = gw_merkle_empty();
        return GW_OK;
    }
    return range_root(source, 0, size, ret_root);
}

// The largest power of two below `size`, for size > 1: where RFC 6962 splits a tree.
static uint64_t split_of(uint64_t size) {
    return UINT64_C(1) << highest_bit(size - 1);
}

// Walks from the root to the leaf or subtree, noting the sibling at each split; proofs list them from the bottom.
typedef struct {
    gw_merkle_source source;
    gw_merkle_proof proof; // from the root down, until reversed
} merkle_walk;

static gw_status walk_note(merkle_walk *walk, uint64_t begin, uint64_t end) {
    GW_ASSERT(walk->proof.count < GW_PROOF_MAX); // a path has at most 63 splits, and one start
    return range_root(walk->source, begin, end, &walk->proof.hashes[walk->proof.count++]);
}

static void walk_finish(merkle_walk *walk, gw_merkle_proof *ret) {
    ret->count = walk->proof.count;
    for (size_t i = 0; i < ret->count; i++)
        ret->hashes[i] = walk->proof.hashes[ret->count - 1 - i];
}

gw_status gw_merkle_inclusion(gw_merkle_source source, uint64_t index, uint64_t size, gw_merkle_proof *ret) {
    if (index >= size)
        return GW_INVALID;
    merkle_walk walk = {.source = source};
    uint64_t begin = 0, end = size;
    while (end - begin > 1) {
        uint64_t middle = begin + split_of(end - begin);
        gw_status status = index < middle ? walk_note(&walk, middle, end) : walk_note(&walk, begin, middle);
        if (status != GW_OK)
            return status;
        if (index < middle)
            end = middle;
        else
            begin = middle;
    }
    walk_finish(&walk, ret);
    return GW_OK;
}

gw_status gw_merkle_consistency(gw_merkle_source source, uint64_t old_size, uint64_t size, gw_merkle_proof *ret) {
    if (old_size > size)
        return GW_INVALID;
    merkle_walk walk = {.source = source};
    uint64_t begin = 0, end = size, cut = old_size;
    if (old_size == 0 || old_size == size) { // nothing to show
        walk_finish(&walk, ret);
        return GW_OK;
    }
    // SUBPROOF: descend to where the old tree's right edge is a whole subtree.
    while (cut != end) {
        uint64_t middle = begin + split_of(end - begin);
        gw_status status = cut <= middle ? walk_note(&walk, middle, end) : walk_note(&walk, begin, middle);
        if (status != GW_OK)
            return status;
        if (cut <= middle)
            end = middle;
        else
            begin = middle;
    }
    if (begin != 0) { // otherwise that subtree is the old tree, whose root the verifier has
        gw_status status = walk_note(&walk, begin, end);
        if (status != GW_OK)
            return status;
    }
    walk_finish(&walk, ret);
    return GW_OK;
}

// Where a verifier stands between leaf and root: node number and last node number on the present level.
typedef struct {
    uint64_t node, last;
} position;

// A hash joins from the left when the node is a right child, or the last one of its level.
static bool position_is_right(position at) {
    return (at.node & 1) != 0 || at.node == at.last;
}

static void position_up(position *at, bool is_right) {
    if (is_right && (at->node & 1) == 0)
        while (at->node != 0 && (at->node & 1) == 0) { // levels on which the last node has no sibling
            at->node >>= 1;
            at->last >>= 1;
        }
    at->node >>= 1;
    at->last >>= 1;
}

bool gw_merkle_inclusion_holds(uint64_t index, uint64_t size, gw_hash leaf, const gw_merkle_proof *proof,
                               gw_hash root) {
    if (index >= size || proof->count > GW_PROOF_MAX)
        return false;
    position at = {.node = index, .last = size - 1};
    gw_hash hash = leaf;
    for (size_t i = 0; i < proof->count; i++) {
        if (at.last == 0)
            return false;
        bool is_right = position_is_right(at);
        hash = is_right ? gw_merkle_node(proof->hashes[i], hash) : gw_merkle_node(hash, proof->hashes[i]);
        position_up(&at, is_right);
    }
    return at.last == 0 && gw_hash_equal(hash, root);
}

bool gw_merkle_consistency_holds(uint64_t old_size, gw_hash old_root, uint64_t size, gw_hash root,
                                 const gw_merkle_proof *proof) {
    if (old_size > size || proof->count > GW_PROOF_MAX)
        return false;
    if (old_size == size)
        return proof->count == 0 && gw_hash_equal(old_root, root);
    if (old_size == 0)
        return proof->count == 0 && gw_hash_equal(old_root, gw_merkle_empty());
    position at = {.node = old_size - 1, .last = size - 1};
    while ((at.node & 1) != 0) {
        at.node >>= 1;
        at.last >>= 1;
    }
    bool is_power = (old_size & (old_size - 1)) == 0;
    if (!is_power && proof->count == 0)
        return false;
    size_t next = is_power ? 0 : 1;
    gw_hash old_hash = is_power ? old_root : proof->hashes[0];
    gw_hash hash = old_hash;
    for (; next < proof->count; next++) {
        if (at.last == 0)
            return false;
        bool is_right = position_is_right(at);
        if (is_right)
            old_hash = gw_merkle_node(proof->hashes[next], old_hash);
        hash = is_right ? gw_merkle_node(proof->hashes[next], hash) : gw_merkle_node(hash, proof->hashes[next]);
        position_up(&at, is_right);
    }
    return at.last == 0 && gw_hash_equal(old_hash, old_root) && gw_hash_equal(hash, root);
}

void gw_merkle_edge_append(gw_merkle_edge *edge, gw_hash leaf, gw_merkle_closed closed, void *state) {
    GW_ASSERT(edge->size < INT64_MAX);
    uint64_t index = edge->size;
    gw_hash hash = leaf;
    unsigned level = 0;
    if (closed != NULL)
        closed(state, 0, index, hash);
    for (; (edge->size >> level & 1) != 0; level++) {
        hash = gw_merkle_node(edge->edge[level], hash);
        index >>= 1;
        if (closed != NULL)
            closed(state, level + 1, index, hash);
    }
    edge->edge[level] = hash;
    edge->size++;
}

gw_hash gw_merkle_edge_root(const gw_merkle_edge *edge) {
    if (edge->size == 0)
        return gw_merkle_empty();
    unsigned level = lowest_bit(edge->size);
    gw_hash root = edge->edge[level];
    for (level++; level < 64; level++)
        if ((edge->size >> level & 1) != 0)
            root = gw_merkle_node(edge->edge[level], root);
    return root;
}
