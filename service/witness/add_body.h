// SPDX-License-Identifier: Apache-2.0
// The body of add-checkpoint (C2SP tlog-witness), for who sends it and who receives it:
//   old <size>\n   (base64 hash \n)*   \n   <signed checkpoint>
// Thread safety: pure.   Depends on: audit/{merkle,note}.
#pragma once
#include "service/audit/merkle.h"
#include "service/audit/note.h"

#define GW_ADD_PROOF_MAX 63u         // hashes
#define GW_ADD_BODY_MAX (128u << 10) // 16 post-quantum signatures and the longest proof fit

typedef struct {
    uint64_t old_size;
    gw_merkle_proof proof; // from the tree of old_size to the checkpoint's
    gw_bytes note;         // borrowed
} gw_add_body;
void gw_add_body_write(const gw_add_body *body, gw_buffer *ret);
// Exactly what write writes; false otherwise.
bool gw_add_body_read(gw_bytes bytes, gw_add_body *ret);
// A size as it stands in bodies and replies: digits, no leading zero, at most 2^63 - 1.
bool gw_add_size_read(const char *text, size_t size, uint64_t *ret);
