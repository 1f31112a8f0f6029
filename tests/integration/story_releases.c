// SPDX-License-Identifier: Apache-2.0
// Story: an owner keeps a release from others, and then takes it back. Who paid keeps it under the embargo; a colleague
// pays for a draw of their own; after the withdrawal nobody gets it, and the auditor finds the log sound. Typed as
// people type it.
#include "tests/support/daemon.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the four above first.
#include <cmocka.h>

#define QUESTION                                                                                                       \
    "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",\"measure\":{\"statistic\":\"count\"},"              \
    "\"by\":[\"sex\"],\"epsilon\":\"0.1\"}"
#define COST 100000u
#define IDEM "00112233445566778899aabbccddeeff"

typedef struct {
    test_daemon daemon;
    gw_profile first, second;
    gw_hash answer;
    char release[GW_RELEASE_ID_MAX];
} story;

static int begin(void **state) {
    story *it = calloc(1, sizeof *it);
    assert_non_null(it);
    test_daemon_with_people(&it->daemon, 500, (test_budget){"100", NULL, "0.01", "10"});
    test_daemon_principal(&it->daemon, "researcher", &it->first);
    test_daemon_principal(&it->daemon, "researcher", &it->second);
    *state = it;
    return 0;
}

static int end(void **state) {
    story *it = *state;
    test_daemon_done(&it->daemon);
    free(it);
    return 0;
}

// godwit release …, as the owner; its exit code, and what it said.
static int release(const story *it, const char *verb, const char *what, const char *until, char said[4096]) {
    char program[TEST_PATH_MAX];
    gw_buffer output;
    test_program("godwit", program);
    const char *const argv[] = {
        program, "release", verb, "--config", it->daemon.admin.path, what, until ? "--until" : NULL, until, NULL};
    gw_buffer_init(&output, 65536);
    int code = test_run(argv, &output);
    if (said)
        snprintf(said, 4096, "%s", gw_buffer_string(&output));
    gw_buffer_done(&output);
    return code;
}

// The same question: its release, whether it is the first one's bytes.
static bool asked_gets_the_first(story *it, const gw_profile *profile, const char *idem) {
    test_asker asker;
    test_asker_open(&asker, profile);
    assert_true(test_ask_query(&asker, QUESTION, idem));
    bool is_first = gw_hash_equal(gw_sha256(asker.reply.answer), it->answer);
    test_asker_close(&asker);
    return is_first;
}

static void a_released_answer_is_free_for_a_colleague(void **state) {
    story *it = *state;
    test_asker asker;
    test_asker_open(&asker, &it->first);
    assert_true(test_ask_query(&asker, QUESTION, IDEM));
    it->answer = gw_sha256(asker.reply.answer);
    snprintf(it->release, sizeof it->release, "%s", asker.answer.release);
    test_asker_close(&asker);
    assert_true(asked_gets_the_first(it, &it->second, NULL));
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), COST);
}

static void under_an_embargo_a_colleague_pays_for_a_draw_of_their_own(void **state) {
    story *it = *state;
    char said[4096];
    assert_int_equal(release(it, "embargo", it->release, "2090-01-01T09:30", NULL), 0);
    assert_int_equal(release(it, "ls", "people", NULL, said), 0);
    assert_int_equal(release(it, "show", it->release, NULL, said), 0);
    assert_non_null(strstr(said, "embargo to 2090-01-01 09:30"));
    assert_true(asked_gets_the_first(it, &it->first, NULL)); // who paid, under another request id
    assert_false(asked_gets_the_first(it, &it->second, NULL));
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), 2 * COST);
    assert_int_equal(release(it, "embargo", it->release, "now", NULL), 0);
    assert_true(asked_gets_the_first(it, &it->second, NULL)); // sealed first, and free again
}

static void withdrawn_it_is_given_to_nobody(void **state) {
    story *it = *state;
    char said[4096];
    test_asker asker;
    assert_int_equal(release(it, "withdraw", it->release, NULL, NULL), 0);
    assert_int_not_equal(release(it, "withdraw", it->release, NULL, NULL), 0); // once and for all
    assert_int_equal(release(it, "show", it->release, NULL, said), 0);
    assert_non_null(strstr(said, "withdrawn"));
    test_asker_open(&asker, &it->first);
    assert_false(asked_gets_the_first(it, &it->first, NULL)); // the colleague's release is there now
    test_asker_close(&asker);
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), 2 * COST);
}

static void others_have_no_say_and_mistakes_change_nothing(void **state) {
    story *it = *state;
    test_asker asker;
    test_asker_open(&asker, &it->second);
    char body[256];
    snprintf(body, sizeof body, "{\"v\":1,\"kind\":\"admin\",\"action\":\"release_withdraw\",\"release\":\"%s\"}",
             it->release);
    assert_false(test_ask(&asker, body, NULL));
    assert_string_equal(asker.problem.code, "denied_role");
    test_asker_close(&asker);
    static const char *const wrong[] = {"tomorrow",         "2090-13-01",       "2090-02-30",
                                        "2090-01-01T25:00", "2090-01-01 09:30", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(release(it, "embargo", it->release, wrong[i], NULL), 2);
    assert_int_not_equal(release(it, "withdraw", "GW-2026-999999", NULL, NULL), 0);
    assert_int_not_equal(release(it, "show", "GW-2026-999999", NULL, NULL), 0);
    gw_audit_verdict verdict;
    test_daemon_verify(&it->daemon, &verdict);
}

static int log_has(const story *it, const char *line) {
    char entries[TEST_PATH_MAX + 16];
    snprintf(entries, sizeof entries, "%s/tile/entries", it->daemon.log_folder);
    const char *const argv[] = {"/bin/grep", "-rqaFx", line, entries, NULL};
    return test_run(argv, NULL) == 0;
}

// Counts wait for the hour to be over, or for the service to end; an incident is said at once.
static void refusals_and_incidents_stand_in_the_log(void **state) {
    story *it = *state;
    char program[TEST_PATH_MAX];
    test_asker asker;
    test_asker_open(&asker, &it->second);
    for (int i = 0; i < 3; i++) {
        assert_false(test_ask(&asker,
                              "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET
                              "\",\"measure\":{\"statistic\":\"count\"},\"by\":[],\"epsilon\":\"20\"}",
                              NULL));
        assert_string_equal(asker.problem.code, "question_max");
    }
    test_asker_close(&asker);
    test_program("godwitd", program);
    const char *const said[] = {program, "incident", "--dir", it->daemon.folder, "key_lost", NULL};
    const char *const wrong[] = {program, "incident", "--dir", it->daemon.folder, "earthquake", NULL};
    assert_int_equal(test_run(said, NULL), 0);
    assert_int_equal(test_run(wrong, NULL), 2);
    assert_false(log_has(it, "counts question_max=3"));
    test_daemon_stop(&it->daemon, SIGTERM);
    assert_true(log_has(it, "code key_lost"));
    assert_true(log_has(it, "counts question_max=3"));
    test_daemon_start(&it->daemon);
    gw_audit_verdict verdict;
    test_daemon_verify(&it->daemon, &verdict);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_released_answer_is_free_for_a_colleague),
        cmocka_unit_test(under_an_embargo_a_colleague_pays_for_a_draw_of_their_own),
        cmocka_unit_test(withdrawn_it_is_given_to_nobody),
        cmocka_unit_test(others_have_no_say_and_mistakes_change_nothing),
        cmocka_unit_test(refusals_and_incidents_stand_in_the_log),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
