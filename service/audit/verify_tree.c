// SPDX-License-Identifier: Apache-2.0
// The tree of a published folder: bundles are read in order, every entry is hashed, every hash compared with its tile
// and every tile with the hashes below it. It runs ahead of the fold by a few bundles, in a thread of its own.
#include "service/audit/verify_inner.h"
#include "service/audit/merkle.h"
#include "service/base/check.h"
#include "service/base/file.h"
#include "service/base/relay.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUNDLES_AHEAD 8
#define TILE_BYTES_MAX (2u * GW_TILE_WIDTH * GW_HASH_SIZE) // so that one that is a little too long can be looked at
#define WIDER_TRIES 3                                      // each may be gone again before it is opened
#define BAD_TILE_LENGTH "A tile of the tree has not the length it should have."

typedef struct {
    bool is_loaded;
    uint64_t number;
    unsigned width, width_read; // hashes compared; hashes that the file read should hold: the same, or more
    gw_buffer bytes;
} loaded_tile;

struct gw_verify_tree {
    // Set before the thread starts, constant afterwards.
    const char *folder;
    uint64_t size; // of the checkpoint
    gw_relay *relay;

    // The hashing thread's own, until it has ended.
    gw_merkle_edge edge;
    loaded_tile tiles[GW_TILE_LEVELS]; // the one being compared, on each level
    gw_verify_bundle *bundle;          // being filled
    gw_audit_root *roots;
    size_t root_count;
    uint64_t root_next; // the smallest tree still ahead whose root is wanted, or UINT64_MAX

    gw_verify_bundle bundles[BUNDLES_AHEAD]; // passed to and fro
};

static gw_status tampered(gw_verify_tree *tree, uint64_t index, const char *code, const char *what) {
    tree->bundle->first_bad = index;
    tree->bundle->status = gw_problem_set(&tree->bundle->problem, GW_CORRUPT, code, what, "", "");
    return tree->bundle->status;
}

gw_status gw_verify_file_load(const char *folder, const char *name, gw_buffer *buffer, gw_problem *ret_problem) {
    char path[GW_VERIFY_PATH_SIZE];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return gw_file_read(path, buffer, ret_problem);
}

// The narrowest file of this tile or bundle that is wider than `width`; 0: there is none.
static unsigned wider_find(const gw_verify_tree *tree, const char *full, unsigned width) {
    char path[GW_VERIFY_PATH_SIZE];
    snprintf(path, sizeof(path), "%s/%s.p", tree->folder, full);
    DIR *folder = opendir(path);
    struct dirent *item;
    unsigned found = GW_TILE_WIDTH;
    while (folder != NULL && (item = readdir(folder)) != NULL) {
        char *end;
        unsigned long read = strtoul(item->d_name, &end, 10);
        if (item->d_name[0] >= '1' && item->d_name[0] <= '9' && *end == '\0' && read > width && read < found)
            found = (unsigned)read;
    }
    if (folder != NULL)
        closedir(folder);
    return found < GW_TILE_WIDTH ? found : 0;
}

// The published form of this width, or one that took its place since, while the log went on: the full one, or one that
// is wider. `ret_width`: which was read.
static gw_status load_either(gw_verify_tree *tree, void (*path)(unsigned, uint64_t, unsigned, char *), unsigned level,
                             uint64_t number, unsigned *ret_width, gw_buffer *buffer) {
    gw_problem *problem = &tree->bundle->problem;
    char name[GW_TILE_PATH_MAX];
    path(level, number, *ret_width, name);
    gw_status status = gw_verify_file_load(tree->folder, name, buffer, problem);
    if (status != GW_NOT_FOUND || *ret_width == GW_TILE_WIDTH)
        return status;
    gw_problem missing = *problem;
    for (unsigned tries = 0, width = *ret_width; tries < WIDER_TRIES && status == GW_NOT_FOUND; tries++) {
        path(level, number, GW_TILE_WIDTH, name);
        unsigned wider = wider_find(tree, name, width);
        *ret_width = wider == 0 ? GW_TILE_WIDTH : wider;
        path(level, number, *ret_width, name);
        status = gw_verify_file_load(tree->folder, name, buffer, problem);
    }
    if (status == GW_NOT_FOUND)
        *problem = missing;
    return status;
}

// ---- tiles

static uint64_t tile_first_entry(unsigned level, uint64_t hash) {
    return hash << (8 * level);
}

// Far too big is not what was published: tampered. What cannot be read at all cannot be checked.
static gw_status tile_load(gw_verify_tree *tree, unsigned level, uint64_t number) {
    loaded_tile *tile = &tree->tiles[level];
    if (tile->is_loaded && tile->number == number)
        return GW_OK;
    tile->is_loaded = false;
    tile->bytes.size = 0; // its memory serves the next one
    tile->bytes.size_max = TILE_BYTES_MAX;
    tile->width = tile->width_read = gw_tile_width(tree->size, level, number);
    gw_status status = load_either(tree, gw_tile_path, level, number, &tile->width_read, &tile->bytes);
    if (status == GW_LIMIT)
        return tampered(tree, tile_first_entry(level, number * GW_TILE_WIDTH), "bad_tile", BAD_TILE_LENGTH);
    if (status != GW_OK)
        return tree->bundle->status = status;
    tile->is_loaded = true;
    tile->number = number;
    return GW_OK;
}

// A node of the tree closed: on every eighth level a tile must hold it. A file of another length than its tile's is
// named where it ends, or where it should.
static void node_compare(void *state, unsigned level, uint64_t index, gw_hash hash) {
    gw_verify_tree *tree = state;
    if (level % 8 != 0 || tree->bundle->status != GW_OK)
        return;
    if (tile_load(tree, level / 8, index / GW_TILE_WIDTH) != GW_OK)
        return;
    const loaded_tile *tile = &tree->tiles[level / 8];
    size_t end = (index % GW_TILE_WIDTH + 1) * GW_HASH_SIZE;
    uint64_t entry = tile_first_entry(level / 8, index); // the first under this hash; those below it were right
    bool is_there = end <= tile->bytes.size;
    bool is_last = end == (size_t)tile->width * GW_HASH_SIZE;
    if (is_there && memcmp(tile->bytes.data + end - GW_HASH_SIZE, hash.bytes, GW_HASH_SIZE) != 0)
        gw_ignore(level == 0
                      ? tampered(tree, entry, "bad_hash", "An entry does not have the hash that was published for it.")
                      : tampered(tree, entry, "bad_tile",
                                 "A hash in a higher tile does not follow from the entries below it."));
    else if (!is_there || (is_last && tile->bytes.size != (size_t)tile->width_read * GW_HASH_SIZE))
        gw_ignore(tampered(tree, entry, "bad_tile", BAD_TILE_LENGTH));
}

// ---- roots of older trees

// Called at every size that `root_next` named: notes the roots of this tree and looks for the next one wanted.
static void roots_note(gw_verify_tree *tree) {
    uint64_t size = tree->edge.size;
    tree->root_next = UINT64_MAX;
    for (size_t i = 0; i < tree->root_count; i++) {
        gw_audit_root *wanted = &tree->roots[i];
        if (wanted->size == size) {
            wanted->root = gw_merkle_edge_root(&tree->edge);
            wanted->is_known = true;
        }
        if (wanted->size > size && wanted->size < tree->root_next)
            tree->root_next = wanted->size;
    }
}

// ---- entries

static gw_status entry_hash(gw_verify_tree *tree, gw_bytes entry) {
    gw_merkle_edge_append(&tree->edge, gw_merkle_leaf(entry), node_compare, tree);
    if (tree->bundle->status != GW_OK)
        return tree->bundle->status;
    if (tree->edge.size == tree->root_next)
        roots_note(tree);
    tree->bundle->entries[tree->bundle->count++] = entry;
    return GW_OK;
}

static void bundle_path(unsigned level, uint64_t number, unsigned width, char *ret) {
    (void)level; // bundles have none
    gw_bundle_path(number, width, ret);
}

static gw_status bundle_load(gw_verify_tree *tree, uint64_t number, unsigned *width_read) {
    gw_status status = load_either(tree, bundle_path, 0, number, width_read, &tree->bundle->bytes);
    if (status == GW_LIMIT)
        return tampered(tree, number * GW_TILE_WIDTH, "bad_bundle", "A bundle of entries is longer than any can be.");
    return tree->bundle->status = status;
}

static gw_status bundle_hash(gw_verify_tree *tree, uint64_t number) {
    unsigned width = gw_tile_width(tree->size, 0, number), width_read = width;
    uint64_t index = number * GW_TILE_WIDTH;
    gw_status status = bundle_load(tree, number, &width_read);
    gw_bytes rest = gw_buffer_bytes(&tree->bundle->bytes), entry;
    for (unsigned i = 0; i < width && status == GW_OK; i++, index++)
        status = gw_bundle_next(&rest, &entry)
                     ? entry_hash(tree, entry)
                     : tampered(tree, index, "bad_bundle", "A bundle of entries ends too early.");
    if (status != GW_OK)
        return status;
    // A wider bundle may stand for a narrower one; what stands under the width's own name holds nothing more.
    unsigned more = 0;
    while (more < width_read - width && gw_bundle_next(&rest, &entry))
        more++;
    if (rest.size != 0 || more != width_read - width)
        return tampered(tree, index - 1, "bad_bundle", "After its last entry a bundle holds what it should not.");
    return GW_OK;
}

// The thread: bundle after bundle, until one does not hold.
static void tree_run(void *state, gw_relay *relay) {
    gw_verify_tree *tree = state;
    gw_status status = GW_OK;
    roots_note(tree); // the tree of size 0
    for (uint64_t number = 0; status == GW_OK && number * GW_TILE_WIDTH < tree->size; number++) {
        tree->bundle = gw_relay_empty(relay);
        if (tree->bundle == NULL)
            return;
        tree->bundle->bytes.size = 0;
        tree->bundle->count = 0;
        tree->bundle->status = GW_OK;
        tree->bundle->first_bad = UINT64_MAX;
        status = bundle_hash(tree, number);
        gw_relay_send(relay);
    }
}

// ---- new, next, free

gw_verify_tree *gw_verify_tree_new(const char *folder, uint64_t size, gw_audit_root *roots, size_t root_count) {
    gw_verify_tree *tree = calloc(1, sizeof(*tree));
    if (tree == NULL)
        return NULL;
    tree->folder = folder;
    tree->size = size;
    tree->roots = roots;
    tree->root_count = root_count;
    for (size_t i = 0; i < BUNDLES_AHEAD; i++)
        gw_buffer_init(&tree->bundles[i].bytes, GW_BUNDLE_BYTES_MAX);
    tree->relay = gw_relay_start(tree->bundles, sizeof(tree->bundles[0]), BUNDLES_AHEAD, tree_run, tree);
    if (tree->relay == NULL) {
        free(tree);
        return NULL;
    }
    return tree;
}

const gw_verify_bundle *gw_verify_tree_next(gw_verify_tree *tree) {
    return gw_relay_next(tree->relay);
}

gw_hash gw_verify_tree_root(const gw_verify_tree *tree) {
    return gw_merkle_edge_root(&tree->edge);
}

void gw_verify_tree_free(gw_verify_tree *tree) {
    if (tree == NULL)
        return;
    gw_relay_stop(tree->relay);
    for (size_t i = 0; i < GW_TILE_LEVELS; i++)
        gw_buffer_done(&tree->tiles[i].bytes);
    for (size_t i = 0; i < BUNDLES_AHEAD; i++)
        gw_buffer_done(&tree->bundles[i].bytes);
    free(tree);
}
