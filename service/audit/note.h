// SPDX-License-Identifier: Apache-2.0
// C2SP signed notes and tlog checkpoints: origin, size, root, and signature lines "— name base64(keyid || signature)".
// Thread safety: pure.   Depends on: base/crypto.h.
#pragma once
#include "service/base/buffer.h"
#include "service/base/crypto.h"

#define GW_VKEY_MAX 256
#define GW_NOTE_KEY_LOG 1      // Ed25519 over the note's text
#define GW_NOTE_KEY_COSIGNER 4 // Ed25519 over a time and the text (audit/cosignature.h)
#define GW_NOTE_KEY_ID_SIZE 4
typedef struct {
    char name[128];
    uint8_t type;
    uint8_t id[GW_NOTE_KEY_ID_SIZE];
    gw_public_key key;
} gw_note_key;

// A log's key, and the key of any type.
GW_MUST_CHECK gw_status gw_note_key_new(const char *name, gw_public_key key, gw_note_key *ret);
GW_MUST_CHECK gw_status gw_note_key_make(const char *name, uint8_t type, gw_public_key key, gw_note_key *ret);
// Refuses keys of another type. Code: bad_vkey.
GW_MUST_CHECK gw_status gw_note_key_parse(const char *vkey, gw_note_key *ret, gw_problem *ret_problem);
GW_MUST_CHECK gw_status gw_note_key_parse_as(const char *vkey, uint8_t type, gw_note_key *ret, gw_problem *ret_problem);
void gw_note_key_format(const gw_note_key *key, char text[GW_VKEY_MAX]);

// A note taken apart by its form alone: no signature has been looked at.
typedef struct {
    gw_bytes text;       // what is signed, with its last newline
    gw_bytes signatures; // whole lines
} gw_note_parts;
// Every line has been seen to be well formed. Code: bad_checkpoint.
GW_MUST_CHECK gw_status gw_note_split(gw_bytes note, gw_note_parts *ret, gw_problem *ret_problem);

#define GW_NOTE_SIGNATURE_MAX 8192u // post-quantum signatures of others fit
typedef struct {
    gw_bytes line; // with its newline; borrowed
    const char *name;
    size_t name_size;
    uint8_t bytes[GW_NOTE_SIGNATURE_MAX]; // the key's id first
    size_t size;
} gw_note_signature;
// Takes the first line off `rest`. GW_NOT_FOUND: none is left. GW_CORRUPT: malformed.
GW_MUST_CHECK gw_status gw_note_next(gw_bytes *rest, gw_note_signature *ret);
// Name and key id are this key's. Whether the signature holds is another question.
bool gw_note_is_of(const gw_note_signature *signature, const gw_note_key *key);

typedef struct {
    char origin[128];
    uint64_t size;
    gw_hash root;
} gw_checkpoint;
void gw_checkpoint_text(const gw_checkpoint *checkpoint, gw_buffer *ret_text); // the three lines that are signed
void gw_checkpoint_sign(const gw_checkpoint *checkpoint, const gw_secret_key *key, gw_buffer *ret_note);
// GW_CORRUPT when the known key's signature fails or is absent; unknown keys' lines are ignored. Code: bad_checkpoint.
GW_MUST_CHECK gw_status gw_checkpoint_open(gw_bytes note, const gw_note_key *key, gw_checkpoint *ret,
                                           gw_problem *ret_problem);
// The three lines without any check of signatures: for finding one's way, never for trust.
GW_MUST_CHECK gw_status gw_checkpoint_peek(gw_bytes note, gw_checkpoint *ret, gw_problem *ret_problem);
