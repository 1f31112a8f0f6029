// SPDX-License-Identifier: Apache-2.0
// Story: 64 people ask at the same moment for a budget that pays for exactly 20 questions. 20 are answered, 44 are told
// that the dataset's budget is spent, and the log adds up to the budget to the last millionth.
#include "tests/support/daemon.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka wants the four above first.
#include <cmocka.h>

#define CLIENTS 64
#define ANSWERED 20

typedef struct {
    gw_profile profile;
    pthread_barrier_t *barrier;
    unsigned age; // makes each question another one
    bool is_ok;
    char code[48];
    uint64_t needed, remaining, charged;
} client;

static void *ask(void *argument) {
    client *it = argument;
    char body[512];
    snprintf(body, sizeof body,
             "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",\"measure\":{\"statistic\":\"count\"},"
             "\"where\":[{\"concept\":\"age\",\"between\":[%u,%u]}],\"by\":[],\"epsilon\":\"0.05\"}",
             it->age, it->age + 20);
    test_asker asker;
    test_asker_open(&asker, &it->profile);
    pthread_barrier_wait(it->barrier);
    it->is_ok = test_ask(&asker, body, NULL);
    snprintf(it->code, sizeof it->code, "%s", asker.problem.code);
    it->needed = asker.problem.needed.micro;
    it->remaining = asker.problem.remaining.micro;
    it->charged = asker.problem.charged.micro;
    test_asker_close(&asker);
    return NULL;
}

static void exactly_n_are_answered_and_the_rest_told_which_budget(void **state) {
    (void)state;
    test_daemon daemon;
    test_daemon_with_people(&daemon, 300, (test_budget){"1", NULL, "0.01", "1"});
    static client clients[CLIENTS];
    pthread_t threads[CLIENTS];
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, CLIENTS);
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (client){.barrier = &barrier, .age = i};
        test_daemon_principal(&daemon, "researcher", &clients[i].profile);
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &clients[i]), 0);
    unsigned answered = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        if (clients[i].is_ok) {
            answered++;
            continue;
        }
        assert_string_equal(clients[i].code, "budget_dataset");
        assert_int_equal(clients[i].needed, 50000);
        assert_int_equal(clients[i].remaining, 0);
        assert_int_equal(clients[i].charged, 0);
    }
    pthread_barrier_destroy(&barrier);
    assert_int_equal(answered, ANSWERED);
    gw_audit_verdict verdict;
    test_daemon_verify(&daemon, &verdict);
    assert_int_equal(verdict.charges, ANSWERED);
    assert_int_equal(verdict.releases, ANSWERED);
    assert_int_equal(verdict.open_charges, 0);
    assert_int_equal(test_daemon_spent(&daemon, TEST_DATASET), 1000000);
    test_daemon_done(&daemon);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_n_are_answered_and_the_rest_told_which_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
