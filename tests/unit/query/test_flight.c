// SPDX-License-Identifier: Apache-2.0
// Flights: one worker at a time per question; other questions pass.
#include "service/query/flight.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define THREADS 8
#define ROUNDS 2000

typedef struct {
    gw_flights *flights;
    gw_hash question;
    int inside; // written only while the question is held
    int collisions;
    long total;
} shared;

static void *fly(void *state) {
    shared *s = state;
    for (int i = 0; i < ROUNDS; i++) {
        if (!gw_flight_begin(s->flights, s->question))
            return NULL;
        s->collisions += s->inside != 0;
        s->inside++;
        s->total++;
        s->inside--;
        gw_flight_end(s->flights, s->question);
    }
    return NULL;
}

static void one_worker_at_a_time_per_question(void **state) {
    (void)state;
    shared s = {.flights = gw_flights_new(), .question = {{1}}};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fly, &s), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(s.total, (long)THREADS * ROUNDS); // lost updates would show a missing lock
    assert_int_equal(s.collisions, 0);
    gw_flights_free(s.flights);
}

static void other_questions_pass(void **state) {
    (void)state;
    gw_flights *flights = gw_flights_new();
    for (uint8_t i = 0; i < 200; i++)
        assert_true(gw_flight_begin(flights, (gw_hash){{i}}));
    for (uint8_t i = 0; i < 200; i++)
        gw_flight_end(flights, (gw_hash){{i}});
    gw_flights_free(flights);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_worker_at_a_time_per_question),
        cmocka_unit_test(other_questions_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
