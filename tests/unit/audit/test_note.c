// SPDX-License-Identifier: Apache-2.0
// Signed notes, byte for byte: the known checkpoint of 70,000 entries, and each rule of the format once.
#include "service/audit/merkle.h"
#include "service/audit/note.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "stats.example/ledger1"
#define VKEY "stats.example/ledger1+5cca7dff+ASFS+NGbeR0kRTJC4V8uq2y3z/p7al7TAJeWDgaYgdsS"
#define DASH "\xe2\x80\x94 "
#define KNOWN_NOTE                                                                                                     \
    NAME "\n70000\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n\n" DASH NAME                                         \
         " XMp9/xr8ry+wxLgOHc2XdDeHAQTLNR3a/jD2EmkpbyhQXfYvTFyMOQCA5CcyVbveGYFsFYsf5OGIXH+jSR7C+y+xkw4=\n"

typedef struct {
    gw_secret_key *secret;
    gw_note_key key;
} note_fixture;

static int setup(void **state) {
    static note_fixture fixture;
    uint8_t seed[GW_SEED_SIZE];
    memset(seed, 0x42, sizeof(seed));
    if (gw_crypto_init() != GW_OK || gw_key_from_seed(seed, &fixture.secret) != GW_OK)
        return -1;
    *state = &fixture;
    return gw_note_key_new(NAME, gw_key_public(fixture.secret), &fixture.key) == GW_OK ? 0 : -1;
}

static int teardown(void **state) {
    gw_secret_key_free(((note_fixture *)*state)->secret);
    return 0;
}

static gw_status open_note(void **state, const char *note) {
    gw_checkpoint checkpoint;
    gw_problem problem = {0};
    gw_status status = gw_checkpoint_open(gw_bytes_of(note), &((note_fixture *)*state)->key, &checkpoint, &problem);
    if (status != GW_OK)
        assert_string_equal(problem.code, "bad_checkpoint");
    return status;
}

// Signs any text as the log would.
static void sign_text(void **state, const char *text, char *note, size_t size) {
    note_fixture *fix = *state;
    uint8_t bytes[4 + GW_SIGNATURE_SIZE];
    memcpy(bytes, fix->key.id, 4);
    gw_signature signature = gw_sign(fix->secret, gw_bytes_of(text));
    memcpy(bytes + 4, signature.bytes, GW_SIGNATURE_SIZE);
    gw_buffer buffer;
    gw_buffer_init(&buffer, 256);
    gw_base64_append(&buffer, (gw_bytes){.data = bytes, .size = sizeof(bytes)});
    snprintf(note, size, "%s\n" DASH NAME " %s\n", text, gw_buffer_string(&buffer));
    gw_buffer_done(&buffer);
}

static void the_checkpoint_of_70000_entries_is_the_known_one(void **state) {
    note_fixture *fix = *state;
    char vkey[GW_VKEY_MAX];
    gw_note_key_format(&fix->key, vkey);
    assert_string_equal(vkey, VKEY);
    gw_merkle_edge edge = {0};
    for (unsigned i = 0; i < 70000; i++) {
        char entry[80];
        snprintf(entry, sizeof(entry), "{\"v\":1,\"seq\":%u,\"cost_neps\":1000000}", i);
        gw_merkle_edge_append(&edge, gw_merkle_leaf(gw_bytes_of(entry)), NULL, NULL);
    }
    gw_checkpoint checkpoint = {.origin = NAME, .size = edge.size, .root = gw_merkle_edge_root(&edge)};
    gw_buffer note;
    gw_buffer_init(&note, 1024);
    gw_checkpoint_sign(&checkpoint, fix->secret, &note);
    assert_string_equal(gw_buffer_string(&note), KNOWN_NOTE);
    gw_checkpoint read;
    assert_int_equal(gw_checkpoint_open(gw_buffer_bytes(&note), &fix->key, &read, NULL), GW_OK);
    assert_int_equal(read.size, 70000);
    assert_memory_equal(&read.root, &checkpoint.root, sizeof(read.root));
    assert_string_equal(read.origin, NAME);
    gw_buffer_done(&note);
}

static void a_verifier_key_is_read_back_and_a_mistyped_one_refused(void **state) {
    gw_note_key key;
    assert_int_equal(gw_note_key_parse(VKEY, &key, NULL), GW_OK);
    assert_memory_equal(&key.key, &((note_fixture *)*state)->key.key, sizeof(key.key));
    char text[] = VKEY;
    for (size_t i = 0; i < strlen(text); i++) {
        char before = text[i];
        text[i] = before == 'A' ? 'B' : 'A';
        assert_int_equal(gw_note_key_parse(text, &key, NULL), GW_INVALID);
        text[i] = before;
    }
    assert_int_equal(gw_note_key_new("a+b", key.key, &key), GW_INVALID);
    assert_int_equal(gw_note_key_new("a b", key.key, &key), GW_INVALID);
    assert_int_equal(gw_note_key_new("a\xe2\x80\x89"
                                     "b",
                                     key.key, &key),
                     GW_INVALID); // thin space
    assert_int_equal(gw_note_key_new("a\xc2\xa0"
                                     "b",
                                     key.key, &key),
                     GW_INVALID); // no-break space
    assert_int_equal(gw_note_key_new("", key.key, &key), GW_INVALID);
}

static void no_changed_byte_of_a_note_is_accepted(void **state) {
    char note[] = KNOWN_NOTE;
    assert_int_equal(open_note(state, note), GW_OK);
    for (size_t i = 0; i < strlen(KNOWN_NOTE); i++) {
        note[i] ^= 1;
        assert_int_equal(gw_checkpoint_open((gw_bytes){.data = (uint8_t *)note, .size = strlen(KNOWN_NOTE)},
                                            &((note_fixture *)*state)->key, &(gw_checkpoint){0}, NULL),
                         GW_CORRUPT);
        note[i] ^= 1;
    }
    for (size_t size = 0; size < strlen(KNOWN_NOTE); size++)
        assert_int_equal(gw_checkpoint_open((gw_bytes){.data = (uint8_t *)note, .size = size},
                                            &((note_fixture *)*state)->key, &(gw_checkpoint){0}, NULL),
                         GW_CORRUPT);
}

static void unknown_keys_are_ignored_and_twenty_signatures_accepted(void **state) {
    char note[8192] = KNOWN_NOTE;
    for (int i = 0; i < 20; i++) {
        char line[128];
        snprintf(line, sizeof(line), DASH "witness%d.example AAAAAAAAAAAA\n", i);
        strcat(note, line);
    }
    assert_int_equal(open_note(state, note), GW_OK);
    // The same name with another key id is another key.
    strcat(note, DASH NAME " AAAAAAAAAAAA\n");
    assert_int_equal(open_note(state, note), GW_OK);
    size_t size = strlen(note);
    strcat(note, DASH "wit\x7fness.example AAAAAAAAAAAA\n"); // a control character, even where nobody looks
    assert_int_equal(open_note(state, note), GW_CORRUPT);
    note[size] = '\0';
    strcat(note, DASH "witness.example not base64\n");
    assert_int_equal(open_note(state, note), GW_CORRUPT);
}

// Where nobody looks as well: a line that some reader could take for another's rejects the note for all.
static void signature_lines_are_well_formed_whoever_signed(void **state) {
    static const char *const lines[] = {
        DASH "wit+ness.example AAAAAAAAAAAA\n",            // the sign that parts a key's name from its id
        DASH "wit\xe2\x80\x83ness.example AAAAAAAAAAAA\n", // an em space
        DASH "wit\xc2\xa0ness.example AAAAAAAAAAAA\n",     // a no-break space
        DASH "wit\xe3\x80\x80ness.example AAAAAAAAAAAA\n", // an ideographic space
        DASH " AAAAAAAAAAAA\n",                            // nobody
        DASH "witness.example  AAAAAAAAAAAA\n",
        DASH "witness.example AAAAAAAAAAA\n", // no multiple of four
        DASH "witness.example AAAAAAAAAA==\n\n",
        DASH "witness.example AAAAAAB=\n",     // bits after the last byte
        DASH "witness.example AAAA-_AAAAAA\n", // another alphabet
        DASH "witness.example AAAA\n",         // no more than a key's id
        DASH "witness.example\n",
        "- witness.example AAAAAAAAAAAA\n", // another dash
        "\xe2\x80\x94witness.example AAAAAAAAAAAA\n",
        "\n",
        DASH "witness.example AAAAAAAAAAAA\r\n",
        DASH "wit\xc3ness.example AAAAAAAAAAAA\n", // no UTF-8
        DASH "witness.example AAAAAAAAAAAA",       // without its end
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char note[1024];
        snprintf(note, sizeof(note), "%s%s", KNOWN_NOTE, lines[i]);
        if (open_note(state, note) != GW_CORRUPT)
            fail_msg("line %zu was taken", i);
    }
}

static void a_known_key_that_fails_rejects_the_note(void **state) {
    char note[2048], second[1024];
    sign_text(state, NAME "\n5\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n", second, sizeof(second));
    snprintf(note, sizeof(note), "%s%s", KNOWN_NOTE,
             strstr(second, DASH)); // a good signature, then one of another text
    assert_int_equal(open_note(state, note), GW_CORRUPT);
    assert_int_equal(open_note(state, NAME "\n0\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n\n" DASH
                                           "other.example AAAAAAAAAAAA\n"),
                     GW_CORRUPT); // nobody known signed
}

static void text_and_signatures_part_at_the_last_empty_line(void **state) {
    char note[2048];
    // Signed with an empty line inside: split at the last one, so the signature is seen, and the text is no checkpoint.
    sign_text(state, NAME "\n5\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n\nmore\n", note, sizeof(note));
    assert_int_equal(open_note(state, note), GW_CORRUPT);
    gw_checkpoint checkpoint;
    assert_int_equal(gw_checkpoint_peek(gw_bytes_of(note), &checkpoint, NULL), GW_CORRUPT);
}

static void texts_that_are_no_three_lines_are_refused(void **state) {
    static const char *const good = NAME "\n5\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n";
    static const char *const bad[] = {
        NAME "\n00\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n",
        NAME "\n+5\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n",
        NAME "\n 5\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n",
        NAME "\n\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n",
        NAME "\n5\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTh=\n", // bits after the last byte
        NAME "\n5\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R_47zBbOznpJTg=\n", // another alphabet
        NAME "\n5\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg= \n",
        NAME "\n5\n HTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n",
        NAME "\n5\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n\n",
        "\n" NAME "\n5\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n",
        NAME "\n05\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n",
        NAME "\n5\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\nextension\n",
        NAME "\n5\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg\n",
        NAME "\n5\nHTZzshcrHeN5qOZCg6uwGQ==\n",
        NAME "\n-5\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n",
        NAME "\n5\r\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n",
        NAME "\n18446744073709551616\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n",
        "other.example/log\n5\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n",
        NAME "\t\n5\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n",
    };
    char note[2048];
    sign_text(state, good, note, sizeof(note));
    assert_int_equal(open_note(state, note), GW_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        sign_text(state, bad[i], note, sizeof(note));
        assert_int_equal(open_note(state, note), GW_CORRUPT);
    }
}

static void the_root_of_no_entries_can_be_signed(void **state) {
    note_fixture *fix = *state;
    gw_checkpoint empty = {.origin = NAME, .size = 0, .root = gw_merkle_empty()}, read;
    gw_buffer note;
    gw_buffer_init(&note, 1024);
    gw_checkpoint_sign(&empty, fix->secret, &note);
    assert_int_equal(gw_checkpoint_open(gw_buffer_bytes(&note), &fix->key, &read, NULL), GW_OK);
    assert_int_equal(read.size, 0);
    gw_buffer_done(&note);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checkpoint_of_70000_entries_is_the_known_one),
        cmocka_unit_test(a_verifier_key_is_read_back_and_a_mistyped_one_refused),
        cmocka_unit_test(no_changed_byte_of_a_note_is_accepted),
        cmocka_unit_test(unknown_keys_are_ignored_and_twenty_signatures_accepted),
        cmocka_unit_test(signature_lines_are_well_formed_whoever_signed),
        cmocka_unit_test(a_known_key_that_fails_rejects_the_note),
        cmocka_unit_test(text_and_signatures_part_at_the_last_empty_line),
        cmocka_unit_test(texts_that_are_no_three_lines_are_refused),
        cmocka_unit_test(the_root_of_no_entries_can_be_signed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
