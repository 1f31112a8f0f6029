// SPDX-License-Identifier: Apache-2.0
// What a client has seen of the log, on the service's side: held against the tree, proven by a signed note, and
// followed by a proof with each receipt. A word costs a refusal; a signature of our own stops everything.
#include "service/base/file.h"
#include "service/query/rollback.h"
#include "service/wire/receipt.h"
#include "tests/unit/query/asking_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define PING "{\"v\":1,\"kind\":\"ping\"}"
#define QUERY                                                                                                          \
    "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" ASKING_REGISTER "\",\"indicator\":\"employment_rate\","               \
    "\"epsilon\":\"0.05\"}"
#define ANSWER "{\"v\":1,\"answer\":42}"

static int setup(void **state) {
    asking *made = malloc(sizeof *made);
    asking_begin(made);
    *state = made;
    return 0;
}
static int teardown(void **state) {
    asking_end(*state);
    free(*state);
    return 0;
}

static gw_checkpoint newest(asking *made) {
    gw_checkpoint checkpoint;
    gw_ledger_checkpoint(made->ledger, &checkpoint, NULL);
    return checkpoint;
}

static gw_hash root_at(asking *made, uint64_t size) {
    gw_hash root;
    assert_int_equal(gw_merkle_root(gw_store_tree(gw_query_reader(made->worker)), size, &root), GW_OK);
    return root;
}

static bool ping_having_seen(asking *made, unsigned who, uint64_t size, gw_hash root) {
    made->has_seen = true;
    made->seen_size = size;
    made->seen_root = root;
    return asking_send(made, who, PING);
}

// ---- the line

static void what_the_log_holds_may_be_seen_at_any_size(void **state) {
    asking *made = *state;
    uint64_t size = newest(made).size;
    assert_true(size > 8);
    for (uint64_t at = 0; at <= size; at++) {
        assert_true(ping_having_seen(made, ASKING_ANNA, at, root_at(made, at)));
        assert_true(ping_having_seen(made, ASKING_NOBODY, at, root_at(made, at)));
    }
}

static void more_than_the_log_holds_is_refused_and_stops_nothing(void **state) {
    asking *made = *state;
    uint64_t size = newest(made).size;
    gw_hash root = newest(made).root, other = fixture_hash("another history");
    assert_false(ping_having_seen(made, ASKING_ANNA, size + 1, root));
    assert_string_equal(made->problem.code, "checkpoint_ahead");
    assert_false(ping_having_seen(made, ASKING_NOBODY, UINT64_MAX, root));
    assert_string_equal(made->problem.code, "checkpoint_ahead");
    for (uint64_t at = 0; at <= size; at++) {
        assert_false(ping_having_seen(made, ASKING_ANNA, at, other));
        assert_string_equal(made->problem.code, "checkpoint_ahead");
    }
    made->has_seen = false;
    assert_true(asking_send(made, ASKING_ANNA, PING));
    assert_int_equal(gw_queries_check(made->queries, NULL), GW_OK);
}

static void who_asks_is_checked_first(void **state) {
    asking *made = *state;
    assert_false(ping_having_seen(made, 77, newest(made).size + 1, newest(made).root));
    assert_string_equal(made->problem.code, "unauthenticated");
}

// A view may be older than the checkpoint that another worker's reply has just carried out.
static void a_checkpoint_younger_than_the_view_is_no_rollback(void **state) {
    asking *made = *state;
    gw_store_reader *reader = gw_query_reader(made->worker);
    uint64_t before;
    int64_t time;
    gw_store_reader_begin(reader);
    assert_int_equal(gw_store_last(reader, &before, &time), GW_OK);
    gw_store_op op = fixture_principal(500, GW_ROLE_RESEARCHER, FIXTURE_OWNER);
    assert_int_equal(gw_ledger_submit(made->ledger, &op), GW_OK);
    gw_checkpoint now = newest(made);
    assert_true(now.size > before);
    gw_rollback_verdict verdict;
    assert_int_equal(gw_rollback_judge(reader, now.size, now.root, &verdict), GW_OK);
    assert_true(verdict.is_held);
    gw_store_reader_end(reader);
}

// ---- the proof with a receipt

static void consistency_of_reply(asking *made, gw_merkle_proof *ret) {
    gw_json *json = NULL;
    *ret = (gw_merkle_proof){.count = 0};
    assert_int_equal(gw_json_parse(made->reply.account, GW_JSON_REPLY, &json, NULL), GW_OK);
    const gw_json_node *list = gw_json_member(gw_json_root(json), "consistency");
    assert_non_null(list);
    for (const gw_json_node *node = gw_json_first(list); node; node = gw_json_next(node)) {
        size_t size;
        const char *text = gw_json_string(node);
        assert_true(gw_unbase64(text, strlen(text), ret->hashes[ret->count++].bytes, GW_HASH_SIZE, &size));
    }
    gw_json_free(json);
}

static void a_receipt_comes_with_the_proof_that_the_log_grew(void **state) {
    asking *made = *state;
    const gw_hash question = fixture_hash("{}");
    uint64_t size = newest(made).size;
    for (uint64_t at = 0; at <= size; at++) {
        made->has_seen = true;
        made->seen_size = at;
        made->seen_root = root_at(made, at);
        assert_false(asking_send(made, ASKING_ANNA, QUERY));
        assert_string_equal(made->problem.code, "not_serving");
        asking_charge_last(made, ASKING_ANNA, &question, gw_bytes_of("{}"), 50000, ANSWER);
        assert_true(asking_send_again(made));
        gw_receipt receipt;
        gw_buffer scratch;
        gw_checkpoint now;
        gw_merkle_proof proof;
        gw_buffer_init(&scratch, GW_RECEIPT_MAX);
        assert_int_equal(gw_receipt_decode(made->reply.receipt, &scratch, &receipt, NULL), GW_OK);
        assert_int_equal(gw_checkpoint_peek(receipt.checkpoint, &now, NULL), GW_OK);
        consistency_of_reply(made, &proof);
        assert_true(gw_merkle_consistency_holds(at, made->seen_root, now.size, now.root, &proof));
        gw_buffer_done(&scratch);
    }
    made->has_seen = false; // nothing seen, nothing to prove
    assert_false(asking_send(made, ASKING_ANNA, QUERY));
    asking_charge_last(made, ASKING_ANNA, &question, gw_bytes_of("{}"), 50000, ANSWER);
    assert_true(asking_send_again(made));
    assert_null(memmem(made->reply.account.data, made->reply.account.size, "consistency", 11));
}

// ---- the note

static void note_sign(const char *origin, uint64_t size, gw_hash root, const gw_secret_key *key, gw_buffer *ret) {
    gw_checkpoint checkpoint = {.size = size, .root = root};
    snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", origin);
    gw_buffer_init(ret, 4096);
    gw_checkpoint_sign(&checkpoint, key, ret);
}

static bool send_note(asking *made, unsigned who, gw_bytes note) {
    gw_buffer body, text;
    gw_buffer_init(&body, 65536);
    gw_buffer_init(&text, 65536);
    gw_buffer_append(&text, note.data, note.size);
    gw_buffer_text(&body, "{\"v\":1,\"kind\":\"checkpoint\"");
    gw_json_write_member(&body, "note", gw_buffer_string(&text));
    gw_buffer_text(&body, "}");
    made->has_seen = false;
    bool is_answered = asking_send(made, who, gw_buffer_string(&body));
    gw_buffer_done(&body);
    gw_buffer_done(&text);
    return is_answered;
}

static bool send_signed(asking *made, unsigned who, uint64_t size, gw_hash root) {
    gw_secret_key *key = fixture_key();
    gw_buffer note;
    note_sign(FIXTURE_ORIGIN, size, root, key, &note);
    bool is_answered = send_note(made, who, gw_buffer_bytes(&note));
    gw_buffer_done(&note);
    gw_secret_key_free(key);
    return is_answered;
}

static void note_path(const asking *made, const char *suffix, char path[256]) {
    snprintf(path, 256, "%s/rolled_back.note%s", made->ledger_fixture.folder, suffix);
}

static void a_note_that_nobody_signed_costs_a_refusal(void **state) {
    asking *made = *state;
    gw_hash root = fixture_hash("another history");
    uint8_t seed[GW_SEED_SIZE] = {7};
    gw_secret_key *key = fixture_key(), *other = NULL;
    assert_int_equal(gw_key_from_seed(seed, &other), GW_OK);
    gw_buffer note;
    note_sign(FIXTURE_ORIGIN, 1000, root, other, &note);
    assert_false(send_note(made, ASKING_ANNA, gw_buffer_bytes(&note)));
    assert_string_equal(made->problem.code, "bad_checkpoint");
    gw_buffer_done(&note);
    note_sign("other.example/log", 1000, root, key, &note);
    assert_false(send_note(made, ASKING_ANNA, gw_buffer_bytes(&note)));
    assert_string_equal(made->problem.code, "bad_checkpoint");
    gw_buffer_done(&note);
    note_sign(FIXTURE_ORIGIN, 1000, root, key, &note);
    note.data[strlen(FIXTURE_ORIGIN) + 1] = '2'; // another size under the same signature
    assert_false(send_note(made, ASKING_ANNA, gw_buffer_bytes(&note)));
    assert_string_equal(made->problem.code, "bad_checkpoint");
    gw_buffer_done(&note);
    assert_false(send_note(made, ASKING_NOBODY, gw_bytes_of("nonsense")));
    assert_string_equal(made->problem.code, "bad_checkpoint");
    assert_int_equal(gw_queries_check(made->queries, NULL), GW_OK);
    assert_true(asking_send(made, ASKING_ANNA, PING));
    gw_secret_key_free(key);
    gw_secret_key_free(other);
}

static void a_note_that_the_log_holds_is_taken(void **state) {
    asking *made = *state;
    for (uint64_t at = 0; at <= newest(made).size; at++)
        assert_true(send_signed(made, ASKING_ANNA, at, root_at(made, at)));
    assert_int_equal(gw_queries_check(made->queries, NULL), GW_OK);
}

// Everything stops, for everybody, and a start does not mend it.
static void assert_stopped(asking *made) {
    char path[256];
    bool is_mended;
    gw_problem problem = {0};
    assert_string_equal(made->problem.code, "rolled_back");
    assert_non_null(memmem(made->reply.account.data, made->reply.account.size, FIXTURE_ORIGIN, 10)); // our own note
    assert_int_equal(gw_queries_check(made->queries, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "rolled_back");
    assert_false(asking_send(made, ASKING_BELA, PING));
    assert_string_equal(made->problem.code, "rolled_back");
    assert_int_equal(made->reply.account.size, 0);
    assert_false(asking_send(made, ASKING_BELA, QUERY));
    assert_string_equal(made->problem.code, "rolled_back");
    note_path(made, "", path);
    assert_int_equal(access(path, R_OK), 0);
    assert_int_equal(gw_rollback_check_folder(made->ledger_fixture.folder, &is_mended, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "rolled_back");
    assert_int_equal(access(path, R_OK), 0);
}

static void a_larger_signed_note_stops_the_service(void **state) {
    asking *made = *state;
    uint64_t size = newest(made).size;
    char wanted[32];
    assert_false(send_signed(made, ASKING_NOBODY, size + 3, fixture_hash("later")));
    snprintf(wanted, sizeof wanted, "signed %llu entries", (unsigned long long)size + 3);
    assert_non_null(strstr(made->problem.why, wanted)); // both sizes
    snprintf(wanted, sizeof wanted, "holds %llu", (unsigned long long)size);
    assert_non_null(strstr(made->problem.why, wanted));
    assert_stopped(made);
    gw_queries_report(made->queries, GW_INCIDENT_OTHER);
    gw_queries_tick(made->queries, true);
    assert_true(newest(made).size == size); // and nothing more was signed
}

// Whoever asked before a change of keys holds a note of the old one, whoever came after it a note of the new one.
static void a_note_of_any_key_that_the_log_had_is_the_logs(void **state) {
    asking *made = *state;
    gw_secret_key *keys[3] = {fixture_key()};
    gw_note_key names[3];
    gw_buffer note;
    for (size_t i = 0; i < 3; i++) {
        uint8_t seed[GW_SEED_SIZE] = {8, (uint8_t)i};
        if (i > 0)
            assert_int_equal(gw_key_from_seed(seed, &keys[i]), GW_OK);
        assert_int_equal(gw_note_key_new(FIXTURE_ORIGIN, gw_key_public(keys[i]), &names[i]), GW_OK);
        if (i == 0)
            continue;
        gw_store_op op = fixture_principal(FIXTURE_OWNER, GW_ROLE_OWNER, FIXTURE_OWNER); // its signer
        op.entry.kind = GW_ENTRY_KEYROT;
        memset(&op.entry.keyrot, 0, sizeof(op.entry.keyrot));
        gw_note_key_format(&names[i - 1], op.entry.keyrot.old_key);
        gw_note_key_format(&names[i], op.entry.keyrot.new_key);
        assert_int_equal(gw_ledger_submit(made->ledger, &op), GW_OK);
        assert_int_equal(op.result, GW_OK);
    }
    for (size_t i = 0; i < 3; i++) {
        note_sign(FIXTURE_ORIGIN, 5, root_at(made, 5), keys[i], &note);
        assert_true(send_note(made, ASKING_ANNA, gw_buffer_bytes(&note)));
        gw_buffer_done(&note);
    }
    note_sign(FIXTURE_ORIGIN, newest(made).size + 1, fixture_hash("later"), keys[2], &note);
    assert_false(send_note(made, ASKING_ANNA, gw_buffer_bytes(&note)));
    assert_stopped(made);
    gw_buffer_done(&note);
    for (size_t i = 0; i < 3; i++)
        gw_secret_key_free(keys[i]);
}

static void another_history_under_our_signature_stops_the_service(void **state) {
    asking *made = *state;
    assert_false(send_signed(made, ASKING_ANNA, 5, fixture_hash("another history")));
    assert_stopped(made);
}

// The second proof does not write over the first.
static void the_first_proof_is_kept(void **state) {
    asking *made = *state;
    char path[256];
    gw_buffer note;
    gw_problem problem = {0};
    gw_rollback *rollback = gw_rollback_new(made->ledger_fixture.folder);
    gw_checkpoint first = {.origin = FIXTURE_ORIGIN, .size = 7}, second = {.origin = FIXTURE_ORIGIN, .size = 9};
    assert_int_equal(gw_rollback_check(rollback, NULL), GW_OK);
    gw_rollback_prove(rollback, &first, gw_bytes_of("first"), 1);
    gw_rollback_prove(rollback, &second, gw_bytes_of("second"), 1);
    assert_int_equal(gw_rollback_check(rollback, &problem), GW_CORRUPT);
    assert_non_null(strstr(problem.why, "signed 7 entries"));
    note_path(made, "", path);
    gw_buffer_init(&note, 4096);
    assert_int_equal(gw_file_read(path, &note, NULL), GW_OK);
    assert_string_equal(gw_buffer_string(&note), "first");
    gw_rollback_free(rollback);
    gw_buffer_done(&note);
}

static void a_kept_note_whose_entries_are_back_is_moved_away(void **state) {
    asking *made = *state;
    char path[256], held[256];
    bool is_mended;
    gw_secret_key *key = fixture_key();
    gw_buffer note;
    gw_checkpoint now = newest(made);
    note_path(made, "", path);
    note_path(made, ".held", held);
    assert_int_equal(gw_rollback_check_folder(made->ledger_fixture.folder, &is_mended, NULL), GW_OK); // there is none
    note_sign(FIXTURE_ORIGIN, now.size, now.root, key, &note);
    assert_int_equal(gw_file_replace(path, gw_buffer_bytes(&note), 0600, NULL), GW_OK);
    assert_int_equal(gw_rollback_check_folder(made->ledger_fixture.folder, &is_mended, NULL), GW_OK);
    assert_true(is_mended);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(access(held, R_OK), 0);
    gw_problem problem = {0};
    assert_int_equal(gw_file_replace(path, gw_bytes_of("damaged"), 0600, NULL), GW_OK);
    assert_int_equal(gw_rollback_check_folder(made->ledger_fixture.folder, &is_mended, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "rolled_back");
    gw_buffer_done(&note);
    gw_secret_key_free(key);
}

// What two signers said to be lost is no proof against anybody; what lies beyond is.
static void what_a_restore_says_is_lost_proves_nothing(void **state) {
    asking *made = *state;
    uint64_t size = newest(made).size;
    gw_hash root = fixture_hash("lost");
    gw_store_op owner = fixture_principal(600, GW_ROLE_OPERATOR, FIXTURE_OWNER);
    assert_int_equal(gw_ledger_submit(made->ledger, &owner), GW_OK);
    gw_store_op op = {.kind = GW_STORE_APPEND, .entry.kind = GW_ENTRY_RESTORE, .entry.restore = {size + 1, 3}};
    op.entry.by.count = 2;
    fixture_id(FIXTURE_OWNER, op.entry.by.ids[0]);
    fixture_id(600, op.entry.by.ids[1]);
    assert_int_equal(gw_ledger_submit(made->ledger, &op), GW_OK);
    assert_int_equal(op.result, GW_OK);
    uint64_t from = op.seq;
    for (uint64_t lost = from + 1; lost <= from + 3; lost++) {
        assert_false(ping_having_seen(made, ASKING_ANNA, lost, root));
        assert_string_equal(made->problem.code, "log_restored");
        assert_false(send_signed(made, ASKING_ANNA, lost, root));
        assert_string_equal(made->problem.code, "log_restored");
    }
    assert_int_equal(gw_queries_check(made->queries, NULL), GW_OK);
    assert_false(ping_having_seen(made, ASKING_ANNA, from, root)); // before the gap nothing was lost
    assert_string_equal(made->problem.code, "checkpoint_ahead");
    assert_false(ping_having_seen(made, ASKING_ANNA, from + 4, root));
    assert_string_equal(made->problem.code, "checkpoint_ahead");
    assert_false(send_signed(made, ASKING_ANNA, from + 4, root));
    assert_stopped(made);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_the_log_holds_may_be_seen_at_any_size),
        CASE(more_than_the_log_holds_is_refused_and_stops_nothing),
        CASE(who_asks_is_checked_first),
        CASE(a_checkpoint_younger_than_the_view_is_no_rollback),
        CASE(a_receipt_comes_with_the_proof_that_the_log_grew),
        CASE(a_note_that_nobody_signed_costs_a_refusal),
        CASE(a_note_that_the_log_holds_is_taken),
        CASE(a_larger_signed_note_stops_the_service),
        CASE(another_history_under_our_signature_stops_the_service),
        CASE(a_note_of_any_key_that_the_log_had_is_the_logs),
        CASE(the_first_proof_is_kept),
        CASE(what_a_restore_says_is_lost_proves_nothing),
        CASE(a_kept_note_whose_entries_are_back_is_moved_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
