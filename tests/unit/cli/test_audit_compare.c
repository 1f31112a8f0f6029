// SPDX-License-Identifier: Apache-2.0
// Two views of one log: consistent, proven to be two histories, or not to be decided; never one for the other.
#include "client/cli/log_conflict.h"
#include "service/base/file.h"
#include "tests/unit/cli/audit_session.h"

#define LONG 600u // over two full tiles, and a third

static log_book book, other;
static char first[200], second[200], proof[200], vkey[GW_VKEY_MAX];

static int setup(void **state) {
    if (unit_folder_new(state) != 0)
        return -1;
    log_book_init(&book);
    log_book_init(&other);
    log_book_live(&book);
    log_book_live(&other);
    gw_entry incident = {.kind = GW_ENTRY_INCIDENT};
    strcpy(incident.incident.code, "drill");
    while (book.count < LONG) {
        log_book_add(&book, incident);
        log_book_add(&other, incident);
    }
    other.entries[400].time++; // the other history, from there on
    log_book_vkey(&book, vkey);
    snprintf(first, sizeof(first), "%s/first", (const char *)*state);
    snprintf(second, sizeof(second), "%s/second", (const char *)*state);
    snprintf(proof, sizeof(proof), "%s/proof", (const char *)*state);
    return 0;
}

static int teardown(void **state) {
    log_book_done(&book);
    log_book_done(&other);
    return unit_folder_free(state);
}

static void note_write(const char *path, const log_book *of, size_t size) {
    gw_buffer note;
    gw_buffer_init(&note, 4096);
    log_book_note(of, size, &note);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(note.data, 1, note.size, file), note.size);
    fclose(file);
    gw_buffer_done(&note);
}

#define assert_compares(code, text, ...)                                                                               \
    assert_says(code, text, "audit", "compare", __VA_ARGS__, "--proof", proof, "--log-key", vkey, "-o", "table")

// Every size against every larger one around the edges of tiles: by the tree itself, not by how it is stored.
static void beginnings_are_the_roots_of_smaller_trees(void **state) {
    (void)state;
    static const uint64_t sizes[] = {1, 2, 3, 7, 8, 255, 256, 257, 300, 511, 512, 513, LONG};
    size_t count = sizeof(sizes) / sizeof(sizes[0]);
    for (size_t n = 1; n < count; n++) {
        log_book_publish(&book, sizes[n], first);
        gw_log_tree *tree = gw_log_tree_new(first, sizes[n]);
        for (size_t m = 0; m < n; m++) {
            gw_merkle_proof made;
            gw_hash old_root, root;
            assert_int_equal(gw_log_prefix_make(gw_log_tree_source(tree), sizes[m], sizes[n], &made), GW_OK);
            assert_true(gw_log_prefix_roots(&made, sizes[m], sizes[n], &old_root, &root));
            assert_true(gw_hash_equal(old_root, log_book_checkpoint(&book, sizes[m]).root));
            assert_true(gw_hash_equal(root, log_book_checkpoint(&book, sizes[n]).root));
            made.count--; // one hash too few, or too many, is no proof
            assert_false(gw_log_prefix_roots(&made, sizes[m], sizes[n], &old_root, &root));
            made.count += 2;
            assert_false(gw_log_prefix_roots(&made, sizes[m], sizes[n], &old_root, &root));
        }
        gw_log_tree_free(tree);
    }
}

static void a_log_and_its_beginning_are_consistent(void **state) {
    (void)state;
    log_book_publish(&book, 300, first);
    log_book_publish(&book, LONG, second);
    assert_compares(0, "consistent: the one with 600 entries extends the one with 300", first, second);
    assert_compares(0, "consistent: the one with 600 entries extends the one with 300", second, first);
    assert_compares(0, "both are of the same tree, 600 entries", second, second);
    note_write(proof, &book, 256);
    assert_compares(0, "extends the one with 256", proof, second);
}

static void two_sizes_without_tiles_are_not_decided(void **state) {
    (void)state;
    note_write(first, &book, 300);
    note_write(second, &other, LONG);
    assert_compares(GW_EXIT_CANNOT_CHECK, "cannot decide", first, second);
    assert_says(GW_EXIT_CANNOT_CHECK, "\"verdict\":\"undecided\"", "audit", "compare", first, second, "--log-key", vkey,
                "-o", "json");
}

static void a_split_view_is_proven_and_the_proof_is_judged_again(void **state) {
    (void)state;
    note_write(first, &book, LONG);
    note_write(second, &other, LONG);
    assert_compares(GW_EXIT_TAMPERED, "split view: the log's key signed two different trees of 600", first, second);
    assert_says(GW_EXIT_TAMPERED, "split view", "audit", "compare", proof, "--log-key", vkey, "-o", "table");
    assert_says(GW_EXIT_TAMPERED, "a key that came with them", "audit", "compare", proof, "-o", "table");
}

static void another_beginning_is_proven_and_the_first_entry_named(void **state) {
    (void)state;
    log_book_publish(&book, 512, first);
    log_book_publish(&other, LONG, second);
    assert_compares(GW_EXIT_TAMPERED, "the first entry that is another: 400", first, second);
    assert_says(GW_EXIT_TAMPERED, "rolled back or rewritten", "audit", "compare", proof, "--log-key", vkey, "-o",
                "table");
    assert_says(GW_EXIT_TAMPERED, "\"first_different\":400", "audit", "compare", first, second, "--log-key", vkey,
                "--proof", proof, "-o", "json");
    log_book_publish(&book, 400, first); // it ends where they part
    assert_compares(0, "consistent", first, second);
    log_book_publish(&book, 401, first);
    assert_compares(GW_EXIT_TAMPERED, "rewritten", first, second);
}

// The other half of the promise: nobody can accuse a log with anything but two signatures of its own key.
static void what_another_key_signed_accuses_nobody(void **state) {
    (void)state;
    char other_key[GW_VKEY_MAX];
    note_write(first, &book, LONG);
    other.seed = 0x55;
    note_write(second, &other, LONG);
    assert_compares(GW_EXIT_CANNOT_CHECK, "not_signed", first, second);
    // A proof that names the forger's key under the log's name.
    gw_log_conflict conflict;
    gw_buffer file;
    gw_log_conflict_init(&conflict);
    gw_buffer_init(&file, GW_CONFLICT_BYTES_MAX);
    conflict.older = (gw_signed_tree){.key = log_book_note_key(&other), .note = conflict.older.note};
    conflict.newer = (gw_signed_tree){.key = log_book_note_key(&book), .note = conflict.newer.note};
    log_book_note(&other, LONG, &conflict.older.note);
    log_book_note(&book, LONG, &conflict.newer.note);
    gw_log_conflict_encode(&conflict, &file);
    assert_int_equal(gw_file_replace(proof, gw_buffer_bytes(&file), 0644, NULL), GW_OK);
    assert_says(GW_EXIT_CANNOT_CHECK, "not_signed", "audit", "compare", proof, "--log-key", vkey);
    assert_says(GW_EXIT_CANNOT_CHECK, "not_signed", "audit", "compare", proof);
    log_book_vkey(&other, other_key);
    assert_says(GW_EXIT_CANNOT_CHECK, "not_signed", "audit", "compare", proof, "--log-key", other_key);
    gw_log_conflict_done(&conflict);
    gw_buffer_done(&file);
}

static void no_changed_byte_of_a_proof_proves_or_clears(void **state) {
    (void)state;
    gw_buffer file;
    log_book_publish(&book, 512, first);
    log_book_publish(&other, LONG, second);
    assert_compares(GW_EXIT_TAMPERED, "rewritten", first, second);
    gw_buffer_init(&file, GW_CONFLICT_BYTES_MAX);
    assert_int_equal(gw_file_read(proof, &file, NULL), GW_OK);
    for (size_t at = 0; at < file.size; at += 5) {
        file.data[at] ^= 0x01;
        FILE *out = fopen(proof, "we");
        assert_int_equal(fwrite(file.data, 1, file.size, out), file.size);
        fclose(out);
        session s = RUN("audit", "compare", proof, "--log-key", vkey, "-o", "table");
        assert_true(s.code == GW_EXIT_CANNOT_CHECK || s.code == GW_EXIT_USAGE); // usage: no proof by its first line
        assert_true(session_is_plain(s.out));
        assert_true(session_is_plain(s.err));
        session_done(&s);
        file.data[at] ^= 0x01;
    }
    gw_buffer_done(&file);
}

static void a_folder_that_was_changed_is_said_to_be_and_accuses_nobody(void **state) {
    (void)state;
    char path[300];
    log_book_publish(&book, 300, first);
    log_book_publish(&book, LONG, second);
    snprintf(path, sizeof(path), "%s/tile/0/000", second);
    gw_buffer tile;
    gw_buffer_init(&tile, 8192);
    assert_int_equal(gw_file_read(path, &tile, NULL), GW_OK);
    snprintf(path, sizeof(path), "%s/tile/0/001", second);
    assert_int_equal(gw_file_replace(path, gw_buffer_bytes(&tile), 0644, NULL), GW_OK);
    gw_buffer_done(&tile);
    assert_compares(GW_EXIT_TAMPERED, "bad_root", first, second);
    assert_int_equal(access(proof, F_OK), -1); // nothing was proven about the key's owner
    assert_int_equal(unlink(path), 0);
    assert_compares(GW_EXIT_CANNOT_CHECK, "file_missing", first, second);
    assert_compares(GW_EXIT_CANNOT_CHECK, "file_missing", first, "/nonexistent");
}

static void without_any_key_nothing_is_believed(void **state) {
    (void)state;
    note_write(first, &book, LONG);
    note_write(second, &other, LONG);
    assert_says(GW_EXIT_CANNOT_CHECK, "log_key_missing", "audit", "compare", first, second);
    assert_says(GW_EXIT_USAGE, "With what?", "audit", "compare", first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(beginnings_are_the_roots_of_smaller_trees, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_and_its_beginning_are_consistent, setup, teardown),
        cmocka_unit_test_setup_teardown(two_sizes_without_tiles_are_not_decided, setup, teardown),
        cmocka_unit_test_setup_teardown(a_split_view_is_proven_and_the_proof_is_judged_again, setup, teardown),
        cmocka_unit_test_setup_teardown(another_beginning_is_proven_and_the_first_entry_named, setup, teardown),
        cmocka_unit_test_setup_teardown(what_another_key_signed_accuses_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(no_changed_byte_of_a_proof_proves_or_clears, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_was_changed_is_said_to_be_and_accuses_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(without_any_key_nothing_is_believed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
