// SPDX-License-Identifier: Apache-2.0
// What the daemon and godwit-signer say to each other over a local socket: one request, one reply. A frame is 8 bytes
// (version, kind, 2 bytes status, 4 bytes size of what follows), numbers big-endian, payloads bounded.
//   hello  origin                                 -> size 8, root 32, vkey \n [vkey \n]     first on a connection
//   sign   size 8, root 32, hashes of the proof   -> the note
//   rotate                                        -> old vkey \n new vkey \n
//   finish                                        -> nothing
// A reply whose status is not 0 holds code, what, why and mend, each ended by a NUL.
// Thread safety: one user per descriptor.   Depends on: audit/{merkle,note}, base.
#pragma once
#include "service/audit/merkle.h"
#include "service/audit/note.h"

#define GW_SIGNER_CODEC_VERSION 1
#define GW_SIGNER_PAYLOAD_MAX 8192u

typedef enum { GW_SIGNER_HELLO = 1, GW_SIGNER_SIGN, GW_SIGNER_ROTATE, GW_SIGNER_FINISH } gw_signer_kind;

typedef struct {
    gw_signer_kind kind;
    gw_status status; // of a reply
} gw_signer_frame;

// Milliseconds from now; negative: no deadline. GW_IO: the other side is gone. GW_RETRY: the deadline passed.
// GW_CORRUPT: another version, an unknown kind, or a payload that is too long.
GW_MUST_CHECK gw_status gw_signer_send(int descriptor, const gw_signer_frame *frame, gw_bytes payload, int timeout_ms);
// The payload replaces what the buffer holds.
GW_MUST_CHECK gw_status gw_signer_receive(int descriptor, gw_signer_frame *ret_frame, gw_buffer *payload,
                                          int timeout_ms);

// Payloads: appended to a buffer, or read whole; a reader returns false where a payload is anything else.
void gw_signer_tree_pack(uint64_t size, gw_hash root, gw_buffer *payload);
bool gw_signer_tree_unpack(gw_bytes *payload, uint64_t *ret_size, gw_hash *ret_root); // advances
void gw_signer_proof_pack(const gw_merkle_proof *proof, gw_buffer *payload);
bool gw_signer_proof_unpack(gw_bytes payload, gw_merkle_proof *ret);
void gw_signer_key_pack(const gw_note_key *key, gw_buffer *payload);
bool gw_signer_keys_unpack(gw_bytes payload, gw_note_key ret[2], size_t *ret_count); // one or two
void gw_signer_problem_pack(const gw_problem *problem, gw_buffer *payload);
bool gw_signer_problem_unpack(gw_bytes payload, gw_status status, gw_problem *ret);
