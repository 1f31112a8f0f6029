// SPDX-License-Identifier: Apache-2.0
// The judgement is one table of cases over sizes and roots; the file is lines and then both notes as they were signed.
#include "client/cli/log_conflict.h"
#include "service/base/check.h"
#include "service/wire/lines.h"
#include <string.h>

#define FIRST_LINE "godwit/1 conflict"
#define NOTE_BYTES_MAX 1000000u

void gw_log_conflict_init(gw_log_conflict *conflict) {
    *conflict = (gw_log_conflict){.proof = {.count = 0}};
    gw_buffer_init(&conflict->older.note, NOTE_BYTES_MAX);
    gw_buffer_init(&conflict->newer.note, NOTE_BYTES_MAX);
}

void gw_log_conflict_done(gw_log_conflict *conflict) {
    gw_buffer_done(&conflict->older.note);
    gw_buffer_done(&conflict->newer.note);
}

bool gw_trees_verdict_is_proven(gw_trees_verdict verdict) {
    return verdict == GW_TREES_SPLIT || verdict == GW_TREES_REWRITTEN;
}

gw_trees_verdict gw_log_conflict_judge(const gw_log_conflict *conflict) {
    const gw_checkpoint *older = &conflict->older.checkpoint, *newer = &conflict->newer.checkpoint;
    gw_hash old_root, root;
    if (older->size == newer->size)
        return gw_hash_equal(older->root, newer->root) ? GW_TREES_SAME : GW_TREES_SPLIT;
    if (older->size == 0) // every tree begins with nothing, and nothing has one root
        return gw_hash_equal(older->root, gw_merkle_empty()) ? GW_TREES_EXTEND : GW_TREES_REWRITTEN;
    if (conflict->proof.count == 0)
        return GW_TREES_UNDECIDED;
    if (!gw_log_prefix_roots(&conflict->proof, older->size, newer->size, &old_root, &root) ||
        !gw_hash_equal(root, newer->root))
        return GW_TREES_BAD_PROOF;
    return gw_hash_equal(old_root, older->root) ? GW_TREES_EXTEND : GW_TREES_REWRITTEN;
}

void gw_log_conflict_encode(const gw_log_conflict *conflict, gw_buffer *file) {
    char old_key[GW_VKEY_MAX], new_key[GW_VKEY_MAX];
    gw_note_key_format(&conflict->older.key, old_key);
    gw_note_key_format(&conflict->newer.key, new_key);
    gw_buffer_format(file, FIRST_LINE "\nold-key %s\nnew-key %s\nold %zu\nnew %zu\nproof %zu\n", old_key, new_key,
                     conflict->older.note.size, conflict->newer.note.size, conflict->proof.count);
    for (size_t i = 0; i < conflict->proof.count; i++) {
        gw_base64_append(file, (gw_bytes){.data = conflict->proof.hashes[i].bytes, .size = GW_HASH_SIZE});
        gw_buffer_text(file, "\n");
    }
    gw_buffer_text(file, "\n");
    gw_buffer_append(file, conflict->older.note.data, conflict->older.note.size);
    gw_buffer_append(file, conflict->newer.note.data, conflict->newer.note.size);
}

bool gw_log_conflict_is(gw_bytes file) {
    return file.size > strlen(FIRST_LINE) && memcmp(file.data, FIRST_LINE "\n", strlen(FIRST_LINE) + 1) == 0;
}

static gw_status key_read(gw_bytes text, gw_note_key *ret, gw_problem *ret_problem) {
    char vkey[GW_VKEY_MAX] = "";
    if (text.size < sizeof(vkey))
        memcpy(vkey, text.data, text.size);
    return gw_note_key_parse(vkey, ret, ret_problem);
}

static gw_status tree_open(gw_signed_tree *tree, gw_bytes vkey, gw_bytes note, gw_problem *ret_problem) {
    gw_status status = key_read(vkey, &tree->key, ret_problem);
    gw_buffer_append(&tree->note, note.data, note.size);
    if (status == GW_OK)
        status = gw_checkpoint_open(gw_buffer_bytes(&tree->note), &tree->key, &tree->checkpoint, ret_problem);
    return status;
}

gw_status gw_log_conflict_decode(gw_bytes file, gw_log_conflict *conflict, gw_problem *ret_problem) {
    gw_lines lines;
    gw_lines_init(&lines, file);
    gw_lines_expect(&lines, FIRST_LINE);
    gw_bytes old_key = gw_lines_value(&lines, "old-key"), new_key = gw_lines_value(&lines, "new-key");
    uint64_t old_size = gw_lines_number(&lines, "old", gw_lines_value(&lines, "old"), NOTE_BYTES_MAX);
    uint64_t new_size = gw_lines_number(&lines, "new", gw_lines_value(&lines, "new"), NOTE_BYTES_MAX);
    uint64_t count = gw_lines_number(&lines, "proof", gw_lines_value(&lines, "proof"), GW_PROOF_MAX);
    for (uint64_t i = 0; lines.why == NULL && i < count; i++)
        conflict->proof.hashes[i] = gw_lines_base64_hash(&lines, "hash", gw_lines_next(&lines, "hash"));
    conflict->proof.count = (size_t)count;
    if (gw_lines_next(&lines, "blank").size != 0)
        gw_lines_fail(&lines, "blank", "an empty line is expected here");
    gw_bytes old_note = gw_lines_bytes(&lines, "old", old_size), new_note = gw_lines_bytes(&lines, "new", new_size);
    gw_lines_end(&lines);
    gw_status status = gw_lines_check(&lines, "bad_conflict", "The proof cannot be read.", ret_problem);
    if (status == GW_OK)
        status = tree_open(&conflict->older, old_key, old_note, ret_problem);
    if (status == GW_OK)
        status = tree_open(&conflict->newer, new_key, new_note, ret_problem);
    if (status != GW_OK)
        return status;
    const gw_checkpoint *older = &conflict->older.checkpoint, *newer = &conflict->newer.checkpoint;
    if (strcmp(older->origin, newer->origin) != 0 || older->size > newer->size)
        return gw_problem_set(ret_problem, GW_INVALID, "bad_conflict", "The proof cannot be read.",
                              "Its checkpoints are of two logs, or not in order of size.", "");
    return GW_OK;
}
