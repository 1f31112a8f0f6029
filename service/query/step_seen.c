// SPDX-License-Identifier: Apache-2.0
// What the asker has seen of the log: compared on every request, proven by the note, and followed by the proof that the
// log only grew.
#include "service/query/steps.h"

#include "service/audit/note.h"

#include <stdio.h>
#include <string.h>

static gw_status log_unreadable(gw_problem *problem) {
    return gw_problem_set(problem, GW_UNAVAILABLE, "unavailable", "The service cannot look into its log now.",
                          "Its store does not answer. Nothing was charged.",
                          "Ask again later with the same request id.");
}

static gw_status checkpoint_ahead(gw_query *query, const gw_rollback_verdict *verdict) {
    const gw_request_message *message = &query->message;
    gw_problem *problem = &query->problem;
    gw_problem_set(
        problem, GW_CONFLICT, "checkpoint_ahead", "You have seen more of the log than the service has.", "",
        "Send the signed checkpoint: {\"v\":1,\"kind\":\"checkpoint\",\"note\":…}; godwit does so by itself.");
    gw_problem_why(problem,
                   "You have seen %llu entries; the log has %llu%s. Either it was set back, or your memory of it is of "
                   "another log.",
                   (unsigned long long)message->seen_size, (unsigned long long)verdict->size,
                   message->seen_size <= verdict->size ? ", and others in their place" : "");
    return GW_CONFLICT;
}

// Two signers have said in the log that these entries are gone; who has seen them has nothing new to prove.
static gw_status log_restored(gw_query *query, uint64_t seen, uint64_t size) {
    gw_problem *problem = &query->problem;
    gw_problem_set(problem, GW_CONFLICT, "log_restored",
                   "The log was restored, and entries that you have seen are lost.", "",
                   "godwit audit log --kind restore   (then remove the .seen file beside your profile)");
    gw_problem_why(problem,
                   "You have seen %llu entries, of which some are gone; a restore entry with two signers says so, and "
                   "counts them as spent. The log has %llu entries now.",
                   (unsigned long long)seen, (unsigned long long)size);
    return GW_CONFLICT;
}

// A size and a root are anybody's words. They cost no more than this refusal, and open nothing.
gw_status gw_query_step_seen(gw_query *query) {
    const gw_request_message *message = &query->message;
    gw_rollback_verdict verdict;
    gw_checkpoint newest;
    if (!message->has_seen)
        return GW_OK;
    gw_ledger_checkpoint(query->queries->options.ledger, &newest, NULL);
    if (message->seen_size == newest.size && gw_hash_equal(message->seen_root, newest.root))
        return GW_OK;
    if (gw_rollback_judge(query->worker->reader, message->seen_size, message->seen_root, &verdict) != GW_OK)
        return log_unreadable(&query->problem);
    if (verdict.is_lost)
        return log_restored(query, message->seen_size, verdict.size);
    return verdict.is_held ? GW_OK : checkpoint_ahead(query, &verdict);
}

// ---- the note

typedef struct {
    gw_bytes note;
    gw_checkpoint checkpoint;
    bool is_signed;
} signed_note;

static gw_status key_try(void *state, const char *vkey) {
    signed_note *with = state;
    gw_note_key key;
    if (!with->is_signed && gw_note_key_parse(vkey, &key, NULL) == GW_OK)
        with->is_signed = gw_checkpoint_open(with->note, &key, &with->checkpoint, NULL) == GW_OK;
    return GW_OK;
}

// What a key signed that was retired since is as much the log's word as what today's signs.
static gw_status note_open(gw_query *query, gw_bytes note, gw_checkpoint *ret) {
    char origin[128], log_key[GW_VKEY_MAX];
    signed_note with = {.note = note};
    gw_status status = gw_store_origin(query->worker->reader, origin, log_key);
    if (status == GW_OK)
        status = key_try(&with, log_key);
    if (status == GW_OK)
        status = gw_store_log_keys(query->worker->reader, key_try, &with);
    if (status != GW_OK)
        return log_unreadable(&query->problem);
    if (!with.is_signed || strcmp(with.checkpoint.origin, origin) != 0)
        return gw_problem_set(&query->problem, GW_INVALID, "bad_checkpoint", "This is not a checkpoint of this log.",
                              "Its grammar, its origin or its signature is not the log's.", "");
    *ret = with.checkpoint;
    return GW_OK;
}

// Our own newest one goes with the refusal: the two notes together need nobody's word.
static void checkpoint_write(gw_query *query, gw_buffer *out) {
    gw_checkpoint newest;
    gw_buffer note;
    gw_buffer_init(&note, GW_LEDGER_NOTE_MAX);
    gw_ledger_checkpoint(query->queries->options.ledger, &newest, &note);
    gw_buffer_text(out, "{\"v\":1");
    gw_json_write_integer(out, "log_size", (int64_t)newest.size);
    gw_json_write_member(out, "checkpoint", gw_buffer_string(&note));
    gw_buffer_text(out, "}");
    gw_buffer_done(&note);
}

gw_status gw_query_checkpoint(gw_query *query) {
    gw_bytes note = gw_bytes_of(query->question.note);
    gw_checkpoint checkpoint;
    gw_rollback_verdict verdict;
    gw_status status = note_open(query, note, &checkpoint);
    if (status != GW_OK)
        return status;
    if (gw_rollback_judge(query->worker->reader, checkpoint.size, checkpoint.root, &verdict) != GW_OK)
        return log_unreadable(&query->problem);
    if (verdict.is_lost)
        return log_restored(query, checkpoint.size, verdict.size);
    checkpoint_write(query, verdict.is_held ? &query->document : &query->account);
    if (verdict.is_held)
        return GW_OK;
    gw_rollback_prove(query->queries->rollback, &checkpoint, note, verdict.size);
    query->is_witness = true;
    return gw_rollback_check(query->queries->rollback, &query->problem);
}

// ---- the log only grew

// From what was seen to the receipt's checkpoint, for the asker to verify. Where there is nothing to prove the list is
// empty.
gw_status gw_query_write_consistency(gw_query *query, const gw_checkpoint *checkpoint) {
    const gw_request_message *message = &query->message;
    gw_merkle_proof proof = {.count = 0};
    if (!message->has_seen)
        return GW_OK;
    if (message->seen_size > checkpoint->size)
        return GW_UNAVAILABLE; // held, and not yet signed as it must be to leave: a receipt would look like a rollback
    if (message->seen_size > 0 && message->seen_size < checkpoint->size) {
        gw_status status =
            gw_merkle_consistency(gw_store_tree(query->worker->reader), message->seen_size, checkpoint->size, &proof);
        if (status != GW_OK)
            return status;
    }
    gw_json_write_name(&query->account, "consistency");
    gw_buffer_text(&query->account, "[");
    for (size_t i = 0; i < proof.count; i++) {
        gw_buffer_text(&query->account, i > 0 ? ",\"" : "\"");
        gw_base64_append(&query->account, (gw_bytes){proof.hashes[i].bytes, GW_HASH_SIZE});
        gw_buffer_text(&query->account, "\"");
    }
    gw_buffer_text(&query->account, "]");
    return GW_OK;
}
