// SPDX-License-Identifier: Apache-2.0
// Counting thresholds above a word, sixteen lanes at a time where the processor has AVX2.
#include "privacy/sampling/digits.h"
#include <string.h>

void gw_digits_kernel_portable(const uint64_t *words, size_t lane_count, const uint64_t *firsts, size_t first_count,
                               unsigned shift, uint64_t *magnitudes, uint64_t *ties) {
    for (size_t lane = 0; lane < lane_count; lane++) {
        uint64_t word = words[lane];
        uint64_t above = 0;
        uint64_t tie = 0;
        for (size_t i = 0; i < first_count; i++) {
            above += word < firsts[i];
            tie |= word == firsts[i];
        }
        magnitudes[lane] += above << shift;
        ties[lane] |= tie;
    }
}

#if defined(__x86_64__)
#define PER_VECTOR 4
#define STEP (4 * PER_VECTOR) // lanes of one pass: a threshold is loaded once for four vectors of them

// A vector in a register, and one in memory that lies anywhere.
typedef int64_t lanes __attribute__((vector_size(PER_VECTOR * sizeof(int64_t))));
typedef int64_t lanes_stored __attribute__((vector_size(PER_VECTOR * sizeof(int64_t)), aligned(8), may_alias));

// AVX2 compares signed numbers: flipping the top bit of both sides keeps the order of unsigned ones.
#define FLIP INT64_MIN
#define LOAD(array, lane) (*(const lanes_stored *)((array) + (lane)))
#define STORE(array, lane) (*(lanes_stored *)((array) + (lane)))

// In the compiler's vector types, where a true comparison is all ones, that is -1.
__attribute__((target("avx2"))) static void kernel_avx2(const uint64_t *words, size_t lane_count,
                                                        const uint64_t *firsts, size_t first_count, unsigned shift,
                                                        uint64_t *magnitudes, uint64_t *ties) {
    const int bits = (int)shift;
    size_t lane = 0;
    for (; lane + STEP <= lane_count; lane += STEP) {
        lanes word0 = LOAD(words, lane) ^ FLIP, word1 = LOAD(words, lane + 4) ^ FLIP;
        lanes word2 = LOAD(words, lane + 8) ^ FLIP, word3 = LOAD(words, lane + 12) ^ FLIP;
        lanes above0 = {0}, above1 = {0}, above2 = {0}, above3 = {0};
        lanes tie0 = {0}, tie1 = {0}, tie2 = {0}, tie3 = {0};
        for (size_t i = 0; i < first_count; i++) {
            const int64_t flipped = (int64_t)firsts[i] ^ FLIP;
            const lanes first = {flipped, flipped, flipped, flipped};
            above0 -= word0 < first;
            above1 -= word1 < first;
            above2 -= word2 < first;
            above3 -= word3 < first;
            tie0 |= word0 == first;
            tie1 |= word1 == first;
            tie2 |= word2 == first;
            tie3 |= word3 == first;
        }
        STORE(magnitudes, lane) += above0 << bits;
        STORE(magnitudes, lane + 4) += above1 << bits;
        STORE(magnitudes, lane + 8) += above2 << bits;
        STORE(magnitudes, lane + 12) += above3 << bits;
        STORE(ties, lane) |= tie0;
        STORE(ties, lane + 4) |= tie1;
        STORE(ties, lane + 8) |= tie2;
        STORE(ties, lane + 12) |= tie3;
    }
    for (; lane < lane_count; lane += PER_VECTOR) {
        const lanes word = LOAD(words, lane) ^ FLIP;
        lanes above = {0}, tie = {0};
        for (size_t i = 0; i < first_count; i++) {
            const int64_t flipped = (int64_t)firsts[i] ^ FLIP;
            const lanes first = {flipped, flipped, flipped, flipped};
            above -= word < first;
            tie |= word == first;
        }
        STORE(magnitudes, lane) += above << bits;
        STORE(ties, lane) |= tie;
    }
}
#endif

gw_digits_kernel gw_digits_kernel_best(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        return kernel_avx2;
#endif
    return gw_digits_kernel_portable;
}
