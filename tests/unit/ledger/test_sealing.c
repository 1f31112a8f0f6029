// SPDX-License-Identifier: Apache-2.0
// What stands between a commit and a caller who is told: the mark under its own key, a signer that knows more than the
// ledger, and witnesses that vouch or do not.
#include "service/base/file.h"
#include "service/ledger/ledger.h"
#include "service/store/hwm.h"
#include "tests/unit/store/ledger_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    ledger_fixture fixture;
    gw_ledger *ledger;
    gw_tree_witness witness; // state NULL: none
} world;

static int64_t clock_unix(void *state) {
    (void)state;
    return FIXTURE_NOW;
}

static gw_status open_signed(world *made, gw_tree_signer signer, gw_problem *problem) {
    gw_ledger_options options = {.state_folder = made->fixture.folder,
                                 .clock = {.unix_seconds = clock_unix, .boot_ms = clock_unix},
                                 .free_bytes_min = 1,
                                 .signer = signer,
                                 .witness = made->witness};
    gw_status status = gw_ledger_open(&options, &made->ledger, problem);
    if (status != GW_OK)
        made->ledger = NULL;
    return status;
}

static gw_status open_again(world *made, gw_problem *problem) {
    return open_signed(made, fixture_signer(made->fixture.folder), problem);
}

static void close_now(world *made) {
    gw_ledger_close(made->ledger);
    made->ledger = NULL;
}

static int setup(void **state) {
    world *made = calloc(1, sizeof(*made));
    fixture_create(&made->fixture);
    *state = made;
    return open_again(made, NULL) == GW_OK ? 0 : -1;
}

static int teardown(void **state) {
    world *made = *state;
    close_now(made);
    fixture_remove(&made->fixture);
    free(made);
    return 0;
}

static gw_status submit(void *state, gw_store_op *op) {
    return gw_ledger_submit(((world *)state)->ledger, op);
}

static void settle(world *made) {
    fixture_settle(&made->fixture, &fixture_budget_large, submit, made);
}

static gw_store_op run(world *made, gw_store_op op) {
    assert_int_equal(submit(made, &op), GW_OK);
    return op;
}

static uint64_t charge(world *made, uint64_t idem) {
    gw_store_op op = run(made, fixture_reserve(&made->fixture, FIXTURE_RESEARCHER, idem, 1));
    assert_int_equal(op.result, GW_OK);
    return op.seq;
}

static void charge_and_seal(world *made, uint64_t idem) {
    assert_int_equal(run(made, fixture_seal(charge(made, idem), "answer")).result, GW_OK);
}

static void path_of(const world *made, const char *name, char path[256]) {
    snprintf(path, 256, "%s/%s", made->fixture.folder, name);
}

static void file_copy(const world *made, const char *from, const char *to) {
    char source[256], target[256];
    gw_buffer bytes;
    path_of(made, from, source);
    path_of(made, to, target);
    gw_buffer_init(&bytes, 64u << 20);
    if (gw_file_read(source, &bytes, NULL) == GW_OK)
        assert_int_equal(gw_file_replace(target, gw_buffer_bytes(&bytes), 0600, NULL), GW_OK);
    else
        unlink(target);
    gw_buffer_done(&bytes);
}

static void file_drop(const world *made, const char *name) {
    char path[256];
    path_of(made, name, path);
    assert_int_equal(unlink(path), 0);
}

static void assert_open_fails(world *made, const char *code) {
    gw_problem problem = {0};
    assert_int_equal(open_again(made, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, code);
}

// ---- the signer against the ledger

// Database and mark are put back together; the signer is elsewhere.
static void a_signer_that_is_ahead_finds_an_old_copy(void **state) {
    static const char *const files[] = {"godwit.db", "godwit.db-wal", "hwm"};
    world *made = *state;
    gw_problem problem = {0};
    char path[256], name[64];
    settle(made);
    close_now(made);
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof(name), "%s.old", files[i]);
        file_copy(made, files[i], name);
    }
    assert_int_equal(open_again(made, NULL), GW_OK);
    charge_and_seal(made, 1);
    close_now(made);
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof(name), "%s.old", files[i]);
        file_copy(made, name, files[i]);
    }
    path_of(made, "godwit.db-shm", path);
    unlink(path);
    assert_int_equal(open_again(made, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "rolled_back");
    assert_non_null(strstr(problem.what, "6 entries")); // both sizes, who is ahead, and how to mend
    assert_non_null(strstr(problem.what, "signer has signed 8"));
    assert_non_null(strstr(problem.mend, "godwitd restore --dir"));
}

static void a_signer_that_is_behind_follows(void **state) {
    world *made = *state;
    settle(made);
    file_copy(made, "keys/log.newest", "newest.old");
    charge_and_seal(made, 1);
    close_now(made);
    file_copy(made, "newest.old", "keys/log.newest"); // as after a crash between mark and signature
    assert_int_equal(open_again(made, NULL), GW_OK);
    gw_checkpoint checkpoint;
    gw_ledger_checkpoint(made->ledger, &checkpoint, NULL);
    assert_int_equal(checkpoint.size, 8);
    charge_and_seal(made, 2);
}

static void a_signer_that_forgot_is_refused(void **state) {
    world *made = *state;
    settle(made);
    close_now(made);
    file_drop(made, "keys/log.newest");
    assert_open_fails(made, "signer_missing");
}

// ---- the key of the mark

static gw_status mark_under(const world *made, const gw_secret_key *key) {
    char path[256];
    gw_hwm *hwm = NULL;
    gw_hwm_mark mark;
    path_of(made, "hwm", path);
    gw_status status = gw_hwm_open(path, key, NULL, &hwm, &mark, NULL);
    gw_hwm_close(hwm);
    return status;
}

// As a version without a mark key left it: marked by the log's key, and a signer that remembers nothing.
static void make_older(world *made) {
    char path[256];
    gw_hwm *hwm = NULL;
    gw_hwm_mark mark;
    gw_secret_key *mark_key = NULL, *log_key = fixture_key();
    path_of(made, "keys/mark.key", path);
    assert_int_equal(gw_key_file_read(path, &mark_key, NULL), GW_OK);
    assert_int_equal(unlink(path), 0);
    path_of(made, "hwm", path);
    assert_int_equal(gw_hwm_open(path, mark_key, NULL, &hwm, &mark, NULL), GW_OK);
    gw_hwm_close(hwm);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(gw_hwm_create(path, &mark, log_key, &hwm, NULL), GW_OK);
    assert_int_equal(gw_hwm_advance(hwm, mark.size, mark.root, mark.time), GW_OK);
    gw_hwm_close(hwm);
    gw_secret_key_free(mark_key);
    gw_secret_key_free(log_key);
    file_drop(made, "keys/log.newest");
}

static void a_ledger_without_a_mark_key_gets_one(void **state) {
    world *made = *state;
    settle(made);
    charge_and_seal(made, 1);
    close_now(made);
    make_older(made);
    gw_secret_key *log_key = fixture_key();
    assert_int_equal(mark_under(made, log_key), GW_OK);
    file_copy(made, "hwm", "hwm.older");
    assert_int_equal(open_again(made, NULL), GW_OK);
    charge_and_seal(made, 2);
    charge_and_seal(made, 3);
    assert_int_equal(mark_under(made, log_key), GW_CORRUPT); // no longer
    close_now(made);
    assert_int_equal(open_again(made, NULL), GW_OK);
    close_now(made);
    file_copy(made, "hwm.older", "hwm"); // an old mark is no way back
    assert_open_fails(made, "hwm_corrupt");
    gw_secret_key_free(log_key);
}

static void an_older_ledger_that_was_set_back_is_still_refused(void **state) {
    world *made = *state;
    char path[256];
    settle(made);
    close_now(made);
    file_copy(made, "godwit.db", "old.db");
    file_copy(made, "godwit.db-wal", "old.db-wal");
    assert_int_equal(open_again(made, NULL), GW_OK);
    charge_and_seal(made, 1);
    close_now(made);
    make_older(made);
    file_copy(made, "old.db", "godwit.db");
    file_copy(made, "old.db-wal", "godwit.db-wal");
    path_of(made, "godwit.db-shm", path);
    unlink(path);
    assert_open_fails(made, "rolled_back");
}

// ---- witnesses

typedef struct {
    _Atomic int answer;                  // gw_status
    _Atomic uint64_t asked, size, lines; // lines: of the note that it was asked with, at most
} vouching;

static gw_status vouch(void *state, const gw_checkpoint *checkpoint, gw_merkle_source tree, gw_buffer *note,
                       gw_problem *problem) {
    vouching *witness = state;
    gw_hash root;
    uint64_t lines = 0;
    for (size_t i = 0; i < note->size; i++)
        lines += note->data[i] == '\n';
    if (lines > witness->lines)
        witness->lines = lines;
    witness->asked++;
    witness->size = checkpoint->size;
    assert_int_equal(gw_merkle_root(tree, checkpoint->size, &root), GW_OK);
    assert_true(gw_hash_equal(root, checkpoint->root));
    if (witness->answer == GW_UNAVAILABLE) // one of two
        gw_buffer_text(note, "\xe2\x80\x94 witness AAAAAAA=\n");
    if (witness->answer != GW_OK)
        return gw_problem_set(problem, (gw_status)witness->answer,
                              witness->answer == GW_CORRUPT ? "rolled_back" : "no_quorum", "", "", "");
    gw_buffer_text(note, "\xe2\x80\x94 witness AAAAAAA=\n");
    return GW_OK;
}

static void witness_add(world *made, vouching *witness, bool is_strict) {
    close_now(made);
    made->witness = (gw_tree_witness){.state = witness, .cosign = vouch, .is_strict = is_strict};
}

static uint64_t checkpoint_size(world *made, const char *expected) {
    gw_checkpoint checkpoint;
    gw_buffer note;
    gw_buffer_init(&note, GW_LEDGER_NOTE_MAX);
    gw_ledger_checkpoint(made->ledger, &checkpoint, &note);
    assert_int_equal(strstr(gw_buffer_string(&note), expected) != NULL, checkpoint.size > 0);
    gw_buffer_done(&note);
    return checkpoint.size;
}

static void a_strict_ledger_tells_nothing_without_its_quorum(void **state) {
    world *made = *state;
    vouching witness = {.answer = GW_OK};
    witness_add(made, &witness, true);
    assert_int_equal(open_again(made, NULL), GW_OK);
    settle(made);
    charge_and_seal(made, 1);
    assert_int_equal(checkpoint_size(made, "witness"), 8);
    witness.answer = GW_UNAVAILABLE;
    uint64_t open_charge = charge(made, 2); // a charge alone needs nobody
    gw_store_op op = run(made, fixture_seal(open_charge, "answer"));
    assert_int_equal(op.result, GW_UNAVAILABLE);
    assert_string_equal(op.code, "no_quorum");
    assert_int_equal(checkpoint_size(made, "witness"), 8); // the newest that was vouched for
    witness.answer = GW_OK;
    op = run(made, fixture_seal(open_charge, "other answer")); // it was durable: found, not sealed again
    assert_int_equal(op.result, GW_CONFLICT);
    charge_and_seal(made, 3);
    assert_int_equal(checkpoint_size(made, "witness"), 12);
    close_now(made); // what it asks lies on this stack
}

static void what_could_not_leave_is_not_begun(void **state) {
    world *made = *state;
    vouching witness = {.answer = GW_OK};
    witness_add(made, &witness, true);
    assert_int_equal(open_again(made, NULL), GW_OK);
    settle(made);
    uint64_t first = charge(made, 1);
    witness.answer = GW_UNAVAILABLE;
    assert_true(gw_ledger_is_vouched(made->ledger)); // nobody knows yet
    assert_string_equal(run(made, fixture_seal(first, "answer")).code, "no_quorum");
    assert_false(gw_ledger_is_vouched(made->ledger));
    gw_store_op op = run(made, fixture_reserve(&made->fixture, FIXTURE_RESEARCHER, 2, 1));
    assert_int_equal(op.result, GW_UNAVAILABLE);
    assert_string_equal(op.code, "no_quorum");
    assert_int_equal(op.seq, GW_NO_SEQ);
    witness.answer = GW_OK;
    assert_int_equal(gw_ledger_await(made->ledger, 8, 30000), GW_OK); // they are asked again without another outcome
    charge_and_seal(made, 2);
}

static void the_witnesses_lines_of_the_start_are_kept_and_less_than_a_quorum_is_not(void **state) {
    world *made = *state;
    vouching witness = {.answer = GW_OK};
    gw_checkpoint vouched;
    gw_buffer note;
    gw_buffer_init(&note, GW_LEDGER_NOTE_MAX);
    settle(made);
    witness_add(made, &witness, false);
    assert_int_equal(open_again(made, NULL), GW_OK);
    witness.answer = GW_UNAVAILABLE;
    charge_and_seal(made, 1);
    gw_ledger_vouched(made->ledger, &vouched, &note);
    assert_int_equal(vouched.size, 6);
    assert_non_null(strstr(gw_buffer_string(&note), "witness"));
    gw_buffer_done(&note);
    close_now(made);
    assert_int_equal(open_again(made, NULL), GW_OK);
    gw_ledger_vouched(made->ledger, &vouched, NULL);
    assert_int_equal(vouched.size, 0);
}

static void a_strict_ledger_starts_without_its_witnesses_and_has_no_checkpoint(void **state) {
    world *made = *state;
    vouching witness = {.answer = GW_UNAVAILABLE};
    settle(made);
    witness_add(made, &witness, true);
    assert_int_equal(open_again(made, NULL), GW_OK);
    assert_int_equal(checkpoint_size(made, "witness"), 0);
    close_now(made); // what it asks lies on this stack
}

static void witnesses_that_are_not_strict_are_not_waited_for(void **state) {
    world *made = *state;
    vouching witness = {.answer = GW_UNAVAILABLE};
    witness_add(made, &witness, false);
    assert_int_equal(open_again(made, NULL), GW_OK);
    settle(made);
    charge_and_seal(made, 1);
    assert_int_equal(checkpoint_size(made, FIXTURE_ORIGIN), 8);
    close_now(made); // what it asks lies on this stack
}

static void witnesses_are_asked_again_without_their_own_lines(void **state) {
    world *made = *state;
    vouching witness = {.answer = GW_UNAVAILABLE};
    witness_add(made, &witness, false);
    assert_int_equal(open_again(made, NULL), GW_OK);
    for (unsigned i = 0; i < 500 && witness.asked < 3; i++) // at the start, at once, and a second later
        usleep(10000);
    assert_true(witness.asked >= 3);
    assert_int_equal(witness.lines, 5); // origin, size, root, an empty line, the log's signature
    close_now(made);                    // what it asks lies on this stack
}

static void a_witness_that_knows_more_stops_the_start(void **state) {
    world *made = *state;
    gw_problem problem = {0};
    vouching witness = {.answer = GW_CORRUPT};
    settle(made);
    for (int is_strict = 0; is_strict < 2; is_strict++) {
        witness_add(made, &witness, is_strict);
        assert_int_equal(open_again(made, &problem), GW_CORRUPT);
        assert_string_equal(problem.code, "rolled_back");
    }
}

// ---- the pipeline

// A signer that can be held up, or lose its reply after it has signed.
typedef struct {
    gw_tree_signer inner;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_held, is_waiting, loses_reply;
} held_signer;

static gw_status held_newest(void *state, gw_note_key *key, gw_checkpoint *newest, gw_problem *problem) {
    held_signer *held = state;
    return held->inner.newest(held->inner.state, key, newest, problem);
}

static gw_status held_sign(void *state, const gw_checkpoint *checkpoint, const gw_merkle_proof *proof, gw_buffer *note,
                           gw_problem *problem) {
    held_signer *held = state;
    pthread_mutex_lock(&held->mutex);
    held->is_waiting = true;
    pthread_cond_broadcast(&held->changed);
    while (held->is_held)
        pthread_cond_wait(&held->changed, &held->mutex);
    held->is_waiting = false;
    bool is_lost = held->loses_reply;
    pthread_mutex_unlock(&held->mutex);
    gw_status status = held->inner.sign(held->inner.state, checkpoint, proof, note, problem);
    return status == GW_OK && is_lost ? GW_RETRY : status;
}

static void held_close(void *state) {
    held_signer *held = state;
    held->inner.close(held->inner.state);
}

static gw_tree_signer held_new(const world *made, held_signer *held) {
    *held = (held_signer){.inner = fixture_signer(made->fixture.folder)};
    pthread_mutex_init(&held->mutex, NULL);
    pthread_cond_init(&held->changed, NULL);
    return (gw_tree_signer){.state = held, .newest = held_newest, .sign = held_sign, .close = held_close};
}

static void held_set(held_signer *held, bool is_held) {
    pthread_mutex_lock(&held->mutex);
    held->is_held = is_held;
    pthread_cond_broadcast(&held->changed);
    pthread_mutex_unlock(&held->mutex);
}

static void held_await(held_signer *held) {
    pthread_mutex_lock(&held->mutex);
    while (!held->is_waiting)
        pthread_cond_wait(&held->changed, &held->mutex);
    pthread_mutex_unlock(&held->mutex);
}

typedef struct {
    world *made;
    uint64_t charge;
    _Atomic bool is_told;
    gw_status status, result;
} sealing_caller;

static void *seal_run(void *state) {
    sealing_caller *caller = state;
    gw_store_op op = fixture_seal(caller->charge, "answer");
    caller->status = submit(caller->made, &op);
    caller->result = op.result;
    caller->is_told = true;
    return NULL;
}

static void charges_are_committed_while_a_tree_is_signed(void **state) {
    world *made = *state;
    held_signer held;
    settle(made);
    close_now(made);
    assert_int_equal(open_signed(made, held_new(made, &held), NULL), GW_OK);
    sealing_caller callers[2] = {{.made = made, .charge = charge(made, 1)}, {.made = made, .charge = charge(made, 2)}};
    pthread_t threads[2];
    held_set(&held, true);
    pthread_create(&threads[0], NULL, seal_run, &callers[0]);
    held_await(&held);
    pthread_create(&threads[1], NULL, seal_run, &callers[1]);
    for (uint64_t i = 10; i < 20; i++)
        charge(made, i); // returns, though the signer has not
    gw_store_reader *reader = NULL;
    gw_store_charge found = {.state = GW_CHARGE_RESERVED};
    assert_int_equal(gw_store_reader_open(made->fixture.database, &reader, NULL), GW_OK);
    while (found.state != GW_CHARGE_SEALED) // committed behind the tree that is being signed
        assert_int_equal(gw_store_charge_by_seq(reader, callers[1].charge, &found), GW_OK);
    assert_int_equal(gw_ledger_await(made->ledger, found.release_seq + 1, 20), GW_UNAVAILABLE);
    assert_false(callers[0].is_told); // no checkpoint, no word
    assert_false(callers[1].is_told);
    assert_int_equal(checkpoint_size(made, FIXTURE_ORIGIN), 6);
    held_set(&held, false);
    assert_int_equal(gw_ledger_await(made->ledger, found.release_seq + 1, 10000), GW_OK);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(callers[i].status, GW_OK);
        assert_int_equal(callers[i].result, GW_OK);
    }
    assert_true(checkpoint_size(made, FIXTURE_ORIGIN) > found.release_seq);
    gw_store_reader_close(reader);
    close_now(made); // what it asks lies on this stack
}

static void unknown_heard(void *state) {
    (*(_Atomic unsigned *)state)++;
}

// The signer has synced and signed, and its reply is lost.
static void a_lost_signature_is_an_unknown_outcome_and_a_restart_recovers(void **state) {
    world *made = *state;
    held_signer held;
    _Atomic unsigned calls = 0;
    settle(made);
    close_now(made);
    assert_int_equal(open_signed(made, held_new(made, &held), NULL), GW_OK);
    gw_ledger_on_unknown(made->ledger, unknown_heard, (void *)&calls);
    uint64_t open_charge = charge(made, 1);
    held.loses_reply = true;
    gw_store_op op = fixture_seal(open_charge, "answer");
    assert_int_equal(submit(made, &op), GW_RETRY);
    op = fixture_reserve(&made->fixture, FIXTURE_RESEARCHER, 2, 1);
    assert_int_equal(submit(made, &op), GW_UNAVAILABLE); // nothing is tried again
    close_now(made);
    assert_int_equal(calls, 1);
    assert_int_equal(open_again(made, NULL), GW_OK);
    assert_int_equal(checkpoint_size(made, FIXTURE_ORIGIN), 8);
    op = run(made, fixture_seal(open_charge, "answer"));
    assert_int_equal(op.result, GW_CONFLICT); // it was durable
    charge_and_seal(made, 2);
    close_now(made); // what it asks lies on this stack
}

static void witnesses_that_were_not_waited_for_are_heard_later(void **state) {
    world *made = *state;
    vouching witness = {.answer = GW_OK};
    witness_add(made, &witness, false);
    assert_int_equal(open_again(made, NULL), GW_OK);
    settle(made);
    gw_checkpoint vouched;
    gw_buffer note;
    gw_buffer_init(&note, GW_LEDGER_NOTE_MAX);
    for (unsigned i = 0; i < 500 && witness.size < 6; i++)
        usleep(10000);
    assert_int_equal(witness.size, 6);
    do {
        note.size = 0;
        gw_ledger_vouched(made->ledger, &vouched, &note);
    } while (vouched.size < 6);
    assert_non_null(strstr(gw_buffer_string(&note), "witness"));
    gw_buffer_done(&note);
    assert_int_equal(checkpoint_size(made, "witness"), 6); // nothing newer: it is the one that is told of
    close_now(made);                                       // what it asks lies on this stack
}

#define SEALING_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        SEALING_TEST(a_signer_that_is_ahead_finds_an_old_copy),
        SEALING_TEST(a_signer_that_is_behind_follows),
        SEALING_TEST(a_signer_that_forgot_is_refused),
        SEALING_TEST(a_ledger_without_a_mark_key_gets_one),
        SEALING_TEST(an_older_ledger_that_was_set_back_is_still_refused),
        SEALING_TEST(a_strict_ledger_tells_nothing_without_its_quorum),
        SEALING_TEST(a_strict_ledger_starts_without_its_witnesses_and_has_no_checkpoint),
        SEALING_TEST(what_could_not_leave_is_not_begun),
        SEALING_TEST(the_witnesses_lines_of_the_start_are_kept_and_less_than_a_quorum_is_not),
        SEALING_TEST(witnesses_that_are_not_strict_are_not_waited_for),
        SEALING_TEST(witnesses_are_asked_again_without_their_own_lines),
        SEALING_TEST(a_witness_that_knows_more_stops_the_start),
        SEALING_TEST(charges_are_committed_while_a_tree_is_signed),
        SEALING_TEST(a_lost_signature_is_an_unknown_outcome_and_a_restart_recovers),
        SEALING_TEST(witnesses_that_were_not_waited_for_are_heard_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
