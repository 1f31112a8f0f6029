// SPDX-License-Identifier: Apache-2.0
// Which parts a row or person adds: the splits whose parts sum to a public constant, so that one epsilon covers them
// (moments.md). The engine computes the same in its statements; this is the reference that they are held against.
// Thread safety: pure.   Depends on: checked.h.
#pragma once
#include "privacy/checked.h"
#include "privacy/linkage.h"

GW_C_BEGIN

#define GW_MOMENT_PARTS 3u

// For 0 <= x <= width, width >= 1: b2 = x^2 / width to the nearest (halves up), b1 = 2 x - 2 b2, b0 = width - 2 x + b2.
// None is below 0; they sum to width; b1 / 2 + b2 = x.
void gw_moments_split(int64_t x, int64_t width, int64_t ret_parts[GW_MOMENT_PARTS]);

GW_C_END
