// SPDX-License-Identifier: Apache-2.0
// The single writer: races for the last unit, one charge for a request sent many times, guards on clock and disk, and a
// ledger that went back in time.
#include "service/base/file.h"
#include "service/ledger/ledger.h"
#include "tests/unit/store/ledger_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS 64

typedef struct {
    ledger_fixture ledger_fixture;
    gw_ledger *ledger;
    _Atomic int64_t unix_seconds, boot_ms;
    uint64_t free_bytes_min;
} world;

static int64_t clock_unix(void *state) {
    return ((world *)state)->unix_seconds;
}

static int64_t clock_boot(void *state) {
    return ((world *)state)->boot_ms;
}

static gw_status open_again(world *made, gw_problem *problem) {
    gw_ledger_options options = {.state_folder = made->ledger_fixture.folder,
                                 .clock = {.unix_seconds = clock_unix, .boot_ms = clock_boot, .state = made},
                                 .free_bytes_min = made->free_bytes_min,
                                 .signer = fixture_signer(made->ledger_fixture.folder)};
    return gw_ledger_open(&options, &made->ledger, problem);
}

static void close_now(world *made) {
    gw_ledger_close(made->ledger);
    made->ledger = NULL;
}

static int setup(void **state) {
    world *made = calloc(1, sizeof(*made));
    fixture_create(&made->ledger_fixture);
    made->unix_seconds = FIXTURE_NOW;
    made->boot_ms = 1000;
    made->free_bytes_min = 1;
    *state = made;
    return open_again(made, NULL) == GW_OK ? 0 : -1;
}

static int teardown(void **state) {
    world *made = *state;
    close_now(made);
    fixture_remove(&made->ledger_fixture);
    free(made);
    return 0;
}

static gw_status submit(void *state, gw_store_op *op) {
    return gw_ledger_submit(((world *)state)->ledger, op);
}

static void settle(world *made, const fixture_budget *budget) {
    fixture_settle(&made->ledger_fixture, budget, submit, made);
}

static gw_store_op run(world *made, gw_store_op op) {
    assert_int_equal(submit(made, &op), GW_OK);
    return op;
}

// ---- races

typedef struct {
    world *made;
    uint64_t idem_first;
    unsigned count;
    _Atomic unsigned *taken, *conflicts, *refused;
} racer;

static void *race_run(void *state) {
    racer *one = state;
    for (unsigned i = 0; i < one->count; i++) {
        gw_store_op op = fixture_reserve(&one->made->ledger_fixture, FIXTURE_RESEARCHER, one->idem_first + i, 1);
        gw_status status = submit(one->made, &op);
        if (status != GW_OK)
            continue;
        if (op.result == GW_OK)
            (*one->taken)++;
        else if (op.result == GW_CONFLICT)
            (*one->conflicts)++;
        else if (op.result == GW_BUDGET && op.remaining == 0)
            (*one->refused)++;
    }
    return NULL;
}

static void race(world *made, unsigned count, bool is_same_idem, _Atomic unsigned counts[3]) {
    pthread_t threads[THREADS];
    racer racers[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        racers[i] = (racer){.made = made,
                            .idem_first = is_same_idem ? 1 : 1 + 1000ull * i,
                            .count = count,
                            .taken = &counts[0],
                            .conflicts = &counts[1],
                            .refused = &counts[2]};
        assert_int_equal(pthread_create(&threads[i], NULL, race_run, &racers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void a_budget_for_exactly_n_admits_exactly_n_of_64_threads(void **state) {
    world *made = *state;
    fixture_budget budget = fixture_budget_large;
    budget.total = 101;
    settle(made, &budget);
    _Atomic unsigned counts[3] = {0, 0, 0};
    race(made, 4, false, counts);
    assert_int_equal(counts[0], 101);
    assert_int_equal(counts[1], 0);
    assert_int_equal(counts[2], THREADS * 4 - 101);
}

static void a_request_sent_by_64_threads_is_charged_once(void **state) {
    world *made = *state;
    settle(made, &fixture_budget_large);
    _Atomic unsigned counts[3] = {0, 0, 0};
    race(made, 5, true, counts);
    assert_int_equal(counts[0], 5);
    assert_int_equal(counts[1], THREADS * 5 - 5);
}

// ---- checkpoints

typedef struct {
    uint64_t size;
    unsigned calls;
} heard;

static void checkpoint_heard(void *state, const gw_checkpoint *checkpoint, gw_bytes note) {
    heard *last = state;
    assert_true(checkpoint->size >= last->size);
    assert_true(note.size > 0);
    last->size = checkpoint->size;
    last->calls++;
}

static void an_acknowledged_release_is_under_a_signed_checkpoint(void **state) {
    world *made = *state;
    settle(made, &fixture_budget_large);
    heard last = {0};
    gw_ledger_on_checkpoint(made->ledger, checkpoint_heard, &last);
    assert_int_equal(last.calls, 1); // at once
    uint64_t charge = run(made, fixture_reserve(&made->ledger_fixture, FIXTURE_RESEARCHER, 1, 1)).seq;
    assert_int_equal(last.calls, 1); // a charge alone needs no signature
    uint64_t release = run(made, fixture_seal(charge, "answer")).seq;
    assert_int_equal(last.size, release + 1);
    gw_checkpoint checkpoint, opened;
    gw_buffer note;
    gw_buffer_init(&note, 4096);
    gw_ledger_checkpoint(made->ledger, &checkpoint, &note);
    assert_int_equal(checkpoint.size, release + 1);
    gw_secret_key *secret = fixture_key();
    gw_note_key key;
    assert_int_equal(gw_note_key_new(FIXTURE_ORIGIN, gw_key_public(secret), &key), GW_OK);
    gw_secret_key_free(secret);
    assert_int_equal(gw_checkpoint_open(gw_buffer_bytes(&note), &key, &opened, NULL), GW_OK);
    assert_memory_equal(&opened.root, &checkpoint.root, sizeof(opened.root));
    gw_buffer_done(&note);
    gw_ledger_on_checkpoint(made->ledger, NULL, NULL);
}

// ---- guards

static void a_jump_of_the_clock_opens_no_window(void **state) {
    world *made = *state;
    settle(made, &fixture_budget_large);
    uint64_t charge = run(made, fixture_reserve(&made->ledger_fixture, FIXTURE_RESEARCHER, 1, 1)).seq;
    made->unix_seconds += 121;
    gw_store_op op = run(made, fixture_reserve(&made->ledger_fixture, FIXTURE_RESEARCHER, 2, 1));
    assert_int_equal(op.result, GW_UNAVAILABLE);
    assert_string_equal(op.code, "clock_jumped");
    op = run(made, fixture_seal(charge, "answer")); // what was begun may end, at a time that is believed
    assert_int_equal(op.result, GW_OK);
    assert_true(op.entry.time <= FIXTURE_NOW + 120);
    made->boot_ms += 2000; // two seconds did pass
    assert_int_equal(run(made, fixture_reserve(&made->ledger_fixture, FIXTURE_RESEARCHER, 2, 1)).result, GW_OK);
    made->unix_seconds += 86400;
    made->boot_ms += 86400 * 1000;
    assert_int_equal(run(made, fixture_reserve(&made->ledger_fixture, FIXTURE_RESEARCHER, 3, 1)).result, GW_OK);
}

static void a_short_disk_refuses_charges_before_data_is_touched(void **state) {
    world *made = *state;
    settle(made, &fixture_budget_large);
    uint64_t charge = run(made, fixture_reserve(&made->ledger_fixture, FIXTURE_RESEARCHER, 1, 1)).seq;
    close_now(made);
    made->free_bytes_min = UINT64_MAX; // no disk has that
    assert_int_equal(open_again(made, NULL), GW_OK);
    gw_store_op op = run(made, fixture_reserve(&made->ledger_fixture, FIXTURE_RESEARCHER, 2, 1));
    assert_int_equal(op.result, GW_UNAVAILABLE);
    assert_string_equal(op.code, "disk_full");
    assert_int_equal(run(made, fixture_seal(charge, "answer")).result, GW_OK);
    char path[256];
    struct stat facts;
    snprintf(path, sizeof(path), "%s/ballast", made->ledger_fixture.folder);
    assert_int_equal(stat(path, &facts), -1); // given up to make room
}

static void a_second_daemon_is_refused(void **state) {
    world *made = *state;
    char folder[300];
    snprintf(folder, sizeof(folder), "%s/second", made->ledger_fixture.folder);
    gw_ledger *second = NULL;
    gw_problem problem = {0};
    gw_ledger_options options = {.state_folder = made->ledger_fixture.folder,
                                 .clock = gw_clock_system(),
                                 .signer = fixture_signer(folder)}; // one that nobody else has
    assert_int_equal(gw_ledger_open(&options, &second, &problem), GW_BUSY);
    assert_string_equal(problem.code, "locked");
    assert_null(second);
}

static void file_path(const world *made, const char *name, char path[256]) {
    snprintf(path, 256, "%s/%s", made->ledger_fixture.folder, name);
}

static void another_log_key_is_refused(void **state) {
    world *made = *state;
    close_now(made);
    gw_secret_key *other = NULL;
    gw_problem problem = {0};
    char path[256];
    assert_int_equal(gw_key_generate(&other), GW_OK);
    file_path(made, "keys/log.key", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(gw_key_file_write(path, other, NULL), GW_OK);
    gw_secret_key_free(other);
    file_path(made, "keys/log.newest", path); // what the right key signed
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_again(made, &problem), GW_INVALID);
    assert_string_equal(problem.code, "wrong_log_key");
    made->ledger = NULL;
}

// ---- going back in time

static void file_copy(const world *made, const char *from, const char *to) {
    char source[256], target[256];
    gw_buffer bytes;
    file_path(made, from, source);
    file_path(made, to, target);
    gw_buffer_init(&bytes, 64u << 20);
    if (gw_file_read(source, &bytes, NULL) == GW_OK)
        assert_int_equal(gw_file_replace(target, gw_buffer_bytes(&bytes), 0600, NULL), GW_OK);
    else
        unlink(target);
    gw_buffer_done(&bytes);
}

static void charge_and_seal(world *made, uint64_t idem) {
    uint64_t seq = run(made, fixture_reserve(&made->ledger_fixture, FIXTURE_RESEARCHER, idem, 1)).seq;
    assert_int_equal(run(made, fixture_seal(seq, "answer")).result, GW_OK);
}

static void assert_open_fails(world *made, const char *code) {
    gw_problem problem = {0};
    assert_int_equal(open_again(made, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, code);
    made->ledger = NULL;
}

static void an_old_copy_of_the_database_is_refused(void **state) {
    world *made = *state;
    settle(made, &fixture_budget_large);
    close_now(made);
    file_copy(made, "godwit.db", "old.db");
    file_copy(made, "godwit.db-wal", "old.db-wal");
    assert_int_equal(open_again(made, NULL), GW_OK);
    charge_and_seal(made, 1);
    close_now(made);
    file_copy(made, "old.db", "godwit.db");
    file_copy(made, "old.db-wal", "godwit.db-wal");
    char path[256];
    file_path(made, "godwit.db-shm", path);
    unlink(path);
    gw_problem problem = {0};
    assert_int_equal(open_again(made, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "rolled_back");
    assert_non_null(strstr(problem.what, "6 entries")); // both sizes are named
    assert_non_null(strstr(problem.what, "at 8"));
    made->ledger = NULL;
}

static int drop_trigger(void *db, int count, char **values, char **names) {
    (void)count;
    (void)names;
    char text[256];
    snprintf(text, sizeof(text), "DROP TRIGGER %s", values[0]);
    return sqlite3_exec(db, text, NULL, NULL, NULL);
}

// As somebody with the file and a tool would do it, triggers and all.
static void edit_database(const world *made, const char *change) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(made->ledger_fixture.database, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "SELECT name FROM sqlite_master WHERE type = 'trigger'", drop_trigger, db, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, change, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_changes(db) > 0, 1);
    sqlite3_close(db);
}

static void an_edited_balance_is_refused(void **state) {
    world *made = *state;
    settle(made, &fixture_budget_large);
    charge_and_seal(made, 1);
    close_now(made);
    edit_database(made, "UPDATE budget SET spent = 0");
    assert_open_fails(made, "ledger_tampered");
}

// A total that somebody raised would admit what the log's policies do not; rho that somebody took back as well.
static void an_edited_accounting_is_refused(void **state) {
    static const char *const edits[] = {
        "UPDATE budget SET rho = rho - 1 WHERE rho > 0",
        "UPDATE budget SET selection = selection + 1 WHERE kind = 1",
        "UPDATE population SET total = total + 1",
        "UPDATE population SET rho_total = rho_total + 1",
        "UPDATE policy SET rho_total = rho_total + 1",
        "UPDATE policy SET delta = delta + 1",
        "UPDATE policy SET selection_total = selection_total + 1",
    };
    world *made = *state;
    fixture_budget budget = {.total = 5 * FIXTURE_EPSILON,
                             .population_total = 5 * FIXTURE_EPSILON,
                             .delta = 1000000000,
                             .population_delta = 1000000000,
                             .selection_delta = 10};
    settle(made, &budget);
    charge_and_seal(made, 1);
    close_now(made);
    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        file_copy(made, "godwit.db", "sound.db");
        file_copy(made, "godwit.db-wal", "sound.db-wal");
        edit_database(made, edits[i]);
        assert_open_fails(made, "ledger_tampered");
        file_copy(made, "sound.db", "godwit.db");
        file_copy(made, "sound.db-wal", "godwit.db-wal");
    }
    assert_int_equal(open_again(made, NULL), GW_OK);
}

static void revoked_key_add(world *made) {
    gw_store_op op = fixture_principal(FIXTURE_OWNER, 0, FIXTURE_OWNER); // its signer
    op.entry.kind = GW_ENTRY_KEY;
    memset(&op.entry.key, 0, sizeof(op.entry.key));
    fixture_id(FIXTURE_RESEARCHER, op.entry.key.principal);
    snprintf(op.entry.key.key_kind, sizeof(op.entry.key.key_kind), "sign");
    memset(op.entry.key.key, '1', sizeof(op.entry.key.key) - 1);
    snprintf(op.entry.key.action, sizeof(op.entry.key.action), "add");
    assert_int_equal(run(made, op).result, GW_OK);
    snprintf(op.entry.key.action, sizeof(op.entry.key.action), "revoke");
    assert_int_equal(run(made, op).result, GW_OK);
}

static void an_edited_row_is_refused(void **state) {
    static const char *const edits[] = {
        "UPDATE charge SET idem = zeroblob(16)", // the same request would be charged again
        "UPDATE charge SET state = 0",
        "UPDATE charge SET state = 2",
        "UPDATE charge SET release = 'GW-2026-000009'",
        "DELETE FROM release",
        "UPDATE release SET seq = 1",
        "UPDATE key SET revoked = 0",
        "UPDATE principal SET roles = roles | 2 WHERE id = x'00000000000000000000000000000002'",
        "UPDATE node SET hash = zeroblob(32) WHERE level = 1 AND number = 1", // would be published
        "UPDATE entry SET leaf = zeroblob(32) WHERE seq = 2",
    };
    world *made = *state;
    settle(made, &fixture_budget_large);
    charge_and_seal(made, 1);
    revoked_key_add(made);
    close_now(made);
    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        file_copy(made, "godwit.db", "sound.db");
        file_copy(made, "godwit.db-wal", "sound.db-wal");
        edit_database(made, edits[i]);
        assert_open_fails(made, "ledger_tampered");
        file_copy(made, "sound.db", "godwit.db");
        file_copy(made, "sound.db-wal", "godwit.db-wal");
    }
    assert_int_equal(open_again(made, NULL), GW_OK);
}

static void an_answer_of_other_bytes_is_not_given(void **state) {
    world *made = *state;
    settle(made, &fixture_budget_large);
    charge_and_seal(made, 1);
    close_now(made);
    edit_database(made, "UPDATE release SET answer = x'00'");
    gw_store_reader *reader = NULL;
    gw_buffer answer;
    gw_buffer_init(&answer, 1000);
    assert_int_equal(gw_store_reader_open(made->ledger_fixture.database, &reader, NULL), GW_OK);
    assert_int_equal(gw_store_answer(reader, 6, &answer), GW_CORRUPT);
    assert_int_equal(answer.size, 0);
    gw_store_reader_close(reader);
    gw_buffer_done(&answer);
    assert_int_equal(open_again(made, NULL), GW_OK); // every other answer is
}

static void an_edited_entry_is_refused(void **state) {
    world *made = *state;
    settle(made, &fixture_budget_large);
    charge_and_seal(made, 1);
    close_now(made);
    edit_database(made, "UPDATE entry SET bytes = CAST(replace(CAST(bytes AS TEXT), 'roles researcher', 'roles owner') "
                        "AS BLOB) WHERE CAST(bytes AS TEXT) LIKE '%roles researcher%'");
    assert_open_fails(made, "ledger_tampered");
}

static void another_history_of_the_same_length_is_refused(void **state) {
    world *made = *state;
    settle(made, &fixture_budget_large);
    close_now(made);
    file_copy(made, "godwit.db", "old.db");
    file_copy(made, "godwit.db-wal", "old.db-wal");
    assert_int_equal(open_again(made, NULL), GW_OK);
    charge_and_seal(made, 1);
    close_now(made);
    file_copy(made, "hwm", "hwm.kept");
    file_copy(made, "old.db", "godwit.db");
    file_copy(made, "old.db-wal", "godwit.db-wal");
    char path[256];
    file_path(made, "godwit.db-shm", path);
    unlink(path);
    gw_store *store = NULL; // goes on from the old copy, without a ledger that would look
    assert_int_equal(gw_store_open(made->ledger_fixture.database, &store, NULL), GW_OK);
    for (uint64_t i = 10; i < 14; i++) {
        gw_store_op op = fixture_reserve(&made->ledger_fixture, FIXTURE_RESEARCHER, i, 1);
        assert_int_equal(fixture_commit(store, &op), GW_OK);
        assert_int_equal(op.result, GW_OK);
    }
    gw_store_close(store);
    assert_open_fails(made, "rolled_back");
}

static void a_truncated_wal_is_refused(void **state) {
    world *made = *state;
    char wal[256], shm[256];
    file_path(made, "godwit.db-wal", wal);
    file_path(made, "godwit.db-shm", shm);
    settle(made, &fixture_budget_large);
    // Copied while the daemon runs, as a crash would leave it: the newest commits are in the WAL only.
    charge_and_seal(made, 1);
    charge_and_seal(made, 2);
    file_copy(made, "godwit.db", "crash.db");
    file_copy(made, "godwit.db-wal", "crash.db-wal");
    close_now(made);
    struct stat facts;
    char crash_wal[256];
    file_path(made, "crash.db-wal", crash_wal);
    assert_int_equal(stat(crash_wal, &facts), 0);
    assert_true(facts.st_size > 4096);
    unlink(shm);
    file_copy(made, "crash.db", "godwit.db");
    file_copy(made, "crash.db-wal", "godwit.db-wal");
    assert_int_equal(open_again(made, NULL), GW_OK); // whole, it opens
    close_now(made);
    unlink(shm);
    file_copy(made, "crash.db", "godwit.db");
    file_copy(made, "crash.db-wal", "godwit.db-wal");
    assert_int_equal(truncate(wal, facts.st_size - 2000), 0);
    assert_open_fails(made, "rolled_back");
    unlink(shm);
    file_copy(made, "crash.db", "godwit.db");
    file_copy(made, "crash.db-wal", "godwit.db-wal");
    int file = open(wal, O_RDWR); // one byte in the middle: SQLite would silently forget what follows
    uint8_t byte = 0;
    assert_int_equal(pread(file, &byte, 1, facts.st_size / 2), 1);
    byte ^= 1;
    assert_int_equal(pwrite(file, &byte, 1, facts.st_size / 2), 1);
    close(file);
    gw_problem problem = {0};
    assert_int_equal(open_again(made, &problem), GW_CORRUPT);
    made->ledger = NULL;
}

static void a_missing_mark_is_refused_once_there_is_something_to_lose(void **state) {
    world *made = *state;
    char path[256];
    close_now(made);
    file_path(made, "hwm", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_again(made, NULL), GW_OK); // genesis alone
    settle(made, &fixture_budget_large);
    close_now(made);
    assert_int_equal(unlink(path), 0);
    assert_open_fails(made, "hwm_missing");
}

static void entries_beyond_the_mark_are_kept_and_marked(void **state) {
    world *made = *state;
    settle(made, &fixture_budget_large);
    uint64_t charge = run(made, fixture_reserve(&made->ledger_fixture, FIXTURE_RESEARCHER, 1, 1)).seq; // not marked
    close_now(made);
    assert_int_equal(open_again(made, NULL), GW_OK);
    gw_checkpoint checkpoint;
    gw_ledger_checkpoint(made->ledger, &checkpoint, NULL);
    assert_int_equal(checkpoint.size, charge + 1);
    close_now(made);
    assert_int_equal(open_again(made, NULL), GW_OK);
}

// ---- an outcome that is not known

static void unknown_heard(void *state) {
    (*(_Atomic unsigned *)state)++;
}

static void a_failed_sync_is_an_unknown_outcome_and_the_end(void **state) {
    world *made = *state;
    settle(made, &fixture_budget_large);
    _Atomic unsigned calls = 0;
    gw_ledger_on_unknown(made->ledger, unknown_heard, (void *)&calls);
    // Files may not grow any more: the write to the WAL fails with EFBIG (the signal is ignored).
    struct rlimit before, none;
    getrlimit(RLIMIT_FSIZE, &before);
    none = before;
    none.rlim_cur = 600; // room for the mark, not for the log
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    gw_store_op op = fixture_reserve(&made->ledger_fixture, FIXTURE_RESEARCHER, 1, 1);
    gw_status status = submit(made, &op);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    if (status == GW_RETRY) {
        assert_int_equal(submit(made, &op), GW_UNAVAILABLE); // nothing is tried again
        close_now(made);                                     // the callback runs on the writer's thread
        assert_int_equal(calls, 1);
        assert_int_equal(open_again(made, NULL), GW_OK);
    } else {
        assert_int_equal(status, GW_IO); // failed before COMMIT: certain, and the ledger goes on
        assert_int_equal(calls, 0);
    }
    op = run(made, fixture_reserve(&made->ledger_fixture, FIXTURE_RESEARCHER, 1, 1));
    assert_true(op.result == GW_OK || op.result == GW_CONFLICT);
}

#define LEDGER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        LEDGER_TEST(a_budget_for_exactly_n_admits_exactly_n_of_64_threads),
        LEDGER_TEST(a_request_sent_by_64_threads_is_charged_once),
        LEDGER_TEST(an_acknowledged_release_is_under_a_signed_checkpoint),
        LEDGER_TEST(a_jump_of_the_clock_opens_no_window),
        LEDGER_TEST(a_short_disk_refuses_charges_before_data_is_touched),
        LEDGER_TEST(a_second_daemon_is_refused),
        LEDGER_TEST(another_log_key_is_refused),
        LEDGER_TEST(an_old_copy_of_the_database_is_refused),
        LEDGER_TEST(an_edited_balance_is_refused),
        LEDGER_TEST(an_edited_accounting_is_refused),
        LEDGER_TEST(an_edited_row_is_refused),
        LEDGER_TEST(an_answer_of_other_bytes_is_not_given),
        LEDGER_TEST(an_edited_entry_is_refused),
        LEDGER_TEST(another_history_of_the_same_length_is_refused),
        LEDGER_TEST(a_truncated_wal_is_refused),
        LEDGER_TEST(a_missing_mark_is_refused_once_there_is_something_to_lose),
        LEDGER_TEST(entries_beyond_the_mark_are_kept_and_marked),
        LEDGER_TEST(a_failed_sync_is_an_unknown_outcome_and_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
