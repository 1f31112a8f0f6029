// SPDX-License-Identifier: Apache-2.0
// A receipt: a c2sp.org/tlog-proof@v1 of the release entry, whose `extra` line carries (base64 of) the rest of the
// evidence, so that any tlog-proof tool can check inclusion and ours can check the whole chain:
//   godwit/1 evidence
//   salt <64 hex>                 request-hash salt: charge's `request` = SHA-256(salt || the request's signed bytes)
//   release <length>              the release entry's bytes follow the header
//   charge <index> <length>       the charge entry's bytes follow them
//   proof <count>                 then count lines of base64 hashes: inclusion of the charge in the same checkpoint
//   (blank line) release bytes, charge bytes
// Thread safety: pure.   Depends on: base/crypto.h.
#pragma once
#include "service/base/buffer.h"
#include "service/base/crypto.h"

#define GW_RECEIPT_MAX 16384
typedef struct {
    gw_hash salt;
    uint64_t release_index, charge_index;
    gw_bytes release_entry, charge_entry; // borrowed
    gw_hash release_proof[64], charge_proof[64];
    size_t release_proof_count, charge_proof_count;
    gw_bytes checkpoint; // the signed note, borrowed
} gw_receipt;
void gw_receipt_encode(const gw_receipt *receipt, gw_buffer *buffer);
// `scratch` keeps the decoded evidence that the receipt borrows from. Code: bad_receipt.
GW_MUST_CHECK gw_status gw_receipt_decode(gw_bytes bytes, gw_buffer *scratch, gw_receipt *ret, gw_problem *ret_problem);
