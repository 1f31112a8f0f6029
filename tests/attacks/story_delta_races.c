// SPDX-License-Identifier: Apache-2.0
// Story: 64 people ask at the same moment for what is left of a delta (attack 16): of the delta that deciding which
// keys may be known costs, and of the rho that an accounting with a delta lets in. Exactly as many are answered as fit,
// the others hear the same words and pay nothing, and the log holds.
#include "tests/support/daemon.h"

#include "privacy/accounting/zcdp.h"
#include "tests/support/unit.h"

#include <pthread.h>
#include <signal.h>

#define CLIENTS 64u
#define WORK "test.example/work"
#define KEYS_ANSWERED 10u // deltas of 1e-10 out of the 1e-9 of the population, which is less than the dataset's
#define LIFETIME_MICRO 3000000u
#define DELTA_ATTO 10000000000000u // 1e-5
#define TENTH 100000u

static const char work_policy[] =
    "{\"godwit_policy\":1,\"dataset\":\"" WORK "\",\"population\":\"test.example/workers\",\"version\":1,"
    "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{\"jobs\":{\"unit\":\"id\","
    "\"rows_per_person_max\":2,\"columns\":{"
    "\"age\":{\"concept\":\"age\",\"type\":\"integer\",\"min\":0,\"max\":99,\"missing\":\"_U\"},"
    "\"place\":{\"concept\":\"workplace\",\"type\":\"text\",\"missing\":\"drop\",\"length_max\":24,\"keys_max\":50}}}},"
    "\"budget\":{\"lifetime\":\"100\",\"question_min\":\"0.01\",\"question_max\":\"10\"},"
    "\"accounting\":{\"kind\":\"zcdp\",\"delta\":\"1e-6\",\"selection_delta\":\"1.1e-9\",\"question_delta\":\"1e-10\"},"
    "\"planning\":{\"cell_persons\":100,\"size_bucket\":1000},"
    "\"grants\":[{\"role\":\"researcher\",\"tables\":[\"jobs\"],\"statistics\":[\"count\",\"keys\"]}]}";
#define KEYS(low, epsilon)                                                                                             \
    "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" WORK "\",\"measure\":{\"statistic\":\"keys\",\"of\":\"workplace\"},"  \
    "\"where\":[{\"concept\":\"age\",\"between\":[" low ",99]}],\"epsilon\":\"" epsilon "\"}"

static test_daemon service;
static gw_profile profiles[CLIENTS];

static void work_begin(void) {
    char path[TEST_PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/jobs.csv", service.folder);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs("id,age,place\n", file);
    for (int p = 0; p < 900; p++)
        fprintf(file, "p%d,%d,Mill\np%d,%d,M\xc3\xbchle %d\n", p, p % 100, p, p % 100, p % 3);
    fclose(file);
    test_daemon_population_with_delta(&service, "test.example/workers", "1000", "1e-9");
    test_daemon_policy(&service, work_policy);
    test_daemon_load(&service, WORK, path);
}

// The made-up people under an accounting with a delta; so is their population.
static void people_begin(void) {
    gw_buffer text, changed;
    char path[TEST_PATH_MAX + 16];
    test_asker admin;
    test_asker_open(&admin, &service.admin);
    assert_true(test_ask(&admin,
                         "{\"v\":1,\"kind\":\"admin\",\"action\":\"population_add\",\"population\":\"" TEST_POPULATION
                         "\",\"total\":\"3\",\"window_days\":0,\"window_total\":null,\"delta\":\"1e-5\"}",
                         NULL));
    test_asker_close(&admin);
    gw_buffer_init(&text, 65536);
    gw_buffer_init(&changed, 65536);
    test_people_policy(1, (test_budget){"3", NULL, "0.01", "0.5"}, &text);
    const char *at = strstr(gw_buffer_string(&text), "{\"kind\":\"pure\"}");
    assert_non_null(at);
    gw_buffer_append(&changed, text.data, (size_t)(at - gw_buffer_string(&text)));
    gw_buffer_text(&changed, "{\"kind\":\"zcdp\",\"delta\":\"1e-5\"}");
    gw_buffer_text(&changed, at + strlen("{\"kind\":\"pure\"}"));
    test_daemon_policy(&service, gw_buffer_string(&changed));
    gw_buffer_done(&text);
    gw_buffer_done(&changed);
    snprintf(path, sizeof path, "%s/people.csv", service.folder);
    assert_true(test_people_write(path, 300));
    test_daemon_load(&service, TEST_DATASET, path);
}

static int begin(void **state) {
    (void)state;
    test_daemon_init(&service);
    test_daemon_start(&service);
    work_begin();
    people_begin();
    for (size_t i = 0; i < CLIENTS; i++)
        test_daemon_principal(&service, "researcher", &profiles[i]);
    return 0;
}

static int end(void **state) {
    (void)state;
    test_daemon_done(&service);
    return 0;
}

// ---- all at once

typedef struct {
    const gw_profile *profile;
    pthread_barrier_t *barrier;
    char body[512];
    bool is_ok;
    gw_problem problem;
} client;

static void *ask(void *argument) {
    client *it = argument;
    test_asker asker;
    test_asker_open(&asker, it->profile);
    pthread_barrier_wait(it->barrier);
    it->is_ok = test_ask(&asker, it->body, NULL);
    it->problem = asker.problem;
    test_asker_close(&asker);
    return NULL;
}

static size_t race(client clients[CLIENTS], const char *code) {
    pthread_t threads[CLIENTS];
    pthread_barrier_t barrier;
    const gw_problem *refused = NULL;
    size_t answered = 0;
    pthread_barrier_init(&barrier, NULL, CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i].profile = &profiles[i];
        clients[i].barrier = &barrier;
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &clients[i]), 0);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        answered += clients[i].is_ok;
    }
    pthread_barrier_destroy(&barrier);
    for (size_t i = 0; i < CLIENTS; i++) {
        if (clients[i].is_ok)
            continue;
        refused = refused ? refused : &clients[i].problem;
        assert_string_equal(clients[i].problem.code, code);
        assert_string_equal(clients[i].problem.what, refused->what);
        assert_string_equal(clients[i].problem.why, refused->why);
        assert_int_equal(clients[i].problem.charged.micro, 0);
        assert_int_equal(clients[i].problem.remaining.micro, refused->remaining.micro);
    }
    return answered;
}

static void exactly_as_many_keys_are_answered_as_their_delta_pays_for(void **state) {
    static client clients[CLIENTS];
    gw_audit_verdict verdict;
    (void)state;
    for (unsigned i = 0; i < CLIENTS; i++)
        snprintf(clients[i].body, sizeof clients[i].body, KEYS("%u", "1"), i % 32); // two ask the same now and then
    size_t answered = race(clients, "budget_selection");
    for (unsigned i = 0; i < CLIENTS; i++)
        if (!clients[i].is_ok) { // told whose it is, and who can give more
            assert_ptr_equal(strstr(clients[i].problem.why, "The population"), clients[i].problem.why);
            assert_non_null(strstr(clients[i].problem.mend, "godwit population add"));
        }
    // Whoever asks what another has paid for hears the answer, so more may be answered than were charged.
    test_daemon_verify(&service, &verdict);
    assert_int_equal(verdict.charges, KEYS_ANSWERED);
    assert_int_equal(test_daemon_spent(&service, WORK), KEYS_ANSWERED * 1000000);
    assert_true(answered >= KEYS_ANSWERED && answered <= 2 * KEYS_ANSWERED);
}

static void exactly_as_many_are_answered_as_rho_lets_in(void **state) {
    static client clients[CLIENTS];
    gw_audit_verdict verdict;
    (void)state;
    const gw_loss total = {LIFETIME_MICRO, gw_rho_total((gw_epsilon){LIFETIME_MICRO}, (gw_delta){DELTA_ATTO})};
    uint64_t fits = gw_zcdp_fits(total, (gw_loss){0}, (gw_epsilon){TENTH});
    assert_true(fits > 30 && fits < CLIENTS); // more than epsilon alone lets in
    for (unsigned i = 0; i < CLIENTS; i++)
        snprintf(clients[i].body, sizeof clients[i].body,
                 "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",\"measure\":{\"statistic\":\"count\"},"
                 "\"where\":[{\"concept\":\"age\",\"between\":[%u,%u]}],\"by\":[],\"epsilon\":\"0.1\"}",
                 i, i + 20);
    assert_int_equal(race(clients, "budget_dataset"), fits);
    test_daemon_verify(&service, &verdict);
    assert_int_equal(test_daemon_spent(&service, TEST_DATASET), fits * TENTH);
    assert_int_equal(verdict.open_charges, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_as_many_keys_are_answered_as_their_delta_pays_for),
        cmocka_unit_test(exactly_as_many_are_answered_as_rho_lets_in),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
