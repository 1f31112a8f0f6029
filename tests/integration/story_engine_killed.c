// SPDX-License-Identifier: Apache-2.0
// Story: the engine dies in the middle of a question. The asker is told one constant thing and is charged once; the
// same request sent again is answered at no further cost, and the next question finds a new engine.
#include "tests/support/daemon.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
// cmocka wants the four above first.
#include <cmocka.h>

#define ENGINES_MAX 16
#define COST 100000u // micro-epsilon

static test_daemon daemon_;

static int begin(void **state) {
    (void)state;
    test_daemon_with_people(&daemon_, 300, (test_budget){"100", NULL, "0.01", "10"});
    return 0;
}

static int end(void **state) {
    (void)state;
    test_daemon_done(&daemon_);
    return 0;
}

static void make_question(unsigned age, char *body, size_t size) {
    snprintf(body, size,
             "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",\"measure\":{\"statistic\":\"count\"},"
             "\"where\":[{\"concept\":\"age\",\"between\":[%u,99]}],\"by\":[\"sex\"],\"epsilon\":\"0.1\"}",
             age);
}

static void *send_it(void *asker) {
    return test_asker_send(asker, 60000) ? asker : NULL;
}

// What is spent on the dataset so far, as anyone may see it.
static bool is_spent(const gw_profile *profile, const char *spent) {
    test_asker asker;
    test_asker_open(&asker, profile);
    const bool is_ok = test_ask(&asker, "{\"v\":1,\"kind\":\"budget\",\"dataset\":\"" TEST_DATASET "\"}", NULL);
    assert_true(is_ok);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\"spent\":\"%s\"", spent);
    const bool is_found = memmem(asker.reply.answer.data, asker.reply.answer.size, wanted, strlen(wanted)) != NULL;
    test_asker_close(&asker);
    return is_found;
}

// Stopped engines hold the question until they are killed, and they are killed once the charge shows: so the death
// always falls between charge and answer.
static void ask_and_kill(test_asker *asker, const char *body, const char *spent) {
    pid_t engines[ENGINES_MAX];
    const size_t count = test_daemon_engines(&daemon_, engines, ENGINES_MAX);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(kill(engines[i], SIGSTOP), 0);
    test_asker_sign(asker, body, NULL);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_it, asker), 0);
    while (!is_spent(&asker->profile, spent))
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL); // between two looks, not instead of one
    for (size_t i = 0; i < count; i++)
        assert_int_equal(kill(engines[i], SIGKILL), 0);
    void *answered = NULL;
    pthread_join(thread, &answered);
    assert_non_null(answered);
}

static void the_failure_is_constant_and_charged_once(void **state) {
    (void)state;
    gw_profile profile;
    test_daemon_principal(&daemon_, "researcher", &profile);
    char bodies[2][512];
    char said[2][2048];
    for (unsigned i = 0; i < 2; i++) {
        test_asker asker;
        test_asker_open(&asker, &profile);
        make_question(i, bodies[i], sizeof bodies[i]);
        ask_and_kill(&asker, bodies[i], i == 0 ? "0.1" : "0.2");
        assert_int_not_equal(asker.reply.status, GW_REPLY_OK);
        assert_string_equal(asker.problem.code, "answer_failed");
        assert_int_equal(asker.problem.charged.micro, COST);
        assert_true(asker.reply.answer.size < sizeof said[i]);
        memcpy(said[i], asker.reply.answer.data, asker.reply.answer.size);
        said[i][asker.reply.answer.size] = '\0';
        test_asker_close(&asker);
    }
    assert_string_equal(said[0], said[1]);
}

static void the_same_request_is_answered_without_another_charge(void **state) {
    (void)state;
    gw_profile profile;
    test_daemon_principal(&daemon_, "researcher", &profile);
    char body[512];
    make_question(2, body, sizeof body);
    test_asker asker;
    test_asker_open(&asker, &profile);
    ask_and_kill(&asker, body, "0.3");
    assert_string_equal(asker.problem.code, "answer_failed");
    assert_true(test_asker_send(&asker, 60000)); // the very same bytes
    assert_int_equal(asker.reply.status, GW_REPLY_OK);
    assert_int_equal(test_daemon_spent(&daemon_, TEST_DATASET), 3 * COST);
    test_asker_close(&asker);
}

static void the_next_question_finds_a_new_engine(void **state) {
    (void)state;
    gw_profile profile;
    test_daemon_principal(&daemon_, "researcher", &profile);
    char body[512];
    make_question(3, body, sizeof body);
    test_asker asker;
    test_asker_open(&asker, &profile);
    assert_true(test_ask_query(&asker, body, NULL));
    assert_int_equal(asker.answer.cell_count, 3); // F, M, _U
    test_asker_close(&asker);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_failure_is_constant_and_charged_once),
        cmocka_unit_test(the_same_request_is_answered_without_another_charge),
        cmocka_unit_test(the_next_question_finds_a_new_engine),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
