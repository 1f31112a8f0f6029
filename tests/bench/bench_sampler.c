// SPDX-License-Identifier: Apache-2.0
// Nanoseconds per exact noise sample: digits in base 16 (what releases use), plain binary digits, and the rejection
// sampler as baseline, all from the same kernel-seeded source, in interleaved rounds of one run; then the other
// samplers, the noise of a table of a million cells, and what a law costs once. Argument: rounds (11).
#include "tests/bench/bench.h"
#include "privacy/sampling/bernoulli_exp.h"
#include "privacy/sampling/discrete_gaussian.h"
#include "privacy/sampling/discrete_laplace.h"
#include "privacy/sampling/negative_binomial.h"
#include "service/base/crypto.h"
#include "service/base/random.h"
#include "tests/support/rejection_laplace.h"

#define SAMPLES 200000
#define CELLS 1000000

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

// Samples of a law that has nothing to be compared with, `draw` called once a round.
static void bench_other(bench_state *state, const char *name, gw_status (*draw)(bench_state *, const void *),
                        const void *law, uint64_t rounds) {
    static bench_samples times;
    memset(&times, 0, sizeof(times));
    for (uint64_t round = 0; round <= rounds; round++) {
        uint64_t start = bench_now_ns();
        if (draw(state, law) != GW_OK)
            abort();
        if (round != 0)
            bench_add(&times, (double)(bench_now_ns() - start) / SAMPLES);
    }
    bench_line(name, bench_median(&times), "ns/sample", 0);
}

static gw_status draw_gaussian(bench_state *state, const void *law) {
    return gw_discrete_gaussian_fill(law, state->source, state->samples, SAMPLES);
}
static gw_status draw_shares(bench_state *state, const void *law) {
    return gw_noise_share_fill(law, state->source, state->samples, SAMPLES);
}
static gw_status draw_coins(bench_state *state, const void *law) {
    static uint64_t m[SAMPLES];
    static uint8_t coins[SAMPLES];
    return gw_bernoulli_exp_fill(law, state->source, m, coins, SAMPLES);
}

static void bench_gaussian(bench_state *state, const char *name, uint64_t variance, uint64_t rounds) {
    gw_discrete_gaussian *law = NULL;
    if (gw_discrete_gaussian_new((gw_gaussian_variance){variance, 1}, &law) != GW_OK)
        abort();
    bench_other(state, name, draw_gaussian, law, rounds);
    gw_discrete_gaussian_free(law);
}

static void bench_shares(bench_state *state, const char *name, uint64_t micro, uint64_t rounds) {
    gw_noise_share *law = NULL;
    uint64_t start = bench_now_ns();
    if (gw_noise_share_new((gw_noise){{micro}, 1}, 3, &law) != GW_OK)
        abort();
    double milliseconds = (double)(bench_now_ns() - start) / 1e6;
    bench_other(state, name, draw_shares, law, rounds);
    bench_line("  its table, once", milliseconds, "ms", 0);
    gw_noise_share_free(law);
}

static void bench_coins(bench_state *state, uint64_t rounds) {
    gw_bernoulli_exp *law = NULL;
    if (gw_bernoulli_exp_new(1, 1000, &law) != GW_OK)
        abort();
    bench_other(state, "coin exp(-m / 1000)", draw_coins, law, rounds);
    gw_bernoulli_exp_free(law);
}

// The noise of a table of a million cells, at epsilon 0.1.
static void bench_table(bench_state *state, uint64_t rounds) {
    static bench_samples times;
    static int64_t noise[CELLS];
    if (gw_discrete_laplace_new((gw_noise){{100000}, 1}, &state->law) != GW_OK)
        abort();
    for (uint64_t round = 0; round <= rounds; round++) {
        uint64_t start = bench_now_ns();
        if (gw_discrete_laplace_fill(state->law, state->source, noise, CELLS) != GW_OK)
            abort();
        if (round != 0)
            bench_add(&times, (double)(bench_now_ns() - start) / 1e6);
    }
    bench_line("noise of 1,000,000 cells epsilon=0.1", bench_median(&times), "ms", 0);
    gw_discrete_laplace_free(state->law);
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
    bench_gaussian(&state, "gaussian sd=1", 1, rounds);
    bench_gaussian(&state, "gaussian sd=10", 100, rounds);
    bench_gaussian(&state, "gaussian sd=1000", 1000000, rounds);
    bench_shares(&state, "share of a third epsilon=1", 1000000, rounds);
    bench_shares(&state, "share of a third epsilon=0.1", 100000, rounds);
    bench_shares(&state, "share of a third epsilon=0.01", 10000, rounds);
    bench_coins(&state, rounds);
    bench_table(&state, rounds);
    bench_new(rounds);
    gw_random_free(random);
    return 0;
}
