// SPDX-License-Identifier: Apache-2.0
// Hypothesis: a sampler's time does not depend on what it draws. A call draws one value; its class is whether |value|
// is above the law's middle. |t| < 4.5 (tests/support/timing.h), of three series the middle one counts: a false alarm
// needs two of three beyond, 3 x (6.8e-6)^2 = 1.4e-10 a sampler, whatever else runs on the machine. The rejection
// sampler must fail it: t > 50 over 1,000,000 calls, or > 15 in the short run. Argument: calls of a series (60,000; the
// long run has 1,000,000). Under a sanitizer, whose code is not the code that runs, nothing is measured.
#include "privacy/sampling/bernoulli_exp.h"
#include "privacy/sampling/discrete_gaussian.h"
#include "privacy/sampling/discrete_laplace.h"
#include "privacy/sampling/negative_binomial.h"
#include "tests/support/rejection_laplace.h"
#include "tests/support/seeded_random.h"
#include "tests/support/timing.h"
#include "tests/support/unit.h"

#define SERIES 3
#define T_MAX 4.5
#define LONG_CALLS 1000000
#define POOL_WORDS 262144 // 2 MB: stays in the nearest caches but the first, whatever is drawn from it

static size_t calls = 60000;

// Random words from a pool made beforehand, so that only the sampler is timed: a copy of the length asked for.
typedef struct {
    uint64_t *words;
    size_t used;
} pool;

static gw_status pool_fill(void *state, void *bytes, size_t count) {
    pool *one = state;
    memcpy(bytes, one->words + one->used, count);
    one->used += (count + 7) / 8;
    return GW_OK;
}

// Between calls, never inside one: half of the pool is more than a call draws.
static void pool_refill(pool *one, seeded_random *random) {
    if (one->used < POOL_WORDS / 2)
        return;
    for (size_t i = 0; i < POOL_WORDS; i++)
        one->words[i] = seeded_next(random);
    one->used = 0;
}

typedef struct sampler_case sampler_case;
struct sampler_case {
    const char *name;
    // Draws one value and tells its class. `secret` is random, for samplers that are given something to hide.
    void (*draw)(const sampler_case *one, gw_random_source source, uint64_t secret, int64_t *ret);
    int64_t middle; // |value| above it is large
    const void *law;
    rejection_laplace *rejection;
    bool is_secret_the_class;
};

static void draw_radix(const sampler_case *one, gw_random_source source, uint64_t secret, int64_t *ret) {
    (void)secret;
    if (gw_discrete_laplace_fill(one->law, source, ret, 1) != GW_OK)
        abort();
}
static void draw_plain(const sampler_case *one, gw_random_source source, uint64_t secret, int64_t *ret) {
    (void)secret;
    if (gw_discrete_laplace_fill_plain(one->law, source, ret, 1) != GW_OK)
        abort();
}
static void draw_gaussian(const sampler_case *one, gw_random_source source, uint64_t secret, int64_t *ret) {
    (void)secret;
    if (gw_discrete_gaussian_fill(one->law, source, ret, 1) != GW_OK)
        abort();
}
static void draw_share(const sampler_case *one, gw_random_source source, uint64_t secret, int64_t *ret) {
    (void)secret;
    if (gw_noise_share_fill(one->law, source, ret, 1) != GW_OK)
        abort();
}
// m is 0 or a random number of 20 bits, by the secret's lowest bit: no branch here either.
static void draw_coin(const sampler_case *one, gw_random_source source, uint64_t secret, int64_t *ret) {
    uint64_t m = (0 - (secret & 1)) & secret >> 40;
    uint8_t coin;
    if (gw_bernoulli_exp_fill(one->law, source, &m, &coin, 1) != GW_OK)
        abort();
    *ret = coin;
}
static void draw_rejection(const sampler_case *one, gw_random_source source, uint64_t secret, int64_t *ret) {
    (void)source;
    (void)secret;
    *ret = rejection_sample(one->rejection, 1, 10);
}

static double series_t(const sampler_case *one, pool *words, uint64_t seed) {
    timing_series series;
    timing_init(&series, calls);
    seeded_random random = {.state = seed}, secrets = {.state = seed + 1};
    gw_random_source source = {.fill = pool_fill, .state = words};
    words->used = POOL_WORDS;
    for (size_t i = 0; i < calls + 1000; i++) {
        int64_t value = 0;
        uint64_t secret = seeded_next(&secrets);
        pool_refill(words, &random);
        uint64_t start = timing_now();
        one->draw(one, source, secret, &value);
        uint64_t elapsed = timing_now() - start;
        if (i >= 1000) // the first warm up
            timing_add(&series, elapsed, one->is_secret_the_class ? secret & 1 : llabs(value) > one->middle);
    }
    double t = timing_t(&series);
    timing_done(&series);
    return t;
}

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

// The middle one of the series' |t|.
static double middle_t(const sampler_case *one) {
    pool words = {.words = malloc(POOL_WORDS * sizeof(uint64_t))};
    double t[SERIES];
    assert_non_null(words.words);
    for (uint64_t i = 0; i < SERIES; i++)
        t[i] = fabs(series_t(one, &words, 100 * i + 1));
    free(words.words);
    qsort(t, SERIES, sizeof(t[0]), compare_doubles);
    print_message("%-28s |t| %.2f %.2f %.2f over %zu calls\n", one->name, t[0], t[1], t[2], calls);
    return t[SERIES / 2];
}

static void skip_under_sanitizers(void) {
    const char *sanitizer = getenv("GW_SANITIZER");
    if (sanitizer != NULL && strcmp(sanitizer, "none") != 0)
        skip();
}

static void laplace_time_tells_nothing(void **state) {
    (void)state;
    skip_under_sanitizers();
    const struct {
        gw_noise noise;
        int64_t middle;
    } laws[] = {{{{100000}, 1}, 7}, {{{1000000}, 1}, 0}, {{{10000}, 1}, 70}};
    for (size_t i = 0; i < 3; i++) {
        gw_discrete_laplace *law = NULL;
        assert_int_equal(gw_discrete_laplace_new(laws[i].noise, &law), GW_OK);
        sampler_case radix = {.name = "Laplace, base 16", .draw = draw_radix, .middle = laws[i].middle, .law = law};
        sampler_case plain = {.name = "Laplace, plain", .draw = draw_plain, .middle = laws[i].middle, .law = law};
        assert_true(middle_t(&radix) < T_MAX);
        assert_true(middle_t(&plain) < T_MAX);
        gw_discrete_laplace_free(law);
    }
}

static void gaussian_time_tells_nothing(void **state) {
    (void)state;
    skip_under_sanitizers();
    const struct {
        gw_gaussian_variance variance;
        int64_t middle;
    } laws[] = {{{100, 1}, 7}, {{1, 1}, 0}};
    for (size_t i = 0; i < 2; i++) {
        gw_discrete_gaussian *law = NULL;
        assert_int_equal(gw_discrete_gaussian_new(laws[i].variance, &law), GW_OK);
        sampler_case one = {.name = "Gaussian", .draw = draw_gaussian, .middle = laws[i].middle, .law = law};
        assert_true(middle_t(&one) < T_MAX);
        gw_discrete_gaussian_free(law);
    }
}

static void share_time_tells_nothing(void **state) {
    (void)state;
    skip_under_sanitizers();
    gw_noise_share *law = NULL;
    assert_int_equal(gw_noise_share_new((gw_noise){{100000}, 1}, 3, &law), GW_OK);
    sampler_case one = {.name = "share", .draw = draw_share, .middle = 1, .law = law};
    assert_true(middle_t(&one) < T_MAX);
    gw_noise_share_free(law);
}

// By what is hidden in m, and by how the coin falls.
static void coin_time_tells_nothing(void **state) {
    (void)state;
    skip_under_sanitizers();
    gw_bernoulli_exp *law = NULL;
    assert_int_equal(gw_bernoulli_exp_new(1, 4000000, &law), GW_OK);
    sampler_case by_m = {.name = "coin, by m", .draw = draw_coin, .law = law, .is_secret_the_class = true};
    sampler_case by_fall = {.name = "coin, by its fall", .draw = draw_coin, .law = law};
    assert_true(middle_t(&by_m) < T_MAX);
    assert_true(middle_t(&by_fall) < T_MAX);
    gw_bernoulli_exp_free(law);
}

static void rejection_time_tells_the_noise(void **state) {
    (void)state;
    skip_under_sanitizers();
    rejection_laplace rejection;
    seeded_random random = {.state = 1};
    rejection_init(&rejection, seeded_source(&random));
    sampler_case one = {.name = "rejection (must fail)", .draw = draw_rejection, .middle = 7, .rejection = &rejection};
    assert_true(middle_t(&one) > (calls >= LONG_CALLS ? 50 : 15));
}

int main(int argc, char **argv) {
    if (argc > 1)
        calls = strtoull(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(laplace_time_tells_nothing),     cmocka_unit_test(gaussian_time_tells_nothing),
        cmocka_unit_test(share_time_tells_nothing),       cmocka_unit_test(coin_time_tells_nothing),
        cmocka_unit_test(rejection_time_tells_the_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
