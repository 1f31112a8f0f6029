// SPDX-License-Identifier: Apache-2.0
// Where randomness comes in: privacy/ is pure, so the bytes are handed to it. service/base/random.h gives the real one
// (kernel-seeded ChaCha20, new seed per answer); tests give recorded ones.
// A source that fails makes the release fail: there is no noise-free fallback.
// Thread safety: one source per thread.   Depends on: status.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/status.h"
#include <stddef.h>
#include <stdint.h>

GW_C_BEGIN

typedef struct gw_random_source {
    // Fills `count` bytes with uniform, independent bits or returns an error. `count` is never derived from data.
    gw_status (*fill)(void *state, void *bytes, size_t count);
    void *state;
} gw_random_source;

GW_C_END
