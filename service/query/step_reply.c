// SPDX-License-Identifier: Apache-2.0
// Step 10: the receipt under the newest checkpoint, and the asker's account.
#include "service/query/facts.h"
#include "service/query/steps.h"

#include "service/wire/receipt.h"

#include <string.h>

#define COVERED_MS                                                                                                     \
    2000 // sealing takes milliseconds; witnesses that must vouch may take longer, and then the client asks again

// ---- 10 reply

static gw_status receipt_proof(gw_query *query, uint64_t index, uint64_t size, gw_hash *ret_hashes, size_t *ret_count) {
    gw_merkle_proof proof;
    gw_status status = gw_merkle_inclusion(gw_store_tree(query->worker->reader), index, size, &proof);
    if (status != GW_OK)
        return status;
    memcpy(ret_hashes, proof.hashes, proof.count * sizeof proof.hashes[0]);
    *ret_count = proof.count;
    return GW_OK;
}

// One that witnesses vouch for serves better than the newest, where it holds the release and is not older than what the
// asker has seen.
static void receipt_checkpoint(gw_query *query, gw_checkpoint *ret, gw_buffer *ret_note) {
    gw_ledger *ledger = query->queries->options.ledger;
    uint64_t size_min = query->charge.release_seq + 1;
    if (query->message.has_seen && query->message.seen_size > size_min)
        size_min = query->message.seen_size;
    gw_ledger_vouched(ledger, ret, ret_note);
    if (ret->size >= size_min)
        return;
    gw_buffer_done(ret_note);
    gw_ledger_checkpoint(ledger, ret, ret_note);
}

static gw_status reply_receipt(gw_query *query) {
    gw_checkpoint checkpoint;
    gw_buffer note, release, charge;
    gw_buffer_init(&note, GW_LEDGER_NOTE_MAX);
    gw_buffer_init(&release, GW_ENTRY_BYTES_MAX);
    gw_buffer_init(&charge, GW_ENTRY_BYTES_MAX);
    // Committed, perhaps by another, and not yet told of: a moment later it is. Without its checkpoint nobody has it.
    gw_ledger *ledger = query->queries->options.ledger;
    gw_status covered = gw_ledger_await(ledger, query->charge.release_seq + 1, COVERED_MS);
    receipt_checkpoint(query, &checkpoint, &note);
    gw_receipt receipt = {
        .salt = query->charge.salt, .release_index = query->charge.release_seq, .charge_index = query->charge.seq};
    gw_store_reader *reader = query->worker->reader;
    gw_store_reader_end(reader);
    gw_store_reader_begin(reader); // a view not older than the checkpoint
    gw_status status = receipt.release_index < checkpoint.size ? covered : GW_RETRY;
    if (status == GW_OK)
        status = gw_store_entry(reader, receipt.release_index, &release);
    if (status == GW_OK)
        status = gw_store_entry(reader, receipt.charge_index, &charge);
    if (status == GW_OK)
        status = receipt_proof(query, receipt.release_index, checkpoint.size, receipt.release_proof,
                               &receipt.release_proof_count);
    if (status == GW_OK)
        status = receipt_proof(query, receipt.charge_index, checkpoint.size, receipt.charge_proof,
                               &receipt.charge_proof_count);
    if (status == GW_OK)
        status = gw_query_write_consistency(query, &checkpoint);
    if (status == GW_OK) {
        receipt.release_entry = gw_buffer_bytes(&release);
        receipt.charge_entry = gw_buffer_bytes(&charge);
        receipt.checkpoint = gw_buffer_bytes(&note);
        gw_receipt_encode(&receipt, &query->receipt);
    }
    gw_buffer_done(&note);
    gw_buffer_done(&release);
    gw_buffer_done(&charge);
    return status;
}

static void reply_account(gw_query *query) {
    gw_buffer_text(&query->account, "{\"v\":1");
    gw_json_write_member(&query->account, "principal", query->who.is_known ? query->who.principal : NULL);
    gw_json_write_epsilon(&query->account, "charged", (gw_epsilon){query->is_repeat ? 0 : query->charge.cost});
    gw_json_write_name(&query->account, "repeat");
    gw_buffer_text(&query->account, query->is_repeat ? "true" : "false");
    gw_json_write_epsilon(&query->account, "remaining",
                          gw_facts_remaining(query->worker->reader, query->in_force.policy->dataset,
                                             query->who.principal, query->charge_time));
}

gw_status gw_query_step_reply(gw_query *query) {
    if (query->question.kind != GW_KIND_QUERY)
        return GW_OK;
    reply_account(query);
    gw_status status = reply_receipt(query); // writes into the account too
    gw_buffer_text(&query->account, "}");
    if (status == GW_OK)
        return GW_OK;
    gw_buffer_done(&query->document);
    if (!gw_ledger_is_vouched(query->queries->options.ledger))
        return gw_problem_set(&query->problem, GW_RETRY, "no_quorum",
                              "The answer is stored, and does not leave before the log's witnesses vouch for it.",
                              "Too few of them answer now.",
                              "Ask the same question again later: the stored answer is free.");
    return gw_problem_set(&query->problem, GW_RETRY, "retry",
                          "The answer is stored, but its receipt could not be made.", "",
                          "Ask again with the same request id: the stored answer is free.");
}
