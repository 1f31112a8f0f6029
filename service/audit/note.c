// SPDX-License-Identifier: Apache-2.0
// C2SP signed-note and tlog-checkpoint, byte for byte. Lines of keys that the caller does not know, post-quantum ones
// among them, are read for their form and ignored.
#include "service/audit/note.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <stdio.h>
#include <string.h>

#define DASH "\xe2\x80\x94 " // U+2014 and a space
#define KEY_ID_SIZE GW_NOTE_KEY_ID_SIZE
#define NOTE_BYTES_MAX 1000000u
#define SIGNATURES_MAX 100u // 16 must be accepted; a bound, so that a note cannot cost unbounded work

// Rejects what could be read two ways: control characters and bytes that are no UTF-8. Overlong forms and surrogates
// are refused like any other malformed sequence.
static bool is_text(const uint8_t *data, size_t size) {
    for (size_t i = 0; i < size;) {
        uint8_t byte = data[i];
        size_t count = byte < 0x80 ? 1 : byte < 0xc2 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 0;
        if (count == 0 || count > size - i || (count == 1 && byte != '\n' && (byte < 0x20 || byte == 0x7f)))
            return false;
        for (size_t k = 1; k < count; k++)
            if ((data[i + k] & 0xc0) != 0x80)
                return false;
        if ((byte == 0xe0 && data[i + 1] < 0xa0) || (byte == 0xed && data[i + 1] > 0x9f) ||
            (byte == 0xf0 && data[i + 1] < 0x90) || (byte == 0xf4 && data[i + 1] > 0x8f))
            return false;
        i += count;
    }
    return true;
}

// Unicode spaces, as UTF-8: none of them may hide in a key's name.
static bool has_space(const char *name, size_t size) {
    static const char *const spaces[] = {" ",
                                         "\xc2\x85",
                                         "\xc2\xa0",
                                         "\xe1\x9a\x80",
                                         "\xe2\x80\xa8",
                                         "\xe2\x80\xa9",
                                         "\xe2\x80\xaf",
                                         "\xe2\x81\x9f",
                                         "\xe3\x80\x80"};
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
        if (memmem(name, size, spaces[i], strlen(spaces[i])) != NULL)
            return true;
    for (size_t i = 0; i + 2 < size; i++) // U+2000 to U+200A
        if (memcmp(name + i, "\xe2\x80", 2) == 0 && (uint8_t)name[i + 2] >= 0x80 && (uint8_t)name[i + 2] <= 0x8a)
            return true;
    return false;
}

static bool is_key_name(const char *name, size_t size) {
    return size > 0 && size < sizeof(((gw_note_key *)0)->name) && is_text((const uint8_t *)name, size) &&
           memchr(name, '\n', size) == NULL && memchr(name, '+', size) == NULL && !has_space(name, size);
}

static void key_id(const char *name, uint8_t type, gw_public_key key, uint8_t ret[KEY_ID_SIZE]) {
    uint8_t tail[2 + GW_PUBLIC_KEY_SIZE] = {'\n', type};
    memcpy(tail + 2, key.bytes, GW_PUBLIC_KEY_SIZE);
    gw_hash hash = gw_sha256_two(gw_bytes_of(name), (gw_bytes){.data = tail, .size = sizeof(tail)});
    memcpy(ret, hash.bytes, KEY_ID_SIZE);
}

gw_status gw_note_key_new(const char *name, gw_public_key key, gw_note_key *ret) {
    return gw_note_key_make(name, GW_NOTE_KEY_LOG, key, ret);
}

gw_status gw_note_key_make(const char *name, uint8_t type, gw_public_key key, gw_note_key *ret) {
    if (!is_key_name(name, strlen(name)))
        return GW_INVALID;
    gw_note_key made = {.type = type, .key = key};
    memcpy(made.name, name, strlen(name));
    key_id(name, made.type, key, made.id);
    *ret = made;
    return GW_OK;
}

static gw_status vkey_problem(gw_problem *ret_problem, const char *why) {
    return gw_problem_set(ret_problem, GW_INVALID, "bad_vkey", "The verifier key cannot be read.", why,
                          "A verifier key is name+8 hex digits+base64, as printed by the log's or witness's operator.");
}

static const char *type_problem(uint8_t type) {
    return type == GW_NOTE_KEY_COSIGNER ? "It does not hold an Ed25519 key of a witness (type 04)."
                                        : "It does not hold an Ed25519 log key.";
}

gw_status gw_note_key_parse(const char *vkey, gw_note_key *ret, gw_problem *ret_problem) {
    return gw_note_key_parse_as(vkey, GW_NOTE_KEY_LOG, ret, ret_problem);
}

gw_status gw_note_key_parse_as(const char *vkey, uint8_t type, gw_note_key *ret, gw_problem *ret_problem) {
    const char *id = strchr(vkey, '+');
    const char *key = id == NULL ? NULL : strchr(id + 1, '+');
    if (key == NULL || strlen(vkey) >= GW_VKEY_MAX)
        return vkey_problem(ret_problem, "It does not have three parts.");
    uint8_t id_bytes[KEY_ID_SIZE];
    uint8_t key_bytes[1 + GW_PUBLIC_KEY_SIZE];
    size_t key_size = 0;
    if (!is_key_name(vkey, (size_t)(id - vkey)))
        return vkey_problem(ret_problem, "Its name is not one.");
    if (!gw_unhex(id + 1, (size_t)(key - id - 1), id_bytes, KEY_ID_SIZE))
        return vkey_problem(ret_problem, "Its key id is not 8 hexadecimal digits.");
    if (!gw_unbase64(key + 1, strlen(key + 1), key_bytes, sizeof(key_bytes), &key_size) ||
        key_size != sizeof(key_bytes) || key_bytes[0] != type)
        return vkey_problem(ret_problem, type_problem(type));
    char name[sizeof(ret->name)] = {0};
    memcpy(name, vkey, (size_t)(id - vkey));
    gw_public_key public_key;
    memcpy(public_key.bytes, key_bytes + 1, GW_PUBLIC_KEY_SIZE);
    gw_note_key made;
    if (gw_note_key_make(name, type, public_key, &made) != GW_OK)
        return vkey_problem(ret_problem, "Its name is not one.");
    if (memcmp(made.id, id_bytes, KEY_ID_SIZE) != 0)
        return vkey_problem(ret_problem, "Its key id does not belong to its name and key: a digit is mistyped.");
    *ret = made;
    return GW_OK;
}

void gw_note_key_format(const gw_note_key *key, char text[GW_VKEY_MAX]) {
    uint8_t bytes[1 + GW_PUBLIC_KEY_SIZE] = {key->type};
    memcpy(bytes + 1, key->key.bytes, GW_PUBLIC_KEY_SIZE);
    char id[2 * KEY_ID_SIZE + 1];
    gw_hex((gw_bytes){.data = key->id, .size = KEY_ID_SIZE}, id);
    GW_CLEANUP(gw_buffer_done) gw_buffer buffer;
    gw_buffer_init(&buffer, GW_VKEY_MAX - 1); // a name of 127, 2 plus signs, 8 digits, 44 of base64
    gw_buffer_format(&buffer, "%s+%s+", key->name, id);
    gw_base64_append(&buffer, (gw_bytes){.data = bytes, .size = sizeof(bytes)});
    GW_ASSERT(buffer.status == GW_OK);
    memcpy(text, gw_buffer_string(&buffer), buffer.size + 1);
}

void gw_checkpoint_text(const gw_checkpoint *checkpoint, gw_buffer *ret_text) {
    gw_buffer_format(ret_text, "%s\n%llu\n", checkpoint->origin, (unsigned long long)checkpoint->size);
    gw_base64_append(ret_text, (gw_bytes){.data = checkpoint->root.bytes, .size = GW_HASH_SIZE});
    gw_buffer_text(ret_text, "\n");
}

void gw_checkpoint_sign(const gw_checkpoint *checkpoint, const gw_secret_key *key, gw_buffer *ret_note) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, 512);
    gw_checkpoint_text(checkpoint, &text);
    if (text.status != GW_OK) {
        ret_note->status = text.status;
        return;
    }
    uint8_t signature[KEY_ID_SIZE + GW_SIGNATURE_SIZE];
    key_id(checkpoint->origin, GW_NOTE_KEY_LOG, gw_key_public(key), signature);
    gw_signature signed_bytes = gw_sign(key, gw_buffer_bytes(&text));
    memcpy(signature + KEY_ID_SIZE, signed_bytes.bytes, GW_SIGNATURE_SIZE);
    gw_buffer_append(ret_note, text.data, text.size);
    gw_buffer_format(ret_note, "\n" DASH "%s ", checkpoint->origin);
    gw_base64_append(ret_note, (gw_bytes){.data = signature, .size = sizeof(signature)});
    gw_buffer_text(ret_note, "\n");
}

static gw_status note_problem(gw_problem *ret_problem, const char *why) {
    return gw_problem_set(ret_problem, GW_CORRUPT, "bad_checkpoint", "The checkpoint does not hold.", why, "");
}

// Text and signatures part at the LAST empty line: text may hold empty lines itself.
static bool note_part(gw_bytes note, gw_note_parts *ret) {
    for (size_t i = note.size; i >= 2; i--) {
        if (note.data[i - 1] != '\n' || note.data[i - 2] != '\n')
            continue;
        *ret = (gw_note_parts){.text = {.data = note.data, .size = i - 1},
                               .signatures = {.data = note.data + i, .size = note.size - i}};
        return ret->signatures.size > 0 && note.data[note.size - 1] == '\n';
    }
    return false;
}

// One line "— name base64\n".
gw_status gw_note_next(gw_bytes *rest, gw_note_signature *ret) {
    if (rest->size == 0)
        return GW_NOT_FOUND;
    const uint8_t *newline = memchr(rest->data, '\n', rest->size);
    const char *text = (const char *)rest->data;
    if (newline == NULL || !is_text(rest->data, (size_t)(newline - rest->data)))
        return GW_CORRUPT;
    size_t size = (size_t)(newline - rest->data);
    if (size < strlen(DASH) || memcmp(text, DASH, strlen(DASH)) != 0)
        return GW_CORRUPT;
    ret->name = text + strlen(DASH);
    const char *space = memchr(ret->name, ' ', size - strlen(DASH));
    if (space == NULL || !is_key_name(ret->name, (size_t)(space - ret->name)))
        return GW_CORRUPT;
    ret->name_size = (size_t)(space - ret->name);
    size_t code_size = (size_t)(text + size - space - 1);
    if (!gw_unbase64(space + 1, code_size, ret->bytes, sizeof(ret->bytes), &ret->size) || ret->size < KEY_ID_SIZE + 1)
        return GW_CORRUPT;
    ret->line = (gw_bytes){.data = rest->data, .size = size + 1};
    *rest = (gw_bytes){.data = newline + 1, .size = rest->size - size - 1};
    return GW_OK;
}

bool gw_note_is_of(const gw_note_signature *signature, const gw_note_key *key) {
    return strlen(key->name) == signature->name_size && memcmp(key->name, signature->name, signature->name_size) == 0 &&
           memcmp(signature->bytes, key->id, KEY_ID_SIZE) == 0;
}

static gw_status lines_check(gw_bytes lines, gw_problem *ret_problem) {
    gw_note_signature signature;
    unsigned count = 0;
    gw_status status = GW_OK;
    while ((status = gw_note_next(&lines, &signature)) == GW_OK)
        if (++count > SIGNATURES_MAX)
            return note_problem(ret_problem, "It has more signatures than any log needs.");
    return status == GW_NOT_FOUND ? GW_OK : note_problem(ret_problem, "A signature line is malformed.");
}

gw_status gw_note_split(gw_bytes note, gw_note_parts *ret, gw_problem *ret_problem) {
    gw_note_parts parts;
    if (note.size > NOTE_BYTES_MAX || !is_text(note.data, note.size) || !note_part(note, &parts))
        return note_problem(ret_problem, "It is not a signed note.");
    gw_status status = lines_check(parts.signatures, ret_problem);
    if (status == GW_OK)
        *ret = parts;
    return status;
}

// A known key's line either holds or ruins the note: nobody else could have put it there by accident.
static gw_status signatures_check(gw_note_parts parts, const gw_note_key *key, gw_problem *ret_problem) {
    gw_note_signature read;
    bool is_signed = false;
    gw_bytes rest = parts.signatures;
    while (gw_note_next(&rest, &read) == GW_OK) {
        if (!gw_note_is_of(&read, key))
            continue;
        gw_signature signature;
        memcpy(signature.bytes, read.bytes + KEY_ID_SIZE, GW_SIGNATURE_SIZE);
        if (read.size != KEY_ID_SIZE + GW_SIGNATURE_SIZE || !gw_verify_signature(key->key, parts.text, signature))
            return note_problem(ret_problem, "The log's signature does not fit its text.");
        is_signed = true;
    }
    if (!is_signed)
        return gw_problem_set(ret_problem, GW_CORRUPT, "bad_checkpoint", "The checkpoint does not hold.",
                              "It carries no signature of the log's key.",
                              "After a keyrot: godwit audit verify names the new key; man 5 godwit-profile");
    return GW_OK;
}

static bool text_line(gw_bytes *text, gw_bytes *ret) {
    const uint8_t *newline = memchr(text->data, '\n', text->size);
    if (newline == NULL)
        return false;
    *ret = (gw_bytes){.data = text->data, .size = (size_t)(newline - text->data)};
    *text = (gw_bytes){.data = newline + 1, .size = text->size - ret->size - 1};
    return true;
}

static bool size_parse(gw_bytes line, uint64_t *ret) {
    uint64_t value = 0;
    if (line.size == 0 || (line.size > 1 && line.data[0] == '0'))
        return false;
    for (size_t i = 0; i < line.size; i++)
        if (line.data[i] < '0' || line.data[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(line.data[i] - '0'), &value))
            return false;
    *ret = value;
    return value <= INT64_MAX;
}

// Exactly three lines: extension lines would be bytes that are signed and that nobody reads.
static bool checkpoint_read(gw_bytes text, gw_checkpoint *ret) {
    gw_bytes origin, size, root;
    if (!text_line(&text, &origin) || !text_line(&text, &size) || !text_line(&text, &root) || text.size != 0)
        return false;
    size_t root_size = 0;
    gw_checkpoint read = {0};
    if (origin.size == 0 || origin.size >= sizeof(read.origin) || !size_parse(size, &read.size) ||
        !gw_unbase64((const char *)root.data, root.size, read.root.bytes, GW_HASH_SIZE, &root_size) ||
        root_size != GW_HASH_SIZE)
        return false;
    memcpy(read.origin, origin.data, origin.size);
    *ret = read;
    return true;
}

gw_status gw_checkpoint_peek(gw_bytes note, gw_checkpoint *ret, gw_problem *ret_problem) {
    gw_note_parts parts;
    if (note.size > NOTE_BYTES_MAX || !is_text(note.data, note.size) || !note_part(note, &parts))
        return note_problem(ret_problem, "It is not a signed note.");
    if (!checkpoint_read(parts.text, ret))
        return note_problem(ret_problem, "Its text is not an origin, a size and a root.");
    return GW_OK;
}

gw_status gw_checkpoint_open(gw_bytes note, const gw_note_key *key, gw_checkpoint *ret, gw_problem *ret_problem) {
    gw_checkpoint checkpoint;
    gw_note_parts parts;
    gw_status status = gw_checkpoint_peek(note, &checkpoint, ret_problem);
    if (status == GW_OK)
        status = gw_note_split(note, &parts, ret_problem);
    if (status == GW_OK)
        status = signatures_check(parts, key, ret_problem);
    if (status != GW_OK)
        return status;
    if (strcmp(checkpoint.origin, key->name) != 0)
        return note_problem(ret_problem, "Its origin is not the log's name.");
    *ret = checkpoint;
    return GW_OK;
}
