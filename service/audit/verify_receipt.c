// SPDX-License-Identifier: Apache-2.0
// One answer's receipt, checked offline: the signed tree holds the release and the charge it names, the answer is the
// one released, the request is the one charged.
#include "service/audit/merkle.h"
#include "service/audit/verify.h"
#include "service/base/cleanup.h"
#include "service/wire/message.h"
#include "service/wire/receipt.h"
#include <string.h>

static gw_status tampered(gw_problem *ret_problem, const char *code, const char *what) {
    return gw_problem_set(ret_problem, GW_CORRUPT, code, what, "", "");
}

static bool proof_holds(uint64_t index, const gw_checkpoint *checkpoint, gw_bytes entry, const gw_hash *hashes,
                        size_t count) {
    if (count > GW_PROOF_MAX)
        return false;
    gw_merkle_proof proof = {.count = count};
    memcpy(proof.hashes, hashes, count * sizeof(hashes[0]));
    return gw_merkle_inclusion_holds(index, checkpoint->size, gw_merkle_leaf(entry), &proof, checkpoint->root);
}

static gw_status entries_check(const gw_receipt *receipt, const gw_entry *charge, const gw_entry *release,
                               gw_problem *ret_problem) {
    if (charge->kind != GW_ENTRY_CHARGE || charge->seq != receipt->charge_index || release->kind != GW_ENTRY_RELEASE ||
        release->seq != receipt->release_index)
        return tampered(ret_problem, "bad_link", "The receipt's entries are not the charge and the release it says.");
    if (release->release.charge != charge->seq || charge->seq >= release->seq)
        return tampered(ret_problem, "bad_link", "The release does not follow from this charge.");
    return GW_OK;
}

// An answer that names its question (all of this service's do) names the one that was charged.
static bool is_of_another_question(gw_bytes answer, gw_hash question) {
    static const char member[] = "\"question\":\"";
    const size_t size = sizeof(member) - 1;
    char wanted[GW_HASH_HEX];
    const uint8_t *named = answer.size == 0 ? NULL : memmem(answer.data, answer.size, member, size);
    if (named == NULL)
        return false;
    gw_hex((gw_bytes){.data = question.bytes, .size = sizeof(question.bytes)}, wanted);
    size_t left = answer.size - (size_t)(named - answer.data) - size;
    return left < GW_HASH_HEX || memcmp(named + size, wanted, GW_HASH_HEX - 1) != 0 ||
           named[size + GW_HASH_HEX - 1] != '"';
}

static gw_status request_check(gw_bytes request_message, gw_hash salt, const gw_entry *charge,
                               gw_problem *ret_problem) {
    if (request_message.size == 0)
        return GW_OK;
    gw_request_message message;
    gw_status status = gw_request_message_decode(request_message, &message, ret_problem);
    if (status != GW_OK)
        return GW_INVALID;
    gw_hash request = gw_sha256_two((gw_bytes){.data = salt.bytes, .size = sizeof(salt.bytes)}, message.signed_bytes);
    if (!gw_hash_equal(request, charge->charge.request))
        return tampered(ret_problem, "bad_request_hash", "The charge was not made for this request.");
    return GW_OK;
}

gw_status gw_audit_receipt(gw_bytes receipt_bytes, gw_bytes answer, gw_bytes request_message,
                           const gw_note_key *log_key, gw_entry *ret_charge, gw_entry *ret_release,
                           gw_problem *ret_problem) {
    if (log_key == NULL)
        return gw_problem_set(ret_problem, GW_INVALID, "no_key", "A receipt is checked with the log's key.", "", "");
    GW_CLEANUP(gw_buffer_done) gw_buffer scratch;
    gw_buffer_init(&scratch, GW_RECEIPT_MAX);
    gw_receipt receipt;
    gw_status status = gw_receipt_decode(receipt_bytes, &scratch, &receipt, ret_problem);
    if (status != GW_OK)
        return status == GW_NO_MEMORY ? status : GW_INVALID;
    gw_checkpoint checkpoint;
    status = gw_checkpoint_open(receipt.checkpoint, log_key, &checkpoint, ret_problem);
    if (status != GW_OK)
        return status;
    if (!proof_holds(receipt.release_index, &checkpoint, receipt.release_entry, receipt.release_proof,
                     receipt.release_proof_count))
        return tampered(ret_problem, "bad_proof", "The signed log does not hold the release.");
    if (!proof_holds(receipt.charge_index, &checkpoint, receipt.charge_entry, receipt.charge_proof,
                     receipt.charge_proof_count))
        return tampered(ret_problem, "bad_proof", "The signed log does not hold the charge.");
    gw_entry charge, release;
    status = gw_entry_decode(receipt.charge_entry, &charge, ret_problem);
    if (status == GW_OK)
        status = gw_entry_decode(receipt.release_entry, &release, ret_problem);
    if (status == GW_OK)
        status = entries_check(&receipt, &charge, &release, ret_problem);
    if (status == GW_OK && !gw_hash_equal(gw_sha256(answer), release.release.answer))
        status = tampered(ret_problem, "bad_answer", "This is not the answer that was released.");
    if (status == GW_OK && is_of_another_question(answer, charge.charge.question))
        status =
            tampered(ret_problem, "bad_question", "The answer is to another question than the charge was made for.");
    if (status == GW_OK)
        status = request_check(request_message, receipt.salt, &charge, ret_problem);
    if (status != GW_OK)
        return status;
    if (ret_charge != NULL)
        *ret_charge = charge;
    if (ret_release != NULL)
        *ret_release = release;
    return GW_OK;
}
