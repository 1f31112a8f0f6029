// SPDX-License-Identifier: Apache-2.0
// Counting thresholds above a word, four lanes at a time where the processor has AVX2.
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
#define LANES_PER_VECTOR 4

typedef uint64_t lanes __attribute__((vector_size(LANES_PER_VECTOR * sizeof(uint64_t))));

// The same in the compiler's vector types: a true comparison is all ones, that is -1.
__attribute__((target("avx2"))) static void kernel_avx2(const uint64_t *words, size_t lane_count,
                                                        const uint64_t *firsts, size_t first_count, unsigned shift,
                                                        uint64_t *magnitudes, uint64_t *ties) {
    for (size_t lane = 0; lane < lane_count; lane += LANES_PER_VECTOR) {
        lanes word, tie, magnitude;
        lanes above = {0};
        memcpy(&word, words + lane, sizeof(word));
        memcpy(&tie, ties + lane, sizeof(tie));
        memcpy(&magnitude, magnitudes + lane, sizeof(magnitude));
        for (size_t i = 0; i < first_count; i++) {
            lanes first = {firsts[i], firsts[i], firsts[i], firsts[i]};
            above -= (lanes)(word < first);
            tie |= (lanes)(word == first);
        }
        magnitude += above << shift;
        memcpy(magnitudes + lane, &magnitude, sizeof(magnitude));
        memcpy(ties + lane, &tie, sizeof(tie));
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
