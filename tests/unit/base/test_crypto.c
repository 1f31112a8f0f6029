// SPDX-License-Identifier: Apache-2.0
// Hashes and signatures against published vectors (FIPS 180, RFC 4231, RFC 8032, RFC 7539), encodings against their
// rules.
#include "service/base/crypto.h"
#include "tests/support/unit.h"
#include <pthread.h>

static void assert_hash(gw_hash hash, const char *hex) {
    char text[GW_HASH_HEX];
    gw_hex((gw_bytes){.data = hash.bytes, .size = sizeof(hash.bytes)}, text);
    assert_string_equal(text, hex);
}

static void sha256_matches_published_vectors(void **state) {
    (void)state;
    assert_hash(gw_sha256(gw_bytes_of("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_hash(gw_sha256(gw_bytes_of("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_hash(gw_sha256_two(gw_bytes_of("a"), gw_bytes_of("bc")),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void a_stream_hashes_as_the_whole_and_starts_anew(void **state) {
    (void)state;
    gw_sha256_stream *stream = gw_sha256_stream_new();
    for (int i = 0; i < 1000000; i += 1000) {
        char block[1000];
        memset(block, 'a', sizeof(block));
        gw_sha256_stream_add(stream, (gw_bytes){.data = (const uint8_t *)block, .size = sizeof(block)});
    }
    assert_hash(gw_sha256_stream_end(stream), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    gw_sha256_stream_add(stream, gw_bytes_of("abc"));
    assert_hash(gw_sha256_stream_end(stream), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    gw_sha256_stream_free(stream);
    gw_sha256_stream_free(NULL);
}

static void hmac_matches_rfc_4231(void **state) {
    (void)state;
    uint8_t key[131]; // test case 6: a key longer than a block
    memset(key, 0xaa, sizeof(key));
    assert_hash(gw_hmac_sha256((gw_bytes){.data = key, .size = sizeof(key)},
                               gw_bytes_of("Test Using Larger Than Block-Size Key - Hash Key First")),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    assert_hash(gw_hmac_sha256(gw_bytes_of("Jefe"), gw_bytes_of("what do ya want for nothing?")),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void *hash_in_thread(void *ret) {
    *(gw_hash *)ret = gw_sha256(gw_bytes_of("abc"));
    return NULL;
}

static void every_thread_may_hash(void **state) {
    (void)state;
    pthread_t threads[8];
    gw_hash hashes[8];
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_in_thread, &hashes[i]), 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_hash(hashes[i], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

static void signatures_match_rfc_8032(void **state) {
    (void)state;
    uint8_t seed[GW_SEED_SIZE]; // section 7.1, test 2
    assert_true(gw_unhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", 64, seed, sizeof(seed)));
    gw_secret_key *key = NULL;
    assert_int_equal(gw_key_from_seed(seed, &key), GW_OK);
    gw_public_key public_key = gw_key_public(key);
    char text[2 * GW_SIGNATURE_SIZE + 1];
    gw_hex((gw_bytes){.data = public_key.bytes, .size = sizeof(public_key.bytes)}, text);
    assert_string_equal(text, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    gw_signature signature = gw_sign(key, gw_bytes_of("r"));
    gw_hex((gw_bytes){.data = signature.bytes, .size = sizeof(signature.bytes)}, text);
    assert_string_equal(text, "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                              "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    assert_true(gw_verify_signature(public_key, gw_bytes_of("r"), signature));
    gw_secret_key_free(key);
}

static void a_changed_bit_fails_verification(void **state) {
    (void)state;
    gw_secret_key *key = NULL;
    assert_int_equal(gw_key_generate(&key), GW_OK);
    gw_public_key public_key = gw_key_public(key);
    gw_signature signature = gw_sign(key, gw_bytes_of("message"));
    assert_true(gw_verify_signature(public_key, gw_bytes_of("message"), signature));
    assert_false(gw_verify_signature(public_key, gw_bytes_of("messagf"), signature));
    for (size_t i = 0; i < GW_SIGNATURE_SIZE; i++) {
        gw_signature changed = signature;
        changed.bytes[i] ^= 1;
        assert_false(gw_verify_signature(public_key, gw_bytes_of("message"), changed));
    }
    gw_secret_key_free(key);
    gw_secret_key_free(NULL);
}

static void hex_is_strict(void **state) {
    (void)state;
    uint8_t bytes[2] = {1, 2};
    assert_true(gw_unhex("00ff", 4, bytes, 2));
    assert_int_equal(bytes[1], 0xff);
    assert_false(gw_unhex("00FF", 4, bytes, 2));
    assert_false(gw_unhex("00f", 3, bytes, 2));
    assert_false(gw_unhex("00ff0", 5, bytes, 2));
    assert_false(gw_unhex("0 ff", 4, bytes, 2));
    assert_false(gw_unhex("00f:", 4, bytes, 2));
    assert_int_equal(bytes[1], 0xff);
}

static void base64_goes_there_and_back(void **state) {
    (void)state;
    uint8_t bytes[200];
    uint8_t back[200];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        gw_buffer buffer;
        gw_buffer_init(&buffer, 1000);
        gw_base64_append(&buffer, (gw_bytes){.data = bytes, .size = size});
        assert_int_equal(buffer.size, (size + 2) / 3 * 4);
        size_t back_size = 999;
        assert_true(gw_unbase64(gw_buffer_string(&buffer), buffer.size, back, sizeof(back), &back_size));
        assert_int_equal(back_size, size);
        assert_memory_equal(back, bytes, size);
        gw_buffer_done(&buffer);
    }
}

static void base64_has_one_spelling(void **state) {
    (void)state;
    uint8_t bytes[8];
    size_t size = 0;
    const char *const refused[] = {
        "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Z===", "====", "Zm 9", "Zm9v\n", "Zm-_", "=Zg="};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (gw_unbase64(refused[i], strlen(refused[i]), bytes, sizeof(bytes), &size))
            fail_msg("accepted: %s", refused[i]);
    assert_true(gw_unbase64("Zg==", 4, bytes, sizeof(bytes), &size));
    assert_int_equal(size, 1);
    assert_int_equal(bytes[0], 'f');
    assert_false(gw_unbase64("Zm9vYmFyZm9v", 12, bytes, 8, &size)); // 9 bytes do not fit
}

static void the_keystream_is_chacha20(void **state) {
    (void)state;
    uint8_t key[GW_STREAM_KEY_SIZE] = {0};
    uint8_t bytes[32];
    char text[65];
    gw_chacha20_stream(key, 0, bytes, sizeof(bytes)); // RFC 7539, A.1, test vector 1: counter and nonce zero
    gw_hex((gw_bytes){.data = bytes, .size = sizeof(bytes)}, text);
    assert_string_equal(text, "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7");
}

static void ids_and_hashes_compare_by_every_byte(void **state) {
    (void)state;
    char first[GW_ID_HEX], second[GW_ID_HEX];
    gw_random_id(first);
    gw_random_id(second);
    assert_int_equal(strlen(first), 32);
    assert_string_not_equal(first, second);
    gw_hash a = gw_sha256(gw_bytes_of("a"));
    for (size_t i = 0; i < GW_HASH_SIZE; i++) {
        gw_hash b = a;
        assert_true(gw_hash_equal(a, b));
        b.bytes[i] ^= 0x80;
        assert_false(gw_hash_equal(a, b));
    }
}

static void a_key_id_is_the_hash_of_the_public_key(void **state) {
    (void)state;
    gw_public_key key = {.bytes = {1, 2, 3}};
    char text[GW_KEY_ID_HEX], hash[GW_HASH_HEX];
    gw_key_id(key, text);
    gw_hash whole = gw_sha256((gw_bytes){.data = key.bytes, .size = sizeof(key.bytes)});
    gw_hex((gw_bytes){.data = whole.bytes, .size = sizeof(whole.bytes)}, hash);
    assert_int_equal(strlen(text), 8);
    assert_memory_equal(text, hash, 8);
}

static int init(void **state) {
    (void)state;
    return gw_crypto_init() == GW_OK && gw_crypto_init() == GW_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_matches_published_vectors),
        cmocka_unit_test(a_stream_hashes_as_the_whole_and_starts_anew),
        cmocka_unit_test(hmac_matches_rfc_4231),
        cmocka_unit_test(every_thread_may_hash),
        cmocka_unit_test(signatures_match_rfc_8032),
        cmocka_unit_test(a_changed_bit_fails_verification),
        cmocka_unit_test(hex_is_strict),
        cmocka_unit_test(base64_goes_there_and_back),
        cmocka_unit_test(base64_has_one_spelling),
        cmocka_unit_test(the_keystream_is_chacha20),
        cmocka_unit_test(ids_and_hashes_compare_by_every_byte),
        cmocka_unit_test(a_key_id_is_the_hash_of_the_public_key),
    };
    return cmocka_run_group_tests(tests, init, NULL);
}
