// SPDX-License-Identifier: Apache-2.0
// A log only grows. A kept checkpoint that is larger than the log, or of another root, means that its owner has two
// histories; only a restore entry, signed by two, may say how that came to be.
#include "client/cli/audit_since.h"
#include "client/cli/log_tree.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/wire/json.h"
#include <string.h>

#define NOTE_BYTES_MAX 1000000u
#define PROOF_NAME "log-%llu-%llu.conflict"

typedef unsigned long long wide; // for printf
GW_DEFINE_FREEP(gw_log_tree, gw_log_tree_free)

void gw_since_init(gw_since *since) {
    *since = (gw_since){.verdict = GW_SINCE_FOREIGN};
    gw_buffer_init(&since->note, NOTE_BYTES_MAX);
}

void gw_since_done(gw_since *since) {
    gw_buffer_done(&since->note);
}

gw_status gw_since_read(const char *path, gw_since *since, gw_problem *ret_problem) {
    gw_status status = gw_file_read(path, &since->note, ret_problem);
    if (status == GW_OK)
        status = gw_checkpoint_peek(gw_buffer_bytes(&since->note), &since->checkpoint, ret_problem);
    if (status == GW_CORRUPT || status == GW_LIMIT) // nothing is known of the log by it
        status = gw_problem_set(ret_problem, GW_IO, "since_unreadable", "The checkpoint you kept cannot be read.",
                                ret_problem->why, "Another copy of it; without --since the log alone is checked.");
    if (status != GW_OK)
        return status;
    since->root.size = since->checkpoint.size;
    return GW_OK;
}

// Under the believed key, or one that the log itself, sound as it is, names in its place.
static bool note_open(gw_since *since, const gw_note_key *key, const gw_facts *facts) {
    gw_bytes note = gw_buffer_bytes(&since->note);
    since->key = *key;
    if (gw_checkpoint_open(note, key, &since->checkpoint, &since->problem) == GW_OK)
        return true;
    for (size_t i = 0; i < facts->facts.count; i++) {
        const gw_entry *entry = &facts->facts.items[i].entry;
        gw_problem none;
        bool is_old = entry->kind == GW_ENTRY_KEYROT &&
                      gw_note_key_parse(entry->keyrot.old_key, &since->key, &none) == GW_OK &&
                      gw_checkpoint_open(note, &since->key, &since->checkpoint, &none) == GW_OK;
        if (is_old ||
            (entry->kind == GW_ENTRY_KEYROT && gw_note_key_parse(entry->keyrot.new_key, &since->key, &none) == GW_OK &&
             gw_checkpoint_open(note, &since->key, &since->checkpoint, &none) == GW_OK))
            return true;
    }
    return false;
}

// A restore whose lost entries reach as far as the kept checkpoint did.
static const gw_fact *restore_find(const gw_since *since, const gw_facts *facts) {
    for (size_t i = facts->facts.count; i-- > 0;) {
        const gw_entry *entry = &facts->facts.items[i].entry;
        if (entry->kind != GW_ENTRY_RESTORE || entry->restore.from >= since->checkpoint.size)
            continue;
        if (since->checkpoint.size - entry->restore.from <= entry->restore.lost)
            return &facts->facts.items[i];
    }
    return NULL;
}

static void proof_write(gw_since *since, const char *folder, gw_bytes note, const gw_note_key *key,
                        const gw_audit_verdict *verdict, const char *path) {
    gw_log_conflict conflict;
    gw_buffer file;
    gw_problem none;
    GW_CLEANUP(gw_log_tree_freep) gw_log_tree *tree = gw_log_tree_new(folder, verdict->size);
    bool is_shorter = since->checkpoint.size > verdict->size;
    gw_log_conflict_init(&conflict);
    gw_buffer_init(&file, GW_CONFLICT_BYTES_MAX);
    gw_signed_tree *kept = is_shorter ? &conflict.newer : &conflict.older;
    gw_signed_tree *now = is_shorter ? &conflict.older : &conflict.newer;
    kept->key = since->key;
    kept->checkpoint = since->checkpoint;
    gw_buffer_append(&kept->note, since->note.data, since->note.size);
    now->key = *key;
    now->checkpoint = verdict->checkpoint;
    gw_buffer_append(&now->note, note.data, note.size);
    bool has_beginning = tree != NULL && since->checkpoint.size > 0 && since->checkpoint.size < verdict->size;
    if (has_beginning &&
        gw_log_prefix_make(gw_log_tree_source(tree), since->checkpoint.size, verdict->size, &conflict.proof) != GW_OK)
        conflict.proof.count = 0; // the checkpoints alone are kept
    gw_log_conflict_encode(&conflict, &file);
    if (path != NULL)
        gw_ignore(snprintf(since->proof_path, sizeof(since->proof_path), "%s", path)); // a cut path is not written to
    else
        gw_ignore(snprintf(since->proof_path, sizeof(since->proof_path), PROOF_NAME,
                           (wide)conflict.older.checkpoint.size,
                           (wide)conflict.newer.checkpoint.size)); // it fits
    if (file.status != GW_OK || gw_file_replace(since->proof_path, gw_buffer_bytes(&file), 0644, &none) != GW_OK)
        since->proof_path[0] = '\0';
    gw_buffer_done(&file);
    gw_log_conflict_done(&conflict);
}

void gw_since_judge(gw_since *since, const char *folder, gw_bytes note, const gw_note_key *key,
                    const gw_audit_verdict *verdict, const gw_facts *facts, const char *proof_path) {
    if (!note_open(since, key, facts))
        return;
    bool is_beginning = since->root.is_known && gw_hash_equal(since->root.root, since->checkpoint.root);
    if (is_beginning) {
        since->verdict = since->checkpoint.size == verdict->size ? GW_SINCE_SAME : GW_SINCE_GROWN;
        return;
    }
    since->verdict = since->checkpoint.size > verdict->size ? GW_SINCE_SHORTER : GW_SINCE_REWRITTEN;
    proof_write(since, folder, note, key, verdict, proof_path);
    since->restore = restore_find(since, facts);
    if (since->restore != NULL)
        since->verdict = GW_SINCE_RESTORED;
}

gw_exit_code gw_since_exit(const gw_since *since) {
    switch (since->verdict) {
    case GW_SINCE_SAME:
    case GW_SINCE_GROWN:
        return GW_EXIT_DONE;
    case GW_SINCE_SHORTER:
    case GW_SINCE_REWRITTEN:
        return GW_EXIT_TAMPERED;
    case GW_SINCE_RESTORED:
        return GW_EXIT_FOUND;
    case GW_SINCE_FOREIGN:
        break;
    }
    return GW_EXIT_CANNOT_CHECK;
}

static void proof_say(gw_cli *cli, const gw_since *since) {
    if (since->proof_path[0] != '\0')
        gw_say_verdict(cli, "NOTE", "both signed checkpoints are kept in %s (godwit audit compare %s)",
                       since->proof_path, since->proof_path);
    else
        gw_say_verdict(cli, "WARN", "the proof could not be written: keep the file you gave, and the log's checkpoint");
}

static void restored_say(gw_cli *cli, const gw_since *since) {
    const gw_entry *entry = &since->restore->entry;
    char time[GW_TIME_TEXT];
    gw_buffer by;
    gw_buffer_init(&by, 256);
    for (size_t i = 0; i < entry->by.count; i++)
        gw_buffer_format(&by, "%s%.8s…", i == 0 ? "" : " and ", entry->by.ids[i]);
    gw_time_format(entry->time, time);
    gw_say_verdict(cli, "WARN",
                   "the checkpoint you kept had %llu entries that are not this log's: on %s entry %llu, signed by %s, "
                   "declares that the ledger was restored with %llu entries, that %llu were lost, and that these count "
                   "as spent",
                   (wide)since->checkpoint.size, time, (wide)entry->seq, gw_buffer_string(&by),
                   (wide)entry->restore.from, (wide)entry->restore.lost);
    gw_buffer_done(&by);
    proof_say(cli, since);
}

void gw_since_say(gw_cli *cli, const gw_since *since, const gw_audit_verdict *verdict) {
    wide kept = (wide)since->checkpoint.size, now = (wide)verdict->size;
    switch (since->verdict) {
    case GW_SINCE_SAME:
        gw_say_verdict(cli, "OK", "the checkpoint you kept is of this very tree, %llu entries", kept);
        return;
    case GW_SINCE_GROWN:
        gw_say_verdict(cli, "OK", "the checkpoint you kept, %llu entries, is the beginning of this log: %llu are new",
                       kept, now - kept);
        return;
    case GW_SINCE_SHORTER:
        gw_say_verdict(cli, "FAIL",
                       "the log is shorter than it was: its key signed %llu entries before, and %llu are here. Either "
                       "this folder is an old copy, or the ledger was set back and its budget given back",
                       kept, now);
        proof_say(cli, since);
        return;
    case GW_SINCE_REWRITTEN:
        gw_say_verdict(cli, "FAIL",
                       "the log was rewritten: its key signed other %llu entries before than those with which this log "
                       "of %llu begins",
                       kept, now);
        proof_say(cli, since);
        return;
    case GW_SINCE_RESTORED:
        restored_say(cli, since);
        return;
    case GW_SINCE_FOREIGN:
        break;
    }
    gw_say_verdict(cli, "WARN", "the checkpoint you kept was not compared: %s %s", since->problem.what,
                   since->problem.why);
}

void gw_since_json(const gw_since *since, gw_buffer *json) {
    static const char *const names[] = {"same", "grown", "shorter", "rewritten", "restored", "foreign"};
    gw_buffer_text(json, "{");
    gw_json_write_member(json, "verdict", names[since->verdict]);
    gw_json_write_integer(json, "size", (int64_t)since->checkpoint.size);
    if (since->restore != NULL)
        gw_json_write_integer(json, "restore", (int64_t)since->restore->entry.seq);
    if (since->proof_path[0] != '\0')
        gw_json_write_member(json, "proof", since->proof_path);
    gw_buffer_text(json, "}");
}
