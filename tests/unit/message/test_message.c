// SPDX-License-Identifier: Apache-2.0
// The envelope: what it encodes it decodes, and nothing else decodes. Reaches gw_request_message_* and
// gw_reply_message_*.
#include "service/base/check.h"
#include "service/wire/message.h"
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MUTATIONS 2000
#define BODY "{\"v\":1,\"kind\":\"ping\"}"

static uint64_t random_next(uint64_t *state) { // xorshift64*, seeded: the same mutations at every run
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 2685821657736338717ull;
}

static gw_secret_key *key_of(uint8_t seed_byte) {
    uint8_t seed[GW_SEED_SIZE];
    gw_secret_key *key = NULL;
    memset(seed, seed_byte, sizeof(seed));
    assert_int_equal(gw_key_from_seed(seed, &key), GW_OK);
    return key;
}

static gw_request_message request_sample(void) {
    gw_request_message message = {.origin = "stats.example/godwit",
                                  .principal = "00112233445566778899aabbccddeeff",
                                  .time = 1760000000,
                                  .idem = "ffeeddccbbaa99887766554433221100",
                                  .has_seen = true,
                                  .seen_size = 18446744073709551615ull,
                                  .body = gw_bytes_of(BODY)};
    memset(message.seen_root.bytes, 0xA5, sizeof(message.seen_root.bytes));
    return message;
}

static void request_encode(const gw_request_message *message, uint8_t seed_byte, gw_buffer *buffer) {
    gw_secret_key *key = key_of(seed_byte);
    gw_buffer_init(buffer, 2 * GW_REQUEST_BYTES_MAX);
    gw_request_message_encode(message, key, buffer);
    assert_int_equal(buffer->status, GW_OK);
    gw_secret_key_free(key);
}

// Decodes a copy that ends where its allocation ends, so that a look past the end is caught by the sanitizer.
static gw_status request_decode_tight(gw_bytes bytes, gw_request_message *ret, uint8_t **ret_copy,
                                      gw_problem *problem) {
    *ret_copy = malloc(bytes.size == 0 ? 1 : bytes.size);
    assert_non_null(*ret_copy);
    if (bytes.size != 0)
        memcpy(*ret_copy, bytes.data, bytes.size);
    return gw_request_message_decode((gw_bytes){.data = *ret_copy, .size = bytes.size}, ret, problem);
}

static void assert_request_refused(gw_bytes bytes, const char *why_part) {
    gw_request_message message;
    gw_problem problem = {0};
    uint8_t *copy = NULL;
    assert_int_equal(request_decode_tight(bytes, &message, &copy, &problem), GW_INVALID);
    assert_string_equal(problem.code, "bad_message");
    if (strstr(problem.why, why_part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", problem.why, why_part);
    free(copy);
}

// The sample as text with the first `from` replaced by `to`.
static void assert_request_edit_refused(const char *from, const char *to, const char *why_part) {
    gw_request_message message = request_sample();
    gw_buffer encoded, edited;
    request_encode(&message, 1, &encoded);
    const char *text = gw_buffer_string(&encoded);
    const char *at = strstr(text, from);
    assert_non_null(at);
    gw_buffer_init(&edited, 2 * GW_REQUEST_BYTES_MAX);
    gw_buffer_append(&edited, text, (size_t)(at - text));
    gw_buffer_text(&edited, to);
    gw_buffer_text(&edited, at + strlen(from));
    assert_request_refused(gw_buffer_bytes(&edited), why_part);
    gw_buffer_done(&encoded);
    gw_buffer_done(&edited);
}

static void request_decodes_to_what_was_encoded(void **state) {
    (void)state;
    gw_request_message message = request_sample(), decoded = {0};
    gw_buffer buffer;
    gw_problem problem = {0};
    request_encode(&message, 7, &buffer);
    assert_int_equal(gw_request_message_decode(gw_buffer_bytes(&buffer), &decoded, &problem), GW_OK);
    assert_string_equal(decoded.origin, message.origin);
    assert_string_equal(decoded.principal, message.principal);
    assert_string_equal(decoded.idem, message.idem);
    assert_int_equal(decoded.time, message.time);
    assert_true(decoded.has_seen);
    assert_true(decoded.seen_size == UINT64_MAX);
    assert_true(gw_hash_equal(decoded.seen_root, message.seen_root));
    assert_int_equal(decoded.auth, GW_AUTH_SIGNATURE);
    assert_true(gw_bytes_equal(decoded.body, gw_bytes_of(BODY)));
    gw_buffer_done(&buffer);
}

static void request_bytes_are_those_of_the_page(void **state) {
    (void)state;
    gw_request_message message = {.origin = "a.example/g", .time = 5, .idem = "00000000000000000000000000000001"};
    gw_buffer buffer;
    gw_buffer_init(&buffer, 4096);
    gw_request_message_encode(&message, NULL, &buffer);
    assert_string_equal(gw_buffer_string(&buffer),
                        "godwit/1 request\norigin a.example/g\nprincipal 00000000000000000000000000000000\n"
                        "key 00000000\ntime 5\nidem 00000000000000000000000000000001\n"
                        "body 0 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nauth none\n\n");
    gw_buffer_done(&buffer);
}

static void request_signature_covers_every_byte_before_its_line(void **state) {
    (void)state;
    gw_request_message message = request_sample(), decoded = {0};
    gw_buffer buffer;
    gw_secret_key *key = key_of(9);
    char key_id[GW_KEY_ID_HEX];
    request_encode(&message, 9, &buffer);
    assert_int_equal(gw_request_message_decode(gw_buffer_bytes(&buffer), &decoded, NULL), GW_OK);
    gw_key_id(gw_key_public(key), key_id);
    assert_string_equal(decoded.key, key_id);
    assert_ptr_equal(decoded.signed_bytes.data, buffer.data);
    assert_memory_equal(decoded.signed_bytes.data + decoded.signed_bytes.size, "auth sig ", 9);
    assert_true(gw_verify_signature(gw_key_public(key), decoded.signed_bytes, decoded.signature));
    gw_secret_key_free(key);
    gw_buffer_done(&buffer);
}

static void encoding_a_decoded_request_gives_the_same_bytes(void **state) {
    (void)state;
    gw_request_message samples[3] = {request_sample(), request_sample(), request_sample()};
    samples[0].has_seen = false;
    samples[1].auth = GW_AUTH_TOKEN;
    memset(samples[1].token, 't', 128);
    samples[2].body = (gw_bytes){0};
    for (size_t i = 0; i < 3; i++) {
        gw_secret_key *key = key_of(3);
        gw_buffer first, second;
        gw_request_message decoded;
        gw_buffer_init(&first, 4096);
        gw_buffer_init(&second, 4096);
        memcpy(samples[i].key, "01234567", GW_KEY_ID_HEX);
        gw_request_message_encode(&samples[i], samples[i].auth == GW_AUTH_TOKEN ? NULL : key, &first);
        assert_int_equal(gw_request_message_decode(gw_buffer_bytes(&first), &decoded, NULL), GW_OK);
        gw_request_message_encode(&decoded, NULL, &second);
        assert_string_equal(gw_buffer_string(&first), gw_buffer_string(&second));
        gw_secret_key_free(key);
        gw_buffer_done(&first);
        gw_buffer_done(&second);
    }
}

static void request_refuses_every_truncation_and_any_extra_byte(void **state) {
    (void)state;
    gw_request_message message = request_sample();
    gw_buffer buffer;
    request_encode(&message, 1, &buffer);
    for (size_t size = 0; size < buffer.size; size++)
        assert_request_refused((gw_bytes){.data = buffer.data, .size = size}, "");
    gw_buffer_text(&buffer, "x");
    assert_request_refused(gw_buffer_bytes(&buffer), "more bytes follow");
    gw_buffer_done(&buffer);
}

static void request_refuses_other_spellings(void **state) {
    (void)state;
    assert_request_edit_refused("godwit/1", "godwit/2", "exactly this line");
    assert_request_edit_refused("origin stats", "Origin stats", "\"origin\"");
    assert_request_edit_refused("origin stats.example", "origin stats example", "one word");
    assert_request_edit_refused("stats", "st\xC3\xA4ts", "ASCII");
    assert_request_edit_refused("stats", "st\rats", "ASCII");
    assert_request_edit_refused("origin stats", "origin  stats", "one word");
    assert_request_edit_refused("aabbccddeeff\n", "AABBCCDDEEFF\n", "hexadecimal");
    assert_request_edit_refused("aabbccddeeff\n", "aabbccddeef\n", "hexadecimal");
    assert_request_edit_refused("time 1760000000", "time 01760000000", "leading zeros");
    assert_request_edit_refused("time 1760000000", "time -1", "decimal");
    assert_request_edit_refused("time 1760000000", "time +1", "decimal");
    assert_request_edit_refused("time 1760000000", "time 9223372036854775808", "bound");
    assert_request_edit_refused("time 1760000000", "time 1760000000 ", "decimal");
    assert_request_edit_refused("seen 18446744073709551615", "seen 18446744073709551616", "bound");
    assert_request_edit_refused("seen 18446744073709551615", "seen 99999999999999999999999", "bound");
    assert_request_edit_refused("paWlpaU=", "paWlpaV=", "base64");
    assert_request_edit_refused("auth sig", "auth SIG", "sig, token or none");
    assert_request_edit_refused("auth sig ", "auth  sig ", "two words");
    assert_request_edit_refused("\n\n", "\n \n", "exactly this line");
    assert_request_edit_refused("\"ping\"", "\"pong\"", "hash");
}

static void request_refuses_wrong_lengths(void **state) {
    (void)state;
    assert_request_edit_refused("body 21", "body 20", "more bytes");
    assert_request_edit_refused("body 21", "body 22", "fewer bytes");
    assert_request_edit_refused("body 21", "body 021", "leading zeros");
    assert_request_edit_refused("body 21", "body 1048577", "bound");
    assert_request_edit_refused("body 21", "body 18446744073709551615", "bound");
}

static void request_refuses_another_order_and_repeats(void **state) {
    (void)state;
    assert_request_edit_refused("time 1760000000\nidem ffeeddccbbaa99887766554433221100\n",
                                "idem ffeeddccbbaa99887766554433221100\ntime 1760000000\n", "\"time\"");
    assert_request_edit_refused("time 1760000000\n", "time 1760000000\ntime 1760000000\n", "\"idem\"");
    assert_request_edit_refused("time 1760000000\n", "", "\"time\"");
}

static void request_refuses_a_nul_in_a_line(void **state) {
    (void)state;
    gw_request_message message = request_sample();
    gw_buffer buffer;
    request_encode(&message, 1, &buffer);
    uint8_t *at = (uint8_t *)strstr((char *)buffer.data, "example");
    *at = '\0';
    assert_request_refused(gw_buffer_bytes(&buffer), "ASCII");
    gw_buffer_done(&buffer);
}

static void request_without_authentication_has_no_name(void **state) {
    (void)state;
    gw_request_message message = request_sample();
    gw_buffer buffer;
    gw_buffer_init(&buffer, 4096);
    message.auth = GW_AUTH_TOKEN; // keeps the principal in the text
    memcpy(message.key, "00000000", GW_KEY_ID_HEX);
    memcpy(message.token, "x", 2);
    gw_request_message_encode(&message, NULL, &buffer);
    char *at = strstr((char *)buffer.data, "auth token x");
    memcpy(at, "auth none\n\n", 11);
    memmove(at + 11, BODY, sizeof(BODY) - 1);
    assert_request_refused(
        (gw_bytes){.data = buffer.data, .size = (size_t)(at + 11 + sizeof(BODY) - 1 - (char *)buffer.data)},
        "all zeros");
    gw_buffer_done(&buffer);
}

static void request_size_is_bounded_at_one_mebibyte(void **state) {
    (void)state;
    gw_request_message message = request_sample();
    uint8_t *body = calloc(1, GW_REQUEST_BYTES_MAX);
    assert_non_null(body);
    gw_buffer buffer;
    message.body = (gw_bytes){.data = body, .size = 1};
    request_encode(&message, 1, &buffer);
    size_t header_size = buffer.size - 1 + 6; // a length of seven digits instead of one
    gw_buffer_done(&buffer);
    message.body.size = GW_REQUEST_BYTES_MAX - header_size;
    request_encode(&message, 1, &buffer);
    assert_true(buffer.size == GW_REQUEST_BYTES_MAX);
    assert_int_equal(gw_request_message_decode(gw_buffer_bytes(&buffer), &message, NULL), GW_OK);
    gw_buffer_done(&buffer);
    message = request_sample();
    message.body = (gw_bytes){.data = body, .size = GW_REQUEST_BYTES_MAX - header_size + 1};
    request_encode(&message, 1, &buffer);
    assert_request_refused(gw_buffer_bytes(&buffer), "1048576");
    gw_buffer_done(&buffer);
    free(body);
}

static void mutate(uint8_t *bytes, size_t size, uint64_t *random) {
    static const char interesting[] = "\n 0123456789abcdefAF\0\xFF";
    unsigned count = 1 + (unsigned)(random_next(random) % 3);
    for (unsigned i = 0; i < count; i++) {
        size_t at = (size_t)(random_next(random) % size);
        if (random_next(random) % 2 == 0)
            bytes[at] = (uint8_t)interesting[random_next(random) % (sizeof(interesting) - 1)];
        else
            bytes[at] ^= (uint8_t)(1u << random_next(random) % 8);
    }
}

// What a mutated request decodes to, if it does, must be spelled in the only way. The key cannot be at fault: the
// signature is not judged here.
static void a_mutated_request_is_refused_or_its_only_spelling(void **state) {
    (void)state;
    uint64_t random = 20240601;
    gw_request_message message = request_sample();
    gw_buffer original;
    size_t refused = 0;
    request_encode(&message, 1, &original);
    for (int i = 0; i < MUTATIONS; i++) {
        size_t size =
            random_next(&random) % 8 == 0 ? 1 + (size_t)(random_next(&random) % original.size) : original.size;
        uint8_t *bytes = malloc(size);
        assert_non_null(bytes);
        memcpy(bytes, original.data, size);
        mutate(bytes, size, &random);
        gw_request_message decoded;
        if (gw_request_message_decode((gw_bytes){.data = bytes, .size = size}, &decoded, NULL) == GW_OK) {
            gw_buffer again;
            gw_buffer_init(&again, 4096);
            gw_request_message_encode(&decoded, NULL, &again);
            assert_true(gw_bytes_equal(gw_buffer_bytes(&again), (gw_bytes){.data = bytes, .size = size}));
            gw_buffer_done(&again);
        } else {
            refused++;
        }
        free(bytes);
    }
    assert_true(refused > MUTATIONS / 10);
    assert_true(refused < MUTATIONS); // digits of ids may change
    gw_buffer_done(&original);
}

// ---- replies

static gw_reply_message reply_sample(void) {
    gw_reply_message reply = {.status = GW_REPLY_OK,
                              .answer = gw_bytes_of("{\"v\":1}"),
                              .receipt = gw_bytes_of("a receipt\n"),
                              .account = gw_bytes_of("{\"v\":1,\"charged\":\"0.05\"}")};
    memset(reply.request.bytes, 0x3C, sizeof(reply.request.bytes));
    return reply;
}

static void reply_encode(const gw_reply_message *reply, gw_buffer *buffer) {
    gw_secret_key *key = key_of(5);
    gw_buffer_init(buffer, 65536);
    gw_reply_message_encode(reply, key, buffer);
    assert_int_equal(buffer->status, GW_OK);
    gw_secret_key_free(key);
}

static void reply_decodes_to_what_was_encoded(void **state) {
    (void)state;
    for (int status = GW_REPLY_OK; status <= GW_REPLY_BUSY; status++) {
        gw_reply_message reply = reply_sample(), decoded;
        gw_buffer buffer, again;
        reply.status = (gw_reply_status)status;
        reply_encode(&reply, &buffer);
        assert_int_equal(gw_reply_message_decode(gw_buffer_bytes(&buffer), &decoded, NULL), GW_OK);
        assert_int_equal(decoded.status, status);
        assert_true(gw_hash_equal(decoded.request, reply.request));
        assert_true(gw_bytes_equal(decoded.answer, reply.answer));
        assert_true(gw_bytes_equal(decoded.receipt, reply.receipt));
        assert_true(gw_bytes_equal(decoded.account, reply.account));
        gw_buffer_init(&again, 65536);
        gw_reply_message_encode(&decoded, NULL, &again);
        assert_string_equal(gw_buffer_string(&again), gw_buffer_string(&buffer));
        gw_buffer_done(&buffer);
        gw_buffer_done(&again);
    }
}

static void reply_signature_covers_every_byte_before_its_line(void **state) {
    (void)state;
    gw_reply_message reply = reply_sample(), decoded;
    gw_buffer buffer;
    gw_secret_key *key = key_of(5);
    reply_encode(&reply, &buffer);
    assert_int_equal(gw_reply_message_decode(gw_buffer_bytes(&buffer), &decoded, NULL), GW_OK);
    assert_ptr_equal(decoded.signed_bytes.data, buffer.data);
    assert_memory_equal(decoded.signed_bytes.data + decoded.signed_bytes.size, "sig ", 4);
    assert_true(gw_verify_signature(gw_key_public(key), decoded.signed_bytes, decoded.signature));
    gw_secret_key_free(key);
    gw_buffer_done(&buffer);
}

static void reply_refuses_every_truncation_and_any_extra_byte(void **state) {
    (void)state;
    gw_reply_message reply = reply_sample(), decoded;
    gw_buffer buffer;
    reply_encode(&reply, &buffer);
    for (size_t size = 0; size < buffer.size; size++) {
        uint8_t *copy = malloc(size == 0 ? 1 : size);
        assert_non_null(copy);
        memcpy(copy, buffer.data, size);
        assert_int_equal(gw_reply_message_decode((gw_bytes){.data = copy, .size = size}, &decoded, NULL), GW_INVALID);
        free(copy);
    }
    gw_buffer_text(&buffer, "x");
    assert_int_equal(gw_reply_message_decode(gw_buffer_bytes(&buffer), &decoded, NULL), GW_INVALID);
    gw_buffer_done(&buffer);
}

static void reply_refuses_a_wrong_answer(void **state) {
    (void)state;
    gw_reply_message reply = reply_sample(), decoded;
    gw_buffer buffer;
    gw_problem problem = {0};
    reply_encode(&reply, &buffer);
    char *at = strstr((char *)buffer.data, "{\"v\":1}");
    at[5] = '2';
    assert_int_equal(gw_reply_message_decode(gw_buffer_bytes(&buffer), &decoded, &problem), GW_INVALID);
    assert_string_equal(problem.code, "bad_message");
    assert_non_null(strstr(problem.why, "hash"));
    gw_buffer_done(&buffer);
}

static void a_mutated_reply_is_refused_or_its_only_spelling(void **state) {
    (void)state;
    uint64_t random = 77;
    gw_reply_message reply = reply_sample();
    gw_buffer original;
    reply_encode(&reply, &original);
    size_t refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
        uint8_t *bytes = malloc(original.size);
        assert_non_null(bytes);
        memcpy(bytes, original.data, original.size);
        mutate(bytes, original.size, &random);
        gw_reply_message decoded;
        gw_bytes mutated = {.data = bytes, .size = original.size};
        if (gw_reply_message_decode(mutated, &decoded, NULL) == GW_OK) {
            gw_buffer again;
            gw_buffer_init(&again, 65536);
            gw_reply_message_encode(&decoded, NULL, &again);
            assert_true(gw_bytes_equal(gw_buffer_bytes(&again), mutated));
            gw_buffer_done(&again);
        } else {
            refused++;
        }
        free(bytes);
    }
    assert_true(refused > MUTATIONS / 10);
    gw_buffer_done(&original);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_decodes_to_what_was_encoded),
        cmocka_unit_test(request_bytes_are_those_of_the_page),
        cmocka_unit_test(request_signature_covers_every_byte_before_its_line),
        cmocka_unit_test(encoding_a_decoded_request_gives_the_same_bytes),
        cmocka_unit_test(request_refuses_every_truncation_and_any_extra_byte),
        cmocka_unit_test(request_refuses_other_spellings),
        cmocka_unit_test(request_refuses_wrong_lengths),
        cmocka_unit_test(request_refuses_another_order_and_repeats),
        cmocka_unit_test(request_refuses_a_nul_in_a_line),
        cmocka_unit_test(request_without_authentication_has_no_name),
        cmocka_unit_test(request_size_is_bounded_at_one_mebibyte),
        cmocka_unit_test(a_mutated_request_is_refused_or_its_only_spelling),
        cmocka_unit_test(reply_decodes_to_what_was_encoded),
        cmocka_unit_test(reply_signature_covers_every_byte_before_its_line),
        cmocka_unit_test(reply_refuses_every_truncation_and_any_extra_byte),
        cmocka_unit_test(reply_refuses_a_wrong_answer),
        cmocka_unit_test(a_mutated_reply_is_refused_or_its_only_spelling),
    };
    if (gw_crypto_init() != GW_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
