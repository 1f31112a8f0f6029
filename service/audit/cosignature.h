// SPDX-License-Identifier: Apache-2.0
// C2SP tlog-cosignature, Ed25519 (type 04): a witness vouches that, at a time, the newest tree it has seen of a log is
// this one, and that it grew from every tree it saw before. Signed: "cosignature/v1\ntime <seconds>\n" and the
// checkpoint's text. In the note: "— name base64(keyid || u64be seconds || signature)".
// Thread safety: pure.   Depends on: note.h.
#pragma once
#include "service/audit/note.h"

// Appends the witness's line for a checkpoint's text. The text has its last newline.
void gw_cosignature_sign(const char *witness_name, const gw_secret_key *key, gw_bytes text, uint64_t time,
                         gw_buffer *ret_line);

typedef enum {
    GW_COSIGNATURE_ABSENT, // no line has this name and key id
    GW_COSIGNATURE_GOOD,   // and every line that has them holds
    GW_COSIGNATURE_BAD,    // a line has them and does not hold: the note is to be refused
} gw_cosignature;
// What the lines say of one witness. `ret_time` (may be NULL) is the newest time of a good one, else 0.
gw_cosignature gw_cosignature_find(const gw_note_parts *note, const gw_note_key *witness, uint64_t *ret_time);
// One line, already taken off: it is the witness's and it holds.
bool gw_cosignature_holds(const gw_note_signature *line, const gw_note_key *witness, gw_bytes text, uint64_t *ret_time);
