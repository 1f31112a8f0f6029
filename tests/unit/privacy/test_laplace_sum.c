// SPDX-License-Identifier: Apache-2.0
// The closed form against the exact law of a lattice, by direct convolution: never below it, and how much above.
#include "privacy/laplace_sum.h"
#include "tests/support/unit.h"
#include <math.h>

#define REACH 250 // noise values this far out have no weight that shows

static gw_noise_term term_of(uint64_t micro, double weight, size_t count) {
    return (gw_noise_term){.noise = {{micro}, 1}, .weight = weight, .count = count};
}

static double mass(double rate, int k) {
    return tanh(rate / 2) * exp(-rate * abs(k));
}

// P(|sum w_i Z_i| > x) for two or three values at one epsilon, by adding up.
static double exact_chance(double rate, const double weights[3], double x) {
    double chance = 0;
    for (int i = -REACH; i <= REACH; i++)
        for (int j = -REACH; j <= REACH; j++) {
            double rest = weights[0] * i + weights[1] * j, both = mass(rate, i) * mass(rate, j);
            if (weights[2] == 0) {
                chance += fabs(rest) > x ? both : 0;
                continue;
            }
            // The third value's tails in closed form: it is below -(x + rest) / w or above (x - rest) / w.
            double q = exp(-rate), up = floor((x - rest) / weights[2]) + 1, down = floor((x + rest) / weights[2]) + 1;
            double above = up >= 1 ? pow(q, up) / (1 + q) : 1 - pow(q, 1 - up) / (1 + q);
            double below = down >= 1 ? pow(q, down) / (1 + q) : 1 - pow(q, 1 - down) / (1 + q);
            chance += both * fmin(1, above + below);
        }
    return chance;
}

static void chances_are_never_below_the_exact_law(void **state) {
    (void)state;
    static const double weights[][3] = {{1, 1, 0}, {1, 0.5, 0},    {1, 0.99, 0}, {0.3, 0.7, 0.2},
                                        {1, 1, 1}, {0.05, 1, 0.9}, {1, 1e-3, 0}};
    double widest = 0;
    for (size_t k = 0; k < sizeof(weights) / sizeof(weights[0]); k++) {
        const double *w = weights[k];
        const gw_noise_term terms[] = {term_of(100000, w[0], 1), term_of(100000, w[1], 1), term_of(100000, w[2], 1)};
        gw_laplace_sum sum;
        assert_true(gw_laplace_sum_init(terms, 3, &sum));
        double sd = 14.136 * sqrt(w[0] * w[0] + w[1] * w[1] + w[2] * w[2]);
        for (int step = 0; step < 5; step++) {
            const double x = (0.5 + 0.9 * step) * sd;
            double exact = exact_chance(0.1, w, x), bound = gw_laplace_sum_chance(&sum, x);
            if (bound < exact * (1 - 1e-9))
                fail_msg("weights %zu at %g: %.10g is below %.10g", k, x, bound, exact);
            widest = fmax(widest, bound / exact);
        }
        double c = gw_laplace_sum_quantile(&sum, 0.05);
        assert_true(exact_chance(0.1, w, c) <= 0.05);
        assert_true(exact_chance(0.1, w, 0.86 * c) > 0.05); // not simply large
    }
    print_message("at most %.3f times the exact chance\n", widest);
    assert_true(widest < 1.5);
}

static void equal_scales_cost_little(void **state) {
    (void)state;
    // Two continuous Laplace variables of one scale A: P(|.| > t) = exp(-t/A) (1 + t / (2A)).
    const gw_noise_term fine = {.noise = {{100000}, 1u << 30}, .weight = 1.0, .count = 2};
    gw_laplace_sum sum;
    assert_true(gw_laplace_sum_init(&fine, 1, &sum));
    double scale = (double)(1u << 30) / 0.1, t = gw_laplace_sum_quantile(&sum, 0.05) / scale;
    double exact = exp(-t) * (1 + t / 2);
    assert_true(exact <= 0.05 && exact > 0.0485);
}

static void chances_rise_with_any_weight(void **state) {
    (void)state;
    for (int tenth = 0; tenth < 10; tenth++) {
        const double w = tenth / 10.0;
        const gw_noise_term less[] = {term_of(50000, w, 1), term_of(50000, 1 - w / 2, 1), term_of(50000, 0.4, 1)};
        gw_noise_term more[] = {less[0], less[1], less[2]};
        gw_laplace_sum one, other;
        more[0].weight += 0.1;
        assert_true(gw_laplace_sum_init(less, 3, &one) && gw_laplace_sum_init(more, 3, &other));
        for (int x = 10; x < 200; x += 13)
            assert_true(gw_laplace_sum_chance(&one, x) <= gw_laplace_sum_chance(&other, x) * 1.02);
        assert_true(gw_laplace_sum_quantile(&one, 0.01) > gw_laplace_sum_quantile(&one, 0.1));
    }
}

static void what_it_cannot_hold_is_said(void **state) {
    (void)state;
    gw_laplace_sum sum;
    const gw_noise_term many = term_of(100000, 1, 5), none = {.weight = 1, .count = 1}, odd = term_of(100000, NAN, 1);
    const gw_noise_term still = term_of(100000, 0, 3);
    assert_false(gw_laplace_sum_init(&many, 1, &sum));
    assert_false(gw_laplace_sum_init(&none, 1, &sum));
    assert_false(gw_laplace_sum_init(&odd, 1, &sum));
    assert_true(gw_laplace_sum_init(&still, 1, &sum));
    assert_true(gw_laplace_sum_quantile(&sum, 0.05) == 0 && gw_laplace_sum_chance(&sum, 1) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chances_are_never_below_the_exact_law),
        cmocka_unit_test(equal_scales_cost_little),
        cmocka_unit_test(chances_rise_with_any_weight),
        cmocka_unit_test(what_it_cannot_hold_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
