// SPDX-License-Identifier: Apache-2.0
// One party's share of discrete Laplace noise: X - Y with X, Y negative binomial of shape 1 / shares. The sum of
// `shares` independent ones is exactly the noise of one party that adds it all (P(Z=k) proportional to q^|k|, q =
// exp(-epsilon / sensitivity)). From a certified table that is read to its end for every draw, so time tells nothing of
// the share. Total variation from the ideal is below 2^-250 per share. Construction and proof: negative_binomial.md.
// Thread safety: a gw_noise_share is immutable after new and may be shared.   Depends on: released.h, random_source.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/random_source.h"
#include "privacy/released.h"

GW_C_BEGIN

typedef struct gw_noise_share gw_noise_share;

#define GW_NOISE_SHARES_MAX 65536u
// Of the table: epsilon / sensitivity down to about 1/1470. A table of this length has 10 MB.
#define GW_NOISE_SHARE_ENTRIES_MAX 262144u

// `shares` = how many shares make the whole noise: where the roster has k parties of which t may collude or drop out,
// k - t. 1 gives the whole noise. GW_INVALID when epsilon, sensitivity or shares is 0 or past its maximum, the table
// would be longer than GW_NOISE_SHARE_ENTRIES_MAX, or q < 2^-256 (no noise to speak of). GW_INTERNAL when a threshold
// cannot be certified (never seen; refuses instead of guessing).
GW_MUST_CHECK gw_status gw_noise_share_new(gw_noise noise, uint32_t shares, gw_noise_share **ret);
void gw_noise_share_free(gw_noise_share *law); // accepts NULL

// How many values of X have a probability that counts: the table's length.
size_t gw_noise_share_entry_count(const gw_noise_share *law);
// `count` independent shares. Draws a number of bytes fixed by (law, count), but for ties of probability < 2^-44.
GW_MUST_CHECK gw_status gw_noise_share_fill(const gw_noise_share *law, gw_random_source source, int64_t *ret,
                                            size_t count);

GW_C_END
