// SPDX-License-Identifier: Apache-2.0
// Story: two offices witness each other's logs. Receipts come to carry the other's cosignature; where that is demanded
// nothing leaves without it, and nothing is lost; and a state that was set back with everything that could tell so on
// this machine is found out by the witness.
#include "tests/support/daemon.h"
#include "service/audit/tlog_policy.h"
#include "service/base/check.h"
#include "service/base/file.h"
#include "service/wire/receipt.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the four above first.
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define QUESTION(epsilon)                                                                                              \
    "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",\"measure\":{\"statistic\":\"count\"},"              \
    "\"by\":[\"sex\"],\"epsilon\":\"" epsilon "\"}"
#define TRIES_MAX 3000 // of 10 ms

typedef struct {
    char folder[TEST_PATH_MAX], vkey[GW_VKEY_MAX];
    unsigned port; // the same after a restart
    pid_t pid;
} office_witness;

typedef struct {
    test_daemon ours, theirs;
    office_witness witness_of_ours, witness_of_theirs; // who runs it: ours watches their log
    char policy_path[TEST_PATH_MAX];
    gw_tlog_policy *policy;
    gw_note_key log_key;
    test_asker asker;
} story;

static void nap(void) {
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL); // between two looks, not instead of one
}

// ---- a witness as a process

static void run(const char *const argv[], gw_buffer *output) {
    assert_int_equal(test_run(argv, output), 0);
}

static void witness_init(office_witness *it, const test_daemon *at, const char *name) {
    char program[TEST_PATH_MAX];
    gw_buffer output;
    gw_buffer_init(&output, 4096);
    test_program("godwit-witness", program);
    snprintf(it->folder, sizeof it->folder, "%.400s/witness", at->folder);
    run((const char *const[]){program, "init", "--dir", it->folder, "--name", name, NULL}, NULL);
    run((const char *const[]){program, "vkey", "--dir", it->folder, NULL}, &output);
    snprintf(it->vkey, sizeof it->vkey, "%.*s", (int)output.size - 1, gw_buffer_string(&output));
    gw_buffer_done(&output);
}

static void log_file_of(const office_witness *it, char path[TEST_PATH_MAX]) {
    snprintf(path, TEST_PATH_MAX, "%.400s.log", it->folder);
}

// Its log says on which port it listens.
static unsigned witness_port(const office_witness *it) {
    char path[TEST_PATH_MAX];
    log_file_of(it, path);
    for (int tries = 0; tries < TRIES_MAX; tries++, nap()) {
        gw_buffer text;
        gw_buffer_init(&text, 65536);
        const char *at =
            gw_file_read(path, &text, NULL) == GW_OK ? strstr(gw_buffer_string(&text), "\"port\":\"") : NULL;
        unsigned port = at == NULL ? 0 : (unsigned)strtoul(at + 8, NULL, 10);
        gw_buffer_done(&text);
        if (port != 0)
            return port;
    }
    fail_msg("the witness does not listen; see %s", path);
    return 0;
}

static void witness_start(office_witness *it) {
    char program[TEST_PATH_MAX], listen[32], path[TEST_PATH_MAX];
    test_program("godwit-witness", program);
    log_file_of(it, path);
    snprintf(listen, sizeof listen, "127.0.0.1:%u", it->port);
    pid_t parent = getpid();
    it->pid = fork();
    assert_true(it->pid >= 0);
    if (it->pid == 0) {
        int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && file >= 0 && dup2(file, 2) >= 0 &&
            dup2(file, 1) >= 0)
            execl(program, program, "serve", "--dir", it->folder, "--listen", listen, (char *)NULL);
        _exit(127);
    }
    it->port = witness_port(it);
}

static void witness_stop(office_witness *it, int number) {
    int status = 0;
    if (it->pid == 0)
        return;
    kill(it->pid, number);
    assert_int_equal(waitpid(it->pid, &status, 0), it->pid);
    it->pid = 0;
    if (number == SIGTERM)
        assert_int_equal(status, 0);
}

static void witness_add(const office_witness *it, const test_daemon *daemon) {
    char program[TEST_PATH_MAX];
    test_program("godwit-witness", program);
    run((const char *const[]){program, "add-log", "--dir", it->folder, daemon->admin.log_key, NULL}, NULL);
}

// ---- a daemon that asks one

static void write_file(const char *path, const char *text) {
    assert_int_equal(gw_file_replace(path, gw_bytes_of(text), 0644, NULL), GW_OK);
}

static void use_witness(test_daemon *daemon, const office_witness *witness, char path[TEST_PATH_MAX]) {
    char program[TEST_PATH_MAX], text[1024];
    test_program("godwitd", program);
    snprintf(path, TEST_PATH_MAX, "%.400s/witnesses.policy", daemon->folder);
    snprintf(text, sizeof text, "witness neighbour %s http://127.0.0.1:%u/\nquorum neighbour\n", witness->vkey,
             witness->port);
    write_file(path, text);
    run((const char *const[]){program, "witnesses", "--dir", daemon->folder, path, NULL}, NULL);
}

static void set_strict(const test_daemon *daemon, const char *before, const char *after) {
    char path[TEST_PATH_MAX];
    gw_buffer text, changed;
    gw_buffer_init(&text, 65536);
    gw_buffer_init(&changed, 65536);
    snprintf(path, sizeof path, "%.400s/config.json", daemon->folder);
    assert_int_equal(gw_file_read(path, &text, NULL), GW_OK);
    const char *at = strstr(gw_buffer_string(&text), before);
    assert_non_null(at);
    gw_buffer_append(&changed, text.data, (size_t)(at - gw_buffer_string(&text)));
    gw_buffer_text(&changed, after);
    gw_buffer_text(&changed, at + strlen(before));
    assert_int_equal(gw_file_replace(path, gw_buffer_bytes(&changed), 0600, NULL), GW_OK);
    gw_buffer_done(&text);
    gw_buffer_done(&changed);
}

// godwitd serve that is expected to refuse: its exit code.
static int refused_start(test_daemon *daemon) {
    int status = 0;
    test_daemon_spawn(daemon);
    assert_int_equal(waitpid(daemon->pid, &status, 0), daemon->pid);
    daemon->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// The last lines of its log hold the text.
static void assert_told(const test_daemon *daemon, const char *text) {
    char path[TEST_PATH_MAX];
    gw_buffer log;
    gw_buffer_init(&log, 1 << 20);
    snprintf(path, sizeof path, "%.400s/daemon.log", daemon->folder);
    assert_int_equal(gw_file_read(path, &log, NULL), GW_OK);
    const char *all = gw_buffer_string(&log);
    if (strstr(all + (log.size > 1500 ? log.size - 1500 : 0), text) == NULL)
        fail_msg("the daemon did not say: %s\n%s", text, all);
    gw_buffer_done(&log);
}

static bool is_quorate(story *it, gw_bytes note) {
    gw_tlog_verdict verdict;
    gw_problem problem = {0};
    return gw_tlog_policy_check(it->policy, note, &it->log_key, &verdict, &problem) == GW_OK;
}

static bool receipt_is_quorate(story *it) {
    gw_buffer scratch;
    gw_receipt receipt;
    gw_buffer_init(&scratch, GW_RECEIPT_MAX);
    assert_int_equal(gw_receipt_decode(it->asker.reply.receipt, &scratch, &receipt, NULL), GW_OK);
    bool holds = is_quorate(it, receipt.checkpoint);
    gw_buffer_done(&scratch);
    return holds;
}

static void wait_for_published_quorum(story *it) {
    char path[TEST_PATH_MAX];
    bool is_there = false;
    snprintf(path, sizeof path, "%.400s/checkpoint", it->ours.log_folder);
    for (int tries = 0; !is_there && tries < TRIES_MAX; tries++, nap()) {
        gw_buffer note;
        gw_buffer_init(&note, 65536);
        is_there = gw_file_read(path, &note, NULL) == GW_OK && is_quorate(it, gw_buffer_bytes(&note));
        gw_buffer_done(&note);
    }
    assert_true(is_there);
}

// ---- the story

static int begin(void **state) {
    story *it = calloc(1, sizeof *it);
    char path[TEST_PATH_MAX];
    assert_non_null(it);
    test_daemon_init(&it->ours);
    test_daemon_init(&it->theirs);
    witness_init(&it->witness_of_ours, &it->ours, "witness.ours.example/w");
    witness_init(&it->witness_of_theirs, &it->theirs, "witness.theirs.example/w");
    witness_start(&it->witness_of_ours);
    witness_start(&it->witness_of_theirs);
    witness_add(&it->witness_of_theirs, &it->ours);
    witness_add(&it->witness_of_ours, &it->theirs);
    use_witness(&it->ours, &it->witness_of_theirs, it->policy_path);
    use_witness(&it->theirs, &it->witness_of_ours, path);
    assert_int_equal(gw_tlog_policy_read(it->policy_path, &it->policy, NULL), GW_OK);
    assert_int_equal(gw_note_key_parse(it->ours.admin.log_key, &it->log_key, NULL), GW_OK);
    test_daemon_start(&it->theirs);
    test_daemon_start(&it->ours);
    test_daemon_people(&it->ours, 500, (test_budget){"100", NULL, "0.01", "10"});
    gw_profile asker;
    test_daemon_principal(&it->ours, "researcher", &asker);
    test_asker_open(&it->asker, &asker);
    *state = it;
    return 0;
}

static int end(void **state) {
    story *it = *state;
    test_asker_close(&it->asker);
    witness_stop(&it->witness_of_ours, SIGTERM);
    witness_stop(&it->witness_of_theirs, SIGTERM);
    test_daemon_done(&it->ours);
    test_daemon_done(&it->theirs);
    gw_tlog_policy_free(it->policy);
    free(it);
    return 0;
}

static void receipts_come_to_carry_the_other_offices_cosignature(void **state) {
    story *it = *state;
    assert_true(test_ask(&it->asker, QUESTION("0.1"), NULL));
    wait_for_published_quorum(it);
    bool is_there = false;
    for (int tries = 0; !is_there && tries < TRIES_MAX; tries++, nap()) {
        assert_true(test_asker_send(&it->asker, 60000)); // the same bytes: the stored answer, free
        is_there = receipt_is_quorate(it);
    }
    assert_true(is_there);
    gw_audit_verdict verdict;
    test_daemon_verify(&it->ours, &verdict);
    gw_buffer told;
    char client[TEST_PATH_MAX];
    gw_buffer_init(&told, 65536);
    test_program("godwit", client);
    run((const char *const[]){client, "status", "--config", it->ours.admin.path, NULL}, &told);
    assert_non_null(strstr(gw_buffer_string(&told), "neighbour: "));
    gw_buffer_done(&told);
    // And the other way round: their log is witnessed by us, though nobody has asked anything there.
    gw_buffer output;
    char program[TEST_PATH_MAX];
    gw_buffer_init(&output, 4096);
    test_program("godwit-witness", program);
    run((const char *const[]){program, "ls", "--dir", it->witness_of_ours.folder, NULL}, &output);
    assert_non_null(strstr(gw_buffer_string(&output), "test.example/godwit\n  entries "));
    assert_null(strstr(gw_buffer_string(&output), "never"));
    gw_buffer_done(&output);
}

static void assert_doctor_says(const story *it, const char *text) {
    char program[TEST_PATH_MAX];
    gw_buffer output;
    gw_buffer_init(&output, 65536);
    test_program("godwitd", program);
    gw_ignore(test_run((const char *const[]){program, "doctor", "--dir", it->ours.folder, NULL}, &output)); // 0 or 9
    if (strstr(gw_buffer_string(&output), text) == NULL)
        fail_msg("doctor does not say \"%s\": %s", text, gw_buffer_string(&output));
    gw_buffer_done(&output);
}

static void where_the_quorum_is_demanded_nothing_leaves_without_it_and_nothing_is_lost(void **state) {
    story *it = *state;
    test_daemon_stop(&it->ours, SIGTERM);
    set_strict(&it->ours, "\"witness_strict\": false", "\"witness_strict\": true");
    test_daemon_start(&it->ours);
    test_asker_reconnect(&it->asker);
    assert_true(test_ask(&it->asker, QUESTION("0.2"), NULL));
    assert_true(receipt_is_quorate(it)); // at once
    witness_stop(&it->witness_of_theirs, SIGKILL);
    assert_false(test_ask(&it->asker, QUESTION("0.3"), NULL)); // charged, measured, sealed, kept
    assert_string_equal(it->asker.problem.code, "no_quorum");
    assert_int_equal(it->asker.reply.status, GW_REPLY_RETRY);
    assert_int_equal(it->asker.reply.answer.size > 0, 1); // the refusal's words alone
    gw_buffer message;
    gw_buffer_init(&message, 1 << 20);
    gw_buffer_append(&message, it->asker.message.data, it->asker.message.size);
    assert_false(test_ask(&it->asker, QUESTION("0.4"), NULL)); // not begun: nothing is charged for it
    assert_string_equal(it->asker.problem.code, "no_quorum");
    assert_int_equal(it->asker.reply.status == GW_REPLY_OK, 0);
    assert_doctor_says(it, "entries wait for the quorum");
    // A daemon that starts meanwhile starts, and tells.
    test_daemon_stop(&it->ours, SIGTERM);
    test_daemon_start(&it->ours);
    assert_told(&it->ours, "no_quorum");
    test_asker_reconnect(&it->asker);
    gw_buffer_done(&it->asker.message);
    gw_buffer_append(&it->asker.message, message.data, message.size);
    assert_true(test_asker_send(&it->asker, 60000));
    assert_int_equal(it->asker.reply.status, GW_REPLY_RETRY);
    // The witness comes back, and the same request id gets its answer.
    witness_start(&it->witness_of_theirs);
    for (int tries = 0; it->asker.reply.status != GW_REPLY_OK && tries < TRIES_MAX; tries++, nap())
        assert_true(test_asker_send(&it->asker, 60000));
    assert_int_equal(it->asker.reply.status, GW_REPLY_OK);
    assert_true(receipt_is_quorate(it));
    assert_int_equal(test_daemon_spent(&it->ours, TEST_DATASET), 600000); // 0.1 + 0.2 + 0.3, and no 0.4
    assert_doctor_says(it, "cosigned the published ");
    gw_buffer_done(&message);
}

static void another_file_than_the_one_in_force_is_refused(void **state) {
    story *it = *state;
    char program[TEST_PATH_MAX];
    gw_buffer text;
    gw_buffer_init(&text, 65536);
    test_daemon_stop(&it->ours, SIGTERM);
    assert_int_equal(gw_file_read(it->policy_path, &text, NULL), GW_OK);
    gw_buffer_text(&text, "# and a word\n");
    write_file(it->policy_path, gw_buffer_string(&text));
    assert_int_equal(refused_start(&it->ours), 3);
    assert_told(&it->ours, "witnesses_differ");
    test_program("godwitd", program);
    run((const char *const[]){program, "witnesses", "--dir", it->ours.folder, it->policy_path, NULL}, NULL);
    test_daemon_start(&it->ours);
    test_asker_reconnect(&it->asker);
    char path[TEST_PATH_MAX], hex[GW_HASH_HEX];
    gw_hash hash = gw_sha256(gw_buffer_bytes(&text));
    gw_hex((gw_bytes){hash.bytes, GW_HASH_SIZE}, hex);
    snprintf(path, sizeof path, "%.300s/witnesses/%s", it->ours.log_folder, hex);
    assert_int_equal(access(path, R_OK), 0);
    gw_buffer_done(&text);
}

// Database, high-water mark, signer's memory: all of it old, and nobody on this machine can tell.
static void a_state_that_was_set_back_whole_is_found_out_by_the_witness(void **state) {
    story *it = *state;
    char old[TEST_PATH_MAX], program[TEST_PATH_MAX];
    snprintf(old, sizeof old, "%.400s.old", it->ours.folder);
    test_daemon_stop(&it->ours, SIGTERM);
    run((const char *const[]){"/bin/cp", "-a", it->ours.folder, old, NULL}, NULL);
    test_daemon_start(&it->ours);
    test_asker_reconnect(&it->asker);
    assert_true(test_ask(&it->asker, QUESTION("0.5"), NULL));
    test_daemon_stop(&it->ours, SIGTERM);
    run((const char *const[]){"/bin/rm", "-rf", it->ours.folder, NULL}, NULL);
    run((const char *const[]){"/bin/mv", old, it->ours.folder, NULL}, NULL);
    assert_int_equal(refused_start(&it->ours), 78);
    assert_told(&it->ours, "rolled_back");
    assert_told(&it->ours, "neighbour");
    // Not strict it is no less found out.
    set_strict(&it->ours, "\"witness_strict\": true", "\"witness_strict\": false");
    assert_int_equal(refused_start(&it->ours), 78);
    // Only when the other office has let go of what it saw.
    test_program("godwit-witness", program);
    const char *const unsure[] = {program, "reset", "--dir", it->witness_of_theirs.folder, "test.example/godwit", NULL};
    assert_int_equal(test_run(unsure, NULL), 3);
    assert_int_equal(refused_start(&it->ours), 78);
    run((const char *const[]){program, "reset", "--yes", "--dir", it->witness_of_theirs.folder, "test.example/godwit",
                              NULL},
        NULL);
    test_daemon_start(&it->ours);
}

// The witness learns of another history while the daemon runs: a second copy of it was asked meanwhile.
static void a_running_daemon_stops_when_the_witness_has_seen_another_history(void **state) {
    story *it = *state;
    char folder[TEST_PATH_MAX];
    // The memory of a witness that has seen one entry more of this log, signed by its key.
    gw_checkpoint ahead = {0};
    gw_buffer note, body;
    gw_secret_key *key = NULL;
    gw_buffer_init(&note, 65536);
    gw_buffer_init(&body, 65536);
    snprintf(folder, sizeof folder, "%.400s/checkpoint", it->ours.log_folder);
    wait_for_published_quorum(it);
    assert_int_equal(gw_file_read(folder, &note, NULL), GW_OK);
    assert_int_equal(gw_checkpoint_peek(gw_buffer_bytes(&note), &ahead, NULL), GW_OK);
    snprintf(folder, sizeof folder, "%.400s/keys/log.key", it->ours.folder);
    assert_int_equal(gw_key_file_read(folder, &key, NULL), GW_OK);
    witness_stop(&it->witness_of_theirs, SIGTERM);
    char program[TEST_PATH_MAX], path[TEST_PATH_MAX + 128], id[GW_HASH_HEX];
    test_program("godwit-witness", program);
    gw_hash hash = gw_sha256(gw_bytes_of(ahead.origin));
    gw_hex((gw_bytes){hash.bytes, GW_HASH_SIZE}, id);
    snprintf(path, sizeof path, "%s/logs/%s/checkpoint", it->witness_of_theirs.folder, id);
    ahead.size += 1000;
    gw_buffer_done(&note);
    gw_checkpoint_sign(&ahead, key, &note);
    gw_note_parts parts;
    gw_secret_key *witness_key = NULL;
    assert_int_equal(gw_note_split(gw_buffer_bytes(&note), &parts, NULL), GW_OK);
    snprintf(folder, sizeof folder, "%.400s/witness.key", it->witness_of_theirs.folder);
    assert_int_equal(gw_key_file_read(folder, &witness_key, NULL), GW_OK);
    gw_buffer_append(&body, note.data, note.size);
    gw_cosignature_sign("witness.theirs.example/w", witness_key, parts.text, 1700000000, &body);
    assert_int_equal(gw_file_replace(path, gw_buffer_bytes(&body), 0644, NULL), GW_OK);
    witness_start(&it->witness_of_theirs);
    test_asker_reconnect(&it->asker);
    test_asker_sign(&it->asker, QUESTION("0.6"), NULL);
    gw_ignore(test_asker_send(&it->asker, 3000)); // answered, refused or cut off: it is what has it ask the witness
    int status = 0;
    assert_int_equal(waitpid(it->ours.pid, &status, 0), it->ours.pid);
    it->ours.pid = 0;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 78);
    assert_told(&it->ours, "rolled_back");
    gw_secret_key_free(key);
    gw_secret_key_free(witness_key);
    gw_buffer_done(&note);
    gw_buffer_done(&body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(receipts_come_to_carry_the_other_offices_cosignature),
        cmocka_unit_test(where_the_quorum_is_demanded_nothing_leaves_without_it_and_nothing_is_lost),
        cmocka_unit_test(another_file_than_the_one_in_force_is_refused),
        cmocka_unit_test(a_state_that_was_set_back_whole_is_found_out_by_the_witness),
        cmocka_unit_test(a_running_daemon_stops_when_the_witness_has_seen_another_history),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
