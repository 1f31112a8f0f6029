// SPDX-License-Identifier: Apache-2.0
// The rare path of every sampler: four more limbs decide where 64 bits did not.
#include "privacy/sampling/ties.h"
#include <stdbool.h>
#include <string.h>

#define TIE_WORDS (GW_THRESHOLD_LIMBS - 1)

// How many of the thresholds lie above the 320-bit number that starts with `first`. A number equal to a threshold, of
// probability 2^-320, counts as not below it.
static uint64_t count_above_exactly(uint64_t first, const uint64_t rest[TIE_WORDS], const gw_threshold *thresholds,
                                    size_t count) {
    uint64_t above = 0;
    for (size_t i = 0; i < count; i++) {
        const uint64_t *limbs = thresholds[i].limbs;
        bool is_below = first < limbs[0];
        bool is_equal = first == limbs[0];
        for (size_t j = 0; j < TIE_WORDS; j++) {
            is_below |= is_equal & (rest[j] < limbs[j + 1]);
            is_equal &= rest[j] == limbs[j + 1];
        }
        above += is_below;
    }
    return above;
}

gw_status gw_tie_resolve(gw_random_source source, uint64_t word, const gw_threshold *thresholds, size_t count,
                         unsigned shift, uint64_t *value) {
    uint64_t above = 0;
    bool is_tie = false;
    for (size_t i = 0; i < count; i++) {
        above += word < thresholds[i].limbs[0];
        is_tie |= word == thresholds[i].limbs[0];
    }
    if (!is_tie)
        return GW_OK;
    uint64_t rest[TIE_WORDS];
    gw_status status = source.fill(source.state, rest, sizeof(rest));
    if (status != GW_OK)
        return status;
    uint64_t exact = count_above_exactly(word, rest, thresholds, count);
    *value += (exact - above) << shift;
    explicit_bzero(rest, sizeof(rest));
    return GW_OK;
}
