// SPDX-License-Identifier: Apache-2.0
// C2SP signed notes and tlog checkpoints: origin, size, root, and signature lines "— name base64(keyid || signature)".
// Thread safety: pure.   Depends on: base/crypto.h, wire/message.h (GW_ORIGIN_MAX).
#pragma once
#include "service/base/buffer.h"
#include "service/base/crypto.h"

#define GW_VKEY_MAX 256
typedef struct {
    char name[128];
    uint8_t type; // 1: log, Ed25519
    uint8_t id[4];
    gw_public_key key;
} gw_note_key;

GW_MUST_CHECK gw_status gw_note_key_new(const char *name, gw_public_key key, gw_note_key *ret);
GW_MUST_CHECK gw_status gw_note_key_parse(const char *vkey, gw_note_key *ret, gw_problem *ret_problem);
void gw_note_key_format(const gw_note_key *key, char text[GW_VKEY_MAX]);

typedef struct {
    char origin[128];
    uint64_t size;
    gw_hash root;
} gw_checkpoint;
void gw_checkpoint_sign(const gw_checkpoint *checkpoint, const gw_secret_key *key, gw_buffer *ret_note);
// GW_CORRUPT when the known key's signature fails or is absent; unknown keys' lines are ignored. Code: bad_checkpoint.
GW_MUST_CHECK gw_status gw_checkpoint_open(gw_bytes note, const gw_note_key *key, gw_checkpoint *ret,
                                           gw_problem *ret_problem);
// The three lines without any check of signatures: for finding one's way, never for trust.
GW_MUST_CHECK gw_status gw_checkpoint_peek(gw_bytes note, gw_checkpoint *ret, gw_problem *ret_problem);
