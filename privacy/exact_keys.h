// SPDX-License-Identifier: Apache-2.0
// Keys that no list names, with their exact counts, between the engine and the mechanism that decides which of them may
// be known at all. Like gw_exact_table it has no encoder but the engine's pipe codec, and free wipes it: texts too.
// Shape: a public number of slots of a public width. Slots that are not used hold nobody, and nothing tells them apart.
// Thread safety: one owner.   Depends on: status.h.
#pragma once
#include "privacy/linkage.h"
#include "privacy/status.h"
#include <stddef.h>
#include <stdint.h>

GW_C_BEGIN

#define GW_KEYS_MAX 100000u                // slots of one statement
#define GW_KEY_BYTES_MAX 128u              // of one key, without its end
#define GW_KEY_COUNT_MAX (UINT64_MAX >> 2) // persons with one key: sums with noise stay far from overflow

typedef struct gw_exact_keys {
    size_t slot_count; // public
    size_t text_size;  // bytes of a slot's text with the NUL behind it; public
    uint64_t *counts;  // of persons; 0: nobody, and then the text says nothing
    char *texts;       // slot_count * text_size, right behind the counts: one piece of memory
} gw_exact_keys;

// All empty. `key_bytes`: of the longest key. GW_LIMIT past the maxima or at 0; GW_NO_MEMORY.
GW_MUST_CHECK gw_status gw_exact_keys_new(size_t slot_count, size_t key_bytes, gw_exact_keys **ret_keys);
size_t gw_exact_keys_bytes(const gw_exact_keys *keys); // of counts and texts together, from counts on
char *gw_exact_keys_text(const gw_exact_keys *keys, size_t slot);
void gw_exact_keys_free(gw_exact_keys *keys); // wipes; accepts NULL

GW_C_END
