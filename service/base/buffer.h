// SPDX-License-Identifier: Apache-2.0
// Bytes: a borrowed view, and a growing buffer with a maximum and a sticky error (later appends do nothing; one check
// at the end). The bytes are always followed by a NUL that is not counted. Thread safety: one owner.   Depends on:
// privacy/status.h.
#pragma once
#include "privacy/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *data; // borrowed
    size_t size;
} gw_bytes;

gw_bytes gw_bytes_of(const char *text); // without its NUL
bool gw_bytes_equal(gw_bytes a, gw_bytes b);

typedef struct {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t size_max;
    gw_status status; // first failure: GW_LIMIT or GW_NO_MEMORY
} gw_buffer;

void gw_buffer_init(gw_buffer *buffer, size_t size_max);
void gw_buffer_done(gw_buffer *buffer); // wipes and frees; leaves a valid empty buffer of the same maximum
void gw_buffer_append(gw_buffer *buffer, const void *bytes, size_t count);
void gw_buffer_text(gw_buffer *buffer, const char *text);
void gw_buffer_format(gw_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
gw_bytes gw_buffer_bytes(const gw_buffer *buffer);
const char *gw_buffer_string(const gw_buffer *buffer); // "" when empty
