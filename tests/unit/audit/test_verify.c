// SPDX-License-Identifier: Apache-2.0
// A real ledger published and verified: the folder holds, and any flipped byte of any file is found, with its entry.
#include "service/audit/merkle.h"
#include "service/audit/publish.h"
#include "service/audit/tile.h"
#include "service/audit/verify.h"
#include "service/base/file.h"
#include "service/ledger/ledger.h"
#include "service/wire/message.h"
#include "service/wire/receipt.h"
#include "tests/unit/store/ledger_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHARGES 140 // two entries each: one full tile of 256, a partial one, and a tile of level 1

typedef struct {
    ledger_fixture ledger;
    char log[96], questions[96];
    uint64_t size;
    uint64_t charge, release; // one pair, late in the log
    gw_store_reader *reader;
} world;
static world shared;

static int64_t now_fixed(void *state) {
    (void)state;
    return FIXTURE_NOW;
}

static gw_status submit(void *state, gw_store_op *op) {
    gw_store_op *ops[] = {op};
    return gw_store_commit(state, ops, 1, now_fixed(NULL));
}

static void sign(gw_store *store, gw_checkpoint *ret, gw_buffer *note) {
    *ret = (gw_checkpoint){.origin = FIXTURE_ORIGIN, .size = gw_store_size(store), .root = gw_store_root(store)};
    gw_secret_key *key = fixture_key();
    gw_buffer_init(note, 1024);
    gw_checkpoint_sign(ret, key, note);
    gw_secret_key_free(key);
}

static void publish(gw_store *store) {
    gw_publisher *publisher = NULL;
    gw_checkpoint checkpoint;
    gw_buffer note;
    sign(store, &checkpoint, &note);
    assert_int_equal(gw_publisher_open(shared.ledger.database, shared.log, shared.questions, &publisher, NULL), GW_OK);
    gw_publisher_notify(publisher, &checkpoint, gw_buffer_bytes(&note));
    gw_publisher_close(publisher);
    gw_buffer_done(&note);
}

static void publish_again(void) {
    gw_store *store = NULL;
    assert_int_equal(gw_store_open(shared.ledger.database, &store, NULL), GW_OK);
    publish(store);
    gw_store_close(store);
}

static int setup(void **state) {
    (void)state;
    fixture_create(&shared.ledger);
    snprintf(shared.log, sizeof(shared.log), "%s/log", shared.ledger.folder);
    snprintf(shared.questions, sizeof(shared.questions), "%s/questions", shared.ledger.folder);
    gw_store *store = NULL;
    assert_int_equal(gw_store_open(shared.ledger.database, &store, NULL), GW_OK);
    fixture_settle(&shared.ledger, &fixture_budget_large, submit, store);
    for (uint64_t i = 0; i < CHARGES; i++) {
        gw_store_op op = fixture_reserve(&shared.ledger, FIXTURE_RESEARCHER, 1000 + i, FIXTURE_EPSILON);
        assert_int_equal(submit(store, &op), GW_OK);
        assert_int_equal(op.result, GW_OK);
        shared.charge = op.seq;
        op = i % 10 == 3 ? fixture_abandon(op.seq) : fixture_seal(op.seq, "answer bytes");
        assert_int_equal(submit(store, &op), GW_OK);
        assert_int_equal(op.result, GW_OK);
        shared.release = op.seq;
        if (i == 60)
            publish(store); // an older checkpoint stands in between
    }
    shared.size = gw_store_size(store);
    publish(store);
    gw_store_close(store);
    return gw_store_reader_open(shared.ledger.database, &shared.reader, NULL) == GW_OK ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    gw_store_reader_close(shared.reader);
    fixture_remove(&shared.ledger);
    return 0;
}

static gw_note_key log_key(void) {
    gw_note_key key;
    gw_secret_key *secret = fixture_key();
    assert_int_equal(gw_note_key_new(FIXTURE_ORIGIN, gw_key_public(secret), &key), GW_OK);
    gw_secret_key_free(secret);
    return key;
}

static gw_status verify(const gw_note_key *key, gw_audit_verdict *verdict) {
    return gw_audit_verify_folder(shared.log, key, NULL, NULL, NULL, verdict);
}

static void count_progress(void *state, uint64_t done, uint64_t total) {
    assert_true(done <= total);
    *(uint64_t *)state = done;
}

static void the_published_folder_holds(void **state) {
    (void)state;
    gw_audit_verdict verdict;
    gw_note_key key = log_key();
    gw_audit_state *folded = NULL;
    uint64_t told = 0;
    assert_int_equal(gw_audit_verify_folder(shared.log, &key, count_progress, &told, &folded, &verdict), GW_OK);
    assert_true(verdict.is_sound);
    assert_true(verdict.is_complete);
    assert_int_equal(verdict.entries, shared.size);
    assert_int_equal(told, shared.size);
    assert_int_equal(verdict.charges, CHARGES);
    assert_int_equal(verdict.abandons, CHARGES / 10);
    assert_int_equal(verdict.open_charges, 0);
    assert_true(verdict.first_bad == UINT64_MAX);
    assert_string_equal(verdict.problem.why, "");
    gw_audit_balance balances[8];
    assert_int_equal(gw_audit_balances(folded, balances, 8), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(balances[i].spent, CHARGES * FIXTURE_EPSILON);
    gw_audit_state_free(folded);
}

// What an auditor who saved a checkpoint compares it with: roots of any older trees, out of the same scan.
static void roots_of_older_trees_come_out_of_the_scan(void **state) {
    (void)state;
    gw_audit_root roots[] = {{.size = 255}, {.size = 0},   {.size = shared.size}, {.size = 257},
                             {.size = 1},   {.size = 256}, {.size = 257},         {.size = shared.size + 1}};
    gw_note_key key = log_key();
    gw_audit_options options = {.log_key = &key, .roots = roots, .root_count = sizeof(roots) / sizeof(roots[0])};
    gw_audit_verdict verdict;
    assert_int_equal(gw_audit_verify(shared.log, &options, NULL, &verdict), GW_OK);
    assert_true(verdict.is_sound);
    for (size_t i = 0; i + 1 < options.root_count; i++) {
        gw_hash root;
        assert_int_equal(gw_merkle_root(gw_store_tree(shared.reader), roots[i].size, &root), GW_OK);
        assert_true(roots[i].is_known);
        assert_true(gw_hash_equal(roots[i].root, root));
    }
    assert_false(roots[options.root_count - 1].is_known); // the log has not grown that far
}

static void a_log_of_no_entries_has_the_root_of_nothing(void **state) {
    (void)state;
    char folder[128], path[160];
    gw_audit_verdict verdict;
    gw_note_key key = log_key();
    gw_checkpoint empty = {.origin = FIXTURE_ORIGIN, .size = 0, .root = gw_merkle_empty()};
    snprintf(folder, sizeof(folder), "%s/empty", shared.ledger.folder);
    snprintf(path, sizeof(path), "%s/checkpoint", folder);
    assert_int_equal(gw_folder_make(folder, 0700, NULL), GW_OK);
    for (int is_other = 0; is_other < 2; is_other++) {
        gw_buffer note;
        gw_buffer_init(&note, 1024);
        empty.root.bytes[0] ^= (uint8_t)is_other;
        gw_secret_key *secret = fixture_key();
        gw_checkpoint_sign(&empty, secret, &note);
        gw_secret_key_free(secret);
        assert_int_equal(gw_file_replace(path, gw_buffer_bytes(&note), 0600, NULL), GW_OK);
        assert_int_equal(gw_audit_verify_folder(folder, &key, NULL, NULL, NULL, &verdict), GW_OK);
        assert_int_equal(verdict.is_sound, !is_other);
        assert_int_equal(verdict.size, 0);
        gw_buffer_done(&note);
    }
}

static void without_a_key_the_logs_own_is_used_and_said(void **state) {
    (void)state;
    gw_audit_verdict verdict;
    assert_int_equal(verify(NULL, &verdict), GW_OK);
    assert_true(verdict.is_sound);
    assert_non_null(strstr(verdict.problem.why, "first entry"));
}

static void another_key_is_tampering_not_an_error(void **state) {
    (void)state;
    gw_note_key key = log_key();
    key.key.bytes[0] ^= 1;
    gw_audit_verdict verdict;
    assert_int_equal(verify(&key, &verdict), GW_OK);
    assert_false(verdict.is_sound);
    assert_string_equal(verdict.problem.code, "bad_checkpoint");
}

static void read_questions(gw_buffer *text) {
    char path[256];
    snprintf(path, sizeof(path), "%s/000.jsonl", shared.questions);
    gw_buffer_init(text, 1u << 20);
    assert_int_equal(gw_file_read(path, text, NULL), GW_OK);
}

static void question_texts_lie_beside_in_the_order_of_charges(void **state) {
    (void)state;
    gw_store_op op = fixture_reserve(&shared.ledger, 1, 1, 1);
    gw_buffer text;
    read_questions(&text);
    size_t lines = 0, found = 0;
    for (const char *line = gw_buffer_string(&text), *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        lines++;
        gw_hash hash = gw_sha256((gw_bytes){.data = (const uint8_t *)line, .size = (size_t)(end - line)});
        found += gw_hash_equal(hash, op.entry.charge.question);
    }
    assert_true(lines >= 1);
    assert_true(found >= 1);
    gw_buffer_done(&text);
}

// The fixture asks one question over and over: its text is published once, and serves every charge.
static void a_question_asked_again_needs_no_second_text(void **state) {
    (void)state;
    gw_note_key key = log_key();
    gw_audit_options options = {.log_key = &key, .questions_folder = shared.questions};
    gw_audit_verdict verdict;
    assert_int_equal(gw_audit_verify(shared.log, &options, NULL, &verdict), GW_OK);
    assert_true(verdict.is_sound);
    assert_int_equal(verdict.questions, 1);
    assert_int_equal(verdict.questions_missing, 0);
}

// Whatever happened to the file, publishing again leaves the same bytes.
static void damaged_question_texts_are_written_anew(void **state) {
    (void)state;
    gw_buffer before, after;
    char path[256];
    snprintf(path, sizeof(path), "%s/000.jsonl", shared.questions);
    read_questions(&before);
    for (int damage = 0; damage < 4; damage++) {
        FILE *file = fopen(path, "r+b");
        assert_non_null(file);
        if (damage == 0)
            assert_int_equal(ftruncate(fileno(file), (off_t)before.size / 2), 0); // cut within a line
        if (damage == 1)
            fputc('#', file); // another first byte
        if (damage == 2) {
            fseek(file, 0, SEEK_END);
            fputs("{\"made\":\"up\"}\n", file); // a line that no charge has
        }
        fclose(file);
        if (damage == 3)
            unlink(path);
        publish_again();
        read_questions(&after);
        assert_true(gw_bytes_equal(gw_buffer_bytes(&before), gw_buffer_bytes(&after)));
        gw_buffer_done(&after);
    }
    gw_buffer_done(&before);
}

static void path_in_log(const char *name, char path[256]) {
    snprintf(path, 256, "%s/%s", shared.log, name);
}

static void flip(const char *name, long at) {
    char path[256];
    path_in_log(name, path);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_true(byte != EOF);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    fputc(byte ^ 0x20, file);
    fclose(file);
}

static long size_of(const char *name) {
    char path[256];
    struct stat facts;
    path_in_log(name, path);
    assert_int_equal(stat(path, &facts), 0);
    return (long)facts.st_size;
}

// Every `step`-th byte of the file flipped, one at a time: unsound each time, at an entry of [low, high].
static void flip_each(const char *name, long step, uint64_t low, uint64_t high) {
    gw_note_key key = log_key();
    long size = size_of(name);
    for (long at = 0; at < size; at += step) {
        gw_audit_verdict verdict;
        flip(name, at);
        assert_int_equal(verify(&key, &verdict), GW_OK);
        if (verdict.is_sound || verdict.first_bad < low || verdict.first_bad > high)
            fail_msg("%s at %ld: sound %d, first bad %llu", name, at, verdict.is_sound,
                     (unsigned long long)verdict.first_bad);
        flip(name, at);
    }
}

static void a_flipped_byte_in_a_bundle_is_named(void **state) {
    (void)state;
    char partial[GW_TILE_PATH_MAX];
    flip_each("tile/entries/000", 9973, 0, 255);
    gw_bundle_path(1, (unsigned)(shared.size - 256), partial);
    flip_each(partial, 997, 256, shared.size - 1);
}

static void a_flipped_byte_in_a_tile_is_named(void **state) {
    (void)state;
    char partial[GW_TILE_PATH_MAX];
    for (uint64_t index = 0; index < 256; index += 51) {
        gw_audit_verdict verdict;
        flip("tile/0/000", (long)index * 32 + 7);
        assert_int_equal(verify(NULL, &verdict), GW_OK);
        assert_false(verdict.is_sound);
        assert_int_equal(verdict.first_bad, index);
        flip("tile/0/000", (long)index * 32 + 7);
    }
    gw_tile_path(0, 1, (unsigned)(shared.size - 256), partial);
    flip_each(partial, 131, 256, shared.size - 1);
    flip_each("tile/1/000.p/1", 5, 0, 0);
}

static void a_flipped_byte_in_the_checkpoint_is_tampering(void **state) {
    (void)state;
    flip_each("checkpoint", 1, UINT64_MAX, UINT64_MAX);
    // Without a key given beforehand as well; a size that leads nowhere is still tampering.
    long size = size_of("checkpoint");
    for (long at = 0; at < size; at++) {
        gw_audit_verdict verdict;
        flip("checkpoint", at);
        assert_int_equal(verify(NULL, &verdict), GW_OK);
        assert_false(verdict.is_sound);
        flip("checkpoint", at);
    }
}

static void a_cut_file_is_tampering_and_a_missing_one_cannot_be_checked(void **state) {
    (void)state;
    char path[256], away[300];
    gw_audit_verdict verdict;
    static const char *const names[] = {"checkpoint", "tile/entries/000", "tile/0/000", "tile/1/000.p/1"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        path_in_log(names[i], path);
        snprintf(away, sizeof(away), "%s.away", path);
        assert_int_equal(rename(path, away), 0);
        gw_note_key key = log_key();
        assert_int_equal(verify(&key, &verdict), GW_NOT_FOUND);
        assert_false(verdict.is_complete);
        gw_buffer bytes;
        gw_buffer_init(&bytes, 1 << 20);
        assert_int_equal(gw_file_read(away, &bytes, NULL), GW_OK);
        bytes.size -= 1;
        assert_int_equal(gw_file_replace(path, gw_buffer_bytes(&bytes), 0600, NULL), GW_OK);
        assert_int_equal(verify(&key, &verdict), GW_OK);
        assert_false(verdict.is_sound);
        gw_buffer_done(&bytes);
        assert_int_equal(rename(away, path), 0);
    }
    assert_int_equal(verify(NULL, &verdict), GW_OK);
    assert_true(verdict.is_sound);
}

static void file_append(const char *name, const char *text) {
    char path[256];
    path_in_log(name, path);
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void bytes_after_the_last_entry_are_tampering(void **state) {
    (void)state;
    char name[GW_TILE_PATH_MAX], path[256];
    gw_audit_verdict verdict;
    gw_bundle_path(1, (unsigned)(shared.size - 256), name);
    long size = size_of(name);
    file_append(name, "more");
    assert_int_equal(verify(NULL, &verdict), GW_OK);
    assert_false(verdict.is_sound);
    assert_int_equal(verdict.first_bad, shared.size - 1);
    path_in_log(name, path);
    assert_int_equal(truncate(path, size), 0);
}

// A checkpoint that the log itself signed over another tree: every file fits, the root does not.
static void a_signed_root_of_another_tree_is_tampering(void **state) {
    (void)state;
    gw_audit_verdict verdict;
    gw_checkpoint checkpoint = {.origin = FIXTURE_ORIGIN, .size = shared.size, .root = fixture_hash("another")};
    gw_secret_key *key = fixture_key();
    char path[256];
    gw_buffer note, kept;
    path_in_log("checkpoint", path);
    gw_buffer_init(&note, 1024);
    gw_buffer_init(&kept, 4096);
    assert_int_equal(gw_file_read(path, &kept, NULL), GW_OK);
    gw_checkpoint_sign(&checkpoint, key, &note);
    assert_int_equal(gw_file_replace(path, gw_buffer_bytes(&note), 0600, NULL), GW_OK);
    assert_int_equal(verify(NULL, &verdict), GW_OK);
    assert_false(verdict.is_sound);
    assert_string_equal(verdict.problem.code, "bad_root");
    assert_int_equal(gw_file_replace(path, gw_buffer_bytes(&kept), 0600, NULL), GW_OK);
    gw_secret_key_free(key);
    gw_buffer_done(&note);
    gw_buffer_done(&kept);
}

static void missing_files_are_rebuilt_at_the_next_publication(void **state) {
    (void)state;
    static const char *const names[] = {"tile/entries/000", "tile/0/000", "tile/1/000.p/1", "checkpoint"};
    char path[256];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        path_in_log(names[i], path);
        assert_int_equal(unlink(path), 0);
    }
    gw_store *store = NULL;
    assert_int_equal(gw_store_open(shared.ledger.database, &store, NULL), GW_OK);
    publish(store);
    gw_store_close(store);
    gw_audit_verdict verdict;
    assert_int_equal(verify(NULL, &verdict), GW_OK);
    assert_true(verdict.is_sound);
    assert_int_equal(verdict.size, shared.size);
}

static void partial_files_of_older_checkpoints_are_gone(void **state) {
    (void)state;
    gw_store *store = NULL;
    gw_publisher *publisher = NULL;
    gw_checkpoint checkpoint;
    gw_buffer note;
    char name[GW_TILE_PATH_MAX], path[256];
    assert_int_equal(gw_store_open(shared.ledger.database, &store, NULL), GW_OK);
    assert_int_equal(gw_publisher_open(shared.ledger.database, shared.log, NULL, &publisher, NULL), GW_OK);
    uint64_t before = gw_store_size(store), published = 0;
    sign(store, &checkpoint, &note);
    gw_publisher_notify(publisher, &checkpoint, gw_buffer_bytes(&note));
    while (published != before) // the publisher's thread gets there
        assert_int_equal(gw_publisher_state(publisher, &published, NULL), GW_OK);
    gw_buffer_done(&note);
    gw_store_op op = fixture_reserve(&shared.ledger, FIXTURE_RESEARCHER, 5000, 1);
    assert_int_equal(submit(store, &op), GW_OK);
    sign(store, &checkpoint, &note);
    gw_publisher_notify(publisher, &checkpoint, gw_buffer_bytes(&note));
    gw_publisher_close(publisher);
    gw_buffer_done(&note);
    gw_store_close(store);
    gw_bundle_path(1, (unsigned)(before - 256), name);
    path_in_log(name, path);
    assert_int_equal(access(path, F_OK), -1);
    gw_bundle_path(1, (unsigned)(before + 1 - 256), name);
    path_in_log(name, path);
    assert_int_equal(access(path, F_OK), 0);
    gw_audit_verdict verdict;
    assert_int_equal(verify(NULL, &verdict), GW_OK);
    assert_true(verdict.is_sound);
    assert_int_equal(verdict.open_charges, 1);
}

// ---- a receipt

typedef struct {
    gw_buffer entries[2], note, bytes;
    gw_receipt receipt;
} evidence;

static void proof_of(uint64_t index, gw_hash hashes[64], size_t *ret_count) {
    gw_merkle_proof proof;
    assert_int_equal(gw_merkle_inclusion(gw_store_tree(shared.reader), index, shared.size, &proof), GW_OK);
    memcpy(hashes, proof.hashes, proof.count * sizeof(hashes[0]));
    *ret_count = proof.count;
}

static void evidence_make(evidence *made, uint64_t charge, uint64_t release) {
    memset(made, 0, sizeof(*made));
    for (size_t i = 0; i < 2; i++) {
        gw_buffer_init(&made->entries[i], GW_ENTRY_BYTES_MAX);
        assert_int_equal(gw_store_entry(shared.reader, i == 0 ? charge : release, &made->entries[i]), GW_OK);
    }
    gw_checkpoint checkpoint = {.origin = FIXTURE_ORIGIN, .size = shared.size};
    assert_int_equal(gw_merkle_root(gw_store_tree(shared.reader), shared.size, &checkpoint.root), GW_OK);
    gw_secret_key *key = fixture_key();
    gw_buffer_init(&made->note, 1024);
    gw_checkpoint_sign(&checkpoint, key, &made->note);
    gw_secret_key_free(key);
    made->receipt = (gw_receipt){.salt = fixture_hash("salt"),
                                 .charge_index = charge,
                                 .release_index = release,
                                 .charge_entry = gw_buffer_bytes(&made->entries[0]),
                                 .release_entry = gw_buffer_bytes(&made->entries[1]),
                                 .checkpoint = gw_buffer_bytes(&made->note)};
    proof_of(charge, made->receipt.charge_proof, &made->receipt.charge_proof_count);
    proof_of(release, made->receipt.release_proof, &made->receipt.release_proof_count);
    gw_buffer_init(&made->bytes, GW_RECEIPT_MAX);
    gw_receipt_encode(&made->receipt, &made->bytes);
    assert_int_equal(made->bytes.status, GW_OK);
}

static void evidence_done(evidence *made) {
    gw_buffer_done(&made->entries[0]);
    gw_buffer_done(&made->entries[1]);
    gw_buffer_done(&made->note);
    gw_buffer_done(&made->bytes);
}

static void a_receipt_proves_its_answer_and_no_other(void **state) {
    (void)state;
    evidence made;
    gw_note_key key = log_key();
    gw_entry charge, release;
    gw_problem problem = {0};
    gw_bytes answer = gw_bytes_of("answer bytes"), none = {0};
    evidence_make(&made, shared.charge, shared.release);
    assert_int_equal(gw_audit_receipt(gw_buffer_bytes(&made.bytes), answer, none, &key, &charge, &release, &problem),
                     GW_OK);
    assert_int_equal(charge.seq, shared.charge);
    assert_int_equal(release.release.charge, shared.charge);
    assert_int_equal(
        gw_audit_receipt(gw_buffer_bytes(&made.bytes), gw_bytes_of("answer bytEs"), none, &key, NULL, NULL, &problem),
        GW_CORRUPT);
    assert_string_equal(problem.code, "bad_answer");
    assert_int_equal(
        gw_audit_receipt(gw_bytes_of("c2sp.org/tlog-proof@v1\n"), answer, none, &key, NULL, NULL, &problem),
        GW_INVALID);
    key.key.bytes[3] ^= 1;
    assert_int_equal(gw_audit_receipt(gw_buffer_bytes(&made.bytes), answer, none, &key, NULL, NULL, &problem),
                     GW_CORRUPT);
    evidence_done(&made);
}

static void a_receipt_with_another_charge_is_refused(void **state) {
    (void)state;
    evidence made;
    gw_note_key key = log_key();
    gw_problem problem = {0};
    evidence_make(&made, shared.charge - 2, shared.release); // a true charge, but not this release's
    assert_int_equal(gw_audit_receipt(gw_buffer_bytes(&made.bytes), gw_bytes_of("answer bytes"), (gw_bytes){0}, &key,
                                      NULL, NULL, &problem),
                     GW_CORRUPT);
    assert_string_equal(problem.code, "bad_link");
    evidence_done(&made);
}

// A request like any other, signed, and not the one whose hash the charge holds.
static void a_receipt_with_another_request_is_refused(void **state) {
    (void)state;
    evidence made;
    gw_note_key key = log_key();
    gw_problem problem = {0};
    gw_secret_key *asker = fixture_key();
    gw_request_message message = {.time = 1, .auth = GW_AUTH_SIGNATURE, .body = gw_bytes_of("{}")};
    gw_buffer request;
    evidence_make(&made, shared.charge, shared.release);
    strcpy(message.origin, FIXTURE_ORIGIN);
    fixture_id(FIXTURE_RESEARCHER, message.principal);
    fixture_id(1, message.idem);
    gw_buffer_init(&request, GW_REQUEST_BYTES_MAX);
    gw_request_message_encode(&message, asker, &request);
    assert_int_equal(gw_audit_receipt(gw_buffer_bytes(&made.bytes), gw_bytes_of("answer bytes"),
                                      gw_buffer_bytes(&request), &key, NULL, NULL, &problem),
                     GW_CORRUPT);
    assert_string_equal(problem.code, "bad_request_hash");
    gw_buffer_done(&request);
    gw_secret_key_free(asker);
    evidence_done(&made);
}

static void no_changed_byte_of_a_receipt_is_accepted(void **state) {
    (void)state;
    evidence made;
    gw_note_key key = log_key();
    evidence_make(&made, shared.charge, shared.release);
    for (size_t at = 0; at < made.bytes.size; at += 13) {
        gw_entry charge, release;
        made.bytes.data[at] ^= 0x01;
        gw_status status = gw_audit_receipt(gw_buffer_bytes(&made.bytes), gw_bytes_of("answer bytes"), (gw_bytes){0},
                                            &key, &charge, &release, NULL);
        // Only the salt says nothing without the request.
        if (status == GW_OK)
            assert_int_equal(charge.seq, shared.charge);
        else
            assert_true(status == GW_CORRUPT || status == GW_INVALID);
        made.bytes.data[at] ^= 0x01;
    }
    evidence_done(&made);
}

static void tile_names_are_grouped_in_threes(void **state) {
    (void)state;
    char path[GW_TILE_PATH_MAX];
    gw_tile_path(0, 1234067, 256, path);
    assert_string_equal(path, "tile/0/x001/x234/067");
    gw_tile_path(3, 0, 17, path);
    assert_string_equal(path, "tile/3/000.p/17");
    gw_bundle_path(1000, 1, path);
    assert_string_equal(path, "tile/entries/x001/000.p/1");
    assert_int_equal(gw_tile_width(70000, 0, 273), 112);
    assert_int_equal(gw_tile_width(70000, 1, 0), 256);
    assert_int_equal(gw_tile_width(70000, 1, 1), 17);
    assert_int_equal(gw_tile_width(70000, 2, 0), 1);
    assert_int_equal(gw_tile_width(70000, 3, 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tile_names_are_grouped_in_threes),
        cmocka_unit_test(the_published_folder_holds),
        cmocka_unit_test(roots_of_older_trees_come_out_of_the_scan),
        cmocka_unit_test(a_log_of_no_entries_has_the_root_of_nothing),
        cmocka_unit_test(without_a_key_the_logs_own_is_used_and_said),
        cmocka_unit_test(another_key_is_tampering_not_an_error),
        cmocka_unit_test(question_texts_lie_beside_in_the_order_of_charges),
        cmocka_unit_test(a_question_asked_again_needs_no_second_text),
        cmocka_unit_test(damaged_question_texts_are_written_anew),
        cmocka_unit_test(a_flipped_byte_in_a_bundle_is_named),
        cmocka_unit_test(a_flipped_byte_in_a_tile_is_named),
        cmocka_unit_test(a_flipped_byte_in_the_checkpoint_is_tampering),
        cmocka_unit_test(a_cut_file_is_tampering_and_a_missing_one_cannot_be_checked),
        cmocka_unit_test(bytes_after_the_last_entry_are_tampering),
        cmocka_unit_test(a_signed_root_of_another_tree_is_tampering),
        cmocka_unit_test(missing_files_are_rebuilt_at_the_next_publication),
        cmocka_unit_test(a_receipt_proves_its_answer_and_no_other),
        cmocka_unit_test(a_receipt_with_another_charge_is_refused),
        cmocka_unit_test(a_receipt_with_another_request_is_refused),
        cmocka_unit_test(no_changed_byte_of_a_receipt_is_accepted),
        cmocka_unit_test(partial_files_of_older_checkpoints_are_gone),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
