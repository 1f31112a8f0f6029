// SPDX-License-Identifier: Apache-2.0
// Shares of noise: their table to the last of 320 bits against decimals of 200 digits, shares that follow their words,
// and the figures of the law: shares sum to the whole noise, what a share's zero and variance are, what is left of
// epsilon when some parties take their shares away. The table is private, so the file is included here.
#include "privacy/sampling/negative_binomial.c" // NOLINT(bugprone-suspicious-include)
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"
#include <math.h>

typedef struct {
    gw_noise noise;
    uint32_t shares;
    size_t entry_count;
    gw_threshold first;  // P(X >= 1)
    gw_threshold middle; // P(X >= entry_count / 2 + 1)
    gw_threshold last;
} oracle_case;

static const oracle_case CASES[] = {
    {{{1000000}, 1},
     1,
     177,
     {{0x5e2d58d8b3bcdf1au, 0xbadec7829054f90du, 0xda9805aab56c7733u, 0x3024b9d0a507daedu, 0xb16400bf472b4215u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0xc207de047ee44f68u, 0x81b6b53090988abeu, 0x0676c73baccb2d5cu}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000001u, 0x8fc1ab74075b725eu}}},
    {{{1000000}, 1},
     2,
     174,
     {{0x3476f1025d5fa00du, 0xc0482fe1c1124403u, 0x0ac6bb5fb2398098u, 0xb45835c41dc32c45u, 0x72a4cb9925c360b8u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x27b64e5bce491bf4u, 0x97342f16a9158e23u, 0x99b31623e7c96fedu}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000001u, 0xaeebf0fd5885f351u}}},
    {{{100000}, 1},
     3,
     1730,
     {{0x8b1f831fd72f0cbau, 0x336442b921c99cf3u, 0xfb0508d75398dc02u, 0x6c5ab6de160d56e7u, 0x5650600f00fc855fu}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x29d9db87a9d82747u, 0x3febe932d5705011u, 0x6defe92720a36c5au}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000001u, 0x0e3a29c517cb4940u}}},
    {{{3141592}, 7},
     5,
     383,
     {{0x2f1feff2a0ed1952u, 0x35033aecce221e98u, 0x696371e534be3716u, 0x38a1ad5a905f61d3u, 0xea1de2074827c6e5u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x17eb62e48e3ab489u, 0xfa9a2ab81864115eu, 0xa2b7593dd8388fa8u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000001u, 0x163043ecb6713e94u}}},
    {{{2000000}, 3},
     10,
     256,
     {{0x11cad97de16c06f8u, 0x03b897b9b39f2bebu, 0x14cccecec81ffd1bu, 0x4579b1dfe3137cfcu, 0xcc897701b30766bdu}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x09cc616894db1fc2u, 0x9a195e6155619b41u, 0x13fe35190bdcb874u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000001u, 0x3284edd020a9cd26u}}},
    {{{10000}, 1},
     1000,
     16543,
     {{0x012d6fbc84063032u, 0x86f204790cb65b91u, 0xcb2d5a0ee9e21dc8u, 0x0ceb1f25cc9db8fcu, 0x7a584574fdbfe65au}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x013ff257e2bdcee2u, 0x3674ce38b01897c1u, 0x037aaeff8614d2dfu}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000001u, 0x010cf42936bc8ccfu}}},
};
#define CASE_COUNT (sizeof(CASES) / sizeof(CASES[0]))

static gw_noise_share *law_new(gw_noise noise, uint32_t shares) {
    gw_noise_share *law = NULL;
    assert_int_equal(gw_noise_share_new(noise, shares, &law), GW_OK);
    return law;
}

static gw_noise noise_of(uint64_t micro) {
    return (gw_noise){.epsilon = {micro}, .sensitivity = 1};
}

static void the_table_matches_the_oracle_to_the_last_bit(void **state) {
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        gw_noise_share *law = law_new(CASES[i].noise, CASES[i].shares);
        size_t count = gw_noise_share_entry_count(law);
        assert_int_equal(count, CASES[i].entry_count);
        assert_memory_equal(&law->thresholds[0], &CASES[i].first, sizeof(gw_threshold));
        assert_memory_equal(&law->thresholds[count / 2], &CASES[i].middle, sizeof(gw_threshold));
        assert_memory_equal(&law->thresholds[count - 1], &CASES[i].last, sizeof(gw_threshold));
        for (size_t j = 1; j < count; j++)
            assert_true(memcmp(&law->thresholds[j], &law->thresholds[j - 1], sizeof(gw_threshold)) != 0 &&
                        law->thresholds[j].limbs[0] <= law->thresholds[j - 1].limbs[0]);
        gw_noise_share_free(law);
    }
}

// No 320 bits show an error in the last of 448: so the ends of a root are tried for what makes them ends.
static void a_root_is_enclosed_and_tightly(void **state) {
    (void)state;
    seeded_random random = {.state = 4};
    for (uint32_t degree = 1; degree <= 40; degree++)
        for (int i = 0; i < 5; i++) {
            gw_fixed_bounds a = {{.limbs = {0}}, {.limbs = {0}}};
            for (int limb = 0; limb < GW_FIXED_FRACTION_LIMBS; limb++)
                a.low.limbs[limb] = seeded_next(&random);
            a.high = gw_fixed_add_last(&a.low, seeded_next(&random) % 3);
            gw_fixed_bounds root = root_of(&a, degree);
            gw_fixed low = power_of(&root.low, degree, GW_UP), high = power_of(&root.high, degree, GW_DOWN);
            assert_true(gw_fixed_compare(&low, &a.low) <= 0);
            assert_true(gw_fixed_compare(&high, &a.high) >= 0);
            gw_fixed width = gw_fixed_subtract(&root.high, &root.low);
            for (int limb = 1; limb < GW_FIXED_LIMBS; limb++)
                assert_true(width.limbs[limb] == 0);
            assert_true(width.limbs[0] <= 1000);
        }
}

// To where q^j, the tail of the longest law, passes 2^-128: 89, 888 and 8873 values. Ours go on to 2^-256.
static void tables_are_as_long_as_their_tails(void **state) {
    (void)state;
    const uint64_t micro[3] = {1000000, 100000, 10000};
    const size_t lengths[3] = {89, 888, 8873};
    for (size_t i = 0; i < 3; i++) {
        gw_noise_share *whole = law_new(noise_of(micro[i]), 1), *third = law_new(noise_of(micro[i]), 3);
        size_t length = 1; // X = 0
        while (whole->thresholds[length - 1].limbs[0] != 0 || whole->thresholds[length - 1].limbs[1] != 0)
            length++;
        assert_int_equal(length, lengths[i]);
        assert_true(third->thresholds[lengths[i] - 1].limbs[1] == 0);
        assert_true(gw_noise_share_entry_count(third) < gw_noise_share_entry_count(whole));
        assert_true(gw_noise_share_entry_count(whole) < 2 * lengths[i]);
        gw_noise_share_free(whole);
        gw_noise_share_free(third);
    }
}

static double threshold_value(const gw_threshold *a) {
    return ldexp((double)a->limbs[0], -64) + ldexp((double)a->limbs[1], -128) + ldexp((double)a->limbs[2], -192);
}

#define VALUES 4000
// P(X - Y = k), k = 0 .. VALUES - 1, from the table.
static void share_law(gw_noise noise, uint32_t shares, double ret[VALUES]) {
    gw_noise_share *law = law_new(noise, shares);
    static double mass[2 * VALUES];
    for (size_t j = 0; j < 2 * VALUES; j++) {
        double here = j == 0 ? 1 : j - 1 < law->entry_count ? threshold_value(&law->thresholds[j - 1]) : 0;
        mass[j] = here - (j < law->entry_count ? threshold_value(&law->thresholds[j]) : 0);
    }
    gw_noise_share_free(law);
    for (size_t k = 0; k < VALUES; k++) {
        ret[k] = 0;
        for (size_t j = 0; j + k < 2 * VALUES && mass[j] > 1e-300; j++)
            ret[k] += mass[j] * mass[j + k];
    }
}

// Two-sided laws of half width `reach`, convolved.
static void convolve(const double *a, const double *b, int reach, double *ret) {
    for (int k = 0; k < reach; k++) {
        ret[k] = 0;
        for (int j = 1 - reach; j < reach; j++)
            if (abs(k - j) < reach)
                ret[k] += a[abs(j)] * b[abs(k - j)];
    }
}

static void shares_sum_to_the_whole_noise(void **state) {
    (void)state;
    static double share[VALUES], sum[VALUES], next[VALUES];
    for (uint32_t shares = 1; shares <= 5; shares++) {
        share_law(noise_of(500000), shares, share);
        memcpy(sum, share, sizeof(sum));
        for (uint32_t i = 1; i < shares; i++) {
            convolve(sum, share, 150, next);
            memcpy(sum, next, sizeof(sum));
        }
        double q = exp(-0.5);
        for (int k = 0; k < 40; k++)
            assert_true(fabs(sum[k] - (1 - q) / (1 + q) * pow(q, k)) < 1e-15);
    }
}

// Five parties of which two may collude: shapes of 1/3; three and one: 1/2. Figures of an independent derivation.
static void a_share_has_the_zero_and_the_variance_it_should(void **state) {
    (void)state;
    const struct {
        uint64_t micro;
        uint32_t shares;
        double zero, variance;
    } cases[] = {{100000, 3, 0.4566, 66.61}, {1000000, 2, 0.7951, 0.9207}};
    for (size_t i = 0; i < 2; i++) {
        gw_noise_share *law = law_new(noise_of(cases[i].micro), cases[i].shares);
        double none = 1 - threshold_value(&law->thresholds[0]), variance = 0;
        static double share[VALUES];
        share_law(noise_of(cases[i].micro), cases[i].shares, share);
        for (int k = 1; k < VALUES; k++)
            variance += 2 * share[k] * k * k;
        assert_true(fabs(none - cases[i].zero) < 0.00005); // P(X = 0)
        assert_true(fabs(variance - cases[i].variance) < (i == 0 ? 0.005 : 0.00005));
        gw_noise_share_free(law);
    }
}

// Where t of k collude and every share has the shape 1/k, what is left has the shape (k - t)/k: the privacy that
// remains is the ratio of its law at 0 and 1. By the mass function, for shapes that aren't 1/n too.
static double epsilon_left(double epsilon, double shape) {
    double q = exp(-epsilon), mass = pow(1 - q, shape), zero = 0, one = 0;
    for (int j = 0; j < 4000; j++) {
        double next = mass * q * (j + shape) / (j + 1);
        zero += mass * mass;
        one += mass * next;
        mass = next;
    }
    return log(zero / one);
}

static void colluders_leave_the_epsilon_of_the_table(void **state) {
    (void)state;
    const struct {
        double epsilon;
        int k, t;
        double left, digit; // as printed, and its last digit
    } cases[] = {{1, 3, 1, 1.39, 0.01},     {1, 3, 2, 2.08, 0.01},     {1, 5, 1, 1.21, 0.01},
                 {1, 5, 2, 1.49, 0.01},     {1, 5, 3, 1.90, 0.01},     {1, 10, 1, 1.10, 0.01},
                 {1, 10, 2, 1.21, 0.01},    {1, 10, 3, 1.34, 0.01},    {1, 2, 1, 1.68, 0.01},
                 {0.1, 3, 1, .343, 0.001},  {0.1, 3, 2, 1.04, 0.01},   {0.1, 5, 1, .212, 0.001},
                 {0.1, 5, 2, .433, 0.001},  {0.1, 5, 3, .838, 0.001},  {0.1, 10, 1, .146, 0.001},
                 {0.1, 10, 2, .212, 0.001}, {0.1, 10, 3, .305, 0.001}, {0.1, 20, 1, .121, 0.001},
                 {0.1, 20, 2, .146, 0.001}, {0.1, 20, 3, .176, 0.001}, {0.1, 2, 1, .606, 0.001}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double left = epsilon_left(cases[i].epsilon, (double)(cases[i].k - cases[i].t) / cases[i].k);
        if (fabs(left - cases[i].left) > 0.501 * cases[i].digit)
            fail_msg("epsilon %g, %d of %d: %.5f instead of %g", cases[i].epsilon, cases[i].t, cases[i].k, left,
                     cases[i].left);
    }
    // The table's own law says the same where the shape is 1/n.
    static double share[VALUES];
    share_law(noise_of(1000000), 3, share);
    assert_true(fabs(log(share[0] / share[1]) - epsilon_left(1, 1.0 / 3)) < 1e-12);
}

static void shares_are_what_their_words_say(void **state) {
    (void)state;
    const size_t counts[] = {1, 4, 5, 63, 64, 65, 200};
    gw_noise_share *law = law_new(noise_of(100000), 3);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        uint64_t words[2 * 208];
        int64_t shares[200];
        seeded_random random = {.state = i};
        size_t word_count = 2 * ((counts[i] + 3) / 4 * 4);
        for (size_t j = 0; j < word_count; j++)
            words[j] = seeded_next(&random);
        replayed_random record = {.words = words, .count = word_count};
        assert_int_equal(gw_noise_share_fill(law, replayed_source(&record), shares, counts[i]), GW_OK);
        assert_int_equal(record.given, word_count);
        const uint64_t *block = words;
        for (size_t done = 0; done < counts[i]; done += 64) {
            size_t now = counts[i] - done < 64 ? counts[i] - done : 64, lanes = (now + 3) / 4 * 4;
            for (size_t lane = 0; lane < now; lane++) {
                int64_t share = 0;
                for (size_t j = 0; j < law->entry_count; j++)
                    share += (block[lane] < law->thresholds[j].limbs[0]) -
                             (block[lanes + lane] < law->thresholds[j].limbs[0]);
                assert_int_equal(shares[done + lane], share);
            }
            block += 2 * lanes;
        }
    }
    gw_noise_share_free(law);
}

// A word that ties with one threshold, and a word of 0, which ties with all of the far tail.
static int64_t settle(const gw_noise_share *law, uint64_t word, const uint64_t rest[4]) {
    uint64_t words[12] = {word, 0, 0, 0, ~0ull, ~0ull, ~0ull, ~0ull, rest[0], rest[1], rest[2], rest[3]};
    words[1] = words[2] = words[3] = ~0ull;
    replayed_random record = {.words = words, .count = 12};
    int64_t share = 0;
    assert_int_equal(gw_noise_share_fill(law, replayed_source(&record), &share, 1), GW_OK);
    assert_int_equal(record.given, 12);
    return share;
}

static void ties_are_settled_by_the_last_limb(void **state) {
    (void)state;
    gw_noise_share *law = law_new(noise_of(1000000), 2);
    gw_threshold tied = law->thresholds[4];
    assert_int_equal(settle(law, tied.limbs[0], tied.limbs + 1), 4);
    tied.limbs[4]--;
    assert_int_equal(settle(law, tied.limbs[0], tied.limbs + 1), 5);
    const uint64_t zeros[4] = {0, 0, 0, 0}, tail[4] = {0, 0, 2, 0}; // U = 2^-255: above the last one
    assert_int_equal(settle(law, 0, zeros), law->entry_count);
    assert_true(settle(law, 0, tail) < (int64_t)law->entry_count);
    gw_threshold far = law->thresholds[120];
    assert_int_equal(settle(law, 0, far.limbs + 1), 120);
    far.limbs[4]--;
    assert_int_equal(settle(law, 0, far.limbs + 1), 121);
    gw_noise_share_free(law);
}

static void what_has_no_table_is_refused(void **state) {
    (void)state;
    gw_noise_share *law = NULL;
    const struct {
        gw_noise noise;
        uint32_t shares;
    } refused[] = {{{{0}, 1}, 3},
                   {{{1000000}, 0}, 3},
                   {{{1000000}, 1}, 0},
                   {{{1000000}, 1}, GW_NOISE_SHARES_MAX + 1},
                   {{{1}, 1}, 3},
                   {{{600}, 1}, 3},
                   {{{178000000}, 1}, 2},
                   {{{GW_EPSILON_MICRO_MAX + 1}, 1}, 2},
                   {{{1000000}, GW_SENSITIVITY_MAX + 1}, 2}};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        assert_int_equal(gw_noise_share_new(refused[i].noise, refused[i].shares, &law), GW_INVALID);
    assert_null(law);
    gw_noise_share_free(NULL);
}

static void a_failing_source_leaves_no_noise(void **state) {
    (void)state;
    gw_noise_share *law = law_new(noise_of(100000), 3);
    int64_t shares[100];
    memset(shares, 0x55, sizeof(shares));
    seeded_random random = {.state = 1, .bytes_max = 1100}; // the second block fails
    assert_int_equal(gw_noise_share_fill(law, seeded_source(&random), shares, 100), GW_UNAVAILABLE);
    assert_true(random.bytes_given > 0);
    for (size_t i = 0; i < 100; i++)
        assert_true(shares[i] == 0);
    gw_noise_share_free(law);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_matches_the_oracle_to_the_last_bit),
        cmocka_unit_test(a_root_is_enclosed_and_tightly),
        cmocka_unit_test(tables_are_as_long_as_their_tails),
        cmocka_unit_test(shares_sum_to_the_whole_noise),
        cmocka_unit_test(a_share_has_the_zero_and_the_variance_it_should),
        cmocka_unit_test(colluders_leave_the_epsilon_of_the_table),
        cmocka_unit_test(shares_are_what_their_words_say),
        cmocka_unit_test(ties_are_settled_by_the_last_limb),
        cmocka_unit_test(what_has_no_table_is_refused),
        cmocka_unit_test(a_failing_source_leaves_no_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
