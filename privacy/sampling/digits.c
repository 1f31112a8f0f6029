// SPDX-License-Identifier: Apache-2.0
// Counting thresholds above a word, four lanes at a time where the processor has AVX2.
#include "privacy/sampling/digits.h"

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
#include <immintrin.h>

#define LANES_PER_VECTOR 4

// AVX2 compares signed only: flipping the top bit of both sides makes the unsigned order.
__attribute__((target("avx2"))) static void kernel_avx2(const uint64_t *words, size_t lane_count,
                                                        const uint64_t *firsts, size_t first_count, unsigned shift,
                                                        uint64_t *magnitudes, uint64_t *ties) {
    const __m256i flip = _mm256_set1_epi64x(INT64_MIN);
    const __m128i shift_count = _mm_cvtsi32_si128((int)shift);
    for (size_t lane = 0; lane < lane_count; lane += LANES_PER_VECTOR) {
        __m256i word = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(const void *)(words + lane)), flip);
        __m256i above = _mm256_setzero_si256(); // minus the count: a true comparison is -1
        __m256i tie = _mm256_loadu_si256((const __m256i *)(const void *)(ties + lane));
        for (size_t i = 0; i < first_count; i++) {
            __m256i first = _mm256_xor_si256(_mm256_set1_epi64x((long long)firsts[i]), flip);
            above = _mm256_add_epi64(above, _mm256_cmpgt_epi64(first, word));
            tie = _mm256_or_si256(tie, _mm256_cmpeq_epi64(first, word));
        }
        __m256i magnitude = _mm256_loadu_si256((const __m256i *)(const void *)(magnitudes + lane));
        magnitude = _mm256_sub_epi64(magnitude, _mm256_sll_epi64(above, shift_count));
        _mm256_storeu_si256((__m256i *)(void *)(magnitudes + lane), magnitude);
        _mm256_storeu_si256((__m256i *)(void *)(ties + lane), tie);
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
