// SPDX-License-Identifier: Apache-2.0
// Unsigned integers of 256 bits, for exponents that outgrow 128. No branch and no address depends on a value.
// Thread safety: pure.   Depends on: checked.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/checked.h"

GW_C_BEGIN

#define GW_WIDE_LIMBS 4

typedef struct {
    uint64_t limbs[GW_WIDE_LIMBS]; // least significant first
} gw_wide;

static inline gw_wide gw_wide_from(gw_uint128 value) {
    gw_wide result = {{(uint64_t)value, (uint64_t)(value >> 64), 0, 0}};
    return result;
}

// Sums, differences and products wrap at 2^256: the callers know that theirs don't reach it.
static inline gw_wide gw_wide_add(gw_wide a, gw_wide b) {
    uint64_t carry = 0;
    for (int i = 0; i < GW_WIDE_LIMBS; i++) {
        gw_uint128 sum = (gw_uint128)a.limbs[i] + b.limbs[i] + carry;
        a.limbs[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> 64);
    }
    return a;
}

static inline gw_wide gw_wide_subtract(gw_wide a, gw_wide b) {
    uint64_t borrow = 0;
    for (int i = 0; i < GW_WIDE_LIMBS; i++) {
        gw_uint128 difference = (gw_uint128)a.limbs[i] - b.limbs[i] - borrow;
        a.limbs[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    return a;
}

static inline gw_wide gw_wide_multiply(gw_wide a, uint64_t factor) {
    uint64_t carry = 0;
    for (int i = 0; i < GW_WIDE_LIMBS; i++) {
        gw_uint128 product = (gw_uint128)a.limbs[i] * factor + carry;
        a.limbs[i] = (uint64_t)product;
        carry = (uint64_t)(product >> 64);
    }
    return a;
}

// 1 where a < b, else 0.
static inline uint64_t gw_wide_is_less(gw_wide a, gw_wide b) {
    uint64_t borrow = 0;
    for (int i = 0; i < GW_WIDE_LIMBS; i++)
        borrow = (uint64_t)(((gw_uint128)a.limbs[i] - b.limbs[i] - borrow) >> 64) & 1;
    return borrow;
}

GW_C_END
