// SPDX-License-Identifier: Apache-2.0
// A short table under one lock; the least recently used entry that nobody holds makes room. Laws are computed outside
// the lock: two workers may compute the same one, and the second is kept under its own slot until it is the oldest.
#include "service/query/laws.h"

#include "service/base/check.h"

#include <pthread.h>
#include <stdlib.h>

#define SLOTS 256u // more than the workers there can be, so that a slot nobody holds always exists

typedef struct {
    gw_laws laws;
    unsigned holders;
    uint64_t used_at;
} slot;

struct gw_laws_cache {
    pthread_mutex_t lock;
    // Under the lock:
    slot *slots[SLOTS];
    uint64_t uses;
};

gw_laws_cache *gw_laws_cache_new(void) {
    gw_laws_cache *cache = calloc(1, sizeof *cache);
    if (cache)
        pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

static void slot_free(slot *one) {
    if (!one)
        return;
    gw_discrete_laplace_free(one->laws.sampler);
    gw_interval_law_free(one->laws.ranges);
    free(one);
}

void gw_laws_cache_free(gw_laws_cache *cache) {
    if (!cache)
        return;
    for (size_t i = 0; i < SLOTS; i++) {
        GW_ASSERT(!cache->slots[i] || cache->slots[i]->holders == 0);
        slot_free(cache->slots[i]);
    }
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static slot *slot_make(gw_noise noise, size_t others, gw_status *ret_status) {
    slot *one = calloc(1, sizeof *one);
    *ret_status = one ? GW_OK : GW_NO_MEMORY;
    if (!one)
        return NULL;
    one->laws.noise = noise;
    one->laws.others = others;
    *ret_status = gw_discrete_laplace_new(noise, &one->laws.sampler);
    if (*ret_status == GW_OK)
        *ret_status = gw_interval_law_new(noise, GW_LEVEL_95, others, &one->laws.ranges);
    if (*ret_status == GW_OK)
        return one;
    slot_free(one);
    return NULL;
}

static bool slot_is_of(const slot *one, gw_noise noise, size_t others) {
    return one && one->laws.noise.epsilon.micro == noise.epsilon.micro &&
           one->laws.noise.sensitivity == noise.sensitivity && one->laws.others == others;
}

static const gw_laws *slot_hold(gw_laws_cache *cache, slot *one) {
    one->holders++;
    one->used_at = ++cache->uses;
    return &one->laws;
}

static const gw_laws *find_and_hold(gw_laws_cache *cache, gw_noise noise, size_t others) {
    const gw_laws *found = NULL;
    pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < SLOTS && !found; i++)
        if (slot_is_of(cache->slots[i], noise, others))
            found = slot_hold(cache, cache->slots[i]);
    pthread_mutex_unlock(&cache->lock);
    return found;
}

// The slot to fill: an empty one, or the longest unused that nobody holds.
static size_t slot_to_fill(const gw_laws_cache *cache) {
    size_t oldest = SLOTS;
    for (size_t i = 0; i < SLOTS; i++) {
        if (!cache->slots[i])
            return i;
        if (cache->slots[i]->holders == 0 &&
            (oldest == SLOTS || cache->slots[i]->used_at < cache->slots[oldest]->used_at))
            oldest = i;
    }
    return oldest;
}

gw_status gw_laws_hold(gw_laws_cache *cache, gw_noise noise, size_t others, const gw_laws **ret) {
    *ret = find_and_hold(cache, noise, others);
    if (*ret)
        return GW_OK;
    gw_status status;
    slot *made = slot_make(noise, others, &status);
    if (!made)
        return status;
    pthread_mutex_lock(&cache->lock);
    size_t at = slot_to_fill(cache);
    slot *evicted = at < SLOTS ? cache->slots[at] : NULL;
    if (at < SLOTS) {
        cache->slots[at] = made;
        *ret = slot_hold(cache, made);
    }
    pthread_mutex_unlock(&cache->lock);
    slot_free(at < SLOTS ? evicted : made);
    return at < SLOTS ? GW_OK : GW_NO_MEMORY;
}

void gw_laws_drop(gw_laws_cache *cache, const gw_laws *laws) {
    if (!laws)
        return;
    pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < SLOTS; i++)
        if (cache->slots[i] && &cache->slots[i]->laws == laws) {
            GW_ASSERT(cache->slots[i]->holders > 0);
            cache->slots[i]->holders--;
        }
    pthread_mutex_unlock(&cache->lock);
}
