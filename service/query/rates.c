// SPDX-License-Identifier: Apache-2.0
// Levels are counted in parts of 60,000 of a token, so that a limit a minute fills by a whole number a millisecond.
#include "service/query/rates.h"

#include "service/base/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000
#define SETS 2048u // a power of two
#define WAYS 4u
#define TOKEN INT64_C(60000)
#define LIMIT_MAX INT64_C(1000000000) // so that a full bucket is far from overflow
#define DEBT_MINUTES 10               // what one piece of work may leave to be waited for, at most

typedef struct {
    uint64_t who; // of the hash; 0: free
    int64_t level, at_ms;
} bucket;

struct gw_rates {
    pthread_mutex_t lock;
    gw_rate_limits limits;
    uint8_t secret[GW_HASH_SIZE]; // so that nobody finds out whom they drive out
    bucket buckets[SETS * WAYS];
};

gw_rates *gw_rates_new(void) {
    gw_rates *rates = calloc(1, sizeof *rates);
    if (!rates)
        return NULL;
    pthread_mutex_init(&rates->lock, NULL);
    if (gw_random_bytes(rates->secret, sizeof rates->secret))
        return rates;
    gw_rates_free(rates);
    return NULL;
}

void gw_rates_free(gw_rates *rates) {
    if (!rates)
        return;
    pthread_mutex_destroy(&rates->lock);
    free(rates);
}

void gw_rates_limit(gw_rates *rates, gw_rate_limits limits) {
    GW_ASSERT(limits.requests_per_minute >= 0 && limits.requests_per_minute <= LIMIT_MAX);
    GW_ASSERT(limits.free_ms_per_minute >= 0 && limits.free_ms_per_minute <= LIMIT_MAX);
    pthread_mutex_lock(&rates->lock);
    rates->limits = limits;
    memset(rates->buckets, 0, sizeof rates->buckets); // levels of other limits mean nothing
    pthread_mutex_unlock(&rates->lock);
}

static uint64_t name_of(const gw_rates *rates, gw_rate_kind kind, gw_bytes who) {
    uint8_t head[GW_HASH_SIZE + 1];
    memcpy(head, rates->secret, GW_HASH_SIZE);
    head[GW_HASH_SIZE] = (uint8_t)kind;
    gw_hash hash = gw_sha256_two((gw_bytes){head, sizeof head}, who);
    uint64_t name;
    memcpy(&name, hash.bytes, sizeof name);
    return name | 1; // never 0
}

static void fill(bucket *one, int64_t per_minute, int64_t now_ms) {
    int64_t full = per_minute * TOKEN;
    int64_t elapsed = now_ms > one->at_ms ? now_ms - one->at_ms : 0;
    if (elapsed > (DEBT_MINUTES + 1) * MINUTE_MS)
        elapsed = (DEBT_MINUTES + 1) * MINUTE_MS; // full from any debt
    one->level += elapsed * per_minute;
    one->level = one->level > full ? full : one->level;
    one->at_ms = now_ms > one->at_ms ? now_ms : one->at_ms;
}

// With the lock: the bucket as it is now. A new one is full.
static bucket *bucket_of(gw_rates *rates, uint64_t name, int64_t per_minute, int64_t now_ms) {
    bucket *set = &rates->buckets[(name >> 32 & (SETS - 1)) * WAYS], *oldest = set;
    for (bucket *one = set; one < set + WAYS; one++) {
        if (one->who == name) {
            fill(one, per_minute, now_ms);
            return one;
        }
        if (one->who == 0 || (oldest->who != 0 && one->at_ms < oldest->at_ms))
            oldest = one;
    }
    *oldest = (bucket){.who = name, .level = per_minute * TOKEN, .at_ms = now_ms};
    return oldest;
}

static bool has(const bucket *one, int64_t wanted, int64_t per_minute, int64_t *ret_wait_ms) {
    *ret_wait_ms = one->level >= wanted ? 0 : (wanted - one->level + per_minute - 1) / per_minute;
    return one->level >= wanted;
}

bool gw_rates_ask(gw_rates *rates, gw_rate_kind kind, gw_bytes who, int64_t now_ms, int64_t *ret_wait_ms) {
    *ret_wait_ms = 0;
    pthread_mutex_lock(&rates->lock);
    int64_t per_minute = rates->limits.requests_per_minute;
    bool may = per_minute == 0;
    if (!may) {
        bucket *one = bucket_of(rates, name_of(rates, kind, who), per_minute, now_ms);
        may = has(one, TOKEN, per_minute, ret_wait_ms);
        one->level -= may ? TOKEN : 0;
    }
    pthread_mutex_unlock(&rates->lock);
    return may;
}

bool gw_rates_may_work(gw_rates *rates, gw_bytes who, int64_t now_ms, int64_t *ret_wait_ms) {
    *ret_wait_ms = 0;
    pthread_mutex_lock(&rates->lock);
    int64_t per_minute = rates->limits.free_ms_per_minute;
    bool may = per_minute == 0 ||
               has(bucket_of(rates, name_of(rates, GW_RATE_WORK, who), per_minute, now_ms), 1, per_minute, ret_wait_ms);
    pthread_mutex_unlock(&rates->lock);
    return may;
}

void gw_rates_worked(gw_rates *rates, gw_bytes who, int64_t now_ms, int64_t work_us) {
    pthread_mutex_lock(&rates->lock);
    int64_t per_minute = rates->limits.free_ms_per_minute;
    if (per_minute > 0 && work_us > 0) {
        bucket *one = bucket_of(rates, name_of(rates, GW_RATE_WORK, who), per_minute, now_ms);
        int64_t debt = -DEBT_MINUTES * per_minute * TOKEN, most = INT64_MAX / (2 * TOKEN);
        one->level -= (work_us < most ? work_us : most) * (TOKEN / 1000);
        one->level = one->level < debt ? debt : one->level;
    }
    pthread_mutex_unlock(&rates->lock);
}
