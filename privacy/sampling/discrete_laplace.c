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

// A block lives on the stack: room for all lanes of up to 16 digits; laws of more digits take fewer lanes.
#define BLOCK_WORDS (GW_DIGITS_LANES * (1 + GW_RADIX_DIGITS_MAX) + 1)

_Static_assert((BLOCK_WORDS - 1) / (1 + GW_BINARY_DIGITS_MAX) >= 4, "a block fits four lanes of the longest law");
_Static_assert(GW_DIGITS_LANES % 4 == 0, "kernels take lanes by four");
_Static_assert(GW_DIGITS_LANES <= 64, "one word holds the signs of a block");

// One way to write |Z| - 1 in digits: `digit_count` rows of `value_count` falling thresholds, `bits` bits a digit.
typedef struct {
    const gw_threshold *thresholds; // digit_count * value_count
    const uint64_t *firsts;         // their first limbs
    const uint8_t *first_counts;    // of a row, how many the kernel needs
    size_t digit_count;
    size_t value_count;
    unsigned bits;
} digit_system;

struct gw_discrete_laplace {
    gw_thresholds thresholds;
    uint64_t binary_firsts[GW_BINARY_DIGITS_MAX];
    uint64_t radix_firsts[GW_RADIX_DIGITS_MAX * GW_RADIX_VALUES];
    uint8_t binary_counts[GW_BINARY_DIGITS_MAX];
    uint8_t radix_counts[GW_RADIX_DIGITS_MAX];
    gw_digits_kernel kernel;
};

typedef struct {
    uint64_t words[BLOCK_WORDS];
    uint64_t magnitudes[GW_DIGITS_LANES];
    uint64_t zeros[GW_DIGITS_LANES]; // 1 where the sample is 0
    uint64_t ties[GW_DIGITS_LANES];
} digit_block;

// First limbs of rows of falling thresholds. Of those that are 0 the kernel needs one: no word lies below them, and a
// word of 0 ties with all of them alike.
static void firsts_take(const gw_threshold *thresholds, size_t row_count, size_t value_count, uint64_t *firsts,
                        uint8_t *counts) {
    for (size_t row = 0; row < row_count; row++) {
        uint8_t count = 0;
        for (size_t i = row * value_count; i < (row + 1) * value_count; i++) {
            firsts[i] = thresholds[i].limbs[0];
            count = (uint8_t)(count + (firsts[i] != 0));
        }
        counts[row] = (uint8_t)(count + (count < value_count));
    }
}

gw_status gw_discrete_laplace_new(gw_noise noise, gw_discrete_laplace **ret) {
    gw_discrete_laplace *law = calloc(1, sizeof(*law));
    if (law == NULL)
        return GW_NO_MEMORY;
    gw_status status = gw_thresholds_compute(noise, &law->thresholds);
    if (status != GW_OK) {
        free(law);
        return status;
    }
    firsts_take(law->thresholds.binary, GW_BINARY_DIGITS_MAX, 1, law->binary_firsts, law->binary_counts);
    firsts_take(law->thresholds.radix[0], GW_RADIX_DIGITS_MAX, GW_RADIX_VALUES, law->radix_firsts, law->radix_counts);
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

// Fills `count` samples, as many as a block has room for. The lanes that round it up to a multiple of 4 are drawn and
// thrown away.
static gw_status fill_block(const gw_discrete_laplace *law, const digit_system *system, gw_random_source source,
                            digit_block *block, int64_t *ret, size_t count) {
    const gw_threshold *zero = &law->thresholds.zero;
    size_t lane_count = (count + 3) / 4 * 4;
    size_t word_count = lane_count * (1 + system->digit_count) + 1;
    gw_status status = source.fill(source.state, block->words, word_count * sizeof(block->words[0]));
    if (status != GW_OK)
        return status;
    memset(block->magnitudes, 0, sizeof(block->magnitudes));
    memset(block->zeros, 0, sizeof(block->zeros));
    memset(block->ties, 0, sizeof(block->ties));
    law->kernel(block->words, lane_count, &zero->limbs[0], 1, 0, block->zeros, block->ties);
    for (size_t j = 0; j < system->digit_count; j++)
        law->kernel(block->words + (j + 1) * lane_count, lane_count, system->firsts + j * system->value_count,
                    system->first_counts[j], (unsigned)j * system->bits, block->magnitudes, block->ties);
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

static gw_status fill_all(const gw_discrete_laplace *law, const digit_system *system, gw_random_source source,
                          int64_t *ret, size_t count) {
    digit_block block;
    gw_status status = GW_OK;
    size_t fitting = (BLOCK_WORDS - 1) / (1 + system->digit_count) / 4 * 4;
    size_t lanes_max = fitting < GW_DIGITS_LANES ? fitting : GW_DIGITS_LANES;
    for (size_t done = 0; done < count && status == GW_OK; done += lanes_max) {
        size_t left = count - done;
        status = fill_block(law, system, source, &block, ret + done, left < lanes_max ? left : lanes_max);
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
                                .first_counts = law->radix_counts,
                                .digit_count = law->thresholds.radix_count,
                                .value_count = GW_RADIX_VALUES,
                                .bits = 4};
    return fill_all(law, &radix, source, ret, count);
}

gw_status gw_discrete_laplace_fill_plain(const gw_discrete_laplace *law, gw_random_source source, int64_t *ret,
                                         size_t count) {
    const digit_system plain = {.thresholds = law->thresholds.binary,
                                .firsts = law->binary_firsts,
                                .first_counts = law->binary_counts,
                                .digit_count = law->thresholds.binary_count,
                                .value_count = 1,
                                .bits = 1};
    return fill_all(law, &plain, source, ret, count);
}
