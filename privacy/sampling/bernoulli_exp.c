// SPDX-License-Identifier: Apache-2.0
// exp(-m c) is the product of exp(-2^i c) over the bits of m: a row of words per bit, compared with that bit's
// threshold for every lane, whether or not the lane has the bit.
#include "privacy/sampling/bernoulli_exp.h"
#include "privacy/sampling/digits.h"
#include "privacy/sampling/ties.h"
#include <stdlib.h>
#include <string.h>

// c = x 2^doublings, x in (2^-19, 2^-16): this keeps c >= 2^-130 (bernoulli_exp.md, "Certified thresholds").
#define RATIO_DOUBLINGS_MIN (-111)
#define BITS_MAX 138 // 2^138 2^-130 > 177: exp of it is negligible
#define ROUND_TO 4   // the kernel takes lanes by four

struct gw_bernoulli_exp {
    gw_digits_kernel kernel;
    size_t bit_count; // of m; a higher bit never falls on heads
    gw_threshold thresholds[BITS_MAX];
};

typedef struct {
    uint64_t words[GW_DIGITS_LANES];
    uint64_t is_below[GW_DIGITS_LANES];
    uint64_t ties[GW_DIGITS_LANES];
    uint64_t tails[GW_DIGITS_LANES];
} coin_block;

// Thresholds of exp(-c 2^i), i = 0, 1, … until one is below 2^-256.
static gw_status thresholds_compute(const gw_fixed_exponent *c, gw_bernoulli_exp *law) {
    for (unsigned i = 0;; i++) {
        gw_fixed_bounds bounds;
        if (c->doublings + (int)i > GW_FIXED_DOUBLINGS_MAX)
            return GW_OK;
        if (!gw_fixed_exp(c, i, &bounds))
            return GW_INTERNAL;
        if (gw_fixed_is_negligible(&bounds.high))
            return GW_OK;
        if (i == BITS_MAX)
            return GW_INTERNAL;
        if (!gw_threshold_certify(&bounds, &law->thresholds[i]))
            return GW_INTERNAL;
        law->bit_count = i + 1;
    }
}

gw_status gw_bernoulli_exp_new_wide(gw_wide numerator, gw_wide denominator, gw_bernoulli_exp **ret) {
    gw_fixed_exponent c;
    if (!gw_fixed_exponent_of(&numerator, &denominator, &c) || c.doublings < RATIO_DOUBLINGS_MIN)
        return GW_INVALID;
    gw_bernoulli_exp *law = calloc(1, sizeof(*law));
    if (law == NULL)
        return GW_NO_MEMORY;
    law->kernel = gw_digits_kernel_best();
    gw_status status = thresholds_compute(&c, law);
    if (status != GW_OK) {
        free(law);
        return status;
    }
    *ret = law;
    return GW_OK;
}

gw_status gw_bernoulli_exp_new(uint64_t numerator, uint64_t denominator, gw_bernoulli_exp **ret) {
    return gw_bernoulli_exp_new_wide((gw_wide){{numerator}}, (gw_wide){{denominator}}, ret);
}

void gw_bernoulli_exp_free(gw_bernoulli_exp *law) {
    free(law);
}

// `lane_count` coins of one bit: is_below[lane] becomes 1 with its probability.
static gw_status throw_row(const gw_bernoulli_exp *law, size_t bit, gw_random_source source, coin_block *block,
                           size_t lane_count) {
    const gw_threshold *threshold = &law->thresholds[bit];
    gw_status status = source.fill(source.state, block->words, lane_count * sizeof(block->words[0]));
    if (status != GW_OK)
        return status;
    memset(block->is_below, 0, sizeof(block->is_below));
    memset(block->ties, 0, sizeof(block->ties));
    law->kernel(block->words, lane_count, &threshold->limbs[0], 1, 0, block->is_below, block->ties);
    uint64_t any = 0;
    for (size_t lane = 0; lane < lane_count; lane++)
        any |= block->ties[lane];
    if (__builtin_expect(any == 0, 1))
        return GW_OK;
    for (size_t lane = 0; lane < lane_count && status == GW_OK; lane++)
        status = gw_tie_resolve(source, block->words[lane], threshold, 1, 0, &block->is_below[lane]);
    return status;
}

// Coins that a bit past the law's last one turns to tails, whatever is thrown.
static void hopeless_bits_make_tails(const gw_bernoulli_exp *law, coin_block *block, const uint64_t *m,
                                     size_t limb_count, size_t count) {
    for (size_t limb = 0; limb < limb_count; limb++) {
        size_t first = 64 * limb;
        uint64_t hopeless = law->bit_count <= first       ? ~0ull
                            : law->bit_count < first + 64 ? ~0ull << (law->bit_count - first)
                                                          : 0;
        for (size_t lane = 0; lane < count; lane++) {
            uint64_t bits = m[lane * limb_count + limb] & hopeless;
            block->tails[lane] |= (bits | (0 - bits)) >> 63;
        }
    }
}

// `m` holds limb_count limbs per coin. Each of the law's bits is thrown for each lane, whether the lane has it or not.
static gw_status fill_block(const gw_bernoulli_exp *law, gw_random_source source, coin_block *block, const uint64_t *m,
                            size_t limb_count, uint8_t *ret, size_t count) {
    size_t lane_count = (count + ROUND_TO - 1) / ROUND_TO * ROUND_TO;
    size_t row_count = law->bit_count < 64 * limb_count ? law->bit_count : 64 * limb_count;
    memset(block->tails, 0, sizeof(block->tails));
    hopeless_bits_make_tails(law, block, m, limb_count, count);
    for (size_t i = 0; i < row_count; i++) {
        gw_status status = throw_row(law, i, source, block, lane_count);
        if (status != GW_OK)
            return status;
        for (size_t lane = 0; lane < count; lane++)
            block->tails[lane] |= m[lane * limb_count + i / 64] >> (i % 64) & ~block->is_below[lane] & 1;
    }
    for (size_t lane = 0; lane < count; lane++)
        ret[lane] = (uint8_t)(1 - block->tails[lane]);
    return GW_OK;
}

static gw_status fill_all(const gw_bernoulli_exp *law, gw_random_source source, const uint64_t *m, size_t limb_count,
                          uint8_t *ret, size_t count) {
    coin_block block;
    gw_status status = GW_OK;
    for (size_t done = 0; done < count && status == GW_OK; done += GW_DIGITS_LANES) {
        size_t left = count - done;
        status = fill_block(law, source, &block, m + done * limb_count, limb_count, ret + done,
                            left < GW_DIGITS_LANES ? left : GW_DIGITS_LANES);
    }
    explicit_bzero(&block, sizeof(block));
    if (status != GW_OK)
        explicit_bzero(ret, count);
    return status;
}

gw_status gw_bernoulli_exp_fill(const gw_bernoulli_exp *law, gw_random_source source, const uint64_t *m, uint8_t *ret,
                                size_t count) {
    return fill_all(law, source, m, 1, ret, count);
}

gw_status gw_bernoulli_exp_fill_wide(const gw_bernoulli_exp *law, gw_random_source source, const gw_wide *m,
                                     uint8_t *ret, size_t count) {
    return fill_all(law, source, count == 0 ? NULL : m->limbs, GW_WIDE_LIMBS, ret, count);
}
