// SPDX-License-Identifier: Apache-2.0
// A ring of slots under one mutex: taken once for a slot, which holds hundreds of entries, so it is never what costs.
#include "service/base/relay.h"
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

struct gw_relay {
    uint8_t *slots;
    size_t slot_size, slot_count;
    void (*fill)(void *state, gw_relay *relay);
    void *state;
    pthread_t thread;

    pthread_mutex_t mutex; // guards all that follows
    pthread_cond_t changed;
    size_t sent, used; // slots so far: at most slot_count apart
    bool is_held;      // the near side has the slot number `used`
    bool is_filled;    // `fill` has returned
    bool is_stopping;
};

static void *relay_slot(const gw_relay *relay, size_t number) {
    return relay->slots + number % relay->slot_count * relay->slot_size;
}

static void *relay_run(void *state) {
    gw_relay *relay = state;
    relay->fill(relay->state, relay);
    pthread_mutex_lock(&relay->mutex);
    relay->is_filled = true;
    pthread_cond_broadcast(&relay->changed);
    pthread_mutex_unlock(&relay->mutex);
    return NULL;
}

gw_relay *gw_relay_start(void *slots, size_t slot_size, size_t slot_count, void (*fill)(void *state, gw_relay *relay),
                         void *state) {
    gw_relay *relay = calloc(1, sizeof(*relay));
    if (relay == NULL)
        return NULL;
    relay->slots = slots;
    relay->slot_size = slot_size;
    relay->slot_count = slot_count;
    relay->fill = fill;
    relay->state = state;
    pthread_mutex_init(&relay->mutex, NULL);
    pthread_cond_init(&relay->changed, NULL);
    if (pthread_create(&relay->thread, NULL, relay_run, relay) == 0)
        return relay;
    pthread_cond_destroy(&relay->changed);
    pthread_mutex_destroy(&relay->mutex);
    free(relay);
    return NULL;
}

void *gw_relay_empty(gw_relay *relay) {
    pthread_mutex_lock(&relay->mutex);
    while (!relay->is_stopping && relay->sent - relay->used == relay->slot_count)
        pthread_cond_wait(&relay->changed, &relay->mutex);
    void *slot = relay->is_stopping ? NULL : relay_slot(relay, relay->sent);
    pthread_mutex_unlock(&relay->mutex);
    return slot;
}

void gw_relay_send(gw_relay *relay) {
    pthread_mutex_lock(&relay->mutex);
    relay->sent++;
    pthread_cond_broadcast(&relay->changed);
    pthread_mutex_unlock(&relay->mutex);
}

void *gw_relay_next(gw_relay *relay) {
    pthread_mutex_lock(&relay->mutex);
    if (relay->is_held) {
        relay->used++;
        pthread_cond_broadcast(&relay->changed);
    }
    while (relay->sent == relay->used && !relay->is_filled)
        pthread_cond_wait(&relay->changed, &relay->mutex);
    relay->is_held = relay->sent != relay->used;
    void *slot = relay->is_held ? relay_slot(relay, relay->used) : NULL;
    pthread_mutex_unlock(&relay->mutex);
    return slot;
}

void gw_relay_stop(gw_relay *relay) {
    if (relay == NULL)
        return;
    pthread_mutex_lock(&relay->mutex);
    relay->is_stopping = true;
    pthread_cond_broadcast(&relay->changed);
    pthread_mutex_unlock(&relay->mutex);
    pthread_join(relay->thread, NULL);
    pthread_cond_destroy(&relay->changed);
    pthread_mutex_destroy(&relay->mutex);
    free(relay);
}
