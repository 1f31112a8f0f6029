// SPDX-License-Identifier: Apache-2.0
// A random source that writes down how it is asked: the number of bytes of each call, in order, under a seed that two
// runs share. Two runs that were asked alike have had the same bytes.
// Thread safety: one owner.   Depends on: seeded_random.h.
#pragma once
#include "tests/support/seeded_random.h"
#include <stdbool.h>

#define RECORDED_CALLS_MAX 4096u

typedef struct {
    seeded_random random;
    size_t sizes[RECORDED_CALLS_MAX];
    size_t call_count; // the sizes of later calls are not kept, but counted
} recorded_random;

static inline gw_status recorded_fill(void *state, void *bytes, size_t count) {
    recorded_random *random = state;
    if (random->call_count < RECORDED_CALLS_MAX)
        random->sizes[random->call_count] = count;
    random->call_count++;
    return seeded_fill(&random->random, bytes, count);
}

static inline gw_random_source recorded_source(recorded_random *random) {
    return (gw_random_source){.fill = recorded_fill, .state = random};
}

static inline bool recorded_alike(const recorded_random *a, const recorded_random *b) {
    size_t kept = a->call_count < RECORDED_CALLS_MAX ? a->call_count : RECORDED_CALLS_MAX;
    return a->call_count == b->call_count && a->random.bytes_given == b->random.bytes_given &&
           a->random.state == b->random.state && memcmp(a->sizes, b->sizes, kept * sizeof(a->sizes[0])) == 0;
}
