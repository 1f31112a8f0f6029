// SPDX-License-Identifier: Apache-2.0
// Thresholds against an oracle computed with 400 decimal digits by another method (decimal exp, no intervals), to the
// last of their 320 bits.
#include "privacy/sampling/thresholds.h"
#include "tests/support/unit.h"

typedef struct {
    uint64_t micro;
    uint64_t sensitivity;
    unsigned binary_count;
    unsigned radix_count;
    gw_threshold zero;
    gw_threshold binary_first;
    gw_threshold binary_last;
    gw_threshold radix_first; // digit 0 is at least 1
    unsigned top;             // highest value of the last digit
    gw_threshold radix_top;   // digit 0 is at least 15, or `top` where it is the last digit
    gw_threshold radix_last;  // the last digit is at least `top`
} oracle_case;

static const oracle_case CASES[] = {
    {1000000,
     1ull,
     8,
     2,
     {{0x764d4f5d5a2bcd94u, 0x4a3b887196c234e9u, 0xf32657a0b7d69a41u, 0x2d9cbfa05b125dd7u, 0xc66c2c31491fa087u}},
     {{0x44d9585152ea1935u, 0xdae23bc7349ee58bu, 0x066cd42fa414b2dfu, 0x6931a02fd276d114u, 0x1cc9e9e75b702fbcu}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x00000000000000a1u, 0x75cf9cd7d8584476u, 0xb75a7a1e64f63d87u}},
     {{0x5e2d57a72d17aa2eu, 0x47b13fbed506b3d6u, 0xb878069be8f26a75u, 0xcb1038c63b300ba3u, 0x4cc1be081de3eb96u}},
     15,
     {{0x0000033e8172fb17u, 0x0f203e84febb3738u, 0x8cc138b3fb685788u, 0x754ea76e7956b59cu, 0x6b08be37873a26f1u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u}}},
    {100000,
     1ull,
     11,
     3,
     {{0x0cca12729afb7c2fu, 0x7ae6ecae5ca49b61u, 0x3c8a77752cd06c92u, 0x7f9268b9b19cccaau, 0xb1be45a65b1772b2u}},
     {{0x799af6c6b28241e8u, 0x428c89a8d1adb24fu, 0x61bac4456997c9b6u, 0xc036cba3273199aau, 0xa720dd2cd27446a6u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x000013443de685b5u, 0xfee1cdc271792850u, 0x76d188fb2b331632u}},
     {{0xe179c1a7ee3532e1u, 0x7d67e749ea199053u, 0x132ef20d0bb558adu, 0x82529d8258af4c0eu, 0xeb700d30adb0269au}},
     7,
     {{0x06cf97e9c19146aau, 0x5812208e2540af4fu, 0xbbc3cfaccf9a19f0u, 0xad5e9da75228cd3cu, 0xf4d4f88be6fe1a68u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x2c4b56475f27a3ffu}}},
    {10000,
     1ull,
     15,
     4,
     {{0x0147ad61865a87cbu, 0x1a8e3173b5e0941au, 0x039e3559d829f519u, 0x390fe594cb769947u, 0x5fd76b56c93272f3u}},
     {{0x7f5c294f3cd2bc1au, 0x72b8e746250fb5f2u, 0xfe30e55313eb0573u, 0x63780d359a44b35cu, 0x50144a549b66c686u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x00000000000c5ee0u, 0x2a0e56a4b88d3047u}},
     {{0xeec5ac89a79b70a3u, 0x9249a63b7f25a4c4u, 0xac02f2265b53908au, 0x1ad5314f587f5e3fu, 0x899f29cd5db1839cu}},
     7,
     {{0x0ed400b6b6608bb3u, 0xc0e4d25e1e6a433cu, 0xef31a946f19ec8cau, 0xf87700748f98e4e3u, 0x37959082ed6cb7b3u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u}}},
    {2000000,
     1ull,
     7,
     2,
     {{0xc2f7d5a8a79ca2acu, 0x3195f149e213a7f3u, 0x15e66c3d71a02220u, 0x15b1ecd29f69a4a7u, 0x2a2326d72580e79cu}},
     {{0x1e84152bac31aea9u, 0xe735075b0ef62c06u, 0x750cc9e1472feeefu, 0xf5270996b04b2dacu, 0x6aee6c946d3f8c31u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x00000000000000a1u, 0x75cf9cd7d8584476u, 0xb75a7a1e64f63d87u}},
     {{0x22a555477f008233u, 0x1fbd01d4d8e393ddu, 0x315e4eb4ada71d51u, 0x90a62c2ef60997c8u, 0x7131656a9c87acb3u}},
     7,
     {{0x000000000016c654u, 0x23c053390058fa6fu, 0x1f642e7bcdeb24a5u, 0x4e570e524f4cf751u, 0x15f835b4a1ee90ebu}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u}}},
    {333333,
     7ull,
     12,
     3,
     {{0x061815a88d897ed9u, 0x252d4a277c77845cu, 0x5e8aee0afb8d71d5u, 0x915f6c4ee77bd5feu, 0xad870cb63a70dda1u}},
     {{0x7cf3f52bb93b4093u, 0x6d695aec41c43dd1u, 0xd0ba88fa82394715u, 0x375049d88c421500u, 0xa93c79a4e2c7912fu}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0009deacc5add3a3u, 0x7c085e107c167f71u, 0xcde87998b33683afu}},
     {{0xe9ac87deeb4da423u, 0x387e1b1997c8846au, 0xf56807ee8ea0d328u, 0x5342d99fba923cd6u, 0x21789ee54ae8302eu}},
     15,
     {{0x0aedf65977caedeeu, 0xaee886229a5a097du, 0x46be7d3a8093c245u, 0x93ae0eca11437eacu, 0x5b094f2d76e894b3u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0124ad3199ad2057u}}},
    {1,
     1ull,
     28,
     7,
     {{0x000008637bd05af6u, 0x01d771a5e19317eau, 0xfe73ee2d0b2ed2dfu, 0xd8606448d74529b4u, 0x113437bc353a09b8u}},
     {{0x7ffffbce4217d284u, 0xff14472d0f36740au, 0x80c608e97a689690u, 0x13cfcddb945d6b25u, 0xf765e421e562fb23u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x5268fce80cdfdc82u, 0x6a063ec15d1c6df0u}},
     {{0xeffff822bab8cdc5u, 0x2034762b49b6d7b7u, 0xf219a871697d0f5fu, 0x47a1f5a97378b710u, 0x46336d55b150ccb7u}},
     15,
     {{0x0ffff822bd2087c1u, 0xc96e323b3835cb82u, 0x8991f883a5ebb668u, 0xc18bb48a59d5d058u, 0xce04c88b05e773fcu}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u}}},
    {100000,
     1073741824ull,
     41,
     11,
     {{0x0000000033333333u, 0x3333333332846ff5u, 0x13cc1e098eb0318bu, 0x9346994185058247u, 0x8acd7586894327c1u}},
     {{0x7fffffffe6666666u, 0x6666666666bdc805u, 0x7619f0fb38a7e73au, 0x365cb35f3d7d3edcu, 0x3a99453cbb5e6c1fu}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x000013443de685b5u, 0xfee1cdc271792850u, 0x76d188fb2b331632u}},
     {{0xefffffffcfffffffu, 0xd33333333cccccccu, 0xf0c26c684869f32au, 0x52dc9372e65ee18cu, 0x43170eb97f383ac0u}},
     1,
     {{0x0fffffffd0000000u, 0x2cccccccd6666666u, 0x4270c6cadc249747u, 0x8b8d19cfebc3bd37u, 0x57b4ed28ad3acee6u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x000013443de685b5u, 0xfee1cdc271792850u, 0x76d188fb2ca64993u}}},
    {123456789,
     1ull,
     1,
     1,
     {{0xffffffffffffffffu, 0xffffffffffffffffu, 0xffffffffffff8970u, 0x068f0ce258bd6306u, 0x606e841ef5130faau}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000003b47u, 0xfcb8798ed3a14e7cu, 0xcfc8bdf08576782au}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000003b47u, 0xfcb8798ed3a14e7cu, 0xcfc8bdf08576782au}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000003b47u, 0xfcb8798ed3a14e7cu, 0xcfc8bdf08576782au}},
     1,
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000003b47u, 0xfcb8798ed3a14e7cu, 0xcfc8bdf08576782au}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000003b47u, 0xfcb8798ed3a14e7cu, 0xcfc8bdf08576782au}}},
    {1000000,
     1099511627776ull,
     48,
     12,
     {{0x00000000007fffffu, 0xfffffffffffffff5u, 0x5555555555555555u, 0x5556666666666666u, 0x666666664ac4ac4au}},
     {{0x7fffffffffc00000u, 0x0000000000000005u, 0x5555555555555555u, 0x5554ccccccccccccu, 0xccccccccda9da9dau}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x00000000000000a1u, 0x75cf9cd7d8584476u, 0xb75a7a1e64f63d87u}},
     {{0xefffffffff87ffffu, 0xfffee80000000096u, 0x000000057caaaaaau, 0xa7dfaaaaaa88ede3u, 0x8e38f4a8682082e0u}},
     15,
     {{0x0fffffffff880000u, 0x0001180000000095u, 0xfffffffa83555555u, 0x528a55555577121cu, 0x71c72d8bf65964beu}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u}}},
    {1,
     12000000000ull,
     61,
     16,
     {{0x0000000000000300u, 0x9d45268e58ef3053u, 0x467ab195173023edu, 0xdc47ab48a1b4ac36u, 0xf325aeeaf36ed081u}},
     {{0x7ffffffffffffe7fu, 0xb15d6cb8d38867d6u, 0x5cc2a7357467ee09u, 0x11dc2a5baf25a9e4u, 0x866d288a864897bfu}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0029f260f04e2b8eu, 0x993a50959a2f805du, 0x03a6ea8e846e77ecu}},
     {{0xeffffffffffffd2fu, 0x6c8f2bda8c78528fu, 0xf0061b87649b7043u, 0x35a27b5296e575e8u, 0x2d8c069c0d82e5d1u}},
     1,
     {{0x0ffffffffffffd2fu, 0x6c8f2bda8cc732d3u, 0xebd3d781fcbb8d2au, 0x3b7101e9cbd6a04au, 0xdd80910900de49f8u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0029f260f04e2b8eu, 0x993a50959a2f805du, 0x03a6f16e0cf6dbffu}}},
    {47000,
     3ull,
     14,
     4,
     {{0x02015ad65c11cad9u, 0x526802fdb77f593du, 0x594ab9f0beddf297u, 0xe835457a9eee26c9u, 0x475a3f4ae2277382u}},
     {{0x7eff5294d1f71a93u, 0x56cbfe8124405361u, 0x535aa307a09106b4u, 0x0be55d42b088ec9bu, 0x5c52e05a8eec463eu}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000072u, 0xc4faae2d1e91f9c7u, 0x9cd3cf17deb80126u}},
     {{0xee0d4bb057905d30u, 0x31e78039829eb1a2u, 0xb836cd4221e8d410u, 0x0a4c9ff88e0e1a93u, 0xd2c1bfe169e3c266u}},
     3,
     {{0x0e307076e60cfdf2u, 0x09f864dde9b48fdcu, 0xcccd2b391a0b02c2u, 0x68267eb1bf9f3816u, 0x5017cf6d157a8560u}},
     {{0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x0000000000000000u, 0x000004cd87e9aff8u}}},
};
#define CASE_COUNT (sizeof(CASES) / sizeof(CASES[0]))

static void assert_threshold(const gw_threshold *got, const gw_threshold *wanted) {
    assert_memory_equal(got->limbs, wanted->limbs, sizeof(got->limbs));
}

static void thresholds_match_the_oracle_to_the_last_bit(void **state) {
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        const oracle_case *wanted = &CASES[i];
        gw_thresholds got;
        gw_noise noise = {.epsilon = {wanted->micro}, .sensitivity = wanted->sensitivity};
        assert_int_equal(gw_thresholds_compute(noise, &got), GW_OK);
        assert_int_equal(got.binary_count, wanted->binary_count);
        assert_int_equal(got.radix_count, wanted->radix_count);
        assert_threshold(&got.zero, &wanted->zero);
        assert_threshold(&got.binary[0], &wanted->binary_first);
        assert_threshold(&got.binary[got.binary_count - 1], &wanted->binary_last);
        assert_threshold(&got.radix[0][0], &wanted->radix_first);
        unsigned top_of_first = got.radix_count == 1 ? wanted->top : GW_RADIX_VALUES;
        assert_threshold(&got.radix[0][top_of_first - 1], &wanted->radix_top);
        assert_threshold(&got.radix[got.radix_count - 1][wanted->top - 1], &wanted->radix_last);
    }
}

// First limbs for epsilon 1, from an independent derivation.
static void first_limbs_for_epsilon_one(void **state) {
    (void)state;
    gw_thresholds got;
    assert_int_equal(gw_thresholds_compute((gw_noise){.epsilon = {1000000}, .sensitivity = 1}, &got), GW_OK);
    assert_true(got.zero.limbs[0] == 0x764d4f5d5a2bcd94u);
    assert_true(got.binary[0].limbs[0] == 0x44d9585152ea1935u);
    assert_true(got.binary[1].limbs[0] == 0x1e84152bac31aea9u);
    assert_true(got.binary[2].limbs[0] == 0x049abe8790f0b0b3u);
    assert_true(got.binary[3].limbs[0] == 0x0015fa3dd7d2f7a5u);
    assert_true(got.binary[4].limbs[0] == 0x000001e355b81e5bu);
}

static void equal_ratios_have_equal_thresholds(void **state) {
    (void)state;
    gw_thresholds a, b;
    assert_int_equal(gw_thresholds_compute((gw_noise){.epsilon = {100000}, .sensitivity = 1}, &a), GW_OK);
    assert_int_equal(gw_thresholds_compute((gw_noise){.epsilon = {100000 * 1024}, .sensitivity = 1024}, &b), GW_OK);
    assert_memory_equal(&a, &b, sizeof(a));
}

// A digit's thresholds fall with its value, and none lets the magnitude pass 2^binary_count.
static void digits_fall_and_stay_in_range(void **state) {
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        gw_thresholds got;
        assert_int_equal(
            gw_thresholds_compute((gw_noise){.epsilon = {CASES[i].micro}, .sensitivity = CASES[i].sensitivity}, &got),
            GW_OK);
        assert_true(got.binary_count <= GW_BINARY_DIGITS_MAX);
        for (unsigned j = 0; j < got.radix_count; j++) {
            for (unsigned d = 1; d <= GW_RADIX_VALUES; d++) {
                const gw_threshold *here = &got.radix[j][d - 1];
                bool is_zero = true;
                for (int k = 0; k < GW_THRESHOLD_LIMBS; k++)
                    is_zero &= here->limbs[k] == 0;
                bool is_past = 4 * j >= 64 || (uint64_t)d >> (got.binary_count - 4 * j) != 0;
                if (is_past)
                    assert_true(is_zero);
                if (d > 1)
                    assert_true(here->limbs[0] <= got.radix[j][d - 2].limbs[0]);
            }
        }
    }
}

static void what_cannot_be_certified_is_refused(void **state) {
    (void)state;
    const struct {
        uint64_t micro;
        uint64_t sensitivity;
    } refused[] = {
        {0, 1},
        {1000000, 0},
        {GW_EPSILON_MICRO_MAX + 1, 1},
        {UINT64_MAX, UINT64_MAX},
        {1000000, GW_SENSITIVITY_MAX + 1},
        {178000000, 1},            // q < 2^-256: no noise
        {GW_EPSILON_MICRO_MAX, 1}, // far beyond
        {1, 1ull << 40},           // noise past 2^62
        {5, 1ull << 40},
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        gw_thresholds got;
        gw_noise noise = {.epsilon = {refused[i].micro}, .sensitivity = refused[i].sensitivity};
        assert_int_equal(gw_thresholds_compute(noise, &got), GW_INVALID);
    }
    gw_thresholds got;
    assert_int_equal(gw_thresholds_compute((gw_noise){.epsilon = {177000000}, .sensitivity = 1}, &got), GW_OK);
}

// No ratio in the certified range trips the check that both bounds agree: 3,000 of them, spread over the whole range.
static void every_ratio_in_range_is_certified(void **state) {
    (void)state;
    uint64_t micro = 1;
    for (int i = 0; i < 3000; i++) {
        micro = micro * 6364136223846793005u + 1442695040888963407u;
        gw_noise noise = {.epsilon = {1 + (micro >> 20) % 20000000},
                          .sensitivity = 1 + (micro >> 3) % (1ull << (micro % 36))};
        gw_thresholds got;
        gw_status status = gw_thresholds_compute(noise, &got);
        if (status != GW_OK && status != GW_INVALID)
            fail_msg("epsilon %llu sensitivity %llu: %s", (unsigned long long)noise.epsilon.micro,
                     (unsigned long long)noise.sensitivity, gw_status_name(status));
        assert_true(status == GW_OK || noise.epsilon.micro / noise.sensitivity > 100000000 ||
                    noise.sensitivity / noise.epsilon.micro > 1ull << 33);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thresholds_match_the_oracle_to_the_last_bit),
        cmocka_unit_test(first_limbs_for_epsilon_one),
        cmocka_unit_test(equal_ratios_have_equal_thresholds),
        cmocka_unit_test(digits_fall_and_stay_in_range),
        cmocka_unit_test(what_cannot_be_certified_is_refused),
        cmocka_unit_test(every_ratio_in_range_is_certified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
