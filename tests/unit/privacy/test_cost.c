// SPDX-License-Identifier: Apache-2.0
// Prices before spending: error from epsilon, and the smallest epsilon for an error.
#include "privacy/cost.h"
#include "privacy/sampling/discrete_laplace.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"
#include <math.h>

static void assert_near(double got, double wanted, double tolerance) {
    if (!(fabs(got - wanted) <= tolerance))
        fail_msg("%.12g is not %.12g", got, wanted);
}

static const gw_cost_shape COUNT = {
    .statistic = GW_STATISTIC_COUNT, .sensitivity = 1, .cell_count = 10, .range = 1, .unit = 1};
static const gw_cost_shape RATE = {
    .statistic = GW_STATISTIC_RATE, .sensitivity = 1, .cell_count = 10, .group_size = 1000, .range = 1, .unit_mean = 1};

// One in the third significant digit.
static uint64_t third_digit(gw_epsilon epsilon) {
    uint64_t step = 1;
    while (epsilon.micro / step > 1000)
        step *= 10;
    return step;
}

static void counts_and_rates_have_the_exact_half_width(void **state) {
    (void)state;
    assert_near(gw_cost_half_width(&COUNT, (gw_epsilon){1000000}, GW_LEVEL_95), 3, 0);
    assert_near(gw_cost_half_width(&COUNT, (gw_epsilon){100000}, GW_LEVEL_95), 30, 0);
    assert_near(gw_cost_half_width(&RATE, (gw_epsilon){100000}, GW_LEVEL_95), 0.03, 1e-15);
    assert_near(gw_cost_half_width(&RATE, (gw_epsilon){10}, GW_LEVEL_95), 1, 0); // never worse than knowing nothing
}

static void a_mean_is_in_its_own_unit(void **state) {
    (void)state;
    gw_cost_shape mean = {.statistic = GW_STATISTIC_MEAN,
                          .sensitivity = 1ull << 30,
                          .cell_count = 1,
                          .group_size = 1000,
                          .range = 50000,
                          .unit_mean = 1 << 30};
    // One noise value at scale 2^30 / 0.1 beside a sum of 1000 * 2^30: 29.957 / 1000 of the range.
    assert_near(gw_cost_half_width(&mean, (gw_epsilon){100000}, GW_LEVEL_95), 50000 * 0.0299573, 0.01);
}

static void a_share_pays_for_the_noise_of_the_others(void **state) {
    (void)state;
    gw_cost_shape share = RATE;
    share.statistic = GW_STATISTIC_SHARE;
    share.cell_count = 2;
    double two = gw_cost_half_width(&share, (gw_epsilon){100000}, GW_LEVEL_95);
    assert_near(two, 30.0 / 2000.0, 1e-15);
    share.cell_count = 101; // a hundred others, in a denominator of 101 groups
    assert_near(gw_cost_half_width(&share, (gw_epsilon){100000}, GW_LEVEL_95), 10 * 30.0 / 101000.0, 1e-15);
}

static void counts_sums_and_nets_are_in_the_answers_unit(void **state) {
    (void)state;
    gw_cost_shape sum = {
        .statistic = GW_STATISTIC_SUM, .sensitivity = 6000, .cell_count = 10, .range = 1, .unit = 0.25};
    // P(|Z| > t) = 2 q^(t+1) / (1+q): the smallest t with at most 5 %, times a quarter of a unit.
    double q = exp(-0.1 / 6000);
    double steps = gw_cost_half_width(&sum, (gw_epsilon){100000}, GW_LEVEL_95) / 0.25;
    assert_true(2 * pow(q, steps + 1) / (1 + q) <= 0.05);
    assert_true(2 * pow(q, steps) / (1 + q) > 0.05);
    gw_cost_shape net = sum, count = sum;
    net.statistic = GW_STATISTIC_NET;
    count.statistic = GW_STATISTIC_COUNT; // weighted
    assert_near(gw_cost_half_width(&net, (gw_epsilon){100000}, GW_LEVEL_95), steps * 0.25, 0);
    assert_near(gw_cost_half_width(&count, (gw_epsilon){100000}, GW_LEVEL_95), steps * 0.25, 0);
    gw_epsilon epsilon = {0};
    assert_int_equal(gw_cost_epsilon_up(&sum, 45000, &epsilon), GW_OK);
    assert_true(gw_cost_half_width(&sum, epsilon, GW_LEVEL_95) <= 45000);
    assert_true(gw_cost_half_width(&sum, (gw_epsilon){epsilon.micro - third_digit(epsilon)}, GW_LEVEL_95) > 45000);
}

#define DRAWS 40000

// How often a ratio of parts strays no further than the stated half-width, over DRAWS draws of real noise.
static double simulated_coverage(const gw_cost_shape *shape, double half_width, double theta, size_t others,
                                 seeded_random *random) {
    gw_noise noise = {.epsilon = {100000}, .sensitivity = shape->sensitivity};
    gw_discrete_laplace *law = NULL;
    assert_int_equal(gw_discrete_laplace_new(noise, &law), GW_OK);
    double whole = (double)shape->group_size * shape->unit_mean *
                   (shape->statistic == GW_STATISTIC_SHARE ? (double)others + 1 : 1);
    int inside = 0;
    for (int i = 0; i < DRAWS; i++) {
        int64_t values[16];
        assert_int_equal(gw_discrete_laplace_fill(law, seeded_source(random), values, others + 1), GW_OK);
        double of_others = 0;
        for (size_t k = 1; k <= others; k++)
            of_others += (double)values[k];
        double a = theta * whole + (double)values[0];
        inside += fabs(a / (whole + (double)values[0] + of_others) - theta) <= half_width;
    }
    gw_discrete_laplace_free(law);
    return (double)inside / DRAWS;
}

static double stated(const gw_cost_shape *shape) {
    return gw_cost_half_width(shape, (gw_epsilon){100000}, GW_LEVEL_95) / shape->range;
}

// H0: at least 95 % of draws stray no further, whatever the ratio, and 95 % do at the worst one (0). 40,000 draws: five
// standard errors are 0.55 %, and 0.3 % more is left to the noise of the denominator, which a price cannot know.
// False alarm below 1e-6 for each of the 12 comparisons.
static void ratios_with_bounds_and_weights_have_the_stated_error(void **state) {
    (void)state;
    // Three rows kept, weights up to 50 and 10 on average, 1.2 rows a person: 150 steps of noise, 12 of a member.
    const gw_cost_shape shapes[] = {{.statistic = GW_STATISTIC_RATE,
                                     .sensitivity = 150,
                                     .cell_count = 8,
                                     .group_size = 5000,
                                     .range = 1,
                                     .unit_mean = 12},
                                    {.statistic = GW_STATISTIC_MEAN,
                                     .sensitivity = 3000,
                                     .cell_count = 8,
                                     .group_size = 5000,
                                     .range = 400,
                                     .unit_mean = 240},
                                    {.statistic = GW_STATISTIC_SHARE,
                                     .sensitivity = 150,
                                     .cell_count = 8,
                                     .group_size = 5000,
                                     .range = 1,
                                     .unit_mean = 12}};
    const double thetas[] = {0, 0.25, 0.5, 1};
    seeded_random random = {.state = 77};
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 4; j++) {
            size_t others = shapes[i].statistic == GW_STATISTIC_SHARE ? 7 : 1;
            double covered = simulated_coverage(&shapes[i], stated(&shapes[i]), thetas[j], others, &random);
            bool is_worst = others == 1 && (thetas[j] == 0 || thetas[j] == 1);
            if (covered < 0.95 - 0.0085 || (is_worst && covered > 0.95 + 0.0085))
                fail_msg("%s at %g: %.4f", gw_statistic_name(shapes[i].statistic), thetas[j], covered);
        }
    gw_cost_shape wrong = shapes[1]; // priced as if each person added the whole sensitivity: the rule sees it
    wrong.unit_mean = 3000;
    assert_true(simulated_coverage(&shapes[1], stated(&wrong), 0, 1, &random) < 0.95 - 0.0085);
}

static void epsilon_for_an_error_is_the_smallest_of_three_digits(void **state) {
    (void)state;
    const double wanted[] = {0.5, 0.1, 0.03, 0.01, 0.001, 0.0002};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        gw_epsilon epsilon = {0};
        assert_int_equal(gw_cost_epsilon_up(&RATE, wanted[i], &epsilon), GW_OK);
        assert_true(gw_cost_half_width(&RATE, epsilon, GW_LEVEL_95) <= wanted[i]);
        assert_int_equal(epsilon.micro % third_digit(epsilon), 0);
        assert_true(gw_cost_half_width(&RATE, (gw_epsilon){epsilon.micro - third_digit(epsilon)}, GW_LEVEL_95) >
                    wanted[i]);
    }
    gw_epsilon epsilon = {0};
    assert_int_equal(gw_cost_epsilon_up(&COUNT, 30, &epsilon), GW_OK);
    assert_true(epsilon.micro <= 100000 && epsilon.micro > 90000);
}

static void impossible_wishes_are_refused(void **state) {
    (void)state;
    gw_epsilon epsilon = {77};
    assert_int_equal(gw_cost_epsilon_up(&RATE, 0, &epsilon), GW_INVALID);
    assert_int_equal(gw_cost_epsilon_up(&RATE, -1, &epsilon), GW_INVALID);
    assert_int_equal(gw_cost_epsilon_up(&RATE, NAN, &epsilon), GW_INVALID);
    gw_cost_shape mean = {
        .statistic = GW_STATISTIC_MEAN, .sensitivity = 1ull << 40, .cell_count = 1, .group_size = 0, .range = 5};
    assert_int_equal(gw_cost_epsilon_up(&mean, 1, &epsilon), GW_INVALID); // nobody there
    assert_int_equal(epsilon.micro, 77);
    gw_cost_shape nothing = RATE;
    nothing.sensitivity = 0;
    assert_int_equal(gw_cost_epsilon_up(&nothing, 1, &epsilon), GW_INVALID);
}

// ---- spreads, ratios of sums, gaps, histograms

static const gw_cost_shape SPREAD = {.statistic = GW_STATISTIC_VARIANCE,
                                     .sensitivity = 4000,
                                     .cell_count = 1,
                                     .group_size = 2000,
                                     .range = 50,
                                     .unit = 1,
                                     .unit_mean = 4000};

// Draws of the noise of parts, `count` at a time.
static void noises(const gw_cost_shape *shape, seeded_random *random, int64_t *ret, size_t count) {
    gw_discrete_laplace *law = NULL;
    assert_int_equal(gw_discrete_laplace_new((gw_noise){{100000}, shape->sensitivity}, &law), GW_OK);
    assert_int_equal(gw_discrete_laplace_fill(law, seeded_source(random), ret, count), GW_OK);
    gw_discrete_laplace_free(law);
}

// How often the variance (or its root) of people of which half are at `low`, half at `high` (in 0 .. 1) strays no
// further than stated.
static double spread_coverage(const gw_cost_shape *shape, double half, double low, double high, bool is_sd,
                              seeded_random *random) {
    static int64_t draws[3 * DRAWS];
    const double whole = (double)shape->group_size * shape->unit_mean;
    const double mean = (low + high) / 2, square = (low * low + high * high) / 2, exact = square - mean * mean;
    int inside = 0;
    noises(shape, random, draws, 3 * DRAWS);
    for (size_t i = 0; i < DRAWS; i++) {
        double b2 = whole * square + (double)draws[3 * i], b1 = 2 * whole * (mean - square) + (double)draws[3 * i + 1];
        double n = whole + (double)draws[3 * i] + (double)draws[3 * i + 1] + (double)draws[3 * i + 2];
        double m = (b1 / 2 + b2) / n, off = b2 / n - m * m;
        off = is_sd ? sqrt(fmax(0, off)) - sqrt(exact) : off - exact;
        inside += fabs(off) * shape->range * (is_sd ? 1 : shape->range) <= half;
    }
    return (double)inside / DRAWS;
}

// H0: at least 95 % of draws stray no further. 40,000 draws, five standard errors and 0.3 % for the denominator, as
// above: false alarm below 1e-6 for each of 8 comparisons.
static void spreads_stray_no_further_than_stated(void **state) {
    (void)state;
    static const double people[][2] = {{0, 1}, {0, 0}, {0.5, 0.5}, {0.2, 0.45}, {0, 0.3}};
    seeded_random random = {.state = 78};
    gw_cost_shape sd = SPREAD, wrong = SPREAD;
    sd.statistic = GW_STATISTIC_SD;
    const double price = gw_cost_half_width(&SPREAD, (gw_epsilon){100000}, GW_LEVEL_95);
    const double root = gw_cost_half_width(&sd, (gw_epsilon){100000}, GW_LEVEL_95);
    for (size_t i = 0; i < 5; i++) {
        double covered = spread_coverage(&SPREAD, price, people[i][0], people[i][1], false, &random);
        if (covered < 0.95 - 0.0085)
            fail_msg("variance of %g, %g: %.4f", people[i][0], people[i][1], covered);
    }
    for (size_t i = 3; i < 5; i++) // spread by an eighth of the range, or more
        assert_true(spread_coverage(&sd, root, people[i][0], people[i][1], true, &random) >= 0.95 - 0.0085);
    wrong.unit_mean = 8000; // priced as if everybody added twice what they do
    const double less = gw_cost_half_width(&wrong, (gw_epsilon){100000}, GW_LEVEL_95);
    assert_true(spread_coverage(&SPREAD, less, 0, 0, false, &random) < 0.95 - 0.0085);
}

static void spreads_are_never_worse_than_knowing_nothing(void **state) {
    (void)state;
    gw_cost_shape sd = SPREAD;
    sd.statistic = GW_STATISTIC_SD;
    assert_near(gw_cost_half_width(&SPREAD, (gw_epsilon){1}, GW_LEVEL_95), 50 * 50 / 4.0, 0);
    assert_near(gw_cost_half_width(&sd, (gw_epsilon){1}, GW_LEVEL_95), 25, 0);
    gw_cost_shape nobody = SPREAD;
    nobody.group_size = 0;
    assert_near(gw_cost_half_width(&nobody, (gw_epsilon){100000}, GW_LEVEL_95), 50 * 50 / 4.0, 0);
}

static const gw_cost_shape RATIO = {.statistic = GW_STATISTIC_RATIO,
                                    .sensitivity = 8000,
                                    .cell_count = 1,
                                    .group_size = 1000,
                                    .range = 1,
                                    .unit = 0.5,
                                    .unit_mean = 2000};

// The assumed ratio of the sums in steps is a half. H0 and errors as above.
static void ratios_of_sums_stray_no_further_than_stated(void **state) {
    (void)state;
    static int64_t draws[2 * DRAWS];
    seeded_random random = {.state = 79};
    const double below = (double)RATIO.group_size * RATIO.unit_mean, half = stated(&RATIO);
    int inside = 0;
    noises(&RATIO, &random, draws, 2 * DRAWS);
    for (size_t i = 0; i < DRAWS; i++)
        inside +=
            fabs((below / 2 + (double)draws[2 * i]) / (below + (double)draws[2 * i + 1]) - 0.5) * RATIO.unit <= half;
    if ((double)inside / DRAWS < 0.95 - 0.0085)
        fail_msg("%.4f", (double)inside / DRAWS);
    gw_cost_shape few = RATIO; // the noise may hide the divisor
    few.group_size = 100;
    assert_true(isinf(gw_cost_half_width(&few, (gw_epsilon){100000}, GW_LEVEL_95)));
    gw_epsilon epsilon;
    assert_int_equal(gw_cost_epsilon_up(&few, 0.2, &epsilon), GW_OK);
    assert_true(epsilon.micro > 100000 && gw_cost_half_width(&few, epsilon, GW_LEVEL_95) <= 0.2);
}

static double gap_coverage(const gw_cost_shape *shape, double one, double other, double half, seeded_random *random) {
    static int64_t draws[4 * DRAWS];
    const double n = (double)shape->group_size * shape->unit_mean;
    int inside = 0;
    noises(shape, random, draws, 4 * DRAWS);
    for (size_t i = 0; i < DRAWS; i++) {
        const int64_t *z = draws + 4 * i;
        double a = (n * one + (double)z[0]) / (n + (double)z[0] + (double)z[1]);
        double b = (n * other + (double)z[2]) / (n + (double)z[2] + (double)z[3]);
        inside += fabs(a - b - (one - other)) <= half;
    }
    return (double)inside / DRAWS;
}

// H0 and errors as above, at the ends and between them.
static void a_gap_has_the_noise_of_both_sides(void **state) {
    (void)state;
    static const double sides[][2] = {{0, 0}, {1, 0}, {0.5, 0.5}, {0.3, 0.9}};
    seeded_random random = {.state = 80};
    gw_cost_shape gap = RATE, mean = SPREAD;
    gap.is_gap = mean.is_gap = true;
    mean.statistic = GW_STATISTIC_MEAN;
    for (size_t i = 0; i < 4; i++) {
        double covered = gap_coverage(&gap, sides[i][0], sides[i][1], stated(&gap), &random);
        if (covered < 0.95 - 0.0085)
            fail_msg("gap of %g and %g: %.4f", sides[i][0], sides[i][1], covered);
        assert_true(gap_coverage(&mean, sides[i][0], sides[i][1], stated(&mean), &random) >= 0.95 - 0.0085);
    }
    assert_true(gap_coverage(&gap, 1, 0, stated(&RATE), &random) < 0.95 - 0.0085); // one side's noise alone is caught
    assert_near(gw_cost_half_width(&gap, (gw_epsilon){10}, GW_LEVEL_95), 2, 0);    // from -100 to 100 points
}

static void a_histogram_costs_what_its_counts_do(void **state) {
    (void)state;
    gw_cost_shape histogram = COUNT;
    histogram.statistic = GW_STATISTIC_HISTOGRAM;
    for (uint64_t micro = 1000; micro < 10000000; micro *= 3)
        assert_near(gw_cost_half_width(&histogram, (gw_epsilon){micro}, GW_LEVEL_95),
                    gw_cost_half_width(&COUNT, (gw_epsilon){micro}, GW_LEVEL_95), 0);
}

// Whoever pays more never gets a larger error, and a price for an error keeps it.
static void more_epsilon_is_never_a_larger_error(void **state) {
    (void)state;
    gw_cost_shape shapes[] = {SPREAD, SPREAD, RATIO, RATE, SPREAD, RATE, COUNT};
    shapes[1].statistic = GW_STATISTIC_SD;
    shapes[3].is_gap = shapes[4].is_gap = shapes[5].is_gap = true;
    shapes[4].statistic = GW_STATISTIC_MEAN;
    shapes[5].statistic = GW_STATISTIC_SHARE;
    shapes[6].statistic = GW_STATISTIC_HISTOGRAM;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        double before = INFINITY;
        double micro = 10 / 1.07;
        for (int step = 0; step < 273; step++) { // to 10^9
            micro *= 1.07;
            double now = gw_cost_half_width(&shapes[i], (gw_epsilon){(uint64_t)micro}, GW_LEVEL_95);
            if (!(now <= before) || now < 0)
                fail_msg("%zu at %.0f: %g after %g", i, micro, now, before);
            before = now;
        }
        gw_epsilon epsilon;
        double wanted = gw_cost_half_width(&shapes[i], (gw_epsilon){777777}, GW_LEVEL_95);
        assert_int_equal(gw_cost_epsilon_up(&shapes[i], wanted, &epsilon), GW_OK);
        assert_true(gw_cost_half_width(&shapes[i], epsilon, GW_LEVEL_95) <= wanted && epsilon.micro <= 778000);
    }
}

static void names_go_there_and_back(void **state) {
    (void)state;
    for (int i = GW_STATISTIC_COUNT; i < GW_STATISTIC_COUNT_OF; i++) {
        gw_statistic back = GW_STATISTIC_COUNT;
        assert_int_equal(gw_statistic_parse(gw_statistic_name((gw_statistic)i), &back), GW_OK);
        assert_int_equal(back, i);
    }
    gw_statistic kept = GW_STATISTIC_RATE;
    assert_int_equal(gw_statistic_parse("median", &kept), GW_INVALID);
    assert_int_equal(gw_statistic_parse("Count", &kept), GW_INVALID);
    assert_int_equal(kept, GW_STATISTIC_RATE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_rates_have_the_exact_half_width),
        cmocka_unit_test(a_mean_is_in_its_own_unit),
        cmocka_unit_test(a_share_pays_for_the_noise_of_the_others),
        cmocka_unit_test(counts_sums_and_nets_are_in_the_answers_unit),
        cmocka_unit_test(ratios_with_bounds_and_weights_have_the_stated_error),
        cmocka_unit_test(epsilon_for_an_error_is_the_smallest_of_three_digits),
        cmocka_unit_test(impossible_wishes_are_refused),
        cmocka_unit_test(spreads_stray_no_further_than_stated),
        cmocka_unit_test(spreads_are_never_worse_than_knowing_nothing),
        cmocka_unit_test(ratios_of_sums_stray_no_further_than_stated),
        cmocka_unit_test(a_gap_has_the_noise_of_both_sides),
        cmocka_unit_test(a_histogram_costs_what_its_counts_do),
        cmocka_unit_test(more_epsilon_is_never_a_larger_error),
        cmocka_unit_test(names_go_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
