// SPDX-License-Identifier: Apache-2.0
// Both builds of the digit kernel give the same counts and ties, on random words and on words beside every threshold.
#include "privacy/sampling/digits.h"
#include "privacy/sampling/thresholds.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"

#define LANES GW_DIGITS_LANES

typedef struct {
    uint64_t magnitudes[LANES];
    uint64_t ties[LANES];
} kernel_output;

static kernel_output run(gw_digits_kernel kernel, const uint64_t *words, size_t lane_count, const uint64_t *firsts,
                         size_t count, unsigned shift) {
    kernel_output output = {{5}, {0}};
    kernel(words, lane_count, firsts, count, shift, output.magnitudes, output.ties);
    return output;
}

// For every number of lanes, and lanes past it left alone.
static void assert_kernels_agree(const uint64_t *words, const uint64_t *firsts, size_t count, unsigned shift) {
    for (size_t lane_count = 0; lane_count <= LANES; lane_count += 4) {
        kernel_output portable = run(gw_digits_kernel_portable, words, lane_count, firsts, count, shift);
        kernel_output best = run(gw_digits_kernel_best(), words, lane_count, firsts, count, shift);
        for (size_t lane = 0; lane < LANES; lane++) {
            assert_true(portable.magnitudes[lane] == best.magnitudes[lane]);
            assert_int_equal(portable.ties[lane] != 0, best.ties[lane] != 0);
        }
    }
}

static void radix_firsts(gw_noise noise, size_t digit, uint64_t firsts[GW_RADIX_VALUES]) {
    gw_thresholds thresholds;
    assert_int_equal(gw_thresholds_compute(noise, &thresholds), GW_OK);
    for (size_t d = 0; d < GW_RADIX_VALUES; d++)
        firsts[d] = thresholds.radix[digit][d].limbs[0];
}

static void kernels_agree_on_random_words(void **state) {
    (void)state;
    seeded_random random = {.state = 1};
    uint64_t words[LANES], firsts[GW_RADIX_VALUES];
    for (unsigned digit = 0; digit < 3; digit++) {
        radix_firsts((gw_noise){.epsilon = {100000}, .sensitivity = 1}, digit, firsts);
        for (int i = 0; i < 200; i++) {
            for (size_t lane = 0; lane < LANES; lane++)
                words[lane] = seeded_next(&random);
            assert_kernels_agree(words, firsts, GW_RADIX_VALUES, 4 * digit);
        }
    }
}

static void kernels_agree_beside_every_threshold(void **state) {
    (void)state;
    uint64_t words[LANES], firsts[GW_RADIX_VALUES];
    radix_firsts((gw_noise){.epsilon = {100000}, .sensitivity = 1}, 0, firsts);
    for (size_t lane = 0; lane < LANES; lane++)
        words[lane] = firsts[lane % GW_RADIX_VALUES] + lane / GW_RADIX_VALUES % 3 - 1;
    assert_kernels_agree(words, firsts, GW_RADIX_VALUES, 0);
    for (size_t lane = 0; lane < LANES; lane++)
        words[lane] = lane % 2 == 0 ? 0 : UINT64_MAX;
    assert_kernels_agree(words, firsts, GW_RADIX_VALUES, 60);
}

static void a_count_is_the_number_of_thresholds_above(void **state) {
    (void)state;
    const uint64_t firsts[3] = {1ull << 63, 100, 5};
    uint64_t words[LANES] = {0, 4, 5, 6, 100, 1ull << 63, UINT64_MAX, (1ull << 63) - 1};
    kernel_output output = run(gw_digits_kernel_best(), words, LANES, firsts, 3, 4);
    const uint64_t wanted[8] = {5 + (3 << 4), 3 << 4, 2 << 4, 2 << 4, 1 << 4, 0, 0, 1 << 4};
    const bool is_tie[8] = {false, false, true, false, true, true, false, false};
    for (size_t lane = 0; lane < 8; lane++) {
        assert_int_equal(output.magnitudes[lane], wanted[lane]);
        assert_int_equal(output.ties[lane] != 0, is_tie[lane]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_agree_on_random_words),
        cmocka_unit_test(kernels_agree_beside_every_threshold),
        cmocka_unit_test(a_count_is_the_number_of_thresholds_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
