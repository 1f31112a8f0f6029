// SPDX-License-Identifier: Apache-2.0
// The signer's rules and its file: it never goes back, asks to be shown the way, remembers across restarts and torn
// writes, and changes its key without a moment in which neither is known.
#include "service/base/file.h"
#include "service/signer/signer.h"
#include "service/store/slots.h"
#include "tests/unit/store/ledger_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEAVES 64

typedef struct {
    ledger_fixture fixture;
    gw_signer *signer;
    gw_hash leaves[LEAVES];
} world;

static void path_of(const world *made, const char *name, char path[160]) {
    snprintf(path, 160, "%s/%s", made->fixture.folder, name);
}

static gw_status open_again(world *made, gw_problem *problem) {
    gw_signer_close(made->signer);
    made->signer = NULL;
    return gw_signer_open(made->fixture.folder, FIXTURE_ORIGIN, &made->signer, problem);
}

static int setup(void **state) {
    world *made = calloc(1, sizeof(*made));
    fixture_folder(&made->fixture);
    gw_secret_key *key = fixture_key();
    char path[160];
    path_of(made, GW_SIGNER_KEY, path);
    assert_int_equal(gw_key_file_write(path, key, NULL), GW_OK);
    gw_secret_key_free(key);
    for (uint8_t i = 0; i < LEAVES; i++)
        made->leaves[i] = gw_merkle_leaf((gw_bytes){.data = &i, .size = 1});
    assert_int_equal(open_again(made, NULL), GW_OK);
    *state = made;
    return 0;
}

static int teardown(void **state) {
    world *made = *state;
    gw_signer_close(made->signer);
    fixture_remove(&made->fixture);
    free(made);
    return 0;
}

// ---- trees over the leaves

static gw_status node_of(void *state, unsigned level, uint64_t index, gw_hash *ret) {
    const world *made = state;
    if (level == 0) {
        *ret = made->leaves[index];
        return GW_OK;
    }
    gw_hash left, right;
    gw_status status = node_of(state, level - 1, 2 * index, &left);
    if (status == GW_OK)
        status = node_of(state, level - 1, 2 * index + 1, &right);
    if (status == GW_OK)
        *ret = gw_merkle_node(left, right);
    return status;
}

static gw_merkle_source tree_of(world *made) {
    return (gw_merkle_source){.node = node_of, .state = made};
}

static gw_checkpoint tree_at(world *made, uint64_t size) {
    gw_checkpoint checkpoint = {.origin = FIXTURE_ORIGIN, .size = size};
    assert_int_equal(gw_merkle_root(tree_of(made), size, &checkpoint.root), GW_OK);
    return checkpoint;
}

static gw_status sign_from(world *made, uint64_t from, uint64_t size, gw_buffer *note, gw_problem *problem) {
    gw_merkle_proof proof;
    gw_checkpoint checkpoint = tree_at(made, size);
    assert_int_equal(gw_merkle_consistency(tree_of(made), from, size, &proof), GW_OK);
    return gw_signer_sign(made->signer, &checkpoint, &proof, note, problem);
}

static uint64_t newest_size(const world *made) {
    gw_note_key key;
    gw_checkpoint newest;
    gw_signer_newest(made->signer, &key, &newest);
    return newest.size;
}

static gw_status sign(world *made, uint64_t size, gw_problem *problem) {
    gw_buffer note;
    gw_buffer_init(&note, 4096);
    gw_status status = sign_from(made, newest_size(made) < size ? newest_size(made) : size, size, &note, problem);
    assert_int_equal(note.size > 0, status == GW_OK);
    gw_buffer_done(&note);
    return status;
}

// ---- the rules

static void a_tree_that_extends_the_newest_is_signed(void **state) {
    world *made = *state;
    static const uint64_t sizes[] = {1, 2, 3, 7, 8, 21, 64};
    assert_int_equal(newest_size(made), 0);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        gw_note_key key;
        gw_checkpoint newest, opened;
        gw_buffer note;
        gw_buffer_init(&note, 4096);
        assert_int_equal(sign_from(made, newest_size(made), sizes[i], &note, NULL), GW_OK);
        gw_signer_newest(made->signer, &key, &newest);
        assert_int_equal(newest.size, sizes[i]);
        assert_int_equal(gw_checkpoint_open(gw_buffer_bytes(&note), &key, &opened, NULL), GW_OK);
        assert_int_equal(opened.size, sizes[i]);
        gw_buffer_done(&note);
    }
}

// What a doctor sees while the signer has its folder, and what it may not do: the lock is not taken, nothing is made.
static void a_look_beside_the_signer_sees_its_newest_tree(void **state) {
    world *made = *state;
    gw_note_key key;
    gw_checkpoint seen;
    gw_problem problem = {0};
    char path[160];
    path_of(made, GW_SIGNER_NEWEST, path);
    assert_int_equal(gw_signer_look(made->fixture.folder, FIXTURE_ORIGIN, &key, &seen, NULL), GW_OK);
    assert_int_equal(seen.size, 0);
    assert_int_not_equal(access(path, F_OK), 0);
    for (uint64_t size = 5; size < 8; size++) {
        gw_checkpoint tree = tree_at(made, size);
        assert_int_equal(sign(made, size, NULL), GW_OK);
        assert_int_equal(chmod(path, 0400), 0);
        assert_int_equal(gw_signer_look(made->fixture.folder, FIXTURE_ORIGIN, &key, &seen, NULL), GW_OK);
        assert_int_equal(seen.size, size);
        assert_true(gw_hash_equal(seen.root, tree.root));
    }
    assert_int_equal(gw_signer_look(made->fixture.folder, "other.example/log", &key, &seen, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "signer_foreign");
    assert_int_equal(truncate(path, 0), 0);
    assert_int_not_equal(gw_signer_look(made->fixture.folder, FIXTURE_ORIGIN, &key, &seen, &problem), GW_OK);
    assert_string_equal(problem.code, "signer_corrupt");
}

static void the_same_tree_is_signed_again_and_alike(void **state) {
    world *made = *state;
    gw_buffer first, second;
    gw_buffer_init(&first, 4096);
    gw_buffer_init(&second, 4096);
    assert_int_equal(sign_from(made, 0, 5, &first, NULL), GW_OK);
    assert_int_equal(sign_from(made, 5, 5, &second, NULL), GW_OK);
    assert_true(gw_bytes_equal(gw_buffer_bytes(&first), gw_buffer_bytes(&second)));
    gw_buffer_done(&first);
    gw_buffer_done(&second);
}

static void it_refuses_to_go_back(void **state) {
    world *made = *state;
    gw_problem problem = {0};
    assert_int_equal(sign(made, 9, NULL), GW_OK);
    for (uint64_t size = 1; size < 9; size++) {
        assert_int_equal(sign(made, size, &problem), GW_CORRUPT);
        assert_string_equal(problem.code, "signer_ahead");
    }
    assert_non_null(strstr(problem.what, "9 entries"));
    assert_int_equal(newest_size(made), 9);
    assert_int_equal(sign(made, 10, NULL), GW_OK); // and goes on
}

static void it_refuses_another_tree_of_the_same_size(void **state) {
    world *made = *state;
    gw_problem problem = {0};
    assert_int_equal(sign(made, 9, NULL), GW_OK);
    made->leaves[8].bytes[0] ^= 1;
    assert_int_equal(sign(made, 9, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "signer_ahead");
}

static void it_demands_the_proof(void **state) {
    world *made = *state;
    gw_problem problem = {0};
    gw_merkle_proof none = {.count = 0};
    assert_int_equal(sign(made, 9, NULL), GW_OK);
    gw_checkpoint larger = tree_at(made, 12);
    gw_buffer note;
    gw_buffer_init(&note, 4096);
    assert_int_equal(gw_signer_sign(made->signer, &larger, &none, &note, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "bad_proof");
    assert_int_equal(sign_from(made, 8, 12, &note, &problem), GW_CORRUPT); // the way from another tree
    assert_string_equal(problem.code, "bad_proof");
    made->leaves[3].bytes[0] ^= 1; // a rewritten entry, with a proof that is right for the rewritten tree
    assert_int_equal(sign_from(made, 9, 12, &note, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "bad_proof");
    assert_int_equal(note.size, 0);
    gw_buffer_done(&note);
    assert_int_equal(newest_size(made), 9);
}

static void it_signs_no_other_log(void **state) {
    world *made = *state;
    gw_problem problem = {0};
    gw_checkpoint foreign = tree_at(made, 3);
    gw_merkle_proof none = {.count = 0};
    gw_buffer note;
    gw_buffer_init(&note, 4096);
    foreign.origin[0] = 'x';
    assert_int_equal(gw_signer_sign(made->signer, &foreign, &none, &note, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "signer_foreign");
    gw_buffer_done(&note);
    assert_int_equal(sign(made, 3, NULL), GW_OK);
    gw_signer_close(made->signer);
    made->signer = NULL;
    gw_signer *other = NULL;
    assert_int_equal(gw_signer_open(made->fixture.folder, "stats.example/ledger2", &other, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "signer_foreign");
}

// Each would hold its own newest tree, and sign another history after it.
static void two_do_not_share_a_folder(void **state) {
    world *made = *state;
    gw_signer *second = NULL;
    gw_problem problem = {0};
    assert_int_equal(sign(made, 3, NULL), GW_OK);
    assert_int_equal(gw_signer_open(made->fixture.folder, FIXTURE_ORIGIN, &second, &problem), GW_BUSY);
    assert_string_equal(problem.code, "signer_locked");
    assert_null(second);
    assert_int_equal(sign(made, 5, NULL), GW_OK);
    gw_signer_close(made->signer);
    made->signer = NULL;
    assert_int_equal(gw_signer_open(made->fixture.folder, FIXTURE_ORIGIN, &made->signer, &problem), GW_OK);
    assert_int_equal(newest_size(made), 5); // what the first one left
}

// ---- its file

static void it_remembers_across_restarts(void **state) {
    world *made = *state;
    for (uint64_t size = 1; size <= 20; size += 3) {
        assert_int_equal(sign(made, size, NULL), GW_OK);
        assert_int_equal(open_again(made, NULL), GW_OK);
        assert_int_equal(newest_size(made), size);
    }
    gw_problem problem = {0};
    assert_int_equal(sign(made, 4, &problem), GW_CORRUPT);
}

static void flip(const world *made, long at) {
    char path[160];
    path_of(made, GW_SIGNER_NEWEST, path);
    int file = open(path, O_RDWR);
    uint8_t byte = 0;
    assert_int_equal(pread(file, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(file, &byte, 1, at), 1);
    close(file);
}

// Body 184, checksum 32, signature 64: every byte that means something.
static void a_torn_newest_slot_leaves_the_older_one(void **state) {
    world *made = *state;
    assert_int_equal(sign(made, 1, NULL), GW_OK);
    for (long at = 0; at < 280; at += 3) {
        gw_problem problem = {0};
        uint64_t older = newest_size(made);
        assert_int_equal(sign(made, older + 1, NULL), GW_OK);
        long slot = (long)((older + 1) & 1) * GW_SLOT_SIZE; // epochs count signatures, as sizes do here
        flip(made, slot + at);
        assert_int_equal(open_again(made, NULL), GW_OK);
        assert_int_equal(newest_size(made), older);
        flip(made, GW_SLOT_SIZE - slot + at);
        assert_int_equal(open_again(made, &problem), GW_CORRUPT);
        assert_string_equal(problem.code, "signer_corrupt");
        flip(made, GW_SLOT_SIZE - slot + at);
        flip(made, slot + at);
        assert_int_equal(open_again(made, NULL), GW_OK);
        if (newest_size(made) == LEAVES - 1) { // start again with few entries
            char path[160];
            path_of(made, GW_SIGNER_NEWEST, path);
            unlink(path);
            assert_int_equal(open_again(made, NULL), GW_OK);
            assert_int_equal(sign(made, 1, NULL), GW_OK);
        }
    }
}

// The tree is on disk before the note is out: whoever lost the note asks again.
static void a_tree_whose_note_was_lost_is_signed_again(void **state) {
    world *made = *state;
    gw_buffer none;
    gw_buffer_init(&none, 4); // no room for a note: as a crash between the sync and the reply
    assert_int_equal(sign_from(made, 0, 6, &none, NULL), GW_LIMIT);
    gw_buffer_done(&none);
    assert_int_equal(open_again(made, NULL), GW_OK);
    assert_int_equal(newest_size(made), 6);
    assert_int_equal(sign(made, 6, NULL), GW_OK);
    made->leaves[5].bytes[0] ^= 1;
    assert_int_equal(sign(made, 6, NULL), GW_CORRUPT);
}

static void a_file_under_another_key_is_refused(void **state) {
    world *made = *state;
    gw_problem problem = {0};
    gw_secret_key *other = NULL;
    char path[160];
    assert_int_equal(sign(made, 3, NULL), GW_OK);
    path_of(made, GW_SIGNER_KEY, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(gw_key_generate(&other), GW_OK);
    assert_int_equal(gw_key_file_write(path, other, NULL), GW_OK);
    gw_secret_key_free(other);
    assert_int_equal(open_again(made, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "signer_corrupt");
}

static void nothing_is_signed_after_a_write_that_failed(void **state) {
    world *made = *state;
    gw_problem problem = {0};
    struct rlimit before, none;
    assert_int_equal(sign(made, 1, NULL), GW_OK);
    getrlimit(RLIMIT_FSIZE, &before);
    none = before;
    none.rlim_cur = 0;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    gw_status status = sign(made, 2, &problem);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, GW_RETRY);
    assert_string_equal(problem.code, "signer_unknown");
    assert_int_equal(sign(made, 2, &problem), GW_RETRY); // though it could be written now
    assert_int_equal(open_again(made, NULL), GW_OK);
    assert_int_equal(sign(made, 2, NULL), GW_OK);
}

// ---- another key

static unsigned signatures_in(const gw_buffer *note) {
    unsigned count = 0;
    for (const char *at = strstr(gw_buffer_string(note), "\n\xe2\x80\x94 "); at != NULL;
         at = strstr(at + 1, "\n\xe2\x80\x94 "))
        count++;
    return count;
}

static void a_rotation_signs_with_both_keys_until_it_is_finished(void **state) {
    world *made = *state;
    gw_note_key old_key, new_key, again;
    gw_checkpoint opened;
    gw_problem problem = {0};
    gw_buffer note;
    gw_buffer_init(&note, 4096);
    assert_int_equal(sign(made, 5, NULL), GW_OK);
    assert_int_equal(gw_signer_finish(made->signer, &problem), GW_CONFLICT);
    assert_string_equal(problem.code, "no_rotation");
    assert_int_equal(gw_signer_rotate(made->signer, &old_key, &new_key, NULL), GW_OK);
    assert_string_equal(old_key.name, new_key.name);
    assert_memory_not_equal(old_key.id, new_key.id, sizeof(old_key.id));
    assert_int_equal(open_again(made, NULL), GW_OK); // a crash after the key was made: it is the same one
    assert_int_equal(gw_signer_rotate(made->signer, &old_key, &again, NULL), GW_OK);
    assert_memory_equal(again.id, new_key.id, sizeof(new_key.id));
    assert_int_equal(sign_from(made, 5, 6, &note, NULL), GW_OK);
    assert_int_equal(signatures_in(&note), 2);
    assert_int_equal(gw_checkpoint_open(gw_buffer_bytes(&note), &old_key, &opened, NULL), GW_OK);
    assert_int_equal(gw_checkpoint_open(gw_buffer_bytes(&note), &new_key, &opened, NULL), GW_OK);
    assert_true(gw_signer_has_key(made->signer, &old_key));
    assert_true(gw_signer_has_key(made->signer, &new_key));
    assert_int_equal(gw_signer_finish(made->signer, NULL), GW_OK);
    assert_int_equal(open_again(made, NULL), GW_OK);
    assert_int_equal(newest_size(made), 6);
    assert_false(gw_signer_has_key(made->signer, &old_key));
    note.size = 0;
    assert_int_equal(sign_from(made, 6, 7, &note, NULL), GW_OK);
    assert_int_equal(signatures_in(&note), 1);
    assert_int_equal(gw_checkpoint_open(gw_buffer_bytes(&note), &new_key, &opened, NULL), GW_OK);
    assert_int_equal(gw_checkpoint_open(gw_buffer_bytes(&note), &old_key, &opened, NULL), GW_CORRUPT);
    assert_int_equal(sign(made, 3, NULL), GW_CORRUPT); // the new key does not go back either
    gw_buffer_done(&note);
}

#define SIGNER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        SIGNER_TEST(a_tree_that_extends_the_newest_is_signed),
        SIGNER_TEST(a_look_beside_the_signer_sees_its_newest_tree),
        SIGNER_TEST(the_same_tree_is_signed_again_and_alike),
        SIGNER_TEST(it_refuses_to_go_back),
        SIGNER_TEST(it_refuses_another_tree_of_the_same_size),
        SIGNER_TEST(it_demands_the_proof),
        SIGNER_TEST(it_signs_no_other_log),
        SIGNER_TEST(two_do_not_share_a_folder),
        SIGNER_TEST(it_remembers_across_restarts),
        SIGNER_TEST(a_torn_newest_slot_leaves_the_older_one),
        SIGNER_TEST(a_tree_whose_note_was_lost_is_signed_again),
        SIGNER_TEST(a_file_under_another_key_is_refused),
        SIGNER_TEST(nothing_is_signed_after_a_write_that_failed),
        SIGNER_TEST(a_rotation_signs_with_both_keys_until_it_is_finished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
