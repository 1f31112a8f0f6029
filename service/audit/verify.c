// SPDX-License-Identifier: Apache-2.0
// The check of a published folder. Every entry is hashed again and compared with its tile, every tile with the hashes
// below it, the root with the signed checkpoint, and every entry is folded; question texts are held against the charges
// that name them. A file that is missing or unreadable means "cannot check"; bytes that do not fit mean "tampered",
// with the first entry they touch. Hashing runs in a second thread, ahead of the fold.
#include "service/audit/verify_inner.h"
#include "service/audit/merkle.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define CHECKPOINT_BYTES_MAX 1000000u
#define PROGRESS_EVERY 4096u

GW_DEFINE_FREEP(gw_verify_tree, gw_verify_tree_free)
GW_DEFINE_FREEP(gw_verify_questions, gw_verify_questions_free)
GW_DEFINE_FREEP(gw_verify_keys, gw_verify_keys_free)

typedef struct {
    const char *folder;
    const gw_audit_options *options;
    gw_audit_state *state;
    gw_verify_questions *questions; // NULL: not looked at
    gw_verify_keys *keys;
    gw_buffer note; // the checkpoint
    gw_audit_verdict *verdict;
    gw_status status; // first failure; GW_CORRUPT stands in the verdict, the rest in `problem` too
} folder_scan;

static gw_status tampered(folder_scan *scan, uint64_t index, const char *code, const char *what) {
    scan->verdict->first_bad = index;
    scan->status = gw_problem_set(&scan->verdict->problem, GW_CORRUPT, code, what, "", "");
    return scan->status;
}

static gw_status no_means(folder_scan *scan) {
    return scan->status = gw_problem_set(&scan->verdict->problem, GW_NO_MEMORY, "no_memory",
                                         "There is no memory, or no thread, to check the log.", "", "");
}

static gw_status file_load(folder_scan *scan, const char *name, gw_buffer *buffer) {
    return gw_verify_file_load(scan->folder, name, buffer, &scan->verdict->problem);
}

// ---- entries

static gw_status entry_check(folder_scan *scan, uint64_t index, gw_bytes bytes) {
    gw_entry entry;
    scan->status = gw_entry_decode(bytes, &entry, &scan->verdict->problem);
    if (scan->status == GW_OK)
        scan->status = gw_audit_apply(scan->state, &entry, &scan->verdict->problem);
    if (scan->status == GW_CORRUPT)
        scan->verdict->first_bad = index;
    if (scan->status == GW_OK && scan->questions != NULL && entry.kind == GW_ENTRY_CHARGE)
        scan->status = gw_verify_questions_charge(scan->questions, &entry, scan->verdict);
    if (scan->status != GW_OK)
        return scan->status;
    scan->verdict->entries++;
    if (scan->options->each != NULL)
        scan->options->each(scan->options->each_state, &entry);
    return GW_OK;
}

static gw_status bundle_check(folder_scan *scan, const gw_verify_bundle *bundle) {
    for (unsigned i = 0; i < bundle->count; i++) {
        gw_status status = entry_check(scan, scan->verdict->entries, bundle->entries[i]);
        if (status != GW_OK)
            return status;
    }
    if (bundle->status == GW_OK)
        return GW_OK;
    scan->verdict->first_bad = bundle->first_bad;
    scan->verdict->problem = bundle->problem;
    return scan->status = bundle->status;
}

static void progress_tell(folder_scan *scan, uint64_t *told) {
    const gw_audit_options *options = scan->options;
    uint64_t done = scan->verdict->entries;
    if (options->progress == NULL || (done - *told < PROGRESS_EVERY && done != scan->verdict->size))
        return;
    *told = done;
    options->progress(options->progress_state, done, scan->verdict->size);
}

static void roots_copy(gw_audit_root *to, const gw_audit_root *from, size_t count) {
    if (count > 0)
        memcpy(to, from, count * sizeof(*to));
}

// A newer checkpoint stands in the folder: it is being published while it is read.
static bool has_grown(const folder_scan *scan) {
    GW_CLEANUP(gw_buffer_done) gw_buffer note;
    gw_checkpoint now;
    gw_buffer_init(&note, CHECKPOINT_BYTES_MAX);
    return gw_verify_file_load(scan->folder, "checkpoint", &note, NULL) == GW_OK &&
           gw_checkpoint_peek(gw_buffer_bytes(&note), &now, NULL) == GW_OK && now.size > scan->verdict->size;
}

static gw_status scan_tree(folder_scan *scan, gw_audit_root *roots, size_t root_count) {
    GW_CLEANUP(gw_verify_tree_freep)
    gw_verify_tree *tree = gw_verify_tree_new(scan->folder, scan->verdict->size, roots, root_count);
    if (tree == NULL)
        return no_means(scan);
    const gw_verify_bundle *bundle;
    uint64_t told = 0;
    while ((bundle = gw_verify_tree_next(tree)) != NULL) {
        if (bundle_check(scan, bundle) != GW_OK)
            return scan->status;
        progress_tell(scan, &told);
    }
    if (!gw_hash_equal(gw_verify_tree_root(tree), scan->verdict->checkpoint.root))
        return tampered(scan, UINT64_MAX, "bad_root", "The entries do not have the root that the checkpoint signs.");
    if (scan->questions != NULL)
        scan->status = gw_verify_questions_end(scan->questions, has_grown(scan), scan->verdict);
    return scan->status;
}

static gw_status scan_entries(folder_scan *scan) {
    const gw_audit_options *options = scan->options;
    size_t key_count;
    gw_audit_root *key_roots = gw_verify_keys_roots(scan->keys, &key_count);
    GW_CLEANUP(gw_freep) gw_audit_root *roots = calloc(options->root_count + key_count + 1, sizeof(*roots));
    if (roots == NULL)
        return no_means(scan);
    roots_copy(roots, options->roots, options->root_count);
    roots_copy(roots + options->root_count, key_roots, key_count);
    gw_status status = scan_tree(scan, roots, options->root_count + key_count);
    roots_copy(options->roots, roots, options->root_count);
    roots_copy(key_roots, roots + options->root_count, key_count);
    return status;
}

// The hashing thread runs ahead of the fold: what it saw after a bad entry is not told.
static void roots_trim(const folder_scan *scan) {
    const gw_audit_options *options = scan->options;
    for (size_t i = 0; i < options->root_count; i++)
        options->roots[i].is_known &= options->roots[i].size <= scan->verdict->entries;
}

// ---- the log's key, where the caller has none

// Any file that begins with entry 0 will do: the size is not known to be true yet.
static gw_status first_bundle(folder_scan *scan, gw_buffer *buffer) {
    char name[GW_TILE_PATH_MAX];
    gw_bundle_path(0, GW_TILE_WIDTH, name);
    gw_status status = file_load(scan, name, buffer);
    if (status != GW_NOT_FOUND)
        return status;
    char path[GW_VERIFY_PATH_SIZE];
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
    gw_problem *problem = &scan->verdict->problem;
    gw_note_key *key = &scan->verdict->log_key;
    gw_status status = file_load(scan, "checkpoint", &scan->note);
    if (status != GW_OK)
        return scan->status = status;
    if (scan->options->log_key != NULL)
        *key = *scan->options->log_key;
    else if (genesis_key(scan, key) != GW_OK)
        return scan->status;
    status = gw_checkpoint_open(gw_buffer_bytes(&scan->note), key, &scan->verdict->checkpoint, problem);
    *ret_is_signed = status == GW_OK;
    // An unsigned checkpoint is tampered with already; what it says still leads to the entry that was changed, if one
    // was.
    if (status != GW_OK && gw_checkpoint_peek(gw_buffer_bytes(&scan->note), &scan->verdict->checkpoint, NULL) != GW_OK)
        return scan->status = GW_CORRUPT;
    return GW_OK;
}

// The key may have been replaced since: sound entries lead to the one that signs now.
static bool key_follow(folder_scan *scan) {
    gw_audit_verdict *verdict = scan->verdict;
    return gw_verify_keys_follow(scan->keys, scan->state, gw_buffer_bytes(&scan->note), &verdict->log_key,
                                 &verdict->keys_followed, NULL) == GW_OK;
}

static void scan_run(folder_scan *scan) {
    bool is_signed = false;
    if (checkpoint_load(scan, &is_signed) != GW_OK)
        return;
    gw_problem unsigned_problem = scan->verdict->problem;
    scan->verdict->size = scan->verdict->checkpoint.size;
    gw_status status = scan_entries(scan);
    if (is_signed || (status == GW_OK && key_follow(scan)))
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
    GW_CLEANUP(gw_verify_questions_freep) gw_verify_questions *questions = NULL;
    if (strlen(log_folder) > GW_VERIFY_PATH_SIZE - GW_TILE_PATH_MAX - 300 ||
        (options->questions_folder != NULL && strlen(options->questions_folder) > GW_VERIFY_PATH_SIZE - 32))
        return gw_problem_set(&ret_verdict->problem, GW_INVALID, "bad_path", "The folder's path is too long.", "", "");
    for (size_t i = 0; i < options->root_count; i++)
        options->roots[i].is_known = false;
    folder_scan scan = {
        .folder = log_folder, .options = options, .verdict = ret_verdict, .state = gw_audit_state_new()};
    if (scan.state == NULL)
        return gw_problem_set(&ret_verdict->problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    gw_buffer_init(&scan.note, CHECKPOINT_BYTES_MAX);
    GW_CLEANUP(gw_verify_keys_freep) gw_verify_keys *keys = scan.keys = gw_verify_keys_new(log_folder);
    if (options->questions_folder != NULL)
        questions = scan.questions = gw_verify_questions_new(options->questions_folder);
    if (keys == NULL || (options->questions_folder != NULL && questions == NULL))
        gw_ignore(no_means(&scan)); // stands in `scan`
    else
        scan_run(&scan);
    gw_buffer_done(&scan.note);
    roots_trim(&scan);
    verdict_finish(&scan);
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
