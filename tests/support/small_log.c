// SPDX-License-Identifier: Apache-2.0
// The small log's entries, its publication and its receipts.
#include "tests/support/small_log.h"
#include "service/audit/publish.h"
#include "service/base/check.h"
#include "service/wire/receipt.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ABANDONED_EVERY 7

static void must(gw_status status) {
    GW_ASSERT(status == GW_OK);
}

static void checkpoint_sign(const small_log *it, gw_checkpoint *ret, gw_buffer *ret_note) {
    *ret =
        (gw_checkpoint){.origin = FIXTURE_ORIGIN, .size = gw_store_size(it->store), .root = gw_store_root(it->store)};
    gw_secret_key *key = fixture_key();
    gw_buffer_init(ret_note, 1024);
    gw_checkpoint_sign(ret, key, ret_note);
    gw_secret_key_free(key);
}

static void publish(small_log *it) {
    gw_publisher *publisher = NULL;
    gw_checkpoint checkpoint;
    gw_buffer note;
    checkpoint_sign(it, &checkpoint, &note);
    must(gw_publisher_open(it->ledger.database, it->log, it->questions, &publisher, NULL));
    gw_publisher_notify(publisher, &checkpoint, gw_buffer_bytes(&note));
    gw_publisher_close(publisher);
    gw_buffer_done(&note);
    it->size = checkpoint.size;
}

static void commit(small_log *it, gw_store_op *op) {
    must(fixture_commit(it->store, op));
    must(op->result);
}

void small_log_grow(small_log *it, uint64_t charges) {
    for (uint64_t i = 0; i < charges; i++) {
        char text[64];
        uint64_t number = gw_store_size(it->store);
        gw_store_op op = fixture_reserve(&it->ledger, FIXTURE_RESEARCHER, number, FIXTURE_EPSILON);
        snprintf(text, sizeof(text), "{\"question\":\"number %" PRIu64 "\"}", number);
        op.question_text = gw_bytes_of(text);
        op.entry.charge.question = gw_sha256(op.question_text);
        commit(it, &op);
        op = i % ABANDONED_EVERY == 3 ? fixture_abandon(op.seq) : fixture_seal(op.seq, SMALL_LOG_ANSWER);
        commit(it, &op);
    }
    publish(it);
}

void small_log_ask(small_log *it, const char *text, uint64_t micro, const char *answer) {
    gw_store_op op = fixture_reserve(&it->ledger, FIXTURE_RESEARCHER, gw_store_size(it->store), micro);
    op.question_text = gw_bytes_of(text);
    op.entry.charge.question = gw_sha256(op.question_text);
    commit(it, &op);
    op = fixture_seal(op.seq, answer);
    commit(it, &op);
    publish(it);
}

void small_log_make(small_log *it, uint64_t charges) {
    memset(it, 0, sizeof(*it));
    fixture_create(&it->ledger);
    snprintf(it->log, sizeof(it->log), "%s/log", it->ledger.folder);
    snprintf(it->questions, sizeof(it->questions), "%s/questions", it->ledger.folder);
    gw_secret_key *secret = fixture_key();
    must(gw_note_key_new(FIXTURE_ORIGIN, gw_key_public(secret), &it->key));
    gw_secret_key_free(secret);
    must(gw_store_open(it->ledger.database, &it->store, NULL));
    fixture_settle(&it->ledger, &fixture_budget_large, fixture_commit, it->store);
    small_log_grow(it, charges);
}

void small_log_remove(small_log *it) {
    gw_store_close(it->store);
    fixture_remove(&it->ledger);
}

// ---- receipts

static void entry_load(gw_store_reader *reader, uint64_t index, gw_entry *ret, gw_buffer *ret_bytes) {
    ret_bytes->size = 0;
    must(gw_store_entry(reader, index, ret_bytes));
    must(gw_entry_decode(gw_buffer_bytes(ret_bytes), ret, NULL));
}

uint64_t small_log_receipt(const small_log *it, uint64_t from, gw_buffer *ret_receipt) {
    gw_store_reader *reader = NULL;
    gw_checkpoint checkpoint;
    gw_buffer note, release_bytes, charge_bytes;
    gw_entry release, charge;
    gw_merkle_proof release_proof, charge_proof;
    gw_buffer_init(&release_bytes, GW_ENTRY_BYTES_MAX);
    gw_buffer_init(&charge_bytes, GW_ENTRY_BYTES_MAX);
    checkpoint_sign(it, &checkpoint, &note);
    must(gw_store_reader_open(it->ledger.database, &reader, NULL));
    uint64_t index = from;
    entry_load(reader, index, &release, &release_bytes);
    while (release.kind != GW_ENTRY_RELEASE)
        entry_load(reader, ++index, &release, &release_bytes);
    entry_load(reader, release.release.charge, &charge, &charge_bytes);
    must(gw_merkle_inclusion(gw_store_tree(reader), index, checkpoint.size, &release_proof));
    must(gw_merkle_inclusion(gw_store_tree(reader), charge.seq, checkpoint.size, &charge_proof));
    gw_receipt receipt = {.salt = fixture_hash("salt"),
                          .release_index = index,
                          .charge_index = charge.seq,
                          .release_entry = gw_buffer_bytes(&release_bytes),
                          .charge_entry = gw_buffer_bytes(&charge_bytes),
                          .release_proof_count = release_proof.count,
                          .charge_proof_count = charge_proof.count,
                          .checkpoint = gw_buffer_bytes(&note)};
    memcpy(receipt.release_proof, release_proof.hashes, sizeof(release_proof.hashes));
    memcpy(receipt.charge_proof, charge_proof.hashes, sizeof(charge_proof.hashes));
    gw_receipt_encode(&receipt, ret_receipt);
    must(ret_receipt->status);
    gw_store_reader_close(reader);
    gw_buffer_done(&release_bytes);
    gw_buffer_done(&charge_bytes);
    gw_buffer_done(&note);
    return index;
}
