// SPDX-License-Identifier: Apache-2.0
// Unknown keys: from exact keys and counts to those keys that may be known, with protected counts. One random threshold
// per slot decides whether the key is shown and is the noise of its count, at one price for both. Optimal among all
// ways to decide; a key held by one person is shown with probability delta at most. Proof: selection.md.
// Thread safety: pure given its source.   Depends on: exact_keys.h, selection_law.h.
#pragma once
#include "privacy/exact_keys.h"
#include "privacy/linkage.h"
#include "privacy/mechanism/selection_law.h"

GW_C_BEGIN

// Keys that are shown, in the order of their bytes. Made by gw_selection_release alone: the only keys that a reply can
// be encoded from.
typedef struct gw_released_keys gw_released_keys;

// Draws one threshold for every slot, used or not, then reads `exact`, which stays the caller's (who frees and so wipes
// it). GW_INVALID: a count past GW_KEY_COUNT_MAX; otherwise the source's own failure.
GW_MUST_CHECK gw_status gw_selection_release(const gw_exact_keys *exact, const gw_selection_law *law,
                                             gw_random_source source, gw_released_keys **ret_keys);

size_t gw_released_keys_count(const gw_released_keys *keys);
const char *gw_released_keys_text(const gw_released_keys *keys, size_t key);
// count + centre - T: at least the law's centre.
uint64_t gw_released_keys_value(const gw_released_keys *keys, size_t key);
gw_selection_price gw_released_keys_price(const gw_released_keys *keys);
void gw_released_keys_free(gw_released_keys *keys); // accepts NULL

GW_C_END
