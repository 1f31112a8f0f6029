// SPDX-License-Identifier: Apache-2.0
// Delta as an integer: units of 10^-18. Parsing and printing; sums and comparisons are those of integers.
// Thread safety: pure.   Depends on: status.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/status.h"
#include <stdint.h>

GW_C_BEGIN

typedef struct {
    uint64_t atto; // delta * 10^18
} gw_delta;

#define GW_DELTA_TEXT 28
#define GW_DELTA_ONE_ATTO 1000000000000000000ULL // probability 1

// Reads a plain decimal ("0.000000001") or one with a negative exponent ("1e-9", "2.5e-10"), below 1 and a whole number
// of units; no sign in front, spaces or leading zeros. GW_INVALID otherwise. Zero parses.
GW_MUST_CHECK gw_status gw_delta_parse(const char *text, gw_delta *ret_delta);
// Shortest text with an exponent: "1e-9", "2.5e-10", "1e-18"; "0".
void gw_delta_format(gw_delta delta, char text[GW_DELTA_TEXT]);

GW_C_END
