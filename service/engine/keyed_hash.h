// SPDX-License-Identifier: Apache-2.0
// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein 2012, and its reference code): person ids become random
// numbers that mean nothing without the key, which lives as long as one load. Two ids of n collide with probability
// below n^2 / 2^129. Thread safety: pure.   Depends on: base/buffer.h.
#pragma once
#include "service/base/buffer.h"

typedef struct {
    uint64_t low, high;
} gw_keyed_hash;

gw_keyed_hash gw_keyed_hash_of(const uint64_t key[2], gw_bytes bytes);
