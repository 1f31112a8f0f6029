// SPDX-License-Identifier: Apache-2.0
// Integer arithmetic that refuses to wrap, and the 128-bit integer that sums live in.
// Thread safety: pure.   Depends on: nothing.
#pragma once
#include "privacy/linkage.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

GW_C_BEGIN

__extension__ typedef __int128 gw_int128;
__extension__ typedef unsigned __int128 gw_uint128;

// Each returns false, and leaves *ret alone, when the exact result does not fit.
static inline bool gw_add_u64(uint64_t a, uint64_t b, uint64_t *ret) {
    uint64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *ret = sum;
    return true;
}
static inline bool gw_mul_u64(uint64_t a, uint64_t b, uint64_t *ret) {
    uint64_t product;
    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *ret = product;
    return true;
}
static inline bool gw_add_i128(gw_int128 a, gw_int128 b, gw_int128 *ret) {
    gw_int128 sum;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *ret = sum;
    return true;
}

// Decimal text of a 128-bit integer. `text` has room for GW_INT128_TEXT bytes, NUL included.
#define GW_INT128_TEXT 42
void gw_int128_format(gw_int128 value, char text[GW_INT128_TEXT]);
// Parses an optional '-', then digits without a leading zero (but "0"). False on anything else or overflow.
bool gw_int128_parse(const char *text, gw_int128 *ret);

GW_C_END
