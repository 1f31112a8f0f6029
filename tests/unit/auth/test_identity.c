// SPDX-License-Identifier: Apache-2.0
// Who is asking, with a store that knows one principal. Reaches gw_identity_*.
#include "service/auth/identity.h"
#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ORIGIN "stats.example/godwit"
#define ALICE "00112233445566778899aabbccddeeff"
#define MALLORY "ffffffffffffffffffffffffffffffff"
#define NOW 1760000000

// The store as this room sees it.
struct gw_store_reader {
    gw_store_key keys[3];
    size_t key_count;
    unsigned roles;
    gw_status failure;
};

gw_status gw_store_keys_find(gw_store_reader *reader, const char *principal, const char *key_id, gw_store_key *ret,
                             size_t max, size_t *ret_count) {
    size_t count = 0;
    if (reader->failure != GW_OK)
        return reader->failure;
    for (size_t i = 0; i < reader->key_count && count < max; i++) {
        char id[GW_KEY_ID_HEX];
        gw_key_id(reader->keys[i].key, id);
        if (strcmp(reader->keys[i].principal, principal) == 0 && strcmp(id, key_id) == 0)
            ret[count++] = reader->keys[i];
    }
    *ret_count = count;
    return count == 0 ? GW_NOT_FOUND : GW_OK;
}

gw_status gw_store_principal_find(gw_store_reader *reader, const char *principal, gw_store_principal *ret) {
    if (strcmp(principal, ALICE) != 0)
        return GW_NOT_FOUND;
    ret->roles = reader->roles;
    return GW_OK;
}

static gw_secret_key *key_of(uint8_t seed_byte) {
    uint8_t seed[GW_SEED_SIZE];
    gw_secret_key *key = NULL;
    memset(seed, seed_byte, sizeof(seed));
    assert_int_equal(gw_key_from_seed(seed, &key), GW_OK);
    return key;
}

static gw_store_reader store_of_alice(void) {
    gw_secret_key *key = key_of(1);
    gw_store_reader reader = {.key_count = 1, .roles = GW_ROLE_RESEARCHER};
    reader.keys[0] = (gw_store_key){.principal = ALICE, .key = gw_key_public(key)};
    gw_secret_key_free(key);
    return reader;
}

typedef struct {
    gw_buffer buffer; // what the message borrows from
    gw_request_message message;
} signed_request;

static signed_request request_by(const char *principal, uint8_t seed_byte) {
    signed_request request = {0};
    gw_secret_key *key = key_of(seed_byte);
    gw_request_message message = {
        .origin = ORIGIN, .time = NOW, .idem = "0123456789abcdef0123456789abcdef", .body = gw_bytes_of("{}")};
    snprintf(message.principal, sizeof(message.principal), "%s", principal);
    gw_buffer_init(&request.buffer, 4096);
    gw_request_message_encode(&message, key, &request.buffer);
    assert_int_equal(gw_request_message_decode(gw_buffer_bytes(&request.buffer), &request.message, NULL), GW_OK);
    gw_secret_key_free(key);
    return request;
}

static gw_status check(gw_store_reader *reader, const char *principal, uint8_t seed_byte, gw_identity *ret,
                       gw_problem *problem) {
    signed_request request = request_by(principal, seed_byte);
    gw_status status = gw_identity_check(reader, ORIGIN, &request.message, NOW, ret, problem);
    gw_buffer_done(&request.buffer);
    return status;
}

static void a_signed_request_gives_principal_and_roles(void **state) {
    (void)state;
    gw_store_reader reader = store_of_alice();
    gw_identity identity;
    reader.roles = GW_ROLE_RESEARCHER | GW_ROLE_AUDITOR;
    assert_int_equal(check(&reader, ALICE, 1, &identity, NULL), GW_OK);
    assert_string_equal(identity.principal, ALICE);
    assert_int_equal(identity.roles, GW_ROLE_RESEARCHER | GW_ROLE_AUDITOR);
    assert_true(identity.is_known);
}

static void a_visitor_is_nobody_without_roles(void **state) {
    (void)state;
    gw_store_reader reader = store_of_alice();
    gw_identity identity;
    gw_request_message message = {.origin = ORIGIN, .auth = GW_AUTH_NONE};
    assert_int_equal(gw_identity_check(&reader, ORIGIN, &message, NOW, &identity, NULL), GW_OK);
    assert_string_equal(identity.principal, "00000000000000000000000000000000");
    assert_int_equal(identity.roles, 0);
    assert_false(identity.is_known);
}

static void a_token_is_refused_by_its_own_name(void **state) {
    (void)state;
    gw_store_reader reader = store_of_alice();
    gw_identity identity;
    gw_problem problem = {0};
    gw_request_message message = {.origin = ORIGIN, .auth = GW_AUTH_TOKEN, .token = "t"};
    assert_int_equal(gw_identity_check(&reader, ORIGIN, &message, NOW, &identity, &problem), GW_UNAUTHENTICATED);
    assert_string_equal(problem.code, "token_unsupported");
}

// Every way to fail, one look.
static void every_failure_looks_the_same(void **state) {
    (void)state;
    gw_problem problems[8] = {0};
    gw_identity identity = {.roles = 99};
    gw_store_reader reader = store_of_alice();
    assert_int_equal(check(&reader, MALLORY, 1, &identity, &problems[0]), GW_UNAUTHENTICATED); // no such principal
    assert_int_equal(check(&reader, ALICE, 2, &identity, &problems[1]), GW_UNAUTHENTICATED);   // no such key
    reader.keys[0].is_revoked = true;
    assert_int_equal(check(&reader, ALICE, 1, &identity, &problems[2]), GW_UNAUTHENTICATED);
    reader = store_of_alice();
    reader.keys[0].not_before = NOW + 1;
    assert_int_equal(check(&reader, ALICE, 1, &identity, &problems[3]), GW_UNAUTHENTICATED);
    reader = store_of_alice();
    reader.keys[0].not_after = NOW - 1;
    assert_int_equal(check(&reader, ALICE, 1, &identity, &problems[4]), GW_UNAUTHENTICATED);
    reader = store_of_alice();
    reader.roles = 0; // revoked principal
    assert_int_equal(check(&reader, ALICE, 1, &identity, &problems[5]), GW_UNAUTHENTICATED);
    reader = store_of_alice();
    signed_request request = request_by(ALICE, 1);
    request.message.signature.bytes[5] ^= 1;
    assert_int_equal(gw_identity_check(&reader, ORIGIN, &request.message, NOW, &identity, &problems[6]),
                     GW_UNAUTHENTICATED);
    request.message.signature.bytes[5] ^= 1;
    assert_int_equal(gw_identity_check(&reader, "other.example/godwit", &request.message, NOW, &identity, &problems[7]),
                     GW_UNAUTHENTICATED);
    gw_buffer_done(&request.buffer);
    assert_string_equal(problems[0].code, "unauthenticated");
    for (size_t i = 1; i < 8; i++)
        assert_memory_equal(&problems[i], &problems[0], sizeof(problems[0]));
    assert_int_equal(identity.roles, 99); // nothing was handed out
}

static void a_key_is_valid_at_both_ends_of_its_time(void **state) {
    (void)state;
    gw_store_reader reader = store_of_alice();
    gw_identity identity;
    reader.keys[0].not_before = NOW;
    reader.keys[0].not_after = NOW;
    assert_int_equal(check(&reader, ALICE, 1, &identity, NULL), GW_OK);
}

static void a_revoked_twin_does_not_shadow_the_live_key(void **state) {
    (void)state;
    gw_store_reader reader = store_of_alice();
    gw_identity identity;
    reader.keys[1] = reader.keys[0];
    reader.keys[0].is_revoked = true;
    reader.key_count = 2;
    assert_int_equal(check(&reader, ALICE, 1, &identity, NULL), GW_OK);
}

static void a_signature_does_not_carry_over_to_another_body(void **state) {
    (void)state;
    gw_store_reader reader = store_of_alice();
    gw_identity identity;
    signed_request request = request_by(ALICE, 1), other = request_by(ALICE, 1);
    char *idem = strstr((char *)other.buffer.data, "idem 0");
    idem[5] = '1';
    other.message.signature = request.message.signature;
    assert_int_equal(gw_identity_check(&reader, ORIGIN, &other.message, NOW, &identity, NULL), GW_UNAUTHENTICATED);
    gw_buffer_done(&request.buffer);
    gw_buffer_done(&other.buffer);
}

static void a_failing_store_is_not_a_refusal(void **state) {
    (void)state;
    gw_store_reader reader = store_of_alice();
    gw_identity identity;
    gw_problem problem = {0};
    reader.failure = GW_IO;
    assert_int_equal(check(&reader, ALICE, 1, &identity, &problem), GW_UNAVAILABLE);
    assert_string_equal(problem.code, "unavailable");
}

static void freshness_is_300_seconds_both_ways(void **state) {
    (void)state;
    gw_request_message message = {.time = NOW};
    assert_true(gw_identity_is_fresh(&message, NOW - 300));
    assert_true(gw_identity_is_fresh(&message, NOW + 300));
    assert_false(gw_identity_is_fresh(&message, NOW - 301));
    assert_false(gw_identity_is_fresh(&message, NOW + 301));
    message.time = INT64_MAX;
    assert_false(gw_identity_is_fresh(&message, NOW));
    assert_false(gw_identity_is_fresh(&message, INT64_MIN));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_request_gives_principal_and_roles),
        cmocka_unit_test(a_visitor_is_nobody_without_roles),
        cmocka_unit_test(a_token_is_refused_by_its_own_name),
        cmocka_unit_test(every_failure_looks_the_same),
        cmocka_unit_test(a_key_is_valid_at_both_ends_of_its_time),
        cmocka_unit_test(a_revoked_twin_does_not_shadow_the_live_key),
        cmocka_unit_test(a_signature_does_not_carry_over_to_another_body),
        cmocka_unit_test(a_failing_store_is_not_a_refusal),
        cmocka_unit_test(freshness_is_300_seconds_both_ways),
    };
    if (gw_crypto_init() != GW_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
