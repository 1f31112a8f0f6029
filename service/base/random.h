// SPDX-License-Identifier: Apache-2.0
// The random source of releases: ChaCha20 keyed from the kernel, one new key per answer, so neither a fork, a snapshot
// nor a restored machine can repeat noise. Any failure refuses the answer. Thread safety: one gw_random per thread and
// answer.   Depends on: privacy/random_source.h.
#pragma once
#include "privacy/random_source.h"

typedef struct gw_random gw_random;
GW_MUST_CHECK gw_status gw_random_new(gw_random **ret); // draws its key from the kernel now
// A new key from the kernel, as for a new answer: whoever keeps a source between answers calls it before each.
GW_MUST_CHECK gw_status gw_random_reseed(gw_random *random);
void gw_random_free(gw_random *random);                  // wipes; accepts NULL
gw_random_source gw_random_as_source(gw_random *random); // borrows `random`; refuses after a fork
