// SPDX-License-Identifier: Apache-2.0
// A receipt on the command line: alone, under a policy's witnesses, and against the log, where the request's signature
// is checked with the key that the log says its asker had.
#include "service/audit/cosignature.h"
#include "service/audit/merkle.h"
#include "service/base/file.h"
#include "service/wire/message.h"
#include "service/wire/receipt.h"
#include "tests/unit/cli/audit_session.h"

static log_book book;
static char folder[200], receipt_path[200], request_path[200], trust[200], vkey[GW_VKEY_MAX];
static uint64_t charge_seq;

static void file_write(const char *path, gw_bytes bytes) {
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    fclose(file);
}

static gw_status leaf(void *state, unsigned level, uint64_t index, gw_hash *ret) {
    if (level == 0) {
        gw_buffer text;
        gw_buffer_init(&text, GW_ENTRY_BYTES_MAX);
        gw_entry_encode(&((log_book *)state)->entries[index], &text);
        *ret = gw_merkle_leaf(gw_buffer_bytes(&text));
        gw_buffer_done(&text);
        return GW_OK;
    }
    gw_hash left, right;
    assert_int_equal(leaf(state, level - 1, 2 * index, &left), GW_OK);
    assert_int_equal(leaf(state, level - 1, 2 * index + 1, &right), GW_OK);
    *ret = gw_merkle_node(left, right);
    return GW_OK;
}

static void proof_of(uint64_t index, size_t size, gw_hash hashes[64], size_t *ret_count) {
    gw_merkle_proof made;
    assert_int_equal(gw_merkle_inclusion((gw_merkle_source){leaf, &book}, index, size, &made), GW_OK);
    memcpy(hashes, made.hashes, made.count * sizeof(hashes[0]));
    *ret_count = made.count;
}

// The receipt of the charge, under the checkpoint of `size` entries; `extra` lines follow its signature.
static void receipt_write(size_t size, gw_bytes extra) {
    gw_buffer entries[2], note, bytes;
    for (size_t i = 0; i < 2; i++) {
        gw_buffer_init(&entries[i], GW_ENTRY_BYTES_MAX);
        gw_entry_encode(&book.entries[charge_seq + i], &entries[i]);
    }
    gw_buffer_init(&note, 8192);
    log_book_note(&book, size, &note);
    gw_buffer_append(&note, extra.data, extra.size);
    gw_receipt receipt = {.salt = {{5}},
                          .charge_index = charge_seq,
                          .release_index = charge_seq + 1,
                          .charge_entry = gw_buffer_bytes(&entries[0]),
                          .release_entry = gw_buffer_bytes(&entries[1]),
                          .checkpoint = gw_buffer_bytes(&note)};
    proof_of(charge_seq, size, receipt.charge_proof, &receipt.charge_proof_count);
    proof_of(charge_seq + 1, size, receipt.release_proof, &receipt.release_proof_count);
    gw_buffer_init(&bytes, GW_RECEIPT_MAX);
    gw_receipt_encode(&receipt, &bytes);
    assert_int_equal(bytes.status, GW_OK);
    file_write(receipt_path, gw_buffer_bytes(&bytes));
    gw_buffer_done(&entries[0]);
    gw_buffer_done(&entries[1]);
    gw_buffer_done(&note);
    gw_buffer_done(&bytes);
}

// A request that the researcher signed, and the hash by which the log knows it.
static gw_hash request_write(void) {
    gw_request_message message = {
        .origin = BOOK_ORIGIN, .time = BOOK_START + 1000, .auth = GW_AUTH_SIGNATURE, .body = gw_bytes_of("{\"v\":1}")};
    gw_hash salt = {{5}};
    gw_buffer request;
    gw_secret_key *key = log_book_researcher_key();
    log_book_id(BOOK_RESEARCHER, message.principal);
    log_book_id(77, message.idem);
    gw_buffer_init(&request, 4096);
    gw_request_message_encode(&message, key, &request);
    assert_int_equal(gw_request_message_decode(gw_buffer_bytes(&request), &message, NULL), GW_OK);
    gw_hash hash = gw_sha256_two((gw_bytes){.data = salt.bytes, .size = GW_HASH_SIZE}, message.signed_bytes);
    file_write(request_path, gw_buffer_bytes(&request));
    gw_buffer_done(&request);
    gw_secret_key_free(key);
    return hash;
}

// The charge of that request, its release, one more charge; the receipt under a tree that the log has outgrown.
static void asked(void) {
    gw_hash request = request_write();
    charge_seq = log_book_charge(&book, BOOK_RESEARCHER, 50000);
    book.entries[charge_seq].charge.request = request;
    log_book_release(&book, charge_seq, "GW-1");
    receipt_write(book.count, (gw_bytes){0});
    log_book_charge(&book, BOOK_RESEARCHER, 50000);
    log_book_publish(&book, book.count, folder);
}

static int setup(void **state) {
    char answer[200];
    if (unit_folder_new(state) != 0)
        return -1;
    log_book_init(&book);
    log_book_settle(&book);
    log_book_vkey(&book, vkey);
    snprintf(folder, sizeof(folder), "%s/log", (const char *)*state);
    snprintf(receipt_path, sizeof(receipt_path), "%s/GW-1.tlog-proof", (const char *)*state);
    snprintf(request_path, sizeof(request_path), "%s/GW-1.request", (const char *)*state);
    snprintf(answer, sizeof(answer), "%s/GW-1.answer.json", (const char *)*state);
    snprintf(trust, sizeof(trust), "%s/trust", (const char *)*state);
    file_write(answer, gw_bytes_of("answer"));
    asked();
    return 0;
}

static int teardown(void **state) {
    log_book_done(&book);
    return unit_folder_free(state);
}

#define assert_receipt(code, text, ...)                                                                                \
    assert_says(code, text, "audit", "receipt", receipt_path, "-o", "table", __VA_ARGS__)

static void with_the_log_the_requests_signature_is_checked(void **state) {
    (void)state;
    assert_receipt(0, "its signature was not checked", "--log-key", vkey);
    assert_receipt(0, "the request is signed by its asker, under the key of entry 5", "--log-key", vkey, "--log",
                   folder);
    assert_receipt(0, "is sound, and begins with the receipt's tree", "--log-key", vkey, "--log", folder);
}

// The weakness that the log mends: the signature's own digits are not in the hash that the log has.
static void a_changed_digit_of_the_signature_is_found_with_the_log(void **state) {
    (void)state;
    gw_buffer request;
    gw_buffer_init(&request, 8192);
    assert_int_equal(gw_file_read(request_path, &request, NULL), GW_OK);
    char *digit = strstr((char *)request.data, "auth sig ") + strlen("auth sig ") + 40;
    *digit = *digit == '0' ? '1' : '0';
    file_write(request_path, gw_buffer_bytes(&request));
    gw_buffer_done(&request);
    assert_receipt(0, "its signature was not checked", "--log-key", vkey);
    assert_receipt(GW_EXIT_TAMPERED, "its key signed other bytes", "--log-key", vkey, "--log", folder);
}

static void a_key_that_was_revoked_or_never_there_signs_nothing(void **state) {
    (void)state;
    gw_entry revoke = book.entries[5];
    memset(book.entries[5].key.key, 'a', 64); // another key in its place
    receipt_write(book.count, (gw_bytes){0});
    log_book_publish(&book, book.count, folder);
    assert_receipt(GW_EXIT_TAMPERED, "has no such key", "--log-key", vkey, "--log", folder);
    log_book_done(&book);
    log_book_init(&book);
    log_book_settle(&book);
    strcpy(revoke.key.action, "revoke");
    log_book_add(&book, revoke);
    asked();
    assert_receipt(GW_EXIT_TAMPERED, "its key had been revoked", "--log-key", vkey, "--log", folder);
    log_book_done(&book);
    log_book_init(&book);
    log_book_settle(&book);
    asked();
    log_book_add(&book, revoke); // afterwards: what it signed before stays signed
    log_book_publish(&book, book.count, folder);
    assert_receipt(0, "the request is signed by its asker", "--log-key", vkey, "--log", folder);
}

// The hash of a request may be right and its asker not the one who paid: then somebody else was charged for it.
static void a_request_that_somebody_else_paid_for_is_found(void **state) {
    (void)state;
    log_book_id(BOOK_STUDENT, book.entries[charge_seq].charge.principal);
    book.entries[charge_seq + 2].charge.spent_principal = 50000;
    receipt_write(book.count, (gw_bytes){0});
    log_book_publish(&book, book.count, folder);
    assert_receipt(GW_EXIT_TAMPERED, "of another principal than the charge", "--log-key", vkey, "--log", folder);
}

static void another_history_or_an_older_copy_is_told(void **state) {
    (void)state;
    log_book_publish(&book, charge_seq, folder);
    assert_receipt(GW_EXIT_CANNOT_CHECK, "a newer copy is needed", "--log-key", vkey, "--log", folder);
    book.entries[4].principal.roles = GW_ROLE_AUDITOR;
    log_book_publish(&book, book.count, folder);
    assert_receipt(GW_EXIT_TAMPERED, "of another history than the log", "--log-key", vkey, "--log", folder);
    assert_receipt(GW_EXIT_CANNOT_CHECK, "file_missing", "--log-key", vkey, "--log", "/nonexistent");
}

static void a_policy_asks_for_the_witnesses_of_a_receipt(void **state) {
    (void)state;
    uint8_t seed[GW_SEED_SIZE] = {9};
    gw_secret_key *key = NULL;
    gw_note_key witness;
    gw_buffer note, line;
    char witness_key[GW_VKEY_MAX], text[1024];
    assert_int_equal(gw_key_from_seed(seed, &key), GW_OK);
    assert_int_equal(gw_note_key_make("audit.example/w", 4, gw_key_public(key), &witness), GW_OK);
    gw_note_key_format(&witness, witness_key);
    snprintf(text, sizeof(text), "log %s\nwitness auditor %s\nquorum auditor\n", vkey, witness_key);
    file_write(trust, gw_bytes_of(text));
    assert_receipt(GW_EXIT_FOUND, "too few witnesses", "--policy", trust);
    size_t size = charge_seq + 2;
    gw_buffer_init(&note, 4096);
    gw_buffer_init(&line, 4096);
    log_book_note(&book, size, &note);
    gw_bytes signed_text = {.data = note.data,
                            .size = (size_t)(strstr(gw_buffer_string(&note), "\n\n") + 1 - gw_buffer_string(&note))};
    gw_cosignature_sign("audit.example/w", key, signed_text, BOOK_START, &line);
    receipt_write(size, gw_buffer_bytes(&line));
    assert_receipt(0, "its quorum is reached, 1 of 1 witnesses cosigned: auditor", "--policy", trust);
    gw_buffer_done(&note);
    gw_buffer_done(&line);
    gw_secret_key_free(key);
}

static void what_is_missing_cannot_be_checked(void **state) {
    (void)state;
    assert_receipt(GW_EXIT_CANNOT_CHECK, "log_key_missing", "--no-pager");
    assert_int_equal(unlink(receipt_path), 0);
    assert_receipt(GW_EXIT_CANNOT_CHECK, "file_missing", "--log-key", vkey);
}

// Whatever byte of the receipt is another: tampered, or a salt that only the request shows, which is given here.
static void no_changed_byte_of_a_receipt_passes(void **state) {
    (void)state;
    gw_buffer file;
    gw_buffer_init(&file, GW_RECEIPT_MAX);
    assert_int_equal(gw_file_read(receipt_path, &file, NULL), GW_OK);
    for (size_t at = 0; at < file.size; at += 11) {
        file.data[at] ^= 0x01;
        file_write(receipt_path, gw_buffer_bytes(&file));
        session s = RUN("audit", "receipt", receipt_path, "--log-key", vkey, "-o", "table");
        if (s.code != GW_EXIT_TAMPERED)
            print_message("byte %zu: %d\n%s%s", at, (int)s.code, s.out, s.err);
        assert_int_equal(s.code, GW_EXIT_TAMPERED);
        assert_true(session_is_plain(s.out));
        session_done(&s);
        file.data[at] ^= 0x01;
    }
    gw_buffer_done(&file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(with_the_log_the_requests_signature_is_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(a_changed_digit_of_the_signature_is_found_with_the_log, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_that_was_revoked_or_never_there_signs_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_that_somebody_else_paid_for_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(another_history_or_an_older_copy_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_policy_asks_for_the_witnesses_of_a_receipt, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_missing_cannot_be_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(no_changed_byte_of_a_receipt_passes, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
