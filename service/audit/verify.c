// SPDX-License-Identifier: Apache-2.0
// The check of a published folder. Every entry is hashed again and compared with its tile, every tile with the hashes
// below it, the root with the signed checkpoint, and every entry is folded. A file that is missing or unreadable means
// "cannot check"; bytes that do not fit mean "tampered", with the first entry they touch.
#include "service/audit/verify.h"
#include "service/audit/merkle.h"
#include "service/audit/tile.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define CHECKPOINT_BYTES_MAX 1000000u
#define PROGRESS_EVERY 4096u
#define PATH_SIZE 4352u

typedef struct {
    bool is_loaded;
    uint64_t number;
    gw_buffer bytes;
} loaded_tile;

typedef struct {
    const char *folder;
    const gw_audit_options *options;
    uint64_t size;      // of the checkpoint
    uint64_t root_next; // the smallest tree still ahead whose root is wanted, or UINT64_MAX
    gw_audit_state *state;
    gw_audit_verdict *verdict;
    gw_merkle_edge edge;
    loaded_tile tiles[GW_TILE_LEVELS]; // the one being compared, on each level
    gw_status status;                  // first failure; GW_CORRUPT stands in the verdict, the rest in `problem` too
} folder_scan;

static gw_status tampered(folder_scan *scan, uint64_t index, const char *code, const char *what) {
    scan->verdict->first_bad = index;
    scan->status = gw_problem_set(&scan->verdict->problem, GW_CORRUPT, code, what, "", "");
    return scan->status;
}

// Reads a file of the folder. Too big is not what was published: tampered. Anything else: cannot check.
static gw_status file_load(folder_scan *scan, const char *name, gw_buffer *buffer) {
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/%s", scan->folder, name);
    return gw_file_read(path, buffer, &scan->verdict->problem);
}

// The published form of this width, or the full one that took its place later.
static gw_status load_either(folder_scan *scan, const char *partial, const char *full, gw_buffer *buffer) {
    gw_status status = file_load(scan, partial, buffer);
    if (status != GW_NOT_FOUND || strcmp(partial, full) == 0)
        return status;
    gw_problem missing = scan->verdict->problem;
    status = file_load(scan, full, buffer);
    if (status == GW_NOT_FOUND)
        scan->verdict->problem = missing;
    return status;
}

// ---- tiles

static uint64_t tile_first_entry(unsigned level, uint64_t hash) {
    return hash << (8 * level);
}

static gw_status tile_load(folder_scan *scan, unsigned level, uint64_t number) {
    loaded_tile *tile = &scan->tiles[level];
    if (tile->is_loaded && tile->number == number)
        return GW_OK;
    unsigned width = gw_tile_width(scan->size, level, number);
    char partial[GW_TILE_PATH_MAX], full[GW_TILE_PATH_MAX];
    gw_tile_path(level, number, width, partial);
    gw_tile_path(level, number, GW_TILE_WIDTH, full);
    gw_buffer_done(&tile->bytes);
    gw_buffer_init(&tile->bytes, (size_t)GW_TILE_WIDTH * GW_HASH_SIZE);
    gw_status status = load_either(scan, partial, full, &tile->bytes);
    uint64_t first = tile_first_entry(level, number * GW_TILE_WIDTH);
    if (status == GW_LIMIT ||
        (status == GW_OK && (tile->bytes.size % GW_HASH_SIZE != 0 || tile->bytes.size < (size_t)width * GW_HASH_SIZE)))
        return tampered(scan, first, "bad_tile", "A tile of the tree has not the length it should have.");
    if (status != GW_OK)
        return scan->status = status;
    tile->is_loaded = true;
    tile->number = number;
    return GW_OK;
}

// A node of the tree closed: on every eighth level a tile must hold it.
static void node_compare(void *state, unsigned level, uint64_t index, gw_hash hash) {
    folder_scan *scan = state;
    if (scan->status != GW_OK || level % 8 != 0)
        return;
    if (tile_load(scan, level / 8, index / GW_TILE_WIDTH) != GW_OK)
        return;
    const uint8_t *published = scan->tiles[level / 8].bytes.data + (index % GW_TILE_WIDTH) * GW_HASH_SIZE;
    if (memcmp(published, hash.bytes, GW_HASH_SIZE) == 0)
        return;
    if (level == 0)
        gw_ignore(tampered(scan, index, "bad_hash", "An entry does not have the hash that was published for it."));
    else // the leaves below were right, so this names the first entry under the changed hash
        gw_ignore(tampered(scan, tile_first_entry(level / 8, index), "bad_tile",
                           "A hash in a higher tile does not follow from the entries below it."));
}

// ---- roots of older trees

// Called at every size that `root_next` named: notes the roots of this tree and looks for the next one wanted.
static void roots_note(folder_scan *scan) {
    uint64_t size = scan->edge.size;
    scan->root_next = UINT64_MAX;
    for (size_t i = 0; i < scan->options->root_count; i++) {
        gw_audit_root *wanted = &scan->options->roots[i];
        if (wanted->size == size) {
            wanted->root = gw_merkle_edge_root(&scan->edge);
            wanted->is_known = true;
        }
        if (wanted->size > size && wanted->size < scan->root_next)
            scan->root_next = wanted->size;
    }
}

// ---- entries

static gw_status entry_check(folder_scan *scan, uint64_t index, gw_bytes bytes) {
    gw_merkle_edge_append(&scan->edge, gw_merkle_leaf(bytes), node_compare, scan);
    if (scan->status != GW_OK)
        return scan->status;
    if (scan->edge.size == scan->root_next)
        roots_note(scan);
    gw_entry entry;
    scan->status = gw_entry_decode(bytes, &entry, &scan->verdict->problem);
    if (scan->status == GW_OK)
        scan->status = gw_audit_apply(scan->state, &entry, &scan->verdict->problem);
    if (scan->status == GW_CORRUPT)
        scan->verdict->first_bad = index;
    if (scan->status == GW_OK)
        scan->verdict->entries++;
    return scan->status;
}

static gw_status bundle_check(folder_scan *scan, uint64_t number) {
    unsigned width = gw_tile_width(scan->size, 0, number);
    uint64_t index = number * GW_TILE_WIDTH;
    char partial[GW_TILE_PATH_MAX], full[GW_TILE_PATH_MAX];
    gw_bundle_path(number, width, partial);
    gw_bundle_path(number, GW_TILE_WIDTH, full);
    GW_CLEANUP(gw_buffer_done) gw_buffer bundle;
    gw_buffer_init(&bundle, GW_BUNDLE_BYTES_MAX);
    gw_status status = load_either(scan, partial, full, &bundle);
    if (status == GW_LIMIT)
        return tampered(scan, index, "bad_bundle", "A bundle of entries is longer than any can be.");
    if (status != GW_OK)
        return scan->status = status;
    gw_bytes rest = gw_buffer_bytes(&bundle), entry;
    for (unsigned i = 0; i < width; i++, index++) {
        if (!gw_bundle_next(&rest, &entry))
            return tampered(scan, index, "bad_bundle", "A bundle of entries ends too early.");
        status = entry_check(scan, index, entry);
        if (status != GW_OK)
            return status;
    }
    // A full bundle may stand for a narrower one; what stands under the width's own name holds nothing more.
    unsigned more = 0;
    while (width < GW_TILE_WIDTH && rest.size > 0 && more < GW_TILE_WIDTH - width && gw_bundle_next(&rest, &entry))
        more++;
    if (rest.size != 0)
        return tampered(scan, index - 1, "bad_bundle", "A bundle of entries has bytes after its last entry.");
    return GW_OK;
}

static void progress_tell(folder_scan *scan, uint64_t *told) {
    const gw_audit_options *options = scan->options;
    uint64_t done = scan->verdict->entries;
    if (options->progress == NULL || (done - *told < PROGRESS_EVERY && done != scan->size))
        return;
    *told = done;
    options->progress(options->progress_state, done, scan->size);
}

static gw_status scan_entries(folder_scan *scan) {
    uint64_t told = 0;
    roots_note(scan);
    for (uint64_t number = 0; number * GW_TILE_WIDTH < scan->size; number++) {
        gw_status status = bundle_check(scan, number);
        if (status != GW_OK)
            return status;
        progress_tell(scan, &told);
    }
    gw_hash root = gw_merkle_edge_root(&scan->edge);
    if (!gw_hash_equal(root, scan->verdict->checkpoint.root))
        return tampered(scan, UINT64_MAX, "bad_root", "The entries do not have the root that the checkpoint signs.");
    return GW_OK;
}

// ---- the log's key, where the caller has none

// Any file that begins with entry 0 will do: the size is not known to be true yet.
static gw_status first_bundle(folder_scan *scan, gw_buffer *buffer) {
    char name[GW_TILE_PATH_MAX];
    gw_bundle_path(0, GW_TILE_WIDTH, name);
    gw_status status = file_load(scan, name, buffer);
    if (status != GW_NOT_FOUND)
        return status;
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/%s.p", scan->folder, name);
    DIR *folder = opendir(path);
    struct dirent *item;
    while (status == GW_NOT_FOUND && folder != NULL && (item = readdir(folder)) != NULL) {
        char inner[GW_TILE_PATH_MAX + 300];
        if (item->d_name[0] < '1' || item->d_name[0] > '9' || strchr(item->d_name, '.') != NULL)
            continue;
        snprintf(inner, sizeof(inner), "%s.p/%s", name, item->d_name);
        status = file_load(scan, inner, buffer);
    }
    if (folder != NULL)
        closedir(folder);
    return status;
}

static gw_status genesis_key(folder_scan *scan, gw_note_key *ret) {
    GW_CLEANUP(gw_buffer_done) gw_buffer bundle;
    gw_buffer_init(&bundle, GW_BUNDLE_BYTES_MAX);
    gw_status status = first_bundle(scan, &bundle);
    if (status != GW_OK && status != GW_LIMIT)
        return scan->status = status;
    gw_bytes rest = gw_buffer_bytes(&bundle), bytes;
    gw_entry entry;
    if (status == GW_OK && gw_bundle_next(&rest, &bytes) && gw_entry_decode(bytes, &entry, NULL) == GW_OK &&
        entry.kind == GW_ENTRY_GENESIS && gw_note_key_parse(entry.genesis.log_key, ret, NULL) == GW_OK)
        return GW_OK;
    return tampered(scan, 0, "bad_genesis", "The first entry, which names the log's key, cannot be read.");
}

// ---- the whole

static gw_status checkpoint_load(folder_scan *scan, bool *ret_is_signed) {
    GW_CLEANUP(gw_buffer_done) gw_buffer note;
    gw_buffer_init(&note, CHECKPOINT_BYTES_MAX);
    gw_problem *problem = &scan->verdict->problem;
    gw_status status = file_load(scan, "checkpoint", &note);
    if (status != GW_OK)
        return scan->status = status;
    gw_note_key key;
    if (scan->options->log_key != NULL)
        key = *scan->options->log_key;
    else if (genesis_key(scan, &key) != GW_OK)
        return scan->status;
    status = gw_checkpoint_open(gw_buffer_bytes(&note), &key, &scan->verdict->checkpoint, problem);
    *ret_is_signed = status == GW_OK;
    // An unsigned checkpoint is tampered with already; what it says still leads to the entry that was changed, if one
    // was.
    if (status != GW_OK && gw_checkpoint_peek(gw_buffer_bytes(&note), &scan->verdict->checkpoint, NULL) != GW_OK)
        return scan->status = GW_CORRUPT;
    return GW_OK;
}

static void scan_run(folder_scan *scan) {
    bool is_signed = false;
    if (checkpoint_load(scan, &is_signed) != GW_OK)
        return;
    gw_problem unsigned_problem = scan->verdict->problem;
    scan->size = scan->verdict->checkpoint.size;
    scan->verdict->size = scan->size;
    gw_status status = scan_entries(scan);
    if (is_signed)
        return;
    if (status == GW_OK || scan->verdict->first_bad == UINT64_MAX) { // nothing more was found
        scan->verdict->problem = unsigned_problem;
        scan->status = GW_CORRUPT;
    }
}

static void verdict_finish(folder_scan *scan) {
    gw_audit_verdict *verdict = scan->verdict;
    gw_audit_counts(scan->state, &verdict->charges, &verdict->releases, &verdict->abandons);
    verdict->open_charges = verdict->charges - verdict->releases - verdict->abandons;
    verdict->is_sound = verdict->is_complete = scan->status == GW_OK;
    if (!verdict->is_sound)
        return;
    verdict->problem = (gw_problem){.status = GW_OK};
    if (scan->options->log_key == NULL)
        gw_problem_why(&verdict->problem, "The checkpoint was checked with the key that the log itself names in its "
                                          "first entry; compare that key with one you were given another way.");
}

gw_status gw_audit_verify(const char *log_folder, const gw_audit_options *options, gw_audit_state **ret_state,
                          gw_audit_verdict *ret_verdict) {
    *ret_verdict = (gw_audit_verdict){.first_bad = UINT64_MAX};
    if (ret_state != NULL)
        *ret_state = NULL;
    if (strlen(log_folder) > PATH_SIZE - GW_TILE_PATH_MAX - 300)
        return gw_problem_set(&ret_verdict->problem, GW_INVALID, "bad_path", "The folder's path is too long.", "", "");
    for (size_t i = 0; i < options->root_count; i++)
        options->roots[i].is_known = false;
    folder_scan scan = {
        .folder = log_folder, .options = options, .verdict = ret_verdict, .state = gw_audit_state_new()};
    if (scan.state == NULL)
        return gw_problem_set(&ret_verdict->problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    scan_run(&scan);
    verdict_finish(&scan);
    for (size_t i = 0; i < GW_TILE_LEVELS; i++)
        gw_buffer_done(&scan.tiles[i].bytes);
    if (ret_state != NULL)
        *ret_state = scan.state;
    else
        gw_audit_state_free(scan.state);
    return scan.status == GW_CORRUPT ? GW_OK : scan.status; // "tampered" is a verdict, not a failure to check
}

gw_status gw_audit_verify_folder(const char *log_folder, const gw_note_key *log_key,
                                 void (*progress)(void *, uint64_t, uint64_t), void *progress_state,
                                 gw_audit_state **ret_state, gw_audit_verdict *ret_verdict) {
    gw_audit_options options = {.log_key = log_key, .progress = progress, .progress_state = progress_state};
    return gw_audit_verify(log_folder, &options, ret_state, ret_verdict);
}
