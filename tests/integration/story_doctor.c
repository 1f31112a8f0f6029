// SPDX-License-Identifier: Apache-2.0
// Story: an operator has a state looked over. Whole, it is called whole, with and without a daemon; then one thing
// after another is wrong in it, and each is found, named, and said how to mend. Nothing is changed by looking.
#include "service/audit/cosignature.h"
#include "service/base/file.h"
#include "service/wire/json.h"
#include "tests/support/daemon.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
// cmocka wants the four above first.
#include <cmocka.h>

static test_daemon daemon_;

static int begin(void **state) {
    (void)state;
    test_daemon_with_people(&daemon_, 200, (test_budget){"100", NULL, "0.01", "10"});
    return 0;
}

static int end(void **state) {
    (void)state;
    test_daemon_done(&daemon_);
    return 0;
}

static const char *path_of(const char *name) {
    static char path[TEST_PATH_MAX];
    snprintf(path, sizeof path, "%.300s/%.200s", daemon_.folder, name);
    return path;
}

static void run(const char *script) {
    assert_int_equal(test_run((const char *const[]){"/bin/sh", "-c", script, daemon_.folder, NULL}, NULL), 0);
}

static int doctor(const char *folder, const char *format, gw_buffer *output) {
    char program[TEST_PATH_MAX];
    test_program("godwitd", program);
    gw_buffer_init(output, 1 << 20);
    return test_run((const char *const[]){program, "doctor", "--dir", folder, "-o", format, NULL}, output);
}

// One line that begins with FAIL or WARN and this check, and says these words.
static void expect_found(int code, const char *found, const char *check, const char *words) {
    gw_buffer output;
    char head[64];
    snprintf(head, sizeof head, "%-4s  %-10s", found, check);
    const int ended = doctor(daemon_.folder, "text", &output);
    const char *line = gw_buffer_string(&output);
    while ((line = strstr(line, head)) != NULL && strstr(line, words) == NULL)
        line++;
    if (ended != code || line == NULL)
        fail_msg("%d, expected %d and %s %s \"%s\":\n%s", ended, code, found, check, words, gw_buffer_string(&output));
    gw_buffer_done(&output);
}

static void expect_whole(const char *of_daemon) {
    gw_buffer output;
    const char *const in_memory[] = {"/bin/sh", "-c", "test $(stat -f -c %T \"$0\") = tmpfs", daemon_.folder, NULL};
    // One where the mark lies, and one where nothing here outlasts the power.
    const char *count = test_run(in_memory, NULL) == 0 ? "2 WARN, 0 FAIL" : "1 WARN, 0 FAIL";
    if (doctor(daemon_.folder, "text", &output) != 0 || strstr(gw_buffer_string(&output), "FAIL  ") != NULL ||
        strstr(gw_buffer_string(&output), count) == NULL ||
        strstr(gw_buffer_string(&output), "on the ledger's filesystem") == NULL ||
        strstr(gw_buffer_string(&output), of_daemon) == NULL)
        fail_msg("%s", gw_buffer_string(&output));
    gw_buffer_done(&output);
}

static void write_file(const char *name, const char *text) {
    assert_int_equal(gw_file_replace(path_of(name), gw_bytes_of(text), 0600, NULL), GW_OK);
}

// A program of this installation, in the state folder: $0, and $G for the folder of programs.
static int run_programs(const char *script) {
    char program[TEST_PATH_MAX];
    test_program("godwitd", program);
    *strrchr(program, '/') = '\0';
    setenv("G", program, 1);
    return test_run((const char *const[]){"/bin/sh", "-c", script, daemon_.folder, NULL}, NULL);
}

static void a_whole_state_is_whole_with_and_without_a_daemon(void **state) {
    (void)state;
    expect_whole("answers on ipc://");
    assert_int_equal(test_daemon_stop(&daemon_, SIGTERM), 0);
    expect_whole("None runs on this folder");
}

static void programs_read_it_as_json(void **state) {
    (void)state;
    gw_buffer output;
    gw_json *json = NULL;
    gw_problem problem;
    assert_int_equal(doctor(daemon_.folder, "json", &output), 0);
    assert_int_equal(gw_json_parse(gw_buffer_bytes(&output), GW_JSON_REPLY, &json, &problem), GW_OK);
    assert_int_equal(gw_json_integer(gw_json_member(gw_json_root(json), "fail")), 0);
    assert_true(gw_json_integer(gw_json_member(gw_json_root(json), "ok")) >= 12);
    gw_json_free(json);
    gw_buffer_done(&output);
}

static void a_key_that_others_may_read_is_found(void **state) {
    (void)state;
    assert_int_equal(chmod(path_of("keys/reply.key"), 0444), 0);
    expect_found(9, "FAIL", "modes", "chmod 400");
    assert_int_equal(chmod(path_of("keys/reply.key"), 0400), 0);
    assert_int_equal(chmod(path_of("data"), 0755), 0);
    expect_found(9, "FAIL", "modes", "chmod 700");
    assert_int_equal(chmod(path_of("data"), 0700), 0);
    static const char *const others[] = {"keys/log.next.key", "keys/of_no_rule.key", "profiles/somebody.key"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        write_file(others[i], "no key\n");
        assert_int_equal(chmod(path_of(others[i]), 0640), 0);
        expect_found(9, "FAIL", "modes", others[i]);
        assert_int_equal(unlink(path_of(others[i])), 0);
    }
}

static void a_changed_data_file_is_found(void **state) {
    (void)state;
    char path[TEST_PATH_MAX];
    unsigned char byte;
    test_daemon_snapshot(&daemon_, TEST_DATASET, path);
    assert_int_equal(chmod(path, 0600), 0);
    const int file = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(file, &byte, 1, 20000), 1);
    byte ^= 1;
    assert_int_equal(pwrite(file, &byte, 1, 20000), 1);
    expect_found(9, "FAIL", "data", "seal");
    byte ^= 1;
    assert_int_equal(pwrite(file, &byte, 1, 20000), 1);
    close(file);
    assert_int_equal(chmod(path, 0400), 0);
}

static void a_policy_file_that_is_gone_is_found(void **state) {
    (void)state;
    run("mv \"$0\"/policies \"$0\"/policies.away && mkdir -m 700 \"$0\"/policies");
    expect_found(0, "WARN", "policy", "not in policies/");
    run("rmdir \"$0\"/policies && mv \"$0\"/policies.away \"$0\"/policies");
}

static void a_ledger_older_than_its_mark_is_found(void **state) {
    (void)state;
    run("cp \"$0\"/godwit.db \"$0\"/db.old && cp \"$0\"/godwit.db-wal \"$0\"/wal.old &&"
        " cp -p \"$0\"/hwm \"$0\"/hwm.old && cp -p \"$0\"/keys/log.newest \"$0\"/newest.old");
    gw_profile profile;
    test_daemon_start(&daemon_);
    test_daemon_principal(&daemon_, "owner", &profile); // two more entries
    assert_int_equal(test_daemon_stop(&daemon_, SIGTERM), 0);
    run("mkdir \"$0\"/new && mv \"$0\"/godwit.db \"$0\"/godwit.db-wal \"$0\"/new/ && rm -f \"$0\"/godwit.db-shm &&"
        " mv \"$0\"/db.old \"$0\"/godwit.db && mv \"$0\"/wal.old \"$0\"/godwit.db-wal");
    expect_found(9, "FAIL", "mark", "older than what was acknowledged");
    expect_found(9, "FAIL", "log", "not the ledger's");
    expect_found(9, "OK", "signers", "1 owner or operator has a key");
    expect_found(9, "FAIL", "signer", "the ledger was set back.\n                  mend  godwitd restore --log");
    run("rm -f \"$0\"/godwit.db* && mv \"$0\"/new/* \"$0\"/ && rmdir \"$0\"/new");
    run("mv \"$0\"/hwm \"$0\"/hwm.away");
    expect_found(9, "FAIL", "mark", "missing");
    run("mv \"$0\"/hwm.away \"$0\"/hwm");
    expect_found(0, "OK", "signers", "2 owners or operators");
}

// After the one above, which keeps what mark and signer remembered before.
static void a_mark_or_a_signer_that_was_set_back_is_found(void **state) {
    (void)state;
    run("cp -p \"$0\"/hwm \"$0\"/hwm.new && cp -p \"$0\"/hwm.old \"$0\"/hwm");
    expect_found(0, "WARN", "signer", "entries, the high-water mark stands at");
    run("mv \"$0\"/hwm.new \"$0\"/hwm && rm \"$0\"/hwm.old && mv \"$0\"/keys/log.newest \"$0\"/newest.new");
    expect_found(9, "FAIL", "signer", "has forgotten what it signed");
    run("cp -p \"$0\"/newest.old \"$0\"/keys/log.newest");
    expect_found(0, "WARN", "signer", "is published, the signer remembers");
    run("head -c 1024 /dev/zero > \"$0\"/keys/log.newest");
    expect_found(9, "FAIL", "signer", "is damaged");
    run("rm \"$0\"/newest.old && mv \"$0\"/newest.new \"$0\"/keys/log.newest");
    expect_found(0, "OK", "signer", "The signer has signed");
}

static void a_signer_of_its_own_is_asked_while_no_daemon_has_it(void **state) {
    (void)state;
    assert_int_equal(
        run_programs("cp -p \"$0\"/config.json \"$0\"/config.kept &&"
                     " sed -i \"s,\\\"signer\\\": \\\"\\\",\\\"signer\\\": \\\"$0/sign\\\",\" \"$0\"/config.json &&"
                     " { timeout 60 \"$G\"/godwit-signer listen --dir \"$0\"/keys --socket \"$0\"/sign"
                     " > \"$0\"/signer.log 2>&1 & echo $! > \"$0\"/signer.pid; }"),
        0);
    expect_found(0, "OK", "signer", "The signer has signed");
    test_daemon_start(&daemon_);
    expect_found(0, "OK", "signer", "serves the daemon");
    assert_int_equal(test_daemon_stop(&daemon_, SIGTERM), 0);
    run("kill $(cat \"$0\"/signer.pid) && rm -f \"$0\"/signer.pid &&"
        " sed -i \"s,$0/sign,/dev/null/sign,\" \"$0\"/config.json"); // where nothing can listen
    expect_found(9, "FAIL", "signer", "cannot be reached");
    run("mv \"$0\"/config.kept \"$0\"/config.json");
}

// The witness's line on the published checkpoint, over the text or over something else.
static void cosign(const gw_secret_key *key, bool is_of_it) {
    gw_buffer note;
    gw_note_parts parts;
    gw_buffer_init(&note, 65536);
    assert_int_equal(gw_file_read(path_of("log/checkpoint"), &note, NULL), GW_OK);
    assert_int_equal(gw_note_split(gw_buffer_bytes(&note), &parts, NULL), GW_OK);
    gw_buffer line;
    gw_buffer_init(&line, 65536);
    gw_cosignature_sign("w.example/w", key, is_of_it ? parts.text : gw_bytes_of("other\n1\nAAAA\n"), 1700000000, &line);
    gw_buffer_append(&note, line.data, line.size);
    assert_int_equal(gw_file_replace(path_of("log/checkpoint"), gw_buffer_bytes(&note), 0644, NULL), GW_OK);
    gw_buffer_done(&note);
    gw_buffer_done(&line);
}

static void witnesses_that_are_missing_or_not_those_in_force_are_found(void **state) {
    (void)state;
    static const uint8_t seed[GW_SEED_SIZE] = {7};
    gw_secret_key *key = NULL;
    gw_note_key witness;
    char vkey[GW_VKEY_MAX], text[1024];
    assert_int_equal(gw_key_from_seed(seed, &key), GW_OK);
    assert_int_equal(gw_note_key_make("w.example/w", GW_NOTE_KEY_COSIGNER, gw_key_public(key), &witness), GW_OK);
    gw_note_key_format(&witness, vkey);
    snprintf(text, sizeof text, "witness neighbour %s http://127.0.0.1:1/\nquorum neighbour\n", vkey);
    write_file("two.policy", text);
    write_file("none.policy", "quorum none\n");
    // A copy that goes another way, signed by the same key.
    assert_int_equal(run_programs("cp -a \"$0\" \"$0\".copy &&"
                                  " \"$G\"/godwitd witnesses --dir \"$0\".copy \"$0\"/none.policy &&"
                                  " cp -p \"$0\".copy/keys/log.newest \"$0\"/newest.other; rm -r \"$0\".copy"),
                     0);
    expect_found(0, "OK", "witnesses", "None are asked");
    assert_int_equal(run_programs("\"$G\"/godwitd witnesses --dir \"$0\" \"$0\"/two.policy"), 0);
    expect_found(0, "WARN", "witnesses", "quorum neighbour: nobody cosigned. Answers leave all the same.");
    run("sed -i 's,\"witness_strict\": false,\"witness_strict\": true,' \"$0\"/config.json");
    expect_found(0, "WARN", "witnesses", "Strict: no answer leaves without it.");
    run("sed -i 's,\"witness_strict\": true,\"witness_strict\": false,' \"$0\"/config.json &&"
        " cp \"$0\"/log/checkpoint \"$0\"/note.kept");
    cosign(key, true);
    expect_found(0, "OK", "witnesses", "neighbour cosigned the published");
    run("cp \"$0\"/note.kept \"$0\"/log/checkpoint");
    cosign(key, false);
    expect_found(9, "FAIL", "witnesses", "does not fit its text");
    run("mv \"$0\"/note.kept \"$0\"/log/checkpoint && echo '# a word' >> \"$0\"/two.policy");
    expect_found(9, "FAIL", "witnesses", "is another file");
    run("echo nonsense > \"$0\"/two.policy");
    expect_found(9, "FAIL", "witnesses", "bad_tlog_policy");
    write_file("two.policy", text);
    assert_int_equal(run_programs("\"$G\"/godwitd witnesses --dir \"$0\" \"$0\"/none.policy"), 0);
    expect_found(0, "OK", "witnesses", "None are asked");
    gw_secret_key_free(key);
}

// After the one above, whose copy it takes.
static void a_signer_of_another_history_is_found(void **state) {
    (void)state;
    run("cp -p \"$0\"/keys/log.newest \"$0\"/newest.kept && mv \"$0\"/newest.other \"$0\"/keys/log.newest");
    expect_found(9, "FAIL", "signer", "has signed another tree");
    run("mv \"$0\"/newest.kept \"$0\"/keys/log.newest");
}

static void a_restore_that_waits_for_signatures_is_found(void **state) {
    (void)state;
    assert_int_equal(run_programs("\"$G\"/godwitd restore --dir \"$0\" --lost 3"), 8);
    expect_found(0, "WARN", "restore", "with 3 lost, waits for signatures: 0 of 2");
    assert_int_equal(run_programs("\"$G\"/godwit sign \"$0\"/restore.json --config \"$0\"/profiles/admin.json"), 0);
    expect_found(0, "WARN", "restore", "with 3 lost, waits for signatures: 1 of 2");
    run("rm \"$0\"/restore.json.*");
    write_file("restore.json", "nonsense\n");
    expect_found(0, "WARN", "restore", "restore.json");
    run("rm \"$0\"/restore.json");
}

// The kind is the one that df names; one in memory is told of, where this machine has one.
static void the_kind_of_filesystem_is_named(void **state) {
    (void)state;
    gw_buffer kind, output;
    gw_buffer_init(&kind, 4096);
    const char *const df[] = {"/bin/sh", "-c", "df --output=fstype \"$0\" | tail -n 1 | tr -d '\n'", daemon_.folder,
                              NULL};
    assert_int_equal(test_run(df, &kind), 0);
    gw_buffer_text(&kind, ", ");
    expect_found(0, "OK", "disk", gw_buffer_string(&kind));
    gw_buffer_done(&kind);
    char copy[64];
    snprintf(copy, sizeof copy, "/dev/shm/godwit-doctor-%ld", (long)getpid());
    if (test_run((const char *const[]){"/bin/sh", "-c", "test $(stat -f -c %T /dev/shm) = tmpfs", NULL}, NULL) != 0)
        return;
    assert_int_equal(test_run((const char *const[]){"/bin/cp", "-a", daemon_.folder, copy, NULL}, NULL), 0);
    const int code = doctor(copy, "text", &output);
    assert_int_equal(test_run((const char *const[]){"/bin/rm", "-rf", copy, NULL}, NULL), 0);
    assert_int_equal(code, 0);
    assert_non_null(strstr(gw_buffer_string(&output), "WARN  disk        The state folder is in memory (tmpfs)"));
    gw_buffer_done(&output);
}

static void indicators_that_do_not_read_are_found(void **state) {
    (void)state;
    run("sed -i 's,\"share\": \"[^\"]*\",\"share\": \"/nowhere\",' \"$0\"/config.json");
    expect_found(9, "FAIL", "indicators", "mend");
    expect_found(9, "FAIL", "policy", "");
    char script[TEST_PATH_MAX];
    snprintf(script, sizeof script, "sed -i 's,/nowhere,%.400s/policies,' \"$0\"/config.json", test_source_folder());
    run(script);
}

static void a_file_of_the_log_that_is_gone_is_found(void **state) {
    (void)state;
    run("mv \"$0\"/log/tile/entries \"$0\"/entries.away");
    expect_found(9, "FAIL", "tiles", "lacks tile/entries/");
    run("mv \"$0\"/entries.away \"$0\"/log/tile/entries");
}

static void room_that_is_not_kept_aside_is_found(void **state) {
    (void)state;
    run("mv \"$0\"/ballast \"$0\"/ballast.away");
    expect_found(0, "WARN", "ballast", "No room");
    run("mv \"$0\"/ballast.away \"$0\"/ballast");
}

// The anchors say that it was a day earlier: in this boot, then in another one; and that it was a day later.
static void a_clock_that_is_wrong_is_found(void **state) {
    (void)state;
    run("cp -p \"$0\"/clock \"$0\"/clock.kept");
    run("awk '/^s/ { $2 -= 86400 } { print }' \"$0\"/clock.kept > \"$0\"/clock");
    expect_found(9, "FAIL", "clock", "ahead of what this machine counted");
    run("awk '/^boot/ { $2 = \"00112233445566778899aabbccddeeff\" } /^s/ { $2 -= 86400 } { print }' \"$0\"/clock.kept"
        " > \"$0\"/clock");
    expect_found(0, "WARN", "clock", "nobody confirmed the time");
    run("mv \"$0\"/clock.kept \"$0\"/clock");
    expect_found(0, "OK", "clock", "The clock is right");
}

static void what_sqlite_takes_is_said(void **state) {
    (void)state;
    expect_found(0, "OK", "settings",
                 "journal_mode=wal synchronous=2 foreign_keys=1 trusted_schema=0 cell_size_check=1 "
                 "mmap_size=0 temp_store=2");
}

static void after_all_that_it_is_whole_again(void **state) {
    (void)state;
    expect_whole("None runs on this folder");
}

static void where_it_cannot_look_it_says_so(void **state) {
    (void)state;
    gw_buffer output;
    assert_int_equal(doctor("/nowhere/at/all", "text", &output), 10);
    gw_buffer_done(&output);
    run("echo nonsense > \"$0\"/config.json");
    assert_int_equal(doctor(daemon_.folder, "text", &output), 10);
    gw_buffer_done(&output);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_state_is_whole_with_and_without_a_daemon),
        cmocka_unit_test(programs_read_it_as_json),
        cmocka_unit_test(a_key_that_others_may_read_is_found),
        cmocka_unit_test(a_changed_data_file_is_found),
        cmocka_unit_test(a_policy_file_that_is_gone_is_found),
        cmocka_unit_test(a_ledger_older_than_its_mark_is_found),
        cmocka_unit_test(a_mark_or_a_signer_that_was_set_back_is_found),
        cmocka_unit_test(a_signer_of_its_own_is_asked_while_no_daemon_has_it),
        cmocka_unit_test(witnesses_that_are_missing_or_not_those_in_force_are_found),
        cmocka_unit_test(a_signer_of_another_history_is_found),
        cmocka_unit_test(a_restore_that_waits_for_signatures_is_found),
        cmocka_unit_test(the_kind_of_filesystem_is_named),
        cmocka_unit_test(indicators_that_do_not_read_are_found),
        cmocka_unit_test(a_file_of_the_log_that_is_gone_is_found),
        cmocka_unit_test(room_that_is_not_kept_aside_is_found),
        cmocka_unit_test(a_clock_that_is_wrong_is_found),
        cmocka_unit_test(what_sqlite_takes_is_said),
        cmocka_unit_test(after_all_that_it_is_whole_again),
        cmocka_unit_test(where_it_cannot_look_it_says_so),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
