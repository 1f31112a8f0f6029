// SPDX-License-Identifier: Apache-2.0
// A checkpoint is remembered only after its signature and its proof held.
#include "client/lib/seen.h"
#include "service/audit/merkle.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/wire/json.h"
#include "service/wire/receipt.h"
#include <stdio.h>
#include <string.h>

#define SEEN_SUFFIX ".seen"
#define CONFLICT_SUFFIX ".rolled_back"

GW_DEFINE_FREEP(gw_json, gw_json_free)

static bool beside_profile(const gw_seen *seen, const char *suffix, char path[4096]) {
    int length = snprintf(path, 4096, "%s%s", seen->profile->path, suffix);
    return seen->profile->path[0] != '\0' && length < 4096; // a profile without a file remembers within the process
}

// ---- the file

gw_status gw_seen_key_of(const gw_profile *profile, gw_bytes note, gw_note_key *ret, gw_problem *ret_problem) {
    gw_note_key before;
    gw_checkpoint none;
    gw_status status = gw_note_key_parse(profile->log_key, ret, ret_problem);
    if (status != GW_OK || profile->log_key_before[0] == '\0')
        return status;
    status = gw_note_key_parse(profile->log_key_before, &before, ret_problem);
    if (status == GW_OK && gw_checkpoint_open(note, ret, &none, NULL) != GW_OK &&
        gw_checkpoint_open(note, &before, &none, NULL) == GW_OK)
        *ret = before;
    return status;
}

static gw_status seen_problem(gw_problem *ret_problem, const char *path) {
    gw_ignore(gw_problem_set(ret_problem, GW_CORRUPT, "bad_seen", "", "", "")); // returns what it was given
    gw_problem_what(ret_problem, "The remembered checkpoint cannot be used: %s", path);
    gw_problem_why(ret_problem, "It is not signed by the log key of the profile. Without it nobody here would notice "
                                "that the service's log has been set back.");
    gw_problem_mend(ret_problem,
                    "After a keyrot keep the old key in the profile, as log_key_before. A damaged file: mv %s %s.old",
                    path, path);
    return GW_CORRUPT;
}

static gw_status seen_read(const gw_seen *seen, gw_checkpoint *ret, gw_buffer *ret_note, gw_problem *ret_problem) {
    char path[4096];
    if (!beside_profile(seen, SEEN_SUFFIX, path))
        return GW_NOT_FOUND;
    gw_status status = gw_file_read(path, ret_note, ret_problem);
    if (status != GW_OK)
        return status;
    gw_checkpoint checkpoint;
    gw_note_key key;
    if (gw_seen_key_of(seen->profile, gw_buffer_bytes(ret_note), &key, NULL) != GW_OK ||
        gw_checkpoint_open(gw_buffer_bytes(ret_note), &key, &checkpoint, NULL) != GW_OK ||
        strcmp(checkpoint.origin, seen->profile->origin) != 0)
        return seen_problem(ret_problem, path);
    *ret = checkpoint;
    return GW_OK;
}

gw_status gw_seen_open(gw_seen *seen, const gw_profile *profile, const gw_note_key *log_key, gw_problem *ret_problem) {
    *seen = (gw_seen){.profile = profile, .log_key = *log_key};
    gw_buffer_init(&seen->note, GW_RECEIPT_MAX);
    gw_status status = seen_read(seen, &seen->checkpoint, &seen->note, ret_problem);
    seen->is_known = status == GW_OK;
    return status == GW_NOT_FOUND ? GW_OK : status;
}

void gw_seen_close(gw_seen *seen) {
    gw_buffer_done(&seen->note);
}

// Another process may have seen more meanwhile; the file never goes back. The reply stands whether or not this can be
// written: what is lost then is only the memory for the next process.
static void seen_keep(gw_seen *seen, const gw_checkpoint *checkpoint, gw_bytes note) {
    char path[4096];
    gw_checkpoint other;
    seen->checkpoint = *checkpoint;
    gw_buffer_done(&seen->note);
    gw_buffer_append(&seen->note, note.data, note.size);
    seen->is_known = seen->note.status == GW_OK;
    if (!beside_profile(seen, SEEN_SUFFIX, path))
        return;
    GW_CLEANUP(gw_buffer_done) gw_buffer kept;
    gw_buffer_init(&kept, GW_RECEIPT_MAX);
    if (seen_read(seen, &other, &kept, NULL) == GW_OK && other.size >= checkpoint->size)
        return;
    gw_ignore(gw_file_replace(path, note, 0600, NULL));
}

// ---- what went back

// The two signed checkpoints are the proof. The one that was seen is copied, for .seen goes on when the service does.
static void proof_keep(const gw_seen *seen, gw_bytes note, gw_problem *ret_problem) {
    char path[4096], path_seen[4096];
    if (beside_profile(seen, CONFLICT_SUFFIX, path) && beside_profile(seen, CONFLICT_SUFFIX SEEN_SUFFIX, path_seen) &&
        gw_file_replace(path, note, 0600, NULL) == GW_OK &&
        gw_file_replace(path_seen, gw_buffer_bytes(&seen->note), 0600, NULL) == GW_OK)
        gw_problem_mend(ret_problem, "Keep %s and %s: they are the proof. Send both to the auditor.", path_seen, path);
}

static gw_status rolled_back(const gw_seen *seen, const gw_checkpoint *now, gw_bytes note, const char *why,
                             gw_problem *ret_problem) {
    gw_ignore(gw_problem_set(ret_problem, GW_CORRUPT, "rolled_back", "The service's log has been set back.", "", ""));
    gw_problem_why(ret_problem, "It was signed with %llu entries before and is signed with %llu entries%s now.",
                   (unsigned long long)seen->checkpoint.size, (unsigned long long)now->size, why);
    proof_keep(seen, note, ret_problem);
    return GW_CORRUPT;
}

gw_status gw_seen_contradicted(gw_seen *seen, gw_bytes note, gw_problem *ret_problem) {
    gw_checkpoint now;
    if (gw_checkpoint_open(note, &seen->log_key, &now, NULL) == GW_OK && strcmp(now.origin, seen->profile->origin) == 0)
        return rolled_back(seen, &now, note, "", ret_problem);
    gw_ignore(gw_problem_set(ret_problem, GW_CORRUPT, "rolled_back", "The service's log has been set back.", "", ""));
    gw_problem_why(ret_problem,
                   "You hold a checkpoint with %llu entries signed by its key; the service says that its "
                   "log is not that far, or another.",
                   (unsigned long long)seen->checkpoint.size);
    char path[4096];
    if (beside_profile(seen, SEEN_SUFFIX, path))
        gw_problem_mend(ret_problem, "Keep %s, and send it to the auditor and to the operator.", path);
    return GW_CORRUPT;
}

// ---- what only grew

// The account's "consistency": base64 hashes, from what was sent as seen to the receipt's checkpoint.
static bool proof_read(gw_bytes account, gw_merkle_proof *ret) {
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    *ret = (gw_merkle_proof){.count = 0};
    if (gw_json_parse(account, GW_JSON_REPLY, &json, NULL) != GW_OK ||
        gw_json_type_of(gw_json_root(json)) != GW_JSON_OBJECT)
        return false;
    const gw_json_node *list = gw_json_member(gw_json_root(json), "consistency");
    if (list == NULL || gw_json_type_of(list) != GW_JSON_ARRAY)
        return false;
    for (const gw_json_node *node = gw_json_first(list); node != NULL; node = gw_json_next(node)) {
        size_t size = 0;
        if (ret->count == GW_PROOF_MAX || gw_json_type_of(node) != GW_JSON_STRING)
            return false;
        const char *text = gw_json_string(node);
        if (!gw_unbase64(text, strlen(text), ret->hashes[ret->count].bytes, GW_HASH_SIZE, &size) ||
            size != GW_HASH_SIZE)
            return false;
        ret->count++;
    }
    return true;
}

static bool has_grown(const gw_seen *seen, const gw_checkpoint *now, gw_bytes account) {
    gw_merkle_proof proof;
    return proof_read(account, &proof) &&
           gw_merkle_consistency_holds(seen->checkpoint.size, seen->checkpoint.root, now->size, now->root, &proof);
}

gw_status gw_seen_check(gw_seen *seen, gw_bytes note, gw_bytes account, gw_problem *ret_problem) {
    gw_checkpoint now;
    const gw_checkpoint *before = &seen->checkpoint;
    if (gw_checkpoint_open(note, &seen->log_key, &now, ret_problem) != GW_OK)
        return GW_CORRUPT;
    if (strcmp(now.origin, seen->profile->origin) != 0)
        return gw_problem_set(ret_problem, GW_CORRUPT, "bad_checkpoint", "The receipt is of another log.",
                              "Its origin is not the profile's.", "");
    if (seen->is_known && now.size < before->size)
        return rolled_back(seen, &now, note, "", ret_problem);
    if (seen->is_known && now.size == before->size && !gw_hash_equal(now.root, before->root))
        return rolled_back(seen, &now, note, " of other content", ret_problem);
    if (seen->is_known && !has_grown(seen, &now, account))
        return rolled_back(seen, &now, note, ", which it does not prove to follow those,", ret_problem);
    if (!seen->is_known || now.size > before->size)
        seen_keep(seen, &now, note);
    return GW_OK;
}
