// SPDX-License-Identifier: Apache-2.0
// Two views of one log: folders, signed checkpoints, what a client remembers, receipts. Either one is the beginning of
// the other, or both together prove that their owner has two histories; where neither can be shown, that is said.
#include "client/cli/audit_say.h"
#include "client/cli/commands.h"
#include "client/cli/entry_words.h"
#include "client/cli/log_conflict.h"
#include "client/cli/log_files.h"
#include "client/cli/log_trust.h"
#include "client/cli/wording.h"
#include "client/lib/client.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/wire/json.h"
#include "service/wire/receipt.h"
#include <string.h>
#include <sys/stat.h>

#define FILE_BYTES_MAX 2200000u
#define NOTE_BYTES_MAX 1000000u
#define PROOF_NAME "log-%llu-%llu.conflict"
#define RECEIPT_START "c2sp.org/tlog-proof@"

typedef unsigned long long wide; // for printf
GW_DEFINE_FREEP(gw_log_tree, gw_log_tree_free)

typedef struct {
    const char *log_key, *policy, *proof;
} compare_options;
static const gw_option options_of_compare[] = {
    GW_OPTION_LOG_KEY(compare_options),
    GW_OPTION_POLICY(compare_options),
    {"proof", 0, GW_OPTION_TEXT, offsetof(compare_options, proof), "FILE",
     "where to write the proof, when there is one (log-OLD-NEW.conflict)"},
};

// One view: the folder it is, or "", and the signed checkpoint it has.
typedef struct {
    const char *path;
    bool is_folder;
    gw_signed_tree tree;
} view;

typedef struct {
    gw_cli *cli;
    const compare_options *options;
    view views[2];
    gw_log_conflict conflict; // both, in order of size
    view *older, *newer;
    bool has_trusted_key;
    gw_trees_verdict verdict;
    uint64_t differing; // first entry that is another, where both folders are at hand; or GW_NO_SEQ
    gw_entry entries[2];
    bool has_entry[2];
    char proof_path[4096];
} comparison;

// ---- the views

static bool starts_with(gw_bytes bytes, const char *text) {
    return bytes.size >= strlen(text) && memcmp(bytes.data, text, strlen(text)) == 0;
}

static gw_status receipt_note(gw_bytes file, gw_buffer *ret_note, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer scratch;
    gw_receipt receipt;
    gw_buffer_init(&scratch, GW_RECEIPT_MAX);
    gw_status status = gw_receipt_decode(file, &scratch, &receipt, ret_problem);
    if (status == GW_OK)
        gw_buffer_append(ret_note, receipt.checkpoint.data, receipt.checkpoint.size);
    return status;
}

static bool is_folder(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static gw_status note_load(view *v, gw_problem *ret_problem) {
    v->is_folder = is_folder(v->path);
    if (v->is_folder)
        return gw_log_files_note(v->path, &v->tree.note, ret_problem);
    GW_CLEANUP(gw_buffer_done) gw_buffer file;
    gw_buffer_init(&file, NOTE_BYTES_MAX);
    gw_status status = gw_file_read(v->path, &file, ret_problem);
    if (status != GW_OK)
        return status;
    if (starts_with(gw_buffer_bytes(&file), RECEIPT_START))
        return receipt_note(gw_buffer_bytes(&file), &v->tree.note, ret_problem);
    gw_buffer_append(&v->tree.note, file.data, file.size);
    return v->tree.note.status;
}

// ---- the key

static bool entry_first(void *state, const gw_entry *entry) {
    if (entry->kind == GW_ENTRY_GENESIS)
        gw_ignore(gw_note_key_parse(entry->genesis.log_key, state, NULL)); // then the key stays empty
    return false;
}

static bool key_of_folder(const view *v, gw_note_key *ret) {
    gw_problem none;
    gw_note_key key = {.name = ""};
    if (!v->is_folder || gw_log_files_read(v->path, 0, entry_first, &key, &none) != GW_OK || key.name[0] == '\0')
        return false;
    *ret = key;
    return true;
}

// What a client keeps lies beside its profile, which names the log's key.
static bool key_of_profile(const view *v, gw_note_key *ret) {
    static const char *const endings[] = {".seen", ".rolled_back"};
    size_t size = strlen(v->path);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t ending = strlen(endings[i]);
        char path[4096];
        gw_profile profile;
        if (size <= ending || size - ending >= sizeof(path) || strcmp(v->path + size - ending, endings[i]) != 0)
            continue;
        gw_ignore(snprintf(path, sizeof(path), "%.*s", (int)(size - ending), v->path)); // its length was checked
        if (gw_profile_load(path, &profile, NULL) == GW_OK && gw_note_key_parse(profile.log_key, ret, NULL) == GW_OK)
            return true;
    }
    return false;
}

// A key from elsewhere, else the one that a profile beside the file names, else that of a log's first entry.
static gw_status key_find(comparison *c, const view *v, gw_note_key *ret, gw_problem *ret_problem) {
    gw_log_trust trust;
    gw_status status = gw_log_trust_find(c->cli, c->options->log_key, c->options->policy,
                                         gw_buffer_bytes(&v->tree.note), &trust, ret_problem);
    if (status != GW_OK)
        return status;
    bool has_key = trust.has_key;
    *ret = trust.key;
    gw_log_trust_done(&trust);
    c->has_trusted_key = has_key || (key_of_profile(&c->views[0], ret) || key_of_profile(&c->views[1], ret));
    if (c->has_trusted_key || key_of_folder(v, ret) || key_of_folder(&c->views[0], ret) ||
        key_of_folder(&c->views[1], ret))
        return GW_OK;
    return gw_problem_set(ret_problem, GW_NOT_FOUND, "log_key_missing", "Under which key should I believe the log?",
                          "A checkpoint says who signed it only to one who has the key from elsewhere.",
                          "--log-key VKEY, --policy FILE, or --as NAME");
}

static gw_status one_key_check(const comparison *c, const gw_signed_tree *a, const gw_signed_tree *b,
                               gw_problem *ret_problem) {
    if (c->has_trusted_key || memcmp(&a->key.key, &b->key.key, sizeof(gw_public_key)) == 0)
        return GW_OK;
    return gw_problem_set(ret_problem, GW_IO, "not_signed", "The checkpoints are signed under two keys.",
                          "Only one who knows both for the log's can say that one hand wrote them.",
                          "--policy FILE, with a line for each key");
}

static gw_status view_open(comparison *c, view *v, gw_problem *ret_problem) {
    gw_status status = key_find(c, v, &v->tree.key, ret_problem);
    if (status == GW_OK)
        status = gw_checkpoint_open(gw_buffer_bytes(&v->tree.note), &v->tree.key, &v->tree.checkpoint, ret_problem);
    if (status != GW_CORRUPT)
        return status;
    char why[sizeof(ret_problem->why)]; // what is not signed proves nothing about who signed it
    memcpy(why, ret_problem->why, sizeof(why));
    status = gw_problem_set(ret_problem, GW_IO, "not_signed", "", why,
                            "After a keyrot: --policy FILE, with a line \"log VKEY\" for each key (godwit audit verify "
                            "names the new one)");
    gw_problem_what(ret_problem, "%.200s has no checkpoint that the log's key signed.", v->path);
    return status;
}

// ---- the trees

static gw_status tiles_wrong(const view *v, gw_problem *ret_problem) {
    gw_status status = gw_problem_set(ret_problem, GW_CORRUPT, "bad_root", "",
                                      "The folder was changed; this says nothing about the other one.",
                                      "godwit audit verify --log DIR");
    gw_problem_what(ret_problem, "The tiles in %.200s do not have the root that its checkpoint signs.", v->path);
    return status;
}

static gw_status tree_failed(const gw_log_tree *tree, gw_problem *ret_problem) {
    *ret_problem = *gw_log_tree_problem(tree);
    return ret_problem->status;
}

// What the newer folder began with, from its tiles: believed only where they have the signed root.
static gw_status beginning_find(comparison *c, gw_problem *ret_problem) {
    uint64_t old_size = c->older->tree.checkpoint.size, size = c->newer->tree.checkpoint.size;
    if (!c->newer->is_folder || old_size == 0 || old_size == size)
        return GW_OK;
    GW_CLEANUP(gw_log_tree_freep) gw_log_tree *tree = gw_log_tree_new(c->newer->path, size);
    GW_ASSERT(tree != NULL);
    if (gw_log_prefix_make(gw_log_tree_source(tree), old_size, size, &c->conflict.proof) != GW_OK)
        return tree_failed(tree, ret_problem);
    gw_hash old_root, root;
    if (!gw_log_prefix_roots(&c->conflict.proof, old_size, size, &old_root, &root) ||
        !gw_hash_equal(root, c->newer->tree.checkpoint.root))
        return tiles_wrong(c->newer, ret_problem);
    return GW_OK;
}

static bool entry_take(void *state, const gw_entry *entry) {
    *(gw_entry *)state = *entry;
    return false;
}

// The first leaf that is another; both folders' tiles are compared hash by hash.
static void difference_find(comparison *c) {
    uint64_t size = c->older->tree.checkpoint.size;
    gw_merkle_source sources[2];
    gw_log_tree *trees[2];
    for (size_t i = 0; i < 2; i++) {
        trees[i] = gw_log_tree_new(c->views[i].path, c->views[i].tree.checkpoint.size);
        GW_ASSERT(trees[i] != NULL);
        sources[i] = gw_log_tree_source(trees[i]);
    }
    for (uint64_t index = 0; c->differing == GW_NO_SEQ && index < size; index++) {
        gw_hash leaves[2];
        if (sources[0].node(sources[0].state, 0, index, &leaves[0]) != GW_OK ||
            sources[1].node(sources[1].state, 0, index, &leaves[1]) != GW_OK)
            break; // a tile is missing: then it is not named
        if (!gw_hash_equal(leaves[0], leaves[1]))
            c->differing = index;
    }
    for (size_t i = 0; i < 2; i++) {
        gw_problem none;
        gw_log_reading reading = {.folder = c->views[i].path,
                                  .size = c->views[i].tree.checkpoint.size,
                                  .first = c->differing,
                                  .each = entry_take,
                                  .state = &c->entries[i]};
        c->has_entry[i] = c->differing != GW_NO_SEQ && gw_log_files_scan(&reading, &none) == GW_OK;
        gw_log_tree_free(trees[i]);
    }
}

static gw_status views_compare(comparison *c, gw_problem *ret_problem) {
    gw_status status = GW_OK;
    for (size_t i = 0; status == GW_OK && i < 2; i++) {
        status = note_load(&c->views[i], ret_problem);
        if (status == GW_CORRUPT || status == GW_INVALID || status == GW_LIMIT) // no evidence of anything
            status = ret_problem->status = GW_IO;
    }
    for (size_t i = 0; status == GW_OK && i < 2; i++)
        status = view_open(c, &c->views[i], ret_problem);
    if (status != GW_OK)
        return status;
    status = one_key_check(c, &c->views[0].tree, &c->views[1].tree, ret_problem);
    if (status != GW_OK)
        return status;
    if (strcmp(c->views[0].tree.checkpoint.origin, c->views[1].tree.checkpoint.origin) != 0)
        return gw_problem_set(ret_problem, GW_IO, "other_log", "These are two different logs.",
                              "Their checkpoints name different origins.", "");
    bool is_first_older = c->views[0].tree.checkpoint.size <= c->views[1].tree.checkpoint.size;
    c->older = &c->views[is_first_older ? 0 : 1];
    c->newer = &c->views[is_first_older ? 1 : 0];
    status = beginning_find(c, ret_problem);
    if (status != GW_OK)
        return status;
    c->conflict.older.key = c->older->tree.key;
    c->conflict.newer.key = c->newer->tree.key;
    c->conflict.older.checkpoint = c->older->tree.checkpoint;
    c->conflict.newer.checkpoint = c->newer->tree.checkpoint;
    gw_buffer_append(&c->conflict.older.note, c->older->tree.note.data, c->older->tree.note.size);
    gw_buffer_append(&c->conflict.newer.note, c->newer->tree.note.data, c->newer->tree.note.size);
    c->verdict = gw_log_conflict_judge(&c->conflict);
    if (gw_trees_verdict_is_proven(c->verdict) && c->older->is_folder && c->newer->is_folder)
        difference_find(c);
    return GW_OK;
}

// ---- a proof that was written before

// Anybody can put a key of the same name into a file: where a key is trusted, both must be signed under a trusted one.
static gw_status proof_key_check(comparison *c, const gw_signed_tree *tree, gw_problem *ret_problem) {
    gw_log_trust trust;
    gw_checkpoint opened;
    gw_problem none;
    gw_bytes note = gw_buffer_bytes(&tree->note);
    gw_status status = gw_log_trust_find(c->cli, c->options->log_key, c->options->policy, note, &trust, ret_problem);
    if (status != GW_OK)
        return status;
    c->has_trusted_key = trust.has_key;
    if (trust.has_key && gw_checkpoint_open(note, &trust.key, &opened, &none) != GW_OK)
        status = gw_problem_set(ret_problem, GW_IO, "not_signed", "The proof is not about the log whose key you trust.",
                                "One of its checkpoints is not signed under that key.", "");
    gw_log_trust_done(&trust);
    return status;
}

static gw_status proof_read(comparison *c, const char *path, bool *ret_is_proof, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer file;
    gw_buffer_init(&file, FILE_BYTES_MAX);
    gw_status status = gw_file_read(path, &file, ret_problem);
    *ret_is_proof = status == GW_OK && gw_log_conflict_is(gw_buffer_bytes(&file));
    if (!*ret_is_proof)
        return status;
    status = gw_log_conflict_decode(gw_buffer_bytes(&file), &c->conflict, ret_problem);
    if (status != GW_OK)
        return ret_problem->status = GW_IO; // a damaged proof shows nothing, in either direction
    status = proof_key_check(c, &c->conflict.older, ret_problem);
    if (status == GW_OK)
        status = proof_key_check(c, &c->conflict.newer, ret_problem);
    if (status != GW_OK)
        return status;
    status = one_key_check(c, &c->conflict.older, &c->conflict.newer, ret_problem);
    if (status != GW_OK)
        return status;
    c->verdict = gw_log_conflict_judge(&c->conflict);
    return GW_OK;
}

// ---- saying

static void proof_write(comparison *c) {
    gw_buffer file;
    gw_problem none;
    gw_buffer_init(&file, GW_CONFLICT_BYTES_MAX);
    gw_log_conflict_encode(&c->conflict, &file);
    if (c->options->proof != NULL)
        gw_ignore(
            snprintf(c->proof_path, sizeof(c->proof_path), "%s", c->options->proof)); // a longer one is not written
    else
        gw_ignore(snprintf(c->proof_path, sizeof(c->proof_path), PROOF_NAME, (wide)c->conflict.older.checkpoint.size,
                           (wide)c->conflict.newer.checkpoint.size)); // it fits
    if (file.status != GW_OK || gw_file_replace(c->proof_path, gw_buffer_bytes(&file), 0644, &none) != GW_OK)
        c->proof_path[0] = '\0';
    gw_buffer_done(&file);
}

static void difference_say(const comparison *c) {
    if (c->differing == GW_NO_SEQ)
        return;
    gw_say_verdict(c->cli, "NOTE", "the first entry that is another: %llu", (wide)c->differing);
    for (size_t i = 0; i < 2; i++) {
        gw_buffer text;
        char time[GW_TIME_TEXT];
        if (!c->has_entry[i])
            continue;
        gw_buffer_init(&text, 4096);
        gw_time_format(c->entries[i].time, time);
        gw_entry_say(&c->entries[i], &text);
        gw_say_field(c->cli, i == 0 ? "  first" : "  second", "%s, %s: %s", time,
                     gw_entry_kind_name(c->entries[i].kind), gw_buffer_string(&text));
        gw_buffer_done(&text);
    }
}

static void verdict_say(const comparison *c) {
    wide old_size = (wide)c->conflict.older.checkpoint.size, size = (wide)c->conflict.newer.checkpoint.size;
    gw_cli *cli = c->cli;
    switch (c->verdict) {
    case GW_TREES_SAME:
        gw_say_verdict(cli, "OK", "both are of the same tree, %llu entries", size);
        return;
    case GW_TREES_EXTEND:
        gw_say_verdict(cli, "OK", "consistent: the one with %llu entries extends the one with %llu", size, old_size);
        return;
    case GW_TREES_SPLIT:
        gw_say_verdict(cli, "FAIL", "split view: the log's key signed two different trees of %llu entries", size);
        return;
    case GW_TREES_REWRITTEN:
        gw_say_verdict(cli, "FAIL",
                       "rolled back or rewritten: the log's key signed %llu entries, and later %llu that do not begin "
                       "with them",
                       old_size, size);
        return;
    case GW_TREES_UNDECIDED:
        gw_say_verdict(cli, "WARN",
                       "cannot decide: one has %llu entries, the other %llu, and what the larger one begins with is in "
                       "its folder of tiles, which is not here",
                       old_size, size);
        return;
    case GW_TREES_BAD_PROOF:
        break;
    }
    gw_say_verdict(cli, "WARN", "cannot decide: the proof's hashes do not lead to the tree that was signed");
}

static void key_say(const comparison *c) {
    char vkey[GW_VKEY_MAX];
    gw_note_key_format(&c->conflict.newer.key, vkey);
    if (c->has_trusted_key)
        gw_say_verdict(c->cli, "OK", "both checkpoints are signed under %s", vkey);
    else
        gw_say_verdict(c->cli, "WARN",
                       "both are signed under a key that came with them: compare it with one you got elsewhere: %s",
                       vkey);
}

static gw_exit_code exit_of(gw_trees_verdict verdict) {
    if (gw_trees_verdict_is_proven(verdict))
        return GW_EXIT_TAMPERED;
    return verdict == GW_TREES_SAME || verdict == GW_TREES_EXTEND ? GW_EXIT_DONE : GW_EXIT_CANNOT_CHECK;
}

static void json_say(const comparison *c) {
    static const char *const names[] = {"same", "extends", "split_view", "rewritten", "undecided", "bad_proof"};
    gw_buffer json;
    gw_buffer_init(&json, 65536);
    gw_buffer_text(&json, "{\"v\":1");
    gw_json_write_member(&json, "verdict", names[c->verdict]);
    gw_json_write_name(&json, "key_is_trusted");
    gw_buffer_text(&json, c->has_trusted_key ? "true" : "false");
    gw_json_write_member(&json, "origin", c->conflict.newer.checkpoint.origin);
    gw_json_write_integer(&json, "older", (int64_t)c->conflict.older.checkpoint.size);
    gw_json_write_integer(&json, "newer", (int64_t)c->conflict.newer.checkpoint.size);
    if (c->differing != GW_NO_SEQ)
        gw_json_write_integer(&json, "first_different", (int64_t)c->differing);
    if (c->proof_path[0] != '\0')
        gw_json_write_member(&json, "proof", c->proof_path);
    gw_buffer_text(&json, "}\n");
    gw_say_bytes(c->cli, gw_buffer_bytes(&json));
    gw_buffer_done(&json);
}

static gw_exit_code comparison_say(comparison *c, bool writes_proof) {
    if (gw_trees_verdict_is_proven(c->verdict) && writes_proof)
        proof_write(c);
    if (c->cli->output == GW_OUTPUT_JSON) {
        json_say(c);
        return exit_of(c->verdict);
    }
    key_say(c);
    verdict_say(c);
    difference_say(c);
    if (c->proof_path[0] != '\0')
        gw_say_verdict(c->cli, "NOTE", "the proof is in %s; it needs nobody's word: godwit audit compare %s",
                       c->proof_path, c->proof_path);
    else if (gw_trees_verdict_is_proven(c->verdict) && writes_proof)
        gw_say_verdict(c->cli, "WARN", "the proof could not be written: keep both, or name a place with --proof FILE");
    return exit_of(c->verdict);
}

static void comparison_done(comparison *c) {
    gw_buffer_done(&c->views[0].tree.note);
    gw_buffer_done(&c->views[1].tree.note);
    gw_log_conflict_done(&c->conflict);
}

static gw_exit_code run(gw_cli *cli, const void *state, const gw_words *words) {
    GW_CLEANUP(comparison_done)
    comparison c = {.cli = cli, .options = state, .differing = GW_NO_SEQ};
    gw_problem problem;
    gw_log_conflict_init(&c.conflict);
    for (size_t i = 0; i < 2; i++) {
        c.views[i].path = words->items[i < words->count ? i : 0];
        gw_buffer_init(&c.views[i].tree.note, NOTE_BYTES_MAX);
    }
    bool is_proof = false;
    gw_status status = GW_OK;
    if (words->count == 1)
        status = proof_read(&c, words->items[0], &is_proof, &problem);
    if (status == GW_OK && words->count == 1 && !is_proof)
        return gw_usage(cli, "With what? Only a proof that compare wrote before is judged alone.",
                        "godwit audit compare A B");
    if (status == GW_OK && !is_proof)
        status = views_compare(&c, &problem);
    if (status != GW_OK)
        return gw_audit_fail(cli, &problem);
    return comparison_say(&c, !is_proof);
}

const gw_command gw_command_audit_compare = {
    .name = "audit compare",
    .group = "Auditor",
    .arguments = "DIR|FILE [DIR|FILE] [--policy FILE | --log-key VKEY] [--proof FILE]",
    .summary = "are two views of a log one history? folders, checkpoints, receipts, what clients remember",
    .examples = "godwit audit compare log-in-may/ log-in-june/ --log-key \"$(cat trusted.vkey)\"\n"
                "godwit audit compare profiles/researcher.json.seen log/\n"
                "godwit audit compare profiles/researcher.json.seen profiles/researcher.json.rolled_back\n"
                "godwit audit compare log-812-812.conflict\n",
    GW_OPTIONS(options_of_compare),
    .options_size = sizeof(compare_options),
    .words_min = 1,
    .words_max = 2,
    .run = run,
};
