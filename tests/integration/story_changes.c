// SPDX-License-Identifier: Apache-2.0
// Story: changes by owners and operators are made once, data never meets a policy it was not loaded under, and nobody
// is locked out for good.
#include "tests/support/daemon.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
// cmocka wants the four above first.
#include <cmocka.h>

static const test_budget budget = {"100", NULL, "0.01", "10"};
static test_daemon daemon_;

static int begin(void **state) {
    (void)state;
    test_daemon_with_people(&daemon_, 300, budget);
    return 0;
}

static int end(void **state) {
    (void)state;
    test_daemon_done(&daemon_);
    return 0;
}

static uint64_t log_size(test_asker *asker) {
    assert_true(test_ask(asker, "{\"v\":1,\"kind\":\"admin\",\"action\":\"status\"}", NULL));
    char text[4096];
    assert_true(asker->reply.answer.size < sizeof text);
    memcpy(text, asker->reply.answer.data, asker->reply.answer.size);
    text[asker->reply.answer.size] = '\0';
    const char *size = strstr(text, "\"log_size\":");
    assert_non_null(size);
    return strtoull(size + strlen("\"log_size\":"), NULL, 10);
}

static void a_change_sent_again_is_not_made_again(void **state) {
    (void)state;
    test_asker admin;
    gw_profile researcher;
    test_daemon_principal(&daemon_, "researcher", &researcher);
    test_asker_open(&admin, &daemon_.admin);
    char body[512];
    snprintf(body, sizeof body,
             "{\"v\":1,\"kind\":\"admin\",\"action\":\"principal_grant\",\"principal\":\"%s\",\"roles\":\"researcher,"
             "owner\"}",
             researcher.principal);
    assert_true(test_ask(&admin, body, "00112233445566778899aabbccddee01"));
    gw_hash first = gw_sha256(admin.reply.answer);
    gw_buffer grant;
    gw_buffer_init(&grant, 65536);
    gw_buffer_append(&grant, admin.message.data, admin.message.size);
    snprintf(
        body, sizeof body,
        "{\"v\":1,\"kind\":\"admin\",\"action\":\"principal_grant\",\"principal\":\"%s\",\"roles\":\"researcher\"}",
        researcher.principal);
    assert_true(test_ask(&admin, body, NULL));
    uint64_t size = log_size(&admin);
    // Somebody who saw the first request sends its bytes again: the old reply, and no entry.
    gw_buffer_done(&admin.message);
    gw_buffer_append(&admin.message, grant.data, grant.size);
    assert_true(test_asker_send(&admin, 60000));
    assert_int_equal(admin.reply.status, GW_REPLY_OK);
    assert_true(gw_hash_equal(gw_sha256(admin.reply.answer), first));
    assert_int_equal(log_size(&admin), size);
    // The same id for another change is refused.
    assert_false(test_ask(&admin, body, "00112233445566778899aabbccddee01"));
    assert_string_equal(admin.problem.code, "idem_conflict");
    gw_buffer_done(&grant);
    test_asker_close(&admin);
}

static void a_change_from_before_the_start_is_refused(void **state) {
    (void)state;
    test_asker admin;
    test_asker_open(&admin, &daemon_.admin);
    test_asker_sign(&admin,
                    "{\"v\":1,\"kind\":\"admin\",\"action\":\"population_add\",\"population\":\"test.example/"
                    "again\",\"total\":\"5\","
                    "\"window_days\":0,\"window_total\":null}",
                    NULL);
    assert_true(test_asker_send(&admin, 60000));
    assert_int_equal(admin.reply.status, GW_REPLY_OK);
    test_daemon_stop(&daemon_, SIGTERM);
    struct timespec second = {.tv_sec = 1, .tv_nsec = 100000000};
    nanosleep(&second, NULL); // the clock of requests counts whole seconds
    test_daemon_start(&daemon_);
    test_asker_reconnect(&admin);
    assert_true(test_asker_send(&admin, 60000));
    assert_int_not_equal(admin.reply.status, GW_REPLY_OK);
    assert_string_equal(admin.problem.code, "stale_request");
    test_asker_close(&admin);
}

static void an_operator_answers_for_the_clock(void **state) {
    (void)state;
    static const char body[] = "{\"v\":1,\"kind\":\"admin\",\"action\":\"clock_confirm\"}";
    test_asker admin, other;
    gw_profile researcher;
    test_asker_open(&admin, &daemon_.admin);
    uint64_t size = log_size(&admin);
    assert_true(test_ask(&admin, body, NULL));
    assert_int_equal(log_size(&admin), size + 1);
    test_asker_close(&admin);
    test_daemon_principal(&daemon_, "researcher", &researcher);
    test_asker_open(&other, &researcher);
    assert_false(test_ask(&other, body, NULL));
    assert_string_equal(other.problem.code, "denied_role");
    test_asker_close(&other);
}

static void the_last_operator_stays(void **state) {
    (void)state;
    test_asker admin;
    test_asker_open(&admin, &daemon_.admin);
    char body[512];
    snprintf(body, sizeof body, "{\"v\":1,\"kind\":\"admin\",\"action\":\"principal_revoke\",\"principal\":\"%s\"}",
             daemon_.admin.principal);
    assert_false(test_ask(&admin, body, NULL));
    assert_string_equal(admin.problem.code, "last_operator");
    test_asker_close(&admin);
}

// The owner narrows the bounds of a column. The data in force was loaded under the wider ones: with the narrower ones
// its noise would be too small. No request makes the two fit but a new load.
static void data_meets_no_policy_it_was_not_loaded_under(void **state) {
    (void)state;
    gw_profile early_profile;
    test_asker early; // answered before the change: its own request keeps its answer
    test_daemon_principal(&daemon_, "researcher", &early_profile);
    test_asker_open(&early, &early_profile);
    assert_true(test_ask(&early,
                         "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET
                         "\",\"measure\":{\"statistic\":\"count\"},\"by\":[\"activity\"],\"epsilon\":\"0.1\"}",
                         NULL));
    gw_hash answered = gw_sha256(early.reply.answer);
    gw_buffer policy;
    gw_buffer_init(&policy, 65536);
    test_people_policy(2, budget, &policy);
    char text[65536];
    snprintf(text, sizeof text, "%s", gw_buffer_string(&policy));
    gw_buffer_done(&policy);
    char *bound = strstr(text, "\"max\":80"), *narrow = bound ? bound + strlen("\"max\":") : NULL;
    assert_non_null(narrow);
    memcpy(narrow, "79", 2);
    test_daemon_policy(&daemon_, text);
    gw_profile researcher;
    test_asker asker, admin;
    test_daemon_principal(&daemon_, "researcher", &researcher);
    test_asker_open(&asker, &researcher);
    test_asker_open(&admin, &daemon_.admin);
    const char *question = "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET
                           "\",\"measure\":{\"statistic\":\"count\"},\"by\":[\"sex\"],\"epsilon\":\"0.1\"}";
    assert_false(test_ask(&asker, question, NULL));
    assert_string_equal(asker.problem.code, "data_layout");
    assert_int_equal(asker.problem.charged.micro, 0);
    char snapshot[TEST_PATH_MAX], body[1024], version[33] = "";
    test_daemon_snapshot(&daemon_, TEST_DATASET, snapshot);
    const char *name = strrchr(snapshot, '/');
    assert_non_null(name);
    snprintf(version, sizeof version, "%.32s", name + 1);
    snprintf(body, sizeof body,
             "{\"v\":1,\"kind\":\"admin\",\"action\":\"data_activate\",\"dataset\":\"" TEST_DATASET
             "\",\"version\":\"%s\",\"seal\":\"%064d\"}",
             version, 0);
    assert_false(test_ask(&admin, body, NULL));
    assert_false(test_ask(&asker, question, NULL));
    assert_string_equal(asker.problem.code, "data_layout");
    assert_true(test_asker_send(&early, 60000));
    assert_int_equal(early.reply.status, GW_REPLY_OK);
    assert_true(gw_hash_equal(gw_sha256(early.reply.answer), answered));
    test_asker_close(&early);
    test_asker_close(&asker);
    test_asker_close(&admin);
}

static void flip_middle(const char *path) {
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long middle = ftell(file) / 2;
    assert_int_equal(fseek(file, middle, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, middle, SEEK_SET), 0);
    fputc(byte ^ 1, file);
    fclose(file);
}

static void a_changed_data_file_stops_the_start(void **state) {
    (void)state;
    char snapshot[TEST_PATH_MAX];
    int status = 0;
    test_daemon_snapshot(&daemon_, TEST_DATASET, snapshot);
    test_daemon_stop(&daemon_, SIGTERM);
    assert_int_equal(chmod(snapshot, 0600), 0);
    flip_middle(snapshot);
    test_daemon_spawn(&daemon_);
    assert_int_equal(waitpid(daemon_.pid, &status, 0), daemon_.pid);
    daemon_.pid = 0;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 6); // tampered
    flip_middle(snapshot);
    assert_int_equal(chmod(snapshot, 0400), 0);
    test_daemon_start(&daemon_);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_sent_again_is_not_made_again),
        cmocka_unit_test(a_change_from_before_the_start_is_refused),
        cmocka_unit_test(an_operator_answers_for_the_clock),
        cmocka_unit_test(the_last_operator_stays),
        cmocka_unit_test(a_changed_data_file_stops_the_start),
        cmocka_unit_test(data_meets_no_policy_it_was_not_loaded_under),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
