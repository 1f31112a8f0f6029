// SPDX-License-Identifier: Apache-2.0
// Tails of noise, for ranges and prices: how far a discrete Laplace value, or a weighted difference of such values,
// strays with a stated chance. Every figure is the exact one or a proven upper bound of it (interval.md); doubles, with
// room for their rounding. Used inside privacy/ only. Thread safety: pure; a gw_tail is immutable after new.   Depends
// on: released.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/released.h"
#include "privacy/status.h"
#include <stdbool.h>

GW_C_BEGIN

// Noise that a sampler draws: neither none nor so wide or so narrow that doubles lose it. Files may claim any other.
bool gw_tail_noise_is_sound(gw_noise noise);
// Smallest t with P(|Z| > t) <= chance.
uint64_t gw_tail_half_width(gw_noise noise, double chance);
double gw_tail_sd(gw_noise noise);

// Tails of |u Z - v S|, where S is the sum of `others` independent copies of Z.
typedef struct gw_tail gw_tail;
// `chance_min` is the smallest chance that will be asked for. GW_INVALID: nothing to sum, no noise; GW_NO_MEMORY.
GW_MUST_CHECK gw_status gw_tail_new(gw_noise noise, size_t others, double chance_min, gw_tail **ret);
void gw_tail_free(gw_tail *tail); // accepts NULL

typedef struct {
    double of_one;    // u >= 0
    double of_others; // v >= 0
} gw_tail_weights;

// Some c with P(|u Z - v S| > c) <= chance, near the smallest. `low` and `high` say where to look first; they need not
// enclose it.
double gw_tail_quantile(const gw_tail *tail, gw_tail_weights weights, double chance, double low, double high);

GW_C_END
