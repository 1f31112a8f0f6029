// SPDX-License-Identifier: Apache-2.0
// Discrete Laplace noise by rejection (Canonne, Kamath, Steinke 2020, Algorithms 1 and 2), a random word at a time.
// Exact, but its running time tells how large the noise is: only a baseline for tests and benchmarks, never linked into
// a program that releases anything. Thread safety: one owner.   Depends on: privacy/random_source.h.
#pragma once
#include "privacy/random_source.h"
#include <stdbool.h>
#include <stdlib.h>

#define REJECTION_WORDS 512

typedef struct {
    gw_random_source source;
    uint64_t words[REJECTION_WORDS];
    size_t used;
} rejection_laplace;

static inline void rejection_init(rejection_laplace *sampler, gw_random_source source) {
    sampler->source = source;
    sampler->used = REJECTION_WORDS;
}

static inline uint64_t rejection_word(rejection_laplace *sampler) {
    if (sampler->used == REJECTION_WORDS) {
        if (sampler->source.fill(sampler->source.state, sampler->words, sizeof(sampler->words)) != GW_OK)
            abort();
        sampler->used = 0;
    }
    return sampler->words[sampler->used++];
}

// Uniform below `count`: the high half of a product, redrawn where the low half would bias it (Lemire 2019).
static inline uint64_t rejection_below(rejection_laplace *sampler, uint64_t count) {
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)rejection_word(sampler) * count;
    if ((uint64_t)product < count)
        for (uint64_t floor = -count % count; (uint64_t)product < floor;)
            product = (wide)rejection_word(sampler) * count;
    return (uint64_t)(product >> 64);
}

// True with probability exp(-numerator / denominator), for numerator <= denominator.
static inline bool rejection_exp(rejection_laplace *sampler, uint64_t numerator, uint64_t denominator) {
    uint64_t k = 1;
    while (rejection_below(sampler, denominator * k) < numerator)
        k++;
    return k % 2 == 1;
}

// P(z) proportional to exp(-|z| numerator / denominator).
static inline int64_t rejection_sample(rejection_laplace *sampler, uint64_t numerator, uint64_t denominator) {
    for (;;) {
        uint64_t fraction;
        do
            fraction = denominator > 1 ? rejection_below(sampler, denominator) : 0;
        while (!rejection_exp(sampler, fraction, denominator));
        uint64_t whole = 0;
        while (rejection_exp(sampler, 1, 1))
            whole++;
        uint64_t magnitude = (fraction + denominator * whole) / numerator;
        bool is_negative = rejection_word(sampler) & 1;
        if (is_negative && magnitude == 0)
            continue;
        return is_negative ? -(int64_t)magnitude : (int64_t)magnitude;
    }
}
