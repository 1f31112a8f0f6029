// SPDX-License-Identifier: Apache-2.0
// The log's key changed while the log goes on: both keys sign, the log says so, and whoever trusts only the old key
// follows the published files to the new one, and to no other.
#include "service/audit/publish.h"
#include "service/audit/verify.h"
#include "service/base/file.h"
#include "service/ledger/ledger.h"
#include "tests/unit/store/ledger_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    ledger_fixture fixture;
    gw_ledger *ledger;
    char log[128];
} world;

static int64_t clock_unix(void *state) {
    (void)state;
    return FIXTURE_NOW;
}

static gw_status open_again(world *made, gw_problem *problem) {
    gw_ledger_options options = {.state_folder = made->fixture.folder,
                                 .clock = {.unix_seconds = clock_unix, .boot_ms = clock_unix},
                                 .free_bytes_min = 1,
                                 .signer = fixture_signer(made->fixture.folder)};
    gw_status status = gw_ledger_open(&options, &made->ledger, problem);
    if (status != GW_OK)
        made->ledger = NULL;
    return status;
}

static void close_now(world *made) {
    gw_ledger_close(made->ledger);
    made->ledger = NULL;
}

static gw_status submit(void *state, gw_store_op *op) {
    return gw_ledger_submit(((world *)state)->ledger, op);
}

static int setup(void **state) {
    world *made = calloc(1, sizeof(*made));
    fixture_create(&made->fixture);
    snprintf(made->log, sizeof(made->log), "%s/log", made->fixture.folder);
    *state = made;
    if (open_again(made, NULL) != GW_OK)
        return -1;
    fixture_settle(&made->fixture, &fixture_budget_large, submit, made);
    return 0;
}

static int teardown(void **state) {
    world *made = *state;
    close_now(made);
    fixture_remove(&made->fixture);
    free(made);
    return 0;
}

static void charge_and_seal(world *made, uint64_t idem) {
    gw_store_op op = fixture_reserve(&made->fixture, FIXTURE_RESEARCHER, idem, 1);
    assert_int_equal(submit(made, &op), GW_OK);
    gw_store_op seal = fixture_seal(op.seq, "answer");
    assert_int_equal(submit(made, &seal), GW_OK);
    assert_int_equal(seal.result, GW_OK);
}

static gw_store_op keyrot_op(const gw_note_key *old_key, const gw_note_key *new_key) {
    gw_store_op op = fixture_principal(FIXTURE_OWNER, GW_ROLE_OWNER, FIXTURE_OWNER); // its signer
    op.entry.kind = GW_ENTRY_KEYROT;
    memset(&op.entry.keyrot, 0, sizeof(op.entry.keyrot));
    gw_note_key_format(old_key, op.entry.keyrot.old_key);
    gw_note_key_format(new_key, op.entry.keyrot.new_key);
    return op;
}

static uint64_t change(world *made, gw_note_key *ret_old, gw_note_key *ret_new) {
    assert_int_equal(gw_ledger_key_next(made->ledger, ret_old, ret_new, NULL), GW_OK);
    gw_store_op op = keyrot_op(ret_old, ret_new);
    assert_int_equal(submit(made, &op), GW_OK);
    assert_int_equal(op.result, GW_OK);
    assert_int_equal(gw_ledger_key_keep(made->ledger, NULL), GW_OK);
    return op.seq;
}

static void newest_note(world *made, gw_buffer *ret_note) {
    gw_checkpoint checkpoint;
    ret_note->size = 0;
    gw_ledger_checkpoint(made->ledger, &checkpoint, ret_note);
}

static bool is_signed_by(const gw_buffer *note, const gw_note_key *key) {
    gw_checkpoint opened;
    return gw_checkpoint_open(gw_buffer_bytes(note), key, &opened, NULL) == GW_OK;
}

static void publish(world *made) {
    gw_publisher *publisher = NULL;
    gw_checkpoint checkpoint;
    gw_buffer note;
    gw_buffer_init(&note, GW_LEDGER_NOTE_MAX);
    gw_ledger_checkpoint(made->ledger, &checkpoint, &note);
    assert_int_equal(gw_publisher_open(made->fixture.database, made->log, NULL, &publisher, NULL), GW_OK);
    gw_publisher_notify(publisher, &checkpoint, gw_buffer_bytes(&note));
    gw_publisher_close(publisher);
    gw_buffer_done(&note);
}

// How many changes the check followed; -1: not sound.
static int follow(const world *made, const gw_note_key *key, const gw_note_key *expected) {
    gw_audit_verdict verdict;
    assert_int_equal(gw_audit_verify_folder(made->log, key, NULL, NULL, NULL, &verdict), GW_OK);
    if (!verdict.is_sound)
        return -1;
    assert_memory_equal(verdict.log_key.id, expected->id, sizeof(expected->id));
    return (int)verdict.keys_followed;
}

static void the_old_key_leads_to_the_new_one(void **state) {
    world *made = *state;
    gw_note_key first, second, third, again;
    gw_problem problem = {0};
    gw_buffer note;
    gw_buffer_init(&note, GW_LEDGER_NOTE_MAX);
    charge_and_seal(made, 1);
    assert_int_equal(gw_ledger_key_retire(made->ledger, &problem), GW_CONFLICT);
    assert_string_equal(problem.code, "no_rotation");
    change(made, &first, &second);
    assert_int_equal(gw_ledger_key_next(made->ledger, &first, &again, &problem), GW_CONFLICT);
    assert_string_equal(problem.code, "keyrot_under_way");
    newest_note(made, &note);
    assert_true(is_signed_by(&note, &first) && is_signed_by(&note, &second));
    publish(made);
    assert_int_equal(follow(made, &first, &first), 0); // the old key goes on working
    assert_int_equal(follow(made, &second, &second), 0);
    assert_int_equal(gw_ledger_key_retire(made->ledger, NULL), GW_OK);
    charge_and_seal(made, 2);
    newest_note(made, &note);
    assert_true(!is_signed_by(&note, &first) && is_signed_by(&note, &second));
    close_now(made);
    assert_int_equal(open_again(made, &problem), GW_OK); // the key in force is the log's second
    change(made, &again, &third);
    assert_memory_equal(again.id, second.id, sizeof(again.id));
    assert_int_equal(gw_ledger_key_retire(made->ledger, NULL), GW_OK);
    charge_and_seal(made, 3);
    publish(made);
    assert_int_equal(follow(made, &first, &third), 2);
    assert_int_equal(follow(made, &second, &third), 1);
    assert_int_equal(follow(made, &third, &third), 0);
    assert_int_equal(follow(made, NULL, &third), 2); // from the first entry's
    gw_buffer_done(&note);
}

static void edit(const world *made, uint64_t seq, gw_bytes bytes) {
    char path[256];
    snprintf(path, sizeof(path), "%s/keyrot/%llu", made->log, (unsigned long long)seq);
    assert_int_equal(gw_file_replace(path, bytes, 0644, NULL), GW_OK);
}

static void no_other_way_leads_from_key_to_key(void **state) {
    world *made = *state;
    gw_note_key first, second, foreign;
    gw_secret_key *key = NULL;
    char path[256], file[256];
    uint64_t seq = change(made, &first, &second);
    assert_int_equal(gw_ledger_key_retire(made->ledger, NULL), GW_OK);
    charge_and_seal(made, 1);
    publish(made);
    assert_int_equal(follow(made, &first, &second), 1);
    assert_int_equal(gw_key_generate(&key), GW_OK);
    assert_int_equal(gw_note_key_new(FIXTURE_ORIGIN, gw_key_public(key), &foreign), GW_OK);
    assert_int_equal(follow(made, &foreign, &second), -1); // not a key of this log
    gw_buffer kept, other;
    gw_buffer_init(&kept, GW_LEDGER_NOTE_MAX);
    gw_buffer_init(&other, GW_LEDGER_NOTE_MAX);
    snprintf(path, sizeof(path), "%s/keyrot/%llu", made->log, (unsigned long long)seq);
    assert_int_equal(gw_file_read(path, &kept, NULL), GW_OK);
    for (size_t at = 0; at < kept.size; at += 5) { // whatever byte of it is changed
        kept.data[at] ^= 1;
        edit(made, seq, gw_buffer_bytes(&kept));
        kept.data[at] ^= 1;
        assert_int_equal(follow(made, &first, &second), -1);
        assert_int_equal(follow(made, &second, &second), 0); // who has the new key needs it not
    }
    newest_note(made, &other); // right, and without the old key's signature
    edit(made, seq, gw_buffer_bytes(&other));
    assert_int_equal(follow(made, &first, &second), -1);
    edit(made, seq, gw_buffer_bytes(&kept));
    assert_int_equal(follow(made, &first, &second), 1);
    // Signed by both, over a tree that is not the beginning of this one.
    gw_secret_key *old_secret = fixture_key();
    gw_checkpoint fork = {.origin = FIXTURE_ORIGIN, .size = seq + 1, .root = fixture_hash("another history")};
    other.size = 0;
    gw_checkpoint_sign(&fork, old_secret, &other);
    gw_secret_key *new_secret = NULL; // in force by now
    gw_buffer also;
    gw_buffer_init(&also, GW_LEDGER_NOTE_MAX);
    snprintf(file, sizeof(file), "%s/keys/log.key", made->fixture.folder);
    assert_int_equal(gw_key_file_read(file, &new_secret, NULL), GW_OK);
    gw_checkpoint_sign(&fork, new_secret, &also);
    gw_secret_key_free(new_secret);
    gw_buffer_text(&other, strstr(gw_buffer_string(&also), "\n\n") + 2);
    gw_buffer_done(&also);
    assert_true(is_signed_by(&other, &first) && is_signed_by(&other, &second));
    edit(made, seq, gw_buffer_bytes(&other));
    assert_int_equal(follow(made, &first, &second), -1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(follow(made, &first, &second), -1);
    publish(made); // it is written again from the ledger
    assert_int_equal(follow(made, &first, &second), 1);
    gw_secret_key_free(old_secret);
    gw_secret_key_free(key);
    gw_buffer_done(&kept);
    gw_buffer_done(&other);
}

static void the_log_takes_only_a_change_of_the_key_in_force(void **state) {
    world *made = *state;
    gw_note_key first, second, foreign, renamed;
    gw_secret_key *key = NULL;
    assert_int_equal(gw_ledger_key_next(made->ledger, &first, &second, NULL), GW_OK);
    assert_int_equal(gw_key_generate(&key), GW_OK);
    assert_int_equal(gw_note_key_new(FIXTURE_ORIGIN, gw_key_public(key), &foreign), GW_OK);
    assert_int_equal(gw_note_key_new("stats.example/other", gw_key_public(key), &renamed), GW_OK);
    const struct {
        const gw_note_key *old_key, *new_key;
        const char *code;
    } cases[] = {{&foreign, &second, "wrong_log_key"},
                 {&renamed, &second, "wrong_log_key"},
                 {&first, &renamed, "bad_vkey"},
                 {&first, &first, "same_log_key"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gw_store_op op = keyrot_op(cases[i].old_key, cases[i].new_key);
        assert_int_equal(submit(made, &op), GW_OK);
        assert_true(op.result != GW_OK);
        assert_string_equal(op.code, cases[i].code);
        // And the auditor's fold refuses the same.
        gw_audit_state *fold = gw_audit_state_new();
        gw_entry genesis = fixture_genesis(), owner = fixture_principal(1, GW_ROLE_OWNER, 1).entry;
        gw_problem problem = {0};
        owner.seq = 1;
        owner.time = op.entry.time = genesis.time;
        op.entry.seq = 2;
        assert_int_equal(gw_audit_apply(fold, &genesis, NULL), GW_OK);
        assert_int_equal(gw_audit_apply(fold, &owner, NULL), GW_OK);
        assert_int_equal(gw_audit_apply(fold, &op.entry, &problem), GW_CORRUPT);
        assert_string_equal(problem.code, cases[i].code);
        gw_audit_state_free(fold);
    }
    gw_secret_key_free(key);
}

// Each step again after a crash behind it.
static void a_change_that_was_interrupted_goes_on(void **state) {
    world *made = *state;
    gw_note_key first, second, again, same;
    assert_int_equal(gw_ledger_key_next(made->ledger, &first, &second, NULL), GW_OK);
    close_now(made); // the key is made; nothing is in the log
    assert_int_equal(open_again(made, NULL), GW_OK);
    assert_int_equal(gw_ledger_key_retire(made->ledger, NULL), GW_CONFLICT); // it must not take over
    assert_int_equal(gw_ledger_key_next(made->ledger, &again, &same, NULL), GW_OK);
    assert_memory_equal(same.id, second.id, sizeof(same.id));
    gw_store_op op = keyrot_op(&first, &second);
    assert_int_equal(submit(made, &op), GW_OK);
    close_now(made); // in the log; no checkpoint was kept
    assert_int_equal(open_again(made, NULL), GW_OK);
    assert_int_equal(gw_ledger_key_retire(made->ledger, NULL), GW_OK); // which keeps one first
    charge_and_seal(made, 1);
    publish(made);
    assert_int_equal(follow(made, &first, &second), 1);
    assert_int_equal(gw_ledger_key_retire(made->ledger, NULL), GW_CONFLICT);
}

static void after_a_change_the_first_key_is_not_the_logs(void **state) {
    world *made = *state;
    gw_note_key first, second;
    gw_problem problem = {0};
    char path[256], kept[256];
    snprintf(path, sizeof(path), "%s/keys/log.key", made->fixture.folder);
    snprintf(kept, sizeof(kept), "%s/keys/kept", made->fixture.folder);
    assert_int_equal(link(path, kept), 0);
    change(made, &first, &second);
    assert_int_equal(gw_ledger_key_retire(made->ledger, NULL), GW_OK);
    close_now(made);
    assert_int_equal(rename(kept, path), 0);
    snprintf(kept, sizeof(kept), "%s/keys/log.newest", made->fixture.folder);
    assert_int_equal(unlink(kept), 0); // the new key's
    assert_int_equal(open_again(made, &problem), GW_INVALID);
    assert_string_equal(problem.code, "wrong_log_key");
}

#define KEYROT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        KEYROT_TEST(the_old_key_leads_to_the_new_one),
        KEYROT_TEST(no_other_way_leads_from_key_to_key),
        KEYROT_TEST(the_log_takes_only_a_change_of_the_key_in_force),
        KEYROT_TEST(a_change_that_was_interrupted_goes_on),
        KEYROT_TEST(after_a_change_the_first_key_is_not_the_logs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
