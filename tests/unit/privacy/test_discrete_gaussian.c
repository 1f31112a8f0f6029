// SPDX-License-Identifier: Apache-2.0
// The Gaussian's exponents by exact integers, its proposals and coins replayed one by one, and how many proposals it
// takes. The constants are private, so the file is included here.
#include "privacy/sampling/discrete_gaussian.c" // NOLINT(bugprone-suspicious-include)
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"
#include <math.h>

static const gw_gaussian_variance VARIANCES[] = {{1, 1},
                                                 {100, 1},
                                                 {10000, 1},
                                                 {355, 113},
                                                 {1, 354},
                                                 {1, 3},
                                                 {1000003, 7},
                                                 {4194304, 1},
                                                 {2, 1},
                                                 {123456789, 1000},
                                                 {1ull << 62, 1},
                                                 {(gw_uint128)1 << 80, 1},
                                                 {3, 2},
                                                 {99, 100},
                                                 {101, 100},
                                                 {50000000, 1000003},
                                                 {999999999999, 10},
                                                 {((gw_uint128)1 << 79) + 7, 3},
                                                 {1ull << 40, 1ull << 40}};
#define VARIANCE_COUNT (sizeof(VARIANCES) / sizeof(VARIANCES[0]))

static gw_discrete_gaussian *law_new(gw_gaussian_variance variance) {
    gw_discrete_gaussian *law = NULL;
    assert_int_equal(gw_discrete_gaussian_new(variance, &law), GW_OK);
    return law;
}

static bool wide_is_equal(gw_wide a, gw_wide b) {
    return memcmp(&a, &b, sizeof(a)) == 0;
}

// m / (linear t) = y^2 / (2 variance) - |y| / t + something: square / (linear t) is 1 / (2 variance), that is
// square * 2 numerator = linear * t * denominator.
static void exponents_are_those_of_the_law(void **state) {
    (void)state;
    for (size_t i = 0; i < VARIANCE_COUNT; i++) {
        gw_discrete_gaussian *law = law_new(VARIANCES[i]);
        uint64_t scale = scale_of(VARIANCES[i]);
        assert_true((gw_uint128)scale * scale * VARIANCES[i].denominator >= VARIANCES[i].numerator ||
                    VARIANCES[i].numerator >> 80 != 0);
        assert_true(scale == 1 ||
                    (gw_uint128)(scale - 1) * (scale - 1) <
                        (VARIANCES[i].numerator + VARIANCES[i].denominator - 1) / VARIANCES[i].denominator);
        gw_wide left = gw_wide_multiply(gw_wide_multiply(gw_wide_from(VARIANCES[i].numerator), 2), 1);
        gw_wide right = gw_wide_multiply(gw_wide_multiply(gw_wide_from(law->linear), scale), VARIANCES[i].denominator);
        // left * square, with a square of two limbs
        gw_wide high = gw_wide_multiply(left, (uint64_t)(law->square >> 64));
        assert_true(high.limbs[3] == 0);
        gw_wide shifted = {{0, high.limbs[0], high.limbs[1], high.limbs[2]}};
        left = gw_wide_add(gw_wide_multiply(left, (uint64_t)law->square), shifted);
        assert_true(wide_is_equal(left, right));
        assert_true(greatest_divisor(law->square, law->linear) == 1);
        gw_discrete_gaussian_free(law);
    }
}

// The smallest exponent over the integers is 0, so no chance is given away and none is above 1; and it is symmetric.
static void the_smallest_exponent_is_zero(void **state) {
    (void)state;
    for (size_t i = 0; i < VARIANCE_COUNT; i++) {
        gw_discrete_gaussian *law = law_new(VARIANCES[i]);
        int64_t middle = (int64_t)(law->linear / law->square / 2);
        bool is_reached = false;
        for (int64_t y = middle < 1000 ? 0 : middle - 1000; y < middle + 1000; y++) {
            gw_wide m = exponent_of(law, y);
            assert_true(m.limbs[3] == 0); // no difference below 0
            is_reached |= wide_is_equal(m, gw_wide_from(0));
            assert_true(wide_is_equal(m, exponent_of(law, -y)));
        }
        assert_true(is_reached);
        assert_true(exponent_of(law, (int64_t)1 << 48).limbs[3] == 0); // the largest proposal of the largest scale
        gw_discrete_gaussian_free(law);
    }
}

// The same proposals and coins, drawn by hand from the same words.
static void samples_are_the_accepted_proposals_in_order(void **state) {
    (void)state;
    const size_t counts[] = {1, 5, 64, 100, 1000};
    for (size_t i = 0; i < VARIANCE_COUNT; i++)
        for (size_t j = 0; j < sizeof(counts) / sizeof(counts[0]); j++) {
            gw_discrete_gaussian *law = law_new(VARIANCES[i]);
            int64_t samples[1000], wanted[1000 + PROPOSALS_MAX];
            seeded_random one = {.state = i}, other = {.state = i};
            assert_int_equal(gw_discrete_gaussian_fill(law, seeded_source(&one), samples, counts[j]), GW_OK);
            size_t done = 0;
            while (done < counts[j]) {
                int64_t proposals[PROPOSALS_MAX];
                gw_wide exponents[PROPOSALS_MAX];
                uint8_t coins[PROPOSALS_MAX];
                size_t count = proposals_for(counts[j] - done);
                assert_true(count % 4 == 0 && count <= PROPOSALS_MAX);
                assert_int_equal(gw_discrete_laplace_fill(law->proposals, seeded_source(&other), proposals, count),
                                 GW_OK);
                for (size_t k = 0; k < count; k++)
                    exponents[k] = exponent_of(law, proposals[k]);
                assert_int_equal(gw_bernoulli_exp_fill_wide(law->coins, seeded_source(&other), exponents, coins, count),
                                 GW_OK);
                for (size_t k = 0; k < count; k++)
                    if (coins[k] != 0)
                        wanted[done++] = proposals[k];
            }
            assert_int_equal(one.bytes_given, other.bytes_given);
            assert_memory_equal(samples, wanted, counts[j] * sizeof(samples[0]));
            gw_discrete_gaussian_free(law);
        }
}

// P(accept) = sum over y of P(proposal = y) exp(-m(y) c), in floating point.
static double acceptance(double variance, double scale) {
    double q = exp(-1 / scale), sum = 0, least = 0;
    double reach = 40 * scale + 40;
    for (int y = 0; y < reach; y++)
        least = fmin(least, (double)y * y / (2 * variance) - y / scale);
    for (int y = 0; y < reach; y++)
        sum += (y == 0 ? 1 : 2) * (1 - q) / (1 + q) * exp(-y / scale) *
               exp(-((double)y * y / (2 * variance) - y / scale - least));
    return sum;
}

static void a_sample_takes_fewer_than_two_and_a_half_proposals(void **state) {
    (void)state;
    double most = 0, variance = 1.0 / 354;
    for (int i = 0; i < 6575; i++, variance *= 1.003) // up to 10^6
        most = fmax(most, 1 / acceptance(variance, fmax(1, ceil(sqrt(variance)))));
    print_message("at most %.4f proposals a sample; %.4f at variance 100\n", most, 1 / acceptance(100, 10));
    assert_true(most < 2.2);
    assert_true(fabs(1 / acceptance(1e6, 1000) - 1.3155) < 0.0001); // 2 sqrt(e) / sqrt(2 pi)
    // And as drawn: blocks of 64, each of the same number of bytes.
    for (size_t i = 0; i < 3; i++) {
        gw_discrete_gaussian *law = law_new(VARIANCES[i]);
        static int64_t samples[40000];
        seeded_random random = {.state = 3}, block = {.state = 3};
        gw_wide zeros[PROPOSALS_MAX] = {{{0}}};
        uint8_t coins[PROPOSALS_MAX];
        assert_int_equal(gw_discrete_gaussian_fill(law, seeded_source(&random), samples, 40000), GW_OK);
        assert_int_equal(gw_discrete_laplace_fill(law->proposals, seeded_source(&block), samples, PROPOSALS_MAX),
                         GW_OK);
        assert_int_equal(gw_bernoulli_exp_fill_wide(law->coins, seeded_source(&block), zeros, coins, PROPOSALS_MAX),
                         GW_OK);
        double proposals = (double)random.bytes_given / (double)block.bytes_given * PROPOSALS_MAX / 40000;
        variance = (double)VARIANCES[i].numerator / (double)VARIANCES[i].denominator;
        double wanted = 1 / acceptance(variance, fmax(1, ceil(sqrt(variance))));
        print_message("variance %g: %.4f proposals a sample, %.4f expected\n", variance, proposals, wanted);
        assert_true(fabs(proposals / wanted - 1) < 0.02); // geometric, sd of the mean below 0.003
        gw_discrete_gaussian_free(law);
    }
}

static void what_is_out_of_range_is_refused(void **state) {
    (void)state;
    const gw_gaussian_variance refused[] = {{0, 1},
                                            {1, 0},
                                            {((gw_uint128)1 << 80) + 1, 1},
                                            {(gw_uint128)1 << 127, 1},
                                            {1, 355},
                                            {((gw_uint128)1 << 100) + 1, (1ull << 40) - 87}}; // coins past 2^127
    gw_discrete_gaussian *law = NULL;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        assert_int_equal(gw_discrete_gaussian_new(refused[i], &law), GW_INVALID);
    assert_null(law);
    gw_discrete_gaussian_free(NULL);
}

static void a_failing_source_leaves_no_noise(void **state) {
    (void)state;
    gw_discrete_gaussian *law = law_new(VARIANCES[1]);
    int64_t samples[200];
    seeded_random whole = {.state = 1};
    assert_int_equal(gw_discrete_gaussian_fill(law, seeded_source(&whole), samples, 200), GW_OK);
    for (size_t bytes = 1; bytes < whole.bytes_given; bytes += 999) {
        memset(samples, 0x55, sizeof(samples));
        seeded_random random = {.state = 1, .bytes_max = bytes};
        assert_int_equal(gw_discrete_gaussian_fill(law, seeded_source(&random), samples, 200), GW_UNAVAILABLE);
        for (size_t i = 0; i < 200; i++)
            assert_true(samples[i] == 0);
    }
    gw_discrete_gaussian_free(law);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exponents_are_those_of_the_law),
        cmocka_unit_test(the_smallest_exponent_is_zero),
        cmocka_unit_test(samples_are_the_accepted_proposals_in_order),
        cmocka_unit_test(a_sample_takes_fewer_than_two_and_a_half_proposals),
        cmocka_unit_test(what_is_out_of_range_is_refused),
        cmocka_unit_test(a_failing_source_leaves_no_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
