// SPDX-License-Identifier: Apache-2.0
// Coins with replayed randomness: thresholds to the last of their 320 bits against decimals of 400 digits, heads only
// where every coin of a set bit says so, the same words whatever m is.
#include "privacy/sampling/bernoulli_exp.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"

typedef struct {
    uint64_t numerator;
    uint64_t denominator;
    size_t bit_count;   // bits of m whose coin can fall on heads
    gw_threshold first; // exp(-numerator / denominator)
    gw_threshold last;  // of the highest of these bits
} oracle_case;

static const oracle_case CASES[] = {
    {1u,
     1u,
     8,
     {{0x5e2d58d8b3bcdf1au, 0xbadec7829054f90du, 0xda9805aab56c7733u, 0x3024b9d0a507daedu, 0xb16400bf472b4215u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x00000000000000a1u, 0x75cf9cd7d8584476u, 0xb75a7a1e64f63d87u}}},
    {1u,
     10u,
     11,
     {{0xe7a36ccea959d401u, 0x51e5380f2cede803u, 0xb3319390a1726976u, 0xbfd31c43e9b1886au, 0x2f90bf67bcbe8b32u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x000013443de685b5u, 0xfee1cdc271792850u, 0x76d188fb2ca64993u}}},
    {355u,
     113u,
     6,
     {{0x0b10110c29b1415au, 0x97dc04fdde4d4727u, 0x702a538b29d59545u, 0x489b911661d8fea7u, 0x7371349e92135ac2u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x00007ce2b5a9b3e0u, 0x6efb394708ebf5efu, 0x63f1c919ec80561bu}}},
    {1u,
     1000003u,
     28,
     {{0xffffef390c3872c6u, 0x4591d95aa0a8ac63u, 0x2be800cbe5e742feu, 0xd6de182a6f8bc493u, 0xa3dd7fe486b52fb2u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x52717bffae275cbeu, 0xf1b734a02f4fc714u}}},
    {99999u,
     1000000000000000003u,
     51,
     {{0xffffffffffe3da50u, 0x0a145cdca9615165u, 0xf1feec90d9cc1936u, 0xc963d6af225a7d9du, 0xebc68d2936149f9bu}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x000000002f75729fu, 0x0df2e1cb36461355u, 0x9a8a7f385a50284cu}}},
    {1u,
     18446744073709551615u,
     72,
     {{0xfffffffffffffffeu, 0xffffffffffffffffu, 0x7fffffffffffffffu, 0xd555555555555555u, 0x6000000000000000u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x00000000000000a1u, 0x75cf9cd7d857f3bbu, 0xcf8c0e3238e7e02bu}}},
    {1000000007u, 7u, 0, {{0}}, {{0}}},
};
#define CASE_COUNT (sizeof(CASES) / sizeof(CASES[0]))
#define ROW 4 // lanes drawn for one coin

static gw_bernoulli_exp *law_new(uint64_t numerator, uint64_t denominator) {
    gw_bernoulli_exp *law = NULL;
    assert_int_equal(gw_bernoulli_exp_new(numerator, denominator, &law), GW_OK);
    return law;
}

// One coin of m = 2^bit; every word is `quiet` but the one of this bit, which ties, and ends in `last_limb`.
static uint8_t throw_tied(const oracle_case *one, size_t bit, const gw_threshold *tied, uint64_t last_limb) {
    gw_bernoulli_exp *law = law_new(one->numerator, one->denominator);
    size_t row_count = one->bit_count < 64 ? one->bit_count : 64;
    uint64_t words[64 * ROW + 4];
    for (size_t i = 0; i < 64 * ROW + 4; i++)
        words[i] = 1ull << 63 | i;
    words[bit * ROW] = tied->limbs[0];
    for (size_t i = 0; i < 3; i++)
        words[(bit + 1) * ROW + i] = tied->limbs[i + 1];
    words[(bit + 1) * ROW + 3] = last_limb;
    replayed_random record = {.words = words, .count = row_count * ROW + 4};
    uint64_t m = 1ull << bit;
    uint8_t coin = 9;
    assert_int_equal(gw_bernoulli_exp_fill(law, replayed_source(&record), &m, &coin, 1), GW_OK);
    assert_int_equal(record.given, record.count);
    gw_bernoulli_exp_free(law);
    return coin;
}

static void thresholds_match_the_oracle_to_the_last_bit(void **state) {
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        const oracle_case *one = &CASES[i];
        if (one->bit_count == 0)
            continue;
        assert_int_equal(throw_tied(one, 0, &one->first, one->first.limbs[4] - 1), 1);
        assert_int_equal(throw_tied(one, 0, &one->first, one->first.limbs[4]), 0);
        if (one->bit_count > 64)
            continue; // 64 bits of m never reach the last
        assert_int_equal(throw_tied(one, one->bit_count - 1, &one->last, one->last.limbs[4] - 1), 1);
        assert_int_equal(throw_tied(one, one->bit_count - 1, &one->last, one->last.limbs[4]), 0);
    }
}

// m = 0 is always heads, whatever is thrown; a bit past the last threshold never is, even where every word is 0.
static gw_status zeros_fill(void *state, void *bytes, size_t count) {
    size_t *drawn = state;
    *drawn += count;
    memset(bytes, 0, count);
    return GW_OK;
}

static void zero_is_heads_and_a_hopeless_bit_is_tails(void **state) {
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        gw_bernoulli_exp *law = law_new(CASES[i].numerator, CASES[i].denominator);
        uint64_t m[3] = {0, CASES[i].bit_count < 64 ? 1ull << CASES[i].bit_count : 0, UINT64_MAX};
        uint8_t coins[3] = {9, 9, 9};
        seeded_random random = {.state = i};
        assert_int_equal(gw_bernoulli_exp_fill(law, seeded_source(&random), m, coins, 3), GW_OK);
        assert_int_equal(coins[0], 1);
        assert_int_equal(coins[1], CASES[i].bit_count < 64 ? 0 : 1);
        size_t drawn = 0;
        gw_random_source zeros = {.fill = zeros_fill, .state = &drawn};
        assert_int_equal(gw_bernoulli_exp_fill(law, zeros, m, coins, 3), GW_OK);
        assert_int_equal(coins[1], CASES[i].bit_count < 64 ? 0 : 1);
        assert_int_equal(coins[2], CASES[i].bit_count < 64 ? 0 : 1);
        gw_bernoulli_exp_free(law);
    }
}

// Every bit has its own word: heads exactly where the words of all set bits lie below their thresholds.
static void a_coin_is_what_the_words_of_its_bits_say(void **state) {
    (void)state;
    const oracle_case *one = &CASES[1];
    gw_threshold thresholds[64]; // found by asking: the largest first limb that still is heads
    gw_bernoulli_exp *law = law_new(one->numerator, one->denominator);
    assert_true(one->bit_count == 11);
    for (size_t bit = 0; bit < one->bit_count; bit++) {
        uint64_t low = 0, high = UINT64_MAX;
        while (high - low > 1) {
            uint64_t words[64 * ROW], middle = low + (high - low) / 2, m = 1ull << bit;
            uint8_t coin;
            for (size_t i = 0; i < 64 * ROW; i++)
                words[i] = 1ull << 63 | i;
            words[bit * ROW] = middle;
            replayed_random record = {.words = words, .count = 64 * ROW};
            assert_int_equal(gw_bernoulli_exp_fill(law, replayed_source(&record), &m, &coin, 1), GW_OK);
            if (coin == 1)
                low = middle;
            else
                high = middle;
        }
        thresholds[bit].limbs[0] = low;
    }
    assert_true(thresholds[0].limbs[0] == one->first.limbs[0] - 1);
    seeded_random random = {.state = 5};
    for (int round = 0; round < 400; round++) {
        uint64_t words[64 * 64], m[64];
        uint8_t coins[64];
        size_t count = 1 + seeded_next(&random) % 64, lanes = (count + ROW - 1) / ROW * ROW;
        for (size_t i = 0; i < one->bit_count * lanes; i++)
            words[i] = seeded_next(&random);
        for (size_t lane = 0; lane < count; lane++)
            m[lane] = seeded_next(&random) % 40;
        replayed_random record = {.words = words, .count = one->bit_count * lanes};
        assert_int_equal(gw_bernoulli_exp_fill(law, replayed_source(&record), m, coins, count), GW_OK);
        assert_int_equal(record.given, record.count);
        for (size_t lane = 0; lane < count; lane++) {
            bool is_heads = true;
            for (size_t bit = 0; bit < one->bit_count; bit++)
                is_heads &= (m[lane] >> bit & 1) == 0 || words[bit * lanes + lane] <= thresholds[bit].limbs[0];
            assert_int_equal(coins[lane], is_heads);
        }
    }
    gw_bernoulli_exp_free(law);
}

static void the_words_drawn_do_not_depend_on_m(void **state) {
    (void)state;
    gw_bernoulli_exp *law = law_new(1, 1000003);
    uint64_t m[150];
    uint8_t coins[150];
    size_t first = 0;
    for (uint64_t seed = 1; seed < 50; seed++) {
        seeded_random random = {.state = seed}, values = {.state = seed};
        for (size_t i = 0; i < 150; i++)
            m[i] = seeded_next(&values) >> (seed % 64);
        assert_int_equal(gw_bernoulli_exp_fill(law, seeded_source(&random), m, coins, 150), GW_OK);
        if (first == 0)
            first = random.bytes_given;
        assert_int_equal(random.bytes_given, first);
    }
    gw_bernoulli_exp_free(law);
}

// A denominator past 64 bits; m with bits in three limbs.
static void wide_ratios_have_wide_coins(void **state) {
    (void)state;
    const gw_wide denominator = {{0x2000000000000127u, 0x9fffffffffffffd6u}};
    const gw_threshold high = {
        {0x00000013b3a8e013u, 0xffb02c03ad46f788u, 0x2a8652da522946b1u, 0x063141bdf3652affu, 0x01801712d56f117au}};
    gw_bernoulli_exp *law = NULL;
    assert_int_equal(gw_bernoulli_exp_new_wide((gw_wide){{3}}, denominator, &law), GW_OK);
    static uint64_t words[256 * ROW];
    for (int is_below = 0; is_below < 2; is_below++) {
        memset(words, 0, sizeof(words)); // heads for every other bit
        words[130 * ROW] = high.limbs[0] - (uint64_t)is_below;
        words[131 * ROW] = UINT64_MAX; // should it tie: tails
        gw_wide m[4] = {{{0, 0, 4}}, {{0, 0, 0, 1}}, {{0}}, {{~0ull, ~0ull, 1}}};
        uint8_t coins[4];
        replayed_random record = {.words = words, .count = 256 * ROW};
        assert_int_equal(gw_bernoulli_exp_fill_wide(law, replayed_source(&record), m, coins, 4), GW_OK);
        assert_int_equal(coins[0], is_below);
        assert_int_equal(coins[1], 0);
        assert_int_equal(coins[2], 1);
    }
    gw_bernoulli_exp_free(law);
}

static void what_cannot_be_certified_is_refused(void **state) {
    (void)state;
    gw_bernoulli_exp *law = NULL;
    assert_int_equal(gw_bernoulli_exp_new(0, 1, &law), GW_INVALID);
    assert_int_equal(gw_bernoulli_exp_new(1, 0, &law), GW_INVALID);
    assert_int_equal(gw_bernoulli_exp_new_wide((gw_wide){{1}}, (gw_wide){{0, 0, 4}}, &law), GW_INVALID);
    assert_null(law);
    for (unsigned bits = 64; bits < 128; bits++) { // powers of two are the nearest to a multiple of 2^-320
        gw_wide denominator = {{0, 1ull << (bits - 64)}};
        assert_int_equal(gw_bernoulli_exp_new_wide((gw_wide){{1}}, denominator, &law), GW_OK);
        gw_bernoulli_exp_free(law);
    }
    gw_bernoulli_exp_free(NULL);
}

static void a_failing_source_leaves_tails(void **state) {
    (void)state;
    gw_bernoulli_exp *law = law_new(1, 10);
    uint64_t m[100] = {0};
    uint8_t coins[100];
    memset(coins, 1, sizeof(coins));
    seeded_random random = {.state = 1, .bytes_max = 6000}; // in the second block
    assert_int_equal(gw_bernoulli_exp_fill(law, seeded_source(&random), m, coins, 100), GW_UNAVAILABLE);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(coins[i], 0);
    gw_bernoulli_exp_free(law);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thresholds_match_the_oracle_to_the_last_bit),
        cmocka_unit_test(zero_is_heads_and_a_hopeless_bit_is_tails),
        cmocka_unit_test(a_coin_is_what_the_words_of_its_bits_say),
        cmocka_unit_test(the_words_drawn_do_not_depend_on_m),
        cmocka_unit_test(wide_ratios_have_wide_coins),
        cmocka_unit_test(what_cannot_be_certified_is_refused),
        cmocka_unit_test(a_failing_source_leaves_tails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
