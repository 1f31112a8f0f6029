// SPDX-License-Identifier: Apache-2.0
// Bernstein parts of the second degree on a grid.
#include "privacy/mechanism/moments.h"

void gw_moments_split(int64_t x, int64_t width, int64_t ret_parts[GW_MOMENT_PARTS]) {
    gw_int128 square = (gw_int128)x * x;
    int64_t b2 = (int64_t)((square + width / 2) / width);
    ret_parts[0] = width - 2 * x + b2;
    ret_parts[1] = 2 * x - 2 * b2;
    ret_parts[2] = b2;
}
