// SPDX-License-Identifier: Apache-2.0
// All work is done on a copy, restore.db; what it comes to is told in restore.json, which two sign. Then the restore
// entry is added to the copy, the whole is held against the auditor's fold, and the copy takes the ledger's place.
#include "service/recovery/restore.h"
#include "service/audit/verify.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/ledger/ledger_replay.h"
#include "service/recovery/rebuild.h"
#include "service/recovery/remembered.h"
#include "service/recovery/restore_inner.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIGNERS_NEEDED 2

GW_DEFINE_FREEP(gw_store, gw_store_close)
GW_DEFINE_FREEP(gw_store_reader, gw_store_reader_close)

typedef struct {
    const restore_options *options;
    restore_report *report;
    gw_problem *problem;
    char work[RESTORE_PATH];      // restore.db
    char statement[RESTORE_PATH]; // restore.json
    gw_note_key log_key;
    const char *longest;  // log folder
    gw_checkpoint newest; // its checkpoint
    remembered known;
} restore_run;

// ---- the copy to work on

static void database_remove(const char *path) {
    static const char *const endings[] = {"", "-journal", "-wal", "-shm", ".new"};
    char name[RESTORE_PATH + 16];
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        snprintf(name, sizeof(name), "%s%s", path, endings[i]);
        unlink(name);
    }
}

static gw_status work_begin(restore_run *run) {
    char path[RESTORE_PATH];
    restore_path(path, run->options->backup != NULL ? run->options->backup : run->options->state_folder, "godwit.db");
    database_remove(run->work);
    if (run->options->backup != NULL || access(path, F_OK) == 0)
        return gw_store_copy(path, run->work, run->problem);
    return gw_rebuild_begin(run->longest, run->work, run->problem);
}

// ---- the logs

static gw_status split_view(gw_problem *problem, const char *a, const char *b) {
    gw_ignore(gw_problem_set(problem, GW_CORRUPT, "split_view", "Two sources tell different histories of this log.", "",
                             "Keep both: together they prove it. Find out which one was acknowledged; restore from "
                             "that one alone."));
    gw_problem_why(problem, "%.250s and %.250s do not have the same entries.", a, b);
    return GW_CORRUPT;
}

static gw_status log_verify(restore_run *run, const char *folder, gw_audit_root *older, gw_checkpoint *ret) {
    gw_audit_verdict verdict;
    gw_audit_options options = {.log_key = &run->log_key, .roots = older, .root_count = older == NULL ? 0 : 1};
    gw_status status = gw_audit_verify(folder, &options, NULL, &verdict);
    if (status == GW_OK && verdict.is_sound) {
        *ret = verdict.checkpoint;
        return GW_OK;
    }
    *run->problem = verdict.problem;
    char what[sizeof(run->problem->what)];
    memcpy(what, run->problem->what, sizeof(what));
    gw_problem_what(run->problem, "%.100s: %.200s", folder, what);
    gw_problem_mend(run->problem, "Leave this folder out, or get a sound copy of it.");
    return status == GW_OK ? GW_CORRUPT : status;
}

// The longest of them leads; the others are its beginnings.
static gw_status logs_verify(restore_run *run) {
    gw_checkpoint checkpoints[RESTORE_FILES_MAX];
    size_t longest = 0;
    gw_status status = GW_OK;
    for (size_t i = 0; i < run->options->log_count && status == GW_OK; i++) {
        status = log_verify(run, run->options->logs[i], NULL, &checkpoints[i]);
        if (status == GW_OK && checkpoints[i].size > checkpoints[longest].size)
            longest = i;
    }
    if (status != GW_OK || run->options->log_count == 0)
        return status;
    run->longest = run->options->logs[longest];
    run->newest = checkpoints[longest];
    for (size_t i = 0; i < run->options->log_count && status == GW_OK; i++) {
        gw_audit_root older = {.size = checkpoints[i].size};
        gw_checkpoint again;
        if (i == longest)
            continue;
        status = log_verify(run, run->longest, &older, &again);
        if (status == GW_OK && (!older.is_known || !gw_hash_equal(older.root, checkpoints[i].root)))
            status = split_view(run->problem, run->longest, run->options->logs[i]);
    }
    return status;
}

// Ledger and log: one is the beginning of the other.
static gw_status history_check(restore_run *run, const gw_store *store, gw_merkle_source tree) {
    gw_audit_root older = {.size = gw_store_size(store)};
    gw_hash root;
    gw_checkpoint again;
    if (run->longest == NULL)
        return GW_OK;
    if (run->newest.size <= older.size) {
        gw_status status = gw_merkle_root(tree, run->newest.size, &root);
        return status == GW_OK && gw_hash_equal(root, run->newest.root)
                   ? GW_OK
                   : split_view(run->problem, "The ledger", run->longest);
    }
    gw_status status = log_verify(run, run->longest, &older, &again);
    if (status != GW_OK)
        return status;
    root = gw_store_root(store);
    return older.is_known && gw_hash_equal(root, older.root) ? GW_OK
                                                             : split_view(run->problem, "The ledger", run->longest);
}

static gw_status replay(restore_run *run) {
    GW_CLEANUP(gw_store_freep) gw_store *store = NULL;
    GW_CLEANUP(gw_store_reader_freep) gw_store_reader *reader = NULL;
    char policies[RESTORE_PATH], questions[RESTORE_PATH];
    replay_report played = {0};
    gw_status status = gw_store_open(run->work, &store, run->problem);
    if (status == GW_OK)
        status = gw_store_reader_open(run->work, &reader, run->problem);
    if (status == GW_OK)
        status = history_check(run, store, gw_store_tree(reader));
    if (status == GW_OK)
        run->report->started_with = gw_store_size(store);
    if (status != GW_OK || run->longest == NULL)
        return status;
    restore_path(policies, run->options->state_folder, "policies");
    restore_path(questions, run->longest, "../questions");
    if (access(questions, F_OK) != 0)
        restore_path(questions, run->options->state_folder, "questions");
    replay_sources sources = {.log = run->longest, .policies = policies, .questions = questions};
    if (gw_store_size(store) < run->newest.size)
        status = replay_log(store, &sources, run->newest.size, &played, run->problem);
    run->report->answers_lost = played.answers_lost;
    return status;
}

// ---- what is known of it

static gw_status known_compare(restore_run *run, gw_store_reader *reader, uint64_t size) {
    for (size_t i = 0; i < run->known.count; i++) {
        const remembered_tree *tree = &run->known.trees[i];
        gw_hash root;
        if (tree->size > size)
            continue;
        if (gw_merkle_root(gw_store_tree(reader), tree->size, &root) != GW_OK || !gw_hash_equal(root, tree->root))
            return split_view(run->problem, "What was recovered", tree->where);
    }
    return GW_OK;
}

typedef struct {
    restore_run *run;
    const char *path;
    bool is_read;
} seen_run;

static gw_status seen_try(void *state, const char *vkey) {
    seen_run *seen = state;
    gw_note_key key;
    if (!seen->is_read && gw_note_key_parse(vkey, &key, NULL) == GW_OK)
        seen->is_read = remembered_seen_read(seen->path, &key, &seen->run->known, NULL) == GW_OK;
    return GW_OK;
}

// Under the key in force, or one that it took the place of.
static gw_status seen_read(restore_run *run, gw_store_reader *reader, const char *path) {
    seen_run seen = {.run = run, .path = path};
    char origin[128], first[GW_VKEY_MAX];
    gw_status status = remembered_seen_read(path, &run->log_key, &run->known, run->problem);
    if (status == GW_CORRUPT && gw_store_origin(reader, origin, first) == GW_OK && seen_try(&seen, first) == GW_OK &&
        gw_store_log_keys(reader, seen_try, &seen) == GW_OK && seen.is_read)
        return GW_OK;
    return status;
}

static gw_status known_read(restore_run *run, gw_store_reader *reader, uint64_t size) {
    char keys[RESTORE_PATH];
    gw_merkle_source tree = gw_store_tree(reader);
    restore_path(keys, run->options->state_folder, "keys");
    remembered_machine machine = {.hwm_path = run->options->hwm_path,
                                  .keys_folder = keys,
                                  .origin = run->options->origin,
                                  .signer = run->options->signer};
    gw_status status = tree.node(tree.state, 0, 0, &machine.instance);
    if (status == GW_OK)
        status = remembered_machine_read(&machine, &run->known, run->problem);
    for (size_t i = 0; i < run->options->seen_count && status == GW_OK; i++)
        status = seen_read(run, reader, run->options->seen[i]);
    // The proof that a client brought back, and that stopped the service.
    char proof[RESTORE_PATH];
    restore_path(proof, run->options->state_folder, "rolled_back.note");
    if (status == GW_OK && access(proof, F_OK) == 0)
        status = seen_read(run, reader, proof);
    if (status == GW_OK && run->known.count == 0 && !run->options->has_lost)
        return gw_problem_set(run->problem, GW_UNAVAILABLE, "lost_unknown",
                              "Nothing tells how many entries followed those that were recovered.",
                              "There is no high-water mark, no signer that remembers, and no saved checkpoint.",
                              "--seen FILE (a receipt or a saved checkpoint), or --lost N, which both signers answer "
                              "for");
    return status == GW_OK ? known_compare(run, reader, size) : status;
}

static gw_status tell(restore_run *run, gw_store_reader *reader) {
    statement *told = &run->report->told;
    int64_t last;
    gw_status status = gw_store_last(reader, &told->from, &last);
    if (status == GW_OK)
        status = gw_merkle_root(gw_store_tree(reader), told->from, &told->root);
    if (status != GW_OK)
        return gw_problem_set(run->problem, status, "store_corrupt", "The recovered ledger cannot be read.", "", "");
    status = known_read(run, reader, told->from);
    if (status != GW_OK)
        return status;
    snprintf(told->origin, sizeof(told->origin), "%s", run->options->origin);
    told->lost = run->options->has_lost ? run->options->lost : 0;
    for (size_t i = 0; i < run->known.count; i++) {
        const remembered_tree *tree = &run->known.trees[i];
        if (tree->size <= told->from)
            continue;
        if (tree->size - told->from > told->lost || run->report->known[0] == '\0') {
            told->lost = tree->size - told->from > told->lost ? tree->size - told->from : told->lost;
            snprintf(run->report->known, sizeof(run->report->known), "%s", tree->where);
        }
        if (tree->is_of_machine && told->over_count < STATEMENT_OVER_MAX)
            told->over[told->over_count++] = (statement_tree){tree->size, tree->root};
    }
    told->time = run->options->now > last ? run->options->now : last;
    if (told->time <= run->known.time)
        told->time = run->known.time + 1;
    return GW_OK;
}

// A dataset whose policy's text is gone could not answer, and nobody would know why.
static gw_status policy_check(void *state, gw_hash file, bool is_in_force, gw_bytes text) {
    restore_run *run = state;
    char hex[GW_HASH_HEX];
    if (!is_in_force || text.size > 0)
        return GW_OK;
    gw_hex((gw_bytes){file.bytes, GW_HASH_SIZE}, hex);
    gw_ignore(gw_problem_set(run->problem, GW_NOT_FOUND, "policy_missing",
                             "The text of a policy in force is not there.", "The log has its hash alone.", ""));
    gw_problem_mend(run->problem, "Put the file at %.120s/policies/%s.json", run->options->state_folder, hex);
    return GW_NOT_FOUND;
}

// ---- the statement

// The one that is there, with its time, where it says the same; else a new one, which nobody has signed.
static gw_status statement_keep(restore_run *run) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    statement *told = &run->report->told, before;
    gw_buffer_init(&text, 65536);
    if (gw_file_read(run->statement, &text, NULL) == GW_OK &&
        statement_decode(gw_buffer_bytes(&text), run->statement, &before, NULL) == GW_OK &&
        statement_is_same(told, &before) && before.time <= told->time) {
        *told = before;
        return GW_OK;
    }
    gw_status status = statement_signatures_remove(run->statement, run->problem);
    text.size = 0;
    text.status = GW_OK;
    statement_encode(told, &text);
    run->report->is_statement_new = true;
    return status == GW_OK ? gw_file_replace(run->statement, gw_buffer_bytes(&text), 0644, run->problem) : status;
}

static gw_status signers_read(restore_run *run, gw_store_reader *reader) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, 65536);
    gw_status status = gw_file_read(run->statement, &text, run->problem);
    return status == GW_OK ? statement_signers(run->statement, gw_buffer_bytes(&text), run->report->told.time, reader,
                                               &run->report->signers, run->problem)
                           : status;
}

// ---- the entry

static gw_status entry_write(restore_run *run) {
    GW_CLEANUP(gw_store_freep) gw_store *store = NULL;
    gw_store_op op = {.kind = GW_STORE_APPEND, .entry = {.kind = GW_ENTRY_RESTORE, .by = run->report->signers}};
    gw_store_op *ops[] = {&op};
    op.entry.by.count = SIGNERS_NEEDED;
    op.entry.restore.from = run->report->told.from;
    op.entry.restore.lost = run->report->told.lost;
    gw_status status = gw_store_open(run->work, &store, run->problem);
    if (status != GW_OK)
        return status;
    status = gw_store_commit(store, ops, 1, run->report->told.time);
    if (status == GW_OK && op.result == GW_OK)
        return GW_OK;
    gw_ignore(gw_problem_set(run->problem, status == GW_OK ? op.result : status, "restore_refused",
                             "The recovered ledger does not take the restore's entry.", "", ""));
    gw_problem_why(run->problem, "It says: %s.", op.code);
    return run->problem->status;
}

static gw_status work_check(restore_run *run) {
    GW_CLEANUP(gw_store_reader_freep) gw_store_reader *reader = NULL;
    uint64_t size;
    int64_t time;
    gw_hash root;
    gw_status status = gw_store_reader_open(run->work, &reader, run->problem);
    if (status == GW_OK)
        status = gw_store_last(reader, &size, &time);
    if (status == GW_OK)
        status = gw_merkle_root(gw_store_tree(reader), size, &root);
    return status == GW_OK ? ledger_replay_check(reader, size, root, run->problem) : status;
}

// ---- the whole

static gw_status prepare(restore_run *run) {
    GW_CLEANUP(gw_store_reader_freep) gw_store_reader *reader = NULL;
    char keys[RESTORE_PATH];
    restore_path(keys, run->options->state_folder, "keys");
    remembered_machine machine = {.keys_folder = keys, .origin = run->options->origin, .signer = run->options->signer};
    gw_status status = remembered_log_key(&machine, &run->log_key, run->problem);
    if (status == GW_OK)
        status = logs_verify(run);
    if (status == GW_OK)
        status = work_begin(run);
    if (status == GW_OK)
        status = replay(run);
    if (status == GW_OK)
        status = gw_store_reader_open(run->work, &reader, run->problem);
    if (status == GW_OK)
        status = tell(run, reader);
    if (status == GW_OK)
        status = gw_store_policies(reader, policy_check, run);
    if (status == GW_OK)
        status = statement_keep(run);
    return status == GW_OK ? signers_read(run, reader) : status;
}

static gw_status restore(restore_run *run) {
    gw_status status = gw_restore_finish(run->options, run->problem); // one that was broken off
    if (status == GW_OK)
        status = prepare(run);
    if (status != GW_OK || run->report->signers.count < SIGNERS_NEEDED)
        return status;
    status = entry_write(run);
    if (status == GW_OK)
        status = work_check(run);
    if (status == GW_OK)
        status = restore_swap(run->options->state_folder, run->work, run->report->told.from, run->problem);
    if (status == GW_OK)
        status = gw_restore_finish(run->options, run->problem);
    run->report->is_complete = status == GW_OK;
    return status;
}

gw_status gw_restore(const restore_options *options, restore_report *ret, gw_problem *ret_problem) {
    restore_run *run = calloc(1, sizeof(*run));
    *ret = (restore_report){.told = {.from = 0}};
    if (run == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    run->options = options;
    run->report = ret;
    run->problem = ret_problem;
    restore_path(run->work, options->state_folder, "restore.db");
    restore_path(run->statement, options->state_folder, RESTORE_STATEMENT);
    gw_status status = restore(run);
    database_remove(run->work);
    free(run);
    return status;
}
