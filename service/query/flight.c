// SPDX-License-Identifier: Apache-2.0
// A short list under one lock: there are never more flights than workers.
#include "service/query/flight.h"

#include "service/base/check.h"

#include <pthread.h>
#include <stdlib.h>

struct gw_flights {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    // Under the lock:
    gw_hash *questions;
    size_t count, capacity;
};

gw_flights *gw_flights_new(void) {
    gw_flights *flights = calloc(1, sizeof *flights);
    if (!flights)
        return NULL;
    pthread_mutex_init(&flights->lock, NULL);
    pthread_cond_init(&flights->ended, NULL);
    return flights;
}

void gw_flights_free(gw_flights *flights) {
    if (!flights)
        return;
    GW_ASSERT(flights->count == 0);
    pthread_cond_destroy(&flights->ended);
    pthread_mutex_destroy(&flights->lock);
    free(flights->questions);
    free(flights);
}

static size_t flight_find(const gw_flights *flights, gw_hash question) {
    size_t at = 0;
    while (at < flights->count && !gw_hash_equal(flights->questions[at], question))
        at++;
    return at;
}

bool gw_flight_begin(gw_flights *flights, gw_hash question) {
    pthread_mutex_lock(&flights->lock);
    while (flight_find(flights, question) < flights->count)
        pthread_cond_wait(&flights->ended, &flights->lock);
    bool has_room = flights->count < flights->capacity;
    if (!has_room) {
        size_t capacity = flights->capacity ? 2 * flights->capacity : 64;
        gw_hash *grown = realloc(flights->questions, capacity * sizeof *grown);
        if (grown) {
            flights->questions = grown;
            flights->capacity = capacity;
            has_room = true;
        }
    }
    if (has_room)
        flights->questions[flights->count++] = question;
    pthread_mutex_unlock(&flights->lock);
    return has_room;
}

void gw_flight_end(gw_flights *flights, gw_hash question) {
    pthread_mutex_lock(&flights->lock);
    size_t at = flight_find(flights, question);
    GW_ASSERT(at < flights->count);
    flights->questions[at] = flights->questions[--flights->count];
    pthread_cond_broadcast(&flights->ended);
    pthread_mutex_unlock(&flights->lock);
}
