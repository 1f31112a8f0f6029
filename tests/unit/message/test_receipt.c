// SPDX-License-Identifier: Apache-2.0
// The receipt's text: a tlog-proof with our evidence inside. Reaches gw_receipt_*.
#include "service/wire/receipt.h"
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MUTATIONS 2000
#define CHECKPOINT "stats.example/g\n9\nAAAA\n\n\xE2\x80\x94 stats.example/g AAAA\n"

static uint64_t random_next(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 2685821657736338717ull;
}

static gw_receipt receipt_sample(size_t proof_count) {
    gw_receipt receipt = {.release_index = 8,
                          .charge_index = 7,
                          .release_entry = gw_bytes_of("godwit/v1 release\nseq 8\n"),
                          .charge_entry = gw_bytes_of("godwit/v1 charge\nseq 7\n"),
                          .release_proof_count = proof_count,
                          .charge_proof_count = proof_count,
                          .checkpoint = gw_bytes_of(CHECKPOINT)};
    memset(receipt.salt.bytes, 0x5A, sizeof(receipt.salt.bytes));
    for (size_t i = 0; i < proof_count; i++) {
        memset(receipt.release_proof[i].bytes, (int)i, GW_HASH_SIZE);
        memset(receipt.charge_proof[i].bytes, (int)(128 + i), GW_HASH_SIZE);
    }
    return receipt;
}

static void receipt_decodes_to_what_was_encoded(void **state) {
    (void)state;
    const size_t counts[] = {0, 1, 17, 64};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        gw_receipt receipt = receipt_sample(counts[i]), decoded;
        gw_buffer buffer, scratch, again;
        gw_buffer_init(&buffer, GW_RECEIPT_MAX);
        gw_buffer_init(&scratch, GW_RECEIPT_MAX);
        gw_buffer_init(&again, GW_RECEIPT_MAX);
        gw_receipt_encode(&receipt, &buffer);
        assert_int_equal(buffer.status, GW_OK);
        assert_int_equal(gw_receipt_decode(gw_buffer_bytes(&buffer), &scratch, &decoded, NULL), GW_OK);
        assert_true(gw_hash_equal(decoded.salt, receipt.salt));
        assert_int_equal(decoded.release_index, 8);
        assert_int_equal(decoded.charge_index, 7);
        assert_true(gw_bytes_equal(decoded.release_entry, receipt.release_entry));
        assert_true(gw_bytes_equal(decoded.charge_entry, receipt.charge_entry));
        assert_true(gw_bytes_equal(decoded.checkpoint, receipt.checkpoint));
        assert_int_equal(decoded.release_proof_count, counts[i]);
        assert_int_equal(decoded.charge_proof_count, counts[i]);
        assert_memory_equal(decoded.release_proof, receipt.release_proof, counts[i] * GW_HASH_SIZE);
        assert_memory_equal(decoded.charge_proof, receipt.charge_proof, counts[i] * GW_HASH_SIZE);
        gw_receipt_encode(&decoded, &again);
        assert_string_equal(gw_buffer_string(&again), gw_buffer_string(&buffer));
        gw_buffer_done(&buffer);
        gw_buffer_done(&scratch);
        gw_buffer_done(&again);
    }
}

static void receipt_text_is_a_tlog_proof(void **state) {
    (void)state;
    gw_receipt receipt = receipt_sample(1);
    gw_buffer buffer;
    gw_buffer_init(&buffer, GW_RECEIPT_MAX);
    gw_receipt_encode(&receipt, &buffer);
    const char *text = gw_buffer_string(&buffer);
    const char *head = "c2sp.org/tlog-proof@v1\nextra ";
    const char *tail = "\nindex 8\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n" CHECKPOINT;
    assert_memory_equal(text, head, strlen(head));
    assert_string_equal(text + buffer.size - strlen(tail), tail);
    gw_buffer_done(&buffer);
}

static void assert_refused(gw_bytes bytes) {
    gw_receipt decoded;
    gw_buffer scratch;
    gw_problem problem = {0};
    uint8_t *copy = malloc(bytes.size == 0 ? 1 : bytes.size);
    assert_non_null(copy);
    memcpy(copy, bytes.data, bytes.size);
    gw_buffer_init(&scratch, GW_RECEIPT_MAX);
    assert_int_equal(gw_receipt_decode((gw_bytes){.data = copy, .size = bytes.size}, &scratch, &decoded, &problem),
                     GW_INVALID);
    assert_string_equal(problem.code, "bad_receipt");
    assert_true(strlen(problem.why) > 10);
    gw_buffer_done(&scratch);
    free(copy);
}

static void receipt_refuses_a_cut_before_the_checkpoint(void **state) {
    (void)state;
    gw_receipt receipt = receipt_sample(3);
    gw_buffer buffer;
    gw_buffer_init(&buffer, GW_RECEIPT_MAX);
    gw_receipt_encode(&receipt, &buffer);
    for (size_t size = 0; size <= buffer.size - strlen(CHECKPOINT); size++)
        assert_refused((gw_bytes){.data = buffer.data, .size = size});
    gw_buffer_done(&buffer);
}

// A receipt whose evidence is `evidence`.
static void assert_evidence_refused(const char *evidence) {
    gw_buffer buffer;
    gw_buffer_init(&buffer, GW_RECEIPT_MAX);
    gw_buffer_text(&buffer, "c2sp.org/tlog-proof@v1\nextra ");
    gw_base64_append(&buffer, gw_bytes_of(evidence));
    gw_buffer_text(&buffer, "\nindex 1\n\n" CHECKPOINT);
    assert_refused(gw_buffer_bytes(&buffer));
    gw_buffer_done(&buffer);
}

#define SALT "salt 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\n"

static void receipt_refuses_wrong_evidence(void **state) {
    (void)state;
    gw_receipt decoded;
    gw_buffer buffer, scratch;
    gw_buffer_init(&buffer, GW_RECEIPT_MAX);
    gw_buffer_init(&scratch, GW_RECEIPT_MAX);
    gw_buffer_text(&buffer, "c2sp.org/tlog-proof@v1\nextra ");
    gw_base64_append(&buffer, gw_bytes_of("godwit/1 evidence\n" SALT "release 2\ncharge 0 1\nproof 0\n\nabc"));
    gw_buffer_text(&buffer, "\nindex 1\n\n" CHECKPOINT);
    assert_int_equal(gw_receipt_decode(gw_buffer_bytes(&buffer), &scratch, &decoded, NULL), GW_OK); // the right one
    gw_buffer_done(&buffer);
    gw_buffer_done(&scratch);
    assert_evidence_refused("");
    assert_evidence_refused("godwit/2 evidence\n" SALT "release 2\ncharge 0 1\nproof 0\n\nabc");
    assert_evidence_refused("godwit/1 evidence\n" SALT "release 2\ncharge 0 1\nproof 0\n\nab");
    assert_evidence_refused("godwit/1 evidence\n" SALT "release 2\ncharge 0 1\nproof 0\n\nabcd");
    assert_evidence_refused("godwit/1 evidence\n" SALT "release 2\ncharge 0 1\nproof 1\n\nabc");
    assert_evidence_refused("godwit/1 evidence\n" SALT "release 2\ncharge 00 1\nproof 0\n\nabc");
    assert_evidence_refused("godwit/1 evidence\n" SALT "release 18446744073709551615\ncharge 0 4\nproof 0\n\nabc");
}

static void receipt_refuses_more_than_64_hashes(void **state) {
    (void)state;
    gw_receipt receipt = receipt_sample(64);
    gw_buffer buffer, longer;
    gw_buffer_init(&buffer, GW_RECEIPT_MAX);
    gw_buffer_init(&longer, GW_RECEIPT_MAX);
    gw_receipt_encode(&receipt, &buffer);
    const char *text = gw_buffer_string(&buffer);
    const char *at = strstr(text, "index 8\n");
    gw_buffer_append(&longer, text, (size_t)(at + 8 - text));
    gw_buffer_text(&longer, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    gw_buffer_text(&longer, at + 8);
    assert_refused(gw_buffer_bytes(&longer));
    gw_buffer_done(&buffer);
    gw_buffer_done(&longer);
}

static void receipt_that_is_too_long_sets_the_sticky_error(void **state) {
    (void)state;
    gw_receipt receipt = receipt_sample(0);
    uint8_t *entry = calloc(1, GW_RECEIPT_MAX);
    assert_non_null(entry);
    gw_buffer buffer;
    gw_buffer_init(&buffer, 1u << 20);
    receipt.charge_entry = (gw_bytes){.data = entry, .size = GW_RECEIPT_MAX};
    gw_receipt_encode(&receipt, &buffer);
    assert_int_equal(buffer.status, GW_LIMIT);
    gw_buffer_done(&buffer);
    free(entry);
}

static void a_mutated_receipt_is_refused_or_its_only_spelling(void **state) {
    (void)state;
    uint64_t random = 4242;
    gw_receipt receipt = receipt_sample(2);
    gw_buffer original;
    size_t refused = 0;
    gw_buffer_init(&original, GW_RECEIPT_MAX);
    gw_receipt_encode(&receipt, &original);
    for (int i = 0; i < MUTATIONS; i++) {
        uint8_t *bytes = malloc(original.size);
        assert_non_null(bytes);
        memcpy(bytes, original.data, original.size);
        bytes[random_next(&random) % original.size] = (uint8_t)random_next(&random);
        bytes[random_next(&random) % original.size] ^= (uint8_t)(1u << random_next(&random) % 8);
        gw_bytes mutated = {.data = bytes, .size = original.size};
        gw_receipt decoded;
        gw_buffer scratch, again;
        gw_buffer_init(&scratch, GW_RECEIPT_MAX);
        gw_buffer_init(&again, GW_RECEIPT_MAX);
        if (gw_receipt_decode(mutated, &scratch, &decoded, NULL) == GW_OK) {
            gw_receipt_encode(&decoded, &again);
            assert_true(gw_bytes_equal(gw_buffer_bytes(&again), mutated));
        } else {
            refused++;
        }
        gw_buffer_done(&scratch);
        gw_buffer_done(&again);
        free(bytes);
    }
    assert_true(refused > MUTATIONS / 4);
    gw_buffer_done(&original);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(receipt_decodes_to_what_was_encoded),
        cmocka_unit_test(receipt_text_is_a_tlog_proof),
        cmocka_unit_test(receipt_refuses_a_cut_before_the_checkpoint),
        cmocka_unit_test(receipt_refuses_wrong_evidence),
        cmocka_unit_test(receipt_refuses_more_than_64_hashes),
        cmocka_unit_test(receipt_that_is_too_long_sets_the_sticky_error),
        cmocka_unit_test(a_mutated_receipt_is_refused_or_its_only_spelling),
    };
    if (gw_crypto_init() != GW_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
