// SPDX-License-Identifier: Apache-2.0
// Discrete Laplace by independent digits of a geometric magnitude: one kernel pass per digit over a block of lanes, no
// rejection. Words of a block: one per lane for the zero test, one per lane and digit, one word of signs; after them,
// only where a word ties with a threshold, four more per tied word.
#include "privacy/sampling/discrete_laplace.h"
#include "privacy/sampling/digits.h"
#include "privacy/sampling/thresholds.h"
#include "privacy/sampling/ties.h"
#include <stdlib.h>
#include <string.h>

#define PLAIN_LANES 16 // fewer than GW_DIGITS_LANES, because plain digits are many and the block lives on the stack
#define BLOCK_WORDS (GW_DIGITS_LANES * (1 + GW_RADIX_DIGITS_MAX) + 1)

_Static_assert(PLAIN_LANES *(1 + GW_BINARY_DIGITS_MAX) + 1 <= BLOCK_WORDS, "a plain block fits the same memory");
_Static_assert(PLAIN_LANES % 4 == 0 && GW_DIGITS_LANES % 4 == 0, "kernels take lanes by four");
_Static_assert(GW_DIGITS_LANES <= 64, "one word holds the signs of a block");

// One way to write |Z| - 1 in digits: `digit_count` rows of `value_count` falling thresholds, `bits` bits a digit.
typedef struct {
    const gw_threshold *thresholds; // digit_count * value_count
    const uint64_t *firsts;         // their first limbs
    size_t digit_count;
    size_t value_count;
    unsigned bits;
    size_t lanes_max;
    gw_digits_kernel kernel;
} digit_system;

struct gw_discrete_laplace {
    gw_thresholds thresholds;
    uint64_t binary_firsts[GW_BINARY_DIGITS_MAX];
    uint64_t radix_firsts[GW_RADIX_DIGITS_MAX * GW_RADIX_VALUES];
    gw_digits_kernel kernel;
};

typedef struct {
    uint64_t words[BLOCK_WORDS];
    uint64_t magnitudes[GW_DIGITS_LANES];
    uint64_t zeros[GW_DIGITS_LANES]; // 1 where the sample is 0
    uint64_t ties[GW_DIGITS_LANES];
} digit_block;

gw_status gw_discrete_laplace_new(gw_noise noise, gw_discrete_laplace **ret) {
    gw_discrete_laplace *law = calloc(1, sizeof(*law));
    if (law == NULL)
        return GW_NO_MEMORY;
    gw_status status = gw_thresholds_compute(noise, &law->thresholds);
    if (status != GW_OK) {
        free(law);
        return status;
    }
    for (size_t i = 0; i < GW_BINARY_DIGITS_MAX; i++)
        law->binary_firsts[i] = law->thresholds.binary[i].limbs[0];
    for (size_t i = 0; i < GW_RADIX_DIGITS_MAX * GW_RADIX_VALUES; i++)
        law->radix_firsts[i] = law->thresholds.radix[i / GW_RADIX_VALUES][i % GW_RADIX_VALUES].limbs[0];
    law->kernel = gw_digits_kernel_best();
    *ret = law;
    return GW_OK;
}

void gw_discrete_laplace_free(gw_discrete_laplace *law) {
    free(law);
}

// Reached with probability below 2^-55 per sample. What it reveals by its time is that noise tied with a public
// threshold.
static gw_status resolve_lane(const digit_system *system, const gw_threshold *zero, gw_random_source source,
                              digit_block *block, size_t lane, size_t lane_count) {
    gw_status status = gw_tie_resolve(source, block->words[lane], zero, 1, 0, &block->zeros[lane]);
    for (size_t j = 0; j < system->digit_count && status == GW_OK; j++)
        status = gw_tie_resolve(source, block->words[(j + 1) * lane_count + lane],
                                system->thresholds + j * system->value_count, system->value_count,
                                (unsigned)j * system->bits, &block->magnitudes[lane]);
    return status;
}

static gw_status resolve_ties(const digit_system *system, const gw_threshold *zero, gw_random_source source,
                              digit_block *block, size_t lane_count) {
    uint64_t any = 0;
    for (size_t lane = 0; lane < lane_count; lane++)
        any |= block->ties[lane];
    if (__builtin_expect(any == 0, 1))
        return GW_OK;
    for (size_t lane = 0; lane < lane_count; lane++) {
        if (block->ties[lane] == 0)
            continue;
        gw_status status = resolve_lane(system, zero, source, block, lane, lane_count);
        if (status != GW_OK)
            return status;
    }
    return GW_OK;
}

// Fills `count` <= lanes_max samples. The lanes that round it up to a multiple of 4 are drawn and thrown away.
static gw_status fill_block(const digit_system *system, const gw_threshold *zero, gw_random_source source,
                            digit_block *block, int64_t *ret, size_t count) {
    size_t lane_count = (count + 3) / 4 * 4;
    size_t word_count = lane_count * (1 + system->digit_count) + 1;
    gw_status status = source.fill(source.state, block->words, word_count * sizeof(block->words[0]));
    if (status != GW_OK)
        return status;
    memset(block->magnitudes, 0, sizeof(block->magnitudes));
    memset(block->zeros, 0, sizeof(block->zeros));
    memset(block->ties, 0, sizeof(block->ties));
    system->kernel(block->words, lane_count, &zero->limbs[0], 1, 0, block->zeros, block->ties);
    for (size_t j = 0; j < system->digit_count; j++)
        system->kernel(block->words + (j + 1) * lane_count, lane_count, system->firsts + j * system->value_count,
                       system->value_count, (unsigned)j * system->bits, block->magnitudes, block->ties);
    status = resolve_ties(system, zero, source, block, lane_count);
    if (status != GW_OK)
        return status;
    uint64_t signs = block->words[word_count - 1];
    for (size_t lane = 0; lane < count; lane++) {
        uint64_t sign = 0 - (signs >> lane & 1); // all ones for a negative sample
        uint64_t magnitude = block->magnitudes[lane] + 1;
        ret[lane] = (int64_t)(((magnitude ^ sign) - sign) & (block->zeros[lane] - 1));
    }
    return GW_OK;
}

static gw_status fill_all(const digit_system *system, const gw_threshold *zero, gw_random_source source, int64_t *ret,
                          size_t count) {
    digit_block block;
    gw_status status = GW_OK;
    for (size_t done = 0; done < count && status == GW_OK; done += system->lanes_max) {
        size_t left = count - done;
        status =
            fill_block(system, zero, source, &block, ret + done, left < system->lanes_max ? left : system->lanes_max);
    }
    explicit_bzero(&block, sizeof(block));
    if (status != GW_OK)
        explicit_bzero(ret, count * sizeof(*ret)); // no half of the noise for anybody to use by mistake
    return status;
}

gw_status gw_discrete_laplace_fill(const gw_discrete_laplace *law, gw_random_source source, int64_t *ret,
                                   size_t count) {
    const digit_system radix = {.thresholds = &law->thresholds.radix[0][0],
                                .firsts = law->radix_firsts,
                                .digit_count = law->thresholds.radix_count,
                                .value_count = GW_RADIX_VALUES,
                                .bits = 4,
                                .lanes_max = GW_DIGITS_LANES,
                                .kernel = law->kernel};
    return fill_all(&radix, &law->thresholds.zero, source, ret, count);
}

gw_status gw_discrete_laplace_fill_plain(const gw_discrete_laplace *law, gw_random_source source, int64_t *ret,
                                         size_t count) {
    const digit_system plain = {.thresholds = law->thresholds.binary,
                                .firsts = law->binary_firsts,
                                .digit_count = law->thresholds.binary_count,
                                .value_count = 1,
                                .bits = 1,
                                .lanes_max = PLAIN_LANES,
                                .kernel = gw_digits_kernel_portable};
    return fill_all(&plain, &law->thresholds.zero, source, ret, count);
}
