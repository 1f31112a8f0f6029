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

#define COST 100000u // micro-epsilon

static test_daemon daemon_;

static int begin(void **state) {
    (void)state;
    test_daemon_init(&daemon_);
    daemon_.serve_flags[0] = "--engine-children"; // one, so that the story knows which one has the question
    daemon_.serve_flags[1] = "1";
    test_daemon_start(&daemon_);
    test_daemon_people(&daemon_, 300, (test_budget){"100", NULL, "0.01", "10"});
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

// What is spent so far, as anyone may see it.
static gw_hash balances(const gw_profile *profile) {
    test_asker asker;
    test_asker_open(&asker, profile);
    assert_true(test_ask(&asker, "{\"v\":1,\"kind\":\"budget\",\"dataset\":\"" TEST_DATASET "\"}", NULL));
    const gw_hash hash = gw_sha256(asker.reply.answer);
    test_asker_close(&asker);
    return hash;
}

static void ask_new(test_asker *asker) {
    static unsigned age = 10;
    char body[512];
    make_question(age++, body, sizeof body);
    assert_true(test_ask_query(asker, body, NULL));
}

// A stopped engine holds the question until it is killed, and it is killed once the charge shows: so the death always
// falls between charge and answer. Another question comes first: an engine that dies before it has greeted is replaced
// before it is given a statement, and nobody notices.
static void ask_and_kill(test_asker *asker, const char *body) {
    pid_t engine;
    ask_new(asker);
    const gw_hash before = balances(&asker->profile);
    assert_int_equal(test_daemon_engines(&daemon_, &engine, 1), 1);
    assert_int_equal(kill(engine, SIGSTOP), 0);
    test_asker_sign(asker, body, NULL);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_it, asker), 0);
    while (gw_hash_equal(balances(&asker->profile), before))
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL); // between two looks, not instead of one
    assert_int_equal(kill(engine, SIGKILL), 0);
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
        ask_and_kill(&asker, bodies[i]);
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
    ask_and_kill(&asker, body);
    assert_string_equal(asker.problem.code, "answer_failed");
    gw_buffer request; // the very same bytes, after somebody else's
    gw_buffer_init(&request, 65536);
    gw_buffer_append(&request, asker.message.data, asker.message.size);
    ask_new(&asker); // its seal publishes the log up to here
    const uint64_t before = test_daemon_spent(&daemon_, TEST_DATASET);
    gw_buffer_done(&asker.message);
    gw_buffer_append(&asker.message, request.data, request.size);
    gw_buffer_done(&request);
    assert_true(test_asker_send(&asker, 60000));
    assert_int_equal(asker.reply.status, GW_REPLY_OK);
    assert_int_equal(test_daemon_spent(&daemon_, TEST_DATASET), before);
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
