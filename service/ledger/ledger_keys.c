// SPDX-License-Identifier: Apache-2.0
// The log's key changed while the log goes on. The signer makes the key to come and signs with both; the entry that
// names it follows, and a checkpoint over that entry, under both signatures, is kept for whoever trusts the old key.
// Every step may be taken again after a crash: the signer names the same key, an entry that is there is found.
#include "service/base/cleanup.h"
#include "service/ledger/ledger_inner.h"
#include <string.h>

#define COVERED_MS 10000

GW_DEFINE_FREEP(gw_store_reader, gw_store_reader_close)

typedef struct {
    char vkey[GW_VKEY_MAX];
    gw_note_key key;
    uint64_t seq; // of the entry that named it; 0: the first
    bool is_kept;
} key_in_force;

static gw_status in_force_read(const gw_ledger *ledger, key_in_force *ret, gw_problem *ret_problem) {
    GW_CLEANUP(gw_store_reader_freep) gw_store_reader *reader = NULL;
    gw_status status = gw_store_reader_open(ledger->database, &reader, ret_problem);
    if (status == GW_OK && (gw_store_log_key(reader, ret->vkey, &ret->seq, &ret->is_kept) != GW_OK ||
                            gw_note_key_parse(ret->vkey, &ret->key, NULL) != GW_OK))
        status = gw_problem_set(ret_problem, GW_CORRUPT, "store_corrupt", "The log's key cannot be read.", "", "");
    return status;
}

static bool is_same(const gw_note_key *a, const gw_note_key *b) {
    return memcmp(a->key.bytes, b->key.bytes, sizeof(a->key.bytes)) == 0;
}

// A signer that was lost is for the sealer to find out.
static gw_status signer_rotate(gw_ledger *ledger, gw_note_key *ret_old, gw_note_key *ret_new, gw_problem *ret_problem) {
    const gw_tree_signer *signer = &ledger->seals.signer;
    if (signer->rotate == NULL || signer->finish == NULL)
        return gw_problem_set(ret_problem, GW_INVALID, "no_rotation", "This signer has one key for good.", "", "");
    pthread_mutex_lock(&ledger->signer_mutex);
    gw_status status = signer->rotate(signer->state, ret_old, ret_new, ret_problem);
    pthread_mutex_unlock(&ledger->signer_mutex);
    return status;
}

gw_status gw_ledger_key_next(gw_ledger *ledger, gw_note_key *ret_old, gw_note_key *ret_new, gw_problem *ret_problem) {
    key_in_force now;
    gw_status status = in_force_read(ledger, &now, ret_problem);
    if (status == GW_OK)
        status = signer_rotate(ledger, ret_old, ret_new, ret_problem);
    if (status != GW_OK)
        return status;
    if (is_same(&now.key, ret_new))
        return gw_problem_set(ret_problem, GW_CONFLICT, "keyrot_under_way", "The log's key is being changed already.",
                              "Checkpoints carry the signatures of the old key and the new one.",
                              "godwitd keyrot --finish retires the old key.");
    if (!is_same(&now.key, ret_old))
        return gw_problem_set(ret_problem, GW_INVALID, "wrong_log_key", "This is not the log's key.",
                              "The ledger names another one.", "");
    return GW_OK;
}

gw_status gw_ledger_key_keep(gw_ledger *ledger, gw_problem *ret_problem) {
    key_in_force now;
    gw_status status = in_force_read(ledger, &now, ret_problem);
    if (status != GW_OK || now.is_kept)
        return status;
    GW_CLEANUP(gw_buffer_done) gw_buffer note;
    gw_buffer_init(&note, GW_LEDGER_NOTE_MAX);
    gw_checkpoint checkpoint, opened;
    status = gw_ledger_await(ledger, now.seq + 1, COVERED_MS);
    gw_ledger_checkpoint(ledger, &checkpoint, &note);
    if (status != GW_OK || checkpoint.size <= now.seq ||
        gw_checkpoint_open(gw_buffer_bytes(&note), &now.key, &opened, NULL) != GW_OK)
        return gw_problem_set(ret_problem, GW_UNAVAILABLE, "not_covered", "The change of keys is not signed yet.",
                              "Its entry is in the log; a checkpoint that covers it is not there.",
                              "Run the command again.");
    gw_store_op op = {.kind = GW_STORE_KEYROT_KEEP, .charge_seq = now.seq, .answer = gw_buffer_bytes(&note)};
    status = gw_ledger_submit(ledger, &op);
    if (status == GW_OK && op.result != GW_OK && op.result != GW_CONFLICT) // somebody else has kept one
        status = op.result;
    if (status != GW_OK)
        return gw_problem_set(ret_problem, status, "not_kept", "The signed change of keys could not be kept.", "",
                              "Run the command again.");
    return GW_OK;
}

gw_status gw_ledger_key_retire(gw_ledger *ledger, gw_problem *ret_problem) {
    key_in_force now;
    gw_note_key key;
    gw_checkpoint newest;
    gw_status status = in_force_read(ledger, &now, ret_problem);
    if (status == GW_OK)
        status = gw_ledger_key_keep(ledger, ret_problem); // or nobody could follow to the new key
    if (status != GW_OK)
        return status;
    const gw_tree_signer *signer = &ledger->seals.signer;
    pthread_mutex_lock(&ledger->signer_mutex);
    status = signer->newest(signer->state, &key, &newest, ret_problem);
    // A key that was made and is not in the log yet must not take over.
    if (status == GW_OK && (signer->finish == NULL || is_same(&key, &now.key)))
        status = gw_problem_set(ret_problem, GW_CONFLICT, "no_rotation", "There is no other log key to change to.", "",
                                "godwitd keyrot makes one.");
    if (status == GW_OK)
        status = signer->finish(signer->state, ret_problem);
    pthread_mutex_unlock(&ledger->signer_mutex);
    return status;
}
