// SPDX-License-Identifier: Apache-2.0
// The note is the proof; what is kept of it outlives the process.
#include "service/query/rollback.h"

#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOTE_FILE "rolled_back.note"
#define NOTE_HELD_FILE "rolled_back.note.held"
#define NOTE_BYTES_MAX 65536u // a request's body is no larger

struct gw_rollback {
    char state_folder[4096];
    _Atomic bool is_proven;
    pthread_mutex_t lock;
    gw_problem problem; // under the lock; whole where is_proven
};

GW_DEFINE_FREEP(gw_store_reader, gw_store_reader_close)

gw_rollback *gw_rollback_new(const char *state_folder) {
    gw_rollback *rollback = calloc(1, sizeof *rollback);
    if (rollback == NULL)
        return NULL;
    snprintf(rollback->state_folder, sizeof rollback->state_folder, "%s", state_folder);
    pthread_mutex_init(&rollback->lock, NULL);
    return rollback;
}

void gw_rollback_free(gw_rollback *rollback) {
    if (rollback == NULL)
        return;
    pthread_mutex_destroy(&rollback->lock);
    free(rollback);
}

// ---- judging

gw_status gw_rollback_judge(gw_store_reader *reader, uint64_t size, gw_hash root, gw_rollback_verdict *ret) {
    int64_t time;
    *ret = (gw_rollback_verdict){.is_held = false};
    gw_status status = gw_store_last(reader, &ret->size, &time);
    if (status == GW_OK && size > ret->size) {
        // The view may be older than a checkpoint that was signed a moment ago; one taken now is not.
        gw_store_reader_end(reader);
        gw_store_reader_begin(reader);
        status = gw_store_last(reader, &ret->size, &time);
    }
    gw_hash ours;
    if (status == GW_OK && size <= ret->size) {
        status = gw_merkle_root(gw_store_tree(reader), size, &ours);
        ret->is_held = status == GW_OK && gw_hash_equal(ours, root);
    }
    return status == GW_OK && !ret->is_held ? gw_store_is_lost(reader, size, &ret->is_lost) : status;
}

// ---- proven

static gw_status problem_fill(gw_problem *problem, const char *folder, uint64_t signed_size, uint64_t size) {
    gw_problem_set(problem, GW_CORRUPT, "rolled_back",
                   "The ledger has been set back: its own signed checkpoint shows entries that it does not hold.", "",
                   "");
    gw_problem_why(problem,
                   "The log's key signed %llu entries; the database holds %llu%s. Answers given since would be "
                   "forgotten, and the budget they spent given back.",
                   (unsigned long long)signed_size, (unsigned long long)size,
                   signed_size <= size ? ", and others in their place" : "");
    gw_problem_mend(
        problem, "Put the newest state folder back, or: godwitd restore. %.200s/" NOTE_FILE " is the proof: keep it.",
        folder);
    return GW_CORRUPT;
}

void gw_rollback_prove(gw_rollback *rollback, const gw_checkpoint *checkpoint, gw_bytes note, uint64_t size) {
    char path[4200], sizes[2][24];
    pthread_mutex_lock(&rollback->lock);
    if (!atomic_load(&rollback->is_proven)) {
        gw_ignore(problem_fill(&rollback->problem, rollback->state_folder, checkpoint->size, size));
        atomic_store(&rollback->is_proven, true); // no answer leaves from here on, whatever the disk says
        snprintf(path, sizeof path, "%s/" NOTE_FILE, rollback->state_folder);
        gw_problem problem = {0};
        bool is_kept = gw_file_replace(path, note, 0600, &problem) == GW_OK;
        snprintf(sizes[0], sizeof sizes[0], "%llu", (unsigned long long)checkpoint->size);
        snprintf(sizes[1], sizeof sizes[1], "%llu", (unsigned long long)size);
        gw_log(GW_LOG_ERROR, "rolled_back", "signed", sizes[0], "held", sizes[1], "note",
               is_kept ? path : "could not be kept: the next start will not know", "mend", rollback->problem.mend,
               NULL);
    }
    pthread_mutex_unlock(&rollback->lock);
}

bool gw_rollback_is_proven(const gw_rollback *rollback) {
    return atomic_load(&rollback->is_proven);
}

gw_status gw_rollback_check(gw_rollback *rollback, gw_problem *ret_problem) {
    if (!gw_rollback_is_proven(rollback))
        return GW_OK;
    pthread_mutex_lock(&rollback->lock);
    if (ret_problem != NULL)
        *ret_problem = rollback->problem;
    pthread_mutex_unlock(&rollback->lock);
    return GW_CORRUPT;
}

// ---- at start

static gw_status note_unreadable(const char *path, gw_problem *ret_problem) {
    gw_problem_set(ret_problem, GW_CORRUPT, "rolled_back", "A proof that the ledger was set back was kept.", "", "");
    gw_problem_why(ret_problem, "%.500s is there, and cannot be read as a checkpoint or held against the database.",
                   path);
    gw_problem_mend(ret_problem, "Put the newest state folder back, or: godwitd restore");
    return GW_CORRUPT;
}

static gw_status note_judge(const char *state_folder, const gw_checkpoint *checkpoint, gw_rollback_verdict *ret) {
    char database[4200];
    snprintf(database, sizeof database, "%s/godwit.db", state_folder);
    GW_CLEANUP(gw_store_reader_freep) gw_store_reader *reader = NULL;
    gw_status status = gw_store_reader_open(database, &reader, NULL);
    return status == GW_OK ? gw_rollback_judge(reader, checkpoint->size, checkpoint->root, ret) : status;
}

gw_status gw_rollback_check_folder(const char *state_folder, bool *ret_is_mended, gw_problem *ret_problem) {
    *ret_is_mended = false;
    char path[4200], held[4200];
    snprintf(path, sizeof path, "%s/" NOTE_FILE, state_folder);
    snprintf(held, sizeof held, "%s/" NOTE_HELD_FILE, state_folder);
    GW_CLEANUP(gw_buffer_done) gw_buffer note;
    gw_buffer_init(&note, NOTE_BYTES_MAX);
    gw_status status = gw_file_read(path, &note, NULL);
    if (status == GW_NOT_FOUND)
        return GW_OK;
    // Its signature was checked before it was kept; who can write here could as well remove it.
    gw_checkpoint checkpoint;
    gw_rollback_verdict verdict = {.is_held = false};
    if (status == GW_OK)
        status = gw_checkpoint_peek(gw_buffer_bytes(&note), &checkpoint, NULL);
    if (status == GW_OK)
        status = note_judge(state_folder, &checkpoint, &verdict);
    if (status != GW_OK)
        return note_unreadable(path, ret_problem);
    if (!verdict.is_held && !verdict.is_lost)
        return problem_fill(ret_problem, state_folder, checkpoint.size, verdict.size);
    if (rename(path, held) != 0 || gw_folder_sync(state_folder) != GW_OK)
        return gw_problem_set(ret_problem, GW_IO, "file_unwritable", "rolled_back.note cannot be moved away.",
                              "The ledger holds its entries again, or was restored without them.",
                              "Look at the state folder's rights.");
    *ret_is_mended = true;
    gw_log(GW_LOG_WARN, "rolled_back_mended", "note", held, NULL);
    return GW_OK;
}
