// SPDX-License-Identifier: Apache-2.0
// The sampler's bookkeeping, with replayed randomness: every sample is what its words say, ties are settled by further
// limbs, the number of words is fixed by law and count, and a failing source leaves nothing.
#include "privacy/sampling/discrete_laplace.h"
#include "privacy/sampling/thresholds.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"

#define LANES_RADIX 64

typedef gw_status (*fill_function)(const gw_discrete_laplace *, gw_random_source, int64_t *, size_t);

static const gw_noise TENTH = {.epsilon = {100000}, .sensitivity = 1};

static gw_discrete_laplace *law_new(gw_noise noise) {
    gw_discrete_laplace *law = NULL;
    assert_int_equal(gw_discrete_laplace_new(noise, &law), GW_OK);
    return law;
}

static gw_thresholds thresholds_of(gw_noise noise) {
    gw_thresholds thresholds;
    assert_int_equal(gw_thresholds_compute(noise, &thresholds), GW_OK);
    return thresholds;
}

// A block has room for 64 lanes of 16 digits, or fewer lanes of more digits.
static size_t lanes_of(size_t digits) {
    size_t fitting = (size_t)LANES_RADIX * 17 / (1 + digits) / 4 * 4;
    return fitting < LANES_RADIX ? fitting : LANES_RADIX;
}

static size_t block_words(size_t count, size_t digits) {
    return (count + 3) / 4 * 4 * (1 + digits) + 1;
}

static size_t fill_words(size_t count, size_t digits, size_t lanes) {
    size_t words = count / lanes * block_words(lanes, digits);
    return count % lanes == 0 ? words : words + block_words(count % lanes, digits);
}

// What the first limbs of a block say, spelled out one sample at a time.
static int64_t decode(const gw_thresholds *thresholds, bool is_radix, const uint64_t *words, size_t lane_count,
                      size_t lane) {
    uint64_t magnitude = 1;
    size_t digits = is_radix ? thresholds->radix_count : thresholds->binary_count;
    for (size_t j = 0; j < digits; j++) {
        uint64_t word = words[(j + 1) * lane_count + lane];
        if (!is_radix) {
            magnitude += word < thresholds->binary[j].limbs[0] ? 1ull << j : 0;
            continue;
        }
        for (size_t d = 0; d < GW_RADIX_VALUES; d++)
            magnitude += word < thresholds->radix[j][d].limbs[0] ? 1ull << (4 * j) : 0;
    }
    if (words[lane] < thresholds->zero.limbs[0])
        return 0;
    bool is_negative = words[lane_count * (digits + 1)] >> lane & 1;
    return is_negative ? -(int64_t)magnitude : (int64_t)magnitude;
}

static void assert_samples_follow_words(gw_noise noise, bool is_radix, size_t count) {
    gw_discrete_laplace *law = law_new(noise);
    gw_thresholds thresholds = thresholds_of(noise);
    size_t digits = is_radix ? thresholds.radix_count : thresholds.binary_count;
    size_t lanes = lanes_of(digits);
    size_t word_count = fill_words(count, digits, lanes);
    uint64_t *words = malloc(word_count * sizeof(*words));
    int64_t *samples = malloc(count * sizeof(*samples));
    seeded_random random = {.state = count};
    for (size_t i = 0; i < word_count; i++)
        words[i] = seeded_next(&random);
    replayed_random record = {.words = words, .count = word_count};
    fill_function fill = is_radix ? gw_discrete_laplace_fill : gw_discrete_laplace_fill_plain;
    assert_int_equal(fill(law, replayed_source(&record), samples, count), GW_OK);
    assert_int_equal(record.given, word_count);
    const uint64_t *block = words;
    for (size_t done = 0; done < count; done += lanes) {
        size_t now = count - done < lanes ? count - done : lanes;
        for (size_t lane = 0; lane < now; lane++)
            assert_true(samples[done + lane] == decode(&thresholds, is_radix, block, (now + 3) / 4 * 4, lane));
        block += block_words(now, digits);
    }
    free(words);
    free(samples);
    gw_discrete_laplace_free(law);
}

static void samples_are_what_their_words_say(void **state) {
    (void)state;
    const gw_noise laws[] = {TENTH,         {{1000000}, 1},          {{10000}, 1},
                             {{333333}, 7}, {{1000000}, 1ull << 40}, {{100}, 1ull << 40}};
    const size_t counts[] = {1, 3, 4, 16, 17, 63, 64, 65, 1000};
    for (size_t i = 0; i < sizeof(laws) / sizeof(laws[0]); i++)
        for (size_t j = 0; j < sizeof(counts) / sizeof(counts[0]); j++) {
            assert_samples_follow_words(laws[i], true, counts[j]);
            assert_samples_follow_words(laws[i], false, counts[j]);
        }
}

// One sample whose words are all `quiet` but for one that ties, followed by the four limbs that settle it.
static int64_t settle(size_t digits, fill_function fill, size_t tied_word, const gw_threshold *tied, uint64_t zero_word,
                      uint64_t last_limb) {
    gw_discrete_laplace *law = law_new(TENTH);
    uint64_t words[200];
    size_t word_count = block_words(1, digits);
    for (size_t i = 0; i < word_count; i++)
        words[i] = UINT64_MAX - 1; // above every threshold of this law: digit 0, not zero
    words[0] = zero_word;
    words[4 * (1 + digits)] = 0; // positive
    words[tied_word] = tied->limbs[0];
    for (size_t i = 0; i < 3; i++)
        words[word_count + i] = tied->limbs[i + 1];
    words[word_count + 3] = last_limb;
    replayed_random record = {.words = words, .count = word_count + 4};
    int64_t sample = 0;
    assert_int_equal(fill(law, replayed_source(&record), &sample, 1), GW_OK);
    assert_int_equal(record.given, word_count + 4);
    gw_discrete_laplace_free(law);
    return sample;
}

static void ties_are_settled_by_the_last_limb(void **state) {
    (void)state;
    gw_thresholds t = thresholds_of(TENTH);
    const gw_threshold *zero = &t.zero, *fifth = &t.radix[0][4], *bit = &t.binary[3];
    uint64_t quiet = UINT64_MAX - 1;
    assert_int_equal(settle(t.radix_count, gw_discrete_laplace_fill, 0, zero, zero->limbs[0], zero->limbs[4] - 1), 0);
    assert_int_equal(settle(t.radix_count, gw_discrete_laplace_fill, 0, zero, zero->limbs[0], zero->limbs[4]), 1);
    assert_int_equal(settle(t.radix_count, gw_discrete_laplace_fill, 4, fifth, quiet, fifth->limbs[4] - 1), 1 + 5);
    assert_int_equal(settle(t.radix_count, gw_discrete_laplace_fill, 4, fifth, quiet, fifth->limbs[4] + 1), 1 + 4);
    size_t fourth_row = 4 * 4;
    assert_int_equal(settle(t.binary_count, gw_discrete_laplace_fill_plain, fourth_row, bit, quiet, bit->limbs[4] - 1),
                     1 + 8);
    assert_int_equal(settle(t.binary_count, gw_discrete_laplace_fill_plain, fourth_row, bit, quiet, bit->limbs[4]), 1);
}

// Zero test failing and every digit at its highest: the largest magnitude there is.
static gw_status highest_fill(void *state, void *bytes, size_t count) {
    bool *is_first = state;
    memset(bytes, 0, count);
    if (*is_first)
        memset(bytes, 0xFF, 4 * sizeof(uint64_t)); // the zero tests of four lanes
    *is_first = false;
    return GW_OK;
}

static void the_largest_magnitude_is_known(void **state) {
    (void)state;
    const gw_noise laws[] = {TENTH, {{1000000}, 1}, {{50}, 1ull << 40}, {{100}, 1ull << 40}, {{40000000}, 1}};
    for (size_t i = 0; i < sizeof(laws) / sizeof(laws[0]); i++) {
        gw_discrete_laplace *law = law_new(laws[i]);
        unsigned bits = thresholds_of(laws[i]).binary_count;
        bool is_first = true;
        int64_t radix = 0, plain = 0;
        gw_random_source source = {.fill = highest_fill, .state = &is_first};
        assert_int_equal(gw_discrete_laplace_fill(law, source, &radix, 1), GW_OK);
        is_first = true;
        assert_int_equal(gw_discrete_laplace_fill_plain(law, source, &plain, 1), GW_OK);
        assert_true(plain == (int64_t)1 << bits);
        // In base 16 the last few values may have a probability below 2^-320, that is a threshold of 0.
        assert_true(radix <= plain && radix > plain / 2);
        assert_true(bits <= 62);
        gw_discrete_laplace_free(law);
    }
    assert_int_equal(thresholds_of((gw_noise){{50}, 1ull << 40}).binary_count, 62); // the edge is among them
}

static void the_words_drawn_depend_on_the_count_alone(void **state) {
    (void)state;
    gw_discrete_laplace *law = law_new(TENTH);
    int64_t samples[777];
    for (uint64_t seed = 0; seed < 50; seed++) {
        seeded_random random = {.state = seed};
        assert_int_equal(gw_discrete_laplace_fill(law, seeded_source(&random), samples, 777), GW_OK);
        assert_int_equal(random.bytes_given, 8 * fill_words(777, 3, LANES_RADIX));
        assert_int_equal(random.call_count, 13);
    }
    gw_discrete_laplace_free(law);
}

static void a_failing_source_leaves_no_noise(void **state) {
    (void)state;
    gw_discrete_laplace *law = law_new(TENTH);
    int64_t samples[200];
    memset(samples, 0x55, sizeof(samples));
    seeded_random random = {.state = 1, .bytes_max = 3000}; // the second block fails
    assert_int_equal(gw_discrete_laplace_fill(law, seeded_source(&random), samples, 200), GW_UNAVAILABLE);
    assert_true(random.bytes_given > 0);
    for (size_t i = 0; i < 200; i++)
        assert_true(samples[i] == 0);
    gw_discrete_laplace_free(law);
    gw_discrete_laplace_free(NULL);
}

static void nothing_asked_draws_nothing(void **state) {
    (void)state;
    gw_discrete_laplace *law = law_new(TENTH);
    seeded_random random = {.state = 1};
    int64_t sample = 9;
    assert_int_equal(gw_discrete_laplace_fill(law, seeded_source(&random), &sample, 0), GW_OK);
    assert_int_equal(random.bytes_given, 0);
    assert_int_equal(sample, 9);
    gw_discrete_laplace_free(law);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_what_their_words_say), cmocka_unit_test(ties_are_settled_by_the_last_limb),
        cmocka_unit_test(the_largest_magnitude_is_known),   cmocka_unit_test(the_words_drawn_depend_on_the_count_alone),
        cmocka_unit_test(a_failing_source_leaves_no_noise), cmocka_unit_test(nothing_asked_draws_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
