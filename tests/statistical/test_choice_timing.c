// SPDX-License-Identifier: Apache-2.0
// Hypothesis: the time of a quantile by permute-and-flip, from counts to
// choice, does not depend on the counts. Two populations, drawn anew for each
// call: nobody at all, when every coin shows heads, and everybody in one bin,
// when nearly none does. |t| < 4.5 (tests/support/timing.h), of three series
// the middle one counts: a false alarm needs two of three beyond, 1.4e-10.
// Permute-and-flip as it is written down, which stops at the first head, must
// fail it: t > 15. Under a sanitizer, whose code is not the code that runs,
// nothing is measured.
#include "privacy/mechanism/quantile.h"
#include "privacy/sampling/bernoulli_exp.h"
#include "tests/support/seeded_random.h"
#include "tests/support/timing.h"
#include "tests/support/unit.h"

#define SERIES 3
#define CALLS 4000
#define WARM_UP 200
#define BINS 256
#define T_MAX 4.5

typedef gw_status (*choose_function)(const gw_exact_table *bins, gw_random_source source);

static gw_status choose_all(const gw_exact_table *bins, gw_random_source source) {
    gw_quantile_shape shape = {1, BINS, {1, 2}};
    gw_released_table *table = NULL;
    gw_status status = gw_quantile_release(bins, &shape, (gw_noise){{1000000}, 1}, source, &table);
    gw_released_free(table);
    return status;
}

// Planted: candidate after candidate, a coin each, until one shows heads. (From
// the first on; a random order makes the same difference.)
static gw_status choose_first(const gw_exact_table *bins, gw_random_source source) {
    gw_bernoulli_exp *coin = NULL;
    gw_int128 total = 0, below = 0;
    uint8_t head = 0;
    gw_status status = gw_bernoulli_exp_new(1, 2, &coin);
    for (size_t i = 0; i < BINS; i++)
        total += bins->values[i];
    for (size_t i = 0; i < BINS && status == GW_OK && !head; i++) {
        below += bins->values[i];
        uint64_t distance = 2 * below < total ? (uint64_t)(total - 2 * below) : 0;
        status = gw_bernoulli_exp_fill(coin, source, &distance, &head, 1);
    }
    gw_bernoulli_exp_free(coin);
    return status;
}

static double series_t(choose_function choose, uint64_t seed) {
    timing_series series;
    gw_exact_table *bins = NULL;
    seeded_random random = {.state = seed}, secrets = {.state = seed + 1};
    timing_init(&series, CALLS);
    assert_int_equal(gw_exact_table_new(BINS, 1, &bins), GW_OK);
    for (size_t i = 0; i < CALLS + WARM_UP; i++) {
        uint64_t secret = seeded_next(&secrets) & 1;
        bins->values[200] = (gw_int128)secret * 100000;
        uint64_t start = timing_now();
        gw_status status = choose(bins, seeded_source(&random));
        uint64_t elapsed = timing_now() - start;
        assert_int_equal(status, GW_OK);
        if (i >= WARM_UP)
            timing_add(&series, elapsed, secret == 1);
    }
    double t = timing_t(&series);
    gw_exact_table_free(bins);
    timing_done(&series);
    return t;
}

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double middle_t(const char *name, choose_function choose) {
    double t[SERIES];
    for (uint64_t i = 0; i < SERIES; i++)
        t[i] = fabs(series_t(choose, 100 * i + 1));
    qsort(t, SERIES, sizeof(t[0]), compare_doubles);
    print_message("%-28s |t| %.2f %.2f %.2f over %d calls\n", name, t[0], t[1], t[2], CALLS);
    return t[SERIES / 2];
}

static void skip_under_sanitizers(void) {
    const char *sanitizer = getenv("GW_SANITIZER");
    if (sanitizer != NULL && strcmp(sanitizer, "none") != 0)
        skip();
}

static void the_time_of_a_choice_tells_nothing(void **state) {
    (void)state;
    skip_under_sanitizers();
    assert_true(middle_t("all coins, then a pick", choose_all) < T_MAX);
}

static void stopping_at_the_first_head_is_caught(void **state) {
    (void)state;
    skip_under_sanitizers();
    assert_true(middle_t("the first head (must fail)", choose_first) > 15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_of_a_choice_tells_nothing),
        cmocka_unit_test(stopping_at_the_first_head_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
