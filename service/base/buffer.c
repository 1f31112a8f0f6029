// SPDX-License-Identifier: Apache-2.0
// The growing buffer. Memory it outgrows is wiped, because what passes through may be secret.
#include "service/base/buffer.h"
#include "service/base/check.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 256u

gw_bytes gw_bytes_of(const char *text) {
    return (gw_bytes){.data = (const uint8_t *)text, .size = strlen(text)};
}

bool gw_bytes_equal(gw_bytes a, gw_bytes b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

void gw_buffer_init(gw_buffer *buffer, size_t size_max) {
    // Half the address space at most, so that room for the NUL can be added without wrapping.
    *buffer = (gw_buffer){.size_max = size_max < SIZE_MAX / 2 ? size_max : SIZE_MAX / 2};
}

void gw_buffer_done(gw_buffer *buffer) {
    if (buffer->data != NULL)
        explicit_bzero(buffer->data, buffer->capacity);
    free(buffer->data);
    gw_buffer_init(buffer, buffer->size_max);
}

// Makes room for `count` more bytes and the NUL, or sets the sticky error.
static bool buffer_reserve(gw_buffer *buffer, size_t count) {
    if (buffer->status != GW_OK)
        return false;
    GW_ASSERT(buffer->size_max <= SIZE_MAX / 2);
    if (count > buffer->size_max - buffer->size) {
        buffer->status = GW_LIMIT;
        return false;
    }
    size_t needed = buffer->size + count + 1;
    if (needed <= buffer->capacity)
        return true;
    size_t capacity = buffer->capacity < CAPACITY_MIN ? CAPACITY_MIN : buffer->capacity;
    while (capacity < needed)
        capacity *= 2; // ends at most at twice size_max + 1
    if (capacity > buffer->size_max + 1)
        capacity = buffer->size_max + 1;
    uint8_t *data = malloc(capacity);
    if (data == NULL) {
        buffer->status = GW_NO_MEMORY;
        return false;
    }
    if (buffer->data != NULL) {
        memcpy(data, buffer->data, buffer->size);
        explicit_bzero(buffer->data, buffer->capacity);
        free(buffer->data);
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void gw_buffer_append(gw_buffer *buffer, const void *bytes, size_t count) {
    if (!buffer_reserve(buffer, count))
        return;
    if (count != 0)
        memcpy(buffer->data + buffer->size, bytes, count);
    buffer->size += count;
    buffer->data[buffer->size] = '\0';
}

void gw_buffer_text(gw_buffer *buffer, const char *text) {
    gw_buffer_append(buffer, text, strlen(text));
}

void gw_buffer_format(gw_buffer *buffer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    GW_ASSERT(length >= 0);
    if (!buffer_reserve(buffer, (size_t)length))
        return;
    va_start(arguments, format);
    vsnprintf((char *)buffer->data + buffer->size, (size_t)length + 1, format, arguments);
    va_end(arguments);
    buffer->size += (size_t)length;
}

gw_bytes gw_buffer_bytes(const gw_buffer *buffer) {
    return (gw_bytes){.data = buffer->data, .size = buffer->size};
}

const char *gw_buffer_string(const gw_buffer *buffer) {
    return buffer->data == NULL ? "" : (const char *)buffer->data;
}
