// SPDX-License-Identifier: Apache-2.0
// Plain decimal numbers, exact: an integer of trillionths. One text per value, so that equal numbers are equal bytes.
// Thread safety: pure.   Depends on: privacy/checked.h.
#pragma once
#include "privacy/checked.h"
#include <stdbool.h>

#define GW_DECIMAL_PLACES 12
#define GW_DECIMAL_ONE ((gw_int128)1000000000000)
#define GW_DECIMAL_TEXT 36 // sign, 18 digits, point, 12 digits, NUL, and room

typedef struct {
    gw_int128 trillionths;
} gw_decimal;

// Reads an optional '-', at most 18 digits without a leading zero, and at most 12 places after one point. False on
// anything else: exponents, '+', spaces, a bare point, and zero with a sign.
bool gw_decimal_parse(const char *text, gw_decimal *ret_decimal);
// Shortest text: "0.05", "2", "-1.5".
void gw_decimal_format(gw_decimal decimal, char text[GW_DECIMAL_TEXT]);
// scaled * 10^-scale, for at most GW_DECIMAL_PLACES places.
gw_decimal gw_decimal_of_scaled(gw_int128 scaled, unsigned scale);
