// SPDX-License-Identifier: Apache-2.0
// What every benchmark shares: a monotonic clock, samples with their median, and one line per case. A benchmark prints
// and never judges; both sides of a ratio are measured in the same run, because only ratios travel between machines.
// Thread safety: one bench_samples per thread.   Depends on: libc.
#pragma once
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static inline uint64_t bench_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#define BENCH_SAMPLES_MAX 65536
typedef struct {
    size_t count;
    double values[BENCH_SAMPLES_MAX]; // later ones are dropped
} bench_samples;

static inline void bench_add(bench_samples *samples, double value) {
    if (samples->count < BENCH_SAMPLES_MAX)
        samples->values[samples->count++] = value;
}

static inline int bench_compare(const void *left, const void *right) {
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    return (a > b) - (a < b);
}

// The value below which `percent` of the samples lie; sorts them. 0 when there are none.
static inline double bench_percentile(bench_samples *samples, unsigned percent) {
    if (samples->count == 0)
        return 0;
    qsort(samples->values, samples->count, sizeof(double), bench_compare);
    return samples->values[(samples->count - 1) * percent / 100];
}
static inline double bench_median(bench_samples *samples) {
    return bench_percentile(samples, 50);
}

// First line of a program: what is measured, and on what.
static inline void bench_title(const char *title) {
    struct utsname machine;
    uname(&machine);
    printf("# %s (%s, %ld cores)\n", title, machine.machine, sysconf(_SC_NPROCESSORS_ONLN));
}

// One case. `ratio` is this case over its baseline in the same run; 0 where there is none.
static inline void bench_line(const char *name, double value, const char *unit, double ratio) {
    printf("%-44s %14.3f %-10s", name, value, unit);
    if (ratio > 0)
        printf(" x%.3f", ratio);
    printf("\n");
    fflush(stdout);
}

// A field of /proc/<pid>/status that is in kB ("VmHWM", "VmRSS"), in MiB; 0 where it can't be read.
static inline double bench_memory_mib(int pid, const char *field) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    char line[256];
    double mib = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, field, strlen(field)) == 0 && line[strlen(field)] == ':')
            mib = (double)strtoul(line + strlen(field) + 1, NULL, 10) / 1024.0;
    }
    fclose(file);
    return mib;
}

// The number given as the program's first argument, or `standard`.
static inline uint64_t bench_argument(int argc, char **argv, uint64_t standard) {
    return argc > 1 ? strtoull(argv[1], NULL, 10) : standard;
}
