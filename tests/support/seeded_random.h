// SPDX-License-Identifier: Apache-2.0
// Random sources for tests: a seeded one that counts what it gives and can be told to fail, and one that replays words.
// SplitMix64 (Steele, Lea, Flood 2014): good enough to be tested against, and the same on every machine.
// Thread safety: one owner.   Depends on: privacy/random_source.h.
#pragma once
#include "privacy/random_source.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint64_t state;
    size_t bytes_given;
    size_t call_count;
    size_t bytes_max; // fails once this many were given; 0 = never
} seeded_random;

static inline uint64_t seeded_next(seeded_random *random) {
    uint64_t z = random->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static inline gw_status seeded_fill(void *state, void *bytes, size_t count) {
    seeded_random *random = state;
    random->call_count++;
    if (random->bytes_max != 0 && random->bytes_given + count > random->bytes_max)
        return GW_UNAVAILABLE;
    random->bytes_given += count;
    uint8_t *rest = bytes;
    for (size_t size; count != 0; count -= size, rest += size) {
        uint64_t word = seeded_next(random);
        size = count < sizeof(word) ? count : sizeof(word);
        memcpy(rest, &word, size);
    }
    return GW_OK;
}

static inline gw_random_source seeded_source(seeded_random *random) {
    return (gw_random_source){.fill = seeded_fill, .state = random};
}

typedef struct {
    const uint64_t *words;
    size_t count;
    size_t given;
} replayed_random;

// Fails at the end of the record: a draw more than expected is seen.
static inline gw_status replayed_fill(void *state, void *bytes, size_t count) {
    replayed_random *random = state;
    if (count % 8 != 0 || random->count - random->given < count / 8)
        return GW_UNAVAILABLE;
    memcpy(bytes, random->words + random->given, count);
    random->given += count / 8;
    return GW_OK;
}

static inline gw_random_source replayed_source(replayed_random *random) {
    return (gw_random_source){.fill = replayed_fill, .state = random};
}
