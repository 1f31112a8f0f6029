// SPDX-License-Identifier: Apache-2.0
// Story: an operator has a state looked over. Whole, it is called whole, with and without a daemon; then one thing
// after another is wrong in it, and each is found, named, and said how to mend. Nothing is changed by looking.
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
    if (doctor(daemon_.folder, "text", &output) != 0 || strstr(gw_buffer_string(&output), "FAIL  ") != NULL ||
        strstr(gw_buffer_string(&output), "1 WARN, 0 FAIL") == NULL || // where the mark lies
        strstr(gw_buffer_string(&output), "on the ledger's filesystem") == NULL ||
        strstr(gw_buffer_string(&output), of_daemon) == NULL)
        fail_msg("%s", gw_buffer_string(&output));
    gw_buffer_done(&output);
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
    run("cp \"$0\"/godwit.db \"$0\"/db.old && cp \"$0\"/godwit.db-wal \"$0\"/wal.old");
    gw_profile profile;
    test_daemon_start(&daemon_);
    test_daemon_principal(&daemon_, "researcher", &profile); // two more entries
    assert_int_equal(test_daemon_stop(&daemon_, SIGTERM), 0);
    run("mkdir \"$0\"/new && mv \"$0\"/godwit.db \"$0\"/godwit.db-wal \"$0\"/new/ && rm -f \"$0\"/godwit.db-shm &&"
        " mv \"$0\"/db.old \"$0\"/godwit.db && mv \"$0\"/wal.old \"$0\"/godwit.db-wal");
    expect_found(9, "FAIL", "mark", "older than what was acknowledged");
    expect_found(9, "FAIL", "log", "not the ledger's");
    run("rm -f \"$0\"/godwit.db* && mv \"$0\"/new/* \"$0\"/ && rmdir \"$0\"/new");
    run("mv \"$0\"/hwm \"$0\"/hwm.away");
    expect_found(9, "FAIL", "mark", "missing");
    run("mv \"$0\"/hwm.away \"$0\"/hwm");
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
