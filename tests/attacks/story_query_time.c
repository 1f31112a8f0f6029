// SPDX-License-Identifier: Apache-2.0
// Story: somebody with a clock asks two registers that differ in one person, and filters that let everybody or nobody
// through (attack 7). With a release tick an answer leaves at a moment fixed by public sizes.
// Null hypotheses: latencies have one law for both registers, and one for both filters. Kolmogorov and Smirnov's
// two-sample distance over CALLS calls in random order, half a side; threshold p > 1e-4 each by the bound
// 2 exp(-2 n D^2) with n half of a side (Massart), which is conservative: false alarm at most 1e-4 a test, so that
// a run that fails is repeated once with another seed before it is believed, and fails at both with 1e-8. The same
// measurement without a tick must see the filters apart. Argument: the number of calls (for the long form).
#include "tests/attacks/registers.h"

#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#define CALLS 320u
#define PLANT_CALLS 480u
#define CALLS_MAX 20000u
#define ASKERS 8u
#define PERSONS 100000u
#define CHANCE 1e-4
#define TICK_MS "20"

static size_t calls_wanted = CALLS;

typedef struct {
    bool is_whole, is_everybody, has_failed;
    double ms;
} call;

typedef struct {
    test_daemon daemon;
    gw_profile researcher;
    unsigned asked; // so that each question is another, by its price
    call calls[CALLS_MAX];
} story;

static int begin(void **state) {
    story *it = calloc(1, sizeof *it);
    assert_non_null(it);
    test_daemon_init(&it->daemon);
    test_daemon_start(&it->daemon);
    registers_load(&it->daemon, PERSONS, (test_budget){"50000", NULL, "0.01", "1"});
    test_daemon_principal(&it->daemon, "researcher", &it->researcher);
    *state = it;
    return 0;
}

static int end(void **state) {
    story *it = *state;
    test_daemon_done(&it->daemon);
    free(it);
    return 0;
}

static double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

typedef struct {
    story *it;
    size_t first, count;
    unsigned price; // of its first question, above 0.1
    pthread_t thread;
} asking_thread;

static void *ask_some(void *argument) {
    asking_thread *mine = argument;
    test_asker asker;
    test_asker_open(&asker, &mine->it->researcher);
    for (size_t i = 0; i < mine->count; i++) {
        call *one = &mine->it->calls[mine->first + i];
        char body[1024], rest[512];
        snprintf(rest, sizeof rest,
                 "\"measure\":{\"statistic\":\"mean\",\"of\":\"hours\"},\"where\":[{\"concept\":\"hours\",\"between\":"
                 "[%s]}],\"by\":[\"sex\",\"activity\"],\"epsilon\":\"0.%06u\"",
                 one->is_everybody ? "0,80" : "79,80", mine->price + (unsigned)i);
        register_body(body, "query", register_name(one->is_whole ? REGISTER_WHOLE : REGISTER_WITHOUT_ONE), rest);
        const double began = now_ms();
        // A machine with more to do may pass the slot: that answer fails, and its latency is looked at like any other.
        one->has_failed = !test_ask(&asker, body, NULL);
        one->ms = now_ms() - began;
    }
    test_asker_close(&asker);
    return NULL;
}

// All four kinds of call in random order, by several people at once.
static void ask_all(story *it, size_t count, uint64_t seed, size_t askers) {
    seeded_random random = {.state = seed};
    asking_thread threads[ASKERS];
    for (size_t i = 0; i < count; i++)
        it->calls[i] = (call){.is_whole = i % 2 == 0, .is_everybody = i / 2 % 2 == 0};
    for (size_t i = count; i-- > 1;) {
        size_t at = seeded_next(&random) % (i + 1);
        call kept = it->calls[i];
        it->calls[i] = it->calls[at];
        it->calls[at] = kept;
    }
    for (size_t i = 0; i < askers; i++) {
        size_t first = count * i / askers;
        threads[i] = (asking_thread){.it = it, .first = first, .count = count * (i + 1) / askers - first};
        threads[i].price = 100000 + it->asked + (unsigned)first;
        assert_int_equal(pthread_create(&threads[i].thread, NULL, ask_some, &threads[i]), 0);
    }
    for (size_t i = 0; i < askers; i++)
        pthread_join(threads[i].thread, NULL);
    it->asked += (unsigned)count;
    size_t failed = 0;
    for (size_t i = 0; i < count; i++)
        failed += it->calls[i].has_failed;
    assert_true(failed <= count / 20);
}

static int compare_ms(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Chance of a distance as large, where both sides are of one law.
static double chance_of_one_law(const story *it, size_t count, bool is_by_register) {
    static double sides[2][CALLS_MAX];
    size_t sizes[2] = {0, 0}, at[2] = {0, 0};
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        const call *one = &it->calls[i];
        size_t side = (is_by_register ? one->is_whole : one->is_everybody) ? 1 : 0;
        sides[side][sizes[side]++] = one->ms;
    }
    for (size_t i = 0; i < 2; i++)
        qsort(sides[i], sizes[i], sizeof(double), compare_ms);
    while (at[0] < sizes[0] && at[1] < sizes[1]) {
        at[sides[0][at[0]] <= sides[1][at[1]] ? 0 : 1]++;
        most = fmax(most, fabs((double)at[0] / (double)sizes[0] - (double)at[1] / (double)sizes[1]));
    }
    double n = (double)sizes[0] * (double)sizes[1] / (double)(sizes[0] + sizes[1]);
    print_message("%s: median %.2f and %.2f ms, distance %.3f\n", is_by_register ? "registers" : "filters",
                  sides[0][sizes[0] / 2], sides[1][sizes[1] / 2], most);
    return fmin(1, 2 * exp(-2 * n * most * most));
}

static void restart(story *it, const char *tick) {
    test_daemon_stop(&it->daemon, SIGTERM);
    it->daemon.serve_flags[0] = "--release-tick";
    it->daemon.serve_flags[1] = tick;
    test_daemon_start(&it->daemon);
}

static bool is_flat(story *it, uint64_t seed) {
    ask_all(it, calls_wanted, seed, ASKERS);
    double registers = chance_of_one_law(it, calls_wanted, true), filters = chance_of_one_law(it, calls_wanted, false);
    return registers > CHANCE && filters > CHANCE;
}

static void with_a_tick_latency_tells_neither_people_nor_filters_apart(void **state) {
    story *it = *state;
    restart(it, TICK_MS);
    assert_true(is_flat(it, 7) || is_flat(it, 8));
}

// One at a time, so that they do not wait for each other.
static void without_a_tick_the_same_clock_sees_the_filters(void **state) {
    story *it = *state;
    restart(it, "0");
    ask_all(it, PLANT_CALLS, 9, 1);
    assert_true(chance_of_one_law(it, PLANT_CALLS, false) < CHANCE);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_a_tick_latency_tells_neither_people_nor_filters_apart),
        cmocka_unit_test(without_a_tick_the_same_clock_sees_the_filters),
    };
    if (argc > 1)
        calls_wanted = strtoul(argv[1], NULL, 10);
    if (calls_wanted > CALLS_MAX)
        return 2;
    return cmocka_run_group_tests(tests, begin, end);
}
