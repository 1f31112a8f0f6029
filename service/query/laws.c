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
    gw_selection_law_free(one->laws.selection);
    gw_keys_figures_free(one->laws.figures);
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

// What a law is asked for by.
typedef struct {
    gw_noise noise;
    size_t others;
    gw_delta delta; // 0: no keys
} law_name;

static gw_status laws_make(gw_laws *laws) {
    gw_selection_price price = {laws->noise.epsilon, laws->noise.sensitivity, laws->delta};
    if (laws->delta.atto > 0) {
        gw_status status = gw_selection_law_new(price, &laws->selection);
        return status == GW_OK ? gw_keys_figures_new(laws->selection, &laws->figures) : status;
    }
    gw_status status = gw_discrete_laplace_new(laws->noise, &laws->sampler);
    return status == GW_OK ? gw_interval_law_new(laws->noise, GW_LEVEL_95, laws->others, &laws->ranges) : status;
}

static slot *slot_make(law_name name, gw_status *ret_status) {
    slot *one = calloc(1, sizeof *one);
    *ret_status = one ? GW_OK : GW_NO_MEMORY;
    if (!one)
        return NULL;
    one->laws.noise = name.noise;
    one->laws.others = name.others;
    one->laws.delta = name.delta;
    *ret_status = laws_make(&one->laws);
    if (*ret_status == GW_OK)
        return one;
    slot_free(one);
    return NULL;
}

static bool slot_is_of(const slot *one, law_name name) {
    return one && one->laws.noise.epsilon.micro == name.noise.epsilon.micro &&
           one->laws.noise.sensitivity == name.noise.sensitivity && one->laws.others == name.others &&
           one->laws.delta.atto == name.delta.atto;
}

static const gw_laws *slot_hold(gw_laws_cache *cache, slot *one) {
    one->holders++;
    one->used_at = ++cache->uses;
    return &one->laws;
}

static const gw_laws *find_and_hold(gw_laws_cache *cache, law_name name) {
    const gw_laws *found = NULL;
    pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < SLOTS && !found; i++)
        if (slot_is_of(cache->slots[i], name))
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

static gw_status laws_hold(gw_laws_cache *cache, law_name name, const gw_laws **ret) {
    *ret = find_and_hold(cache, name);
    if (*ret)
        return GW_OK;
    gw_status status;
    slot *made = slot_make(name, &status);
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

gw_status gw_laws_hold(gw_laws_cache *cache, gw_noise noise, size_t others, const gw_laws **ret) {
    return laws_hold(cache, (law_name){.noise = noise, .others = others}, ret);
}

gw_status gw_laws_hold_keys(gw_laws_cache *cache, gw_noise noise, gw_delta delta, const gw_laws **ret) {
    return delta.atto == 0 ? GW_INVALID : laws_hold(cache, (law_name){.noise = noise, .delta = delta}, ret);
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
