// SPDX-License-Identifier: Apache-2.0
// Cosignatures, byte for byte. The known lines were made with another implementation (Python's cryptography):
//   K.from_private_bytes(seed).sign(b"cosignature/v1\ntime 1700000000\n" + text), after keyid || struct.pack(">Q",
//   time).
#include "service/audit/cosignature.h"
#include "tests/support/unit.h"

#define DASH "\xe2\x80\x94 "
#define TEXT "stats.example/ledger1\n70000\nHTZzshcrHeN5qOZCg6uwGQEaSZXf1R/47zBbOznpJTg=\n"
#define NOTE                                                                                                           \
    TEXT "\n" DASH "stats.example/ledger1"                                                                             \
         " XMp9/xr8ry+wxLgOHc2XdDeHAQTLNR3a/jD2EmkpbyhQXfYvTFyMOQCA5CcyVbveGYFsFYsf5OGIXH+jSR7C+y+xkw4=\n"
#define LOG_VKEY "stats.example/ledger1+5cca7dff+ASFS+NGbeR0kRTJC4V8uq2y3z/p7al7TAJeWDgaYgdsS"
#define VKEY "witness.example/w1+200fb1ab+BCL8KXeS8Lb/wL/P237bDAqhTgJaNl7A40Lobjgpy3S2"
#define LINE                                                                                                           \
    DASH "witness.example/w1 "                                                                                         \
         "IA+xqwAAAABlU/EAN032e80gCaodzioNAylYHOE4Exm9f1+0ExWDUHq4qZ5urKSY74D2zz93qfJy00rZG/zq29Xdt8LsLySN8/qiCg==\n"
#define LINE_2                                                                                                         \
    DASH "other.example/w2 "                                                                                           \
         "XsWehgAAAABlU/EAauMjB5BA/ZXJmiUr3TBVqihb1Ce+ReKRxiKe9geobjtdBoS9ztHLPGGs9xaW8rC0NR4HVf8Va1jKbTEZ3j2aCw==\n"
#define TIME 1700000000u

static gw_secret_key *witness_key(void) {
    uint8_t seed[GW_SEED_SIZE];
    gw_secret_key *key = NULL;
    memset(seed, 0x43, sizeof(seed));
    assert_int_equal(gw_key_from_seed(seed, &key), GW_OK);
    return key;
}

static gw_note_key witness(void) {
    gw_note_key key;
    assert_int_equal(gw_note_key_parse_as(VKEY, GW_NOTE_KEY_COSIGNER, &key, NULL), GW_OK);
    return key;
}

static gw_cosignature find(const char *note, uint64_t *ret_time) {
    gw_note_parts parts;
    gw_note_key key = witness();
    assert_int_equal(gw_note_split(gw_bytes_of(note), &parts, NULL), GW_OK);
    return gw_cosignature_find(&parts, &key, ret_time);
}

static void a_cosignature_is_the_one_that_another_implementation_makes(void **state) {
    (void)state;
    gw_secret_key *secret = witness_key();
    gw_buffer line;
    gw_buffer_init(&line, 1024);
    gw_cosignature_sign("witness.example/w1", secret, gw_bytes_of(TEXT), TIME, &line);
    assert_string_equal(gw_buffer_string(&line), LINE);
    gw_note_key made;
    char vkey[GW_VKEY_MAX];
    assert_int_equal(gw_note_key_make("witness.example/w1", GW_NOTE_KEY_COSIGNER, gw_key_public(secret), &made), GW_OK);
    gw_note_key_format(&made, vkey);
    assert_string_equal(vkey, VKEY);
    gw_buffer_done(&line);
    gw_secret_key_free(secret);
}

static void a_known_witness_is_found_among_others_with_its_time(void **state) {
    (void)state;
    uint64_t time = 0;
    assert_int_equal(find(NOTE LINE_2 LINE, &time), GW_COSIGNATURE_GOOD);
    assert_int_equal(time, TIME);
    assert_int_equal(find(NOTE LINE_2, &time), GW_COSIGNATURE_ABSENT);
    assert_int_equal(time, 0);
    // The same name with another key id is another key; so is the same key id under another name.
    assert_int_equal(find(NOTE DASH "witness.example/w1 AAAAAAAAAAAA\n", &time), GW_COSIGNATURE_ABSENT);
    assert_int_equal(find(NOTE DASH "witness.example/w9 IA+xqwAAAABlU/EA\n", &time), GW_COSIGNATURE_ABSENT);
}

static void no_changed_bit_of_a_cosignature_or_its_text_is_accepted(void **state) {
    (void)state;
    gw_note_key key = witness();
    char note[] = NOTE LINE;
    size_t text = strlen(TEXT), line = strlen(NOTE), size = strlen(NOTE LINE);
    for (size_t i = 0; i < size; i++) {
        if (i == text) { // the log's own line is the log's affair
            i = line - 1;
            continue;
        }
        for (unsigned bit = 0; bit < 8; bit++) {
            note[i] = (char)(note[i] ^ (1 << bit));
            gw_note_parts parts;
            if (gw_note_split((gw_bytes){(uint8_t *)note, size}, &parts, NULL) == GW_OK)
                assert_int_not_equal(gw_cosignature_find(&parts, &key, NULL), GW_COSIGNATURE_GOOD);
            note[i] = (char)(note[i] ^ (1 << bit));
        }
    }
    assert_int_equal(find(note, NULL), GW_COSIGNATURE_GOOD);
}

static void a_good_line_does_not_excuse_a_bad_one_of_the_same_witness(void **state) {
    (void)state;
    gw_buffer note;
    gw_secret_key *secret = witness_key();
    gw_buffer_init(&note, 4096);
    gw_buffer_text(&note, NOTE LINE);
    gw_cosignature_sign("witness.example/w1", secret, gw_bytes_of("other text\n"), TIME + 1, &note);
    uint64_t time = 7;
    assert_int_equal(find(gw_buffer_string(&note), &time), GW_COSIGNATURE_BAD);
    assert_int_equal(time, 0);
    assert_int_equal(find(NOTE DASH "witness.example/w1 IA+xqwAAAABlU/EA\n", &time), GW_COSIGNATURE_BAD); // too short
    // Also where the bad one stands first, and where a good signature is followed by one byte more.
    gw_buffer first;
    gw_buffer_init(&first, 4096);
    gw_buffer_text(&first, NOTE);
    gw_buffer_text(&first, strrchr(gw_buffer_string(&note), '\xe2')); // the bad line
    gw_buffer_text(&first, LINE);
    assert_int_equal(find(gw_buffer_string(&first), &time), GW_COSIGNATURE_BAD);
    uint8_t bytes[77] = {0};
    size_t size = 0;
    const char *code = strstr(LINE, "IA+x");
    assert_true(gw_unbase64(code, strlen(code) - 1, bytes, sizeof(bytes), &size));
    gw_buffer_done(&first);
    gw_buffer_text(&first, NOTE DASH "witness.example/w1 ");
    gw_base64_append(&first, (gw_bytes){bytes, size + 1});
    gw_buffer_text(&first, "\n");
    assert_int_equal(find(gw_buffer_string(&first), &time), GW_COSIGNATURE_BAD);
    gw_buffer_done(&first);
    gw_buffer_done(&note);
    gw_secret_key_free(secret);
}

static void the_newest_of_several_good_times_counts_and_none_past_63_bits(void **state) {
    (void)state;
    gw_buffer note;
    gw_secret_key *secret = witness_key();
    gw_buffer_init(&note, 4096);
    gw_buffer_text(&note, NOTE);
    gw_cosignature_sign("witness.example/w1", secret, gw_bytes_of(TEXT), TIME + 9, &note);
    gw_buffer_text(&note, LINE);
    uint64_t time = 0;
    assert_int_equal(find(gw_buffer_string(&note), &time), GW_COSIGNATURE_GOOD);
    assert_int_equal(time, TIME + 9);
    gw_cosignature_sign("witness.example/w1", secret, gw_bytes_of(TEXT), UINT64_MAX, &note);
    assert_int_equal(find(gw_buffer_string(&note), &time), GW_COSIGNATURE_BAD);
    gw_buffer_done(&note);
    gw_secret_key_free(secret);
}

// A post-quantum cosignature has 8 + 2,420 bytes and a key id of its own.
static void post_quantum_lines_and_sixteen_others_are_passed_over(void **state) {
    (void)state;
    static uint8_t bytes[4 + 8 + 2420] = {0x0b, 0xb9, 0x1e, 0x62};
    gw_buffer note;
    gw_buffer_init(&note, 65536);
    gw_buffer_text(&note, NOTE);
    for (int i = 0; i < 16; i++) {
        gw_buffer_text(&note, DASH "witness.example/w1 ");
        gw_base64_append(&note, (gw_bytes){bytes, sizeof(bytes)});
        gw_buffer_text(&note, "\n");
    }
    gw_buffer_text(&note, LINE);
    assert_int_equal(find(gw_buffer_string(&note), NULL), GW_COSIGNATURE_GOOD);
    gw_note_key log;
    gw_checkpoint checkpoint;
    assert_int_equal(gw_note_key_parse(LOG_VKEY, &log, NULL), GW_OK);
    assert_int_equal(gw_checkpoint_open(gw_buffer_bytes(&note), &log, &checkpoint, NULL), GW_OK);
    assert_int_equal(checkpoint.size, 70000);
    gw_buffer_done(&note);
}

static void a_log_key_is_no_witness_key_and_a_witness_key_no_log_key(void **state) {
    (void)state;
    gw_note_key key;
    gw_problem problem = {0};
    assert_int_equal(gw_note_key_parse_as(LOG_VKEY, GW_NOTE_KEY_COSIGNER, &key, &problem), GW_INVALID);
    assert_string_equal(problem.code, "bad_vkey");
    assert_int_equal(gw_note_key_parse(VKEY, &key, &problem), GW_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cosignature_is_the_one_that_another_implementation_makes),
        cmocka_unit_test(a_known_witness_is_found_among_others_with_its_time),
        cmocka_unit_test(no_changed_bit_of_a_cosignature_or_its_text_is_accepted),
        cmocka_unit_test(a_good_line_does_not_excuse_a_bad_one_of_the_same_witness),
        cmocka_unit_test(the_newest_of_several_good_times_counts_and_none_past_63_bits),
        cmocka_unit_test(post_quantum_lines_and_sixteen_others_are_passed_over),
        cmocka_unit_test(a_log_key_is_no_witness_key_and_a_witness_key_no_log_key),
    };
    return gw_crypto_init() == GW_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
