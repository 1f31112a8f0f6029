// SPDX-License-Identifier: Apache-2.0
// Every test that the project knows for a sampler of symmetric integer noise, as one battery: the same for the samplers
// that are used and for broken ones that must be caught. Each check has a p-value under the hypothesis that samples are
// independent and of the exact law, and alarms below NOISE_ALPHA.
//   fit           chi-square, bins of at least 50 expected, tails pooled
//   distance      the largest distance of distribution functions (Dvoretzky, Kiefer, Wolfowitz; valid for integers)
//   mean          against 0
//   variance      the mean square, its deviation from the law's fourth moment
//   tails         how many lie beyond where 1 %, 0.1 % and 50 samples are expected, exact binomial
//   neighbours    correlation at lags 1 to 10 and at the lengths of blocks
//   sign          against the digits of the magnitude, 2 x 2 chi-square
//   digits        of |Z| - 1 against one another, where the law makes them independent
//   fresh         two samplers opened one after the other: correlation at lag 0, and no repeated run of values
// Thread safety: pure given the sampler.   Depends on: noise_laws.h, statistics.h.
#pragma once
#include "tests/support/noise_laws.h"
#include <stddef.h>

#define NOISE_ALPHA 1e-6
#define NOISE_SAMPLES 300000u
#define NOISE_CHECKS_MAX 96

// Opens a sampler, takes `count` samples from it, and closes it. `seed` differs from call to call.
typedef void (*noise_sampler)(const void *context, uint64_t seed, int64_t *ret, size_t count);

typedef struct {
    const char *name;
    unsigned detail; // which lag, digit, tail
    double p;
} noise_check;

typedef struct {
    size_t count;
    noise_check checks[NOISE_CHECKS_MAX];
} noise_report;

void noise_checks_run(const noise_law *law, noise_sampler sampler, const void *context, uint64_t seed,
                      noise_report *ret);
// On samples drawn elsewhere: all but `fresh`.
void noise_checks_samples(const noise_law *law, const int64_t *samples, size_t count, noise_report *ret);
// Two arrays drawn together (cells of one table, threads, answers): correlation and repeated runs.
void noise_checks_pair(const noise_law *law, const int64_t *one, const int64_t *other, size_t count, noise_report *ret);

// The check with the smallest p-value; NULL where none alarms.
const noise_check *noise_report_alarm(const noise_report *report);
// Whether a check of this name alarms.
bool noise_report_has(const noise_report *report, const char *name);
// GW_TEST_SEED, or `standard`: fixed, so that a pass stays a pass.
uint64_t noise_seed(uint64_t standard);
