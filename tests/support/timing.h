// SPDX-License-Identifier: Apache-2.0
// Does a call's time depend on a secret? After dudect (Reparaz, Balasch, Verbauwhede 2017): many calls, two classes,
// Welch's t on the times with the slowest 5 % left out, whichever class they are of. The class of a call is drawn anew
// for each, so without a leak classes are exchangeable: whatever else the machine does comes to both alike, and t is
// standard normal. Thread safety: one owner.   Depends on: libm.
#pragma once
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#define TIMING_CROP 0.05

typedef struct {
    size_t count;
    size_t capacity;
    uint64_t *times;
    bool *is_large; // the call's class
} timing_series;

// Cycles or nanoseconds; the fences keep what is measured between the two readings.
static inline uint64_t timing_now(void) {
#if defined(__x86_64__)
    _mm_lfence();
    uint64_t now = __rdtsc();
    _mm_lfence();
    return now;
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

static inline void timing_init(timing_series *series, size_t capacity) {
    series->count = 0;
    series->capacity = capacity;
    series->times = calloc(capacity, sizeof(series->times[0]));
    series->is_large = calloc(capacity, sizeof(series->is_large[0]));
    if (series->times == NULL || series->is_large == NULL)
        abort();
}

static inline void timing_add(timing_series *series, uint64_t elapsed, bool is_large) {
    series->times[series->count] = elapsed;
    series->is_large[series->count++] = is_large;
}

static inline void timing_done(timing_series *series) {
    free(series->times);
    free(series->is_large);
}

static inline int timing_compare(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

// The time that all but the slowest TIMING_CROP stay at or below.
static inline uint64_t timing_limit(const timing_series *series) {
    uint64_t *sorted = malloc(series->count * sizeof(*sorted));
    if (sorted == NULL)
        abort();
    memcpy(sorted, series->times, series->count * sizeof(*sorted));
    qsort(sorted, series->count, sizeof(*sorted), timing_compare);
    uint64_t limit = sorted[(size_t)((double)(series->count - 1) * (1 - TIMING_CROP))];
    free(sorted);
    return limit;
}

// Welch's t of the large class against the small one; 0 where a class is empty.
static inline double timing_t(const timing_series *series) {
    double count[2] = {0}, mean[2] = {0}, squares[2] = {0};
    uint64_t limit = timing_limit(series);
    for (size_t i = 0; i < series->count; i++) {
        if (series->times[i] > limit)
            continue;
        int k = series->is_large[i];
        double off = (double)series->times[i] - mean[k];
        count[k]++;
        mean[k] += off / count[k];
        squares[k] += off * ((double)series->times[i] - mean[k]);
    }
    if (count[0] < 2 || count[1] < 2)
        return 0;
    double error = squares[0] / (count[0] - 1) / count[0] + squares[1] / (count[1] - 1) / count[1];
    return error > 0 ? (mean[1] - mean[0]) / sqrt(error) : 0;
}
