// SPDX-License-Identifier: Apache-2.0
// Cosignatures, byte for byte as other witnesses and verifiers of the format have them.
#include "service/audit/cosignature.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <string.h>

#define TIME_SIZE 8u
#define COSIGNATURE_SIZE (GW_NOTE_KEY_ID_SIZE + TIME_SIZE + GW_SIGNATURE_SIZE)
#define SIGNED_BYTES_MAX 1000000u // as of a note

static void signed_text(gw_bytes text, uint64_t time, gw_buffer *ret) {
    gw_buffer_init(ret, SIGNED_BYTES_MAX);
    gw_buffer_format(ret, "cosignature/v1\ntime %llu\n", (unsigned long long)time);
    gw_buffer_append(ret, text.data, text.size);
}

void gw_cosignature_sign(const char *witness_name, const gw_secret_key *key, gw_bytes text, uint64_t time,
                         gw_buffer *ret_line) {
    GW_CLEANUP(gw_buffer_done) gw_buffer message;
    gw_note_key witness;
    signed_text(text, time, &message);
    gw_status status = gw_note_key_make(witness_name, GW_NOTE_KEY_COSIGNER, gw_key_public(key), &witness);
    GW_ASSERT(status == GW_OK); // the name was checked when the key was made
    if (message.status != GW_OK) {
        ret_line->status = message.status;
        return;
    }
    uint8_t bytes[COSIGNATURE_SIZE];
    memcpy(bytes, witness.id, GW_NOTE_KEY_ID_SIZE);
    for (unsigned i = 0; i < TIME_SIZE; i++)
        bytes[GW_NOTE_KEY_ID_SIZE + i] = (uint8_t)(time >> (8 * (TIME_SIZE - 1 - i)));
    gw_signature signature = gw_sign(key, gw_buffer_bytes(&message));
    memcpy(bytes + GW_NOTE_KEY_ID_SIZE + TIME_SIZE, signature.bytes, GW_SIGNATURE_SIZE);
    gw_buffer_format(ret_line, "\xe2\x80\x94 %s ", witness.name);
    gw_base64_append(ret_line, (gw_bytes){.data = bytes, .size = sizeof(bytes)});
    gw_buffer_text(ret_line, "\n");
}

bool gw_cosignature_holds(const gw_note_signature *line, const gw_note_key *witness, gw_bytes text,
                          uint64_t *ret_time) {
    GW_ASSERT(witness->type == GW_NOTE_KEY_COSIGNER);
    if (!gw_note_is_of(line, witness) || line->size != COSIGNATURE_SIZE)
        return false;
    uint64_t time = 0;
    for (unsigned i = 0; i < TIME_SIZE; i++)
        time = time << 8 | line->bytes[GW_NOTE_KEY_ID_SIZE + i];
    if (time > INT64_MAX)
        return false;
    gw_signature signature;
    memcpy(signature.bytes, line->bytes + GW_NOTE_KEY_ID_SIZE + TIME_SIZE, GW_SIGNATURE_SIZE);
    GW_CLEANUP(gw_buffer_done) gw_buffer message;
    signed_text(text, time, &message);
    if (message.status != GW_OK || !gw_verify_signature(witness->key, gw_buffer_bytes(&message), signature))
        return false;
    *ret_time = time;
    return true;
}

gw_cosignature gw_cosignature_find(const gw_note_parts *note, const gw_note_key *witness, uint64_t *ret_time) {
    gw_note_signature line;
    gw_cosignature found = GW_COSIGNATURE_ABSENT;
    gw_bytes rest = note->signatures;
    uint64_t newest = 0, time = 0;
    while (found != GW_COSIGNATURE_BAD && gw_note_next(&rest, &line) == GW_OK) {
        if (!gw_note_is_of(&line, witness))
            continue;
        found = gw_cosignature_holds(&line, witness, note->text, &time) ? GW_COSIGNATURE_GOOD : GW_COSIGNATURE_BAD;
        if (time > newest)
            newest = time;
    }
    if (ret_time != NULL)
        *ret_time = found == GW_COSIGNATURE_GOOD ? newest : 0;
    return found;
}
