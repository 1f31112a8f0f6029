// SPDX-License-Identifier: Apache-2.0
// Story: the daemon is killed with SIGKILL again and again, in the middle of work and in the middle of starting. Askers
// send their unanswered request again, byte for byte. In the end every acknowledged answer is still there with the same
// bytes, every question was charged once, and the auditor's program finds the log whole. Argument: number of kills
// (20).
#include "tests/support/daemon.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
// cmocka wants the four above first.
#include <cmocka.h>

#define ASKERS 4
#define COST 10000u          // micro-epsilon of each question
#define RECHECKED_MAX 400u   // answers asked for again at the end, per asker
#define ROUND_TIMEOUT_MS 500 // how long an asker waits before it looks whether the daemon is another one

static unsigned kills = 20;

typedef struct {
    gw_buffer message;
    gw_hash answer;
} acknowledged;

typedef struct {
    gw_profile profile;
    unsigned number;
    atomic_bool *is_over;
    atomic_uint *answers; // of everybody
    acknowledged *kept;
    size_t count, capacity;
    size_t abandoned; // told answer_failed
    unsigned refused; // anything else: must stay 0
    char code[48];
} asker_thread;

static void keep(asker_thread *it, const test_asker *asker) {
    if (it->count == it->capacity) {
        it->capacity = it->capacity ? 2 * it->capacity : 64;
        it->kept = realloc(it->kept, it->capacity * sizeof *it->kept);
        if (it->kept == NULL)
            abort();
    }
    acknowledged *place = &it->kept[it->count++];
    gw_buffer_init(&place->message, 65536);
    gw_buffer_append(&place->message, asker->message.data, asker->message.size);
    place->answer = gw_sha256(asker->reply.answer);
}

// Of every mechanism.
static const char *const measures[] = {
    "\"measure\":{\"statistic\":\"count\"},\"by\":[]",
    "\"measure\":{\"statistic\":\"quantile\",\"of\":\"hours\",\"at\":[\"0.5\"]},\"by\":[]",
    "\"measure\":{\"statistic\":\"gini\",\"of\":\"hours\"},\"by\":[]",
    "\"measure\":{\"statistic\":\"variance\",\"of\":\"hours\"},\"by\":[]",
    "\"measure\":{\"statistic\":\"count\"},\"tables\":[[\"sex\",\"activity\"],[\"sex\"]]",
};
#define MEASURES (sizeof measures / sizeof *measures)

// 86,400 distinct questions of one price: lower age, width, activity and sex as digits of one number; the measures take
// turns.
static void make_question(const asker_thread *it, size_t index, char *body, size_t size) {
    static const char *const activities[] = {"\"EMP\"", "\"UNE\"", "\"INAC\"", "\"EMP\",\"UNE\",\"INAC\",\"_U\""};
    static const char *const sexes[] = {"\"F\"",        "\"M\"",        "\"F\",\"M\"",
                                        "\"F\",\"_U\"", "\"M\",\"_U\"", "\"F\",\"M\",\"_U\""};
    const size_t number = index * ASKERS + it->number;
    const size_t low = number % 60;
    snprintf(body, size,
             "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",%s,"
             "\"where\":[{\"concept\":\"age\",\"between\":[%zu,%zu]},{\"concept\":\"activity\",\"in\":[%s]},"
             "{\"concept\":\"sex\",\"in\":[%s]}],\"epsilon\":\"0.01\"}",
             measures[number % MEASURES], low, low + number / 60 % 60, activities[number / 3600 % 4],
             sexes[number / 14400 % 6]);
}

static void *ask_until_over(void *argument) {
    asker_thread *it = argument;
    char body[1024];
    test_asker asker;
    test_asker_open(&asker, &it->profile);
    while (!atomic_load(it->is_over)) {
        make_question(it, it->count + it->abandoned, body, sizeof body);
        test_asker_sign(&asker, body, NULL);
        while (!atomic_load(it->is_over)) {
            if (!test_asker_send(&asker, ROUND_TIMEOUT_MS)) {
                test_asker_reconnect(&asker);
                continue; // the same bytes again
            }
            if (asker.reply.status == GW_REPLY_OK) {
                keep(it, &asker);
                atomic_fetch_add(it->answers, 1);
                break;
            }
            if (asker.reply.status == GW_REPLY_REFUSED && strcmp(asker.problem.code, "answer_failed") == 0) {
                it->abandoned++;
                break;
            }
            if (asker.reply.status == GW_REPLY_REFUSED) {
                it->refused++;
                snprintf(it->code, sizeof it->code, "%s", asker.problem.code);
                break;
            }
        }
    }
    test_asker_close(&asker);
    return NULL;
}

// A pause of up to `most` nanoseconds: where the kill falls is meant to be anywhere.
static void pause_seeded(unsigned *seed, long most) {
    *seed = *seed * 1664525u + 1013904223u;
    nanosleep(&(struct timespec){.tv_nsec = (long)((uint64_t)*seed * (uint64_t)most >> 32)}, NULL);
}

static void kill_again_and_again(test_daemon *daemon, atomic_uint *answers) {
    unsigned seed = 20260101;
    for (unsigned i = 0; i < kills; i++) {
        if (i % 4 == 3) { // inside start and recovery
            test_daemon_spawn(daemon);
            pause_seeded(&seed, 60000000);
            test_daemon_stop(daemon, SIGKILL);
        }
        test_daemon_start(daemon);
        const unsigned before = atomic_load(answers);
        for (int looks = 0; looks < 3000 && atomic_load(answers) < before + 3; looks++)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); // some work is done between two kills
        pause_seeded(&seed, 20000000);
        test_daemon_stop(daemon, SIGKILL);
    }
    test_daemon_start(daemon);
}

static size_t recheck(asker_thread *it) {
    test_asker asker;
    test_asker_open(&asker, &it->profile);
    size_t wrong = 0;
    const size_t stride = 1 + it->count / RECHECKED_MAX;
    for (size_t i = 0; i < it->count; i += stride) {
        gw_buffer_done(&asker.message);
        gw_buffer_append(&asker.message, it->kept[i].message.data, it->kept[i].message.size);
        if (!test_asker_send(&asker, 60000) || asker.reply.status != GW_REPLY_OK ||
            !gw_hash_equal(gw_sha256(asker.reply.answer), it->kept[i].answer))
            wrong++;
    }
    test_asker_close(&asker);
    return wrong;
}

static void nothing_acknowledged_is_lost_and_nothing_is_charged_twice(void **state) {
    (void)state;
    test_daemon daemon;
    test_daemon_with_people(&daemon, 300, (test_budget){"100000", NULL, "0.01", "10"});
    asker_thread askers[ASKERS] = {0};
    pthread_t threads[ASKERS];
    atomic_bool is_over = false;
    atomic_uint answers = 0;
    for (unsigned i = 0; i < ASKERS; i++) {
        askers[i] = (asker_thread){.number = i, .is_over = &is_over, .answers = &answers};
        test_daemon_principal(&daemon, "researcher", &askers[i].profile);
    }
    test_daemon_stop(&daemon, SIGKILL);
    for (unsigned i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_until_over, &askers[i]), 0);
    kill_again_and_again(&daemon, &answers);
    atomic_store(&is_over, true);
    size_t total = 0;
    size_t abandoned = 0;
    for (unsigned i = 0; i < ASKERS; i++) {
        pthread_join(threads[i], NULL);
        total += askers[i].count;
        abandoned += askers[i].abandoned;
    }
    for (unsigned i = 0; i < ASKERS; i++) {
        if (askers[i].refused != 0)
            fail_msg("%u request(s) refused, the last with %s", askers[i].refused, askers[i].code);
        assert_int_equal(recheck(&askers[i]), 0);
    }
    gw_audit_verdict verdict;
    test_daemon_verify(&daemon, &verdict);
    printf("%u kills, %zu answers, %lu charges, %lu releases, %lu abandoned, %lu open\n", kills, total,
           (unsigned long)verdict.charges, (unsigned long)verdict.releases, (unsigned long)verdict.abandons,
           (unsigned long)verdict.open_charges);
    // Every acknowledged answer is a release. What each asker had in flight at the end may be one more charge,
    // acknowledged or not.
    assert_true(total >= kills);
    assert_true(verdict.releases >= total);
    assert_true(verdict.charges <= total + abandoned + ASKERS);
    assert_true(verdict.abandons >= abandoned && verdict.abandons <= abandoned + ASKERS);
    assert_int_equal(test_daemon_spent(&daemon, TEST_DATASET), verdict.charges * COST);
    for (unsigned i = 0; i < ASKERS; i++) {
        for (size_t j = 0; j < askers[i].count; j++)
            gw_buffer_done(&askers[i].kept[j].message);
        free(askers[i].kept);
    }
    test_daemon_done(&daemon);
}

int main(int argc, char **argv) {
    if (argc > 1)
        kills = (unsigned)strtoul(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_and_nothing_is_charged_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
