// SPDX-License-Identifier: Apache-2.0
// Bundle by bundle, in commits of 64. The questions of one file are held at a time, found by their hashes: a line that
// was changed or lost is missing, and no other.
#include "service/recovery/replay.h"
#include "service/audit/tile.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/recovery/log_folder.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 64
#define PATH_SIZE 4352u
#define POLICY_BYTES_MAX (1u << 20)
#define KEYROT_BYTES_MAX 65536u
#define QUESTION_FILE_ENTRIES 65536u            // question_files.h
#define QUESTION_FILE_BYTES_MAX (1024ull << 20) // of one file

// ---- texts

typedef struct {
    gw_hash hash;
    gw_bytes text;
} question_line;

typedef struct {
    const char *folder;
    uint64_t number; // of the file that is held
    bool is_loaded;
    gw_buffer bytes;
    question_line *lines; // by hash
    size_t count;
} question_lines;

static int line_compare(const void *a, const void *b) {
    return memcmp(((const question_line *)a)->hash.bytes, ((const question_line *)b)->hash.bytes, GW_HASH_SIZE);
}

static void questions_done(question_lines *questions) {
    gw_buffer_done(&questions->bytes);
    free(questions->lines);
    questions->lines = NULL;
    questions->count = 0;
}

static size_t newlines_of(gw_bytes bytes) {
    size_t count = 0;
    for (size_t i = 0; i < bytes.size; i++)
        count += bytes.data[i] == '\n';
    return count;
}

// A file that is not there, or cannot be read, has no lines.
static gw_status questions_load(question_lines *questions, uint64_t number) {
    char path[PATH_SIZE];
    questions_done(questions);
    gw_buffer_init(&questions->bytes, QUESTION_FILE_BYTES_MAX);
    questions->number = number;
    questions->is_loaded = true;
    snprintf(path, sizeof(path), "%.4096s/%03llu.jsonl", questions->folder, (unsigned long long)number);
    if (gw_file_read(path, &questions->bytes, NULL) != GW_OK)
        return GW_OK;
    gw_bytes rest = gw_buffer_bytes(&questions->bytes);
    questions->lines = calloc(newlines_of(rest) + 1, sizeof(questions->lines[0]));
    if (questions->lines == NULL)
        return GW_NO_MEMORY;
    const uint8_t *end;
    while (rest.size > 0 && (end = memchr(rest.data, '\n', rest.size)) != NULL) {
        gw_bytes text = {rest.data, (size_t)(end - rest.data)};
        questions->lines[questions->count++] = (question_line){.hash = gw_sha256(text), .text = text};
        rest = (gw_bytes){end + 1, rest.size - text.size - 1};
    }
    qsort(questions->lines, questions->count, sizeof(questions->lines[0]), line_compare);
    return GW_OK;
}

static gw_bytes question_find(const question_lines *questions, gw_hash hash) {
    question_line wanted = {.hash = hash};
    const question_line *found =
        questions->count == 0 ? NULL
                              : bsearch(&wanted, questions->lines, questions->count, sizeof(wanted), line_compare);
    return found == NULL ? (gw_bytes){0} : found->text;
}

// Empty where it is not there or is another text.
static void policy_find(const char *folder, gw_hash hash, gw_buffer *text) {
    char path[PATH_SIZE], hex[GW_HASH_HEX];
    gw_hex((gw_bytes){hash.bytes, GW_HASH_SIZE}, hex);
    snprintf(path, sizeof(path), "%.4096s/%s.json", folder == NULL ? "" : folder, hex);
    if (folder != NULL && gw_file_read(path, text, NULL) == GW_OK &&
        gw_hash_equal(gw_sha256(gw_buffer_bytes(text)), hash))
        return;
    text->size = 0;
    text->status = GW_OK;
}

// ---- entries

typedef struct {
    gw_store *store;
    const replay_sources *sources;
    question_lines questions;
    gw_store_op ops[BATCH];
    gw_buffer texts[BATCH]; // of policies; entries are copied too, for a batch may outlive their bundle
    gw_buffer entries[BATCH];
    size_t count;
    replay_report *report;
    gw_problem *problem;
} replay_run;

static gw_status refused(replay_run *run, const gw_store_op *op, uint64_t seq) {
    gw_problem_fill(run->problem, GW_CORRUPT, "log_differs", "", "", "Do not use this log: godwit audit verify.");
    gw_problem_what(run->problem, "Entry %llu cannot stand where the log has it.", (unsigned long long)seq);
    gw_problem_why(run->problem, "The ledger refuses it: %s.", op->code);
    return GW_CORRUPT;
}

// The note under which an auditor follows from one key of the log to the next lies beside the entries.
static gw_status keyrot_keep(replay_run *run, uint64_t seq) {
    GW_CLEANUP(gw_buffer_done) gw_buffer note;
    char path[PATH_SIZE];
    gw_buffer_init(&note, KEYROT_BYTES_MAX);
    snprintf(path, sizeof(path), "%.4096s/" GW_KEYROT_FOLDER "/%llu", run->sources->log, (unsigned long long)seq);
    if (gw_file_read(path, &note, NULL) != GW_OK)
        return GW_OK; // a rotation that is under way: the ledger makes it
    gw_store_op op = {.kind = GW_STORE_KEYROT_KEEP, .charge_seq = seq, .answer = gw_buffer_bytes(&note)},
                *ops[] = {&op};
    gw_status status = gw_store_commit(run->store, ops, 1, 0);
    return status == GW_OK ? GW_OK
                           : gw_problem_set(run->problem, status, "store_write", "The entries cannot be written.",
                                            "The disk may be full.", "Make room, then run this again.");
}

static gw_status batch_commit(replay_run *run) {
    gw_store_op *ops[BATCH];
    uint64_t first = gw_store_size(run->store);
    for (size_t i = 0; i < run->count; i++)
        ops[i] = &run->ops[i];
    if (run->count == 0)
        return GW_OK;
    gw_status status = gw_store_commit(run->store, ops, run->count, 0);
    if (status != GW_OK)
        return gw_problem_set(run->problem, status, "store_write", "The entries cannot be written.",
                              "The disk may be full.", "Make room, then run this again.");
    for (size_t i = 0; i < run->count; i++)
        if (run->ops[i].result != GW_OK)
            return refused(run, &run->ops[i], first + i);
    for (size_t i = 0; i < run->count && status == GW_OK; i++)
        if (run->ops[i].entry.kind == GW_ENTRY_KEYROT)
            status = keyrot_keep(run, first + i);
    run->report->entries += run->count;
    run->count = 0;
    return status;
}

static gw_status texts_find(replay_run *run, const gw_entry *entry, gw_store_op *op, gw_buffer *text) {
    const char *questions = run->sources->questions;
    uint64_t number = entry->seq / QUESTION_FILE_ENTRIES;
    if (entry->kind == GW_ENTRY_POLICY) {
        policy_find(run->sources->policies, entry->policy.file, text);
        op->file_bytes = gw_buffer_bytes(text);
        run->report->policies_missing += op->file_bytes.size == 0;
    }
    run->report->answers_lost += entry->kind == GW_ENTRY_RELEASE;
    if (entry->kind != GW_ENTRY_CHARGE || questions == NULL)
        return GW_OK;
    if (!run->questions.is_loaded || run->questions.number != number) {
        gw_status status = batch_commit(run); // it borrows from the file that goes
        if (status == GW_OK && questions_load(&run->questions, number) != GW_OK)
            status = gw_problem_set(run->problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
        if (status != GW_OK)
            return status;
    }
    op->question_text = question_find(&run->questions, entry->charge.question);
    return GW_OK;
}

static gw_status entry_add(void *state, uint64_t seq, gw_bytes bytes) {
    replay_run *run = state;
    gw_entry entry;
    gw_store_op op = {.kind = GW_STORE_REPLAY};
    gw_buffer text;
    gw_status status = gw_entry_decode(bytes, &entry, run->problem);
    if (status != GW_OK || entry.seq != seq)
        return gw_problem_set(run->problem, GW_CORRUPT, "log_differs", "An entry of the log cannot be read.", "", "");
    gw_buffer_init(&text, POLICY_BYTES_MAX);
    status = texts_find(run, &entry, &op, &text);
    size_t at = run->count;
    gw_buffer_done(&run->texts[at]);
    run->texts[at] = text;
    run->entries[at].size = 0;
    gw_buffer_append(&run->entries[at], bytes.data, bytes.size);
    if (status == GW_OK)
        status = run->entries[at].status;
    if (status != GW_OK)
        return status;
    op.replayed = gw_buffer_bytes(&run->entries[at]);
    run->ops[run->count++] = op;
    return run->count == BATCH ? batch_commit(run) : GW_OK;
}

static void run_free(replay_run *run) {
    for (size_t i = 0; i < BATCH; i++) {
        gw_buffer_done(&run->texts[i]);
        gw_buffer_done(&run->entries[i]);
    }
    questions_done(&run->questions);
    free(run);
}

gw_status replay_log(gw_store *store, const replay_sources *sources, uint64_t size, replay_report *ret_report,
                     gw_problem *ret_problem) {
    replay_run *run = calloc(1, sizeof(*run));
    if (run == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory.", "", "");
    run->store = store;
    run->sources = sources;
    run->questions.folder = sources->questions;
    run->report = ret_report;
    run->problem = ret_problem;
    for (size_t i = 0; i < BATCH; i++) {
        gw_buffer_init(&run->texts[i], POLICY_BYTES_MAX);
        gw_buffer_init(&run->entries[i], GW_ENTRY_BYTES_MAX);
    }
    gw_buffer_init(&run->questions.bytes, QUESTION_FILE_BYTES_MAX);
    gw_status status = log_folder_scan(sources->log, gw_store_size(store), size, entry_add, run, ret_problem);
    if (status == GW_OK)
        status = batch_commit(run);
    run_free(run);
    return status;
}
