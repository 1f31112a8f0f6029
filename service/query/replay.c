// SPDX-License-Identifier: Apache-2.0
// A bounded list under one lock. Entries outlive the time in which their message would be accepted, on both sides of
// the clock, and then make room.
#include "service/query/replay.h"

#include "service/base/check.h"
#include "service/base/crypto.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CHANGES_MAX 4096u // within the seconds below
#define KEPT_SECONDS (2 * GW_SKEW_SECONDS_MAX + 1)
#define DOCUMENT_BYTES_MAX 65536u

typedef struct {
    char principal[GW_ID_HEX], idem[GW_ID_HEX];
    gw_hash request;
    int64_t since;
    bool is_used, is_made;
    gw_buffer document;
} change;

struct gw_replays {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    // Under the lock:
    change changes[CHANGES_MAX];
};

gw_replays *gw_replays_new(void) {
    gw_replays *replays = calloc(1, sizeof *replays);
    if (!replays)
        return NULL;
    pthread_mutex_init(&replays->lock, NULL);
    pthread_cond_init(&replays->ended, NULL);
    return replays;
}

static void change_forget(change *one) {
    gw_buffer_done(&one->document);
    *one = (change){0};
}

void gw_replays_free(gw_replays *replays) {
    if (!replays)
        return;
    for (size_t i = 0; i < CHANGES_MAX; i++)
        change_forget(&replays->changes[i]);
    pthread_cond_destroy(&replays->ended);
    pthread_mutex_destroy(&replays->lock);
    free(replays);
}

static change *change_find(gw_replays *replays, const gw_request_message *message) {
    for (size_t i = 0; i < CHANGES_MAX; i++) {
        change *one = &replays->changes[i];
        if (one->is_used && strcmp(one->idem, message->idem) == 0 && strcmp(one->principal, message->principal) == 0)
            return one;
    }
    return NULL;
}

static change *change_room(gw_replays *replays, int64_t now) {
    for (size_t i = 0; i < CHANGES_MAX; i++) {
        change *one = &replays->changes[i];
        if (one->is_used && one->is_made && now - one->since > KEPT_SECONDS)
            change_forget(one);
        if (!one->is_used)
            return one;
    }
    return NULL;
}

static gw_replay begin_locked(gw_replays *replays, const gw_request_message *message, int64_t now,
                              gw_buffer *ret_document) {
    gw_hash request = gw_sha256(message->signed_bytes);
    change *found = change_find(replays, message);
    while (found && !found->is_made && gw_hash_equal(found->request, request)) {
        pthread_cond_wait(&replays->ended, &replays->lock);
        found = change_find(replays, message);
    }
    if (found && !gw_hash_equal(found->request, request))
        return GW_REPLAY_OTHER;
    if (found) {
        gw_bytes document = gw_buffer_bytes(&found->document);
        gw_buffer_append(ret_document, document.data, document.size);
        return GW_REPLAY_SAME;
    }
    change *room = change_room(replays, now);
    if (!room)
        return GW_REPLAY_FULL;
    room->is_used = true;
    room->request = request;
    room->since = now;
    memcpy(room->principal, message->principal, GW_ID_HEX);
    memcpy(room->idem, message->idem, GW_ID_HEX);
    gw_buffer_init(&room->document, DOCUMENT_BYTES_MAX);
    return GW_REPLAY_NEW;
}

gw_replay gw_replay_begin(gw_replays *replays, const gw_request_message *message, int64_t now,
                          gw_buffer *ret_document) {
    pthread_mutex_lock(&replays->lock);
    gw_replay replay = begin_locked(replays, message, now, ret_document);
    pthread_mutex_unlock(&replays->lock);
    return replay;
}

void gw_replay_end(gw_replays *replays, const gw_request_message *message, bool is_made, gw_bytes document) {
    pthread_mutex_lock(&replays->lock);
    change *one = change_find(replays, message);
    GW_ASSERT(one && !one->is_made);
    if (is_made) {
        gw_buffer_append(&one->document, document.data, document.size);
        one->is_made = true;
    } else {
        change_forget(one);
    }
    pthread_cond_broadcast(&replays->ended);
    pthread_mutex_unlock(&replays->lock);
}
