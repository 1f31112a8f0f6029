// SPDX-License-Identifier: Apache-2.0
// What strangers hand in, mutated at random: entries, notes, keys, receipts, bundles. Whatever is accepted is written
// again as the very same bytes, so that nothing has two spellings; nothing reads out of its bounds (the sanitizers look
// on). Seeded; the argument is the number of mutations of each.
#include "service/audit/entry.h"
#include "service/audit/note.h"
#include "service/audit/tile.h"
#include "service/wire/receipt.h"
#include "tests/support/seeded_random.h"
#include "tests/support/small_log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_DEFAULT 20000
#define SEED 6962
#define ID_A "0123456789abcdef0123456789abcdef"
#define ID_B "fedcba9876543210fedcba9876543210"
#define HASH_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static uint64_t rounds = ROUNDS_DEFAULT;
static seeded_random randomness = {.state = SEED};

static const char *const entries[] = {
    "godwit/v1 principal\nseq 1\ntime 1790000000\nprincipal " ID_A
    "\naction add\nroles researcher,owner,operator\nby " ID_A "\n",
    "godwit/v1 key\nseq 2\ntime 1790000000\nprincipal " ID_A "\naction add\nkind sign\nkey " HASH_A
    "\nnot-before 0\nnot-after 0\nby " ID_A "\n",
    "godwit/v1 population\nseq 3\ntime 1790000000\npopulation nso.example/residents\ntotal 10000000\nwindow-days 365\n"
    "window-total 4000000\naccounting zcdp\ndelta 1000000000\nby " ID_A "\nby " ID_B "\n",
    "godwit/v1 policy\nseq 4\ntime 1790000000\ndataset nso.example/register\npopulation nso.example/residents\nversion "
    "3\n"
    "file " HASH_A "\naccounting pure\ntotal 10000000\nprincipal-total 2000000\nwindow-days 365\nwindow-total 4000000\n"
    "question-min 10000\nquestion-max 500000\ndelta 0\nsupersedes none\nby " ID_A "\nby " ID_B "\n",
    "godwit/v1 charge\nseq 7\ntime 1790000000\ndataset nso.example/register\npopulation nso.example/residents\npolicy "
    "4\n"
    "data " ID_B "\nprincipal " ID_A "\nidem " ID_A "\nrequest " HASH_A "\nquestion " HASH_A
    "\nwindow 56\ncost 50000\ndelta 7\nspent-dataset 50000\nspent-population 50000\nspent-principal 50000\n"
    "spent-window 50000\nrho 12\nspent-rho-dataset 12\nspent-rho-population 12\nspent-delta-dataset 7\n"
    "spent-delta-population 7\n",
    "godwit/v1 release\nseq 8\ntime 1790000000\ncharge 7\nrelease GW-2026-000001\nanswer " HASH_A
    "\nvisible 1790000000\n",
    "godwit/v1 refusals\nseq 9\ntime 1790000000\nprincipal " ID_A
    "\nfrom 1790000000\nto 1790003600\ncounts budget_principal=3 unknown_concept=1\n",
    "godwit/v1 restore\nseq 10\ntime 1790000000\nfrom 10\nlost 2\nby " ID_A "\nby " ID_B "\n",
};
#define ENTRIES (sizeof(entries) / sizeof(entries[0]))

// ---- mutation

static size_t below(size_t count) {
    return (size_t)(seeded_next(&randomness) % count);
}

// Pieces that mean something to one of the readers.
static const char *const pieces[] = {
    "\n",
    "\n\n",
    " ",
    "  ",
    "0",
    "00",
    "-",
    "+",
    "=",
    "==",
    "none",
    "by " ID_A "\n",
    "rho 0\n",
    "delta 0\n",
    "\r",
    "\t",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775808",
    "\xe2\x80\x94 ",
    "\xc2\xa0",
    "\xc3\xa9",
    "\xe2\x80\x83",
    "A",
    "/",
    "_",
    "pure",
    "zcdp",
    "owner,researcher",
    "accounting pure\n",
};

static void replace(gw_buffer *text, size_t at, size_t old_size, gw_bytes with) {
    gw_buffer changed;
    gw_buffer_init(&changed, SIZE_MAX);
    gw_buffer_append(&changed, text->data, at);
    gw_buffer_append(&changed, with.data, with.size);
    gw_buffer_append(&changed, text->data + at + old_size, text->size - at - old_size);
    gw_buffer_done(text);
    *text = changed;
}

static size_t line_at(const gw_buffer *text, size_t at, size_t *ret_size) {
    while (at > 0 && text->data[at - 1] != '\n')
        at--;
    const uint8_t *end = memchr(text->data + at, '\n', text->size - at);
    *ret_size = end == NULL ? text->size - at : (size_t)(end - text->data) + 1 - at;
    return at;
}

static void mutate(gw_buffer *text) {
    if (text->size == 0)
        return;
    size_t at = below(text->size), size = 0, line = line_at(text, at, &size);
    const char *piece = pieces[below(sizeof(pieces) / sizeof(pieces[0]))];
    uint8_t copy[4096];
    size = size < sizeof(copy) ? size : sizeof(copy);
    memcpy(copy, text->data + line, size);
    switch (below(8)) {
    case 0:
        text->data[at] ^= (uint8_t)(1u << below(8));
        return;
    case 1:
        text->data[at] = (uint8_t)below(256);
        return;
    case 2:
        replace(text, at, 0, gw_bytes_of(piece));
        return;
    case 3:
        replace(text, at, strlen(piece) < text->size - at ? strlen(piece) : 0, gw_bytes_of(piece));
        return;
    case 4:
        replace(text, at, 1 + below(text->size - at < 8 ? text->size - at : 8), (gw_bytes){0});
        return;
    case 5: // a line twice
        replace(text, line, 0, (gw_bytes){.data = copy, .size = size});
        return;
    case 6: // a line gone
        replace(text, line, size, (gw_bytes){0});
        return;
    default:
        replace(text, at, text->size - at, (gw_bytes){0});
        return;
    }
}

// A fresh copy of `bytes`, mutated once to three times, in memory of exactly its size.
static gw_bytes mutated(gw_bytes bytes, uint8_t **ret_memory) {
    gw_buffer text;
    gw_buffer_init(&text, SIZE_MAX);
    gw_buffer_append(&text, bytes.data, bytes.size);
    for (size_t i = below(3) + 1; i > 0; i--)
        mutate(&text);
    uint8_t *memory = malloc(text.size == 0 ? 1 : text.size);
    assert_non_null(memory);
    memcpy(memory, text.data, text.size);
    *ret_memory = memory;
    gw_bytes result = {.data = memory, .size = text.size};
    gw_buffer_done(&text);
    return result;
}

// ---- readers

typedef bool (*canonical)(gw_bytes bytes); // false: refused; asserts where it is accepted and spelled otherwise

static void run(gw_bytes seed, canonical reads, uint64_t count, uint64_t *ret_accepted) {
    assert_true(reads(seed));
    for (uint64_t i = 0; i < count; i++) {
        uint8_t *memory = NULL;
        gw_bytes bytes = mutated(seed, &memory);
        *ret_accepted += reads(bytes);
        free(memory);
    }
}

static bool entry_reads(gw_bytes bytes) {
    gw_entry entry;
    if (gw_entry_decode(bytes, &entry, NULL) != GW_OK)
        return false;
    gw_buffer again;
    gw_buffer_init(&again, SIZE_MAX);
    gw_entry_encode(&entry, &again);
    if (!gw_bytes_equal(gw_buffer_bytes(&again), bytes))
        fail_msg("accepted, and written as:\n%s", gw_buffer_string(&again));
    gw_buffer_done(&again);
    return true;
}

static void an_accepted_entry_is_written_as_it_was_read(void **state) {
    (void)state;
    uint64_t accepted = 0;
    for (size_t i = 0; i < ENTRIES; i++)
        run(gw_bytes_of(entries[i]), entry_reads, rounds / 2, &accepted);
    assert_true(accepted > rounds / 100); // mutations are not so wild that nothing is ever accepted
}

static const small_log *shared;

static bool note_reads(gw_bytes bytes) {
    gw_checkpoint checkpoint;
    bool is_signed = gw_checkpoint_open(bytes, &shared->key, &checkpoint, NULL) == GW_OK;
    if (gw_checkpoint_peek(bytes, &checkpoint, NULL) != GW_OK) {
        assert_false(is_signed);
        return false;
    }
    gw_buffer text;
    gw_buffer_init(&text, SIZE_MAX);
    gw_buffer_format(&text, "%s\n%" PRIu64 "\n", checkpoint.origin, checkpoint.size);
    gw_base64_append(&text, (gw_bytes){.data = checkpoint.root.bytes, .size = GW_HASH_SIZE});
    gw_buffer_text(&text, "\n\n");
    assert_true(bytes.size > text.size);
    assert_memory_equal(bytes.data, text.data, text.size);
    gw_buffer_done(&text);
    return is_signed;
}

static gw_bytes note_of(gw_buffer *buffer) {
    gw_checkpoint checkpoint = {.origin = FIXTURE_ORIGIN, .size = shared->size, .root = gw_store_root(shared->store)};
    gw_secret_key *secret = fixture_key();
    gw_buffer_init(buffer, 4096);
    gw_checkpoint_sign(&checkpoint, secret, buffer);
    gw_secret_key_free(secret);
    return gw_buffer_bytes(buffer);
}

static void an_accepted_note_has_one_spelling(void **state) {
    (void)state;
    uint64_t accepted = 0;
    gw_buffer note;
    gw_bytes seed = note_of(&note);
    run(seed, note_reads, rounds, &accepted);
    gw_buffer_done(&note);
}

static bool vkey_reads(gw_bytes bytes) {
    char text[1024], again[GW_VKEY_MAX];
    gw_note_key key;
    size_t size = bytes.size < sizeof(text) - 1 ? bytes.size : sizeof(text) - 1;
    memcpy(text, bytes.data, size);
    text[size] = '\0';
    if (gw_note_key_parse(text, &key, NULL) != GW_OK)
        return false;
    gw_note_key_format(&key, again);
    assert_string_equal(text, again);
    return true;
}

static void an_accepted_key_has_one_spelling(void **state) {
    (void)state;
    uint64_t accepted = 0;
    char text[GW_VKEY_MAX];
    gw_note_key_format(&shared->key, text);
    run(gw_bytes_of(text), vkey_reads, rounds, &accepted);
}

static bool receipt_reads(gw_bytes bytes) {
    gw_buffer scratch, again;
    gw_receipt receipt;
    gw_buffer_init(&scratch, GW_RECEIPT_MAX);
    gw_status status = gw_receipt_decode(bytes, &scratch, &receipt, NULL);
    if (status == GW_OK) {
        gw_buffer_init(&again, SIZE_MAX);
        gw_receipt_encode(&receipt, &again);
        assert_true(gw_bytes_equal(gw_buffer_bytes(&again), bytes));
        gw_buffer_done(&again);
    }
    gw_buffer_done(&scratch);
    return status == GW_OK;
}

static void an_accepted_receipt_is_written_as_it_was_read(void **state) {
    (void)state;
    uint64_t accepted = 0;
    gw_buffer receipt;
    gw_buffer_init(&receipt, GW_RECEIPT_MAX);
    assert_true(small_log_receipt(shared, 8, &receipt) >= 8);
    run(gw_buffer_bytes(&receipt), receipt_reads, rounds / 4, &accepted);
    gw_buffer_done(&receipt);
}

static bool bundle_reads(gw_bytes bytes) {
    gw_bytes rest = bytes, entry;
    gw_buffer again;
    gw_buffer_init(&again, SIZE_MAX);
    while (gw_bundle_next(&rest, &entry))
        gw_bundle_append(&again, entry);
    assert_int_equal(again.size + rest.size, bytes.size);
    assert_true(again.size == 0 || memcmp(again.data, bytes.data, again.size) == 0);
    gw_buffer_done(&again);
    return rest.size == 0;
}

static void a_bundle_is_its_entries_and_a_rest(void **state) {
    (void)state;
    uint64_t accepted = 0;
    gw_buffer bundle;
    gw_buffer_init(&bundle, SIZE_MAX);
    for (size_t i = 0; i < ENTRIES; i++)
        gw_bundle_append(&bundle, gw_bytes_of(entries[i]));
    run(gw_buffer_bytes(&bundle), bundle_reads, rounds, &accepted);
    assert_true(accepted > 0);
    gw_buffer_done(&bundle);
}

// libsodium alone would take some letters of other alphabets for digits.
static void letters_of_other_alphabets_are_no_base64(void **state) {
    (void)state;
    uint8_t bytes[8];
    size_t size;
    for (unsigned first = 0; first < 256; first++)
        for (unsigned second = 0; second < 256; second++) {
            char text[4] = {(char)first, (char)second, 'A', 'A'};
            static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            bool is_known = first != 0 && second != 0 && strchr(alphabet, (char)first) != NULL &&
                            strchr(alphabet, (char)second) != NULL;
            assert_int_equal(gw_unbase64(text, 4, bytes, sizeof(bytes), &size), is_known);
        }
}

static int setup(void **state) {
    (void)state;
    static small_log log;
    small_log_make(&log, 6);
    shared = &log;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    small_log log = *shared;
    small_log_remove(&log);
    return 0;
}

int main(int argc, char **argv) {
    rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : ROUNDS_DEFAULT;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_accepted_entry_is_written_as_it_was_read),
        cmocka_unit_test(an_accepted_note_has_one_spelling),
        cmocka_unit_test(an_accepted_key_has_one_spelling),
        cmocka_unit_test(an_accepted_receipt_is_written_as_it_was_read),
        cmocka_unit_test(a_bundle_is_its_entries_and_a_rest),
        cmocka_unit_test(letters_of_other_alphabets_are_no_base64),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
