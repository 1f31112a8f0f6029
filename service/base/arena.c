// SPDX-License-Identifier: Apache-2.0
// A list of chunks, filled from the front. The maximum counts what was asked for, rounded to the alignment.
#include "service/base/arena.h"
#include "service/base/check.h"
#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE 4096u
#define ALIGNMENT alignof(max_align_t)

typedef struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    size_t used;
    alignas(max_align_t) uint8_t bytes[];
} arena_chunk;

struct gw_arena {
    arena_chunk *chunks; // newest first
    size_t size_max;
    size_t size_used;
};

gw_arena *gw_arena_new(size_t size_max) {
    gw_arena *arena = calloc(1, sizeof(*arena));
    if (arena != NULL)
        arena->size_max = size_max;
    return arena;
}

void gw_arena_free(gw_arena *arena) {
    if (arena == NULL)
        return;
    for (arena_chunk *chunk = arena->chunks, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        explicit_bzero(chunk, sizeof(*chunk) + chunk->used);
        free(chunk);
    }
    free(arena);
}

static arena_chunk *arena_grow(gw_arena *arena, size_t size) {
    size_t chunk_size = size > CHUNK_SIZE ? size : CHUNK_SIZE;
    arena_chunk *chunk = calloc(1, sizeof(*chunk) + chunk_size);
    if (chunk == NULL)
        return NULL;
    *chunk = (arena_chunk){.next = arena->chunks, .size = chunk_size};
    arena->chunks = chunk;
    return chunk;
}

void *gw_arena_alloc(gw_arena *arena, size_t size) {
    if (size > arena->size_max || size > SIZE_MAX / 2)
        return NULL;
    size_t rounded = ((size == 0 ? 1 : size) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (rounded > arena->size_max - arena->size_used)
        return NULL;
    arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || rounded > chunk->size - chunk->used)
        chunk = arena_grow(arena, rounded);
    if (chunk == NULL)
        return NULL;
    void *bytes = chunk->bytes + chunk->used;
    chunk->used += rounded;
    arena->size_used += rounded;
    return bytes;
}

void *gw_arena_array(gw_arena *arena, size_t count, size_t size) {
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    return gw_arena_alloc(arena, total);
}

char *gw_arena_copy(gw_arena *arena, const char *text, size_t size) {
    if (size == SIZE_MAX)
        return NULL;
    char *copy = gw_arena_alloc(arena, size + 1);
    if (copy != NULL && size != 0)
        memcpy(copy, text, size);
    return copy;
}

char *gw_arena_string(gw_arena *arena, const char *text) {
    return gw_arena_copy(arena, text, strlen(text));
}

char *gw_arena_format(gw_arena *arena, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    GW_ASSERT(length >= 0);
    char *text = gw_arena_alloc(arena, (size_t)length + 1);
    if (text == NULL)
        return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}
