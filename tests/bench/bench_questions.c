// SPDX-License-Identifier: Apache-2.0
// New one-cell questions from 64 clients on 1,000 rows: charged, measured, noised, sealed, proved and signed; beside
// the same statement called bare from two threads, prepared once. Argument: seconds for each side.
#include "tests/bench/bench.h"
#include "tests/support/daemon.h"
#include "tests/support/duck.h"
#include "tests/support/statement.h"
#include <pthread.h>
#include <stdatomic.h>

#define CLIENTS 64
#define BARE_THREADS 2
#define ROWS 1000
// Four bounds make more than 5 million questions of one shape and one price.
#define QUESTION                                                                                                       \
    "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",\"measure\":{\"statistic\":\"count\"},"              \
    "\"where\":[{\"concept\":\"age\",\"between\":[%u,%u]},{\"concept\":\"hours\",\"between\":[%u,%u]}],\"by\":[],"     \
    "\"epsilon\":\"0.01\"}"

static void make_question(unsigned index, char *body, size_t size) {
    const unsigned age = index % 60;
    const unsigned hours = index / 3600 % 40;
    snprintf(body, size, QUESTION, age, age + index / 60 % 60, hours, hours + index / 144000 % 40);
}

typedef struct {
    gw_profile profile;
    unsigned number;
    uint64_t until_ns;
    uint64_t answers;
    pthread_barrier_t *barrier;
} client;

static void *ask(void *argument) {
    client *it = argument;
    char body[512];
    test_asker asker;
    test_asker_open(&asker, &it->profile);
    pthread_barrier_wait(it->barrier);
    while (bench_now_ns() < it->until_ns) {
        const unsigned index = (unsigned)(it->answers++) * CLIENTS + it->number;
        make_question(index, body, sizeof body);
        if (!test_ask(&asker, body, NULL)) {
            fprintf(stderr, "refused: %s %s\n", asker.problem.what, asker.problem.why);
            exit(EXIT_FAILURE);
        }
    }
    test_asker_close(&asker);
    return NULL;
}

static double service_rate(test_daemon *daemon, uint64_t seconds) {
    static client clients[CLIENTS];
    pthread_t threads[CLIENTS];
    pthread_barrier_t barrier;
    uint64_t answers = 0;
    pthread_barrier_init(&barrier, NULL, CLIENTS);
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (client){.number = i, .barrier = &barrier};
        test_daemon_principal(daemon, "researcher", &clients[i].profile);
    }
    const uint64_t begin = bench_now_ns();
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i].until_ns = begin + seconds * 1000000000u;
        if (pthread_create(&threads[i], NULL, ask, &clients[i]) != 0)
            exit(EXIT_FAILURE);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        answers += clients[i].answers;
    }
    const double elapsed = (double)(bench_now_ns() - begin) / 1e9;
    pthread_barrier_destroy(&barrier);
    return (double)answers / elapsed;
}

typedef struct {
    duck own;
    const test_statement *statement;
    uint64_t until_ns, runs;
} bare;

static void *run_bare(void *argument) {
    bare *it = argument;
    int64_t params[64];
    const size_t count = it->statement->sql.param_count;
    if (count > 64)
        exit(EXIT_FAILURE);
    memcpy(params, it->statement->sql.params, count * sizeof *params);
    duckdb_prepared_statement prepared = duck_prepare(&it->own, gw_buffer_string(&it->statement->sql.text));
    for (; bench_now_ns() < it->until_ns; it->runs++)
        duck_execute(prepared, params, count);
    duckdb_destroy_prepare(&prepared);
    return NULL;
}

// Each thread has a database of its own, as each of the engine's children has.
static double bare_rate(const char *snapshot, const test_statement *statement, uint64_t seconds) {
    static bare sides[BARE_THREADS];
    pthread_t threads[BARE_THREADS];
    uint64_t runs = 0;
    for (int i = 0; i < BARE_THREADS; i++) {
        duck_open(&sides[i].own, snapshot, 1);
        sides[i].statement = statement;
    }
    const uint64_t begin = bench_now_ns();
    for (int i = 0; i < BARE_THREADS; i++) {
        sides[i].runs = 0;
        sides[i].until_ns = begin + seconds * 1000000000u;
        if (pthread_create(&threads[i], NULL, run_bare, &sides[i]) != 0)
            exit(EXIT_FAILURE);
    }
    for (int i = 0; i < BARE_THREADS; i++) {
        pthread_join(threads[i], NULL);
        runs += sides[i].runs;
        duck_close(&sides[i].own);
    }
    return (double)runs / ((double)(bench_now_ns() - begin) / 1e9);
}

int main(int argc, char **argv) {
    const uint64_t seconds = bench_argument(argc, argv, 5);
    const test_budget budget = {"1000000", NULL, "0.000001", "10"};
    test_daemon daemon;
    bench_title("bench_questions: new one-cell questions on 1,000 rows");
    test_daemon_with_people(&daemon, ROWS, budget);
    gw_buffer policy;
    gw_buffer_init(&policy, 65536);
    test_people_policy(1, budget, &policy);
    char snapshot[TEST_PATH_MAX];
    char share[TEST_PATH_MAX];
    char body[512];
    test_daemon_snapshot(&daemon, TEST_DATASET, snapshot);
    snprintf(share, sizeof share, "%s/policies", test_source_folder());
    make_question(3610, body, sizeof body);
    test_statement statement;
    test_statement_make(gw_buffer_string(&policy), share, body, &statement);
    const double before = bare_rate(snapshot, &statement, seconds);
    const double service = service_rate(&daemon, seconds);
    const double after = bare_rate(snapshot, &statement, seconds);
    const double bare_mean = (before + after) / 2;
    bench_line("bare statement, 2 threads", bare_mean, "/s", 0);
    bench_line("questions, 64 clients", service, "/s", service / bare_mean);
    test_statement_done(&statement);
    gw_buffer_done(&policy);
    test_daemon_done(&daemon);
    return 0;
}
