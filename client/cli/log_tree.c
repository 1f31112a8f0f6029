// SPDX-License-Identifier: Apache-2.0
// Level 8k of the tree stands in tiles of level k; the levels between are hashed together from there.
#include "client/cli/log_tree.h"
#include "client/cli/log_files.h"
#include "service/audit/tile.h"
#include "service/base/check.h"
#include <stdlib.h>
#include <string.h>

struct gw_log_tree {
    char folder[4096];
    uint64_t size;
    struct {
        bool is_loaded;
        uint64_t number;
        gw_hash hashes[GW_TILE_WIDTH];
        unsigned count;
    } tiles[GW_TILE_LEVELS]; // the one read last, of each level
    gw_problem problem;
};

gw_log_tree *gw_log_tree_new(const char *folder, uint64_t size) {
    gw_log_tree *tree = calloc(1, sizeof(*tree));
    if (tree == NULL || strlen(folder) >= sizeof(tree->folder)) {
        free(tree);
        return NULL;
    }
    memcpy(tree->folder, folder, strlen(folder));
    tree->size = size;
    return tree;
}

void gw_log_tree_free(gw_log_tree *tree) {
    free(tree);
}

const gw_problem *gw_log_tree_problem(const gw_log_tree *tree) {
    return &tree->problem;
}

static gw_status tile_load(gw_log_tree *tree, unsigned level, uint64_t number) {
    if (tree->tiles[level].is_loaded && tree->tiles[level].number == number)
        return GW_OK;
    unsigned width = gw_tile_width(tree->size, level, number);
    char partial[GW_TILE_PATH_MAX], full[GW_TILE_PATH_MAX];
    gw_buffer bytes;
    GW_ASSERT(width > 0); // only nodes of the tree are asked for
    gw_tile_path(level, number, width, partial);
    gw_tile_path(level, number, GW_TILE_WIDTH, full);
    gw_buffer_init(&bytes, sizeof(tree->tiles[level].hashes));
    gw_status status = gw_log_files_load(tree->folder, partial, full, &bytes, &tree->problem);
    if (status == GW_LIMIT ||
        (status == GW_OK && (bytes.size < (size_t)width * GW_HASH_SIZE || bytes.size % GW_HASH_SIZE != 0))) {
        status =
            gw_problem_set(&tree->problem, GW_CORRUPT, "bad_tile", "", "It has not the length it should have.", "");
        gw_problem_what(&tree->problem, "The tile %s is not whole.", partial);
    }
    tree->tiles[level].is_loaded = status == GW_OK;
    if (status == GW_OK) {
        memcpy(tree->tiles[level].hashes, bytes.data, bytes.size);
        tree->tiles[level].number = number;
        tree->tiles[level].count = (unsigned)(bytes.size / GW_HASH_SIZE);
    }
    gw_buffer_done(&bytes);
    return status;
}

static gw_status node_read(void *state, unsigned level, uint64_t index, gw_hash *ret) {
    gw_log_tree *tree = state;
    if (level % 8 == 0 && level / 8 < GW_TILE_LEVELS) {
        gw_status status = tile_load(tree, level / 8, index / GW_TILE_WIDTH);
        if (status != GW_OK)
            return status;
        GW_ASSERT(index % GW_TILE_WIDTH < tree->tiles[level / 8].count);
        *ret = tree->tiles[level / 8].hashes[index % GW_TILE_WIDTH];
        return GW_OK;
    }
    gw_hash left, right;
    gw_status status = node_read(state, level - 1, 2 * index, &left);
    if (status == GW_OK)
        status = node_read(state, level - 1, 2 * index + 1, &right);
    if (status == GW_OK)
        *ret = gw_merkle_node(left, right);
    return status;
}

gw_merkle_source gw_log_tree_source(gw_log_tree *tree) {
    return (gw_merkle_source){.node = node_read, .state = tree};
}

// ---- beginnings

static uint64_t split_of(uint64_t count) {
    return (uint64_t)1 << (63 - __builtin_clzll(count - 1)); // the largest power of two below count, which is over 1
}

// The root of entries [first, first + count): `first` is a multiple of the power of two that count does not pass.
static gw_status range_root(gw_merkle_source source, uint64_t first, uint64_t count, gw_hash *ret) {
    if ((count & (count - 1)) == 0) {
        unsigned level = (unsigned)__builtin_ctzll(count);
        return source.node(source.state, level, first >> level, ret);
    }
    uint64_t split = split_of(count);
    gw_hash left, right;
    gw_status status = range_root(source, first, split, &left);
    if (status == GW_OK)
        status = range_root(source, first + split, count - split, &right);
    if (status == GW_OK)
        *ret = gw_merkle_node(left, right);
    return status;
}

typedef struct {
    gw_merkle_source source;
    uint64_t old_size;
    gw_merkle_proof *proof;
} prefix_making;

// A range on one side of the old end is one hash; one that holds it is split.
static gw_status prefix_collect(prefix_making *making, uint64_t first, uint64_t count) {
    if (first + count <= making->old_size || first >= making->old_size) {
        if (making->proof->count == GW_PROOF_MAX)
            return GW_LIMIT;
        return range_root(making->source, first, count, &making->proof->hashes[making->proof->count++]);
    }
    uint64_t split = split_of(count);
    gw_status status = prefix_collect(making, first, split);
    return status == GW_OK ? prefix_collect(making, first + split, count - split) : status;
}

gw_status gw_log_prefix_make(gw_merkle_source source, uint64_t old_size, uint64_t size, gw_merkle_proof *ret) {
    GW_ASSERT(old_size > 0 && old_size < size);
    ret->count = 0;
    prefix_making making = {.source = source, .old_size = old_size, .proof = ret};
    return prefix_collect(&making, 0, size);
}

typedef struct {
    const gw_merkle_proof *proof;
    uint64_t old_size;
    size_t next;
    bool is_short;
} prefix_reading;

static gw_hash prefix_next(prefix_reading *reading) {
    if (reading->next < reading->proof->count)
        return reading->proof->hashes[reading->next++];
    reading->is_short = true;
    return (gw_hash){0};
}

// The root of the range, and of what of it lies before the old end.
static gw_hash prefix_fold(prefix_reading *reading, uint64_t first, uint64_t count, gw_hash *ret_old) {
    if (first + count <= reading->old_size || first >= reading->old_size)
        return *ret_old = prefix_next(reading);
    uint64_t split = split_of(count);
    gw_hash old_left, old_right;
    gw_hash left = prefix_fold(reading, first, split, &old_left);
    gw_hash right = prefix_fold(reading, first + split, count - split, &old_right);
    *ret_old = first + split < reading->old_size ? gw_merkle_node(old_left, old_right) : old_left;
    return gw_merkle_node(left, right);
}

bool gw_log_prefix_roots(const gw_merkle_proof *proof, uint64_t old_size, uint64_t size, gw_hash *ret_old_root,
                         gw_hash *ret_root) {
    if (old_size == 0 || old_size >= size || size > INT64_MAX)
        return false;
    prefix_reading reading = {.proof = proof, .old_size = old_size};
    *ret_root = prefix_fold(&reading, 0, size, ret_old_root);
    return !reading.is_short && reading.next == proof->count;
}
