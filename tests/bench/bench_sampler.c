// SPDX-License-Identifier: Apache-2.0
// Nanoseconds per exact noise sample: digits in base 16 (what releases use), plain binary digits, and the rejection
// sampler as baseline, all from the same kernel-seeded source, in interleaved rounds of one run. Argument: rounds (11).
#include "tests/bench/bench.h"
#include "privacy/sampling/discrete_laplace.h"
#include "service/base/crypto.h"
#include "service/base/random.h"
#include "tests/support/rejection_laplace.h"

#define SAMPLES 200000

typedef struct {
    gw_discrete_laplace *law;
    gw_random_source source;
    rejection_laplace rejection;
    uint64_t denominator; // epsilon = 1 / denominator
    int64_t samples[SAMPLES];
} bench_state;

static void run_radix(bench_state *state) {
    if (gw_discrete_laplace_fill(state->law, state->source, state->samples, SAMPLES) != GW_OK)
        abort();
}

static void run_plain(bench_state *state) {
    if (gw_discrete_laplace_fill_plain(state->law, state->source, state->samples, SAMPLES) != GW_OK)
        abort();
}

static void run_rejection(bench_state *state) {
    for (size_t i = 0; i < SAMPLES; i++)
        state->samples[i] = rejection_sample(&state->rejection, 1, state->denominator);
}

typedef void (*runner)(bench_state *state);
static const runner RUNNERS[3] = {run_rejection, run_radix, run_plain};
static const char *const NAMES[3] = {"rejection", "radix_16", "plain"};

static void bench_epsilon(bench_state *state, const char *epsilon, uint64_t denominator, uint64_t rounds) {
    static bench_samples times[3];
    gw_noise noise = {.epsilon = {1000000 / denominator}, .sensitivity = 1};
    state->denominator = denominator;
    if (gw_discrete_laplace_new(noise, &state->law) != GW_OK)
        abort();
    memset(times, 0, sizeof(times));
    for (uint64_t round = 0; round <= rounds; round++)
        for (size_t i = 0; i < 3; i++) {
            uint64_t start = bench_now_ns();
            RUNNERS[i](state);
            if (round != 0) // the first warms up
                bench_add(&times[i], (double)(bench_now_ns() - start) / SAMPLES);
        }
    double baseline = bench_median(&times[0]);
    for (size_t i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof(name), "%s epsilon=%s", NAMES[i], epsilon);
        bench_line(name, bench_median(&times[i]), "ns/sample", bench_median(&times[i]) / baseline);
    }
    gw_discrete_laplace_free(state->law);
}

// What a release pays once for its law.
static void bench_new(uint64_t rounds) {
    static bench_samples times;
    for (uint64_t round = 0; round <= rounds; round++) {
        gw_discrete_laplace *law = NULL;
        uint64_t start = bench_now_ns();
        if (gw_discrete_laplace_new((gw_noise){.epsilon = {100000}, .sensitivity = 1ull << 40}, &law) != GW_OK)
            abort();
        bench_add(&times, (double)(bench_now_ns() - start) / 1000);
        gw_discrete_laplace_free(law);
    }
    bench_line("law_new epsilon=0.1 sensitivity=2^40", bench_median(&times), "us", 0);
}

int main(int argc, char **argv) {
    static bench_state state;
    uint64_t rounds = bench_argument(argc, argv, 11);
    gw_random *random = NULL;
    if (gw_crypto_init() != GW_OK || gw_random_new(&random) != GW_OK)
        return 1;
    state.source = gw_random_as_source(random);
    rejection_init(&state.rejection, state.source);
    bench_title("exact discrete Laplace noise, ratio to rejection");
    bench_epsilon(&state, "1", 1, rounds);
    bench_epsilon(&state, "0.1", 10, rounds);
    bench_epsilon(&state, "0.01", 100, rounds);
    bench_new(rounds);
    gw_random_free(random);
    return 0;
}
