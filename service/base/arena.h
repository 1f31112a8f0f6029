// SPDX-License-Identifier: Apache-2.0
// One arena per query: everything decoded from a message is freed at once, when the reply has left.
// Zeroed memory; wiped on free. Past its maximum, or without memory, returns NULL (callers: GW_LIMIT).
// Thread safety: one owner.   Depends on: buffer.h.
#pragma once
#include "service/base/buffer.h"

typedef struct gw_arena gw_arena;
gw_arena *gw_arena_new(size_t size_max);
void gw_arena_free(gw_arena *arena);                                 // accepts NULL
void *gw_arena_alloc(gw_arena *arena, size_t size);                  // aligned for any type
void *gw_arena_array(gw_arena *arena, size_t count, size_t size);    // checked multiplication
char *gw_arena_copy(gw_arena *arena, const char *text, size_t size); // adds a NUL
char *gw_arena_string(gw_arena *arena, const char *text);
char *gw_arena_format(gw_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
